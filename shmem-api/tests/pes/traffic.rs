//! Random traffic of everything one-sided on 8 PEs, more than a million operations, against a model.
//!
//! ```text
//!   arena of a PE │ room of PE 0 │ ... │ room of PE 7 │ shared words │ mailboxes │ receipts │ accounts │
//!                   written by that PE only,            added to and   one from    of what    of what this
//!                   which knows what is in it           flipped by all each PE     was sent   PE has done
//! ```
//!
//! A room is checked whenever it is read, with the bytes its writer remembers. Shared words only know operations
//! that commute: each PE keeps account of its own, and at every checkpoint the accounts must add up. A letter
//! in a mailbox is checked by its reader as soon as the signal is there. Operations go over contexts that come and
//! go; before two that depend on each other there is a quiet on the first one's context.
#![allow(unsafe_code)]
#![allow(clippy::macro_metavars_in_unsafe, reason = "`call!` is only given safe expressions")]

use shmem_api::testing::{Random, mix};
use shmem_api::{Elem, World, c_type, multi_pe, raw, type_table};

use crate::arena::{Arena, is_one_host, with_both};

type Ctx = Option<raw::Ctx>;

const PES: usize = 8;
/// Turns of a PE. Each is an operation at least.
const TURNS: usize = 130_000;
const CHECKPOINT: usize = 13_000;

/// A room: bytes, of which the first are words for atomics.
const ROOM: usize = 2048;
const CELLS: usize = 256;
const SHARED: usize = PES * ROOM;
const WORDS: usize = 16;
const MAIL: usize = SHARED + WORDS * 64;
const LETTER: usize = 448;
const RECEIPTS: usize = MAIL + PES * (LETTER + 64);
const ACCOUNTS: usize = RECEIPTS + PES * 64;

/// Of the shared words, those before `ADDED` are added to by atomics, those from there to `FLIPPED` by signals; the
/// others are flipped.
const ADDED: usize = 5;
const FLIPPED: usize = 10;

/// The number of a PE in the team of a context: not its own where the team counts backwards.
fn number(ctx: Ctx, pe: usize) -> i32 {
    let team = ctx.map_or(raw::TeamHandle::WORLD, |ctx| {
        // SAFETY: the World is up, and the context alive.
        unsafe { raw::ctx_get_team(ctx) }
    });
    // SAFETY: as above, and its team with it.
    unsafe { raw::team_translate_pe(raw::TeamHandle::WORLD, pe as i32, team) }
}

/// One PE's traffic in one arena.
struct Traffic {
    arena: Arena,
    me: usize,
    n: usize,
    dice: Random,
    /// By PE: what is in this PE's room there.
    rooms: Vec<Vec<u8>>,
    /// By PE: contexts with operations on its room that may not be done.
    pending: Vec<Vec<Ctx>>,
    /// By PE and word: what this PE has added, or flipped; and what it has seen there at least.
    account: Vec<[u64; WORDS]>,
    seen: Vec<[u64; WORDS]>,
    /// By PE: letters sent to it and received from it.
    sent: Vec<u64>,
    received: Vec<u64>,
    calls: u64,
}

/// Contexts in use: none, the default one, and some that come and go.
struct Contexts {
    made: Vec<raw::Ctx>,
}

impl Contexts {
    fn any(&self, dice: &mut Random) -> Ctx {
        match dice.below(self.made.len() + 2) {
            0 => None,
            1 => Some(raw::Ctx::DEFAULT),
            i => Some(self.made[i - 2]),
        }
    }
}

impl Traffic {
    fn new(world: &World, arena: Arena, seed: u64) -> Traffic {
        let (me, n) = (world.pe(), world.n_pes());
        Traffic {
            arena,
            me,
            n,
            dice: Random::new(mix(seed, me as u64)),
            rooms: vec![vec![0; ROOM]; n],
            pending: vec![Vec::new(); n],
            account: vec![[0; WORDS]; n],
            seen: vec![[0; WORDS]; n],
            sent: vec![0; n],
            received: vec![0; n],
            calls: 0,
        }
    }

