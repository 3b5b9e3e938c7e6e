//! The table itself: every setting, its grammar, its default and what it does.

use super::kind::Kind;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// An older name that is used when `name` is not set.
    pub fallback: Option<&'static str>,
    /// What values it takes.
    pub kind: Kind,
    /// The value when it is not set, in the same grammar; empty where "not set" is the default.
    pub default: &'static str,
    /// What it does, in a sentence.
    pub meaning: &'static str,
}

/// The longest segment: the candidates for its base are that far apart.
const LONGEST: u64 = 8 << 40;

/// More than any machine has.
const MOST: u64 = 1 << 62;

/// The ways to join a job: the launcher's PMIx, its PMI-1, MPI, and no launcher.
pub const BOOTS: &[&str] = &["pmix", "pmi", "mpi", "local"];

/// What carries messages between hosts.
pub const TRANSPORTS: &[&str] = &["ucx", "mpi"];

macro_rules! settings {
    ($($(#[$doc:meta])* $id:ident = $name:literal $(or $old:literal)?, $kind:expr, $default:literal, $meaning:literal;)*) => {
        $($(#[$doc])* #[doc = $meaning]
        pub const $id: Setting = Setting {
            name: $name, fallback: settings!(@old $($old)?), kind: $kind, default: $default, meaning: $meaning,
        };)*
        /// Every setting, in the order they are printed.
        pub const TABLE: &[Setting] = &[$($id),*];
    };
    (@old) => { None };
    (@old $old:literal) => { Some($old) };
}

settings! {
    SYMMETRIC_SIZE = "SHMEM_SYMMETRIC_SIZE" or "SMA_SYMMETRIC_SIZE", Kind::Size(LONGEST), "",
        "Bytes of symmetric heap per PE: a number with an optional k, m, g or t, or a percentage of the host's memory.";
    HEAP_BUDGET = "SHMEM_HEAP_BUDGET", Kind::Size(MOST), "",
        "Without a size: what the heaps of all PEs of a host may take together, as 75% or 12G; half of what is free if not set.";
    HEAP_PREALLOC = "SHMEM_HEAP_PREALLOC", Kind::Switch, "0",
        "Take the heap's memory at start, so that running out shows there.";
    HEAP_OVERCOMMIT = "SHMEM_HEAP_OVERCOMMIT", Kind::Switch, "1",
        "Whether the heaps of a host may be larger together than what is free; 0 refuses at start.";
    HEAP_DUMP = "SHMEM_HEAP_DUMP", Kind::Switch, "1",
        "Whether core dumps hold what was touched of a PE's heap; 0 leaves the heap out whole.";
    HEAP_HOST_SIZE = "SHMEM_HEAP_HOST_SIZE", Kind::Size(LONGEST), "256m",
        "Bytes of the space for memory that only the PEs of the host reach.";
    HEAP_DMA_SIZE = "SHMEM_HEAP_DMA_SIZE", Kind::Size(LONGEST), "64m",
        "Bytes of the space for locked, pre-faulted memory.";
    HEAP_PE_SIZE = "SHMEM_HEAP_PE_SIZE", Kind::Size(LONGEST), "256m",
        "Bytes of the space for memory of this PE only.";
    MEMHEAP = "SHMEM_MEMHEAP", Kind::Components, "",
        "Allocators that may manage the heap: `a,b` allows only these, `^a` leaves one out.";
    MEMHEAP_HOST = "SHMEM_MEMHEAP_HOST", Kind::Components, "",
        "The same for the space of the host, if it is to differ.";
    MEMHEAP_DMA = "SHMEM_MEMHEAP_DMA", Kind::Components, "",
        "The same for the space of locked memory.";
    MEMHEAP_PE = "SHMEM_MEMHEAP_PE", Kind::Components, "",
        "The same for the space of this PE.";
    HEAP_CHECK = "SHMEM_HEAP_CHECK", Kind::Count(0, 3), "1",
        "Heap checking: 1 exact frees (always on, as for 0); 2 guard zones, fill patterns, call sites; 3 guard pages and quarantine.";
    HEAP_QUIET = "SHMEM_HEAP_QUIET", Kind::Switch, "0",
        "Say nothing of an allocation that fails: for programs that ask until there is no more.";
    HEAP_TRIM = "SHMEM_HEAP_TRIM", Kind::Size(MOST), "256m",
        "Idle freed bytes above which the heap gives pages back to the system; 0 for never.";
    LOCAL_PES = "SHMEM_LOCAL_PES", Kind::Count(1, 65536), "",
        "Start that many PEs on this machine without MPI: the program is re-executed under a supervisor.";
    BOOT = "SHMEM_BOOT", Kind::Names(BOOTS), "",
        "How PEs join their job: `pmix,pmi` allows only these, `^mpi` leaves one out; the best that works if not set.";
    TRANSPORT = "SHMEM_TRANSPORT", Kind::Names(TRANSPORTS), "",
        "What carries messages between hosts: `ucx` or `mpi` allows only that, `^ucx` leaves it out; the best that all PEs have if not set.";
    NET = "SHMEM_NET", Kind::Net, "",
        "Network interfaces or networks that PEs of different hosts reach each other by: `eth0`, `10.1.0.0/16`; all if not set.";
    LINK_TIMEOUT = "SHMEM_LINK_TIMEOUT", Kind::Count(0, 1_000_000), "7",
        "A host that is silent for so many seconds, although it was asked, is lost, and the job ends; 0: never, as for a debugger.";
    FAKE_HOSTS = "SHMEM_FAKE_HOSTS", Kind::Hosts, "",
        "For tests: the PEs of a machine take themselves for so many hosts: 2, stretches of PEs; 1+3, of so many; cyclic:2, in turn.";
    TEAMS = "SHMEM_TEAMS", Kind::Count(2, 1024), "64",
        "Teams a PE can be a member of at once, the world and the shared team included (2 to 1024).";
    HANG_REPORT = "SHMEM_HANG_REPORT", Kind::Count(1, 1_000_000_000), "",
        "After that many seconds in one wait, a PE prints where it waits; nothing is ended.";
    INFO = "SHMEM_INFO" or "SMA_INFO", Kind::Present, "",
        "PE 0 prints the settings and what was chosen at start.";
    VERSION = "SHMEM_VERSION" or "SMA_VERSION", Kind::Present, "",
        "PE 0 prints the library's version at start.";
    DEBUG = "SHMEM_DEBUG" or "SMA_DEBUG", Kind::Present, "",
        "Every PE says at start which process it is and where its heap and static data are.";
    BUDDY_MIN_ORDER = "SHMEM_MEMHEAP_BUDDY_MIN_ORDER", Kind::Count(3, 21), "",
        "Logarithm of the smallest block of the buddy allocator (3 to 21).";
}

/// `SHMEM_MEMHEAP_<NAME>_PRIORITY`: the priority of component NAME instead of its own.
pub const COMPONENT_PRIORITY: (&str, &str) = ("SHMEM_MEMHEAP_", "_PRIORITY");

/// Whether `name` is that of a component's priority.
pub(super) fn is_priority(name: &str) -> bool {
    let (prefix, suffix) = COMPONENT_PRIORITY;
    name.len() > prefix.len() + suffix.len() && name.starts_with(prefix) && name.ends_with(suffix)
}
