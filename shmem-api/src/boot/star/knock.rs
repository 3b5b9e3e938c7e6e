//! How the first PEs of hosts come to PE 0 by TCP. The port is open to the network, so who connects is nobody until it has said the
//! secret, and whoever answers is nobody until it has said the greeting.
//!
//! ```text
//!   PE 0                               the first PE of another host             a stranger
//!   listens          ◄── connects ──── at all of PE 0's addresses at once       connects, says nothing
//!   greeting ────────────────────────► right? only then                         closed after a while
//!   secret, PE right? ◄─────────────── secret, PE                               says something else: closed
//!   linked                             linked
//! ```
//!
//! Invariant: **KNOCK-K1** neither side waits for one connection while another may be the right one, nor for any longer than its limit.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use memheap::PeId;
use rustix::net::sockopt;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use crate::boot::files::{self, named};
use crate::boot::sockets::ready;
use crate::boot::star::door::Words;

/// How long PE 0 waits for the others to connect.
const COME: Duration = Duration::from_secs(20);
/// How long the others try.
const TRY: Duration = Duration::from_secs(10);
/// How long who has connected may say nothing.
const SPEAK: Duration = Duration::from_secs(5);
/// How many may be connected and have said nothing, beside those that are awaited; then the oldest makes room.
const STRANGERS: usize = 64;

/// When nothing has come on a link for so long, the system asks for a sign of life.
const QUIET: Duration = Duration::from_secs(2);
/// How often.
const AGAIN: Duration = Duration::from_secs(1);
/// When nothing is heard, or what was sent is not acknowledged, for so long, the link is dead.
const DEAD: Duration = Duration::from_secs(7);

/// The secret and a PE's number.
const SAID: usize = 16 + 4;

/// A link that has been made is waited on, and ends if the network does.
fn settle(stream: impl Into<OwnedFd>) -> io::Result<OwnedFd> {
    let socket = stream.into();
    let set = || -> rustix::io::Result<()> {
        rustix::io::ioctl_fionbio(&socket, false)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        sockopt::set_socket_keepalive(&socket, true)?;
        sockopt::set_tcp_keepidle(&socket, QUIET)?;
        sockopt::set_tcp_keepintvl(&socket, AGAIN)?;
        sockopt::set_tcp_user_timeout(&socket, DEAD.as_millis() as u32)
    };
    set().map_err(|e| named("setsockopt", e))?;
    Ok(socket)
}

/// Who has connected to PE 0 and has not said who it is.
struct Guest {
    stream: TcpStream,
    said: Vec<u8>,
    since: Instant,
}

/// What a guest turns out to be.
enum Who {
    NotSaid,
    Stranger,
    Pe(PeId),
}

impl Guest {
    fn greet(stream: TcpStream, words: &Words) -> io::Result<Guest> {
        stream.set_nonblocking(true)?;
        (&stream).write_all(&words.greeting)?;
        Ok(Guest { stream, said: Vec::with_capacity(SAID), since: Instant::now() })
    }

    fn listen(&mut self, words: &Words) -> Who {
        let mut bytes = [0; SAID];
        match (&self.stream).read(&mut bytes[..SAID - self.said.len()]) {
            Ok(0) => return Who::Stranger,
            Ok(n) => self.said.extend_from_slice(&bytes[..n]),
            Err(e) if [ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&e.kind()) => {}
            Err(_) => return Who::Stranger,
        }
        let Some((secret, [a, b, c, d])) = self.said.split_first_chunk() else { return Who::NotSaid };
        match same(secret, &words.secret) {
            true => Who::Pe(PeId(u32::from_ne_bytes([*a, *b, *c, *d]))),
            false => Who::Stranger,
        }
    }
}

