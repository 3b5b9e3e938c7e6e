//! Where what other hosts show to the members of a team on this one comes: one [`Zone`] per team slot, used on the first of those members.
//!
//! ```text
//!   blocks    what each host shows in a meeting, by host of the team: two sets of them, used in turn    (`team::upper` says what is in a block)
//!   arrived   by turn and round: the number of the last meeting whose blocks of that round have all come
//!   read      by turn and round: as that, of the meeting in which all hosts say that they have read what differed
//!   gone      by host: the first call number of the team that the last of its members there has dropped
//! ```
//!
//! All of it is zero at first. It is written by the other hosts' PEs, and by those of this host who speak for it; jobs on one host have none.

use crate::sync::primitives::AtomicU64;

/// Rounds in which so many hosts hear of each other.
pub(crate) const ROUNDS: usize = (MAX_HOSTS as u32).next_power_of_two().trailing_zeros() as usize;
/// The most hosts of a team that meet by zones: a block has room for the longest signature.
pub(crate) const MAX_HOSTS: usize = if cfg!(loom) { 2 } else { 80 };
/// Words of all blocks of a turn.
pub(crate) const BLOCKS: usize = if cfg!(loom) { 32 } else { 4096 };

/// See above.
#[repr(C, align(64))]
pub(crate) struct Zone {
    pub(crate) arrived: [[AtomicU64; ROUNDS]; 2],
    pub(crate) read: [[AtomicU64; ROUNDS]; 2],
    /// How many members of this host have dropped the team.
    pub(crate) dropped: AtomicU64,
    pub(crate) gone: [AtomicU64; MAX_HOSTS],
    pub(crate) blocks: [[AtomicU64; BLOCKS]; 2],
}

#[cfg(test)]
impl Zone {
    pub(crate) fn new() -> Zone {
        let zero = |_| AtomicU64::new(0);
        Zone {
            arrived: std::array::from_fn(|_| std::array::from_fn(zero)),
            read: std::array::from_fn(|_| std::array::from_fn(zero)),
            dropped: zero(0),
            gone: std::array::from_fn(zero),
            blocks: std::array::from_fn(|_| std::array::from_fn(zero)),
        }
    }
}
