//! The launchers and compilers that this machine has, by what they say of themselves: `mpirun`, `mpicc` and `oshcc` alone
//! may be anybody's.

use std::path::Path;
use std::process::Command;

use crate::beside::Failure;

/// How PEs are started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Launcher {
    /// By Open MPI's, whose name here this is.
    Mpirun(&'static str),
    /// By MPICH's, whose name here this is.
    Mpiexec(&'static str),
    /// By the library in the program.
    None,
}

impl Launcher {
    /// Open MPI's.
    ///
    /// # Errors
    /// There is none.
    pub fn mpirun() -> Result<Launcher, Failure> {
        tool(&["mpirun.openmpi", "mpirun"], "--version", "Open MPI").map(Launcher::Mpirun)
    }

    /// MPICH's.
    ///
    /// # Errors
    /// There is none.
    pub fn mpiexec() -> Result<Launcher, Failure> {
        tool(&["mpiexec.mpich", "mpiexec.hydra", "mpiexec"], "--version", "HYDRA").map(Launcher::Mpiexec)
    }

    /// What starts so many PEs of `program`; arguments are its.
    pub fn command(self, pes: u32, program: &Path) -> Command {
        let n = pes.to_string();
        match self {
            Launcher::Mpirun(name) => {
                let mut command = Command::new(name);
                command.args(["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]);
                // Its OSHMEM 4.1 crashes at start with that component; whatever it launches is launched alike.
                command.args(["--mca", "osc", "^rdma", "-n", &n]).arg(program);
                command
            }
            Launcher::Mpiexec(name) => {
                let mut command = Command::new(name);
                command.args(["-n", &n]).arg(program);
                command
            }
            Launcher::None => {
                let mut command = Command::new(program);
                command.env("SHMEM_LOCAL_PES", n);
                command
            }
        }
    }
}

/// The first of `names` that says `says` if it is asked `ask`.
///
/// # Errors
/// There is none.
pub fn tool(names: &[&'static str], ask: &str, says: &str) -> Result<&'static str, Failure> {
    let found = names.iter().find(|name| {
        let output = Command::new(name).arg(ask).output();
        output.is_ok_and(|o| [o.stdout, o.stderr].iter().any(|s| String::from_utf8_lossy(s).contains(says)))
    });
    found.copied().ok_or_else(|| format!("no {} that says {says} is here", names.join(" or ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_known_by_what_it_says() {
        assert_eq!(tool(&["no-such-tool", "echo"], "says so", "so").unwrap(), "echo");
        let none = tool(&["no-such-tool", "echo"], "says so", "otherwise").unwrap_err().to_string();
        assert!(none.contains("no-such-tool or echo"), "{none}");
    }
}
