//! Every short history of a small heap, and proof that `validate` sees what is broken.

mod broken;
mod exhaustive;

use super::*;
use crate::bins::Bin;
use crate::width::FIELDS;

/// A word whose tables can be copied, so that a history can be taken up again from any point.
#[derive(Clone, Copy)]
struct Copied(u32);

impl Word for Copied {
    type Descriptors = Vec<[Copied; FIELDS]>;
    type Slots = Vec<Copied>;

    const LONGEST: u64 = 1 << 16;

    fn of(n: u64) -> Self {
        Copied(n as u32)
    }

    fn get(self) -> u64 {
        self.0.into()
    }

    fn descriptors(len: u64) -> std::io::Result<Self::Descriptors> {
        Ok(vec![[Copied(0); FIELDS]; len as usize])
    }

    fn slots(len: u64) -> std::io::Result<Self::Slots> {
        Ok(vec![Copied(0); len as usize])
    }
}

impl Clone for Heap<Copied> {
    fn clone(&self) -> Self {
        Heap {
            chunks: Chunks(self.chunks.0.clone()),
            starts: Starts(self.starts.0.clone()),
            state: self.state.clone(),
            digest: self.digest,
        }
    }
}

fn heap(len: u64) -> Heap<Copied> {
    Heap::new(Span { len: Bytes(len) }).expect("it is short enough")
}

/// `alloc_block` returns the same block that `block` finds, also at the end of a window that is not whole granules.
#[test]
fn a_fresh_block_is_told_whole() {
    use memheap::conformance::Rng;
    let (mut heap, mut rng) = (heap((1 << 16) + 7), Rng::new(3));
    let mut live = Vec::new();
    for _ in 0..if cfg!(miri) { 300 } else { 20_000 } {
        let align = Align::new(1 << rng.below(10)).unwrap();
        match heap.alloc_block(Bytes(rng.log_uniform(12) - 1), align) {
            Ok(block) => {
                assert_eq!(heap.block(block.at), Some(block));
                live.push(block);
            }
            Err(_) => live.drain(..live.len() / 2).for_each(|b| assert_eq!(heap.free(b.at), Ok(b.len))),
        }
    }
    live.into_iter().for_each(|b| assert_eq!(heap.free(b.at), Ok(b.len)));
    let whole = heap.alloc_block(Bytes((1 << 16) + 7), Align::ONE).unwrap();
    assert_eq!((whole.len, heap.block(whole.at)), (Bytes((1 << 16) + 7), Some(whole)));
}
