//! What a process sees of its own statics when they have moved.

use std::cell::Cell;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use shmem_api::statics::{StaticsError, remap};

use super::{ADDS, BIG, CONSTANT, COUNTER, IN_DATA, INNER, LARGE, LIST, ONCE, add, at, inside, permissions};

pub(super) fn values() {
    // SAFETY: one thread.
    unsafe { INNER.0.get().write([9, 8, 7, 6]) };
    LIST.lock().unwrap().extend([1, 2, 3]);
    ONCE.set("kept".to_owned()).unwrap();
    COUNTER.store(41, Relaxed);
    let statics = remap().unwrap();
    assert_eq!(IN_DATA.load(Relaxed), 0x0123_4567_89ab_cdef);
    assert_eq!(COUNTER.fetch_add(1, Relaxed), 41);
    assert_eq!(COUNTER.load(Relaxed), 42);
    // SAFETY: one thread.
    assert_eq!(unsafe { INNER.0.get().read() }, [9, 8, 7, 6]);
    LIST.lock().unwrap().push(4);
    assert_eq!(*LIST.lock().unwrap(), [1, 2, 3, 4]);
    assert_eq!(ONCE.get().unwrap(), "kept");
    inside(statics, &IN_DATA);
    inside(statics, &COUNTER);
    inside(statics, &INNER);
    inside(statics, &LIST);
    inside(statics, &LARGE);
    let (on_stack, on_heap) = (1u64, Box::new(1u64));
    for outside in [at(&on_stack), at(&*on_heap), at(&CONSTANT), values as fn() as usize] {
        assert_eq!(statics.find(outside), None);
    }
    let sizes: u64 = statics.spans().iter().map(|s| s.len.0).sum();
    assert_eq!(sizes, statics.size().0);
}

pub(super) fn large_bss() {
    LARGE[0].store(1, Relaxed);
    LARGE[BIG / 2].store(2, Relaxed);
    LARGE[BIG - 1].store(3, Relaxed);
    let start = Instant::now();
    let statics = remap().unwrap();
    let took = start.elapsed();
    eprintln!("{} of static data: {took:.2?}", statics.size());
    assert_eq!([0, BIG / 2, BIG - 1].map(|i| LARGE[i].load(Relaxed)), [1, 2, 3]);
    assert!(LARGE.iter().step_by(512).map(|x| x.load(Relaxed)).sum::<u64>() <= 6);
    LARGE[12345].store(4, Relaxed);
    assert_eq!(LARGE[12345].swap(0, Relaxed), 4);
}

/// The heap of `brk` begins on the page behind `.bss` when addresses are not randomised.
pub(super) fn heap() {
    // SAFETY: one thread; nobody else moves the break in this process between the calls.
    let brk = unsafe { libc::sbrk(1 << 20) }.cast::<u8>();
    let first = (brk as usize).next_multiple_of(16) as *mut u64;
    // SAFETY: inside what was just added.
    unsafe { first.write_volatile(77) };
    let small: Vec<Box<u64>> = (0..10_000).map(Box::new).collect();
    let statics = remap().unwrap();
    assert!(statics.find(brk as usize).is_none());
    let last = statics.spans().last().unwrap();
    let behind = (brk as isize).wrapping_sub_unsigned(last.address + last.len.0 as usize);
    eprintln!("heap {behind} bytes behind the static data");
    // SAFETY: as above.
    assert_eq!(unsafe { first.read_volatile() }, 77);
    assert_eq!(small.iter().map(|b| **b).sum::<u64>(), 10_000 * 9_999 / 2);
    drop(small);
    for round in 0..50 {
        let boxes: Vec<Vec<u8>> = (0..200).map(|i| vec![i as u8; (i * 997 * (round + 1)) % 60_000]).collect();
        assert!(boxes.iter().enumerate().all(|(i, b)| b.iter().all(|&x| x == i as u8)));
    }
    // SAFETY: as above.
    let more = unsafe { libc::sbrk(1 << 20) }.cast::<u8>();
    // SAFETY: inside what was just added.
    unsafe { more.write_volatile(1) };
    assert_eq!(permissions(more as usize), "rw-p");
}

