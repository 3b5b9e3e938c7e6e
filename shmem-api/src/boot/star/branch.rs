//! Below a centre: whom it hears and answers.
//!
//! Invariants: STAR-A1, STAR-A2.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use memheap::PeId;

use crate::boot::files::{self, named};
use crate::boot::protocol::{Frame, LEAVES, Passes, failure};
use crate::boot::sockets::ready;
use crate::boot::star::link::Link;

/// The sockets of one PE.
pub(super) struct Links {
    /// To the PE that this one sends to: of all but PE 0.
    pub(super) up: Option<(PeId, Link)>,
    /// From those that send to it.
    pub(super) below: Vec<Branch>,
}

/// A link to a PE, which speaks for some: for itself, or for all of its host.
pub(super) struct Branch {
    pub(super) link: Link,
    /// It is the first.
    pub(super) pes: Vec<PeId>,
    /// What stands in place of what it sends: its last word, or that it has ended.
    last: Option<Vec<Frame>>,
}

impl Branch {
    pub(super) fn new(link: Link, pes: Vec<PeId>) -> Branch {
        Branch { link, pes, last: None }
    }

    /// What it sends next: STAR-A1.
    fn hear(&mut self) -> Vec<Frame> {
        let heard = self.link.receive(self.pes.len());
        let gone = heard.is_err();
        let frames = heard.unwrap_or_else(|e| {
            let beside =
                failure(&io::Error::other(format!("the first PE of its host, PE {}, is lost", self.pes[0])));
            let mut frames = vec![beside; self.pes.len()];
            frames[0] = failure(&self.link.how_it_ended(&e));
            frames
        });
        if gone || frames[0][0] == LEAVES {
            self.last = Some(frames.clone());
        }
        frames
    }
}

/// The frames of this PE and of all below it, in PE order.
pub(super) fn collect(me: PeId, mine: &Frame, branches: &mut [Branch]) -> io::Result<Vec<Frame>> {
    let mut all = vec![(me, *mine)];
    let mut pending: Vec<usize> = (0..branches.len()).collect();
    while !pending.is_empty() {
        let silent = |i: &usize| branches[*i].last.is_none();
        let waited: Vec<usize> = pending.iter().copied().filter(silent).collect();
        let mut heard: Vec<usize> = pending.iter().copied().filter(|i| !silent(i)).collect();
        if heard.is_empty() {
            let fds = waited.iter().map(|&i| branches[i].link.open()).collect::<io::Result<Vec<_>>>()?;
            heard = ready(&fds, false)?.into_iter().map(|at| waited[at]).collect();
        }
        if heard.is_empty() {
            heard = waited.into_iter().filter(|&i| branches[i].link.has_ended()).collect();
        }
        for i in heard {
            let branch = &mut branches[i];
            let frames = branch.last.clone().unwrap_or_else(|| branch.hear());
            all.extend(branch.pes.iter().copied().zip(frames));
            pending.retain(|&p| p != i);
        }
    }
    all.sort_by_key(|(pe, _)| *pe);
    Ok(all.into_iter().map(|(_, frame)| frame).collect())
}

/// Everybody below hears of all; who has ended in between is noticed later.
pub(super) fn answer(branches: &[Branch], all: &[Frame]) -> io::Result<()> {
    branches.iter().try_for_each(|branch| files::tell(branch.link.open()?, all.as_flattened(), None))
}

/// At the first PE of a host: its own file goes to the others there of the same number, and theirs from each to each. `all`: by PE.
/// Each of them hears once of each file (STAR-A2), unless that cannot be sent: the first result; the second is of what came.
pub(super) fn pass(
    me: PeId,
    branches: &[Branch],
    mine: Option<BorrowedFd<'_>>,
    all: &[Passes],
    take: &mut dyn FnMut(usize, OwnedFd),
) -> (io::Result<()>, io::Result<()>) {
    let passes = |pe: PeId| all[pe.0 as usize];
    let here: Vec<(PeId, &Link)> =
        branches.iter().filter(|branch| branch.link.is_here()).map(|b| (b.pes[0], &b.link)).collect();
    let tell = |of: PeId, file: Option<BorrowedFd<'_>>| {
        let mut to = here.iter().filter(|(pe, _)| *pe != of && passes(*pe).host == passes(of).host);
        to.try_for_each(|(_, link)| files::tell(link.open()?, &of.0.to_ne_bytes(), file))
    };
    let mut done = Ok(());
    let mut sent = mine.map_or(Ok(()), |mine| tell(me, Some(mine)));
    for &(pe, link) in here.iter().filter(|(pe, _)| passes(*pe).file) {
        if sent.is_err() {
            break;
        }
        let mut number = [0; 4];
        let got = link.wait().and_then(|()| files::receive(link.open()?, &mut number));
        let file = got.map_err(|e| named(&format!("PE {pe}"), e)).and_then(|file| {
            file.ok_or_else(|| io::Error::other(format!("the file of PE {pe} did not arrive")))
        });
        sent = tell(pe, file.as_ref().ok().map(AsFd::as_fd));
        match file {
            Ok(file) if passes(pe).host == passes(me).host => take(pe.0 as usize, file),
            Ok(_) => {}
            Err(e) => done = done.and(Err(e)),
        }
    }
    (sent, done)
}
