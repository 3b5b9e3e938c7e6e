//! MPI as the launcher: where the program uses MPI itself, or where nothing else tells the PEs apart. And the MPI that carries
//! messages between hosts (`transport/mpi`).
//!
//! ```text
//!   find: the one in the process, else the launcher's ─► load: which interface (`abi`) ─► rise: initialised, by whom
//!                                                                       │
//!                          Launcher of a boot by MPI  ◄─────────────────┴─────────────► the engine between hosts
//! ```
//!
//! **MPI is ours to start, never ours to end early**: it cannot be initialised twice, so the library's
//! finalize leaves it up, and process exit ends it (`owned`). Where the program initialised MPI itself, it also
//! ends it.
//!
//! Invariants:
//! * **MPI-L1** the functions are those of the MPI standard, with the handles of the interface that the library has; it stays
//!   loaded.
//! * **MPI-L2** between init and finalize they are called by the threads that the level allows.
#![allow(unsafe_code)]

pub(crate) mod abi;
pub(crate) mod owned;

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::path::PathBuf;
use std::ptr;

use memheap::PeId;

use crate::boot::launched::launched_by;
use crate::boot::launcher::Launcher;
use crate::boot::loaded;
use crate::boot::missing::{Job, Watch};
use crate::boot::mpi::abi::{Abi, Functions, MULTIPLE, Mpich, OpenMpi, SUCCESS};
use crate::boot::pmi;
use crate::error::Error;
use crate::process::library::{Loaded, RTLD_GLOBAL, RTLD_LAZY, RTLD_NOLOAD};
use crate::types::thread_level::ThreadLevel;

/// An MPI that is not loaded for this yet.
pub(crate) enum Found {
    /// It is in the process.
    Here(PathBuf),
    /// One of these files, by the launcher.
    Launchers(&'static [&'static str]),
}

/// The MPI that is in the process, or that of the launcher.
///
/// # Errors
/// There can be none.
pub(crate) fn find(launched: bool) -> Result<Found, String> {
    if let Some(path) = loaded::mpi() {
        return Ok(Found::Here(path));
    }
    if !launched {
        return Err("no MPI is in this process, and no launcher started it with others".to_owned());
    }
    if !loaded::can_load() {
        return Err("this program is linked statically and loads no library".to_owned());
    }
    let is_set = |name: &str| std::env::var_os(name).is_some();
    // MPICH's has only PMI.
    let open = is_set("OMPI_COMM_WORLD_SIZE") || is_set("PMIX_NAMESPACE") && !is_set("PMI_FD");
    Ok(Found::Launchers(match open {
        true => &["libmpi.so.40", "libmpi.so"],
        false => &["libmpich.so.12", "libmpi.so.12", "libmpich.so"],
    }))
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Found::Here(path) => write!(f, "{}, which is in this process", path.display()),
            Found::Launchers(names) => write!(f, "{}", names.join(" or ")),
        }
    }
}

fn load(name: impl AsRef<OsStr>, flags: c_int) -> Result<Loaded, String> {
    // Its plugins may need its symbols.
    Loaded::open(name, RTLD_LAZY | RTLD_GLOBAL | flags)
}

/// A function of the MPI that is in this process, whoever brought it: of one that all may use, else of one that only a part
/// of the program has loaded for itself.
///
/// # Safety
/// `T` is the type that the MPI standard has for that name.
pub unsafe fn mpi_function<T: Copy>(name: &str) -> Option<T> {
    if !loaded::can_load() {
        return None;
    }
    let own = || load(loaded::mpi()?, RTLD_NOLOAD).ok();
    // SAFETY: MPI-L1, as the caller says.
    let function = |library: Loaded| unsafe { library.function(name) }.ok();
    function(Loaded::program()).or_else(|| function(own()?))
}

