//! Every reachable state of small heaps, and every call from each of them.
//!
//! A state is the live blocks with their orders, the path and its free siblings, and the bitmaps. The
//! first three are packed into the key of a state:
//!
//! ```text
//!   bit 63 ........ 53      48        0
//!          │ mask:5+ │ path:5 │ 3 bits per granule: 0, or 1 + order of the live block that starts there │
//! ```
//!
//! The free blocks follow from the live ones: what is not live, merged as far as possible. [`free_of`] works them out
//! and shares no code with the crate; the bitmaps of every state are compared with it.
//!
//! The number of ways to cut a heap of order `n` into live and free blocks without two free buddies is
//! `T(n) = T(n-1)^2 + 1`, `T(0) = 2`: live, free, or two halves that are not both free. Each of them
//! must be reached.

use hashbrown::HashSet;

use super::*;
use crate::heap::Heap;

/// The granule of these heaps, 8 bytes.
const MIN: u8 = 3;

/// The live blocks of a key: 3 bits per granule.
const LIVE: u64 = (1 << 48) - 1;

struct Explorer {
    heap: Heap<4>,
    granules: u64,
    /// Largest order, counted from the granule.
    top: u8,
    seen: HashSet<u64>,
    todo: Vec<u64>,
    transitions: u64,
    refusals: u64,
    /// What [`free_of`] gives for every set of granules held.
    free_of: Vec<[u64; 5]>,
}

/// The granules that the live blocks of a key cover, one bit each.
fn held_by(key: u64, granules: u64) -> usize {
    let mut held = 0;
    for g in 0..granules {
        let covers = [0, 1, 0b11, 0xf, 0xff, 0xffff][(key >> (3 * g) & 7) as usize];
        held |= covers << g;
    }
    held
}

/// The free blocks where `held` is not free, maximally merged: for each order the bits of its blocks.
fn free_of(held: u64, granules: u64) -> [u64; 5] {
    let mut whole = [0u64; 5];
    for (o, bits) in whole.iter_mut().enumerate() {
        for i in 0..granules >> o {
            let block = ((1u64 << (1 << o)) - 1) << (i << o);
            *bits |= u64::from(held & block == 0) << i;
        }
    }
    // A free block is one that is free as a whole while the block around it is not.
    let mut free = whole;
    for o in 0..4 {
        for i in 0..granules >> o {
            free[o] &= !((whole[o + 1] >> (i >> 1) & 1) << i);
        }
    }
    free
}

impl Explorer {
    fn new(granules: u64) -> Explorer {
        let len = granules << MIN;
        let heap = Heap::new(span(len), Order(MIN), sizes(span(len), Order(MIN))).unwrap();
        let free_of = (0..1 << granules).map(|held| free_of(held, granules)).collect();
        let (seen, todo, top) = (HashSet::new(), Vec::new(), granules.ilog2() as u8);
        Explorer { heap, granules, top, seen, todo, transitions: 0, refusals: 0, free_of }
    }

    /// The key of the heap's state; its bitmaps must be what the key implies.
    fn key(&mut self) -> u64 {
        let mut live = 0;
        for g in 0..self.granules {
            if let Some(order) = self.heap.sizes.get(Offset(g << MIN)) {
                live |= u64::from(order.0 - MIN + 1) << (3 * g);
            }
        }
        let mut free = self.free_of[held_by(live, self.granules)];
        let path = self.heap.free.path;
        for (o, free) in free.iter_mut().enumerate() {
            let order = Order(MIN + o as u8);
            if path.free() >> order.0 & 1 == 1 {
                let bit = 1 << (path.sibling(order).0 >> order.0);
                assert!(*free & bit != 0, "{path:?}: its sibling of order {o} is not free");
                *free &= !bit;
            }
            if o <= usize::from(self.top) {
                assert_eq!(self.heap.free.bitmaps.first_word(order), *free, "bitmap of order {o}");
            }
        }
        let (at, mask) = self.heap.free.path.words();
        // Where in its granule the path ends has no effect on anything.
        assert!(*at >> MIN < 32 && *mask & 7 == 0);
        live | *at >> MIN << 48 | *mask >> MIN << 53
    }

    /// Brings the heap into the state of `key`, changing only what differs.
    fn restore(&mut self, key: u64) {
        for g in 0..self.granules {
            let (at, wanted) = (Offset(g << MIN), key >> (3 * g) & 7);
            if self.heap.sizes.get(at).map_or(0, |o| u64::from(o.0 - MIN + 1)) != wanted {
                self.heap.sizes.remove(at);
                if wanted != 0 {
                    self.heap.sizes.insert(at, Order(MIN - 1 + wanted as u8));
                }
            }
        }
        let (at, mask) = self.heap.free.path.words();
        (*at, *mask) = ((key >> 48 & 31) << MIN, key >> 53 << MIN);
        let path = self.heap.free.path;
        let mut free = self.free_of[held_by(key, self.granules)];
        self.heap.free.bytes = 0;
        for (o, free) in free.iter_mut().enumerate().take(usize::from(self.top) + 1) {
            let order = Order(MIN + o as u8);
            self.heap.free.bytes += u64::from(free.count_ones()) << order.0;
            if path.free() >> order.0 & 1 == 1 {
                *free &= !(1 << (path.sibling(order).0 >> order.0));
            }
            let mut wrong = self.heap.free.bitmaps.first_word(order) ^ *free;
            while wrong != 0 {
                let at = Offset(u64::from(wrong.trailing_zeros()) << order.0);
                match self.heap.free.bitmaps.has(at, order) {
                    true => self.heap.free.bitmaps.clear(at, order),
                    false => self.heap.free.bitmaps.set(at, order),
                }
                wrong &= wrong - 1;
            }
        }
    }

