//! The region of a heap: a nameless file of memory, sparse, sealed, and mapped at an agreed base.
//!
//! Nothing is left behind whatever kills the job, since the file has no name and goes with its last user. No peer can
//! truncate it (which would be a SIGBUS here), since its size is sealed; holes can still be punched. It costs nothing
//! until it is touched.
//!
//! * **MEMFD-F1** the mapping of a [`MemfdRegion`] is given up once, last of all: by its drop, or by
//!   [`unmap`](MemfdRegion::unmap), which leaves the file.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::mm::{Advice, MapFlags, ProtFlags};

use super::aligned::Aligned;
use super::kept::Kept;
use super::mapping::Region;
use crate::units::{Align, Bytes, Offset};

/// The name of every heap's file, as `/proc` shows it.
pub const NAME: &str = "shmem-heap";

/// Where heaps are mapped, tried in this order. These large parts of the address space are empty in ordinary
/// programs: they lie below where executables are placed at random, and above what common allocators and sanitizers
/// use.
pub const BASE_CANDIDATES: [usize; 4] =
    [0x3000_0000_0000, 0x3800_0000_0000, 0x4000_0000_0000, 0x4800_0000_0000];

/// A sealed file of memory, not yet mapped.
pub struct MemfdFile {
    fd: Kept,
    len: Bytes,
}

/// This PE's own mapping of its file.
pub struct MemfdRegion {
    file: MemfdFile,
    base: NonNull<u8>,
}

/// A peer's file, mapped in this process at an address that means nothing to others.
pub struct PeerRegion {
    map: Aligned,
}

// SAFETY: REGION-R1: it owns its mapping; REGION-R3: it gives no access to the bytes.
unsafe impl Send for MemfdRegion {}
// SAFETY: REGION-R3: sharing the value shares no access to the bytes.
unsafe impl Sync for MemfdRegion {}

/// A file of memory of `len` bytes (a multiple of the page size) that can neither grow nor shrink.
pub fn sealed(name: &str, len: Bytes) -> io::Result<OwnedFd> {
    let call =
        |name: &'static str| move |e: rustix::io::Errno| io::Error::new(e.kind(), format!("{name}: {e}"));
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = rustix::fs::memfd_create(name, flags).map_err(call("memfd_create"))?;
    rustix::fs::ftruncate(&file, len.0).map_err(call("ftruncate"))?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals).map_err(call("fcntl(F_ADD_SEALS)"))?;
    Ok(file)
}

impl MemfdFile {
    /// Creates a file of `len` bytes (a multiple of the page size) that can neither grow nor shrink.
    pub fn create(len: Bytes) -> io::Result<MemfdFile> {
        Ok(MemfdFile { fd: Kept::new(sealed(NAME, len)?)?, len })
    }

    /// Takes memory for `len` bytes from `at` on now, so that running out is an error here instead of a signal later.
    pub fn allocate(&self, at: Offset, len: Bytes) -> io::Result<()> {
        match len.0 {
            0 => Ok(()),
            n => Ok(rustix::fs::fallocate(self.open()?, FallocateFlags::empty(), at.0, n)?),
        }
    }

