//! The worked examples of the seed, with its defects mended where the comments say so.

use crate::budget::DomainId;
use crate::pages::*;
use crate::units::{Align, Bytes, Offset};

fn ppn(x: u64, y: u64, bppi: u64, sppi: u64) -> Result<Ppn, FieldError> {
    Ok(Ppn::pack(x.try_into()?, y.try_into()?, bppi.try_into()?, sppi.try_into()?))
}

/// Cluster (2,3), base 0, 64 MiB.
fn cluster_2_3() -> Pool {
    Pool::new(DomainId(0x23), Offset(0), Bytes::mib(64), FirstPage::Usable).unwrap()
}

#[test]
fn the_worked_example() {
    let mut pool = cluster_2_3();
    for (kind, n, number, reach) in [
        (PageKind::Small, 1, 0x230_0000, 1),
        (PageKind::Small, 10, 0x230_0001, 1),
        (PageKind::Big, 3, 0x230_0200, 4),
        (PageKind::Small, 500, 0x230_000b, 4),
        (PageKind::Small, 2, 0x230_0800, 5),
        // Two big pages, where the seed opened only one.
        (PageKind::Small, 600, 0x230_0a00, 7),
        // The page the seed lost, where it handed out one of the 600 again.
        (PageKind::Small, 1, 0x230_01ff, 7),
        // The rest of the last of the two; the rest of big page 4 (510) is longer.
        (PageKind::Small, 424, 0x230_0c58, 7),
    ] {
        let run = pool.take(kind, Pages(n), Align::ONE).unwrap();
        let first = Ppn::of_domain(run.domain, run.at).unwrap();
        assert_eq!(first.get(), number, "{kind} {n}: {first}");
        assert_eq!(first.at(PageOffset::default()).get(), number << 12);
        assert_eq!(pool.reach(), Offset(reach << 21), "{kind} {n}");
    }
}

#[test]
fn the_first_page_of_cluster_0_0_is_kept() {
    let mut pool = Pool::new(DomainId(0), Offset(0), Bytes::mib(64), FirstPage::Kept).unwrap();
    let run = pool.big(Pages(1)).unwrap();
    assert_eq!((run.at, Ppn::of_domain(run.domain, run.at)), (Offset(0x20_0000), ppn(0, 0, 1, 0)));
    let mut elsewhere = Pool::new(DomainId(0), Offset(6 << 21), Bytes::mib(4), FirstPage::Kept).unwrap();
    assert_eq!(elsewhere.small(Pages(1)).unwrap().at, Offset(7 << 21), "kept wherever the pool starts");
    assert!(elsewhere.big(Pages(1)).is_err());
}

#[test]
fn more_than_512_small_pages_are_whole_big_pages() {
    let mut pool = cluster_2_3();
    let run = pool.small(Pages(513)).unwrap();
    assert_eq!((run.at, pool.reach()), (Offset(0), Offset(2 << 21)));
    assert_eq!(pool.room().holes, Bytes(511 << 12), "and the tail is not lost");
    assert_eq!(pool.small(Pages(511)).unwrap().at, Offset(513 << 12));
    assert_eq!(pool.reach(), Offset(2 << 21));
}

#[test]
fn packing() {
    for (fields, number) in [
        ((15, 15, 2047, 511), 0xfff_ffff),
        ((0, 1, 0, 0), 0x010_0000),
        ((1, 0, 0, 0), 0x100_0000),
        ((0, 0, 1, 0), 0x200),
        ((0, 0, 0, 1), 1),
        ((0, 0, 0, 0), 0),
    ] {
        let (x, y, b, s) = fields;
        let packed = ppn(x, y, b, s).unwrap();
        assert_eq!(packed.get(), number);
        let (x2, y2, b2, s2) = packed.unpack();
        assert_eq!((x2.get(), y2.get(), b2.get(), s2.get()), fields);
        let byte = packed.at(PageOffset::MAX);
        assert_eq!((byte.get(), byte.unpack()), (number << 12 | 0xfff, (packed, PageOffset::MAX)));
    }
}

#[test]
fn a_field_that_does_not_fit_is_an_error() {
    for (field, outcome) in [
        ("X", ppn(16, 0, 0, 0)),
        ("Y", ppn(0, 16, 0, 0)),
        ("Bppi", ppn(0, 0, 2048, 0)),
        ("Sppi", ppn(0, 0, 0, 512)),
        ("Ppn", Ppn::try_from(1 << 28)),
        ("X", Ppn::of_domain(DomainId(256), Offset(0))),
        ("Bppi", Ppn::of_domain(DomainId(255), Offset(1 << 32))),
    ] {
        assert_eq!(outcome.unwrap_err().field, field);
    }
    assert_eq!(X::try_from(16).unwrap_err().to_string(), "X 0x10 does not fit in 4 bits");
    assert!(PageOffset::try_from(4096).is_err() && PhysicalAddr::try_from(1 << 40).is_err());
}

#[test]
fn exhaustion_is_an_error_that_changes_nothing() {
    let mut pool = Pool::new(DomainId(7), Offset(0), Bytes::mib(4), FirstPage::Usable).unwrap();
    pool.small(Pages(12)).unwrap();
    let before = pool.clone();
    for (kind, n) in [(PageKind::Big, 2), (PageKind::Small, 513), (PageKind::Big, u64::MAX)] {
        let e = pool.take(kind, Pages(n), Align::ONE).unwrap_err();
        assert!(matches!(e, PoolError::Exhausted { domain: DomainId(7), .. }), "{e}");
    }
    assert_eq!(pool.small(Pages(0)), Err(PoolError::NoPages));
    assert_eq!(pool, before);
    assert_eq!(
        pool.big(Pages(2)).unwrap_err().to_string(),
        "domain 7: 2 big pages requested, 2 MiB fresh, 2.0 MiB in holes, longest piece 2 MiB"
    );
    pool.big(Pages(1)).unwrap();
    pool.small(Pages(500)).unwrap();
    assert_eq!((pool.room().largest, pool.used()), (Bytes(0), Bytes::mib(4)));
}

#[test]
fn a_pool_is_whole_big_pages() {
    let pool = |base, size, first| Pool::new(DomainId(0), Offset(base), Bytes(size), first);
    assert!(matches!(pool(4096, 2 << 20, FirstPage::Usable), Err(PoolError::Unaligned { .. })));
    assert!(matches!(pool(0, (2 << 20) + 1, FirstPage::Usable), Err(PoolError::Unaligned { .. })));
    assert!(matches!(pool(0, 0, FirstPage::Kept), Err(PoolError::Impossible { .. })));
    assert!(matches!(pool(1 << 63, 1 << 63, FirstPage::Usable), Err(PoolError::Impossible { .. })));
    assert!(pool(0, 0, FirstPage::Usable).unwrap().small(Pages(1)).is_err());
}
