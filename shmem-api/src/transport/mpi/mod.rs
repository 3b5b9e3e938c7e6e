//! The engine between hosts that stands on MPI: messages from point to point, over whatever the MPI has. It is taken where there is no UCX.
//!
//! ```text
//!              this process                                        the peer's
//!   lane Requests, served  ◄── MPI_Improbe ── communicator 0 ◄── MPI_Isend ──  lane Replies
//!   lane Replies           ◄── MPI_Improbe ── communicator 1 ◄── MPI_Isend ──  lane Requests
//!        each asleep on a socket: MPI wakes nobody, so whoever sends rings (`doorbell`)
//! ```
//!
//! The communicators are our own, so no thread takes what is another's. Nothing blocks in a call of MPI: messages are looked for, and received
//! by requests that are tested. Small payloads go with their message, out of buffers of the engine; large ones that are lent go by a second message
//! from where they are to where they belong.
//!
//! What it does not promise: see [`CAVEAT`]. MPI has to be at the level `MULTIPLE`, since the thread that serves calls it, too. If it
//! is not up, the engine initialises it, as a boot by MPI does: all PEs at once (`engines` sees to that).
//!
//! | file | what |
//! |---|---|
//! | `lane` | the lock, what is told, sleeping |
//! | `state` | under it: messages and payloads on their way |
//! | `requests` | the calls of MPI |
//! | `doorbell` | datagrams that wake |
//! | `pause` | how often it looks |
//!
//! Invariants (MPI-L1 and MPI-L2 are those of `boot/mpi`):
//! * **MPIP-Q1** what MPI sends from or receives to stays where it is until the request has been seen to end: buffers of the engine lie in the
//!   `Sending` or `Receiving` that has the request, what is lent by WIRE-W1. What has not ended at the end is left to the process's.
//! * **MPIP-Q2** MPI is called from `open` to `close` at the level `MULTIPLE`; of a program that finalizes it earlier, no longer.
#![allow(unsafe_code)]

mod doorbell;
mod lane;
mod pause;
mod requests;
mod state;
#[cfg(all(test, feature = "testing", not(miri)))]
mod tests;

use std::time::{Duration, Instant};

use memheap::PeId;

use self::doorbell::Doorbell;
use self::requests::{Calls, PIECE};
use crate::boot::mpi::abi::{Abi, Functions};
use crate::boot::mpi::owned::is_used_between_hosts;
use crate::boot::mpi::{self, Any, Found};
use crate::boot::{net, secret};
use crate::transport::mpi::lane::Lane as Half;
use crate::transport::wire::{Event, Lane, Outgoing, Token, Wire};
use crate::types::thread_level::ThreadLevel;

/// What is told at the start.
pub(crate) const CAVEAT: &str = "messages between hosts go over MPI, without UCX (Debian: libucx0): where PEs compute on all cores, a put or an atomic may take \
    milliseconds, and MPI notices no dead link (SHMEM_LINK_TIMEOUT does)";
/// The longest header, and the longest payload that is copied.
const LIMITS: (usize, usize) = (256, 8 << 10);
/// What an end may take, for what has not gone.
const GOING: Duration = Duration::from_secs(1);
/// Between two looks at it.
const LOOK: Duration = Duration::from_micros(50);

/// The engine, opened.
pub(crate) struct Mpi<A: Abi> {
    mpi: Functions<A>,
    requests: Half<A>,
    replies: Half<A>,
    address: Vec<u8>,
    version: String,
}

/// The MPI that would be used in a process of several that a launcher has started; nothing is initialised.
///
/// # Errors
/// There is none, or it will not do.
pub(crate) fn find() -> Result<(Found, Any), String> {
    let found = mpi::find(crate::boot::launched::launched_by().is_some_and(|(_, n)| n > 1))?;
    let any = found.load()?;
    match &any {
        Any::Open(functions) => may_serve(functions)?,
        Any::Mpich(functions) => may_serve(functions)?,
    }
    Ok((found, any))
}

/// Of an MPI that is up or was: whether the thread that serves may call it.
fn may_serve<A: Abi>(functions: &Functions<A>) -> Result<(), String> {
    if functions.is_finalized() {
        return Err("MPI has been finalized already and cannot be started again".to_owned());
    }
    functions.level().map_or(Ok(()), is_enough)
}

fn is_enough(level: ThreadLevel) -> Result<(), String> {
    match level {
        ThreadLevel::Multiple => Ok(()),
        level => Err(format!(
            "MPI is up with thread level {level:?}, and the thread that serves other hosts needs Multiple (MPI_Init_thread)"
        )),
    }
}

/// Opens the engine: MPI is initialised, if it is not. Collective, since that is. `me` of `n_pes`: as the boot has it. `net`: where to ring
/// (`SHMEM_NET`); what MPI uses, its own settings say.
///
/// # Errors
/// MPI does not start, not at that level, or takes this process for another than the boot does.
pub(crate) fn open(me: PeId, n_pes: u32, net: Option<&str>) -> Result<Box<dyn Wire>, String> {
    let (found, any) = find()?;
    match any {
        Any::Open(functions) => Mpi::open(functions, &found, (me, n_pes), net, PIECE).map(boxed),
        Any::Mpich(functions) => Mpi::open(functions, &found, (me, n_pes), net, PIECE).map(boxed),
    }
}

