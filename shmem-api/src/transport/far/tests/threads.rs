//! Real threads: several callers in each process, the loop that serves, and a clock.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use memheap::PeId;

use super::slices::{get, put, put_word};
use super::world::{Setup, World, target};
use crate::process::private::AtomicBool;
use crate::process::private::Ordering::Release;
use crate::transport::far::mutation::Mutation;
use crate::transport::{Stream, Transport};
use crate::types::amo::AmoOp;

/// Nothing here takes as long.
const WATCHDOG: Duration = Duration::from_secs(120);
const OF: &[u32] = &[0, 0, 1, 1];
const CALLERS: usize = 3;
const CALLS: u64 = 300;

/// Runs `body` with servers, and ends them.
fn with_servers(body: impl FnOnce(&Arc<World>) + Send + 'static) {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let setup = Setup { seed: 1, of: OF, bytes: 1 << 16, copied: 1024, mutation: Mutation::None };
        let (world, stop) = (Arc::new(World::new(&setup)), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let servers: Vec<_> = world.fars.iter().map(|far| scope.spawn(|| far.serve(&stop))).collect();
            body(&world);
            stop.store(true, Release);
            world.fars.iter().for_each(|far| far.stop_serving());
            servers.into_iter().for_each(|server| server.join().expect("it serves"));
        });
        tell.send(()).expect("somebody waits");
    });
    told.recv_timeout(WATCHDOG).expect("all have come to their end");
}

/// Adds, and puts that are there for a get after a quiet.
fn caller(world: &World, me: usize, thread: usize) {
    let far = &world.fars[me];
    let stream = 1 + thread % 2;
    for i in 0..CALLS {
        let pe = (me + 2) % 4;
        far.amo(target(pe, 0, stream), 8, AmoOp::Add(1));
        far.amo_post(target(pe, 8, stream), 8, AmoOp::Add(i));
        let len = if i % 16 == 0 { 2048 } else { 24 };
        let (bytes, mut back) = (vec![i as u8; len], vec![0; len]);
        let own = target(pe, 64 + ((me * CALLERS + thread) * 2048) as u64, stream);
        put(far, own, &bytes);
        far.quiet(Stream(stream));
        get(far, &mut back, own);
        assert_eq!(back, bytes);
    }
    far.quiet(Stream::ALL);
}

#[test]
fn many_callers_in_a_process() {
    with_servers(|world| {
        std::thread::scope(|scope| {
            for (me, thread) in (0..OF.len()).flat_map(|me| (0..CALLERS).map(move |thread| (me, thread))) {
                scope.spawn(move || caller(world, me, thread));
            }
        });
        for pe in 0..OF.len() as u32 {
            let words = [0, 8].map(|at| world.segments.word(PeId(pe), at));
            assert_eq!(words, [CALLERS as u64 * CALLS, CALLERS as u64 * CALLS * (CALLS - 1) / 2]);
        }
    });
}

/// Nobody calls the library after the put: the serving thread sends it. (In a millisecond; the machine may be busy.)
#[test]
fn a_small_put_goes_by_itself() {
    with_servers(|world| {
        for value in 1..20_u64 {
            put_word(&world.fars[0], target(2, 0, 1), value);
            let start = Instant::now();
            while world.segments.word(PeId(2), 0) != value {
                assert!(start.elapsed() < Duration::from_secs(20), "it has not come");
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    });
}
