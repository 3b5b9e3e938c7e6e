//! Memory that cannot be had: locked memory on one PE only, heaps larger than the host, budgets, sizes
//! that differ. Nothing here takes more memory than a few hundred MiB.
#![allow(unsafe_code, reason = "a PE's environment can only be changed from within")]

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use shmem_api::memheap::budget::host_facts;
use shmem_api::memheap::settings::parse_size;
use shmem_api::memheap::{BlockState, Bytes, PeId};
use shmem_api::testing::{self, Boot, Launch, Outcome};
use shmem_api::{Error, Near, Reach, World, multi_pe, raw};

/// Forbids this thread to lock more than a page, and allows it again when dropped.
struct NoLocking {
    limit: Rlimit,
    effective: CapabilitySet,
}

impl NoLocking {
    fn new() -> NoLocking {
        let limit = getrlimit(Resource::Memlock);
        let mut sets = capabilities(None).unwrap();
        let effective = sets.effective;
        sets.effective.remove(CapabilitySet::IPC_LOCK);
        set_capabilities(None, sets).unwrap();
        setrlimit(Resource::Memlock, Rlimit { current: Some(4096), maximum: limit.maximum }).unwrap();
        NoLocking { limit, effective }
    }
}

impl Drop for NoLocking {
    fn drop(&mut self) {
        let mut sets = capabilities(None).unwrap();
        sets.effective = self.effective;
        set_capabilities(None, sets).unwrap();
        setrlimit(Resource::Memlock, self.limit).unwrap();
    }
}

multi_pe! {
    fn locking_fails_on_one_pe_only(world) on [2, 4] {
        const MIB: usize = 1 << 20;
        let (me, n) = (world.pe(), world.n_pes());
        let before: Vec<_> = Reach::ALL.map(|reach| world.heap_row(reach)).into();
        for _ in 0..3 {
            let forbidden = (me == 1).then(NoLocking::new);
            let e = world.alloc_at::<u8>(MIB, Reach::Dma, Near::Any).unwrap_err();
            let Error::Pinned { pe: PeId(1), size: Bytes(0x10_0000), .. } = &e else { panic!("PE {me}: {e}") };
            assert!(e.to_string().starts_with("PE 1: cannot lock 1 MiB of memory:"), "{e}");
            let live = world.heap_row(Reach::Dma).blocks.iter().any(|b| b.state == BlockState::Live);
            assert!(!live, "no PE keeps the block");
            assert_eq!(Reach::ALL.map(|reach| world.heap_row(reach)).to_vec(), before);
            // Other memory is to be had, and a block within the limit is locked.
            let mut a = world.alloc::<u64>(n).unwrap();
            world.share(&mut a, |_, a| (0..n).for_each(|pe| a.put_one(pe, me, 1)));
            assert!(a.iter().all(|v| *v == 1));
            drop((a, world.alloc_at::<u8>(100, Reach::Dma, Near::Any).unwrap()));
            world.reclaim().unwrap();
            drop(forbidden);
            let mut locked = world.alloc_at::<u8>(MIB, Reach::Dma, Near::Any).unwrap();
            locked.fill(1);
            drop(locked);
            world.reclaim().unwrap();
        }
    }
}

