//! A bed for collectives: memory on the heap or in the executable, what each PE's source is, and what the
//! collective must make of them, by plain arithmetic.
#![allow(unsafe_code, dead_code, reason = "raw calls; each test file uses a part")]

use std::cell::UnsafeCell;
use std::fmt::Debug;

use shmem_api::testing::{Random, mix};
use shmem_api::{Complex, Elem, LongDouble, World, raw};

/// Bytes of each of the two regions.
pub const REGION: usize = 4 << 20;
/// What `dest` is filled with before a call.
const CANARY: u8 = 0xc5;

/// A number as the model calculates with it.
#[derive(Clone, Copy, Debug)]
pub enum Num {
    Int(i128),
    Real(f64),
    Complex(f64, f64),
}

/// An element type, and how the model sees its values.
pub trait Value: Elem + PartialEq + Debug {
    fn num(self) -> Num;
    fn of(num: Num) -> Self;
    /// A value made of random bits: any integer; of the others such that the sums and the products of a hundred PEs'
    /// are exact in every type.
    fn draw(bits: u64) -> Self;
}

macro_rules! ints {
    ($($t:ty)*) => {$(
        impl Value for $t {
            fn num(self) -> Num {
                Num::Int(self as i128)
            }
            fn of(num: Num) -> Self {
                let Num::Int(x) = num else { panic!("not an integer: {num:?}") };
                x as $t
            }
            fn draw(bits: u64) -> Self {
                bits as $t
            }
        }
    )*};
}
ints!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl Value for u128 {
    fn num(self) -> Num {
        Num::Int(self as i128)
    }
    fn of(num: Num) -> Self {
        let Num::Int(x) = num else { panic!("not an integer: {num:?}") };
        x as u128
    }
    fn draw(bits: u64) -> Self {
        u128::from(bits) << 64 | u128::from(!bits)
    }
}

/// A power of two with a sign: products have one significant bit, whatever their number, and none is 0.
fn small(bits: u64) -> f64 {
    [0.5, 1.0, 2.0, -0.5, -1.0, -2.0][(bits % 6) as usize]
}

/// A unit, times 1, 1/2, 1+i or (1+i)/2. Of these, too, each part of a product is 0 or a power of two.
fn small_complex(bits: u64) -> (f64, f64) {
    let half = if bits & 1 == 0 { 1.0 } else { 0.5 };
    let (re, im) = if bits & 2 == 0 { (half, 0.0) } else { (half, half) };
    [(re, im), (-im, re), (-re, -im), (im, -re)][(bits >> 2 & 3) as usize]
}

macro_rules! reals {
    ($($t:ty, $to:expr, $from:expr;)*) => {$(
        impl Value for $t {
            fn num(self) -> Num {
                Num::Real($from(self))
            }
            fn of(num: Num) -> Self {
                let Num::Real(x) = num else { panic!("not a real number: {num:?}") };
                $to(x)
            }
            fn draw(bits: u64) -> Self {
                $to(small(bits))
            }
        }
    )*};
}
reals!(
    f32, |x| x as f32, f64::from;
    f64, |x| x, |x| x;
    LongDouble, LongDouble::from, f64::from;
);

macro_rules! complexes {
    ($($t:ty)*) => {$(
        impl Value for Complex<$t> {
            fn num(self) -> Num {
                Num::Complex(f64::from(self.re), f64::from(self.im))
            }
            fn of(num: Num) -> Self {
                let Num::Complex(re, im) = num else { panic!("not a complex number: {num:?}") };
                Complex::new(re as $t, im as $t)
            }
            fn draw(bits: u64) -> Self {
                let (re, im) = small_complex(bits);
                Complex::new(re as $t, im as $t)
            }
        }
    )*};
}
complexes!(f32 f64);

/// What a reduction does, for the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    And,
    Or,
    Xor,
    Min,
    Max,
    Sum,
    Prod,
}

