//! PEs that wait for each other in a circle, or for one that has left `main`: none of them will ever go on. Here
//! they find that out by themselves, without a clock to decide it.
//!
//! ```text
//!   PE 1, long in a wait      ask = 1          ask = 2                    both answered in one wait each:
//!   PE 0, in a wait     ──────┬── "still" 1 ───┬── "still" 2 ──►          the job ends with a line
//!                             false since then └ false since then
//! ```
//!
//! A PE that waits answers a question after it has looked once more since the question was put, and found what it
//! waits for still not there. Its answer names the wait, so one that ended meanwhile is not taken for another, and says
//! in words where that is.
//!
//! Why two questions: when the second is put, every other PE has answered the first in the very wait in which it
//! answers the second. So there was a moment at which all PEs were in a wait or at process exit; from then on
//! nobody did anything, all that was done before had arrived, and each found its wait unsatisfied after that.
//!
//! This covers every wait of the library, on any team, active set, lock or variable, where one thread per PE may call
//! the library (see [`provable`]). A PE that computes, or polls in a loop of its own, is
//! never taken for one that waits. Where several threads may call, nothing is proved, and `SHMEM_HANG_REPORT` says so.
//! Nor is it where some PE waits for a change of memory, and some PE, this or another, has a thread or a handler of a
//! signal that may store there ([`Others`](crate::process::others::Others)).

use std::time::Duration;

use memheap::PeId;

use crate::exit::end::{end_job, leave_if_ended};
use crate::exit::leaving;
use crate::node::Node;
use crate::node::control_block::Life;
use crate::process::private;
use crate::process::status::{DIVERGED, LEFT};
use crate::sync::primitives::{AtomicU32, AtomicU64, Ordering};
use crate::transport;
use crate::transport::part::Part;
use crate::types::thread_level;
use crate::types::thread_level::ThreadLevel;

/// How long a PE waits before it asks.
const PATIENCE: Duration = Duration::from_millis(500);

/// What can end a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// Calls of other PEs, and nothing else.
    Calls,
    /// A change of this PE's memory: a put, but also a store of another thread that does not call the library.
    Memory,
}

/// One wait of this PE, as long as it lasts.
pub(crate) struct Blocked<'e> {
    node: &'e Node,
    by: By,
    /// What it waits for, in words.
    place: &'e dyn Fn() -> String,
    /// The question seen at the last look.
    noted: u32,
    /// The number of this wait, once it has answered.
    serial: u32,
    asked: Asked,
    /// A PE that had not answered when it was last looked at: it is asked first.
    silent: usize,
}

/// How far a PE has come with its questions.
enum Asked {
    Nothing,
    /// The first, by its number on each host.
    Once(Vec<u32>),
    /// The second; and the waits in which the PEs answered the first.
    Twice(Vec<u32>, Vec<Answer>),
    /// All wait, but something else may end it: it asks no more.
    InVain,
}

/// What a PE last answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It does not wait, or has not answered yet.
    None,
    Waits {
        serial: u32,
        question: u32,
    },
}

impl Answer {
    fn of(life: Part<'_, Life>) -> Answer {
        match life.field(|l| &l.blocked).load(Ordering::Acquire) {
            0 => Answer::None,
            word => Answer::Waits { serial: (word >> 32) as u32, question: word as u32 },
        }
    }

    fn answers(self, to: u32) -> bool {
        match self {
            Answer::None => false,
            Answer::Waits { question, .. } => question >= to,
        }
    }

    fn same_wait(self, other: Answer) -> bool {
        match (self, other) {
            (Answer::Waits { serial, .. }, Answer::Waits { serial: now, .. }) => serial == now,
            _ => false,
        }
    }
}

/// A bit of what may end waits by a store: this PE waits for a change of memory.
const WANTS_STORES: u32 = 1;
/// It has somebody beside the thread that waits who may store.
const MAY_STORE: u32 = 2;

