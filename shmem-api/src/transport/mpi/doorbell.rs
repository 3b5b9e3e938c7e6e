//! What wakes a process that sleeps: MPI wakes nobody. Whoever has sent a message also sends a datagram.
//!
//! ```text
//!   MPI_Isend, then "that was my 7th message to this lane" ──► the socket that the lane sleeps on
//!                                                               6 have come? it looks until the 7th has, too
//! ```
//!
//! A datagram says how many messages there have been, since it may be quicker than the message, or get lost; a process that hears of no
//! datagrams for what comes looks more often (`pause`). It goes to all addresses of its process until one has come from there: then to where that
//! came from. Nothing depends on what it says but how soon this process looks: it counts if it carries the number that this process has drawn, and
//! one that does not is not even read.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use crate::process::interfaces::Interface;

/// Of one process: addresses at most, and datagrams read at once.
const MOST: [usize; 2] = [16, 64];

/// The socket that a lane sleeps on.
pub(super) struct Doorbell {
    /// None, if the system gives none: then there are no bells, and this process looks often.
    socket: Option<UdpSocket>,
    /// What a datagram to it carries.
    secret: u64,
    me: u32,
}

/// The lane of a peer that this one sends to, and hears from.
#[derive(Default)]
pub(super) struct Peer {
    secret: u64,
    /// Where it may be; and where it is.
    all: Vec<SocketAddr>,
    found: Option<SocketAddr>,
    sent: u64,
    /// So many have come from it, and so many have been told of.
    came: u64,
    told: u64,
}

/// `secret`, sender, how many messages.
type Datagram = [u8; 20];

impl Doorbell {
    /// `secret`: drawn by this process.
    pub(super) fn new(me: u32, secret: u64) -> Doorbell {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok();
        let socket = socket.filter(|socket| socket.set_nonblocking(true).is_ok());
        Doorbell { socket, secret, me }
    }

    /// The port; 0 for none.
    pub(super) fn port(&self) -> u16 {
        let address = self.socket.as_ref().and_then(|socket| socket.local_addr().ok());
        address.map_or(0, |address| address.port())
    }

    pub(super) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    /// A message has been sent to it.
    pub(super) fn ring(&self, peer: &mut Peer) {
        peer.sent += 1;
        let Some(socket) = &self.socket else { return };
        let mut datagram = Datagram::default();
        datagram[..8].copy_from_slice(&peer.secret.to_le_bytes());
        datagram[8..12].copy_from_slice(&self.me.to_le_bytes());
        datagram[12..].copy_from_slice(&peer.sent.to_le_bytes());
        // One that cannot go is one that got lost.
        match peer.found {
            Some(there) => _ = socket.send_to(&datagram, there),
            None => peer.all.iter().for_each(|there| _ = socket.send_to(&datagram, there)),
        }
    }

    /// Reads what datagrams have come.
    pub(super) fn hear(&self, peers: &mut [Peer]) {
        let Some(socket) = &self.socket else { return };
        let mut datagram = Datagram::default();
        for _ in 0..MOST[1] {
            let (len, from) = match socket.recv_from(&mut datagram) {
                Ok(came) => came,
                // A process where nobody listens any more is told so, too.
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => continue,
                Err(_) => break,
            };
            let (secret, rest) = datagram.split_at(8);
            if len != datagram.len() || secret != self.secret.to_le_bytes() {
                continue;
            }
            let pe = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]);
            let told = rest[4..].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
            if let Some(peer) = peers.get_mut(pe as usize) {
                peer.found = Some(from);
                peer.told = peer.told.max(told);
            }
        }
    }
}

impl Peer {
    /// A message of its has come.
    pub(super) fn has_come(&mut self) {
        self.came += 1;
    }

    /// More have been told of than have come.
    pub(super) fn is_behind(&self) -> bool {
        self.told > self.came
    }

    /// More have come than have been told of.
    pub(super) fn is_silent(&self) -> bool {
        self.came > self.told
    }
}

