//! Put and get in all forms, of every type of the standard's tables, against a model of plain copies; and the
//! rules about them that are easy to get wrong.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

use shmem_api::raw::{self, Ctx};
use shmem_api::{Elem, World, c_type, multi_pe, type_table};

use crate::arena::is_one_host;

#[allow(unsafe_code)]
fn addr_accessible(at: *const u8, pe: i32) -> i32 {
    // SAFETY: the library stays up.
    unsafe { raw::addr_accessible(at, pe) }
}

mod model;
mod routines;

use model::{SHAPES, Shape, apply, lay_out, pattern};
use routines::Family;

/// The most PEs these tests run on.
const MOST: usize = 8;
/// Bytes of an area.
const ROOM: usize = MOST << 19;

/// A static of the executable, large enough to be an area.
#[repr(align(64))]
struct Static(UnsafeCell<[u8; ROOM]>);
// SAFETY: never referenced, accessed by raw calls and by `own` between barriers only.
unsafe impl Sync for Static {}
static AREA: Static = Static(UnsafeCell::new([0; ROOM]));

/// Symmetric memory to move things to and from: the same on every PE.
#[derive(Clone, Copy, Debug)]
struct Area {
    base: *mut u8,
    what: &'static str,
}

impl Area {
    fn of_heap() -> Area {
        // SAFETY: the World is up, and all PEs ask for the same.
        let base = unsafe { raw::align(64, ROOM) };
        assert!(!base.is_null());
        Area { base, what: "heap" }
    }

    fn of_statics() -> Area {
        Area { base: AREA.0.get().cast(), what: "static" }
    }

    fn free(self) {
        // SAFETY: a block of `of_heap`, which nobody uses after the barrier inside.
        unsafe { raw::free(self.base) }.unwrap();
    }

    /// This PE's own bytes, while nobody else writes them.
    fn own(&self, len: usize) -> &[u8] {
        assert!(len <= ROOM);
        // SAFETY: inside the area; the barriers around keep writers away.
        unsafe { std::slice::from_raw_parts(self.base, len) }
    }

    fn fill(&self, bytes: &[u8]) {
        assert!(bytes.len() <= ROOM);
        // SAFETY: inside the area; the barriers around keep others away.
        unsafe { self.base.copy_from(bytes.as_ptr(), bytes.len()) };
    }
}

/// Where calls are made: routines on a context take turns with these.
#[derive(Clone, Copy)]
struct On<'o> {
    world: &'o World,
    contexts: &'o [Ctx],
}

impl On<'_> {
    fn ctx(&self, call: usize) -> Ctx {
        // Every other call has no context: those before may not make one of them meet the same context always.
        self.contexts[call / 2 % self.contexts.len()]
    }
}

/// All routines of a family on all shapes: which is used for which, in order.
fn calls<T>(family: &Family<T>) -> Vec<(usize, Shape)> {
    let forms = |shape: &Shape| match shape {
        Shape::One => family.one.len(),
        Shape::Row(_) => family.row.len(),
        Shape::Strided(..) => family.strided.len(),
        Shape::Blocks(..) => family.blocks.len(),
    };
    SHAPES.iter().flat_map(|s| (0..forms(s)).map(|form| (form, *s))).collect()
}

/// Calls routine number `form` of the shape's family. Where nothing is moved, the pointers are null.
///
/// # Safety
/// As for the routine.
unsafe fn call<T: Elem>(
    family: &Family<T>,
    (form, shape): (usize, Shape),
    (ctx, to, from, pe): (Ctx, *mut T, *const T, i32),
) {
    let null = (std::ptr::null_mut(), std::ptr::null());
    let (to, from) = if matches!(
        shape,
        Shape::Row(0) | Shape::Strided(_, 0) | Shape::Blocks(_, 0, _) | Shape::Blocks(_, _, 0)
    ) {
        null
    } else {
        (to, from)
    };
    match shape {
        // SAFETY: RAW-R2 and RAW-R3, of the caller.
        Shape::One => unsafe { family.one[form].1(ctx, to, from, pe) },
        // SAFETY: RAW-R2 and RAW-R3, of the caller.
        Shape::Row(n) => unsafe { family.row[form].1(ctx, to, from, n, pe) },
        Shape::Strided([dst, sst], n) => {
            // SAFETY: RAW-R2 and RAW-R3, of the caller.
            unsafe { family.strided[form].1(ctx, to, from, dst as isize, sst as isize, n, pe) }
        }
        Shape::Blocks([dst, sst], len, n) => {
            // SAFETY: RAW-R2 and RAW-R3, of the caller.
            unsafe { family.blocks[form].1(ctx, to, from, dst as isize, sst as isize, len, n, pe) }
        }
    }
}

