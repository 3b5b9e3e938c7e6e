//! A workload on a heap: filled, aged, then run for as many pairs as asked.
//!
//! What is inside the timed loops besides the allocator (a draw read, a table entry read and written)
//! is the same for every contender and in the C program; the contender `null` shows what it costs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use memheap::Align;

use crate::contender::Contender;
use crate::workload::{BATCH, Mix, Motion, Plan, Workload};

/// A contender on which one workload can be run again and again.
pub struct Stage<C> {
    contender: C,
    motion: Motion,
    align: Align,
    plan: Plan,
    live: Vec<Live>,
    next: usize,
    failures: u64,
}

/// A block that is held.
#[derive(Clone, Copy, Debug)]
struct Live {
    at: u64,
    size: u32,
}

/// The offset of a block that could not be had.
const NONE: u64 = u64::MAX;

impl<C: Contender> Stage<C> {
    /// Fills the heap and ages it.
    pub fn new(workload: Workload, contender: C) -> Self {
        Self::with(workload.motion(), workload.mix(), contender)
    }

    /// As [`new`](Self::new), with the sizes of another mix.
    pub fn with(motion: Motion, mix: Option<Mix>, mut contender: C) -> Self {
        let align = mix.map_or(Align::DEFAULT, |m| m.align);
        let plan = mix.map_or(Plan { first: Vec::new(), draws: Vec::new(), ageing: 0 }, |m| m.plan());
        let mut live: Vec<Live> = Vec::with_capacity(plan.first.len().max(BATCH));
        for &size in &plan.first {
            live.push(Live { at: contender.alloc(u64::from(size), align).unwrap_or(NONE), size });
        }
        let mut stage = Stage { contender, motion, align, plan, live, next: 0, failures: 0 };
        if mix.is_none() {
            stage.live.resize(BATCH, Live { at: NONE, size: 64 });
        }
        let ageing = stage.plan.ageing;
        stage.replace(ageing);
        stage.failures = 0;
        stage
    }

    /// Runs at least `pairs` pairs; how long that took, and how many they were.
    pub fn run(&mut self, pairs: u64) -> (Duration, u64) {
        let start = Instant::now();
        let done = match self.motion {
            Motion::Pair => self.pair(pairs),
            Motion::Batch => self.batch(pairs),
            Motion::Replace => self.replace(pairs as usize),
        };
        (start.elapsed(), done)
    }

    /// Nanoseconds per pair, the least of as many runs of `pairs` pairs as fit into `budget`.
    pub fn least(&mut self, pairs: u64, budget: Duration) -> f64 {
        let start = Instant::now();
        let mut least = f64::INFINITY;
        loop {
            let (took, done) = self.run(pairs);
            least = least.min(took.as_secs_f64() * 1e9 / done as f64);
            if start.elapsed() >= budget {
                return least;
            }
        }
    }

    /// How many blocks could not be had since the ageing.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Gives back all that is live.
    pub fn close(mut self) {
        for entry in self.live.iter().filter(|e| e.at != NONE && self.motion != Motion::Batch) {
            self.contender.free(entry.at, u64::from(entry.size), self.align);
        }
    }

    fn pair(&mut self, pairs: u64) -> u64 {
        for _ in 0..pairs {
            match self.contender.alloc(black_box(64), Align::DEFAULT) {
                Some(at) => self.contender.free(black_box(at), 64, Align::DEFAULT),
                None => self.failures += 1,
            }
        }
        pairs
    }

    fn batch(&mut self, pairs: u64) -> u64 {
        let rounds = pairs.div_ceil(BATCH as u64);
        for _ in 0..rounds {
            for entry in &mut self.live {
                entry.at = self.contender.alloc(black_box(64), Align::DEFAULT).unwrap_or(NONE);
            }
            for entry in self.live.iter().rev().filter(|e| e.at != NONE) {
                self.contender.free(entry.at, 64, Align::DEFAULT);
            }
        }
        rounds * BATCH as u64
    }

    fn replace(&mut self, pairs: usize) -> u64 {
        let mask = self.plan.draws.len().wrapping_sub(1);
        for i in self.next..self.next + pairs {
            let draw = self.plan.draws[i & mask];
            let entry = &mut self.live[draw.slot as usize];
            if entry.at != NONE {
                self.contender.free(entry.at, u64::from(entry.size), self.align);
            }
            let at = self.contender.alloc(u64::from(draw.size), self.align);
            self.failures += u64::from(at.is_none());
            *entry = Live { at: at.unwrap_or(NONE), size: draw.size };
        }
        self.next = (self.next + pairs) & mask;
        pairs as u64
    }
}
