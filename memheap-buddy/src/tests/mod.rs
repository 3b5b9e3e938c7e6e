//! Tests of the component as a whole; the pure parts are tested beside their code.

use memheap::conformance::{self, Rng};
use memheap::{Align, AllocError, Bytes, Component, Module, Moved, Offset, Order, Settings, Span};

use crate::sizes::SizeTable;
use crate::{Buddy, make, sizes};

mod exhaustive;
mod traffic;
mod vectors;

fn span(len: u64) -> Span {
    Span { len: Bytes(len) }
}

/// A heap with smallest blocks of `2^min` bytes and the direct size table.
fn heap(len: u64, min: u8) -> Box<dyn Module> {
    make(span(len), Order(min), sizes(span(len), Order(min))).unwrap()
}

/// The same with the hashed size table.
fn hashed(len: u64, min: u8) -> Box<dyn Module> {
    make(span(len), Order(min), SizeTable::hashed()).unwrap()
}

fn alloc(m: &mut dyn Module, size: u64) -> Result<u64, AllocError> {
    m.alloc(Bytes(size), Align::ONE).map(|at| at.0)
}
