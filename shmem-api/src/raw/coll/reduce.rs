//! Reductions and scans on teams (OpenSHMEM 1.6, 9.11.9 and 9.11.10). Who calls, and when memory must be ready, is as
//! for the collectives that move data; `dest` may also be `src` itself.

use crate::coll::ops::{And, Arith, Bitwise, Max, Min, Or, Ordered, Prod, Sum, Xor};
use crate::coll::scan::Own;
use crate::raw::coll::{On, collectives};
use crate::team::contexts::TeamHandle;

macro_rules! reductions {
    ($($name:ident $bound:ident $op:ident $what:literal),* $(,)?) => {
        collectives! { mod calls; $(
            #[doc = concat!("Collective over the team: `dest` becomes, element by element, the ", $what)]
            #[doc = concat!("of all members' sources (`shmem_", stringify!($name), "`). All members get the same bits.")]
            ///
            /// # Safety
            /// `dest` and `src` are symmetric arrays of `n` elements, the same or apart; otherwise as for
            /// [`broadcast`](fn@crate::raw::broadcast).
            fn $name<T: $bound>(call, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
                // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
                unsafe { On::team(call, &call.engine(), team).reduce::<T, $op>(dest, src, n) };
                0
            }
        )*
            /// Collective over the team: `dest` becomes, element by element, the sum of the sources of the members up to
            /// this one (`shmem_sum_inscan`).
            ///
            /// # Safety
            /// As for [`sum_reduce`](crate::raw::sum_reduce).
            fn sum_inscan<T: Arith>(call, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
                // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
                unsafe { On::team(call, &call.engine(), team).scan(dest, src, n, Own::In) };
                0
            }

            /// Collective over the team: `dest` becomes, element by element, the sum of the sources of the members before
            /// this one, 0 on the first (`shmem_sum_exscan`).
            ///
            /// # Safety
            /// As for [`sum_reduce`](crate::raw::sum_reduce).
            fn sum_exscan<T: Arith>(call, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
                // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
                unsafe { On::team(call, &call.engine(), team).scan(dest, src, n, Own::Out) };
                0
            }
        }
    };
}

reductions! {
    and_reduce Bitwise And "bitwise and",
    or_reduce Bitwise Or "bitwise or",
    xor_reduce Bitwise Xor "bitwise exclusive or",
    max_reduce Ordered Max "maximum",
    min_reduce Ordered Min "minimum",
    sum_reduce Arith Sum "sum",
    prod_reduce Arith Prod "product",
}
