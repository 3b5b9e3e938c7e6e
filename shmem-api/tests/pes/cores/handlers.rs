//! Whoever else wants the signal gets it.
#![allow(unsafe_code, reason = "programs that crash")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use libc::{SIG_DFL, SIG_IGN, SIGABRT, SIGQUIT, SIGSEGV, sigaction, siginfo_t};
use shmem_api::World;
use shmem_api::testing::{self, Boot, Launch};

use super::core_file::{MIB, case, crash, expect_marks, say, store_to, take_quit, touch};
use super::{LARGE, expect_large, large};

static CALLS: AtomicU32 = AtomicU32::new(0);
/// A page that is made writable by the handler.
static PAGE: AtomicUsize = AtomicUsize::new(0);
static OLD: AtomicUsize = AtomicUsize::new(0);

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

fn set(signal: c_int, handler: usize, flags: c_int) -> sigaction {
    // SAFETY: all zero is an action.
    let (mut action, mut old): (sigaction, sigaction) = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: both are actions; the handlers do what they may.
    assert_eq!(unsafe { libc::sigaction(signal, &raw const action, &raw mut old) }, 0);
    old
}

fn now(signal: c_int) -> (usize, c_int) {
    // SAFETY: all zero is an action.
    let mut now: sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asks only.
    unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) };
    // The C library's own flag.
    (now.sa_sigaction, now.sa_flags & !0x0400_0000)
}

