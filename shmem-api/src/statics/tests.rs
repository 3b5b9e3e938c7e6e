//! The copy, on memory of the test's own. What needs a process of its own is in `tests/statics.rs`.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use memmap_of_the_test::Anonymous;

use crate::statics::elf::Writable;
use crate::statics::span::Part;
use crate::statics::stop::Stop;
use crate::statics::swap::{Pagemap, copy, protect};
use crate::statics::threads::Others;
use crate::statics::*;
use rustix::mm::MprotectFlags;

mod memmap_of_the_test {
    use rustix::mm::{MapFlags, ProtFlags};

    /// Anonymous memory: nothing of it exists until it is touched.
    pub(super) struct Anonymous(pub(super) *mut u8, pub(super) usize);

    impl Anonymous {
        pub(super) fn new(len: usize) -> Anonymous {
            let prot = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: new memory, anywhere.
            let at =
                unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), len, prot, MapFlags::PRIVATE) };
            Anonymous(at.unwrap().cast(), len)
        }

        pub(super) fn put(&self, offset: usize, value: u8) {
            assert!(offset < self.1);
            // SAFETY: inside the mapping, which the test alone uses.
            let at = unsafe { self.0.add(offset) };
            // SAFETY: as above.
            unsafe { at.write_volatile(value) }
        }
    }

    impl Anonymous {
        pub(super) fn get(&self, offset: usize) -> u8 {
            assert!(offset < self.1);
            // SAFETY: inside the mapping, which the test alone uses.
            let at = unsafe { self.0.add(offset) };
            // SAFETY: as above.
            unsafe { at.read_volatile() }
        }
    }

    impl Drop for Anonymous {
        fn drop(&mut self) {
            // SAFETY: our own mapping, to which nothing refers any more.
            unsafe { rustix::mm::munmap(self.0.cast(), self.1) }.unwrap();
        }
    }
}

const PAGES: usize = 1200;

/// The bytes of the file after a copy, and how many of its pages exist.
fn copied(page: usize, file_pages: usize, touched: &[usize], pagemap: Option<File>) -> (Vec<u8>, u64) {
    let memory = Anonymous::new(PAGES * page);
    for &at in touched {
        memory.put(at * page + at, at as u8 | 1);
    }
    let lo = memory.0.expose_provenance();
    let range = Writable { lo, file_end: lo + file_pages * page, hi: lo + PAGES * page };
    let file = sealed(NAME, Bytes(((PAGES + 1) * page) as u64)).unwrap();
    let offset = Offset(page as u64);
    copy(&file, &Part { range, offset }, &Pagemap { file: pagemap, page }).unwrap();
    let file = File::from(file);
    let mut bytes = vec![0xff; PAGES * page];
    file.read_exact_at(&mut bytes, offset.0).unwrap();
    let kept = std::os::unix::fs::MetadataExt::blocks(&file.metadata().unwrap()) * 512 / page as u64;
    (bytes, kept)
}

#[test]
fn a_copy_is_sparse_and_exact() {
    let page = rustix::param::page_size();
    let touched = [0, 1, 2, 7, 511, 512, 513, 700, 1023, 1024, 1199];
    let pagemap = || Some(File::open("/proc/self/pagemap").unwrap());
    let mut expected = vec![0; PAGES * page];
    for at in touched {
        expected[at * page + at] = at as u8 | 1;
    }
    for file_pages in [0, 1, 3, PAGES] {
        let (bytes, kept) = copied(page, file_pages, &touched, pagemap());
        assert!(bytes == expected);
        assert!(kept >= touched.len() as u64);
        if file_pages < PAGES {
            assert!(kept < 32, "{kept} pages copied of {} touched", touched.len());
        }
        let (bytes, kept) = copied(page, file_pages, &touched, None);
        assert!(bytes == expected, "without the page map");
        assert_eq!(kept, PAGES as u64, "without the page map all is copied");
    }
    let empty = File::open("/dev/null").unwrap();
    assert!(copied(page, 0, &touched, Some(empty)).0 == expected, "a page map that says nothing");
}

/// There is one stop at a time.
static STOP: Mutex<()> = Mutex::new(());

/// Two parts of a memory, the second at that offset in the file.
fn two_parts(memory: &Anonymous, second: u64) -> [Part; 2] {
    let (lo, half) = (memory.0.expose_provenance(), memory.1 / 2);
    let part = |i: usize, offset| {
        let lo = lo + i * half;
        Part { range: Writable { lo, file_end: lo + half, hi: lo + half }, offset: Offset(offset) }
    };
    [part(0, 0), part(1, second)]
}

