//! How the members of a team meet: entering a call, the rendezvous in it, and leaving it.

use crate::error::Diverged;
use crate::node::Node;
use crate::node::control_block::ControlBlock;
use crate::node::mailbox::{Mailbox, Progress};
use crate::node::signature::{Kind, Signature, Word};
use crate::sync::primitives::Ordering;
use crate::team::core::{Calls, Met, Named, Shown, TeamCore, end};
use crate::team::rendezvous::{Agreed, Differs};
use crate::team::waiting::{self, Waiting};
use crate::transport;
use crate::transport::part::Part;

impl TeamCore {
    /// Collective: shows `signature` to all members and compares it with theirs.
    pub(crate) fn meet(&self, node: &Node, signature: &Signature) -> Result<(), Diverged> {
        settle(node, self.try_meet(node, signature, |_| ()))
    }

    /// As [`meet`](Self::meet); `show` gets this PE's mailbox and the turn, lays something on it, and says
    /// whether it did; `read` is told whether some member did, and can read what they laid there. A PE that
    /// is alone agrees with itself: it makes no signature.
    pub(crate) fn meet_showing<R>(
        &self,
        node: &Node,
        signature: impl FnOnce() -> Signature,
        show: impl FnOnce(&ControlBlock<'_>, usize) -> bool,
        read: impl FnOnce(Met) -> R,
    ) -> Result<R, Diverged> {
        let met = self.calls.with("a collective call", |calls| {
            let number = self.enter(node, calls);
            let turn = (number & 1) as usize;
            let raised = show(node.control(), turn);
            let agreed = if self.members.size == 1 {
                Ok(Agreed { raised })
            } else {
                let signature = signature();
                self.rendezvous(node, calls, signature.word(number).raised(raised), signature.args())
            };
            let result = agreed.map(|agreed| read(Met { raised: agreed.raised, turn }));
            self.leave(node, calls);
            result
        });
        settle(node, met)
    }

    /// As [`meet`](Self::meet), for a caller that decides itself what follows from a difference. `read` gets
    /// what each member showed, by rank.
    pub(crate) fn try_meet<R>(
        &self,
        node: &Node,
        signature: &Signature,
        read: impl FnOnce(Shown<'_>) -> R,
    ) -> Result<R, Box<Differs>> {
        self.calls.with(signature, |calls| {
            let number = self.enter(node, calls);
            let agreed = self.rendezvous(node, calls, signature.word(number), signature.args());
            let result = agreed.map(|_| read(Shown { core: self, number }));
            self.leave(node, calls);
            result
        })
    }

    /// Collective: a rendezvous without arguments: all members have arrived, and are at the same.
    #[inline]
    pub(crate) fn sync(&self, node: &Node, kind: Kind) -> Result<(), Diverged> {
        let met = self.calls.with(Named(kind), |calls| {
            let number = self.enter(node, calls);
            let agreed = self.rendezvous(node, calls, Word::new(number, kind, 0), &[]);
            self.leave(node, calls);
            agreed
        });
        settle(node, met).map(drop)
    }

    /// As [`sync`](Self::sync); a difference ends the job.
    #[inline]
    pub(crate) fn sync_or_end(&self, node: &Node, kind: Kind) {
        if let Err(diverged) = self.sync(node, kind) {
            end(node, &diverged);
        }
    }

    /// A call that does nothing, and meets nobody for it: it has a number, and leaves a trace.
    pub(crate) fn pass(&self, node: &Node, kind: Kind) {
        self.calls.with(Named(kind), |calls| {
            calls.last += 1;
            let word = Word::new(calls.last, kind, 0);
            self.mailbox().line.at.store(word.bits(), Ordering::Relaxed);
            self.trace(calls, word, &[]);
            self.leave(node, calls);
        });
    }

    /// Waits until every member has left the last call.
    pub(crate) fn wait_until_left(&self, node: &Node) {
        self.calls.with("the end of a team", |calls| {
            // Nobody on another host looks at what lies here any more: what they compared has come to them.
            let members = if self.spans_hosts() { &self.place.members.mailboxes } else { &self.mailboxes };
            self.wait_left_of(node, calls, calls.last + 1, members);
        });
    }

    /// Takes the next number, and sees to TEAM-T2 for its cell.
    #[inline]
    pub(super) fn enter(&self, node: &Node, calls: &mut Calls) -> u64 {
        calls.last += 1;
        self.wait_left(node, calls, calls.last - 1);
        calls.last
    }

    /// Waits until every member has left all calls below `number`.
    #[inline]
    pub(super) fn wait_left(&self, node: &Node, calls: &mut Calls, number: u64) {
        if calls.all_left < number {
            self.wait_left_slowly(node, calls, number);
        }
    }

    #[cold]
    fn wait_left_slowly(&self, node: &Node, calls: &mut Calls, number: u64) {
        calls.all_left = self.wait_left_of(node, calls, number, &self.mailboxes);
    }

    /// Waits until these members have left all calls below `number`; which calls they have all left.
    fn wait_left_of(&self, node: &Node, calls: &Calls, number: u64, members: &[Part<'_, Mailbox>]) -> u64 {
        let waiting = Waiting::to_go_on(node, self, calls.last);
        let mut least = u64::MAX;
        for mailbox in members
            .iter()
            .filter(|mailbox| !mailbox.mapped().is_some_and(|it| std::ptr::eq(it, self.mailbox())))
        {
            waiting.for_progress(mailbox, Progress::left(number - 1));
            least = least.min(mailbox.progress().number());
        }
        least.min(calls.last)
    }

    /// One rendezvous, in a call that has been entered.
    #[inline]
    pub(super) fn rendezvous(
        &self,
        node: &Node,
        calls: &mut Calls,
        word: Word,
        args: &[u64],
    ) -> Result<Agreed, Box<Differs>> {
        if self.members.size == 1 {
            if word.step() == 0 {
                self.mailbox().cells[(word.number() & 1) as usize].lay(args);
            }
            return Ok(Agreed { raised: word.is_raised() });
        }
        // What was put before is there for whoever is met.
        transport::quiet_far();
        let history = calls.history;
        if history != 0 {
            calls.history = 0;
            self.mailbox().line.history.store(0, Ordering::Relaxed);
        }
        let agreed = self.place.meet(word, args, history, &Waiting::new(node, self, word.meeting()));
        // All have arrived here, so all have left what came before.
        calls.all_left = word.number();
        agreed
    }

    /// This PE reads nothing more of what was shown in the call.
    #[inline]
    pub(super) fn leave(&self, node: &Node, calls: &Calls) {
        let line = &self.mailbox().line;
        line.set_progress(Progress::left(calls.last), node.policy.crowded());
        waiting::notify(&line.progress_event);
    }
}

/// What follows from a rendezvous for a caller that may go on after a difference.
pub(super) fn settle<T>(node: &Node, met: Result<T, Box<Differs>>) -> Result<T, Diverged> {
    match met {
        Ok(met) => {
            if node.diverged.load(Ordering::Relaxed) {
                node.diverged.store(false, Ordering::Relaxed);
            }
            Ok(met)
        }
        Err(differs) => Err(diverged(node, *differs)),
    }
}

/// The PEs differ, and the caller may go on.
#[cold]
pub(super) fn diverged(node: &Node, differs: Differs) -> Diverged {
    node.diverged.store(true, Ordering::Relaxed);
    if differs.fatal {
        end(node, &differs.diverged);
    }
    differs.diverged
}
