//! `long double` by value, which Rust has no type for.
//!
//! The x86-64 ABI passes one in memory, above the return address, and returns one on the x87 stack. So these
//! four functions are assembly around functions that take its address: `p` passes on where its argument
//! lies; `g` has the element written to its frame and loads it from there.

use std::ffi::c_int;

use shmem_api::LongDouble;
use shmem_api::raw::{Call, Ctx, ops};

#[cfg(not(target_arch = "x86_64"))]
compile_error!("long double by value: write down this machine's calling convention here");

unsafe extern "C" fn p(dest: *mut LongDouble, pe: c_int, value: *const LongDouble) {
    // SAFETY: CSKIN-C4; the value is the caller's argument.
    unsafe { ops::put(Call::new("shmem_longdouble_p"), dest, value, 1, pe) }
}

unsafe extern "C" fn ctx_p(ctx: Ctx, dest: *mut LongDouble, pe: c_int, value: *const LongDouble) {
    // SAFETY: CSKIN-C4; the value is the caller's argument.
    unsafe { ops::put(Call::on("shmem_ctx_longdouble_p", ctx), dest, value, 1, pe) }
}

unsafe extern "C" fn g(source: *const LongDouble, pe: c_int, to: *mut LongDouble) {
    // SAFETY: CSKIN-C4; `to` is in the caller's frame.
    unsafe { ops::get(Call::new("shmem_longdouble_g"), to, source, 1, pe) }
}

unsafe extern "C" fn ctx_g(ctx: Ctx, source: *const LongDouble, pe: c_int, to: *mut LongDouble) {
    // SAFETY: CSKIN-C4; `to` is in the caller's frame.
    unsafe { ops::get(Call::on("shmem_ctx_longdouble_g", ctx), to, source, 1, pe) }
}

around! {
    // (rdi dest, [rsp + 8] value, esi pe)
    shmem_longdouble_p = p: "lea rdx, [rsp + 8]", "jmp {inner}";
    // (rdi ctx, rsi dest, [rsp + 8] value, edx pe)
    shmem_ctx_longdouble_p = ctx_p: "lea rcx, [rsp + 8]", "jmp {inner}";
    // (rdi source, esi pe) -> st(0)
    shmem_longdouble_g = g:
        "sub rsp, 24", "mov rdx, rsp", "call {inner}", "fld tbyte ptr [rsp]", "add rsp, 24", "ret";
    // (rdi ctx, rsi source, edx pe) -> st(0)
    shmem_ctx_longdouble_g = ctx_g:
        "sub rsp, 24", "mov rcx, rsp", "call {inner}", "fld tbyte ptr [rsp]", "add rsp, 24", "ret";
}