/// Every PE puts with every routine and shape to every PE, itself included, each into a region of its own;
/// then each looks at its memory.
fn check_puts<T: Elem>(on: On<'_>, family: &Family<T>, area: Area, shift: usize, name: &str) {
    let (world, me, n) = (on.world, on.world.pe(), on.world.n_pes());
    let size = size_of::<T>();
    let list = calls(family);
    let (moves, elements, sources) = lay_out(list.iter().map(|c| c.1));
    let region = (elements * size + shift).next_multiple_of(64);
    let before = |pe: usize| pattern(1000 + pe as u64, n * region);
    let source = |origin: usize, target: usize| pattern((origin * MOST + target) as u64, sources * size);
    area.fill(&before(me));
    world.barrier();
    for target in 0..n {
        let from = source(me, target);
        for (i, (m, which)) in moves.iter().zip(&list).enumerate() {
            let to = area.base.wrapping_add(me * region + shift + m.to * size).cast::<T>();
            let from = from.as_ptr().wrapping_add(m.from * size).cast::<T>();
            // SAFETY: the source has the elements; nobody else writes this region of the target.
            unsafe { call(family, *which, (on.ctx(i), to, from, target as i32)) };
        }
    }
    world.barrier();
    let mut expected = before(me);
    for origin in 0..n {
        let (from, to) = (source(origin, me), &mut expected[origin * region + shift..(origin + 1) * region]);
        moves.iter().for_each(|m| apply(m, size, to, &from));
    }
    let found = area.own(expected.len());
    if found != expected {
        let at = (0..expected.len()).find(|i| found[*i] != expected[*i]).unwrap_or(0);
        let element = (at % region).saturating_sub(shift) / size;
        let which = moves.iter().rposition(|m| m.to <= element).map(|i| (&list[i], &moves[i]));
        panic!(
            "put {name}, {}+{shift}: PE {me} differs at byte {at}, from PE {}: {which:?}",
            area.what,
            at / region
        );
    }
    world.barrier();
}

/// Every PE gets with every routine and shape from every PE, itself included.
fn check_gets<T: Elem>(on: On<'_>, family: &Family<T>, area: Area, shift: usize, name: &str) {
    let (world, me, n) = (on.world, on.world.pe(), on.world.n_pes());
    let size = size_of::<T>();
    let list = calls(family);
    let (moves, elements, sources) = lay_out(list.iter().map(|c| c.1));
    let before = |pe: usize| pattern(2000 + pe as u64, shift + sources * size);
    area.fill(&before(me));
    world.barrier();
    for target in 0..n {
        let mut found = vec![0xee_u8; elements * size];
        let mut expected = found.clone();
        let there = before(target);
        for (i, (m, which)) in moves.iter().zip(&list).enumerate() {
            let to = found.as_mut_ptr().wrapping_add(m.to * size).cast::<T>();
            let from = area.base.cast_const().wrapping_add(shift + m.from * size).cast::<T>();
            // SAFETY: `found` has the elements, and nobody writes the area.
            unsafe { call(family, *which, (on.ctx(i), to, from, target as i32)) };
            apply(m, size, &mut expected, &there[shift..]);
        }
        if found != expected {
            let at = (0..expected.len()).find(|i| found[*i] != expected[*i]).unwrap_or(0);
            let which = moves.iter().rposition(|m| m.to <= at / size).map(|i| (&list[i], &moves[i]));
            panic!(
                "get {name}, {}+{shift}: PE {me} from PE {target} differs at byte {at}: {which:?}",
                area.what
            );
        }
    }
    world.barrier();
}

