//! The launcher's PMIx (Open MPI's and PRRTE's `mpirun`, `srun`): by `libpmix.so.2`, which is loaded at run time.
//!
//! ```text
//!   PMIx_Init ──► PMIx_Get: how many, which are here ──► PMIx_Put, PMIx_Commit: the card
//!                                                        PMIx_Fence, which collects; PMIx_Get of each PE
//!   process exit: PMIx_Finalize, which waits for nobody        shmem_global_exit: PMIx_Abort
//! ```
//!
//! An MPI in the process may use the same library: it counts its inits. A program may close the library's descriptors; then it
//! is not called any more, since it would wait for an answer for ever.
//!
//! Invariants:
//! * **PMIX-X1** the functions are those of `abi`, of a library of a major version whose interface that is; it stays loaded
//!   until the process ends.
//! * **PMIX-X2** after a successful init, and until finalize, they may be called by any thread of this process, and not by
//!   its children.
//! * **PMIX-X3** a value of the library is of the kind it says, and is the caller's to free.
//! * **PMIX-X4** it is called at the end only if its descriptors are as they were after its init.
#![allow(unsafe_code)]

mod abi;
mod descriptors;

use std::ffi::{CStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use memheap::PeId;

use crate::boot::launched::{is_slurms, left_over};
use crate::boot::launcher::Launcher;
use crate::boot::loaded;
use crate::boot::missing::{Job, Watch};
use crate::boot::pmi;
use crate::boot::pmix::abi::{
    BOOL, BYTE_OBJECT, ByteObject, COLLECT_DATA, Data, GLOBAL, Info, JOB_SIZE, LOCAL_PEERS, MAX_KEYLEN, Proc,
    RANK_WILDCARD, STRING, SUCCESS, UINT32, Value, call,
};
use crate::boot::pmix::descriptors::Descriptors;
use crate::error::Error;
use crate::process::library::{Loaded, RTLD_LOCAL, RTLD_NOW};
use crate::process::say::say;

/// The file of every version with this interface.
const LIBRARY: &str = "libpmix.so.2";
/// Major versions that are known to have it.
const KNOWN: std::ops::RangeInclusive<u32> = 3..=6;

/// The loaded library.
#[derive(Clone, Copy)]
pub(super) struct Functions {
    get_version: call::GetVersion,
    error_string: call::ErrorString,
    init: call::Init,
    get: call::Get,
    put: call::Put,
    commit: call::Commit,
    fence: call::Fence,
    abort: call::Abort,
    finalize: call::Finalize,
}

/// A job of PMIx.
pub(super) struct Pmix {
    library: Functions,
    me: Proc,
    n_pes: u32,
    /// The library's.
    descriptors: Descriptors,
}

/// The library, if this process was started by a launcher that speaks PMIx.
///
/// # Errors
/// It was not; or there is no library that can be used.
pub(super) fn find() -> Result<Functions, String> {
    for name in ["PMIX_NAMESPACE", "PMIX_RANK"] {
        std::env::var_os(name).ok_or_else(|| format!("{name} is not set"))?;
    }
    if let Some(why) = left_over() {
        return Err(why);
    }
    if std::env::var("PMIX_NAMESPACE").is_ok_and(|ns| is_slurms(&ns)) && pmi::is_of_an_ancestor() {
        return Err("it is that of the step in which the launcher that speaks PMI was started".to_owned());
    }
    if !std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("PMIX_SERVER_URI")) {
        return Err("no PMIX_SERVER_URI is set".to_owned());
    }
    if let Some(why) = refused() {
        return Err(why);
    }
    if !loaded::can_load() {
        return Err("this program is linked statically and loads no library".to_owned());
    }
    static LOADED: OnceLock<Result<Functions, String>> = OnceLock::new();
    LOADED.get_or_init(Functions::load).clone()
}

/// Why the launcher's PMIx will not let this process in, if that can be told: it takes its own user's only. (Asked all the same, Open
/// MPI's mpirun does not end any more.)
pub(super) fn refused() -> Option<String> {
    let directory = std::env::var_os("PMIX_SERVER_TMPDIR")?;
    let own = rustix::process::geteuid().as_raw();
    let refused = match rustix::fs::stat(&directory) {
        Ok(stat) => stat.st_uid != own,
        Err(e) => e == rustix::io::Errno::ACCESS,
    };
    refused.then(|| {
        format!("the launcher's PMIx lets in processes of its own user only, and this one is of user {own}")
    })
}

