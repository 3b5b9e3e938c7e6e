//! How large the user's heap is: as large as was given, or the least of what the PEs propose.

use memheap::budget::{self, Excess, Proposal, Wish, host_facts};
use memheap::settings::{self, Settings};
use memheap::{Bytes, PeId};

use crate::boot::protocol::Boot;
use crate::boot::step::step;
use crate::error::Error;
use crate::node::control_block::TeamSlots;
use crate::node::layout::Layout;
use crate::process::limits::Limits;
use crate::startup::hello::Hello;

/// The heap's size, and how it came about.
pub(crate) struct Budget {
    pub(crate) heap: Bytes,
    /// What this host proposed, where the size was not given.
    pub(crate) proposal: Option<Proposal>,
    /// The limit of the process that made it less than proposed.
    pub(crate) limit: Option<String>,
    /// By how much a given size is more than what is free.
    pub(crate) excess: Option<Excess>,
    /// What the host had free before anything was mapped.
    pub(crate) free_before: Bytes,
}

/// The size that was given; or the least of what the PEs propose.
pub(super) fn agree_on_heap(
    boot: &mut dyn Boot,
    settings: &Settings,
    hello: Hello,
    slots: TeamSlots,
) -> Result<Budget, Error> {
    let me = boot.pe();
    let here = boot.hosts().beside(me).len() as u32;
    let mine = budget_here(me, here, settings, (&hello, slots));
    let all = step(boot, mine.as_ref().map(|b| b.heap.0).map_err(Clone::clone))?;
    let least = all.into_iter().min().map(Bytes);
    let mine = mine?;
    Ok(Budget { heap: least.unwrap_or(mine.heap), ..mine })
}

/// `n_pes`: of this host.
fn budget_here(
    me: PeId,
    n_pes: u32,
    settings: &Settings,
    (hello, slots): (&Hello, TeamSlots),
) -> Result<Budget, Error> {
    let size = hello.size;
    let overcommitted = |why: String| Error::Overcommitted { pe: me, why };
    let facts = host_facts().map_err(|e| overcommitted(e.to_string()))?;
    if size != u64::MAX {
        let excess = budget::fits(&facts, n_pes, Bytes(size)).err();
        let strict = settings.is_on(&settings::HEAP_PREALLOC) || !settings.is_on(&settings::HEAP_OVERCOMMIT);
        return match excess {
            Some(e) if strict => Err(overcommitted(e.to_string())),
            _ => Ok(Budget {
                heap: Bytes(size),
                proposal: None,
                excess,
                limit: None,
                free_before: facts.free(),
            }),
        };
    }
    let wish = settings.size(&settings::HEAP_BUDGET).map_or(Wish::Default, Wish::OfHost);
    let proposal = budget::propose(&facts, n_pes, wish);
    if proposal.because == budget::Because::Nothing {
        return Err(overcommitted(proposal.to_string()));
    }
    // What there is beside the user's heap, in big pages and with the runtime's part.
    let beside = Layout::plan(&[0, hello.host_size, hello.dma_size, hello.pe_size].map(Bytes), slots, "");
    let limited = |why: String| Error::Overcommitted { pe: me, why };
    let (heap, limit) = match Limits::here().heap(n_pes, beside?.len).map_err(limited)? {
        Some((most, why)) if most < proposal.heap => (most, Some(why)),
        _ => (proposal.heap, None),
    };
    Ok(Budget { heap, proposal: Some(proposal), excess: None, limit, free_before: facts.free() })
}
