//! What the first block of a heap costs: time and resident memory, in a process that has done nothing else.

use std::time::Instant;

use memheap::{Align, Bytes, Component};

use crate::contender::{Contender, Ours};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// Open, init and the first block, in microseconds.
    pub microseconds: f64,
    /// How much the process has grown meanwhile, in KiB of resident memory.
    pub kib: f64,
}

/// Brings up a heap of `len` bytes and takes one block.
pub fn measure(component: &dyn Component, len: Bytes) -> Start {
    let before = resident_kib();
    let start = Instant::now();
    let mut heap = Ours::new(component, len);
    let block = heap.alloc(64, Align::DEFAULT);
    let microseconds = start.elapsed().as_secs_f64() * 1e6;
    assert!(block.is_some(), "an empty heap has room");
    Start { microseconds, kib: resident_kib() - before }
}

/// Resident memory of this process, from the system's page tables, not from its cached counters.
fn resident_kib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("Rss:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}
