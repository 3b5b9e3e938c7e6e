//! The two binary interfaces that MPIs have, and the functions of one by their names.
//!
//! | | Open MPI | MPICH, and Intel's, MVAPICH, Cray's |
//! |---|---|---|
//! | a handle | the address of an object | a number |
//! | a status | source, tag, .. | two words of its own, source, tag, .. |
//! | any source | -1 | -2 |
//!
//! No MPI is needed to build this: the functions are found by their `PMPI_` names, which pass no profiler.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

use crate::process::library::Loaded;

/// What differs from one to the other.
pub(crate) trait Abi: Copy + Send + Sync + 'static {
    /// A communicator, a datatype, a request, a message, an error handler.
    type Handle: Copy + Send + Sync;
    /// `MPI_ANY_SOURCE`.
    const ANY_SOURCE: c_int;
    /// Which number of a status is `MPI_SOURCE`; `MPI_TAG` is the next.
    const SOURCE: usize;

    /// `MPI_COMM_WORLD`, `MPI_BYTE`, `MPI_ERRORS_RETURN`.
    ///
    /// # Errors
    /// The library has another interface.
    fn constants(library: Loaded) -> Result<[Self::Handle; 3], String>;
}

/// That of Open MPI.
#[derive(Clone, Copy)]
pub(crate) struct OpenMpi;

/// An address of an object of Open MPI's.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Address(*const c_void);

// SAFETY: MPI-L1: handles name objects of the library, which any thread may name.
unsafe impl Send for Address {}
// SAFETY: MPI-L1: as above.
unsafe impl Sync for Address {}

impl Abi for OpenMpi {
    type Handle = Address;
    const ANY_SOURCE: c_int = -1;
    const SOURCE: usize = 0;

    fn constants(library: Loaded) -> Result<[Address; 3], String> {
        // An executable that names an object has a copy, which the library uses, too.
        let object = |name: &str| {
            let found = Loaded::program().address(name).or_else(|| library.address(name));
            found.map(|at| Address(at.as_ptr().cast_const())).ok_or_else(|| format!("it has no {name}"))
        };
        Ok([object("ompi_mpi_comm_world")?, object("ompi_mpi_byte")?, object("ompi_mpi_errors_return")?])
    }
}

/// That of MPICH.
#[derive(Clone, Copy)]
pub(crate) struct Mpich;

impl Mpich {
    /// `MPI_COMM_WORLD`, `MPI_BYTE`, `MPI_ERRORS_RETURN`.
    const CONSTANTS: [c_int; 3] = [0x4400_0000, 0x4c00_010d, 0x5400_0001];
}

impl Abi for Mpich {
    type Handle = c_int;
    const ANY_SOURCE: c_int = -2;
    const SOURCE: usize = 2;

    fn constants(_: Loaded) -> Result<[c_int; 3], String> {
        Ok(Mpich::CONSTANTS)
    }
}

/// `MPI_Status` of both, with room.
#[repr(C, align(8))]
#[derive(Clone, Copy, Default)]
pub(crate) struct Status([c_int; 16]);

impl Status {
    /// `MPI_SOURCE` and `MPI_TAG`.
    pub(crate) fn source_and_tag<A: Abi>(&self) -> (c_int, c_int) {
        (self.0[A::SOURCE], self.0[A::SOURCE + 1])
    }
}

/// Of functions that return a status, which is [`SUCCESS`] or an error.
type Code = c_int;
/// `MPI_SUCCESS` of every MPI.
pub(crate) const SUCCESS: Code = 0;
/// `MPI_THREAD_MULTIPLE` of every MPI.
pub(crate) const MULTIPLE: c_int = 3;
/// More than any MPI's `MPI_MAX_ERROR_STRING`.
const LONGEST_ERROR: usize = 4096;

