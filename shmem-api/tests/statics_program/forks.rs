//! Children of fork: each has statics of its own.

use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use shmem_api::statics::{StaticsError, remap};

use super::{BIG, COUNTER, FLAG, LARGE, LIST, at, permissions};

/// A child of fork has statics of its own, as they were at the fork, and may end as any process does.
pub(super) fn forked() {
    remap().unwrap();
    COUNTER.store(1, Relaxed);
    LARGE[1000].store(2, Relaxed);
    LIST.lock().unwrap().push(3);
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // SAFETY: one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // What its parent writes after the fork, in pages this one has not touched, either.
        std::io::Read::read_exact(&mut reader, &mut [0]).unwrap();
        let seen = [&COUNTER, &LARGE[1000], &LARGE[BIG - 1], &FLAG].map(|x| x.load(Relaxed));
        assert_eq!(seen, [1, 2, 0, 7]);
        assert_eq!(*LIST.lock().unwrap(), [3]);
        assert_eq!(permissions(at(&COUNTER)), "rw-p");
        assert!(matches!(remap(), Err(StaticsError::Forked { parent }) if parent != std::process::id()));
        for x in [&COUNTER, &LARGE[1000], &LARGE[BIG - 1], &FLAG] {
            x.store(99, Relaxed);
        }
        LIST.lock().unwrap().push(4);
        assert!(std::panic::catch_unwind(|| panic!("in a child")).is_err());
        // A child of its own.
        // SAFETY: one thread.
        match unsafe { libc::fork() } {
            0 => {
                COUNTER.store(100, Relaxed);
                std::process::exit(5)
            }
            grandchild => assert_eq!(ended_with(grandchild), 5),
        }
        assert_eq!(COUNTER.load(Relaxed), 99);
        // The standard library notes in a static which thread is exiting.
        std::process::exit(6);
    }
    for x in [&COUNTER, &LARGE[1000], &LARGE[BIG - 1], &FLAG] {
        x.store(50, Relaxed);
    }
    std::io::Write::write_all(&mut writer, &[1]).unwrap();
    assert_eq!(ended_with(child), 6);
    let seen = [&COUNTER, &LARGE[1000], &LARGE[BIG - 1], &FLAG].map(|x| x.load(Relaxed));
    assert_eq!(seen, [50; 4], "none of the child's");
    assert_eq!(*LIST.lock().unwrap(), [3]);
    assert_eq!(permissions(at(&COUNTER)), "rw-s");
    // A fork that fails leaves nothing behind, and one whose file has been closed is as good.
    let mappings = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let before = mappings();
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: gives up root, which the limit does not bind.
    unsafe { libc::setuid(65534) };
    // SAFETY: a limit of this process.
    unsafe { libc::setrlimit(libc::RLIMIT_NPROC, &raw const none) };
    // SAFETY: one thread.
    match unsafe { libc::fork() } {
        -1 => {}
        0 => std::process::exit(0),
        // Some systems do not count this user's processes.
        child => assert_eq!(ended_with(child), 0),
    }
    assert!(mappings().abs_diff(before) <= 1, "{before} mappings before, {} after", mappings());
}

/// Where init has failed before it changed anything, a child may be a PE; where the statics were shared by then, none.
#[cfg(not(feature = "mpi"))]
pub(super) fn forked_after_a_failed_init() {
    use shmem_api::{Single, World};
    use std::sync::atomic::AtomicBool;
    // A way to join that there is not.
    const BOOT: &str = "SHMEM_BOOT";
    let fails = || {
        // SAFETY: the other thread, if there is one, reads no environment.
        unsafe { std::env::set_var(BOOT, "pmi") };
        let failed = World::<Single>::init_level().err().unwrap().to_string();
        assert!(failed.contains("PMI_FD is not set"), "{failed}");
        // SAFETY: as above.
        unsafe { std::env::remove_var(BOOT) };
    };
    let in_child = |joins: fn() -> i32| {
        // SAFETY: one thread.
        match unsafe { libc::fork() } {
            0 => std::process::exit(joins()),
            child => ended_with(child),
        }
    };
    // A thread that runs: the statics stay private.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                std::hint::spin_loop()
            }
        });
        fails();
        stop.store(true, Relaxed);
    });
    assert_eq!(permissions(at(&COUNTER)), "rw-p");
    let joined = in_child(|| {
        let world = World::<Single>::init_level().unwrap();
        assert_eq!((world.pe(), world.n_pes(), permissions(at(&COUNTER)).as_str()), (0, 1, "rw-s"));
        world.finalize().unwrap();
        8
    });
    assert_eq!(joined, 8);
    fails();
    assert_eq!(permissions(at(&COUNTER)), "rw-s");
    let refused = in_child(|| {
        let refused = World::<Single>::init_level().err().unwrap().to_string();
        assert!(refused.contains("which is a PE or was about to be one; a child is none"), "{refused}");
        9
    });
    assert_eq!(refused, 9);
    let world = World::<Single>::init_level().unwrap();
    assert_eq!((world.pe(), world.n_pes()), (0, 1));
}

