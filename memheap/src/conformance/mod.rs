//! One set of tests for every component, generic over how a module is made.
//!
//! ```text
//!   all(make) ─┬─ laws:        MODULE-M1 to MODULE-M6, by small exact cases
//!              ├─ model:       random histories, each call mirrored in an independent ledger
//!              └─ determinism: two replicas, one of which also suffers failing calls, stay equal
//! ```
//!
//! `make` gives a fresh module for a span; nothing else is known about it. A function that finds nothing wrong
//! returns; one that does panics with the law, the seed and the step. Random histories come from [`Rng`], the one
//! generator of random numbers of the allocators' tests, so a failure can be repeated from its seed.

mod laws;
mod model;
mod rng;

pub use laws::{
    Make, alignment, bad_frees, exhaustion, free_all_restores, realloc_keeps, refused_alignment, size_zero,
    tiling, whole_heap,
};
pub use model::{determinism, model};
pub use rng::Rng;

use crate::units::{Bytes, Span};

/// The spans that the whole set runs on, powers of two and others.
const SPANS: &[u64] = match cfg!(miri) {
    true => &[4 << 10],
    false => &[4 << 10, 12 << 10, 1 << 20, (3 << 19) + 4096, 2 << 20, 384 << 20],
};

/// Runs the whole set: the laws on several spans, then [`fn@model`] and [`fn@determinism`].
///
/// Where the span is a power of two, one block of all of it must be had; elsewhere a block as large as a fresh module
/// says its largest is. A component that promises more calls [`whole_heap`] itself.
pub fn all(make: Make<'_>) {
    for (i, &len) in SPANS.iter().enumerate() {
        let span = Span { len: Bytes(len) };
        let largest = make(span).room().largest;
        whole_heap(make, span, if len.is_power_of_two() { span.len } else { largest });
        tiling(&*make(span), span);
        size_zero(make, span);
        alignment(make, span);
        refused_alignment(make, span);
        exhaustion(make, span);
        bad_frees(make, span);
        realloc_keeps(make, span);
        free_all_restores(make, span);
        let ops = if cfg!(miri) { 150 } else { 40_000 };
        model(make, span, ops, i as u64);
        determinism(make, span, ops / 2, i as u64);
    }
}

#[cfg(test)]
mod tests;
