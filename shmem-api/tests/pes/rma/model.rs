//! What a put or a get is, said once more with plain copies between vectors.
//!
//! ```text
//!   source of the origin   [..AA.B.B.B..CCC...]     Move: blocks of `len` elements, `n` of them, at
//!        │ Move, Move, ...                                `from` and `to`, strides apart
//!        ▼
//!   region of the origin in the target's area   [.AA..B..B..B.CCC..]   one element free after each
//! ```
//!
//! Each PE knows what each other PE does, so it computes what its own memory must hold, bytes that nobody
//! may touch included.

use shmem_api::testing::Random;

/// Blocks copied from one place to another; lengths and places in elements.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    pub shape: Shape,
    pub to: usize,
    pub from: usize,
}

/// What is moved: with which family of routines, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One element by value.
    One,
    /// `n` in a row.
    Row(usize),
    /// Single elements `[dst, sst]` apart.
    Strided([usize; 2], usize),
    /// Blocks of this length, `[dst, sst]` apart, as many.
    Blocks([usize; 2], usize, usize),
}

/// Odd, even, none, one, large; strides equal and not; blocks that touch on both sides, on one, on none.
pub const SHAPES: &[Shape] = &[
    Shape::One,
    Shape::Row(0),
    Shape::Row(1),
    Shape::Row(2),
    Shape::Row(3),
    Shape::Row(4),
    Shape::Row(7),
    Shape::Row(8),
    Shape::Row(64),
    Shape::Row(3001),
    Shape::Strided([1, 1], 0),
    Shape::Strided([2, 9], 1),
    Shape::Strided([1, 1], 5),
    Shape::Strided([2, 1], 7),
    Shape::Strided([1, 3], 6),
    Shape::Strided([5, 7], 13),
    Shape::Strided([3, 3], 257),
    Shape::Blocks([4, 4], 3, 0),
    Shape::Blocks([4, 4], 0, 3),
    Shape::Blocks([1, 1], 1, 5),
    Shape::Blocks([7, 9], 1, 3),
    Shape::Blocks([3, 3], 3, 4),
    Shape::Blocks([4, 3], 3, 4),
    Shape::Blocks([2, 5], 2, 5),
    Shape::Blocks([9, 8], 4, 3),
    Shape::Blocks([70, 64], 33, 5),
    Shape::Blocks([3, 5], 3, 1),
];

impl Shape {
    /// `[dst, sst]`, elements of a block, blocks.
    fn blocks(self) -> ([usize; 2], usize, usize) {
        match self {
            Shape::One => ([1, 1], 1, 1),
            Shape::Row(n) => ([n, n], n, 1),
            Shape::Strided(strides, n) => (strides, 1, n),
            Shape::Blocks(strides, len, n) => (strides, len, n),
        }
    }

    /// Elements from the first to the last, at the target and at the source.
    fn extents(self) -> [usize; 2] {
        let (strides, len, n) = self.blocks();
        strides.map(|stride| if n == 0 { 0 } else { (n - 1) * stride + len })
    }
}

/// The moves of a list of shapes, one behind the other in the target; and the elements of the target and of
/// the source that they need.
pub fn lay_out(shapes: impl Iterator<Item = Shape>) -> (Vec<Move>, usize, usize) {
    let (mut at, mut sources) = (1, 0);
    let mut moves = Vec::new();
    for shape in shapes {
        let [to, from] = shape.extents();
        let m = Move { shape, to: at, from: moves.len() % 11 };
        at += to + 1;
        sources = sources.max(m.from + from);
        moves.push(m);
    }
    (moves, at, sources)
}

/// The move, done with plain copies; `size` is that of an element.
pub fn apply(m: &Move, size: usize, to: &mut [u8], from: &[u8]) {
    let ([dst, sst], len, n) = m.shape.blocks();
    for block in 0..n {
        let (t, f) = ((m.to + block * dst) * size, (m.from + block * sst) * size);
        to[t..t + len * size].copy_from_slice(&from[f..f + len * size]);
    }
}

/// Bytes that differ from those of every other seed nearly everywhere.
pub fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = vec![0; len];
    for word in bytes.chunks_mut(8) {
        word.copy_from_slice(&random.next().to_ne_bytes()[..word.len()]);
    }
    bytes
}