/// Where there are no other threads.
fn attempt_alone(parts: &[Part], note: impl FnOnce(Moved)) -> Result<OwnedFd, swap::Failed> {
    let _one = STOP.lock().unwrap_or_else(PoisonError::into_inner);
    let nobody = std::env::temp_dir().join(format!("shmem-nobody-{}", std::process::id()));
    std::fs::create_dir_all(&nobody).unwrap();
    let others = Others::list(nobody.to_str().unwrap()).unwrap();
    let file = sealed(NAME, Bytes(16 * rustix::param::page_size() as u64)).unwrap();
    let pagemap = Pagemap { file: None, page: rustix::param::page_size() };
    swap::attempt(&file, parts, &pagemap, &others, &mut Some(note)).map(|()| file)
}

/// The permissions of the mapping an address lies in.
fn permissions(address: usize) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let inside = |line: &&str| {
        let (lo, hi) = line.split(' ').next().unwrap().split_once('-').unwrap();
        (usize::from_str_radix(lo, 16).unwrap()..usize::from_str_radix(hi, 16).unwrap()).contains(&address)
    };
    maps.lines().find(inside).unwrap().split(' ').nth(1).unwrap().to_owned()
}

/// STATICS-D5: until it is noted what has moved, forks wait, and no handler of this thread can fork.
#[test]
fn a_fork_finds_noted_what_has_moved() {
    use crate::process::private::{AtomicBool, Ordering::SeqCst};
    let page = rustix::param::page_size();
    let memory = Anonymous::new(2 * page);
    memory.put(page, 7);
    let (forked, mut noted) = (AtomicBool::new(false), None);
    std::thread::scope(|scope| {
        let note = |moved| {
            assert_eq!(permissions(memory.0.expose_provenance()), "rw-s");
            scope.spawn(|| crate::process::turn::between_forks(|| forked.store(true, SeqCst)));
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert!(!forked.load(SeqCst));
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
            let usual = (1 << (libc::SIGALRM - 1)) | (1 << (libc::SIGUSR1 - 1)) | (1 << (libc::SIGSEGV - 1));
            assert_eq!(u64::from_str_radix(blocked.trim(), 16).unwrap() & usual, usual);
            noted = Some(moved);
        };
        attempt_alone(&two_parts(&memory, page as u64), note).unwrap();
    });
    assert_eq!(noted, Some(Moved { parts: 2, failed: None }));
    assert!(forked.load(SeqCst));
    assert_eq!(memory.get(page), 7);
}

/// What has moved when the system refuses the rest is copied by forks; if it refuses all, nothing has changed.
#[test]
fn a_part_that_cannot_be_mapped() {
    let page = rustix::param::page_size();
    let memory = Anonymous::new(2 * page);
    let [first, second] = [0, page].map(|at| memory.0.expose_provenance() + at);
    memory.put(0, 1);
    memory.put(page, 2);
    // A place in the file at which it cannot be mapped.
    let nowhere = page as u64 + 512;
    let [one, other] = two_parts(&memory, nowhere);
    let refused = attempt_alone(&[other], |_| panic!("nothing has moved"));
    assert!(matches!(refused, Err(swap::Failed::Map(rustix::io::Errno::INVAL))), "{refused:?}");
    assert_eq!([first, second].map(permissions), ["rw-p", "rw-p"]);
    let mut noted = None;
    let file = attempt_alone(&[one, other], |moved| noted = Some(moved)).unwrap();
    let moved = Moved { parts: 1, failed: Some(rustix::io::Errno::INVAL) };
    assert_eq!(noted, Some(moved));
    assert_eq!([first, second].map(permissions), ["rw-s", "rw-p"]);
    memory.put(page, 3);
    // As in a child.
    let statics = Statics {
        file: Kept::new(file).unwrap(),
        size: Bytes(2 * page as u64),
        spans: [one.span(), other.span()].into(),
        identity: bytemuck::Zeroable::zeroed(),
        pid: 1,
        moved,
    };
    let copy = statics.snapshot().unwrap();
    memory.put(0, 4);
    assert!(statics.take(copy));
    assert_eq!([first, second].map(permissions), ["rw-p", "rw-p"]);
    assert_eq!([0, page].map(|at| memory.get(at)), [1, 3]);
}

