//! What we use of UCX's interface: types, constants and functions as its headers have them.
//!
//! Declared here, since the library is loaded at run time and no header is there when this is built. `tests/abi.rs` compares
//! each of them with Debian's headers, where they are installed.
//!
//! A struct that is passed has a mask of the fields that are set: the library reads those only, and newer versions add
//! fields behind ours. One wrong bit of a mask, and it reads a pointer that is none.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// `ucs_status_t`: an enum of one byte, with a sign.
pub(super) type Status = i8;
/// `ucs_status_ptr_t`: a request, or null for `OK`, or a status above [`ERR_LAST`].
pub(super) type StatusPtr = *mut c_void;
/// `ucp_context_h` is a pointer to it.
pub(super) enum Context {}
/// `ucp_worker_h` is a pointer to it.
pub(super) enum Worker {}
/// `ucp_ep_h` is a pointer to it.
pub(super) enum Ep {}
/// `ucp_config_t`.
pub(super) enum Config {}
/// `ucp_address_t`.
pub(super) enum Address {}

/// `UCS_OK`.
pub(super) const OK: Status = 0;
/// `UCS_INPROGRESS`.
pub(super) const IN_PROGRESS: Status = 1;
/// `UCS_ERR_BUSY`.
pub(super) const ERR_BUSY: Status = -15;
/// `UCS_ERR_LAST`.
pub(super) const ERR_LAST: Status = -100;
/// `UCS_THREAD_MODE_SERIALIZED`.
pub(super) const THREAD_MODE_SERIALIZED: c_uint = 1;
/// `UCS_THREAD_MODE_MULTI`.
pub(super) const THREAD_MODE_MULTI: c_uint = 2;

/// `UCP_LIB_ATTR_FIELD_MAX_THREAD_LEVEL`.
pub(super) const LIB_MAX_THREAD_LEVEL: u64 = 1 << 0;

/// `ucp_lib_attr_t`.
#[repr(C)]
pub(super) struct LibAttr {
    pub(super) field_mask: u64,
    pub(super) max_thread_level: c_uint,
}

/// `UCP_PARAM_FIELD_FEATURES`.
pub(super) const PARAM_FEATURES: u64 = 1 << 0;
/// `UCP_PARAM_FIELD_MT_WORKERS_SHARED`.
pub(super) const PARAM_MT_WORKERS_SHARED: u64 = 1 << 5;
/// `UCP_FEATURE_WAKEUP`.
pub(super) const FEATURE_WAKEUP: u64 = 1 << 4;
/// `UCP_FEATURE_AM`.
pub(super) const FEATURE_AM: u64 = 1 << 6;

/// `ucp_params_t`.
#[repr(C)]
pub(super) struct Params {
    pub(super) field_mask: u64,
    pub(super) features: u64,
    pub(super) request_size: usize,
    pub(super) request_init: *mut c_void,
    pub(super) request_cleanup: *mut c_void,
    pub(super) tag_sender_mask: u64,
    pub(super) mt_workers_shared: c_int,
    pub(super) estimated_num_eps: usize,
    pub(super) estimated_num_ppn: usize,
    pub(super) name: *const c_char,
}

/// `UCP_WORKER_PARAM_FIELD_THREAD_MODE`.
pub(super) const WORKER_THREAD_MODE: u64 = 1 << 0;
/// `UCP_WORKER_PARAM_FIELD_EVENTS`.
pub(super) const WORKER_EVENTS: u64 = 1 << 2;
/// `UCP_WORKER_PARAM_FIELD_FLAGS`.
pub(super) const WORKER_FLAGS: u64 = 1 << 5;
/// `UCP_WAKEUP_TX`.
pub(super) const WAKEUP_TX: c_uint = 1 << 10;
/// `UCP_WAKEUP_RX`.
pub(super) const WAKEUP_RX: c_uint = 1 << 11;
/// `UCP_WORKER_FLAG_IGNORE_REQUEST_LEAK`.
pub(super) const WORKER_IGNORE_REQUEST_LEAK: u64 = 1 << 0;

/// `ucp_worker_params_t`.
#[repr(C)]
pub(super) struct WorkerParams {
    pub(super) field_mask: u64,
    pub(super) thread_mode: c_uint,
    pub(super) cpu_mask: [u64; 16],
    pub(super) events: c_uint,
    pub(super) user_data: *mut c_void,
    pub(super) event_fd: c_int,
    pub(super) flags: u64,
    pub(super) name: *const c_char,
    pub(super) am_alignment: usize,
    pub(super) client_id: u64,
}

/// `UCP_WORKER_ATTR_FIELD_MAX_AM_HEADER`.
pub(super) const WORKER_MAX_AM_HEADER: u64 = 1 << 3;

/// `ucp_worker_attr_t`.
#[repr(C)]
pub(super) struct WorkerAttr {
    pub(super) field_mask: u64,
    pub(super) thread_mode: c_uint,
    pub(super) address_flags: u32,
    pub(super) address: *mut Address,
    pub(super) address_length: usize,
    pub(super) max_am_header: usize,
    pub(super) name: [c_char; 32],
    pub(super) max_debug_string: usize,
}

