//! A wrapper for components nobody vouches for: an exact ledger of live ranges.
//!
//! A component is safe code, so it may lie: two blocks that overlap would give two owners the same
//! memory. The wrapper checks every answer against its own book (rule S6 of the Rust API) and stops the
//! program at the first lie, before anybody gets the block.

use std::collections::BTreeMap;

use crate::component::*;
use crate::units::{Align, Bytes, Offset, Span};

/// A module and the ledger its answers are checked against.
pub struct Checked {
    inner: Box<dyn Module>,
    component: &'static str,
    span: Span,
    live: BTreeMap<u64, u64>,
}

impl Checked {
    /// Wraps a fresh `inner` that manages `span`.
    pub fn new(inner: Box<dyn Module>, component: &'static str, span: Span) -> Checked {
        Checked { inner, component, span, live: BTreeMap::new() }
    }

    /// Enters a block the module handed out, or says how the module lied.
    fn enter(&mut self, at: Offset, size: Bytes, align: Align) {
        let len = size.0.max(1);
        let end = at.0.checked_add(len).filter(|&e| e <= self.span.len.0);
        let Some(end) = end else {
            self.lie(format!("gave {size} at {at}, past the end of its {} window", self.span.len))
        };
        if !at.is_aligned(align) {
            self.lie(format!("gave {at} for an alignment of {align}"));
        }
        let before = self.live.range(..end).next_back();
        if let Some((&start, &n)) = before.filter(|&(&s, &n)| s + n > at.0) {
            self.lie(format!(
                "gave {size} at {at}, which overlaps the live block of {n} bytes at {start:#x}"
            ));
        }
        self.live.insert(at.0, len);
    }

    fn lie(&self, what: String) -> ! {
        panic!("memheap component `{}` {what}: it cannot be used", self.component)
    }
}

impl Module for Checked {
    fn alloc(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        let at = self.inner.alloc(size, align)?;
        self.enter(at, size, align);
        Ok(at)
    }

    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        if !self.live.contains_key(&at.0) {
            return Err(explain_bad_free(self, self.span, at));
        }
        if let Err(e) = self.inner.free(at) {
            self.lie(format!("refused to free the live block at {at}: {e}"));
        }
        // As long as the ledger says, like everything this module tells about blocks.
        Ok(Bytes(self.live.remove(&at.0).unwrap_or(0)))
    }

    fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        let Some(&old) = self.live.get(&at.0) else {
            return Err(explain_bad_free(self, self.span, at).into());
        };
        let moved = self.inner.realloc(at, size, align)?;
        self.live.remove(&at.0);
        match moved {
            Moved::InPlace => self.enter(at, size, align),
            Moved::To { to, keep } if keep.0 < old.min(size.0) => {
                self.lie(format!("moved {at} to {to} and would keep only {keep} of {old} bytes"))
            }
            Moved::To { to, .. } => self.enter(to, size, align),
        }
        Ok(moved)
    }

    fn block(&self, at: Offset) -> Option<Block> {
        let (&start, &len) = self.live.range(..=at.0).next_back().filter(|&(s, n)| at.0 < s + n)?;
        Some(Block { at: Offset(start), len: Bytes(len), state: BlockState::Live })
    }

    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        self.inner.blocks()
    }

    fn room(&self) -> Room {
        self.inner.room()
    }

    fn validate(&self) -> Result<(), Violation> {
        self.inner.validate()?;
        let live = self.inner.blocks().filter(|b| b.state == BlockState::Live);
        let book: Vec<u64> = live.map(|b| b.at.0).collect();
        if book.iter().ne(self.live.keys()) {
            return Err(Violation {
                invariant: "S6",
                what: "the module's live blocks are not those handed out".into(),
            });
        }
        Ok(())
    }

    fn digest(&self) -> Digest {
        self.inner.digest()
    }

    fn finalize(self: Box<Self>) {
        self.inner.finalize();
    }
}
