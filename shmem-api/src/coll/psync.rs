//! An active set (OpenSHMEM 1.6, deprecated collectives): PEs that meet in a `pSync` array of the program's.
//!
//! ```text
//!   pSync  | arrived . . . | released shown . . . | notice payload | notice payload | ... 8 of them |
//!            on member 0     on each member, for it alone; longs, all SYNC_VALUE between calls
//!
//!   meet   add 1 to `arrived` on member 0; who makes it full sets it back, and then `released` on every other
//!          member; each of these waits for its own, and sets it back
//!   give   leave 8 bytes or less in a free place of each other member, or put more into its dest; then a notice:
//!          who, and how many the root has left before
//!   take   wait for a notice of the root, of several take the first; set it back
//! ```
//!
//! The set's memory is its `pSync`: there are no slots to run out of, nothing to set up, and two sets, or
//! two threads of a PE, disturb each other as little as their `pSync`s do.
//!
//! Invariants: **P1** what was changed in a member's own `pSync` is `SYNC_VALUE` again when it returns,
//! unless another member has begun the next call. **P2** `released` of meeting k + 1 is set only after its
//! owner has arrived there, hence after it has set that of meeting k back; so calls may follow each other
//! on one `pSync`. **P3** a notice is left after what it announces (release, acquire). Notices say who left
//! them and in which order, so calls may follow each other even with the root ahead, and a root that is late is not
//! taken for the next one, which was early.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

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
/// Notices are in every other word.
const ALL_NOTICES: usize = 8;
/// A place somebody is about to leave a notice in.
const CLAIMED: i64 = SYNC_VALUE - 1;
/// Of a notice: the root's PE number, plus 1. Above it, its order.
const WHO_BITS: u32 = 24;

/// How many notices this PE has left.
static LEFT: AtomicU64 = AtomicU64::new(0);

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
        via.place_amo(psync, engine.me.0 as i32);
        ActiveSet { via, engine, members, rank, psync, showing: 0 }
    }

    /// Completes what this PE has done before (a barrier does, a sync does not).
    pub(crate) fn quiet(&self) {
        self.engine.quiet();
    }

    /// A member's `pSync`.
    #[inline]
    fn words(&self, rank: u32) -> &[AtomicI64; SYNC_SIZE] {
        let pe = self.members.at(rank).0 as i32;
        let spot = self.via.place(self.psync.cast(), SYNC_SIZE * 8, pe);
        // SAFETY: the place is checked, and aligned (`new`); symmetric memory stays mapped during a call, and while
        // a pSync is in use only these calls access it, atomically.
        unsafe { &*spot.at.cast() }
    }

    #[inline]
    fn word(&self, rank: u32, i: usize) -> &AtomicI64 {
        &self.words(rank)[i]
    }

    #[inline]
    fn own(&self, i: usize) -> &AtomicI64 {
        self.word(self.rank, i)
    }

    /// Leaves a notice, and a payload, with a member.
    fn leave(&self, rank: u32, notice: i64, payload: i64) {
        let words = self.words(rank);
        let claim = |i: &usize| {
            let place = &words[NOTICES + 2 * i];
            let free = || place.compare_exchange(SYNC_VALUE, CLAIMED, Ordering::Acquire, Ordering::Relaxed);
            place.load(Ordering::Relaxed) == SYNC_VALUE && free().is_ok()
        };
        let at = std::cell::Cell::new(None);
        self.wait("this root is eight calls ahead", || {
            at.set((0..ALL_NOTICES).find(claim));
            at.get().is_some()
        });
        let Some(at) = at.get().map(|i| NOTICES + 2 * i) else { return };
        words[at + 1].store(payload, Ordering::Relaxed);
        // P3. Where waiters sleep as a matter of course, the news is an exchange: see `wait::ring`.
        match self.engine.policy.crowded() {
            true => drop(words[at].swap(notice, Ordering::SeqCst)),
            false => words[at].store(notice, Ordering::Release),
        }
        self.engine.ring(self.members.at(rank));
    }

    /// The first notice of a root that is here, by its place.
    #[inline]
    fn first_of(&self, root: u32) -> Option<usize> {
        let (who, words) = (self.who(root), self.words(self.rank));
        let notices =
            (0..ALL_NOTICES).map(|i| (words[NOTICES + 2 * i].load(Ordering::Acquire), NOTICES + 2 * i));
        let its = notices.filter(|(notice, _)| *notice > 0 && notice & ((1 << WHO_BITS) - 1) == who);
        its.min().map(|(_, at)| at)
    }

    fn who(&self, rank: u32) -> i64 {
        i64::from(self.members.at(rank).0) + 1
    }

    /// Waits in a `pSync`.
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
        let order = LEFT.fetch_add(1, Ordering::Relaxed) as i64;
        let notice = (order << WHO_BITS | self.who(self.rank)) & i64::MAX;
        let mut payload = [0u8; 8];
        let light = n <= payload.len();
        if light {
            // SAFETY: by contract, and the payload is as large.
            unsafe { copy::get(payload.as_mut_ptr(), src, n) };
        }
        for rank in self.others() {
            if !light {
                // SAFETY: by contract; `of` checked the place.
                unsafe { copy::put(self.of(rank, dest, n), src, n) };
            }
            self.leave(rank, notice, i64::from_ne_bytes(payload));
        }
    }

    unsafe fn take(&mut self, dest: *mut u8, n: usize, root: u32) {
        self.wait("the root has not arrived", || self.first_of(root).is_some());
        // Again: what the root left before the one just seen is certainly seen now.
        let Some(at) = self.first_of(root) else { return };
        let words = self.words(self.rank);
        if n <= 8 {
            let payload = words[at + 1].load(Ordering::Relaxed).to_ne_bytes();
            // SAFETY: by contract.
            unsafe { copy::put(dest, payload.as_ptr(), n) };
        }
        words[at + 1].store(SYNC_VALUE, Ordering::Relaxed);
        // Release: who claims the place finds the payload set back.
        words[at].store(SYNC_VALUE, Ordering::Release);
    }
}
