//! Libraries that are loaded at run time, so that nothing needs them to be built or to start: PMIx, MPI, UCX.
//!
//! Invariants: **LIBRARY-D1** a library stays loaded until the process ends, with its threads and its variables. **LIBRARY-D2**
//! whoever asks for a symbol says what it is; the invariant that vouches for that is the asker's, of the declarations.
#![allow(unsafe_code)]

use std::ffi::{OsStr, c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::OnceLock;

use libloading::os::unix::Library;
pub(crate) use libloading::os::unix::{RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL, RTLD_NOW};

/// `RTLD_NOLOAD`: only what is loaded already.
pub(crate) const RTLD_NOLOAD: c_int = libc::RTLD_NOLOAD;

/// A library, by the loader's handle. LIBRARY-D1. (Nothing is allocated for it: what nobody frees would be a leak to sanitizers.)
#[derive(Clone, Copy)]
pub(crate) struct Loaded(usize);

impl Loaded {
    /// Loads it, or finds it loaded.
    ///
    /// # Errors
    /// What the loader says.
    pub(crate) fn open(name: impl AsRef<OsStr>, flags: c_int) -> Result<Loaded, String> {
        // SAFETY: a library's initialisers may be run by whoever may run the program: they are the system's or the user's own.
        let library = unsafe { Library::open(Some(name.as_ref()), flags) };
        Ok(Loaded(library.map_err(|e| e.to_string())?.into_raw().expose_provenance()))
    }

    /// What all of the program may use: the executable, and what it needs or has loaded for all.
    pub(crate) fn program() -> Loaded {
        static PROGRAM: OnceLock<Loaded> = OnceLock::new();
        *PROGRAM.get_or_init(|| Loaded(Library::this().into_raw().expose_provenance()))
    }

    /// It is not closed when this is dropped: LIBRARY-D1.
    fn library(self) -> ManuallyDrop<Library> {
        let handle = std::ptr::with_exposed_provenance_mut(self.0);
        // SAFETY: LIBRARY-D1: a handle of the loader's, of a library that stays loaded.
        ManuallyDrop::new(unsafe { Library::from_raw(handle) })
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
        unsafe { self.library().get::<T>(name.as_bytes()) }.map(|f| *f).map_err(|e| e.to_string())
    }

    /// Where a function or a variable is.
    pub(crate) fn address(self, name: &str) -> Option<NonNull<c_void>> {
        let library = self.library();
        // SAFETY: only the address is taken.
        let found = unsafe { library.get::<*const c_void>(name.as_bytes()) };
        NonNull::new(found.ok()?.as_raw_ptr())
    }
}
