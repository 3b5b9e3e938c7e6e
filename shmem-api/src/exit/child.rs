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
//! no allocation. **H3** the engine that a child finds is not being taken down: that is done in turns with forks.
//!
//! What is forked without these handlers (`_Fork`, `clone`) is known by its process number where it calls.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt::Write;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use super::{LEFT, PANICKED, leave_now};
use crate::engine::Engine;
use crate::error::Error;
use crate::statics::fork::{self, Snapshot};

/// The process that joined the job, or is about to; 0 if none has.
static PE: AtomicU32 = AtomicU32::new(0);
/// This is a child of it, by `fork`.
static CHILD: AtomicBool = AtomicBool::new(false);
/// The engine of its parent, in a child.
static PARENTS: AtomicPtr<Engine> = AtomicPtr::new(std::ptr::null_mut());

thread_local! {
    /// Between the handlers of one fork, which are called by one thread.
    static SNAPSHOT: Cell<Snapshot> = const { Cell::new(Snapshot::Needless) };
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
        super::say("shmem: no memory for the fork handlers; a child of fork will share static variables");
    }
}

extern "C" fn before() {
    take_turn();
    let needed = !CHILD.load(Ordering::Relaxed);
    SNAPSHOT.set(if needed { fork::before() } else { Snapshot::Needless });
}

extern "C" fn in_parent() {
    fork::in_parent(SNAPSHOT.replace(Snapshot::Needless));
    end_turn();
}

extern "C" fn in_child() {
    take_statics(SNAPSHOT.get());
    end_turn();
    if PE.load(Ordering::Relaxed) == 0 || CHILD.swap(true, Ordering::Relaxed) {
        return;
    }
    if let Some(engine) = Engine::current() {
        PARENTS.store(std::ptr::from_ref(&*engine).cast_mut(), Ordering::Relaxed);
        engine.disown();
        catch_stores();
    }
}

/// H1. From here on the child's statics are its own, or there is no child.
pub(super) fn take_statics(snapshot: Snapshot) {
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

/// One thread at a time forks, or publishes an engine, or withdraws it (H3).
static TURN: AtomicBool = AtomicBool::new(false);

fn take_turn() {
    // It is held for microseconds; a signal handler that forks in the middle of it must not wait for itself.
    for _ in 0..1_000_000 {
        if !TURN.swap(true, Ordering::Acquire) {
            return;
        }
        std::thread::yield_now();
    }
}

fn end_turn() {
    TURN.store(false, Ordering::Release);
}

/// Runs what no fork may come into the middle of. It is short, and does not fork.
pub(crate) fn between_forks(what: impl FnOnce()) {
    take_turn();
    what();
    end_turn();
}

/// This process joins the job.
///
/// # Errors
/// It is a child of one that has.
pub(crate) fn join_as_pe() -> Result<(), Error> {
    let me = std::process::id();
    match PE.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed) {
        Err(pe) if pe != me => {
            Err(Error::Boot(format!("process {me} was forked from {pe}, which is a PE; a child is none")))
        }
        _ => Ok(()),
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
pub(super) fn end_instead(status: i32, line: &str) {
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
pub(super) fn say_now(text: &str) {
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