/// Takes as long wherever they differ.
fn same(a: &[u8; 16], b: &[u8; 16]) -> bool {
    a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// On PE 0: the links of those PEs, in their order. `host`: what the host of each is called.
///
/// # Errors
/// One has not come in time; it is named.
pub(super) fn admit(
    listener: &TcpListener,
    words: &Words,
    pes: &[PeId],
    host: impl Fn(PeId) -> String,
) -> io::Result<Vec<OwnedFd>> {
    listener.set_nonblocking(true)?;
    let mut links: Vec<Option<OwnedFd>> = pes.iter().map(|_| None).collect();
    let mut guests: Vec<Guest> = Vec::new();
    let start = Instant::now();
    while let Some(missing) = links.iter().position(Option::is_none) {
        if start.elapsed() > COME {
            let (pe, limit) = (pes[missing], COME.as_secs());
            return Err(io::Error::other(format!(
                "PE {pe} on {} has not connected to PE 0 within {limit} s",
                host(pe)
            )));
        }
        let sockets =
            std::iter::once(listener.as_fd()).chain(guests.iter().map(|guest| guest.stream.as_fd()));
        let heard = ready(&sockets.collect::<Vec<_>>(), false)?;
        for at in heard.into_iter().rev() {
            let Some(guest) = at.checked_sub(1) else {
                receive_guests(listener, words, &mut guests)?;
                continue;
            };
            let place = match guests[guest].listen(words) {
                Who::NotSaid => continue,
                Who::Stranger => None,
                Who::Pe(pe) => pes.iter().position(|awaited| *awaited == pe),
            };
            let stream = guests.remove(guest).stream;
            if let Some(place) = place.filter(|&place| links[place].is_none()) {
                links[place] = Some(settle(stream)?);
            }
        }
        guests.retain(|guest| guest.since.elapsed() < SPEAK);
        let over = guests.len().saturating_sub(pes.len() + STRANGERS);
        guests.drain(..over);
    }
    Ok(links.into_iter().flatten().collect())
}

fn receive_guests(listener: &TcpListener, words: &Words, guests: &mut Vec<Guest>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => guests.extend(Guest::greet(stream, words)),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            // It has gone again.
            Err(e) if [ErrorKind::ConnectionAborted, ErrorKind::Interrupted].contains(&e.kind()) => {}
            Err(e) => return Err(named("accept", e)),
        }
    }
}

/// A connection to one of PE 0's addresses, which may be another host's.
struct Attempt {
    address: SocketAddr,
    socket: OwnedFd,
    heard: Vec<u8>,
}

/// What an attempt has come to.
enum Answer {
    NotYet,
    Greeted,
    Not(io::Error),
}

impl Attempt {
    fn begin(address: SocketAddr) -> io::Result<Attempt> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::STREAM, flags, None)?;
        match connect(&socket, &address) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(Attempt { address, socket, heard: Vec::new() }),
            Err(e) => Err(e.into()),
        }
    }

    fn listen(&mut self, words: &Words) -> Answer {
        let mut bytes = [0; 16];
        match rustix::io::read(&self.socket, &mut bytes[..16 - self.heard.len()]) {
            Ok(0) => return Answer::Not(io::Error::other("it is closed")),
            Ok(n) => self.heard.extend_from_slice(&bytes[..n]),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Answer::NotYet,
            Err(e) => return Answer::Not(e.into()),
        }
        match <&[u8; 16]>::try_from(&*self.heard) {
            Ok(heard) if same(heard, &words.greeting) => Answer::Greeted,
            Ok(_) => Answer::Not(io::Error::other("another program listens there")),
            Err(_) => Answer::NotYet,
        }
    }
}

