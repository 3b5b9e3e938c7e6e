//! Those who write at the same time: another process, threads, signals.

use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::Instant;

use shmem_api::memheap::{Bytes, region::Region, region::memfd::PeerRegion};
use shmem_api::statics::{StaticsError, remap};

use super::forks::fork_once;
use super::{ADDS, BIG, COUNTER, FLAG, LARGE, LIST, PEER, add, at, inside, permissions};

pub(super) fn peer() {
    let statics = remap().unwrap();
    let told = [
        std::process::id() as u64,
        statics.file().unwrap().as_raw_fd() as u64,
        statics.size().0,
        inside(statics, &COUNTER),
        inside(statics, &FLAG),
        inside(statics, &LARGE[BIG - 1]),
    ];
    let told: Vec<String> = told.iter().map(u64::to_string).collect();
    let mut child = Command::new(std::env::current_exe().unwrap());
    let mut child = child.env(PEER, told.join(",")).stdin(Stdio::null()).spawn().unwrap();
    while FLAG.load(Relaxed) == 7 {
        std::hint::spin_loop();
    }
    let start = Instant::now();
    add(&COUNTER, ADDS);
    assert!(child.wait().unwrap().success());
    assert_eq!(COUNTER.load(Relaxed), 2 * ADDS, "not an addition is lost");
    assert_eq!(LARGE[BIG - 1].load(Relaxed), 99, "written by the peer in a page never touched here");
    eprintln!("2 x {ADDS} additions: {:.2?}", start.elapsed());
}

/// Another process of the same executable: offsets name the same objects, at other addresses.
pub(super) fn peer_side(told: &str) {
    let told: Vec<u64> = told.split(',').map(|n| n.parse().unwrap()).collect();
    let own = remap().unwrap();
    assert_eq!([&COUNTER, &FLAG, &LARGE[BIG - 1]].map(|object| inside(own, object)), told[3..]);
    let path = format!("/proc/{}/fd/{}", told[0], told[1]);
    let file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    let map = PeerRegion::of(file, Bytes(told[2])).unwrap();
    let [counter, flag, large] = [3, 4, 5].map(|i| {
        let at = map.base().as_ptr().wrapping_add(told[i] as usize).cast::<u64>();
        // SAFETY: inside the mapping, aligned, and accessed atomically by both processes.
        unsafe { AtomicU64::from_ptr(at) }
    });
    assert_eq!(flag.load(Relaxed), 7, "what the other one's executable was built with");
    large.store(99, Relaxed);
    flag.store(8, Relaxed);
    add(counter, ADDS);
    assert_eq!(COUNTER.load(Relaxed), 0, "this process has its own");
}

pub(super) fn busy_thread() {
    let stop = AtomicBool::new(false);
    COUNTER.store(1, Relaxed);
    std::thread::scope(|scope| {
        let busy = std::thread::Builder::new().name("spinner".to_owned());
        let work = || {
            while !stop.load(Relaxed) {
                COUNTER.fetch_add(1, Relaxed);
            }
        };
        let handle = busy.spawn_scoped(scope, work).unwrap();
        let start = Instant::now();
        let refused = remap().unwrap_err();
        eprintln!("{refused} (after {:.0?})", start.elapsed());
        stop.store(true, Relaxed);
        assert!(matches!(refused, StaticsError::Busy(_)));
        assert!(refused.to_string().contains("(spinner) is running"));
        handle.join().unwrap();
    });
    assert_eq!(permissions(at(&COUNTER)), "rw-p", "a refusal changes nothing");
    let before = COUNTER.load(Relaxed);
    let statics = remap().unwrap();
    inside(statics, &COUNTER);
    assert_eq!(COUNTER.load(Relaxed), before);
}

/// A thread that blocks SIGSEGV, as helper threads do that want no signals, would end the process where it wrote while
/// the data is moved.
pub(super) fn thread_that_blocks_signals() {
    let (send, receive) = mpsc::channel::<u64>();
    let (begun, begins) = mpsc::channel();
    let waits = move || {
        let mut all = std::mem::MaybeUninit::uninit();
        // SAFETY: fills the set it is given.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: the set is filled in; the mask before is not asked for.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut()) };
        begun.send(()).unwrap();
        COUNTER.store(receive.recv().unwrap(), Relaxed);
    };
    let handle = std::thread::Builder::new().name("helper".to_owned()).spawn(waits).unwrap();
    begins.recv().unwrap();
    let refused = remap().unwrap_err();
    assert!(matches!(refused, StaticsError::Unstoppable(_)), "{refused}");
    assert!(refused.to_string().contains("(helper) blocks SIGSEGV"), "{refused}");
    assert_eq!(permissions(at(&COUNTER)), "rw-p", "a refusal changes nothing");
    send.send(5).unwrap();
    handle.join().unwrap();
    inside(remap().unwrap(), &COUNTER);
    assert_eq!(COUNTER.load(Relaxed), 5);
}

