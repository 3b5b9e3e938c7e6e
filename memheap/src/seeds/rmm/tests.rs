//! The seed's vectors (A5, E7), and what mends it.

use super::*;
use crate::reserve::{Booting, Honoured, Layout, Locality, ReserveError};
use crate::units::{Align, Bytes, Offset, PeId};

/// The seed's pool.
fn fvp() -> Layout<Booting> {
    Layout::new(Offset(0xfe20_0000), Offset(0xffbf_f000)).unwrap()
}

const KIB4: u64 = 4 << 10;

fn word(log2: u64, flags: u64) -> u64 {
    log2 << 56 | flags
}

#[test]
fn the_vectors_of_the_seed() {
    let layout = LockedLayout::from(fvp().beside([PeId(3)]));
    let refused = |e: &CallError| match e {
        CallError::Refused(ReserveError::ZeroSize { .. }) => "size",
        CallError::Refused(ReserveError::Exhausted { .. }) => "memory",
        CallError::Flags(FlagsError::UnknownFlags { .. }) => "flags",
        CallError::Sealed { .. } => "sealed",
        _ => "other",
    };
    let vectors: &[(u64, u64, u64, Result<u64, &str>)] = &[
        (KIB4, 12, 0, Ok(0xffbf_e000)),
        (KIB4, 12, 0, Ok(0xffbf_d000)),
        (0x100, 0, 0, Ok(0xffbf_cf00)),
        (KIB4, 12, 0, Ok(0xffbf_b000)),
        (64 << 10, 16, 0, Ok(0xffbe_0000)),
        (1 << 20, 21, 0, Ok(0xffa0_0000)),
        // A success in the seed, at the address of the block before.
        (0, 12, 0, Err("size")),
        (64, 6, LOCAL, Ok(0xff9f_ffc0)),
        (64, 6, 2, Err("flags")),
        (64, 6, 2 | LOCAL, Err("flags")),
        (32 << 20, 12, 0, Err("memory")),
        // Wrapped in the seed: success, at 0x1ff9ff000.
        (0xffff_ffff_0000_0000, 12, 0, Err("memory")),
        // The next one shows that the top has not moved.
        (64, 6, 0, Ok(0xff9f_ff80)),
    ];
    for (i, &(size, log2, flags, expected)) in vectors.iter().enumerate() {
        let got = layout.reserve(&format!("r{i}"), Bytes(size), word(log2, flags), PeId(3));
        let seen = got.as_ref().map(|r| r.at.0).map_err(refused);
        assert_eq!(seen, expected, "vector {i}: {got:?}");
    }
    let digest = layout.seal();
    assert_eq!(
        layout.reserve("late", Bytes(64), word(6, 0), PeId(0)).map_err(|e| refused(&e)),
        Err("sealed")
    );
    assert_eq!(layout.seal(), digest);
    assert_eq!(layout.find("r7").unwrap().honoured, Honoured::Yes);
}

#[test]
fn a_known_list_loses_less_and_is_taken_whole_or_not_at_all() {
    let request = |name, size, align| Request { name, size: Bytes(size), align, near: Locality::Anywhere };
    let list =
        [request("a", 0x100, Align::ONE), request("b", KIB4, Align::PAGE), request("c", 0x100, Align::ONE)];
    let mut layout = fvp();
    let made = reserve_all(&mut layout, &list).unwrap();
    assert_eq!(made.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!((layout.usage().lost, made[1].at), (Bytes(0), Offset(0xffbf_e000)));
    let (before, digest) = (layout.usage(), layout.digest());
    let more = [request("d", KIB4, Align::PAGE), request("a", 1, Align::ONE)];
    assert_eq!(reserve_all(&mut layout, &more), Err(ReserveError::NameTaken { name: "a".into() }));
    assert_eq!((layout.usage(), layout.digest()), (before, digest));
    layout.validate().unwrap();
}

#[test]
fn the_word_of_flags() {
    for log2 in 0..=255u64 {
        match Flags::decode(word(log2, LOCAL), PeId(2)) {
            Ok(flags) => {
                assert_eq!((u64::from(flags.align.log2()), flags.near), (log2, Locality::NearPe(PeId(2))));
                assert_eq!(flags.encode(), word(log2, LOCAL));
            }
            Err(e) => assert!(log2 > 63 && e == FlagsError::BadAlign { log2: log2 as u8 }),
        }
    }
    for bit in 1..56 {
        assert_eq!(Flags::decode(1 << bit, PeId(0)), Err(FlagsError::UnknownFlags { bits: 1 << bit }));
    }
}
