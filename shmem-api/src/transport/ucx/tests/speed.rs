//! How long a request and its reply take: a measurement, beside `benches/peers/ucx_am.c`, which does the same in C.

use std::cell::Cell;
use std::time::Instant;

use super::TCP;
use super::peer::{Kind, SERVER, header, send, start};
use crate::transport::wire::{Event, Lane, Wire};

/// Round trips.
const N: usize = 20_000;

#[test]
#[ignore = "a measurement: benches/peers/ucx_am.sh"]
fn a_request_and_its_reply() {
    let Some(server) = start("speed::a_request_and_its_reply", TCP) else { return };
    let wire = &server.wire;
    let request = header(Kind::Echo, 1);
    let mut times = Vec::with_capacity(N);
    for _ in 0..N {
        let begin = Instant::now();
        send(wire, SERVER, Lane::Requests, &request, &[]);
        let back = Cell::new(false);
        while !back.get() {
            wire.poll(Lane::Replies, &mut |event| match event {
                Event::Message { .. } => back.set(true),
                event => panic!("{event:?}"),
            });
        }
        times.push(begin.elapsed().as_nanos());
    }
    server.stop();
    times.sort_unstable();
    eprintln!("ours {} {}", times[0], times[N / 2]);
}
