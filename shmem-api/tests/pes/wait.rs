//! Waits and tests, every routine on every type: against a model, on heap and static variables, on 1 to 8 PEs.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ptr::{null, null_mut};
use std::time::Duration;

use shmem_api::testing::{self, Boot, Launch, Outcome, Random, mix};
use shmem_api::{AmoInt, Cmp, Multiple, Waitable, World, c_type, multi_pe, raw, type_table};

const CMPS: [Cmp; 6] = [Cmp::Eq, Cmp::Ne, Cmp::Gt, Cmp::Ge, Cmp::Lt, Cmp::Le];
/// Variables in a set.
const N: usize = 12;

/// Static variables, which only the library accesses.
struct Statics<T>(UnsafeCell<T>);
// SAFETY: to the program they are only an address.
unsafe impl<T> Sync for Statics<T> {}

/// Numbers beside the variables, to see what arrives before what.
static DATA: Statics<[u64; N]> = Statics(UnsafeCell::new([0; N]));

/// A type that can be waited for, and its numbers as the model has them.
trait Var: Waitable + Debug {
    fn of(x: i64) -> Self;
    fn number(self) -> i128;
    fn interesting() -> [Self; 8];
}

macro_rules! vars {
    ($($ty:ty)*) => {$(
        impl Var for $ty {
            fn of(x: i64) -> Self { x as $ty }
            fn number(self) -> i128 { self as i128 }
            fn interesting() -> [Self; 8] {
                [<$ty>::MIN, <$ty>::MIN + 1, 0, 1, 2, (-1i64) as $ty, <$ty>::MAX - 1, <$ty>::MAX]
            }
        }
    )*};
}
vars!(i16 u16 i32 u32 i64 u64 isize usize);

/// The model of a comparison.
fn is_true<T: Var>(is: T, cmp: Cmp, value: T) -> bool {
    let allowed: &[Ordering] = match cmp {
        Cmp::Eq => &[Ordering::Equal],
        Cmp::Ne => &[Ordering::Less, Ordering::Greater],
        Cmp::Gt => &[Ordering::Greater],
        Cmp::Ge => &[Ordering::Greater, Ordering::Equal],
        Cmp::Lt => &[Ordering::Less],
        Cmp::Le => &[Ordering::Less, Ordering::Equal],
    };
    allowed.contains(&is.number().cmp(&value.number()))
}

/// One call's arguments, and the routines on them: one value for all, or one for each.
struct Call<'c, T> {
    at: *mut T,
    n: usize,
    status: Option<&'c [i32]>,
    cmp: Cmp,
    values: &'c [T],
    vector: bool,
}

