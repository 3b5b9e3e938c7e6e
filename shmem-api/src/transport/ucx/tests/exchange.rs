//! Messages of all sizes, to a thread and to another process.

use super::peer::{start, with_thread};
use super::{DEFAULT, TCP};
use crate::transport::conformance::exchange::all;
use crate::transport::ucx::state::RENDEZVOUS_FROM;

#[test]
fn in_one_process_over_tcp() {
    with_thread(TCP, |wire| all(wire, RENDEZVOUS_FROM));
}

#[test]
fn in_one_process() {
    with_thread(DEFAULT, |wire| all(wire, RENDEZVOUS_FROM));
}

#[test]
fn between_processes_over_tcp() {
    if let Some(server) = start("exchange::between_processes_over_tcp", TCP) {
        all(&server.wire, RENDEZVOUS_FROM);
        server.stop();
    }
}

#[test]
fn between_processes() {
    if let Some(server) = start("exchange::between_processes", DEFAULT) {
        all(&server.wire, RENDEZVOUS_FROM);
        server.stop();
    }
}
