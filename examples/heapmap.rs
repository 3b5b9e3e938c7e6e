//! Draws the symmetric heap after a fixed course of a few thousand allocations and frees, one row per PE:
//! as text, and as SVG into a file if one is named.
//!
//!     SHMEM_LOCAL_PES=4 SHMEM_SYMMETRIC_SIZE=1m SHMEM_MEMHEAP=buddy heapmap picture.svg
//!     SHMEM_LOCAL_PES=4 SHMEM_HEAP_PE_SIZE=1m heapmap --own
//!
//! Every PE of a healthy job has the same picture. With `--own`, the course runs in each PE's own space
//! instead, which may differ: PE 1 allocates one block more near the end, and what comes of it is red.
//!
//! The rows are gathered over symmetric memory; from the space of the host, so that the heap that is
//! drawn is not changed by it.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::collections::VecDeque;
use std::process::ExitCode;

use bytemuck::{Pod, Zeroable};
use shmem_api::memheap::map::{self, Row};
use shmem_api::memheap::{Block, BlockState, Bytes, Offset, PeId};
use shmem_api::{Error, Near, Reach, World};

/// Larger heaps would be drawn with every block thinner than a line.
const LARGEST: u64 = 16 << 20;
const STEPS: usize = 3000;
/// Sizes are multiples of this part of the heap, and the SVG picture is so many units wide.
const UNITS: u64 = 1024;

fn main() -> ExitCode {
    shmem_api::run(heapmap)
}

#[derive(Debug)]
enum Failed {
    Heap(Error),
    TooLarge { setting: &'static str, now: Bytes },
    File { path: String, why: std::io::Error },
}

impl From<Error> for Failed {
    fn from(e: Error) -> Failed {
        Failed::Heap(e)
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Heap(e) => e.fmt(f),
            Failed::TooLarge { setting, now } => {
                let most = Bytes(LARGEST);
                write!(f, "a heap of {now} has too many blocks to be seen; set {setting}=1m ({most} at most)")
            }
            Failed::File { path, why } => write!(f, "{path}: {why}"),
        }
    }
}

/// What one step of the course asks for. It depends on the step alone, so that every allocator and every PE
/// goes the same way.
struct Step {
    size: usize,
    /// Which of the live blocks goes, of so many as are kept.
    victim: usize,
}

/// Sizes from a 1024th to a 32nd of the heap, small ones more often.
fn course(heap: Bytes) -> impl Iterator<Item = Step> {
    let unit = (heap.0 / UNITS).max(1);
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    };
    (0..STEPS).map(move |_| {
        let scale = 1 << (random() % 5);
        Step { size: (unit * (scale + random() % scale)) as usize, victim: random() as usize }
    })
}

/// Blocks that are kept while together they are at most half of the heap.
struct Kept<B> {
    blocks: VecDeque<(usize, B)>,
    bytes: usize,
    most: usize,
}

impl<B> Kept<B> {
    fn new(heap: Bytes) -> Kept<B> {
        Kept { blocks: VecDeque::new(), bytes: 0, most: heap.0 as usize / 2 }
    }

    /// Makes room for the step by dropping what it names.
    fn make_room(&mut self, step: &Step) {
        while self.bytes + step.size > self.most && !self.blocks.is_empty() {
            let victim = step.victim % self.blocks.len();
            self.bytes -= self.blocks.swap_remove_back(victim).map_or(0, |(size, _)| size);
        }
    }

    fn keep(&mut self, size: usize, block: B) {
        self.bytes += size;
        self.blocks.push_back((size, block));
    }
}

fn heapmap(world: &World) -> Result<(), Failed> {
    let (mut own, mut file) = (false, None);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--own" => own = true,
            _ => file = Some(argument),
        }
    }
    let (reach, setting) =
        if own { (Reach::Pe, "SHMEM_HEAP_PE_SIZE") } else { (Reach::World, "SHMEM_SYMMETRIC_SIZE") };
    let heap = world.heap_row(reach).len;
    if heap.0 > LARGEST {
        return Err(Failed::TooLarge { setting, now: heap });
    }
    let rows = if own { after_own_course(world, heap)? } else { after_course(world, heap)? };
    let Some(rows) = rows else { return Ok(()) };
    let differ: Vec<u32> = rows.iter().filter(|r| r.blocks != rows[0].blocks).map(|r| r.pe.0).collect();
    let expected: &[u32] = if own && rows.len() > 1 { &[1] } else { &[] };
    assert_eq!(differ, expected, "the PEs whose blocks differ from those of PE 0");

    print!("{}", map::text(&rows, 96));
    if let Some(path) = file {
        let what = if own { "space of one PE" } else { "symmetric heap" };
        let title = format!("{} as {} leaves it after {STEPS} steps", what, world.component(reach));
        let drawn = std::fs::write(&path, map::svg(&title, &rows, UNITS as u32));
        drawn.map_err(|why| Failed::File { path, why })?;
    }
    Ok(())
}

/// Collective: the course in the symmetric heap.
fn after_course(world: &World, heap: Bytes) -> Result<Option<Vec<Row>>, Error> {
    let mut kept = Kept::new(heap);
    for step in course(heap) {
        kept.make_room(&step);
        kept.keep(step.size, world.alloc::<u8>(step.size)?);
    }
    world.reclaim()?;
    gather(world, world.heap_row(Reach::World))
}

/// The course in the space of each PE, and the picture of all.
fn after_own_course(world: &World, heap: Bytes) -> Result<Option<Vec<Row>>, Error> {
    let (mut kept, mut more) = (Kept::new(heap), None);
    for (i, step) in course(heap).enumerate() {
        kept.make_room(&step);
        kept.keep(step.size, world.alloc_own::<u8>(step.size, Near::Any)?);
        if i == STEPS - 20 && world.pe() == 1 {
            more = Some(world.alloc_own::<u8>(1000, Near::Any)?);
        }
    }
    let row = world.heap_row(Reach::Pe);
    drop(more);
    gather(world, row)
}

/// A block as it travels.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Sent {
    at: u64,
    len: u64,
    live: u64,
}

/// Collective: PE 0 gets the rows of all PEs.
fn gather(world: &World, mine: Row) -> Result<Option<Vec<Row>>, Error> {
    let count = {
        let mut count = world.alloc_at::<u64>(1, Reach::Host, Near::Any)?;
        count[0] = mine.blocks.len() as u64;
        world.share(&count, |phase, count| {
            (0..phase.n_pes()).map(|pe| count.get_one(pe, 0) as usize).collect::<Vec<_>>()
        })
    };
    let most = count.iter().copied().max().unwrap_or(0);
    let mut sent = world.alloc_at::<Sent>(most, Reach::Host, Near::Any)?;
    for (slot, b) in sent.iter_mut().zip(&mine.blocks) {
        *slot = Sent { at: b.at.0, len: b.len.0, live: u64::from(b.state == BlockState::Live) };
    }
    Ok(world.share(&sent, |phase, sent| {
        if phase.pe() != 0 {
            return None;
        }
        let row = |(pe, count): (usize, &usize)| {
            let mut blocks = vec![Sent::zeroed(); *count];
            sent.get(pe, 0, &mut blocks);
            let block = |s: Sent| {
                let state = if s.live == 1 { BlockState::Live } else { BlockState::Free };
                Block { at: Offset(s.at), len: Bytes(s.len), state }
            };
            Row::new(PeId(pe as u32), mine.start, mine.len, blocks.into_iter().map(block))
        };
        Some(count.iter().enumerate().map(row).collect())
    }))
}
