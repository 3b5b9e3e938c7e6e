//! Atomics (OpenSHMEM 1.6, 9.8): one word of a PE, changed or read as one step.
//!
//! A word is changed by this processor's own atomic instruction on the peer's memory, so the operation is
//! done when the call returns, and the non-blocking forms are the blocking ones. A word on another host is changed there in the same way:
//! what fetches returns with the value; what does not is posted, as a put is, and is done after a quiet. Atomics are atomic towards each
//! other, towards waits, and towards signals; whichever context and team they are on.
//!
//! | operation | order | the rule it serves |
//! |---|---|---|
//! | read-modify-write, set | acquire and release | data put and fenced before a flag is seen with the flag |
//! | fetch | acquire | whoever fetches the flag sees the data |
//!
//! The standard asks for these orders only where a fence stands between data and flag; with release a program that
//! forgot it works here as it does on x86-64, where a locked instruction is a full fence at no extra cost. `set`
//! is an exchange, not a store, since the atomic must be done before the look for a sleeper
//! ([`wait`](crate::sync::wait), WAIT-B1).

use crate::raw::routines::routines;
use crate::types::amo::AmoOp;
use crate::types::elem::{AmoBit, AmoInt, AmoSwap};

/// One operation, as [`Call::amo`](crate::call::Call::amo) does it.
macro_rules! change {
    ($call:ident, $dest:ident, $pe:ident, $op:expr) => {
        // SAFETY: RAW-R3: the word is changed atomically only, and by its type.
        unsafe { $call.amo($dest, $pe, $op) }
    };
}

/// The same, where nobody wants to know what was there.
macro_rules! post {
    ($call:ident, $dest:ident, $pe:ident, $op:expr) => {
        // SAFETY: RAW-R3: the word is changed atomically only, and by its type.
        unsafe { $call.amo_post($dest, $pe, $op) }
    };
}

/// Writes what an operation fetched to where the caller wants it.
macro_rules! fetched {
    ($fetch:ident = $op:ident($call:ident $(, $arg:ident)*)) => {{
        // Before anything is changed.
        $call.can_leave($fetch);
        // SAFETY: RAW-R3, which our caller has promised.
        let old = unsafe { $op($call $(, $arg)*) };
        // SAFETY: RAW-R2 for `fetch`.
        unsafe { $call.leave($fetch, old) }
    }};
}

