//! What is declared is what Debian's headers say.

use std::mem::offset_of;
use std::process::Command;

use super::super::abi::*;

/// Each number as C computes it, and ours.
fn numbers() -> Vec<(String, i128)> {
    let mut numbers: Vec<(String, i128)> = Vec::new();
    let mut equal = |c: &str, ours: i128| numbers.push((c.to_owned(), ours));
    macro_rules! layout {
        ($c:literal, $ours:ty, $($field:ident),*) => {
            equal(concat!("sizeof(", $c, ")"), size_of::<$ours>() as i128);
            equal(concat!("_Alignof(", $c, ")"), align_of::<$ours>() as i128);
            $(equal(concat!("offsetof(", $c, ", ", stringify!($field), ")"), offset_of!($ours, $field) as i128);)*
        };
    }
    macro_rules! values {
        ($($c:literal $ours:expr,)*) => { $(equal($c, $ours as i128);)* };
    }
    layout!("ucp_lib_attr_t", LibAttr, field_mask, max_thread_level);
    layout!(
        "ucp_params_t",
        Params,
        field_mask,
        features,
        request_size,
        request_init,
        request_cleanup,
        tag_sender_mask,
        mt_workers_shared,
        estimated_num_eps,
        estimated_num_ppn,
        name
    );
    layout!(
        "ucp_worker_params_t",
        WorkerParams,
        field_mask,
        thread_mode,
        cpu_mask,
        events,
        user_data,
        event_fd,
        flags,
        name,
        am_alignment,
        client_id
    );
    layout!(
        "ucp_worker_attr_t",
        WorkerAttr,
        field_mask,
        thread_mode,
        address_flags,
        address,
        address_length,
        max_am_header,
        name,
        max_debug_string
    );
    layout!("ucp_err_handler_t", ErrHandler, cb, arg);
    layout!("ucs_sock_addr_t", SockAddr, addr, addrlen);
    layout!(
        "ucp_ep_params_t",
        EpParams,
        field_mask,
        address,
        err_mode,
        err_handler,
        user_data,
        flags,
        sockaddr,
        conn_request,
        name,
        local_sockaddr
    );
    layout!(
        "ucp_request_param_t",
        RequestParam,
        op_attr_mask,
        flags,
        request,
        cb,
        datatype,
        user_data,
        reply_buffer,
        memory_type,
        recv_info,
        memh
    );
    layout!("ucp_am_handler_param_t", AmHandlerParam, field_mask, id, flags, cb, arg);
    layout!("ucp_am_recv_param_t", AmRecvParam, recv_attr, reply_ep);
    values! {
        "sizeof(ucs_status_t)" size_of::<Status>(),
        "(ucs_status_t)-1 < 0" 1,
        "sizeof(ucs_status_ptr_t)" size_of::<StatusPtr>(),
        "sizeof(((ucp_request_param_t *)0)->cb)" size_of::<RequestCb>(),
        "UCS_OK" OK,
        "UCS_INPROGRESS" IN_PROGRESS,
        "UCS_ERR_BUSY" ERR_BUSY,
        "UCS_ERR_LAST" ERR_LAST,
        "UCS_THREAD_MODE_SERIALIZED" THREAD_MODE_SERIALIZED,
        "UCS_THREAD_MODE_MULTI" THREAD_MODE_MULTI,
        "UCP_LIB_ATTR_FIELD_MAX_THREAD_LEVEL" LIB_MAX_THREAD_LEVEL,
        "UCP_PARAM_FIELD_FEATURES" PARAM_FEATURES,
        "UCP_PARAM_FIELD_MT_WORKERS_SHARED" PARAM_MT_WORKERS_SHARED,
        "UCP_FEATURE_WAKEUP" FEATURE_WAKEUP,
        "UCP_FEATURE_AM" FEATURE_AM,
        "UCP_WORKER_PARAM_FIELD_THREAD_MODE" WORKER_THREAD_MODE,
        "UCP_WORKER_PARAM_FIELD_EVENTS" WORKER_EVENTS,
        "UCP_WORKER_PARAM_FIELD_FLAGS" WORKER_FLAGS,
        "UCP_WAKEUP_TX" WAKEUP_TX,
        "UCP_WAKEUP_RX" WAKEUP_RX,
        "UCP_WORKER_FLAG_IGNORE_REQUEST_LEAK" WORKER_IGNORE_REQUEST_LEAK,
        "UCP_WORKER_ATTR_FIELD_MAX_AM_HEADER" WORKER_MAX_AM_HEADER,
        "UCP_EP_PARAM_FIELD_REMOTE_ADDRESS" EP_REMOTE_ADDRESS,
        "UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE" EP_ERR_HANDLING_MODE,
        "UCP_EP_PARAM_FIELD_ERR_HANDLER" EP_ERR_HANDLER,
        "UCP_ERR_HANDLING_MODE_PEER" ERR_HANDLING_MODE_PEER,
        "UCP_EP_CLOSE_FLAG_FORCE" EP_CLOSE_FORCE,
        "UCP_OP_ATTR_FIELD_CALLBACK" OP_CALLBACK,
        "UCP_OP_ATTR_FIELD_USER_DATA" OP_USER_DATA,
        "UCP_OP_ATTR_FIELD_FLAGS" OP_FLAGS,
        "UCP_AM_SEND_FLAG_EAGER" AM_SEND_EAGER,
        "UCP_AM_SEND_FLAG_RNDV" AM_SEND_RNDV,
        "UCP_AM_HANDLER_PARAM_FIELD_ID" AM_HANDLER_ID,
        "UCP_AM_HANDLER_PARAM_FIELD_FLAGS" AM_HANDLER_FLAGS,
        "UCP_AM_HANDLER_PARAM_FIELD_CB" AM_HANDLER_CB,
        "UCP_AM_HANDLER_PARAM_FIELD_ARG" AM_HANDLER_ARG,
        "UCP_AM_FLAG_WHOLE_MSG" AM_WHOLE_MSG,
        "UCP_AM_RECV_ATTR_FLAG_DATA" AM_RECV_DATA,
        "UCP_AM_RECV_ATTR_FLAG_RNDV" AM_RECV_RNDV,
    }
    numbers
}

