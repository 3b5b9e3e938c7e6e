//! How much memory a start takes. In a file of its own, since no other test may run in this process.

#![cfg(all(target_os = "linux", not(miri)))]

use memheap::component::Component;
use memheap::{Align, Bytes, Settings, Span};
use memheap_ptmalloc::Ptmalloc;

/// Pages of this process that are in memory.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("there is a /proc");
    statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("the second field")
}

#[test]
fn a_tebibyte_starts_within_a_mebibyte() {
    let opened = Ptmalloc.open(&Settings::default()).unwrap();
    let before = resident();
    let mut heap = opened.init(Span { len: Bytes(1 << 40) }).unwrap();
    heap.alloc(Bytes(64), Align::DEFAULT).unwrap();
    let pages = resident() - before;
    assert!(pages <= 256, "{pages} pages");
}
