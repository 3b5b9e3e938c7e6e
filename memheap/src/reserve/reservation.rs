//! What can be asked for, and what is given.

use crate::units::{Align, Bytes, Offset, PeId};

/// Which PE a reservation should be near. It is a wish: it changes no offset. (The runtime has none; the seed's call
/// has, see [`seeds::rmm`](crate::seeds::rmm).)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Locality {
    /// No wish.
    #[default]
    Anywhere,
    /// In memory that is near this PE.
    NearPe(PeId),
}

/// What became of a wish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Honoured {
    /// There was no wish.
    NotAsked,
    /// The memory is near the PE.
    Yes,
    /// It is not, or that is not known.
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
    /// What became of the wish. A local fact, so not a part of the digest.
    pub honoured: Honoured,
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
    /// A reservation of no bytes, which would start where another one does.
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
}

impl Reservation {
    /// The first offset past it.
    pub fn end(&self) -> Offset {
        Offset(self.at.0 + self.size.0)
    }
}
