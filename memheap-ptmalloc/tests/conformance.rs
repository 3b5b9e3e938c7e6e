//! The set every component passes, and longer histories of the same kind.

use memheap::component::{Component, Module};
use memheap::conformance;
use memheap::{Bytes, Settings, Span};
use memheap_ptmalloc::Ptmalloc;

fn make(span: Span) -> Box<dyn Module> {
    Ptmalloc.open(&Settings::default()).and_then(|opened| opened.init(span)).expect("it does not decline")
}

/// How many operations to run: far fewer where each is interpreted.
fn ops(n: u64) -> u64 {
    if cfg!(miri) { n / 250 } else { n }
}

/// Under Miri tables are not sparse, so heaps are small there.
fn lengths(all: &[u64]) -> impl Iterator<Item = (u64, u64)> {
    let small = |&&len: &&u64| !cfg!(miri) || len <= 1 << 16;
    all.iter().filter(small).copied().zip(101..)
}

#[test]
#[cfg_attr(miri, ignore = "its heaps are too long for Miri")]
fn conforms() {
    conformance::all(&make);
}

#[test]
fn model_of_two_million_calls() {
    for (len, seed) in lengths(&[1 << 12, (1 << 16) - 5, (1 << 20) + 5, 64 << 20, (3 << 33) + 1, 1 << 40]) {
        conformance::model(&make, Span { len: Bytes(len) }, ops(400_000), seed);
    }
}

#[test]
fn replicas_agree_with_failures_in_between() {
    for (len, seed) in lengths(&[1 << 15, (1 << 22) + 9, 1 << 40]) {
        conformance::determinism(&make, Span { len: Bytes(len) }, ops(300_000), seed);
    }
}
