//! The step itself: copy the spans into the file, map the file over them.
//!
//! ```text
//!   ┌ signals blocked ────────────────────────────────────────────────┐
//!   │ file part: all of it ─► protect ─► look B ─► mmap each span     │
//!   │ .bss: pages present      └──────── nobody writes ─────┘         │
//!   └─────────────────────────────────────────────────────────────────┘
//! ```
//!
//! From the protection on, a thread that wakes and writes faults, and waits in a handler of ours until the file is
//! there (`stop`). A system call that is to write there meanwhile fails with EFAULT: a buffer of `read` in a static,
//! within some microseconds of init.
//!
//! `.bss` is sparse: a page that was never touched reads as zero before and after, in the file too, so
//! only pages the kernel's page map shows are copied (100 MB of untouched `.bss` cost no copy).
//!
//! All of it, until it is noted what has moved, is one turn of those that forks take, too (STATICS-D5): a fork waits.
//!
//! Between the signal mask and its return there are system calls on open files and on the stack, and
//! nothing else (STATICS-D2): no allocation, since an allocator may keep its books in the executable's statics,
//! and no message. A lazily bound C function may have its GOT entry written here; if that is lost, it is
//! bound again.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};

use crate::process::signals::NoSignals;
use crate::process::system::write_memory;
use crate::process::turn::between_forks;
use crate::statics::elf::Writable;
use crate::statics::error::StaticsError;
use crate::statics::span::{Part, Span};
use crate::statics::stop::Stop;
use crate::statics::threads::{InTheWay, Others};

/// How often, a millisecond apart, other threads are looked at until all of them sleep.
const LOOKS: u32 = 100;

/// Why one attempt failed: allocated nothing, to be told after the window. Nothing has changed.
#[derive(Debug)]
pub(super) enum Failed {
    /// A thread has run meanwhile, or come, or blocks what would stop it.
    Ran(InTheWay),
    Look(io::Error),
    Copy(io::Error),
    Protect(io::Error),
    Map(Errno),
}

/// What has moved, for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moved {
    /// So many parts, from the first on.
    pub(super) parts: usize,
    /// Why not all of them.
    pub(super) failed: Option<Errno>,
}

/// What the system was asked for last of all.
pub(super) const MAPPING: &str = "mapping of the static data";

