//! Who connects to whom: on each host all to its first PE, and the first PEs of the others to PE 0.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use memheap::PeId;

use crate::boot::launcher::{CARDS, Card, Launcher, gather};
use crate::boot::net::{self, nearest_first};
use crate::boot::protocol::Secret;
use crate::boot::sockets::{accept_from, connect_to, is_alive, open, open_named, ready};
use crate::boot::star::branch::{Branch, Links};
use crate::boot::star::door::{DOORS, Door};
use crate::boot::star::knock::{admit, knock};
use crate::boot::star::link::{ENDED, Link, To};
use crate::error::Error;
use crate::types::host_of::HostOf;

/// How long the first PE of a host waits for one that has shown its card, and runs, to connect.
const CONNECT: Duration = Duration::from_secs(60);

/// What is known once everybody has connected.
pub(super) struct Met {
    pub(super) hosts: HostOf,
    /// By host.
    pub(super) names: Vec<String>,
    pub(super) secret: Option<Secret>,
    pub(super) links: Result<Links, Error>,
}

/// One PE's, while it connects.
struct Meeting<'m> {
    me: PeId,
    cards: &'m [Card],
    hosts: &'m HostOf,
    names: &'m [String],
}

impl Met {
    /// A job of one PE.
    pub(super) fn alone() -> Met {
        let links = Ok(Links { up: None, below: Vec::new() });
        Met { hosts: HostOf::one(1), names: Vec::new(), secret: None, links }
    }
}

/// The sockets of this PE. What may fail without a word to the others comes before the cards.
pub(super) fn meet(launcher: &mut dyn Launcher) -> Result<Met, Error> {
    let me = launcher.pe();
    let socket = match me.0 {
        0 => open_named(),
        _ => open().map(|socket| (socket, String::new())),
    };
    let cards = gather(launcher, CARDS, &Card::new(socket.as_ref().map(|(_, name)| name.as_str())))?;
    let (socket, _) = socket.map_err(|e| Error::Boot(format!("PE {me}: {e}")))?;
    for (pe, card) in (0..).map(PeId).zip(&cards) {
        card.socket().map_err(|why| Error::Elsewhere { pe, why })?;
    }
    let hosts = HostOf::by(&cards.iter().map(|card| card.host).collect::<Vec<_>>());
    let names: Vec<String> =
        (0..hosts.n_hosts()).map(|host| cards[hosts.leader(host).0 as usize].host.name()).collect();
    let meeting = Meeting { me, cards: &cards, hosts: &hosts, names: &names };
    let (links, secret) = match hosts.are_several() {
        false => (meeting.on_this_host(socket, cards[0].socket().unwrap_or_default()), None),
        true => {
            let (links, secret) = meeting.on_all_hosts(launcher, socket)?;
            (links, Some(secret))
        }
    };
    Ok(Met { hosts, names, secret, links })
}

