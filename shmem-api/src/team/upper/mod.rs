//! The upper level of a rendezvous: hosts meet. Of each host the member speaks that arrived last; it waits on words of its own host only.
//!
//! ```text
//!   host 0          host 1          host 2          in round r, host h puts what it knows into the zone of host h + 2^r, and tells it;
//!   PE PE PE        PE PE           PE              then it waits until host h - 2^r has told it. After log2(hosts) rounds
//!    \ | /           \ |            |               each has the blocks of all.
//!   arrived         arrived         arrived
//!      |─── 0 ────────►|─── 2 1 0 ──►|               zone: on the first member of each host (`node::zone`)
//!      |◄──────────────────── 2 ─────|               block: what a host asks for, and what its members show (`block`)
//!   opened          opened          opened
//! ```
//!
//! Every host compares its own block with each of the others', word by word: so all know alike whether anything differs. If so, each
//! reads the signatures of all members, and hosts go on when all have read.
//!
//! A put into a zone is one message to the process that serves there, which wakes whoever sleeps for it: nobody asks the network whether
//! something has come. Words that members show to each other come in the blocks, so nobody reads a far cell, but where a block has no room.
//!
//! Invariants: **UPPER-U1** meetings of a team are counted, on all members alike; what is told in a meeting is four times the team's base and
//! this number, which is more than any earlier team of the slot has told (TEAM-T3: a call has four meetings at most). **UPPER-U2** a
//! block stays as it is from when its host hears of it until all members there have arrived at the next meeting: the one after that has the same
//! turn, and no host begins it before all hosts have begun the next. **UPPER-U3** between the arrival of its last member and its opening, one PE
//! speaks for a host: it alone writes its own block and counts rounds.

pub(crate) mod block;
#[cfg(test)]
mod tests;

use memheap::PeId;

use self::block::{Asked, Block, Flags};
use crate::node::event::Event;
use crate::node::mailbox::Line;
use crate::node::signature::ARGS;
use crate::node::zone::{BLOCKS, MAX_HOSTS, ROUNDS, Zone};
use crate::process::private;
use crate::sync::primitives::{AtomicU64, Ordering};
use crate::team::members::{Members, Waits};
use crate::transport;
use crate::transport::part::Part;
use crate::types::host_of::HostOf;

/// Where what is shown to a host comes.
#[derive(Clone, Copy)]
pub(crate) struct Landing<'m> {
    /// Its first member.
    pub(crate) first: PeId,
    pub(crate) zone: Part<'m, Zone>,
    /// What whoever waits for its zone sleeps on.
    pub(crate) event: Part<'m, Event>,
}

/// The hosts of a team, on one of its members.
pub(crate) struct Upper<'m> {
    /// By host, in the order of their first members.
    landings: Box<[Landing<'m>]>,
    hosts: Hosts,
    zone: &'m Zone,
    event: &'m Event,
    all: Members<'m>,
    base: u64,
    /// UPPER-U1: how many meetings there have been, and the last one in which words were shown.
    meetings: private::AtomicU64,
    showed: private::AtomicU64,
}

/// Which members of a team are on which of its hosts.
pub(crate) struct Hosts {
    /// By rank in the team: its host, and its place among the members there.
    places: Box<[(u32, u32)]>,
    /// By host: the ranks of the members there, in rising order.
    ranks: Box<[Vec<u32>]>,
    here: usize,
}

impl Hosts {
    /// The ranks of the members on each host, in an order that is the same on all members.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.ranks.iter().map(Vec::as_slice)
    }

    /// How many there are.
    pub(crate) fn n(&self) -> usize {
        self.ranks.len()
    }

    /// Which of them is this one.
    pub(crate) fn here(&self) -> usize {
        self.here
    }

    /// The ranks of those on this host.
    pub(crate) fn ranks_here(&self) -> &[u32] {
        &self.ranks[self.here]
    }

    /// On which host a member is, and its place among the members there.
    pub(crate) fn place(&self, rank: u32) -> (usize, usize) {
        let (host, place) = self.places[rank as usize];
        (host as usize, place as usize)
    }
}

