//! Moving bytes between private memory and memory that other PEs may be reading or writing.
//!
//! A Rust reference never points at such memory, and no access to it is an ordinary one:
//!
//! * one element: relaxed atomics of width `min(alignment, 8)`, so an aligned 1, 2, 4 or 8 bytes are
//!   one load or store and never torn;
//! * many: the C library's `memcpy`, called from inline assembly. To the compiler it is opaque: it
//!   stands for "some relaxed copy, byte by byte", which is what the standard promises of a put. Under
//!   Miri (and on processors without the assembly here) the same copy is made of relaxed atomics.
//!
//! What a bulk copy yields for a word that another PE changes meanwhile is unspecified, as in the standard.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Copies one `T` out of shared memory.
///
/// # Safety
/// `from` is aligned for `T` and readable for its size; `T` is plain data valid for any bytes.
#[inline]
pub(crate) unsafe fn load<T: bytemuck::Pod>(from: *const T) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: by contract `from` can be read at T's alignment; `value` is ours and as large.
    unsafe { words::<T, true>(from.cast_mut().cast(), value.as_mut_ptr().cast()) };
    // SAFETY: all bytes of it have been written, and any bytes are a valid T.
    unsafe { value.assume_init() }
}

/// Copies one `T` into shared memory.
///
/// # Safety
/// `to` is aligned for `T` and writable for its size.
#[inline]
pub(crate) unsafe fn store<T: bytemuck::Pod>(to: *mut T, mut value: T) {
    // SAFETY: by contract `to` can be written at T's alignment; `value` is ours and as large.
    unsafe { words::<T, false>(to.cast(), (&raw mut value).cast()) }
}

/// Copies a `T` between `shared` and `private` in relaxed atomics of the width its alignment allows.
///
/// # Safety
/// Both are valid for `size_of::<T>()` bytes and aligned for `T`; `private` is touched by nobody else.
#[inline]
unsafe fn words<T, const LOAD: bool>(shared: *mut u8, private: *mut u8) {
    macro_rules! by {
        ($atomic:ty, $word:ty) => {
            for i in 0..size_of::<T>() / size_of::<$word>() {
                // SAFETY: inside the object, whose size is a multiple of its alignment.
                let p = unsafe { private.cast::<$word>().add(i) };
                // SAFETY: as above, at the other end.
                let s = unsafe { shared.cast::<$word>().add(i) };
                // SAFETY: aligned for the word, valid by contract, accessed by atomics only.
                let s = unsafe { <$atomic>::from_ptr(s) };
                if LOAD {
                    // SAFETY: private memory of ours.
                    unsafe { p.write(s.load(Relaxed)) }
                } else {
                    // SAFETY: private memory of ours.
                    s.store(unsafe { p.read() }, Relaxed)
                }
            }
        };
    }
    match align_of::<T>() {
        1 => by!(AtomicU8, u8),
        2 => by!(AtomicU16, u16),
        4 => by!(AtomicU32, u32),
        _ => by!(AtomicU64, u64),
    }
}

