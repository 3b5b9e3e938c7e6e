//! Fixed histories with known outcomes (E1 and E2 of the seeds' test vectors, see `memheap::seeds`), and settings.

use super::*;
use crate::heap::Heap;

/// A small heap whose `num_free` can be read.
fn seed_heap() -> Heap<4> {
    let len = 2 << 20;
    Heap::new(span(len), Order(3), sizes(span(len), Order(3))).unwrap()
}

/// Orders and how many free blocks they have, as the appendix writes them: `(7, 2)`.
fn num_free(h: &Heap<4>) -> Vec<(u8, u64)> {
    h.validate().unwrap();
    (0..64).map(|o| (o, h.free.num_free(Order(o)))).filter(|f| f.1 > 0).collect()
}

fn once(orders: impl IntoIterator<Item = u8>) -> Vec<(u8, u64)> {
    orders.into_iter().map(|o| (o, 1)).collect()
}

#[test]
fn e1_trace_of_the_seed() {
    let mut h = seed_heap();
    assert_eq!(num_free(&h), once([21]));
    assert_eq!(alloc(&mut h, 100), Ok(0));
    assert_eq!(num_free(&h), once(7..=20));
    assert_eq!(alloc(&mut h, 100), Ok(0x80));
    assert_eq!(num_free(&h), once(8..=20));
    assert_eq!(alloc(&mut h, 4096), Ok(0x1000));
    assert_eq!(num_free(&h), once((8..=11).chain(13..=20)));
    assert_eq!(alloc(&mut h, 0), Ok(0x100));
    assert_eq!(num_free(&h), once((3..=7).chain(9..=11).chain(13..=20)));
    assert_eq!(alloc(&mut h, 9), Ok(0x110));
    let mut now = once([3].into_iter().chain(5..=7).chain(9..=11).chain(13..=20));
    assert_eq!(num_free(&h), now);
    assert_eq!(h.free(Offset(0x80)), Ok(Bytes(128)));
    now.iter_mut().find(|f| f.0 == 7).unwrap().1 = 2;
    assert_eq!(num_free(&h), now);
    assert_eq!(h.free(Offset(0)), Ok(Bytes(128)));
    let merged = once([3].into_iter().chain(5..=11).chain(13..=20));
    assert_eq!(num_free(&h), merged);
    assert!(h.free(Offset(0)).is_err());
    assert_eq!(num_free(&h), merged);
    assert_eq!(h.free(Offset(0x110)), Ok(Bytes(16)));
    assert_eq!(num_free(&h), once((3..=11).chain(13..=20)));
    assert_eq!(h.free(Offset(0x100)), Ok(Bytes(8)));
    assert_eq!(num_free(&h), once(12..=20));
    assert_eq!(h.free(Offset(0x1000)), Ok(Bytes(4096)));
    assert_eq!(num_free(&h), once([21]));
    assert_eq!(alloc(&mut h, 2 << 20), Ok(0));
    assert_eq!(num_free(&h), []);
    assert!(alloc(&mut h, 1).is_err());
    h.free(Offset(0)).unwrap();
    assert!(alloc(&mut h, (2 << 20) + 1).is_err());
    assert_eq!(num_free(&h), once([21]));
}

#[test]
fn e1_alignment_of_the_seed() {
    let mut h = seed_heap();
    let at = |h: &mut Heap<4>, align| h.alloc(Bytes(8), Align::new(align).unwrap());
    assert_eq!(at(&mut h, 4096), Ok(Offset(0)));
    assert_eq!(h.block(Offset(0)).unwrap().len, Bytes::kib(4));
    assert_eq!(at(&mut h, 65536), Ok(Offset(0x10000)));
    let max = Align::HUGE;
    let align = Align::new(4 << 20).unwrap();
    assert_eq!(at(&mut h, 4 << 20), Err(AllocError::BadAlign { align, max }));
    assert!(matches!(at(&mut h, 2 << 20), Err(AllocError::Exhausted { .. })));
}

#[test]
fn e2_a_failed_realloc_keeps_the_block() {
    let mut h = heap(2 << 20, 6);
    let p = alloc(&mut *h, 1 << 20).unwrap();
    let q = alloc(&mut *h, 1 << 10).unwrap();
    let before: Vec<_> = h.blocks().collect();
    let e = h.realloc(Offset(p), Bytes::mib(2), Align::ONE).unwrap_err();
    let (requested, free) = (Bytes::mib(2), Bytes(1047552));
    assert_eq!(e, AllocError::Exhausted { requested, free, largest: Bytes::kib(512), total: Bytes::mib(2) });
    assert!(h.blocks().eq(before));
    h.free(Offset(q)).unwrap();
    assert_eq!(h.realloc(Offset(p), Bytes::mib(2), Align::ONE), Ok(Moved::InPlace));
}