impl Functions {
    fn load() -> Result<Functions, String> {
        let library = Loaded::open(LIBRARY, RTLD_NOW | RTLD_LOCAL)?;
        fn function<T: Copy>(library: Loaded, name: &str) -> Result<T, String> {
            // SAFETY: PMIX-X1: `T` is the type that `abi` has for that name.
            unsafe { library.function(name) }
        }
        let loaded = Functions {
            get_version: function(library, "PMIx_Get_version")?,
            error_string: function(library, "PMIx_Error_string")?,
            init: function(library, "PMIx_Init")?,
            get: function(library, "PMIx_Get")?,
            put: function(library, "PMIx_Put")?,
            commit: function(library, "PMIx_Commit")?,
            fence: function(library, "PMIx_Fence")?,
            abort: function(library, "PMIx_Abort")?,
            finalize: function(library, "PMIx_Finalize")?,
        };
        let version = loaded.version();
        match major(&version) {
            Some(major) if KNOWN.contains(&major) => Ok(loaded),
            _ => Err(format!("{LIBRARY} is of an unknown version: {version:?}")),
        }
    }

    /// What the library calls itself.
    pub(super) fn version(&self) -> String {
        // SAFETY: PMIX-X1: it may be called before init.
        let text = unsafe { (self.get_version)() };
        // SAFETY: PMIX-X1: a constant string.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
        text.split(", PMIx").next().unwrap_or_default().split(" (").next().unwrap_or_default().to_owned()
    }

    /// What a call returned, as a result.
    fn check(&self, call: &str, status: c_int) -> Result<(), String> {
        if status == SUCCESS {
            return Ok(());
        }
        // SAFETY: PMIX-X1: it takes any number.
        let text = unsafe { (self.error_string)(status) };
        // SAFETY: PMIX-X1: a constant string.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
        Err(format!("{call}: {text} ({status})"))
    }
}

/// Of `OpenPMIx 4.2.2rc1 (PMIx Standard: 4.1, ...)` or `PMIx 3.1.5`.
fn major(version: &str) -> Option<u32> {
    version.split([' ', ',']).find_map(|word| word.split_once('.')?.0.parse().ok())
}

/// Joins the job.
///
/// # Errors
/// The launcher does not let this process in.
pub(super) fn join(library: Functions) -> Result<Pmix, String> {
    let mut me = MaybeUninit::<Proc>::zeroed();
    let before = Descriptors::open();
    // SAFETY: PMIX-X1: it fills `me` in.
    let status = unsafe { (library.init)(me.as_mut_ptr(), ptr::null_mut(), 0) };
    library.check("PMIx_Init", status)?;
    // SAFETY: all zero is one, and it was filled in.
    let me = unsafe { me.assume_init() };
    let mut pmix = Pmix { library, me, n_pes: 0, descriptors: Descriptors::open().since(&before) };
    let asked = pmix.get(RANK_WILDCARD, JOB_SIZE, UINT32, |value| {
        // SAFETY: PMIX-X3.
        unsafe { value.data.uint32 }
    });
    match asked {
        Ok(n_pes) if pmix.me.rank < n_pes => {
            pmix.n_pes = n_pes;
            Ok(pmix)
        }
        Ok(n_pes) => {
            let why = format!("PMIx says PE {} of {n_pes}", pmix.me.rank);
            Box::new(pmix).leave();
            Err(why)
        }
        Err(why) => {
            Box::new(pmix).leave();
            Err(why)
        }
    }
}

impl Pmix {
    /// What PE `rank` has of that key, which must be of that kind.
    fn get<T>(&self, rank: u32, key: &CStr, kind: u16, read: impl FnOnce(&Value) -> T) -> Result<T, String> {
        let from = Proc { rank, ..self.me };
        let mut value = ptr::null_mut();
        // SAFETY: PMIX-X2; without directives it waits until the launcher knows.
        let status =
            unsafe { (self.library.get)(&raw const from, key.as_ptr(), ptr::null(), 0, &raw mut value) };
        let what = || format!("PMIx_Get of {}", key.to_string_lossy());
        self.library.check(&what(), status)?;
        if value.is_null() {
            return Err(format!("{}: nothing", what()));
        }
        // SAFETY: PMIX-X3: it is ours until it is freed below.
        let held = unsafe { &*value };
        let got = match held.kind {
            k if k == kind => Ok(read(held)),
            k => Err(format!("{}: a value of kind {k}, not {kind}", what())),
        };
        let inner = match held.kind {
            // SAFETY: PMIX-X3.
            STRING => unsafe { held.data.string },
            // SAFETY: PMIX-X3.
            BYTE_OBJECT => unsafe { held.data.bo.bytes },
            _ => ptr::null_mut(),
        };
        for block in [inner.cast(), value.cast()] {
            // SAFETY: PMIX-X3: the library's are the C library's blocks.
            unsafe { libc::free(block) };
        }
        got
    }

