//! The default region: a nameless file of memory, sparse, sealed, and mapped at an agreed base.
//!
//! * Nothing is left behind whatever kills the job: the file has no name and goes with its last user.
//! * Its size is sealed, so no peer can truncate it under us (which would be a SIGBUS); holes can
//!   still be punched.
//! * It costs nothing until it is touched.
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

/// Large parts of the address space that are empty in ordinary programs: below the executables that
/// are placed at random, above what common allocators and sanitizers use. Tried in this order.
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

/// A peer's file, mapped here. The address is this process's own affair.
pub struct PeerRegion {
    map: Aligned,
}

// SAFETY: the region owns its mapping; access to the bytes is the business of whoever uses the base.
unsafe impl Send for MemfdRegion {}
// SAFETY: as above: sharing the value shares no access.
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

    /// Takes memory for `len` bytes from `at` now, so that running out is an error here and no signal later.
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
        // SAFETY: FIXED_NOREPLACE (or no address at all) replaces no existing mapping, and the new one
        // is referred to by nothing but the value returned.
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
            // A kernel that does not know FIXED_NOREPLACE takes the address as a hint.
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
        // SAFETY: `this` is never used again, and its mapping is gone.
        unsafe { std::ptr::read(&this.file) }
    }

    /// Gives the whole pages within `len` bytes from `at` back to the system; they read as zero, in every
    /// process that maps the file. Nothing may be kept there. By address: the file's number may be another's.
    /// Pages that are locked stay.
    pub fn punch(&self, at: Offset, len: Bytes) -> io::Result<()> {
        let page = Align::PAGE.bytes();
        let start = at.0.next_multiple_of(page);
        let end = at.0.saturating_add(len.0).min(self.file.len.0) & !(page - 1);
        if start < end {
            let at = self.base.as_ptr().wrapping_add(start as usize).cast();
            // SAFETY: REGION-R1: inside this mapping of the file; by contract nothing is kept there.
            unsafe { rustix::mm::madvise(at, (end - start) as usize, Advice::LinuxRemove) }?;
        }
        Ok(())
    }

    /// Whether core dumps hold `len` bytes from `at`; it changes no byte. Whether it is so now: each change may cost the
    /// kernel a mapping, of which a process has only so many. A system call only.
    pub fn dump(&self, at: Offset, len: Bytes, wanted: bool) -> bool {
        let end = at.0.saturating_add(len.0).min(self.file.len.0);
        let advice = if wanted { Advice::LinuxDoDump } else { Advice::LinuxDontDump };
        let start = self.base.as_ptr().wrapping_add(at.0 as usize);
        // SAFETY: REGION-R1: a part of our own mapping; the advice changes no byte and no right of access.
        unsafe { rustix::mm::madvise(start.cast(), end.saturating_sub(at.0) as usize, advice) }.is_ok()
    }

    fn release(&mut self) {
        // SAFETY: REGION-R1: this mapping is ours alone; by the engine's order of life nothing refers to it.
        // It cannot fail for a whole mapping of our own.
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
    /// Maps a peer's `file`, of `len` bytes. It is left out of core dumps: the PE that owns it has it in its own.
    pub fn of(file: impl AsFd, len: Bytes) -> io::Result<PeerRegion> {
        let found = rustix::fs::fstat(&file)?.st_size as u64;
        if found != len.0 {
            return Err(io::Error::other(format!(
                "a peer's file is not what it should be: its size is {found}, not {}",
                len.0
            )));
        }
        let map = Aligned::map(&file, len.0 as usize)?;
        // SAFETY: advice about what a core dump holds changes no byte; the range is our own mapping.
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
        // SAFETY: REGION-R1, and the test alone uses the region.
        let target = unsafe { at.as_ptr().add(offset) };
        // SAFETY: as above.
        unsafe { target.write_volatile(value) }
    }

    fn get(at: NonNull<u8>, offset: usize) -> u8 {
        assert!(offset < LEN.0 as usize);
        // SAFETY: REGION-R1, and the test alone uses the region.
        let source = unsafe { at.as_ptr().add(offset) };
        // SAFETY: as above.
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
