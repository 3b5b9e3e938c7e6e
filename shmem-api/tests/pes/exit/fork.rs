//! A child of fork is no PE: it may end in any way and call anything, and the job goes on.
#![allow(unsafe_code)]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a child may call anything, is ended, and harms nobody"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use shmem_api::testing::{self, Boot, Launch};
use shmem_api::{Level, Multiple, Single, World, raw};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// How a child ended: its status, or minus the signal; and what it wrote to standard error.
fn child(does: impl FnOnce()) -> (i32, String) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    // SAFETY: no other thread of this program holds anything; the library's must not matter.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: open descriptors of this process.
        unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&writer), 2) };
        does();
        std::process::exit(0);
    }
    drop(writer);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut reader, &mut said).unwrap();
    let mut status = 0;
    // SAFETY: our own child.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    (if libc::WIFSIGNALED(status) { -libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) }, said)
}

/// Ends with one line and a status that is not 0.
fn refused(what: &str, does: impl FnOnce()) {
    let (status, said) = child(does);
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("a PE, and is none itself")).collect();
    assert!(status > 0 && lines.len() == 1, "{what}: {status}, {said}");
}

fn all_kinds<L: Level>() {
    let world = World::<L>::init_level().unwrap();
    let (me, n) = (world.pe(), world.n_pes());
    let next = (me + 1) % n;
    let mut a = world.alloc_with(1000, |i| (100 * me + i) as u64).unwrap();
    let lock = world.alloc_lock().unwrap();
    let team = world.split_strided(0, 1, n).unwrap().unwrap();
    world.barrier();

    // However it ends.
    assert_eq!(child(|| {}), (0, String::new()), "by exit");
    assert_eq!(child(|| unsafe { libc::exit(7) }), (7, String::new()));
    assert_eq!(child(|| unsafe { libc::_exit(8) }), (8, String::new()));
    assert_eq!(child(|| std::process::abort()).0, -libc::SIGABRT);
    let (status, said) = child(|| _ = catch_unwind(AssertUnwindSafe(|| panic!("in a child"))));
    assert!(status == 0 && !said.contains("ending the job"), "{said}");
    // What has a destructor; by moving it out, as a return from `main` would.
    let whole = std::ptr::from_ref(&world);
    // SAFETY: the original is not used again in the child.
    let destroyed = child(|| drop(unsafe { whole.read() }));
    assert_eq!(destroyed, (0, String::new()));
    let (status, said) = child(|| {
        let unwinds = AssertUnwindSafe(|| {
            // SAFETY: as above.
            let _world = unsafe { whole.read() };
            panic!("with a World")
        });
        assert!(catch_unwind(unwinds).is_err());
    });
    assert!(status == 0 && !said.contains("ending"), "{said}");
    let turn = (me == 0).then(|| lock.lock());
    let made = std::ptr::from_ref(&turn);
    // SAFETY: as above.
    assert_eq!(child(|| drop(unsafe { made.read() })), (0, String::new()));
    world.barrier();
    if me != 0 {
        assert!(lock.try_lock().is_none(), "the child has not released it");
    }
    world.barrier();
    drop(turn);

    // Its memory: statics of its own, a heap that it may read, and write without anybody noticing.
    COUNTER.store(1, Relaxed);
    world.share(&mut a, |phase, a| {
        let same = child(|| {
            assert_eq!(COUNTER.fetch_add(1, Relaxed), 1);
            assert_eq!(a.read(3), (100 * me + 3) as u64);
            assert_eq!(a.get_vec(next, 0..1000), Vec::from_iter((0..1000).map(|i| (100 * next + i) as u64)));
            (0..1000).for_each(|i| a.write(i, 77));
            assert_eq!(a.read(999), 77);
        });
        assert_eq!(same, (0, String::new()));
        if n > 1 {
            refused("put_one", || a.put_one(next, 0, 77));
            refused("add", || a.add(next, 0, 77));
        }
        refused("a wait", || _ = a.wait_until(0, shmem_api::Cmp::Eq, 12345));
        refused("a barrier", || _ = catch_unwind(AssertUnwindSafe(|| phase.barrier())));
    });
    let parent = std::process::id();
    let unwinds = AssertUnwindSafe(|| {
        world.share(&mut a, |_, _| {
            let (status, said) = child(|| panic!("in a phase"));
            assert!(status == 5 && !said.contains("ending"), "{status} {said}");
        });
    });
    let caught = catch_unwind(unwinds);
    if std::process::id() != parent {
        std::process::exit(if caught.is_err() { 5 } else { 6 });
    }
    caught.unwrap();
    assert_eq!(COUNTER.load(Relaxed), 1);
    assert!(a.iter().enumerate().all(|(i, x)| *x == (100 * me + i) as u64), "nothing was written");

    // Calls.
    refused("shmem_malloc", || _ = unsafe { raw::malloc(8) });
    refused("shmem_barrier_all", || unsafe { raw::barrier_all() });
    refused("shmem_finalize", || unsafe { raw::finalize() });
    refused("shmem_global_exit", || unsafe { raw::global_exit(9) });
    // SAFETY: as above.
    let at = unsafe { raw::ptr(COUNTER.as_ptr().cast(), 0) };
    refused("a put", || unsafe { raw::putmem(at, [0].as_ptr(), 1, 0) });
    refused("finalize", || {
        // SAFETY: as above.
        _ = unsafe { whole.read() }.finalize();
    });
    let (status, said) = child(|| {
        let e = World::<L>::init_level().err().expect("a child is no PE");
        assert!(e.to_string().contains("a child is none"), "{e}");
    });
    assert_eq!(status, 0, "{said}");
    refused("a collective", || _ = world.try_barrier());
    refused("a collective of a team", || _ = team.try_barrier());
    refused("an allocation", || _ = world.alloc::<u64>(1));
    refused("a look at the heap", || _ = world.heap());
    assert_eq!((raw::my_pe(), raw::n_pes()), (me as i32, n as i32));

    // And the parent is what it was.
    world.share(&mut a, |_, a| a.put_one(next, 0, 1));
    assert_eq!(a[0], 1);
    team.destroy().unwrap();
    drop((a, lock));
    world.finalize().unwrap();
    assert_eq!(child(|| {}), (0, String::new()), "after finalize");
    let again = World::<L>::init_level().unwrap();
    assert_eq!(again.reduce_one(shmem_api::Sum, 1usize), n);
    // It outlives its parent, and the job does not wait for it.
    // SAFETY: as above.
    if unsafe { libc::fork() } == 0 {
        std::thread::sleep(std::time::Duration::from_millis(300));
        std::process::exit(9);
    }
    again.finalize().unwrap();
}

#[test]
fn a_child_of_fork_is_no_pe() {
    if testing::is_pe() {
        return all_kinds::<Single>();
    }
    for &boot in Boot::all() {
        for n in [1, 3] {
            let outcome = Launch::of_test(here!("a_child_of_fork_is_no_pe"), n, boot).run();
            outcome.expect_success(&format!("{n} PEs by {boot:?}"));
        }
    }
}

/// The level at which a child's exit once finalized its parent.
#[test]
fn a_child_of_fork_is_no_pe_at_any_level() {
    if testing::is_pe() {
        return all_kinds::<Multiple>();
    }
    Launch::of_test(here!("a_child_of_fork_is_no_pe_at_any_level"), 2, Boot::Local)
        .run()
        .expect_success("2 PEs");
}