/// Whether this PE does nothing for others while one of its threads waits: no other thread may call the library (the
/// level is below `Serialized`), or it is at process exit.
#[cold]
pub(crate) fn provable(node: &Node) -> bool {
    thread_level::in_force() < ThreadLevel::Serialized || is_exiting(node)
}

fn is_exiting(node: &Node) -> bool {
    node.control().life.exiting.load(Ordering::Relaxed) != 0
}

impl<'e> Blocked<'e> {
    pub(crate) fn new(node: &'e Node, by: By, place: &'e dyn Fn() -> String) -> Blocked<'e> {
        Blocked { node, by, place, noted: 0, serial: 0, asked: Asked::Nothing, silent: 0 }
    }

    /// Between two looks at what is waited for, which was not there at the last one.
    #[cold]
    pub(crate) fn look(&mut self, waited: Duration) {
        leave_if_ended(self.node);
        let mine = self.node.control().life;
        if waited >= PATIENCE && is_exiting(self.node) {
            leaving::still_alone(self.node, waited);
        }
        let question = self.question(self.node.hosts.of(self.node.me)).load(Ordering::Acquire);
        if !transport::is_idle() {
            // What this PE has asked for may still end somebody's wait.
            return;
        }
        if question != 0 && question != self.noted {
            // Answered at the next look, which comes after the question.
            self.noted = question;
        } else if question != 0 && (self.serial != 0 || provable(self.node)) {
            self.answer(mine, question);
        }
        if waited >= PATIENCE && (self.serial != 0 || provable(self.node)) {
            self.ask();
        }
    }

    /// Where a question is put to the PEs of a host: so each looks at its own host only.
    fn question(&self, host: u32) -> Part<'static, AtomicU32> {
        let first = self.node.hosts.leader(host);
        self.node.control_of(first).life().field(|l| &l.question)
    }

    fn answer(&mut self, mine: &Life, question: u32) {
        static WAITS: private::AtomicU32 = private::AtomicU32::new(0);
        if self.serial == 0 {
            self.serial = WAITS.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
            tell(&mine.told, &(self.place)());
            mine.stores.store(self.stores(), Ordering::Relaxed);
        }
        mine.blocked.store(u64::from(self.serial) << 32 | u64::from(question), Ordering::Release);
    }

    fn stores(&self) -> u32 {
        let wants = if self.by == By::Memory { WANTS_STORES } else { 0 };
        let may = if self.node.others.may_store() { MAY_STORE } else { 0 };
        wants | may
    }

    /// Whether somebody waits for a change of memory, and somebody may bring it about. All others have answered.
    fn may_be_stored(&self) -> bool {
        let of = |(pe, life): (usize, Part<'_, Life>)| match pe == self.node.me.0 as usize {
            true => self.stores(),
            false => life.field(|l| &l.stores).load(Ordering::Relaxed),
        };
        let any = self.node.lives().enumerate().map(of).fold(0, |any, stores| any | stores);
        any & WANTS_STORES != 0 && any & MAY_STORE != 0
    }

    fn ask(&mut self) {
        let put = || {
            let hosts = 0..self.node.hosts.n_hosts();
            hosts.map(|host| self.question(host).fetch_add(1, Ordering::AcqRel) + 1).collect::<Vec<u32>>()
        };
        let next = match &self.asked {
            Asked::Nothing => Asked::Once(put()),
            Asked::Once(question) => match self.answers(question) {
                Ok(answers) => Asked::Twice(put(), answers),
                Err(silent) => {
                    self.silent = silent;
                    return;
                }
            },
            Asked::InVain => return,
            Asked::Twice(question, then) => match self.answers(question) {
                Ok(now) if then.iter().zip(&now).all(|(then, now)| then.same_wait(*now)) => {
                    match self.may_be_stored() {
                        true => Asked::InVain,
                        false => self.end(),
                    }
                }
                Ok(_) => Asked::Once(put()),
                Err(silent) => {
                    self.silent = silent;
                    return;
                }
            },
        };
        self.asked = next;
    }

    /// What all others have answered to a question; else a PE that has not.
    fn answers(&self, to: &[u32]) -> Result<Vec<Answer>, usize> {
        let (controls, me) = (&self.node.controls, self.node.me.0 as usize);
        let to = |pe: usize| to[self.node.hosts.of(PeId(pe as u32)) as usize];
        let silent = |pe: usize| pe != me && !Answer::of(controls[pe].life()).answers(to(pe));
        if silent(self.silent) {
            return Err(self.silent);
        }
        let others = (0..controls.len()).filter(|pe| *pe != me);
        others
            .map(|pe| Some(Answer::of(controls[pe].life())).filter(|a| a.answers(to(pe))).ok_or(pe))
            .collect()
    }

    fn end(&self) -> ! {
        let (node, me) = (self.node, self.node.me);
        let life = |pe: u32| node.control_of(PeId(pe)).life();
        let (left, waiting): (Vec<u32>, Vec<u32>) =
            (0..node.n_pes).partition(|pe| life(*pe).field(|l| &l.exiting).load(Ordering::Relaxed) != 0);
        let place = |pe: u32| {
            if pe == me.0 { (self.place)() } else { life(pe).field(|l| &l.told).look(|words| told(words)) }
        };
        if let Some(gone) = left.first() {
            let line = format!(
                "PE {gone}: left without shmem_finalize while {} what nobody is left to send; ending the job",
                places(&waiting, |_| String::new(), "waits for", "wait for")
            );
            end_job(node, LEFT, &line)
        }
        let where_all_are = places(&waiting, |pe| format!(" {}", place(pe)), "is in", "are in");
        let line = format!(
            "PE {me}: no PE can go on, since each waits for another: {where_all_are}; ending the job"
        );
        end_job(node, DIVERGED, &line)
    }
}

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        if self.serial != 0 {
            self.node.control().life.blocked.store(0, Ordering::Release);
        }
    }
}

