//! Giving memory back: when to return the pages of freed blocks to the system.
//!
//! ```text
//!   alloc ──► idle -= len          idle: bytes in free blocks that may hold pages
//!   free  ──► idle += len ──► above the threshold? ──► punch every free block, idle = 0
//!                                    ▲
//!              regret: what was given back is asked for again soon ──► the threshold doubles
//! ```
//!
//! A touched MiB costs about 50 us to give back and 280 us to fault in again, so the threshold is generous
//! and learns: a program that frees and allocates the same large block in a loop pays for a few rounds
//! and then never again. All of this is local: it decides about pages, never about offsets.

/// The decision, for one heap on one PE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Trim {
    /// Idle bytes above which memory is given back; `u64::MAX` for never.
    threshold: u64,
    idle: u64,
    /// Calls since memory was given back, and bytes allocated in them.
    since: Option<(u32, u64)>,
}

/// How many heap calls count as "soon".
const SOON: u32 = 64;

impl Trim {
    /// Gives back above `threshold` idle bytes; 0 for never.
    pub(crate) fn new(threshold: u64) -> Trim {
        Trim { threshold: if threshold == 0 { u64::MAX } else { threshold }, idle: 0, since: None }
    }

    /// `len` bytes have been allocated.
    pub(crate) fn allocated(&mut self, len: u64) {
        self.idle = self.idle.saturating_sub(len);
        let Some((calls, bytes)) = &mut self.since else { return };
        *calls += 1;
        *bytes += len;
        if *bytes >= self.threshold / 2 {
            self.threshold = self.threshold.saturating_mul(2);
            self.since = None;
        } else if *calls >= SOON {
            self.since = None;
        }
    }

    /// `len` bytes have been freed: whether free memory should be given back now.
    pub(crate) fn freed(&mut self, len: u64) -> bool {
        self.idle = self.idle.saturating_add(len);
        let now = self.idle > self.threshold;
        if now {
            self.idle = 0;
            self.since = Some((0, 0));
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn small_pairs_never_give_back() {
        let mut trim = Trim::new(256 * MIB);
        for _ in 0..1_000_000 {
            trim.allocated(64);
            assert!(!trim.freed(64));
        }
    }

    #[test]
    fn what_is_freed_in_bulk_is_given_back_once() {
        let mut trim = Trim::new(256 * MIB);
        (0..1000).for_each(|_| trim.allocated(MIB));
        assert_eq!((0..1000).filter(|_| trim.freed(MIB)).count(), 3);
    }

    #[test]
    fn a_loop_over_one_large_block_learns() {
        let mut trim = Trim::new(256 * MIB);
        let mut given_back = 0;
        for _ in 0..10_000 {
            trim.allocated(4096 * MIB);
            given_back += u32::from(trim.freed(4096 * MIB));
        }
        assert!(given_back <= 5, "{given_back} times");
    }

    #[test]
    fn zero_is_never() {
        let mut trim = Trim::new(0);
        assert!(!trim.freed(u64::MAX) && !trim.freed(u64::MAX));
    }
}
