//! The part of every PE's segment that belongs to the runtime: above the spaces, out of reach of puts.
//!
//! ```text
//!   ... spaces | · · left · · | zones | free lists | active sets | team mailboxes | life |   reserved from the top down, then sealed
//! ```
//!
//! What the runtime needs is reserved by name at boot and sealed; the PEs compare the digest. All of it is
//! zero at first, and every word is an atomic, since all PEs of the host look at it.
#![allow(unsafe_code)]

use crate::process::private::{self, AtomicUsize};

use memheap::reserve::{Layout, Locality, ReserveError, Sealed};
use memheap::{Align, Bytes, Offset, PeId};
use rustix::thread::{futex, gettid};

use crate::node::central_barrier::BlameCell;
use crate::node::event::Event;
use crate::node::mailbox::{Mailbox, SET_ZONES, SETS, SetMailbox};
use crate::node::signature::SignatureCell;
use crate::node::zone::Zone;
use crate::sync::primitives::{AtomicU32, AtomicU64, Ordering};
use crate::transport::part::{FarPart, Part, Words};

/// Bytes of a segment that reservations can take, beside the controls of teams.
const BASE: Bytes = Bytes::mib(4);

/// How many frees a PE can show at one rendezvous.
pub(crate) const FREES: usize = 1 << 16;

/// What a PE lays open to the other PEs of its host, as mapped in this process.
#[derive(Clone, Copy)]
pub(crate) struct ControlBlock<'m> {
    pub(crate) life: &'m Life,
    /// What it shows to the other members of its teams, by slot.
    pub(crate) teams: &'m [Mailbox],
    /// The active sets it is a member of.
    pub(crate) sets: &'m [SetMailbox],
    /// What it has dropped.
    pub(crate) frees: &'m [FreeList; 2],
    /// Where what other hosts show to its teams comes, by slot; then to its active sets. None in a job on one host.
    pub(crate) zones: &'m [Zone],
}

/// The control block of a PE, wherever that PE is.
#[derive(Clone, Copy)]
pub(crate) enum Control {
    Mapped(ControlBlock<'static>),
    Far {
        pe: PeId,
        /// This PE's own, which is laid out alike, and where its segment begins.
        mirror: ControlBlock<'static>,
        base: usize,
    },
}

impl Control {
    #[inline]
    fn part<T>(&self, part: impl FnOnce(&ControlBlock<'static>) -> &'static T) -> Part<'static, T> {
        match self {
            Control::Mapped(block) => Part::Mapped(part(block)),
            Control::Far { pe, mirror, base } => {
                Part::Far(FarPart { pe: *pe, mirror: part(mirror), base: *base })
            }
        }
    }

    /// What sleeps in waits on its memory.
    pub(crate) fn waiters(&self) -> Part<'static, Event> {
        self.part(|block| &block.life.waiters.0)
    }

    #[inline]
    pub(crate) fn life(&self) -> Part<'static, Life> {
        self.part(|block| block.life)
    }

    /// What it shows to the members of the team in a slot.
    pub(crate) fn mailbox(&self, slot: usize) -> Part<'static, Mailbox> {
        self.part(|block| &block.teams[slot])
    }

    /// Where what other hosts show to the members of the active set that has this zone comes.
    pub(crate) fn set_zone(&self, at: usize) -> Option<Part<'static, Zone>> {
        self.zone(self.slots() + at)
    }

    /// Where what other hosts show to the members of the team in a slot comes, if there are other hosts.
    pub(crate) fn zone(&self, slot: usize) -> Option<Part<'static, Zone>> {
        let (Control::Mapped(block) | Control::Far { mirror: block, .. }) = self;
        (slot < block.zones.len()).then(|| self.part(|block| &block.zones[slot]))
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> usize {
        let (Control::Mapped(block) | Control::Far { mirror: block, .. }) = self;
        block.teams.len()
    }

    /// An entry of its active sets.
    pub(crate) fn set(&self, at: usize) -> Part<'static, SetMailbox> {
        self.part(|block| &block.sets[at])
    }

    /// What it has dropped, as shown in that turn.
    pub(crate) fn dropped(&self, turn: usize) -> Vec<u64> {
        let list = self.part(|block| &block.frees[turn]);
        let len = list.field(|list| &list.len).load(Ordering::Relaxed);
        list.field(|list| &list.at).read((len as usize).min(FREES))
    }
}

// SAFETY: atomics throughout, valid whatever their bytes are; nothing is looked for in the padding.
unsafe impl Words for SignatureCell {}
// SAFETY: atomics and cells throughout; as for those.
unsafe impl Words for BlameCell {}

/// Words of what a PE says it waits for.
pub(crate) const TOLD: usize = 24;