/// Where there is no memory for the copy, the child ends and its parent goes on.
pub(super) fn forked_without_memory() {
    remap().unwrap();
    let limit = |most| {
        let most = libc::rlimit { rlim_cur: most, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: a limit of this process.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const most) }, 0);
    };
    let (mut reader, writer) = std::io::pipe().unwrap();
    // SAFETY: open descriptors of this process.
    let stderr = unsafe { libc::dup(2) };
    // SAFETY: as above.
    unsafe { libc::dup2(writer.as_raw_fd(), 2) };
    drop(writer);
    limit(50_000_000);
    // SAFETY: one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        std::process::exit(0);
    }
    limit(libc::RLIM_INFINITY);
    // SAFETY: as above.
    unsafe { libc::dup2(stderr, 2) };
    assert_eq!(ended_with(child), 71);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut reader, &mut said).unwrap();
    assert!(
        said.contains("no memory for a copy of the static variables") && said.lines().count() == 1,
        "{said}"
    );
    assert_eq!(permissions(at(&COUNTER)), "rw-s");
    fork_once();
    assert_eq!(COUNTER.load(Relaxed), 0);
}

/// The status of a child that ends by itself.
fn ended_with(child: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: our own child, and a place for its status.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert!(libc::WIFEXITED(status), "{status:#x}");
    libc::WEXITSTATUS(status)
}

/// The standard library forks where `posix_spawn` cannot do what is asked for; between fork and exec its child
/// writes static variables: that it must not panic, and the environment.
pub(super) fn forked_by_a_command() {
    use std::os::unix::process::CommandExt;
    let statics = remap().unwrap();
    let file = statics.file().unwrap().as_raw_fd();
    for round in 0..3 {
        // SAFETY: asks for a constant.
        let me = unsafe { libc::getuid() };
        let mut command = Command::new("true");
        assert!(command.uid(me).env("A_VARIABLE_OF_THE_CHILD", "x").status().unwrap().success());
        let caught = std::panic::catch_unwind(|| panic!("on purpose"));
        assert!(caught.is_err(), "a panic unwinds, as before");
        assert_eq!(std::env::var_os("A_VARIABLE_OF_THE_CHILD"), None);
        assert!(std::env::var_os("PATH").is_some());
        if round == 1 {
            // Without the file the copy is made by address.
            // SAFETY: what is closed is the library's, which must be ready for that.
            unsafe { libc::close(file) };
        }
    }
    assert_eq!(permissions(at(&COUNTER)), "rw-s");
}

/// A child that writes a static of its own.
pub(super) fn fork_once() {
    // SAFETY: the child stores to an atomic and ends.
    match unsafe { libc::fork() } {
        0 => {
            COUNTER.store(99, Relaxed);
            // SAFETY: ends the child.
            unsafe { libc::_exit(3) }
        }
        child => {
            let mut status = 0;
            // SAFETY: our own child, and a place for its status.
            while unsafe { libc::waitpid(child, &raw mut status, 0) } != child {}
            assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 3, "{status:#x}");
        }
    }
}

/// A signal handler that forks at any moment, in the middle of a fork, too: each child has statics of its own.
pub(super) fn forked_by_a_handler() {
    static FORKS: AtomicU64 = AtomicU64::new(0);
    extern "C" fn handler(_: libc::c_int) {
        FORKS.fetch_add(1, Relaxed);
        fork_once();
    }
    remap().unwrap();
    // So that a copy takes as long as some signals are apart.
    LARGE.iter().take(1 << 20).for_each(|x| x.store(1, Relaxed));
    // SAFETY: what the handler calls is safe where it comes: the program is forking, or waiting.
    unsafe { libc::signal(libc::SIGALRM, handler as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    let start = Instant::now();
    for round in 0..20 {
        let once = libc::timeval { tv_sec: 0, tv_usec: 100 + 150 * round };
        let timer = libc::itimerval { it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 }, it_value: once };
        // SAFETY: a valid timer; the old one is not asked for.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
        fork_once();
        while FORKS.load(Relaxed) <= round as u64 {
            std::thread::yield_now();
        }
        assert_eq!(COUNTER.load(Relaxed), 0, "a child wrote it");
    }
    eprintln!("40 forks: {:.1?}", start.elapsed());
    assert!(start.elapsed().as_secs() < 5, "none waits for itself");
}
