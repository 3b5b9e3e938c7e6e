//! The laws of a module on small exact cases.

use super::rng::Rng;
use crate::component::*;
use crate::units::{Align, Bytes, Offset, Span};

/// How the module under test is made: fresh, managing the given span.
pub type Make<'a> = &'a dyn Fn(Span) -> Box<dyn Module>;

/// What a call that fails must not change: MODULE-M4.
#[derive(PartialEq, Eq, Debug)]
struct Snapshot {
    digest: Digest,
    room: Room,
    blocks: Vec<Block>,
}

fn snapshot(m: &dyn Module) -> Snapshot {
    Snapshot { digest: m.digest(), room: m.room(), blocks: m.blocks().collect() }
}

fn valid(m: &dyn Module) {
    if let Err(violation) = m.validate() {
        panic!("{violation}");
    }
}

fn must_alloc(m: &mut dyn Module, size: u64, align: Align) -> Block {
    let before = m.digest();
    let at = m.alloc(Bytes(size), align).unwrap_or_else(|e| panic!("alloc({size}, {align}): {e}"));
    assert_ne!(m.digest(), before, "a successful alloc changes the digest");
    let block = m.block(at).unwrap_or_else(|| panic!("no block at {at}, which was just handed out"));
    assert_eq!((block.at, block.state), (at, BlockState::Live), "block() of a fresh block");
    assert!(at.is_aligned(align), "MODULE-M2: {at} for an alignment of {align}");
    assert!(block.len.0 >= size.max(1), "MODULE-M2: {size} asked for, {block:?} given");
    block
}

fn must_free(m: &mut dyn Module, block: Block) {
    assert_eq!(m.free(block.at), Ok(block.len), "free of the live {block:?}");
}

/// MODULE-M1, MODULE-M3: the blocks ascend without gap or overlap inside the span, and `room` is what they say.
pub fn tiling(m: &dyn Module, span: Span) {
    let mut end: Option<u64> = None;
    let mut room = Room::default();
    for b in m.blocks() {
        assert!(b.len.0 > 0, "MODULE-M3: an empty block: {b:?}");
        assert!(
            end.is_none_or(|e| e == b.at.0),
            "MODULE-M3: {b:?} does not start where the last block ends: {end:?}"
        );
        end = b.at.0.checked_add(b.len.0);
        assert!(end.is_some_and(|e| e <= span.len.0), "MODULE-M1: {b:?} leaves the span of {}", span.len);
        if b.state == BlockState::Free {
            room.free.0 += b.len.0;
            room.largest = room.largest.max(b.len);
        }
    }
    assert_eq!(m.room(), room, "MODULE-M3: room() against the free blocks");
}

/// A fresh module gives one block of `promised` bytes, the largest that the component promises for `span`, has no
/// room for a second one, and gives it again after it was freed.
pub fn whole_heap(make: Make<'_>, span: Span, promised: Bytes) {
    let mut m = make(span);
    let fresh = m.room();
    assert!(fresh.largest >= promised, "{promised} promised, {} is the largest block", fresh.largest);
    for _ in 0..2 {
        let whole = must_alloc(&mut *m, promised.0, Align::DEFAULT);
        assert!(whole.at.0 + promised.0 <= span.len.0, "MODULE-M1: {whole:?}");
        assert_eq!(m.room().free.0 + whole.len.0, fresh.free.0, "MODULE-M3: conservation");
        let before = snapshot(&*m);
        let again = m.alloc(promised, Align::ONE);
        assert!(matches!(again, Err(AllocError::Exhausted { .. })), "{again:?}");
        assert_eq!(snapshot(&*m), before, "MODULE-M4: alloc of a heap that is used up");
        valid(&*m);
        must_free(&mut *m, whole);
        assert_eq!(m.room(), fresh);
    }
}