fn version_of(library: Loaded) -> Result<String, String> {
    /// More than any MPI's `MPI_MAX_LIBRARY_VERSION_STRING`.
    const MOST: usize = 16 * 1024;
    type Call = unsafe extern "C" fn(*mut c_char, *mut c_int) -> c_int;
    // SAFETY: MPI-L1.
    let call: Call = unsafe { library.function("PMPI_Get_library_version") }?;
    let (mut text, mut len) = (vec![0u8; MOST], 0);
    // SAFETY: MPI-L1: it may be called at any time, and there is room.
    unsafe { call(text.as_mut_ptr().cast(), &raw mut len) };
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or_default().trim_end_matches('\0');
    let line = line.split(", package").next().unwrap_or_default();
    Ok(line.split_whitespace().collect::<Vec<_>>().join(" "))
}

impl Found {
    /// What it calls itself, in one line.
    pub(crate) fn version(&self) -> String {
        let names: Vec<PathBuf> = match self {
            Found::Here(path) => vec![path.clone()],
            Found::Launchers(names) => names.iter().map(PathBuf::from).collect(),
        };
        let found = names.into_iter().find_map(|name| version_of(load(name, RTLD_NOLOAD).ok()?).ok());
        found.unwrap_or_else(|| self.to_string())
    }
}

/// What the MPI calls itself that would be used here, in one line. May be called at any time.
pub fn mpi_version() -> String {
    let here = ["libmpi.so.40", "libmpich.so.12", "libmpi.so.12"].map(PathBuf::from);
    let all = loaded::mpi().into_iter().chain(here);
    let found = all.into_iter().find_map(|path| version_of(load(path, 0).ok()?).ok());
    found.unwrap_or_else(|| "none".to_owned())
}

/// A loaded MPI, of either interface.
pub(crate) enum Any {
    Open(Functions<OpenMpi>),
    Mpich(Functions<Mpich>),
}

impl Found {
    /// Loads it.
    ///
    /// # Errors
    /// It cannot be loaded, or is none.
    pub(crate) fn load(&self) -> Result<Any, String> {
        let library = match self {
            Found::Here(path) => load(path, RTLD_NOLOAD),
            Found::Launchers(names) => names
                .iter()
                .find_map(|name| load(name, 0).ok())
                .ok_or_else(|| format!("no {self} can be loaded")),
        }?;
        let loaded = match OpenMpi::constants(library) {
            Ok(_) => Functions::load(library).map(Any::Open),
            Err(_) => Functions::load(library).map(Any::Mpich),
        };
        loaded.map_err(|why| format!("{self}: {why}"))
    }

    /// How many the launcher has started, where that has to be what MPI says: an MPI that is not the launcher's takes each process
    /// for a job of its own. The program's own MPI is what the program says it is.
    pub(crate) fn started(&self) -> Option<(&'static str, u32)> {
        launched_by().filter(|_| matches!(self, Found::Launchers(_)))
    }

    /// Initialises MPI, or joins a program that has done so.
    pub(super) fn join(&self) -> Result<Box<dyn Launcher>, Error> {
        match self.load().map_err(Error::Boot)? {
            Any::Open(functions) => functions.join(self.started()),
            Any::Mpich(functions) => functions.join(self.started()),
        }
    }
}

/// An MPI that is up: who this process is in its world.
pub(crate) struct Up {
    pub(crate) level: ThreadLevel,
    pub(crate) pe: PeId,
    pub(crate) n_pes: u32,
}

