//! Moving bytes between private memory and memory that other PEs may be reading or writing.
//!
//! ```text
//!   store, load    one element             words: an aligned 1, 2, 4 or 8 bytes are one store or load
//!   put, get       elements in a row       one word, or bulk
//!   carry, fill    bytes of an own block    bulk, also where the two overlap; one byte over and over
//!   blocks         rows a stride apart     one bulk copy if they touch; words if they are single elements
//!   amo            one atomic operation    the processor's own (`amo`)
//! ```
//!
//! A Rust reference never points at shared memory, and no access to it is an ordinary one:
//!
//! * words: relaxed atomics, as wide as the element and the shared address allow, so never torn;
//! * bulk: the C library's `memcpy`, called from inline assembly. To the compiler it is opaque: it
//!   stands for "some relaxed copy, byte by byte", which is what the standard promises of a put. Where that
//!   function runs into a trap of the processor, or far below it, a loop of our own stands for it (`long`). Under
//!   Miri (and on processors without the assembly here) the same copy is made of words.
//!
//! What a copy yields for a word that another PE changes meanwhile is unspecified, as in the standard.
//!
//! Invariant **COPY-Y1**: no alignment is assumed that has not been checked; C programs hand over 16-byte elements
//! at multiples of 8, and private memory may lie anywhere.
//!
//! What every copy asks of its caller, **COPY-Y2**: the source is readable and the target writable, for all of it; they lie
//! apart (but in [`carry`]); and whoever else accesses the shared side meanwhile does so by this file, or by atomics.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "x86_64", not(miri)))]
pub(crate) mod long;

mod amo;

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

use bytemuck::Pod;

pub(crate) use self::amo::{amo, amo_load};

/// Elements larger than this are moved in bulk.
const LINE: usize = 64;

/// Copies one `T` out of shared memory.
///
/// # Safety
/// `from` is readable for the size of `T`.
#[inline]
pub(crate) unsafe fn load<T: Pod>(from: *const T) -> T {
    if !is_word_aligned(from) {
        // SAFETY: COPY-Y2.
        return unsafe { load_misaligned(from) };
    }
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: COPY-Y2; `value` is ours and as large.
    unsafe { elements::<T, false>(value.as_mut_ptr().cast(), from.cast(), [0, 0], 1) };
    // SAFETY: all bytes of it have been written, and any bytes are a valid T.
    unsafe { value.assume_init() }
}

/// Copies one `T` into shared memory.
///
/// # Safety
/// `to` is writable for the size of `T`.
#[inline]
pub(crate) unsafe fn store<T: Pod>(to: *mut T, value: T) {
    if !is_word_aligned(to) {
        // SAFETY: COPY-Y2.
        return unsafe { store_misaligned(to, value) };
    }
    // SAFETY: COPY-Y2; `value` is ours and as large.
    unsafe { elements::<T, true>(to.cast(), (&raw const value).cast(), [0, 0], 1) }
}

/// Whether a `T` there can be moved in words as wide as its alignment asks for.
#[inline]
fn is_word_aligned<T>(at: *const T) -> bool {
    at.addr().is_multiple_of(align_of::<T>().min(8))
}

// Out of line, so that a value that lies well never leaves its register.

#[cold]
#[inline(never)]
unsafe fn load_misaligned<T: Pod>(from: *const T) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: COPY-Y2; `value` is ours and as large.
    unsafe { bulk::<false>(value.as_mut_ptr().cast(), from.cast(), size_of::<T>()) };
    // SAFETY: all bytes of it have been written, and any bytes are a valid T.
    unsafe { value.assume_init() }
}

#[cold]
#[inline(never)]
unsafe fn store_misaligned<T: Pod>(to: *mut T, value: T) {
    // SAFETY: COPY-Y2; `value` is ours and as large.
    unsafe { bulk::<true>(to.cast(), (&raw const value).cast(), size_of::<T>()) }
}

/// Copies `n` elements into shared memory.
///
/// # Safety
/// `from` is readable and `to` writable for them, and they do not overlap.
#[inline]
pub(crate) unsafe fn put<T: Pod>(to: *mut T, from: *const T, n: usize) {
    // SAFETY: COPY-Y2.
    unsafe { row::<T, true>(to.cast(), from.cast(), n) }
}