/// A store that comes while the data is protected is made when it is not any more; one elsewhere is none of ours.
#[test]
fn writers_wait_until_the_data_is_there() {
    use crate::process::private::{AtomicBool, Ordering::SeqCst};
    let _one = STOP.lock().unwrap_or_else(PoisonError::into_inner);
    let page = rustix::param::page_size();
    let memory = Anonymous::new(4 * page);
    let lo = memory.0.expose_provenance();
    let parts = [Part { range: Writable { lo, file_end: lo, hi: lo + 4 * page }, offset: Offset(0) }];
    for round in 0..20u8 {
        let (began, done) = (AtomicBool::new(false), AtomicBool::new(false));
        let mut writers = Stop::new(&parts);
        protect(&parts, MprotectFlags::READ).unwrap();
        std::thread::scope(|scope| {
            let at = lo + usize::from(round % 4) * page;
            let (began, done) = (&began, &done);
            scope.spawn(move || {
                began.store(true, SeqCst);
                let at = std::ptr::with_exposed_provenance_mut::<u8>(at);
                // SAFETY: inside the mapping, which nobody else uses.
                unsafe { at.write_volatile(round) };
                done.store(true, SeqCst);
            });
            while !began.load(SeqCst) {
                std::thread::yield_now();
            }
            std::thread::sleep(std::time::Duration::from_millis(u64::from(round % 3)));
            assert!(!done.load(SeqCst));
            protect(&parts, MprotectFlags::READ | MprotectFlags::WRITE).unwrap();
            writers.go_on(false);
        });
        assert!(done.load(SeqCst));
    }
}

/// Statics of a test's own: two stretches of a memory, which the file may hold.
fn statics_in(memory: &Anonymous, file: OwnedFd) -> Statics {
    let half = memory.1 / 2;
    let span = |i: usize| Span {
        address: memory.0.expose_provenance() + (1 - i) * half,
        offset: Offset((i * half) as u64),
        len: Bytes(half as u64),
    };
    Statics {
        file: Kept::new(file).unwrap(),
        size: Bytes(memory.1 as u64),
        spans: [span(0), span(1)].into(),
        identity: bytemuck::Zeroable::zeroed(),
        pid: 1,
        moved: Moved { parts: 2, failed: None },
    }
}

/// The copy for a child holds what the file holds, and all of it where the system does not say what that is.
#[test]
fn a_snapshot_is_whole() {
    let page = rustix::param::page_size();
    let sparse = || sealed(NAME, Bytes(6 * page as u64)).unwrap();
    let written = sparse();
    rustix::io::pwrite(&written, &[1], 2 * page as u64).unwrap();
    rustix::io::pwrite(&written, &[1], 5 * page as u64).unwrap();
    // One that cannot be asked.
    let pipe = std::io::pipe().unwrap().0;
    for (file, there) in [(sparse(), &[][..]), (written, &[2, 5]), (OwnedFd::from(pipe), &[0, 1, 2, 3, 4, 5])]
    {
        let memory = Anonymous::new(6 * page);
        (0..6).for_each(|i| memory.put(i * page, i as u8 + 1));
        let copy = statics_in(&memory, file).snapshot().unwrap();
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        // It may have become one mapping with what another thread has mapped before it.
        let holds = |line: &&str| {
            let ends = line.split(' ').next().and_then(|range| range.split_once('-'));
            let at = |end| usize::from_str_radix(end, 16).ok();
            ends.and_then(|(from, to)| Some((at(from)?..at(to)?).contains(&copy))).unwrap_or(false)
        };
        let about = maps.lines().skip_while(|line| !holds(line));
        let flags = about.filter_map(|line| line.strip_prefix("VmFlags:")).next().unwrap();
        assert!(
            flags.contains(" wr") && !flags.contains(" nr"),
            "memory that the system accounts for: {flags}"
        );
        let copy = Anonymous(std::ptr::with_exposed_provenance_mut(copy), 6 * page);
        for at in 0..6 {
            let expected = if there.contains(&at) { (at + 3) as u8 % 6 + 1 } else { 0 };
            assert_eq!(copy.get(at * page), expected, "page {at} of {there:?}");
        }
    }
}

#[test]
fn addresses_are_found_up_to_the_last_byte() {
    let span = |address, offset| Span { address, offset: Offset(offset), len: Bytes(0x2000) };
    let statics = Statics {
        file: Kept::new(sealed(NAME, Bytes(0x4000)).unwrap()).unwrap(),
        size: Bytes(0x4000),
        spans: [span(0x5000_0000, 0), span(0x6000_0000, 0x2000)].into(),
        identity: bytemuck::Zeroable::zeroed(),
        pid: 1,
        moved: Moved { parts: 2, failed: None },
    };
    let found = |span, offset, left| Some(Found { span, offset: Offset(offset), left: Bytes(left) });
    assert_eq!(statics.find(0x5000_0000), found(0, 0, 0x2000));
    assert_eq!(statics.find(0x5000_1fff), found(0, 0x1fff, 1));
    assert_eq!(statics.find(0x5000_2000), None);
    assert_eq!(statics.find(0x6000_0010), found(1, 0x2010, 0x1ff0));
    for outside in [0, 0x4fff_ffff, 0x6000_2000, usize::MAX] {
        assert_eq!(statics.find(outside), None);
    }
}
