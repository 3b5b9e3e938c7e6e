//! Which standard this is, and whose library.

use std::ffi::CStr;

/// `SHMEM_MAJOR_VERSION`: of the standard.
pub const MAJOR_VERSION: i32 = 1;
/// `SHMEM_MINOR_VERSION`: of the standard.
pub const MINOR_VERSION: i32 = 6;
/// `SHMEM_MAX_NAME_LEN`: bytes a name can have, its NUL included.
pub const MAX_NAME_LEN: usize = 256;
/// `SHMEM_VENDOR_STRING`: the name of this library.
pub const VENDOR_STRING: &CStr = match CStr::from_bytes_with_nul(
    concat!("Symmetric heap in Rust (shmem-api ", env!("CARGO_PKG_VERSION"), ")\0").as_bytes(),
) {
    Ok(name) => name,
    Err(_) => panic!("one NUL, at the end"),
};
const _: () = assert!(VENDOR_STRING.to_bytes_with_nul().len() <= MAX_NAME_LEN);
