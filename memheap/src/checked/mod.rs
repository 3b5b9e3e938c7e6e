//! The guard around allocators of the program's own, whose answers are checked against a book.
//!
//! ```text
//!   caller ──► guard ──► module      alloc, free, realloc: asked; every answer is checked before it is passed on
//!                 │
//!                 └─ book            blocks, room, digest: from here; the module is not asked
//! ```
//!
//! A component is safe code, so it may be wrong without being unsafe: two blocks that overlap would give two owners
//! the same memory, a live block that is called free would lose its bytes, a digest that never changes would hide
//! that PEs differ. So no answer of a module is passed on unchecked, and it is asked nothing that the book knows
//! (rule S6 of the design of the Rust API). The first wrong answer, which is called a lie below, stops the program
//! before anybody has the block; and so does every call after a wrong answer or a panic of the module.
//!
//! What the guard cannot know is whether the modules of other PEs give the same offsets. Where
//! [`is_vouched_for`](Module::is_vouched_for) says no, whoever uses a heap on several PEs compares them.
//!
//! * **CHECKED-W1** the book holds exactly the blocks that were handed out and not freed, each as long as was asked
//!   for; they lie in the span and do not overlap;
//! * **CHECKED-W2** the digest depends on the calls and the offsets in the book alone;
//! * **CHECKED-W3** a module that has told a lie or panicked is not asked again, and the live blocks of any other are
//!   those of the book.

use std::collections::BTreeMap;

use crate::component::*;
use crate::units::{Align, Bytes, Offset, Span};

/// A module and the book its answers are checked against.
pub struct Checked {
    inner: Box<dyn Module>,
    component: &'static str,
    span: Span,
    /// The length of each block, by its start.
    live: BTreeMap<u64, u64>,
    digest: Digest,
    /// Why the module is not asked again.
    broken: Option<String>,
}

/// The steps of the digest.
const ALLOC: u64 = 1;
const FREE: u64 = 2;
const REALLOC: u64 = 3;

impl Checked {
    /// Wraps a fresh `inner` that manages `span`.
    pub fn new(inner: Box<dyn Module>, component: &'static str, span: Span) -> Checked {
        Checked { inner, component, span, live: BTreeMap::new(), digest: Digest::default(), broken: None }
    }

    /// Asks the module, unless it has lied before. If the call unwinds, it counts as broken from then on.
    fn ask<R>(&mut self, call: &str, question: impl FnOnce(&mut dyn Module) -> R) -> R {
        if let Some(what) = &self.broken {
            panic!("memheap component `{}` {what}: it cannot be used", self.component);
        }
        self.broken = Some(format!("panicked in {call} before"));
        let answer = question(&mut *self.inner);
        self.broken = None;
        answer
    }

    /// Enters a block that the module handed out (CHECKED-W1), in the place of `old` if there was one. If it cannot
    /// be one, says so, ends, and leaves the book as it is.
    fn enter(&mut self, at: Offset, size: Bytes, align: Align, old: Option<Offset>) {
        let len = size.0.max(1);
        let end = at.0.checked_add(len).filter(|&e| e <= self.span.len.0);
        let Some(end) = end else {
            self.lie(format!("gave {size} at {at}, past the end of its {} window", self.span.len))
        };
        if !at.is_aligned(align) {
            self.lie(format!("gave {at} for an alignment of {align}"));
        }
        let before = self.live.range(..end).rfind(|(start, _)| old.is_none_or(|old| **start != old.0));
        if let Some((&start, &n)) = before.filter(|&(&s, &n)| s + n > at.0) {
            self.lie(format!(
                "gave {size} at {at}, which overlaps the live block of {n} bytes at {start:#x}"
            ));
        }
        if let Some(old) = old {
            self.live.remove(&old.0);
        }
        self.live.insert(at.0, len);
    }

    fn lie(&mut self, what: String) -> ! {
        let line = format!("memheap component `{}` {what}: it cannot be used", self.component);
        self.broken = Some(what);
        panic!("{line}")
    }

    /// An error with the figures of the book. How large the largest block is only the module knows, as far as the book
    /// allows it.
    fn in_figures(&self, requested: Bytes, e: AllocError) -> AllocError {
        let AllocError::Exhausted { largest, .. } = e else { return e };
        let room = self.room();
        let largest = largest.min(room.largest);
        AllocError::Exhausted { requested, free: room.free, largest, total: self.span.len }
    }

