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
//! Invariants: **EXIT-H1** what is done in the child before its statics are its own is `statics::fork::in_child`. **EXIT-H2**
//! what is done in the handlers is safe where another thread was in the middle of something: system calls, atomics,
//! no allocation. **EXIT-H3** the engine that a child finds is not being taken down: that is done in turns with forks
//! (`turn`).
#![allow(unsafe_code)]

use crate::process::private::{AtomicPtr, Ordering};
use std::cell::Cell;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Range;

use crate::node::Node;
use crate::process::child::{self, end};
use crate::process::say::say_now;
use crate::process::signals::NoSignals;
use crate::process::status::{LEFT, PANICKED};
use crate::process::turn::{Taken, end_turn, inherit_turn, take_turn};
use crate::statics::fork::{self, Snapshot};

/// What its parent was on the job, in a child.
static PARENTS: AtomicPtr<Node> = AtomicPtr::new(std::ptr::null_mut());

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

mod initialiser {
    // SAFETY: the C runtime calls every function of this section once, before `main`. As early as can be: the
    // handlers of children are called in the order in which they were asked for, and others' may store to statics.
    #[used]
    #[unsafe(link_section = ".init_array.00101")]
    static WATCH_FORKS: extern "C" fn() = super::watch_forks;
}

extern "C" fn watch_forks() {
    // SAFETY: plain functions, which stay in memory as long as the process.
    if unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } != 0 {
        say_now(format_args!(
            "shmem: no memory for the fork handlers; a child of fork will share static variables"
        ));
    }
}

extern "C" fn before() {
    let turn = take_turn();
    // A handler that forked from here on would take the place of this fork's notes.
    let quiet = NoSignals::but_faults();
    let needed = !child::is_marked();
    SNAPSHOT.set(if needed { fork::before() } else { Snapshot::Needless });
    FORK.set(Some(ManuallyDrop::new(Fork { turn, quiet })));
}

extern "C" fn in_parent() {
    fork::in_parent(SNAPSHOT.replace(Snapshot::Needless));
    if let Some(Fork { turn, quiet }) = FORK.take().map(ManuallyDrop::into_inner) {
        end_turn(turn);
        drop(quiet);
    }
}

extern "C" fn in_child() {
    take_statics(SNAPSHOT.get());
    let fork = FORK.take().map(ManuallyDrop::into_inner);
    let (turn, quiet) = fork.map_or((None, None), |fork| (fork.turn, Some(fork.quiet)));
    inherit_turn(turn);
    end_turn(turn);
    if child::mark() {
        disown();
    }
    drop(quiet);
}

/// What is its parent's is not the child's.
fn disown() {
    Node::with_current(|node| {
        PARENTS.store(std::ptr::from_ref(node).cast_mut(), Ordering::Relaxed);
        node.disown();
        catch_stores();
    });
}

/// EXIT-H1. From here on the child's statics are its own, or there is no child.
pub(crate) fn take_statics(snapshot: Snapshot) {
    if !fork::in_child(snapshot) {
        end(LEFT, format_args!("there is no memory for a copy of the static variables"));
    }
    // Of `_Fork` in a static executable: that of the handlers came too early.
    if let (Snapshot::At(early), Snapshot::At(at)) = (SNAPSHOT.replace(Snapshot::Needless), snapshot)
        && early != at
    {
        fork::in_parent(Snapshot::At(early));
    }
}

/// What a fault did before this child asked for it.
struct Before(std::cell::UnsafeCell<MaybeUninit<libc::sigaction>>);
// SAFETY: written once, by the one thread of a new child, before it can be read.
unsafe impl Sync for Before {}
static BEFORE: Before = Before(std::cell::UnsafeCell::new(MaybeUninit::uninit()));

/// In a child: a store to a peer's memory gets a line.
fn catch_stores() {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = fault;
    let to = action.as_mut_ptr();
    // SAFETY: all zero is an action, whose fields are set.
    unsafe { (*to).sa_sigaction = handler as *const () as usize };
    // SAFETY: as above.
    unsafe { (*to).sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK };
    // SAFETY: the handler calls what may be called in one; the action before goes to its place, which nobody reads
    // meanwhile.
    unsafe { libc::sigaction(libc::SIGSEGV, to, BEFORE.0.get().cast()) };
}

extern "C" fn fault(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a description.
    let info = unsafe { &*info };
    // SAFETY: for this signal it has an address.
    let at = unsafe { info.si_addr() } as usize;
    // SAFETY: EXIT-H3: set before the handler, and a child never frees the node of its parent.
    let node = unsafe { PARENTS.load(Ordering::Relaxed).as_ref() };
    let hit = |memory: &(u32, Range<usize>)| memory.1.contains(&at);
    if let Some((pe, _)) = node.and_then(|node| node.memory_of_pes().find(hit)) {
        end(PANICKED, format_args!("it stored to the memory of PE {pe}"));
    }
    // As if this had never been here: the same instruction faults again.
    // SAFETY: what `catch_stores` found.
    unsafe { libc::sigaction(libc::SIGSEGV, BEFORE.0.get().cast(), std::ptr::null_mut()) };
}
