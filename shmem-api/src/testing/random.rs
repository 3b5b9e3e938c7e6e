//! The random generator of the tests.
//!
//! ```text
//!   Random::new(seed)    next, next, next, ...     a sequence: plans, traffic, sizes
//!   mix(seed, i)         number `i` of the same    a function: what element `i` of an object must hold
//! ```
//!
//! Invariants:
//! * RANDOM-1: a number depends on the seed and on its place in the sequence, on nothing else. So each PE works out what
//!   every other PE does, and a failure repeats from the seed that the test printed.
//! * RANDOM-2: `mix(seed, i)` is what `Random::new(seed)` draws after `i` other numbers.
//!
//! The generator is splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Its one
//! implementation is `memheap::conformance::Rng`, with which the allocators below this crate are tested.

use memheap::conformance::Rng;

/// What the state of splitmix64 grows by from one number to the next.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Random numbers, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random(Rng);

impl Random {
    /// The sequence of `seed`.
    #[inline]
    pub fn new(seed: u64) -> Random {
        Random(Rng::new(seed))
    }

    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "an iterator's `next` may have an end")]
    #[inline]
    pub fn next(&mut self) -> u64 {
        self.0.bits()
    }

    /// A number below `n`; 0 where `n` is 0.
    #[inline]
    pub fn below(&mut self, n: usize) -> usize {
        self.0.below(n as u64) as usize
    }

    /// One of `items`, which must not be empty.
    pub fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Number `index` of the sequence of `seed`, the first being 0. For a case of several parameters, mix one after the
/// other: `mix(mix(round, pe), i)`.
#[inline]
pub fn mix(seed: u64, index: u64) -> u64 {
    Rng::new(seed.wrapping_add(STEP.wrapping_mul(index))).bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those that splitmix64.c of Sebastiano Vigna prints.
    #[test]
    fn the_numbers_are_the_published_ones() {
        let mut random = Random::new(1_234_567);
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!([(); 5].map(|()| random.next()), published);
    }

    #[test]
    fn mix_gives_the_numbers_of_the_sequence() {
        for seed in [0, 1, 1_234_567, u64::MAX] {
            let mut random = Random::new(seed);
            assert!((0..1000).all(|i| mix(seed, i) == random.next()), "seed {seed}");
        }
    }

    #[test]
    fn all_numbers_below_a_limit_are_drawn_and_no_other() {
        let mut random = Random::new(1);
        let mut drawn = [0; 7];
        (0..7000).for_each(|_| drawn[random.below(7)] += 1);
        assert!(drawn.iter().all(|n| (800..1200).contains(n)), "{drawn:?}");
        assert_eq!((random.below(1), random.below(0)), (0, 0));
        assert!((0..100).all(|_| [3, 5].contains(&random.of(&[3, 5]))));
    }
}
