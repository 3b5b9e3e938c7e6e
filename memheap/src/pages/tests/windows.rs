//! Carving a segment.

use proptest::prelude::*;

use crate::pages::*;
use crate::units::{Align, Bytes, Offset};

fn want(name: &'static str, len: Bytes, align: Align, pages: PageKind) -> Want {
    Want { name, len, align, pages }
}

#[test]
fn the_heap_comes_first_and_internals_share_a_big_page() {
    let wants = [
        want("desk", Bytes::kib(40), Align::PAGE, PageKind::Small),
        want("heap", Bytes::mib(64), Align::HUGE, PageKind::Big),
        want("host", Bytes::mib(7), Align::HUGE, PageKind::Big),
        want("signals", Bytes(100), Align::ONE, PageKind::Small),
        want("none", Bytes(0), Align::HUGE, PageKind::Big),
    ];
    let segment = segment_for(&wants).unwrap();
    let at: Vec<(u64, u64)> =
        carve(segment, &wants).unwrap().iter().map(|w| (w.at.0 >> 10, w.len.0 >> 10)).collect();
    let mib = 1024;
    let desk = (64 + 8) * mib;
    assert_eq!(at, [(desk, 40), (0, 64 * mib), (64 * mib, 8 * mib), (desk + 40, 4), (0, 0)]);
    assert_eq!(segment, Bytes::mib(64 + 8 + 2));
    let e = carve(Bytes::mib(72), &wants).unwrap_err();
    assert_eq!((e.name, e.segment), ("desk", Bytes::mib(72)));
}

#[test]
fn the_strictest_alignment_goes_first_and_its_gap_is_used() {
    let gib = Align::new(1 << 30).unwrap();
    let wants = [
        want("heap", Bytes::mib(8), Align::HUGE, PageKind::Big),
        want("a", Bytes::mib(4), gib, PageKind::Big),
        want("b", Bytes::mib(2), gib, PageKind::Big),
        want("desk", Bytes::kib(4), Align::PAGE, PageKind::Small),
    ];
    let windows = carve(segment_for(&wants).unwrap(), &wants).unwrap();
    let at: Vec<Offset> = windows.iter().map(|w| w.at).collect();
    assert_eq!(at, [Offset(4 << 20), Offset(0), Offset(1 << 30), Offset(12 << 20)]);
    assert_eq!(segment_for(&wants), Ok(Bytes((1 << 30) + (2 << 20))));
}

#[test]
fn nothing_and_too_much() {
    assert_eq!((carve(Bytes(0), &[]), segment_for(&[])), (Ok(vec![]), Ok(Bytes(0))));
    let too_much = [want("all", Bytes(u64::MAX), Align::ONE, PageKind::Big)];
    assert!(segment_for(&too_much).is_err() && carve(Bytes::gib(1), &too_much).is_err());
    let odd = carve(Bytes(4096), &[want("desk", Bytes(1), Align::ONE, PageKind::Small)]).unwrap_err();
    assert!(matches!(odd.why, PoolError::Unaligned { .. }));
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn wants() -> impl Strategy<Value = Vec<Want>> {
    let one = (0u64..(9 << 20), 0u8..26, any::<bool>());
    proptest::collection::vec(one, 0..6).prop_map(|list| {
        let kind = |big| if big { PageKind::Big } else { PageKind::Small };
        let make =
            |(name, (len, log2, big))| want(name, Bytes(len), Align::new(1u64 << log2).unwrap(), kind(big));
        NAMES.into_iter().zip(list).map(make).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 20 } else { 100_000 }))]

    #[test]
    fn windows_are_disjoint_aligned_and_inside(wants in wants()) {
        let segment = segment_for(&wants).unwrap();
        let windows = carve(segment, &wants).unwrap();
        prop_assert_eq!(&windows, &carve(Bytes(segment.0 + (1 << 40)), &wants).unwrap(), "length does not matter");
        let mut used: Vec<(u64, u64)> = Vec::new();
        for (window, want) in windows.iter().zip(&wants) {
            prop_assert_eq!((window.name, window.pages), (want.name, want.pages));
            prop_assert!(window.len >= want.len && window.len.0 - want.len.0 < want.pages.size().bytes());
            prop_assert!(window.at.is_aligned(want.align));
            prop_assert!(window.len.0 == 0 || window.at.is_aligned(want.pages.size()));
            prop_assert!(window.at.0 + window.len.0 <= segment.0);
            used.extend((window.len.0 > 0).then_some((window.at.0, window.at.0 + window.len.0)));
        }
        used.sort();
        prop_assert!(used.windows(2).all(|w| w[0].1 <= w[1].0), "{used:?}");
        if let Some(shorter) = segment.0.checked_sub(Align::HUGE.bytes()) {
            prop_assert!(carve(Bytes(shorter), &wants).is_err(), "the shortest");
        }
    }
}
