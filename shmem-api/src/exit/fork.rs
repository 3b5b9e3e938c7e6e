//! A child of `fork` is no PE.
//!
//! ```text
//!   PE:     prepare ──► fork ──► parent                 as before
//!                        │
//!   child:               └─────► child: its statics are its own (`statics::fork`)
//!                                       its parent's heap is a private view; the peers' memory is read only
//!                                       the library counts as down; nothing of it runs at exit
//! ```
//!
//! A child may read the symmetric heap, its parent's and the peers': it sees what is there at the time, of its
//! parent's heap except in pages that it has written itself. What it writes to its parent's heap stays its own. A
//! store to a peer's memory, and a call of the library, end the child with one line; the job is not touched.
//!
//! The handlers are called by `fork_hooks`.
//!
//! Invariants: **EXIT-H1** what is done in the child before its statics are its own is `statics::fork::in_child`. **EXIT-H2**
//! what is done in the handlers is safe where another thread was in the middle of something: system calls, atomics,
//! no allocation. **EXIT-H3** the engine that a child finds is not being taken down: that is done in turns with forks
//! (`turn`).

use std::cell::Cell;
use std::mem::ManuallyDrop;

use crate::node::Node;
use crate::process::child;
use crate::process::signals::NoSignals;
use crate::process::turn::{Taken, end_turn, inherit_turn, take_turn};
use crate::statics::fork::{self, Snapshot};

/// What lasts from the handler before a fork to the one after it.
struct Fork {
    turn: Option<Taken>,
    quiet: NoSignals,
}

thread_local! {
    /// Between the handlers of one fork, which are called by one thread.
    static SNAPSHOT: Cell<Snapshot> = const { Cell::new(Snapshot::Needless) };
    /// As that. No destructor: to have one allocates.
    static FORK: Cell<Option<ManuallyDrop<Fork>>> = const { Cell::new(None) };
}

/// Before a fork.
pub(super) fn before() {
    let turn = take_turn();
    // A handler that forked from here on would take the place of this fork's notes.
    let quiet = NoSignals::but_faults();
    let needed = !child::is_marked();
    SNAPSHOT.set(if needed { fork::before() } else { Snapshot::Needless });
    FORK.set(Some(ManuallyDrop::new(Fork { turn, quiet })));
}

/// After it, in the parent.
pub(super) fn in_parent() {
    fork::in_parent(SNAPSHOT.replace(Snapshot::Needless));
    if let Some(Fork { turn, quiet }) = FORK.take().map(ManuallyDrop::into_inner) {
        end_turn(turn);
        drop(quiet);
    }
}

/// What [`before`] has copied, for the child that takes it.
pub(super) fn snapshot() -> Snapshot {
    SNAPSHOT.get()
}

/// In a child that has taken a copy: one of the handlers that came too early for it (`_Fork` in a static executable) goes.
pub(super) fn taken(snapshot: Snapshot) {
    if let (Snapshot::At(early), Snapshot::At(at)) = (SNAPSHOT.replace(Snapshot::Needless), snapshot)
        && early != at
    {
        fork::in_parent(Snapshot::At(early));
    }
}

/// After it, in the child, whose statics are its own: `disowned` is called if its parent is a PE whose memory it has.
pub(super) fn in_child(disowned: impl FnOnce()) {
    let fork = FORK.take().map(ManuallyDrop::into_inner);
    let (turn, quiet) = fork.map_or((None, None), |fork| (fork.turn, Some(fork.quiet)));
    inherit_turn(turn);
    end_turn(turn);
    // What is its parent's is not the child's.
    if child::mark() && Node::disown_current() {
        disowned();
    }
    drop(quiet);
}