/// Copies `n` elements out of shared memory.
///
/// # Safety
/// As for [`put`].
#[inline]
pub(crate) unsafe fn get<T: Pod>(to: *mut T, from: *const T, n: usize) {
    // SAFETY: COPY-Y2.
    unsafe { row::<T, false>(to.cast(), from.cast(), n) }
}

/// Copies `n` blocks of `len` elements, whose starts are `strides` elements apart, at the target and at
/// the source; into shared memory if `PUT`, else out of it.
///
/// # Safety
/// `from` is readable and `to` writable from their first to their last block, and they do not overlap. There is a
/// block and an element in it, and no stride is less than `len`.
#[inline]
pub(crate) unsafe fn blocks<T: Pod, const PUT: bool>(
    to: *mut u8,
    from: *const u8,
    strides: [usize; 2],
    len: usize,
    n: usize,
) {
    let steps = strides.map(|stride| stride * size_of::<T>());
    if strides == [len, len] {
        // SAFETY: COPY-Y2; the blocks touch on both sides.
        unsafe { row::<T, PUT>(to, from, len * n) }
    } else if len == 1 {
        // SAFETY: COPY-Y2.
        unsafe { elements::<T, PUT>(to, from, steps, n) }
    } else {
        for i in 0..n {
            let (to, from) = (to.wrapping_add(i * steps[0]), from.wrapping_add(i * steps[1]));
            // SAFETY: the start of block i on both sides.
            unsafe { row::<T, PUT>(to, from, len) }
        }
    }
}

/// Copies `n` elements, `steps` bytes apart at the target and at the source, in the widest words there can be.
///
/// # Safety
/// As for [`blocks`]; the steps are multiples of the element's size.
#[inline]
unsafe fn elements<T: Pod, const PUT: bool>(to: *mut u8, from: *const u8, steps: [usize; 2], n: usize) {
    let shared = if PUT { to.addr() } else { from.addr() };
    // No narrower than the element's alignment allows: what lies badly is rare, and goes in bulk.
    let fits = |word: usize| {
        word >= align_of::<T>().min(8) && size_of::<T>().is_multiple_of(word) && shared.is_multiple_of(word)
    };
    let by = |words: unsafe fn(*mut u8, *const u8, usize)| {
        for i in 0..n {
            // SAFETY: element i on both sides, at a multiple of the word as the first is: the steps are such multiples.
            unsafe { words(to.wrapping_add(i * steps[0]), from.wrapping_add(i * steps[1]), size_of::<T>()) }
        }
    };
    if size_of::<T>() > LINE {
        by(bulk::<PUT>)
    } else if fits(8) {
        by(words::<u64, PUT>)
    } else if fits(4) {
        by(words::<u32, PUT>)
    } else if fits(2) {
        by(words::<u16, PUT>)
    } else if fits(1) {
        by(words::<u8, PUT>)
    } else {
        by(bulk::<PUT>)
    }
}

/// Copies `n` elements in a row: as one word if they are an aligned 1, 2, 4 or 8 bytes.
///
/// # Safety
/// As for [`put`].
#[inline]
unsafe fn row<T: Pod, const PUT: bool>(to: *mut u8, from: *const u8, n: usize) {
    let shared = if PUT { to.addr() } else { from.addr() };
    let len = n * size_of::<T>();
    let one = |word: usize| word.is_multiple_of(size_of::<T>().max(1)) && shared.is_multiple_of(word);
    match len {
        // SAFETY: COPY-Y2; a byte is always aligned.
        1 if one(1) => unsafe { words::<u8, PUT>(to, from, 1) },
        // SAFETY: COPY-Y2; aligned as checked.
        2 if one(2) => unsafe { words::<u16, PUT>(to, from, 2) },
        // SAFETY: as above.
        4 if one(4) => unsafe { words::<u32, PUT>(to, from, 4) },
        // SAFETY: as above.
        8 if one(8) => unsafe { words::<u64, PUT>(to, from, 8) },
        // SAFETY: COPY-Y2.
        _ => unsafe { bulk::<PUT>(to, from, len) },
    }
}

