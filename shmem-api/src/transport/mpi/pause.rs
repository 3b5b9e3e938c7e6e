//! How long a lane sleeps before it looks again by itself: MPI moves only while somebody calls it.
//!
//! | | the first looks | then |
//! |---|---|---|
//! | something is under way, or was told of and has not come | at once | 20 us, and ever longer, up to 100 us; after some 0.1 s, up to 1 ms |
//! | nothing is, and some do not ring (`doorbell`) | 20 us, and ever longer | up to 1 ms |
//! | nothing is, and all ring | 1 ms, and ever longer | up to 50 ms |

use std::time::Duration;

/// So many looks without a pause: some microseconds.
const AT_ONCE: u32 = 20;
/// The first pause; each is twice as long as the last.
const FIRST: Duration = Duration::from_micros(20);
/// While something is under way.
const BUSY: Duration = Duration::from_micros(100);
/// After so many looks, as where nobody rings.
const PATIENT: u32 = 1000;
const SLOW: Duration = Duration::from_millis(1);
/// While nothing is.
const IDLE: Duration = Duration::from_millis(50);

/// What a lane has to do with others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Traffic {
    UnderWay,
    /// None, and whoever sends something rings.
    None,
    /// None, and some do not ring.
    Silent,
}

/// See above.
#[derive(Default)]
pub(super) struct Pauses {
    /// Looks in vain.
    looks: u32,
}

impl Pauses {
    /// There was something.
    pub(super) fn start_over(&mut self) {
        self.looks = 0;
    }

    /// How long to sleep now.
    pub(super) fn next(&mut self, traffic: Traffic) -> Duration {
        let look = self.looks;
        self.looks = look.saturating_add(1);
        let most = match traffic {
            Traffic::UnderWay if look < PATIENT => BUSY,
            Traffic::UnderWay | Traffic::Silent => SLOW,
            Traffic::None => IDLE,
        };
        let (at_once, first) = match traffic {
            Traffic::UnderWay => (AT_ONCE, FIRST),
            Traffic::Silent => (0, FIRST),
            Traffic::None => (0, SLOW),
        };
        match look.checked_sub(at_once) {
            None => Duration::ZERO,
            Some(doublings) => most.min(first * (1 << doublings.min(10))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_up_to_a_bound_and_starts_over() {
        let mut pauses = Pauses::default();
        let idle: Vec<Duration> = (0..20).map(|_| pauses.next(Traffic::None)).collect();
        assert_eq!((idle[0], idle[1], idle[19]), (SLOW, 2 * SLOW, IDLE));
        assert!(idle.is_sorted());
        assert_eq!(pauses.next(Traffic::Silent), SLOW);
        pauses.start_over();
        assert_eq!(pauses.next(Traffic::Silent), FIRST);
        pauses.start_over();
        let busy: Vec<Duration> = (0..2 * PATIENT).map(|_| pauses.next(Traffic::UnderWay)).collect();
        assert!(busy[..AT_ONCE as usize].iter().all(Duration::is_zero));
        let at = |look: u32| busy[look as usize];
        assert_eq!((at(AT_ONCE), at(PATIENT - 1), at(PATIENT)), (FIRST, BUSY, SLOW));
        assert!(busy.is_sorted());
    }
}
