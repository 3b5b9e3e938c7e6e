//! What is called in the middle of a fork: handlers, by the C library; `_Fork`, by the C library in an executable that it is
//! a part of (`-static`), in the place of its own; and in a child a handler of faults, by the kernel.
//!
//! ```text
//!   fork ─► handlers ─► locks of the C library ─► _Fork: copy, clone ─┬─► parent
//!                                                                    └─► child: takes the copy ─► C library: new
//!                                                                        locks, one thread ─► handlers
//! ```
//!
//! The static data of such an executable is the C library's, too: what `fork` does in a child before it calls the handlers
//! (threads that are no more, locks that are free) would be done to the parent. So the data must be the child's own
//! before any code of the C library runs in it, and `_Fork` is where that is. It does what glibc's does: the clone with
//! the thread's number at its place, and an empty list of robust mutexes.
//!
//! Invariant **STATICFORK-B1**: the list's head is in the thread's own block, and in glibc (2.25 to 2.42) right behind a pointer
//! into it and the thread's number. That is looked at before each fork; where it is not so, the fork fails. Those of the
//! handlers are in `fork`.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::exit::fork::{self, snapshot};
use crate::node::Node;
use crate::process::child::end;
use crate::process::say::say_now;
use crate::process::signals::{Before, Fault, SeesToFaults, catch_faults};
use crate::process::status::{LEFT, PANICKED};
use crate::process::system::{BeforeMain, before_main};
use crate::statics::fork::{Snapshot, in_child as take};

// As early as can be: the handlers of children are called in the order in which they were asked for, and others' may store
// to statics.
before_main!(first, watch_forks);

fn watch_forks(_: &BeforeMain) {
    // SAFETY: EXIT-H2; plain functions, which stay in memory as long as the process.
    if unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } != 0 {
        say_now(format_args!(
            "shmem: no memory for the fork handlers; a child of fork will share static variables"
        ));
    }
}

extern "C" fn before() {
    fork::before();
}

extern "C" fn in_parent() {
    fork::in_parent();
}

extern "C" fn in_child() {
    // SAFETY: EXIT-H1.
    unsafe { take_statics(snapshot()) };
    fork::in_child(|| {
        catch_faults::<Stores>();
    });
}

/// From here on the child's statics are its own, or there is no child.
///
/// # Safety
/// EXIT-H1: this is a new child, and nothing has run in it.
unsafe fn take_statics(snapshot: Snapshot) {
    // SAFETY: as is said above: EXIT-H1.
    if !unsafe { take(snapshot) } {
        end(LEFT, format_args!("there is no memory for a copy of the static variables"));
    }
    fork::taken(snapshot);
}

/// In a child: a store to a peer's memory gets a line.
struct Stores;

/// What a fault did before this child asked for it.
static BEFORE: Before = Before::new();

// SAFETY: SIGNALS-H1: a look at the node, which is only read, and the child's last line (EXIT-H2).
unsafe impl SeesToFaults for Stores {
    fn before() -> &'static Before {
        &BEFORE
    }

    fn see_to(fault: Fault) -> bool {
        let hit = |memory: &(u32, Range<usize>)| memory.1.contains(&fault.at);
        if let Some((pe, _)) = Node::with_parents(|node| node.memory_of_pes().find(hit)).flatten() {
            end(PANICKED, format_args!("it stored to the memory of PE {pe}"));
        }
        false
    }
}

#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
mod static_executables {
    use super::take_statics;
    use crate::process::child;
    use crate::process::say::say_now;
    use crate::process::signals::NoSignals;
    use crate::process::system::set_errno;
    use crate::process::turn::{end_turn, inherit_turn, take_turn};
    use crate::statics::fork;

    /// The end of the block of glibc's thread that is before the list of robust mutexes, and the list's head.
    #[repr(C)]
    struct Block {
        tid: i32,
        unused: i32,
        previous: *mut Head,
        head: Head,
    }

    #[repr(C)]
    struct Head {
        list: *mut Head,
        offset: isize,
        pending: *mut Head,
    }

    /// As `_Fork` of the C library: a child of one thread, without handlers.
    ///
    /// # Safety
    /// As for that: what the child may call depends on the other threads.
    unsafe extern "C" fn fork_of_static_executable() -> libc::pid_t {
        let Some(block) = block() else {
            say_now(format_args!(
                "shmem: fork: this C library's threads are not as glibc's; no child is made"
            ));
            set_errno(libc::ENOSYS);
            return -1;
        };
        let turn = take_turn();
        let quiet = NoSignals::new();
        // Anew, now that the C library has its locks: what another thread was in the middle of is done.
        let snapshot = if child::is_marked() { fork::Snapshot::Needless } else { fork::before() };
        const FLAGS: libc::c_int = libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
        let none = 0usize;
        // SAFETY: STATICFORK-B1; the child goes on with a copy of this thread's stack.
        let tid = unsafe { &raw mut (*block).tid };
        // SAFETY: as above.
        let pid = unsafe { libc::syscall(libc::SYS_clone, FLAGS as usize, none, none, tid, none) };
        if pid == 0 {
            // SAFETY: EXIT-H1.
            unsafe { take_statics(snapshot) };
            inherit_turn(turn);
            // SAFETY: STATICFORK-B1: this thread's own, and no other thread is left.
            let head = unsafe { &raw mut (*block).head };
            // SAFETY: as above.
            unsafe { (*head).list = head };
            // SAFETY: as above.
            unsafe { (*block).previous = head };
            // SAFETY: as above: the list is empty.
            unsafe { libc::syscall(libc::SYS_set_robust_list, head, size_of::<Head>()) };
        } else {
            fork::in_parent(snapshot);
        }
        end_turn(turn);
        drop(quiet);
        pid as libc::pid_t
    }

    /// STATICFORK-B1.
    fn block() -> Option<*mut Block> {
        let (mut head, mut len) = (std::ptr::null_mut::<Head>(), 0usize);
        // SAFETY: asks for this thread's list.
        let asked = unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut len) };
        if asked != 0 || head.is_null() || len != size_of::<Head>() {
            return None;
        }
        let block = head.wrapping_byte_sub(std::mem::offset_of!(Block, head)).cast::<Block>();
        // SAFETY: the head is in the middle of the thread's block, far more than a pointer and a number from its start.
        let (tid, me) = (unsafe { (*block).tid }, rustix::thread::gettid());
        (tid == me.as_raw_nonzero().get()).then_some(block)
    }

    // Weak, so that several copies of this library are no conflict. It comes before the C library's in the order of
    // linking; where that is a shared one, only who calls `_Fork` by name notices.
    core::arch::global_asm!(
        ".pushsection .text._Fork,\"ax\",@progbits",
        ".weak _Fork",
        ".type _Fork,@function",
        "_Fork:",
        "jmp {fork}",
        ".size _Fork, . - _Fork",
        ".popsection",
        fork = sym fork_of_static_executable,
    );

    unsafe extern "C" {
        fn _Fork() -> libc::pid_t;
    }

    /// Has it linked.
    #[used]
    static LINKED: unsafe extern "C" fn() -> libc::pid_t = _Fork;
}
