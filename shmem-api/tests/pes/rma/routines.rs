//! The routines of one type, by family: on the default context, and as they are on a given one.
#![allow(unsafe_code)]

use shmem_api::Elem;
use shmem_api::raw::{self, Ctx};

pub type One<T> = unsafe fn(Ctx, *mut T, *const T, i32);
pub type Row<T> = unsafe fn(Ctx, *mut T, *const T, usize, i32);
pub type Strided<T> = unsafe fn(Ctx, *mut T, *const T, isize, isize, usize, i32);
pub type Blocks<T> = unsafe fn(Ctx, *mut T, *const T, isize, isize, usize, usize, i32);
pub type Named<F> = Vec<(&'static str, F)>;

/// One direction's routines.
pub struct Family<T> {
    pub one: Named<One<T>>,
    pub row: Named<Row<T>>,
    pub strided: Named<Strided<T>>,
    pub blocks: Named<Blocks<T>>,
}

/// `name(args)` as a function that takes a context and does not use it, and `ctx_name(ctx, args)`.
macro_rules! both {
    ($kind:ty: $($name:ident / $ctx_name:ident $(<$T:ident>)? ($($arg:ident),*);)*) => {{
        let mut named: Named<$kind> = Vec::new();
        $(
            // SAFETY: RAW-R2 to RAW-R5: whoever calls the pointer calls the routine.
            let plain: $kind = |_, $($arg),*| unsafe { raw::$name$(::<$T>)?($($arg),*) };
            // SAFETY: as above.
            let on_ctx: $kind = |ctx, $($arg),*| unsafe { raw::$ctx_name$(::<$T>)?(ctx, $($arg),*) };
            named.extend([(stringify!($name), plain), (stringify!($ctx_name), on_ctx)]);
        )*
        named
    }};
}

// The elements that go by value, from and to memory.

unsafe fn p<T: Elem>(_: Ctx, to: *mut T, from: *const T, pe: i32) {
    // SAFETY: RAW-R2 and RAW-R3, of the caller.
    let value = unsafe { from.read_unaligned() };
    // SAFETY: as above.
    unsafe { raw::p(to, value, pe) }
}

unsafe fn ctx_p<T: Elem>(ctx: Ctx, to: *mut T, from: *const T, pe: i32) {
    // SAFETY: RAW-R2 and RAW-R3, of the caller.
    let value = unsafe { from.read_unaligned() };
    // SAFETY: as above.
    unsafe { raw::ctx_p(ctx, to, value, pe) }
}

unsafe fn g<T: Elem>(_: Ctx, to: *mut T, from: *const T, pe: i32) {
    // SAFETY: RAW-R2 and RAW-R3, of the caller.
    let value = unsafe { raw::g(from, pe) };
    // SAFETY: as above.
    unsafe { to.write_unaligned(value) }
}

unsafe fn ctx_g<T: Elem>(ctx: Ctx, to: *mut T, from: *const T, pe: i32) {
    // SAFETY: RAW-R2 and RAW-R3, of the caller.
    let value = unsafe { raw::ctx_g(ctx, from, pe) };
    // SAFETY: as above.
    unsafe { to.write_unaligned(value) }
}

pub fn puts<T: Elem>() -> Family<T> {
    Family {
        one: vec![("p", p), ("ctx_p", ctx_p)],
        row: both! { Row<T>: put/ctx_put<T>(d, s, n, pe); put_nbi/ctx_put_nbi<T>(d, s, n, pe); },
        strided: both! { Strided<T>: iput/ctx_iput<T>(d, s, dst, sst, n, pe); },
        blocks: both! { Blocks<T>: ibput/ctx_ibput<T>(d, s, dst, sst, b, n, pe); },
    }
}

pub fn gets<T: Elem>() -> Family<T> {
    Family {
        one: vec![("g", g), ("ctx_g", ctx_g)],
        row: both! { Row<T>: get/ctx_get<T>(d, s, n, pe); get_nbi/ctx_get_nbi<T>(d, s, n, pe); },
        strided: both! { Strided<T>: iget/ctx_iget<T>(d, s, dst, sst, n, pe); },
        blocks: both! { Blocks<T>: ibget/ctx_ibget<T>(d, s, dst, sst, b, n, pe); },
    }
}

/// The routines of bytes: in a row only.
pub fn byte_puts() -> Family<u8> {
    let row = both! { Row<u8>: putmem/ctx_putmem(d, s, n, pe); putmem_nbi/ctx_putmem_nbi(d, s, n, pe); };
    Family { one: vec![], row, strided: vec![], blocks: vec![] }
}

pub fn byte_gets() -> Family<u8> {
    let row = both! { Row<u8>: getmem/ctx_getmem(d, s, n, pe); getmem_nbi/ctx_getmem_nbi(d, s, n, pe); };
    Family { one: vec![], row, strided: vec![], blocks: vec![] }
}
