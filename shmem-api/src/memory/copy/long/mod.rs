//! Long copies: the C library's `memcpy`, but where a loop of ours is the better one.
//!
//! From about 2 KiB to the size of the second-level cache glibc (before 2.39) copies by `rep movsb` where the
//! processor says that it is enhanced (ERMS). AMD's Zen 3 and 4 say so, but run it at 2 GB/s instead of 50 where
//! `(to - from) mod 4096` is a little more than 0 (1 to 16 measured, to 63 reported: glibc's bug 30994), and some
//! fifth slower wherever the two sides do not lie alike in a line of the cache. Large blocks of `malloc` start
//! 16 bytes after a page, ours on one: the ordinary get hits it. Zen 5 has no such trap, but copies at half the speed
//! of a loop of whole lines (AVX-512) while both sides lie in the first-level cache, and at three quarters of it in the
//! second. Intel's later processors gain up to a quarter by it.
//!
//! ```text
//!   (to - from) mod 64 == 0                                                               ──► memcpy
//!   else  AMD before Zen 5 with ERMS      2 KiB <= n <= second-level cache   AVX-512      ──► lines of 64 bytes
//!                                                                            AVX2         ──► halves of lines
//!         AVX-512 at full clock           4 KiB <= n <= 24 KiB                            ──► lines of 64 bytes
//!         everything else                                                                 ──► memcpy
//! ```
//!
//! The choice is by what the processor says of itself (CPUID), asked once; `aliases` (docs/BENCHMARKS.md) measures it.
//!
//! Invariant **COPY-Y3**: the loops (`loops`) store to aligned lines and load the next 128 bytes before they store these. So
//! no load waits for a store that only looks like its address, 4 KiB apart, and where `to` lies below `from` the two
//! may overlap.

pub(crate) mod loops;

use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Shorter copies are never ours: `memcpy` is as good, and is not done by `rep movsb`.
pub(super) const LEAST: usize = 2048;

/// Where lines of 64 bytes beat `memcpy` on processors without the trap: to half of a first-level cache of 48 KiB, which
/// is what the processors measured have.
const IN_CACHE: Choice = Choice { least: 4096, longest: 24 << 10, lines: true };

/// The [`Choice`] of this processor in one word, 0 before it was made.
static CHOICE: AtomicUsize = AtomicUsize::new(0);

/// Which copies are ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Choice {
    /// The shortest; at least [`LEAST`].
    least: usize,
    /// The longest; 0 for none.
    longest: usize,
    /// Lines of 64 bytes, not halves.
    lines: bool,
}

impl Choice {
    const NONE: Choice = Choice { least: LEAST, longest: 0, lines: false };

    #[inline]
    fn of_this_processor() -> Choice {
        match CHOICE.load(Relaxed) {
            0 => Choice::make(),
            word => Choice { least: word >> 1 & 0xffff, longest: word >> 17, lines: word & 1 != 0 },
        }
    }

    #[cold]
    fn make() -> Choice {
        let choice = Facts::of_this_processor().choice();
        // Never 0: there is a shortest.
        CHOICE.store(choice.longest << 17 | choice.least << 1 | usize::from(choice.lines), Relaxed);
        choice
    }
}

/// What decides.
#[derive(Clone, Copy)]
struct Facts {
    vendor: [u8; 12],
    family: u32,
    erms: bool,
    avx2: bool,
    /// AVX-512 of a generation that does not lower its clock for it: Ice Lake, Zen 4 and later.
    avx512: bool,
    /// Bytes of the second-level cache.
    l2: usize,
}

