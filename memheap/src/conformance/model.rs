//! Random histories, mirrored call by call in a ledger that shares nothing with the module.

use std::collections::BTreeMap;

use super::laws::{Make, tiling};
use super::rng::Rng;
use crate::component::*;
use crate::units::{Align, Bytes, Offset, Span};

/// Runs `ops` random calls (alloc with random size and alignment, free, every kind of bad free, realloc)
/// and compares each answer with the ledger; and the whole heap with the whole ledger, often at first, then so rarely
/// that millions of calls take seconds.
pub fn model(make: Make<'_>, span: Span, ops: u64, seed: u64) {
    let mut run = Run::new(make(span), span, seed);
    let period = (ops / 48).max(1);
    for step in 0..ops {
        run.step = step;
        run.phase_change();
        let op = run.next_op();
        run.apply(op);
        if step < 100 || step % period == 0 {
            run.compare_all();
        }
    }
    run.drain();
}

/// Feeds two replicas the same random history of `ops` calls; the second also gets failing calls in
/// between. Offsets, errors and digests stay equal: MODULE-M4 and MODULE-M5.
pub fn determinism(make: Make<'_>, span: Span, ops: u64, seed: u64) {
    let mut run = Run::new(make(span), span, seed);
    let mut twin = make(span);
    let mut noise = Rng::new(!seed);
    for step in 0..ops {
        run.step = step;
        run.phase_change();
        let op = run.next_op();
        if noise.one_in(4) {
            assert!(twin.alloc(Bytes(span.len.0 + 1 + noise.bits() / 2), Align::ONE).is_err());
            assert!(twin.free(Offset(span.len.0 + noise.below(1 << 40))).is_err());
            let at = Offset(noise.below(span.len.0));
            if !run.live.contains_key(&at.0) {
                assert!(twin.free(at).is_err() && twin.realloc(at, Bytes(1), Align::ONE).is_err());
            }
        }
        let theirs = op.perform(&mut *twin);
        let ours = run.apply(op);
        assert_eq!(ours, theirs, "MODULE-M5: seed {seed}, step {step}, {op:?}");
        assert_eq!(run.module.digest(), twin.digest(), "MODULE-M5: seed {seed}, step {step}, {op:?}");
    }
    assert!(run.module.blocks().eq(twin.blocks()), "MODULE-M5: seed {seed}: equal histories, unequal blocks");
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    Alloc { size: Bytes, align: Align },
    Free { at: Offset },
    Realloc { at: Offset, size: Bytes, align: Align },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Alloc(Result<Offset, AllocError>),
    Free(Result<Bytes, FreeError>),
    Realloc(Result<Moved, AllocError>),
}

impl Op {
    fn perform(self, m: &mut dyn Module) -> Answer {
        match self {
            Op::Alloc { size, align } => Answer::Alloc(m.alloc(size, align)),
            Op::Free { at } => Answer::Free(m.free(at)),
            Op::Realloc { at, size, align } => Answer::Realloc(m.realloc(at, size, align)),
        }
    }
}

/// A live block as the ledger knows it.
#[derive(Clone, Copy, Debug)]
struct Live {
    asked: u64,
    len: u64,
    /// Its index in [`Run::starts`].
    slot: usize,
}

struct Run {
    module: Box<dyn Module>,
    span: Span,
    fresh: Room,
    live: BTreeMap<u64, Live>,
    /// The keys of `live`, in no order, to pick one at random.
    starts: Vec<u64>,
    live_bytes: u64,
    rng: Rng,
    seed: u64,
    step: u64,
    /// Until the next phase about so many of 16 calls are allocs, and sizes are below `2^size_bits`.
    allocs: u64,
    size_bits: u64,
}

impl Run {
    fn new(module: Box<dyn Module>, span: Span, seed: u64) -> Run {
        let fresh = module.room();
        let (live, starts, rng) = (BTreeMap::new(), Vec::new(), Rng::new(seed ^ span.len.0));
        Run { module, span, fresh, live, starts, live_bytes: 0, rng, seed, step: 0, allocs: 10, size_bits: 8 }
    }

    /// Now and then begins a phase that fills the heap or empties it, with small or with large blocks.
    fn phase_change(&mut self) {
        if self.rng.one_in(2000) {
            self.allocs = 3 + self.rng.below(10);
            self.size_bits = 1 + self.rng.below(u64::from(self.span.len.0.max(2).ilog2()));
        }
    }

