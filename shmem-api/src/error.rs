//! What can go wrong, as values. Every message says who, what, how much, and what next.

use memheap::component::AllocError;
use memheap::framework::NoneLeft;
use memheap::place::PlaceError;
use memheap::settings::SettingError;
use memheap::{Bytes, FreeError, PeId};

use crate::types::thread_level::ThreadLevel;

/// Why a call of the library failed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Error {
    /// A setting does not parse.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The job could not be joined.
    #[error("cannot join the job: {0}")]
    Boot(String),
    /// Another PE could not start.
    #[error("PE {pe} could not start: {why}")]
    Elsewhere {
        /// The PE that failed.
        pe: PeId,
        /// Its error.
        why: String,
    },
    /// The PEs were started with different settings.
    #[error(
        "the PEs disagree at start: {item} is {here} on PE {me} and {there} on PE {pe}; make it equal on every PE"
    )]
    StartDiffers {
        /// What differs.
        item: &'static str,
        /// The PE that reports.
        me: PeId,
        /// Its value.
        here: String,
        /// The PE that differs.
        pe: PeId,
        /// Its value.
        there: String,
    },
    /// The memory of the heap could not be had.
    #[error("PE {pe}: cannot have {len} of symmetric memory: {why}")]
    Memory {
        /// The PE that failed.
        pe: PeId,
        /// The size asked for.
        len: Bytes,
        /// The system's reason.
        why: String,
    },
    /// No allocator is left to manage the heap.
    #[error(transparent)]
    NoComponent(#[from] NoneLeft),
    /// C asked for a thread level that is none.
    #[error("{requested} is no thread level; they are SHMEM_THREAD_SINGLE (0) to SHMEM_THREAD_MULTIPLE (3)")]
    NoThreadLevel {
        /// What was given.
        requested: i32,
    },
    /// The thread level asked for is not available.
    #[error("thread level {asked:?} was asked for, {got:?} is what the launcher gives")]
    ThreadLevel {
        /// Asked.
        asked: ThreadLevel,
        /// Got.
        got: ThreadLevel,
    },
    /// The library is up on another thread, at a level that keeps this one out.
    #[error(
        "the library was brought up by another thread at level {have:?}; bring it up at level Multiple, or call \
         init from that thread"
    )]
    OtherThread {
        /// The level in force.
        have: ThreadLevel,
    },
    /// Called from within a start, a finalize or a heap call of the same thread.
    #[error(
        "init or finalize was called from within a call of the library, such as a component's; call it outside"
    )]
    Busy,
    /// The PEs called different things.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// An allocator nobody vouches for is not the same on every PE. Every PE gets this error, and no PE keeps a block.
    #[error(
        "PE {me}: the allocator `{component}` decided differently on different PEs: PE {pe} is at {got}, but PE \
         {reference} at {expected}; what it gives must depend on its calls alone (MODULE-M5): use another"
    )]
    Component {
        /// The PE that reports.
        me: PeId,
        /// The allocator.
        component: &'static str,
        /// A PE where it decided otherwise than on most.
        pe: PeId,
        /// What.
        got: String,
        /// A PE where it decided as on most.
        reference: PeId,
        /// What.
        expected: String,
    },
    /// There is no room. Every PE gets this error, and nothing has changed on any.
    #[error("PE {pe}: {call}: {why}; raise {setting} (now {now})")]
    Alloc {
        /// The PE that reports.
        pe: PeId,
        /// The call and its arguments.
        call: String,
        /// What there is.
        why: PlaceError,
        /// What can be raised.
        setting: &'static str,
        /// To what it is set.
        now: Bytes,
    },
    /// No block can be aligned so. Every PE gets this error, and nothing has changed on any.
    #[error("PE {pe}: {call}: {why}; ask for less")]
    TooAligned {
        /// The PE that reports.
        pe: PeId,
        /// The call and its arguments.
        call: String,
        /// How much there can be.
        why: AllocError,
    },
    /// The alignment asked for is none.
    #[error("PE {pe}: {call}: {align} is no alignment; give a power of two")]
    BadAlign {
        /// The PE that reports.
        pe: PeId,
        /// The call.
        call: &'static str,
        /// What was given.
        align: u64,
    },
    /// A PE could not lock memory; no PE keeps the block.
    #[error(
        "PE {pe}: cannot lock {size} of memory: {why}; raise the limit (ulimit -l; PE's limit here: {limit})"
    )]
    Pinned {
        /// The PE that could not.
        pe: PeId,
        /// How much was to be locked.
        size: Bytes,
        /// The limit of the PE that reports.
        limit: String,
        /// The system's reason.
        why: String,
    },
    /// The runtime's own part does not fit in a segment.
    #[error("the runtime cannot reserve its own memory: {0}")]
    Reserve(#[from] memheap::reserve::ReserveError),
    /// The spaces do not fit in a segment.
    #[error("heaps of {sizes} bytes in all do not fit in a segment; {advice}")]
    TooLarge {
        /// All spaces together.
        sizes: u64,
        /// Which settings decide it, and what to do.
        advice: String,
    },
    /// The heap cannot be had without overcommitting memory, which a setting forbids.
    #[error(
        "PE {pe}: {why}; lower SHMEM_SYMMETRIC_SIZE, or leave SHMEM_HEAP_PREALLOC and SHMEM_HEAP_OVERCOMMIT as they are"
    )]
    Overcommitted {
        /// The PE that reports.
        pe: PeId,
        /// The figures.
        why: String,
    },
    /// The size in bytes does not fit in 64 bits.
    #[error("PE {pe}: an object of {len} elements of {size} bytes is larger than any address space")]
    TooLong {
        /// The PE that reports.
        pe: PeId,
        /// Elements asked for.
        len: usize,
        /// Bytes of an element.
        size: usize,
    },
    /// There is no new team. Every PE of the parent team gets this error, and nothing has changed on any.
    #[error("PE {pe}: team split: {why}")]
    Split {
        /// The PE that reports.
        pe: PeId,
        /// Why not.
        why: SplitError,
    },
    /// The offset is not the start of a live block. Nothing has changed.
    #[error("PE {pe}: {call}: {why}")]
    Free {
        /// The PE that reports.
        pe: PeId,
        /// The call.
        call: &'static str,
        /// What the offset is instead.
        why: FreeError,
    },
}

/// Why a team could not be split.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SplitError {
    /// Not every PE of the new team would be a member of the parent, or it would have none, or one twice.
    #[error("start, stride and size do not name different members of the parent team")]
    Shape,
    /// The members of one new team ask for different configurations, or for one that cannot be.
    #[error(
        "the configuration is not the same on all members, is negative, or is missing although the mask asks for it"
    )]
    Config,
    /// Some PE is a member of too many teams.
    #[error("none of the {slots} team slots is free on all members; destroy teams, or raise SHMEM_TEAMS")]
    NoSlot {
        /// Slots each PE has.
        slots: usize,
    },
}

/// In a collective call, the PEs did not all ask for the same. Every PE gets this error, in that
/// call; nothing has changed on any of them, and the next call starts afresh.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "PE {here}: the PEs diverged: PE {pe} is at {got}, but PE {reference} at {expected}; make the call equal on every PE"
)]
pub struct Diverged {
    /// The PE that reports.
    pub here: PeId,
    /// The PE that asked for something else than most.
    pub pe: PeId,
    /// What it asked for.
    pub got: String,
    /// A PE that asked for what most did.
    pub reference: PeId,
    /// What most asked for.
    pub expected: String,
}
