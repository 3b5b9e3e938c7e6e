//! Core dumps: real ones, where the system writes them into the directory of the process. What was touched of the heap is
//! in, at its address, and nothing else of it.
#![allow(unsafe_code, reason = "programs that crash")]

use std::ffi::c_void;

use libc::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP};
use shmem_api::testing::{self, Boot};
use shmem_api::{SymSlice, World};

mod core_file;
mod handlers;

use core_file::{Core, MIB, case, crash, expect_marks, say, store_to, touch};

const LARGE: usize = 1900 * MIB;

/// A large block with 10 MiB touched at ten places of it: the first byte and the last, too.
fn large(world: &World) -> SymSlice<'_, u8> {
    let mut block = world.alloc::<u8>(LARGE).unwrap();
    if world.pe() == 0 {
        places().for_each(|at| touch(&mut block, at, MIB));
    }
    block
}

fn places() -> impl Iterator<Item = usize> {
    (0..10).map(|n| n * (LARGE - MIB) / 9)
}

fn expect_large(core: &Core, block: usize, what: &str) {
    places().for_each(|at| expect_marks(core, block + at, MIB, what));
    let holds = core.holds(block, block + LARGE);
    assert!(holds <= 11 * MIB, "{what}: {holds} bytes of the large block");
}

/// Case, signal, and, of a fault, the code and the address.
type End = (&'static str, i32, Option<(i32, usize)>);

const ENDS: &[End] = &[
    ("abort", SIGABRT, None),
    ("null", SIGSEGV, Some((1, 0x10))),
    ("quit", SIGQUIT, None),
    ("instruction", SIGILL, None),
    ("breakpoint", SIGTRAP, None),
    ("bus", SIGBUS, Some((2, 0x10_0000))),
    ("arithmetic", SIGFPE, None),
];

fn end(how: &str) -> ! {
    match how {
        "null" => store_to(0x10),
        "bus" => {
            let file = rustix::fs::memfd_create("empty", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
            let (write, fd) = (libc::PROT_WRITE, std::os::fd::AsRawFd::as_raw_fd(&file));
            let (at, flags) = (0x10_0000 as *mut c_void, libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE);
            // SAFETY: a new page, behind the end of its file.
            let page = unsafe { libc::mmap(at, 4096, write, flags, fd, 0) };
            store_to(page.addr());
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: none: it traps.
        "instruction" => unsafe { std::arch::asm!("ud2") },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: none: it traps.
        "breakpoint" => unsafe { std::arch::asm!("int3") },
        _ => {
            let end = ENDS.iter().find(|end| end.0 == how).map_or(SIGABRT, |end| end.1);
            if end != SIGABRT {
                // SAFETY: always sound.
                unsafe { libc::raise(end) };
            }
        }
    }
    std::process::abort()
}

/// The block is large, and so most of it would be in if it counted as a whole; small blocks, and what a peer has put, are
/// in.
#[test]
fn a_core_holds_what_was_touched_of_the_heap() {
    let test = here!("a_core_holds_what_was_touched_of_the_heap");
    if testing::is_pe() {
        let case = case();
        let world = World::init().unwrap();
        let mut small = world.alloc::<u8>(100).unwrap();
        touch(&mut small, 0, 100);
        let mut block = large(&world);
        let (small, at) = (small.as_ptr().addr(), block.as_ptr().addr());
        world.share(&mut block, |_, block| {
            if world.pe() == 1 {
                block.put(0, 50 * MIB, &[7; 5000]);
            }
        });
        if world.pe() == 0 {
            say(&[small, at]);
            end(&case);
        }
        world.barrier();
        unreachable!("PE 0 has crashed");
    }
    for &boot in Boot::all() {
        for (case, signal, fault) in ENDS {
            for dump in ["1", "0"] {
                // Of launchers, which take a second for each: who catches which signal may be theirs, what is dumped is not.
                if boot != Boot::Local && dump == "0" && *case != "abort" {
                    continue;
                }
                let (_, core, said) = crash(test, case, boot, &[("SHMEM_HEAP_DUMP", dump)]);
                let (Some(core), &[small, block]) = (core, &said[..]) else { continue };
                let why = core.why.unwrap();
                assert_eq!(why.0, *signal, "{case}");
                assert!(fault.is_none_or(|fault| (why.1, why.2) == fault), "{case}: {why:x?}");
                if dump == "1" {
                    expect_marks(&core, small, 100, case);
                    expect_large(&core, block, case);
                    assert_eq!(core.at(block + 50 * MIB, 5000), Some(&[7; 5000][..]), "{case}: what was put");
                } else {
                    assert_eq!(
                        core.holds(block, block + LARGE) + core.holds(small, small + 100),
                        0,
                        "{case}"
                    );
                }
            }
        }
    }
}

/// Ten places that are near each other, and one that is not.
fn near_and_far() -> impl Iterator<Item = usize> {
    (0..10).map(|n| 2 * n * MIB).chain([LARGE - MIB])
}

/// Leaves room for that many mappings in this process, of those that the system gives.
fn take_all_mappings_but(left: usize) {
    let most = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let most: usize = most.trim().parse().unwrap();
    let protect = |at: *mut c_void| {
        // SAFETY: a page that nobody uses.
        unsafe { libc::mprotect(at, 4096, libc::PROT_READ) == 0 }
    };
    let (none, flags) = (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: new memory.
    let area = unsafe { libc::mmap(std::ptr::null_mut(), most * 4096, none, flags, -1, 0) };
    let mut pages = (1..most).step_by(2).map(|page| area.wrapping_byte_add(page * 4096));
    let last = pages.by_ref().find(|page| !protect(*page)).unwrap();
    for page in (1..=left.div_ceil(2)).map(|n| last.wrapping_byte_sub(n * 8192)) {
        // SAFETY: a page of ours that nobody uses; one mapping with those beside it then.
        assert_eq!(unsafe { libc::mprotect(page, 4096, none) }, 0);
    }
}

/// However the heap was used: many small blocks, pages touched far apart, no mappings to be had, a block given back, the file closed.
#[test]
fn a_core_is_small_however_the_heap_is_used() {
    let test = here!("a_core_is_small_however_the_heap_is_used");
    const PAGES: usize = 2560;
    const STEP: usize = LARGE / PAGES / 4096 * 4096;
    if testing::is_pe() {
        let case = case();
        let world = World::init().unwrap();
        let mut blocks = Vec::new();
        match case.as_str() {
            "blocks" => {
                blocks.extend((0..1900).map(|_| world.alloc::<u8>(MIB).unwrap()));
                blocks.iter_mut().step_by(190).for_each(|block| touch(block, 0, MIB));
            }
            "pages" => {
                blocks.push(world.alloc::<u8>(LARGE).unwrap());
                (0..PAGES).for_each(|page| touch(&mut blocks[0], page * STEP, 4096));
            }
            "mappings" => {
                blocks.push(world.alloc::<u8>(LARGE).unwrap());
                near_and_far().for_each(|at| touch(&mut blocks[0], at, MIB));
            }
            "freed" => {
                let mut big = world.alloc::<u8>(600 * MIB).unwrap();
                if world.pe() == 0 {
                    big.fill(1);
                }
                drop(big);
                world.reclaim().unwrap();
                blocks.push(world.alloc::<u8>(MIB).unwrap());
                touch(&mut blocks[0], 0, MIB);
            }
            _ => {
                blocks.push(large(&world));
                let mut closed = 0;
                (3..4096).for_each(|fd| {
                    let link = std::fs::read_link(format!("/proc/self/fd/{fd}"));
                    if link.is_ok_and(|link| link.to_string_lossy().contains("shmem-heap")) {
                        // SAFETY: as programs do that close what they find.
                        closed += unsafe { libc::close(fd) } + 1;
                    }
                });
                assert_eq!(closed, 1);
            }
        }
        world.barrier();
        if world.pe() == 0 {
            say(&blocks.iter().step_by(190).map(|block| block.as_ptr().addr()).collect::<Vec<_>>());
            if case == "mappings" {
                take_all_mappings_but(15);
            }
            std::process::abort();
        }
        world.barrier();
        unreachable!("PE 0 has crashed");
    }
    for case in ["blocks", "pages", "mappings", "freed", "closed"] {
        let (_, core, blocks) = crash(test, case, Boot::Local, &[]);
        let Some(core) = core else { continue };
        match case {
            "blocks" => {
                blocks.iter().for_each(|block| expect_marks(&core, *block, MIB, case));
                let holds = core.holds(blocks[0], blocks[9] + MIB);
                assert!(holds <= 11 * MIB, "{holds} bytes of the blocks");
            }
            "pages" => {
                (0..PAGES).for_each(|page| expect_marks(&core, blocks[0] + page * STEP, 4096, case));
                assert!(core.holds(blocks[0], blocks[0] + LARGE) <= 11 * MIB);
            }
            "mappings" => {
                near_and_far().for_each(|at| expect_marks(&core, blocks[0] + at, MIB, case));
                let holds = core.holds(blocks[0], blocks[0] + LARGE);
                assert!(holds <= 22 * MIB, "{holds} bytes of the large block");
            }
            "freed" => expect_marks(&core, blocks[0], MIB, case),
            _ => expect_large(&core, blocks[0], case),
        }
    }
}

/// A child of fork that has written to its parent's heap.
#[test]
fn a_core_of_a_child_is_small() {
    let test = here!("a_core_of_a_child_is_small");
    if testing::is_pe() {
        case();
        let world = World::init().unwrap();
        let mut block = large(&world);
        world.barrier();
        if world.pe() == 0 {
            say(&[block.as_ptr().addr()]);
            // SAFETY: the child makes no call of the library.
            let child = unsafe { libc::fork() };
            if child == 0 {
                touch(&mut block, 100, 10);
                std::process::abort();
            }
            let mut status = 0;
            // SAFETY: the child.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(libc::WTERMSIG(status), SIGABRT);
            std::process::exit(3);
        }
        world.barrier();
        unreachable!("PE 0 has left");
    }
    let (_, core, said) = crash(test, "child", Boot::Local, &[]);
    if let Some(core) = core {
        expect_large(&core, said[0], "of a child");
    }
}
