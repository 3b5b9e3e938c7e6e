//! The proof that a phase has been entered.

use crate::engine::Engine;
use crate::types::pe_set::PeSet;

/// What proves to a [`Shareable`](crate::Shareable) that the phase has been entered, and by whom.
pub struct PhaseKey<'s> {
    pub(super) engine: &'s Engine,
    pub(super) members: PeSet,
}
