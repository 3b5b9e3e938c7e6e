//! The routines that can be given something that cannot be, with arguments that can.
#![allow(unsafe_code)]

use shmem_api::raw::{self, Ctx};

/// What a routine is given: right, until a mistake is made.
pub struct Args {
    pub ctx: Ctx,
    /// The symmetric argument.
    pub at: *mut u64,
    /// The other one.
    pub private: *mut u64,
    /// Elements, or blocks.
    pub n: usize,
    pub pe: i32,
    pub dst: isize,
    pub sst: isize,
    pub bsize: usize,
}

impl Args {
    pub fn new(private: *mut u64) -> Args {
        let at = std::ptr::dangling_mut();
        Args { ctx: Ctx::DEFAULT, at, private, n: 4, pe: 0, dst: 2, sst: 3, bsize: 2 }
    }

    /// For routines of bytes.
    fn bytes(&self) -> (*mut u8, *mut u8, usize) {
        (self.at.cast(), self.private.cast(), self.n.saturating_mul(8))
    }
}

/// Which arguments a routine has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One element.
    One,
    /// `n` elements.
    Row,
    /// `n` elements, `dst` and `sst` apart.
    Strided,
    /// `n` blocks of `bsize` elements, `dst` and `sst` apart.
    Blocks,
}

/// A routine, by its name in C.
#[derive(Clone, Copy)]
pub struct Routine {
    pub name: &'static str,
    pub kind: Kind,
    pub on_ctx: bool,
    pub call: unsafe fn(&Args),
}

/// `Kind name(args)`: the routine and its form on a context, which is the first of the arguments given to it.
macro_rules! routines {
    ($($kind:ident $name:ident/$ctx_name:ident |$a:ident| ($($arg:expr),*);)*) => {
        &[$(
            Routine {
                name: concat!("shmem_", stringify!($name)), kind: Kind::$kind, on_ctx: false,
                // SAFETY: the library refuses the call: the arguments have been spoilt.
                call: |$a| unsafe { raw::$name($($arg),*); },
            },
            Routine {
                name: concat!("shmem_", stringify!($ctx_name)), kind: Kind::$kind, on_ctx: true,
                // SAFETY: as above.
                call: |$a| unsafe { raw::$ctx_name($a.ctx, $($arg),*); },
            },
        )*]
    };
}

pub const ROUTINES: &[Routine] = routines! {
    Row put/ctx_put |a| (a.at, a.private, a.n, a.pe);
    Row get/ctx_get |a| (a.private, a.at, a.n, a.pe);
    Row put_nbi/ctx_put_nbi |a| (a.at, a.private, a.n, a.pe);
    Row get_nbi/ctx_get_nbi |a| (a.private, a.at, a.n, a.pe);
    Row putmem/ctx_putmem |a| (a.bytes().0, a.bytes().1, a.bytes().2, a.pe);
    Row getmem/ctx_getmem |a| (a.bytes().1, a.bytes().0, a.bytes().2, a.pe);
    Row putmem_nbi/ctx_putmem_nbi |a| (a.bytes().0, a.bytes().1, a.bytes().2, a.pe);
    Row getmem_nbi/ctx_getmem_nbi |a| (a.bytes().1, a.bytes().0, a.bytes().2, a.pe);
    One p/ctx_p |a| (a.at, 1, a.pe);
    One g/ctx_g |a| (a.at, a.pe);
    Strided iput/ctx_iput |a| (a.at, a.private, a.dst, a.sst, a.n, a.pe);
    Strided iget/ctx_iget |a| (a.private, a.at, a.dst, a.sst, a.n, a.pe);
    Blocks ibput/ctx_ibput |a| (a.at, a.private, a.dst, a.sst, a.bsize, a.n, a.pe);
    Blocks ibget/ctx_ibget |a| (a.private, a.at, a.dst, a.sst, a.bsize, a.n, a.pe);
};