impl Op {
    pub fn apply<T: Value>(self, a: T, b: T) -> T {
        T::of(match (self, a.num(), b.num()) {
            (Op::And, Num::Int(a), Num::Int(b)) => Num::Int(a & b),
            (Op::Or, Num::Int(a), Num::Int(b)) => Num::Int(a | b),
            (Op::Xor, Num::Int(a), Num::Int(b)) => Num::Int(a ^ b),
            (Op::Min, Num::Int(a), Num::Int(b)) => Num::Int(a.min(b)),
            (Op::Max, Num::Int(a), Num::Int(b)) => Num::Int(a.max(b)),
            (Op::Sum, Num::Int(a), Num::Int(b)) => Num::Int(a.wrapping_add(b)),
            (Op::Prod, Num::Int(a), Num::Int(b)) => Num::Int(a.wrapping_mul(b)),
            (Op::Min, Num::Real(a), Num::Real(b)) => Num::Real(a.min(b)),
            (Op::Max, Num::Real(a), Num::Real(b)) => Num::Real(a.max(b)),
            (Op::Sum, Num::Real(a), Num::Real(b)) => Num::Real(a + b),
            (Op::Prod, Num::Real(a), Num::Real(b)) => Num::Real(a * b),
            (Op::Sum, Num::Complex(a, b), Num::Complex(c, d)) => Num::Complex(a + c, b + d),
            (Op::Prod, Num::Complex(a, b), Num::Complex(c, d)) => Num::Complex(a * c - b * d, a * d + b * c),
            what => panic!("the model has no {what:?}"),
        })
    }

    /// Of the sources of `pes`, at element `i`.
    #[inline(never)]
    pub fn of_all<T: Value>(self, seed: u64, pes: &[usize], i: usize) -> T {
        let all = pes.iter().map(|pe| source::<T>(seed, *pe, i));
        all.reduce(|a, b| self.apply(a, b)).expect("a set has a member")
    }
}

/// Element `i` of the source of `pe` in case `seed`.
pub fn source<T: Value>(seed: u64, pe: usize, i: usize) -> T {
    T::draw(mix(seed.wrapping_add(pe as u64), i as u64))
}

/// Memory of the executable that tests may do with as they like.
#[repr(align(64))]
pub struct Static<const N: usize>(UnsafeCell<[u8; N]>);

// SAFETY: accessed by raw pointers only, in the order the tests' own synchronisation gives.
unsafe impl<const N: usize> Sync for Static<N> {}

impl<const N: usize> Static<N> {
    pub const fn new() -> Static<N> {
        Static(UnsafeCell::new([0; N]))
    }

    pub fn at(&self) -> *mut u8 {
        self.0.get().cast()
    }
}

static DEST: Static<REGION> = Static::new();
static SRC: Static<REGION> = Static::new();

/// Where a case's arrays are, and its source values.
pub struct Bed {
    pub me: usize,
    pub n: usize,
    heap: [*mut u8; 2],
    /// Every PE draws alike.
    pub random: Random,
}

/// The arrays of one case.
#[derive(Clone, Copy, Debug)]
pub struct Arrays<T> {
    pub dest: *mut T,
    pub src: *mut T,
}

impl Bed {
    pub fn new(world: &World) -> Bed {
        // SAFETY: the World is up; every PE calls.
        let region = || unsafe { raw::malloc(REGION) };
        let heap = [region(), region()];
        assert!(heap.iter().all(|at| !at.is_null()));
        Bed { me: world.pe(), n: world.n_pes(), heap, random: Random::new(7) }
    }

    /// Arrays for the next case: on the heap, in the executable, or one here and one there.
    pub fn arrays<T>(&mut self) -> Arrays<T> {
        let [dest, src] = [(DEST.at(), self.heap[0]), (SRC.at(), self.heap[1])]
            .map(|(a_static, heap)| if self.random.below(2) == 0 { a_static } else { heap });
        // Sometimes not at the start of a line.
        let shift = self.random.below(3) * align_of::<T>();
        Arrays { dest: dest.wrapping_add(shift).cast(), src: src.wrapping_add(shift).cast() }
    }

    /// Frees the regions; collective.
    pub fn done(self) {
        for at in self.heap {
            // SAFETY: made by `new`, not used any more.
            unsafe { raw::free(at) }.expect("the region is freed");
        }
    }
}

