//! One engine in a process. A program may contain this library twice, without knowing: a Rust program with this
//! crate that also loads `libshmem.so`, say. Each would take the executable's static data and the PEs' heaps for
//! its own, so the one that comes second is refused.
//!
//! Copies of the library share no variables. What they share is the process: an engine that is up has its heap mapped,
//! whose name says what it is. (Where there is no `/proc`, that cannot be seen.)

use memheap::region::memfd;

use crate::error::Error;

/// To be asked by a copy whose own engine is down.
///
/// # Errors
/// Another copy's engine is up in this process.
pub(crate) fn check() -> Result<(), Error> {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return Ok(()) };
    let heap = format!("/memfd:{}", memfd::NAME);
    match maps.contains(&heap) {
        true => Err(Error::Boot(
            "another copy of this library is up in this process: a Rust program with the crate that also loads \
             libshmem.so? Use one of them"
                .into(),
        )),
        false => Ok(()),
    }
}
