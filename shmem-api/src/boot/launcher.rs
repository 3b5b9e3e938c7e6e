//! What is asked of a launcher: who am I, how many are there, a gathering of a small card (a second one where there are several
//! hosts), the end of the job.
//!
//! Everything else the PEs tell each other at a start goes over sockets of their own (`star`), which they find by
//! the cards.

use std::ffi::CStr;

use bytemuck::{Pod, Zeroable};
use memheap::PeId;

use crate::boot::host::Host;
use crate::boot::text::{padded, unpadded};
use crate::error::Error;
use crate::types::thread_level::ThreadLevel;

/// A job that a launcher started, which this process has joined.
pub(crate) trait Launcher: Send {
    /// This PE's number.
    fn pe(&self) -> PeId;

    /// How many PEs there are.
    fn n_pes(&self) -> u32;

    /// The thread level this process may use.
    fn level(&self) -> ThreadLevel {
        ThreadLevel::Multiple
    }

    /// Collective, once under each name: gives `mine`, as long on all PEs, and gets everybody's, in PE order. A PE of this host that
    /// ended before it came here ends the job, named.
    fn gather(&mut self, name: &'static CStr, mine: &[u8]) -> Result<Vec<Vec<u8>>, Error>;

    /// Whether the library may start (again).
    fn may_start(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Whether [`end_all`](Launcher::end_all) makes that the status of the launcher. Of one that passes on only what each PE
    /// exits with, it does not.
    fn passes_on(&self, status: u8) -> bool {
        let _ = status;
        true
    }

    /// Ends all PEs such that the launcher exits with `status`, if there is a way to. Any thread may call it. It
    /// returns if there is none.
    fn end_all(&mut self, status: u8);

    /// At process exit, when the library is down: tells the launcher that this process ends in good order.
    fn leave(self: Box<Self>);
}

/// [`Launcher::gather`] of records.
pub(crate) fn gather<T: Pod>(
    launcher: &mut dyn Launcher,
    name: &'static CStr,
    mine: &T,
) -> Result<Vec<T>, Error> {
    let all = launcher.gather(name, bytemuck::bytes_of(mine))?;
    let record = |(pe, bytes): (u32, Vec<u8>)| {
        bytemuck::try_pod_read_unaligned(&bytes)
            .map_err(|_| Error::Elsewhere { pe: PeId(pe), why: VERSION.to_owned() })
    };
    (0..).zip(all).map(record).collect()
}

/// Of a PE whose records are not ours.
const VERSION: &str = "it runs another version of this library, or on another kind of processor";

/// What a PE shows to all by means of the launcher.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Card {
    pub(crate) host: Host,
    pid: u32,
    /// [`CARD`], so that something else is not taken for one.
    version: u32,
    /// The name of PE 0's socket; or [`FAILED`] and why a PE has none.
    socket: [u8; 96],
}

/// What cards are gathered under.
pub(crate) const CARDS: &CStr = c"shmem.card";

/// The second version.
const CARD: u32 = 0x5348_0002;

/// Begins a text in place of a name.
const FAILED: char = '!';

impl Card {
    /// This process, and the socket it has made, or why it could not.
    pub(crate) fn new(socket: Result<&str, &std::io::Error>) -> Card {
        Card { host: Host::here(), pid: std::process::id(), version: CARD, socket: padded_result(socket) }
    }

    /// The process.
    pub(crate) fn pid(&self) -> i32 {
        self.pid as i32
    }

    /// The name of its socket, or why it has none.
    pub(crate) fn socket(&self) -> Result<String, String> {
        if self.version != CARD {
            return Err(VERSION.to_owned());
        }
        shown(&self.socket)
    }
}

/// A name, or why there is none, in so many bytes.
pub(crate) fn padded_result<const N: usize>(name: Result<&str, &std::io::Error>) -> [u8; N] {
    match name {
        Ok(name) => padded(name),
        Err(e) => padded(&format!("{FAILED}{e}")),
    }
}

/// What was so written.
pub(crate) fn shown(bytes: &[u8]) -> Result<String, String> {
    let text = unpadded(bytes);
    match text.strip_prefix(FAILED) {
        Some(why) => Err(why.to_owned()),
        None => Ok(text),
    }
}

/// Bytes as text, for launchers that pass text.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .map(|d| char::from_digit(d.into(), 16).unwrap_or('0'))
        .collect()
}

/// Bytes from their text, if it is such a text.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks() else { return None };
    pairs.iter().map(|&[a, b]| Some((digit(a)? << 4 | digit(b)?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_survives_its_way_as_text() {
        let card = Card::new(Ok("shmem-1-2"));
        let text = to_hex(bytemuck::bytes_of(&card));
        assert!(text.bytes().all(|b| b.is_ascii_hexdigit()));
        let back = from_hex(&text).unwrap();
        assert_eq!(bytemuck::pod_read_unaligned::<Card>(&back), card);
        assert_eq!(card.socket(), Ok("shmem-1-2".to_owned()));
        assert_eq!(card.pid(), std::process::id() as i32);
        for wrong in ["0", &text[1..], &text.replace('0', "g")] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_card_can_say_why_there_is_no_socket() {
        let why = std::io::Error::other("socket: too many open files");
        assert_eq!(Card::new(Err(&why)).socket(), Err("socket: too many open files".to_owned()));
        assert!(Card::zeroed().socket().unwrap_err().contains("another version"));
    }
}
