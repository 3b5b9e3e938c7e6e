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
    /// Top floor first. Empty: only its circles are looked for.
    pub floors: &'static [Floor],
}

/// Which crates are read. That they import each other in one direction only is Cargo's to see to.
pub const CRATES: &[Crate] = &[
    Crate { src: "shmem-c/src", floors: &[] },
    Crate { src: "shmem-c/src/bin/shmem-info", floors: &[] },
    Crate { src: "shmem-api/src", floors: SHMEM_API },
    Crate { src: "memheap-ptmalloc/src", floors: &[] },
    Crate { src: "memheap-buddy/src", floors: &[] },
    Crate { src: "memheap/src", floors: &[] },
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
    ("boot", "joining the job: by MPI, or by a supervisor of our own"),
    ("statics", "the executable's variables as shared memory"),
    ("sync", "atomics, fences and sleeping: the system's or the models'"),
    ("memory", "how shared bytes are moved"),
    ("process", "this process for the system: signals, limits, children, its last words"),
    ("error", "what can go wrong, in words"),
    ("types", "what goes by value and has no state"),
];