impl Meeting<'_> {
    /// The first PE of this host.
    fn leader(&self) -> PeId {
        self.hosts.leader(self.hosts.of(self.me))
    }

    fn pid(&self, pe: PeId) -> i32 {
        self.cards[pe.0 as usize].pid()
    }

    /// To the first PE of this host, whose socket has that name, or from the others here.
    fn on_this_host(&self, socket: OwnedFd, name: String) -> Result<Links, Error> {
        let (me, leader) = (self.me, self.leader());
        if me == leader {
            let others = self.hosts.beside(me)[1..].iter().map(|&pe| (pe, self.pid(pe)));
            let below = accept_all(me, &socket, &others.collect::<Vec<_>>())?;
            return Ok(Links { up: None, below });
        }
        let pid = self.pid(leader);
        let link = connect_to(&socket, &name, pid).and_then(|()| Link::new(socket, To::Process(pid)));
        let up = link.map_err(|e| Error::Boot(format!("PE {me}, to PE {leader}: {e}")))?;
        Ok(Links { up: Some((leader, up)), below: Vec::new() })
    }

    /// The same, and between the hosts.
    fn on_all_hosts(
        &self,
        launcher: &mut dyn Launcher,
        socket: OwnedFd,
    ) -> Result<(Result<Links, Error>, Secret), Error> {
        let (me, leader) = (self.me, self.leader());
        let failed = |e: io::Error| Error::Boot(format!("PE {me}: {e}"));
        // What listens here, by Unix' socket and by TCP.
        let (door, unix, tcp) = match me {
            PeId(0) => {
                let (door, tcp) = Door::of_pe_0();
                (door, Ok(socket), Some(tcp))
            }
            _ if me == leader => {
                let (door, unix) = Door::of_leader();
                (door, unix, None)
            }
            _ => (Door::none(), Ok(socket), None),
        };
        let doors = gather(launcher, DOORS, &door)?;
        for (pe, door) in (0..).map(PeId).zip(&doors) {
            door.socket().map_err(|why| Error::Elsewhere { pe, why })?;
        }
        let name = match leader {
            PeId(0) => self.cards[0].socket(),
            PeId(leader) => doors[leader as usize].socket(),
        };
        let links = || -> Result<Links, Error> {
            let between = match tcp.transpose().map_err(failed)? {
                Some(listener) => self.of_hosts(&listener, &door)?,
                None if me == leader => self.to_pe_0(&doors[0])?,
                None => Links { up: None, below: Vec::new() },
            };
            let mut links = self.on_this_host(unix.map_err(failed)?, name.unwrap_or_default())?;
            links.up = links.up.or(between.up);
            links.below.extend(between.below);
            Ok(links)
        };
        Ok((links(), doors[0].words().secret))
    }

    /// On PE 0: from the first PEs of the other hosts.
    fn of_hosts(&self, listener: &TcpListener, door: &Door) -> Result<Links, Error> {
        let failed = |e: io::Error| Error::Boot(format!("PE 0: {e}"));
        let hosts = 1..self.hosts.n_hosts();
        let leaders: Vec<PeId> = hosts.clone().map(|host| self.hosts.leader(host)).collect();
        let where_is = |pe: PeId| self.names[self.hosts.of(pe) as usize].clone();
        let links = admit(listener, &door.words(), &leaders, where_is).map_err(failed)?;
        let branch = |(host, link): (u32, OwnedFd)| {
            let link = Link::new(link, To::Host(self.names[host as usize].clone()))?;
            Ok(Branch::new(link, self.hosts.members(host).to_vec()))
        };
        let below = hosts.zip(links).map(branch).collect::<io::Result<_>>().map_err(failed)?;
        Ok(Links { up: None, below })
    }

    /// On the first PE of another host.
    fn to_pe_0(&self, door: &Door) -> Result<Links, Error> {
        let (me, host) = (self.me, &self.names[0]);
        let link = || -> io::Result<Link> {
            let own = net::chosen(net::setting().as_deref()).map_err(io::Error::other)?;
            let addresses = nearest_first(&own, door.addresses());
            let socket = knock(me, &addresses, door.port(), &door.words())?;
            Link::new(socket, To::Host(host.clone()))
        };
        let link = link().map_err(|e| Error::Boot(format!("PE {me}, to PE 0 on {host}: {e}")))?;
        Ok(Links { up: Some((PeId(0), link)), below: Vec::new() })
    }
}

/// At the first PE of a host, `me`: the links of the others there, which are these processes.
fn accept_all(me: PeId, socket: &OwnedFd, pes: &[(PeId, i32)]) -> Result<Vec<Branch>, Error> {
    let fail = |e: io::Error| Error::Boot(format!("PE {me}: {e}"));
    let mut links: Vec<Option<Branch>> = pes.iter().map(|_| None).collect();
    let start = Instant::now();
    while let Some(missing) = links.iter().position(Option::is_none) {
        if ready(&[socket], false).map_err(fail)?.is_empty() {
            let gone = (0..pes.len()).find(|&i| links[i].is_none() && !is_alive(pes[i].1));
            // It may have connected, and sent something, before it ended.
            if let Some(gone) = gone.filter(|_| ready(&[socket], true).is_ok_and(|r| r.is_empty())) {
                return Err(Error::Boot(format!("PE {} {ENDED}", pes[gone].0)));
            }
            if start.elapsed() > CONNECT {
                let (pe, limit) = (pes[missing].0, CONNECT.as_secs());
                return Err(Error::Boot(format!("PE {pe} has not connected to PE {me} within {limit} s")));
            }
            continue;
        }
        let Some((link, pid)) = accept_from(socket).map_err(fail)? else { continue };
        // A process of this user that is no PE is left alone.
        if let Some(i) = pes.iter().position(|(_, p)| *p == pid) {
            let link = Link::new(link, To::Process(pid)).map_err(fail)?;
            links[i] = Some(Branch::new(link, vec![pes[i].0]));
        }
    }
    Ok(links.into_iter().flatten().collect())
}
