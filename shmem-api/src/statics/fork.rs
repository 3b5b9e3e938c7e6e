//! The static data of a child of `fork`: its own, a copy made just before the fork.
//!
//! ```text
//!   parent:  prepare: a private copy of the spans ──► fork ──► the copy goes
//!                                                      │
//!   child:                                             └──► the copy is moved over the spans, whole and at once
//! ```
//!
//! What the child finds: all that the forking thread wrote before it called `fork`, and all that others wrote of which
//! that thread knew, by a lock or another synchronisation. If nobody else writes meanwhile, that is the data as it was
//! at the fork. What other threads and other PEs write from the call on until the fork, it finds or does not, byte by
//! byte and in no order: the copy is not of one instant, and it is older than the child's stacks and its `malloc` heap,
//! so a static may refer to what is there no more. Fork handlers that take the program's locks make it exact for what
//! these guard. Handlers that were asked for before ours run after the copy: what they write is not in it.
//!
//! It costs time, and until the fork is over memory, for as much of the static data as was ever touched; what the child
//! keeps of it is its own data. If the system has not got it, the fork goes on, and the child ends with a line.
//!
//! Pages that are mapped shared stay so in a child, and the file cannot be mapped privately instead: what the parent
//! writes later would show in every page the child has not written. So the copy is made before the fork, where an
//! allocation that fails harms nobody, and where the locks of the program's own fork handlers are held already (they
//! run before ours, since ours was asked for first). In the child there is one system call for each span.
//!
//! Invariant **STATICS-F1**: [`in_child`] calls the kernel only, and stores to no static before all spans are private.
#![allow(unsafe_code)]

use std::ops::Range;
use std::os::fd::BorrowedFd;

use rustix::fs::SeekFrom;
use rustix::io::Errno;
use rustix::mm::{MapFlags, MremapFlags, ProtFlags};

use crate::memory::copy;
use crate::statics::span::Span;
use crate::statics::{DONE, Statics};

/// A copy of this process's static data, for a child that is about to be.
#[derive(Clone, Copy)]
pub(crate) enum Snapshot {
    /// The data is private anyway.
    Needless,
    /// It could not be made: a child cannot go on.
    Failed,
    /// It is here.
    At(usize),
}

/// Before a fork, in the parent: makes the copy.
pub(crate) fn before() -> Snapshot {
    match DONE.get() {
        Some(statics) if statics.size.0 > 0 => statics.snapshot().map_or(Snapshot::Failed, Snapshot::At),
        _ => Snapshot::Needless,
    }
}

/// After it, in the parent.
pub(crate) fn in_parent(snapshot: Snapshot) {
    if let (Snapshot::At(at), Some(statics)) = (snapshot, DONE.get()) {
        let at = std::ptr::with_exposed_provenance_mut(at);
        // SAFETY: the mapping `before` made, to which nothing refers.
        let _ = unsafe { rustix::mm::munmap(at, statics.size.0 as usize) };
    }
}

/// After it, in the child: its static data is its own. STATICS-F1. False: it still is its parent's.
///
/// # Safety
/// This is a child that has written no static yet: what it writes before is lost.
pub(crate) unsafe fn in_child(snapshot: Snapshot) -> bool {
    let (at, statics) = match (snapshot, DONE.get()) {
        (Snapshot::At(at), Some(statics)) => (at, statics),
        (Snapshot::Needless, _) => return true,
        _ => return false,
    };
    statics.take(at)
}

impl Statics {
    /// Those that are shared: all, as a rule.
    fn shared(&self) -> &[Span] {
        self.spans.get(..self.moved.parts).unwrap_or(&self.spans)
    }

    /// Moves a copy over them, if the system allows it.
    pub(super) fn take(&self, at: usize) -> bool {
        self.shared().iter().all(|span| {
            let from = std::ptr::with_exposed_provenance_mut(at + span.offset.0 as usize);
            let (to, len) = (std::ptr::with_exposed_provenance_mut(span.address), span.len.0 as usize);
            // SAFETY: STATICS-D1: the pages replaced are the executable's data and nothing else, and the copy holds their bytes
            // as they were: whoever refers to them finds what was there.
            unsafe { rustix::mm::mremap_fixed(from, len, len, MremapFlags::MAYMOVE, to) }.is_ok()
        })
    }

    /// Sparse: what is a hole in the file is none in the copy.
    pub(super) fn snapshot(&self) -> rustix::io::Result<usize> {
        let size = self.size.0 as usize;
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // Accounted for in full, so that where the system counts what it promises a lack is found here, and not when
        // the pages are written.
        // SAFETY: new memory, anywhere.
        let at =
            unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), size, protection, MapFlags::PRIVATE) }?;
        // The program may have closed it.
        let file = self.file.get();
        let mut from = 0;
        while let Some(data) = self.written(file, from) {
            from = data.end;
            self.copy(data, at.cast());
        }
        Ok(at.expose_provenance())
    }

    /// What there is in the file from `from` on, up to a hole. All the rest, if the system does not say.
    fn written(&self, file: Option<BorrowedFd<'_>>, from: u64) -> Option<Range<u64>> {
        let size = self.size.0;
        let rest = (from < size).then_some(from..size);
        let Some(file) = file else { return rest };
        match rustix::fs::seek(file, SeekFrom::Data(from)) {
            Ok(data) => {
                let hole = rustix::fs::seek(file, SeekFrom::Hole(data));
                Some(data..hole.unwrap_or(size))
            }
            // No data behind it.
            Err(Errno::NXIO) => None,
            Err(_) => rest,
        }
    }

    /// Copies what lies there in the file.
    fn copy(&self, data: Range<u64>, to: *mut u8) {
        for span in self.shared() {
            let (lo, hi) = (data.start.max(span.offset.0), data.end.min(span.offset.0 + span.len.0));
            if lo < hi {
                let from = span.address + (lo - span.offset.0) as usize;
                let from = std::ptr::with_exposed_provenance::<u8>(from);
                // SAFETY: inside the span, which stays mapped, and inside the copy; shared memory, read as such.
                unsafe { copy::get(to.wrapping_add(lo as usize), from, (hi - lo) as usize) };
            }
        }
    }
}