    /// Which PEs are on this host, if PMIx tells.
    fn job(&self) -> Option<Job> {
        let here = self.get(RANK_WILDCARD, LOCAL_PEERS, STRING, |value| {
            // SAFETY: PMIX-X3.
            let text = unsafe { value.data.string };
            // SAFETY: PMIX-X3: a string.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        });
        let here = here.ok()??.split(',').map(|pe| pe.trim().parse().ok()).collect::<Option<_>>()?;
        let namespace = std::env::var("PMIX_NAMESPACE").ok()?;
        Some(Job::of_pmix(namespace, self.me.rank, here))
    }

    fn is_slurms(&self) -> bool {
        std::env::var("PMIX_NAMESPACE").is_ok_and(|namespace| is_slurms(&namespace))
    }

    fn gather_under(&self, name: &CStr, mine: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let mut bytes = mine.to_vec();
        let bo = ByteObject { bytes: bytes.as_mut_ptr().cast(), size: bytes.len() };
        let mut value = Value { kind: BYTE_OBJECT, data: Data { bo } };
        // SAFETY: PMIX-X2; it copies the value.
        let status = unsafe { (self.library.put)(GLOBAL, name.as_ptr(), &raw mut value) };
        self.library.check("PMIx_Put", status)?;
        // SAFETY: PMIX-X2.
        let status = unsafe { (self.library.commit)() };
        self.library.check("PMIx_Commit", status)?;
        let mut key = [0 as c_char; MAX_KEYLEN + 1];
        for (to, from) in key.iter_mut().zip(COLLECT_DATA.to_bytes()) {
            *to = *from as c_char;
        }
        let mut data = Data { words: [0; 3] };
        data.flag = true;
        let collect = Info { key, flags: 0, value: Value { kind: BOOL, data } };
        // SAFETY: PMIX-X2; no list of processes is all of the job.
        let status = unsafe { (self.library.fence)(ptr::null(), 0, &raw const collect, 1) };
        self.library.check("PMIx_Fence", status)?;
        let of = |pe| {
            let put = self.get(pe, name, BYTE_OBJECT, |value| {
                // SAFETY: PMIX-X3.
                let bo = unsafe { value.data.bo };
                if bo.bytes.is_null() {
                    return None;
                }
                // SAFETY: PMIX-X3: as many bytes.
                Some(unsafe { std::slice::from_raw_parts(bo.bytes.cast::<u8>(), bo.size) }.to_vec())
            });
            put?.ok_or_else(|| format!("what PE {pe} put is not what came"))
        };
        (0..self.n_pes).map(of).collect()
    }
}

impl Functions {
    fn end(&self, status: c_int) {
        // SAFETY: PMIX-X2; no list of processes is all of the job.
        let done = unsafe { (self.abort)(status, c"ended by SHMEM".as_ptr(), ptr::null_mut(), 0) };
        if done == SUCCESS {
            // The launcher ends this process like the others.
            std::thread::sleep(std::time::Duration::from_secs(10));
        }
    }
}

impl Launcher for Pmix {
    fn pe(&self) -> PeId {
        PeId(self.me.rank)
    }

    fn n_pes(&self) -> u32 {
        self.n_pes
    }

    fn gather(&mut self, name: &'static CStr, mine: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let library = self.library;
        let _watch = Watch::start(self.job(), move |status| library.end(status));
        self.gather_under(name, mine).map_err(|why| Error::Boot(format!("by PMIx: {why}")))
    }

    /// Slurm takes an abort with 0 for a failure.
    fn passes_on(&self, status: u8) -> bool {
        status != 0 || !self.is_slurms()
    }

    fn end_all(&mut self, status: u8) {
        if self.descriptors.are_as_they_were() {
            self.library.end(status.into());
        }
    }

    fn leave(self: Box<Self>) {
        if !self.descriptors.are_as_they_were() {
            return say(&format!(
                "PE {}: the program has closed descriptors of its launcher's PMIx, so the launcher cannot be told that it ends well",
                self.me.rank
            ));
        }
        // SAFETY: PMIX-X2: nothing calls it after this. Without directives it waits for no other PE.
        let _ = unsafe { (self.library.finalize)(ptr::null(), 0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions() {
        assert_eq!(major("OpenPMIx 4.2.2rc1"), Some(4));
        assert_eq!(major("OpenPMIx 5.0.1 (PMIx Standard: 5.0, Stable ABI: 0.0)"), Some(5));
        assert_eq!(major("PMIx 3.1.5"), Some(3));
        assert_eq!(major("nothing"), None);
    }
}
