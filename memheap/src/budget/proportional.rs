//! Shares of whole granules in proportion to what each domain has.

use crate::units::{Align, Bytes};

/// How many granules each domain has, and how many the request takes: all, if it asks for more.
pub(crate) fn in_granules(request: Bytes, usable: &[Bytes], granule: Align) -> (Vec<u64>, u64) {
    let has: Vec<u64> = usable.iter().map(|b| b.0 / granule.bytes()).collect();
    let wanted = request.0.div_ceil(granule.bytes()).min(has.iter().sum());
    (has, wanted)
}

/// `wanted * has / all`, rounded down; the granules left over go to the largest remainders, to the first among
/// equals. They have room for one more: where there is a remainder, less than all was taken.
pub(super) fn proportional(request: Bytes, usable: &[Bytes], granule: Align) -> Vec<Bytes> {
    let (has, wanted) = in_granules(request, usable, granule);
    let all: u128 = has.iter().map(|&n| u128::from(n)).sum();
    let exact = |n: u64| u128::from(wanted) * u128::from(n);
    let mut gives: Vec<u64> = has.iter().map(|&n| exact(n).checked_div(all).unwrap_or(0) as u64).collect();
    let left = wanted - gives.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..has.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(exact(has[i]).checked_rem(all)));
    for &i in order.iter().take(left as usize) {
        gives[i] += 1;
    }
    gives.into_iter().map(|n| Bytes(n * granule.bytes())).collect()
}