/// Where PEs are, those at one place together.
fn places(pes: &[u32], place: impl Fn(u32) -> String, is: &str, are: &str) -> String {
    let mut groups: Vec<(String, Vec<u32>)> = Vec::new();
    for pe in pes {
        let place = place(*pe);
        match groups.iter_mut().find(|(known, _)| *known == place) {
            Some((_, there)) => there.push(*pe),
            None => groups.push((place, vec![*pe])),
        }
    }
    let text = |(place, there): &(String, Vec<u32>)| {
        let names: Vec<String> = there.iter().map(|pe| format!("PE {pe}")).collect();
        format!("{} {}{place}", names.join(", "), if there.len() == 1 { is } else { are })
    };
    groups.iter().map(text).collect::<Vec<_>>().join("; ")
}

/// Writes a text where other PEs can read it; what is too long is cut.
fn tell(to: &[AtomicU64], text: &str) {
    let mut bytes = text.bytes().chain(std::iter::repeat(0));
    for word in to {
        let chunk = std::array::from_fn(|_| bytes.next().unwrap_or(0));
        word.store(u64::from_le_bytes(chunk), Ordering::Relaxed);
    }
}

/// Reads a text that another PE wrote.
fn told(from: &[AtomicU64]) -> String {
    let bytes: Vec<u8> = from.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read() {
        let words: [AtomicU64; 4] = std::array::from_fn(|_| AtomicU64::new(7));
        for text in
            ["", "a barrier", "exactly as long as fits in here.", "too long for the words that there are"]
        {
            tell(&words, text);
            assert_eq!(told(&words), text[..text.len().min(32)]);
        }
    }

    #[test]
    fn pes_at_one_place_are_named_together() {
        let place = |pe: u32| format!(" {}", ["a barrier", "a lock"][usize::from(pe == 1)]);
        let text = places(&[0, 1, 3], place, "is in", "are in");
        assert_eq!(text, "PE 0, PE 3 are in a barrier; PE 1 is in a lock");
    }
}
