//! A process dies, or the link between two goes dead: what is under way between them does not arrive, and nothing that was lent is read or
//! written any more (SIM-S1).

use std::collections::VecDeque;

use memheap::PeId;

use super::state::{Item, Sending, Source, State};
use crate::transport::wire::Lane;

/// Of the process that was cut off.
const CUT: &str = "its process was cut off";

impl State {
    /// All others are told.
    pub(super) fn cut(&mut self, pe: usize) {
        self.processes[pe].dead = true;
        for sending in &mut self.under_way {
            if let (Item::Move { id, .. }, true) = (&sending.item, sending.item.is_of(pe)) {
                sending.item = Item::Failed(*id, CUT.to_owned());
            }
        }
        // Messages of it that have come are still told.
        self.under_way.retain(|sending| sending.to != pe && !sending.item.is_of(pe));
        self.coming.retain(|_, (_, what)| !what.is_of(pe));
        for process in &mut self.processes {
            process.queues.iter_mut().for_each(|queue| {
                queue.retain(|item| item.lent().is_none_or(|lent| lent.owner != pe));
            });
        }
        self.processes[pe].queues.iter_mut().for_each(VecDeque::clear);
        for to in (0..self.processes.len()).filter(|&to| to != pe) {
            let lane = self.random.of(&[Lane::Requests, Lane::Replies]);
            let item = Item::Lost(PeId(pe as u32), CUT.to_owned());
            self.under_way.push(Sending { from: pe, to, lane, item, due: self.now });
        }
    }

    /// Nobody is told.
    pub(super) fn silence(&mut self, pair: [usize; 2]) {
        self.silenced.push(pair);
        let is_between = |a: usize, b: usize| [[a, b], [b, a]].contains(&pair);
        self.under_way.retain(|sending| !is_between(sending.from, sending.to));
        self.coming.retain(|_, (_, what)| match what {
            Source::Lent(lent) => !is_between(lent.owner, lent.reader),
            Source::Copied(..) => true,
        });
        for process in &mut self.processes {
            process.queues.iter_mut().for_each(|queue| {
                queue.retain(|item| item.lent().is_none_or(|lent| !is_between(lent.owner, lent.reader)));
            });
        }
    }
}
