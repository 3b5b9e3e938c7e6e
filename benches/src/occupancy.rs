//! Fragmentation: how much of a heap is used up by how much that lives.
//!
//! Sizes are log-uniform from 16 B to 64 KiB; bytes are the bytes asked for. The heap is filled to a
//! share, then blocks are replaced at random for a million operations with the share held.

use memheap::Align;

use crate::contender::{Contender, HEAP};
use crate::rng::{Rng, log_uniform};

/// Operations of the churn.
const CHURN: usize = 1_000_000;

/// The mix of sizes: 16 B to 64 KiB.
const SIZES: (u64, u32) = (16, 12);

/// What was found after the churn at one share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Churned {
    /// The end of the highest block ever, over the most bytes ever live.
    pub high_water: f64,
    /// The largest block that can then be had, in MiB.
    pub largest: f64,
}

struct Crowd<C> {
    contender: C,
    rng: Rng,
    live: Vec<(u64, u64)>,
    bytes: u64,
    peak: u64,
    top: u64,
}

impl<C: Contender> Crowd<C> {
    fn new(contender: C) -> Self {
        Crowd { contender, rng: Rng::new(0xf111), live: Vec::new(), bytes: 0, peak: 0, top: 0 }
    }

    /// One block more, of a random size.
    fn grow(&mut self) -> bool {
        let size = log_uniform(&mut self.rng, SIZES.0, SIZES.1);
        let Some(at) = self.contender.alloc(size, Align::DEFAULT) else { return false };
        self.live.push((at, size));
        self.bytes += size;
        self.peak = self.peak.max(self.bytes);
        self.top = self.top.max(at + size);
        true
    }

    /// One block less.
    fn shrink(&mut self) {
        let which = self.rng.below(self.live.len() as u64) as usize;
        let (at, size) = self.live.swap_remove(which);
        self.contender.free(at, size, Align::DEFAULT);
        self.bytes -= size;
    }

    fn largest(&mut self) -> f64 {
        let step = 64 << 10;
        let (mut fits, mut fails) = (0, HEAP.0 / step + 1);
        while fails - fits > 1 {
            let half = fits.midpoint(fails);
            match self.contender.alloc(half * step, Align::DEFAULT) {
                Some(at) => {
                    self.contender.free(at, half * step, Align::DEFAULT);
                    fits = half;
                }
                None => fails = half,
            }
        }
        (fits * step) as f64 / f64::from(1 << 20)
    }
}

/// Holds `share` of the heap live through the churn. Nothing if the heap is exhausted on the way.
pub fn churn<C: Contender>(contender: C, share: f64) -> Option<Churned> {
    let mut crowd = Crowd::new(contender);
    let target = (HEAP.0 as f64 * share) as u64;
    while crowd.bytes < target {
        crowd.grow().then_some(())?;
    }
    for _ in 0..CHURN {
        if crowd.bytes < target {
            crowd.grow().then_some(())?;
        } else {
            crowd.shrink();
        }
    }
    let high_water = crowd.top as f64 / crowd.peak as f64;
    Some(Churned { high_water, largest: crowd.largest() })
}

/// The live share at which a heap that is only filled refuses a block for the first time, and whether
/// it is whole again when all of them are freed: the largest block is what it was at the start.
pub fn fill<C: Contender>(contender: C) -> (f64, bool) {
    let mut crowd = Crowd::new(contender);
    let whole = crowd.largest();
    while crowd.grow() {}
    let share = crowd.bytes as f64 / HEAP.0 as f64;
    while !crowd.live.is_empty() {
        crowd.shrink();
    }
    (share, crowd.largest() == whole)
}