    /// Counts the step, notes the state it led to if that is new, and goes back to `from`.
    fn reached(&mut self, from: u64) {
        self.transitions += 1;
        let key = self.key();
        if self.seen.insert(key) {
            self.heap.validate().unwrap();
            self.todo.push(key);
        }
        self.restore(from);
    }

    /// Visits every state that can be reached from a fresh heap.
    fn explore(&mut self, reallocs: bool) {
        let fresh = self.key();
        self.seen.insert(fresh);
        self.todo.push(fresh);
        while let Some(key) = self.todo.pop() {
            self.restore(key);
            self.allocs(key);
            for g in 0..self.granules {
                let at = Offset(g << MIN);
                match key >> (3 * g) & 7 {
                    0 => self.refuses(at),
                    order => {
                        self.heap.free(at).unwrap();
                        self.reached(key);
                        if reallocs {
                            self.reallocs(key, at, order as u8 - 1);
                        }
                    }
                }
            }
            self.refuses(Offset(self.granules << MIN));
            self.refuses(Offset((key % (self.granules << MIN)) | 1));
            let found = self.key();
            assert_eq!(found, key, "a refused call changed the state");
        }
    }

    /// Allocates a block of every order in the state `key`: it must be the lowest one of the smallest sufficient
    /// order, or be refused.
    fn allocs(&mut self, key: u64) {
        let free = self.free_of[held_by(key, self.granules)];
        for order in 0..=self.top + 1 {
            let sufficient = (usize::from(order)..5).find(|&o| free[o] != 0);
            let expected = sufficient.map(|o| u64::from(free[o].trailing_zeros()) << (o as u8 + MIN));
            match alloc(&mut self.heap, 1 << (order + MIN)) {
                Ok(at) => {
                    assert_eq!(Some(at), expected, "{key:#x}: not the lowest of the smallest order");
                    self.reached(key);
                }
                Err(_) => {
                    assert_eq!(expected, None, "{key:#x}: refused order {order}");
                    self.refusals += 1;
                }
            }
        }
    }

    /// Frees what is not the start of a live block.
    fn refuses(&mut self, at: Offset) {
        let before = self.heap.digest();
        assert!(self.heap.free(at).is_err(), "{at} was freed");
        assert!(self.heap.digest() == before);
        self.refusals += 1;
    }

    /// Resizes the live block of `order` at `at` to every size.
    fn reallocs(&mut self, key: u64, at: Offset, order: u8) {
        for new in 0..=self.top + 1 {
            let moved = self.heap.realloc(at, Bytes(1 << (new + MIN)), Align::ONE);
            match moved {
                Ok(Moved::InPlace) => {}
                Ok(Moved::To { keep, .. }) => assert!(new > order && keep.0 == 1 << (order + MIN)),
                Err(_) => {
                    assert!(new > order, "{key:#x}: {at} refused to shrink");
                    self.refusals += 1;
                    continue;
                }
            }
            self.reached(key);
        }
    }

    /// The distinct sets of live blocks among the states seen.
    fn live_sets(&self) -> usize {
        self.seen.iter().map(|key| key & LIVE).collect::<HashSet<_>>().len()
    }
}

fn run(granules: u64, reallocs: bool) -> Explorer {
    let started = std::time::Instant::now();
    let mut explorer = Explorer::new(granules);
    explorer.explore(reallocs);
    eprintln!(
        "{granules} granules: {} states of {} live sets, {} transitions, {} refusals, {:?}",
        explorer.seen.len(),
        explorer.live_sets(),
        explorer.transitions,
        explorer.refusals,
        started.elapsed()
    );
    explorer
}

/// `T(n)` of the page above.
fn live_sets_of_order(n: u32) -> usize {
    (0..n).fold(2, |t, _| t * t + 1)
}

#[test]
fn every_state_of_heaps_up_to_eight_granules_with_realloc() {
    for granules in 1..=if cfg!(miri) { 3 } else { 8u64 } {
        // A heap whose length is not a power of two is several heaps side by side.
        let parts = (0..4).filter(|n| granules >> n & 1 == 1);
        let expected: usize = parts.map(live_sets_of_order).product();
        assert_eq!(run(granules, true).live_sets(), expected);
    }
}

#[test]
#[cfg_attr(miri, ignore = "millions of steps")]
fn every_state_of_sixteen_granules() {
    assert_eq!(run(16, false).live_sets(), live_sets_of_order(4));
}