/// MODULE-M2: size 0 gives a block of its own, which is freed like any other.
pub fn size_zero(make: Make<'_>, span: Span) {
    let mut m = make(span);
    let a = must_alloc(&mut *m, 0, Align::ONE);
    let b = must_alloc(&mut *m, 0, Align::ONE);
    assert_ne!(a.at, b.at, "two blocks of size 0 are two blocks");
    valid(&*m);
    must_free(&mut *m, a);
    must_free(&mut *m, b);
    tiling(&*m, span);
}

/// MODULE-M2: every power of two up to half the largest block is respected as an alignment, between small blocks too.
pub fn alignment(make: Make<'_>, span: Span) {
    let mut m = make(span);
    let half = m.room().largest.0 / 2;
    let mut align = Align::ONE;
    while align.bytes() <= half {
        let small = must_alloc(&mut *m, 1, Align::ONE);
        let aligned = must_alloc(&mut *m, 1, align);
        valid(&*m);
        tiling(&*m, span);
        must_free(&mut *m, small);
        must_free(&mut *m, aligned);
        align = Align::new(align.bytes() * 2).expect("a power of two");
    }
}

/// MODULE-M4: an alignment that is not possible is an error that changes nothing, and never a wrong offset.
pub fn refused_alignment(make: Make<'_>, span: Span) {
    let mut m = make(span);
    let held = must_alloc(&mut *m, 1, Align::ONE);
    for log in 0..64 {
        let align = Align::new(1 << log).expect("a power of two");
        let before = snapshot(&*m);
        match m.alloc(Bytes(1), align) {
            Ok(at) => {
                assert!(at.is_aligned(align), "MODULE-M2: {at} for {align}");
                m.free(at).expect("a live block");
            }
            Err(AllocError::Exhausted { .. }) => {
                assert!(align.bytes() > span.len.0 / 4, "{align} refused in an almost empty heap");
                assert_eq!(snapshot(&*m), before, "MODULE-M4: alignment {align}");
            }
            Err(AllocError::BadAlign { align: asked, max }) => {
                assert!(asked == align && max < align, "{asked} {max} {align}");
                assert_eq!(snapshot(&*m), before, "MODULE-M4: alignment {align}");
            }
            Err(e) => panic!("alloc(1, {align}): {e}"),
        }
    }
    valid(&*m);
    must_free(&mut *m, held);
}

/// MODULE-M4: a full heap answers `Exhausted` with true figures, changes nothing, and works again after a free.
pub fn exhaustion(make: Make<'_>, span: Span) {
    let mut m = make(span);
    let fresh = m.room();
    let size = (span.len.0 / 256).max(1);
    let mut held = Vec::new();
    let error = loop {
        match m.alloc(Bytes(size), Align::ONE) {
            Ok(at) => held.push(m.block(at).expect("a live block")),
            Err(e) => break e,
        }
    };
    let Room { free, largest } = m.room();
    assert_eq!(error, AllocError::Exhausted { requested: Bytes(size), free, largest, total: span.len });
    assert!(largest.0 < size, "refused {size} with a block of {largest} free");
    let before = snapshot(&*m);
    for huge in [size, span.len.0, span.len.0 + 1, 1 << 62, (1 << 63) + 1, u64::MAX] {
        assert!(m.alloc(Bytes(huge), Align::ONE).is_err(), "{huge} out of a full heap");
        assert_eq!(snapshot(&*m), before, "MODULE-M4: alloc({huge})");
    }
    valid(&*m);
    tiling(&*m, span);
    let middle = held.swap_remove(held.len() / 2);
    must_free(&mut *m, middle);
    held.push(must_alloc(&mut *m, size, Align::ONE));
    for block in held {
        must_free(&mut *m, block);
    }
    valid(&*m);
    assert_eq!(m.room(), fresh, "MODULE-M3: all is freed");
}

