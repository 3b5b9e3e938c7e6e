//! What a picture is drawn from.

use crate::component::Block;
use crate::units::{Bytes, Offset, PeId};

/// One PE's heap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Whose heap it is.
    pub pe: PeId,
    /// Where its window starts; blocks are counted from the same origin.
    pub start: Offset,
    /// How long the window is.
    pub len: Bytes,
    /// Its blocks, by ascending offset. What they leave out is drawn as not managed.
    pub blocks: Vec<Block>,
}

impl Row {
    /// A row of the blocks of a [`Module`](crate::Module) or a [`Space`](crate::space::Space).
    pub fn new(pe: PeId, start: Offset, len: Bytes, blocks: impl IntoIterator<Item = Block>) -> Row {
        Row { pe, start, len, blocks: blocks.into_iter().collect() }
    }
}