impl<A: Abi> Functions<A> {
    /// Initialises MPI, unless it is up. It can be initialised once, so it is asked for the most that a later init could want. For
    /// `started` see [`Found::started`].
    pub(crate) fn rise(self, started: Option<(&'static str, u32)>) -> Result<Up, Error> {
        if self.is_finalized() {
            return Err(Error::Boot("MPI has been finalized already and cannot be started again".into()));
        }
        let ours = !self.is_initialized();
        if ours {
            let _watch = Watch::start(Job::of_pmix_environment().or_else(pmi::job_of_environment), |_| {});
            let mut got = 0;
            // SAFETY: MPI-L1: MPI was not initialised.
            let status =
                unsafe { (self.init_thread)(ptr::null_mut(), ptr::null_mut(), MULTIPLE, &raw mut got) };
            if status != SUCCESS {
                return Err(Error::Boot(format!("MPI_Init_thread failed with {status}")));
            }
        }
        let (mut rank, mut size, mut level) = (-1, -1, 0);
        // SAFETY: MPI-L2.
        unsafe { (self.rank)(self.world, &raw mut rank) };
        // SAFETY: MPI-L2.
        unsafe { (self.size)(self.world, &raw mut size) };
        // SAFETY: MPI-L2.
        unsafe { (self.query_thread)(&raw mut level) };
        let number =
            |n: c_int| u32::try_from(n).map_err(|_| Error::Boot(format!("MPI says rank {rank} of {size}")));
        let (pe, n_pes) = (PeId(number(rank)?), number(size)?);
        if let Some((by, n)) = started.filter(|&(_, n)| n != n_pes) {
            if ours && n_pes == 1 {
                // SAFETY: MPI-L2: nobody else is in this MPI's job, and it is not called again.
                unsafe { (self.finalize)() };
            }
            return Err(Error::Boot(format!(
                "{by} has started {n} PEs, and MPI says {n_pes}: it is another launcher's"
            )));
        }
        if ours {
            owned::keep(self);
        }
        Ok(Up { level: of_mpi(level), pe, n_pes })
    }

    fn join(self, started: Option<(&'static str, u32)>) -> Result<Box<dyn Launcher>, Error> {
        let Up { level, pe, n_pes } = self.rise(started)?;
        Ok(Box::new(Mpi { functions: self, level, pe, n_pes }))
    }

    /// The thread level of an MPI that is up.
    pub(crate) fn level(&self) -> Option<ThreadLevel> {
        let mut level = 0;
        let is_up = self.is_initialized() && !self.is_finalized();
        // SAFETY: MPI-L2: it is up.
        is_up.then(|| unsafe { (self.query_thread)(&raw mut level) })?;
        Some(of_mpi(level))
    }
}

fn of_mpi(level: c_int) -> ThreadLevel {
    match level {
        MULTIPLE => ThreadLevel::Multiple,
        2 => ThreadLevel::Serialized,
        1 => ThreadLevel::Funneled,
        _ => ThreadLevel::Single,
    }
}

/// The job MPI's world communicator spans.
struct Mpi<A: Abi> {
    functions: Functions<A>,
    level: ThreadLevel,
    pe: PeId,
    n_pes: u32,
}

impl<A: Abi> Launcher for Mpi<A> {
    fn pe(&self) -> PeId {
        self.pe
    }

    fn n_pes(&self) -> u32 {
        self.n_pes
    }

    fn level(&self) -> ThreadLevel {
        self.level
    }

    fn gather(&mut self, _: &'static CStr, mine: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        self.may_start()?;
        let Functions { allgather, byte, world, .. } = self.functions;
        let (len, mut all) = (mine.len() as c_int, vec![0u8; mine.len() * self.n_pes as usize]);
        let from = mine.as_ptr().cast();
        // SAFETY: MPI-L2; there is room for as many bytes of each.
        let status = unsafe { allgather(from, len, byte, all.as_mut_ptr().cast(), len, byte, world) };
        match status {
            SUCCESS => Ok(all.chunks(mine.len()).map(<[u8]>::to_vec).collect()),
            _ => Err(Error::Boot(format!("MPI_Allgather failed with {status}"))),
        }
    }

    fn may_start(&self) -> Result<(), Error> {
        match self.functions.is_finalized() {
            true => Err(Error::Boot("MPI has been finalized; the library cannot be started again".into())),
            false => Ok(()),
        }
    }

    fn end_all(&mut self, status: u8) {
        self.functions.abort_job(status);
    }

    /// `owned` has finalized MPI, if that is ours.
    fn leave(self: Box<Self>) {}
}
