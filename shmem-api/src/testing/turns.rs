//! How many launches of a test binary run at a time: half as many again as there are cores, since much of a launch is waiting; or
//! `SHMEM_TEST_AT_ONCE`.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

struct Turns {
    free: Mutex<usize>,
    given_back: Condvar,
}

/// A launch may run while it has one.
pub(super) struct Turn(&'static Turns);

/// Waits for a turn.
pub(super) fn take() -> Turn {
    static TURNS: OnceLock<Turns> = OnceLock::new();
    let turns = TURNS.get_or_init(|| Turns { free: Mutex::new(at_once()), given_back: Condvar::new() });
    let mut free =
        turns.given_back.wait_while(turns.lock(), |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
    *free -= 1;
    Turn(turns)
}

fn at_once() -> usize {
    let told = std::env::var("SHMEM_TEST_AT_ONCE").ok().and_then(|n| n.parse().ok());
    told.or_else(|| Some(std::thread::available_parallelism().ok()?.get() * 3 / 2)).unwrap_or(1).max(1)
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.lock() += 1;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::private::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;

    #[test]
    fn never_more_than_there_may_be() {
        let running = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 * at_once() {
                scope.spawn(|| {
                    let _turn = take();
                    assert!(running.fetch_add(1, SeqCst) < at_once());
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    running.fetch_sub(1, SeqCst);
                });
            }
        });
        assert_eq!(running.into_inner(), 0);
    }
}
