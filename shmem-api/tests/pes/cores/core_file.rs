//! A program that crashes, and what the file of its core holds.
#![allow(unsafe_code, reason = "programs that crash")]

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use shmem_api::testing::{Boot, Launch, Outcome, patience};

pub const MIB: usize = 1 << 20;
/// What a core may have at most.
pub const MOST: u64 = 200_000_000;

/// What a file of a core holds, by the addresses of the process.
pub struct Core {
    bytes: Vec<u8>,
    /// Address, length in memory, length and place in the file.
    loads: Vec<[usize; 4]>,
    /// Signal, code and address.
    pub why: Option<(i32, i32, usize)>,
}

pub fn word(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len].iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte))
}

impl Core {
    pub fn read(path: &Path) -> Core {
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(&bytes[..5], b"\x7fELF\x02");
        let (first, mut n) = (word(&bytes, 32, 8), word(&bytes, 56, 2));
        if n == 0xffff {
            // Of the only section.
            n = word(&bytes, word(&bytes, 40, 8) + 44, 4);
        }
        let (mut loads, mut why) = (Vec::new(), None);
        for at in (0..n).map(|i| first + i * 56) {
            let [place, address, len, size] = [8, 16, 32, 40].map(|field| word(&bytes, at + field, 8));
            match word(&bytes, at, 4) {
                1 => loads.push([address, size, len, place]),
                4 => why = why.or_else(|| signal_in(&bytes[place..place + len])),
                _ => {}
            }
        }
        Core { bytes, loads, why }
    }

    /// The bytes at an address, if they are in.
    pub fn at(&self, address: usize, n: usize) -> Option<&[u8]> {
        let within = |load: &&[usize; 4]| address >= load[0] && address + n <= load[0] + load[2];
        let [start, _, _, place] = self.loads.iter().find(within)?;
        Some(&self.bytes[place + address - start..][..n])
    }

    /// How much of these addresses is in.
    pub fn holds(&self, from: usize, to: usize) -> usize {
        self.loads.iter().map(|l| (l[0] + l[2]).min(to).saturating_sub(l[0].max(from))).sum()
    }
}

/// What `NT_SIGINFO` says.
pub fn signal_in(notes: &[u8]) -> Option<(i32, i32, usize)> {
    let mut at = 0;
    while at + 12 <= notes.len() {
        let [name, len, kind] = [0, 4, 8].map(|field| word(notes, at + field, 4));
        let body = at + 12 + name.next_multiple_of(4);
        if kind == 0x5349_4749 {
            return Some((
                word(notes, body, 4) as i32,
                word(notes, body + 8, 4) as i32,
                word(notes, body + 16, 8),
            ));
        }
        at = body + len.next_multiple_of(4);
    }
    None
}

pub fn writes_cores() -> bool {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let most = getrlimit(Resource::Core).maximum;
    let writes = !pattern.contains(['/', '|']) && most.is_none_or(|most| most > 1 << 30);
    if !writes {
        eprintln!("no core is written here ({}): only how programs end is looked at", pattern.trim());
    }
    writes
}

/// A directory that goes with it: a core of a test that fails may be large.
struct Gone<'d>(&'d Path);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0);
    }
}

/// Runs `test` on two PEs, of which the first crashes as `case` says; the outcome, its core, and what it said of
/// itself: words that are numbers.
pub fn crash(
    test: &str,
    case: &str,
    boot: Boot,
    settings: &[(&str, &str)],
) -> (Outcome, Option<Core>, Vec<usize>) {
    let dir =
        std::env::temp_dir().join(format!("shmem-{}-{case}-{}", test.replace("::", "-"), std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let gone = Gone(&dir);
    let launch = Launch::of_test(test, 2, boot)
        .env("SHMEM_SYMMETRIC_SIZE", "2g")
        // UCX, which an MPI may bring, takes such signals before `main`, and then Rust does not; it sends them once more.
        .env("UCX_ERROR_SIGNALS", "")
        .env("UCX_HANDLE_ERRORS", "none")
        .env("TEST_CASE", case)
        .env("TEST_CORES", dir.to_str().unwrap());
    let outcome = settings.iter().fold(launch, |l, (name, value)| l.env(name, value)).run();
    assert!(!outcome.timed_out && !outcome.status.success(), "{case}: {outcome}");
    assert!(outcome.wall < patience(Duration::from_secs(5)), "{case}: {outcome}");
    let said = outcome.stdout.lines().find_map(|l| l.split_once("about to crash: "));
    let said = said.unwrap_or_else(|| panic!("{case}: {outcome}")).1;
    let said = said.split(' ').map(|n| n.parse().unwrap()).collect();
    let cores: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|f| f.unwrap().path()).collect();
    let core = writes_cores().then(|| {
        assert_eq!(cores.len(), 1, "{case}: {cores:?}: {outcome}");
        let length = std::fs::metadata(&cores[0]).unwrap().len();
        assert!(length < MOST, "{case}: {} MB of core", length / 1_000_000);
        eprintln!(
            "{case} {settings:?} {boot:?}: {} MB of core, {:.1?} in all",
            length / 1_000_000,
            outcome.wall
        );
        Core::read(&cores[0])
    });
    drop(gone);
    (outcome, core, said)
}

/// A shell that starts a command in the background has it ignore this signal.
pub fn take_quit() {
    // SAFETY: the default action.
    unsafe { libc::signal(libc::SIGQUIT, libc::SIG_DFL) };
}

/// In a PE: which case it is, with cores allowed, and a place for them.
pub fn case() -> String {
    take_quit();
    let limit = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: limit, maximum: limit }).unwrap();
    std::env::set_current_dir(std::env::var("TEST_CORES").unwrap()).unwrap();
    std::env::var("TEST_CASE").unwrap()
}

pub fn say(what: &[usize]) {
    let words: Vec<_> = what.iter().map(usize::to_string).collect();
    let line = format!("about to crash: {}\n", words.join(" "));
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

pub fn store_to(address: usize) {
    // SAFETY: none: it faults.
    unsafe { std::hint::black_box(address as *mut u8).write_volatile(1) };
}

/// What the tests write at an address.
pub fn mark(address: usize) -> u8 {
    (address >> 12).wrapping_mul(37) as u8 | 1
}

pub fn touch(block: &mut [u8], from: usize, len: usize) {
    let base = block.as_ptr().addr();
    block[from..from + len].iter_mut().zip(base + from..).for_each(|(byte, at)| *byte = mark(at));
}

pub fn expect_marks(core: &Core, from: usize, len: usize, what: &str) {
    let bytes = core.at(from, len).unwrap_or_else(|| panic!("{what}: {len} bytes at {from:#x} are not in"));
    assert!(bytes.iter().zip(from..).all(|(byte, at)| *byte == mark(at)), "{what}: other bytes at {from:#x}");
}
