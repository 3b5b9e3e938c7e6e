//! Every short history of a small heap, and proof that `validate` sees what is broken.

mod broken;
mod exhaustive;

use super::*;
use crate::width::FIELDS;

/// A word whose tables can be copied, so that a history can be taken up again from any point.
#[derive(Clone, Copy)]
struct Copied(u32);

impl Word for Copied {
    type Descriptors = Vec<[Copied; FIELDS]>;
    type Slots = Vec<Copied>;

    const LONGEST: u64 = 1 << 16;

    fn of(n: u64) -> Self {
        Copied(n as u32)
    }

    fn get(self) -> u64 {
        self.0.into()
    }

    fn descriptors(len: u64) -> std::io::Result<Self::Descriptors> {
        Ok(vec![[Copied(0); FIELDS]; len as usize])
    }

    fn slots(len: u64) -> std::io::Result<Self::Slots> {
        Ok(vec![Copied(0); len as usize])
    }
}

impl Clone for Heap<Copied> {
    fn clone(&self) -> Self {
        Heap {
            chunks: Chunks(self.chunks.0.clone()),
            starts: Starts(self.starts.0.clone()),
            state: self.state.clone(),
            digest: self.digest,
        }
    }
}

fn heap(len: u64) -> Heap<Copied> {
    Heap::new(Span { len: Bytes(len) }).expect("it is short enough")
}
