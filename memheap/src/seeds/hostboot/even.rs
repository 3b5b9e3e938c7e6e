//! Shares of whole granules, as equal as the domains allow.

use crate::budget::in_granules;
use crate::units::{Align, Bytes};

/// Max-min fair: the poorest domain first gives its part of an equal split or all it has; what it
/// could not give is split among the others.
pub(super) fn shares(request: Bytes, usable: &[Bytes], granule: Align) -> Vec<Bytes> {
    let (has, mut left) = in_granules(request, usable, granule);
    let mut order: Vec<usize> = (0..has.len()).collect();
    order.sort_by_key(|&i| has[i]);
    let mut shares = vec![Bytes(0); has.len()];
    for (done, &i) in order.iter().enumerate() {
        let give = left.div_ceil((order.len() - done) as u64).min(has[i]);
        shares[i] = Bytes(give * granule.bytes());
        left -= give;
    }
    shares
}