/// All routines of one type, on the heap and on statics; also where nothing is aligned, which the standard does
/// not ask for, and for elements of 16 bytes at multiples of 8, which C programs have.
fn check<T: Elem>(on: On<'_>, areas: &[Area], name: &str) {
    let (puts, gets) = (routines::puts::<T>(), routines::gets::<T>());
    let shifts: &[usize] = if size_of::<T>() == 16 { &[0, 8, 1] } else { &[0, 1] };
    for (area, shift) in areas.iter().flat_map(|a| shifts.iter().map(move |s| (*a, *s))) {
        check_puts::<T>(on, &puts, area, shift, name);
        check_gets::<T>(on, &gets, area, shift, name);
    }
}

/// `fn every_type`: all of a table.
macro_rules! every_type {
    ([$($name:tt)*] $on:ident $areas:ident) => { $( check::<c_type!($name)>($on, &$areas, stringify!($name)); )* };
}

multi_pe! {
    fn every_routine_of_every_type(world) on [1, 2, 3, 4, 8] {
        let areas = [Area::of_heap(), Area::of_statics()];
        // SAFETY: the World is up; both are used and destroyed by this thread.
        let made = [0, raw::CTX_PRIVATE].map(|options| unsafe { raw::ctx_create(options) });
        let contexts = [Ctx::DEFAULT, made[0], made[1]];
        // (Between hosts they differ in no more than a number: one of them there.)
        let contexts = if is_one_host() { &contexts[..] } else { &contexts[world.n_pes() % 3..][..1] };
        let on = On { world, contexts };
        type_table!(rma => every_type, on areas);
        type_table!(sizes => every_type, on areas);
        for area in areas {
            check_puts(on, &routines::byte_puts(), area, 0, "bytes");
            check_gets(on, &routines::byte_gets(), area, 0, "bytes");
        }
        for ctx in made {
            // SAFETY: made above, and not used again.
            unsafe { raw::ctx_destroy(ctx) };
        }
        areas[0].free();
    }

    /// The last byte that is symmetric can be reached, with all before it in one transfer's range; one more is refused
    /// (`bad_input` has what is said then).
    fn the_last_bytes_of_the_heap_can_be_used(world) on [2] {
        let other = 1 - world.pe() as i32;
        let base = world.heap_base();
        let accessible = |offset: usize| addr_accessible(std::ptr::with_exposed_provenance((base + offset) as _), other) == 1;
        let (mut inside, mut outside) = (0_usize, 1 << 46);
        while outside - inside > 1 {
            let middle = inside.midpoint(outside);
            *(if accessible(middle) { &mut inside } else { &mut outside }) = middle;
        }
        let mut got = [0xff_u8; 8];
        for n in 1..=8 {
            let last = std::ptr::with_exposed_provenance::<u8>(base + outside - n);
            // SAFETY: the segment's last bytes, which nobody writes.
            unsafe { raw::getmem(got.as_mut_ptr(), last, n, other) };
        }
        assert_eq!(got, [0; 8]);
    }

    /// "Null pointers are legal in every routine with a count of zero", whatever the strides.
    fn nothing_may_be_at_null(world) on [1, 2] {
        let other = (world.n_pes() - 1) as i32;
        let (to, from) = (std::ptr::null_mut::<u64>(), std::ptr::null::<u64>());
        for row in routines::puts::<u64>().row.iter().chain(&routines::gets::<u64>().row) {
            // SAFETY: nothing is moved, here and below.
            unsafe { row.1(Ctx::DEFAULT, to, from, 0, other) };
        }
        for row in routines::byte_puts().row.iter().chain(&routines::byte_gets().row) {
            // SAFETY: as above.
            unsafe { row.1(Ctx::DEFAULT, to.cast(), from.cast(), 0, other) };
        }
        for strided in routines::puts::<u64>().strided.iter().chain(&routines::gets::<u64>().strided) {
            for stride in [1, 5, isize::MAX, 0, -1] {
                // SAFETY: as above.
                unsafe { strided.1(Ctx::DEFAULT, to, from, stride, stride, 0, other) };
            }
        }
        for blocks in routines::puts::<u64>().blocks.iter().chain(&routines::gets::<u64>().blocks) {
            for (len, n) in [(0, 0), (0, 3), (3, 0), (0, usize::MAX), (usize::MAX, 0)] {
                // SAFETY: as above.
                unsafe { blocks.1(Ctx::DEFAULT, to, from, 3, 3, len, n, other) };
            }
        }
    }

    /// "Different arguments may be in different segments": a static to the heap and back.
    fn source_and_dest_may_be_in_different_segments(world) on [2, 3] {
        const LEN: usize = 999;
        let (heap, statics) = (Area::of_heap(), Area::of_statics());
        let (me, n) = (world.pe(), world.n_pes());
        let right = (me + 1) % n;
        for (from, to) in [(heap, statics), (statics, heap)] {
            let words = |area: Area| area.base.cast::<u64>();
            from.fill(&pattern(me as u64, LEN * 8));
            to.fill(&[0xff; 2 * LEN * 8]);
            world.barrier();
            // SAFETY: objects of enough words; nobody reads the target before the barrier.
            unsafe { raw::put(words(to), words(from), LEN, right as i32) };
            world.barrier();
            let left = (me + n - 1) % n;
            assert_eq!(to.own(LEN * 8), pattern(left as u64, LEN * 8));
            world.barrier();
            // SAFETY: as above; each PE writes its own.
            unsafe { raw::iget(words(to), words(from), 2, 1, LEN, right as i32) };
            let theirs = pattern(right as u64, LEN * 8);
            let got = to.own(2 * LEN * 8);
            assert!((0..LEN).all(|i| got[16 * i..16 * i + 8] == theirs[8 * i..8 * i + 8]));
            world.barrier();
        }
        heap.free();
    }

    /// "bsize 1 is iput, and blocks a bsize apart are contiguous": the same bytes arrive, and no others.
    fn blocks_of_one_are_elements_and_blocks_that_touch_are_a_row(world) on [2] {
        const N: usize = 60;
        let areas = [Area::of_heap(), Area::of_statics()];
        let source: Vec<u32> = (0..4 * N as u32).map(|i| i * 7 + world.pe() as u32).collect();
        let s = source.as_ptr();
        let other = 1 - world.pe() as i32;
        let outcome = |area: Area, put: &dyn Fn(*mut u32)| {
            area.fill(&[0xff; 16 * N]);
            world.barrier();
            put(area.base.cast());
            world.barrier();
            let bytes = area.own(16 * N).to_vec();
            world.barrier();
            bytes
        };
        for area in areas {
            // SAFETY: 4 * N elements are there on both sides, here and below.
            let blocks_of_one = outcome(area, &|to| unsafe { raw::ibput(to, s, 3, 2, 1, N, other) });
            // SAFETY: as above.
            let elements = outcome(area, &|to| unsafe { raw::iput(to, s, 3, 2, N, other) });
            assert_eq!(blocks_of_one, elements);
            // SAFETY: as above.
            let touching = outcome(area, &|to| unsafe { raw::ibput(to, s, 5, 5, 5, N / 5, other) });
            // SAFETY: as above.
            let row = outcome(area, &|to| unsafe { raw::put(to, s, N, other) });
            // SAFETY: as above.
            let strides_of_one = outcome(area, &|to| unsafe { raw::iput(to, s, 1, 1, N, other) });
            assert_eq!(touching, row);
            assert_eq!(strides_of_one, row);
            assert_ne!(row, elements);
        }
        areas[0].free();
    }

    /// "A blocking put returns when the source may be used again": what is written there then does not travel.
    fn the_source_of_a_put_is_free_at_its_return(world) on [2] {
        let area = Area::of_heap();
        for len in [1, 8, 100, 1 << 20] {
            let mut source = pattern(world.pe() as u64, len);
            // SAFETY: as many bytes on both sides.
            unsafe { raw::putmem(area.base, source.as_ptr(), len, 1 - world.pe() as i32) };
            source.fill(0);
            world.barrier();
            assert_eq!(area.own(len), pattern(1 - world.pe() as u64, len));
            world.barrier();
        }
        area.free();
    }

    /// "PEs that make no library calls must still be readable and writable by others."
    fn a_pe_that_makes_no_calls_is_reached(world) on [2] {
        let area = Area::of_heap();
        area.fill(&[0; 64]);
        let word = area.base.cast::<u64>();
        // SAFETY: an aligned word, changed by atomics and puts of words only.
        let own = unsafe { AtomicU64::from_ptr(word) };
        world.barrier();
        if world.pe() == 1 {
            while own.load(Relaxed) != 5 {
                std::thread::yield_now();
            }
            own.store(6, Relaxed);
        } else {
            // SAFETY: the same word of PE 1.
            unsafe { raw::p(word, 5, 1) };
            // SAFETY: as above.
            while unsafe { raw::g(word, 1) } != 6 {
                std::thread::yield_now();
            }
        }
        world.barrier();
        area.free();
    }

    /// "An aligned p or put of 1, 2, 4 or 8 bytes is single-copy atomic": nobody sees half of a value, neither by
    /// loads of its own nor by g and get.
    fn an_aligned_word_is_never_torn(world) on [2, 3] {
        let areas = [Area::of_heap(), Area::of_statics()];
        for area in areas {
            not_torn(world, area, |at, v: u8| p(at, v), |at| own_word(at, |a: &AtomicU8| a.load(Relaxed)));
            not_torn(world, area, |at, v: u16| p(at, v), |at| own_word(at, |a: &AtomicU16| a.load(Relaxed)));
            not_torn(world, area, |at, v: u32| p(at, v), |at| own_word(at, |a: &AtomicU32| a.load(Relaxed)));
            not_torn(world, area, |at, v: u64| p(at, v), |at| own_word(at, |a: &AtomicU64| a.load(Relaxed)));
            not_torn(world, area, put_as::<u64, u64>, get_as::<u64, u64>);
            not_torn(world, area, put_as::<u64, u32>, get_as::<u64, u16>);
            not_torn(world, area, put_as::<u64, u8>, get_as::<u64, u8>);
            not_torn(world, area, put_as::<u32, u16>, get_as::<u32, u8>);
            not_torn(world, area, put_as::<u16, u8>, |at| own_word(at, |a: &AtomicU16| a.load(Relaxed)));
        }
        areas[0].free();
    }
}

