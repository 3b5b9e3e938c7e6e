//! The launcher's PMI-1 (MPICH's, Intel's, Flux's, Slurm's `--mpi=pmi2`): lines of text on the descriptor `PMI_FD`.
//!
//! ```text
//!   cmd=init ...            ──►  ◄──  cmd=response_to_init ... rc=0
//!   cmd=put key= value=     ──►  ◄──  cmd=put_result rc=0            the card, in pieces
//!   cmd=barrier_in          ──►  ◄──  cmd=barrier_out
//!   cmd=get key=            ──►  ◄──  cmd=get_result value=          of each PE
//!   cmd=abort exitcode=     ──►
//!   cmd=finalize            ──►  ◄──  cmd=finalize_ack               at process exit
//! ```
//!
//! Invariant: **PMI-P1** the descriptor is only spoken to if it is a connected socket, and is used only if it answers as
//! one of PMI would. It is not inherited by what this process starts; what forks it must not speak.
#![allow(unsafe_code)]

mod line;

use std::ffi::CStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use memheap::PeId;
use memheap::region::kept::Kept;
use rustix::fs::FileType;
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

use crate::boot::files;
use crate::boot::launched::Step;
use crate::boot::launcher::{Launcher, from_hex, to_hex};
use crate::boot::missing::{Job, Mark, Watch};
use crate::boot::pmi::line::{Incoming, Line};
use crate::boot::sockets::{is_ancestor, other_side, ready};
use crate::error::Error;
use crate::process::private::{AtomicBool, Ordering};

/// How long a launcher may take for an answer that waits for no other PE.
const PATIENCE: Duration = Duration::from_secs(20);

/// The shortest piece of a card that makes sense.
const LEAST: usize = 16;

/// What the environment says.
#[derive(Clone, Debug)]
pub(super) struct Found {
    fd: i32,
    pe: u32,
    n_pes: u32,
    /// Where Slurm speaks it.
    step: Option<Step>,
}

/// A job of PMI-1.
pub(super) struct Pmi {
    wire: Wire,
    pe: u32,
    n_pes: u32,
    step: Option<Step>,
    kvs: String,
    /// Bytes of the longest value.
    longest: usize,
}

/// # Errors
/// This process was not started so.
pub(super) fn find() -> Result<Found, String> {
    let number = |name: &str| {
        let text = std::env::var(name).map_err(|_| format!("{name} is not set"))?;
        text.parse::<u32>().map_err(|_| format!("{name}={text:?} is no number"))
    };
    let (fd, pe, n_pes) = (number("PMI_FD")? as i32, number("PMI_RANK")?, number("PMI_SIZE")?);
    let found = Found { fd, pe, n_pes, step: Step::of_pmi() };
    match found.pe < found.n_pes && found.fd >= 0 {
        true => Ok(found),
        false => Err(format!("PMI says PE {} of {}", found.pe, found.n_pes)),
    }
}

/// A conversation with the launcher has broken off: an answer may come yet, to whoever asks next.
static BROKE_OFF: AtomicBool = AtomicBool::new(false);

/// Whether nobody else in this process can speak to the launcher any more.
pub(super) fn broke_off() -> bool {
    BROKE_OFF.load(Ordering::Relaxed)
}

/// Joins it.
///
/// # Errors
/// Nobody answers there, or not as expected.
pub(super) fn join(found: &Found) -> Result<Pmi, String> {
    let mut wire = Wire::open(found.fd).map_err(|e| format!("PMI_FD={}: {e}", found.fd))?;
    let hello = wire.ask("cmd=init pmi_version=1 pmi_subversion=1", "response_to_init", true)?;
    if hello.get("pmi_version") != Some("1") {
        return Err("the launcher speaks another version of PMI".to_owned());
    }
    let longest = wire.ask("cmd=get_maxes", "maxes", true)?.number("vallen_max").unwrap_or_default();
    let kvs =
        wire.ask("cmd=get_my_kvsname", "my_kvsname", true)?.get("kvsname").unwrap_or_default().to_owned();
    if longest <= LEAST || kvs.is_empty() {
        return Err(format!("the launcher has values of {longest} bytes in {kvs:?}"));
    }
    let Found { pe, n_pes, step, .. } = found.clone();
    Ok(Pmi { wire, pe, n_pes, step, kvs, longest: longest - 1 })
}

/// How the processes of the job are known, for what joins it another way.
pub(super) fn job_of_environment() -> Option<Job> {
    let found = find().ok()?;
    job(&Wire::open(found.fd).ok()?, found.pe, found.n_pes, found.step)
}

/// Whether the launcher that speaks PMI has this process, or one above it, for a child.
pub(super) fn is_of_an_ancestor() -> bool {
    let launcher = find().and_then(|found| {
        let other = connected(&found.fd).and_then(other_side);
        other.map_err(|e| e.to_string())
    });
    matches!(launcher, Ok(Some(pid)) if is_ancestor(pid))
}

