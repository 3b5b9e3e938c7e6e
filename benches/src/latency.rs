//! The intrinsic cost of single operations: the workload `random`, the same operations replayed, each
//! operation's least time. What is left after nine replays is the allocator's own, not the machine's.
//!
//! The heap is emptied between two replays and keeps its pages, so a first touch does not count here;
//! it has a table of its own ([`crate::start`]).

use memheap::Align;

use crate::clock;
use crate::contender::Contender;
use crate::workload::Workload;

/// Replays after one that only warms up.
const REPLAYS: usize = 9;

/// Pairs per replay.
const PAIRS: usize = 200_000;

/// Percentiles of one kind of operation, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentiles {
    /// Half are faster.
    pub p50: f64,
    /// 99 of 100 are.
    pub p99: f64,
    /// 9999 of 10,000 are.
    pub p9999: f64,
    /// The slowest.
    pub max: f64,
}

/// The percentiles of alloc and of free.
pub fn measure<C: Contender>(mut contender: C) -> (Percentiles, Percentiles) {
    let mix = Workload::Random.mix().expect("it has one");
    let plan = mix.plan();
    let mask = plan.draws.len() - 1;
    let (mut allocs, mut frees) = (vec![u64::MAX; PAIRS], vec![u64::MAX; PAIRS]);
    for replay in 0..=REPLAYS {
        let take = |c: &mut C, size| c.alloc(u64::from(size), Align::DEFAULT).expect("there is room");
        let mut live: Vec<(u64, u32)> =
            plan.first.iter().map(|&size| (take(&mut contender, size), size)).collect();
        for i in 0..PAIRS {
            let draw = plan.draws[i & mask];
            let (at, size) = live[draw.slot as usize];
            let t0 = clock::ticks();
            contender.free(at, u64::from(size), Align::DEFAULT);
            let t1 = clock::ticks();
            let new = take(&mut contender, draw.size);
            let t2 = clock::ticks();
            live[draw.slot as usize] = (new, draw.size);
            if replay > 0 {
                frees[i] = frees[i].min(t1 - t0);
                allocs[i] = allocs[i].min(t2 - t1);
            }
        }
        for (at, size) in live {
            contender.free(at, u64::from(size), Align::DEFAULT);
        }
    }
    let (scale, floor) = (clock::nanoseconds_per_tick(), clock::floor());
    (percentiles(allocs, scale, floor), percentiles(frees, scale, floor))
}

fn percentiles(mut ticks: Vec<u64>, scale: f64, floor: u64) -> Percentiles {
    ticks.sort_unstable();
    let last = ticks.len() - 1;
    let at = |part: f64| ticks[(last as f64 * part) as usize].saturating_sub(floor) as f64 * scale;
    Percentiles { p50: at(0.5), p99: at(0.99), p9999: at(0.9999), max: at(1.0) }
}
