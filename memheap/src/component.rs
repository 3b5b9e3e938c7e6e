//! What an allocator is to the rest of the system.
//!
//! ```text
//!   Component ──open(settings)──► Opened ──init(span)──► Module ──finalize──►
//!   (a name and a priority)      (one open)             (one per space)
//!          └── may decline ───────── may decline ┘
//! ```
//!
//! A component works on 64-bit offsets only: it sees no address and touches no byte of the heap.
//! All it keeps lives outside the region, so no put, however wrong, can corrupt it.
//!
//! What a [`Module`] promises, checked by [`validate`](Module::validate) and by the conformance set:
//!
//! * **MODULE-M1** live blocks lie inside the span and do not overlap;
//! * **MODULE-M2** a block starts at a multiple of the alignment asked for and is at least as long as asked;
//! * **MODULE-M3** live and free blocks together tile the part of the span the module can hand out;
//! * **MODULE-M4** an error changes nothing: not the blocks, not the digest;
//! * **MODULE-M5** the offsets are a function of the call history alone: no address, time or random number
//!   enters, so equal histories give equal offsets on every PE;
//! * **MODULE-M6** [`free`](Module::free) takes the start of a live block and nothing else: a double, interior
//!   or foreign free is told apart exactly and changes nothing.

use std::fmt;

use crate::settings::Settings;
pub use crate::units::Priority;
use crate::units::{Align, Bytes, Offset, Span};

/// Why a component does not take part.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Decline(pub String);

/// An allocator that can manage symmetric heaps.
pub trait Component: Send + Sync {
    /// The name settings use to include, exclude and prioritise it.
    fn name(&self) -> &'static str;

    /// The priority it has when no setting says otherwise.
    fn priority(&self) -> Priority;

    /// Reads its settings and gets ready, or declines saying why. Called once per start of the library.
    fn open(&self, settings: &Settings) -> Result<Box<dyn Opened>, Decline>;
}

/// A component that has been opened: it makes one module per space.
pub trait Opened: Send {
    /// Starts managing `span`, or declines saying why. Must cost O(1), since components that are not selected in the
    /// end are initialised, too.
    fn init(&self, span: Span) -> Result<Box<dyn Module>, Decline>;

    /// Called exactly once, when no more modules will be asked for. The modules it made stay in use.
    fn close(self: Box<Self>) {}
}

/// One heap being managed: offsets in, offsets out. See the [module page](self) for MODULE-M1 to MODULE-M6.
///
/// A module has no lock of its own; the [`Space`](crate::space::Space) that owns it serialises calls.
pub trait Module: Send {
    /// Takes a block of at least `size` bytes, and at least 1, at a multiple of `align`.
    fn alloc(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError>;

    /// Like [`alloc`](Self::alloc), but returns the whole block. Worth writing for modules that know its length
    /// without a search.
    fn alloc_block(&mut self, size: Bytes, align: Align) -> Result<Block, AllocError> {
        let at = self.alloc(size, align)?;
        let len = self.block(at).map_or(size, |b| b.len);
        Ok(Block { at, len, state: BlockState::Live })
    }

    /// Frees the block that starts at `at`; returns its length.
    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError>;

    /// Makes the block at `at` at least `size` bytes at a multiple of `align`, in place where that is
    /// possible. On an error the old block is unchanged.
    fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError>;

    /// The live or free block that contains `at`.
    fn block(&self, at: Offset) -> Option<Block>;

    /// All blocks, live and free, by ascending offset.
    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm>;

    /// Bytes in free blocks, and the size of the largest one.
    fn room(&self) -> Room;

    /// Checks the module's invariants, in the order in which its docs list them.
    fn validate(&self) -> Result<(), Violation>;

    /// A running hash of the history: every successful call changes it.
    fn digest(&self) -> Digest;

    /// Whether MODULE-M5 may be relied on, so that offsets need not be compared between PEs. Only the guard around an
    /// allocator of the program's own ([`Checked`](crate::checked::Checked)) answers no.
    fn is_vouched_for(&self) -> bool {
        true
    }

    /// The last call. It is the caller who reports what is still live, from [`blocks`](Self::blocks).
    fn finalize(self: Box<Self>) {}
}

/// What is left of a heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Room {
    /// Bytes in free blocks.
    pub free: Bytes,
    /// Size of the largest free block.
    pub largest: Bytes,
}

