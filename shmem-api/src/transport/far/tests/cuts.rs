//! A host dies in the middle of each kind of call: the call ends, and says who is lost.

use memheap::PeId;

use super::slices::{get, get_blocks, put, put_blocks, put_signal};
use super::world::{Driven, Setup, target};
use crate::transport::far::Far;
use crate::transport::far::flow::MAX_REQUESTS;
use crate::transport::far::mutation::Mutation;
use crate::transport::{FarBlocks, Stream, Transport};
use crate::types::amo::AmoOp;

pub(super) const KINDS: usize = 9;
pub(super) const LONG: usize = 3000;

/// A call of PE 0 that needs PE 1 or 2, on host 1.
pub(super) fn call(far: &Far, kind: usize, bytes: &mut [u8]) {
    let to = target(1, 0, 1);
    let blocks = FarBlocks { strides: [16, 16], len: 8, n: 100 };
    match kind {
        0 => put(far, to, bytes),
        1 => get(far, &mut bytes[..8], to),
        2 => get(far, bytes, to),
        3 => get_blocks(far, bytes, to, blocks),
        4 => _ = far.amo(to, 8, AmoOp::Add(1)),
        5 => put_signal(far, to, bytes, target(2, 4096, 1), AmoOp::Set(1)),
        6 => {
            put(far, to, &bytes[..8]);
            far.quiet(Stream::DEFAULT);
        }
        7 => {
            put_blocks(far, to, bytes, blocks);
            far.quiet(Stream::ALL);
        }
        // Until there is no room.
        _ => (0..2 * MAX_REQUESTS).for_each(|_| put(far, to, &bytes[..8])),
    }
}

#[test]
fn every_call_ends() {
    let mut cut_within = [0; KINDS];
    for seed in 0..600 {
        let kind = seed as usize % KINDS;
        // PE 3 is of a third host, which nobody needs.
        let setup = Setup { seed, of: &[0, 1, 1, 2], bytes: 1 << 16, copied: 256, mutation: Mutation::None };
        let when = (seed / 9) % 40;
        let cut = move |driven: &Driven, _: usize| {
            if driven.events.get() > when && !driven.dead[1].replace(true) {
                driven.world.net.cut(PeId(1));
            }
            true
        };
        let driven = Driven::start(&setup, Box::new(cut));
        driven.lazy[1].set(kind == KINDS - 1);
        let mut bytes = vec![5; LONG];
        driven.call(0, |far| call(far, kind, &mut bytes));
        let lost = std::mem::take(&mut *driven.world.lost.lock());
        assert!(
            lost.iter().all(|(me, pe, why)| (*me, *pe) == (PeId(0), PeId(1)) && why.contains("cut off")),
            "{lost:?}"
        );
        cut_within[kind] += usize::from(!lost.is_empty());
        // The next call is told at once.
        driven.until(|| driven.dead[1].get());
        driven.settle();
        assert_eq!(driven.call(0, |far| far.amo(target(2, 0, 1), 8, AmoOp::Add(1))), 0);
        assert!(!driven.world.lost.lock().is_empty(), "seed {seed}");
        // That of a host which is not lost is done.
        let word = target(3, 0, 1);
        assert_eq!([1, 2].map(|more| driven.call(0, |far| far.amo(word, 8, AmoOp::Add(more)))), [0, 1]);
    }
    assert!(cut_within.iter().all(|&n| n > 5), "{cut_within:?}");
}
