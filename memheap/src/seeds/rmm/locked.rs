//! The call: a layout that several threads reserve from, sealed at run time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::flags::{Flags, FlagsError};
use crate::component::Digest;
use crate::reserve::{Booting, Layout, Reservation, ReserveError};
use crate::units::{Bytes, PeId};

/// Why a call has reserved nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
    /// Its flags have no meaning.
    #[error(transparent)]
    Flags(#[from] FlagsError),
    /// The layout refused.
    #[error(transparent)]
    Refused(#[from] ReserveError),
    /// The layout is sealed.
    #[error("reservation `{name}` after the layout was sealed")]
    Sealed {
        /// Its name.
        name: String,
    },
}

/// A [`Layout`] behind a lock, whose stage is a value instead of a type.
///
/// It is for callers in other languages. The order of calls decides the offsets, so threads that call at the same time
/// must not come in one order on one PE and in another order on the next.
#[derive(Debug)]
pub struct LockedLayout {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    layout: Layout<Booting>,
    sealed: bool,
}

impl From<Layout<Booting>> for LockedLayout {
    fn from(layout: Layout<Booting>) -> LockedLayout {
        LockedLayout { state: Mutex::new(State { layout, sealed: false }) }
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
    ) -> Result<Reservation, CallError> {
        let mut state = self.lock();
        if state.sealed {
            return Err(CallError::Sealed { name: name.to_owned() });
        }
        let Flags { align, near } = Flags::decode(flags, caller)?;
        Ok(state.layout.reserve(name, size, align, near)?)
    }

    /// Ends reserving; returns the digest to compare. A second call changes nothing.
    pub fn seal(&self) -> Digest {
        let mut state = self.lock();
        state.sealed = true;
        state.layout.digest()
    }

    /// The reservation of that name.
    pub fn find(&self, name: &str) -> Option<Reservation> {
        self.lock().layout.find(name).cloned()
    }

    /// A layout changes only at the end of a call, so a caller that panicked has left it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
