//! MPI as the launcher: where the program uses MPI itself, or where nothing else tells the PEs apart.
//!
//! **MPI is ours to start, never ours to end early**: it cannot be initialised twice, so the library's
//! finalize leaves it up, and process exit ends it. Where the program initialised MPI itself, it also
//! ends it.
//!
//! No MPI is needed to build this: the one in the process is found, else the launcher's is loaded. There are two binary
//! interfaces, of which this uses ten functions by their `PMPI_` names, which pass no profiler, and two constants.
//!
//! Invariants:
//! * **MPI-L1** the functions are those of the MPI standard, with the handles of the interface that the library has; it stays
//!   loaded.
//! * **MPI-L2** between init and finalize they are called by the threads that the level allows.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::path::PathBuf;
use std::ptr;
use std::time::Duration;

use memheap::PeId;

use crate::boot::launched::launched_by;
use crate::boot::launcher::Launcher;
use crate::boot::loaded;
use crate::boot::missing::{Job, Watch};
use crate::boot::pmi;
use crate::error::Error;
use crate::process::library::{Loaded, RTLD_GLOBAL, RTLD_LAZY, RTLD_NOLOAD};
use crate::types::thread_level::ThreadLevel;

/// The handles of Open MPI: addresses of its objects.
type Pointer = *const c_void;
/// The handles of MPICH's interface, which Intel's, MVAPICH and Cray's share: numbers.
type Number = c_int;

/// `MPI_COMM_WORLD` and `MPI_BYTE` of MPICH's interface.
const MPICH: [Number; 2] = [0x4400_0000, 0x4c00_010d];

/// A loaded MPI. `H`: what its handles are.
#[derive(Clone, Copy)]
struct Functions<H> {
    world: H,
    byte: H,
    initialized: unsafe extern "C" fn(*mut c_int) -> c_int,
    finalized: unsafe extern "C" fn(*mut c_int) -> c_int,
    init_thread: unsafe extern "C" fn(*mut c_int, *mut *mut *mut c_char, c_int, *mut c_int) -> c_int,
    query_thread: unsafe extern "C" fn(*mut c_int) -> c_int,
    rank: unsafe extern "C" fn(H, *mut c_int) -> c_int,
    size: unsafe extern "C" fn(H, *mut c_int) -> c_int,
    allgather: unsafe extern "C" fn(*const c_void, c_int, H, *mut c_void, c_int, H, H) -> c_int,
    abort: unsafe extern "C" fn(H, c_int) -> c_int,
    finalize: unsafe extern "C" fn() -> c_int,
}

/// An MPI that is not loaded for this yet.
pub(super) enum Found {
    /// It is in the process.
    Here(PathBuf),
    /// One of these files, by the launcher.
    Launchers(&'static [&'static str]),
}