    fn any_pe(&mut self) -> usize {
        self.dice.below(self.n)
    }

    /// This PE's room on any PE, from `byte`.
    fn room<T>(&self, byte: usize) -> *mut T {
        self.arena.word::<T>(self.me * ROOM + byte, 0)
    }

    /// Completes what this PE has under way in its room on `pe`.
    fn settle(&mut self, pe: usize) {
        for ctx in std::mem::take(&mut self.pending[pe]) {
            self.calls += 1;
            if self.dice.below(2) == 0 {
                call!(ctx, pe_quiet / ctx_pe_quiet([number(ctx, pe)].as_ptr(), 1));
            } else {
                call!(ctx, quiet / ctx_quiet());
                self.pending.iter_mut().for_each(|of| of.retain(|other| *other != ctx));
            }
        }
    }

    fn start(&mut self, ctx: Ctx, pe: usize) {
        self.settle(pe);
        self.pending[pe].push(ctx);
        self.calls += 1;
    }

    fn noise<T: Elem>(&mut self, len: usize) -> Vec<T> {
        let mut values = vec![<T as bytemuck::Zeroable>::zeroed(); len];
        bytemuck::cast_slice_mut::<T, u8>(&mut values).fill_with(|| self.dice.next() as u8);
        values
    }

    /// Somewhere in a room's bytes, for at most `most` elements: where, and how many.
    fn stretch<T>(&mut self, most: usize) -> (usize, usize) {
        let len = self.dice.below(most.min((ROOM - CELLS) / size_of::<T>()) + 1);
        let last = (ROOM - CELLS - len * size_of::<T>()) / align_of::<T>();
        (CELLS + self.dice.below(last + 1) * align_of::<T>(), len)
    }

    fn put<T: Elem>(&mut self, ctx: Ctx) {
        let pe = self.any_pe();
        let (at, len) = self.stretch::<T>(64);
        let values = self.noise::<T>(len.max(1));
        self.start(ctx, pe);
        let (to, from, target) = (self.room::<T>(at), values.as_ptr(), number(ctx, pe));
        let bytes = len * size_of::<T>();
        match self.dice.below(5) {
            0 => call!(ctx, put_nbi / ctx_put_nbi(to, from, len, target)),
            1 => call!(ctx, putmem / ctx_putmem(to.cast(), from.cast(), bytes, target)),
            2 => call!(ctx, putmem_nbi / ctx_putmem_nbi(to.cast(), from.cast(), bytes, target)),
            3 if len == 1 => call!(ctx, p / ctx_p(to, values[0], target)),
            _ => call!(ctx, put / ctx_put(to, from, len, target)),
        }
        self.rooms[pe][at..at + bytes].copy_from_slice(&bytemuck::cast_slice(&values)[..bytes]);
        if self.dice.below(2) == 0 {
            // The source is in use until then, for the non-blocking forms.
            self.settle(pe);
        } else {
            self.calls += 1;
            call!(ctx, quiet / ctx_quiet());
        }
    }

    fn get<T: Elem>(&mut self, ctx: Ctx) {
        let pe = self.any_pe();
        let (at, len) = self.stretch::<T>(64);
        self.settle(pe);
        self.calls += 1;
        let mut values = self.noise::<T>(len.max(1));
        let (to, from, source) = (values.as_mut_ptr(), self.room::<T>(at).cast_const(), number(ctx, pe));
        let bytes = len * size_of::<T>();
        match self.dice.below(5) {
            0 => {
                call!(ctx, get_nbi / ctx_get_nbi(to, from, len, source));
                call!(ctx, quiet / ctx_quiet());
            }
            1 => call!(ctx, getmem / ctx_getmem(to.cast(), from.cast(), bytes, source)),
            2 => {
                call!(ctx, getmem_nbi / ctx_getmem_nbi(to.cast(), from.cast(), bytes, source));
                call!(ctx, pe_quiet / ctx_pe_quiet([source].as_ptr(), 1));
            }
            3 if len == 1 => values[0] = call!(ctx, g / ctx_g(from, source)),
            _ => call!(ctx, get / ctx_get(to, from, len, source)),
        }
        assert_eq!(&bytemuck::cast_slice::<T, u8>(&values)[..bytes], &self.rooms[pe][at..at + bytes]);
    }