impl<T: Var> Call<'_, T> {
    fn status(&self) -> *const i32 {
        self.status.map_or(null(), <[i32]>::as_ptr)
    }
    fn value(&self, i: usize) -> T {
        self.values[if self.vector { i } else { 0 }]
    }
    fn has(&self, i: usize) -> bool {
        self.status.is_none_or(|s| s[i] == 0)
    }
    /// What the model finds true, given what the variables are.
    fn truth(&self, vars: &[T]) -> BTreeSet<usize> {
        (0..self.n).filter(|&i| self.has(i) && is_true(vars[i], self.cmp, self.value(i))).collect()
    }
    fn members(&self) -> BTreeSet<usize> {
        (0..self.n).filter(|&i| self.has(i)).collect()
    }
    fn test_all(&self) -> bool {
        let (s, v) = (self.status(), self.values);
        match self.vector {
            // SAFETY: the variables are symmetric and as many as `n`; so for all calls below.
            true => unsafe { raw::test_all_vector(self.at, self.n, s, self.cmp, v.as_ptr()) },
            // SAFETY: as above.
            false => unsafe { raw::test_all(self.at, self.n, s, self.cmp, v[0]) },
        }
    }
    fn any(&self, wait: bool) -> usize {
        let (at, n, s, cmp, v) = (self.at, self.n, self.status(), self.cmp, self.values);
        match (wait, self.vector) {
            // SAFETY: the variables are symmetric and as many as `n`.
            (false, true) => unsafe { raw::test_any_vector(at, n, s, cmp, v.as_ptr()) },
            // SAFETY: as above.
            (false, false) => unsafe { raw::test_any(at, n, s, cmp, v[0]) },
            // SAFETY: as above.
            (true, true) => unsafe { raw::wait_until_any_vector(at, n, s, cmp, v.as_ptr()) },
            // SAFETY: as above.
            (true, false) => unsafe { raw::wait_until_any(at, n, s, cmp, v[0]) },
        }
    }
    /// The indices, which must not repeat, and no more than the count may have been written.
    fn some(&self, wait: bool) -> BTreeSet<usize> {
        let (at, n, s, cmp, v) = (self.at, self.n, self.status(), self.cmp, self.values);
        let mut found = [usize::MAX - 1; N];
        let to = found.as_mut_ptr();
        let count = match (wait, self.vector) {
            // SAFETY: the variables are symmetric and as many as `n`, and `found` has room for all.
            (false, true) => unsafe { raw::test_some_vector(at, n, to, s, cmp, v.as_ptr()) },
            // SAFETY: as above.
            (false, false) => unsafe { raw::test_some(at, n, to, s, cmp, v[0]) },
            // SAFETY: as above.
            (true, true) => unsafe { raw::wait_until_some_vector(at, n, to, s, cmp, v.as_ptr()) },
            // SAFETY: as above.
            (true, false) => unsafe { raw::wait_until_some(at, n, to, s, cmp, v[0]) },
        };
        let (written, rest) = found.split_at(count);
        assert!(rest.iter().all(|i| *i == usize::MAX - 1), "more written than {count}: {found:?}");
        let set: BTreeSet<usize> = written.iter().copied().collect();
        assert_eq!(set.len(), count, "an index twice: {written:?}");
        set
    }
    fn wait_all(&self) {
        let (s, v) = (self.status(), self.values);
        match self.vector {
            // SAFETY: the variables are symmetric and as many as `n`.
            true => unsafe { raw::wait_until_all_vector(self.at, self.n, s, self.cmp, v.as_ptr()) },
            // SAFETY: as above.
            false => unsafe { raw::wait_until_all(self.at, self.n, s, self.cmp, v[0]) },
        }
    }
}

fn set_own<T: Var>(at: *mut T, values: &[T], me: usize) {
    // SAFETY: symmetric variables, as many as values at least.
    unsafe { raw::put(at, values.as_ptr(), values.len(), me as i32) };
}

/// Every test, and every wait that need not wait, against the model.
fn calls_on_own_variables_equal_the_model<T: Var>(me: usize, at: *mut T, seed: u64) {
    let numbers = T::interesting();
    for round in 0..120u64 {
        let dice = |k: u64| mix(mix(seed, round), k) as usize;
        let vars: Vec<T> = (0..N).map(|i| numbers[dice(i as u64) % 8]).collect();
        let values: Vec<T> = (0..N).map(|i| numbers[dice(40 + i as u64) % 8]).collect();
        let mask: Vec<i32> = (0..N).map(|i| [0, 0, 1, -1, i32::MIN][dice(80 + i as u64) % 5]).collect();
        set_own(at, &vars, me);
        for (k, cmp) in CMPS.into_iter().enumerate() {
            let dice = |j: usize| dice(100 + 8 * k as u64 + j as u64);
            let n = dice(0) % (N + 1);
            let status = [None, Some(&mask[..])][dice(1) % 2];
            let call = Call { at, n, status, cmp, values: &values, vector: dice(2) % 2 == 0 };
            let (truth, members) = (call.truth(&vars), call.members());
            let shown = format!("{cmp:?} of {vars:?} and {values:?}, {n}, {status:?}");
            assert_eq!(call.test_all(), truth == members, "{shown}");
            assert_eq!(call.some(false), truth, "{shown}");
            let any = call.any(false);
            assert!(truth.contains(&any) || truth.is_empty() && any == raw::NONE, "{any}: {shown}");
            if !truth.is_empty() || members.is_empty() {
                assert_eq!(call.some(true), truth, "{shown}");
                let any = call.any(true);
                assert!(truth.contains(&any) || members.is_empty() && any == raw::NONE, "{any}: {shown}");
            }
            if truth == members {
                call.wait_all();
            }
            // SAFETY: a symmetric variable.
            let single = unsafe { raw::test(at, cmp, values[0]) };
            assert_eq!(single, is_true(vars[0], cmp, values[0]), "{shown}");
            if single {
                // SAFETY: a symmetric variable, which compares true: these return at once.
                unsafe { raw::wait_until(at, cmp, values[0]) };
                if cmp == Cmp::Ne {
                    // SAFETY: as above.
                    unsafe { raw::wait(at, values[0]) };
                }
            }
        }
        assert!(mask.iter().enumerate().all(|(i, m)| *m == [0, 0, 1, -1, i32::MIN][dice(80 + i as u64) % 5]));
    }
}