/// Copies `len` bytes, a multiple of the word, by relaxed atomics on the shared side.
///
/// # Safety
/// `from` is readable and `to` writable for them, and they do not overlap; the shared side is a multiple of the
/// word.
#[inline(always)]
unsafe fn words<W: Word, const PUT: bool>(to: *mut u8, from: *const u8, len: usize) {
    for at in (0..len).step_by(size_of::<W>()) {
        let (to, from) = (to.wrapping_add(at).cast::<W>(), from.wrapping_add(at).cast::<W>());
        if PUT {
            // SAFETY: COPY-Y2; private memory may lie anywhere.
            let word = unsafe { from.read_unaligned() };
            // SAFETY: COPY-Y2.
            unsafe { W::store(to, word) }
        } else {
            // SAFETY: COPY-Y2.
            let word = unsafe { W::load(from) };
            // SAFETY: COPY-Y2; private memory may lie anywhere.
            unsafe { to.write_unaligned(word) }
        }
    }
}

/// What one store or load moves.
trait Word: Copy {
    /// # Safety
    /// `at` is writable, and a multiple of the word.
    unsafe fn store(at: *mut Self, word: Self);
    /// # Safety
    /// `at` is readable, and a multiple of the word.
    unsafe fn load(at: *const Self) -> Self;
}

macro_rules! word {
    ($($word:ty = $atomic:ty),*) => {$(
        impl Word for $word {
            #[inline(always)]
            unsafe fn store(at: *mut Self, word: Self) {
                // SAFETY: COPY-Y2; aligned, as our caller has checked (COPY-Y1).
                unsafe { <$atomic>::from_ptr(at) }.store(word, Relaxed)
            }
            #[inline(always)]
            unsafe fn load(at: *const Self) -> Self {
                // SAFETY: COPY-Y2; aligned, as our caller has checked (COPY-Y1); it is not written.
                unsafe { <$atomic>::from_ptr(at.cast_mut()) }.load(Relaxed)
            }
        }
    )*};
}

word!(u8 = AtomicU8, u16 = AtomicU16, u32 = AtomicU32, u64 = AtomicU64);

/// Moves `n` bytes of this PE's to where they belong now; the two ranges may overlap.
///
/// # Safety
/// `from` is readable and `to` writable for `n` bytes, both this PE's own, and nobody else uses either meanwhile.
pub(crate) unsafe fn carry(to: *mut u8, from: *const u8, n: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if n >= long::LEAST {
        let apart = to.addr().wrapping_sub(from.addr());
        // Not where a part of the source would be overwritten before it is read.
        if apart >= n && long::is_ours(apart, n) {
            // SAFETY: COPY-Y2; the target lies below the source or past its end.
            return unsafe { long::copy(to, from, n) };
        }
    }
    // SAFETY: COPY-Y2.
    unsafe { to.copy_from(from, n) }
}

/// Sets `n` bytes of this PE's.
///
/// # Safety
/// `at` is writable for `n` bytes, and nobody else uses them meanwhile.
pub(crate) unsafe fn fill(at: *mut u8, byte: u8, n: usize) {
    // The C library's memset: it reads nothing, so there is no trap for it.
    // SAFETY: COPY-Y2.
    unsafe { at.write_bytes(byte, n) }
}

/// Copies `n` bytes into shared memory, or out of it.
///
/// # Safety
/// `from` is readable and `to` writable for `n` bytes, and they do not overlap.
#[inline]
unsafe fn bulk<const PUT: bool>(to: *mut u8, from: *const u8, n: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if n < long::LEAST {
        // SAFETY: COPY-Y2.
        unsafe { memcpy(to, from, n) }
    } else {
        // SAFETY: COPY-Y2.
        unsafe { bulk_long(to, from, n) }
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    {
        let shared = if PUT { to.addr() } else { from.addr() };
        let head = n.min(shared.wrapping_neg() % 8);
        let body = (n - head) / 8 * 8;
        for (at, len, by) in [
            (0, head, words::<u8, PUT> as unsafe fn(*mut u8, *const u8, usize)),
            (head, body, words::<u64, PUT>),
            (head + body, n - head - body, words::<u8, PUT>),
        ] {
            // SAFETY: a part of the range; the shared side of the body is at a multiple of 8.
            unsafe { by(to.wrapping_add(at), from.wrapping_add(at), len) }
        }
    }
}

/// As [`bulk`], for at least [`long::LEAST`] bytes.
///
/// # Safety
/// As for [`bulk`].
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(never)]
unsafe fn bulk_long(to: *mut u8, from: *const u8, n: usize) {
    if long::is_ours(to.addr().wrapping_sub(from.addr()), n) {
        // SAFETY: COPY-Y2.
        unsafe { long::copy(to, from, n) }
    } else {
        // SAFETY: COPY-Y2.
        unsafe { memcpy(to, from, n) }
    }
}

