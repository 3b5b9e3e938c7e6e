//! The executable's static data as shared memory: `.data` and `.bss` become symmetric objects.
//!
//! ```text
//!   the executable's writable segments                    one sealed memfd per process
//!   ┌───────────┬───────────────┬──────────────────┐
//!   │ RELRO     │ .data         │ .bss             │ heap   0 ┌──────────────────┐
//!   │ read-only │ file part     │ anonymous part   │ (brk)    │ span 0           │◄─ a peer maps it,
//!   └───────────┴───────────────┴──────────────────┘          ├──────────────────┤   its boot passed it,
//!    stays       ◄──────────── a span ────────────►           │ span 1, if any   │   names a static by
//!    private      page edges; becomes MAP_SHARED              └──────────────────┘   its file offset
//! ```
//!
//! [`remap`] runs first thing in init: it copies the spans into the file and maps the file over them, at
//! the same addresses, so that no pointer of the program notices. They stay mapped until the process ends,
//! through every finalize and re-init; a second call returns what the first one did.
//!
//! Invariants:
//! * **STATICS-D1** A span is whole pages of the executable's own writable data, private and `rw-` before: never
//!   a RELRO page, never code, never the heap behind `.bss`.
//! * **STATICS-D2** From the copy of a page until the file is mapped over it, nobody writes that page: the calling
//!   thread takes no signals, allocates nothing and stores to no static; every other thread sleeps until the page is
//!   protected, and is stopped from then on.
//! * **STATICS-D3** A refusal changes nothing: until the first span is mapped, the program runs on its own pages.
//!   If the system refuses a later span, those before it stay shared, for forks to copy; the data is not symmetric.
//! * **STATICS-D4** Equal [`Identity`] means equal spans at equal file offsets, wherever each process has them.
//! * **STATICS-D5** A fork finds either no span mapped or `DONE` set: from the first mapping until then, forks wait, and the
//!   calling thread takes no signals.
//!
//! **Threads.** Copying data that another thread writes loses the write. A program may well have threads
//! before init (an MPI it initialised itself keeps helper threads), and what a thread will write cannot be
//! known, but that it did not run can: so threads are fine while the kernel shows them off their processors, with
//! unchanged counts of context switches, before the copy and after it. See `threads`. A thread that wakes later, before
//! the file is mapped, and writes, is stopped until it is: see `stop`. One that keeps running is a refusal that names
//! it, and so is one that blocks SIGSEGV, by which a thread is stopped: the data stays private, and every use of it as symmetric data is an error that says why.
//!
//! **Fork.** A child of `fork` gets its own copy of the statics: of what its thread knew of, as it would have without this
//! library; of what others write at that time, byte by byte the old or the new (see `fork`).
//! `vfork`, `posix_spawn` and `clone` with `CLONE_VM` lend the child its parent's memory, statics or not. Of calls
//! that run no fork handlers (`_Fork`, `clone` itself), the child shares the statics, and should go on to `exec` or
//! `_exit`. [`remap`] in a child is refused: it is no PE.
//!
//! Statics of shared libraries, and thread-locals, are not included.
//!
//! A span also holds what the linker put between the program's variables (a GOT that is bound lazily, the
//! C runtime's own bytes); an address check against spans is a check for "inside", not for "a variable".

pub(crate) mod elf;
pub(crate) mod error;
pub(crate) mod fork;
pub(crate) mod identity;
pub(crate) mod maps;
pub(crate) mod span;
pub(crate) mod stop;
pub(crate) mod swap;
#[cfg(test)]
mod tests;
pub(crate) mod threads;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, OnceLock, PoisonError};

use memheap::region::kept::Kept;
use memheap::region::memfd::sealed;
use memheap::{Bytes, Offset};

pub use crate::statics::error::StaticsError;
#[cfg(feature = "testing")]
pub use crate::statics::error::Thread;
pub use crate::statics::identity::Identity;
pub use crate::statics::span::Span;

use crate::process::system::Program;
use crate::statics::span::Part;
use crate::statics::swap::Moved;

/// The static data of this process's executable, shared.
#[derive(Debug)]
pub struct Statics {
    /// For PEs that have not got it, and for the holes in it.
    file: Kept,
    size: Bytes,
    spans: Box<[Span]>,
    identity: Identity,
    pid: u32,
    moved: Moved,
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

/// The name of the file: not the heap's, so that `/proc/PID/maps` tells them apart.
const NAME: &str = "shmem-statics";

/// Set once: what is remapped stays so for the rest of the process. STATICS-D5.
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
    if DONE.get().is_none() {
        make()?;
    }
    match DONE.get() {
        Some(done) if done.pid != std::process::id() => Err(StaticsError::Forked { parent: done.pid }),
        Some(Statics { moved: Moved { failed: Some(e), .. }, .. }) => {
            Err(StaticsError::system(swap::MAPPING)((*e).into()))
        }
        Some(done) => Ok(done),
        None => Err(StaticsError::system(swap::MAPPING)(io::ErrorKind::Other.into())),
    }
}

/// Whether the static data is shared, or some of it.
pub(crate) fn is_moved() -> bool {
    DONE.get().is_some()
}

/// Sets [`DONE`], unless nothing has changed.
fn make() -> Result<(), StaticsError> {
    let executable = Program::find();
    let identity = Identity::of(&executable).map_err(StaticsError::system("/proc/self/exe"))?;
    let ranges = elf::writable_of(&executable);
    maps::check_private(&ranges)?;
    let mut size = 0;
    let place = |range: &elf::Writable| {
        let offset = Offset(size);
        size += (range.hi - range.lo) as u64;
        Part { range: *range, offset }
    };
    let parts: Box<[Part]> = ranges.iter().map(place).collect();
    let size = Bytes(size);
    let allowed = crate::process::limits::Limits::here().allow(size);
    let file = allowed
        .and_then(|()| sealed(NAME, size))
        .map_err(StaticsError::system("memfd of the static data"))?;
    let kept = file.try_clone().and_then(Kept::new);
    let kept = kept.map_err(StaticsError::system("a descriptor of the static data"))?;
    let spans = parts.iter().map(Part::span).collect();
    let pid = std::process::id();
    swap::swap(&file, &parts, |moved| {
        DONE.get_or_init(|| Statics { file: kept, size, spans, identity, pid, moved });
    })
}

impl Statics {
    /// The file, to be passed to the peers; `None` if the program has closed it.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.file.get()
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
}