/// What others need to ring this process: the secret, the port of each lane, addresses on these networks.
pub(super) fn address(secret: u64, ports: [u16; 2], networks: &[Interface]) -> Vec<u8> {
    let mut bytes = secret.to_le_bytes().to_vec();
    ports.iter().for_each(|port| bytes.extend_from_slice(&port.to_le_bytes()));
    let mut found: Vec<IpAddr> = networks.iter().map(|network| network.address).collect();
    found.retain(IpAddr::is_ipv4);
    found.truncate(MOST[0]);
    if found.is_empty() {
        // A machine without a network.
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    for address in found {
        if let IpAddr::V4(address) = address {
            bytes.extend_from_slice(&address.octets());
        }
    }
    bytes
}

/// A lane of that address.
pub(super) fn peer(address: &[u8], lane: usize) -> Peer {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
    let Some((head, addresses)) = address.split_at_checked(12) else { return Peer::default() };
    let port = number(&head[8 + 2 * lane..10 + 2 * lane]) as u16;
    let all = addresses.as_chunks::<4>().0.iter().take(if port == 0 { 0 } else { MOST[0] });
    let all = all.map(|octets| SocketAddr::from((*octets, port))).collect();
    Peer { secret: number(&head[..8]), all, ..Peer::default() }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Two lanes that know each other, as PE 0 and PE 1.
    fn pair() -> ([Doorbell; 2], [Vec<Peer>; 2]) {
        let bells = [0, 1].map(|me| Doorbell::new(me, 100 + u64::from(me)));
        let peers = [0, 1].map(|_| {
            let of = |bell: &Doorbell| peer(&address(bell.secret, [bell.port(), 0], &[]), 0);
            bells.iter().map(of).collect()
        });
        (bells, peers)
    }

    fn hear(bell: &Doorbell, peers: &mut [Peer], until: impl Fn(&[Peer]) -> bool) {
        let start = Instant::now();
        while !until(peers) {
            assert!(start.elapsed() < Duration::from_secs(20));
            bell.hear(peers);
        }
    }

    #[test]
    fn what_was_told_and_has_not_come_is_looked_for() {
        let ([one, two], [mut of_one, mut of_two]) = pair();
        one.ring(&mut of_one[1]);
        one.ring(&mut of_one[1]);
        hear(&two, &mut of_two, |peers| peers[0].told == 2);
        of_two[0].has_come();
        assert!(of_two[0].is_behind() && !of_two[0].is_silent());
        of_two[0].has_come();
        assert!(!of_two[0].is_behind() && !of_two[0].is_silent());
        of_two[0].has_come();
        assert!(of_two[0].is_silent());
        // It has learnt where the other is.
        assert_eq!(of_two[0].found.map(|found| found.port()), Some(one.port()));
        two.ring(&mut of_two[0]);
        hear(&one, &mut of_one, |peers| peers[1].is_behind());
    }

    #[test]
    fn datagrams_of_strangers_do_not_count() {
        let ([one, two], [_, mut of_two]) = pair();
        let socket = one.socket.as_ref().unwrap();
        let there = of_two[1].all[0];
        let mut right = [0; 20];
        right[..8].copy_from_slice(&two.secret.to_le_bytes());
        right[12] = 9;
        let mut wrong = right;
        wrong[0] ^= 1;
        let mut far = right;
        far[8] = 200;
        for bytes in [&wrong[..], &right[..19], &[], &[7; 300], &far] {
            socket.send_to(bytes, there).unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
        two.hear(&mut of_two);
        assert!(of_two.iter().all(|peer| peer.told == 0 && peer.found.is_none()));
        socket.send_to(&right, there).unwrap();
        hear(&two, &mut of_two, |peers| peers[0].told == 9);
    }

    #[test]
    fn an_address_that_is_none_is_nobodys() {
        for none in [&[][..], &[1; 11], &[0; 40]] {
            assert!(peer(none, 1).all.is_empty());
        }
        assert_eq!(peer(&[1; 17], 1).all, [SocketAddr::from(([1, 1, 1, 1], 0x101))]);
    }
}
