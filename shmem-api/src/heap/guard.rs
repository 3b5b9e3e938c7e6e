//! Heap checking: guard zones, fill patterns, quarantine and call sites around every block.
//!
//! ```text
//!   level 2:  | zone | user's bytes | zone |        zones checked at free, freed bytes filled and kept
//!   level 3:  | zone | user's bytes |PAGE|          the page after the block, and all of a freed block, no access
//!             b      at             at + size
//! ```
//!
//! Level 1 (exact frees, from the modules' own books) is always on and is not here. The level is a setting,
//! equal on all PEs, and everything that decides an offset (zones, pages, how long a freed block is kept)
//! depends on it and on the call history alone. A freed block is kept until others have come after it, or until
//! there is no room for a new one.
//!
//! Invariants: **GUARD-H1** `live` holds exactly the blocks that are handed out, `kept` those that were freed and
//! not yet given back to their module; **GUARD-H2** zones and freed bytes hold their patterns as long as nobody
//! writes where it must not.
#![allow(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use memheap::settings::{self, Settings};
use memheap::{Align, Bytes, FreeError, Offset};
use parking_lot::Mutex;
use rustix::mm::{MprotectFlags, mprotect};

use crate::memory::copy;
use crate::node::segment::Peer;
use crate::types::call_site::CallSite;

const ZONE: u64 = 64;
const ZONE_FILL: u8 = 0x5b;
const FREED_FILL: u8 = 0xa5;
/// What the user's bytes hold before the program writes them, where the call promises nothing.
pub(crate) const NEW_FILL: u8 = 0x5a;
/// Freed blocks that are kept, and bytes in them.
const KEPT_BLOCKS: usize = 256;
const KEPT_BYTES: u64 = 64 << 20;

/// A block with its surroundings.
#[derive(Clone, Copy, Debug)]
struct Guarded {
    /// The module's block.
    block: Offset,
    len: Bytes,
    /// The user's part.
    at: Offset,
    size: Bytes,
    site: CallSite,
}

/// One PE's checker.
pub(crate) struct Guards {
    level: u64,
    /// Held for a moment only: while one thread waits in a heap call, others may put.
    book: Mutex<Book>,
}

/// What it knows.
#[derive(Default)]
struct Book {
    live: BTreeMap<u64, Guarded>,
    kept: VecDeque<Guarded>,
    kept_bytes: u64,
}

/// The memory of this host's PEs, and which of it is this PE's own.
pub(crate) struct View<'e> {
    pub(crate) own: *mut u8,
    pub(crate) peers: &'e [Peer],
}

/// What has to be asked of the module for a block of the user's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    pub(crate) size: Bytes,
    pub(crate) align: Align,
}

impl Guards {
    pub(crate) fn new(settings: &Settings) -> Guards {
        let level = settings.count(&settings::HEAP_CHECK).unwrap_or(1);
        Guards { level, book: Mutex::default() }
    }

    /// Whether blocks are guarded at all.
    pub(crate) fn on(&self) -> bool {
        self.level >= 2
    }

    fn pages(&self) -> bool {
        self.level >= 3
    }

    /// The block to ask for; `None` if it would not fit in 64 bits.
    pub(crate) fn wanted(&self, size: Bytes, align: Align) -> Option<Wanted> {
        let align = if self.pages() { align.max(Align::PAGE) } else { align.max(Align::CACHE_LINE) };
        let body = size.checked_round_up(align)?;
        let rear = if self.pages() { Align::PAGE.bytes() } else { ZONE };
        let size = body.0.checked_add(align.bytes())?.checked_add(rear)?;
        Some(Wanted { size: Bytes(size), align })
    }

