//! Reservations by example, and RESERVE-R1 to RESERVE-R6 for any sequence of calls; the seed's vectors are in
//! `seeds::rmm`.

use proptest::prelude::*;

use super::*;

/// The seed's pool.
fn fvp() -> Layout<Booting> {
    Layout::new(Offset(0xfe20_0000), Offset(0xffbf_f000)).unwrap()
}

const KIB4: u64 = 4 << 10;

#[test]
fn padding_is_counted() {
    let mut layout = fvp();
    for (name, size, align) in [("a", 0x100, Align::ONE), ("b", KIB4, Align::PAGE)] {
        layout.reserve(name, Bytes(size), align, Locality::Anywhere).unwrap();
    }
    let usage = layout.usage();
    assert_eq!((usage.reserved, usage.lost), (Bytes(0x1100), Bytes(0xf00)));
    assert_eq!(usage.left.0, layout.limit().0 - 0xfe20_0000);
}

#[test]
fn a_wish_is_answered() {
    let mut layout = fvp().beside([PeId(0), PeId(1)]);
    let mut ask = |name, near| layout.reserve(name, Bytes(8), Align::ONE, near).unwrap().honoured;
    assert_eq!(ask("a", Locality::Anywhere), Honoured::NotAsked);
    assert_eq!(ask("b", Locality::NearPe(PeId(1))), Honoured::Yes);
    assert_eq!(ask("c", Locality::NearPe(PeId(2))), Honoured::No);
}

#[test]
fn names_are_found_and_taken_once() {
    let mut layout = fvp();
    let made = layout.reserve("locks", Bytes(12), Align::DEFAULT, Locality::Anywhere).unwrap();
    let again = layout.reserve("locks", Bytes(12), Align::DEFAULT, Locality::Anywhere);
    assert_eq!(again, Err(ReserveError::NameTaken { name: "locks".into() }));
    let sealed = layout.seal();
    assert_eq!((sealed.find("locks"), sealed.find("none")), (Some(&made), None));
    assert_eq!(sealed.reservations(), [made]);
}

#[test]
fn the_digest_sees_every_field_and_the_order() {
    let digest = |list: &[(&str, u64, u64)]| {
        let mut layout = Layout::new(Offset(0), Offset(1 << 20)).unwrap();
        for &(name, size, align) in list {
            layout.reserve(name, Bytes(size), Align::new(align).unwrap(), Locality::Anywhere).unwrap();
        }
        layout.seal().digest()
    };
    let all = [
        digest(&[]),
        digest(&[("a", 64, 64)]),
        digest(&[("b", 64, 64)]),
        digest(&[("a\0", 64, 64)]),
        digest(&[("a", 128, 64)]),
        digest(&[("a", 64, 32)]),
        digest(&[("a", 64, 64), ("b", 64, 64)]),
        digest(&[("b", 64, 64), ("a", 64, 64)]),
    ];
    for (i, one) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|other| other != one), "digest {i} is not unique");
    }
    assert_eq!(digest(&[("a", 64, 64)]), all[1]);
}

#[test]
fn windows_can_be_empty_but_not_upside_down() {
    assert!(matches!(Layout::new(Offset(2), Offset(1)), Err(ReserveError::NoWindow { .. })));
    let mut empty = Layout::new(Offset(64), Offset(64)).unwrap();
    assert!(empty.reserve("a", Bytes(1), Align::ONE, Locality::Anywhere).is_err());
    let mut whole = Layout::new(Offset(0), Offset(u64::MAX)).unwrap();
    assert_eq!(whole.reserve("a", Bytes(u64::MAX), Align::ONE, Locality::Anywhere).unwrap().at, Offset(0));
}

/// Sizes from nothing to far more than the window, alignments up to the largest there is.
fn calls() -> impl Strategy<Value = Vec<(u64, u8)>> {
    let size = prop_oneof![6 => 0u64..9000, 2 => 0u64..(1 << 21), 1 => any::<u64>()];
    let log2 = prop_oneof![6 => 0u8..14, 1 => 0u8..64];
    proptest::collection::vec((size, log2), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 20 } else { 100_000 }))]

    #[test]
    fn r1_to_r6_for_any_sequence(floor in 0u64..(1 << 20), len in 0u64..(1 << 21), calls in calls()) {
        let window = (Offset(floor), Offset(floor + len));
        let mut layout = Layout::new(window.0, window.1).unwrap();
        let mut above = window.1;
        for (i, &(size, log2)) in calls.iter().enumerate() {
            let align = Align::new(1 << log2).unwrap();
            let before = (layout.usage(), layout.digest());
            match layout.reserve(&i.to_string(), Bytes(size), align, Locality::Anywhere) {
                Ok(r) => {
                    prop_assert!(r.at >= window.0, "RESERVE-R1");
                    prop_assert!(r.at < above && r.end() <= above, "RESERVE-R2");
                    prop_assert!(above.0 - r.end().0 < align.bytes(), "no more padding than needed");
                    prop_assert!(r.at.is_aligned(align), "RESERVE-R3");
                    prop_assert_eq!(r.size, Bytes(size), "RESERVE-R4");
                    above = r.at;
                }
                Err(e) => {
                    prop_assert_eq!((layout.usage(), layout.digest()), before, "RESERVE-R6");
                    let lowest = u128::from(floor).next_multiple_of(u128::from(align.bytes()));
                    let fits = size > 0 && lowest + u128::from(size) <= u128::from(above.0);
                    prop_assert!(!fits, "RESERVE-R6: refused what fits: {}", e);
                }
            }
            prop_assert_eq!(layout.limit(), above);
        }
        prop_assert_eq!(layout.validate(), Ok(()));
        let sealed = layout.seal();
        prop_assert_eq!(sealed.validate(), Ok(()));
    }
}