/// As the helper threads of an MPI that the program has initialised: in poll, on a condition, in a sleep.
pub(super) fn sleeping_threads() {
    let (send, receive) = mpsc::channel::<u64>();
    let (reader, writer) = std::io::pipe().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || COUNTER.store(receive.recv().unwrap(), Relaxed));
        scope.spawn(move || {
            let mut byte = [0];
            std::io::Read::read_exact(&mut { reader }, &mut byte).unwrap();
            FLAG.store(byte[0].into(), Relaxed);
        });
        // One that wakes often and works a little: what it adds must not be lost.
        let stop = AtomicBool::new(false);
        let stop = &*Box::leak(Box::new(stop));
        let waker = scope.spawn(move || {
            let mut added = 0;
            while !stop.load(Relaxed) {
                added += 1;
                LARGE[512 * (added as usize % 1000)].fetch_add(1, Relaxed);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            added
        });
        let statics = remap().unwrap();
        stop.store(true, Relaxed);
        let added: u64 = waker.join().unwrap();
        let there: u64 = LARGE.iter().step_by(512).map(|x| x.load(Relaxed)).sum();
        assert_eq!(there, added);
        inside(statics, &COUNTER);
        send.send(123).unwrap();
        std::io::Write::write_all(&mut { writer }, &[45]).unwrap();
    });
    assert_eq!((COUNTER.load(Relaxed), FLAG.load(Relaxed)), (123, 45), "they woke and wrote where we read");
}

/// Threads that wake at any moment and write, or (in every other process) have a thread of their own do it and sleep
/// until that has ended, or fork a child that writes its own: the data is moved and nothing is lost, or it stays where it is. In many
/// processes, as each has one chance only.
pub(super) fn waking_threads() {
    const ONCE: &str = "SHMEM_STATICS_ONCE";
    if std::env::var_os(ONCE).is_none() {
        for round in 0..10 {
            let once =
                Command::new(std::env::current_exe().unwrap()).env(ONCE, round.to_string()).output().unwrap();
            let said = String::from_utf8_lossy(&once.stderr);
            assert!(once.status.success(), "round {round}: {}: {said}", once.status);
            eprint!("{said}");
        }
        return;
    }
    let round: u64 = std::env::var(ONCE).unwrap().parse().unwrap();
    let stop = AtomicBool::new(false);
    let (stop, start) = (&*Box::leak(Box::new(stop)), Instant::now());
    std::thread::scope(|scope| {
        let waker = |thread: u64| {
            move || {
                let mut added = 0;
                while !stop.load(Relaxed) {
                    added += 1;
                    let write = move || {
                        LARGE[512 * (added as usize % 500)].fetch_add(1, Relaxed);
                        LIST.lock().unwrap().push(added);
                    };
                    match round % 2 {
                        0 => write(),
                        _ => std::thread::spawn(write).join().unwrap(),
                    }
                    if round % 5 == 4 {
                        fork_once();
                    }
                    std::thread::sleep(std::time::Duration::from_micros(100 + 177 * (round + thread) % 900));
                }
                added
            }
        };
        let wakers: Vec<_> = (0..2 + round % 3).map(|thread| scope.spawn(waker(thread))).collect();
        std::thread::sleep(std::time::Duration::from_micros(2000 + 37 * round));
        let moved = remap();
        std::thread::sleep(std::time::Duration::from_millis(2));
        stop.store(true, Relaxed);
        let added: u64 = wakers.into_iter().map(|waker| waker.join().unwrap()).sum();
        let there: u64 = LARGE.iter().step_by(512).map(|x| x.load(Relaxed)).sum();
        assert_eq!((there, LIST.lock().unwrap().len() as u64), (added, added), "{:?}", moved.is_ok());
        assert_eq!(COUNTER.load(Relaxed), 0, "a child wrote it");
        let at_once = moved.is_ok();
        match moved {
            Ok(statics) => _ = inside(statics, &COUNTER),
            // A thread that is being made blocks all signals for a while.
            Err(e) => assert!(matches!(e, StaticsError::Busy(_) | StaticsError::Unstoppable(_)), "{e}"),
        }
        eprintln!("round {round}: moved: {at_once}, {added} additions in {:.1?}", start.elapsed());
    });
}

/// A handler may write statics, so none runs in the window; the mask comes back.
pub(super) fn signals() {
    extern "C" fn handler(_: libc::c_int) {
        COUNTER.fetch_add(1, Relaxed);
    }
    // SAFETY: the handler does one atomic addition.
    unsafe { libc::signal(libc::SIGALRM, handler as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    let every = libc::timeval { tv_sec: 0, tv_usec: 50 };
    let timer = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: a valid timer; the old one is not asked for.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    let mask = || {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        status.lines().find(|l| l.starts_with("SigBlk:")).unwrap().to_owned()
    };
    let before = mask();
    remap().unwrap();
    assert_eq!(mask(), before);
    let seen = COUNTER.load(Relaxed);
    while COUNTER.load(Relaxed) < seen + 3 {
        std::hint::spin_loop();
    }
}
