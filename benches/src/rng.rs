//! The random numbers of the workloads: the same here and in `peers/peer.c`.

pub use memheap::conformance::Rng;

/// A number in `lo..lo * 2^octaves` whose logarithm is uniform.
pub fn log_uniform(rng: &mut Rng, lo: u64, octaves: u32) -> u64 {
    let unit = (rng.bits() >> 11) as f64 / (1u64 << 53) as f64;
    (lo as f64 * (unit * f64::from(octaves)).exp2()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stay_in_their_range_and_fill_it() {
        let mut rng = Rng::new(1);
        let sizes: Vec<u64> = (0..100_000).map(|_| log_uniform(&mut rng, 16, 12)).collect();
        assert!(sizes.iter().all(|s| (16..1 << 16).contains(s)));
        let below_1k = sizes.iter().filter(|s| **s < 1024).count();
        assert!((49_000..51_000).contains(&below_1k), "{below_1k}: half of the octaves lie below 1 KiB");
    }
}