    /// Enters a new module block that was taken for `size` bytes, and sets its surroundings up.
    pub(crate) fn enter(
        &self,
        view: &View<'_>,
        block: Offset,
        wanted: Wanted,
        size: Bytes,
        align: Align,
        site: CallSite,
    ) -> Offset {
        let front = wanted.align.bytes();
        let at = if self.pages() {
            // The user's bytes end where the page without access begins, as closely as alignment allows.
            let end = block.0 + wanted.size.0 - Align::PAGE.bytes();
            protect(view, Offset(end), Bytes(Align::PAGE.bytes()), MprotectFlags::empty());
            Offset((end - size.0) & !(align.bytes() - 1))
        } else {
            Offset(block.0 + front)
        };
        let guarded = Guarded { block, len: wanted.size, at, size, site };
        for (from, to) in self.zones(&guarded) {
            fill(view, from, to, ZONE_FILL);
        }
        fill(view, at.0, at.0 + size.0, NEW_FILL);
        self.book.lock().live.insert(at.0, guarded);
        at
    }

    /// The bytes around the user's that must keep their pattern.
    fn zones(&self, g: &Guarded) -> [(u64, u64); 2] {
        let end = g.block.0 + g.len.0 - if self.pages() { Align::PAGE.bytes() } else { 0 };
        let from = (g.at.0 - ZONE.min(g.at.0 - g.block.0)).max(g.block.0);
        [(from, g.at.0), (g.at.0 + g.size.0, end.min(g.at.0 + g.size.0 + ZONE))]
    }

    /// Takes a user's block out of the live ones and into quarantine; the blocks whose time is over, for
    /// the module to free. `None` if there is no such live block.
    pub(crate) fn leave(&self, view: &View<'_>, at: Offset) -> Option<Result<Vec<Offset>, String>> {
        let mut book = self.book.lock();
        let guarded = book.live.get(&at.0).copied()?;
        if let Some(what) = self.zones(&guarded).into_iter().find_map(|(a, b)| changed(view, a, b, ZONE_FILL))
        {
            return Some(Err(format!("written {} of {}", beside(&guarded, what), describe(&guarded))));
        }
        book.live.remove(&at.0);
        if self.pages() {
            protect(view, guarded.block, guarded.len, MprotectFlags::empty());
        } else {
            fill(view, at.0, at.0 + guarded.size.0, FREED_FILL);
        }
        book.kept_bytes += guarded.len.0;
        book.kept.push_back(guarded);
        Some(self.release(&mut book, view))
    }

    fn release(&self, book: &mut Book, view: &View<'_>) -> Result<Vec<Offset>, String> {
        let mut over = Vec::new();
        while book.kept.len() > KEPT_BLOCKS || book.kept_bytes > KEPT_BYTES {
            over.extend(self.release_oldest(book, view).transpose()?);
        }
        Ok(over)
    }

    /// There is no room: the block that has been kept longest, for the module to free; `None` if none is kept.
    pub(crate) fn give_way(&self, view: &View<'_>) -> Option<Result<Offset, String>> {
        self.release_oldest(&mut self.book.lock(), view)
    }

    fn release_oldest(&self, book: &mut Book, view: &View<'_>) -> Option<Result<Offset, String>> {
        let g = book.kept.pop_front()?;
        book.kept_bytes -= g.len.0;
        if self.pages() {
            protect(view, g.block, g.len, MprotectFlags::READ | MprotectFlags::WRITE);
        } else if let Some(what) = changed(view, g.at.0, g.at.0 + g.size.0, FREED_FILL) {
            let (byte, block) = (what - g.at.0, describe(&g));
            return Some(Err(format!("written after it was freed, at byte {byte} of {block}")));
        }
        Some(Ok(g.block))
    }

    /// How many bytes the user asked for at `at`, if a live block starts there.
    pub(crate) fn size(&self, at: Offset) -> Option<Bytes> {
        self.book.lock().live.get(&at.0).map(|g| g.size)
    }

    /// Why `at` is not the start of a live block, as far as it is known here.
    pub(crate) fn explain(&self, at: Offset) -> Option<FreeError> {
        let holds = |g: &&Guarded| at.0 >= g.block.0 && at.0 < g.block.0 + g.len.0;
        let book = self.book.lock();
        if book.kept.iter().any(|g| holds(&g)) {
            return Some(FreeError::NotAllocated { at });
        }
        let live = book.live.values().find(holds)?;
        Some(FreeError::Interior { at, start: live.at, len: live.size })
    }