/// A PE's state.
#[repr(C, align(64))]
pub(crate) struct Life {
    /// Not zero once the job is to end: the status, plus one.
    pub(crate) ended: AtomicU32,
    /// Not zero once this PE has left in good order.
    pub(crate) left: AtomicU32,
    /// The NUMA node this PE started on.
    pub(crate) node: AtomicU32,
    /// The system's error when this PE could not lock memory in the last such call, or 0.
    pub(crate) mlock_failed: AtomicU32,
    /// On the first PE's control block: not zero once some PE has warned of a missing finalize.
    pub(crate) warned: AtomicU32,
    /// Not zero once this PE is at process exit and finalizes there.
    pub(crate) exiting: AtomicU32,
    /// On the control block of a host's first PE: the number of the last question that was put to the PEs there (`exit::deadlock`).
    pub(crate) question: AtomicU32,
    /// This PE's answer: the number of its wait, and of the last question; zero while it does not wait.
    pub(crate) blocked: AtomicU64,
    /// With it, what may end waits by a store (`exit::deadlock`).
    pub(crate) stores: AtomicU32,
    /// What it waits for, as lines name it, while `blocked` is not zero.
    pub(crate) told: [AtomicU64; TOLD],
    pub(crate) waiters: Waiters,
    pub(crate) pulse: Pulse,
}

/// What shows that the process of this PE is alive (`exit::watchdog`): a word held by a thread of it, and what the kernel needs
/// to find the word when that thread ends: the head of a list (three words) and its one node.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Pulse {
    first: AtomicUsize,
    offset: AtomicUsize,
    pending: AtomicUsize,
    node: AtomicUsize,
    word: private::AtomicU32,
    /// The process, to name it.
    pid: private::AtomicU32,
}

impl Pulse {
    /// What its watcher sleeps on.
    pub(crate) fn word(&self) -> &private::AtomicU32 {
        &self.word
    }

    /// Wakes who watches it, to look at something else.
    pub(crate) fn wake(&self) {
        let _ = futex::wake(&self.word, futex::Flags::empty(), i32::MAX as u32);
    }

    /// The process that holds it, or did.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// Runs `what` on the calling thread, which holds it meanwhile: if it ends before, however it does, the kernel marks the
    /// word and wakes who sleeps on it.
    ///
    /// # Errors
    /// The kernel does not know such words, and `what` has not run.
    pub(crate) fn while_held(&self, what: impl FnOnce()) -> std::io::Result<()> {
        let held = Held::new(self)?;
        what();
        drop(held);
        Ok(())
    }
}

/// **PULSE-H1**: what the kernel reads when this thread ends is a list of its form, of words that stay where they are: either
/// this one, whose pulse is borrowed until it has gone, or the list of before.
struct Held<'p> {
    pulse: &'p Pulse,
    /// The C library's list of this thread.
    before: [usize; 2],
}

impl Held<'_> {
    fn new(pulse: &Pulse) -> std::io::Result<Held<'_>> {
        let [word, head, node] =
            [(&raw const pulse.word).addr(), (&raw const pulse.first).addr(), (&raw const pulse.node).addr()];
        let mut before = [0usize; 2];
        let [list, len] = &mut before;
        // SAFETY: asks for this thread's list.
        if unsafe { libc::syscall(libc::SYS_get_robust_list, 0, list, len) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        // A list of one: the head leads to the node, the node back to the head; the word is `offset` after the node.
        pulse.node.store(head, Ordering::Relaxed);
        pulse.offset.store(word.wrapping_sub(node), Ordering::Relaxed);
        pulse.pending.store(0, Ordering::Relaxed);
        pulse.first.store(node, Ordering::Relaxed);
        pulse.pid.store(std::process::id(), Ordering::Relaxed);
        // Marked as waited for from the start, so that the kernel always wakes.
        let holder = gettid().as_raw_nonzero().get() as u32;
        pulse.word.store(holder | futex::WAITERS, Ordering::Release);
        let held = Held { pulse, before };
        // SAFETY: PULSE-H1. It takes the place of the C library's list of this thread, which locks no robust mutex.
        match unsafe { libc::syscall(libc::SYS_set_robust_list, head, 3 * size_of::<usize>()) } {
            0 => Ok(held),
            _ => Err(std::io::Error::last_os_error()),
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.pulse.word.store(0, Ordering::Release);
        let [list, len] = self.before;
        // SAFETY: PULSE-H1: the list of before.
        unsafe { libc::syscall(libc::SYS_set_robust_list, list, len) };
    }
}

/// For waits on the PE's own memory.
#[repr(C, align(64))]
pub(crate) struct Waiters(pub(crate) Event);

/// Offsets this PE has dropped, shown at a rendezvous. Two are used in turn, like signatures.
#[repr(C, align(64))]
pub(crate) struct FreeList {
    len: AtomicU64,
    at: [AtomicU64; FREES],
}

