//! Setup, exit, query and threads (OpenSHMEM 1.6, 9.1 and 9.2), and their names of old.

use std::ffi::{c_char, c_int, c_void};

use shmem_api::raw::{self, Call, TeamHandle};

export! {
    fn shmem_init() {
        // SAFETY: CSKIN-C4.
        unsafe { raw::init() }
    }
    fn shmem_init_thread(requested: c_int, provided: *mut c_int) -> c_int {
        let call = Call::new("shmem_init_thread");
        // SAFETY: CSKIN-C4.
        match unsafe { raw::init_thread(requested) } {
            Ok(level) => {
                // SAFETY: CSKIN-C4.
                unsafe { call.leave(provided, level) };
                0
            }
            Err(_) => 1,
        }
    }
    fn shmem_finalize() {
        // SAFETY: CSKIN-C4.
        unsafe { raw::finalize() }
    }
    fn shmem_global_exit(status: c_int) {
        // SAFETY: CSKIN-C4.
        unsafe { raw::global_exit(status) }
    }
    fn shmem_query_initialized(initialized: *mut c_int) {
        // SAFETY: CSKIN-C4.
        unsafe { Call::new("shmem_query_initialized").leave(initialized, raw::query_initialized().into()) }
    }
    fn shmem_query_thread(provided: *mut c_int) {
        // SAFETY: CSKIN-C4.
        unsafe { Call::new("shmem_query_thread").leave(provided, raw::query_thread()) }
    }
    fn shmem_my_pe() -> c_int {
        raw::my_pe()
    }
    fn shmem_n_pes() -> c_int {
        raw::n_pes()
    }
    fn shmem_pe_accessible(pe: c_int) -> c_int {
        raw::pe_accessible(pe)
    }
    fn shmem_addr_accessible(addr: *const c_void, pe: c_int) -> c_int {
        // SAFETY: CSKIN-C4.
        unsafe { raw::addr_accessible(addr.cast(), pe) }
    }
    fn shmem_ptr(dest: *const c_void, pe: c_int) -> *mut c_void {
        // SAFETY: CSKIN-C4.
        unsafe { raw::ptr(dest.cast(), pe) }.cast()
    }
    fn shmem_team_ptr(team: TeamHandle, dest: *const c_void, pe: c_int) -> *mut c_void {
        // SAFETY: CSKIN-C4.
        unsafe { raw::team_ptr(team, dest.cast(), pe) }.cast()
    }
    fn shmem_info_get_version(major: *mut c_int, minor: *mut c_int) {
        let (a, b) = raw::info_get_version();
        let call = Call::new("shmem_info_get_version");
        // SAFETY: CSKIN-C4.
        unsafe { call.leave(major, a) };
        // SAFETY: CSKIN-C4.
        unsafe { call.leave(minor, b) }
    }
    fn shmem_info_get_name(name: *mut c_char) {
        // SAFETY: CSKIN-C4.
        unsafe { raw::info_get_name(name) }
    }
    // In C it takes more arguments, which nobody reads.
    fn shmem_pcontrol(level: c_int) {
        raw::pcontrol(level)
    }

    fn start_pes(_npes: c_int) {
        // SAFETY: CSKIN-C4.
        unsafe { raw::start_pes() }
    }
    fn _my_pe() -> c_int {
        raw::my_pe()
    }
    fn _num_pes() -> c_int {
        raw::n_pes()
    }
}