/// What a variable is before, what it becomes, and the value with which `cmp` tells the one from the other.
fn scene<T: Var>(cmp: Cmp, i: i64) -> (T, T, T) {
    let before = 50;
    let (after, value) = match cmp {
        Cmp::Eq => (5 + i, 5 + i),
        Cmp::Ne => (5 + i, before),
        Cmp::Lt => (5 + i, 6 + i),
        Cmp::Le => (5 + i, 5 + i),
        Cmp::Gt => (60 + i, 59 + i),
        Cmp::Ge => (60 + i, 60 + i),
    };
    (T::of(before), T::of(after), T::of(value))
}

/// How a variable of another PE is changed.
type Change<T> = fn(at: *mut T, value: T, pe: i32);

fn by_put<T: Var>(at: *mut T, value: T, pe: i32) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::Release);
    // SAFETY: a symmetric variable.
    unsafe { raw::put(at, &value, 1, pe) };
}

/// By the atomics in turn. Half of them set, the others add what is missing.
fn by_atomic<T: Var + AmoInt>(at: *mut T, value: T, pe: i32) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::Release);
    let turn = value.number() % 5;
    // SAFETY: a symmetric variable; so for all.
    let is = unsafe { raw::atomic_fetch(at, pe) };
    let missing = T::of((value.number() - is.number()) as i64);
    match turn {
        // SAFETY: as above.
        0 => unsafe { raw::atomic_set(at, value, pe) },
        // SAFETY: as above.
        1 => drop(unsafe { raw::atomic_swap(at, value, pe) }),
        // SAFETY: as above.
        2 => drop(unsafe { raw::atomic_compare_swap(at, is, value, pe) }),
        // SAFETY: as above.
        3 => unsafe { raw::atomic_add(at, missing, pe) },
        // SAFETY: as above.
        _ => drop(unsafe { raw::atomic_fetch_add(at, missing, pe) }),
    }
}

/// By signals, which are of one type.
fn by_signal(at: *mut u64, value: u64, pe: i32) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::Release);
    match value % 3 {
        // SAFETY: a symmetric variable; so for all.
        0 => unsafe { raw::signal_set(at, value, pe) },
        1 => {
            // SAFETY: as above.
            let is = unsafe { raw::atomic_fetch(at, pe) };
            // SAFETY: as above.
            unsafe { raw::signal_add(at, value.wrapping_sub(is), pe) }
        }
        // SAFETY: as above; nothing is put.
        _ => unsafe { raw::put_signal(at, null::<u64>(), 0, at, value, raw::SIGNAL_SET, pe) },
    }
}