    /// Blocks a stride apart, to or from the room; elements if the blocks are of one.
    fn strided<T: Elem>(&mut self, ctx: Ctx) {
        let pe = self.any_pe();
        let (at, len) = self.stretch::<T>(64);
        let block = 1 + self.dice.below(3);
        let (far, near) = (block + self.dice.below(3), block + self.dice.below(3));
        // As many blocks as fit into the stretch with the farther of the strides.
        let n = len / far.max(near);
        let mut values = self.noise::<T>(len.max(1));
        let there = self.room::<T>(at);
        let (d, s, target) = (far as isize, near as isize, number(ctx, pe));
        let put = self.dice.below(2) == 0;
        if put {
            self.start(ctx, pe);
            match block {
                1 => call!(ctx, iput / ctx_iput(there, values.as_ptr(), d, s, n, target)),
                _ => call!(ctx, ibput / ctx_ibput(there, values.as_ptr(), d, s, block, n, target)),
            }
        } else {
            self.settle(pe);
            self.calls += 1;
            match block {
                1 => call!(ctx, iget / ctx_iget(values.as_mut_ptr(), there.cast_const(), s, d, n, target)),
                _ => call!(
                    ctx,
                    ibget / ctx_ibget(values.as_mut_ptr(), there.cast_const(), s, d, block, n, target)
                ),
            }
        }
        for (b, i) in (0..n).flat_map(|b| (0..block).map(move |i| (b, i))) {
            let size = size_of::<T>();
            let room = &mut self.rooms[pe][at + (b * far + i) * size..][..size];
            let here = bytemuck::bytes_of(&values[b * near + i]);
            match put {
                true => room.copy_from_slice(here),
                false => assert_eq!(here, room),
            }
        }
    }

    /// An atomic that only this PE's memory of the word can foretell.
    fn own_atomic(&mut self, ctx: Ctx) {
        let (pe, cell) = (self.any_pe(), self.dice.below(CELLS / 8) * 8);
        let target = number(ctx, pe);
        self.start(ctx, pe);
        let (value, kind) = (self.dice.next() as i64, self.dice.below(8));
        let model = |t: &Traffic| i64::from_ne_bytes(t.rooms[pe][cell..cell + 8].try_into().unwrap());
        let (at, old) = (self.room::<i64>(cell), model(self));
        let mut fetched = old;
        let new = match kind {
            0 => {
                call!(
                    ctx,
                    atomic_set / ctx_atomic_set(at.cast::<f64>(), f64::from_bits(value as u64), target)
                );
                value
            }
            1 => {
                fetched = call!(ctx, atomic_swap / ctx_atomic_swap(at, value, target));
                value
            }
            2 => {
                fetched = call!(ctx, atomic_compare_swap / ctx_atomic_compare_swap(at, old, value, target));
                value
            }
            3 => {
                fetched = call!(ctx, atomic_compare_swap / ctx_atomic_compare_swap(at, !old, value, target));
                old
            }
            4 => {
                fetched = call!(ctx, atomic_fetch_add / ctx_atomic_fetch_add(at, value, target));
                old.wrapping_add(value)
            }
            5 => {
                fetched = call!(ctx, atomic_fetch_and / ctx_atomic_fetch_and(at, value, target));
                old & value
            }
            6 => {
                call!(ctx, atomic_swap_nbi / ctx_atomic_swap_nbi(&raw mut fetched, at, value, target));
                self.settle(pe);
                value
            }
            _ => {
                call!(
                    ctx,
                    atomic_fetch_nbi / ctx_atomic_fetch_nbi(&raw mut fetched, at.cast_const(), target)
                );
                self.settle(pe);
                old
            }
        };
        assert_eq!(fetched, old, "word {cell} of the room on PE {pe}, operation {kind}");
        self.rooms[pe][cell..cell + 8].copy_from_slice(&new.to_ne_bytes());
    }

