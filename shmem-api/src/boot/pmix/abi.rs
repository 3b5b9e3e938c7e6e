//! What we use of PMIx's interface: types, constants and keys as its headers have them.
//!
//! Declared here, since the library is loaded at run time and no header is there when this is built. The test compares
//! each of them with Debian's headers, where they are installed.

use std::ffi::{c_char, c_int};

/// `PMIX_MAX_NSLEN`.
pub(super) const MAX_NSLEN: usize = 255;
/// `PMIX_MAX_KEYLEN`.
pub(super) const MAX_KEYLEN: usize = 511;

/// `pmix_proc_t`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Proc {
    pub(super) nspace: [c_char; MAX_NSLEN + 1],
    pub(super) rank: u32,
}

/// `pmix_byte_object_t`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct ByteObject {
    pub(super) bytes: *mut c_char,
    pub(super) size: usize,
}

/// What a value holds, by its type.
#[repr(C)]
pub(super) union Data {
    pub(super) flag: bool,
    pub(super) uint32: u32,
    pub(super) string: *mut c_char,
    pub(super) bo: ByteObject,
    /// As long as the longest.
    pub(super) words: [u64; 3],
}

/// `pmix_value_t`.
#[repr(C)]
pub(super) struct Value {
    pub(super) kind: u16,
    pub(super) data: Data,
}

/// `pmix_info_t`.
#[repr(C)]
pub(super) struct Info {
    pub(super) key: [c_char; MAX_KEYLEN + 1],
    pub(super) flags: u32,
    pub(super) value: Value,
}

/// `PMIX_SUCCESS`.
pub(super) const SUCCESS: c_int = 0;
/// `PMIX_RANK_WILDCARD`: of the whole job.
pub(super) const RANK_WILDCARD: u32 = u32::MAX - 1;
/// `PMIX_GLOBAL`, a `pmix_scope_t`.
pub(super) const GLOBAL: u8 = 3;
/// `PMIX_BOOL`.
pub(super) const BOOL: u16 = 1;
/// `PMIX_STRING`.
pub(super) const STRING: u16 = 3;
/// `PMIX_UINT32`.
pub(super) const UINT32: u16 = 14;
/// `PMIX_BYTE_OBJECT`.
pub(super) const BYTE_OBJECT: u16 = 27;
/// `PMIX_JOB_SIZE`.
pub(super) const JOB_SIZE: &std::ffi::CStr = c"pmix.job.size";
/// `PMIX_LOCAL_PEERS`.
pub(super) const LOCAL_PEERS: &std::ffi::CStr = c"pmix.lpeers";
/// `PMIX_COLLECT_DATA`.
pub(super) const COLLECT_DATA: &std::ffi::CStr = c"pmix.collect";

/// The functions, by their names.
pub(super) mod call {
    use super::{Info, Proc, Value};
    use std::ffi::{c_char, c_int};

    /// `PMIx_Get_version`.
    pub(in super::super) type GetVersion = unsafe extern "C" fn() -> *const c_char;
    /// `PMIx_Error_string`.
    pub(in super::super) type ErrorString = unsafe extern "C" fn(c_int) -> *const c_char;
    /// `PMIx_Init`.
    pub(in super::super) type Init = unsafe extern "C" fn(*mut Proc, *mut Info, usize) -> c_int;
    /// `PMIx_Get`.
    pub(in super::super) type Get =
        unsafe extern "C" fn(*const Proc, *const c_char, *const Info, usize, *mut *mut Value) -> c_int;
    /// `PMIx_Put`.
    pub(in super::super) type Put = unsafe extern "C" fn(u8, *const c_char, *mut Value) -> c_int;
    /// `PMIx_Commit`.
    pub(in super::super) type Commit = unsafe extern "C" fn() -> c_int;
    /// `PMIx_Fence`.
    pub(in super::super) type Fence = unsafe extern "C" fn(*const Proc, usize, *const Info, usize) -> c_int;
    /// `PMIx_Abort`.
    pub(in super::super) type Abort = unsafe extern "C" fn(c_int, *const c_char, *mut Proc, usize) -> c_int;
    /// `PMIx_Finalize`.
    pub(in super::super) type Finalize = unsafe extern "C" fn(*const Info, usize) -> c_int;
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use std::mem::offset_of;
    use std::process::Command;

    use super::*;

    /// Where Debian has the headers, and where others do.
    const HEADERS: [&str; 3] = [
        "/usr/lib/x86_64-linux-gnu/pmix2/include",
        "/usr/lib/aarch64-linux-gnu/pmix2/include",
        "/usr/include",
    ];