/// Moves all parts into the file, or some. `note` hears of it before any fork can come.
pub(super) fn swap(file: &OwnedFd, parts: &[Part], note: impl FnOnce(Moved)) -> Result<(), StaticsError> {
    let pagemap = Pagemap { file: File::open("/proc/self/pagemap").ok(), page: rustix::param::page_size() };
    let mut note = Some(note);
    let mut looks = 0;
    loop {
        let others = Others::look().map_err(StaticsError::system("/proc/self/task"))?;
        let busy = match others.in_the_way() {
            Some(thread) => thread,
            None => match attempt(file, parts, &pagemap, &others, &mut note) {
                Ok(()) => return Ok(()),
                Err(Failed::Ran(thread)) => thread,
                Err(Failed::Look(e)) => return Err(StaticsError::system("/proc/self/task")(e)),
                Err(Failed::Copy(e)) => return Err(StaticsError::system("copy of the static data")(e)),
                Err(Failed::Protect(e)) => {
                    return Err(StaticsError::system("protection of the static data")(e));
                }
                Err(Failed::Map(e)) => return Err(StaticsError::system(MAPPING)(e.into())),
            },
        };
        looks += 1;
        if looks == LOOKS {
            return Err(busy.error());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Moves the parts and has it noted, without a fork, by another thread or by a signal handler, between the two (STATICS-D5).
pub(super) fn attempt<N: FnOnce(Moved)>(
    file: &OwnedFd,
    parts: &[Part],
    pagemap: &Pagemap,
    others: &Others,
    note: &mut Option<N>,
) -> Result<(), Failed> {
    between_forks(|| {
        let _quiet = NoSignals::new();
        let moved = window(file, parts, pagemap, others)?;
        if let Some(note) = note.take() {
            note(moved);
        }
        Ok(())
    })
}

/// The window of STATICS-D2.
fn window(file: &OwnedFd, parts: &[Part], pagemap: &Pagemap, others: &Others) -> Result<Moved, Failed> {
    // Before the copy, as what it notes is in statics.
    let mut writers = Stop::new(parts);
    for part in parts {
        copy(file, part, pagemap).map_err(Failed::Copy)?;
    }
    let protected = protect(parts, MprotectFlags::READ).map_err(Failed::Protect);
    let done = protected.and_then(|()| match others.ran().map_err(Failed::Look)? {
        Some(thread) => Err(Failed::Ran(thread)),
        None => map_all(file, parts),
    });
    if !matches!(done, Ok(Moved { failed: None, .. })) {
        // What was mapped is writable, and stays so.
        let _ = protect(parts, MprotectFlags::READ | MprotectFlags::WRITE);
    }
    writers.go_on(matches!(others.ran(), Ok(None)));
    done
}

/// Maps the file over all parts, or as many as the system allows.
fn map_all(file: &OwnedFd, parts: &[Part]) -> Result<Moved, Failed> {
    let mut moved = Moved { parts: 0, failed: None };
    for part in parts {
        match map_over(file, part) {
            Ok(()) => moved.parts += 1,
            Err(e) if moved.parts == 0 => return Err(Failed::Map(e)),
            Err(e) => return Ok(Moved { failed: Some(e), ..moved }),
        }
    }
    Ok(moved)
}

/// Sets what may be done with the pages.
pub(super) fn protect(parts: &[Part], how: MprotectFlags) -> io::Result<()> {
    parts.iter().try_for_each(|part| {
        let Span { address, len, .. } = part.span();
        let at = std::ptr::with_exposed_provenance_mut(address);
        // SAFETY: STATICS-D1; the thread that does it writes none of them meanwhile (STATICS-D2), and others wait (`stop`).
        Ok(unsafe { rustix::mm::mprotect(at, len.0 as usize, how) }?)
    })
}

/// The kernel's word on which pages exist, 8 bytes for each.
pub(super) struct Pagemap {
    pub(super) file: Option<File>,
    pub(super) page: usize,
}

const CHUNK: usize = 512;

impl Pagemap {
    /// Whether each of the pages from `at` on holds anything: present in memory, or swapped out. If the
    /// kernel does not say, all of them.
    fn touched<'a>(&self, at: usize, into: &'a mut [u64]) -> &'a [u64] {
        const PRESENT_OR_SWAPPED: u64 = 3 << 62;
        let from = (at / self.page * 8) as u64;
        let known = self.file.as_ref().and_then(|f| f.read_at(bytemuck::cast_slice_mut(into), from).ok());
        for entry in &mut into[known.unwrap_or(0) / 8..] {
            *entry = PRESENT_OR_SWAPPED;
        }
        for entry in &mut *into {
            *entry &= PRESENT_OR_SWAPPED;
        }
        into
    }
}

/// Copies one part into the file: the file part whole, of the rest what was ever touched. By address, as these bytes are
/// other code's variables, to which no reference may be made.
pub(super) fn copy(file: &OwnedFd, part: &Part, pagemap: &Pagemap) -> io::Result<()> {
    let Writable { lo, file_end, hi } = part.range;
    let offset = |at: usize| part.offset.0 + (at - lo) as u64;
    write_memory(file.as_fd(), lo, file_end - lo, offset(lo))?;
    let page = pagemap.page;
    let mut entries = [0u64; CHUNK];
    let mut at = file_end;
    while at < hi {
        let n = ((hi - at) / page).min(CHUNK);
        let mut run = at;
        for pages in pagemap.touched(at, &mut entries[..n]).chunk_by(|a, b| (*a == 0) == (*b == 0)) {
            let len = pages.len() * page;
            if pages[0] != 0 {
                write_memory(file.as_fd(), run, len, offset(run))?;
            }
            run += len;
        }
        at = run;
    }
    Ok(())
}

/// Maps the file over a part.
fn map_over(file: &OwnedFd, part: &Part) -> Result<(), Errno> {
    let Span { address, offset, len } = part.span();
    let at = std::ptr::with_exposed_provenance_mut(address);
    let flags = MapFlags::SHARED | MapFlags::FIXED;
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: STATICS-D1: the pages replaced are the executable's data and nothing else; STATICS-D2: the file holds
    // their bytes as they are, so whoever refers to them finds what was there.
    unsafe { rustix::mm::mmap(at, len.0 as usize, protection, flags, file, offset.0) }?;
    Ok(())
}
