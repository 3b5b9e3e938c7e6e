//! The proof that a phase has been entered, and with what.

use memheap::{Bytes, Offset};

use crate::api::team::Team;
use crate::engine::Engine;
use crate::error::Diverged;
use crate::node::signature::{Mode, Signature};
use crate::types::pe_set::PeSet;
use crate::types::thread_level::Level;

/// What proves to a [`Shareable`](crate::Shareable) that the phase has been entered, by whom, and with what.
pub struct PhaseKey<'s> {
    engine: &'s Engine,
    members: PeSet,
    agreed: &'s Signature,
}

impl<'s> PhaseKey<'s> {
    /// Collective over the team: the rendezvous at which its PEs agree on the objects of the phase.
    pub(super) fn enter<L: Level>(
        team: &Team<'_, L>,
        engine: &'s Engine,
        agreed: &'s Signature,
    ) -> Result<PhaseKey<'s>, Diverged> {
        team.meet(*agreed)?;
        Ok(PhaseKey { engine, members: team.members(), agreed })
    }

    /// Who entered, if it was with an object that begins at `at` and is `bytes` long (PHASE-P1).
    pub(super) fn of(&self, at: Offset, bytes: Bytes, mode: Mode) -> (&'s Engine, PeSet) {
        let is_shared = self.agreed.has_object(at, bytes, mode);
        assert!(is_shared, "PHASE-P1: {bytes} at {at} are no object of this phase");
        (self.engine, self.members)
    }
}
