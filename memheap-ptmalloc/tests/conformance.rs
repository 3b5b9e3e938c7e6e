//! The set every component passes, and longer histories of the same kind.

use memheap::component::{Component, Module};
use memheap::conformance;
use memheap::{Bytes, Settings, Span};
use memheap_ptmalloc::Ptmalloc;

fn make(span: Span) -> Box<dyn Module> {
    Ptmalloc.open(&Settings::default()).and_then(|opened| opened.init(span)).expect("it does not decline")
}

/// Operations, far fewer where each is interpreted.
fn ops(n: u64) -> u64 {
    if cfg!(miri) { n / 1000 } else { n }
}

#[test]
fn conforms() {
    conformance::all(&make);
}

#[test]
fn model_of_two_million_calls() {
    for (seed, len) in [(101, 1 << 16), (102, (1 << 20) + 5), (103, 64 << 20), (104, (3 << 33) + 1)] {
        conformance::model(&make, Span { len: Bytes(len) }, ops(550_000), seed);
    }
}

#[test]
fn replicas_agree_with_failures_in_between() {
    for (seed, len) in [(201, 1 << 15), (202, (1 << 22) + 9), (203, 1 << 40)] {
        conformance::determinism(&make, Span { len: Bytes(len) }, ops(300_000), seed);
    }
}