fn text(text: &str) {
    // SAFETY: reads the text.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

fn address(info: *mut siginfo_t) -> usize {
    // SAFETY: passed by the kernel.
    let info = unsafe { &*info };
    // SAFETY: of a fault it has one.
    unsafe { info.si_addr() as usize }
}

/// Says that it was called rightly, and leaves the fault to the default.
extern "C" fn tells(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let at = address(info);
    // SAFETY: asks only; all zero is a stack.
    let mut stack: libc::stack_t = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    unsafe { libc::sigaltstack(std::ptr::null(), &raw mut stack) };
    let right = signal == SIGSEGV && at == 0x10 && !context.is_null();
    let on = if stack.ss_flags & libc::SS_ONSTACK != 0 { "alternate" } else { "ordinary" };
    text(if right { "the handler is called, " } else { "wrong arguments, " });
    text(on);
    text(" stack\n");
    set(SIGSEGV, SIG_DFL, 0);
}

/// As it was before there were descriptions, and once only.
extern "C" fn tells_once(_: c_int) {
    text("the handler is called, once\n");
}

/// Goes on.
extern "C" fn mends(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    CALLS.store(CALLS.load(Relaxed) + 1, Relaxed);
    if address(info) != PAGE.load(Relaxed) {
        set(SIGSEGV, SIG_DFL, 0);
        return;
    }
    // SAFETY: a page of the test's.
    unsafe { libc::mprotect(PAGE.load(Relaxed) as *mut c_void, 4096, libc::PROT_READ | libc::PROT_WRITE) };
}

/// Calls whom it has replaced.
extern "C" fn chains(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    text("the handler is called, and calls\n");
    // SAFETY: it is one with three arguments.
    let old = unsafe { std::mem::transmute::<usize, Handler>(OLD.load(Relaxed)) };
    old(signal, info, context);
}

fn overflow(n: &Cell<usize>) -> usize {
    let stack = Cell::new([n.get(); 64]);
    std::hint::black_box(&stack);
    n.set(n.get() + 1);
    if n.get() == usize::MAX { 0 } else { overflow(n) + stack.get()[0] }
}

/// Handlers of the program's, and what it inherited, work as they do without the library.
#[test]
fn handlers_of_the_program_are_called() {
    let test = here!("handlers_of_the_program_are_called");
    if testing::is_pe() {
        let case = case();
        let three = |handler: Handler| handler as *const () as usize;
        match case.as_str() {
            "before" => drop(set(SIGSEGV, three(tells), libc::SA_SIGINFO | libc::SA_ONSTACK)),
            "ordinary" => drop(set(SIGSEGV, three(tells), libc::SA_SIGINFO)),
            "once" => {
                let one: extern "C" fn(c_int) = tells_once;
                set(SIGSEGV, one as *const () as usize, libc::SA_RESETHAND);
            }
            "mends" => drop(set(SIGSEGV, three(mends), libc::SA_SIGINFO)),
            "ignored" => drop(set(SIGQUIT, SIG_IGN, 0)),
            _ => {}
        }
        let world = World::init().unwrap();
        let mut small = world.alloc::<u8>(100).unwrap();
        touch(&mut small, 0, 100);
        let block = large(&world);
        world.barrier();
        if world.pe() == 0 {
            say(&[small.as_ptr().addr(), block.as_ptr().addr()]);
            match case.as_str() {
                "chains" => OLD.store(set(SIGSEGV, three(chains), libc::SA_SIGINFO).sa_sigaction, Relaxed),
                "replaced" => drop(set(SIGSEGV, three(tells), libc::SA_SIGINFO)),
                "mends" => {
                    let (read, flags) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
                    // SAFETY: a new page.
                    let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, read, flags, -1, 0) };
                    PAGE.store(page.addr(), Relaxed);
                    let start = std::time::Instant::now();
                    for _ in 0..10_000 {
                        store_to(page.addr());
                        // SAFETY: a page of the test's.
                        unsafe { libc::mprotect(page, 4096, read) };
                    }
                    assert_eq!(CALLS.load(Relaxed), 10_000);
                    assert!(
                        start.elapsed().as_secs() < 2,
                        "{:?}: the heap is looked at too often",
                        start.elapsed()
                    );
                    std::thread::sleep(std::time::Duration::from_secs(1));
                }
                "ignored" => {
                    // SAFETY: always sound.
                    unsafe { libc::raise(SIGQUIT) };
                }
                "overflow" => {
                    let run = || std::hint::black_box(overflow(&Cell::new(0)));
                    let _ = std::thread::Builder::new().stack_size(MIB).spawn(run).unwrap().join();
                }
                "threads" => {
                    let crash = || store_to(0x10);
                    let all: Vec<_> = (0..8).map(|_| std::thread::spawn(crash)).collect();
                    all.into_iter().for_each(|thread| thread.join().unwrap());
                }
                _ => {}
            }
            store_to(0x10);
        }
        world.barrier();
        unreachable!("PE 0 has crashed");
    }
    for (case, says) in [
        ("before", "the handler is called, alternate stack\n"),
        ("ordinary", "the handler is called, ordinary stack\n"),
        ("once", "the handler is called, once\n"),
        ("mends", ""),
        ("chains", "the handler is called, and calls\n"),
        ("replaced", "the handler is called, ordinary stack\n"),
        ("ignored", ""),
        ("overflow", "has overflowed its stack"),
        ("threads", ""),
    ] {
        let (outcome, core, said) = crash(test, case, Boot::Local, &[]);
        assert_eq!(outcome.stderr.matches(says).count() == 1, !says.is_empty(), "{case}: {outcome}");
        let (Some(core), &[small, block]) = (core, &said[..]) else { continue };
        expect_marks(&core, small, 100, case);
        match case {
            // Nobody could know.
            "replaced" => assert_eq!(core.holds(block + 8 * MIB, block + LARGE), 0),
            _ => expect_large(&core, block, case),
        }
        let fault = (SIGSEGV, 1, 0x10);
        let why = core.why.unwrap();
        assert!(if case == "overflow" { why.0 == SIGABRT } else { why == fault }, "{case}: {why:x?}");
    }
}

/// What signals do is as it was once the library is down, and no handler is there where nothing is wanted.
#[test]
fn signals_are_as_before_when_the_library_is_down() {
    let test = here!("signals_are_as_before_when_the_library_is_down");
    if testing::is_pe() {
        take_quit();
        let before: Vec<_> = (1..32).map(now).collect();
        let wanted = std::env::var("SHMEM_HEAP_DUMP").unwrap() == "1";
        for _ in 0..2 {
            let world = World::init().unwrap();
            let changed = (1..32).zip(&before).filter(|(signal, before)| now(*signal) != **before).count();
            assert_eq!(changed, if wanted { 10 } else { 0 });
            world.finalize().unwrap();
            assert_eq!((1..32).map(now).collect::<Vec<_>>(), before);
        }
        return;
    }
    // An MPI has some of its own that stay.
    for dump in ["1", "0"] {
        Launch::of_test(test, 2, Boot::Local).env("SHMEM_HEAP_DUMP", dump).run().expect_success(test);
    }
}
