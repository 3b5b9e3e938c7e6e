//! Long copies: the C library's `memcpy`, but where it runs into a trap of the processor.
//!
//! From about 2 KiB to the size of the second-level cache glibc (before 2.39) copies by `rep movsb` where the
//! processor says that it is enhanced (ERMS). AMD's Zen 3 and 4 say so, but run it at 2 GB/s instead of 50 where
//! `(to - from) mod 4096` is a little more than 0 (1 to 16 measured, to 63 reported: glibc's bug 30994), and some
//! fifth slower wherever the two sides do not lie alike in a line of the cache. Large blocks of `malloc` start
//! 16 bytes after a page, ours on one: the ordinary get hits it.
//!
//! ```text
//!   AMD or Hygon, ERMS, AVX2;  2 KiB <= n <= second-level cache;  (to - from) mod 64 != 0   ──► own loop
//!   everything else                                                                         ──► memcpy
//! ```
//!
//! The choice is by what the processor says of itself (CPUID), asked once. Intel's `rep movsb` has no such trap,
//! and glibc's loops are as fast there as any of ours.
//!
//! Invariant **Y2**: the loop stores to aligned lines and loads the next 128 bytes before it stores these. So no
//! load waits for a store that only looks like its address, 4 KiB apart, and where `to` lies below `from` the two
//! may overlap.

use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Shorter copies are never made by `rep movsb`.
pub(super) const LEAST: usize = 2048;

/// The longest copy that falls into the trap; [`NONE`] where there is none, 0 before it was asked for.
static LONGEST: AtomicUsize = AtomicUsize::new(0);

/// Shorter than [`LEAST`].
const NONE: usize = 1;

/// What decides.
struct Facts {
    vendor: [u8; 12],
    erms: bool,
    avx2: bool,
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
        let extended = if base.eax >= 7 { __cpuid_count(7, 0).ebx } else { 0 };
        let caches = if __cpuid(0x8000_0000).eax >= 0x8000_0006 { __cpuid(0x8000_0006).ecx } else { 0 };
        Facts {
            vendor,
            erms: extended & 1 << 9 != 0,
            // Asks the system, too, whether it keeps the registers.
            avx2: std::arch::is_x86_feature_detected!("avx2"),
            l2: (caches >> 16) as usize * 1024,
        }
    }

    fn longest(&self) -> usize {
        let trap = matches!(&self.vendor, b"AuthenticAMD" | b"HygonGenuine") && self.erms && self.avx2;
        if trap { self.l2.max(512 << 10) } else { NONE }
    }
}

/// Whether such a copy is the loop's: `apart` is the target's address less the source's.
#[inline]
pub(super) fn is_trap(apart: usize, n: usize) -> bool {
    let mut longest = LONGEST.load(Relaxed);
    if longest == 0 {
        longest = Facts::of_this_processor().longest();
        LONGEST.store(longest, Relaxed);
    }
    n <= longest && !apart.is_multiple_of(64)
}

