//! Memory the runtime takes for itself at boot, from the top down, until the layout is sealed.
//!
//! ```text
//!   floor                                limit                              top
//!     │ the user's heap ends below  · gap ·│ signals │▒│ team slots │ locks  │
//!     └────────────────────────────────────┴─────────┴─┴────────────┴────────┘
//!                                        ◄── each reservation below the last
//!                                                     └─ padding, counted as lost
//!   Layout<Booting> ──reserve, reserve──► ──seal──► Layout<Sealed>: nothing more can be reserved
//! ```
//!
//! * **R1** a reservation lies between floor and top: the user's heap, below the floor, is never eaten;
//! * **R2** each reservation ends at or below the start of the one before: disjoint, strictly descending;
//! * **R3** it starts at a multiple of its alignment;
//! * **R4** it has a size above zero and a name no other has;
//! * **R5** sizes and lost padding add up to what lies between limit and top;
//! * **R6** an error changes nothing, and no arithmetic wraps.
//!
//! The memory reads zero: a region is fresh from the system, and no byte of it is handed out twice.
//! Offsets follow from the calls alone, so the PEs need only compare [`Layout::digest`] when they seal.
//!
//! That reserving ends with the seal is a matter of types:
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
//! Where types cannot say it, across a C boundary, [`LockedLayout`] answers [`ReserveError::Sealed`].

mod book;
mod flags;
mod locked;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use book::Book;
pub use flags::{Flags, LOCAL};
pub use locked::LockedLayout;

use crate::component::{Digest, Violation};
use crate::units::{Align, Bytes, Offset, PeId};

/// The stage in which reservations are made.
#[derive(Debug)]
pub enum Booting {}

/// The stage in which they are final.
#[derive(Debug)]
pub enum Sealed {}

/// The reservations of a window; see the [module page](self) for R1 to R6.
#[derive(Debug)]
pub struct Layout<Stage> {
    book: Book,
    stage: PhantomData<Stage>,
}

/// Whom a reservation should be near. A wish: it moves no offset.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Locality {
    /// Anywhere.
    #[default]
    Anywhere,
    /// In memory that is near this PE.
    NearPe(PeId),
}

/// What became of a wish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Honoured {
    /// There was none.
    NotAsked,
    /// The memory is near the PE.
    Yes,
    /// It is not, or nobody knows.
    No,
}

/// A piece of memory that was reserved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    /// What it is for.
    pub name: String,
    /// Where it starts.
    pub at: Offset,
    /// How long it is.
    pub size: Bytes,
    /// What its start is a multiple of.
    pub align: Align,
    /// What became of the wish. A local fact, no part of the digest.
    pub honoured: Honoured,
}

/// A reservation that is wanted, for [`Layout::reserve_all`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<'n> {
    /// What it is for.
    pub name: &'n str,
    /// How long it has to be.
    pub size: Bytes,
    /// What its start has to be a multiple of.
    pub align: Align,
    /// Whom it should be near.
    pub near: Locality,
}

/// What reservations have cost.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// Bytes reserved.
    pub reserved: Bytes,
    /// Bytes lost to alignment between reservations.
    pub lost: Bytes,
    /// Bytes left above the floor.
    pub left: Bytes,
}

/// Why memory could not be reserved. Nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReserveError {
    /// A window whose top is below its floor.
    #[error("no window: its top {top} is below its floor {floor}")]
    NoWindow {
        /// The floor given.
        floor: Offset,
        /// The top given.
        top: Offset,
    },
    /// A reservation of no bytes would share its place with another.
    #[error("reservation `{name}` of no bytes")]
    ZeroSize {
        /// Its name.
        name: String,
    },
    /// Two reservations of one name.
    #[error("reservation `{name}` exists already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Not enough is left above the floor.
    #[error("reservation `{name}` of {size} aligned to {align}: {left} left above the floor")]
    Exhausted {
        /// Its name.
        name: String,
        /// Its size.
        size: Bytes,
        /// Its alignment.
        align: Align,
        /// What is left.
        left: Bytes,
    },
    /// An alignment that no 64-bit offset can have.
    #[error("alignment 2^{log2} does not fit in 64 bits")]
    BadAlign {
        /// The logarithm given.
        log2: u8,
    },
    /// Bits nobody has given a meaning.
    #[error("unknown flags {bits:#x}")]
    UnknownFlags {
        /// The bits.
        bits: u64,
    },
    /// The layout is sealed.
    #[error("reservation `{name}` after the layout was sealed")]
    Sealed {
        /// Its name.
        name: String,
    },
}

impl Layout<Booting> {
    /// A layout of the window from `floor` to `top`, with nothing reserved.
    pub fn new(floor: Offset, top: Offset) -> Result<Layout<Booting>, ReserveError> {
        Ok(Layout { book: Book::new(floor, top)?, stage: PhantomData })
    }

    /// Says which PEs the window's memory is near to: a wish for one of them is honoured.
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
        self.book.reserve(Request { name, size, align, near })
    }

    /// Reserves all of a known list or nothing, the strictest alignment first: so the least is lost. The
    /// reservations are returned in the order of the list.
    pub fn reserve_all(&mut self, list: &[Request<'_>]) -> Result<Vec<Reservation>, ReserveError> {
        self.book.reserve_all(list)
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

    /// Where the lowest reservation starts: what is below may be used for something else once sealed.
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

    /// Checks R1 to R5.
    pub fn validate(&self) -> Result<(), Violation> {
        self.book.validate()
    }
}

impl Reservation {
    /// The first offset past it.
    pub fn end(&self) -> Offset {
        Offset(self.at.0 + self.size.0)
    }
}