/// `UCP_EP_PARAM_FIELD_REMOTE_ADDRESS`.
pub(super) const EP_REMOTE_ADDRESS: u64 = 1 << 0;
/// `UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE`.
pub(super) const EP_ERR_HANDLING_MODE: u64 = 1 << 1;
/// `UCP_EP_PARAM_FIELD_ERR_HANDLER`.
pub(super) const EP_ERR_HANDLER: u64 = 1 << 2;
/// `UCP_ERR_HANDLING_MODE_PEER`.
pub(super) const ERR_HANDLING_MODE_PEER: c_uint = 1;
/// `UCP_EP_CLOSE_FLAG_FORCE`.
pub(super) const EP_CLOSE_FORCE: u32 = 1 << 0;

/// `ucp_err_handler_t`.
#[repr(C)]
pub(super) struct ErrHandler {
    pub(super) cb: Option<call::ErrHandlerCb>,
    pub(super) arg: *mut c_void,
}

/// `ucs_sock_addr_t`.
#[repr(C)]
pub(super) struct SockAddr {
    pub(super) addr: *const c_void,
    pub(super) addrlen: u32,
}

/// `ucp_ep_params_t`.
#[repr(C)]
pub(super) struct EpParams {
    pub(super) field_mask: u64,
    pub(super) address: *const Address,
    pub(super) err_mode: c_uint,
    pub(super) err_handler: ErrHandler,
    pub(super) user_data: *mut c_void,
    pub(super) flags: c_uint,
    pub(super) sockaddr: SockAddr,
    pub(super) conn_request: *mut c_void,
    pub(super) name: *const c_char,
    pub(super) local_sockaddr: SockAddr,
}

/// `UCP_OP_ATTR_FIELD_CALLBACK`.
pub(super) const OP_CALLBACK: u32 = 1 << 1;
/// `UCP_OP_ATTR_FIELD_USER_DATA`.
pub(super) const OP_USER_DATA: u32 = 1 << 2;
/// `UCP_OP_ATTR_FIELD_FLAGS`.
pub(super) const OP_FLAGS: u32 = 1 << 4;
/// `UCP_AM_SEND_FLAG_EAGER`.
pub(super) const AM_SEND_EAGER: u32 = 1 << 1;
/// `UCP_AM_SEND_FLAG_RNDV`.
pub(super) const AM_SEND_RNDV: u32 = 1 << 2;

/// The callback of a request: which one, the operation says.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union RequestCb {
    pub(super) send: call::SendCb,
    pub(super) recv_am: call::RecvCb,
}

/// `ucp_request_param_t`.
#[repr(C)]
pub(super) struct RequestParam {
    pub(super) op_attr_mask: u32,
    pub(super) flags: u32,
    pub(super) request: *mut c_void,
    pub(super) cb: RequestCb,
    pub(super) datatype: u64,
    pub(super) user_data: *mut c_void,
    pub(super) reply_buffer: *mut c_void,
    pub(super) memory_type: c_uint,
    pub(super) recv_info: *mut c_void,
    pub(super) memh: *mut c_void,
}

/// `UCP_AM_HANDLER_PARAM_FIELD_ID`.
pub(super) const AM_HANDLER_ID: u64 = 1 << 0;
/// `UCP_AM_HANDLER_PARAM_FIELD_FLAGS`.
pub(super) const AM_HANDLER_FLAGS: u64 = 1 << 1;
/// `UCP_AM_HANDLER_PARAM_FIELD_CB`.
pub(super) const AM_HANDLER_CB: u64 = 1 << 2;
/// `UCP_AM_HANDLER_PARAM_FIELD_ARG`.
pub(super) const AM_HANDLER_ARG: u64 = 1 << 3;
/// `UCP_AM_FLAG_WHOLE_MSG`.
pub(super) const AM_WHOLE_MSG: u32 = 1 << 0;

/// `ucp_am_handler_param_t`.
#[repr(C)]
pub(super) struct AmHandlerParam {
    pub(super) field_mask: u64,
    pub(super) id: c_uint,
    pub(super) flags: u32,
    pub(super) cb: Option<call::AmRecvCb>,
    pub(super) arg: *mut c_void,
}

/// `UCP_AM_RECV_ATTR_FLAG_DATA`.
pub(super) const AM_RECV_DATA: u64 = 1 << 16;
/// `UCP_AM_RECV_ATTR_FLAG_RNDV`.
pub(super) const AM_RECV_RNDV: u64 = 1 << 17;

/// `ucp_am_recv_param_t`.
#[repr(C)]
pub(super) struct AmRecvParam {
    pub(super) recv_attr: u64,
    pub(super) reply_ep: *mut Ep,
}

/// The functions and callbacks, by their names.
pub(super) mod call {
    use super::*;

