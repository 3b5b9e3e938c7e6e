//! PAGES-P1 to PAGES-P5 for random sequences of requests.

use proptest::prelude::*;

use crate::budget::DomainId;
use crate::pages::*;
use crate::units::{Align, Bytes, Offset};

const BASE: Offset = Offset(5 << 21);
const PAGES: u64 = 16 * SMALL_PER_BIG;

type Request = (bool, u64, u8);

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let n = prop_oneof![3 => 1u64..20, 2 => 1u64..700, 1 => 1u64..3000];
    proptest::collection::vec((any::<bool>(), n, 0u8..24), 1..24)
}

fn pool() -> Pool {
    Pool::new(DomainId(1), BASE, Bytes(PAGES << 12)).unwrap()
}

fn ask(pool: &mut Pool, (big, n, log2): Request) -> Result<Run, PoolError> {
    let (kind, n) = if big { (PageKind::Big, n.div_ceil(SMALL_PER_BIG)) } else { (PageKind::Small, n) };
    pool.take(kind, Pages(n), Align::new(1 << log2).unwrap())
}

/// Marks the pages of a run in the book of all pages, in which none may be marked twice.
fn p1_mark(book: &mut [bool], run: &Run) {
    let first = ((run.at.0 - BASE.0) >> 12) as usize;
    for page in &mut book[first..first + (run.len().0 >> 12) as usize] {
        assert!(!std::mem::replace(page, true), "PAGES-P1: {run:?} overlaps");
    }
}

fn p3_complete(book: &[bool], pool: &Pool) {
    let room = pool.room();
    let marked = book.iter().filter(|&&m| m).count() as u64;
    assert_eq!(((room.fresh.0 + room.holes.0) >> 12) + marked, PAGES, "PAGES-P3");
}

/// The longest free stretch of the book that starts at a multiple of `align`.
fn longest(book: &[bool], align: u64) -> u64 {
    let base = BASE.0 >> 12;
    let start_ok = |i: u64| (base + i).is_multiple_of(align);
    let free_from = |i: u64| book[i as usize..].iter().take_while(|&&m| !m).count() as u64;
    (0..PAGES).filter(|&i| start_ok(i)).map(free_from).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 5 } else { 100_000 }))]

    #[test]
    fn p1_to_p5_for_any_sequence(requests in requests()) {
        let (mut one, mut other) = (pool(), pool());
        let mut book = vec![false; PAGES as usize];
        for &request in &requests {
            let before = one.clone();
            let run = ask(&mut one, request);
            prop_assert_eq!(&run, &ask(&mut other, request), "PAGES-P5");
            let align = Align::new(1 << request.2).unwrap();
            match run {
                Ok(run) => {
                    prop_assert!(run.at >= BASE, "PAGES-P1");
                    prop_assert!(run.at.is_aligned(align) && run.at.is_aligned(run.kind.size()), "PAGES-P2");
                    let long = run.kind == PageKind::Small && run.pages.0 > SMALL_PER_BIG;
                    prop_assert!(!long || run.at.is_aligned(Align::HUGE), "PAGES-P2: as big pages would");
                    p1_mark(&mut book, &run);
                }
                Err(PoolError::Exhausted { kind, wanted, .. }) => {
                    prop_assert_eq!(&one, &before, "PAGES-P4");
                    let len = (wanted.0 * kind.size().bytes()) >> 12;
                    let unit = if len > SMALL_PER_BIG { PageKind::Big } else { kind };
                    let align = align.max(unit.size()).bytes() >> 12;
                    prop_assert!(longest(&book, align) < len, "PAGES-P4: there was room");
                }
                Err(e) => prop_assert!(false, "{e}"),
            }
        }
        p3_complete(&book, &one);
    }
}