impl<T: Value> Arrays<T> {
    /// Fills this PE's source with `n` values of case `seed`, and `dest_len` elements of `dest`, and one more, with a
    /// canary.
    pub fn fill(&self, seed: u64, pe: usize, n: usize, dest_len: usize) {
        assert!((n.max(dest_len) + 8) * size_of::<T>() <= REGION);
        for i in 0..n {
            // SAFETY: inside the region; no collective is under way.
            unsafe { self.src.wrapping_add(i).write(source(seed, pe, i)) };
        }
        if !std::ptr::eq(self.dest, self.src) {
            // SAFETY: as above.
            unsafe { self.dest.write_bytes(CANARY, dest_len + 1) };
        }
    }

    /// Asserts that `dest` is as `expected` says (`None`: as it was before), and nothing after it was written.
    pub fn check(&self, len: usize, what: &dyn Debug, expected: &dyn Fn(usize) -> Option<T>) {
        let canary = canary::<T>();
        for i in 0..len {
            // SAFETY: inside the region; the collective has returned.
            let got = unsafe { self.dest.wrapping_add(i).read() };
            let expected = expected(i).unwrap_or(canary);
            assert!(
                bytes_equal(got, expected),
                "{what:?}: element {i} of {len} is {got:?}, not {expected:?}"
            );
        }
        if !std::ptr::eq(self.dest, self.src) {
            // SAFETY: as above.
            let after = unsafe { self.dest.wrapping_add(len).read() };
            assert!(bytes_equal(after, canary), "{what:?}: written past the end: {after:?}");
        }
    }

    /// Asserts that the source is still what it was.
    pub fn source_unchanged(&self, seed: u64, pe: usize, n: usize, what: &dyn Debug) {
        for i in 0..n {
            // SAFETY: the bed's own array, of so many elements.
            let got = unsafe { self.src.wrapping_add(i).read() };
            assert!(bytes_equal(got, source(seed, pe, i)), "{what:?}: the source changed at {i}");
        }
    }

    pub fn in_place(mut self) -> Arrays<T> {
        self.dest = self.src;
        self
    }
}

fn canary<T: Value>() -> T {
    let mut bytes = vec![CANARY; size_of::<T>()];
    // SAFETY: as many bytes as a T has, any of which are valid.
    unsafe { bytes.as_mut_ptr().cast::<T>().read_unaligned() }
}

/// Equal as numbers, or bit by bit: a canary may be no number.
fn bytes_equal<T: Value>(a: T, b: T) -> bool {
    a == b || bytemuck_bytes(&a) == bytemuck_bytes(&b)
}

fn bytemuck_bytes<T: Value>(value: &T) -> &[u8] {
    // SAFETY: plain data without padding, by `Elem`.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// A kind of PEs that call together: a team or an active set.
pub trait Together: Debug {
    /// The PEs of the world, by rank.
    fn pes(&self) -> Vec<usize>;
    /// Whether a broadcast writes the root's `dest`.
    fn root_gets_it(&self) -> bool;
    fn broadcast<T: Value>(&self, dest: *mut T, src: *const T, n: usize, root: usize);
    fn collect<T: Value>(&self, dest: *mut T, src: *const T, n: usize);
    fn fcollect<T: Value>(&self, dest: *mut T, src: *const T, n: usize);
    fn alltoall<T: Value>(&self, dest: *mut T, src: *const T, n: usize);
    fn alltoalls<T: Value>(&self, dest: *mut T, src: *const T, dst: usize, sst: usize, n: usize);
}

/// What is checked with the elements of one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moves {
    Broadcast,
    Collect,
    Fcollect,
    Alltoall,
    Alltoalls,
}

impl Moves {
    pub const ALL: [Moves; 5] =
        [Moves::Broadcast, Moves::Collect, Moves::Fcollect, Moves::Alltoall, Moves::Alltoalls];

    /// How many times its `n` elements a PE's part of an array takes, at most.
    fn spread(self) -> usize {
        match self {
            Moves::Broadcast | Moves::Fcollect | Moves::Alltoall => 1,
            Moves::Collect => 2,
            Moves::Alltoalls => 3,
        }
    }
}

