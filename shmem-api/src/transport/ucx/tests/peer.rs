//! What answers: a server for the lane of requests, on a thread of this process or in another process.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use memheap::PeId;

use super::{Settings, engine, pair};
use crate::transport::ucx::Ucx;
use crate::transport::wire::{Event, Lane, Outgoing, Payload, Wire};

/// No test waits longer for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// The PE that serves; the one that asks is 0.
pub(super) const SERVER: PeId = PeId(1);

/// What a request asks for: the first byte of its header. Behind it stand a number and where the reply goes on: of a reply, the
/// number of its request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The same bytes back, copied.
    Echo = 1,
    /// The same bytes back, lent.
    Lend = 2,
    /// The payload is not wanted.
    Refuse = 3,
    /// Ask me something: an `Echo` that goes the other way.
    Ask = 4,
    /// Nothing: no reply.
    Hush = 5,
    /// The end.
    Stop = 6,
}

pub(super) const HEADER: usize = 32;

pub(super) fn header(kind: Kind, number: u64) -> [u8; HEADER] {
    let mut header = [0xa5; HEADER];
    header[0] = kind as u8;
    header[8..16].copy_from_slice(&number.to_le_bytes());
    header
}

pub(super) fn number(header: &[u8]) -> u64 {
    assert_eq!(header.len(), HEADER);
    assert!(header[1..8].iter().chain(&header[16..]).all(|&byte| byte == 0xa5), "{header:?}");
    u64::from_le_bytes(header[8..16].try_into().unwrap())
}

fn is(header: &[u8], kind: Kind) -> bool {
    header[0] == kind as u8
}

/// Sends a small one.
pub(super) fn send(wire: &dyn Wire, to: PeId, lane: Lane, header: &[u8], bytes: &[u8]) {
    // SAFETY: WIRE-W1: nothing is lent.
    unsafe { wire.send(to, lane, header, Outgoing::Copied(bytes)) };
}

/// Serves requests, asleep while there are none, until one says stop.
pub(super) fn serve(wire: &dyn Wire) {
    let to = PeId(1 - SERVER.0);
    // Of what is still to come: its header and where it goes. Of what was lent: the bytes.
    let mut coming: HashMap<u64, (Vec<u8>, Vec<u8>)> = HashMap::new();
    let mut lent: HashMap<u64, Vec<u8>> = HashMap::new();
    let (mut stopped, mut asked) = (false, false);
    let lend = |lent: &mut HashMap<u64, Vec<u8>>, header: &[u8], bytes: Vec<u8>| {
        let id = number(header);
        let payload = Outgoing::Lent { at: bytes.as_ptr(), len: bytes.len(), id };
        lent.insert(id, bytes);
        // SAFETY: WIRE-W1: it stays in `lent` until it was sent.
        unsafe { wire.send(to, Lane::Replies, header, payload) };
    };
    let start = Instant::now();
    while !(stopped && lent.is_empty() && coming.is_empty()) {
        assert!(
            start.elapsed() < 2 * PATIENCE,
            "stopped: {stopped}, lent {}, coming {}",
            lent.len(),
            coming.len()
        );
        let told = wire.poll(Lane::Requests, &mut |event| match event {
            Event::Message { header, .. } if is(header, Kind::Stop) => stopped = true,
            Event::Message { header, .. } if is(header, Kind::Hush) => {}
            Event::Message { header, payload: Payload::Here(_) } if is(header, Kind::Ask) => {
                asked = true;
                send(wire, to, Lane::Requests, header, b"tell me");
            }
            Event::Message { header, payload: Payload::Here(bytes) } if is(header, Kind::Lend) => {
                lend(&mut lent, header, bytes.to_vec());
            }
            Event::Message { header, payload: Payload::Here(bytes) } => {
                send(wire, to, Lane::Replies, header, bytes);
            }
            Event::Message { header, payload: Payload::Coming { token, .. } } if is(header, Kind::Refuse) => {
                wire.refuse(token);
                send(wire, to, Lane::Replies, header, b"no");
            }
            Event::Message { header, payload: Payload::Coming { token, len } } => {
                let mut room = vec![0; len];
                // SAFETY: WIRE-W1, WIRE-W2: it stays in `coming` until it is there.
                unsafe { wire.receive(token, room.as_mut_ptr(), len, number(header)) };
                coming.insert(number(header), (header.to_vec(), room));
            }
            Event::Received(id) => {
                let (header, bytes) = coming.remove(&id).unwrap();
                lend(&mut lent, &header, bytes);
            }
            Event::Sent(id) => _ = lent.remove(&id).unwrap(),
            Event::Failed(id, _) => _ = coming.remove(&id).unwrap(),
            // A peer that has ended before it said so.
            Event::Lost(pe, why) => {
                assert_eq!(pe, to);
                eprintln!("the server lost its peer: {why}");
                stopped = true;
                lent.clear();
                coming.clear();
            }
        });
        if asked {
            // What asked is this lane's.
            wire.poll(Lane::Replies, &mut |_| {});
        }
        if told == 0 {
            wire.sleep(Lane::Requests, Duration::from_millis(if asked { 1 } else { 1000 }));
        }
    }
}

