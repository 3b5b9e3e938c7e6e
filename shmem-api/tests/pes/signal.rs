//! Put with signal, on every type: whoever sees the signal sees the data. Fence and quiet.
#![allow(unsafe_code)]
#![allow(clippy::macro_metavars_in_unsafe, reason = "`call!` is only given safe expressions")]

use shmem_api::testing::{Random, mix};
use shmem_api::{Cmp, Elem, World, c_type, multi_pe, raw, type_table};

use crate::arena::{Arena, is_one_host, must_fail, on_both, on_contexts, with_both};

type Ctx = Option<raw::Ctx>;
const NONE: Ctx = None;
/// Bytes of the data, and where they begin in their arena.
const ROOM: usize = 1 << 12;
const DATA: usize = 1 << 10;

/// How the data is put.
#[derive(Clone, Copy, Debug)]
enum Form {
    Typed,
    TypedNbi,
    Bytes,
    BytesNbi,
}

/// A PE's line to its next, and from the one before it: data, a signal with it, and a signal that comes back.
struct Line {
    data: Arena,
    signal: *mut u64,
    back: *mut u64,
    me: usize,
    next: i32,
    left: usize,
    round: u64,
    /// The signal as the sender and as the receiver know it.
    sent: u64,
    received: u64,
    /// What the data must be here.
    model: Vec<u8>,
}

impl Line {
    fn new(world: &World, data: Arena, signals: Arena) -> Line {
        let (me, n) = (world.pe(), world.n_pes());
        let (next, left) = (((me + 1) % n) as i32, (me + n - 1) % n);
        let (signal, back) = (signals.word(0, 0), signals.word(128, 0));
        Line { data, signal, back, me, next, left, round: 0, sent: 0, received: 0, model: vec![0; ROOM] }
    }

    /// Sends `len` elements and receives as many: the data must be there as soon as the signal is.
    fn round<T: Elem>(&mut self, type_name: &str, ctx: Ctx, form: Form, op: i32, len: usize) {
        self.round += 1;
        let bytes = len * size_of::<T>();
        let at = (mix(self.round, 0) as usize % (ROOM - bytes + 1)) / align_of::<T>() * align_of::<T>();
        let stream = |pe: usize, round: u64| Random::new(mix(pe as u64, round));
        let change = mix(self.round, 1);
        let after = |before: u64| if op == raw::SIGNAL_SET { change } else { before.wrapping_add(change) };

        let mut source = vec![<T as bytemuck::Zeroable>::zeroed(); len];
        let mut dice = stream(self.me, self.round);
        bytemuck::cast_slice_mut::<T, u8>(&mut source).fill_with(|| dice.next() as u8);
        let dest = self.data.word::<T>(DATA + at, 0);
        let (dest, from) =
            if len == 0 { (std::ptr::null_mut(), std::ptr::null()) } else { (dest, source.as_ptr()) };
        let (sig, next) = (self.signal, self.next);
        match form {
            Form::Typed => call!(ctx, put_signal / ctx_put_signal(dest, from, len, sig, change, op, next)),
            Form::TypedNbi => {
                call!(ctx, put_signal_nbi / ctx_put_signal_nbi(dest, from, len, sig, change, op, next));
                call!(ctx, quiet / ctx_quiet());
            }
            Form::Bytes => {
                let (dest, from) = (dest.cast(), from.cast());
                call!(ctx, putmem_signal / ctx_putmem_signal(dest, from, bytes, sig, change, op, next));
            }
            Form::BytesNbi => {
                let (dest, from) = (dest.cast(), from.cast());
                call!(
                    ctx,
                    putmem_signal_nbi / ctx_putmem_signal_nbi(dest, from, bytes, sig, change, op, next)
                );
                call!(ctx, quiet / ctx_quiet());
            }
        }
        self.sent = after(self.sent);

        self.received = after(self.received);
        // SAFETY: the signal is one, of ours.
        let seen = unsafe { raw::signal_wait_until(sig, Cmp::Eq, self.received) };
        assert_eq!(seen, self.received);
        let mut dice = stream(self.left, self.round);
        self.model[at..at + bytes].fill_with(|| dice.next() as u8);
        for (i, expected) in self.model.iter().enumerate() {
            // SAFETY: our own part of the arena, which nobody writes until the signal goes back.
            let is = unsafe { self.data.at.wrapping_add(DATA + i).read_volatile() };
            assert_eq!(is, *expected, "{type_name}, {len} elements at {at}, {form:?}, {ctx:?}: byte {i}");
        }
        call!(ctx, signal_add / ctx_signal_add(self.back, 1, self.left as i32));
        // SAFETY: the signal is one, of ours.
        unsafe { raw::signal_wait_until(self.back, Cmp::Eq, self.round) };
    }

