//! Calls of the kernel and of the C library that need nothing of ours: whoever calls these functions promises nothing.
//!
//! ```text
//!   before main   `before_main!`: an entry of the program's list of initialisers; what only may be done then (`BeforeMain`)
//!   the end       `_exit`, exit handlers, flushing the C library's streams
//!   errno         kept over a signal handler, or set where a function of ours stands for one of the C library's
//!   pages         any range of addresses, by number: where they are to come from, whether they are there, whether they stay
//! ```
//!
//! What the functions about pages are told is a number and not a pointer, for they change no byte and no right of access,
//! whatever lies there, and the kernel refuses what is not mapped.
//!
//! Invariant **SYSTEM-B1**: a [`BeforeMain`] is there only while an initialiser of the program runs: there is one thread, and it
//! is in no call of the C library's. Where the program loads the library later (`dlopen`), whoever loads it vouches for that:
//! no other thread reads or changes the environment meanwhile.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};

/// `before_main!(run)`: the C runtime calls `run`, a `fn(&BeforeMain)`, once, before `main`. `before_main!(first, run)`: before
/// others' initialisers, as far as can be.
macro_rules! before_main {
    ($run:path) => {
        $crate::process::system::before_main!(@ ".init_array", $run);
    };
    (first, $run:path) => {
        $crate::process::system::before_main!(@ ".init_array.00101", $run);
    };
    (@ $section:literal, $run:path) => {
        #[allow(unsafe_code)]
        const _: () = {
            extern "C" fn run() {
                // SAFETY: SYSTEM-B1: nobody can name this function but the list below.
                let now = unsafe { $crate::process::system::BeforeMain::begun() };
                $run(&now);
            }
            // SAFETY: the functions in this section are called without arguments, once, before `main`, when the C library is
            // ready; what it holds is a function of that form.
            #[used]
            #[unsafe(link_section = $section)]
            static BEFORE_MAIN: extern "C" fn() = run;
        };
    };
}
pub(crate) use before_main;

/// The program is being initialised (SYSTEM-B1).
pub(crate) struct BeforeMain(());

impl BeforeMain {
    /// # Safety
    /// SYSTEM-B1.
    pub(crate) unsafe fn begun() -> BeforeMain {
        BeforeMain(())
    }

    /// Takes a variable out of the environment.
    pub(crate) fn remove_variable(&self, name: &str) {
        // SAFETY: SYSTEM-B1: nobody reads the environment meanwhile.
        unsafe { std::env::remove_var(name) }
    }

    /// Takes over a descriptor that this process was started with.
    ///
    /// # Errors
    /// There is no such one: it is not open; or `exec` would have closed it, so it was opened since, and has an owner.
    pub(crate) fn inherited(&self, number: RawFd) -> io::Result<OwnedFd> {
        // Nobody is asked for a negative one.
        if number < 0 {
            return Err(Errno::BADF.into());
        }
        // SAFETY: SYSTEM-B1: it is only asked for its flags, and nobody closes it meanwhile.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        if fcntl_getfd(fd)?.contains(FdFlags::CLOEXEC) {
            return Err(io::Error::other("it was opened by this process"));
        }
        fcntl_setfd(fd, FdFlags::CLOEXEC)?;
        // SAFETY: it has lived through an `exec`, so nobody in this process has opened it; who comes again finds its new flag.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    }
}

/// Ends the process, without the exit handlers.
pub(crate) fn exit_now(status: c_int) -> ! {
    // SAFETY: always sound; it does not return.
    unsafe { libc::_exit(status) }
}

