//! What several of the example programs share.
#![forbid(unsafe_code)]

pub mod text;

use std::ops::Range;
use std::str::FromStr;

use shmem_api::World;

/// One PE's share of things in a row, spread as evenly as can be: the first PEs have one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    start: usize,
    end: usize,
}

impl Share {
    /// The share of PE `pe` of `n` in `things`.
    pub fn of(things: usize, pe: usize, n: usize) -> Share {
        let (each, more) = (things / n, things % n);
        let start = pe * each + pe.min(more);
        Share { start, end: start + each + usize::from(pe < more) }
    }

    /// Its first thing.
    pub fn start(self) -> usize {
        self.start
    }

    /// How many things it has.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// All of them.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// The first two arguments of the program, or these.
///
/// # Panics
/// With the argument, if it is not what it should be.
pub fn arguments<A: FromStr, B: FromStr>(first: A, second: B) -> (A, B) {
    fn nth<T: FromStr>(n: usize, default: T) -> T {
        let parse =
            |a: String| a.parse().unwrap_or_else(|_| panic!("argument {n}, {a:?}, is not what it should be"));
        std::env::args().nth(n).map_or(default, parse)
    }
    (nth(1, first), nth(2, second))
}

/// Collective: the sums of all PEs' values, one by one, on every PE. They wrap around.
pub fn sum_of_all<const N: usize>(world: &World, values: &[u64; N]) -> [u64; N] {
    let all = world.collect_one(*values);
    std::array::from_fn(|i| all.iter().fold(0, |sum: u64, values| sum.wrapping_add(values[i])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_each_other_and_differ_by_one_at_most() {
        for (things, n) in (0..20).flat_map(|t| (1..9).map(move |n| (t, n))) {
            let shares: Vec<Share> = (0..n).map(|pe| Share::of(things, pe, n)).collect();
            assert_eq!(
                shares.iter().flat_map(|s| s.range()).collect::<Vec<_>>(),
                (0..things).collect::<Vec<_>>()
            );
            assert!(shares.windows(2).all(|s| s[0].len() >= s[1].len() && s[0].len() <= s[1].len() + 1));
            assert_eq!(shares[0].is_empty(), things == 0);
        }
    }
}
