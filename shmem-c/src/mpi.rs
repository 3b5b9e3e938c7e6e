//! MPI beside SHMEM in one program: whoever comes first initialises MPI, and either may be finalized first.
//!
//! MPI can be initialised once in a process, and a second `MPI_Init` ends the job. So these functions take the
//! places of five of MPI's in programs that are linked with libshmem (link.sh gives them MPI's names), and pass on
//! what is not for us:
//!
//! | who came first | the program's `MPI_Init` | its `MPI_Finalize` |
//! |---|---|---|
//! | the program | initialises MPI | finalizes it, also while SHMEM is up: within a host it needs no MPI |
//! | SHMEM | finds MPI up and joins | is noted; MPI is finalized when the process exits, since SHMEM may start again |
//!
//! `MPI_Initialized` and `MPI_Finalized` answer accordingly. Our own calls of MPI use its `PMPI_` names
//! and pass none of this.

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

unsafe extern "C" {
    fn PMPI_Init(argc: *mut c_int, argv: *mut *mut *mut c_char) -> c_int;
    fn PMPI_Init_thread(
        argc: *mut c_int,
        argv: *mut *mut *mut c_char,
        required: c_int,
        provided: *mut c_int,
    ) -> c_int;
    fn PMPI_Finalize() -> c_int;
    fn PMPI_Initialized(flag: *mut c_int) -> c_int;
    fn PMPI_Finalized(flag: *mut c_int) -> c_int;
    fn PMPI_Query_thread(provided: *mut c_int) -> c_int;
}

/// `MPI_SUCCESS` of every MPI.
const SUCCESS: c_int = 0;

/// The program has not initialised MPI.
const AWAY: u32 = 0;
/// It has, and came first: MPI is its.
const OWNER: u32 = 1;
/// It has, after SHMEM.
const GUEST: u32 = 2;
/// It was a guest and has finalized.
const GONE: u32 = 3;

static PROGRAM: AtomicU32 = AtomicU32::new(AWAY);

fn is_up() -> bool {
    let mut flag = 0;
    // SAFETY: it may be called at any time.
    unsafe { PMPI_Initialized(&mut flag) };
    flag != 0
}

/// The program initialises MPI: whether it only joins. A second time is an error that MPI itself reports.
fn joins() -> bool {
    let as_who = if is_up() { GUEST } else { OWNER };
    PROGRAM.compare_exchange(AWAY, as_who, Relaxed, Relaxed).is_ok() && as_who == GUEST
}

/// # Safety
/// As for `MPI_Init`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Init(argc: *mut c_int, argv: *mut *mut *mut c_char) -> c_int {
    match joins() {
        true => SUCCESS,
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        false => unsafe { PMPI_Init(argc, argv) },
    }
}

/// # Safety
/// As for `MPI_Init_thread`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Init_thread(
    argc: *mut c_int,
    argv: *mut *mut *mut c_char,
    required: c_int,
    provided: *mut c_int,
) -> c_int {
    match joins() {
        // SAFETY: MPI is up; CSKIN-C4 for the pointer.
        true => unsafe { PMPI_Query_thread(provided) },
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        false => unsafe { PMPI_Init_thread(argc, argv, required, provided) },
    }
}

/// # Safety
/// As for `MPI_Finalize`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Finalize() -> c_int {
    match PROGRAM.load(Relaxed) {
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        OWNER => unsafe { PMPI_Finalize() },
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
    // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
    unsafe { PMPI_Initialized(flag) }
}

/// # Safety
/// As for `MPI_Finalized`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shmemi_MPI_Finalized(flag: *mut c_int) -> c_int {
    if PROGRAM.load(Relaxed) == GONE {
        // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
        unsafe { ptr::write(flag, 1) };
        return SUCCESS;
    }
    // SAFETY: CSKIN-C4: what MPI asks of its caller, the program has promised.
    unsafe { PMPI_Finalized(flag) }
}
