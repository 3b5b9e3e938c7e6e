//! The cycle counter, for operations too short for the system's clock.
#![allow(unsafe_code, reason = "the intrinsic is")]

use std::time::{Duration, Instant};

/// The counter now.
#[inline]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: reads a counter every x86-64 processor has; nothing else happens.
        unsafe { std::arch::x86_64::_rdtsc() }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_nanos() as u64
    }
}

/// Nanoseconds per tick, from 20 ms of both clocks.
pub fn nanoseconds_per_tick() -> f64 {
    let (start, first) = (Instant::now(), ticks());
    while start.elapsed() < Duration::from_millis(20) {
        std::hint::spin_loop();
    }
    start.elapsed().as_secs_f64() * 1e9 / (ticks() - first) as f64
}

/// What reading the counter twice costs at least, in ticks.
pub fn floor() -> u64 {
    let once = || {
        let first = ticks();
        ticks() - first
    };
    (0..10_000).map(|_| once()).min().unwrap_or(0)
}
