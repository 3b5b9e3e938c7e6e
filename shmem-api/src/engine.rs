//! The engine: everything one start of the library brought up. There is one at most.
//!
//! ```text
//!   World ──owns──► Engine ─── Segment (own memory, peers' memory)
//!                     ├── Peers: where each PE's heap is in this process
//!                     ├── Place: this PE's place in the rendezvous
//!                     ├── Heap: the spaces and their modules
//!                     └── Warden: watches the next PE
//!   HOT (a plain static of relaxed atomics): what a raw put needs, zero when the library is down
//! ```
//!
//! Invariants: **N1** the memory of an engine is mapped from before the engine exists until after it
//! is gone. **N2** [`HOT`] is non-zero only while an engine is up; its PE count is published last and
//! cleared first, so the PE check of a raw call is also its "initialised?" check.
#![allow(unsafe_code)]

use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};
use std::time::Duration;

use bytemuck::{Pod, Zeroable};
use memheap::settings::{self, Settings};
use memheap::{Bytes, Component, PeId};
use rustix::process::Pid;

use crate::boot;
use crate::boot::step::step;
use crate::coll::agree::{Differs, OneHost, Place};
use crate::coll::slip::Slip;
use crate::error::{Diverged, Error};
use crate::exit;
use crate::heap::{DropQueue, Heap};
use crate::internals::Desk;
use crate::level::ThreadLevel;
use crate::segment::{Peer, Segment};
use crate::serial::Serial;
use crate::wait::{self, Policy, Waker};
use crate::warden::Warden;

/// What the path of a raw put reads. Plain relaxed atomics: several threads may look while one writes.
#[repr(C, align(64))]
pub(crate) struct Hot {
    pub(crate) n_pes: AtomicU32,
    pub(crate) me: AtomicU32,
    pub(crate) lo: AtomicUsize,
    pub(crate) len: AtomicUsize,
    pub(crate) peers: AtomicPtr<Peer>,
}

pub(crate) static HOT: Hot = Hot {
    n_pes: AtomicU32::new(0),
    me: AtomicU32::new(0),
    lo: AtomicUsize::new(0),
    len: AtomicUsize::new(0),
    peers: AtomicPtr::new(std::ptr::null_mut()),
};

/// The engine that is up, for process exit and for the raw API.
static CURRENT: AtomicPtr<Engine> = AtomicPtr::new(std::ptr::null_mut());
/// Taken by a start until its engine is down again.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// One start of the library.
pub(crate) struct Engine {
    pub(crate) me: PeId,
    pub(crate) n_pes: u32,
    pub(crate) policy: Policy,
    pub(crate) drops: DropQueue,
    pub(crate) heap: Serial<Heap>,
    /// Some rendezvous failed: this PE or another is on its way out.
    pub(crate) diverged: AtomicBool,
    /// The World was leaked on purpose: process exit finalizes.
    pub(crate) leaked: AtomicBool,
    /// The thread that brought the library up.
    pub(crate) thread: Pid,
    pub(crate) peers: Box<[Peer]>,
    calls: Serial<u64>,
    place: Place<'static>,
    warden: Option<Warden>,
    pub(crate) segment: Segment,
}

/// What came of a rendezvous in which all agreed.
pub(crate) struct Met {
    /// Some PE showed blocks to free.
    pub(crate) frees: bool,
    /// Which of the two places to show things in was used.
    pub(crate) turn: usize,
}

/// A reference to the engine for as long as its World lives.
pub(crate) struct Handle(NonNull<Engine>);

impl Clone for Handle {
    fn clone(&self) -> Handle {
        *self
    }
}

impl Copy for Handle {}

// SAFETY: it stands for `&Engine`, and the engine is `Sync` (checked below). Which threads may call is
// the thread level's affair, which the types that carry a handle also carry.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

const _: () = {
    const fn is_sync<T: Send + Sync>() {}
    is_sync::<Engine>();
};

