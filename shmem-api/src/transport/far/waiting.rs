//! How a call waits: it polls for answers, or sleeps until there are some; never for a host that is lost.
//!
//! Invariant: **FAR-N1** a wait ends: with what it is for, or with the loss of the host that it is for, which is told to `lost`.

use std::time::Duration;

use super::Far;
use super::answers::Came;
use super::turn::Taken;
use crate::transport::wire::Lane;

/// How many bytes of a payload may come in the time of a poll, at least; and so many polls are enough for any.
const IN_A_POLL: usize = 64;
const MOST_POLLS: usize = 1 << 17;
/// At the end of it a thread looks by itself.
const LONGEST_SLEEP: Duration = Duration::from_millis(10);

impl Far {
    /// Waits until it came; `None` if its host is lost.
    pub(super) fn wait<T>(&self, came: impl FnMut() -> Came<T>) -> Option<T> {
        self.wait_for(0, came)
    }

    /// The same, of something that takes so many bytes' time: it sleeps later.
    pub(super) fn wait_for<T>(&self, bytes: usize, mut came: impl FnMut() -> Came<T>) -> Option<T> {
        let spins = if self.spins > 0 { self.spins + (bytes / IN_A_POLL).min(MOST_POLLS) as u32 } else { 0 };
        loop {
            let seen = self.turn.news();
            match came() {
                Came::Yes(there) => return Some(there),
                Came::Lost(pe, why) => {
                    (self.lost)(pe, &why);
                    return None;
                }
                Came::NotYet => {}
            }
            let Some(mut turn) = self.turn.take(seen, true) else { continue };
            let polled = (0..=spins).any(|_| self.poll(&mut turn));
            if !polled {
                self.wire.sleep(Lane::Replies, LONGEST_SLEEP);
                self.poll(&mut turn);
            }
        }
    }

    /// Polls for answers, if nobody else does.
    pub(super) fn poll_if_free(&self) {
        if let Some(mut turn) = self.turn.take(self.turn.news(), false) {
            self.poll(&mut turn);
        }
    }

    /// Whether there was anything.
    fn poll(&self, turn: &mut Taken<'_>) -> bool {
        let mut unwanted = Vec::new();
        let around = (&*self.wire, &self.hosts, self.secret);
        let n = self.wire.poll(Lane::Replies, &mut |event| self.answers.tell(around, event, &mut unwanted));
        unwanted.into_iter().for_each(|token| self.wire.refuse(token));
        turn.news |= n > 0;
        n > 0
    }
}