/// The C library's.
///
/// # Safety
/// As for [`bulk`].
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
unsafe fn memcpy(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: a call of memcpy with the arguments it takes, valid by COPY-Y2; every register and the
    // memory a C function may change are declared changed.
    unsafe {
        std::arch::asm!(
            "call qword ptr [rip + {memcpy}@GOTPCREL]",
            memcpy = sym libc::memcpy,
            inlateout("rdi") to => _, inlateout("rsi") from => _, inlateout("rdx") n => _,
            clobber_abi("C"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_every_width() {
        fn round_trip<T: Pod + PartialEq + std::fmt::Debug>(v: T) {
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
        round_trip([7u64; 9]);
        round_trip(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10u128);
    }

    /// COPY-Y1: the same bytes arrive, and no others change, wherever the two sides lie.
    #[test]
    fn any_type_at_any_alignment_on_both_sides() {
        fn at<T: Pod>(starts: [usize; 2], strides: [usize; 2], len: usize, n: usize) {
            let from: Vec<u8> = (0..4096).map(|i| (i % 251) as u8).collect();
            let untouched = vec![0xff_u8; 4096];
            let mut expected = untouched.clone();
            for block in 0..n {
                let [t, f] = [0, 1].map(|side| starts[side] + block * strides[side] * size_of::<T>());
                let bytes = len * size_of::<T>();
                expected[t..t + bytes].copy_from_slice(&from[f..f + bytes]);
            }
            let mut put = untouched.clone();
            let (to, src) = (put[starts[0]..].as_mut_ptr(), from[starts[1]..].as_ptr());
            // SAFETY: both lie inside their vectors, as the model has just shown.
            unsafe { blocks::<T, true>(to, src, strides, len, n) };
            assert_eq!(put, expected, "put, {} bytes: {starts:?} {strides:?} {len} {n}", size_of::<T>());
            let mut got = untouched.clone();
            let (to, src) = (got[starts[0]..].as_mut_ptr(), from[starts[1]..].as_ptr());
            // SAFETY: as above.
            unsafe { blocks::<T, false>(to, src, strides, len, n) };
            assert_eq!(got, expected, "get, {} bytes: {starts:?} {strides:?} {len} {n}", size_of::<T>());
        }
        let starts = if cfg!(miri) { [0, 1, 4, 8].as_slice() } else { &[0, 1, 2, 3, 4, 5, 6, 7, 8, 16] };
        for pair in starts.iter().flat_map(|&t| starts.iter().map(move |&f| [t, f])) {
            for (strides, len, n) in
                [([1, 1], 1, 5), ([2, 1], 1, 5), ([1, 3], 1, 4), ([3, 4], 2, 3), ([5, 5], 5, 3)]
            {
                at::<u8>(pair, strides, len, n);
                at::<u16>(pair, strides, len, n);
                at::<u32>(pair, strides, len, n);
                at::<u64>(pair, strides, len, n);
                at::<u128>(pair, strides, len, n);
                at::<[u8; 3]>(pair, strides, len, n);
                at::<[u32; 2]>(pair, strides, len, n);
                at::<[u64; 9]>(pair, strides, len, n);
            }
        }
    }

    /// What memmove does, wherever the two lie.
    #[test]
    fn carried_bytes_may_overlap() {
        let before: Vec<u8> = (0..12_000_u32).map(|i| (i ^ (i >> 8)) as u8).collect();
        for n in [1, 100, 2047, 2048, 5000] {
            for (to, from) in
                [(0, 6000), (16, 6000), (6000, 16), (0, 1), (1, 0), (16, 0), (0, 2016), (3000, 0)]
            {
                let mut bytes = before.clone();
                let mut expected = before.clone();
                expected.copy_within(from..from + n, to);
                let start = bytes.as_mut_ptr();
                // SAFETY: both inside the vector, which is ours.
                unsafe { carry(start.wrapping_add(to), start.wrapping_add(from), n) };
                assert!(bytes == expected, "{n} from {from} to {to}");
            }
        }
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