impl Deref for Handle {
    type Target = Engine;
    #[inline]
    fn deref(&self) -> &Engine {
        // SAFETY: the engine is freed by `Engine::close`, which the World that all handles borrow from
        // calls last of all.
        unsafe { self.0.as_ref() }
    }
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Identity {
    heap_len: u64,
    host: [u8; 64],
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Ready {
    component: [u8; 64],
}

impl Engine {
    /// Collective over the job: brings the library up. DESIGN's life, in its order.
    pub(crate) fn open(asked: ThreadLevel, components: &[&dyn Component]) -> Result<Handle, Error> {
        if TAKEN.swap(true, Ordering::Acquire) {
            return Err(Error::AlreadyUp);
        }
        let opened = Engine::start(asked, components);
        if opened.is_err() {
            TAKEN.store(false, Ordering::Release);
        }
        opened
    }

    fn start(asked: ThreadLevel, components: &[&dyn Component]) -> Result<Handle, Error> {
        // The executable's static data becomes symmetric here, before MPI and before any thread.
        let settings = Settings::from_env();
        let mut joined = boot::join(asked)?;
        let boot = joined.get();
        exit::watch_process_exit();
        let (me, n_pes, level) = (boot.pe(), boot.n_pes(), boot.level());

        let identity = settings.as_ref().map_err(|e| e.clone().into()).and_then(|s| {
            if level < asked { Err(Error::ThreadLevel { asked, got: level }) } else { Ok(Identity::here(s)) }
        });
        let all = step(boot, identity.clone())?;
        let (settings, identity) = (settings?, identity?);
        check_equal(me, &all, identity)?;

        let segment = Segment::establish(boot, Bytes(identity.heap_len))?;
        let heap = Heap::select(components, &settings, segment.heap_len());
        let component =
            heap.as_ref().map(|h| Ready { component: padded(h.component()) }).map_err(Clone::clone);
        let ready = step(boot, component)?;
        let heap = heap?;
        if let Some(pe) = ready.iter().position(|r| r.component != ready[me.0 as usize].component) {
            let text = |r: &Ready| String::from_utf8_lossy(&r.component).trim_end_matches('\0').to_owned();
            let (here, there) = (text(&ready[me.0 as usize]), text(&ready[pe]));
            let item = "the allocator selected for the heap";
            return Err(Error::StartDiffers { item, me, here, pe: PeId(pe as u32), there });
        }
        if me.0 == 0 {
            say_what_was_chosen(&settings, &segment, &heap, n_pes);
        }

        let report = settings.count(&settings::HANG_REPORT).map(Duration::from_secs);
        let peers = segment.table().into_boxed_slice();
        // SAFETY: N1: desks are mapped, zero at first, and hold atomics only.
        let desks: Vec<&'static Desk> = peers.iter().map(|p| unsafe { &*p.desk }).collect();
        let place = Place {
            gate: &desks[0].gate,
            cells: desks.iter().map(|d| &d.slips).collect(),
            pes: (0..n_pes).map(PeId).collect(),
            here: me.0 as usize,
        };
        let engine = Engine {
            me,
            n_pes,
            policy: Policy::new(n_pes, report),
            drops: DropQueue::default(),
            heap: Serial::new(asked, heap),
            diverged: AtomicBool::new(false),
            leaked: AtomicBool::new(false),
            thread: rustix::thread::gettid(),
            warden: Warden::start(me, segment.pids(), &desks),
            peers,
            calls: Serial::new(asked, 0),
            place,
            segment,
        };
        Ok(engine.publish())
    }

    /// N2.
    fn publish(self) -> Handle {
        let engine = NonNull::from(Box::leak(Box::new(self)));
        // SAFETY: just made, and nobody else knows it yet.
        let this = unsafe { engine.as_ref() };
        HOT.me.store(this.me.0, Ordering::Relaxed);
        HOT.lo.store(this.peers[this.me.0 as usize].heap as usize, Ordering::Relaxed);
        HOT.len.store(this.segment.heap_len().0 as usize, Ordering::Relaxed);
        HOT.peers.store(this.peers.as_ptr().cast_mut(), Ordering::Relaxed);
        CURRENT.store(engine.as_ptr(), Ordering::Release);
        HOT.n_pes.store(this.n_pes, Ordering::Release);
        Handle(engine)
    }

    /// The engine that is up, if one is.
    pub(crate) fn current() -> Option<Handle> {
        NonNull::new(CURRENT.load(Ordering::Acquire)).map(Handle)
    }

    /// Takes the library down, after the rendezvous that finalizes it.
    ///
    /// # Safety
    /// No handle is used after it, and no object of the heap is alive.
    pub(crate) unsafe fn close(handle: Handle) {
        HOT.n_pes.store(0, Ordering::Release);
        CURRENT.store(std::ptr::null_mut(), Ordering::Release);
        handle.desk().left.store(1, Ordering::Release);
        HOT.len.store(0, Ordering::Relaxed);
        HOT.lo.store(0, Ordering::Relaxed);
        HOT.peers.store(std::ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: leaked in `publish`, and by contract nobody uses a handle any more.
        let mut engine = unsafe { Box::from_raw(handle.0.as_ptr()) };
        // The warden and the place look at desks, which the segment keeps mapped: it goes last.
        drop(engine.warden.take());
        drop(engine);
        TAKEN.store(false, Ordering::Release);
    }

    /// This PE's own desk.
    pub(crate) fn desk(&self) -> &Desk {
        self.desk_of(self.me)
    }

    /// The desk of a PE of this host.
    #[inline]
    pub(crate) fn desk_of(&self, pe: PeId) -> &Desk {
        // SAFETY: N1; a desk holds atomics only.
        unsafe { &*self.peers[pe.0 as usize].desk }
    }

    pub(crate) fn heap_len(&self) -> Bytes {
        self.segment.heap_len()
    }

    /// Collective: shows `slip` to all PEs and compares it with theirs.
    pub(crate) fn meet(&self, slip: Slip) -> Result<Met, Diverged> {
        self.meet_showing(slip, |_, _| false)
    }

    /// As [`meet`](Self::meet); `show` gets this PE's desk and the turn, lays something on it, and says
    /// whether it did.
    pub(crate) fn meet_showing(
        &self,
        slip: Slip,
        show: impl FnOnce(&Desk, usize) -> bool,
    ) -> Result<Met, Diverged> {
        let met = self.calls.with(|call| {
            *call += 1;
            let turn = (*call & 1) as usize;
            let frees = show(self.desk(), turn);
            let mut report = self.policy.report(self.me, || slip.to_string());
            let wait = |bell: &_, asleep: &_, ready: &dyn Fn() -> bool| {
                self.policy.wait(bell, asleep, Waker::Rings, ready, |waited| {
                    exit::leave_if_ended(self);
                    report(waited);
                });
            };
            let agreed = self.place.meet(*call, slip, frees, &OneHost, wait, wait::wake_all)?;
            Ok(Met { frees: agreed.frees, turn })
        });
        met.map_err(|differs: Differs| {
            self.diverged.store(true, Ordering::Relaxed);
            if differs.fatal {
                exit::end_job(self, exit::DIVERGED, &format!("{}; ending the job", differs.diverged));
            }
            differs.diverged
        })
    }

    /// Everything this PE has written is visible to every PE (the standard's quiet, on one host).
    #[inline]
    pub(crate) fn quiet(&self) {
        fence(Ordering::SeqCst);
    }

    /// After an atomic or a signal at `pe`: wakes it if it sleeps in a wait.
    #[inline]
    pub(crate) fn ring(&self, pe: PeId) {
        let waiters = &self.desk_of(pe).waiters;
        wait::ring(&waiters.bell, &waiters.asleep);
    }

    /// Waits on this PE's own memory until `ready`.
    pub(crate) fn wait_until(&self, ready: impl Fn() -> bool, place: impl Fn() -> String) {
        let waiters = &self.desk().waiters;
        let mut report = self.policy.report(self.me, place);
        self.policy.wait(&waiters.bell, &waiters.asleep, Waker::MayBeSilent, ready, |waited| {
            exit::leave_if_ended(self);
            report(waited);
        });
    }
}

impl Identity {
    fn here(settings: &Settings) -> Identity {
        let wish =
            settings.size(&settings::SYMMETRIC_SIZE).map_or(0, |s| s.resolve(memheap::region::host_memory()));
        Identity { heap_len: wish, host: padded(&host_name()) }
    }
}

/// Text as it is compared between PEs.
fn padded(text: &str) -> [u8; 64] {
    let mut bytes = [0; 64];
    let n = text.len().min(bytes.len());
    bytes[..n].copy_from_slice(&text.as_bytes()[..n]);
    bytes
}

/// What distinguishes hosts: PEs share one if they share the kernel that runs and the process numbers,
/// since that is what opening a peer's memory takes.
fn host_name() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let pids = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{}{}", boot.trim(), pids.display())
}

fn check_equal(me: PeId, all: &[Identity], mine: Identity) -> Result<(), Error> {
    let odd = |differs: &dyn Fn(&Identity) -> bool| all.iter().position(differs).map(|pe| PeId(pe as u32));
    if let Some(pe) = odd(&|i| i.heap_len != mine.heap_len) {
        let there = Bytes(all[pe.0 as usize].heap_len).to_string();
        let here = Bytes(mine.heap_len).to_string();
        return Err(Error::StartDiffers { item: settings::SYMMETRIC_SIZE.name, me, here, pe, there });
    }
    if let Some(pe) = odd(&|i| i.host != mine.host) {
        return Err(Error::Boot(format!(
            "PE {pe} is on another host than PE {me}; this version runs on one host: start all PEs on one"
        )));
    }
    Ok(())
}

fn say_what_was_chosen(settings: &Settings, segment: &Segment, heap: &Heap, n_pes: u32) {
    if !segment.same_base() {
        eprintln!("PE 0: no base address was free on every PE; the heaps lie at different addresses");
    }
    if settings.is_on(&settings::INFO) {
        eprintln!("{n_pes} PEs, heap {} at {:p} on each", segment.heap_len(), segment.table()[0].heap);
        for outcome in heap.outcomes() {
            eprintln!("memheap {outcome}");
        }
        eprint!("{}", settings.table());
    }
}