    /// The file, to be passed to the peers; `None` if the program has closed it.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.fd.get()
    }

    fn open(&self) -> io::Result<BorrowedFd<'_>> {
        self.file().ok_or_else(|| io::Error::other("the program has closed the heap's file"))
    }

    /// Maps the file at exactly `base`, or anywhere if `base` is `None`. On failure the file comes back.
    pub fn map(self, base: Option<usize>) -> Result<MemfdRegion, (MemfdFile, io::Error)> {
        let len = self.len.0 as usize;
        let (hint, fixed) = match base {
            Some(at) => (at as *mut _, MapFlags::FIXED_NOREPLACE),
            None => (std::ptr::null_mut(), MapFlags::empty()),
        };
        let flags = MapFlags::SHARED | MapFlags::NORESERVE | fixed;
        let file = match self.open() {
            Ok(file) => file,
            Err(e) => return Err((self, e)),
        };
        // SAFETY: REGION-R2: FIXED_NOREPLACE, or no address at all, replaces no mapping, and nothing but the value
        // returned refers to the new one.
        let mapped =
            unsafe { rustix::mm::mmap(hint, len, ProtFlags::READ | ProtFlags::WRITE, flags, file, 0) };
        let at = match mapped {
            Ok(at) => at,
            Err(e) => return Err((self, e.into())),
        };
        let Some(start) = NonNull::new(at.cast::<u8>()) else {
            return Err((self, io::Error::other("mapped at address 0")));
        };
        let region = MemfdRegion { file: self, base: start };
        match base {
            // A kernel that does not know FIXED_NOREPLACE takes the address for a hint.
            Some(want) if want != start.as_ptr() as usize => {
                Err((region.unmap(), io::Error::from(io::ErrorKind::AddrInUse)))
            }
            _ => Ok(region),
        }
    }
}

impl MemfdRegion {
    /// The file behind the region.
    pub fn file(&self) -> &MemfdFile {
        &self.file
    }

    /// Gives the mapping up and keeps the file, to try another base.
    pub fn unmap(self) -> MemfdFile {
        let mut this = std::mem::ManuallyDrop::new(self);
        this.release();
        // SAFETY: MEMFD-F1: the mapping is gone, and `this` is neither used nor dropped, so the file moves out.
        unsafe { std::ptr::read(&this.file) }
    }

    /// Gives the whole pages within `len` bytes from `at` back to the system; they read as zero then, in every
    /// process that maps the file, so nothing may be kept there. Locked pages stay. (It goes by address, since the
    /// number of the file's descriptor may be another file's by now.)
    pub fn punch(&self, at: Offset, len: Bytes) -> io::Result<()> {
        let page = Align::PAGE.bytes();
        let start = at.0.next_multiple_of(page);
        let end = at.0.saturating_add(len.0).min(self.file.len.0) & !(page - 1);
        if start < end {
            let at = self.base.as_ptr().wrapping_add(start as usize).cast();
            // SAFETY: REGION-R1: it is a part of this mapping, and the caller keeps nothing there.
            unsafe { rustix::mm::madvise(at, (end - start) as usize, Advice::LinuxRemove) }?;
        }
        Ok(())
    }

    /// Says whether core dumps are to hold `len` bytes from `at` on; no byte changes. Returns whether the kernel did
    /// so: each change may take one more of the mappings that a process can have. Makes a system call only.
    pub fn dump(&self, at: Offset, len: Bytes, wanted: bool) -> bool {
        let end = at.0.saturating_add(len.0).min(self.file.len.0);
        let advice = if wanted { Advice::LinuxDoDump } else { Advice::LinuxDontDump };
        let start = self.base.as_ptr().wrapping_add(at.0 as usize);
        // SAFETY: REGION-R1: it is a part of this mapping; the advice changes no byte and no right of access.
        unsafe { rustix::mm::madvise(start.cast(), end.saturating_sub(at.0) as usize, advice) }.is_ok()
    }

    fn release(&mut self) {
        // SAFETY: REGION-R1 and MEMFD-F1: the mapping is this value's alone, and nothing refers to it any more. It
        // cannot fail for a whole mapping.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.file.len.0 as usize) };
    }
}

impl Region for MemfdRegion {
    fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn len(&self) -> Bytes {
        self.file.len
    }
}

impl Drop for MemfdRegion {
    fn drop(&mut self) {
        self.release();
    }
}

