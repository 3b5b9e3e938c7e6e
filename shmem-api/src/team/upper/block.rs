//! What a host shows to the others in a meeting: a few words in a [`Zone`](crate::node::zone::Zone).
//!
//! ```text
//!   | length, flags | word | history | arguments to agree on | how many words each member shows, a byte each | these words |
//!   \------------------ of the member that speaks for its host -----------------/\------ of all members there, by their places -----/
//! ```
//!
//! Where a block has no room for the words that are only shown, it says so: then they are read where their PE has laid them, and where they
//! stay until all have left the call (TEAM-T2).

use crate::node::mailbox::Mailbox;
use crate::node::signature::Word;
use crate::sync::primitives::{AtomicU64, Ordering};

/// Words before the arguments.
const HEAD: usize = 3;
const DIFFERS: u64 = 1 << 32;
const RAISED: u64 = 1 << 33;
const UNSHOWN: u64 = 1 << 34;

/// What travels with a rendezvous.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) differs: bool,
    pub(crate) raised: bool,
}

/// What a PE asks for in a rendezvous.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) word: Word,
    /// Those that must agree.
    pub(crate) args: &'a [u64],
    pub(crate) history: u64,
}

/// Words of a block of a host with so many members, if so many are to agree and each member shows so many.
pub(super) fn len(members: usize, agreed: usize, shown: usize) -> usize {
    HEAD + agreed + members.div_ceil(8) + members * shown
}

/// The block of a host that asks for this, and whose members show what is on their mailboxes; in `room` words at most.
pub(super) fn write<'m>(
    asked: &Asked<'_>,
    flags: Flags,
    members: impl ExactSizeIterator<Item = &'m Mailbox> + Clone,
    room: usize,
) -> Vec<u64> {
    let (agreed, n) = (asked.word.agreed(), members.len());
    let mut block = vec![0; HEAD + agreed + n.div_ceil(8)];
    (block[1], block[2]) = (asked.word.bits(), asked.history);
    block[HEAD..HEAD + agreed].copy_from_slice(asked.args);
    let shows = |mailbox: &Mailbox| mailbox.line.shows.load(Ordering::Relaxed) as usize;
    let mut head = bits(flags.differs, DIFFERS) | bits(flags.raised, RAISED);
    if block.len() + members.clone().map(shows).sum::<usize>() > room {
        head |= UNSHOWN;
    } else {
        for (i, mailbox) in members.enumerate() {
            let shown = shows(mailbox);
            block[HEAD + agreed + i / 8] |= (shown as u64) << (i % 8 * 8);
            let cell = &mailbox.cells[(asked.word.number() & 1) as usize];
            block.extend((0..shown).map(|word| cell.arg(agreed + word)));
        }
    }
    block[0] = block.len() as u64 | head;
    block
}

fn bits(is: bool, bits: u64) -> u64 {
    if is { bits } else { 0 }
}

/// A block that has come.
#[derive(Clone, Copy)]
pub(super) struct Block<'z>(pub(super) &'z [AtomicU64]);

impl Block<'_> {
    fn word(&self, at: usize) -> u64 {
        self.0[at].load(Ordering::Relaxed)
    }

    fn asks(&self) -> Word {
        Word::from_bits(self.word(1))
    }

    /// All of it.
    pub(super) fn words(&self) -> Vec<u64> {
        let len = (self.word(0) as u32 as usize).min(self.0.len());
        (0..len).map(|at| self.word(at)).collect()
    }

    pub(super) fn flags(&self) -> Flags {
        Flags { differs: self.word(0) & DIFFERS != 0, raised: self.word(0) & RAISED != 0 }
    }

    /// Whether it has no room for the words that are only shown.
    pub(super) fn is_unshown(&self) -> bool {
        self.word(0) & UNSHOWN != 0
    }

    /// Whether its host asks for the same.
    pub(super) fn agrees(&self, asked: &Asked<'_>) -> bool {
        self.asks().pairs(asked.word)
            && (!asked.word.has_history() || self.word(2) == asked.history)
            && asked.args.iter().enumerate().all(|(i, arg)| self.word(HEAD + i) == *arg)
    }

    /// Word `i` of what a member shows there, those to agree on first; of a host with so many members.
    pub(super) fn shown(&self, (member, members): (usize, usize), i: usize) -> u64 {
        let agreed = self.asks().agreed();
        let counts = HEAD + agreed;
        let Some(i) = i.checked_sub(agreed) else { return self.word(HEAD + i) };
        let count = |member: usize| (self.word(counts + member / 8) >> (member % 8 * 8) & 0xff) as usize;
        let before: usize = (0..member).map(count).sum();
        self.word(counts + members.div_ceil(8) + before + i)
    }
}
