//! What a PE puts to another on one stream, and what of it must be seen when.
//!
//! ```text
//!   bytes    puts of any length and form        after a quiet, or for a get of the same stream: what was put last; of two
//!                                               puts without a fence between them, either
//!   data, flag      data n, fence, flag n       whoever sees flag n sees data n or later in all of the data
//!   data, signal    put with signal n           the same
//! ```

use super::world::{Driven, target};
use crate::transport::FarTarget;

/// The bytes, and the data of a flag or a signal.
pub(super) const BYTES: usize = 512;
pub(super) const DATA: usize = 40;
/// Of a channel.
pub(super) const LEN: u64 = (BYTES + 2 * (DATA + 1) * 8) as u64;
const FLAG: [u64; 2] = [(BYTES + DATA * 8) as u64, (BYTES + (2 * DATA + 1) * 8) as u64];

/// Which streams the channels between two PEs are on. The second and the third share a course; the third is in static data.
pub(super) const STREAMS: [usize; 4] = [1, 2, 66, (1 << 16) + 7];

/// What a byte may be when all that was put is there.
#[derive(Clone, Copy)]
struct Byte {
    epoch: u32,
    /// How many values; more than there is room for are any.
    n: u8,
    values: [u8; 3],
}

/// See above.
pub(super) struct Channel {
    pub(super) target: usize,
    pub(super) stream: usize,
    base: u64,
    epoch: u32,
    bytes: Vec<Byte>,
    /// The last number put with a flag, and with a signal.
    pub(super) last: [u64; 2],
    /// How many puts there were; and there had been when all was known to be there.
    pub(super) puts: u64,
    pub(super) settled: u64,
}

impl Channel {
    pub(super) fn new(target: usize, stream: usize, base: u64) -> Channel {
        let base = if stream == STREAMS[2] { base | FarTarget::STATIC } else { base };
        let bytes = vec![Byte { epoch: 0, n: 1, values: [0; 3] }; BYTES];
        Channel { target, stream, base, epoch: 1, bytes, last: [0; 2], puts: 0, settled: 0 }
    }

    pub(super) fn at(&self, offset: usize) -> FarTarget {
        target(self.target, self.base + offset as u64, self.stream)
    }

    /// The data of a flag (0) or a signal (1), and the word itself.
    pub(super) fn data(&self, which: usize) -> FarTarget {
        self.at(BYTES + which * (DATA + 1) * 8)
    }

    pub(super) fn flag(&self, which: usize) -> FarTarget {
        self.at(FLAG[which] as usize)
    }

    /// There was a fence.
    pub(super) fn fence(&mut self) {
        self.epoch += 1;
    }

    /// These bytes are put.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.puts += 1;
        for (byte, &value) in self.bytes[at..at + bytes.len()].iter_mut().zip(bytes) {
            if byte.epoch != self.epoch {
                *byte = Byte { epoch: self.epoch, n: 0, values: [0; 3] };
            }
            if let Some(free) = byte.values.get_mut(usize::from(byte.n)) {
                *free = value;
            }
            byte.n = (byte.n + 1).min(4);
        }
    }

    /// All that was put before is there: these are the bytes.
    pub(super) fn check(&mut self, at: usize, bytes: &[u8], who: &str) {
        for (i, &value) in bytes.iter().enumerate() {
            let byte = &mut self.bytes[at + i];
            let may_be = byte.n > 3 || byte.values[..usize::from(byte.n)].contains(&value);
            assert!(may_be, "{who}: byte {} of {} is {value}, not {:?}", at + i, self.base, byte.values);
            // Whatever is put later is later.
            *byte = Byte { epoch: 0, n: 1, values: [value; 3] };
        }
    }

    /// Everything is there; its bytes, and both flags with their data.
    pub(super) fn check_all(&mut self, driven: &Driven, who: &str) {
        if self.settled != self.puts {
            self.settled = self.puts;
            let all = self.at(0);
            self.check(0, &driven.world.segments.bytes(all.pe, all.at, BYTES), who);
            for which in [0, 1] {
                let flag = self.flag(which);
                assert_eq!(
                    driven.world.segments.word(flag.pe, flag.at),
                    self.last[which],
                    "{who}: flag {which}"
                );
            }
        }
    }

    /// Whatever is there: no flag is before its data.
    pub(super) fn look(&self, driven: &Driven) {
        for which in [0, 1] {
            let (flag, data) = (self.flag(which), self.data(which));
            let seen = driven.world.segments.word(flag.pe, flag.at);
            let bytes = driven.world.segments.bytes(data.pe, data.at, DATA * 8);
            let least =
                bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("8"))).min();
            assert!(least >= Some(seen), "flag {which} is {seen} before its data, {least:?}");
        }
    }
}
