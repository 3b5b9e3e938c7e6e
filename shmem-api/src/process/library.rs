//! Libraries that are loaded at run time, so that nothing needs them to be built or to start: PMIx, MPI, UCX.
//!
//! Invariants: **LIBRARY-D1** a library stays loaded until the process ends, with its threads and its variables. **LIBRARY-D2**
//! whoever asks for a symbol says what it is; the invariant that vouches for that is the asker's, of the declarations.
#![allow(unsafe_code)]

use std::ffi::{OsStr, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use libloading::os::unix::Library;
pub(crate) use libloading::os::unix::{RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL, RTLD_NOW};

/// `RTLD_NOLOAD`: only what is loaded already.
pub(crate) const RTLD_NOLOAD: c_int = libc::RTLD_NOLOAD;

/// A library. LIBRARY-D1.
#[derive(Clone, Copy)]
pub(crate) struct Loaded(&'static Library);

impl Loaded {
    /// Loads it, or finds it loaded.
    ///
    /// # Errors
    /// What the loader says.
    pub(crate) fn open(name: impl AsRef<OsStr>, flags: c_int) -> Result<Loaded, String> {
        // SAFETY: a library's initialisers may be run by whoever may run the program: they are the system's or the user's own.
        let library = unsafe { Library::open(Some(name.as_ref()), flags) };
        Ok(Loaded(Box::leak(Box::new(library.map_err(|e| e.to_string())?))))
    }

    /// What all of the program may use: the executable, and what it needs or has loaded for all.
    pub(crate) fn program() -> Loaded {
        static PROGRAM: OnceLock<Library> = OnceLock::new();
        Loaded(PROGRAM.get_or_init(Library::this))
    }

    /// A function.
    ///
    /// # Safety
    /// LIBRARY-D2: `T` is the type of the function of that name.
    ///
    /// # Errors
    /// There is none.
    pub(crate) unsafe fn function<T: Copy>(self, name: &str) -> Result<T, String> {
        // SAFETY: LIBRARY-D2; by LIBRARY-D1 the copy outlives the symbol.
        unsafe { self.0.get::<T>(name.as_bytes()) }.map(|f| *f).map_err(|e| e.to_string())
    }

    /// Where a function or a variable is.
    pub(crate) fn address(self, name: &str) -> Option<NonNull<c_void>> {
        // SAFETY: only the address is taken.
        let found = unsafe { self.0.get::<*const c_void>(name.as_bytes()) };
        NonNull::new(found.ok()?.as_raw_ptr())
    }
}
