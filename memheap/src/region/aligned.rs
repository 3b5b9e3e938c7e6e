//! A file mapped at a multiple of a huge page, so that its contents are aligned here as they are in the PE that owns
//! it.
//!
//! ```text
//!   reserved   |......|■■■■■■■■■■■■ the file ■■■■■■■■■■■■|.....|     both ends are given back
//!                     ▲ a multiple of 2 MiB
//! ```
//!
//! * **ALIGNED-L1** `at` is the start of `len` bytes that are mapped, readable and writable, by this value alone and as
//!   long as it lives;
//! * **ALIGNED-L2** what [`map`](Aligned::map) reserves is known to nobody else before it returns.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsFd;
use std::ptr::{NonNull, null_mut};

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use crate::units::Align;

/// The mapping.
#[derive(Debug)]
pub(crate) struct Aligned {
    at: NonNull<u8>,
    len: usize,
}

impl Aligned {
    /// Maps the first `len` bytes of `file`, shared.
    pub(crate) fn map(file: impl AsFd, len: usize) -> io::Result<Aligned> {
        let step = Align::HUGE.bytes() as usize;
        let too_long = || io::Error::from(io::ErrorKind::OutOfMemory);
        let all = len.checked_add(step).ok_or_else(too_long)?;
        // SAFETY: REGION-R2: no address is asked for, so nothing is replaced.
        let start = unsafe {
            mmap_anonymous(null_mut(), all, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE)
        }?;
        let skip = start.addr().wrapping_neg() % step;
        let flags = MapFlags::SHARED | MapFlags::NORESERVE | MapFlags::FIXED;
        let at = start.wrapping_byte_add(skip);
        // SAFETY: ALIGNED-L2: it replaces a part of what was just reserved.
        let mapped = unsafe { mmap(at, len, ProtFlags::READ | ProtFlags::WRITE, flags, file, 0) };
        let give_up = |from: *mut _, len: usize| {
            if len > 0 {
                // SAFETY: ALIGNED-L2: it gives up a part of what was just reserved.
                let _ = unsafe { munmap(from, len) };
            }
        };
        if let Err(e) = mapped {
            give_up(start, all);
            return Err(e.into());
        }
        // In whole pages, since the last page of a file is mapped whole.
        let end = len.next_multiple_of(Align::PAGE.bytes() as usize);
        give_up(start, skip);
        give_up(at.wrapping_byte_add(end), all.saturating_sub(skip + end));
        let at = NonNull::new(at.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Aligned { at, len })
    }

    /// Where it starts.
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.at.as_ptr()
    }

    /// How long it is.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Aligned {
    fn drop(&mut self) {
        // SAFETY: ALIGNED-L1: the mapping belongs to this value, which ends here.
        let _ = unsafe { munmap(self.at.as_ptr().cast(), self.len) };
    }
}

// SAFETY: ALIGNED-L1: it owns the mapping; REGION-R3: it gives no access to the bytes.
unsafe impl Send for Aligned {}
// SAFETY: REGION-R3: sharing the value shares no access to the bytes.
unsafe impl Sync for Aligned {}
