//! The executable's static data as shared memory: `.data` and `.bss` become symmetric objects.
//!
//! ```text
//!   the executable's writable segments                    one sealed memfd per process
//!   ┌───────────┬───────────────┬──────────────────┐
//!   │ RELRO     │ .data         │ .bss             │ heap   0 ┌──────────────────┐
//!   │ read-only │ file part     │ anonymous part   │ (brk)    │ span 0           │◄─ a peer maps it by
//!   └───────────┴───────────────┴──────────────────┘          ├──────────────────┤   (pid, fd, size) and
//!    stays       ◄──────────── a span ────────────►           │ span 1, if any   │   names a static by
//!    private      page edges; becomes MAP_SHARED              └──────────────────┘   its file offset
//! ```
//!
//! [`remap`] runs first thing in init: it copies the spans into the file and maps the file over them, at
//! the same addresses, so that no pointer of the program notices. They stay mapped until the process ends,
//! through every finalize and re-init; a second call returns what the first one did.
//!
//! Invariants:
//! * **D1** A span is whole pages of the executable's own writable data, private and `rw-` before: never
//!   a RELRO page, never code, never the heap behind `.bss`.
//! * **D2** From the copy of a page until the file is mapped over it, nobody writes that page: the calling
//!   thread takes no signals, allocates nothing and stores to no static; every other thread sleeps.
//! * **D3** A refusal changes nothing: until the first span is mapped, the program runs on its own pages.
//! * **D4** Equal [`Identity`] means equal spans at equal file offsets, wherever each process has them.
//!
//! **Threads.** Copying data that another thread writes loses the write. A program may well have threads
//! before init (an MPI it initialised itself keeps helper threads), and what a thread will write cannot be
//! known, but that it did not run can: so threads are fine while the kernel shows them asleep, with
//! unchanged counts of context switches, before the copy and after it. A thread that keeps running is a
//! refusal that names it. See `threads`.
//!
//! **Fork.** A child of `fork` shares the statics with its parent from then on, instead of getting a copy
//! at its first write. A child that goes on to `exec` or `_exit` notices nothing; one that runs on writes
//! its parent's variables, those of Rust's runtime among them (`std::process::exit` in the child makes that
//! of the parent abort). [`remap`] in such a child is refused: the data is its parent's.
//!
//! Statics of shared libraries, and thread-locals, are not included.
//!
//! A span also holds what the linker put between the program's variables (a GOT that is bound lazily, the
//! C runtime's own bytes); an address check against spans is a check for "inside", not for "a variable".

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, OnceLock, PoisonError};

use memheap::{Bytes, Offset};
use rustix::fs::{MemfdFlags, SealFlags};

mod elf;
mod identity;
mod maps;
mod swap;
mod threads;

pub use identity::Identity;
pub use threads::Thread;

use elf::Executable;
use swap::Part;

/// The static data of this process's executable, shared.
#[derive(Debug)]
pub struct Statics {
    file: OwnedFd,
    size: Bytes,
    spans: Box<[Span]>,
    identity: Identity,
    pid: u32,
    disturbed: Option<Thread>,
}

/// A stretch of static data: `len` bytes at `address` in this process, at `offset` in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Where it begins in this process. Differs from PE to PE when the executable is position-independent.
    pub address: usize,
    /// Where it begins in the file: the same on every PE that runs the same executable.
    pub offset: Offset,
    /// Its length, whole pages.
    pub len: Bytes,
}

/// Where an address lies in the static data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Index in [`Statics::spans`].
    pub span: usize,
    /// Offset in the file, which is what names a static object on another PE.
    pub offset: Offset,
    /// Bytes from the address to the end of its span: an object has at most as many.
    pub left: Bytes,
}

/// Why the static data stays private. The program is unharmed and may try again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StaticsError {
    /// Another thread kept running, and might have written while its data was copied.
    #[error("{0} is running; initialise before it starts, or while it waits")]
    Busy(Thread),
    /// The data belongs to a parent process that remapped it before `fork`.
    #[error("they are shared with process {parent}, which this one was forked from; initialise before fork")]
    Forked {
        /// The process whose file it is.
        parent: u32,
    },
    /// Some page of the data is not ordinary private memory any more.
    #[error("the page at {at:#x} is not private and writable: the program or another library remapped it")]
    NotPrivate {
        /// The first such page.
        at: usize,
    },
    /// The system refused.
    #[error("{what}: {why}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's reason.
        why: String,
    },
}

impl StaticsError {
    fn system(what: &'static str) -> impl FnOnce(io::Error) -> StaticsError {
        move |why| StaticsError::System { what, why: why.to_string() }
    }
}

/// Set once: what is remapped stays so for the rest of the process.
static DONE: OnceLock<Statics> = OnceLock::new();
/// Held while remapping.
static TURN: Mutex<()> = Mutex::new(());

/// Makes the static data of the executable shared memory, or finds it so from an earlier call. Not
/// collective. To be called before anything else of a start, so that as few threads as possible exist.
///
/// # Errors
/// Nothing has changed then, and the static data is not symmetric.
pub fn remap() -> Result<&'static Statics, StaticsError> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(done) = DONE.get() {
        return match done.pid == std::process::id() {
            true => Ok(done),
            false => Err(StaticsError::Forked { parent: done.pid }),
        };
    }
    let made = make()?;
    Ok(DONE.get_or_init(|| made))
}

fn make() -> Result<Statics, StaticsError> {
    let executable = Executable::find();
    let identity = Identity::of(&executable).map_err(StaticsError::system("/proc/self/exe"))?;
    let ranges = executable.writable();
    maps::check_private(&ranges)?;
    let mut size = 0;
    let place = |range: &elf::Writable| {
        let offset = Offset(size);
        size += (range.hi - range.lo) as u64;
        Part { range: *range, offset }
    };
    let parts: Box<[Part]> = ranges.iter().map(place).collect();
    let size = Bytes(size);
    let file = create(size).map_err(StaticsError::system("memfd of the static data"))?;
    let disturbed = swap::swap(&file, &parts)?;
    let spans = parts.iter().map(Part::span).collect();
    Ok(Statics { file, size, spans, identity, pid: std::process::id(), disturbed })
}

/// A file for the spans, sealed as the heap's is (see `memheap::region::memfd`), named differently so
/// that `/proc/PID/maps` tells them apart.
fn create(size: Bytes) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("shmem-statics", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    crate::limits::Limits::here().allow(size)?;
    rustix::fs::ftruncate(&file, size.0)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

impl Statics {
    /// The number under which a peer finds the file in `/proc/PID/fd`.
    pub fn raw_fd(&self) -> i32 {
        self.file.as_raw_fd()
    }

    /// Size of the file. Zero if the executable has no writable data.
    pub fn size(&self) -> Bytes {
        self.size
    }

    /// The stretches of static data, in the order of their offsets. One as a rule, a handful at most.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Where `address` lies in the static data, if it does.
    #[inline]
    pub fn find(&self, address: usize) -> Option<Found> {
        self.spans.iter().enumerate().find_map(|(span, s)| {
            let into = address.wrapping_sub(s.address) as u64;
            let inside = into < s.len.0;
            inside.then(|| Found { span, offset: Offset(s.offset.0 + into), left: Bytes(s.len.0 - into) })
        })
    }

    /// What tells whether two PEs run the same executable, for the exchange at start.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// A thread that slept through the copy and woke in the microseconds before the file was mapped. If
    /// it wrote a static just then, the write is lost; whoever starts the library may want to say so.
    pub fn disturbed(&self) -> Option<&Thread> {
        self.disturbed.as_ref()
    }
}

#[cfg(test)]
mod tests;
