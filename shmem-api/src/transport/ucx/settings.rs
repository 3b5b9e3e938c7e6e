//! A context of UCX: by its own configuration from the environment and its files, with what this library's settings change.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use super::abi::{self, Config, Params};
use super::library::{FIRST, Functions};

/// An open context: UCX-U4.
pub(super) struct Context {
    library: Functions,
    handle: *mut abi::Context,
    /// What it reaches others by: `tcp/eth0`, `cma/memory`.
    pub(super) devices: String,
}

// SAFETY: UCX-U2: it is made for several workers of several threads.
unsafe impl Send for Context {}

impl Context {
    /// `net`: the network devices, separated by commas. `settings`: others of UCX's, without `UCX_`.
    ///
    /// # Errors
    /// UCX does not start so.
    pub(super) fn open(
        library: Functions,
        net: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Result<Context, String> {
        let config = Configuration::read(library)?;
        for (name, value) in settings {
            config.change(name, value)?;
        }
        if let Some(net) = net {
            config.change("NET_DEVICES", net).map_err(|e| format!("SHMEM_NET={net}: {e}"))?;
        }
        // SAFETY: all zero is a value of it: no field is set.
        let mut params: Params = unsafe { MaybeUninit::zeroed().assume_init() };
        params.field_mask = abi::PARAM_FEATURES | abi::PARAM_MT_WORKERS_SHARED;
        params.features = abi::FEATURE_AM | abi::FEATURE_WAKEUP;
        params.mt_workers_shared = 1;
        let ([major, minor], mut handle) = (FIRST, ptr::null_mut());
        // SAFETY: UCX-U1: it copies what it needs of both.
        let status =
            unsafe { (library.init)(major, minor, &raw const params, config.handle, &raw mut handle) };
        library.check("ucp_init", status)?;
        let mut context = Context { library, handle, devices: String::new() };
        let devices = context.resources();
        for wanted in net.into_iter().flat_map(|net| net.split(',')) {
            if wanted != "all" && !devices.iter().any(|device| is_on(device, wanted)) {
                return Err(format!("SHMEM_NET={wanted}: UCX has no such network device here"));
            }
        }
        context.devices = devices.join(", ");
        Ok(context)
    }

    pub(super) fn handle(&self) -> *mut abi::Context {
        self.handle
    }

    /// Its resources, as UCX prints them: transport and device.
    fn resources(&self) -> Vec<String> {
        let (mut text, mut len) = (ptr::null_mut::<c_char>(), 0);
        // SAFETY: it writes both when the stream is closed, below.
        let stream = unsafe { libc::open_memstream(&raw mut text, &raw mut len) };
        if stream.is_null() {
            return Vec::new();
        }
        // SAFETY: UCX-U1, UCX-U4: it writes to the stream.
        unsafe { (self.library.context_print_info)(self.handle, stream) };
        // SAFETY: it was opened above.
        unsafe { libc::fclose(stream) };
        if text.is_null() {
            return Vec::new();
        }
        // SAFETY: so many bytes, which closing the stream has written.
        let printed =
            resources(&String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(text.cast(), len) }));
        // SAFETY: the stream's block is the caller's to free.
        unsafe { libc::free(text.cast()) };
        printed
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: UCX-U4: the last call on it; its workers have gone.
        unsafe { (self.library.cleanup)(self.handle) };
    }
}

/// UCX's configuration, to be changed.
struct Configuration {
    library: Functions,
    handle: *mut Config,
}

impl Configuration {
    fn read(library: Functions) -> Result<Configuration, String> {
        let mut handle = ptr::null_mut();
        // SAFETY: UCX-U1: no prefix and no file but its own.
        let status = unsafe { (library.config_read)(ptr::null(), ptr::null(), &raw mut handle) };
        library.check("ucp_config_read", status)?;
        Ok(Configuration { library, handle })
    }

    fn change(&self, name: &str, value: &str) -> Result<(), String> {
        let text = |text| CString::new(text).map_err(|_| "a byte of it is zero".to_owned());
        let (key, text) = (text(name)?, text(value)?);
        // SAFETY: UCX-U1: it copies both.
        let status = unsafe { (self.library.config_modify)(self.handle, key.as_ptr(), text.as_ptr()) };
        self.library.check(&format!("ucp_config_modify of {name}"), status)
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        // SAFETY: UCX-U1: it was read, and nobody uses it any more.
        unsafe { (self.library.config_release)(self.handle) };
    }
}

/// From lines as `#  resource 0  :  md 0  dev 0  flags -- tcp/lo`.
fn resources(printed: &str) -> Vec<String> {
    let lines = printed.lines().filter(|line| line.trim_start_matches(['#', ' ']).starts_with("resource"));
    let mut found: Vec<String> = lines
        .filter_map(|line| line.split_whitespace().rfind(|word| word.contains('/')))
        .map(str::to_owned)
        .collect();
    found.dedup();
    found
}

/// Whether a resource (`tcp/eth0`, `rc_verbs/mlx5_0:1`) is on a device as UCX and its users name it (`eth0`, `mlx5_0`, `mlx5_0:1`).
fn is_on(resource: &str, device: &str) -> bool {
    let of = resource.split_once('/').map_or(resource, |(_, device)| device);
    of == device || of.split_once(':').is_some_and(|(name, _)| name == device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_as_they_are_printed() {
        let printed = "#\n# UCP context\n#\n#     component 0  :  self\n#            md 0  :  component 0  self \n#\n\
            #      resource 0  :  md 0  dev 0  flags -- self/memory\n#      resource 1  :  md 1  dev 1  flags -- tcp/lo\n";
        assert_eq!(resources(printed), ["self/memory", "tcp/lo"]);
        assert_eq!(resources(""), [""; 0]);
    }

    #[test]
    fn devices_as_users_name_them() {
        assert!(is_on("tcp/eth0", "eth0"));
        assert!(!is_on("tcp/eth0", "eth"));
        assert!(is_on("rc_verbs/mlx5_0:1", "mlx5_0") && is_on("rc_verbs/mlx5_0:1", "mlx5_0:1"));
        assert!(!is_on("rc_verbs/mlx5_0:1", "mlx5_0:2"));
    }
}