    /// `ucp_am_recv_callback_t`.
    pub(in super::super) type AmRecvCb = unsafe extern "C" fn(
        *mut c_void,
        *const c_void,
        usize,
        *mut c_void,
        usize,
        *const AmRecvParam,
    ) -> Status;
    /// `ucp_err_handler_cb_t`.
    pub(in super::super) type ErrHandlerCb = unsafe extern "C" fn(*mut c_void, *mut Ep, Status);
    /// `ucp_send_nbx_callback_t`.
    pub(in super::super) type SendCb = unsafe extern "C" fn(*mut c_void, Status, *mut c_void);
    /// `ucp_am_recv_data_nbx_callback_t`.
    pub(in super::super) type RecvCb = unsafe extern "C" fn(*mut c_void, Status, usize, *mut c_void);

    /// `ucp_get_version`.
    pub(in super::super) type GetVersion = unsafe extern "C" fn(*mut c_uint, *mut c_uint, *mut c_uint);
    /// `ucs_status_string`.
    pub(in super::super) type StatusString = unsafe extern "C" fn(Status) -> *const c_char;
    /// `ucp_lib_query`.
    pub(in super::super) type LibQuery = unsafe extern "C" fn(*mut LibAttr) -> Status;
    /// `ucp_config_read`.
    pub(in super::super) type ConfigRead =
        unsafe extern "C" fn(*const c_char, *const c_char, *mut *mut Config) -> Status;
    /// `ucp_config_modify`.
    pub(in super::super) type ConfigModify =
        unsafe extern "C" fn(*mut Config, *const c_char, *const c_char) -> Status;
    /// `ucp_config_release`.
    pub(in super::super) type ConfigRelease = unsafe extern "C" fn(*mut Config);
    /// `ucp_init_version`.
    pub(in super::super) type InitVersion =
        unsafe extern "C" fn(c_uint, c_uint, *const Params, *const Config, *mut *mut Context) -> Status;
    /// `ucp_cleanup`.
    pub(in super::super) type Cleanup = unsafe extern "C" fn(*mut Context);
    /// `ucp_context_print_info`.
    pub(in super::super) type ContextPrintInfo = unsafe extern "C" fn(*const Context, *mut libc::FILE);
    /// `ucp_worker_create`.
    pub(in super::super) type WorkerCreate =
        unsafe extern "C" fn(*mut Context, *const WorkerParams, *mut *mut Worker) -> Status;
    /// `ucp_worker_destroy`.
    pub(in super::super) type WorkerDestroy = unsafe extern "C" fn(*mut Worker);
    /// `ucp_worker_query`.
    pub(in super::super) type WorkerQuery = unsafe extern "C" fn(*mut Worker, *mut WorkerAttr) -> Status;
    /// `ucp_worker_get_address`.
    pub(in super::super) type WorkerGetAddress =
        unsafe extern "C" fn(*mut Worker, *mut *mut Address, *mut usize) -> Status;
    /// `ucp_worker_release_address`.
    pub(in super::super) type WorkerReleaseAddress = unsafe extern "C" fn(*mut Worker, *mut Address);
    /// `ucp_worker_progress`.
    pub(in super::super) type WorkerProgress = unsafe extern "C" fn(*mut Worker) -> c_uint;
    /// `ucp_worker_get_efd`.
    pub(in super::super) type WorkerGetEfd = unsafe extern "C" fn(*mut Worker, *mut c_int) -> Status;
    /// `ucp_worker_arm`.
    pub(in super::super) type WorkerArm = unsafe extern "C" fn(*mut Worker) -> Status;
    /// `ucp_worker_set_am_recv_handler`.
    pub(in super::super) type SetAmRecvHandler =
        unsafe extern "C" fn(*mut Worker, *const AmHandlerParam) -> Status;
    /// `ucp_ep_create`.
    pub(in super::super) type EpCreate =
        unsafe extern "C" fn(*mut Worker, *const EpParams, *mut *mut Ep) -> Status;
    /// `ucp_ep_close_nbx`.
    pub(in super::super) type EpCloseNbx = unsafe extern "C" fn(*mut Ep, *const RequestParam) -> StatusPtr;
    /// `ucp_am_send_nbx`.
    pub(in super::super) type AmSendNbx = unsafe extern "C" fn(
        *mut Ep,
        c_uint,
        *const c_void,
        usize,
        *const c_void,
        usize,
        *const RequestParam,
    ) -> StatusPtr;
    /// `ucp_am_recv_data_nbx`.
    pub(in super::super) type AmRecvDataNbx =
        unsafe extern "C" fn(*mut Worker, *mut c_void, *mut c_void, usize, *const RequestParam) -> StatusPtr;
    /// `ucp_am_data_release`.
    pub(in super::super) type AmDataRelease = unsafe extern "C" fn(*mut Worker, *mut c_void);
    /// `ucp_request_free`.
    pub(in super::super) type RequestFree = unsafe extern "C" fn(*mut c_void);
}