/// A loaded MPI: MPI-L1. `H`: what its handles are.
#[derive(Clone, Copy)]
pub(crate) struct Functions<A: Abi> {
    pub(crate) world: A::Handle,
    pub(crate) byte: A::Handle,
    pub(crate) errors_return: A::Handle,
    pub(super) initialized: unsafe extern "C" fn(*mut c_int) -> Code,
    pub(super) finalized: unsafe extern "C" fn(*mut c_int) -> Code,
    pub(super) init_thread:
        unsafe extern "C" fn(*mut c_int, *mut *mut *mut c_char, c_int, *mut c_int) -> Code,
    pub(super) query_thread: unsafe extern "C" fn(*mut c_int) -> Code,
    pub(super) rank: unsafe extern "C" fn(A::Handle, *mut c_int) -> Code,
    pub(super) size: unsafe extern "C" fn(A::Handle, *mut c_int) -> Code,
    pub(super) abort: unsafe extern "C" fn(A::Handle, c_int) -> Code,
    pub(super) finalize: unsafe extern "C" fn() -> Code,
    error_string: unsafe extern "C" fn(c_int, *mut c_char, *mut c_int) -> Code,
    pub(crate) allgather: unsafe extern "C" fn(
        *const c_void,
        c_int,
        A::Handle,
        *mut c_void,
        c_int,
        A::Handle,
        A::Handle,
    ) -> Code,
    pub(crate) comm_dup: unsafe extern "C" fn(A::Handle, *mut A::Handle) -> Code,
    pub(crate) set_errhandler: unsafe extern "C" fn(A::Handle, A::Handle) -> Code,
    pub(crate) isend: unsafe extern "C" fn(
        *const c_void,
        c_int,
        A::Handle,
        c_int,
        c_int,
        A::Handle,
        *mut A::Handle,
    ) -> Code,
    pub(crate) irecv:
        unsafe extern "C" fn(*mut c_void, c_int, A::Handle, c_int, c_int, A::Handle, *mut A::Handle) -> Code,
    pub(crate) improbe:
        unsafe extern "C" fn(c_int, c_int, A::Handle, *mut c_int, *mut A::Handle, *mut Status) -> Code,
    pub(crate) imrecv:
        unsafe extern "C" fn(*mut c_void, c_int, A::Handle, *mut A::Handle, *mut A::Handle) -> Code,
    pub(crate) get_count: unsafe extern "C" fn(*const Status, A::Handle, *mut c_int) -> Code,
    pub(crate) test: unsafe extern "C" fn(*mut A::Handle, *mut c_int, *mut Status) -> Code,
    pub(crate) cancel: unsafe extern "C" fn(*mut A::Handle) -> Code,
}

impl<A: Abi> Functions<A> {
    pub(super) fn load(library: Loaded) -> Result<Functions<A>, String> {
        fn symbol<T: Copy>(library: Loaded, name: &str) -> Result<T, String> {
            // SAFETY: MPI-L1: the fields have the types that the standard has for the names.
            unsafe { library.function(name) }
        }
        let [world, byte, errors_return] = A::constants(library)?;
        Ok(Functions {
            world,
            byte,
            errors_return,
            initialized: symbol(library, "PMPI_Initialized")?,
            finalized: symbol(library, "PMPI_Finalized")?,
            init_thread: symbol(library, "PMPI_Init_thread")?,
            query_thread: symbol(library, "PMPI_Query_thread")?,
            rank: symbol(library, "PMPI_Comm_rank")?,
            size: symbol(library, "PMPI_Comm_size")?,
            abort: symbol(library, "PMPI_Abort")?,
            finalize: symbol(library, "PMPI_Finalize")?,
            error_string: symbol(library, "PMPI_Error_string")?,
            allgather: symbol(library, "PMPI_Allgather")?,
            comm_dup: symbol(library, "PMPI_Comm_dup")?,
            set_errhandler: symbol(library, "PMPI_Comm_set_errhandler")?,
            isend: symbol(library, "PMPI_Isend")?,
            irecv: symbol(library, "PMPI_Irecv")?,
            improbe: symbol(library, "PMPI_Improbe")?,
            imrecv: symbol(library, "PMPI_Imrecv")?,
            get_count: symbol(library, "PMPI_Get_count")?,
            test: symbol(library, "PMPI_Test")?,
            cancel: symbol(library, "PMPI_Cancel")?,
        })
    }

    fn is(&self, question: unsafe extern "C" fn(*mut c_int) -> Code) -> bool {
        let mut flag = 0;
        // SAFETY: MPI-L1: both questions may be asked at any time.
        unsafe { question(&raw mut flag) };
        flag != 0
    }

    pub(super) fn is_initialized(&self) -> bool {
        self.is(self.initialized)
    }

    pub(crate) fn is_finalized(&self) -> bool {
        self.is(self.finalized)
    }

