//! The doubling rounds of Hostboot's SMF, step for step.
//!
//! ```text
//!   round   chunk   domain 0   domain 1 (600 MiB)
//!     1      256       256        256
//!     2      512       512        512
//!     3     1024      1024        retired, keeps 512
//! ```

use crate::units::{Align, Bytes};

/// The share of each domain, and the rounds it took.
pub(super) fn rounds(request: Bytes, usable: &[Bytes], granule: Align) -> (Vec<Bytes>, u32) {
    // The original keeps what remains in a signed number. From 2^63 on it starts below zero, so the
    // first round finds nothing left to do.
    let wanted = i64::try_from(request.0).map_or(0, |n| n as u64);
    let mut shares = vec![Bytes(0); usable.len()];
    let mut retired = vec![false; usable.len()];
    let (mut total, mut chunk, mut rounds) = (0, granule.bytes(), 0);
    loop {
        rounds += 1;
        for i in 0..usable.len() {
            if total >= wanted {
                break;
            }
            if retired[i] || chunk > usable[i].0 {
                retired[i] = true;
            } else {
                total = total - shares[i].0 + chunk;
                shares[i] = Bytes(chunk);
            }
        }
        if total >= wanted || retired.iter().all(|&r| r) {
            return (shares, rounds);
        }
        // Cannot overflow: some domain just held the chunk, and a domain is at most 2^48 bytes.
        chunk *= 2;
    }
}
