//! All strings of up to seven calls: an allocation of one of five sizes, or the free of a live block.
//!
//! The heap has room for a few blocks only, so that exact fits, remainders, merges on either side, a
//! full heap and the odd last granule all occur. The heap is checked after each call.

use super::*;

const LEN: u64 = 16 * 12 + 5;
const SIZES: [u64; 5] = [1, 32, 33, 64, 101];
const DEPTH: usize = if cfg!(miri) { 2 } else { 7 };

struct Walk {
    nodes: u64,
    full: u64,
    calls: Vec<String>,
}

impl Walk {
    fn visit(&mut self, heap: &Heap<Copied>, live: &mut Vec<(u64, u64)>, depth: usize) {
        self.nodes += 1;
        self.examine(heap, live);
        if depth == 0 {
            return;
        }
        for size in SIZES {
            let mut next = heap.clone();
            self.calls.push(format!("alloc {size}"));
            match next.alloc(Bytes(size), Align::DEFAULT) {
                Ok(at) => {
                    live.push((at.0, size));
                    self.visit(&next, live, depth - 1);
                    live.pop();
                }
                Err(_) => {
                    self.full += 1;
                    let largest =
                        heap.blocks().filter(|b| b.state == BlockState::Free).map(|b| b.len.0).max();
                    assert!(largest.unwrap_or(0) < size, "{:?}: {largest:?} is free", self.calls);
                    assert_eq!(next.digest(), heap.digest(), "MODULE-M4: {:?}", self.calls);
                }
            }
            self.calls.pop();
        }
        for i in 0..live.len() {
            let mut next = heap.clone();
            let (at, size) = live.remove(i);
            self.calls.push(format!("free {at}"));
            let freed = next.free(Offset(at)).expect("it is live");
            assert!(freed.0 >= size, "{:?}: {freed} of {size}", self.calls);
            assert_eq!(next.free(Offset(at)), Err(FreeError::NotAllocated { at: Offset(at) }));
            self.visit(&next, live, depth - 1);
            self.calls.pop();
            live.insert(i, (at, size));
        }
    }

    fn examine(&self, heap: &Heap<Copied>, live: &[(u64, u64)]) {
        if let Err(violation) = heap.view().check() {
            panic!("{:?}: {violation}", self.calls);
        }
        let mut found = 0;
        for block in heap
            .view()
            .walk()
            .map(|(_, chunk)| heap.view().describe(chunk))
            .filter(|b| b.state == BlockState::Live)
        {
            let held = live.iter().any(|&(at, size)| at == block.at.0 && size <= block.len.0);
            assert!(held, "{:?}: {block:?} is held by nobody", self.calls);
            found += 1;
        }
        assert_eq!(found, live.len(), "{:?}: {live:?}", self.calls);
    }
}

#[test]
fn every_string_of_seven_calls() {
    let mut walk = Walk { nodes: 0, full: 0, calls: Vec::new() };
    walk.visit(&heap(LEN), &mut Vec::new(), DEPTH);
    if DEPTH == 7 {
        assert!(walk.nodes > 100_000 && walk.full > 10_000, "{} nodes, {} full", walk.nodes, walk.full);
    }
}
