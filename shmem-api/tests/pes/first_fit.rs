//! An allocator written outside the workspace's crates, with nothing but the public API: first fit over
//! an ordered map of free ranges. It can be told to lie.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use shmem_api::memheap::component::*;
use shmem_api::memheap::{Align, Bytes, Offset, Settings, Span};

pub struct FirstFit {
    pub priority: i32,
    pub lie: Lie,
}

/// What a broken allocator may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    None,
    /// Calls itself by the name of a built-in one.
    Name,
    /// Hands the same block out twice.
    SameBlock,
    /// Calls live blocks free.
    LiveIsFree,
    /// Leaves out [`SKIP`] bytes in front of each block, and has a digest that says nothing.
    Elsewhere,
    /// Runs [`CALL`] when it is asked for a block.
    Calls,
}

/// May differ from PE to PE.
pub static SKIP: AtomicU64 = AtomicU64::new(0);
/// Modules that have been ended.
pub static FINALIZED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// What the module does in the middle of its next call in this thread.
    pub static CALL: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

struct Ready(Lie);

struct Ranges {
    span: Span,
    free: BTreeMap<u64, u64>,
    live: BTreeMap<u64, u64>,
    digest: Digest,
    lie: Lie,
}

impl Component for FirstFit {
    fn name(&self) -> &'static str {
        if self.lie == Lie::Name { "ptmalloc" } else { "first-fit" }
    }
    fn priority(&self) -> Priority {
        Priority(self.priority)
    }
    fn open(&self, _: &Settings) -> Result<Box<dyn Opened>, Decline> {
        Ok(Box::new(Ready(self.lie)))
    }
}

impl Opened for Ready {
    fn init(&self, span: Span) -> Result<Box<dyn Module>, Decline> {
        let free = BTreeMap::from([(0, span.len.0)]);
        Ok(Box::new(Ranges { span, free, live: BTreeMap::new(), digest: Digest(0), lie: self.0 }))
    }
}

impl Module for Ranges {
    fn alloc(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        if let (Lie::SameBlock, Some((&at, _))) = (self.lie, self.live.iter().next()) {
            return Ok(Offset(at));
        }
        if let (Lie::Calls, Some(call)) = (self.lie, CALL.take()) {
            call();
        }
        let skip = if self.lie == Lie::Elsewhere { SKIP.load(Ordering::Relaxed) } else { 0 };
        let size = size.0.max(1);
        let fits = |(&at, &len): (&u64, &u64)| {
            let start = (at + skip).next_multiple_of(align.bytes());
            (start + size <= at + len).then_some((at, len, start))
        };
        let Some((at, len, start)) = self.free.iter().find_map(fits) else {
            let Room { free, largest } = self.room();
            return Err(AllocError::Exhausted {
                requested: Bytes(size),
                free,
                largest,
                total: self.span.len,
            });
        };
        self.free.remove(&at);
        if start > at {
            self.free.insert(at, start - at);
        }
        if start + size < at + len {
            self.free.insert(start + size, at + len - start - size);
        }
        self.live.insert(start, size);
        self.digest = self.digest.step(1, start, size);
        Ok(Offset(start))
    }

    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        let Some(len) = self.live.remove(&at.0) else { return Err(explain_bad_free(self, self.span, at)) };
        let (mut start, mut end) = (at.0, at.0 + len);
        if let Some(after) = self.free.remove(&end) {
            end += after;
        }
        if let Some((&before, &n)) = self.free.range(..start).next_back()
            && before + n == start
        {
            start = before;
        }
        self.free.insert(start, end - start);
        self.digest = self.digest.step(2, at.0, len);
        Ok(Bytes(len))
    }

    fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        let Some(&old) = self.live.get(&at.0) else {
            return Err(explain_bad_free(self, self.span, at).into());
        };
        if size.0.max(1) <= old && at.is_aligned(align) {
            return Ok(Moved::InPlace);
        }
        let to = self.alloc(size, align)?;
        self.free(at)?;
        Ok(Moved::To { to, keep: Bytes(old.min(size.0)) })
    }

    fn block(&self, at: Offset) -> Option<Block> {
        let find = |map: &BTreeMap<u64, u64>, state| {
            let (&start, &len) = map.range(..=at.0).next_back()?;
            (at.0 < start + len).then_some(Block { at: Offset(start), len: Bytes(len), state })
        };
        find(&self.live, BlockState::Live).or_else(|| find(&self.free, BlockState::Free))
    }

    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        let all = self
            .live
            .iter()
            .map(|b| (b, BlockState::Live))
            .chain(self.free.iter().map(|b| (b, BlockState::Free)));
        let told = |state| if self.lie == Lie::LiveIsFree { BlockState::Free } else { state };
        let block = |((&at, &len), state)| Block { at: Offset(at), len: Bytes(len), state: told(state) };
        let mut blocks: Vec<Block> = all.map(block).collect();
        blocks.sort_by_key(|b| b.at);
        Box::new(blocks.into_iter())
    }

    fn room(&self) -> Room {
        let largest = self.free.values().copied().max().unwrap_or(0);
        Room { free: Bytes(self.free.values().sum()), largest: Bytes(largest) }
    }

    fn validate(&self) -> Result<(), Violation> {
        let mut end = 0;
        for b in self.blocks() {
            if b.at.0 != end {
                return Err(Violation {
                    invariant: "MODULE-M3",
                    what: format!("a gap or overlap at {end:#x}"),
                });
            }
            end += b.len.0;
        }
        Ok(())
    }

    fn digest(&self) -> Digest {
        if self.lie == Lie::Elsewhere { Digest(7) } else { self.digest }
    }

    fn finalize(self: Box<Self>) {
        FINALIZED.fetch_add(1, Ordering::Relaxed);
    }
}