/// Flushes all streams of the C library. Waits for whoever holds one.
pub(crate) fn flush_streams() {
    // SAFETY: null means all of them; they are locked one by one.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}

#[cfg(target_env = "gnu")]
unsafe extern "C" {
    fn on_exit(handler: extern "C" fn(c_int, *mut c_void), arg: *mut c_void) -> c_int;
}

/// `atexit`, where it cannot be asked for the status.
#[cfg(not(target_env = "gnu"))]
unsafe fn on_exit(_: extern "C" fn(c_int, *mut c_void), _: *mut c_void) -> c_int {
    extern "C" fn handler() {
        exiting(0, std::ptr::null_mut());
    }
    // SAFETY: a plain function, which stays in memory as long as the process.
    unsafe { libc::atexit(handler) }
}

/// What is to be done at process exit.
static AT_EXIT: OnceLock<fn(c_int)> = OnceLock::new();

extern "C" fn exiting(status: c_int, _: *mut c_void) {
    if let Some(run) = AT_EXIT.get() {
        run(status);
    }
}

/// Has `run` called at process exit with the status: by a return from `main`, or by `exit`. One function only, the first.
/// Whether it will be.
pub(crate) fn at_exit(run: fn(c_int)) -> bool {
    // SAFETY: a plain function, which stays in memory as long as the process.
    AT_EXIT.set(run).is_ok() && unsafe { on_exit(exiting, std::ptr::null_mut()) } == 0
}

fn errno() -> *mut c_int {
    // SAFETY: always sound: the address of a word of this thread's.
    unsafe { libc::__errno_location() }
}

/// As a call of the C library that fails.
pub(crate) fn set_errno(code: c_int) {
    // SAFETY: this thread's own word.
    unsafe { errno().write(code) };
}

/// Runs `what` in a signal handler: what is interrupted is to find its error as it was.
pub(crate) fn keeping_errno(what: impl FnOnce()) {
    // SAFETY: this thread's own word.
    let before = unsafe { errno().read() };
    what();
    set_errno(before);
}

/// The NUMA node this thread runs on now; 0 if the system does not say.
pub(crate) fn numa_node() -> u32 {
    let (mut cpu, mut node) = (0u32, 0u32);
    // SAFETY: two words that the kernel writes to, and no third argument.
    let result = unsafe { libc::syscall(libc::SYS_getcpu, &raw mut cpu, &raw mut node, 0usize) };
    if result == 0 { node } else { 0 }
}

/// Where pages are to come from.
#[derive(Clone, Copy)]
pub(crate) enum Bind {
    /// These nodes before others.
    Prefer,
    /// These nodes, in turns.
    Interleave,
}

/// Says where the pages from `start` on are to come from, as a bit per node: those that are not there yet. It may fail (no
/// such node, no NUMA in the kernel): it is a preference.
pub(crate) fn bind_pages(start: usize, len: usize, how: Bind, nodes: u64) {
    let policy: usize = match how {
        Bind::Prefer => 1,
        Bind::Interleave => 3,
    };
    // SAFETY: the kernel reads the word of nodes; a policy changes no byte, and pages that are there stay where they are.
    unsafe { libc::syscall(libc::SYS_mbind, start, len, policy, &raw const nodes, 64usize, 0usize) };
}

/// Faults in and locks the pages from `start` on.
pub(crate) fn lock_pages(start: usize, len: usize) -> Result<(), Errno> {
    // SAFETY: it changes no byte and no right of access.
    unsafe { rustix::mm::mlock(std::ptr::without_provenance_mut(start), len) }
}

/// Unlocks them. A failure leaves the pages locked, which harms nobody.
pub(crate) fn unlock_pages(start: usize, len: usize) {
    // SAFETY: it changes no byte and no right of access.
    let _ = unsafe { rustix::mm::munlock(std::ptr::without_provenance_mut(start), len) };
}

/// The least that a page is on any processor.
const LEAST_PAGE: usize = 4096;

/// Which of the pages of 4 KiB from `start` on are in memory: bit 0 of a byte each. False if the system does not say.
pub(crate) fn resident_pages(start: usize, answer: &mut [u8]) -> bool {
    let (start, len) = (std::ptr::without_provenance_mut(start), answer.len() * LEAST_PAGE);
    // SAFETY: it changes nothing but the answer: a byte for each page of the system's, which are no more than there is room for.
    unsafe { libc::mincore(start, len, answer.as_mut_ptr()) == 0 }
}

/// Writes `len` bytes of this process's memory at address `from` to the file. By address, for bytes to which no reference
/// may be made; the kernel reads them, and says if they are not there. By the bare system call: address sanitizers replace
/// `pwrite` and object to the gaps between variables. It allocates nothing.
pub(crate) fn write_memory(file: BorrowedFd<'_>, from: usize, len: usize, offset: u64) -> io::Result<()> {
    let mut done = 0;
    while done < len {
        let (bytes, to) = (from + done, offset + done as u64);
        // SAFETY: the kernel reads, and writes nothing in this process.
        let n = unsafe { libc::syscall(libc::SYS_pwrite64, file.as_raw_fd(), bytes, len - done, to) };
        match usize::try_from(n) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => done += n,
            Err(_) => return Err(io::Error::last_os_error()),
        }
    }
    Ok(())
}

/// The program of this process, as the loader put it in memory.
pub(crate) struct Program {
    bias: usize,
    headers: Vec<Header>,
}

/// A program header.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) at: usize,
    pub(crate) file_len: usize,
    pub(crate) len: usize,
}

impl Program {
    /// The main executable, which the loader lists first.
    pub(crate) fn find() -> Program {
        let mut found = Program { bias: 0, headers: Vec::new() };
        // SAFETY: the callback gets `found` back and is called only before this returns.
        unsafe { libc::dl_iterate_phdr(Some(first), (&raw mut found).cast()) };
        found
    }

    /// What is to be added to an address of the file: not 0 if it is position-independent.
    pub(crate) fn bias(&self) -> usize {
        self.bias
    }

    pub(crate) fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// Copies of its notes, which nobody writes.
    pub(crate) fn notes(&self) -> Vec<Vec<u8>> {
        let loaded = |note: &&Header| {
            self.headers.iter().any(|h| {
                let inside = h.at <= note.at && note.at + note.len <= h.at + h.file_len;
                h.kind == libc::PT_LOAD && h.flags & libc::PF_R != 0 && inside
            })
        };
        let copy = |note: &Header| {
            let mut bytes = vec![0u8; note.len];
            let from = std::ptr::with_exposed_provenance::<u8>(self.bias + note.at);
            // SAFETY: it lies in a readable segment of the executable, which is never unmapped; `find` alone makes headers of ours.
            unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), note.len) };
            bytes
        };
        self.headers.iter().filter(|h| h.kind == libc::PT_NOTE).filter(loaded).map(copy).collect()
    }
}

/// Takes down the first object and ends the iteration.
unsafe extern "C" fn first(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
    // SAFETY: `Program::find` passes a pointer to its own local, which nobody else refers to.
    let found = unsafe { &mut *found.cast::<Program>() };
    // SAFETY: the loader passes a description that is valid during the call.
    let info = unsafe { &*info };
    found.bias = info.dlpi_addr as usize;
    for i in 0..usize::from(info.dlpi_phnum) {
        // SAFETY: there are `dlpi_phnum` headers at `dlpi_phdr`.
        let header = unsafe { info.dlpi_phdr.add(i) };
        // SAFETY: as above; the loader never changes them.
        let header = unsafe { &*header };
        found.headers.push(Header {
            kind: header.p_type,
            flags: header.p_flags,
            at: header.p_vaddr as usize,
            file_len: header.p_filesz as usize,
            len: header.p_memsz as usize,
        });
    }
    1
}