routines! {
    /// The value of `source` on `pe` (`shmem_atomic_fetch`).
    ///
    /// # Safety
    /// `source` lies in a live object; on `pe` no Rust reference to it exists, and all that changes it is atomic and
    /// of this type. The World stays up during the call.
    fn atomic_fetch / ctx_atomic_fetch<T: AmoSwap>(call, source: *const T, pe: i32) -> T {
        change!(call, source, pe, AmoOp::Load)
    }

    /// Sets `dest` on `pe` to `value` (`shmem_atomic_set`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_set / ctx_atomic_set<T: AmoSwap>(call, dest: *mut T, value: T, pe: i32) {
        post!(call, dest, pe, AmoOp::Set(value));
    }

    /// Sets `dest` on `pe` to `value`; what was there (`shmem_atomic_swap`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_swap / ctx_atomic_swap<T: AmoSwap>(call, dest: *mut T, value: T, pe: i32) -> T {
        change!(call, dest, pe, AmoOp::Swap(value))
    }

    /// Sets `dest` on `pe` to `value` if it is `cond`; what was there (`shmem_atomic_compare_swap`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_compare_swap / ctx_atomic_compare_swap<T: AmoInt>(call, dest: *mut T, cond: T, value: T, pe: i32) -> T {
        change!(call, dest, pe, AmoOp::CompareSwap(cond, value))
    }

    /// Adds 1 to `dest` on `pe`; what was there (`shmem_atomic_fetch_inc`). Sums wrap around; so for all below.
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_fetch_inc / ctx_atomic_fetch_inc<T: AmoInt>(call, dest: *mut T, pe: i32) -> T {
        change!(call, dest, pe, AmoOp::Add(T::ONE))
    }

    /// Adds 1 to `dest` on `pe` (`shmem_atomic_inc`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_inc / ctx_atomic_inc<T: AmoInt>(call, dest: *mut T, pe: i32) {
        post!(call, dest, pe, AmoOp::Add(T::ONE));
    }

    /// Adds `value` to `dest` on `pe`; what was there (`shmem_atomic_fetch_add`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_fetch_add / ctx_atomic_fetch_add<T: AmoInt>(call, dest: *mut T, value: T, pe: i32) -> T {
        change!(call, dest, pe, AmoOp::Add(value))
    }

    /// Adds `value` to `dest` on `pe` (`shmem_atomic_add`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_add / ctx_atomic_add<T: AmoInt>(call, dest: *mut T, value: T, pe: i32) {
        post!(call, dest, pe, AmoOp::Add(value));
    }

    /// Keeps in `dest` on `pe` the bits of `value`; what was there (`shmem_atomic_fetch_and`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_fetch_and / ctx_atomic_fetch_and<T: AmoBit>(call, dest: *mut T, value: T, pe: i32) -> T {
        change!(call, dest, pe, AmoOp::And(value))
    }

    /// Keeps in `dest` on `pe` the bits of `value` (`shmem_atomic_and`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_and / ctx_atomic_and<T: AmoBit>(call, dest: *mut T, value: T, pe: i32) {
        post!(call, dest, pe, AmoOp::And(value));
    }

    /// Sets in `dest` on `pe` the bits of `value`; what was there (`shmem_atomic_fetch_or`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_fetch_or / ctx_atomic_fetch_or<T: AmoBit>(call, dest: *mut T, value: T, pe: i32) -> T {
        change!(call, dest, pe, AmoOp::Or(value))
    }

    /// Sets in `dest` on `pe` the bits of `value` (`shmem_atomic_or`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_or / ctx_atomic_or<T: AmoBit>(call, dest: *mut T, value: T, pe: i32) {
        post!(call, dest, pe, AmoOp::Or(value));
    }

    /// Flips in `dest` on `pe` the bits of `value`; what was there (`shmem_atomic_fetch_xor`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_fetch_xor / ctx_atomic_fetch_xor<T: AmoBit>(call, dest: *mut T, value: T, pe: i32) -> T {
        change!(call, dest, pe, AmoOp::Xor(value))
    }

    /// Flips in `dest` on `pe` the bits of `value` (`shmem_atomic_xor`).
    ///
    /// # Safety
    /// As for [`atomic_fetch`].
    fn atomic_xor / ctx_atomic_xor<T: AmoBit>(call, dest: *mut T, value: T, pe: i32) {
        post!(call, dest, pe, AmoOp::Xor(value));
    }

    /// As [`atomic_fetch`]; the value is in `fetch` after the next quiet (`shmem_atomic_fetch_nbi`).
    ///
    /// # Safety
    /// As there; `fetch` is writable, and left alone until then. So for all below.
    fn atomic_fetch_nbi / ctx_atomic_fetch_nbi<T: AmoSwap>(call, fetch: *mut T, source: *const T, pe: i32) {
        fetched!(fetch = atomic_fetch(call, source, pe))
    }

    /// As [`atomic_swap`]; what was there is in `fetch` after the next quiet (`shmem_atomic_swap_nbi`).
    ///
    /// # Safety
    /// As for [`atomic_fetch_nbi`].
    fn atomic_swap_nbi / ctx_atomic_swap_nbi<T: AmoSwap>(call, fetch: *mut T, dest: *mut T, value: T, pe: i32) {
        fetched!(fetch = atomic_swap(call, dest, value, pe))
    }

    /// As [`atomic_compare_swap`]; what was there is in `fetch` after the next quiet
    /// (`shmem_atomic_compare_swap_nbi`).
    ///
    /// # Safety
    /// As for [`atomic_fetch_nbi`].
    fn atomic_compare_swap_nbi / ctx_atomic_compare_swap_nbi<T: AmoInt>(
        call, fetch: *mut T, dest: *mut T, cond: T, value: T, pe: i32,
    ) {
        fetched!(fetch = atomic_compare_swap(call, dest, cond, value, pe))
    }

    /// As [`atomic_fetch_inc`]; what was there is in `fetch` after the next quiet (`shmem_atomic_fetch_inc_nbi`).
    ///
    /// # Safety
    /// As for [`atomic_fetch_nbi`].
    fn atomic_fetch_inc_nbi / ctx_atomic_fetch_inc_nbi<T: AmoInt>(call, fetch: *mut T, dest: *mut T, pe: i32) {
        fetched!(fetch = atomic_fetch_inc(call, dest, pe))
    }

    /// As [`atomic_fetch_add`]; what was there is in `fetch` after the next quiet (`shmem_atomic_fetch_add_nbi`).
    ///
    /// # Safety
    /// As for [`atomic_fetch_nbi`].
    fn atomic_fetch_add_nbi / ctx_atomic_fetch_add_nbi<T: AmoInt>(call, fetch: *mut T, dest: *mut T, value: T, pe: i32) {
        fetched!(fetch = atomic_fetch_add(call, dest, value, pe))
    }

    /// As [`atomic_fetch_and`]; what was there is in `fetch` after the next quiet (`shmem_atomic_fetch_and_nbi`).
    ///
    /// # Safety
    /// As for [`atomic_fetch_nbi`].
    fn atomic_fetch_and_nbi / ctx_atomic_fetch_and_nbi<T: AmoBit>(call, fetch: *mut T, dest: *mut T, value: T, pe: i32) {
        fetched!(fetch = atomic_fetch_and(call, dest, value, pe))
    }

    /// As [`atomic_fetch_or`]; what was there is in `fetch` after the next quiet (`shmem_atomic_fetch_or_nbi`).
    ///
    /// # Safety
    /// As for [`atomic_fetch_nbi`].
    fn atomic_fetch_or_nbi / ctx_atomic_fetch_or_nbi<T: AmoBit>(call, fetch: *mut T, dest: *mut T, value: T, pe: i32) {
        fetched!(fetch = atomic_fetch_or(call, dest, value, pe))
    }

    /// As [`atomic_fetch_xor`]; what was there is in `fetch` after the next quiet (`shmem_atomic_fetch_xor_nbi`).
    ///
    /// # Safety
    /// As for [`atomic_fetch_nbi`].
    fn atomic_fetch_xor_nbi / ctx_atomic_fetch_xor_nbi<T: AmoBit>(call, fetch: *mut T, dest: *mut T, value: T, pe: i32) {
        fetched!(fetch = atomic_fetch_xor(call, dest, value, pe))
    }
}