pub(super) fn unwinding() {
    remap().unwrap();
    std::panic::set_hook(Box::new(|_| add(&COUNTER, 1)));
    for i in 0..10u64 {
        let caught = catch_unwind(|| {
            let _held = vec![i; 100];
            std::panic::panic_any(i)
        });
        assert_eq!(*caught.unwrap_err().downcast::<u64>().unwrap(), i);
    }
    let poisoned = catch_unwind(|| {
        let _guard = LIST.lock().unwrap();
        panic!("while a lock in shared memory is held");
    });
    assert!(poisoned.is_err() && LIST.is_poisoned());
    assert_eq!(COUNTER.load(Relaxed), 11);
}

pub(super) fn threads() {
    thread_local! { static OWN: Cell<u64> = const { Cell::new(5) } }
    OWN.set(6);
    let statics = remap().unwrap();
    assert_eq!(OWN.get(), 6);
    assert!(OWN.with(|own| statics.find(at(own))).is_none());
    std::thread::scope(|scope| {
        for i in 0..4 {
            scope.spawn(move || {
                assert_eq!(OWN.replace(i), 5);
                add(&COUNTER, ADDS / 10);
                LIST.lock().unwrap().push(OWN.get());
            });
        }
    });
    assert_eq!(COUNTER.load(Relaxed), 4 * ADDS / 10);
    let mut list = LIST.lock().unwrap();
    list.sort_unstable();
    assert_eq!(*list, [0, 1, 2, 3]);
}

/// The mappings of the executable that are not its data are the same before and after.
pub(super) fn relro() {
    let own = std::env::current_exe().unwrap();
    let of_file = |perms: &str| -> Vec<String> {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let lines = maps.lines().filter(|l| l.ends_with(own.to_str().unwrap()) && l.contains(perms));
        lines.map(str::to_owned).collect()
    };
    let (read_only, code) = (of_file(" r--p "), of_file(" r-xp "));
    assert!(!of_file(" rw-p ").is_empty());
    remap().unwrap();
    assert_eq!(of_file(" r--p "), read_only);
    assert_eq!(of_file(" r-xp "), code);
    assert_eq!(of_file(" rw-p "), [""; 0], "all writable pages of the file are shared");
    // A table of functions that needs relocation is in RELRO, and works.
    static TABLE: [fn(u64) -> u64; 2] = [|x| x + 1, |x| x * 2];
    assert_eq!(std::hint::black_box(&TABLE).iter().map(|f| f(20)).sum::<u64>(), 61);
}

pub(super) fn again() {
    let first = remap().unwrap();
    COUNTER.store(3, Relaxed);
    let second = remap().unwrap();
    assert!(std::ptr::eq(first, second));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                std::hint::spin_loop()
            }
        });
        assert!(std::ptr::eq(first, remap().unwrap()), "what is done needs no quiet");
        stop.store(true, Relaxed);
    });
    assert_eq!(COUNTER.load(Relaxed), 3);
}

/// Somebody else made a page of the data something else: refused, and it stays as it is.
pub(super) fn taken() {
    let page = at(&LARGE[BIG / 2]) & !0xfff;
    let protect = |how| {
        // SAFETY: a page inside LARGE, which this case does not touch.
        assert_eq!(unsafe { libc::mprotect(page as *mut libc::c_void, 4096, how) }, 0);
    };
    protect(libc::PROT_READ);
    let refused = remap().unwrap_err();
    assert_eq!(refused, StaticsError::NotPrivate { at: page });
    assert_eq!(permissions(at(&COUNTER)), "rw-p");
    protect(libc::PROT_READ | libc::PROT_WRITE);
    remap().unwrap();
}

pub(super) fn identity() {
    eprintln!("{:?}", remap().unwrap().identity());
}