impl<'m> Upper<'m> {
    /// Of a team whose calls have numbers above `base`, on its member `me`; `None` if it has more hosts than meet so, or they have no zones.
    pub(crate) fn new(
        all: &Members<'m>,
        (me, base): (PeId, u64),
        hosts: &HostOf,
        landing: &dyn Fn(PeId) -> Option<Landing<'m>>,
    ) -> Option<Upper<'m>> {
        let (mut numbers, mut landings, mut ranks) = (Vec::new(), Vec::new(), Vec::<Vec<u32>>::new());
        let mut places = Vec::with_capacity(all.len());
        for (rank, pe) in all.pes.iter().enumerate() {
            let number = hosts.of(*pe);
            let host = match numbers.iter().position(|known| *known == number) {
                Some(host) => host,
                None if numbers.len() == MAX_HOSTS => return None,
                None => {
                    numbers.push(number);
                    landings.push(landing(*pe)?);
                    ranks.push(Vec::new());
                    numbers.len() - 1
                }
            };
            places.push((host as u32, ranks[host].len() as u32));
            ranks[host].push(rank as u32);
        }
        let here = numbers.iter().position(|known| *known == hosts.of(me))?;
        let Landing { zone, event, .. } = landings[here];
        Some(Upper {
            landings: landings.into(),
            hosts: Hosts { places: places.into(), ranks: ranks.into(), here },
            zone: zone.mapped()?,
            event: event.mapped()?,
            all: all.clone(),
            base,
            meetings: private::AtomicU64::new(0),
            showed: private::AtomicU64::new(0),
        })
    }

    /// All members of the team.
    pub(crate) fn all(&self) -> &Members<'m> {
        &self.all
    }

    /// Who is where.
    pub(crate) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// How many words each member can show, if so many are to agree, so that all blocks have room.
    pub(crate) fn room(&self, agreed: usize) -> usize {
        let most = self.hosts.iter().map(<[u32]>::len).max().unwrap_or(1);
        (self.stride().saturating_sub(block::len(most, agreed, 0)) / most).min(ARGS - agreed)
    }

    /// At the arrival of this PE at a meeting, in which it shows so many words beyond those to agree on; `None`: it is not the first of
    /// its call.
    pub(crate) fn arrive(&self, line: &Line, shows: Option<usize>) {
        let meeting = self.meetings.load(Ordering::Relaxed) + 1;
        self.meetings.store(meeting, Ordering::Relaxed);
        if shows.is_some() {
            self.showed.store(meeting, Ordering::Relaxed);
        }
        line.shows.store(shows.unwrap_or(0) as u64, Ordering::Relaxed);
        // Whoever sees this PE further on sees that it has been here.
        line.meeting.store(self.number(), Ordering::Release);
    }

    /// UPPER-U1, of the meeting this PE has arrived at last.
    pub(crate) fn number(&self) -> u64 {
        4 * self.base + self.meetings.load(Ordering::Relaxed)
    }

    /// Meets the other hosts, for all of this one, who have arrived (UPPER-U3): the flags of all, `differs` also if the hosts do not
    /// ask for the same.
    pub(crate) fn meet(
        &self,
        asked: &Asked<'_>,
        here: &Members<'m>,
        flags: Flags,
        waits: &impl Waits,
    ) -> Flags {
        let turn = turn(self.meetings.load(Ordering::Relaxed));
        let mapped = here.mailboxes.iter().map(|mailbox| match mailbox {
            Part::Mapped(mailbox) => *mailbox,
            Part::Far(_) => unreachable!("members of this host are mapped"),
        });
        let own = block::write(asked, flags, mapped, self.stride());
        Part::Mapped(&self.zone.blocks[turn]).put(self.hosts.here * self.stride(), &own);
        self.exchange(
            waits,
            |zone, round| &zone.arrived[turn][round],
            |to, host| {
                let words = self.block(turn, host).words();
                to.field(|zone| &zone.blocks[turn]).put(host * self.stride(), &words);
            },
        );
        let others = (0..self.hosts.n()).filter(|host| *host != self.hosts.here);
        others.map(|host| self.block(turn, host)).fold(flags, |flags, other| Flags {
            differs: flags.differs || other.flags().differs || !other.agrees(asked),
            raised: flags.raised || other.flags().raised,
        })
    }

    /// After a meeting in which something differs, when this host has read what all ask for: waits until all have.
    pub(crate) fn all_have_read(&self, waits: &impl Waits) {
        let turn = turn(self.meetings.load(Ordering::Relaxed));
        self.exchange(waits, |zone, round| &zone.read[turn][round], |_, _| ());
    }

    /// The rounds of a meeting: `put` puts what this host knows of a host into a zone.
    fn exchange(
        &self,
        waits: &impl Waits,
        told: impl for<'z> Fn(&'z Zone, usize) -> &'z AtomicU64,
        put: impl Fn(&Part<'m, Zone>, usize),
    ) {
        let (n, here, number) = (self.hosts.n(), self.hosts.here, self.number());
        for round in 0..rounds(n) {
            let away = 1 << round;
            let to = &self.landings[(here + away) % n];
            (0..away.min(n - away)).for_each(|back| put(&to.zone, (here + n - back) % n));
            to.zone.field(|zone| told(zone, round)).post(number);
            match to.event {
                Part::Mapped(event) => waits.notify(event),
                Part::Far(_) => transport::wake(to.first),
            }
            // It goes now.
            transport::progress();
            let mine = told(self.zone, round);
            waits.wait(Part::Mapped(self.event), || mine.load(Ordering::Acquire) >= number);
        }
    }

    /// Word `i` of what a member of that rank, on another host, showed in call `number`, when it was last met.
    pub(crate) fn shown(&self, rank: usize, number: u64, i: usize) -> u64 {
        let (host, place) = self.hosts.place(rank as u32);
        let block = self.block(turn(self.showed.load(Ordering::Relaxed)), host);
        match block.is_unshown() {
            true => self.all.mailboxes[rank].cell(number).arg(i),
            false => block.shown((place, self.hosts.ranks[host].len()), i),
        }
    }

    fn block(&self, turn: usize, host: usize) -> Block<'m> {
        Block(&self.zone.blocks[turn][host * self.stride()..][..self.stride()])
    }

    /// Words of a block.
    fn stride(&self) -> usize {
        BLOCKS / self.hosts.n()
    }

    /// This PE has dropped the team; the last one of its host tells all hosts.
    pub(crate) fn drop_here(&self) {
        let dropped = self.zone.dropped.fetch_add(1, Ordering::AcqRel) + 1;
        if dropped == self.hosts.ranks_here().len() as u64 {
            self.zone.dropped.store(0, Ordering::Relaxed);
            for host in &self.landings {
                host.zone.field(|zone| &zone.gone[self.hosts.here]).post(self.base + 1);
            }
        }
    }

    /// Whether all members have dropped it. Some may have had later teams in the slot since.
    pub(crate) fn all_gone(&self) -> bool {
        self.zone.gone[..self.hosts.n()].iter().all(|gone| gone.load(Ordering::Acquire) > self.base)
    }
}

fn turn(meeting: u64) -> usize {
    (meeting & 1) as usize
}

/// Rounds in which so many hosts hear of each other.
fn rounds(hosts: usize) -> usize {
    hosts.next_power_of_two().trailing_zeros() as usize
}

const _: () = assert!(rounds_fit() && (cfg!(loom) || BLOCKS / MAX_HOSTS >= 3 + ARGS + 8));

const fn rounds_fit() -> bool {
    1 << ROUNDS >= MAX_HOSTS
}
