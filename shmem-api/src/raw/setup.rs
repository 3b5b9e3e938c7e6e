//! Who this PE is (OpenSHMEM 1.6, 9.1).

use std::sync::atomic::Ordering;

use crate::engine::HOT;

/// This PE's number, or -1 while the library is down.
#[inline]
pub fn my_pe() -> i32 {
    if n_pes() == 0 { -1 } else { HOT.me.load(Ordering::Relaxed) as i32 }
}

/// How many PEs there are; 0 while the library is down.
#[inline]
pub fn n_pes() -> i32 {
    HOT.n_pes.load(Ordering::Relaxed) as i32
}
