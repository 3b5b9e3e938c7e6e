//! Atomics: every routine on every type against a model, and exact counts under contention.
#![allow(unsafe_code)]
#![allow(clippy::macro_metavars_in_unsafe, reason = "`call!` is only given safe expressions")]

use std::fmt::Debug;

use shmem_api::testing::{Random, mix};
use shmem_api::{AmoBit, AmoInt, AmoSwap, Cmp, World, c_type, multi_pe, raw, type_table};

use crate::arena::{Arena, must_fail, on_both, on_contexts};

type Ctx = Option<raw::Ctx>;

/// A type with the model's view of it: its bits.
trait Word: AmoSwap + Debug {
    fn of(bits: u64) -> Self;
}

/// An integer with the model's arithmetic.
trait Int: Word + AmoInt {
    fn plus(self, other: Self) -> Self;
}

macro_rules! ints {
    ($($ty:ty)*) => {$(
        impl Word for $ty {
            fn of(bits: u64) -> Self {
                bits as $ty
            }
        }
        impl Int for $ty {
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}
ints!(i32 i64 u32 u64 isize usize);

impl Word for f32 {
    fn of(bits: u64) -> Self {
        f32::from_bits(bits as u32)
    }
}
impl Word for f64 {
    fn of(bits: u64) -> Self {
        f64::from_bits(bits)
    }
}

fn bits<T: bytemuck::Pod>(value: T) -> Vec<u8> {
    bytemuck::bytes_of(&value).to_vec()
}

/// One PE's dealings with one word of another, and what the word must be.
struct Checked<'t, T> {
    type_name: &'t str,
    ctx: Ctx,
    at: *mut T,
    pe: i32,
    model: T,
    dice: Random,
}

impl<T: Word> Checked<'_, T> {
    /// A value: mostly any bits, often a small one, sometimes what is there.
    fn value(&mut self) -> T {
        match self.dice.below(4) {
            0 => T::of(self.dice.next() % 3),
            1 if self.dice.below(2) == 0 => self.model,
            _ => T::of(self.dice.next()),
        }
    }

    /// An operation that fetched `old` and left `new`.
    fn step(&mut self, what: &str, old: Option<T>, new: T) {
        let Checked { type_name, ctx, pe, model, .. } = self;
        if let Some(old) = old {
            assert_eq!(bits(old), bits(*model), "{what} of {type_name} on PE {pe}, {ctx:?}");
        }
        self.model = new;
        if self.dice.below(3) == 0 {
            let now: T = call!(self.ctx, g / ctx_g(self.at, self.pe));
            assert_eq!(bits(now), bits(new), "after {what} of {} on PE {}", self.type_name, self.pe);
        }
    }

    /// The extended AMO types: fetch, set, swap.
    fn extended(&mut self) {
        let Checked { ctx, at, pe, model, .. } = *self;
        let value = self.value();
        let mut fetch = T::of(0x5555_5555_5555_5555);
        match self.dice.below(5) {
            0 => {
                let old = call!(ctx, atomic_fetch / ctx_atomic_fetch(at.cast_const(), pe));
                self.step("fetch", Some(old), model);
            }
            1 => {
                call!(ctx, atomic_set / ctx_atomic_set(at, value, pe));
                self.step("set", None, value);
            }
            2 => {
                let old = call!(ctx, atomic_swap / ctx_atomic_swap(at, value, pe));
                self.step("swap", Some(old), value);
            }
            3 => {
                call!(ctx, atomic_fetch_nbi / ctx_atomic_fetch_nbi(&raw mut fetch, at.cast_const(), pe));
                call!(ctx, quiet / ctx_quiet());
                self.step("fetch_nbi", Some(fetch), model);
            }
            _ => {
                call!(ctx, atomic_swap_nbi / ctx_atomic_swap_nbi(&raw mut fetch, at, value, pe));
                call!(ctx, quiet / ctx_quiet());
                self.step("swap_nbi", Some(fetch), value);
            }
        }
    }

    /// The standard AMO types: compare, add.
    fn standard(&mut self)
    where
        T: Int,
    {
        let Checked { ctx, at, pe, model, .. } = *self;
        let (value, cond) = (self.value(), self.value());
        let cond = if self.dice.below(2) == 0 { model } else { cond };
        let chosen = if cond == model { value } else { model };
        let mut fetch = T::of(0x5555_5555_5555_5555);
        match self.dice.below(8) {
            0 => {
                let old = call!(ctx, atomic_compare_swap / ctx_atomic_compare_swap(at, cond, value, pe));
                self.step("compare_swap", Some(old), chosen);
            }
            1 => {
                let old = call!(ctx, atomic_fetch_inc / ctx_atomic_fetch_inc(at, pe));
                self.step("fetch_inc", Some(old), model.plus(T::of(1)));
            }
            2 => {
                call!(ctx, atomic_inc / ctx_atomic_inc(at, pe));
                self.step("inc", None, model.plus(T::of(1)));
            }
            3 => {
                let old = call!(ctx, atomic_fetch_add / ctx_atomic_fetch_add(at, value, pe));
                self.step("fetch_add", Some(old), model.plus(value));
            }
            4 => {
                call!(ctx, atomic_add / ctx_atomic_add(at, value, pe));
                self.step("add", None, model.plus(value));
            }
            5 => {
                let fetch_at = &raw mut fetch;
                call!(
                    ctx,
                    atomic_compare_swap_nbi / ctx_atomic_compare_swap_nbi(fetch_at, at, cond, value, pe)
                );
                call!(ctx, quiet / ctx_quiet());
                self.step("compare_swap_nbi", Some(fetch), chosen);
            }
            6 => {
                call!(ctx, atomic_fetch_inc_nbi / ctx_atomic_fetch_inc_nbi(&raw mut fetch, at, pe));
                call!(ctx, quiet / ctx_quiet());
                self.step("fetch_inc_nbi", Some(fetch), model.plus(T::of(1)));
            }
            _ => {
                call!(ctx, atomic_fetch_add_nbi / ctx_atomic_fetch_add_nbi(&raw mut fetch, at, value, pe));
                call!(ctx, quiet / ctx_quiet());
                self.step("fetch_add_nbi", Some(fetch), model.plus(value));
            }
        }
    }

    /// The bitwise AMO types.
    fn bitwise(&mut self)
    where
        T: Int
            + AmoBit
            + std::ops::BitAnd<Output = T>
            + std::ops::BitOr<Output = T>
            + std::ops::BitXor<Output = T>,
    {
        let Checked { ctx, at, pe, model, .. } = *self;
        let value = self.value();
        let mut fetch = T::of(0x5555_5555_5555_5555);
        macro_rules! ops {
            ($($n:pat => $op:tt, $fetch:ident / $ctx_fetch:ident, $plain:ident / $ctx_plain:ident, $nbi:ident / $ctx_nbi:ident;)*) => {
                match (self.dice.below(3), self.dice.below(3)) {$(
                    ($n, 0) => {
                        let old = call!(ctx, $fetch / $ctx_fetch(at, value, pe));
                        self.step(stringify!($fetch), Some(old), model $op value);
                    }
                    ($n, 1) => {
                        call!(ctx, $plain / $ctx_plain(at, value, pe));
                        self.step(stringify!($plain), None, model $op value);
                    }
                    ($n, _) => {
                        call!(ctx, $nbi / $ctx_nbi(&raw mut fetch, at, value, pe));
                        call!(ctx, quiet / ctx_quiet());
                        self.step(stringify!($nbi), Some(fetch), model $op value);
                    }
                )*}
            };
        }
        ops! {
            0 => &, atomic_fetch_and / ctx_atomic_fetch_and, atomic_and / ctx_atomic_and, atomic_fetch_and_nbi / ctx_atomic_fetch_and_nbi;
            1 => |, atomic_fetch_or / ctx_atomic_fetch_or, atomic_or / ctx_atomic_or, atomic_fetch_or_nbi / ctx_atomic_fetch_or_nbi;
            _ => ^, atomic_fetch_xor / ctx_atomic_fetch_xor, atomic_xor / ctx_atomic_xor, atomic_fetch_xor_nbi / ctx_atomic_fetch_xor_nbi;
        }
    }
}

/// Each PE works on a word of its next, and on one of its own, with `turn` against the model.
fn against_the_model<T: Word>(world: &World, type_name: &str, turn: impl Fn(&mut Checked<'_, T>)) {
    const TURNS: usize = 100;
    let (me, n) = (world.pe(), world.n_pes());
    on_both(world, |arena: Arena| {
        let mut finals = Vec::new();
        on_contexts(|ctx| {
            for (pe, slot) in [((me + 1) % n, 0), (me, 1)] {
                let at = arena.word::<T>(64 + finals.len() * 8, slot * 1000);
                let dice = Random::new(mix((me * 1000 + pe) as u64 + arena.at as u64, finals.len() as u64));
                let mut word = Checked { type_name, ctx, at, pe: pe as i32, model: T::of(0), dice };
                (0..TURNS).for_each(|_| turn(&mut word));
                finals.push((at, pe, word.model));
            }
        });
        world.barrier();
        for (at, pe, model) in finals {
            let now: T = call!(None::<raw::Ctx>, atomic_fetch / ctx_atomic_fetch(at.cast_const(), pe as i32));
            assert_eq!(bits(now), bits(model), "{type_name} in the {} at the end", arena.name);
        }
        // What lies around the words is untouched.
        let first: u64 = call!(None::<raw::Ctx>, g / ctx_g(arena.word::<u64>(0, 7), me as i32));
        assert_eq!(first, 0);
    });
}

/// The contended counts of an integer type: everybody on the same words of PE 0.
fn counts<T: Int + TryInto<i128>>(world: &World, type_name: &str) {
    const TIMES: usize = 300;
    let (me, n) = (world.pe(), world.n_pes());
    on_both(world, |arena| {
        let word = |i: usize| arena.word::<T>(0, i * 16);
        let mut fetched = T::of(0);
        let mut tickets = [T::of(0); 2];
        for _ in 0..TIMES {
            let none: Ctx = None;
            call!(none, atomic_inc / ctx_atomic_inc(word(0), 0));
            call!(none, atomic_add / ctx_atomic_add(word(1), T::of(me as u64 + 1), 0));
            let old = call!(none, atomic_fetch_inc / ctx_atomic_fetch_inc(word(2), 0));
            tickets[0] = tickets[0].plus(old);
            call!(
                none,
                atomic_fetch_add_nbi / ctx_atomic_fetch_add_nbi(&raw mut fetched, word(3), T::of(1), 0)
            );
            call!(none, quiet / ctx_quiet());
            tickets[1] = tickets[1].plus(fetched);
            // A counter that is only ever changed by compare-and-swap.
            let mut old = call!(none, atomic_fetch / ctx_atomic_fetch(word(4).cast_const(), 0));
            loop {
                let new = old.plus(T::of(3));
                let seen = call!(none, atomic_compare_swap / ctx_atomic_compare_swap(word(4), old, new, 0));
                if seen == old {
                    break;
                }
                old = seen;
            }
        }
        let none: Ctx = None;
        for (i, ticket) in tickets.into_iter().enumerate() {
            call!(none, atomic_add / ctx_atomic_add(word(5 + i), ticket, 0));
        }
        world.barrier();
        let total = (TIMES * n) as u64;
        let all_tickets = total * (total - 1) / 2;
        let by_pe = TIMES as u64 * (n as u64 * (n as u64 + 1) / 2);
        for (i, expected) in
            [total, by_pe, total, total, 3 * total, all_tickets, all_tickets].into_iter().enumerate()
        {
            let now = call!(none, atomic_fetch / ctx_atomic_fetch(word(i).cast_const(), 0));
            assert_eq!(now, T::of(expected), "count {i} of {type_name} in the {}", arena.name);
        }
    });
}

/// Everybody changes its own bits of shared words, and nobody else's change under it.
fn bits_of_each_pe<T>(world: &World, type_name: &str)
where
    T: Int + AmoBit + std::ops::BitAnd<Output = T> + std::ops::Not<Output = T>,
{
    let me = world.pe();
    on_both(world, |arena| {
        let word = |i: usize| arena.word::<T>(0, i * 16);
        let mine = T::of(0x0101_0101 << me);
        let zero = T::of(0);
        let mut old = zero;
        let none: Ctx = None;
        for round in 0..200 {
            let was = |old: T, set: bool| {
                assert_eq!(
                    old & mine,
                    if set { mine } else { zero },
                    "{type_name}, round {round}, {}",
                    arena.name
                )
            };
            was(call!(none, atomic_fetch_or / ctx_atomic_fetch_or(word(0), mine, 0)), false);
            was(call!(none, atomic_fetch_and / ctx_atomic_fetch_and(word(0), !mine, 0)), true);
            was(call!(none, atomic_fetch_xor / ctx_atomic_fetch_xor(word(1), mine, 0)), round % 2 == 1);
            call!(none, atomic_fetch_or_nbi / ctx_atomic_fetch_or_nbi(&raw mut old, word(2), mine, 0));
            call!(none, quiet / ctx_quiet());
            was(old, false);
            call!(none, atomic_fetch_xor_nbi / ctx_atomic_fetch_xor_nbi(&raw mut old, word(2), mine, 0));
            call!(none, quiet / ctx_quiet());
            was(old, true);
            call!(none, atomic_or / ctx_atomic_or(word(3), mine, 0));
            call!(none, atomic_xor / ctx_atomic_xor(word(3), mine, 0));
            call!(none, atomic_or / ctx_atomic_or(word(3), mine, 0));
            call!(none, atomic_and / ctx_atomic_and(word(3), !mine, 0));
            was(call!(none, atomic_fetch / ctx_atomic_fetch(word(3).cast_const(), 0)), false);
        }
        world.barrier();
        for i in 0..4 {
            let now = call!(none, atomic_fetch / ctx_atomic_fetch(word(i).cast_const(), 0));
            assert_eq!(now, zero, "word {i} of {type_name} in the {}", arena.name);
        }
    });
}

/// Everybody swaps tokens through one word: each token comes out once, or is there at the end.
fn tokens<T: Word>(world: &World, type_name: &str, token: impl Fn(u64) -> T, id: impl Fn(T) -> u64) {
    const TIMES: u64 = 500;
    let me = world.pe() as u64;
    on_both(world, |arena| {
        let (word, sum) = (arena.word::<T>(0, 0), arena.word::<u64>(512, 0));
        let none: Ctx = None;
        let mut balance = 0u64;
        for i in 0..TIMES {
            let mine = me * TIMES + i + 1;
            let out = if i % 2 == 0 {
                call!(none, atomic_swap / ctx_atomic_swap(word, token(mine), 0))
            } else {
                let mut out = token(0);
                call!(none, atomic_swap_nbi / ctx_atomic_swap_nbi(&raw mut out, word, token(mine), 0));
                call!(none, quiet / ctx_quiet());
                out
            };
            balance = balance.wrapping_add(mine * mine).wrapping_sub(id(out) * id(out));
        }
        call!(none, atomic_add / ctx_atomic_add(sum, balance, 0));
        world.barrier();
        let left = id(call!(none, atomic_fetch / ctx_atomic_fetch(word.cast_const(), 0)));
        let balance = call!(none, atomic_fetch / ctx_atomic_fetch(sum.cast_const(), 0));
        assert_eq!(balance, left * left, "{type_name} in the {}", arena.name);
    });
}

macro_rules! extended_types {
    ([$($name:tt)*] $world:ident) => {$(
        against_the_model::<c_type!($name)>($world, stringify!($name), |word| word.extended());
        tokens::<c_type!($name)>($world, stringify!($name), |id| id as c_type!($name), |token| token as u64);
    )*};
}

macro_rules! standard_types {
    ([$($name:tt)*] $world:ident) => {$(
        against_the_model::<c_type!($name)>($world, stringify!($name), |word| word.standard());
        counts::<c_type!($name)>($world, stringify!($name));
    )*};
}

macro_rules! bitwise_types {
    ([$($name:tt)*] $world:ident) => {$(
        against_the_model::<c_type!($name)>($world, stringify!($name), |word| word.bitwise());
        bits_of_each_pe::<c_type!($name)>($world, stringify!($name));
    )*};
}

multi_pe! {
    fn fetch_set_and_swap_of_every_type(world) on [1, 2, 3, 4, 8] {
        type_table!(amo_ext => extended_types, world);
    }

    fn compare_swap_and_add_of_every_type(world) on [1, 2, 3, 4, 8] {
        type_table!(amo_std => standard_types, world);
    }

    fn bitwise_atomics_of_every_type(world) on [1, 2, 3, 4, 8] {
        type_table!(amo_bit => bitwise_types, world);
    }

    /// A PE that waits for an atomic sleeps sooner or later, and each kind of atomic wakes it.
    fn every_atomic_tells_a_waiter(world) on [2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        on_both(world, |arena| {
            let (word, back) = (arena.word::<u64>(0, 0), arena.word::<u64>(64, 0));
            let next = ((me + 1) % n) as i32;
            let left = ((me + n - 1) % n) as i32;
            let none: Ctx = None;
            // SAFETY: our own words.
            let wait_for = |word: *mut u64, value: u64| unsafe { raw::wait_until(word, Cmp::Eq, value) };
            for round in 0..50u64 {
                let (is, value) = (round, round + 1);
                match round % 8 {
                    0 => call!(none, atomic_set / ctx_atomic_set(word, value, next)),
                    1 => drop(call!(none, atomic_swap / ctx_atomic_swap(word, value, next))),
                    2 => drop(call!(none, atomic_compare_swap / ctx_atomic_compare_swap(word, is, value, next))),
                    3 => call!(none, atomic_inc / ctx_atomic_inc(word, next)),
                    4 => drop(call!(none, atomic_fetch_add / ctx_atomic_fetch_add(word, 1, next))),
                    5 => call!(none, atomic_xor / ctx_atomic_xor(word, is ^ value, next)),
                    6 => {
                        call!(none, atomic_or / ctx_atomic_or(word, value, next));
                        call!(none, atomic_and / ctx_atomic_and(word, value, next));
                    }
                    _ => call!(none, atomic_add / ctx_atomic_add(word, 1, next)),
                }
                wait_for(word, value);
                call!(none, atomic_inc / ctx_atomic_inc(back, left));
                wait_for(back, value);
            }
        });
    }
}

/// A place in the heap.
fn place(world: &World) -> *mut u8 {
    let _ = world;
    // SAFETY: the World is up.
    unsafe { raw::malloc(4096) }
}

#[test]
fn atomics_that_cannot_be_end_the_job_with_a_line() {
    must_fail(
        here!("atomics_that_cannot_be_end_the_job_with_a_line"),
        2,
        &[
            (
                "misaligned",
                |world| {
                    let at = place(&world).wrapping_add(4).cast::<u64>();
                    call!(None::<raw::Ctx>, atomic_inc / ctx_atomic_inc(at, 1));
                },
                &["shmem_atomic_inc", "not a multiple of 8"],
            ),
            (
                "misaligned static on a context",
                |_world| {
                    static WORDS: [std::sync::atomic::AtomicU32; 4] =
                        [const { std::sync::atomic::AtomicU32::new(0) }; 4];
                    let at = WORDS[0].as_ptr().cast::<u8>().wrapping_add(2).cast::<f32>();
                    call!(Some(raw::Ctx::DEFAULT), atomic_swap / ctx_atomic_swap(at, 1.0, 0));
                },
                &["shmem_ctx_atomic_swap", "not a multiple of 4"],
            ),
            (
                "no such PE",
                |world| {
                    let at = place(&world).cast::<i64>().cast_const();
                    call!(None::<raw::Ctx>, atomic_fetch / ctx_atomic_fetch(at, 2));
                },
                &["shmem_atomic_fetch", "no PE 2", "PEs 0 to 1"],
            ),
            (
                "not symmetric",
                |_world| {
                    let mut local = 0u64;
                    call!(None::<raw::Ctx>, atomic_xor / ctx_atomic_xor(&raw mut local, 1, 0));
                },
                &["shmem_atomic_xor", "neither in the symmetric heap nor"],
            ),
            (
                "past the end",
                |world| {
                    let end = place(&world).wrapping_add(1 << 40).cast::<i32>();
                    call!(None::<raw::Ctx>, atomic_add / ctx_atomic_add(end, 1, 1));
                },
                &["shmem_atomic_add", "4 bytes at"],
            ),
            (
                "after finalize",
                |world| {
                    let at = place(&world).cast::<i32>();
                    drop(world.finalize().unwrap());
                    call!(None::<raw::Ctx>, atomic_add / ctx_atomic_add(at, 1, 0));
                },
                &["shmem_atomic_add", "the library is not up"],
            ),
        ],
    );
}
