//! shmem-info: what this installation of libshmem is, how it is set, and whether it works on this host.
//!
//! ```text
//!   shmem-info            version, launcher, allocators
//!   shmem-info -a         that, and every setting, and the host
//!   shmem-info --json     all of it as JSON
//!   shmem-info --check    looks at the host, then starts two PEs that put, add and meet
//! ```

mod facts;
mod host;
mod report;
mod selftest;

use std::process::ExitCode;

use report::{Report, print};

const USAGE: &str = "\
shmem-info [-a | --all] [--json] [--check]

  (nothing)    version, MPI, allocators
  -a, --all    these, every setting with its default and meaning, and facts of the host
  --json       all of it as one JSON object
  --check      look for what would hinder a program on this host, then start two PEs
  --version    the version only
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |names: &[&str]| args.iter().any(|a| names.contains(&a.as_str()));
    const KNOWN: [&str; 8] = ["-a", "--all", "--json", "--check", "--version", "-h", "--help", selftest::PE];
    if let Some(unknown) = args.iter().find(|a| !KNOWN.contains(&a.as_str())) {
        eprint!("shmem-info: what is {unknown}?\n\n{USAGE}");
        return ExitCode::from(2);
    }
    if has(&[selftest::PE]) {
        return selftest::be_a_pe();
    }
    if has(&["-h", "--help"]) {
        return print(USAGE);
    }
    if has(&["--version"]) {
        return print(&format!("{}\n", facts::version()));
    }
    if has(&["--check"]) {
        return selftest::check();
    }
    let all = has(&["-a", "--all"]) || has(&["--json"]);
    let mut report = Report::default();
    facts::library(&mut report);
    facts::boots(&mut report);
    facts::engines(&mut report);
    facts::components(&mut report);
    if all {
        facts::settings(&mut report);
        host::facts(&mut report);
    }
    print(&if has(&["--json"]) { report.json() } else { report.text() })
}
