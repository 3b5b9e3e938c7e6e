//! A Rust program with the crate that also loads libshmem.so: two copies of the library in one process. The one that
//! comes second is refused with a line, and the first works on.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::process::Command;

use crate::common::{here, run, scratch, tool};
use shmem_api::{Error, World};

unsafe extern "C" {
    fn dlopen(file: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

const RTLD_NOW: c_int = 2;
/// Set in the process that plays: the shared object to load.
const ROLE: &str = "SHMEM_TEST_TWO_ENGINES";

/// Loads the shared object and has it start libshmem: whether it came up.
fn init_libshmem(object: &str) -> bool {
    let file = CString::new(object).unwrap();
    // SAFETY: a file name; the object's initialisers are libshmem's, which only look at the environment.
    let library = unsafe { dlopen(file.as_ptr(), RTLD_NOW) };
    assert!(!library.is_null(), "{object} can be loaded");
    // SAFETY: the library stays loaded.
    let symbol = unsafe { dlsym(library, c"init_libshmem".as_ptr()) };
    assert!(!symbol.is_null());
    // SAFETY: loaded.c defines it so.
    let init: extern "C" fn() -> c_int = unsafe { std::mem::transmute(symbol) };
    init() == 1
}

#[test]
fn the_second_copy_is_refused_and_the_first_works_on() {
    if let Ok(object) = std::env::var(ROLE) {
        let world = World::init().expect("the first copy comes up");
        assert!(!init_libshmem(&object), "libshmem came up beside the crate's engine");
        let cells = world.alloc_with(3, |i| i as u64).expect("the first copy works on");
        assert_eq!(cells[..], [0, 1, 2]);
        drop(cells);
        world.finalize().expect("and ends well");
        let again: Result<World, Error> = World::init();
        again.expect("and comes up again").finalize().expect("and ends again");
        return;
    }
    let object = scratch().join("libloaded.so");
    let mut cc: Command = tool("oshcc");
    run(cc.args(["-shared", "-fPIC"]).arg(here().join("tests/c/loaded.c")).arg("-o").arg(&object));
    let mut me = Command::new(std::env::current_exe().unwrap());
    me.args(["the_second_copy", "--nocapture", "--test-threads=1"]).env(ROLE, &object);
    let output = run(me.env("SHMEM_SYMMETRIC_SIZE", "16M"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another copy of this library is up in this process"), "{said}");
}