    /// An atomic on a word that everybody changes, or a signal.
    fn shared_word(&mut self, ctx: Ctx) {
        let (pe, i) = (self.any_pe(), self.dice.below(WORDS));
        let (at, target) = (self.arena.word::<u64>(SHARED + i * 64, 0), number(ctx, pe));
        let value = self.dice.next() >> if i < FLIPPED { 44 } else { 0 };
        self.calls += 1;
        let mut old = 0;
        let (change, looked) = match (i, self.dice.below(5)) {
            (0..ADDED, 0) => {
                call!(ctx, atomic_add / ctx_atomic_add(at, value, target));
                (value, false)
            }
            (0..ADDED, 1) => {
                old = call!(ctx, atomic_fetch_add / ctx_atomic_fetch_add(at, value, target));
                (value, true)
            }
            (0..ADDED, 2) => {
                call!(ctx, atomic_inc / ctx_atomic_inc(at, target));
                (1, false)
            }
            (0..ADDED, 3) => {
                call!(ctx, atomic_fetch_inc_nbi / ctx_atomic_fetch_inc_nbi(&raw mut old, at, target));
                call!(ctx, quiet / ctx_quiet());
                (1, true)
            }
            (0..ADDED, _) => {
                old = call!(ctx, atomic_fetch / ctx_atomic_fetch(at.cast_const(), target));
                (0, true)
            }
            (ADDED..FLIPPED, 0 | 1) => {
                call!(ctx, signal_add / ctx_signal_add(at, value, target));
                (value, false)
            }
            (ADDED..FLIPPED, 2 | 3) => {
                let (no_data, none) = (std::ptr::null_mut::<u32>(), std::ptr::null());
                let op = raw::SIGNAL_ADD;
                call!(ctx, put_signal / ctx_put_signal(no_data, none, 0, at, value, op, target));
                (value, false)
            }
            (ADDED..FLIPPED, _) if pe == self.me => {
                // SAFETY: our own signal.
                old = unsafe { raw::signal_fetch(at) };
                (0, true)
            }
            (ADDED..FLIPPED, _) => (0, false),
            (_, 0 | 1) => {
                call!(ctx, atomic_xor / ctx_atomic_xor(at, value, target));
                (value, false)
            }
            (_, 2 | 3) => {
                call!(ctx, atomic_fetch_xor / ctx_atomic_fetch_xor(at, value, target));
                (value, false)
            }
            _ => {
                call!(ctx, atomic_fetch_xor_nbi / ctx_atomic_fetch_xor_nbi(&raw mut old, at, value, target));
                call!(ctx, quiet / ctx_quiet());
                (value, false)
            }
        };
        let account = &mut self.account[pe][i];
        if looked {
            let least = self.seen[pe][i].max(*account);
            assert!(old >= least, "word {i} on PE {pe} went back from {least} to {old}");
            self.seen[pe][i] = old;
        }
        *account = if i < FLIPPED { *account + change } else { *account ^ change };
    }

    /// What letter `number` from one PE to another says.
    fn letter(from: usize, to: usize, number: u64) -> Vec<u8> {
        let mut dice = Random::new(mix((from * PES + to) as u64, number));
        let len = dice.below(LETTER + 1);
        (0..len).map(|_| dice.next() as u8).collect()
    }

    fn mailbox(&self, from: usize) -> (*mut u64, *mut u8) {
        let at = MAIL + from * (LETTER + 64);
        (self.arena.word(at, 0), self.arena.word(at + 64, 0))
    }

    fn receipt(&self, of: usize) -> *mut u64 {
        self.arena.word(RECEIPTS + of * 64, 0)
    }