/// The MPI that is in the process, or that of the launcher.
///
/// # Errors
/// There can be none.
pub(super) fn find(launched: bool) -> Result<Found, String> {
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

/// What the MPI calls itself that would be used here, in one line. May be called at any time.
pub fn mpi_version() -> String {
    let here = ["libmpi.so.40", "libmpich.so.12", "libmpi.so.12"].map(PathBuf::from);
    let all = loaded::mpi().into_iter().chain(here);
    let found = all.into_iter().find_map(|path| version_of(load(path, 0).ok()?).ok());
    found.unwrap_or_else(|| "none".to_owned())
}

impl Found {
    /// Initialises MPI, or joins a program that has done so.
    pub(super) fn join(&self) -> Result<Box<dyn Launcher>, Error> {
        let library = match self {
            Found::Here(path) => load(path, RTLD_NOLOAD),
            Found::Launchers(names) => names
                .iter()
                .find_map(|name| load(name, 0).ok())
                .ok_or_else(|| format!("no {self} can be loaded")),
        };
        let library = library.map_err(Error::Boot)?;
        let wrong = |why: String| Error::Boot(format!("{self}: {why}"));
        // The program's own MPI is what the program says it is.
        let started = launched_by().filter(|_| matches!(self, Found::Launchers(_)));
        match object(library, "ompi_mpi_comm_world") {
            Ok(world) => {
                let byte = object(library, "ompi_mpi_byte").map_err(wrong)?;
                Functions::load(library, world, byte).map_err(wrong)?.join(started)
            }
            Err(_) => Functions::load(library, MPICH[0], MPICH[1]).map_err(wrong)?.join(started),
        }
    }
}

/// Where an object of the MPI is: an executable that names it has a copy, which the library uses, too.
fn object(library: Loaded, name: &str) -> Result<Pointer, String> {
    let found = Loaded::program().address(name).or_else(|| library.address(name));
    found.map(|at| at.as_ptr().cast_const()).ok_or_else(|| format!("it has no {name}"))
}

impl<H: Copy> Functions<H> {
    fn load(library: Loaded, world: H, byte: H) -> Result<Functions<H>, String> {
        fn symbol<T: Copy>(library: Loaded, name: &str) -> Result<T, String> {
            // SAFETY: MPI-L1: the fields have the types that the standard has for the names.
            unsafe { library.function(name) }
        }
        Ok(Functions {
            world,
            byte,
            initialized: symbol(library, "PMPI_Initialized")?,
            finalized: symbol(library, "PMPI_Finalized")?,
            init_thread: symbol(library, "PMPI_Init_thread")?,
            query_thread: symbol(library, "PMPI_Query_thread")?,
            rank: symbol(library, "PMPI_Comm_rank")?,
            size: symbol(library, "PMPI_Comm_size")?,
            allgather: symbol(library, "PMPI_Allgather")?,
            abort: symbol(library, "PMPI_Abort")?,
            finalize: symbol(library, "PMPI_Finalize")?,
        })
    }

    fn is(&self, question: unsafe extern "C" fn(*mut c_int) -> c_int) -> bool {
        let mut flag = 0;
        // SAFETY: MPI-L1: both questions may be asked at any time.
        unsafe { question(&raw mut flag) };
        flag != 0
    }
}

impl<H: Copy + 'static> Functions<H> {
    /// MPI can be initialised once, so it is asked for the most that a later init could want. `started`: how many the launcher
    /// has started, where that has to be what MPI says: an MPI that is not the launcher's takes each process for a job of its own.
    fn join(self, started: Option<(&'static str, u32)>) -> Result<Box<dyn Launcher>, Error> {
        if self.is(self.finalized) {
            return Err(Error::Boot("MPI has been finalized already and cannot be started again".into()));
        }
        let ours = !self.is(self.initialized);
        if ours {
            let _watch = Watch::start(Job::of_pmix_environment().or_else(pmi::job_of_environment), |_| {});
            let mut got = 0;
            // SAFETY: MPI-L1: MPI was not initialised.
            let status =
                unsafe { (self.init_thread)(ptr::null_mut(), ptr::null_mut(), MULTIPLE, &raw mut got) };
            if status != 0 {
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
        Ok(Box::new(Mpi { functions: self, ours, level: of_mpi(level), pe, n_pes }))
    }
}

/// How long PEs of several hosts, which have met, wait before they call `MPI_Finalize`: MPICH 4.0 hangs there now and then while
/// its connections still carry something (of 2+2 ranks over tcp, in a third of all runs).
const SETTLES: Duration = Duration::from_millis(200);

/// `MPI_THREAD_MULTIPLE` of every MPI.
const MULTIPLE: c_int = 3;

fn of_mpi(level: c_int) -> ThreadLevel {
    match level {
        MULTIPLE => ThreadLevel::Multiple,
        2 => ThreadLevel::Serialized,
        1 => ThreadLevel::Funneled,
        _ => ThreadLevel::Single,
    }
}

/// The job MPI's world communicator spans.
struct Mpi<H> {
    functions: Functions<H>,
    /// This library initialised MPI, and finalizes it.
    ours: bool,
    level: ThreadLevel,
    pe: PeId,
    n_pes: u32,
}

// SAFETY: MPI-L1: handles name objects of the library, which any thread may name.
unsafe impl<H> Send for Mpi<H> {}

impl<H: Copy> Mpi<H> {
    fn is_finalized(&self) -> bool {
        self.functions.is(self.functions.finalized)
    }
}

impl<H: Copy> Launcher for Mpi<H> {
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
            0 => Ok(all.chunks(mine.len()).map(<[u8]>::to_vec).collect()),
            _ => Err(Error::Boot(format!("MPI_Allgather failed with {status}"))),
        }
    }

    fn may_start(&self) -> Result<(), Error> {
        match self.is_finalized() {
            true => Err(Error::Boot("MPI has been finalized; the library cannot be started again".into())),
            false => Ok(()),
        }
    }

    /// `MPI_Abort` passes the status on under every MPI. Which threads may call it is the level's affair.
    fn end_all(&mut self, status: u8) {
        let mine =
            self.level >= ThreadLevel::Serialized || rustix::thread::gettid() == rustix::process::getpid();
        if mine && !self.is_finalized() {
            // SAFETY: MPI-L2.
            unsafe { (self.functions.abort)(self.functions.world, status.into()) };
        }
    }

    /// `MPI_Finalize` waits for every PE, so all must be at process exit before any calls it.
    fn leaves_together(&self) -> bool {
        self.ours && !self.is_finalized()
    }

    fn leave(self: Box<Self>, several: bool) {
        if self.leaves_together() {
            if several {
                std::thread::sleep(SETTLES);
            }
            // SAFETY: MPI-L2: the last call of MPI.
            unsafe { (self.functions.finalize)() };
        }
    }
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use super::*;
    use std::process::Command;

    /// What both interfaces have, and what each has: a program of C that the MPI's own compiler builds, if it is here.
    #[test]
    fn what_is_declared_is_what_the_headers_say() {
        let both = "_Static_assert(MPI_THREAD_SINGLE == 0 && MPI_THREAD_FUNNELED == 1 && MPI_THREAD_SERIALIZED == 2, \"\");\n\
            _Static_assert(MPI_THREAD_MULTIPLE == 3 && MPI_SUCCESS == 0, \"\");\n\
            _Static_assert(sizeof(MPI_Comm) == sizeof(MPI_Datatype), \"\");\n\
            int (*gather)(const void *, int, MPI_Datatype, void *, int, MPI_Datatype, MPI_Comm) = PMPI_Allgather;\n\
            int (*init)(int *, char ***, int, int *) = PMPI_Init_thread;\n\
            int (*number)(MPI_Comm, int *) = PMPI_Comm_rank;\n\
            int (*stop)(MPI_Comm, int) = PMPI_Abort;\n";
        let [world, byte] = MPICH;
        let mpich = format!(
            "_Static_assert(MPI_COMM_WORLD == (MPI_Comm){world} && MPI_BYTE == (MPI_Datatype){byte}, \"\");\n\
             _Static_assert(sizeof(MPI_Comm) == sizeof(int), \"\");\n"
        );
        let open = "_Static_assert(sizeof(MPI_Comm) == sizeof(void *), \"\");\n\
            void *world(void) { return (void *)&ompi_mpi_comm_world == (void *)MPI_COMM_WORLD ? &ompi_mpi_byte : 0; }\n";
        let dir = std::env::temp_dir().join(format!("shmem-mpi-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let source = dir.join("abi.c");
        for (compiler, own) in [("mpicc.mpich", mpich.as_str()), ("mpicc.openmpi", open)] {
            std::fs::write(&source, format!("#include <mpi.h>\n{both}{own}")).unwrap();
            let mut cc = Command::new(compiler);
            match cc.arg("-Werror").arg("-c").arg(&source).arg("-o").arg(dir.join("abi.o")).output() {
                Ok(out) => {
                    assert!(out.status.success(), "{compiler}: {}", String::from_utf8_lossy(&out.stderr))
                }
                Err(_) => eprintln!("not compared: no {compiler}"),
            }
        }
        let _ = std::fs::remove_dir_all(&dir);
    }
}
