//! What is in this process: libraries, and whether more can be loaded.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The shared objects of this process, as the loader names them; not the executable.
fn objects() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    // SAFETY: the callback gets `found` back and is called only before this returns.
    unsafe { libc::dl_iterate_phdr(Some(take_down), (&raw mut found).cast()) };
    found
}

unsafe extern "C" fn take_down(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
    // SAFETY: `objects` passes a pointer to its own local, which nobody else refers to.
    let found = unsafe { &mut *found.cast::<Vec<PathBuf>>() };
    // SAFETY: the loader passes a description that is valid during the call.
    let name = unsafe { (*info).dlpi_name };
    if !name.is_null() {
        // SAFETY: the loader's own string, which it keeps during the call.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        // The executable has no name; what the kernel maps has no file.
        if !name.is_empty() && !name.starts_with(b"linux-") {
            found.push(PathBuf::from(OsStr::from_bytes(name)));
        }
    }
    0
}

/// Whether this process has a loader that libraries can be loaded by. An executable with the C library in it would get
/// a second one.
pub(crate) fn can_load() -> bool {
    !objects().is_empty()
}

/// The MPI that is in this process, whoever brought it.
pub(super) fn mpi() -> Option<PathBuf> {
    objects().into_iter().find(|object| is_mpi(object))
}

fn is_mpi(object: &Path) -> bool {
    let name = object.file_name().and_then(OsStr::to_str).unwrap_or_default();
    ["libmpi.so", "libmpich.so", "libmpi_abi.so", "libmpi_mt.so"].iter().any(|mpi| name.starts_with(mpi))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_mpi() {
        for name in ["/usr/lib/libmpi.so.40", "libmpich.so.12", "/opt/intel/lib/libmpi.so.12.0"] {
            assert!(is_mpi(Path::new(name)), "{name}");
        }
        for name in ["/usr/lib/libmpi_cxx.so.40", "libmpicxx.so.12", "libmpfr.so.6", "libshmem.so.1", ""] {
            assert!(!is_mpi(Path::new(name)), "{name}");
        }
    }

    #[test]
    #[cfg(not(target_feature = "crt-static"))]
    fn a_program_with_shared_libraries_can_load_more() {
        assert!(can_load());
    }
}