/// Copies `n` bytes.
///
/// # Safety
/// As for `bulk`, but `from` may overlap `to` from above. `n` is at least [`LEAST`], and the processor has AVX2.
pub(super) unsafe fn vectors(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: reads and writes the two ranges only, valid by contract: the first 64 and the last 128 bytes are loaded
    // first and stored last; between them the loops run from the first line of the target while 384, then 128
    // bytes are left. Every register it uses is declared.
    unsafe {
        std::arch::asm!(
            "vmovdqu ymm8, [rsi]",
            "vmovdqu ymm9, [rsi + 32]",
            "vmovdqu ymm10, [rsi + rdx - 128]",
            "vmovdqu ymm11, [rsi + rdx - 96]",
            "vmovdqu ymm12, [rsi + rdx - 64]",
            "vmovdqu ymm13, [rsi + rdx - 32]",
            "mov r9, rdi",
            "lea r8, [rdi + rdx - 384]",
            "lea rax, [rdi + 64]",
            "and rax, -64",
            "sub rax, rdi",
            "add rsi, rax",
            "add rdi, rax",
            "vmovdqu ymm0, [rsi]",
            "vmovdqu ymm1, [rsi + 32]",
            "vmovdqu ymm2, [rsi + 64]",
            "vmovdqu ymm3, [rsi + 96]",
            ".p2align 5",
            "2:",
            "vmovdqu ymm4, [rsi + 128]",
            "vmovdqu ymm5, [rsi + 160]",
            "vmovdqu ymm6, [rsi + 192]",
            "vmovdqu ymm7, [rsi + 224]",
            "vmovdqa [rdi], ymm0",
            "vmovdqa [rdi + 32], ymm1",
            "vmovdqa [rdi + 64], ymm2",
            "vmovdqa [rdi + 96], ymm3",
            "vmovdqu ymm0, [rsi + 256]",
            "vmovdqu ymm1, [rsi + 288]",
            "vmovdqu ymm2, [rsi + 320]",
            "vmovdqu ymm3, [rsi + 352]",
            "vmovdqa [rdi + 128], ymm4",
            "vmovdqa [rdi + 160], ymm5",
            "vmovdqa [rdi + 192], ymm6",
            "vmovdqa [rdi + 224], ymm7",
            "add rdi, 256",
            "add rsi, 256",
            "cmp rdi, r8",
            "jb 2b",
            // At most 384 bytes are left before the end, of which the last 128 are in registers.
            "add r8, 256",
            "3:",
            "cmp rdi, r8",
            "jae 4f",
            "vmovdqu ymm0, [rsi]",
            "vmovdqu ymm1, [rsi + 32]",
            "vmovdqa [rdi], ymm0",
            "vmovdqa [rdi + 32], ymm1",
            "add rdi, 64",
            "add rsi, 64",
            "jmp 3b",
            "4:",
            "vmovdqu [r9], ymm8",
            "vmovdqu [r9 + 32], ymm9",
            "vmovdqu [r9 + rdx - 128], ymm10",
            "vmovdqu [r9 + rdx - 96], ymm11",
            "vmovdqu [r9 + rdx - 64], ymm12",
            "vmovdqu [r9 + rdx - 32], ymm13",
            "vzeroupper",
            inout("rdi") to => _, inout("rsi") from => _, in("rdx") n,
            out("rax") _, out("r8") _, out("r9") _,
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _, out("ymm6") _,
            out("ymm7") _, out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _, out("ymm12") _,
            out("ymm13") _,
            options(nostack),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every start in a line on both sides, lengths around every boundary of the loops; nothing beside is written.
    #[test]
    fn the_loop_copies_what_it_should_and_no_more() {
        if !std::arch::is_x86_feature_detected!("avx2") {
            return;
        }
        let from: Vec<u8> = (0..9000_u32).map(|i| (i ^ (i >> 8)) as u8).collect();
        let mut to = vec![0_u8; 9000];
        for start in [0, 1, 8, 16, 31, 32, 33, 48, 63] {
            for end in (start..start + 64).step_by(5) {
                for n in (LEAST..LEAST + 520).step_by(7).chain([LEAST + 256, 4096, 8191]) {
                    to.fill(0xa5);
                    // SAFETY: both inside their vectors: at most 8191 + 127 bytes.
                    unsafe { vectors(to[end..].as_mut_ptr(), from[start..].as_ptr(), n) };
                    assert!(to[end..end + n] == from[start..start + n], "{start} {end} {n}");
                    assert!(to[..end].iter().chain(&to[end + n..]).all(|&b| b == 0xa5), "{start} {end} {n}");
                }
            }
        }
    }

    /// Y2: downwards in place.
    #[test]
    fn the_loop_moves_downwards_in_place() {
        if !std::arch::is_x86_feature_detected!("avx2") {
            return;
        }
        let before: Vec<u8> = (0..9000_u32).map(|i| (i ^ (i >> 8)) as u8).collect();
        for by in [1, 16, 31, 63, 65, 127, 129, 300, 3000] {
            for n in [LEAST, 2500, 4099, 5555] {
                let mut bytes = before.clone();
                let to = bytes.as_mut_ptr();
                // SAFETY: both inside the vector.
                unsafe { vectors(to, to.wrapping_add(by), n) };
                assert!(bytes[..n] == before[by..by + n] && bytes[n..] == before[n..], "{by} {n}");
            }
        }
    }

    #[test]
    fn the_loop_is_for_processors_with_the_trap() {
        let facts = |vendor: &[u8; 12], erms, avx2| Facts { vendor: *vendor, erms, avx2, l2: 1 << 20 };
        assert_eq!(facts(b"AuthenticAMD", true, true).longest(), 1 << 20);
        assert_eq!(facts(b"HygonGenuine", true, true).longest(), 1 << 20);
        for without in [
            facts(b"GenuineIntel", true, true),
            facts(b"AuthenticAMD", false, true),
            facts(b"AuthenticAMD", true, false),
        ] {
            assert!(without.longest() < LEAST);
        }
        assert!(Facts::of_this_processor().vendor.iter().all(u8::is_ascii), "CPUID's words in their order");
    }
}
