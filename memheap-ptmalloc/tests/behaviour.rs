//! What the design promises beyond the conformance set, one case each. A1.8 and the like are sections of the list of
//! the seeds' behaviours (see `memheap::seeds`).

use memheap::component::{BlockState, Component, Module, Moved};
use memheap::{Align, Bytes, Offset, Settings, Span};
use memheap_ptmalloc::Ptmalloc;

const LEN: u64 = 1 << 16;

fn heap() -> Box<dyn Module> {
    let span = Span { len: Bytes(LEN) };
    Ptmalloc.open(&Settings::default()).and_then(|opened| opened.init(span)).expect("it does not decline")
}

fn alloc<const N: usize>(heap: &mut dyn Module, sizes: [u64; N]) -> [Offset; N] {
    sizes.map(|n| heap.alloc(Bytes(n), Align::DEFAULT).expect("there is room"))
}

/// A1.8, B1.7: in the original, one refused big request made later ones fail that would have fitted.
#[test]
fn a_refused_request_spoils_nothing() {
    let mut heap = heap();
    alloc(&mut *heap, [1000]);
    let before = (heap.room(), heap.digest());
    for size in [LEN, LEN + 1, LEN * 100, u64::MAX] {
        assert!(heap.alloc(Bytes(size), Align::DEFAULT).is_err());
        assert!(heap.alloc(Bytes(size), Align::HUGE).is_err());
    }
    assert_eq!((heap.room(), heap.digest()), before);
    let largest = heap.room().largest;
    assert_eq!(heap.alloc(largest, Align::DEFAULT), Ok(Offset(1008)));
}

/// B1.6: all of what was advertised can be had, and no more (the original gave more).
#[test]
fn all_of_the_heap_and_no_more() {
    let mut heap = heap();
    let blocks = std::iter::from_fn(|| heap.alloc(Bytes(64), Align::DEFAULT).ok()).count();
    assert_eq!(blocks as u64, LEN / 64);
}

/// A1.8: blocks are placed as the original places them, but at alignment 16 and without headers.
#[test]
fn blocks_follow_each_other_without_overhead() {
    let mut heap = heap();
    let at = alloc(&mut *heap, [0, 1, 16, 17, 100, 1000]);
    assert_eq!(at.map(|at| at.0), [0, 16, 32, 48, 80, 192]);
    heap.free(at[5]).unwrap();
    assert_eq!(alloc(&mut *heap, [1000]), [Offset(192)]);
    assert_eq!(heap.alloc(Bytes(100), Align::PAGE), Ok(Offset(4096)));
}

/// Small blocks cut from one remainder lie side by side: the designated victim.
#[test]
fn runs_of_small_blocks_share_the_remainder() {
    let mut heap = heap();
    let [_, hole, _, other, _] = alloc(&mut *heap, [64, 512, 64, 768, 64]);
    heap.free(hole).unwrap();
    heap.free(other).unwrap();
    assert_eq!(alloc(&mut *heap, [48, 48, 48]).map(|at| at.0), [64, 112, 160]);
}

#[test]
fn realloc_grows_forwards_into_a_hole_and_into_top() {
    let mut heap = heap();
    let [a, b, c] = alloc(&mut *heap, [64, 64, 64]);
    heap.free(b).unwrap();
    assert_eq!(heap.realloc(a, Bytes(96), Align::DEFAULT), Ok(Moved::InPlace));
    assert_eq!(heap.realloc(a, Bytes(128), Align::DEFAULT), Ok(Moved::InPlace));
    assert_eq!(heap.realloc(c, Bytes(LEN - 128), Align::DEFAULT), Ok(Moved::InPlace));
    heap.validate().unwrap();
}

#[test]
fn realloc_grows_backwards_and_says_what_to_keep() {
    let mut heap = heap();
    let [_, hole, b, _] = alloc(&mut *heap, [64, 256, 64, 64]);
    heap.free(hole).unwrap();
    let moved = heap.realloc(b, Bytes(200), Align::DEFAULT);
    assert_eq!(moved, Ok(Moved::To { to: hole, keep: Bytes(64) }));
    let free: Vec<_> = heap.blocks().filter(|b| b.state == BlockState::Free).map(|b| b.at.0).collect();
    assert_eq!(free, [64 + 208, 64 + 256 + 64 + 64]);
    heap.validate().unwrap();
}

#[test]
fn realloc_gives_the_tail_back() {
    let mut heap = heap();
    let [a, b] = alloc(&mut *heap, [4096, 64]);
    assert_eq!(heap.realloc(a, Bytes(100), Align::DEFAULT), Ok(Moved::InPlace));
    assert_eq!(heap.block(a).unwrap().len, Bytes(112));
    assert_eq!(heap.alloc(Bytes(4096 - 112), Align::DEFAULT), Ok(Offset(112)));
    assert_eq!(heap.free(b), Ok(Bytes(64)));
    heap.validate().unwrap();
}

/// B1.3: the original freed the old block before it had the new one.
#[test]
fn realloc_that_fails_changes_nothing() {
    let mut heap = heap();
    let [a, b] = alloc(&mut *heap, [LEN / 2, 1024]);
    let before: Vec<_> = heap.blocks().collect();
    let digest = heap.digest();
    assert!(heap.realloc(a, Bytes(LEN), Align::DEFAULT).is_err());
    assert!(heap.realloc(b, Bytes(LEN / 2 + 1), Align::DEFAULT).is_err());
    assert!(heap.blocks().eq(before) && heap.digest() == digest);
}

/// An aligned request takes a hole of exactly its size if that is aligned, and trims others at both ends.
#[test]
fn aligned_blocks_are_trimmed_from_holes() {
    let mut heap = heap();
    let [_, hole, _] = alloc(&mut *heap, [64, 2 * 4096, 64]);
    heap.free(hole).unwrap();
    let at = heap.alloc(Bytes(4096), Align::PAGE).unwrap();
    assert_eq!(at, Offset(4096));
    alloc(&mut *heap, [4096 - 64, 64]);
    assert_eq!(heap.room().free, Bytes(LEN - 64 - 2 * 4096 - 64));
    heap.free(at).unwrap();
    assert_eq!(heap.alloc(Bytes(4096), Align::PAGE), Ok(at));
    heap.validate().unwrap();
}