/// The type of each function, and of each callback.
const FUNCTIONS: &[(&str, &str)] = &[
    (
        "ucs_status_t (*)(void *, const void *, size_t, void *, size_t, const ucp_am_recv_param_t *)",
        "ucp_am_recv_callback_t",
    ),
    ("void (*)(void *, ucp_ep_h, ucs_status_t)", "ucp_err_handler_cb_t"),
    ("void (*)(void *, ucs_status_t, void *)", "ucp_send_nbx_callback_t"),
    ("void (*)(void *, ucs_status_t, size_t, void *)", "ucp_am_recv_data_nbx_callback_t"),
    ("void (*)(unsigned *, unsigned *, unsigned *)", "&ucp_get_version"),
    ("const char *(*)(ucs_status_t)", "&ucs_status_string"),
    ("ucs_status_t (*)(ucp_lib_attr_t *)", "&ucp_lib_query"),
    ("ucs_status_t (*)(const char *, const char *, ucp_config_t **)", "&ucp_config_read"),
    ("ucs_status_t (*)(ucp_config_t *, const char *, const char *)", "&ucp_config_modify"),
    ("void (*)(ucp_config_t *)", "&ucp_config_release"),
    (
        "ucs_status_t (*)(unsigned, unsigned, const ucp_params_t *, const ucp_config_t *, ucp_context_h *)",
        "&ucp_init_version",
    ),
    ("void (*)(ucp_context_h)", "&ucp_cleanup"),
    ("void (*)(const ucp_context_h, FILE *)", "&ucp_context_print_info"),
    ("ucs_status_t (*)(ucp_context_h, const ucp_worker_params_t *, ucp_worker_h *)", "&ucp_worker_create"),
    ("void (*)(ucp_worker_h)", "&ucp_worker_destroy"),
    ("ucs_status_t (*)(ucp_worker_h, ucp_worker_attr_t *)", "&ucp_worker_query"),
    ("ucs_status_t (*)(ucp_worker_h, ucp_address_t **, size_t *)", "&ucp_worker_get_address"),
    ("void (*)(ucp_worker_h, ucp_address_t *)", "&ucp_worker_release_address"),
    ("unsigned (*)(ucp_worker_h)", "&ucp_worker_progress"),
    ("ucs_status_t (*)(ucp_worker_h, int *)", "&ucp_worker_get_efd"),
    ("ucs_status_t (*)(ucp_worker_h)", "&ucp_worker_arm"),
    ("ucs_status_t (*)(ucp_worker_h, const ucp_am_handler_param_t *)", "&ucp_worker_set_am_recv_handler"),
    ("ucs_status_t (*)(ucp_worker_h, const ucp_ep_params_t *, ucp_ep_h *)", "&ucp_ep_create"),
    ("void *(*)(ucp_ep_h, const ucp_request_param_t *)", "&ucp_ep_close_nbx"),
    (
        "void *(*)(ucp_ep_h, unsigned, const void *, size_t, const void *, size_t, const ucp_request_param_t *)",
        "&ucp_am_send_nbx",
    ),
    ("void *(*)(ucp_worker_h, void *, void *, size_t, const ucp_request_param_t *)", "&ucp_am_recv_data_nbx"),
    ("void (*)(ucp_worker_h, void *)", "&ucp_am_data_release"),
    ("void (*)(void *)", "&ucp_request_free"),
];

/// A file of C that the compiler refuses where its header and ours differ. Enums are compared by size: of which kind they are, C
/// leaves to the compiler.
#[test]
fn what_is_declared_is_what_the_headers_say() {
    let mut text = "#include <stddef.h>\n#include <ucp/api/ucp.h>\n".to_owned();
    for (c, ours) in numbers() {
        // Later versions add fields behind ours.
        let same = if c.starts_with("sizeof(ucp") {
            "UCP_API_MINOR == 13 ? got == want : got >= want"
        } else {
            "got == want"
        };
        let same = same.replace("got", &format!("(__int128)({c})")).replace("want", &ours.to_string());
        text += &format!("_Static_assert({same}, \"{c}: not {ours}\");\n");
    }
    for (kind, name) in FUNCTIONS {
        let of = if name.starts_with('&') { format!("__typeof__({name})") } else { (*name).to_owned() };
        text += &format!("_Static_assert(__builtin_types_compatible_p({of}, {kind}), \"{name}\");\n");
    }
    let dir = std::env::temp_dir().join(format!("shmem-ucx-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let source = dir.join("abi.c");
    let compiled = |text: &str| {
        std::fs::write(&source, text).unwrap();
        Command::new("cc").arg("-Werror").arg("-c").arg(&source).arg("-o").arg(dir.join("abi.o")).output()
    };
    match compiled("#include <ucp/api/ucp.h>\n") {
        Err(e) => eprintln!("not compared: no C compiler ({e})"),
        Ok(out) if !out.status.success() => eprintln!("not compared: no ucp/api/ucp.h (Debian: libucx-dev)"),
        Ok(_) => {
            let out = compiled(&text).unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
    }
    let _ = std::fs::remove_dir_all(&dir);
}
