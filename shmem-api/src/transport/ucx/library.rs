//! `libucp.so.0`: found, loaded, and its functions by name; what it says as text.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::mem::MaybeUninit;

use super::abi::{self, LIB_MAX_THREAD_LEVEL, LibAttr, OK, Status, StatusPtr, THREAD_MODE_MULTI, call};
use crate::process::library::{Loaded, RTLD_LOCAL, RTLD_NOW};

/// The file of every version with this interface.
const LIBRARY: &str = "libucp.so.0";
/// The first version with all of it; those of the same major version keep it.
pub(super) const FIRST: [c_uint; 2] = [1, 10];
/// By which a user asks for UCX's handlers of signals.
const ASK_FOR_HANDLERS: [&str; 3] = ["UCX_HANDLE_ERRORS", "UCX_ERROR_SIGNALS", "UCX_DEBUG_SIGNO"];

/// The loaded library.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    get_version: call::GetVersion,
    status_string: call::StatusString,
    lib_query: call::LibQuery,
    pub(super) config_read: call::ConfigRead,
    pub(super) config_modify: call::ConfigModify,
    pub(super) config_release: call::ConfigRelease,
    pub(super) init: call::InitVersion,
    pub(super) cleanup: call::Cleanup,
    pub(super) context_print_info: call::ContextPrintInfo,
    pub(super) worker_create: call::WorkerCreate,
    pub(super) worker_destroy: call::WorkerDestroy,
    pub(super) worker_query: call::WorkerQuery,
    pub(super) worker_get_address: call::WorkerGetAddress,
    pub(super) worker_release_address: call::WorkerReleaseAddress,
    pub(super) worker_progress: call::WorkerProgress,
    pub(super) worker_get_efd: call::WorkerGetEfd,
    pub(super) worker_arm: call::WorkerArm,
    pub(super) set_am_recv_handler: call::SetAmRecvHandler,
    pub(super) ep_create: call::EpCreate,
    pub(super) ep_close: call::EpCloseNbx,
    pub(super) am_send: call::AmSendNbx,
    pub(super) am_recv_data: call::AmRecvDataNbx,
    pub(super) am_data_release: call::AmDataRelease,
    pub(super) request_free: call::RequestFree,
}

/// How an operation began.
pub(super) enum Begun {
    /// It is done already; its callback does not come.
    Done,
    /// It is not done, and its callback does not come.
    Failed(Status),
    /// Its callback comes.
    Going,
}

impl Begun {
    pub(super) fn of(result: StatusPtr) -> Begun {
        // `UCS_PTR_IS_ERR`: the statuses are the last addresses.
        match result.addr() {
            0 => Begun::Done,
            at if at >= isize::from(abi::ERR_LAST) as usize => Begun::Failed(at as Status),
            _ => Begun::Going,
        }
    }
}