/// All PEs must be on this host for them to be known: which of several are here only Slurm tells.
fn job(wire: &Wire, me: u32, n_pes: u32, step: Option<Step>) -> Option<Job> {
    if let Some(step) = step {
        return Some(Job::of_step(step));
    }
    let local = std::env::var("MPI_LOCALNRANKS").ok()?.parse::<u32>().ok()?;
    let launcher = other_side(wire.fd().ok()?).ok()??;
    (local == n_pes).then(|| Job { mark: Mark::Pmi { n_pes, launcher }, me, here: (0..n_pes).collect() })
}

impl Pmi {
    fn gather_lines(&mut self, name: &CStr, mine: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let (kvs, name) = (self.kvs.clone(), name.to_string_lossy());
        let text = to_hex(mine);
        let starts = || (0..text.len()).step_by(self.longest).enumerate();
        let me = self.pe;
        for (piece, start) in starts() {
            let value = &text[start..(start + self.longest).min(text.len())];
            let put = format!("cmd=put kvsname={kvs} key={name}-{me}-{piece} value={value}");
            self.wire.ask(&put, "put_result", true)?;
        }
        self.wire.ask("cmd=barrier_in", "barrier_out", false)?;
        let mut all = Vec::with_capacity(self.n_pes as usize);
        for pe in 0..self.n_pes {
            let mut got = String::new();
            for (piece, _) in starts() {
                let get = format!("cmd=get kvsname={kvs} key={name}-{pe}-{piece}");
                got += self.wire.ask(&get, "get_result", true)?.get("value").unwrap_or_default();
            }
            all.push(from_hex(&got).ok_or_else(|| format!("what PE {pe} put is not what came"))?);
        }
        Ok(all)
    }
}

impl Launcher for Pmi {
    fn pe(&self) -> PeId {
        PeId(self.pe)
    }

    fn n_pes(&self) -> u32 {
        self.n_pes
    }

    fn gather(&mut self, name: &'static CStr, mine: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let again = self.wire.again();
        let _watch = Watch::start(job(&self.wire, self.pe, self.n_pes, self.step.clone()), move |status| {
            if let Ok(wire) = again {
                wire.end(status);
            }
        });
        self.gather_lines(name, mine).map_err(|why| Error::Boot(format!("by PMI: {why}")))
    }

    /// Slurm's plugin kills the step, and the kill is the status.
    fn passes_on(&self, _: u8) -> bool {
        self.step.is_none()
    }

    fn end_all(&mut self, status: u8) {
        self.wire.end(status.into());
    }

    fn leave(mut self: Box<Self>) {
        // A launcher that is gone needs no word.
        let _ = self.wire.ask("cmd=finalize", "finalize_ack", true);
    }
}

/// The descriptor of that number, if it is a connected socket.
fn connected(number: &i32) -> io::Result<BorrowedFd<'_>> {
    // SAFETY: PMI-P1: the number is asked what it is.
    let fd = unsafe { BorrowedFd::borrow_raw(*number) };
    let stat = rustix::fs::fstat(fd)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket || rustix::net::getpeername(fd).is_err() {
        return Err(io::Error::other("it is no connected socket"));
    }
    Ok(fd)
}

/// The descriptor.
struct Wire {
    socket: Kept,
    incoming: Incoming,
}

impl Wire {
    fn open(number: i32) -> io::Result<Wire> {
        let fd = connected(&number)?;
        let again = fcntl_dupfd_cloexec(fd, 3)?;
        // An MPI that comes later finds it under its number; programs that are started do not.
        fcntl_setfd(fd, FdFlags::CLOEXEC)?;
        Ok(Wire { socket: Kept::new(again)?, incoming: Incoming::default() })
    }