/// A contiguous piece of a heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Where it starts.
    pub at: Offset,
    /// How long it is, padding included.
    pub len: Bytes,
    /// Whether it is in use.
    pub state: BlockState,
}

/// Whether a block is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockState {
    /// Handed out and not yet freed.
    Live,
    /// Available.
    Free,
}

/// Where a reallocated block is now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// At the same offset.
    InPlace,
    /// Elsewhere; the caller copies `keep` bytes as if by `memmove` before anything else uses the heap.
    To {
        /// The new offset.
        to: Offset,
        /// How many bytes of the old block are copied.
        keep: Bytes,
    },
}

/// Why an allocation failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AllocError {
    /// No free block is large enough.
    #[error("{requested} requested, {free} free, largest block {largest}, heap {total}")]
    Exhausted {
        /// Bytes asked for.
        requested: Bytes,
        /// Bytes in free blocks.
        free: Bytes,
        /// The largest free block.
        largest: Bytes,
        /// Bytes of the whole heap.
        total: Bytes,
    },
    /// The alignment is larger than the module supports.
    #[error("alignment {align} is not supported, the largest is {max}")]
    BadAlign {
        /// Alignment asked for.
        align: Align,
        /// The largest possible.
        max: Align,
    },
    /// `realloc` of something that is not a live block.
    #[error(transparent)]
    NotLive(#[from] FreeError),
}

/// Why an offset could not be freed. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FreeError {
    /// Outside the heap.
    #[error("{at} is not in this heap")]
    Foreign {
        /// The offset given.
        at: Offset,
    },
    /// Inside a live block, but not its start.
    #[error("{at} lies inside the block at {start} ({len})")]
    Interior {
        /// The offset given.
        at: Offset,
        /// Where the block it lies in starts.
        start: Offset,
        /// The length of that block.
        len: Bytes,
    },
    /// In free memory: never allocated, or freed before.
    #[error("{at} is not allocated (freed before, or never handed out)")]
    NotAllocated {
        /// The offset given.
        at: Offset,
    },
}

/// A hash of a module's history. Equal histories have equal digests, so different digests prove that histories differ;
/// equal ones prove nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// The digest after one more step: what was done (`op`, a small number), and to what.
    ///
    /// The digest so far is multiplied by an odd number, so a difference never fades: two histories with
    /// one different step have different digests from there on. All constants fit into an instruction,
    /// and only one product and one sum wait for the digest before: it is on the path of every call.
    #[inline(always)]
    pub fn step(self, op: u64, a: u64, b: u64) -> Digest {
        const HISTORY: u64 = 0x5bd1_e995;
        const A: u64 = 0x6c07_8965;
        const OP: u64 = 0x011c_9dc5;
        // Plus one, so that every step changes the first digest, even a first block of no bytes at offset 0.
        let what = op.wrapping_add(1).wrapping_mul(OP).wrapping_add(a.wrapping_mul(A)).wrapping_add(b);
        Digest(self.0.wrapping_mul(HISTORY).wrapping_add(what))
    }
}

/// An invariant that does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invariant {invariant}: {what}")]
pub struct Violation {
    /// Its label in the docs of the module that has it, `BUDDY-I1` for example.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why `at` is not the start of a live block, found by looking at the module's blocks: for errors only, it is slow.
pub fn explain_bad_free(module: &(impl Module + ?Sized), span: Span, at: Offset) -> FreeError {
    if at.0 >= span.len.0 {
        return FreeError::Foreign { at };
    }
    match module.block(at) {
        Some(b) if b.state == BlockState::Live => FreeError::Interior { at, start: b.at, len: b.len },
        _ => FreeError::NotAllocated { at },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_every_step_matters_for_ever() {
        let after =
            |op, a, b| (0..1000).fold(Digest::default().step(op, a, b), |d, i| d.step(i & 3, i, 16 * i));
        let mut digests = std::collections::BTreeSet::from([Digest::default().0]);
        let values = [0, 1, 2, 16, 64, 4096, 1 << 31, 1 << 32, 1 << 40, 1 << 47];
        for op in 0..256 {
            for a in values {
                for b in values {
                    assert!(digests.insert(after(op, a, b).0), "{op} {a} {b}");
                }
            }
        }
        assert_ne!(Digest::default().step(0, 0, 0), Digest::default());
        assert_ne!(after(1, 2, 3).step(1, 64, 0), after(1, 2, 3).step(1, 0, 64));
    }
}
