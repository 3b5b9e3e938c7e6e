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
//! Invariants: **H1** what is done in the child before its statics are its own is `statics::fork::in_child`. **H2**
//! what is done in the handlers is safe where another thread was in the middle of something: system calls, atomics,
//! no allocation. **H3** the engine that a child finds is not being taken down: that is done in turns with forks
//! (`turn`).
//!
//! What is forked without these handlers (`_Fork`, `clone`) is known by its process number where it calls.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt::Write;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use crate::boot;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::{LEFT, PANICKED, leave_now};
use crate::process::signals::NoSignals;
use crate::process::turn::{Taken, Turn};
use crate::statics;
use crate::statics::fork;
use crate::statics::fork::Snapshot;

/// The process that joined the job, or is about to; 0 if none has.
static PE: AtomicU32 = AtomicU32::new(0);
/// This is a child of it, by `fork`.
static CHILD: AtomicBool = AtomicBool::new(false);
/// The engine of its parent, in a child.
static PARENTS: AtomicPtr<Engine> = AtomicPtr::new(std::ptr::null_mut());

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
        crate::exit::say(
            "shmem: no memory for the fork handlers; a child of fork will share static variables",
        );
    }
}

extern "C" fn before() {
    let turn = take_turn();
    // A handler that forked from here on would take the place of this fork's notes.
    let quiet = NoSignals::but_faults();
    let needed = !CHILD.load(Ordering::Relaxed);
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
    if PE.load(Ordering::Relaxed) != 0 && !CHILD.swap(true, Ordering::Relaxed) {
        disown();
    }
    drop(quiet);
}

/// What is its parent's is not the child's.
fn disown() {
    if let Some(engine) = Engine::current() {
        PARENTS.store(std::ptr::from_ref(&*engine).cast_mut(), Ordering::Relaxed);
        engine.disown();
        catch_stores();
    }
}

/// H1. From here on the child's statics are its own, or there is no child.
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

/// For forks, and for what they may not come into the middle of (H3).
static TURN: Turn = Turn::new();

/// None in a child, where there is nothing that a fork could come into the middle of.
pub(crate) fn take_turn() -> Option<Taken> {
    (!is_child()).then(|| TURN.take())
}

pub(crate) fn end_turn(turn: Option<Taken>) {
    turn.into_iter().for_each(|taken| TURN.end(taken));
}

/// In a new child: the turn of the thread that forked is its own.
pub(crate) fn inherit_turn(turn: Option<Taken>) {
    if turn.is_some() {
        TURN.inherit();
    }
}

/// Runs what no fork may come into the middle of. It is short, and neither forks nor allocates: who waits for the turn
/// in order to fork may hold the locks of an allocator.
pub(crate) fn between_forks<R>(what: impl FnOnce() -> R) -> R {
    let turn = take_turn();
    let result = what();
    end_turn(turn);
    result
}

/// `start` has this process join the job, or come again; it may ([`may_join`]). If it fails before anything
/// has changed, the process is no PE, and its children may join. Calls are one inside the other, or in turns.
///
/// # Errors
/// What `start` returns.
pub(crate) fn join_as_pe<R>(start: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    let me = std::process::id();
    let first = PE.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    let started = start();
    if first && started.is_err() && !statics::is_moved() && !boot::is_joined() {
        PE.store(0, Ordering::Relaxed);
    }
    started
}

/// As long as this process is no child of one that has joined.
///
/// # Errors
/// It is.
pub(crate) fn may_join() -> Result<(), Error> {
    let (me, pe) = (std::process::id(), PE.load(Ordering::Relaxed));
    match pe {
        0 => Ok(()),
        pe if pe == me => Ok(()),
        pe => Err(Error::Boot(format!(
            "process {me} was forked from {pe}, which is a PE or was about to be one; a child is none"
        ))),
    }
}

/// Whether this is a child of a process that is a PE.
pub(crate) fn is_child() -> bool {
    let pe = PE.load(Ordering::Relaxed);
    CHILD.load(Ordering::Relaxed) || pe != 0 && pe != std::process::id()
}

/// Whether this is a child by `fork`: no question to the system.
#[inline]
pub(crate) fn is_marked() -> bool {
    CHILD.load(Ordering::Relaxed)
}

/// Ends a child that calls the library.
#[inline]
pub(crate) fn refuse(call: &str) {
    if is_child() {
        end(PANICKED, format_args!("{call} was called"));
    }
}

/// Ends a child in place of the job, if this is one.
pub(crate) fn end_instead(status: i32, line: &str) {
    if is_child() {
        end(status, format_args!("{line}"));
    }
}

/// Ends this child: one line, without an allocation.
fn end(status: i32, why: std::fmt::Arguments<'_>) -> ! {
    let mut line = Line { text: [0; 512], len: 0 };
    let (me, pe) = (std::process::id(), PE.load(Ordering::Relaxed));
    let _ = write!(line, "shmem: process {me} was forked from process {pe}, a PE, and is none itself: {why}");
    let _ = write!(line, "; ending process {me} only");
    line.say();
    leave_now(status)
}

/// One line, without an allocation.
pub(crate) fn say_now(text: &str) {
    let mut line = Line { text: [0; 512], len: 0 };
    let _ = line.write_str(text);
    line.say();
}

/// A line in the making; what does not fit is left out.
struct Line {
    text: [u8; 512],
    len: usize,
}

impl Line {
    fn say(mut self) {
        self.text[self.len] = b'\n';
        // SAFETY: reads the line, which is initialised.
        unsafe { libc::write(libc::STDERR_FILENO, self.text.as_ptr().cast(), self.len + 1) };
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let n = text.len().min(self.text.len() - 1 - self.len);
        self.text[self.len..self.len + n].copy_from_slice(&text.as_bytes()[..n]);
        self.len += n;
        Ok(())
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
    // SAFETY: set before the handler; a child never frees the engine of its parent.
    let engine = unsafe { PARENTS.load(Ordering::Relaxed).as_ref() };
    let hit = |memory: &(u32, Range<usize>)| memory.1.contains(&at);
    if let Some((pe, _)) = engine.and_then(|engine| engine.memory_of_pes().find(hit)) {
        end(PANICKED, format_args!("it stored to the memory of PE {pe}"));
    }
    // As if this had never been here: the same instruction faults again.
    // SAFETY: what `catch_stores` found.
    unsafe { libc::sigaction(libc::SIGSEGV, BEFORE.0.get().cast(), std::ptr::null_mut()) };
}