    /// Sends a letter with a signal, if the last one was read.
    fn send(&mut self, ctx: Ctx) {
        let pe = self.any_pe();
        self.calls += 1;
        let receipt = self.receipt(pe).cast_const();
        let read: u64 = call!(ctx, atomic_fetch / ctx_atomic_fetch(receipt, number(ctx, self.me)));
        assert!(read <= self.sent[pe]);
        if read < self.sent[pe] {
            return;
        }
        self.sent[pe] += 1;
        let letter = Self::letter(self.me, pe, self.sent[pe]);
        let (sig, data) = self.mailbox(self.me);
        let (from, len, target) = (letter.as_ptr(), letter.len(), number(ctx, pe));
        let (count, set, add) = (self.sent[pe], raw::SIGNAL_SET, raw::SIGNAL_ADD);
        match self.dice.below(4) {
            0 => call!(ctx, putmem_signal / ctx_putmem_signal(data, from, len, sig, count, set, target)),
            1 => call!(ctx, put_signal / ctx_put_signal(data, from, len, sig, 1, add, target)),
            2 => {
                call!(ctx, putmem_signal_nbi / ctx_putmem_signal_nbi(data, from, len, sig, 1, add, target));
                call!(ctx, quiet / ctx_quiet());
            }
            _ => {
                call!(ctx, put / ctx_put(data, from, len, target));
                call!(ctx, fence / ctx_fence());
                call!(ctx, signal_set / ctx_signal_set(sig, count, target));
            }
        }
        self.calls += 1;
    }

    /// Reads the letter of some PE, if there is a new one.
    fn receive(&mut self, ctx: Ctx) {
        let from = self.any_pe();
        let (sig, data) = self.mailbox(from);
        self.calls += 1;
        // SAFETY: our own signal.
        let letter = unsafe { raw::signal_fetch(sig) };
        if letter == self.received[from] {
            return;
        }
        assert_eq!(letter, self.received[from] + 1, "letters from PE {from}");
        self.received[from] = letter;
        let expected = Self::letter(from, self.me, letter);
        // SAFETY: the letter is ours until its receipt is sent.
        let is: Vec<u8> =
            (0..expected.len()).map(|i| unsafe { data.wrapping_add(i).read_volatile() }).collect();
        assert_eq!(is, expected, "letter {letter} from PE {from}");
        let receipt = self.receipt(self.me);
        match self.dice.below(2) {
            0 => call!(ctx, atomic_set / ctx_atomic_set(receipt, letter, number(ctx, from))),
            _ => call!(ctx, atomic_inc / ctx_atomic_inc(receipt, number(ctx, from))),
        }
        self.calls += 1;
    }

    fn turn(&mut self, contexts: &Contexts) {
        let ctx = contexts.any(&mut self.dice);
        macro_rules! of_any_type {
            ([$($name:tt)*] $call:ident) => {{
                let types: &[fn(&mut Self, Ctx)] = &[$(Self::$call::<c_type!($name)>),*];
                types[self.dice.below(types.len())](self, ctx);
            }};
        }
        match self.dice.below(100) {
            0..18 => {
                type_table!(rma => of_any_type, put);
            }
            18..36 => {
                type_table!(rma => of_any_type, get);
            }
            36..46 => {
                type_table!(rma => of_any_type, strided);
            }
            46..62 => self.own_atomic(ctx),
            62..82 => self.shared_word(ctx),
            82..90 => self.send(ctx),
            90..97 => self.receive(ctx),
            97 => call!(ctx, fence / ctx_fence()),
            _ => {
                let pe = self.any_pe();
                self.settle(pe);
            }
        }
    }

