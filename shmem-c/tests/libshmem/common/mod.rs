//! What the tests of libshmem share: an installation of it, compiling against it, and launching.
//!
//! ```text
//!   cargo build --release -p shmem-c ──► install.sh ──► target/tmp/shmem-PREFIX ──► oshcc x.c ──► oshrun -n 4 x
//! ```
//!
//! The tests use what users use: an installed tree, its compiler wrapper and its launcher. It is installed once
//! per `cargo test`, by whichever test comes first.

pub mod spec;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use shmem_api::testing::{Boot, Launch, Outcome};

/// The crate's directory.
pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where tests may write.
pub fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The compiler of the MPI that a launcher belongs to, if it is here.
pub fn mpicc(boot: Boot) -> Option<&'static str> {
    let names: &[&str] = match boot {
        Boot::Local | Boot::Hosts => &[],
        Boot::OpenMpi => &["mpicc.openmpi", "mpicc"],
        Boot::Mpich => &["mpicc.mpich", "mpicc"],
        // Open MPI's asks it by PMIx, MPICH's by PMI.
        Boot::Slurm if boot.way() == "pmix" => return mpicc(Boot::OpenMpi),
        Boot::Slurm => return mpicc(Boot::Mpich),
    };
    let is_its = |name: &&&str| {
        let says = Command::new(name).arg("--showme:version").output().ok();
        let open = says.as_ref().is_some_and(|out| String::from_utf8_lossy(&out.stdout).contains("Open MPI"));
        says.is_some() && open == (boot == Boot::OpenMpi)
    };
    names.iter().find(is_its).copied()
}

/// The prefix under which libshmem is installed.
pub fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let prefix = scratch().join("shmem-prefix");
        // Test programs are processes of their own and may run at the same time.
        let lock = File::create(scratch().join("shmem-prefix.lock")).expect("a lock file");
        lock.lock().expect("its lock");
        let stamp = prefix.join("lib/shmem/installed");
        let archive = build();
        if !newer(&stamp, &archive) {
            install(&archive, &prefix, None);
        }
        prefix
    })
}

/// Builds the library as users do, and says where cargo put it.
pub fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "-p", "shmem-c", "--quiet"]).current_dir(here());
    run(&mut cargo);
    let target = scratch().parent().expect("target/tmp has a parent");
    target.join("release/libshmem_c.a")
}

/// Runs install.sh on what was built.
pub fn install(archive: &Path, prefix: &Path, destdir: Option<&Path>) {
    let mut script = Command::new(here().join("install.sh"));
    script.arg("--prefix").arg(prefix).arg("--archive").arg(archive);
    script.arg("--info").arg(archive.with_file_name("shmem-info"));
    script.env_remove("MPICC").env_remove("DESTDIR").env_remove("CC").env_remove("CXX");
    script.envs(destdir.map(|dir| ("DESTDIR", dir)));
    run(&mut script);
}

/// Whether `installed` is as new as all that it was made from.
fn newer(installed: &Path, archive: &Path) -> bool {
    let time = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let dirs = ["include", "include/shmem", "include/mpp", "bin", "man"].map(|dir| here().join(dir));
    let sources = dirs.iter().flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten());
    let mut sources: Vec<PathBuf> = sources.map(|entry| entry.path()).collect();
    sources.extend(["install.sh", "link.sh"].map(|script| here().join(script)));
    sources.push(archive.to_owned());
    time(installed).is_some_and(|at| sources.iter().all(|source| time(source).is_some_and(|s| s < at)))
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// An installed tool. Nothing of the tests' environment reaches it but what a user's would.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new(prefix().join("bin").join(name));
    command.env_remove("CC").env_remove("CXX");
    command
}

/// Compiles and links a C or C++ file of the crate with the installed wrapper; a warning is an error.
pub fn compile(source: &str, flags: &[&str]) -> PathBuf {
    compile_beside("", source, flags)
}

/// As [`compile`], for a program that calls the MPI of which `mpicc` is the compiler.
pub fn compile_beside(mpicc: &str, source: &str, flags: &[&str]) -> PathBuf {
    let name: String = format!("{source} {} {mpicc}", flags.join(" "))
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    // Once in this process: several tests may run one program.
    static DONE: Mutex<BTreeMap<String, Arc<OnceLock<PathBuf>>>> = Mutex::new(BTreeMap::new());
    let done = DONE.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default().clone();
    done.get_or_init(|| compile_to(&name, mpicc, source, flags)).clone()
}

fn compile_to(name: &str, mpicc: &str, source: &str, flags: &[&str]) -> PathBuf {
    let dir = scratch().join("c");
    std::fs::create_dir_all(&dir).expect("a directory for programs");
    let program = dir.join(name);
    let wrapper = if source.ends_with(".cpp") { "oshc++" } else { "oshcc" };
    let mut command = tool(wrapper);
    command.env("OSHCC_MPICC", mpicc);
    command.args(["-O2", "-g", "-Wall", "-Wextra", "-Werror"]).args(flags);
    run(command.arg(here().join(source)).arg("-o").arg(&program));
    program
}

/// A launch of `program` on `n` PEs by the installed oshrun with that launcher, or by itself.
pub fn launch(program: &Path, n: u32, boot: Boot) -> Launch {
    let launch = match boot {
        Boot::Local | Boot::Hosts => Launch::of_program(program, n, boot),
        Boot::OpenMpi | Boot::Mpich | Boot::Slurm => {
            let mut oshrun = tool("oshrun");
            oshrun.env("OSHRUN_LAUNCHER", boot.launcher().expect("the boots that are here"));
            oshrun.args(["-n", &n.to_string()]);
            // To Open MPI's it tells them itself.
            if boot == Boot::Slurm {
                oshrun.args(boot.options());
            }
            oshrun.arg(program);
            Launch::of_command(oshrun).by(boot)
        }
    };
    launch.env("SHMEM_SYMMETRIC_SIZE", "256M")
}

/// Runs a program on each number of PEs under the boots of [`Boot::of_each`]; each must succeed. `check` looks at what it printed.
pub fn on(program: &Path, pes: &[u32], check: impl Fn(u32, &Outcome)) {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    for (n, boot) in Boot::of_each(&name, pes) {
        let outcome = launch(program, n, boot).run();
        outcome.expect_success(&format!("{} on {n} PEs by {boot:?}", program.display()));
        check(n, &outcome);
    }
}
