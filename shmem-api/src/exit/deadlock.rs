//! A PE has left `main` and finalizes at process exit, but another waits for something only it could have
//! sent: neither will ever come. Here the PE that has left finds that out, without a clock to decide it.
//!
//! ```text
//!   PE 1, at exit             ask = 1          ask = 2                    both answered in one wait each:
//!   PE 0, in a wait     ──────┬── "still" 1 ───┬── "still" 2 ──►          the job ends with a line
//!                             false since then └ false since then
//! ```
//!
//! A PE that waits answers a question after it has looked once more since the question was put, and found what it
//! waits for still not there. Its answer names the wait, so one that ended meanwhile is not taken for another.
//!
//! Why two questions: when the second is put, every other PE has answered the first in the very wait in which it
//! answers the second. So there was a moment at which all PEs were in a wait or at process exit; from then on
//! nobody did anything, all that was done before had arrived, and each found its wait unsatisfied after that.
//!
//! PEs answer only where one thread calls the library (below level `Serialized`), since another thread of the
//! PE could still satisfy a wait. A PE that computes, or polls in a loop of its own, is never taken for one that waits.

use std::sync::atomic;
use std::time::Duration;

use super::{LEFT, end_job, leave_if_ended};
use crate::engine::Engine;
use crate::internals::Life;
use crate::level::{self, ThreadLevel};
use crate::sync::{AtomicU32, Ordering};

/// How long a PE at process exit waits before it asks.
const PATIENCE: Duration = Duration::from_secs(1);

/// One wait of this PE, as long as it lasts.
pub(crate) struct Blocked<'e> {
    engine: &'e Engine,
    /// The question seen at the last look.
    noted: u32,
    /// The number of this wait, once it has answered.
    serial: u32,
    asked: Asked,
}

/// How far a PE at process exit has come with its questions.
enum Asked {
    Nothing,
    /// The first.
    Once(u32),
    /// The second; and the waits in which the PEs answered the first.
    Twice(u32, Vec<Answer>),
}

/// What a PE last answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It does not wait, or has not answered yet.
    None,
    /// It is at process exit, for good.
    Left,
    Waits {
        serial: u32,
        question: u32,
    },
}

impl Answer {
    fn of(life: &Life) -> Answer {
        if life.exiting.load(Ordering::Acquire) != 0 {
            return Answer::Left;
        }
        match life.blocked.load(Ordering::Acquire) {
            0 => Answer::None,
            word => Answer::Waits { serial: (word >> 32) as u32, question: word as u32 },
        }
    }

    fn answers(self, to: u32) -> bool {
        match self {
            Answer::None => false,
            Answer::Left => true,
            Answer::Waits { question, .. } => question >= to,
        }
    }

    fn same_wait(self, other: Answer) -> bool {
        match (self, other) {
            (Answer::Left, _) => true,
            (Answer::Waits { serial, .. }, Answer::Waits { serial: now, .. }) => serial == now,
            // It has left since: it did something in between.
            _ => false,
        }
    }
}

impl<'e> Blocked<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Blocked<'e> {
        Blocked { engine, noted: 0, serial: 0, asked: Asked::Nothing }
    }

    /// Between two looks at what is waited for, which was not there at the last one.
    #[cold]
    pub(crate) fn look(&mut self, waited: Duration) {
        leave_if_ended(self.engine);
        let mine = self.engine.desk().life;
        if mine.exiting.load(Ordering::Relaxed) != 0 {
            if waited >= PATIENCE {
                super::process::still_alone(self.engine, waited);
                self.ask();
            }
        } else if level::in_force() < ThreadLevel::Serialized {
            self.answer(mine);
        }
    }

    fn question(&self) -> &AtomicU32 {
        &self.engine.desks[0].life.question
    }

    fn answer(&mut self, mine: &Life) {
        static WAITS: atomic::AtomicU32 = atomic::AtomicU32::new(0);
        let question = self.question().load(Ordering::Acquire);
        if question != self.noted {
            self.noted = question;
        } else if question != 0 {
            if self.serial == 0 {
                self.serial = WAITS.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
            }
            mine.blocked.store(u64::from(self.serial) << 32 | u64::from(question), Ordering::Release);
        }
    }

    fn ask(&mut self) {
        let engine = self.engine;
        let put = || self.question().fetch_add(1, Ordering::AcqRel) + 1;
        let others = engine.desks.iter().enumerate().filter(|(pe, _)| *pe != engine.me.0 as usize);
        let answers: Vec<Answer> = others.map(|(_, desk)| Answer::of(desk.life)).collect();
        let all = |question| answers.iter().all(|a| a.answers(question));
        let next = match &self.asked {
            Asked::Nothing => Asked::Once(put()),
            Asked::Once(question) if all(*question) => Asked::Twice(put(), answers),
            Asked::Once(_) => return,
            Asked::Twice(_, then) if !then.iter().zip(&answers).all(|(then, now)| then.same_wait(*now)) => {
                Asked::Once(put())
            }
            Asked::Twice(question, _) if all(*question) => self.end(),
            Asked::Twice(..) => return,
        };
        self.asked = next;
    }

    fn end(&self) -> ! {
        let (engine, me) = (self.engine, self.engine.me);
        let waits = |pe: &u32| engine.desks[*pe as usize].life.exiting.load(Ordering::Relaxed) == 0;
        let pes: Vec<String> = (0..engine.n_pes).filter(waits).map(|pe| pe.to_string()).collect();
        let line = format!(
            "PE {me}: left without shmem_finalize while PE {} waits for what nobody is left to send; ending the job",
            pes.join(", PE ")
        );
        end_job(engine, LEFT, &line)
    }
}

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        if self.serial != 0 {
            self.engine.desk().life.blocked.store(0, Ordering::Release);
        }
    }
}
