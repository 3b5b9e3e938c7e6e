//! All contenders, by name.

use crate::contender::{Contender, HEAP, Null, Ours};
use crate::peers::{BuddySystem, Dlmalloc, Rlsf, Talc};
use memheap::Component;

/// The contenders that run inside this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Runner {
    Null,
    Buddy,
    Ptmalloc,
    Rlsf,
    Talc,
    Dlmalloc,
    BuddySystem,
}

/// Something to do with a fresh contender, whichever it is.
pub trait Visit {
    /// What comes of it.
    type Out;

    /// Does it. `fresh` makes another one of the same kind.
    fn visit<C: Contender>(self, fresh: impl Fn() -> C) -> Self::Out;
}

impl Runner {
    /// All of them, in the order of the tables.
    pub const ALL: [Runner; 7] = [
        Runner::Null,
        Runner::Buddy,
        Runner::Ptmalloc,
        Runner::Rlsf,
        Runner::Talc,
        Runner::Dlmalloc,
        Runner::BuddySystem,
    ];

    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Runner::Null => "null",
            Runner::Buddy => "buddy",
            Runner::Ptmalloc => "ptmalloc",
            Runner::Rlsf => "rlsf",
            Runner::Talc => "talc",
            Runner::Dlmalloc => "dlmalloc",
            Runner::BuddySystem => "buddy_system_allocator",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Runner> {
        Runner::ALL.into_iter().find(|r| r.name() == name)
    }

    /// The component, where it is one of ours.
    pub fn component(self) -> Option<&'static dyn Component> {
        match self {
            Runner::Buddy => Some(&memheap_buddy::Buddy),
            Runner::Ptmalloc => Some(&memheap_ptmalloc::Ptmalloc),
            _ => None,
        }
    }

    /// Calls `visit` with this kind of contender.
    pub fn with<V: Visit>(self, visit: V) -> V::Out {
        match self {
            Runner::Null => visit.visit(Null::default),
            Runner::Buddy => visit.visit(|| Ours::new(&memheap_buddy::Buddy, HEAP)),
            Runner::Ptmalloc => visit.visit(|| Ours::new(&memheap_ptmalloc::Ptmalloc, HEAP)),
            Runner::Rlsf => visit.visit(Rlsf::default),
            Runner::Talc => visit.visit(Talc::default),
            Runner::Dlmalloc => visit.visit(Dlmalloc::default),
            Runner::BuddySystem => visit.visit(BuddySystem::default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage;
    use crate::workload::Workload;
    use memheap::Align;
    use std::collections::BTreeMap;

    struct Honest;

    impl Visit for Honest {
        type Out = ();

        fn visit<C: Contender>(self, fresh: impl Fn() -> C) {
            let mut contender = fresh();
            let mut live = BTreeMap::new();
            for size in (1..500).map(|n| n * 37) {
                let align = if size % 2 == 0 { Align::PAGE } else { Align::DEFAULT };
                live.insert(contender.alloc(size, align).expect("there is room"), (size, align));
            }
            let mut end = 0;
            for (at, (size, _)) in &live {
                assert!(*at >= end, "the block at {at} overlaps the one before it");
                end = at + size;
            }
            for (at, (size, align)) in live {
                contender.free(at, size, align);
            }
            for workload in [Workload::Batch, Workload::Large, Workload::Align4k] {
                let mut stage = Stage::new(workload, fresh());
                stage.run(2000);
                assert_eq!(stage.failures(), 0, "{}", workload.name());
                stage.close();
            }
        }
    }

    #[test]
    fn every_contender_hands_out_blocks_that_do_not_overlap() {
        for runner in Runner::ALL.into_iter().filter(|r| *r != Runner::Null) {
            runner.with(Honest);
        }
    }
}