#[test]
fn realloc_grows_shrinks_and_moves_down() {
    let mut h = heap(1 << 20, 6);
    let a = alloc(&mut *h, 64).unwrap();
    let b = alloc(&mut *h, 64).unwrap();
    let realloc = |h: &mut dyn Module, at, size, align| {
        let moved = h.realloc(Offset(at), Bytes(size), Align::new(align).unwrap()).unwrap();
        h.validate().unwrap();
        moved
    };
    let to = |to, keep| Moved::To { to: Offset(to), keep: Bytes(keep) };
    assert_eq!((a, b), (0, 64));
    assert_eq!(realloc(&mut *h, b, 200, 1), to(256, 64), "its lower half is taken, so elsewhere");
    assert_eq!(realloc(&mut *h, 256, 10, 1), Moved::InPlace, "the tail is given back");
    assert_eq!(h.room().free, Bytes((1 << 20) - 128));
    assert_eq!(realloc(&mut *h, 256, 256, 1), Moved::InPlace, "and had again");
    h.free(Offset(a)).unwrap();
    assert_eq!(realloc(&mut *h, 256, 500, 1), to(0, 256), "down into the enclosing block");
    assert_eq!(realloc(&mut *h, 0, 64, 1024), Moved::InPlace, "aligned already");
    assert_eq!(alloc(&mut *h, 64), Ok(64));
    assert_eq!(realloc(&mut *h, 64, 64, 128), to(128, 64), "for its alignment");
}

#[test]
#[cfg_attr(miri, ignore = "its tables are too long for a vector")]
fn eight_gibibytes_do_not_wrap() {
    let mut h = heap(8 << 30, 6);
    assert_eq!(alloc(&mut *h, 4 << 30), Ok(0));
    assert!(alloc(&mut *h, 4 << 10).unwrap() >= 4 << 30);
    let mut h = heap(8 << 30, 6);
    let starts: Vec<_> = (0..8).map(|_| alloc(&mut *h, 1 << 30).unwrap()).collect();
    assert_eq!(starts, (0..8).map(|i| i << 30).collect::<Vec<_>>());
    assert!(alloc(&mut *h, 1).is_err());
}

#[test]
#[cfg_attr(miri, ignore = "its tables are too long for a vector")]
fn no_block_passes_an_end_that_is_no_power_of_two() {
    for len in [384 << 20, (3 << 29) + 4096 + 64, 100, 64, 127, 192] {
        let mut h = heap(len, 6);
        let size = (len / 1000).max(1);
        let mut bytes = 0;
        while let Ok(at) = alloc(&mut *h, size) {
            let block = h.block(Offset(at)).unwrap();
            assert!(at + block.len.0 <= len, "{block:?} of {len}");
            bytes += block.len.0;
        }
        h.validate().unwrap();
        assert_eq!(bytes + h.room().free.0, len & !63);
    }
}

#[test]
fn a_heap_below_one_block_is_empty() {
    for len in [0, 1, 63] {
        let mut h = heap(len, 6);
        h.validate().unwrap();
        let total = Bytes(len);
        let nothing = AllocError::Exhausted { requested: Bytes(1), free: Bytes(0), largest: Bytes(0), total };
        assert_eq!(h.alloc(Bytes(1), Align::HUGE), Err(nothing));
        assert!(h.free(Offset(0)).is_err() && h.blocks().next().is_none());
    }
}

#[test]
#[cfg_attr(miri, ignore = "its tables are too long for a vector")]
fn settings_choose_the_smallest_block() {
    let open = |value| {
        let settings = Settings::from_pairs([("SHMEM_MEMHEAP_BUDDY_MIN_ORDER", value)]).unwrap();
        Buddy.open(&settings).map(|opened| {
            let mut module = opened.init(span(4 << 20)).unwrap();
            opened.close();
            let at = module.alloc(Bytes(0), Align::ONE).unwrap();
            module.block(at).unwrap().len.0
        })
    };
    assert_eq!((open("3"), open("12"), open("21")), (Ok(8), Ok(4096), Ok(2 << 20)));
    for bad in ["2", "22", "0"] {
        let said = Settings::from_pairs([("SHMEM_MEMHEAP_BUDDY_MIN_ORDER", bad)]).unwrap_err().to_string();
        assert!(said.starts_with(&format!("SHMEM_MEMHEAP_BUDDY_MIN_ORDER={bad:?}: ")), "{said}");
        assert!(said.ends_with("a whole number, 3 to 21"), "{said}");
    }
    let module = Buddy.open(&Settings::default()).unwrap().init(span(1 << 20)).unwrap();
    assert_eq!(module.room().largest, Bytes::mib(1));
    assert!(Buddy.open(&Settings::default()).unwrap().init(span(1 << 63)).is_err());
}
