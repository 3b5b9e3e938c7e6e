//! A peer: on a thread of this process or in another process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Settings, engine, pair};
use crate::transport::conformance::server::serve;
pub(super) use crate::transport::conformance::server::{Kind, PATIENCE, SERVER, header, number, send};
use crate::transport::ucx::Ucx;
use crate::transport::wire::{Lane, Wire};

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