    /// Collective: every room and every shared word is what it must be.
    fn checkpoint(&mut self, world: &World) {
        (0..self.n).for_each(|pe| self.settle(pe));
        let none: Ctx = None;
        for pe in 0..self.n {
            let to = self.arena.word::<u64>(ACCOUNTS + self.me * 8 * WORDS, 0);
            call!(none, put / ctx_put(to, self.account[pe].as_ptr(), WORDS, pe as i32));
        }
        world.barrier();
        for pe in 0..self.n {
            let mut room = vec![0u8; ROOM];
            call!(
                none,
                getmem / ctx_getmem(room.as_mut_ptr(), self.room::<u8>(0).cast_const(), ROOM, pe as i32)
            );
            assert_eq!(
                room, self.rooms[pe],
                "the room of PE {} on PE {pe}, in the {}",
                self.me, self.arena.name
            );
        }
        let mut accounts = vec![[0u64; WORDS]; self.n];
        let from = self.arena.word::<u64>(ACCOUNTS, 0).cast_const();
        call!(none, get / ctx_get(accounts.as_mut_ptr().cast::<u64>(), from, WORDS * self.n, self.me as i32));
        for i in 0..WORDS {
            let of_all = accounts.iter().map(|of| of[i]);
            let expected = if i < FLIPPED { of_all.sum() } else { of_all.fold(0, |a, b| a ^ b) };
            let at = self.arena.word::<u64>(SHARED + i * 64, 0).cast_const();
            let is = call!(none, atomic_fetch / ctx_atomic_fetch(at, self.me as i32));
            assert_eq!(is, expected, "shared word {i} of PE {}, in the {}", self.me, self.arena.name);
        }
        world.barrier();
    }
}

multi_pe! {
    fn random_traffic_is_what_the_model_says(world) on [8] {
        let seed = std::env::var("SHMEM_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
        with_both(world, |arenas| {
            let mut dice = Random::new(mix(seed, (PES + world.pe()) as u64));
            let mut contexts = Contexts { made: Vec::new() };
            let (n, mut backwards) = (world.n_pes() as i32, raw::TeamHandle::INVALID);
            let (all, null) = (raw::TeamHandle::WORLD, std::ptr::null());
            // SAFETY: the World is up.
            let failed = unsafe { raw::team_split_strided(all, n - 1, -1, n, null, 0, &raw mut backwards) };
            assert_eq!(failed, 0);
            let mut traffic = arenas.map(|arena| Traffic::new(world, arena, seed));
            for turn in 1..=TURNS {
                traffic[dice.below(2)].turn(&contexts);
                if dice.below(100) == 0 {
                    // More PEs than cores: let others in, so that traffic mixes.
                    std::thread::yield_now();
                    if contexts.made.len() < 6 && dice.below(2) == 0 {
                        let shared = if is_one_host() { raw::TeamHandle::SHARED } else { all };
                        let team = [all, shared, backwards, backwards][dice.below(4)];
                        // SAFETY: the World is up.
                        contexts.made.push(unsafe { raw::team_create_ctx(team, dice.below(8) as i64) });
                    } else if !contexts.made.is_empty() {
                        let gone = contexts.made.swap_remove(dice.below(contexts.made.len()));
                        // SAFETY: nobody uses it any more; destroying completes what is under way.
                        unsafe { raw::ctx_destroy(gone) };
                        for pending in traffic.iter_mut().flat_map(|t| &mut t.pending) {
                            pending.retain(|ctx| *ctx != Some(gone));
                        }
                    }
                }
                if turn % CHECKPOINT == 0 {
                    traffic.iter_mut().for_each(|t| t.checkpoint(world));
                }
            }
            // SAFETY: nobody uses it any more; the contexts that are left go with it.
            unsafe { raw::team_destroy(backwards) };
            // How much it was, by all.
            let calls: u64 = traffic.iter().map(|t| t.calls).sum();
            let letters: u64 = traffic.iter().flat_map(|t| &t.received).sum();
            let total = arenas[0].word::<u64>(ACCOUNTS, 0);
            world.barrier();
            call!(None::<raw::Ctx>, atomic_set / ctx_atomic_set(total, 0, world.pe() as i32));
            world.barrier();
            call!(None::<raw::Ctx>, atomic_add / ctx_atomic_add(total, calls, 0));
            world.barrier();
            let all = call!(None::<raw::Ctx>, atomic_fetch / ctx_atomic_fetch(total.cast_const(), 0));
            assert!(all >= 1_000_000, "only {all} operations");
            assert!(letters > 100, "PE {} read only {letters} letters", world.pe());
            if world.pe() == 0 {
                eprintln!("{all} operations of {} PEs, {letters} letters to PE 0", world.n_pes());
            }
        });
    }
}