    /// What a call of that name returned, as a result.
    pub(crate) fn check(&self, call: &str, code: Code) -> Result<(), String> {
        if code == SUCCESS {
            return Ok(());
        }
        let (mut text, mut len) = ([0u8; LONGEST_ERROR], 0);
        // SAFETY: MPI-L2: any code that a call returned; there is room.
        unsafe { (self.error_string)(code, text.as_mut_ptr().cast(), &raw mut len) };
        let text = String::from_utf8_lossy(&text[..usize::try_from(len).unwrap_or(0).min(LONGEST_ERROR)])
            .into_owned();
        Err(format!("{call}: {} ({code})", text.split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use super::*;
    use std::process::Command;

    /// What both interfaces have, and what each has: a program of C that the MPI's own compiler builds, if it is here.
    #[test]
    fn what_is_declared_is_what_the_headers_say() {
        let both = "_Static_assert(MPI_THREAD_SINGLE == 0 && MPI_THREAD_FUNNELED == 1 && MPI_THREAD_SERIALIZED == 2, \"\");\n\
            _Static_assert(MPI_THREAD_MULTIPLE == 3 && MPI_SUCCESS == 0, \"\");\n\
            _Static_assert(sizeof(MPI_Comm) == sizeof(MPI_Datatype) && sizeof(MPI_Comm) == sizeof(MPI_Request), \"\");\n\
            _Static_assert(sizeof(MPI_Comm) == sizeof(MPI_Message) && sizeof(MPI_Comm) == sizeof(MPI_Errhandler), \"\");\n\
            _Static_assert(MPI_MAX_ERROR_STRING <= 4096, \"\");\n\
            int (*gather)(const void *, int, MPI_Datatype, void *, int, MPI_Datatype, MPI_Comm) = PMPI_Allgather;\n\
            int (*init)(int *, char ***, int, int *) = PMPI_Init_thread;\n\
            int (*number)(MPI_Comm, int *) = PMPI_Comm_rank;\n\
            int (*stop)(MPI_Comm, int) = PMPI_Abort;\n\
            int (*text)(int, char *, int *) = PMPI_Error_string;\n\
            int (*dup)(MPI_Comm, MPI_Comm *) = PMPI_Comm_dup;\n\
            int (*handler)(MPI_Comm, MPI_Errhandler) = PMPI_Comm_set_errhandler;\n\
            int (*send)(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *) = PMPI_Isend;\n\
            int (*receive)(void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *) = PMPI_Irecv;\n\
            int (*probe)(int, int, MPI_Comm, int *, MPI_Message *, MPI_Status *) = PMPI_Improbe;\n\
            int (*taken)(void *, int, MPI_Datatype, MPI_Message *, MPI_Request *) = PMPI_Imrecv;\n\
            int (*count)(const MPI_Status *, MPI_Datatype, int *) = PMPI_Get_count;\n\
            int (*test)(MPI_Request *, int *, MPI_Status *) = PMPI_Test;\n\
            int (*cancel)(MPI_Request *) = PMPI_Cancel;\n";
        let of = |any: c_int, source: usize| {
            format!(
                "#include <stddef.h>\n_Static_assert(MPI_ANY_SOURCE == {any} && sizeof(MPI_Status) <= {}, \"\");\n\
                 _Static_assert(offsetof(MPI_Status, MPI_SOURCE) == {}, \"\");\n\
                 _Static_assert(offsetof(MPI_Status, MPI_TAG) == {}, \"\");\n",
                size_of::<Status>(),
                4 * source,
                4 * (source + 1)
            )
        };
        let [world, byte, errors] = Mpich::CONSTANTS;
        let mpich = of(Mpich::ANY_SOURCE, Mpich::SOURCE)
            + &format!(
                "_Static_assert(MPI_COMM_WORLD == (MPI_Comm){world} && MPI_BYTE == (MPI_Datatype){byte}, \"\");\n\
                 _Static_assert(MPI_ERRORS_RETURN == (MPI_Errhandler){errors}, \"\");\n\
                 _Static_assert(sizeof(MPI_Comm) == sizeof(int), \"\");\n"
            );
        let open = of(OpenMpi::ANY_SOURCE, OpenMpi::SOURCE)
            + "_Static_assert(sizeof(MPI_Comm) == sizeof(void *), \"\");\n\
            int same(void) { return (void *)&ompi_mpi_comm_world == (void *)MPI_COMM_WORLD && (void *)&ompi_mpi_byte == (void *)MPI_BYTE\n\
                && (void *)&ompi_mpi_errors_return == (void *)MPI_ERRORS_RETURN; }\n";
        let dir = std::env::temp_dir().join(format!("shmem-mpi-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let source = dir.join("abi.c");
        for (compiler, own) in [("mpicc.mpich", mpich.as_str()), ("mpicc.openmpi", open.as_str())] {
            std::fs::write(&source, format!("#include <mpi.h>\n{both}{own}")).unwrap();
            let mut cc = Command::new(compiler);
            match cc.arg("-Werror").arg("-c").arg(&source).arg("-o").arg(dir.join("abi.o")).output() {
                Ok(out) => {
                    assert!(out.status.success(), "{compiler}: {}", String::from_utf8_lossy(&out.stderr))
                }
                Err(_) => eprintln!("not compared: no {compiler}"),
            }
        }
        let _ = std::fs::remove_dir_all(&dir);
    }
}