    /// What lies between the live blocks.
    fn gaps(&self) -> impl Iterator<Item = Block> + '_ {
        let starts = self.live.keys().copied().chain([self.span.len.0]);
        let ends = [0].into_iter().chain(self.live.iter().map(|(at, len)| at + len));
        ends.zip(starts).filter(|(end, start)| end < start).map(|(end, start)| Block {
            at: Offset(end),
            len: Bytes(start - end),
            state: BlockState::Free,
        })
    }
}

fn live((&at, &len): (&u64, &u64)) -> Block {
    Block { at: Offset(at), len: Bytes(len), state: BlockState::Live }
}

impl Module for Checked {
    fn alloc(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        let at =
            self.ask("alloc", |module| module.alloc(size, align)).map_err(|e| self.in_figures(size, e))?;
        self.enter(at, size, align, None);
        self.digest = self.digest.step(ALLOC, at.0, size.0);
        Ok(at)
    }

    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        if !self.live.contains_key(&at.0) {
            return Err(explain_bad_free(self, self.span, at));
        }
        if let Err(e) = self.ask("free", |module| module.free(at)) {
            self.lie(format!("refused to free the live block at {at}: {e}"));
        }
        // The length is that of the book, as in everything the guard says about blocks.
        let len = self.live.remove(&at.0).unwrap_or(0);
        self.digest = self.digest.step(FREE, at.0, len);
        Ok(Bytes(len))
    }

    fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        let Some(&old) = self.live.get(&at.0) else {
            return Err(explain_bad_free(self, self.span, at).into());
        };
        let moved = self.ask("realloc", |module| module.realloc(at, size, align));
        let moved = moved.map_err(|e| self.in_figures(size, e))?;
        let kept = old.min(size.0);
        let to = match moved {
            Moved::InPlace => at,
            Moved::To { to, keep } if keep.0 < kept => {
                self.lie(format!("moved {at} to {to} and would keep only {keep} of {old} bytes"))
            }
            Moved::To { to, .. } => to,
        };
        // The new block may overlap the old one, which is gone once its bytes are moved.
        self.enter(to, size, align, Some(at));
        self.digest = self.digest.step(REALLOC, to.0, size.0);
        // No more than both blocks have, even if the module says so.
        Ok(if to == at { Moved::InPlace } else { Moved::To { to, keep: Bytes(kept) } })
    }

    fn block(&self, at: Offset) -> Option<Block> {
        let before = self.live.range(..=at.0).next_back().map(live);
        let inside = |b: &Block| at.0 < b.at.0 + b.len.0;
        before.filter(inside).or_else(|| {
            let from = before.map_or(0, |b| b.at.0 + b.len.0);
            let to = self.live.range(at.0..).next().map_or(self.span.len.0, |(start, _)| *start);
            (at.0 < to).then_some(Block { at: Offset(from), len: Bytes(to - from), state: BlockState::Free })
        })
    }

    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        let (mut taken, mut free) = (self.live.iter().map(live).peekable(), self.gaps().peekable());
        Box::new(std::iter::from_fn(move || match (taken.peek(), free.peek()) {
            (Some(a), Some(b)) if b.at < a.at => free.next(),
            (None, _) => free.next(),
            _ => taken.next(),
        }))
    }

    /// What is not handed out. The module may have less to give.
    fn room(&self) -> Room {
        self.gaps().fold(Room::default(), |room, gap| Room {
            free: Bytes(room.free.0 + gap.len.0),
            largest: room.largest.max(gap.len),
        })
    }

    fn validate(&self) -> Result<(), Violation> {
        if let Some(what) = &self.broken {
            return Err(Violation { invariant: "CHECKED-W3", what: format!("the module {what}") });
        }
        self.inner.validate()?;
        let told = self.inner.blocks().filter(|b| b.state == BlockState::Live);
        let told: Vec<u64> = told.map(|b| b.at.0).collect();
        if told.iter().ne(self.live.keys()) {
            return Err(Violation {
                invariant: "CHECKED-W3",
                what: "the module's live blocks are not those handed out".into(),
            });
        }
        Ok(())
    }

    fn digest(&self) -> Digest {
        self.digest
    }

    fn is_vouched_for(&self) -> bool {
        false
    }

    fn finalize(self: Box<Self>) {
        self.inner.finalize();
    }
}

#[cfg(test)]
mod tests;
