//! Symmetric objects as Rust values, in their *local* phase.
//!
//! A [`SymSlice`] is this PE's part of an object that every PE has at the same offset. While it is
//! local, nobody else can touch it, and it is an ordinary slice; to let the others at it, share it
//! (see [`crate::api::phase`]). What makes its elements a slice is in `elements` (SYM-S7, SYM-Y1).

use std::fmt;
use std::ops::{Deref, DerefMut};

use memheap::place::{Near, Reach};
use memheap::{Bytes, Offset};

use crate::api::elements::Elements;
use crate::coll::object::{Dest, Source};
use crate::engine::Engine;
use crate::error::Error;
use crate::heap::DropQueue;
use crate::process::child;
use crate::types::call_site::CallSite;
use crate::types::elem::Elem;
use crate::types::object::ObjectType;

/// A symmetric array: `len` elements on every PE, at the same offset of its heap.
///
/// Dropping it is not collective: the memory is given back at the next collective heap call after
/// every PE has dropped its part.
pub struct SymSlice<'w, T: Elem> {
    elements: Elements<'w, T>,
    queue: &'w DropQueue,
}

/// One symmetric value: a [`SymSlice`] of length one that derefs to its element.
pub struct SymBox<'w, T: Elem>(pub(crate) SymSlice<'w, T>);

/// A part of a symmetric array, borrowed from it, which can be shared while the rest stays local.
/// See [`SymSlice::parts_mut`].
pub struct SymPart<'p, T: Elem> {
    elements: Elements<'p, T>,
}

impl<'w, T: Elem> SymSlice<'w, T> {
    /// Collective: a new one, all zero, that is to be `what`.
    pub(super) fn alloc(
        engine: &'w Engine,
        len: usize,
        what: ObjectType,
        place: (Reach, Near),
        site: CallSite,
    ) -> Result<SymSlice<'w, T>, Error> {
        let elements = Elements::symmetric(engine, len, what, place, site)?;
        Ok(SymSlice { elements, queue: &engine.drops })
    }

    /// Splits the array at element `mid`, so that one part can be shared while the other stays an
    /// ordinary slice. Not collective; to share a part, every PE must split alike.
    ///
    /// # Panics
    /// If `mid > len`.
    pub fn parts_mut(&mut self, mid: usize) -> (SymPart<'_, T>, SymPart<'_, T>) {
        SymPart { elements: self.elements.borrowed() }.split(mid)
    }

    /// Where this PE's elements are. No reference is made to them.
    pub(crate) fn base(&self) -> *mut T {
        self.elements.base()
    }

    /// The offset of the array in the symmetric heap, in bytes: the same on every PE.
    pub fn offset(&self) -> u64 {
        self.at().0
    }
}

impl<'p, T: Elem> SymPart<'p, T> {
    /// Splits the part at its element `mid`.
    ///
    /// # Panics
    /// If `mid > len`.
    pub fn split(self, mid: usize) -> (SymPart<'p, T>, SymPart<'p, T>) {
        let [first, second] = self.elements.split(mid);
        (SymPart { elements: first }, SymPart { elements: second })
    }
}

impl<T: Elem> Drop for SymSlice<'_, T> {
    fn drop(&mut self) {
        if self.count() > 0 && !child::is_marked() {
            self.queue.push(self.at());
        }
    }
}

macro_rules! local_slice {
    ($($name:ident),*) => {$(
        impl<T: Elem> $name<'_, T> {
            /// Where it is, the same on every PE.
            #[inline]
            pub(crate) fn at(&self) -> Offset {
                self.elements.at()
            }

            /// How many elements it has, without looking at one: also for when it is shared.
            #[inline]
            pub(crate) fn count(&self) -> usize {
                self.elements.count()
            }

            /// Its length in bytes, as [`count`](Self::count).
            pub(crate) fn bytes(&self) -> Bytes {
                Bytes((self.count() * size_of::<T>()) as u64)
            }

            /// What a collective writes, while it is borrowed for that.
            pub(crate) fn as_dest(&mut self) -> Dest<'_, T> {
                self.elements.as_dest()
            }

            /// What a collective reads, while it is borrowed for that.
            pub(crate) fn as_source(&self) -> Source<'_, T> {
                self.elements.as_source()
            }
        }
        impl<T: Elem> Deref for $name<'_, T> {
            type Target = [T];
            #[inline]
            fn deref(&self) -> &[T] {
                &self.elements
            }
        }
        impl<T: Elem> DerefMut for $name<'_, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut [T] {
                &mut self.elements
            }
        }
        impl<T: Elem + fmt::Debug> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} at {} ", stringify!($name), self.at())?;
                f.debug_list().entries(self.iter()).finish()
            }
        }
    )*};
}

local_slice!(SymSlice, SymPart);

impl<T: Elem> Deref for SymBox<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0[0]
    }
}

impl<T: Elem> DerefMut for SymBox<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0[0]
    }
}

impl<T: Elem + fmt::Debug> fmt::Debug for SymBox<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SymBox at {} {:?}", self.0.at(), **self)
    }
}
