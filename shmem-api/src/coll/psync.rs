//! An active set (OpenSHMEM 1.6, deprecated collectives): PEs that meet in a `pSync` array of the program's.
//!
//! ```text
//!   pSync  | arrived . . . | released shown . . . | notice x 8 | ...      longs, all SYNC_VALUE between calls
//!            on member 0     on each member: for it alone
//!
//!   meet   add 1 to `arrived` on member 0; who makes it full sets it back, and then `released` on every other
//!          member; each of these waits for its own, and sets it back
//!   give   put into the other's dest, then leave a notice with it: root + 1, in a free place
//!   take   wait for a notice of the root, set it back
//! ```
//!
//! The set's memory is its `pSync`: there are no slots to run out of, nothing to set up, and two sets, or
//! two threads of a PE, disturb each other as little as their `pSync`s do.
//!
//! Invariants: **P1** what was changed in a member's own `pSync` is `SYNC_VALUE` again when it returns,
//! unless another member has begun the next call. **P2** `released` of meeting k + 1 is set only after its
//! owner has arrived there, hence after it has set that of meeting k back; so calls may follow each other
//! on one `pSync`. **P3** a notice is left after what it announces (release, acquire). Notices say who left
//! them, so a root that is late is not taken for the next root, which was early.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicI64, Ordering};

use super::group::Group;
use crate::copy;
use crate::engine::Handle;
use crate::members::Members;
use crate::order;
use crate::raw::via::Via;

/// What every element of a `pSync` is before a call, and after it (`SHMEM_SYNC_VALUE`).
pub const SYNC_VALUE: i64 = 0;
/// Elements of a `pSync` for any call (`SHMEM_SYNC_SIZE`, and the sizes for single calls).
pub const SYNC_SIZE: usize = 32;

const ARRIVED: usize = 0;
/// In another cache line than what all count in.
const RELEASED: usize = 8;
const SHOWN: usize = 9;
const NOTICES: usize = 16;
const ALL_NOTICES: usize = 8;

/// Up to so many bytes, a root puts them into every dest by itself.
const EAGER: usize = 16 << 10;

/// Some PEs and their `pSync`.
pub(crate) struct ActiveSet {
    via: Via,
    engine: Handle,
    members: Members,
    rank: u32,
    psync: *mut i64,
    /// After how many more meetings what is shown is taken back; 0: nothing is shown.
    showing: u8,
}

impl ActiveSet {
    /// PEs `start`, `start + 2^log_stride`, ..., `size` of them, of which this PE is one. Ends the job if that cannot be.
    pub(crate) fn new(via: Via, start: i32, log_stride: i32, size: i32, psync: *mut i64) -> ActiveSet {
        let engine = via.engine();
        let set = || format!("the active set of {size} PEs from PE {start}, 2^{log_stride} apart,");
        if size < 1 {
            via.fail(&format!("{} has no PE: PE_size must be at least 1", set()));
        }
        if !(0..31).contains(&log_stride) {
            via.fail(&format!("{} is none: logPE_stride must be 0 to 30", set()));
        }
        let members = Members::world(engine.n_pes).split(start, 1 << log_stride, size).unwrap_or_else(|| {
            via.fail(&format!("{} does not fit: the job has PEs 0 to {}", set(), engine.n_pes - 1))
        });
        let rank = members.rank(engine.me).unwrap_or_else(|| {
            via.fail(&format!("{} does not contain this PE: only its members may call", set()))
        });
        via.place_amo(psync.wrapping_add(SYNC_SIZE - 1), engine.me.0 as i32);
        ActiveSet { via, engine, members, rank, psync, showing: 0 }
    }

    /// Completes what this PE has done before (a barrier does, a sync does not).
    pub(crate) fn quiet(&self) {
        self.engine.quiet();
    }

    /// A word of a member's `pSync`.
    #[inline]
    fn word(&self, rank: u32, i: usize) -> &AtomicI64 {
        let spot = self.via.place_amo(self.psync.wrapping_add(i), self.members.at(rank).0 as i32);
        // SAFETY: `place_amo` checked place and alignment; symmetric memory stays mapped during a call, and while
        // a pSync is in use only these calls access it, atomically.
        unsafe { AtomicI64::from_ptr(spot.at.cast()) }
    }

