//! The loops of long copies, in assembly: to the compiler each is some relaxed copy, byte by byte, like the C library's.
//!
//! ```text
//!   from   | head |         |  now stored   | loaded ahead  |       | tail |
//!   to     | head | a line  |  now stored   |                       | tail |
//!          first loaded,    aligned, 128 or 256 bytes a round       first loaded,
//!          last stored                                              last stored
//! ```
//!
//! They keep COPY-Y3 (`long`).

/// Copies `n` bytes by halves of lines.
///
/// # Safety
/// As for `bulk`, but `from` may overlap `to` from above. `n` is at least [`LEAST`](crate::memory::copy::long::LEAST), and the processor has
/// AVX2.
pub(super) unsafe fn halves(to: *mut u8, from: *const u8, n: usize) {
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

/// Copies `n` bytes by lines.
///
/// # Safety
/// As for `bulk`, but `from` may overlap `to` from above. `n` is at least [`LEAST`](crate::memory::copy::long::LEAST), and the processor has
/// AVX-512F.
pub(super) unsafe fn lines(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: reads and writes the two ranges only, valid by contract: the first 64 and the last 384 bytes are loaded
    // first and stored last; between them the loop runs from the first line of the target while more than 384 are
    // left, and loads no further ahead than that. Every register it uses is declared (an xmm stands for its zmm).
    unsafe {
        std::arch::asm!(
            "vmovdqu64 zmm4, [rsi]",
            "vmovdqu64 zmm5, [rsi + rdx - 384]",
            "vmovdqu64 zmm6, [rsi + rdx - 320]",
            "vmovdqu64 zmm7, [rsi + rdx - 256]",
            "vmovdqu64 zmm8, [rsi + rdx - 192]",
            "vmovdqu64 zmm9, [rsi + rdx - 128]",
            "vmovdqu64 zmm10, [rsi + rdx - 64]",
            "mov r9, rdi",
            "lea r8, [rdi + rdx - 384]",
            "lea rax, [rdi + 64]",
            "and rax, -64",
            "sub rax, rdi",
            "add rsi, rax",
            "add rdi, rax",
            "vmovdqu64 zmm0, [rsi]",
            "vmovdqu64 zmm1, [rsi + 64]",
            ".p2align 5",
            "2:",
            "vmovdqu64 zmm2, [rsi + 128]",
            "vmovdqu64 zmm3, [rsi + 192]",
            "vmovdqa64 [rdi], zmm0",
            "vmovdqa64 [rdi + 64], zmm1",
            "vmovdqu64 zmm0, [rsi + 256]",
            "vmovdqu64 zmm1, [rsi + 320]",
            "vmovdqa64 [rdi + 128], zmm2",
            "vmovdqa64 [rdi + 192], zmm3",
            "add rdi, 256",
            "add rsi, 256",
            "cmp rdi, r8",
            "jb 2b",
            "vmovdqu64 [r8], zmm5",
            "vmovdqu64 [r8 + 64], zmm6",
            "vmovdqu64 [r8 + 128], zmm7",
            "vmovdqu64 [r8 + 192], zmm8",
            "vmovdqu64 [r8 + 256], zmm9",
            "vmovdqu64 [r8 + 320], zmm10",
            "vmovdqu64 [r9], zmm4",
            "vzeroupper",
            inout("rdi") to => _, inout("rsi") from => _, in("rdx") n,
            out("rax") _, out("r8") _, out("r9") _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _,
            out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _,
            options(nostack),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::memory::copy::long::LEAST;

    type Loop = unsafe fn(*mut u8, *const u8, usize);

    /// The loops that this processor can run.
    fn loops() -> Vec<(&'static str, Loop)> {
        let mut loops: Vec<(&str, Loop)> = Vec::new();
        if std::arch::is_x86_feature_detected!("avx2") {
            loops.push(("halves", super::halves));
        }
        if std::arch::is_x86_feature_detected!("avx512f") {
            loops.push(("lines", super::lines));
        }
        loops
    }

    /// Every start in a line on both sides, lengths around every boundary of the loops; nothing beside is written.
    #[test]
    fn a_loop_copies_what_it_should_and_no_more() {
        let from: Vec<u8> = (0..9000_u32).map(|i| (i ^ (i >> 8)) as u8).collect();
        let mut to = vec![0_u8; 9000];
        for (name, copy) in loops() {
            for start in [0, 1, 8, 16, 31, 32, 33, 48, 63] {
                for end in (start..start + 64).step_by(5) {
                    for n in (LEAST..LEAST + 520).step_by(7).chain([LEAST + 256, 4096, 8191]) {
                        to.fill(0xa5);
                        // SAFETY: both inside their vectors: at most 8191 + 127 bytes.
                        unsafe { copy(to[end..].as_mut_ptr(), from[start..].as_ptr(), n) };
                        assert!(to[end..end + n] == from[start..start + n], "{name} {start} {end} {n}");
                        assert!(
                            to[..end].iter().chain(&to[end + n..]).all(|&b| b == 0xa5),
                            "{name} {start} {end} {n}"
                        );
                    }
                }
            }
        }
    }

    /// COPY-Y3: downwards in place.
    #[test]
    fn a_loop_moves_downwards_in_place() {
        let before: Vec<u8> = (0..9000_u32).map(|i| (i ^ (i >> 8)) as u8).collect();
        for (name, copy) in loops() {
            for by in [1, 16, 31, 63, 65, 127, 129, 300, 3000] {
                for n in [LEAST, 2500, 4099, 5555] {
                    let mut bytes = before.clone();
                    let to = bytes.as_mut_ptr();
                    // SAFETY: both inside the vector.
                    unsafe { copy(to, to.wrapping_add(by), n) };
                    assert!(bytes[..n] == before[by..by + n] && bytes[n..] == before[n..], "{name} {by} {n}");
                }
            }
        }
    }

    /// Nothing is read past the source: it ends where its page does, and no page follows.
    #[test]
    fn a_loop_reads_no_further_than_it_copies() {
        use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};
        let page = rustix::param::page_size();
        // SAFETY: a mapping at an address of the kernel's choice.
        let pages =
            unsafe { mmap_anonymous(std::ptr::null_mut(), 4 * page, ProtFlags::READ, MapFlags::PRIVATE) }
                .expect("some pages");
        let end = pages.cast::<u8>().cast_const().wrapping_add(3 * page);
        // SAFETY: the last page of this mapping, which nothing uses.
        unsafe { mprotect(end.cast_mut().cast(), page, MprotectFlags::empty()) }
            .expect("a page can be made inaccessible");
        let mut to = vec![1_u8; 3 * page];
        for (name, copy) in loops() {
            for n in (LEAST..LEAST + 520).chain([2 * page, 3 * page - 64]) {
                for at in [0, 17, 63] {
                    // SAFETY: the source lies in the first three pages, the target in the vector.
                    unsafe { copy(to[at..].as_mut_ptr(), end.wrapping_sub(n), n) };
                    assert!(to[at..at + n].iter().all(|&byte| byte == 0), "{name} {n}");
                    to.fill(1);
                }
            }
        }
    }
}
