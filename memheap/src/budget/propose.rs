//! From a host's memory to the size of one PE's heap.
//!
//! ```text
//!   memory │■■■■■■■■■■■■■■ in use ■■■■■■■■■■■■■│············· free ··············│
//!   nothing given: half of what is free           │ PE 0 │ PE 1 │ PE 2 │ PE 3 │
//!   a budget:      that much of the memory, but never more than is free
//! ```
//!
//! A proposal is a multiple of [`HEAP_GRANULE`]; for all PEs of the host together it is never more than
//! the host has free. The PEs then agree on the least proposal of all.

use std::fmt;

use super::host::HostFacts;
use crate::settings::SizeValue;
use crate::units::{Align, Bytes};

/// What heap sizes are multiples of, and the smallest heap that is proposed.
pub const HEAP_GRANULE: Align = Align::HUGE;

/// The largest heap per PE that is proposed when nothing was asked for. A sparse heap costs nothing, but every PE
/// maps those of all others on its host, and 256 of this size fit in the address space many times over.
pub const DEFAULT_HEAP_MAX: Bytes = Bytes::gib(16);

/// What was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Nothing: half of what is free, at most [`DEFAULT_HEAP_MAX`] per PE.
    Default,
    /// A budget for all PEs of a host together: bytes, or a percentage of the host's memory.
    OfHost(SizeValue),
}

/// The heap size one host proposes for each of its PEs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// Heap per PE; 0 if [`Because::Off`] or [`Because::Nothing`].
    pub heap: Bytes,
    /// What the wish comes to for the whole host.
    pub wanted: Bytes,
    /// What the host has free.
    pub free: Bytes,
    /// The PEs that share it.
    pub pes_on_host: u32,
    /// What decided the size.
    pub because: Because,
}

/// What decided the size of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Because {
    /// The wish, divided by the PEs.
    Wished,
    /// The host has less free than was wished for.
    Free,
    /// The wish comes to less than a granule per PE; a heap has one at least.
    Least,
    /// It is the most that is proposed unasked.
    Most,
    /// A budget of 0: no heap.
    Off,
    /// Not even one granule per PE is free: an error.
    Nothing,
}

/// Proposes the heap size per PE on a host that `pes_on_host` PEs share (0 counts as 1).
pub fn propose(host: &HostFacts, pes_on_host: u32, wish: Wish) -> Proposal {
    let pes_on_host = pes_on_host.max(1);
    let free = host.free();
    let wanted = match wish {
        Wish::Default => Bytes(free.0 / 2),
        Wish::OfHost(size) => Bytes(size.resolve(host.memory().0)),
    };
    let most = if wish == Wish::Default { DEFAULT_HEAP_MAX } else { Bytes(u64::MAX) };
    let each = |all: Bytes| Bytes((all.0 / u64::from(pes_on_host)) & !(HEAP_GRANULE.bytes() - 1));
    let least = Bytes(HEAP_GRANULE.bytes());
    let (heap, because) = match each(wanted.min(free)) {
        _ if wanted.0 == 0 && wish != Wish::Default => (Bytes(0), Because::Off),
        _ if each(free) < least => (Bytes(0), Because::Nothing),
        heap if heap < least => (least, Because::Least),
        heap if heap > most => (most, Because::Most),
        heap if wanted > free => (heap, Because::Free),
        heap => (heap, Because::Wished),
    };
    Proposal { heap, wanted, free, pes_on_host, because }
}

/// Heaps of a given size do not fit in what the host has free.
///
/// That is allowed, since only what is touched takes memory; unless all of it is to be taken at start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{heap} of symmetric heap for each of {pes_on_host} PEs on this host are {needed}; {free} are free of {memory}"
)]
pub struct Excess {
    /// Heap per PE.
    pub heap: Bytes,
    /// The PEs that share the host.
    pub pes_on_host: u32,
    /// What they need together.
    pub needed: Bytes,
    /// What the host has free.
    pub free: Bytes,
    /// What the host has.
    pub memory: Bytes,
}

/// Whether `pes_on_host` heaps of a given size fit in what the host has free.
pub fn fits(host: &HostFacts, pes_on_host: u32, heap: Bytes) -> Result<(), Excess> {
    let needed = Bytes(heap.0.saturating_mul(u64::from(pes_on_host.max(1))));
    let (free, memory) = (host.free(), host.memory());
    if needed <= free { Ok(()) } else { Err(Excess { heap, pes_on_host, needed, free, memory }) }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Proposal { heap, wanted, free, pes_on_host, because } = self;
        match because {
            Because::Off => write!(f, "no heap, as asked"),
            Because::Nothing => {
                write!(
                    f,
                    "no heap: {free} free on this host are less than 2 MiB for each of {pes_on_host} PEs"
                )
            }
            _ => {
                write!(f, "{heap} per PE: {pes_on_host} PEs on this host, {wanted} wanted, {free} free")?;
                f.write_str(match because {
                    Because::Free => "; limited by what is free",
                    Because::Least => "; the least a heap can be",
                    Because::Most => "; the most that is taken unasked",
                    _ => "",
                })
            }
        }
    }
}
