//! What a job does, and what one PE of it does instead: drawn from a number, the same on every PE.

use shmem_api::testing::Random;

/// Who calls together. All of these are all PEs of the job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    World,
    /// Two teams made of the world: in order, and in reverse.
    Team,
    Reversed,
    /// The active set of all, with one of two `pSync` arrays.
    Set,
    OtherSet,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    Long,
    Ulong,
    Double,
    Int,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    Sum,
    Max,
    Min,
}

/// One call with its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Broadcast { root: u32 },
    Fcollect,
    Collect,
    Alltoall,
    Alltoalls { dst: usize },
    Reduce(Op),
    Inscan,
    Exscan,
    Sync,
    Barrier,
    Malloc,
    Calloc,
    Align { align: usize },
    Realloc,
    Free,
    FreeNull,
    Split { size: u32 },
    // Of the safe API.
    Alloc,
    AllocLock,
    AllocSignal,
    Phase { read_only: bool },
    ReduceOne(Op),
    BroadcastOne { root: u32 },
    CollectOne,
    SafeReduce(Op),
    SafeBroadcast { root: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    pub what: What,
    pub on: On,
    pub ty: Type,
    /// Elements, or bytes of a heap call.
    pub n: usize,
    /// Which of two objects is `dest`.
    pub dest: usize,
}

/// What a job does: `before`, then `call`, then `after`; one PE does `instead` in the place of `call`.
#[derive(Clone, Debug)]
pub struct Plan {
    pub pes: u32,
    pub odd: u32,
    pub before: Vec<Call>,
    pub call: Call,
    /// `None`: nothing.
    pub instead: Option<Call>,
    pub after: Vec<Call>,
}

/// Counts around the thresholds of every algorithm.
const COUNTS: [usize; 12] = [0, 1, 2, 7, 8, 31, 32, 33, 40, 511, 513, 3000];

impl Plan {
    pub fn draw(number: u64) -> Plan {
        let random = &mut Random::new(number);
        let pes = random.of(&[2, 2, 3, 3, 4, 5, 8]);
        let odd = random.below(pes as usize) as u32;
        let before = (0..random.below(4)).map(|_| Call::draw(random, pes)).collect();
        let call = Call::draw(random, pes);
        let instead = loop {
            match random.below(10) {
                // `free(NULL)` may be left out.
                0 if call.what != What::FreeNull => break None,
                1..4 => {
                    let other = Call::draw(random, pes);
                    if other.differs(&call) {
                        break Some(other);
                    }
                }
                _ => {
                    let other = call.changed(random, pes);
                    if other.differs(&call) {
                        break Some(other);
                    }
                }
            }
        };
        let after = (0..random.below(4)).map(|_| Call::draw(random, pes)).collect();
        Plan { pes, odd, before, call, instead, after }
    }
}

impl Call {
    fn draw(random: &mut Random, pes: u32) -> Call {
        let root = random.below(pes as usize) as u32;
        let op = random.of(&[Op::Sum, Op::Max, Op::Min]);
        let what = match random.below(26) {
            0..3 => What::Broadcast { root },
            3 => What::Fcollect,
            4 => What::Collect,
            5 => What::Alltoall,
            6 => What::Alltoalls { dst: 1 + random.below(2) },
            7..9 => What::Reduce(op),
            9 => What::Inscan,
            10 => What::Exscan,
            11 => What::Sync,
            12 => What::Barrier,
            13 => What::Malloc,
            14 => What::Calloc,
            15 => What::Align { align: random.of(&[16, 64, 4096]) },
            16 => What::Realloc,
            17 => random.of(&[What::Free, What::FreeNull]),
            18 => What::Split { size: 1 + random.below(pes as usize) as u32 },
            19 => random.of(&[What::Alloc, What::AllocLock, What::AllocSignal]),
            20 => What::Phase { read_only: random.below(2) == 0 },
            21 => What::ReduceOne(op),
            22 => What::BroadcastOne { root },
            23 => What::CollectOne,
            24 => What::SafeReduce(op),
            _ => What::SafeBroadcast { root },
        };
        let on = random.of(&[On::World, On::World, On::Team, On::Reversed, On::Set, On::OtherSet]);
        let ty = random.of(&[Type::Long, Type::Ulong, Type::Double, Type::Int]);
        Call { what, on, ty, n: random.of(&COUNTS), dest: random.below(2) }.sensible()
    }

    /// The same call but for one argument.
    fn changed(&self, random: &mut Random, pes: u32) -> Call {
        let drawn = Call::draw(random, pes);
        let mut call = *self;
        match random.below(6) {
            0 => call.on = drawn.on,
            1 => call.ty = drawn.ty,
            2 => call.n = drawn.n,
            3 => call.dest = drawn.dest,
            _ => {
                let (root, op) = (random.below(pes as usize) as u32, random.of(&[Op::Sum, Op::Max, Op::Min]));
                call.what = match call.what {
                    What::Broadcast { .. } => What::Broadcast { root },
                    What::BroadcastOne { .. } => What::BroadcastOne { root },
                    What::SafeBroadcast { .. } => What::SafeBroadcast { root },
                    What::Reduce(_) => What::Reduce(op),
                    What::ReduceOne(_) => What::ReduceOne(op),
                    What::SafeReduce(_) => What::SafeReduce(op),
                    What::Inscan => What::Exscan,
                    What::Phase { read_only } => What::Phase { read_only: !read_only },
                    What::Alltoalls { dst } => What::Alltoalls { dst: 3 - dst },
                    What::Malloc => What::Calloc,
                    What::Free => What::FreeNull,
                    What::Split { .. } => What::Split { size: 1 + root },
                    What::Alloc => What::AllocLock,
                    What::AllocLock => What::AllocSignal,
                    other => other,
                };
            }
        }
        call.sensible()
    }

    /// Arguments that a call does not have are the same in all such calls.
    fn sensible(mut self) -> Call {
        use What::*;
        let (on, ty, n, dest) = match self.what {
            Broadcast { .. } | Fcollect | Alltoall | Alltoalls { .. } | Reduce(_) => (true, true, true, true),
            // Counts may differ.
            Collect => (true, true, false, true),
            Inscan | Exscan => (true, true, true, true),
            Sync => (true, false, false, false),
            Malloc | Calloc | Align { .. } | Realloc => (false, false, true, false),
            Barrier | Free | FreeNull | Split { .. } | AllocLock | AllocSignal | Phase { .. } => {
                (false, false, false, false)
            }
            Alloc => (false, true, true, false),
            ReduceOne(_) | BroadcastOne { .. } | CollectOne => (false, true, false, false),
            SafeReduce(_) | SafeBroadcast { .. } => (false, false, true, false),
        };
        let set = matches!(self.on, On::Set | On::OtherSet);
        let no_set = matches!(self.what, Inscan | Exscan);
        if !on || set && no_set {
            self.on = On::World;
        }
        if !ty {
            self.ty = Type::Long;
        }
        if !n {
            self.n = 3;
        }
        if !dest || self.n == 0 {
            self.dest = 0;
        }
        self
    }

    /// Whether PEs that make the one and the other ask for different things.
    fn differs(&self, other: &Call) -> bool {
        use What::*;
        // All that would have allocated, and need not, are alike.
        let nothing = |c: &Call| c.n == 0 && matches!(c.what, Malloc | Calloc | Align { .. });
        // A block at a multiple of 16 is what malloc gives.
        let plain = |c: &Call| if c.what == (Align { align: 16 }) { Call { what: Malloc, ..*c } } else { *c };
        plain(self) != plain(other) && !(nothing(self) && nothing(other))
    }
}