    /// Checks what is still in quarantine, and opens it.
    pub(crate) fn check_kept(&self, view: &View<'_>) -> Result<(), String> {
        let wrong = |g: &Guarded| changed(view, g.at.0, g.at.0 + g.size.0, FREED_FILL).map(|what| (*g, what));
        for g in self.book.lock().kept.iter() {
            if self.pages() {
                protect(view, g.block, g.len, MprotectFlags::READ | MprotectFlags::WRITE);
            } else if let Some((g, what)) = wrong(g) {
                return Err(format!(
                    "written after it was freed, at byte {} of {}",
                    what - g.at.0,
                    describe(&g)
                ));
            }
        }
        Ok(())
    }

    /// What is wrong with an access to `n` bytes at `at`, if anything.
    pub(crate) fn check_access(&self, at: Offset, n: u64) -> Result<(), String> {
        let book = self.book.lock();
        let live = book.live.range(..=at.0).next_back().map(|(_, g)| g);
        if let Some(g) = live.filter(|g| at.0 < g.at.0 + g.size.0.max(1)) {
            let end = g.at.0 + g.size.0;
            return match at.0 + n <= end {
                true => Ok(()),
                false => Err(format!("{n} bytes at byte {} of {} pass its end", at.0 - g.at.0, describe(g))),
            };
        }
        let freed = book.kept.iter().find(|g| at.0 >= g.block.0 && at.0 < g.block.0 + g.len.0);
        match freed {
            Some(g) => Err(format!(
                "{n} bytes at byte {} of {}, which was freed",
                at.0.wrapping_sub(g.at.0),
                describe(g)
            )),
            None => Err(format!("{n} bytes at offset {at} are in no live block")),
        }
    }

    /// Blocks in quarantine: freed by the program, not yet by the module.
    pub(crate) fn kept(&self) -> BTreeSet<u64> {
        self.book.lock().kept.iter().map(|g| g.block.0).collect()
    }

    /// Where the blocks that are still live were allocated.
    pub(crate) fn sites(&self) -> Vec<String> {
        self.book.lock().live.values().map(describe).collect()
    }
}

fn describe(g: &Guarded) -> String {
    format!("the block of {} at {} (allocated at {})", g.size, g.at, g.site)
}

fn beside(g: &Guarded, what: u64) -> String {
    if what < g.at.0 {
        format!("{} bytes before the start", g.at.0 - what)
    } else {
        format!("{} bytes past the end", what - (g.at.0 + g.size.0) + 1)
    }
}

fn fill(view: &View<'_>, from: u64, to: u64, value: u8) {
    let start = view.own.wrapping_add(from as usize);
    // SAFETY: zones and freed or new blocks of this PE's own segment: inside the mapping, and by GUARD-H1 no
    // Rust object is there.
    unsafe { copy::fill(start, value, to.saturating_sub(from) as usize) }
}

/// The first offset in `from..to` that does not hold `value`.
fn changed(view: &View<'_>, from: u64, to: u64, value: u8) -> Option<u64> {
    (from..to).find(|at| {
        let byte = view.own.wrapping_add(*at as usize);
        // SAFETY: GUARD-H1: inside the mapping, and no Rust object is there. Volatile: a stray put may be writing it.
        (unsafe { byte.read_volatile() }) != value
    })
}

/// In this process' own mapping and in those of its peers: an access from here is caught wherever it goes.
fn protect(view: &View<'_>, at: Offset, len: Bytes, flags: MprotectFlags) {
    let page = Align::PAGE.bytes();
    let (start, end) = (at.0.next_multiple_of(page), (at.0 + len.0) & !(page - 1));
    for peer in view.peers.iter().filter(|peer| start < end && !peer.heap.is_null()) {
        let pages = peer.heap.wrapping_add(start as usize).cast();
        // SAFETY: GUARD-H1: pages of a mapped segment that hold no live object, only this checker's surroundings or
        // a freed block.
        let _ = unsafe { mprotect(pages, (end - start) as usize, flags) };
    }
}