/// Each PE changes the next one's variables, data first, and waits for its own in one of six ways.
fn waits_see_what_others_do<T: Var>(world: &World, at: *mut T, change: Change<T>, seed: u64) {
    let (me, n_pes) = (world.pe(), world.n_pes());
    let (next, left) = ((me + 1) % n_pes, (me + n_pes - 1) % n_pes);
    for form in 0..7u64 {
        // The same on every PE.
        let round = mix(seed, form);
        let cmp = CMPS[round as usize % 6];
        let vector = form % 2 == 1;
        let scenes: Vec<_> = (0..N as i64).map(|i| scene::<T>(cmp, if vector { i } else { 0 })).collect();
        let mask: Vec<i32> = (0..N).map(|i| i32::from(mix(round, i as u64).is_multiple_of(4)) * -7).collect();
        let values: Vec<T> = scenes.iter().map(|s| s.2).collect();
        set_own(at, &scenes.iter().map(|s| s.0).collect::<Vec<T>>(), me);
        world.barrier();
        let mut order: Vec<usize> = (0..N).filter(|&i| mask[i] == 0).collect();
        order.sort_by_key(|&i| mix(mix(round, me as u64), i as u64));
        for &i in &order {
            let news = round ^ (next * N + i) as u64;
            // SAFETY: DATA is a static of this executable.
            unsafe { raw::put(DATA.0.get().cast::<u64>().wrapping_add(i), &news, 1, next as i32) };
            change(at.wrapping_add(i), scenes[i].1, next as i32);
            if mix(news, 0).is_multiple_of(5) {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        let arrived = |i: usize| {
            let mut got = 0u64;
            // SAFETY: as above.
            unsafe { raw::get(&mut got, DATA.0.get().cast::<u64>().wrapping_add(i), 1, me as i32) };
            assert_eq!(
                got,
                round ^ (me * N + i) as u64,
                "from PE {left}: form {form}, {cmp:?}, variable {i}"
            );
        };
        let mut status = mask.clone();
        match form {
            0 | 1 => {
                for &i in &order {
                    // SAFETY: a symmetric variable.
                    unsafe { raw::wait_until(at.wrapping_add(i), cmp, values[i]) };
                    arrived(i);
                }
            }
            2 | 3 => {
                Call { at, n: N, status: Some(&status), cmp, values: &values, vector }.wait_all();
                order.iter().for_each(|&i| arrived(i));
            }
            _ => {
                // One after another, or some at a time, until all are masked.
                let mut seen = BTreeSet::new();
                for turn in 0..=N {
                    let call = Call { at, n: N, status: Some(&status), cmp, values: &values, vector };
                    let found = match (form, turn % 2) {
                        (4 | 5, _) | (6, 0) => {
                            BTreeSet::from_iter(Some(call.any(true)).filter(|i| *i != raw::NONE))
                        }
                        _ => call.some(true),
                    };
                    if found.is_empty() {
                        break;
                    }
                    for i in found {
                        arrived(i);
                        status[i] = 1;
                        assert!(seen.insert(i), "variable {i} twice");
                    }
                }
                assert_eq!(seen, order.iter().copied().collect());
            }
        }
        world.barrier();
    }
}

/// Runs a check on every type of a table, on heap and static variables: `check(name, heap or static, seed)`.
macro_rules! each_type {
    ([$($name:ident)*] |$at:ident, $seed:ident| $check:expr) => {{
        let mut seeds = Random::new(0);
        $({
            static VARS: Statics<[c_type!($name); N]> = Statics(UnsafeCell::new([0; N]));
            let bytes = N * size_of::<c_type!($name)>();
            // SAFETY: collective, and the library is up.
            let heap = unsafe { raw::malloc(bytes) }.cast::<c_type!($name)>();
            for $at in [heap, VARS.0.get().cast()] {
                let $seed = seeds.next();
                $check;
            }
            // SAFETY: of `malloc`, and nobody uses it any more.
            unsafe { raw::free(heap.cast()) }.unwrap();
        })*
    }};
}

multi_pe! {
    fn every_routine_on_every_type_equals_the_model(world) on [1, 2, 3, 4, 8] {
        let me = world.pe();
        type_table!(p2p_dep => each_type, |at, seed| calls_on_own_variables_equal_the_model(me, at, seed ^ me as u64));
        type_table!(p2p_dep => each_type, |at, seed| waits_see_what_others_do(world, at, by_put, seed));
        type_table!(amo_std => each_type, |at, seed| waits_see_what_others_do(world, at, by_atomic, seed));
        each_type!([uint64] |at, seed| waits_see_what_others_do(world, at, by_signal, seed));
    }
}

static FLAGS: Statics<[i64; N]> = Statics(UnsafeCell::new([0; N]));

fn flags() -> *mut i64 {
    FLAGS.0.get().cast()
}

/// Both forms of each call.
fn both<'c>(n: usize, status: Option<&'c [i32]>, values: &'c [i64]) -> [Call<'c, i64>; 2] {
    [false, true].map(|vector| Call { at: flags(), n, status, cmp: Cmp::Eq, values, vector })
}

multi_pe! {
    fn of_no_variables_all_hold_and_none_does(world) on [1, 2] {
        let masked = [1, -1, 2, i32::MAX, i32::MIN, 1 << 30, 1, 1, 1, 1, 1, 1];
        let ones = [1i64; N];
        set_own(flags(), &ones, world.pe());
        for call in both(N, Some(&masked), &ones).into_iter().chain(both(0, None, &ones)) {
            assert!(call.test_all());
            call.wait_all();
            assert_eq!((call.any(false), call.any(true)), (usize::MAX, usize::MAX));
            assert!(call.some(false).is_empty() && call.some(true).is_empty());
        }
        // No variables may be at NULL, with nothing else given either.
        let (no, at, out) = (null::<i32>(), null_mut::<i64>(), null_mut::<usize>());
        // SAFETY: they look at nothing.
        unsafe { raw::wait_until_all_vector(at, 0, no, Cmp::Eq, null()) };
        // SAFETY: as above.
        assert_eq!(unsafe { raw::wait_until_some(at, 0, out, no, Cmp::Eq, 1) }, 0);
        // SAFETY: as above.
        assert_eq!(unsafe { raw::test_some_vector(at, 0, out, no, Cmp::Eq, null()) }, 0);
    }

    /// Also if the calls alternate with calls on other sets, by any period.
    fn an_element_that_stays_true_is_returned_soon(world) on [1] {
        let ones = [1i64; N];
        set_own(flags(), &ones, world.pe());
        for period in 1..=16 {
            for n in 1..=N {
                for wait in [false, true] {
                    let mut seen = BTreeSet::new();
                    let mut calls = 0;
                    while seen.len() < n {
                        let turn = calls % period == 0;
                        let [call, vector] = both(n, None, &ones);
                        let found = if calls % 2 == 0 { call.any(wait) } else { vector.any(wait) };
                        if turn {
                            seen.insert(found);
                        }
                        calls += 1;
                        assert!(calls <= 20 * n * period, "{n} elements, period {period}: only {seen:?}");
                    }
                }
            }
        }
    }

    fn a_masked_element_is_never_waited_for(world) on [2] {
        let (me, other) = (world.pe(), 1 - world.pe() as i32);
        let mask: Vec<i32> = (0..N as i32).map(|i| if i == 5 { 0 } else { -i - 1 }).collect();
        set_own(flags(), &[0; N], me);
        world.barrier();
        by_put(flags().wrapping_add(5), 1, other);
        for call in both(N, Some(&mask), &[1; N]) {
            call.wait_all();
            assert_eq!(call.any(true), 5);
            assert_eq!(call.some(true), BTreeSet::from([5]));
        }
        assert_eq!(mask, (0..N as i32).map(|i| if i == 5 { 0 } else { -i - 1 }).collect::<Vec<_>>(), "not written");
    }

    fn comparisons_go_by_the_sign_of_the_type(world) on [1] {
        let me = world.pe();
        let at = flags();
        set_own(at, &[-1], me);
        // SAFETY: a symmetric variable; so below.
        assert!(unsafe { raw::test(at, Cmp::Lt, 0) });
        // SAFETY: as above.
        assert!(unsafe { raw::test(at.cast::<u64>(), Cmp::Gt, 0) });
        // SAFETY: as above.
        assert!(unsafe { raw::test(at.cast::<u16>(), Cmp::Ge, u16::MAX) });
        // SAFETY: as above.
        assert!(unsafe { raw::test(at.cast::<i16>(), Cmp::Le, -1) });
    }

    fn the_wait_for_a_signal_returns_what_it_saw(world) on [2] {
        let (me, other) = (world.pe(), 1 - world.pe() as i32);
        set_own(flags(), &[7], me);
        // SAFETY: a symmetric variable; so below.
        assert_eq!(unsafe { raw::signal_wait_until(flags().cast(), Cmp::Gt, 3) }, 7);
        world.barrier();
        by_put(flags(), 99, other);
        // SAFETY: as above.
        assert_eq!(unsafe { raw::signal_wait_until(flags().cast(), Cmp::Ne, 7) }, 99);
    }

    fn codes_of_c_stand_for_comparisons(_world) on [1] {
        let call = raw::Call::new("shmem_int_test");
        let codes = [raw::CMP_EQ, raw::CMP_NE, raw::CMP_GT, raw::CMP_GE, raw::CMP_LT, raw::CMP_LE];
        assert_eq!(codes.map(|code| call.comparison(code)), CMPS);
    }
}

/// Runs `body` on the PEs of a launch, or launches it under every boot.
fn launch(test: &str, n: u32, body: impl FnOnce()) -> Vec<Outcome> {
    if testing::is_pe() {
        body();
        return Vec::new();
    }
    Boot::of(n).map(|boot| Launch::of_test(test, n, boot).run()).collect()
}

/// A thread that waits blocks itself only: four threads of each PE wait at once, each for another variable, while the
/// fifth changes the next PE's in the order that suits them least.
#[test]
fn a_waiting_thread_blocks_no_other() {
    let outcomes = launch(here!("a_waiting_thread_blocks_no_other"), 3, || {
        let world = World::<Multiple>::init_level().expect("the library comes up");
        let next = ((world.pe() + 1) % world.n_pes()) as i32;
        for round in 1..=20 {
            std::thread::scope(|s| {
                for i in 0..4 {
                    // SAFETY: a symmetric variable.
                    s.spawn(move || unsafe { raw::wait_until(flags().wrapping_add(i), Cmp::Ge, round) });
                }
                for i in (0..4).rev() {
                    by_put(flags().wrapping_add(i), round, next);
                    if i > 0 {
                        // SAFETY: as above. The last variable is set by the next PE only after this one.
                        unsafe { raw::wait_until(flags().wrapping_add(i), Cmp::Ge, round) };
                    }
                }
            });
        }
        world.finalize().expect("every PE finalizes");
    });
    outcomes.iter().for_each(|o| o.expect_success("threads"));
}

#[test]
fn a_long_wait_says_where() {
    let test = here!("a_long_wait_says_where");
    if testing::is_pe() {
        let world = World::init().expect("the library comes up");
        world.barrier();
        match world.pe() {
            // SAFETY: a symmetric variable.
            0 => unsafe { raw::wait_until_all(flags(), 3, null(), Cmp::Eq, 1) },
            _ => {
                std::thread::sleep(Duration::from_secs(4));
                (0..3).for_each(|i| by_put(flags().wrapping_add(i), 1, 0));
            }
        }
        world.finalize().expect("every PE finalizes");
        return;
    }
    for boot in Boot::of(2) {
        let outcome = Launch::of_test(test, 2, boot).env("SHMEM_HANG_REPORT", "1").run();
        outcome.expect_success(test);
        let says = |l: &str| {
            l.starts_with("PE 0: waiting for ")
                && l.contains(" s in shmem_wait_until_all on 3 variables at 0x")
        };
        assert!(outcome.stderr.lines().any(says), "{outcome}");
    }
}

/// What is wrong with a call ends the job with one line.
fn must_say(test: &str, line: &str, body: impl FnOnce(&World)) {
    let outcomes = launch(test, 2, || {
        let world = World::init().expect("the library comes up");
        if world.pe() == 1 {
            body(&world);
        }
        world.barrier();
    });
    for outcome in outcomes {
        assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
        assert_eq!(outcome.stderr.matches(line).count(), 1, "{line:?}: {outcome}");
    }
}

#[test]
fn a_misaligned_variable_is_refused() {
    let line = "is not a multiple of 8: an atomic must be aligned to its size";
    must_say(here!("a_misaligned_variable_is_refused"), line, |_| {
        let odd = flags().wrapping_byte_add(4);
        // SAFETY: it is refused.
        unsafe { raw::wait_until(odd, Cmp::Eq, 1) };
    });
}

#[test]
fn a_variable_at_null_is_refused() {
    let line = "PE 1: shmem_test_all: 12 bytes at 0x0: neither in the symmetric heap nor in";
    must_say(here!("a_variable_at_null_is_refused"), line, |_| {
        // SAFETY: it is refused.
        unsafe { raw::test_all(null_mut::<i32>(), 3, null(), Cmp::Eq, 1) };
    });
}

#[test]
fn a_code_that_is_no_comparison_is_refused() {
    let line = "PE 1: shmem_int_test: 6 is no comparison: use one of the SHMEM_CMP constants";
    must_say(here!("a_code_that_is_no_comparison_is_refused"), line, |_| {
        raw::Call::new("shmem_int_test").comparison(6);
    });
}

/// Before init and after finalize, whether or not the variable compares true.
#[test]
fn a_wait_without_the_library_is_refused() {
    let test = here!("a_wait_without_the_library_is_refused");
    let outcomes = launch(test, 1, || {
        if std::env::var_os("BEFORE").is_none() {
            World::init().expect("the library comes up").finalize().expect("it goes down");
        }
        // SAFETY: it is refused.
        unsafe { raw::wait_until(flags(), Cmp::Eq, 0) };
    });
    let before = Boot::all().iter().filter(|_| !testing::is_pe());
    let before = before.map(|&boot| Launch::of_test(test, 1, boot).env("BEFORE", "1").run());
    for outcome in outcomes.into_iter().chain(before) {
        assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
        let line = "shmem_wait_until: the library is not up: it was called before init or after finalize";
        assert_eq!(outcome.stderr.matches(line).count(), 1, "{outcome}");
    }
}