/// How many teams a PE can be in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TeamSlots {
    pub(crate) n: usize,
    /// They may have members on several hosts.
    pub(crate) on_hosts: bool,
}

impl TeamSlots {
    const fn zones(self) -> usize {
        if self.on_hosts { self.n + SET_ZONES } else { 0 }
    }
}

/// Where the runtime's parts are in every segment.
pub(crate) struct ControlLayout {
    life: Offset,
    teams: Offset,
    slots: TeamSlots,
    sets: Offset,
    frees: Offset,
    zones: Offset,
    pub(crate) layout: Layout<Sealed>,
}

impl ControlLayout {
    /// Bytes they take with so many team slots.
    pub(crate) const fn len(slots: TeamSlots) -> Bytes {
        let (mailboxes, sets) = (slots.n * size_of::<Mailbox>(), SETS * size_of::<SetMailbox>());
        Bytes(BASE.0 + (mailboxes + sets + slots.zones() * size_of::<Zone>()) as u64)
    }

    /// Reserves what the runtime needs between `floor` and `top`, and seals.
    pub(crate) fn reserve(
        floor: Offset,
        top: Offset,
        slots: TeamSlots,
    ) -> Result<ControlLayout, ReserveError> {
        let mut layout = Layout::new(floor, top)?;
        let mut take = |name, size: usize, align: usize| {
            let align = Align::new(align as u64).unwrap_or(Align::PAGE);
            layout.reserve(name, Bytes(size as u64), align, Locality::Anywhere).map(|r| r.at)
        };
        let life = take("life", size_of::<Life>(), align_of::<Life>())?;
        let teams = take("team mailboxes", slots.n * size_of::<Mailbox>(), align_of::<Mailbox>())?;
        let sets = take("active sets", SETS * size_of::<SetMailbox>(), align_of::<SetMailbox>())?;
        let frees = take("free lists", size_of::<[FreeList; 2]>(), align_of::<FreeList>())?;
        let zones = match slots.zones() {
            0 => frees,
            n => take("zones of teams on several hosts", n * size_of::<Zone>(), align_of::<Zone>())?,
        };
        Ok(ControlLayout { life, teams, slots, sets, frees, zones, layout: layout.seal() })
    }

    /// From the beginning of a segment to the two words of its waiters: the event, and how many sleep.
    pub(crate) fn waiters(&self) -> [usize; 2] {
        let waiters =
            self.life.0 as usize + std::mem::offset_of!(Life, waiters) + std::mem::offset_of!(Waiters, 0);
        [std::mem::offset_of!(Event, count), std::mem::offset_of!(Event, asleep)].map(|at| waiters + at)
    }

    /// The control block of the PE whose segment is at `base` in this process.
    ///
    /// # Safety
    /// A segment of this layout is mapped at `base` for `'m`, zero at first, and its internals are
    /// accessed as these types only.
    pub(crate) unsafe fn control<'m>(&self, base: *mut u8) -> ControlBlock<'m> {
        /// # Safety
        /// As for `control_block`, and a `T` of atomics was reserved at `at`.
        unsafe fn part<'m, T>(base: *mut u8, at: Offset) -> &'m T {
            let part = base.wrapping_add(at.0 as usize).cast::<T>();
            // SAFETY: reserved for a `T`, so aligned, mapped, and no other part overlaps it; atomics may
            // be shared with other processes, and zeroes are valid for them.
            unsafe { &*part }
        }
        let teams = base.wrapping_add(self.teams.0 as usize).cast::<Mailbox>();
        let sets = base.wrapping_add(self.sets.0 as usize).cast::<SetMailbox>();
        let zones = base.wrapping_add(self.zones.0 as usize).cast::<Zone>();
        ControlBlock {
            // SAFETY: reserved for this type.
            life: unsafe { part(base, self.life) },
            // SAFETY: as above, for as many as there are slots.
            teams: unsafe { std::slice::from_raw_parts(teams, self.slots.n) },
            // SAFETY: as above.
            sets: unsafe { std::slice::from_raw_parts(sets, SETS) },
            // SAFETY: as above.
            frees: unsafe { part(base, self.frees) },
            // SAFETY: reserved for this type, if there are any.
            zones: unsafe { std::slice::from_raw_parts(zones, self.slots.zones()) },
        }
    }
}

impl FreeList {
    /// Shows `offsets`, at most [`FREES`].
    pub(crate) fn show(&self, offsets: &[u64]) {
        for (cell, at) in self.at.iter().zip(offsets) {
            cell.store(*at, Ordering::Relaxed);
        }
        self.len.store(offsets.len() as u64, Ordering::Relaxed);
    }
}