fn boxed<A: Abi>(engine: Mpi<A>) -> Box<dyn Wire> {
    Box::new(engine)
}

impl<A: Abi> Mpi<A> {
    fn open(
        functions: Functions<A>,
        found: &Found,
        (me, n_pes): (PeId, u32),
        net: Option<&str>,
        piece: usize,
    ) -> Result<Mpi<A>, String> {
        let up = functions.rise(found.started()).map_err(|e| e.to_string())?;
        if (up.pe, up.n_pes) != (me, n_pes) {
            return Err(format!("MPI says rank {} of {}, and this is PE {me} of {n_pes}", up.pe, up.n_pes));
        }
        is_enough(up.level)?;
        let secret = secret::draw::<u64>().map_err(|e| e.to_string())?;
        let networks = net::chosen(net)?;
        let calls = Calls::new(functions, piece);
        let half = |parity| Half::open(calls, Doorbell::new(me.0, secret), parity);
        let (requests, replies) = (half(0)?, half(1)?);
        let address =
            doorbell::address(secret, [&requests, &replies].map(|half| half.doorbell.port()), &networks);
        is_used_between_hosts(functions);
        Ok(Mpi { mpi: functions, requests, replies, address, version: found.version() })
    }

    /// A communicator of our own, which returns errors. Collective.
    fn communicator(&self) -> Result<A::Handle, String> {
        let mut comm = self.mpi.world;
        // SAFETY: MPI-L2, MPIP-Q2.
        let code = unsafe { (self.mpi.comm_dup)(self.mpi.world, &raw mut comm) };
        self.mpi.check("MPI_Comm_dup", code)?;
        // SAFETY: MPI-L2, MPIP-Q2.
        let code = unsafe { (self.mpi.set_errhandler)(comm, self.mpi.errors_return) };
        self.mpi.check("MPI_Comm_set_errhandler", code)?;
        Ok(comm)
    }

    /// Where what comes on a lane is seen.
    fn comes_on(&self, lane: Lane) -> &Half<A> {
        match lane {
            Lane::Requests => &self.requests,
            Lane::Replies => &self.replies,
        }
    }

    /// Which sends what comes there.
    fn sends_to(&self, lane: Lane) -> &Half<A> {
        match lane {
            Lane::Requests => &self.replies,
            Lane::Replies => &self.requests,
        }
    }

    /// Whose token it is: those of requests are even.
    fn of(&self, token: Token) -> &Half<A> {
        if token.0.is_multiple_of(2) { &self.requests } else { &self.replies }
    }
}

impl<A: Abi> Wire for Mpi<A> {
    fn describe(&self) -> String {
        format!("mpi ({})", self.version)
    }

    fn caveat(&self) -> Option<&'static str> {
        Some(CAVEAT)
    }

    fn address(&self) -> Vec<u8> {
        self.address.clone()
    }

    fn meet(&self, addresses: Vec<Vec<u8>>) {
        let [requests, replies] = [self.communicator(), self.communicator()];
        let both = requests.and_then(|requests| Ok([requests, replies?]));
        let peers = |lane| addresses.iter().map(|address| doorbell::peer(address, lane)).collect();
        // What the lane of replies sends comes on the peer's lane of requests.
        self.replies.meet(peers(0), both.clone().map(|[requests, replies]| [replies, requests]));
        self.requests.meet(peers(1), both);
    }

    fn limits(&self) -> (usize, usize) {
        LIMITS
    }

    unsafe fn send(&self, to: PeId, lane: Lane, header: &[u8], payload: Outgoing<'_>) {
        // SAFETY: WIRE-W1.
        unsafe { self.sends_to(lane).send(to, header, payload) }
    }

    fn poll(&self, lane: Lane, tell: &mut dyn FnMut(Event<'_>)) -> usize {
        self.comes_on(lane).poll(tell)
    }

    unsafe fn receive(&self, token: Token, to: *mut u8, len: usize, id: u64) {
        // SAFETY: WIRE-W1, WIRE-W2.
        unsafe { self.of(token).receive(token.0, to, len, id) }
    }

    fn refuse(&self, token: Token) {
        self.of(token).refuse(token.0);
    }

    fn sleep(&self, lane: Lane, most: Duration) {
        self.comes_on(lane).sleep(most);
    }

    fn wake(&self, lane: Lane) {
        self.comes_on(lane).wake();
    }

    /// MPI stays up: who has it finalizes it.
    fn close(&self) {
        let (lanes, start) = ([&self.requests, &self.replies], Instant::now());
        lanes.into_iter().for_each(Half::let_go);
        while lanes.into_iter().any(Half::is_going) && start.elapsed() < GOING {
            std::thread::sleep(LOOK);
        }
        lanes.into_iter().for_each(Half::cancel);
    }
}
