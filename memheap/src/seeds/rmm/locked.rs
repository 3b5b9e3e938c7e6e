//! The call: a layout that several threads reserve from, sealed at run time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::flags::{Flags, FlagsError};
use crate::component::Digest;
use crate::reserve::{Booting, Layout, Reservation, ReserveError};
use crate::units::{Bytes, PeId};

/// Why a call has reserved nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
    /// Its flags say nothing.
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
/// For callers that types do not reach. The order of calls decides the offsets, so threads that call at
/// the same time must not decide it by racing on one PE and not on another.
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

    /// Ends reserving, once or again; the digest to compare.
    pub fn seal(&self) -> Digest {
        let mut state = self.lock();
        state.sealed = true;
        state.layout.digest()
    }

    /// The reservation of that name.
    pub fn find(&self, name: &str) -> Option<Reservation> {
        self.lock().layout.find(name).cloned()
    }

    /// A layout is changed at the end of a call only, so a caller that panicked has left it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
