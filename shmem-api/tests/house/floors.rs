//! The floors of each crate, top floor first: the one place where the order of the house is written down.
//!
//! A file imports what stands on its own floor or on one below. A folder of `src/`, or a file there, is a floor;
//! `lib` is the crate's root. Whoever adds a folder gives it its line here, and whoever wants an import to run
//! upwards moves the thing down, or finds out that it belongs where it is wanted.

/// One floor: its folder, or file, in `src/`, and what it is for.
pub type Floor = (&'static str, &'static str);

/// A crate whose imports are read.
pub struct Crate {
    /// The folder of its root module, from the workspace's.
    pub src: &'static str,
    /// Top floor first. Empty where all stand side by side: then only circles are looked for.
    pub floors: &'static [Floor],
}

/// Which crates are read. That they import each other in one direction only is Cargo's to see to.
pub const CRATES: &[Crate] = &[
    Crate { src: "shmem-c/src", floors: &[] },
    Crate { src: "shmem-c/src/bin/shmem-info", floors: &[] },
    Crate { src: "shmem-api/src", floors: SHMEM_API },
    Crate { src: "memheap-ptmalloc/src", floors: PTMALLOC },
    Crate { src: "memheap-buddy/src", floors: BUDDY },
    Crate { src: "memheap/src", floors: MEMHEAP },
];

/// The runtime's.
const SHMEM_API: &[Floor] = &[
    ("lib", "the names users see"),
    ("testing", "tests on several PEs"),
    ("api", "the safe API: World, teams, symmetric objects, phases, signals, locks, contexts"),
    ("raw", "the standard's calls on pointers, by section of the standard"),
    ("coll", "the collectives, one per file, over a group of PEs"),
    ("call", "one call: from address and PE to the bytes meant"),
    ("startup", "from nothing to an engine, who holds it up, and process exit"),
    ("engine", "what one start brought up: node, heap, teams, contexts"),
    ("heap", "the symmetric heap's books and their checks"),
    ("team", "sets of PEs: their table, the rendezvous, contexts"),
    ("progress", "how this PE waits: the hook of the transport, the job's end, proof of deadlock"),
    ("exit", "ending the job without hanging; forks; proof of deadlock"),
    (
        "node",
        "what the PEs of a job show each other: segments, control blocks, mailboxes, signatures, static data",
    ),
    ("transport", "how bytes and words reach a PE, mapped here or not: the seam"),
    ("boot", "joining the job: by the launcher, by MPI, or by a supervisor of our own"),
    ("statics", "the executable's variables as shared memory"),
    ("sync", "atomics, fences and sleeping: the system's or the models'"),
    ("memory", "how shared bytes are moved"),
    ("process", "this process for the system: signals, limits, children, its last words"),
    ("error", "what can go wrong, in words"),
    ("types", "what goes by value and has no state"),
];

/// The allocator by chunks and bins.
const PTMALLOC: &[Floor] = &[
    ("lib", "the component"),
    ("heap", "the calls of a module"),
    ("starts", "from an offset to the chunk that starts there"),
    ("chunks", "all that is known of a chunk"),
    ("bins", "which bin holds chunks of a size"),
    ("width", "how wide the numbers in the tables are"),
    ("units", "lengths and positions in granules"),
];

/// The allocator by powers of two.
const BUDDY: &[Floor] = &[
    ("lib", "the component"),
    ("heap", "the calls of a module"),
    ("free", "all free blocks"),
    ("sizes", "the order of every live block"),
    ("path", "the free siblings along one path of the tree"),
    ("bitmaps", "free blocks as bits"),
];

/// What a symmetric heap is.
const MEMHEAP: &[Floor] = &[
    ("lib", "the names that all crates use"),
    ("place", "which space a block comes from"),
    ("space", "a window of the segment and its module"),
    ("seeds", "what documents the seed systems and nothing calls at run time"),
    ("reserve", "what the runtime takes for itself at boot"),
    ("pages", "a segment cut into windows"),
    ("map", "pictures of heaps"),
    ("framework", "components: open all, select one, close the rest"),
    ("checked", "the guard around a component of the program's own"),
    ("conformance", "the tests that every component passes"),
    ("component", "what an allocator is to the rest"),
    ("budget", "how large heaps are, and whose pages they take"),
    ("settings", "the one table of settings"),
    ("global", "a word for any byte of any heap"),
    ("region", "the memory behind a heap"),
    ("table", "large sparse tables for metadata"),
    ("units", "offsets, sizes, alignments as types"),
];