/// Runs `test` with an engine whose peer serves on a thread of this process.
pub(super) fn with_thread(settings: Settings, test: impl FnOnce(&Ucx)) {
    let Some([mine, its]) = pair(settings) else { return };
    std::thread::scope(|threads| {
        threads.spawn(|| serve(&its));
        test(&mine);
        send(&mine, SERVER, Lane::Requests, &header(Kind::Stop, 0), &[]);
    });
    mine.close();
    its.close();
}

/// A process of this test that serves.
pub(super) struct Server {
    pub(super) wire: Ucx,
    pub(super) child: Child,
}

/// Says to this program that it is the server of a test.
const CHILD: &str = "SHMEM_TEST_UCX_SERVER";

/// A server in a process of its own, for the test of that name, which calls this first. In that process, serves, and returns nothing.
pub(super) fn start(test: &str, settings: Settings) -> Option<Server> {
    let wire = engine(settings)?;
    if std::env::var_os(CHILD).is_some() {
        be_server(&wire);
        return None;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([&format!("transport::ucx::tests::{test}"), "--exact", "--nocapture", "--include-ignored"]);
    let child = child.env(CHILD, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut server = Server { wire, child: child.unwrap() };
    let mut lines = BufReader::new(server.child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let its =
        lines.find_map(|line| Some(bytes_of(line.split_once("ADDRESS ")?.1))).expect("the server's address");
    // What else it says is of no interest, but must go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    let mine = server.wire.address();
    writeln!(server.child.stdin.as_ref().unwrap(), "{}", text_of(&mine)).unwrap();
    server.wire.meet(vec![mine, its]);
    Some(server)
}

impl Server {
    /// Both end.
    pub(super) fn stop(mut self) {
        send(&self.wire, SERVER, Lane::Requests, &header(Kind::Stop, 0), &[]);
        self.wire.close();
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if start.elapsed() > PATIENCE => panic!("the server does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        assert!(status.success(), "{status}");
    }
}

impl Drop for Server {
    /// A test that fails leaves no process.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn be_server(wire: &Ucx) {
    // It ends with the test that started it, whatever becomes of that.
    let mine = wire.address();
    std::io::stdout().write_all(format!("ADDRESS {}\n", text_of(&mine)).as_bytes()).unwrap();
    let mut its = String::new();
    std::io::stdin().read_line(&mut its).unwrap();
    let its = bytes_of(&its);
    std::thread::spawn(|| {
        std::io::stdin().lines().for_each(drop);
        std::thread::sleep(Duration::from_secs(5));
        std::process::exit(3);
    });
    wire.meet(vec![its, mine]);
    serve(wire);
    wire.close();
}

fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(text: &str) -> Vec<u8> {
    let digits = text.trim().as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
    digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect()
}
