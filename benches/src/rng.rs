//! The random numbers of the workloads: the same here and in `peers/peer.c`.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `lo..lo * 2^octaves` whose logarithm is uniform.
    pub fn log_uniform(&mut self, lo: u64, octaves: u32) -> u64 {
        let unit = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        (lo as f64 * (unit * f64::from(octaves)).exp2()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stay_in_their_range_and_fill_it() {
        let mut rng = Rng::new(1);
        let sizes: Vec<u64> = (0..100_000).map(|_| rng.log_uniform(16, 12)).collect();
        assert!(sizes.iter().all(|s| (16..1 << 16).contains(s)));
        let below_1k = sizes.iter().filter(|s| **s < 1024).count();
        assert!((49_000..51_000).contains(&below_1k), "{below_1k}: half of the octaves lie below 1 KiB");
    }
}