    #[inline]
    fn own(&self, i: usize) -> &AtomicI64 {
        self.word(self.rank, i)
    }

    /// Waits in this PE's own `pSync`.
    fn wait(&self, what: &str, ready: impl Fn() -> bool) {
        let Members { start, stride, size } = self.members;
        let place = || {
            format!("{}: {what} (active set of {size} PEs from PE {start}, {stride} apart)", self.via.call)
        };
        self.engine.wait_until(ready, place);
    }

    fn others(&self) -> impl Iterator<Item = u32> {
        (0..self.members.size).filter(|rank| *rank != self.rank)
    }

    /// After news for all others: wakes those asleep. The fence comes between news and look: see `wait::ring`.
    fn ring_others(&self) {
        order::full_fence();
        self.others().for_each(|rank| self.engine.ring(self.members.at(rank)));
    }
}

impl Group for ActiveSet {
    fn via(&self) -> Via {
        self.via
    }

    fn members(&self) -> Members {
        self.members
    }

    fn rank(&self) -> u32 {
        self.rank
    }

    fn sync(&mut self) {
        let arrived = self.word(0, ARRIVED);
        // Acquire: everything the earlier ones did; release: everything this PE did, for the last.
        if arrived.fetch_add(1, Ordering::AcqRel) == SYNC_VALUE + i64::from(self.members.size) - 1 {
            arrived.store(SYNC_VALUE, Ordering::Relaxed);
            for rank in self.others() {
                self.word(rank, RELEASED).store(SYNC_VALUE + 1, Ordering::Release);
            }
            self.ring_others();
        } else {
            let released = self.own(RELEASED);
            self.wait("not all have arrived", || released.load(Ordering::Acquire) != SYNC_VALUE);
            // P2; seen by others at the latest when this PE arrives next, which is a release.
            released.store(SYNC_VALUE, Ordering::Relaxed);
        }
        if self.showing > 0 {
            self.showing -= 1;
            if self.showing == 0 {
                self.own(SHOWN).store(SYNC_VALUE, Ordering::Relaxed);
            }
        }
    }

    fn room(&self) -> usize {
        0
    }

    fn show(&mut self, words: &[u64]) {
        self.showing = 2;
        self.own(SHOWN).store(SYNC_VALUE.wrapping_add(words[0] as i64), Ordering::Relaxed);
    }

    fn shown(&self, rank: u32, _: usize) -> u64 {
        self.word(rank, SHOWN).load(Ordering::Relaxed).wrapping_sub(SYNC_VALUE) as u64
    }

    fn eager(&self) -> usize {
        EAGER
    }

    unsafe fn give(&mut self, dest: *mut u8, src: *const u8, n: usize) {
        let mine = SYNC_VALUE + 1 + i64::from(self.rank);
        for rank in self.others() {
            // SAFETY: by contract; `of` checked the place.
            unsafe { copy::put(self.of(rank, dest, n), src, n) };
            let leave = |i| {
                let place = self.word(rank, NOTICES + i);
                // P3.
                place.compare_exchange(SYNC_VALUE, mine, Ordering::Release, Ordering::Relaxed).is_ok()
            };
            while !(0..ALL_NOTICES).any(leave) {
                // Eight calls ahead of this member on one pSync.
                std::thread::yield_now();
            }
            self.engine.ring(self.members.at(rank));
        }
    }

    unsafe fn take(&mut self, _dest: *mut u8, _n: usize, root: u32) {
        let awaited = SYNC_VALUE + 1 + i64::from(root);
        let notice = || (0..ALL_NOTICES).find(|i| self.own(NOTICES + i).load(Ordering::Acquire) == awaited);
        self.wait("the root has not arrived", || notice().is_some());
        if let Some(i) = notice() {
            self.own(NOTICES + i).store(SYNC_VALUE, Ordering::Relaxed);
        }
    }
}