impl PeerRegion {
    /// Maps a peer's `file` of `len` bytes. It is left out of this process's core dumps; those of the PE that owns it
    /// have it.
    pub fn of(file: impl AsFd, len: Bytes) -> io::Result<PeerRegion> {
        let found = rustix::fs::fstat(&file)?.st_size as u64;
        if found != len.0 {
            return Err(io::Error::other(format!(
                "a peer's file is not what it should be: its size is {found}, not {}",
                len.0
            )));
        }
        let map = Aligned::map(&file, len.0 as usize)?;
        // SAFETY: ALIGNED-L1: the range is our own mapping; advice about core dumps changes no byte.
        let _ = unsafe { rustix::mm::madvise(map.as_mut_ptr().cast(), map.len(), Advice::LinuxDontDump) };
        Ok(PeerRegion { map })
    }
}

impl Region for PeerRegion {
    fn base(&self) -> NonNull<u8> {
        NonNull::new(self.map.as_mut_ptr()).expect("a mapping is never at 0")
    }

    fn len(&self) -> Bytes {
        Bytes(self.map.len() as u64)
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    const LEN: Bytes = Bytes::mib(4);

    fn put(at: NonNull<u8>, offset: usize, value: u8) {
        assert!(offset < LEN.0 as usize);
        // SAFETY: REGION-R1: the offset is inside.
        let target = unsafe { at.as_ptr().add(offset) };
        // SAFETY: REGION-R1, and the test alone uses the region.
        unsafe { target.write_volatile(value) }
    }

    fn get(at: NonNull<u8>, offset: usize) -> u8 {
        assert!(offset < LEN.0 as usize);
        // SAFETY: REGION-R1: the offset is inside.
        let source = unsafe { at.as_ptr().add(offset) };
        // SAFETY: REGION-R1, and the test alone uses the region.
        unsafe { source.read_volatile() }
    }

    #[test]
    fn mapped_at_the_candidate_and_seen_by_a_peer() {
        let own = MemfdFile::create(LEN).unwrap().map(Some(BASE_CANDIDATES[1])).map_err(|e| e.1).unwrap();
        assert_eq!(own.base().as_ptr() as usize, BASE_CANDIDATES[1]);
        let peer = PeerRegion::of(own.file().file().unwrap(), LEN).unwrap();
        assert!(peer.base().as_ptr().addr().is_multiple_of(2 << 20), "aligned as its own PE's is");
        put(peer.base(), 12345, 77);
        assert_eq!(get(own.base(), 12345), 77);
        assert_eq!(get(own.base(), 0), 0);
    }

    #[test]
    fn an_occupied_base_is_an_error_and_the_file_survives() {
        let first = MemfdFile::create(LEN).unwrap().map(Some(BASE_CANDIDATES[2])).map_err(|e| e.1).unwrap();
        let (file, e) = MemfdFile::create(LEN).unwrap().map(Some(BASE_CANDIDATES[2])).err().unwrap();
        assert_eq!(e.kind(), io::ErrorKind::AlreadyExists);
        let elsewhere = file.map(None).map_err(|e| e.1).unwrap();
        assert_ne!(elsewhere.base(), first.base());
        let again = first.unmap().map(Some(BASE_CANDIDATES[2])).map_err(|e| e.1).unwrap();
        assert_eq!(again.base().as_ptr() as usize, BASE_CANDIDATES[2]);
    }

    #[test]
    fn punched_pages_read_zero_and_the_rest_stays() {
        let own = MemfdFile::create(LEN).unwrap().map(None).map_err(|e| e.1).unwrap();
        for page in 0..4 {
            put(own.base(), page * 4096 + 5, 9);
        }
        own.punch(Offset(4090), Bytes(2 * 4096)).unwrap();
        let seen: Vec<u8> = (0..4).map(|page| get(own.base(), page * 4096 + 5)).collect();
        assert_eq!(seen, [9, 0, 9, 9]);
    }

    #[test]
    fn the_size_is_sealed() {
        let file = MemfdFile::create(LEN).unwrap();
        assert!(rustix::fs::ftruncate(file.file().unwrap(), 0).is_err());
        assert!(rustix::fs::ftruncate(file.file().unwrap(), 1 << 30).is_err());
        assert!(rustix::fs::fcntl_add_seals(file.file().unwrap(), SealFlags::WRITE).is_err());
    }
}