    /// Every way to send a type.
    fn every_way<T: Elem>(&mut self, type_name: &str) {
        on_contexts(|ctx| {
            for form in [Form::Typed, Form::TypedNbi] {
                for op in [raw::SIGNAL_SET, raw::SIGNAL_ADD] {
                    for len in [0, 1, 2, 7, ROOM / size_of::<T>()] {
                        self.round::<T>(type_name, ctx, form, op, len);
                    }
                }
            }
        });
    }
}

macro_rules! every_type {
    ([$($name:tt)*] $line:ident) => {$(
        $line.every_way::<c_type!($name)>(stringify!($name));
    )*};
}

multi_pe! {
    /// NOTES (b), signals: the update becomes visible only after its own data.
    fn a_signal_is_seen_after_its_data_for_every_type(world) on [1, 2, 3, 4, 8] {
        on_both(world, |arena| {
            let mut line = Line::new(world, arena, arena);
            type_table!(rma => every_type, line);
            type_table!(sizes => every_type, line);
        });
    }

    /// NOTES (b), signals: data and signal may be in different segments.
    fn data_and_signal_may_be_in_different_segments(world) on [1, 2, 3, 4, 8] {
        with_both(world, |[heap, fixed]| {
            for (data, signals) in [(heap, fixed), (fixed, heap)] {
                let mut line = Line::new(world, data, signals);
                for i in 0..200 {
                    let form = if i % 2 == 0 { Form::Bytes } else { Form::BytesNbi };
                    let op = if i % 3 == 0 { raw::SIGNAL_SET } else { raw::SIGNAL_ADD };
                    line.round::<u8>("bytes", [NONE, Some(raw::Ctx::DEFAULT)][i % 2], form, op, i * 20 % ROOM);
                }
                world.barrier();
            }
        });
    }

    /// NOTES (b), signals: ADD is atomic with ADD, whichever call adds.
    fn added_signals_count_exactly(world) on [1, 2, 3, 4, 8] {
        const TIMES: u64 = 1000;
        let n = world.n_pes();
        on_both(world, |arena| {
            let (sig, data) = (arena.word::<u64>(0, 0), arena.word::<u8>(DATA, world.pe() * 8));
            for i in 0..TIMES {
                for pe in 0..n as i32 {
                    let value = [i as u8; 8];
                    match i % 3 {
                        0 => call!(NONE, signal_add / ctx_signal_add(sig, 3, pe)),
                        1 => call!(NONE, putmem_signal / ctx_putmem_signal(data, value.as_ptr(), 8, sig, 3, raw::SIGNAL_ADD, pe)),
                        _ => call!(NONE, put_signal_nbi / ctx_put_signal_nbi(data, value.as_ptr(), 8, sig, 3, raw::SIGNAL_ADD, pe)),
                    }
                }
            }
            // SAFETY: the signal is one, of ours.
            let seen = unsafe { raw::signal_wait_until(sig, Cmp::Ge, 3 * TIMES * n as u64) };
            assert_eq!(seen, 3 * TIMES * n as u64);
        });
    }

    /// NOTES (b), signals: SET is atomic with SET: a signal is always one that somebody set, and fetching
    /// it is local.
    fn set_signals_are_never_torn(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe() as u64, world.n_pes());
        on_both(world, |arena| {
            let sig = arena.word::<u64>(0, 0);
            for i in 0..2000u64 {
                let half = me * 10_000 + i;
                call!(NONE, signal_set / ctx_signal_set(sig, half << 32 | half, (i % n as u64) as i32));
                // SAFETY: the signal is one, of ours.
                let seen = unsafe { raw::signal_fetch(sig) };
                assert_eq!(seen >> 32, seen & 0xffff_ffff, "signal {seen:#x}");
            }
        });
    }

    /// NOTES (b), signals: a signal says nothing about earlier puts, but a fence before it does; and an
    /// atomic, or a plain put of a word, is as good a flag.
    fn a_fence_orders_data_before_any_flag(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let (next, left) = (((me + 1) % n) as i32, ((me + n - 1) % n) as i32);
        on_both(world, |arena| {
            let (flag, back, data) = (arena.word::<u64>(0, 0), arena.word::<u64>(64, 0), arena.word::<u64>(DATA, 0));
            on_contexts(|ctx| for round in 1..=100u64 {
                // SAFETY: our own words.
                let base = unsafe { raw::signal_fetch(back) };
                let source: Vec<u64> = (0..100).map(|i| mix(base, i)).collect();
                call!(ctx, put_nbi / ctx_put_nbi(data, source.as_ptr(), 50, next));
                call!(ctx, put / ctx_put(data.wrapping_add(50), source[50..].as_ptr(), 50, next));
                match round % 2 {
                    0 => call!(ctx, fence / ctx_fence()),
                    _ => call!(ctx, quiet / ctx_quiet()),
                }
                match round % 4 {
                    0 => call!(ctx, signal_set / ctx_signal_set(flag, base + 1, next)),
                    1 => call!(ctx, atomic_inc / ctx_atomic_inc(flag, next)),
                    2 => call!(ctx, atomic_set / ctx_atomic_set(flag, base + 1, next)),
                    _ => call!(ctx, p / ctx_p(flag, base + 1, next)),
                }
                // SAFETY: our own word.
                unsafe { raw::wait_until(flag, Cmp::Eq, base + 1) };
                for (i, expected) in source.iter().enumerate() {
                    // SAFETY: our own part, which nobody writes until `back` changes.
                    assert_eq!(unsafe { data.wrapping_add(i).read_volatile() }, *expected, "word {i} of round {round}");
                }
                call!(ctx, atomic_inc / ctx_atomic_inc(back, left));
                // SAFETY: our own word.
                unsafe { raw::wait_until(back, Cmp::Eq, base + 1) };
            });
        });
    }

    /// NOTES (b), quiet: what was put is visible to *all* PEs. Of two PEs that each put, are quiet, and look at the
    /// other's word, one at least sees the other's put.
    fn quiet_is_a_full_fence(world) on [2] {
        // Many words, each in a line of its own, so that the PEs need not meet between two of them.
        const WORDS: usize = 2000;
        // (Between hosts each quiet takes its time.)
        let rounds = if is_one_host() { 100 } else { 5 };
        let me = world.pe();
        // SAFETY: the World is up.
        let heap = unsafe { raw::malloc(2 * WORDS * 64 + 2 * WORDS) };
        let word = |pe: usize, i: usize| heap.wrapping_add((pe * WORDS + i) * 64).cast::<u64>();
        let seen_at = |pe: usize| heap.wrapping_add(2 * WORDS * 64 + pe * WORDS);
        (0..WORDS).for_each(|i| call!(NONE, p / ctx_p(word(me, i), 0, 0)));
        for round in 1..=rounds {
            world.barrier();
            let look = |i| {
                call!(NONE, p / ctx_p(word(me, i), round, 0));
                match i % 2 {
                    0 => call!(NONE, quiet / ctx_quiet()),
                    _ => call!(NONE, pe_quiet / ctx_pe_quiet([0].as_ptr(), 1)),
                }
                u8::from(call!(NONE, g / ctx_g(word(1 - me, i).cast_const(), 0)) == round)
            };
            let seen: Vec<u8> = (0..WORDS).map(look).collect();
            call!(NONE, putmem / ctx_putmem(seen_at(me), seen.as_ptr(), WORDS, 1 - me as i32));
            world.barrier();
            let mut others = vec![0; WORDS];
            call!(NONE, getmem / ctx_getmem(others.as_mut_ptr(), seen_at(1 - me).cast_const(), WORDS, me as i32));
            let nobody = (0..WORDS).filter(|&i| seen[i] + others[i] == 0).count();
            assert_eq!(nobody, 0, "words of round {round} where nobody saw the other's put");
        }
    }

    /// NOTES (b), fence and quiet: nothing, and no harm, without a context; no PEs may be at NULL.
    fn fence_and_quiet_of_no_context_and_of_no_pes(world) on [1, 3] {
        let invalid = Some(raw::Ctx::INVALID);
        let odd = [99i32, -1];
        call!(invalid, fence / ctx_fence());
        call!(invalid, quiet / ctx_quiet());
        call!(invalid, pe_quiet / ctx_pe_quiet(odd.as_ptr(), 2));
        call!(invalid, pe_quiet / ctx_pe_quiet(std::ptr::null(), 0));
        on_contexts(|ctx| call!(ctx, pe_quiet / ctx_pe_quiet(std::ptr::null(), 0)));
        let all: Vec<i32> = (0..world.n_pes() as i32).collect();
        on_contexts(|ctx| call!(ctx, pe_quiet / ctx_pe_quiet(all.as_ptr(), all.len())));
    }
}