/// PE 0 writes words whose bytes are all alike to PE 1, from where everybody reads, until PE 1 has read enough.
fn not_torn<W: Elem + PartialEq>(
    world: &World,
    area: Area,
    put: impl Fn(*mut W, W),
    get: impl Fn(*mut W) -> W,
) {
    let words = [0x00, 0xff, 0x5a].map(|b: u8| bytemuck::pod_read_unaligned::<W>(&vec![b; size_of::<W>()]));
    // In the middle of a line, and the flag on another.
    let (at, enough) = (area.base.wrapping_add(24).cast::<W>(), area.base.wrapping_add(256).cast::<u64>());
    area.fill(&[0; 512]);
    world.barrier();
    match world.pe() {
        0 => {
            while own_word(enough, |a: &AtomicU64| a.load(Relaxed)) == 0 {
                words.iter().for_each(|word| put(at, *word));
            }
        }
        pe => {
            for _ in 0..1_000_000 / pe.pow(4) {
                let seen = get(at);
                assert!(words.contains(&seen), "torn: {:x?}", bytemuck::bytes_of(&seen));
            }
            if pe == 1 {
                // SAFETY: a word of the area, which PE 0 reads by single loads.
                unsafe { raw::p(enough, 1, 0) };
            }
        }
    }
    world.barrier();
}

fn p<W: Elem>(at: *mut W, word: W) {
    // SAFETY: a word of an area, which all read by single loads.
    unsafe { raw::p(at, word, 1) }
}

fn put_as<W: Elem, E: Elem>(at: *mut W, word: W) {
    // SAFETY: a word of an area, which all read by single loads; a word is so many elements.
    unsafe { raw::put::<E>(at.cast(), (&raw const word).cast(), size_of::<W>() / size_of::<E>(), 1) }
}

fn get_as<W: Elem, E: Elem>(at: *mut W) -> W {
    let mut word = W::zeroed();
    // SAFETY: a word of an area, which all read by single loads.
    unsafe { raw::get::<E>((&raw mut word).cast(), at.cast(), size_of::<W>() / size_of::<E>(), 1) };
    word
}

/// Loads PE 1's own word there, and anybody else's as it is: PE 0 writes only to PE 1.
fn own_word<A, W>(at: *mut W, load: impl Fn(&A) -> W) -> W {
    assert_eq!((size_of::<A>(), at.addr() % size_of::<A>()), (size_of::<W>(), 0));
    // SAFETY: the atomic of that word, of its size and aligned; changed by single stores only.
    load(unsafe { &*at.cast::<A>() })
}