    fn next_op(&mut self) -> Op {
        let pick = self.rng.below(16);
        if pick < self.allocs || self.starts.is_empty() {
            return Op::Alloc { size: self.size(), align: self.align() };
        }
        let start = self.starts[self.rng.below(self.starts.len() as u64) as usize];
        match self.rng.below(16) {
            0 => Op::Free { at: Offset(start + self.rng.below(self.live[&start].len)) },
            1 => Op::Free { at: Offset(self.rng.below(self.span.len.0)) },
            2 => Op::Free { at: Offset(self.span.len.0.saturating_add(self.rng.log_uniform(63) - 1)) },
            3..6 => Op::Realloc { at: Offset(start), size: self.size(), align: self.align() },
            6 => Op::Realloc {
                at: Offset(start),
                size: Bytes(self.live[&start].len * 2 - self.rng.below(2)),
                align: Align::ONE,
            },
            7 => Op::Realloc { at: Offset(start + self.rng.below(2)), size: self.size(), align: Align::ONE },
            _ => Op::Free { at: Offset(start) },
        }
    }

    fn size(&mut self) -> Bytes {
        Bytes(match self.rng.below(64) {
            0 => 0,
            1 => 1 << self.rng.below(self.size_bits + 1),
            2 => self.rng.below(self.span.len.0 + 2),
            3 if self.rng.one_in(8) => self.rng.bits(),
            _ => self.rng.log_uniform(self.size_bits),
        })
    }

    fn align(&mut self) -> Align {
        let log = match self.rng.below(16) {
            0 => self.rng.below(24),
            1 => self.rng.below(64),
            2..6 => self.rng.below(8),
            _ => 0,
        };
        Align::new(1 << log).expect("a power of two")
    }

    fn apply(&mut self, op: Op) -> Answer {
        let before = self.module.digest();
        let answer = op.perform(&mut *self.module);
        let failed = match (op, answer) {
            (Op::Alloc { size, align }, Answer::Alloc(Ok(at))) => self.enter(at, size, align),
            (Op::Alloc { size, align }, Answer::Alloc(Err(e))) => self.refused(size, align, e),
            (Op::Free { at }, Answer::Free(result)) => {
                self.expect(result, self.expected_free(at), op);
                result.is_err() || self.leave(at)
            }
            (Op::Realloc { at, size, align }, Answer::Realloc(Ok(moved))) => {
                self.reallocated(at, size, align, moved)
            }
            (Op::Realloc { at, size, align }, Answer::Realloc(Err(e))) => self.kept(at, size, align, e),
            _ => unreachable!("perform answers in kind"),
        };
        let same = before == self.module.digest();
        self.check(same == failed, || format!("MODULE-M4: {op:?} gave {answer:?}, digest unchanged: {same}"));
        answer
    }

    /// Enters a block that was handed out, after a look at MODULE-M1 and MODULE-M2; returns that the call has not
    /// failed.
    fn enter(&mut self, at: Offset, size: Bytes, align: Align) -> bool {
        let block = self.module.block(at);
        let Some(b) = block.filter(|b| b.at == at && b.state == BlockState::Live) else {
            self.fail(format!("block({at}) is {block:?} for the start of a live block"))
        };
        self.check(at.is_aligned(align) && b.len.0 >= size.0.max(1), || {
            format!("MODULE-M2: {b:?} for {size}, {align}")
        });
        let end = at.0.saturating_add(b.len.0);
        self.check(end <= self.span.len.0, || format!("MODULE-M1: {b:?} leaves the span"));
        if let Some((start, l)) = self.live.range(..end).next_back().filter(|(s, l)| *s + l.len > at.0) {
            self.fail(format!("MODULE-M1: {b:?} overlaps the live {start:#x} {l:?}"));
        }
        self.live.insert(at.0, Live { asked: size.0, len: b.len.0, slot: self.starts.len() });
        self.starts.push(at.0);
        self.live_bytes += b.len.0;
        false
    }

    /// Strikes a live block out; returns that the call has not failed.
    fn leave(&mut self, at: Offset) -> bool {
        let Some(l) = self.live.remove(&at.0) else { self.fail(format!("{at} is not in the ledger")) };
        self.starts.swap_remove(l.slot);
        if let Some(moved) = self.starts.get(l.slot) {
            self.live.get_mut(moved).expect("every start is in the ledger").slot = l.slot;
        }
        self.live_bytes -= l.len;
        false
    }