/// A word of the heap.
fn word(world: &World) -> *mut u64 {
    let _ = world;
    // SAFETY: the World is up.
    unsafe { raw::malloc(4096) }.cast()
}

#[test]
fn signals_that_cannot_be_end_the_job_with_a_line() {
    must_fail(
        here!("signals_that_cannot_be_end_the_job_with_a_line"),
        2,
        &[
            (
                "no such operation",
                |world| {
                    let (to, from) = (word(&world).cast::<u8>(), [1u8; 8]);
                    let sig = word(&world);
                    call!(NONE, putmem_signal / ctx_putmem_signal(to, from.as_ptr(), 8, sig, 1, 7, 1));
                },
                &["shmem_putmem_signal", "no signal operation 7"],
            ),
            (
                "misaligned signal",
                |world| {
                    let sig = word(&world).cast::<u8>().wrapping_add(1).cast::<u64>();
                    call!(NONE, signal_add / ctx_signal_add(sig, 1, 1));
                },
                &["shmem_signal_add", "not a multiple of 8"],
            ),
            (
                "signal that is not symmetric",
                |world| {
                    let (to, mut local) = (word(&world), 0u64);
                    let from = [1u64; 4];
                    call!(
                        NONE,
                        put_signal_nbi
                            / ctx_put_signal_nbi(to, from.as_ptr(), 4, &raw mut local, 1, raw::SIGNAL_SET, 1)
                    );
                },
                &["shmem_put_signal_nbi", "8 bytes at", "neither in the symmetric heap"],
            ),
            (
                "signal of a stranger",
                |world| call!(Some(raw::Ctx::DEFAULT), signal_set / ctx_signal_set(word(&world), 1, -3)),
                &["shmem_ctx_signal_set", "no PE -3"],
            ),
            (
                "quiet of a stranger",
                |_world| call!(NONE, pe_quiet / ctx_pe_quiet([0, 2].as_ptr(), 2)),
                &["shmem_pe_quiet", "no PE 2"],
            ),
            (
                "quiet of PEs at NULL",
                |_world| call!(NONE, pe_quiet / ctx_pe_quiet(std::ptr::null(), 2)),
                &["shmem_pe_quiet", "the address for the PEs to wait for is NULL"],
            ),
        ],
    );
}
