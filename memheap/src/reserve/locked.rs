//! A layout several threads reserve from, sealed at run time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::book::Book;
use super::{Booting, Flags, Layout, Request, Reservation, ReserveError};
use crate::component::Digest;
use crate::units::{Bytes, PeId};

/// A [`Layout`] behind a lock, whose stage is a value instead of a type.
///
/// For callers that types do not reach. The order of calls decides the offsets, so threads that call at
/// the same time must not decide it by racing on one PE and not on another.
#[derive(Debug)]
pub struct LockedLayout {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    book: Book,
    sealed: bool,
}

impl From<Layout<Booting>> for LockedLayout {
    fn from(layout: Layout<Booting>) -> LockedLayout {
        LockedLayout { state: Mutex::new(State { book: layout.book, sealed: false }) }
    }
}

impl LockedLayout {
    /// Reserves `size` bytes; `flags` as [`Flags::decode`] reads them.
    pub fn reserve(
        &self,
        name: &str,
        size: Bytes,
        flags: u64,
        caller: PeId,
    ) -> Result<Reservation, ReserveError> {
        let mut state = self.lock();
        if state.sealed {
            return Err(ReserveError::Sealed { name: name.to_owned() });
        }
        let Flags { align, near } = Flags::decode(flags, caller)?;
        state.book.reserve(Request { name, size, align, near })
    }

    /// Ends reserving, once or again; the digest to compare.
    pub fn seal(&self) -> Digest {
        let mut state = self.lock();
        state.sealed = true;
        state.book.digest()
    }

    /// The reservation of that name.
    pub fn find(&self, name: &str) -> Option<Reservation> {
        self.lock().book.find(name).cloned()
    }

    /// A book is changed at the end of a call only, so a caller that panicked has left it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