    fn refused(&mut self, size: Bytes, align: Align, e: AllocError) -> bool {
        // For exact figures the module may walk all blocks; one refusal in four is enough.
        if self.step.is_multiple_of(4) {
            let Room { free, largest } = self.module.room();
            match e {
                AllocError::Exhausted { .. } => {
                    let expected =
                        AllocError::Exhausted { requested: size, free, largest, total: self.span.len };
                    self.expect(e, expected, size);
                    self.check(align != Align::ONE || size.0.max(1) > largest.0, || {
                        format!("{size} refused, {largest} is free")
                    });
                }
                AllocError::BadAlign { align: asked, max } => {
                    self.check(asked == align && max < align, || format!("{e} for {align}"))
                }
                AllocError::NotLive(_) => self.fail(format!("alloc says {e}")),
            }
        }
        true
    }

    fn reallocated(&mut self, at: Offset, size: Bytes, align: Align, moved: Moved) -> bool {
        let Some(&old) = self.live.get(&at.0) else {
            self.fail(format!("MODULE-M6: realloc({at}) gave {moved:?} for no live block"))
        };
        self.leave(at);
        match moved {
            Moved::InPlace => self.enter(at, size, align),
            Moved::To { to, keep } => {
                self.check(to != at, || format!("moved from {at} to itself"));
                self.enter(to, size, align);
                let new = self.live[&to.0];
                let range = old.asked.min(size.0)..=old.len.min(new.len);
                self.check(range.contains(&keep.0), || format!("keep {keep}, not in {range:?}"));
                false
            }
        }
    }

    /// After a realloc that failed the old block, if there is one, is as it was.
    fn kept(&mut self, at: Offset, size: Bytes, align: Align, e: AllocError) -> bool {
        match self.live.get(&at.0).copied() {
            None => {
                let why = self.expected_free(at).expect_err("not a live start");
                self.expect(e, AllocError::NotLive(why), at);
            }
            Some(l) => {
                let expected = Block { at, len: Bytes(l.len), state: BlockState::Live };
                self.expect(self.module.block(at), Some(expected), "the old block after a failed realloc");
                let fits = size.0 <= l.len && at.is_aligned(align);
                self.check(!fits && !matches!(e, AllocError::NotLive(_)), || {
                    format!("realloc of {l:?} to {size}, {align} refused: {e}")
                });
            }
        }
        true
    }

    /// What a free of `at` must answer: MODULE-M6.
    fn expected_free(&self, at: Offset) -> Result<Bytes, FreeError> {
        if at.0 >= self.span.len.0 {
            return Err(FreeError::Foreign { at });
        }
        match self.live.range(..=at.0).next_back() {
            Some((&start, l)) if start == at.0 => Ok(Bytes(l.len)),
            Some((&start, l)) if start + l.len > at.0 => {
                Err(FreeError::Interior { at, start: Offset(start), len: Bytes(l.len) })
            }
            _ => Err(FreeError::NotAllocated { at }),
        }
    }

    /// The whole module against the whole ledger: MODULE-M1, MODULE-M3 and its own invariants.
    fn compare_all(&self) {
        if let Err(violation) = self.module.validate() {
            self.fail(violation.to_string());
        }
        tiling(&*self.module, self.span);
        let live = self.module.blocks().filter(|b| b.state == BlockState::Live).map(|b| (b.at.0, b.len.0));
        if live.ne(self.live.iter().map(|(&at, l)| (at, l.len))) {
            self.fail("MODULE-M3: the module's live blocks are not those of the ledger".to_owned());
        }
        self.expect(
            self.module.room().free.0 + self.live_bytes,
            self.fresh.free.0,
            "MODULE-M3: conservation",
        );
    }

    /// Frees all that is left, and expects the heap to be as at first.
    fn drain(&mut self) {
        while let Some(&at) = self.starts.last() {
            self.apply(Op::Free { at: Offset(at) });
        }
        self.compare_all();
        self.expect(self.module.room(), self.fresh, "MODULE-M3: all is freed");
    }

    fn expect<T: PartialEq + std::fmt::Debug>(&self, got: T, expected: T, of: impl std::fmt::Debug) {
        self.check(got == expected, || format!("{of:?}: {got:?}, expected {expected:?}"));
    }

    fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(what());
        }
    }

    fn fail(&self, what: String) -> ! {
        panic!("seed {}, span {}, step {}: {what}", self.seed, self.span.len, self.step)
    }
}
