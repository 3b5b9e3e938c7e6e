//! Pools by example.

use crate::budget::DomainId;
use crate::pages::*;
use crate::units::{Align, Bytes, Offset};

fn pool(size: Bytes) -> Pool {
    Pool::new(DomainId(7), Offset(0), size).unwrap()
}

fn small(pool: &mut Pool, n: u64) -> Result<Run, PoolError> {
    pool.take(PageKind::Small, Pages(n), Align::ONE)
}

fn big(pool: &mut Pool, n: u64) -> Result<Run, PoolError> {
    pool.take(PageKind::Big, Pages(n), Align::ONE)
}

#[test]
fn more_than_512_small_pages_are_whole_big_pages() {
    let mut pool = pool(Bytes::mib(64));
    let run = small(&mut pool, 513).unwrap();
    assert_eq!((run.at, pool.reach()), (Offset(0), Offset(2 << 21)));
    assert_eq!(pool.room().holes, Bytes(511 << 12), "and the tail is not lost");
    assert_eq!(small(&mut pool, 511).unwrap().at, Offset(513 << 12));
    assert_eq!(pool.reach(), Offset(2 << 21));
}

#[test]
fn exhaustion_is_an_error_that_changes_nothing() {
    let mut pool = pool(Bytes::mib(4));
    small(&mut pool, 12).unwrap();
    let before = pool.clone();
    for (kind, n) in [(PageKind::Big, 2), (PageKind::Small, 513), (PageKind::Big, u64::MAX)] {
        let e = pool.take(kind, Pages(n), Align::ONE).unwrap_err();
        assert!(matches!(e, PoolError::Exhausted { domain: DomainId(7), .. }), "{e}");
    }
    assert_eq!(small(&mut pool, 0), Err(PoolError::NoPages));
    assert_eq!(pool, before);
    assert_eq!(
        big(&mut pool, 2).unwrap_err().to_string(),
        "domain 7: 2 big pages requested, 2 MiB fresh, 2.0 MiB in holes, longest piece 2 MiB"
    );
    big(&mut pool, 1).unwrap();
    small(&mut pool, 500).unwrap();
    assert_eq!((pool.room().largest, pool.room().holes), (Bytes(0), Bytes(0)));
}

#[test]
fn a_pool_is_whole_big_pages() {
    let pool = |base, size| Pool::new(DomainId(0), Offset(base), Bytes(size));
    assert!(matches!(pool(4096, 2 << 20), Err(PoolError::Unaligned { .. })));
    assert!(matches!(pool(0, (2 << 20) + 1), Err(PoolError::Unaligned { .. })));
    assert!(matches!(pool(1 << 63, 1 << 63), Err(PoolError::Impossible { .. })));
    assert!(small(&mut pool(0, 0).unwrap(), 1).is_err());
}
