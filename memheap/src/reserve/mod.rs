//! Memory the runtime takes for itself at boot, from the top down, until the layout is sealed.
//!
//! ```text
//!   floor                                limit                              top
//!     │ the user's heap ends below · free ·│ signals │▒│ team slots │ locks  │
//!     └────────────────────────────────────┴─────────┴─┴────────────┴────────┘
//!                                        ◄── each reservation below the last
//!                                                     └─ padding, counted as lost
//!   Layout<Booting> ──reserve, reserve──► ──seal──► Layout<Sealed>: nothing more can be reserved
//! ```
//!
//! * **RESERVE-R1** a reservation lies between floor and top: the user's heap, below the floor, is never eaten;
//! * **RESERVE-R2** each reservation ends at or below the start of the one before: disjoint, strictly descending;
//! * **RESERVE-R3** it starts at a multiple of its alignment;
//! * **RESERVE-R4** it has a size above zero and a name no other has;
//! * **RESERVE-R5** sizes and lost padding add up to what lies between limit and top;
//! * **RESERVE-R6** an error changes nothing, and no arithmetic wraps.
//!
//! The memory reads zero, since a region is fresh from the system and no byte is reserved twice. Offsets depend on
//! the calls alone, so it is enough that the PEs compare [`Layout::digest`] when they seal.
//!
//! The types see to it that reserving ends with the seal:
//!
//! ```compile_fail,E0599
//! use memheap::reserve::{Layout, Locality};
//! use memheap::{Align, Bytes, Offset};
//!
//! let layout = Layout::new(Offset(0), Offset(4096)).unwrap();
//! let mut sealed = layout.seal();
//! sealed.reserve("late", Bytes(64), Align::DEFAULT, Locality::Anywhere); // there is no such method
//! ```
//!
//! Where types cannot say it, [`LockedLayout`](crate::seeds::rmm::LockedLayout) says it at run time.

mod book;
mod reservation;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use book::Book;
pub use reservation::{Honoured, Locality, Reservation, ReserveError, Usage};

use crate::component::{Digest, Violation};
use crate::units::{Align, Bytes, Offset, PeId};

/// The stage in which reservations are made.
#[derive(Clone, Debug)]
pub enum Booting {}

/// The stage in which they are final.
#[derive(Clone, Debug)]
pub enum Sealed {}

/// The reservations of a window; see the [module page](self) for RESERVE-R1 to RESERVE-R6.
#[derive(Clone, Debug)]
pub struct Layout<Stage> {
    book: Book,
    stage: PhantomData<Stage>,
}

impl Layout<Booting> {
    /// A layout of the window from `floor` to `top`, with nothing reserved.
    pub fn new(floor: Offset, top: Offset) -> Result<Layout<Booting>, ReserveError> {
        Ok(Layout { book: Book::new(floor, top)?, stage: PhantomData })
    }

    /// Says which PEs the memory of the window is near to: a wish to be near one of them is honoured.
    pub fn beside(mut self, pes: impl IntoIterator<Item = PeId>) -> Layout<Booting> {
        self.book.beside(pes);
        self
    }

    /// Reserves `size` bytes at a multiple of `align`, below all that is reserved so far.
    pub fn reserve(
        &mut self,
        name: &str,
        size: Bytes,
        align: Align,
        near: Locality,
    ) -> Result<Reservation, ReserveError> {
        self.book.reserve(name, size, align, near)
    }

    /// Ends reserving.
    pub fn seal(self) -> Layout<Sealed> {
        Layout { book: self.book, stage: PhantomData }
    }
}

impl<Stage> Layout<Stage> {
    /// All reservations, in the order they were made.
    pub fn reservations(&self) -> &[Reservation] {
        self.book.entries()
    }

    /// The reservation of that name.
    pub fn find(&self, name: &str) -> Option<&Reservation> {
        self.book.find(name)
    }

    /// Where the lowest reservation starts. Once sealed, what is below may be used for something else.
    pub fn limit(&self) -> Offset {
        self.book.limit()
    }

    /// Bytes reserved, lost and left.
    pub fn usage(&self) -> Usage {
        self.book.usage()
    }

    /// A hash over name, size, alignment and offset of every reservation in order: equal on all PEs, or
    /// their layouts differ.
    pub fn digest(&self) -> Digest {
        self.book.digest()
    }

    /// Checks RESERVE-R1 to RESERVE-R5.
    pub fn validate(&self) -> Result<(), Violation> {
        self.book.validate()
    }
}