    /// A program of C that says where its header and ours differ.
    #[test]
    fn what_is_declared_is_what_the_headers_say() {
        let Some(include) = HEADERS.iter().find(|dir| std::path::Path::new(dir).join("pmix.h").exists())
        else {
            eprintln!("not compared: no pmix.h (Debian: libpmix-dev)");
            return;
        };
        let numbers = [
            ("PMIX_MAX_NSLEN", MAX_NSLEN),
            ("PMIX_MAX_KEYLEN", MAX_KEYLEN),
            ("sizeof(pmix_proc_t)", size_of::<Proc>()),
            ("_Alignof(pmix_proc_t)", align_of::<Proc>()),
            ("offsetof(pmix_proc_t, nspace)", offset_of!(Proc, nspace)),
            ("offsetof(pmix_proc_t, rank)", offset_of!(Proc, rank)),
            ("sizeof(pmix_rank_t)", 4),
            ("sizeof(pmix_byte_object_t)", size_of::<ByteObject>()),
            ("offsetof(pmix_byte_object_t, bytes)", offset_of!(ByteObject, bytes)),
            ("offsetof(pmix_byte_object_t, size)", offset_of!(ByteObject, size)),
            ("sizeof(pmix_value_t)", size_of::<Value>()),
            ("_Alignof(pmix_value_t)", align_of::<Value>()),
            ("offsetof(pmix_value_t, type)", offset_of!(Value, kind)),
            ("sizeof(pmix_data_type_t)", 2),
            ("offsetof(pmix_value_t, data)", offset_of!(Value, data)),
            ("sizeof(((pmix_value_t *)0)->data)", size_of::<Data>()),
            ("offsetof(pmix_value_t, data.flag)", offset_of!(Value, data.flag)),
            ("offsetof(pmix_value_t, data.uint32)", offset_of!(Value, data.uint32)),
            ("offsetof(pmix_value_t, data.string)", offset_of!(Value, data.string)),
            ("offsetof(pmix_value_t, data.bo)", offset_of!(Value, data.bo)),
            ("sizeof(pmix_info_t)", size_of::<Info>()),
            ("_Alignof(pmix_info_t)", align_of::<Info>()),
            ("offsetof(pmix_info_t, key)", offset_of!(Info, key)),
            ("offsetof(pmix_info_t, flags)", offset_of!(Info, flags)),
            ("sizeof(pmix_info_directives_t)", 4),
            ("offsetof(pmix_info_t, value)", offset_of!(Info, value)),
            ("sizeof(pmix_status_t)", size_of::<c_int>()),
            ("PMIX_SUCCESS", SUCCESS as usize),
            ("(uint32_t)(PMIX_RANK_WILDCARD)", RANK_WILDCARD as usize),
            ("sizeof(pmix_scope_t)", 1),
            ("PMIX_GLOBAL", GLOBAL.into()),
            ("PMIX_BOOL", BOOL.into()),
            ("PMIX_STRING", STRING.into()),
            ("PMIX_UINT32", UINT32.into()),
            ("PMIX_BYTE_OBJECT", BYTE_OBJECT.into()),
        ];
        let keys = [
            ("PMIX_JOB_SIZE", JOB_SIZE),
            ("PMIX_LOCAL_PEERS", LOCAL_PEERS),
            ("PMIX_COLLECT_DATA", COLLECT_DATA),
        ];
        let functions = [
            ("const char *(*)(void)", "PMIx_Get_version"),
            ("const char *(*)(int)", "PMIx_Error_string"),
            ("int (*)(pmix_proc_t *, pmix_info_t *, size_t)", "PMIx_Init"),
            (
                "int (*)(const pmix_proc_t *, const char *, const pmix_info_t *, size_t, pmix_value_t **)",
                "PMIx_Get",
            ),
            ("int (*)(uint8_t, const char *, pmix_value_t *)", "PMIx_Put"),
            ("int (*)(void)", "PMIx_Commit"),
            ("int (*)(const pmix_proc_t *, size_t, const pmix_info_t *, size_t)", "PMIx_Fence"),
            ("int (*)(int, const char *, pmix_proc_t *, size_t)", "PMIx_Abort"),
            ("int (*)(const pmix_info_t *, size_t)", "PMIx_Finalize"),
        ];
        let mut text =
            "#include <stddef.h>\n#include <string.h>\n#include <stdio.h>\n#include <pmix.h>\n".to_owned();
        text += "int main(void) { int wrong = 0;\n";
        for (what, ours) in numbers {
            text += &format!(
                "if ((size_t)({what}) != {ours}ul) {{ wrong = 1; printf(\"{what}: %zu, not {ours}\\n\", (size_t)({what})); }}\n"
            );
        }
        for (what, ours) in keys {
            let ours = ours.to_str().unwrap();
            text += &format!(
                "if (strcmp({what}, \"{ours}\")) {{ wrong = 1; printf(\"{what}: %s\\n\", {what}); }}\n"
            );
        }
        for (kind, name) in functions {
            text += &format!(
                "_Static_assert(__builtin_types_compatible_p(__typeof__(&{name}), {kind}), \"{name}\");\n"
            );
        }
        text += "return wrong; }\n";
        let dir = std::env::temp_dir().join(format!("shmem-pmix-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (source, program) = (dir.join("abi.c"), dir.join("abi"));
        std::fs::write(&source, text).unwrap();
        let mut cc = Command::new("cc");
        let built = cc.arg("-I").arg(include).arg(&source).arg("-o").arg(&program).output();
        let Ok(built) = built else {
            eprintln!("not compared: no C compiler");
            return;
        };
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let said = Command::new(&program).output().unwrap();
        let _ = std::fs::remove_dir_all(&dir);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    }
}
