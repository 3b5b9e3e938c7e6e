//! Reductions on active sets: `sum_to_all` and its like.

use crate::coll::ops::{And, Arith, Bitwise, Max, Min, Or, Ordered, Prod, Sum, Xor};
use crate::raw::coll::{On, collectives};

macro_rules! to_all {
    ($($name:ident $bound:ident $op:ident $what:literal),* $(,)?) => {
        collectives! { mod calls; $(
            #[doc = concat!("Collective over the set: `dest` becomes, element by element, the ", $what)]
            #[doc = concat!("of all members' sources (`shmem_TYPE_", stringify!($name), "`).")]
            ///
            /// # Safety
            /// `dest` and `src` are symmetric arrays of `n` elements, the same or apart; otherwise as for
            /// [`broadcast`](fn@crate::raw::active_set::broadcast).
            fn $name<T: $bound>(
                call, dest: *mut T, src: *const T, n: i32, start: i32, log_stride: i32, size: i32,
                work: *mut T, psync: *mut i64
            ) {
                let _ = work;
                let Ok(n) = usize::try_from(n) else {
                    call.fail(&format!("nreduce is {n}: it must be at least 0"))
                };
                let engine = call.engine();
                let on = On::set(call, &engine, (start, log_stride, size), psync);
                // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
                unsafe { on.reduce::<T, $op>(dest, src, n) }
            }
        )*}
    };
}

to_all! {
    and_to_all Bitwise And "bitwise and",
    or_to_all Bitwise Or "bitwise or",
    xor_to_all Bitwise Xor "bitwise exclusive or",
    max_to_all Ordered Max "maximum",
    min_to_all Ordered Min "minimum",
    sum_to_all Arith Sum "sum",
    prod_to_all Arith Prod "product",
}
