//! A component may be borrowed; what it opens may not borrow from it.
#![forbid(unsafe_code)]
use shmem_api::memheap::component::*;
use shmem_api::memheap::{Settings, Span};

struct Mine(u64);
struct Open<'a>(&'a u64);

impl Component for Mine {
    fn name(&self) -> &'static str {
        "mine"
    }
    fn priority(&self) -> Priority {
        Priority(1)
    }
    fn open(&self, _: &Settings) -> Result<Box<dyn Opened>, Decline> {
        Ok(Box::new(Open(&self.0)))
    }
}

impl Opened for Open<'_> {
    fn init(&self, _: Span) -> Result<Box<dyn Module>, Decline> {
        Err(Decline(self.0.to_string()))
    }
}

fn main() {}
