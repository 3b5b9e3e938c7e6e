//! The books of the symmetric heap: which blocks there are, and what is known of their bytes. No PE is asked here.
//!
//! ```text
//!   select ──► Heap ── spaces: user | host | dma, a module each       Local ── space: pe
//!                ├─ memory     which pages may hold old bytes, and what to give back (trim)
//!                └─ decided    what the module answered: shown to the others
//!   Guards     zones, patterns, call sites around every block, where checks are on
//!   DropQueue  offsets of dropped objects, until all PEs have dropped them
//! ```
//!
//! The collective calls, which agree first and then have each PE's books take the same step, are the engine's
//! (`engine::heap_calls`). So nothing here knows an engine, a team, or how a rendezvous goes.
//!
//! Invariant: two PEs whose books were equal and which take the same step have equal books: what decides an offset is the
//! history of steps and their arguments, never the memory or the machine.

pub(crate) mod components;
pub(crate) mod guard;
pub(crate) mod local;
pub(crate) mod memory;
pub(crate) mod mlock;
pub(crate) mod stats;
pub(crate) mod trim;

use memheap::component::Room;
use memheap::framework::{Framework, Outcome, Selected};
use memheap::place::{Near, Reach, Spaces};
use memheap::settings::{self, Setting, Settings};
use memheap::space::{Figures, Space};
use memheap::{Align, Bytes, Component, Offset, Span};
use parking_lot::Mutex;

use crate::error::Error;
use crate::heap::guard::Guards;
use crate::heap::local::Local;
use crate::heap::memory::Memory;
use crate::node::control_block::FREES;
use crate::node::layout::Layout;
use crate::node::signature::Signature;

use crate::types::call_site::CallSite;
use crate::types::object::ObjectType;

/// The spaces whose offsets all PEs decide alike: their books, not their bytes.
pub(crate) struct Heap {
    pub(crate) spaces: Spaces,
    pub(crate) memory: Memory,
    outcomes: Vec<(Reach, Vec<Outcome>)>,
    /// The call under way changed bytes of the heap, on every PE alike: it ends with a second rendezvous.
    pub(crate) touched: bool,
    /// What the module decided in the call under way, where that could differ.
    pub(crate) decided: Decided,
    _components: Framework<Selected>,
}

/// A block that is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// The call, by the name the program knows.
    pub(crate) call: &'static str,
    pub(crate) size: Bytes,
    pub(crate) align: Align,
    /// What the program makes of it.
    pub(crate) what: ObjectType,
    pub(crate) reach: Reach,
    pub(crate) near: Near,
    /// Every PE's bytes are zero before any PE returns.
    pub(crate) zeroed: bool,
    pub(crate) site: CallSite,
}

/// What a module decided in a heap call: the one thing that the agreed arguments do not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Decided {
    /// It was not asked.
    #[default]
    Nothing,
    /// The block is at this offset.
    At(Offset),
    /// There is none.
    NoRoom,
}

impl Decided {
    pub(crate) fn words(self) -> [u64; 2] {
        match self {
            Decided::Nothing => [Signature::NOTHING, 0],
            Decided::At(at) => [Signature::GAVE, at.0],
            Decided::NoRoom => [Signature::NO_ROOM, 0],
        }
    }
}

/// Blocks whose objects this PE has dropped. Objects may be dropped by any thread.
#[derive(Default)]
pub(crate) struct DropQueue(Mutex<Vec<u64>>);

/// What was still allocated at finalize.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Leaks {
    /// Blocks that some PE never dropped.
    pub blocks: u64,
    /// Bytes in them, padding included.
    pub bytes: Bytes,
    /// Where they were allocated, at heap check level 2.
    pub sites: Vec<String>,
}

/// A block of the heap, and how much of it may hold old bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fresh {
    pub(crate) at: Offset,
    /// Bytes from the start of the block that may not be zero.
    pub(crate) used: Bytes,
}

impl DropQueue {
    pub(crate) fn push(&self, at: Offset) {
        self.0.lock().push(at.0);
    }

    /// Sorted: from offset `from` on, as many as can be shown.
    pub(crate) fn shown(&self, from: u64) -> Vec<u64> {
        let mut queue = self.0.lock();
        if queue.is_empty() {
            return Vec::new();
        }
        queue.sort_unstable();
        let start = queue.partition_point(|at| *at < from);
        queue[start..].iter().take(FREES).copied().collect()
    }

    pub(crate) fn remove(&self, freed: &[u64]) {
        self.0.lock().retain(|at| freed.binary_search(at).is_err());
    }
}

/// The setting that filters the components of a space: its own if it is set, else the general one.
fn filter(reach: Reach, settings: &Settings) -> &'static Setting {
    let own = match reach {
        Reach::World => &settings::MEMHEAP,
        Reach::Host => &settings::MEMHEAP_HOST,
        Reach::Dma => &settings::MEMHEAP_DMA,
        Reach::Pe => &settings::MEMHEAP_PE,
    };
    if settings.is_set(own) { own } else { &settings::MEMHEAP }
}

/// Opens the components, selects one for each space and closes those that won none.
pub(crate) fn select(
    list: &[&dyn Component],
    settings: &Settings,
    layout: &Layout,
    one_host: bool,
) -> Result<(Heap, Local, Guards), Error> {
    let filters = Reach::ALL.map(|reach| filter(reach, settings));
    let mut framework = Framework::open(list, &filters, settings);
    let mut outcomes = Vec::new();
    let mut space = |reach: Reach| -> Result<Space, Error> {
        let (start, len) = layout.window(reach);
        let span = Span { len };
        let selection = framework.select(reach.space(), span, filter(reach, settings), settings)?;
        outcomes.push((reach, selection.outcomes.clone()));
        Ok(Space::new(reach.space(), start, span, selection))
    };
    let symmetric = [Reach::World, Reach::Host, Reach::Dma];
    let spaces = symmetric.into_iter().map(|r| Ok((r, space(r)?))).collect::<Result<Vec<_>, Error>>()?;
    let local = Local::new(space(Reach::Pe)?);
    let spaces = Spaces::new(spaces, one_host);
    let (memory, guards) = (Memory::new(settings), Guards::new(settings));
    let components = framework.close_losers();
    let decided = Decided::Nothing;
    let heap = Heap { spaces, memory, outcomes, touched: false, decided, _components: components };
    Ok((heap, local, guards))
}

impl Heap {
    /// The name of the component of each space, and whether it is under guard, in one text that is equal on PEs that
    /// chose alike.
    pub(crate) fn components(&self) -> String {
        let names = self.spaces.iter().map(|(reach, s)| {
            let guarded = if s.is_vouched_for() { "" } else { " (guarded)" };
            format!("{}:{}{guarded}", reach.space(), s.component())
        });
        names.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn space(&self, reach: Reach) -> Option<&Space> {
        self.spaces.get(reach)
    }

    pub(crate) fn outcomes(&self) -> &[(Reach, Vec<Outcome>)] {
        &self.outcomes
    }

    /// Ends the modules. What they still hold is gone.
    pub(crate) fn finalize(self) {
        self.spaces.finalize();
    }

    /// How full the user's space is.
    pub(crate) fn figures(&self) -> (Figures, Room) {
        let space = self.spaces.get(Reach::World);
        space.map_or_else(Default::default, |s| (s.figures(), s.room()))
    }
}