/// Brings the library up and says how that went, in a PE of a launch.
fn start() -> World {
    World::init().unwrap_or_else(|e| {
        // In one piece, for the PEs write to one file.
        let line = format!("init said: {e}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        std::process::exit(9)
    })
}

fn set(name: &str, value: &str) {
    // SAFETY: the other thread of a PE, the harness', waits for this one; nobody reads the environment.
    unsafe { std::env::set_var(name, value) };
}

fn unset(name: &str) {
    // SAFETY: the other thread of a PE, the harness', waits for this one; nobody reads the environment.
    unsafe { std::env::remove_var(name) };
}

/// More for each of two PEs than the host has for both.
fn too_much() -> Bytes {
    host_facts().unwrap().memory()
}

fn launch(test: &str, n: u32, boot: Boot, settings: &[(&str, &str)]) -> Outcome {
    settings.iter().fold(Launch::of_test(test, n, boot), |l, (name, value)| l.env(name, value)).run()
}

/// The lines of the PEs that say why the library did not come up.
fn said(outcome: &Outcome) -> Vec<&str> {
    outcome.stderr.lines().filter_map(|l| l.split_once("init said: ")).map(|(_, said)| said).collect()
}

#[test]
fn a_heap_the_host_cannot_give_is_refused_at_start_where_that_is_asked_for() {
    let test = here!("a_heap_the_host_cannot_give_is_refused_at_start_where_that_is_asked_for");
    if testing::is_pe() {
        drop(start());
        return;
    }
    let much = too_much();
    let size = much.0.to_string();
    for &boot in Boot::all() {
        for strict in [("SHMEM_HEAP_PREALLOC", "1"), ("SHMEM_HEAP_OVERCOMMIT", "0")] {
            let outcome = launch(test, 2, boot, &[("SHMEM_SYMMETRIC_SIZE", &size), strict]);
            assert!(!outcome.status.success() && !outcome.timed_out, "{strict:?}: {outcome}");
            let figures =
                format!("{much} of symmetric heap for each of 2 PEs on this host are {}", Bytes(much.0 * 2));
            let lines = said(&outcome);
            assert!(!lines.is_empty() && lines.len() <= 2, "one line of a PE: {outcome}");
            for line in lines {
                assert!(line.contains(&figures) && line.contains(" are free of "), "{outcome}");
                assert!(line.contains("lower SHMEM_SYMMETRIC_SIZE"), "{outcome}");
            }
        }
    }
}

#[test]
fn a_heap_the_host_cannot_give_starts_with_one_warning() {
    let test = here!("a_heap_the_host_cannot_give_starts_with_one_warning");
    if testing::is_pe() {
        let world = start();
        assert_eq!(world.heap().total, too_much());
        let mut a = world.alloc_one(1u64).unwrap();
        *a += 1;
        return;
    }
    let size = too_much().0.to_string();
    for &boot in Boot::all() {
        let outcome = launch(test, 3, boot, &[("SHMEM_SYMMETRIC_SIZE", &size)]);
        outcome.expect_success(test);
        let warnings =
            outcome.stderr.lines().filter(|l| l.contains("legal, since only what is touched is taken"));
        assert_eq!(warnings.count(), 1, "{outcome}");
        let outcome = launch(test, 1, boot, &[("SHMEM_SYMMETRIC_SIZE", "1m")]);
        assert!(!outcome.stderr.contains("legal, since"), "{outcome}");
    }
}

#[test]
fn memory_taken_at_start_is_there() {
    let test = here!("memory_taken_at_start_is_there");
    if testing::is_pe() {
        let world = start();
        let files = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|e| std::fs::metadata(e.ok()?.path()).ok());
        let taken = files.map(|f| f.blocks() * 512).max().unwrap();
        let asked = std::env::var("SHMEM_HEAP_PREALLOC").unwrap() == "1";
        assert_eq!(taken >= 64 << 20, asked, "{taken} bytes of the segment's file");
        drop(world);
        return;
    }
    let small =
        ["SHMEM_HEAP_HOST_SIZE", "SHMEM_HEAP_DMA_SIZE", "SHMEM_HEAP_PE_SIZE"].map(|name| (name, "2m"));
    for asked in ["0", "1"] {
        let mut settings = vec![("SHMEM_SYMMETRIC_SIZE", "64m"), ("SHMEM_HEAP_PREALLOC", asked)];
        settings.extend(small);
        launch(test, 2, Boot::Local, &settings).expect_success(test);
    }
}

#[test]
fn a_budget_is_shared_by_the_pes_of_the_host() {
    let test = here!("a_budget_is_shared_by_the_pes_of_the_host");
    if testing::is_pe() {
        unset("SHMEM_SYMMETRIC_SIZE");
        let world = start();
        let facts = host_facts().unwrap();
        let budget = std::env::var("SHMEM_HEAP_BUDGET").unwrap();
        let wanted = parse_size(&budget).unwrap().resolve(facts.memory().0);
        let each = (wanted / world.n_pes() as u64) & !0x1f_ffff;
        let total = world.heap().total.0;
        assert!(total == each || total < each && facts.free().0 < wanted, "{total} of {each} bytes");
        if budget == "256m" {
            assert_eq!(total, (256 << 20) / world.n_pes() as u64);
        }
        return;
    }
    for &boot in Boot::all() {
        for (budget, n) in [("256m", 2), ("256m", 4), ("10%", 2), ("10%", 3)] {
            launch(test, n, boot, &[("SHMEM_HEAP_BUDGET", budget)])
                .expect_success(&format!("{budget} on {n} PEs"));
        }
    }
    let outcome = launch(test, 2, Boot::Local, &[("SHMEM_HEAP_BUDGET", "256m"), ("SHMEM_INFO", "1")]);
    assert!(outcome.stderr.contains("heap: 128 MiB per PE: 2 PEs on this host, 256 MiB wanted"), "{outcome}");
}

