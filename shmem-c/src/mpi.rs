//! MPI beside SHMEM in one program: whoever comes first initialises MPI, and either may be finalized first.
//!
//! MPI can be initialised once in a process, and a second `MPI_Init` ends the job. So these functions take the
//! places of five of MPI's in programs that are linked with libshmem (link.sh gives them MPI's names), and pass on
//! what is not for us:
//!
//! | who came first | the program's `MPI_Init` | its `MPI_Finalize` |
//! |---|---|---|
//! | the program | initialises MPI | finalizes it, also while SHMEM is up: within a host it needs no MPI; between hosts, if messages go over it, MPI is finalized when the process exits |
//! | SHMEM, by MPI | finds MPI up and joins | is noted; MPI is finalized when the process exits, since SHMEM may start again |
//! | SHMEM, not by MPI | initialises MPI | finalizes it |
//!
//! `MPI_Initialized` and `MPI_Finalized` answer accordingly. The library needs no MPI: the loader says where the program's
//! is, and where there is none, MPI is never up. Its functions are called by their `PMPI_` names and so pass none of this.

use std::ffi::{c_char, c_int};
use std::io::Write as _;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use shmem_api::{mpi_function, put_off_mpi_finalize};

/// `MPI_SUCCESS` of every MPI.
const SUCCESS: c_int = 0;
/// What a call returns that needs an MPI where there is none; MPI's own errors have other numbers.
const NO_MPI: c_int = -1;

/// The program has not initialised MPI.
const AWAY: u32 = 0;
/// It has, and came first: MPI is its.
const OWNER: u32 = 1;
/// It has, after SHMEM.
const GUEST: u32 = 2;
/// It was a guest and has finalized.
const GONE: u32 = 3;

static PROGRAM: AtomicU32 = AtomicU32::new(AWAY);

type Arguments = *mut *mut *mut c_char;

/// The program's MPI.
struct Mpi {
    init: unsafe extern "C" fn(*mut c_int, Arguments) -> c_int,
    init_thread: unsafe extern "C" fn(*mut c_int, Arguments, c_int, *mut c_int) -> c_int,
    finalize: unsafe extern "C" fn() -> c_int,
    initialized: unsafe extern "C" fn(*mut c_int) -> c_int,
    finalized: unsafe extern "C" fn(*mut c_int) -> c_int,
    query_thread: unsafe extern "C" fn(*mut c_int) -> c_int,
}

/// The MPI that is in this process by now.
fn mpi() -> Option<&'static Mpi> {
    static MPI: OnceLock<Mpi> = OnceLock::new();
    MPI.get().or_else(|| find().map(|found| MPI.get_or_init(|| found)))
}

fn find() -> Option<Mpi> {
    macro_rules! function {
        ($name:literal) => {
            // SAFETY: CSKIN-C5: the field has the type that the MPI standard gives to this name.
            unsafe { mpi_function($name) }?
        };
    }
    Some(Mpi {
        init: function!("PMPI_Init"),
        init_thread: function!("PMPI_Init_thread"),
        finalize: function!("PMPI_Finalize"),
        initialized: function!("PMPI_Initialized"),
        finalized: function!("PMPI_Finalized"),
        query_thread: function!("PMPI_Query_thread"),
    })
}

/// What `call` needs is not there.
fn none(call: &str) -> c_int {
    let line =
        format!("shmem: {call}: no MPI is in this process; a program that uses one is linked with it\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    NO_MPI
}

/// The program initialises MPI: whether it only joins. A second time is an error that MPI itself reports.
fn joins(mpi: &Mpi) -> bool {
    let mut up = 0;
    // SAFETY: it may be called at any time.
    unsafe { (mpi.initialized)(&raw mut up) };
    let as_who = if up != 0 { GUEST } else { OWNER };
    PROGRAM.compare_exchange(AWAY, as_who, Relaxed, Relaxed).is_ok() && as_who == GUEST
}

/// # Safety
/// As for `MPI_Init`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Init(argc: *mut c_int, argv: Arguments) -> c_int {
    let Some(mpi) = mpi() else { return none("MPI_Init") };
    match joins(mpi) {
        true => SUCCESS,
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        false => unsafe { (mpi.init)(argc, argv) },
    }
}

/// # Safety
/// As for `MPI_Init_thread`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Init_thread(
    argc: *mut c_int,
    argv: Arguments,
    required: c_int,
    provided: *mut c_int,
) -> c_int {
    let Some(mpi) = mpi() else { return none("MPI_Init_thread") };
    match joins(mpi) {
        // SAFETY: MPI is up; CSKIN-C4 for the pointer.
        true => unsafe { (mpi.query_thread)(provided) },
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        false => unsafe { (mpi.init_thread)(argc, argv, required, provided) },
    }
}

/// # Safety
/// As for `MPI_Finalize`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Finalize() -> c_int {
    let Some(mpi) = mpi() else { return none("MPI_Finalize") };
    match PROGRAM.load(Relaxed) {
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        OWNER if !put_off_mpi_finalize() => unsafe { (mpi.finalize)() },
        // A program that found MPI up by `MPI_Initialized` may finalize without init.
        _ => {
            PROGRAM.store(GONE, Relaxed);
            SUCCESS
        }
    }
}

/// # Safety
/// As for `MPI_Initialized`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Initialized(flag: *mut c_int) -> c_int {
    match mpi() {
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        Some(mpi) => unsafe { (mpi.initialized)(flag) },
        // SAFETY: CSKIN-C4.
        None => unsafe { answer(flag, false) },
    }
}

/// # Safety
/// As for `MPI_Finalized`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Finalized(flag: *mut c_int) -> c_int {
    let gone = PROGRAM.load(Relaxed) == GONE;
    match mpi().filter(|_| !gone) {
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        Some(mpi) => unsafe { (mpi.finalized)(flag) },
        // SAFETY: CSKIN-C4.
        None => unsafe { answer(flag, gone) },
    }
}

/// # Safety
/// `flag` can be written to.
unsafe fn answer(flag: *mut c_int, yes: bool) -> c_int {
    // SAFETY: as the caller says.
    unsafe { ptr::write(flag, yes.into()) };
    SUCCESS
}
