//! Signals (OpenSHMEM 1.6, 9.9).

use std::ffi::{c_int, c_void};

use shmem_api::raw::{self, ops};
use shmem_api::type_table;

type_table!(rma => typed_on_ctx, {
    put_signal(
        call, dest: *mut T, source: *const T, nelems: usize, sig_addr: *mut u64, signal: u64, op: c_int, pe: c_int
    ) = ops::put_signal(call, dest, source, nelems, sig_addr, signal, op, pe);
    put_signal_nbi(
        call, dest: *mut T, source: *const T, nelems: usize, sig_addr: *mut u64, signal: u64, op: c_int, pe: c_int
    ) = ops::put_signal_nbi(call, dest, source, nelems, sig_addr, signal, op, pe);
});

type_table!(sizes => sized_on_ctx, {
    put[_signal](
        call, dest: *mut T, source: *const T, nelems: usize, sig_addr: *mut u64, signal: u64, op: c_int, pe: c_int
    ) = ops::put_signal(call, dest, source, nelems, sig_addr, signal, op, pe);
    put[_signal_nbi](
        call, dest: *mut T, source: *const T, nelems: usize, sig_addr: *mut u64, signal: u64, op: c_int, pe: c_int
    ) = ops::put_signal_nbi(call, dest, source, nelems, sig_addr, signal, op, pe);
});

plain_on_ctx! {
    putmem_signal(
        call, dest: *mut c_void, source: *const c_void, nelems: usize, sig_addr: *mut u64, signal: u64, op: c_int,
        pe: c_int
    ) = ops::putmem_signal(call, dest.cast(), source.cast(), nelems, sig_addr, signal, op, pe);
    putmem_signal_nbi(
        call, dest: *mut c_void, source: *const c_void, nelems: usize, sig_addr: *mut u64, signal: u64, op: c_int,
        pe: c_int
    ) = ops::putmem_signal_nbi(call, dest.cast(), source.cast(), nelems, sig_addr, signal, op, pe);
    signal_add(call, sig_addr: *mut u64, signal: u64, pe: c_int) = ops::signal_add(call, sig_addr, signal, pe);
    signal_set(call, sig_addr: *mut u64, signal: u64, pe: c_int) = ops::signal_set(call, sig_addr, signal, pe);
}

export! {
    fn shmem_signal_fetch(sig_addr: *const u64) -> u64 {
        // SAFETY: CSKIN-C4.
        unsafe { raw::signal_fetch(sig_addr) }
    }
}