#[test]
fn sizes_that_differ_are_named() {
    let test = here!("sizes_that_differ_are_named");
    if testing::is_pe() {
        // Whoever is first asks for something else.
        let first = std::fs::File::create_new(std::env::var_os("FIRST").unwrap()).is_ok();
        let item = std::env::var("ITEM").unwrap();
        set(&item, if first { "8m" } else { "16m" });
        drop(start());
        unreachable!("the sizes differ");
    }
    for &boot in Boot::all() {
        for item in ["SHMEM_SYMMETRIC_SIZE", "SHMEM_HEAP_DMA_SIZE"] {
            let first = std::env::temp_dir().join(format!("first-{item}-{boot:?}-{}", std::process::id()));
            let outcome = launch(test, 3, boot, &[("ITEM", item), ("FIRST", first.to_str().unwrap())]);
            std::fs::remove_file(first).unwrap();
            assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
            let lines = said(&outcome);
            assert!(!lines.is_empty(), "{outcome}");
            for line in lines {
                assert!(line.contains(&format!("the PEs disagree at start: {item} is ")), "{outcome}");
                for size in [" 8 MiB on PE ", " 16 MiB on PE ", "make it equal on every PE"] {
                    assert!(line.contains(size), "{outcome}");
                }
            }
        }
    }
}

/// The default heap, and its errors, under limits of the shell: what fits is taken, and what does not is a line.
#[test]
fn limits_of_the_process_are_respected_and_named() {
    let test = here!("limits_of_the_process_are_respected_and_named");
    if testing::is_pe() {
        if std::env::var_os("TEST_DEFAULT").is_some() {
            unset("SHMEM_SYMMETRIC_SIZE"); // the harness has set it
        }
        for (name, resource) in [("TEST_LIMIT_AS", Resource::As), ("TEST_LIMIT_FSIZE", Resource::Fsize)] {
            if let Ok(mib) = std::env::var(name) {
                let bytes = Some(mib.parse::<u64>().unwrap() << 20);
                setrlimit(resource, Rlimit { current: bytes, maximum: bytes }).unwrap();
            }
        }
        let world = start();
        let total = world.heap().total.0;
        assert!((2 << 20..3 << 30).contains(&total), "{total}");
        // All of it is there.
        let mut all = world.alloc::<u8>(total as usize - (1 << 20)).unwrap();
        *all.last_mut().unwrap() = 1;
        world.barrier();
        // Peers' views lie as their blocks do.
        let views = world.alloc::<u8>(1).unwrap();
        for pe in 0..raw::n_pes() {
            // SAFETY: the library stays up.
            let view = unsafe { raw::ptr(views.as_ptr(), pe) }.addr();
            assert_eq!(view % (2 << 20), views.as_ptr().addr() % (2 << 20), "PE {pe}");
        }
        drop((all, views));
        return;
    }
    for boot in [Boot::Local] {
        for limit in [("TEST_LIMIT_AS", "6000"), ("TEST_LIMIT_FSIZE", "900"), ("TEST_NO_LIMIT", "")] {
            let size =
                if limit.1.is_empty() { ("SHMEM_SYMMETRIC_SIZE", "64m") } else { ("TEST_DEFAULT", "1") };
            launch(test, 2, boot, &[limit, size]).expect_success(limit.0);
        }
        for (limit, settings, says) in [
            (
                ("TEST_LIMIT_FSIZE", "900"),
                ("SHMEM_SYMMETRIC_SIZE", "2g"),
                "(ulimit -f); lower SHMEM_SYMMETRIC_SIZE=\"2g\"",
            ),
            (("TEST_LIMIT_FSIZE", "1000"), ("SHMEM_HEAP_PE_SIZE", "3g"), "SHMEM_HEAP_PE_SIZE"),
            (("TEST_LIMIT_FSIZE", "100"), ("TEST_DEFAULT", "1"), "(ulimit -f)"),
            (("TEST_LIMIT_AS", "3000"), ("SHMEM_SYMMETRIC_SIZE", "4g"), "SHMEM_SYMMETRIC_SIZE=\"4g\""),
            (("TEST_LIMIT_AS", "9000"), ("SHMEM_SYMMETRIC_SIZE", "4g"), "ulimit -v"),
            (("TEST_LIMIT_AS", "1500"), ("TEST_DEFAULT", "1"), "ulimit -v"),
        ] {
            let outcome = launch(test, 2, boot, &[limit, settings]);
            let shown = format!("{limit:?} {settings:?}: {outcome}");
            assert!(!outcome.status.success() && !outcome.timed_out, "{shown}");
            let lines = said(&outcome);
            assert!(!lines.is_empty() && lines.iter().all(|l| l.contains(says)), "{shown}");
        }
    }
}
