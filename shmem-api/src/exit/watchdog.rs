//! The watchdog: one thread per PE, asleep until the *next* PE's process is gone.
//!
//! ```text
//!   PE 0                    PE 1                    PE 2
//!   watchdog holds pulse 0    watchdog holds pulse 1    watchdog holds pulse 2
//!     └── sleeps on pulse 1   └── sleeps on pulse 2   └── sleeps on pulse 0
//! ```
//!
//! A process that is killed can say nothing, and launchers differ in what they say and how soon they end the
//! others. So each PE's watchdog holds a word of its own segment (its pulse) as a robust lock: when the thread ends,
//! however it ends (a signal, `_exit`, an `exec`), the kernel marks the word and wakes whoever sleeps on it, which
//! is the watchdog of the PE before. If that PE had not left in good order, this one names it and ends the job.
//!
//! Whoever ends the job wakes them all, and each ends its own process, whatever that is doing: not every launcher ends the
//! other PEs when one leaves (`srun`; MPICH's of several hosts). Where that wake is missed, it comes when the next PE has gone; of a job
//! on several hosts, whose PEs cannot wake those of others, within a quarter of a second.
//!
//! That takes no descriptor and no process number: a program may close every file it finds, and a PE that is gone
//! before anybody looks has left its mark. It costs nothing until then.
//!
//! Invariants: **WATCHDOG-W1** every pulse is held before the last exchange of a start, and watched after it: a PE that dies
//! before breaks the exchange, one that dies later is seen. What the kernel reads of a pulse is in PULSE-H1.

use crate::process::private::{AtomicBool, Ordering};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use memheap::PeId;
use rustix::thread::futex::{self, Timespec};

use crate::error::Error;
use crate::exit::end::{end_for_all, ended_with, follow};
use crate::node::control_block::{Control, Life, Pulse};
use crate::process::signals::NoSignals;
use crate::process::status::DIED;
use crate::transport::part::Part;

pub(crate) struct Watchdog {
    /// Gone once nothing is to be watched any more.
    begin: Option<Sender<()>>,
    stop: Arc<AtomicBool>,
    next: &'static Pulse,
    thread: Option<JoinHandle<()>>,
}

struct Watch {
    /// The PE after this one.
    pe: PeId,
    mine: &'static Life,
    next: &'static Life,
    stop: Arc<AtomicBool>,
    lives: Vec<Part<'static, Life>>,
    /// A PE of another host, which cannot wake this thread, may mark this PE: it looks so often.
    look: Option<Timespec>,
}

/// See [`Watch::look`].
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

impl Watchdog {
    /// Holds this PE's pulse from now on (WATCHDOG-W1); `None` if there is nobody else.
    pub(crate) fn start(me: PeId, controls: &[Control]) -> Result<Option<Watchdog>, Error> {
        let lives: Vec<_> = controls.iter().map(Control::life).collect();
        let n = lives.len() as u32;
        // The next one on this host: what happens on others, those there see.
        let others = (1..n).map(|i| PeId((me.0 + i) % n));
        let on_this_host = |pe: PeId| Some((pe, lives[pe.0 as usize].mapped()?));
        let look = lives.iter().any(Part::is_far).then_some(LOOK);
        let Some(mine) = lives[me.0 as usize].mapped() else { return Ok(None) };
        let (pe, life) = match others.into_iter().find_map(on_this_host) {
            Some(next) => next,
            // Alone on its host, it has its own to look at: what others mark.
            None if look.is_some() => (me, mine),
            None => return Ok(None),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let next = &life.pulse;
        let watch = Watch { pe, mine, next: life, stop: stop.clone(), lives, look };
        let (begin, begins) = channel();
        let (says, holds) = channel();
        let run = move || watch.run(&begins, &says);
        let failed = |what: &str, e: &dyn std::fmt::Display| {
            Error::Boot(format!("PE {me}: nobody would notice its death: {what}: {e}"))
        };
        let thread = {
            // No handler of the program's runs in it, and no signal that the program waits for ends there.
            let _held = NoSignals::but_faults();
            std::thread::Builder::new().name("shmem-watchdog".into()).spawn(run)
        };
        let thread = Some(thread.map_err(|e| failed("the watching thread", &e))?);
        let watchdog = Watchdog { begin: Some(begin), stop, next, thread };
        match holds.recv() {
            Ok(Ok(())) => Ok(Some(watchdog)),
            Ok(Err(e)) => Err(failed("get_robust_list or set_robust_list", &e)),
            Err(e) => Err(failed("the watching thread", &e)),
        }
    }

    /// All pulses are held: begins to watch.
    pub(crate) fn watch(&self) {
        // The thread waits for this or for the end.
        let _ = self.begin.as_ref().map(|begin| begin.send(()));
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.begin = None;
        let Some(thread) = self.thread.take() else { return };
        // The thread may be about to sleep, having looked at `stop` before: it is woken until it has gone.
        let mut pause = Duration::from_micros(20);
        while !thread.is_finished() {
            self.next.wake();
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        let _ = thread.join();
    }
}

impl Watch {
    fn run(&self, begins: &Receiver<()>, says: &Sender<Result<(), std::io::Error>>) {
        let held = self.mine.pulse.while_held(|| {
            // Whoever started this thread waits for it.
            let _ = says.send(Ok(()));
            if begins.recv().is_ok() {
                self.watch();
            }
        });
        if let Err(e) = held {
            let _ = says.send(Err(e));
        }
    }

    fn watch(&self) {
        let next = self.next;
        while !self.stop.load(Ordering::Acquire) {
            let seen = next.pulse.word().load(Ordering::Acquire);
            if let Some(status) = ended_with(self.mine) {
                follow(self.lives.iter().copied(), status);
            }
            if seen & futex::OWNER_DIED != 0 {
                if next.left.load(Ordering::Acquire) != 0 {
                    return;
                }
                // A mark that has come so far and not to this PE: who was ending the job was killed.
                match ended_with(next) {
                    None => self.end_job(),
                    Some(status) => follow(self.lives.iter().copied(), status),
                }
            }
            // A wake, a changed word and a signal are all reasons to look again.
            let _ = futex::wait(next.pulse.word(), futex::Flags::empty(), seen, self.look.as_ref());
        }
    }

    fn end_job(&self) -> ! {
        let pe = self.pe;
        let pid = self.next.pulse.pid();
        let line = format!("PE {pe}: its process ({pid}) died in the middle of the job; ending the job");
        end_for_all(self.lives.iter().copied(), DIED, &line)
    }
}
