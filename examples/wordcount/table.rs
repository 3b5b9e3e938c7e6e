//! A hash table of words, spread over the heaps of all PEs and filled by all of them at once.
//!
//! ```text
//!   on each PE:   slots  [ 0 | tag, position + 1 | 0 | ... ]   who takes a slot: compare-and-swap
//!                 counts [ 0 | 17                | 0 | ... ]   counted by atomic add
//!                 arena  [ length, letters | length, letters | ... ]   filled by put; `top`: fetch-add
//! ```
//!
//! A word lives on the PE its hash names, in the first slot from its hash on that is free or holds it.
//! Its letters are put into that PE's arena *before* the slot is taken, so whoever sees a slot taken
//! can read the word. All sizes are worked out beforehand from what every PE is going to add, so the
//! table cannot fill up; a heap that is too small for it is an error of the allocation.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use shmem_api::{Error, Phase, Remote, Single, SymBox, SymSlice, World};

/// The words one PE counted.
pub type Counts = HashMap<Box<[u8]>, u64>;

/// Bits of a slot that hold the position in the arena, in words, plus one; the rest is a tag.
const POSITION: u32 = 40;

/// The table; see the [module](self).
pub struct Table<'w> {
    slots: SymSlice<'w, u64>,
    counts: SymSlice<'w, u64>,
    arena: SymSlice<'w, u64>,
    top: SymBox<'w, u64>,
}

/// Where a word belongs.
struct Home {
    pe: usize,
    slot: usize,
    tag: u64,
}

fn home(word: &[u8], n_pes: usize, slots: usize) -> Home {
    let mut hasher = DefaultHasher::new();
    hasher.write(word);
    let hash = hasher.finish();
    Home {
        pe: (hash % n_pes as u64) as usize,
        slot: (hash >> 20) as usize & (slots - 1),
        tag: hash >> POSITION << POSITION,
    }
}

/// Words of the arena that a word's record takes: its length, and its letters.
fn record_len(word: &[u8]) -> usize {
    1 + word.len().div_ceil(8)
}

fn record(word: &[u8]) -> Vec<u64> {
    let letters = word.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    });
    std::iter::once(word.len() as u64).chain(letters).collect()
}

fn letters(record: &[u64]) -> Vec<u8> {
    let bytes = record[1..].iter().flat_map(|w| w.to_le_bytes());
    bytes.take(record[0] as usize).collect()
}

impl<'w> Table<'w> {
    /// Collective: a table that has room for the words of all PEs.
    pub fn for_words(world: &'w World, mine: &Counts) -> Result<Table<'w>, Error> {
        let n = world.n_pes();
        let mut plan = vec![[0u64; 2]; n];
        for word in mine.keys() {
            let [words, space] = &mut plan[home(word, n, 1).pe];
            *words += 1;
            *space += record_len(word) as u64;
        }
        let mut needed = world.alloc::<u64>(2)?;
        world.share(&mut needed, |_, needed| {
            for (pe, [words, space]) in plan.iter().enumerate() {
                needed.add(pe, 0, *words);
                needed.add(pe, 1, *space);
            }
        });
        let (words, space) = world.share(&needed, |_, needed| {
            let most = |what| (0..n).map(|pe| needed.get_one(pe, what)).max().unwrap_or(0);
            (most(0), most(1))
        });
        let slots = (words as usize * 2).next_power_of_two();
        Ok(Table {
            slots: world.alloc(slots)?,
            counts: world.alloc(slots)?,
            arena: world.alloc(space as usize)?,
            top: world.alloc_one(0)?,
        })
    }

    /// Collective: adds the counts of all PEs.
    pub fn add_all(&mut self, world: &World, mine: &Counts) {
        let objects = (&mut self.slots, &mut self.counts, &mut self.arena, &mut self.top);
        world.share(objects, |phase, (slots, counts, arena, top)| {
            let open = Open { phase, slots, counts, arena, top };
            for (word, count) in mine {
                open.add(word, *count);
            }
        });
    }

    /// Collective: PE 0 gets all words with their counts, in no order.
    pub fn read_all(&self, world: &World) -> Option<Vec<(Vec<u8>, u64)>> {
        let objects = (&self.slots, &self.counts, &self.arena, &self.top);
        world.share(objects, |phase, (slots, counts, arena, top)| {
            if phase.pe() != 0 {
                return None;
            }
            let mut all = Vec::new();
            for pe in 0..phase.n_pes() {
                let mut taken = vec![0; slots.len()];
                slots.get(pe, 0, &mut taken);
                let mut count = vec![0; counts.len()];
                counts.get(pe, 0, &mut count);
                let mut records = vec![0; top.get_one(pe, 0) as usize];
                arena.get(pe, 0, &mut records);
                for (slot, count) in taken.iter().zip(count).filter(|(slot, _)| **slot != 0) {
                    all.push((letters(&records[position(*slot)..]), count));
                }
            }
            Some(all)
        })
    }
}

fn position(slot: u64) -> usize {
    (slot & ((1 << POSITION) - 1)) as usize - 1
}

/// The table while it is open to all PEs.
struct Open<'s> {
    phase: &'s Phase<'s, Single>,
    slots: Remote<'s, u64, Single>,
    counts: Remote<'s, u64, Single>,
    arena: Remote<'s, u64, Single>,
    top: Remote<'s, u64, Single>,
}

impl Open<'_> {
    fn add(&self, word: &[u8], count: u64) {
        let home = home(word, self.phase.n_pes(), self.slots.len());
        let mut slot = home.slot;
        let mut placed = None;
        loop {
            let mut found = self.slots.fetch(home.pe, slot);
            if found == 0 {
                let at = *placed.get_or_insert_with(|| self.place(home.pe, word));
                let taken = home.tag | (at + 1);
                found = self.slots.compare_swap(home.pe, slot, 0, taken);
                if found == 0 {
                    found = taken;
                }
            }
            if found & !((1 << POSITION) - 1) == home.tag && self.is(home.pe, position(found), word) {
                return self.counts.add(home.pe, slot, count);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// Puts the word into the arena of `pe`; where.
    fn place(&self, pe: usize, word: &[u8]) -> u64 {
        let record = record(word);
        let at = self.top.fetch_add(pe, 0, record.len() as u64);
        self.arena.put(pe, at as usize, &record);
        // The word arrives before the slot that names it.
        self.phase.fence();
        at
    }

    fn is(&self, pe: usize, at: usize, word: &[u8]) -> bool {
        if self.arena.get_one(pe, at) != word.len() as u64 {
            return false;
        }
        let mut there = vec![0; record_len(word)];
        self.arena.get(pe, at, &mut there);
        there == record(word)
    }
}