impl Functions {
    /// Loads it, for as long as the process lives.
    ///
    /// # Errors
    /// There is none that can be used.
    pub(super) fn load() -> Result<Functions, String> {
        let before = Handlers::now();
        let library = Loaded::open(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if !ASK_FOR_HANDLERS.iter().any(|name| std::env::var_os(name).is_some()) {
            before.put_back();
        }
        let library = library.map_err(|e| format!("{e}: install UCX (Debian: libucx0)"))?;
        fn function<T: Copy>(library: Loaded, name: &str) -> Result<T, String> {
            // SAFETY: UCX-U1: `T` is the type that `abi` has for that name.
            let found = unsafe { library.function::<T>(name) };
            found.map_err(|e| format!("{LIBRARY} is of an unknown version: {e}"))
        }
        let loaded = Functions {
            get_version: function(library, "ucp_get_version")?,
            status_string: function(library, "ucs_status_string")?,
            lib_query: function(library, "ucp_lib_query")?,
            config_read: function(library, "ucp_config_read")?,
            config_modify: function(library, "ucp_config_modify")?,
            config_release: function(library, "ucp_config_release")?,
            init: function(library, "ucp_init_version")?,
            cleanup: function(library, "ucp_cleanup")?,
            context_print_info: function(library, "ucp_context_print_info")?,
            worker_create: function(library, "ucp_worker_create")?,
            worker_destroy: function(library, "ucp_worker_destroy")?,
            worker_query: function(library, "ucp_worker_query")?,
            worker_get_address: function(library, "ucp_worker_get_address")?,
            worker_release_address: function(library, "ucp_worker_release_address")?,
            worker_progress: function(library, "ucp_worker_progress")?,
            worker_get_efd: function(library, "ucp_worker_get_efd")?,
            worker_arm: function(library, "ucp_worker_arm")?,
            set_am_recv_handler: function(library, "ucp_worker_set_am_recv_handler")?,
            ep_create: function(library, "ucp_ep_create")?,
            ep_close: function(library, "ucp_ep_close_nbx")?,
            am_send: function(library, "ucp_am_send_nbx")?,
            am_recv_data: function(library, "ucp_am_recv_data_nbx")?,
            am_data_release: function(library, "ucp_am_data_release")?,
            request_free: function(library, "ucp_request_free")?,
        };
        let [major, minor, release] = loaded.version();
        if !is_known(major, minor) {
            let [first, from] = FIRST;
            return Err(format!(
                "{LIBRARY} is UCX {major}.{minor}.{release}, and not {first}.{from} or newer"
            ));
        }
        let mut attr = LibAttr { field_mask: LIB_MAX_THREAD_LEVEL, max_thread_level: 0 };
        // SAFETY: UCX-U1: it fills in what the mask says.
        loaded.check("ucp_lib_query", unsafe { (loaded.lib_query)(&raw mut attr) })?;
        match attr.max_thread_level {
            THREAD_MODE_MULTI => Ok(loaded),
            _ => Err(format!("{LIBRARY} was built without threads (its configure has --enable-mt)")),
        }
    }

    /// What it is, in a word.
    pub(crate) fn name(&self) -> String {
        let [major, minor, release] = self.version();
        format!("UCX {major}.{minor}.{release}")
    }

    /// Major, minor, release.
    pub(super) fn version(&self) -> [c_uint; 3] {
        let mut version = [0; 3];
        let [major, minor, release] = &mut version;
        // SAFETY: UCX-U1: it writes three numbers.
        unsafe { (self.get_version)(major, minor, release) };
        version
    }

    /// A status in words.
    pub(super) fn text(&self, status: Status) -> String {
        // SAFETY: UCX-U1: it takes any status.
        let text = unsafe { (self.status_string)(status) };
        // SAFETY: UCX-U1: a constant string, or one of the thread's that stays until its next call.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        format!("{text} ({status})")
    }

    /// What a call returned, as a result.
    pub(super) fn check(&self, call: &str, status: Status) -> Result<(), String> {
        match status {
            OK => Ok(()),
            status => Err(format!("{call}: {}", self.text(status))),
        }
    }

    /// In a callback of a request: it is ours to free.
    pub(super) fn free(&self, request: *mut c_void) {
        // SAFETY: UCX-U3: the library has called back for it, which it does once.
        unsafe { (self.request_free)(request) };
    }
}

fn is_known(major: c_uint, minor: c_uint) -> bool {
    major == FIRST[0] && minor >= FIRST[1]
}

/// What signals do. UCX, when it is loaded, takes those of faults, for a picture of the stack, and `SIGHUP`, to write more to its
/// log: what the program, the system or we ourselves (`statics`) had made of them would be gone.
struct Handlers(Vec<(c_int, libc::sigaction)>);

impl Handlers {
    /// Those of now.
    fn now() -> Handlers {
        Handlers((1..=31).map(|signal| (signal, action(signal))).collect())
    }

    fn put_back(self) {
        for (signal, before) in self.0 {
            if action(signal).sa_sigaction != before.sa_sigaction {
                // SAFETY: SIGNALS-P1: what was found there a moment ago, for the same signal.
                unsafe { libc::sigaction(signal, &before, std::ptr::null_mut()) };
            }
        }
    }
}

/// What a signal does now.
fn action(signal: c_int) -> libc::sigaction {
    let mut now = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks only.
    unsafe { libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) };
    // SAFETY: all zero is an action; written by the call.
    unsafe { now.assume_init() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for known in [(1, 10), (1, 13), (1, 20)] {
            assert!(is_known(known.0, known.1), "{known:?}");
        }
        for unknown in [(1, 9), (2, 11), (0, 12)] {
            assert!(!is_known(unknown.0, unknown.1), "{unknown:?}");
        }
    }

    #[test]
    fn a_result_is_done_failed_or_under_way() {
        let at = std::ptr::without_provenance_mut::<c_void>;
        assert!(matches!(Begun::of(at(0)), Begun::Done));
        assert!(matches!(Begun::of(at(0x7fff_1234_5678)), Begun::Going));
        for status in [-1, abi::ERR_BUSY, abi::ERR_LAST] {
            let failed = Begun::of(at(isize::from(status) as usize));
            assert!(matches!(failed, Begun::Failed(s) if s == status), "{status}");
        }
        assert!(matches!(Begun::of(at(-101isize as usize)), Begun::Going));
    }
}
