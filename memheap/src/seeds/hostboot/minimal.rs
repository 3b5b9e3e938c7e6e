//! Power-of-two shares with the least sum that covers a request.
//!
//! Everything is counted in granules. A domain gives 0 or `2^k <= 2^cap`.
//!
//! * **A sum `t` can be reached** exactly if this greedy ends at zero: going through the domains by
//!   falling cap, take the largest allowed power of two that is not above what is left. Proof: let `g` be
//!   that power. In any solution all powers are at most `g` and sum to at least `g`, so sorted downwards
//!   a prefix of them sums to `g` exactly. Give `g` to the first domain; if that one held a power outside
//!   the prefix, hand its power to a domain of the prefix, which held at least as much. It is still a solution.
//! * **The least sum covering `r`** is `r` rounded up to a multiple of some `2^s`: let `2^s` be the
//!   smallest power in the best solution. All its powers are multiples of that, and leaving it out would
//!   no longer cover `r`. Rounding grows with `s`, so the first `s` that can be reached is the answer.
//!
//! That is 64 tries of one pass each, however much memory there is; no table of reachable sums is needed.

use crate::units::{Align, Bytes};

/// A domain that can give something: its place in the list, and the logarithm of the most it gives.
struct Giver {
    domain: usize,
    cap: u32,
}

/// The share of each domain.
pub(super) fn shares(request: Bytes, usable: &[Bytes], granule: Align) -> Vec<Bytes> {
    let mut givers: Vec<Giver> = usable
        .iter()
        .enumerate()
        .filter_map(|(domain, b)| Some(Giver { domain, cap: (b.0 / granule.bytes()).checked_ilog2()? }))
        .collect();
    givers.sort_by_key(|g| std::cmp::Reverse(g.cap));
    let need = request.0.div_ceil(granule.bytes());
    let most: u64 = givers.iter().map(|g| 1 << g.cap).sum();
    let granules = (0..u64::BITS)
        .filter_map(|s| need.checked_next_multiple_of(1 << s))
        .take_while(|&sum| sum <= most)
        .find_map(|sum| reach(sum, &givers))
        .unwrap_or_else(|| givers.iter().map(|g| 1 << g.cap).collect());
    let mut shares = vec![Bytes(0); usable.len()];
    for (giver, n) in givers.iter().zip(granules) {
        shares[giver.domain] = Bytes(n * granule.bytes());
    }
    shares
}

/// What each giver gives so that it sums to `sum`, or `None` where that cannot be reached.
fn reach(sum: u64, givers: &[Giver]) -> Option<Vec<u64>> {
    let mut left = sum;
    let parts = givers
        .iter()
        .map(|g| {
            let part = left.checked_ilog2().map_or(0, |top| 1 << top.min(g.cap));
            left -= part;
            part
        })
        .collect();
    (left == 0).then_some(parts)
}
