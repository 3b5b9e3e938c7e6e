//! The set accepts a correct module and catches faulty ones: a first-fit allocator with faults that can be switched on.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::checked::Checked;
use crate::component::*;
use crate::units::{Align, Offset};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    Overlap,
    ForgetsAlignment,
    LosesOnRealloc,
    DigestOfFailures,
    InteriorAsDouble,
    LeaksTheTail,
}

struct Toy {
    fault: Fault,
    span: Span,
    live: BTreeMap<u64, u64>,
    digest: Digest,
}

impl Toy {
    fn gaps(&self) -> Vec<(u64, u64)> {
        let mut at = 0;
        let mut gaps = Vec::new();
        for (&start, &len) in self.live.iter().chain([(&self.span.len.0, &0)]) {
            if start > at {
                gaps.push((at, start - at));
            }
            at = start + len;
        }
        gaps
    }
}

impl Module for Toy {
    fn alloc(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        let align = if self.fault == Fault::ForgetsAlignment { Align::ONE } else { align };
        let len = size.0.max(1);
        let fit = self.gaps().into_iter().find_map(|(at, n)| {
            let start = Bytes(at).checked_round_up(align)?.0;
            (start.checked_add(len)? <= at + n).then_some(start)
        });
        let Some(at) = fit else {
            if self.fault == Fault::DigestOfFailures {
                self.digest = self.digest.step(9, 9, 9);
            }
            let Room { free, largest } = self.room();
            return Err(AllocError::Exhausted { requested: size, free, largest, total: self.span.len });
        };
        let short = u64::from(self.fault == Fault::Overlap && len > 1 && self.live.len() > 3);
        self.live.insert(at, len - short);
        self.digest = self.digest.step(1, at, len);
        Ok(Offset(at))
    }

    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        let Some(len) = self.live.remove(&at.0) else {
            return Err(match explain_bad_free(self, self.span, at) {
                FreeError::Interior { at, .. } if self.fault == Fault::InteriorAsDouble => {
                    FreeError::NotAllocated { at }
                }
                why => why,
            });
        };
        if self.fault == Fault::LeaksTheTail && len > 100 {
            self.live.insert(at.0 + len - 1, 1);
        }
        self.digest = self.digest.step(2, at.0, len);
        Ok(Bytes(len))
    }

    fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        let Some(&old) = self.live.get(&at.0) else {
            return Err(explain_bad_free(self, self.span, at).into());
        };
        if size.0 <= old && at.is_aligned(align) {
            self.live.insert(at.0, size.0.max(1));
            self.digest = self.digest.step(3, at.0, size.0);
            return Ok(Moved::InPlace);
        }
        if self.fault == Fault::LosesOnRealloc {
            self.live.remove(&at.0);
        }
        let to = self.alloc(size, align)?;
        self.live.remove(&at.0);
        Ok(Moved::To { to, keep: Bytes(old.min(size.0)) })
    }

    fn block(&self, at: Offset) -> Option<Block> {
        self.blocks().find(|b| (b.at.0..b.at.0 + b.len.0).contains(&at.0))
    }

    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        let of = |state| move |(at, len)| Block { at: Offset(at), len: Bytes(len), state };
        let live = self.live.iter().map(|(&at, &len)| (at, len)).map(of(BlockState::Live));
        let mut all: Vec<Block> = live.chain(self.gaps().into_iter().map(of(BlockState::Free))).collect();
        all.sort_by_key(|b| b.at);
        Box::new(all.into_iter())
    }

    fn room(&self) -> Room {
        let gaps = self.gaps();
        let largest = gaps.iter().map(|g| g.1).max().unwrap_or(0);
        Room { free: Bytes(gaps.iter().map(|g| g.1).sum()), largest: Bytes(largest) }
    }

    fn validate(&self) -> Result<(), Violation> {
        Ok(())
    }

    fn digest(&self) -> Digest {
        self.digest
    }
}

fn toy(fault: Fault) -> impl Fn(Span) -> Box<dyn Module> {
    move |span| Box::new(Toy { fault, span, live: BTreeMap::new(), digest: Digest::default() })
}

/// The toy takes quadratic time, so it gets a small heap and few calls.
fn set(make: Make<'_>) {
    let span = Span { len: Bytes(12 << 10) };
    let ops = if cfg!(miri) { 100 } else { 2000 };
    whole_heap(make, span, span.len);
    tiling(&*make(span), span);
    size_zero(make, span);
    alignment(make, span);
    refused_alignment(make, span);
    exhaustion(make, span);
    bad_frees(make, span);
    realloc_keeps(make, span);
    free_all_restores(make, span);
    model(make, span, ops, 1);
    determinism(make, span, ops, 1);
}

#[test]
fn a_right_module_passes() {
    set(&toy(Fault::None));
}

#[test]
fn a_right_module_under_guard_passes() {
    let right = toy(Fault::None);
    set(&|span| Box::new(Checked::new(right(span), "toy", span)));
}

#[test]
fn every_fault_is_caught() {
    use Fault::*;
    for fault in [Overlap, ForgetsAlignment, LosesOnRealloc, DigestOfFailures, InteriorAsDouble, LeaksTheTail]
    {
        let caught = catch_unwind(AssertUnwindSafe(|| set(&toy(fault)))).is_err();
        assert!(caught, "{fault:?} went unnoticed");
    }
}

#[test]
fn the_model_alone_catches_them_too() {
    use Fault::*;
    let span = Span { len: Bytes(12 << 10) };
    for fault in [Overlap, ForgetsAlignment, LosesOnRealloc, DigestOfFailures, InteriorAsDouble, LeaksTheTail]
    {
        let ops = if cfg!(miri) { 400 } else { 5000 };
        let caught = catch_unwind(AssertUnwindSafe(|| model(&toy(fault), span, ops, 3))).is_err();
        assert!(caught, "{fault:?} went unnoticed");
    }
}