/// Copies `n` bytes into shared memory, or out of it.
///
/// # Safety
/// `from` is readable and `to` writable for `n` bytes, and they do not overlap.
#[inline]
unsafe fn bulk<const TO_SHARED: bool>(to: *mut u8, from: *const u8, n: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a call of memcpy with the arguments it takes, by contract valid; every register and the
    // memory a C function may change are declared changed.
    unsafe {
        std::arch::asm!(
            "call qword ptr [rip + {memcpy}@GOTPCREL]",
            memcpy = sym libc::memcpy,
            inlateout("rdi") to => _, inlateout("rsi") from => _, inlateout("rdx") n => _,
            clobber_abi("C"),
        );
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    // SAFETY: by contract.
    unsafe {
        bulk_by_words::<TO_SHARED>(to, from, n)
    }
}

/// [`bulk`] with the shared side accessed by relaxed atomics, the private one plainly.
///
/// # Safety
/// As for [`bulk`].
#[cfg(any(not(target_arch = "x86_64"), miri))]
unsafe fn bulk_by_words<const TO_SHARED: bool>(to: *mut u8, from: *const u8, n: usize) {
    let aligned = |i: usize| (to as usize + i) % 8 == 0 && (from as usize + i) % 8 == 0;
    let mut i = 0;
    while i < n {
        // SAFETY: i < n.
        let (d, s) = unsafe { (to.add(i), from.add(i)) };
        let (shared, private) = if TO_SHARED { (d, s.cast_mut()) } else { (s.cast_mut(), d) };
        if n - i >= 8 && aligned(i) {
            // SAFETY: aligned, and eight bytes are left on both sides.
            unsafe { word::<u64, TO_SHARED>(shared.cast(), private.cast()) };
            i += 8;
        } else {
            // SAFETY: one byte is left at least.
            unsafe { word::<u8, TO_SHARED>(shared, private) };
            i += 1;
        }
    }
}

/// One word between a shared and a private place.
///
/// # Safety
/// Both are valid and aligned; `private` is read only if `TO_SHARED`.
#[cfg(any(not(target_arch = "x86_64"), miri))]
unsafe fn word<W: bytemuck::Pod, const TO_SHARED: bool>(shared: *mut W, private: *mut W) {
    if TO_SHARED {
        // SAFETY: by contract.
        let value = unsafe { private.read() };
        // SAFETY: by contract.
        unsafe { store(shared, value) }
    } else {
        // SAFETY: by contract.
        let value = unsafe { load(shared) };
        // SAFETY: by contract.
        unsafe { private.write(value) }
    }
}

/// Copies `src` to `to` in shared memory: one store where it is one element no larger than a word.
///
/// # Safety
/// `to` is aligned for `T`, writable for `src.len()` elements, and does not overlap `src`.
#[inline]
pub(crate) unsafe fn put<T: bytemuck::Pod>(to: *mut T, src: &[T]) {
    if let [one] = src
        && size_of::<T>() <= 8
    {
        // SAFETY: by contract.
        unsafe { store(to, *one) }
    } else {
        // SAFETY: by contract.
        unsafe { bulk::<true>(to.cast(), src.as_ptr().cast(), size_of_val(src)) }
    }
}

/// Copies `dst.len()` elements from shared memory: one load where it is one element no larger than a word.
///
/// # Safety
/// `from` is aligned for `T`, readable for `dst.len()` elements, and does not overlap `dst`.
#[inline]
pub(crate) unsafe fn get<T: bytemuck::Pod>(from: *const T, dst: &mut [T]) {
    if let [one] = dst
        && size_of::<T>() <= 8
    {
        // SAFETY: by contract.
        *one = unsafe { load(from) };
    } else {
        // SAFETY: by contract.
        unsafe { bulk::<false>(dst.as_mut_ptr().cast(), from.cast(), size_of_val(dst)) }
    }
}

macro_rules! one_word_or_bulk {
    ($shared:expr, $n:expr, $word:ident => $one:expr, $many:expr) => {
        match $n {
            1 => {
                type $word = u8;
                $one
            }
            2 if $shared.cast::<u16>().is_aligned() => {
                type $word = u16;
                $one
            }
            4 if $shared.cast::<u32>().is_aligned() => {
                type $word = u32;
                $one
            }
            8 if $shared.cast::<u64>().is_aligned() => {
                type $word = u64;
                $one
            }
            _ => $many,
        }
    };
}

/// Copies `n` bytes into shared memory: one store if they are an aligned 1, 2, 4 or 8.
///
/// # Safety
/// `src` is readable and `to` writable for `n` bytes, and they do not overlap.
#[inline]
pub(crate) unsafe fn bytes_put(to: *mut u8, src: *const u8, n: usize) {
    one_word_or_bulk!(to, n, Word => {
            // SAFETY: by contract.
            let word = unsafe { src.cast::<Word>().read_unaligned() };
            // SAFETY: by contract, and aligned as just checked.
            unsafe { store(to.cast::<Word>(), word) }
        },
        // SAFETY: by contract.
        unsafe { bulk::<true>(to, src, n) })
}

/// Copies `n` bytes out of shared memory: one load if they are an aligned 1, 2, 4 or 8.
///
/// # Safety
/// As for [`bytes_put`], the other way round.
#[inline]
pub(crate) unsafe fn bytes_get(to: *mut u8, from: *const u8, n: usize) {
    one_word_or_bulk!(from, n, Word => {
            // SAFETY: by contract, and aligned as just checked.
            let word = unsafe { load(from.cast::<Word>()) };
            // SAFETY: by contract.
            unsafe { to.cast::<Word>().write_unaligned(word) }
        },
        // SAFETY: by contract.
        unsafe { bulk::<false>(to, from, n) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_every_width() {
        fn round_trip<T: bytemuck::Pod + PartialEq + std::fmt::Debug>(v: T) {
            let mut cell = <T as bytemuck::Zeroable>::zeroed();
            // SAFETY: a local of the right type.
            unsafe { store(&raw mut cell, v) };
            // SAFETY: as above.
            assert_eq!(unsafe { load(&raw const cell) }, v);
        }
        round_trip(0xa5u8);
        round_trip(0xa5a5u16);
        round_trip(-7i32);
        round_trip(1.5f64);
        round_trip([1u32, 2]);
        round_trip([1u8, 2, 3]);
        round_trip([[1u64, 2], [3, 4]]);
        round_trip(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10u128);
    }

    #[test]
    fn bulk_of_odd_lengths_and_alignments() {
        let src: Vec<u8> = (0..200).map(|i| i as u8).collect();
        for start in 0..9 {
            for n in [0, 1, 7, 8, 9, 63, 64, 65, 128] {
                let mut dst = vec![0xffu8; 256];
                // SAFETY: both lie inside their vectors.
                unsafe { bulk::<true>(dst[start + 1..].as_mut_ptr(), src[start..].as_ptr(), n) };
                assert_eq!(dst[start + 1..start + 1 + n], src[start..start + n]);
                assert!(dst[..=start].iter().chain(&dst[start + 1 + n..]).all(|&b| b == 0xff));
            }
        }
    }
}