/// MODULE-M6, MODULE-M4: double, interior and foreign frees are told apart exactly and change nothing.
pub fn bad_frees(make: Make<'_>, span: Span) {
    let mut m = make(span);
    let part = span.len.0 / 16;
    let held: Vec<Block> = (0..5).map(|_| must_alloc(&mut *m, part, Align::ONE)).collect();
    must_free(&mut *m, held[1]);
    must_free(&mut *m, held[3]);
    let mut cases = Vec::new();
    for at in [span.len.0, span.len.0 + 1, 1 << 40, u64::MAX].map(Offset) {
        cases.push((at, FreeError::Foreign { at }));
    }
    for b in [held[0], held[2], held[4]] {
        for inner in [1, b.len.0 / 2, b.len.0 - 1] {
            let at = Offset(b.at.0 + inner);
            cases.push((at, FreeError::Interior { at, start: b.at, len: b.len }));
        }
    }
    for at in [held[1].at, held[3].at, Offset(held[3].at.0 + 1)] {
        cases.push((at, FreeError::NotAllocated { at }));
    }
    let before = snapshot(&*m);
    for (at, expected) in cases {
        assert_eq!(m.free(at), Err(expected), "MODULE-M6: free({at})");
        let moved = m.realloc(at, Bytes(1), Align::ONE);
        assert_eq!(moved, Err(AllocError::NotLive(expected)), "MODULE-M6: realloc({at})");
    }
    assert_eq!(snapshot(&*m), before, "MODULE-M4: bad frees");
    valid(&*m);
}

/// `realloc` keeps `min(old, new)` bytes when it moves, and on failure leaves the old block alone.
pub fn realloc_keeps(make: Make<'_>, span: Span) {
    let mut m = make(span);
    let part = m.room().largest.0 / 16;
    let first = must_alloc(&mut *m, part, Align::ONE);
    let wall = must_alloc(&mut *m, 1, Align::ONE);
    let before = snapshot(&*m);
    for huge in [span.len.0 + 1, 1 << 62, u64::MAX] {
        assert!(m.realloc(first.at, Bytes(huge), Align::ONE).is_err());
        assert_eq!(snapshot(&*m), before, "MODULE-M4: realloc to {huge}");
    }
    assert_eq!(m.realloc(first.at, Bytes(part), Align::ONE), Ok(Moved::InPlace), "the same size fits");
    assert_ne!(m.digest(), before.digest, "a successful realloc changes the digest");
    let mut at = first.at;
    let mut asked = part;
    for size in [part * 2, part * 4, part / 2, 1, 0, part * 3] {
        let old = m.block(at).expect("a live block");
        if let Moved::To { to, keep } = m.realloc(at, Bytes(size), Align::ONE).expect("room enough") {
            let needed = asked.min(size);
            assert!(keep.0 >= needed && keep <= old.len, "keep {keep} of {asked} for {size}");
            assert_ne!(to, at, "moved to where it was");
            at = to;
        }
        asked = size;
        let new = m.block(at).expect("a live block");
        assert!(new.state == BlockState::Live && new.at == at && new.len.0 >= size.max(1), "{new:?}");
        valid(&*m);
        tiling(&*m, span);
    }
    let last = m.block(at).expect("a live block");
    must_free(&mut *m, last);
    must_free(&mut *m, wall);
}

/// After everything was freed, in whatever order, the blocks are those of a fresh module.
pub fn free_all_restores(make: Make<'_>, span: Span) {
    let mut m = make(span);
    let fresh: Vec<Block> = m.blocks().collect();
    let mut rng = Rng::new(span.len.0);
    let mut held = Vec::new();
    for _ in 0..100 {
        let size = rng.below(span.len.0 / 128 + 1);
        if let Ok(at) = m.alloc(Bytes(size), Align::ONE) {
            held.push(m.block(at).expect("a live block"));
        }
    }
    while !held.is_empty() {
        let i = rng.below(held.len() as u64) as usize;
        must_free(&mut *m, held.swap_remove(i));
    }
    valid(&*m);
    assert_eq!(m.blocks().collect::<Vec<_>>(), fresh, "MODULE-M3: all is freed");
}
