//! The conformance set, and random traffic on heaps of all sizes.

use super::*;

const GIB: u64 = 1 << 30;

#[test]
fn conformance_direct_and_hashed() {
    conformance::all(&|s| heap(s.len.0, 6));
    conformance::all(&|s| hashed(s.len.0, 3));
}

/// Over two million calls, each mirrored in the ledger.
#[test]
fn model_of_heaps_up_to_a_tebibyte() {
    let sizes = [
        (1 << 10, 3),
        (12 << 10, 6),
        (1 << 20, 3),
        (16 << 20, 6),
        (384 << 20, 6),
        ((3 << 29) + 4096 + 64, 6),
        (64 * GIB, 6),
        (1024 * GIB, 6),
        (1024 * GIB + (5 << 20), 12),
    ];
    for (i, (len, min)) in sizes.into_iter().enumerate() {
        if cfg!(miri) && len > 12 << 10 {
            break;
        }
        let ops = if cfg!(miri) { 1800 } else { 250_000 };
        conformance::model(&|s| heap(s.len.0, min), span(len), ops, 100 + i as u64);
    }
}

#[test]
fn m5_replicas_stay_equal() {
    for (len, min) in [(1 << 12, 3), (12 << 20, 6), (5 * GIB + 4096, 6)] {
        if cfg!(miri) && len > 1 << 20 {
            break;
        }
        let ops = if cfg!(miri) { 300 } else { 60_000 };
        conformance::determinism(&|s| heap(s.len.0, min), span(len), ops, 7);
    }
}

/// The two size tables differ in memory only: the same history gives the same answers and digests.
#[test]
fn both_size_tables_behave_alike() {
    let (len, mut rng) = ((3 << 20) + 64, Rng::new(5));
    let mut heaps = [heap(len, 6), hashed(len, 6)];
    for step in 0..if cfg!(miri) { 500 } else { 100_000 } {
        let (kind, at) = (rng.below(5), Offset(rng.below(len + 100) & !(63 * rng.below(2))));
        let (size, align) = (Bytes(rng.log_uniform(17)), Align::new(1 << rng.below(10)).unwrap());
        let [direct, hashed] = heaps.each_mut().map(|h| match kind {
            0..2 => format!("{:?}", h.alloc(size, align)),
            2..4 => format!("{:?}", h.free(at)),
            _ => format!("{:?}", h.realloc(at, size, align)),
        });
        assert_eq!(direct, hashed, "step {step}");
        assert_eq!(heaps[0].digest(), heaps[1].digest(), "step {step}");
    }
    assert!(heaps[0].blocks().eq(heaps[1].blocks()));
    heaps.iter().for_each(|h| h.validate().unwrap());
}

/// MODULE-M6: frees of random offsets succeed exactly for live starts; the errors of the others are told apart.
#[test]
fn m6_random_bad_frees() {
    let mut h = heap(1 << 20, 6);
    let mut rng = Rng::new(9);
    let live: Vec<u64> = (0..400).map(|_| alloc(&mut *h, rng.log_uniform(11)).unwrap()).collect();
    for _ in 0..if cfg!(miri) { 300 } else { 50_000 } {
        let at = rng.below((1 << 20) + 1000) & !(63 * rng.below(2));
        if live.contains(&at) {
            continue;
        }
        let (before, block) = (h.digest(), h.block(Offset(at)));
        let error = h.free(Offset(at)).unwrap_err().to_string();
        let expected = match block {
            None => "is not in this heap",
            Some(b) if b.state == memheap::BlockState::Live => "lies inside the block at",
            Some(_) => "is not allocated",
        };
        assert!(error.contains(expected), "{at}: {error}");
        assert_eq!(h.digest(), before);
    }
    for at in live {
        h.free(Offset(at)).unwrap();
    }
    h.validate().unwrap();
}

/// `alloc_block` returns the same block that `block` finds.
#[test]
fn a_fresh_block_is_told_whole() {
    let (len, mut rng) = ((1 << 20) + 64, Rng::new(3));
    let mut h = heap(len, 6);
    let mut live = Vec::new();
    for _ in 0..if cfg!(miri) { 300 } else { 20_000 } {
        let align = Align::new(1 << rng.below(14)).unwrap();
        match h.alloc_block(Bytes(rng.log_uniform(15) - 1), align) {
            Ok(block) => {
                assert_eq!(h.block(block.at), Some(block));
                live.push(block);
            }
            Err(_) => live.drain(..live.len() / 2).for_each(|b| assert_eq!(h.free(b.at), Ok(b.len))),
        }
    }
}
