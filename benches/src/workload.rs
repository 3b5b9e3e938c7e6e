//! The eight workloads, as data: what is asked for, in which order. Every draw is made beforehand.
//!
//! | name | what one pair is |
//! |---|---|
//! | pair64 | 64 B taken and given back, on an empty heap |
//! | batch | one of 1000 blocks of 64 B, all taken, then given back last first |
//! | random | one of 10,000 live blocks of 16 B to 64 KiB replaced by another |
//! | randpair | pair64 in the heap that `random` leaves |
//! | smallrand | as random, 16 B to 1 KiB |
//! | random100k | as random, 100,000 live of 16 B to 8 KiB |
//! | large | as random, 8 live of 1 to 64 MiB, powers of two |
//! | align4k | as random, 1000 live of 64 B to 16 KiB at multiples of 4096 |

use memheap::Align;

use crate::rng::{Rng, log_uniform};

/// How many draws are made; they are used round and round.
const DRAWS: usize = 1 << 17;

/// How many pairs age a heap before anything is measured, at least once through all live blocks.
const AGEING: usize = 1 << 17;

/// Live blocks of a batch.
pub const BATCH: usize = 1000;

/// One of the eight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the table of the module says what they are")]
pub enum Workload {
    Pair64,
    Batch,
    Random,
    Randpair,
    Smallrand,
    Random100k,
    Large,
    Align4k,
}

/// What a workload's random part draws from.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// Blocks that are live all the time.
    pub live: usize,
    /// The smallest size.
    pub lo: u64,
    /// The largest is below `lo * 2^octaves`.
    pub octaves: u32,
    /// Only powers of two.
    pub powers: bool,
    /// The alignment of every block.
    pub align: Align,
}

/// Replace the block in `slot` by one of `size` bytes.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// Which of the live blocks.
    pub slot: u32,
    /// What comes in its place.
    pub size: u32,
}

/// How the timed part goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Motion {
    /// 64 B taken and given back.
    Pair,
    /// [`BATCH`] taken, then given back last first.
    Batch,
    /// One of the live blocks replaced.
    Replace,
}

impl Workload {
    /// All of them, in the order of the tables.
    pub const ALL: [Workload; 8] = [
        Workload::Pair64,
        Workload::Batch,
        Workload::Random,
        Workload::Randpair,
        Workload::Smallrand,
        Workload::Random100k,
        Workload::Large,
        Workload::Align4k,
    ];

    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Workload::Pair64 => "pair64",
            Workload::Batch => "batch",
            Workload::Random => "random",
            Workload::Randpair => "randpair",
            Workload::Smallrand => "smallrand",
            Workload::Random100k => "random100k",
            Workload::Large => "large",
            Workload::Align4k => "align4k",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Workload> {
        Workload::ALL.into_iter().find(|w| w.name() == name)
    }

    /// What is live, or nothing on an empty heap.
    pub fn mix(self) -> Option<Mix> {
        let mix = |live, lo, octaves| Mix { live, lo, octaves, powers: false, align: Align::DEFAULT };
        match self {
            Workload::Pair64 | Workload::Batch => None,
            Workload::Random | Workload::Randpair => Some(mix(10_000, 16, 12)),
            Workload::Smallrand => Some(mix(10_000, 16, 6)),
            Workload::Random100k => Some(mix(100_000, 16, 9)),
            Workload::Large => Some(Mix { powers: true, ..mix(8, 1 << 20, 7) }),
            Workload::Align4k => Some(Mix { align: Align::PAGE, ..mix(1000, 64, 8) }),
        }
    }

    /// The timed part.
    pub fn motion(self) -> Motion {
        match self {
            Workload::Pair64 | Workload::Randpair => Motion::Pair,
            Workload::Batch => Motion::Batch,
            _ => Motion::Replace,
        }
    }
}

impl Mix {
    /// The same, with sizes that suit a heap of `2^20` bytes.
    pub fn tiny(self) -> Mix {
        Mix { octaves: 2, ..self }
    }

    /// One size.
    pub fn size(&self, rng: &mut Rng) -> u64 {
        if self.powers {
            self.lo << rng.below(u64::from(self.octaves))
        } else {
            log_uniform(rng, self.lo, self.octaves)
        }
    }

    /// The sizes of the first live blocks, and the draws that follow.
    pub fn plan(&self) -> Plan {
        let mut rng = Rng::new(0x5eed);
        let first = (0..self.live).map(|_| self.size(&mut rng) as u32).collect();
        let mut draw =
            |_| Draw { slot: rng.below(self.live as u64) as u32, size: self.size(&mut rng) as u32 };
        let draws = (0..DRAWS).map(&mut draw).collect();
        Plan { first, draws, ageing: AGEING.max(2 * self.live) }
    }
}

/// All that will be asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Sizes of the first live blocks.
    pub first: Vec<u32>,
    /// Replacements, used round and round.
    pub draws: Vec<Draw>,
    /// Replacements made before anything is measured.
    pub ageing: usize,
}

impl Plan {
    /// A sum that is equal here and in the C program if all draws are.
    pub fn check(&self) -> u64 {
        let step = |sum: u64, n: u32| (sum ^ u64::from(n)).wrapping_mul(0x0100_0000_01b3);
        let sum = self.first.iter().fold(0xcbf2_9ce4_8422_2325, |sum, n| step(sum, *n));
        self.draws.iter().fold(sum, |sum, d| step(step(sum, d.slot), d.size))
    }
}
