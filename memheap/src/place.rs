//! Where a block comes from: who must be able to reach it, and which PE it should be near.
//!
//! ```text
//!   alloc(size, align, reach, near)
//!            │           │     └── a preference, local: chooses pages, never an offset
//!            │           └── a hard constraint, equal on all PEs: chooses the space
//!            ▼
//!   [`Spaces`]: reach ──► the spaces that give it, in order ──► the first with room
//!               offset ─► the space it lies in
//! ```
//!
//! * **PLACE-L1** the windows of the spaces do not overlap;
//! * **PLACE-L2** a block comes from a space that gives the reach asked for, or the call fails;
//! * **PLACE-L3** which space is tried next depends on the state of the spaces alone, so PEs whose spaces have equal
//!   histories take the same one.

use std::fmt;

use crate::component::{AllocError, Block, BlockState, FreeError, Moved};
use crate::space::Space;
use crate::units::{Align, Bytes, Offset, PeId};

/// Who must be able to reach a block. A hard constraint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Reach {
    /// Every PE.
    World = 0,
    /// The PEs of this host. The call is collective over them only.
    Host = 1,
    /// Every PE, in memory that is locked and pre-faulted, so that devices can use it.
    Dma = 2,
    /// This PE only. The call is local.
    Pe = 3,
}

/// Which PE or which memory a block should be near. A preference: it may be ignored, and never makes a call fail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Near {
    /// No PE in particular: pages lie where they are first touched.
    #[default]
    Any,
    /// The memory next to the processor a PE started on.
    Pe(PeId),
    /// A NUMA node.
    Numa(u32),
    /// Spread page by page over all NUMA nodes.
    Interleave,
}

/// Why a block could not be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlaceError {
    /// No space gives that reach.
    #[error("no space of this heap reaches {reach} (its size is 0)")]
    Unreachable {
        /// What was asked for.
        reach: Reach,
    },
    /// The spaces that give it have no room.
    #[error(transparent)]
    Alloc(#[from] AllocError),
}

impl Reach {
    /// Every reach, by number.
    pub const ALL: [Reach; 4] = [Reach::World, Reach::Host, Reach::Dma, Reach::Pe];

    /// The name of the space that is made for it.
    pub fn space(self) -> &'static str {
        match self {
            Reach::World => "user",
            Reach::Host => "host",
            Reach::Dma => "dma",
            Reach::Pe => "pe",
        }
    }

    /// Whether memory that has this reach can be given where `wanted` is asked for. Memory that every PE reaches can
    /// stand in for memory of a host, but only if there is one host: then all PEs take part in the call.
    fn stands_in_for(self, wanted: Reach, one_host: bool) -> bool {
        self == wanted || (self == Reach::World && wanted == Reach::Host && one_host)
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reach::World => "every PE",
            Reach::Host => "the PEs of the host",
            Reach::Dma => "devices",
            Reach::Pe => "this PE only",
        })
    }
}

/// The spaces whose offsets all PEs must decide alike.
pub struct Spaces {
    spaces: Vec<(Reach, Space)>,
    one_host: bool,
}

impl Spaces {
    /// The spaces, each with its reach, in the order in which they are tried (PLACE-L3). Their windows are disjoint
    /// (PLACE-L1).
    pub fn new(spaces: Vec<(Reach, Space)>, one_host: bool) -> Spaces {
        Spaces { spaces, one_host }
    }

    /// Takes a block from the first space that gives `reach` and has room (PLACE-L2).
    pub fn alloc(&mut self, size: Bytes, align: Align, reach: Reach) -> Result<Block, PlaceError> {
        let mut refused = None;
        let one_host = self.one_host;
        // First the space that was made for this reach, then those that can stand in for it.
        for own in [true, false] {
            let gives = |has: Reach| (has == reach) == own && has.stands_in_for(reach, one_host);
            for (_, space) in self.spaces.iter_mut().filter(|(has, s)| gives(*has) && !s.is_empty()) {
                match space.alloc(size, align) {
                    Ok(block) => return Ok(block),
                    Err(e) => drop(refused.get_or_insert(e)),
                }
            }
        }
        Err(refused.map_or(PlaceError::Unreachable { reach }, PlaceError::Alloc))
    }

    /// Frees the block at `at`, whichever space it lies in.
    pub fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        match self.spaces.iter_mut().find(|(_, s)| s.contains(at)) {
            Some((_, space)) => space.free(at),
            None => Err(FreeError::Foreign { at }),
        }
    }

    /// Resizes the block at `at` within the space it lies in.
    pub fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        match self.spaces.iter_mut().find(|(_, s)| s.contains(at)) {
            Some((_, space)) => space.realloc(at, size, align),
            None => Err(FreeError::Foreign { at }.into()),
        }
    }

    /// Why the block at `at` could not be freed, from what the spaces say is there.
    pub fn explain(&self, at: Offset) -> FreeError {
        match self.block(at) {
            None => FreeError::Foreign { at },
            Some((_, b)) if b.state == BlockState::Live && b.at != at => {
                FreeError::Interior { at, start: b.at, len: b.len }
            }
            Some(_) => FreeError::NotAllocated { at },
        }
    }

    /// The reach of the space that an offset lies in, and the block there.
    pub fn block(&self, at: Offset) -> Option<(Reach, Block)> {
        let (reach, space) = self.spaces.iter().find(|(_, s)| s.contains(at))?;
        Some((*reach, space.block(at)?))
    }

    /// The space of a reach.
    pub fn get(&self, reach: Reach) -> Option<&Space> {
        self.spaces.iter().find(|(r, _)| *r == reach).map(|(_, s)| s)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Reach, &Space)> {
        self.spaces.iter().map(|(r, s)| (*r, s))
    }

    /// The component of the first space whose offsets have to be compared between PEs, if there is one.
    pub fn not_vouched_for(&self) -> Option<&'static str> {
        self.spaces.iter().find(|(_, s)| !s.is_vouched_for()).map(|(_, s)| s.component())
    }

    /// Ends the modules of all spaces.
    pub fn finalize(self) {
        self.spaces.into_iter().for_each(|(_, space)| space.finalize());
    }

    /// The digests of all spaces in one word, to be compared between PEs.
    pub fn digest(&self) -> u64 {
        self.spaces.iter().fold(0, |sum, (_, s)| sum.rotate_left(17) ^ s.digest().0)
    }
}