/// On another PE: the link to PE 0, which listens at one of these addresses; those that come first are tried first.
///
/// # Errors
/// It is at none of them; what became of each.
pub(super) fn knock(me: PeId, addresses: &[IpAddr], port: u16, words: &Words) -> io::Result<OwnedFd> {
    let mut fates: Vec<String> = Vec::new();
    let mut attempts: Vec<Attempt> = Vec::new();
    for address in addresses {
        let address = SocketAddr::new(*address, port);
        match Attempt::begin(address) {
            Ok(attempt) => attempts.push(attempt),
            Err(e) => fates.push(format!("{address}: {e}")),
        }
    }
    let start = Instant::now();
    while !attempts.is_empty() && start.elapsed() < TRY {
        let sockets: Vec<_> = attempts.iter().map(|attempt| attempt.socket.as_fd()).collect();
        let heard = ready(&sockets, false)?;
        for at in heard.into_iter().rev() {
            match attempts[at].listen(words) {
                Answer::NotYet => {}
                Answer::Not(e) => fates.push(format!("{}: {e}", attempts.remove(at).address)),
                Answer::Greeted => {
                    let socket = settle(attempts.remove(at).socket)?;
                    let said = [&words.secret[..], &me.0.to_ne_bytes()].concat();
                    return files::send(&socket, &said, None).map(|()| socket);
                }
            }
        }
    }
    let silent =
        attempts.iter().map(|attempt| format!("{}: no answer within {} s", attempt.address, TRY.as_secs()));
    fates.extend(silent);
    Err(io::Error::other(fates.join("; ")))
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::boot::protocol::FRAME;
    use crate::boot::star::link::{Link, To};

    const WORDS: Words = Words { greeting: [7; 16], secret: [9; 16] };

    fn local() -> (TcpListener, IpAddr, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        (listener, at.ip(), at.port())
    }

    fn come(me: u32, addresses: &[IpAddr], port: u16) -> io::Result<Link> {
        Link::new(knock(PeId(me), addresses, port, &WORDS)?, To::Host("there".to_owned()))
    }

    #[test]
    fn those_who_know_the_secret_come_in_among_strangers() {
        let (listener, at, port) = local();
        // One that says nothing, one that goes, one that says something else, one that guesses, one that knows and is not awaited.
        let silent: Vec<TcpStream> =
            (0..STRANGERS + 20).map(|_| TcpStream::connect((at, port)).unwrap()).collect();
        drop(TcpStream::connect((at, port)).unwrap());
        let guesses: [&[u8]; 3] =
            [b"GET / HTTP/1.1\r\n\r\n", &[8; SAID], &[&[9; 16][..], &[77, 0, 0, 0]].concat()];
        let strangers: Vec<TcpStream> = guesses
            .map(|said| {
                let stranger = TcpStream::connect((at, port)).unwrap();
                (&stranger).write_all(said).unwrap();
                stranger
            })
            .into();
        let links = std::thread::scope(|scope| {
            let coming = [5, 2].map(|pe| scope.spawn(move || come(pe, &[at], port).unwrap()));
            let links = admit(&listener, &WORDS, &[PeId(2), PeId(5)], |_| "there".to_owned()).unwrap();
            let [five, two] = coming.map(|coming| coming.join().unwrap());
            two.send(&[[2; FRAME]]).unwrap();
            five.send(&[[5; FRAME]; 2]).unwrap();
            links
        });
        let [two, five] = <[OwnedFd; 2]>::try_from(links)
            .unwrap()
            .map(|link| Link::new(link, To::Host("there".to_owned())).unwrap());
        assert_eq!(two.receive(1).unwrap(), [[2; FRAME]]);
        assert_eq!(five.receive(2).unwrap(), [[5; FRAME]; 2]);
        assert!(two.receive(1).is_err(), "it has gone");
        // Nobody who did not know it has heard it.
        for stranger in silent.into_iter().chain(strangers) {
            let mut heard = Vec::new();
            let _ = stranger.set_read_timeout(Some(Duration::from_millis(1)));
            let _ = (&stranger).read_to_end(&mut heard);
            assert!(heard.is_empty() || heard == WORDS.greeting, "{heard:?}");
        }
    }

    #[test]
    fn the_right_one_of_several_addresses_is_found() {
        let (listener, at, port) = local();
        // Another program on that port: it hears nothing.
        let other = TcpListener::bind(("127.0.0.2", port)).unwrap();
        let heard = std::thread::scope(|scope| {
            let hears = scope.spawn(|| {
                let (mut stream, _) = other.accept().unwrap();
                stream.write_all(b"220 mail ESMTP ready.\r\n").unwrap();
                let mut heard = Vec::new();
                let _ = stream.read_to_end(&mut heard);
                heard
            });
            // At the first nobody answers; the second refuses.
            let addresses = ["192.0.2.1", "127.0.0.3", "127.0.0.2"].map(|ip| ip.parse().unwrap());
            let coming = scope.spawn(move || come(1, &[&addresses[..], &[at]].concat(), port));
            admit(&listener, &WORDS, &[PeId(1)], |_| String::new()).unwrap();
            coming.join().unwrap().unwrap();
            hears.join().unwrap()
        });
        assert_eq!(heard, b"");
    }

    #[test]
    fn what_became_of_each_address_is_told() {
        let (listener, at, port) = local();
        drop(listener);
        let why = come(1, &[at], port).map(drop).unwrap_err().to_string();
        assert!(why.starts_with(&format!("127.0.0.1:{port}: ")), "{why}");
    }
}