/// One collective that moves data, checked against the model. `ready` is called between filling and the call: a
/// barrier, where nothing else says that all are ready.
pub fn check_move<T: Value>(bed: &mut Bed, group: &impl Together, what: Moves, n: usize, ready: &dyn Fn()) {
    let arrays = bed.arrays::<T>();
    let (seed, draws) = (bed.random.next(), [bed.random.next(), bed.random.next(), bed.random.next()]);
    let pes = group.pes();
    let Some(rank) = pes.iter().position(|pe| *pe == bed.me) else {
        return ready();
    };
    let size = pes.len();
    // With many PEs, no more elements than there is room for.
    let n = n.min((REGION / size_of::<T>() - 8) / (size * what.spread()));
    let about = (what, std::any::type_name::<T>(), n, group, arrays);
    let Arrays { dest, src } = arrays;
    let value = |rank: usize, i: usize| Some(source::<T>(seed, pes[rank], i));
    match what {
        Moves::Broadcast => {
            let root = draws[0] as usize % size;
            arrays.fill(seed, bed.me, n, n);
            ready();
            group.broadcast(dest, src, n, root);
            let written = rank != root || group.root_gets_it();
            arrays.check(n, &about, &|i| written.then(|| source(seed, pes[root], i)));
            arrays.source_unchanged(seed, bed.me, n, &about);
        }
        Moves::Collect => {
            // Differing lengths, some of them 0.
            let lens: Vec<usize> =
                (0..size).map(|r| n * (mix(draws[1], r as u64) % 4) as usize / 2).collect();
            let all: Vec<(usize, usize)> =
                lens.iter().enumerate().flat_map(|(r, len)| (0..*len).map(move |i| (r, i))).collect();
            arrays.fill(seed, bed.me, lens[rank], all.len());
            ready();
            group.collect(dest, src, lens[rank]);
            arrays.check(all.len(), &about, &|i| value(all[i].0, all[i].1));
            arrays.source_unchanged(seed, bed.me, lens[rank], &about);
        }
        Moves::Fcollect => {
            arrays.fill(seed, bed.me, n, n * size);
            ready();
            group.fcollect(dest, src, n);
            arrays.check(n * size, &about, &|i| value(i / n, i % n));
            arrays.source_unchanged(seed, bed.me, n, &about);
        }
        Moves::Alltoall => {
            arrays.fill(seed, bed.me, n * size, n * size);
            ready();
            group.alltoall(dest, src, n);
            arrays.check(n * size, &about, &|i| value(i / n, rank * n + i % n));
            arrays.source_unchanged(seed, bed.me, n * size, &about);
        }
        Moves::Alltoalls => {
            let (dst, sst) = (1 + draws[1] as usize % 3, 1 + draws[2] as usize % 3);
            let n = n.min(1000);
            let extent = |stride: usize| (n * size * stride + 1).saturating_sub(stride);
            arrays.fill(seed, bed.me, extent(sst), extent(dst));
            ready();
            group.alltoalls(dest, src, dst, sst, n);
            arrays.check(extent(dst), &about, &|at| {
                let i = at / dst;
                (at % dst == 0).then(|| source(seed, pes[i / n], (rank * n + i % n) * sst))
            });
            arrays.source_unchanged(seed, bed.me, extent(sst), &about);
        }
    }
}

/// What a collective that calculates gives: by seed, PEs, rank and element.
type Expected<'e, T> = &'e dyn Fn(u64, &[usize], usize, usize) -> T;

/// One collective that calculates: `call` gets dest, source and count; `expected` is asked for each element.
pub fn check_reduction<T: Value>(
    bed: &mut Bed,
    group: &impl Together,
    (what, n): (&str, usize),
    call: &dyn Fn(*mut T, *const T, usize),
    expected: Expected<'_, T>,
    ready: &dyn Fn(),
) {
    let in_place = bed.random.below(2) == 0;
    let arrays = bed.arrays::<T>();
    let arrays = if in_place { arrays.in_place() } else { arrays };
    let seed = bed.random.next();
    let pes = group.pes();
    let Some(rank) = pes.iter().position(|pe| *pe == bed.me) else {
        return ready();
    };
    let about = (what, std::any::type_name::<T>(), n, group, arrays);
    arrays.fill(seed, bed.me, n, n);
    ready();
    call(arrays.dest, arrays.src, n);
    arrays.check(n, &about, &|i| Some(expected(seed, &pes, rank, i)));
    if !in_place {
        arrays.source_unchanged(seed, bed.me, n, &about);
    }
}
