//! The worked examples of the seed (A4, E6), with its defects mended where the comments say so, and the fields of
//! names.

use proptest::prelude::*;

use super::*;
use crate::pages::{PageKind, Pages};

fn ppn(x: u64, y: u64, bppi: u64, sppi: u64) -> Result<Ppn, FieldError> {
    Ok(Ppn::pack(x.try_into()?, y.try_into()?, bppi.try_into()?, sppi.try_into()?))
}

#[test]
fn the_worked_example() {
    // Cluster (2,3), base 0, 64 MiB.
    let mut pool = Pool::new(DomainId(0x23), Offset(0), Bytes::mib(64)).unwrap();
    for (kind, n, number, reach) in [
        (PageKind::Small, 1, 0x230_0000, 1),
        (PageKind::Small, 10, 0x230_0001, 1),
        (PageKind::Big, 3, 0x230_0200, 4),
        (PageKind::Small, 500, 0x230_000b, 4),
        (PageKind::Small, 2, 0x230_0800, 5),
        // Two big pages, where the seed opened only one.
        (PageKind::Small, 600, 0x230_0a00, 7),
        // The page that the seed lost; it handed out one of the 600 a second time.
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
    let mut pool = pool_after_first(DomainId(0), Offset(0), Bytes::mib(64)).unwrap();
    let run = pool.take(PageKind::Big, Pages(1), Align::ONE).unwrap();
    assert_eq!((run.at, Ppn::of_domain(run.domain, run.at)), (Offset(0x20_0000), ppn(0, 0, 1, 0)));
    let mut elsewhere = pool_after_first(DomainId(0), Offset(6 << 21), Bytes::mib(4)).unwrap();
    let small = elsewhere.take(PageKind::Small, Pages(1), Align::ONE).unwrap();
    assert_eq!(small.at, Offset(7 << 21), "kept wherever the pool starts");
    assert!(elsewhere.take(PageKind::Big, Pages(1), Align::ONE).is_err());
    let none = pool_after_first(DomainId(0), Offset(0), Bytes(0));
    assert!(matches!(none, Err(PoolError::Impossible { .. })), "there is no page to keep");
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 5 } else { 100_000 }))]

    #[test]
    fn names_round_trip(x in 0u64..16, y in 0u64..16, bppi in 0u64..2048, sppi in 0u64..512, byte in 0u64..4096) {
        let packed = Ppn::pack(
            x.try_into().unwrap(),
            y.try_into().unwrap(),
            bppi.try_into().unwrap(),
            sppi.try_into().unwrap(),
        );
        let addr = packed.at(byte.try_into().unwrap());
        prop_assert_eq!(addr.get(), x << 36 | y << 32 | bppi << 21 | sppi << 12 | byte);
        prop_assert_eq!(PhysicalAddr::try_from(addr.get()), Ok(addr));
        let (page, offset) = addr.unpack();
        prop_assert_eq!((page, offset.get()), (packed, byte));
        let domain = DomainId((x << 4 | y) as u32);
        prop_assert_eq!(Ppn::of_domain(domain, Offset(bppi << 21 | sppi << 12 | byte)), Ok(packed));
    }

    #[test]
    fn g1_an_address_has_page_fields(pe in 0..=GlobalAddr::MAX_PE.0, at in 0..=GlobalAddr::MAX_OFFSET.0) {
        let addr = GlobalAddr::new(PeId(pe), Offset(at)).unwrap();
        let (big, small, byte) = page_of(addr).unwrap();
        prop_assert_eq!(big.get() << 21 | small.get() << 12 | byte.get(), at);
        prop_assert_eq!(of_page(PeId(pe), big, small, byte), Ok(addr));
    }
}
