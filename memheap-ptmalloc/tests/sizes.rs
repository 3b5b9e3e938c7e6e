//! Large heaps, heaps of odd lengths, and one block that takes all of each.

use memheap::component::{AllocError, Block, BlockState, Component, Module, Moved};
use memheap::{Align, Bytes, Offset, Settings, Span};
use memheap_ptmalloc::Ptmalloc;

fn make(len: u64) -> Box<dyn Module> {
    let span = Span { len: Bytes(len) };
    Ptmalloc.open(&Settings::default()).and_then(|opened| opened.init(span)).expect("it does not decline")
}

/// Lengths on both sides of every limit of the tables.
fn lengths() -> Vec<u64> {
    let odd = [1, 5, 15, 16, 17, 63, 65, 1000, 1008, 1009, 4095, 4097, 1_000_003];
    let big = [
        384 << 20,
        (8 << 30) + 7,
        (32 << 30) - (32 << 10),
        32 << 30,
        (64 << 30) - 1,
        1 << 40,
        (3 << 40) + 11,
    ];
    if cfg!(miri) { odd.to_vec() } else { odd.into_iter().chain(big).collect() }
}

#[test]
fn one_block_of_the_whole_window() {
    for len in lengths() {
        let mut heap = make(len);
        for _ in 0..3 {
            assert_eq!(heap.alloc(Bytes(len), Align::DEFAULT), Ok(Offset(0)), "{len}");
            let whole = Block { at: Offset(0), len: Bytes(len), state: BlockState::Live };
            assert!(heap.blocks().eq([whole]));
            assert_eq!((heap.room().free, heap.room().largest), (Bytes(0), Bytes(0)));
            assert!(heap.alloc(Bytes(0), Align::ONE).is_err(), "{len}");
            assert_eq!(heap.realloc(Offset(0), Bytes(len), Align::PAGE), Ok(Moved::InPlace));
            heap.validate().unwrap();
            assert_eq!(heap.free(Offset(0)), Ok(Bytes(len)), "{len}");
            assert_eq!(heap.room().largest, Bytes(len));
        }
        assert!(heap.alloc(Bytes(len + 1), Align::ONE).is_err(), "{len}");
        assert!(heap.alloc(Bytes(u64::MAX), Align::ONE).is_err(), "{len}");
        heap.validate().unwrap();
    }
}

#[test]
fn an_empty_window_refuses_everything() {
    let mut heap = make(0);
    assert!(matches!(heap.alloc(Bytes(0), Align::ONE), Err(AllocError::Exhausted { .. })));
    assert!(heap.free(Offset(0)).is_err() && heap.block(Offset(0)).is_none());
    assert_eq!(heap.blocks().count(), 0);
    heap.validate().unwrap();
}

#[test]
fn the_last_bytes_are_used_and_not_exceeded() {
    for len in lengths().into_iter().filter(|&len| len > 100) {
        let mut heap = make(len);
        let first = heap.alloc(Bytes(40), Align::DEFAULT).unwrap();
        let start = 48;
        assert!(heap.alloc(Bytes(len - start + 1), Align::DEFAULT).is_err(), "{len}");
        let rest = heap.alloc(Bytes(len - start), Align::DEFAULT).unwrap();
        assert_eq!(rest, Offset(start));
        assert_eq!(heap.free(first), Ok(Bytes(48)));
        assert!(heap.realloc(rest, Bytes(len + 1), Align::DEFAULT).is_err());
        let moved = heap.realloc(rest, Bytes(len), Align::DEFAULT);
        assert_eq!(moved, Ok(Moved::To { to: Offset(0), keep: Bytes(len - start) }), "{len}");
        heap.validate().unwrap();
    }
}

/// B1.1 and E1 of the seeds' list: offsets have 64 bits. Blocks far above 4 GiB lie side by side and do not overlap.
#[test]
fn blocks_beyond_four_gibibytes_do_not_overlap() {
    if cfg!(miri) {
        return;
    }
    let mut heap = make(8 << 30);
    assert_eq!(heap.alloc(Bytes::gib(4), Align::DEFAULT), Ok(Offset(0)));
    assert_eq!(heap.alloc(Bytes::kib(4), Align::DEFAULT), Ok(Offset(4 << 30)));
    for len in [8 << 30, 64 << 30, 1 << 40] {
        let mut heap = make(len);
        let block = len / 64 + 16;
        let live: Vec<Offset> = (0..63).map(|_| heap.alloc(Bytes(block), Align::DEFAULT).unwrap()).collect();
        assert!(live.windows(2).all(|w| w[0].0 + block <= w[1].0) && live[62].0 + block <= len);
        for &at in live.iter().step_by(2) {
            assert_eq!(heap.free(at), Ok(Bytes(block)));
        }
        heap.validate().unwrap();
        let huge = heap.alloc(Bytes(block - 4096), Align::HUGE).unwrap();
        assert!(huge.is_aligned(Align::HUGE) && huge.0 + block <= len);
        let far = heap.block(Offset(live[61].0 + block / 2)).unwrap();
        assert_eq!((far.at, far.len, far.state), (live[61], Bytes(block), BlockState::Live));
        heap.validate().unwrap();
    }
}

#[test]
fn a_window_too_long_for_any_table_is_declined() {
    let span = Span { len: Bytes(1 << 60) };
    let opened = Ptmalloc.open(&Settings::default()).unwrap();
    let declined = opened.init(span).err().expect("there is no such address space");
    assert!(declined.0.contains("1048576 TiB"), "{declined}");
}
