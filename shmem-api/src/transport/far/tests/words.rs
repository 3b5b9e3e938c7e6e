//! Words that all PEs change atomically, those of the same host by the processor's own instructions.
//!
//! | word | operations | what must hold |
//! |---|---|---|
//! | tickets, of 8 and of 4 bytes | fetch and add 1 | each number is drawn once |
//! | sums, of 8 and of 4 bytes | add, nobody wants what was there | all of them at the end |
//! | flips | exclusive or of any bits, nobody wants what was there | the same |
//! | chain | swap | what went in came out once, or is there |
//! | count | compare and swap | as many successes as it says |
//! | bits | or, and, xor of an own bit | nobody else changes it |

use std::cell::RefCell;

use memheap::PeId;

use super::world::{Driven, target};
use crate::process::private::Ordering::SeqCst;
use crate::transport::Transport;
use crate::types::amo::AmoOp;

/// Of all words, at the beginning of each segment.
pub(super) const LEN: u64 = 64;
const TICKETS: u64 = 0;
const TICKETS_4: u64 = 12;
const SUM: u64 = 16;
const CHAIN: u64 = 24;
const COUNT: u64 = 32;
const BITS: u64 = 40;
const FLIPS: u64 = 48;
const SUM_4: u64 = 60;

#[derive(Default)]
struct OfPe {
    tickets: Vec<u64>,
    tickets_4: Vec<u64>,
    sum: u64,
    sum_4: u32,
    flips: u64,
    swapped: Vec<[u64; 2]>,
    count: u64,
    guess: u64,
    /// By PE: its bit.
    bits: u64,
}

/// What has been done to the words of each PE.
pub(super) struct Words(Vec<RefCell<OfPe>>);

impl Words {
    pub(super) fn new(n_pes: usize) -> Words {
        Words((0..n_pes).map(|_| RefCell::default()).collect())
    }

    /// An operation of `me` on a word of a far PE.
    pub(super) fn far(&self, driven: &Driven, me: usize, pe: usize, stream: usize) {
        let amo = |at, width, op| driven.far(me).amo(target(pe, at, stream), width, op);
        let of = &self.0[pe];
        match driven.below(10) {
            8 => {
                let more = driven.below(1 << 20) as u64 * 4099;
                let mut of = of.borrow_mut();
                of.sum_4 = of.sum_4.wrapping_add(more as u32);
                drop(of);
                driven.far(me).amo_post(target(pe, SUM_4, stream), 4, AmoOp::Add(more));
            }
            9 => {
                let bits = driven.random.borrow_mut().next();
                of.borrow_mut().flips ^= bits;
                driven.far(me).amo_post(target(pe, FLIPS, stream), 8, AmoOp::Xor(bits));
            }
            0 | 1 => {
                let ticket = amo(TICKETS, 8, AmoOp::Add(1));
                of.borrow_mut().tickets.push(ticket);
            }
            2 => {
                let ticket = amo(TICKETS_4, 4, AmoOp::Add(1));
                of.borrow_mut().tickets_4.push(ticket);
            }
            3 => {
                let more = driven.below(1000) as u64;
                of.borrow_mut().sum += more;
                driven.far(me).amo_post(target(pe, SUM, stream), 8, AmoOp::Add(more));
            }
            4 => {
                let new = driven.random.borrow_mut().next() | 1;
                let old = amo(CHAIN, 8, AmoOp::Swap(new));
                of.borrow_mut().swapped.push([new, old]);
            }
            5 | 6 => {
                let guess = of.borrow().guess;
                let old = amo(COUNT, 8, AmoOp::CompareSwap(guess, guess + 1));
                let mut of = of.borrow_mut();
                of.count += u64::from(old == guess);
                of.guess = of.guess.max(old + u64::from(old == guess));
            }
            _ => {
                let bit = 1 << me;
                let (op, to): (_, fn(u64, u64) -> u64) = match driven.below(4) {
                    0 => (AmoOp::Or(bit), |bits, bit| bits | bit),
                    1 => (AmoOp::And(!bit), |bits, bit| bits & !bit),
                    2 => (AmoOp::Xor(bit), |bits, bit| bits ^ bit),
                    _ => (AmoOp::Load, |bits, _| bits),
                };
                let old = amo(BITS, 8, op);
                let mut of = of.borrow_mut();
                assert_eq!(old & bit, of.bits & bit, "the bit of PE {me} at PE {pe}");
                of.bits = to(of.bits, bit);
            }
        }
    }

    /// An operation of a neighbour.
    pub(super) fn near(&self, driven: &Driven, pe: usize) {
        let word = |at| driven.world.segments.atomic(PeId(pe as u32), at);
        let mut of = self.0[pe].borrow_mut();
        match driven.below(3) {
            0 => of.tickets.push(word(TICKETS).fetch_add(1, SeqCst)),
            1 => {
                of.sum += 1;
                word(SUM).fetch_add(1, SeqCst);
            }
            _ => {
                let guess = of.guess;
                match word(COUNT).compare_exchange(guess, guess + 1, SeqCst, SeqCst) {
                    Ok(_) => (of.count, of.guess) = (of.count + 1, guess + 1),
                    Err(seen) => of.guess = seen,
                }
            }
        }
    }

    /// At the end, when all is there.
    pub(super) fn check(&self, driven: &Driven) {
        for (pe, of) in self.0.iter().enumerate() {
            let of = &mut *of.borrow_mut();
            let word = |at| driven.world.segments.word(PeId(pe as u32), at);
            of.tickets.sort_unstable();
            of.tickets_4.sort_unstable();
            assert!(of.tickets.iter().copied().eq(0..of.tickets.len() as u64), "tickets at PE {pe}");
            assert!(
                of.tickets_4.iter().copied().eq(0..of.tickets_4.len() as u64),
                "short tickets at PE {pe}"
            );
            assert_eq!(word(TICKETS), of.tickets.len() as u64);
            assert_eq!(word(TICKETS_4 - 4) >> 32, of.tickets_4.len() as u64);
            assert_eq!(word(SUM), of.sum, "the sum at PE {pe}");
            assert_eq!(word(SUM_4 - 4) >> 32, of.sum_4.into(), "the short sum at PE {pe}");
            assert_eq!(word(FLIPS), of.flips, "the flips at PE {pe}");
            assert_eq!(word(COUNT), of.count, "the count at PE {pe}");
            assert_eq!(word(BITS), of.bits, "the bits at PE {pe}");
            let mut went: Vec<u64> = of.swapped.iter().map(|[new, _]| *new).chain([0]).collect();
            let mut came: Vec<u64> = of.swapped.iter().map(|[_, old]| *old).chain([word(CHAIN)]).collect();
            went.sort_unstable();
            came.sort_unstable();
            assert_eq!(went, came, "the chain at PE {pe}");
        }
    }
}
