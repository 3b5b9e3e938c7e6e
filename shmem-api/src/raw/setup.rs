//! Init, finalize, and who this PE is (OpenSHMEM 1.6, 9.1, 9.2 and 9.15).
//!
//! Each init needs its finalize; the last finalize takes the library down, the others are barriers. Worlds
//! of the safe API and inits of this one are counted apart, so neither ends the other's (see `startup::init_count`). Only
//! [`query_initialized`] and the inits may be called while the library is down.

use crate::process::private::{AtomicBool, Ordering};
use std::ffi::c_char;

use crate::call::Call;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::end;
use crate::exit::end::end_job;
use crate::heap::Leaks;
use crate::heap::components::BUILT_IN;
use crate::node::hot::HOT;
use crate::process::child;
use crate::process::say::say;
use crate::process::status::DIVERGED;
use crate::process::status::leave_now;
use crate::startup;
use crate::startup::init_count::{self, By};
use crate::types::thread_level;
use crate::types::thread_level::Asked;
use crate::types::thread_level::ThreadLevel;
use crate::types::version::{MAJOR_VERSION, MINOR_VERSION, VENDOR_STRING};

/// `SHMEM_THREAD_SINGLE`: the program has one thread.
pub const THREAD_SINGLE: i32 = ThreadLevel::Single as i32;
/// `SHMEM_THREAD_FUNNELED`: only the thread that called init calls the library.
pub const THREAD_FUNNELED: i32 = ThreadLevel::Funneled as i32;
/// `SHMEM_THREAD_SERIALIZED`: any thread may, one at a time.
pub const THREAD_SERIALIZED: i32 = ThreadLevel::Serialized as i32;
/// `SHMEM_THREAD_MULTIPLE`: any thread may, at any time.
pub const THREAD_MULTIPLE: i32 = ThreadLevel::Multiple as i32;

/// Collective over the job: brings the library up, or counts one more init if it is up (`shmem_init`). At the
/// lowest thread level, unless more is in force. There is no error to return: if the library cannot come up, the
/// process says why and exits with status 1.
///
/// # Safety
/// The calls of this module keep to the thread level in force; no thread writes a static variable of the
/// executable meanwhile (they are made symmetric here).
pub unsafe fn init() {
    // SAFETY: RAW-R5: it is the same call with a level.
    if unsafe { init_thread(THREAD_SINGLE) }.is_err() {
        std::process::exit(1);
    }
}

/// As [`fn@init`], asking for a thread level (`shmem_init_thread`): the level in force from now on, which is never
/// less than before, and less than asked for only if MPI gives less.
///
/// # Errors
/// Of a start, on every PE alike, with one line on standard error; no later call is legal then. A number that
/// is no level is an error of this PE.
///
/// # Safety
/// As for [`fn@init`]; if the level is to rise, no other thread is in a call of the library.
pub unsafe fn init_thread(requested: i32) -> Result<i32, Error> {
    let level = ThreadLevel::from_c(requested).ok_or(Error::NoThreadLevel { requested });
    let asked = level.map(|level| Asked { level, needed: false });
    let up = asked.and_then(|asked| startup::init::come(By::Init, asked, BUILT_IN));
    up.map(|_| thread_level::in_force() as i32).inspect_err(|e| say(&format!("shmem: {e}")))
}

/// Collective over the job: as [`fn@init`], with the finalize left to process exit; nothing if the library is up
/// (`start_pes`, deprecated).
///
/// # Safety
/// As for [`fn@init`].
pub unsafe fn start_pes() {
    if let Err(e) = startup::init::start_pes() {
        say(&format!("shmem: {e}"));
        std::process::exit(1);
    }
}

/// Collective: ends one init (`shmem_finalize`). While others are left it is a barrier and frees nothing; the
/// last completes all transfers, ends teams and contexts, frees the heap, and takes the library down. If the
/// PEs are not all at it, the job ends. One more than there were inits does nothing but say so, in one line.
///
/// # Safety
/// After the last one nobody uses the heap, on any PE; below level `Multiple`, the thread that called init calls it.
pub unsafe fn finalize() {
    let call = Call::new("shmem_finalize");
    child::refuse(call.routine);
    if init_count::now().exited {
        // A destructor of the program's, after process exit has done it.
        return;
    }
    if init_count::now().inits == 0 && (FINALIZED.load(Ordering::Relaxed) || Engine::current().is_some()) {
        let me = HOT.me.load(Ordering::Relaxed);
        say(&format!("PE {me}: shmem_finalize: one more than there were inits; nothing is done"));
        return;
    }
    let gone =
        startup::init::go(By::Init, call.engine()).inspect(|_| FINALIZED.store(true, Ordering::Relaxed));
    match gone {
        // Said only where the program asked for a checked heap: C programs leave blocks behind as a matter of course.
        Ok(Leaks { sites, .. }) if engine_was_first() => {
            sites.iter().for_each(|site| say(&format!("PE 0: never freed: {site}")));
        }
        Ok(_) => {}
        Err(e) => match Engine::current() {
            Some(engine) => end_job(&engine, DIVERGED, &format!("{e}; ending the job")),
            None => leave_now(DIVERGED),
        },
    }
}

/// An init has had its finalize.
static FINALIZED: AtomicBool = AtomicBool::new(false);

/// Whether the calling process was PE 0; the number outlives the library.
fn engine_was_first() -> bool {
    HOT.me.load(Ordering::Relaxed) == 0
}

/// Whether some init has not had its finalize yet (`shmem_query_initialized`). Any thread may ask at any time.
pub fn query_initialized() -> bool {
    Engine::current().is_some()
}

/// The thread level in force (`shmem_query_thread`). Any thread may ask while the library is up.
pub fn query_thread() -> i32 {
    let _up = Call::new("shmem_query_thread").engine();
    thread_level::in_force() as i32
}

/// Ends the job, on every PE, wherever it is (`shmem_global_exit`): `status` is what the launcher exits with.
/// Not collective; any thread may call it. Standard output and the C library's streams are flushed first; exit
/// handlers do not run. If several PEs call it, the status is one of theirs.
///
/// # Safety
/// No other thread takes the library down meanwhile.
pub unsafe fn global_exit(status: i32) -> ! {
    end::global_exit(&Call::new("shmem_global_exit").engine(), status)
}

/// This PE's number, or -1 while the library is down.
#[inline]
pub fn my_pe() -> i32 {
    if n_pes() == 0 { -1 } else { HOT.me.load(Ordering::Relaxed) as i32 }
}

/// How many PEs there are; 0 while the library is down.
#[inline]
pub fn n_pes() -> i32 {
    HOT.n_pes.load(Ordering::Relaxed) as i32
}

/// The version of the standard, major and minor (`shmem_info_get_version`).
pub fn info_get_version() -> (i32, i32) {
    (MAJOR_VERSION, MINOR_VERSION)
}

/// Writes the library's name and a NUL (`shmem_info_get_name`).
///
/// # Safety
/// `name` is writable for [`MAX_NAME_LEN`](crate::raw::MAX_NAME_LEN) bytes, or null.
pub unsafe fn info_get_name(name: *mut c_char) {
    Call::new("shmem_info_get_name").can_leave(name);
    let text = VENDOR_STRING.to_bytes_with_nul();
    // SAFETY: it is no longer than `MAX_NAME_LEN`, which the caller has made room for.
    unsafe { name.copy_from_nonoverlapping(text.as_ptr().cast(), text.len()) }
}

/// Nothing: a hook for profilers that come between the program and the library (`shmem_pcontrol`).
pub fn pcontrol(_level: i32) {}