impl Facts {
    fn of_this_processor() -> Facts {
        let base = __cpuid(0);
        let mut vendor = [0; 12];
        for (to, word) in vendor.chunks_mut(4).zip([base.ebx, base.edx, base.ecx]) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        let version = __cpuid(1).eax;
        let extended = if base.eax >= 7 { __cpuid_count(7, 0).ebx } else { 0 };
        let caches = if __cpuid(0x8000_0000).eax >= 0x8000_0006 { __cpuid(0x8000_0006).ecx } else { 0 };
        Facts {
            vendor,
            family: (version >> 8 & 0xf) + (version >> 20 & 0xff),
            erms: extended & 1 << 9 != 0,
            // These ask the system, too, whether it keeps the registers.
            avx2: std::arch::is_x86_feature_detected!("avx2"),
            avx512: std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vbmi2"),
            l2: (caches >> 16) as usize * 1024,
        }
    }

    fn choice(&self) -> Choice {
        const ZEN_5: u32 = 0x1a;
        let amd = matches!(&self.vendor, b"AuthenticAMD" | b"HygonGenuine");
        if amd && self.family < ZEN_5 && self.erms && self.avx2 {
            Choice { least: LEAST, longest: self.l2.max(512 << 10), lines: self.avx512 }
        } else if self.avx512 {
            IN_CACHE
        } else {
            Choice::NONE
        }
    }
}

/// Whether such a copy is ours: `apart` is the target's address less the source's, `n` at least [`LEAST`].
#[inline]
pub(super) fn is_ours(apart: usize, n: usize) -> bool {
    let choice = Choice::of_this_processor();
    !apart.is_multiple_of(64) && n >= choice.least && n <= choice.longest
}

/// Copies `n` bytes.
///
/// # Safety
/// As for `bulk`, but `from` may overlap `to` from above. It [`is_ours`].
#[inline]
pub(super) unsafe fn copy(to: *mut u8, from: *const u8, n: usize) {
    if Choice::of_this_processor().lines {
        // SAFETY: COPY-Y2; lines are chosen where the processor has AVX-512.
        unsafe { loops::lines(to, from, n) }
    } else {
        // SAFETY: COPY-Y2; a copy is ours only where the processor has AVX2.
        unsafe { loops::halves(to, from, n) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPYC: Facts =
        Facts { vendor: *b"AuthenticAMD", family: 0x19, erms: true, avx2: true, avx512: false, l2: 1 << 20 };

    #[test]
    fn processors_with_the_trap_never_reach_it() {
        let zen = |longest| Choice { least: LEAST, longest, lines: false };
        assert_eq!(EPYC.choice(), zen(1 << 20));
        assert_eq!(Facts { vendor: *b"HygonGenuine", ..EPYC }.choice(), zen(1 << 20));
        assert_eq!(Facts { l2: 0, ..EPYC }.choice(), zen(512 << 10), "a processor that does not say");
        assert_eq!(Facts { avx512: true, ..EPYC }.choice(), Choice { lines: true, ..zen(1 << 20) });
    }

    #[test]
    fn the_others_take_lines_in_their_first_level_cache_or_memcpy() {
        let zen_5 = Facts { family: 0x1a, avx512: true, ..EPYC };
        let xeon = Facts { vendor: *b"GenuineIntel", family: 6, ..zen_5 };
        for with in [zen_5, xeon, Facts { erms: false, ..EPYC }, Facts { family: 0x17, erms: false, ..EPYC }]
        {
            let expected = if with.avx512 { IN_CACHE } else { Choice::NONE };
            assert_eq!(with.choice(), expected);
        }
        for without in
            [Facts { avx512: false, ..zen_5 }, Facts { avx512: false, ..xeon }, Facts { avx2: false, ..EPYC }]
        {
            assert_eq!(without.choice(), Choice::NONE);
        }
    }

    #[test]
    fn this_processor_is_asked_once_and_answers() {
        let facts = Facts::of_this_processor();
        assert!(facts.vendor.iter().all(u8::is_ascii) && facts.family > 0, "CPUID's words in their order");
        assert_eq!(Choice::make(), facts.choice());
        assert_eq!(Choice::of_this_processor(), facts.choice(), "out of its word");
        assert!(!is_ours(64, LEAST) && !is_ours(16, usize::MAX));
    }
}