    fn fd(&self) -> Result<BorrowedFd<'_>, String> {
        self.socket.get().ok_or_else(|| "the program has closed PMI's socket".to_owned())
    }

    /// The same, for another thread.
    fn again(&self) -> Result<Wire, String> {
        let again = fcntl_dupfd_cloexec(self.fd()?, 3).map_err(|e| e.to_string())?;
        Ok(Wire { socket: Kept::new(again).map_err(|e| e.to_string())?, incoming: Incoming::default() })
    }

    /// Sends a line and waits for its answer; not for ever if `soon`.
    fn ask(&mut self, line: &str, answer: &str, soon: bool) -> Result<Line, String> {
        let broke = |e: io::Error| {
            BROKE_OFF.store(true, Ordering::Relaxed);
            format!("the launcher's PMI: {e}")
        };
        files::send(self.fd()?, format!("{line}\n").as_bytes(), None).map_err(broke)?;
        let start = Instant::now();
        loop {
            if let Some(got) = self.incoming.next() {
                let got = Line::parse(&got)?;
                if got.command() != answer {
                    return Err(format!("{answer} expected, {:?} came", got.command()));
                }
                got.succeeded()?;
                return Ok(got);
            }
            if ready(&[self.fd()?], false).map_err(broke)?.is_empty() {
                if soon && start.elapsed() > PATIENCE {
                    BROKE_OFF.store(true, Ordering::Relaxed);
                    return Err(format!("no answer within {} s", PATIENCE.as_secs()));
                }
                continue;
            }
            let mut bytes = [0; 4096];
            match rustix::io::read(self.fd()?, &mut bytes) {
                Ok(0) => return Err("the launcher has closed PMI's socket".to_owned()),
                Ok(n) => self.incoming.push(&bytes[..n])?,
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(e) => return Err(broke(e.into())),
            }
        }
    }

    /// Asks for the end of the job; the launcher then ends this process, too.
    fn end(&self, status: i32) {
        let line = format!("cmd=abort exitcode={status}\n");
        if let Ok(fd) = self.fd()
            && files::send(fd, line.as_bytes(), None).is_ok()
        {
            std::thread::sleep(Duration::from_secs(10));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// A launcher of one PE that answers each line by the next of `answers`, and the lines it was sent.
    fn with(answers: &'static [&'static str], ask: impl FnOnce(i32)) -> Vec<String> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let launcher = std::thread::spawn(move || {
            let mut lines = BufReader::new(theirs.try_clone().unwrap()).lines();
            let mut heard = Vec::new();
            for answer in answers {
                let Some(Ok(line)) = lines.next() else { break };
                heard.push(line);
                (&theirs).write_all(answer.as_bytes()).unwrap();
            }
            heard
        });
        ask(ours.as_raw_fd());
        drop(ours);
        launcher.join().unwrap()
    }

    #[test]
    fn a_launcher_with_short_values() {
        // What was put comes back by a launcher of its own: values of 99 bytes.
        let (ours, theirs) = UnixStream::pair().unwrap();
        let launcher = std::thread::spawn(move || {
            let lines = BufReader::new(theirs.try_clone().unwrap()).lines();
            let mut values = std::collections::HashMap::new();
            for line in lines {
                let line = Line::parse(line.unwrap().as_bytes()).unwrap();
                let key = || line.get("key").unwrap().to_owned();
                let answer = match line.command() {
                    "init" => "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0".to_owned(),
                    "get_maxes" => "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=100".to_owned(),
                    "get_my_kvsname" => "cmd=my_kvsname kvsname=kvs_0".to_owned(),
                    "put" => {
                        let value = line.get("value").unwrap().to_owned();
                        assert!(value.len() < 100);
                        values.insert(key(), value);
                        "cmd=put_result rc=0 msg=success".to_owned()
                    }
                    "get" => format!("cmd=get_result rc=0 msg=success value={}", values[&key()]),
                    "barrier_in" => "cmd=barrier_out".to_owned(),
                    _ => "cmd=finalize_ack".to_owned(),
                };
                (&theirs).write_all(format!("{answer}\n").as_bytes()).unwrap();
            }
        });
        let mut pmi = join(&Found { fd: ours.as_raw_fd(), pe: 0, n_pes: 1, step: None }).unwrap();
        let longer: Vec<u8> = (0..=255).collect();
        assert_eq!(pmi.gather(c"longer", &longer).unwrap(), [longer]);
        assert_eq!(pmi.gather(c"shorter", b"short").unwrap(), [b"short"]);
        Box::new(pmi).leave();
        drop(ours);
        launcher.join().unwrap();
    }

    #[test]
    fn what_is_no_launcher_is_told_apart() {
        let fail = |fd| join(&Found { fd, pe: 0, n_pes: 1, step: None }).err().unwrap();
        assert!(fail(999).contains("PMI_FD=999"));
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(fail(file.as_raw_fd()).contains("no connected socket"));
        for (answers, why) in [
            (&["cmd=response_to_init pmi_version=2 pmi_subversion=0 rc=0\n"][..], "another version"),
            (&["cmd=response_to_init pmi_version=1 rc=-1 msg=no\n"], "\"no\""),
            (&["hello\n"], "no answer"),
            (&["cmd=maxes\n"], "response_to_init expected"),
            (
                &["cmd=response_to_init pmi_version=1 rc=0\n", "cmd=maxes\n", "cmd=my_kvsname\n"],
                "values of 0",
            ),
            (&[""], "closed"),
        ] {
            let mut said = String::new();
            let heard = with(answers, |fd| said = fail(fd));
            assert!(
                said.contains(why) && heard[0].starts_with("cmd=init"),
                "{said:?}, not {why:?}: {heard:?}"
            );
        }
    }
}
