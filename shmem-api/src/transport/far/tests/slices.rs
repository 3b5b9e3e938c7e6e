//! The seam's calls on slices. Their far ends may be anywhere: what lies outside is refused there.

use crate::transport::far::Far;
use crate::transport::{FarBlocks, FarTarget, Transport};
use crate::types::amo::AmoOp;

/// How many bytes blocks take that lie `stride` apart.
fn span(stride: usize, blocks: FarBlocks) -> usize {
    (blocks.n - 1) * stride + blocks.len
}

pub(super) fn put(far: &Far, to: FarTarget, from: &[u8]) {
    // SAFETY: TRANSPORT-T3: the slice; TRANSPORT-T1 is looked at there.
    unsafe { far.put(to, from.as_ptr(), from.len()) }
}

pub(super) fn put_word(far: &Far, to: FarTarget, word: u64) {
    put(far, to, &word.to_le_bytes());
}

pub(super) fn get(far: &Far, to: &mut [u8], from: FarTarget) {
    // SAFETY: TRANSPORT-T3: the slice; TRANSPORT-T1 is looked at there.
    unsafe { far.get(to.as_mut_ptr(), from, to.len()) }
}

pub(super) fn put_blocks(far: &Far, to: FarTarget, from: &[u8], blocks: FarBlocks) {
    assert!(span(blocks.strides[1], blocks) <= from.len());
    // SAFETY: TRANSPORT-T3: inside the slice; TRANSPORT-T1 is looked at there.
    unsafe { far.put_blocks(to, from.as_ptr(), blocks) }
}

pub(super) fn get_blocks(far: &Far, to: &mut [u8], from: FarTarget, blocks: FarBlocks) {
    assert!(span(blocks.strides[0], blocks) <= to.len());
    // SAFETY: TRANSPORT-T3: inside the slice; TRANSPORT-T1 is looked at there.
    unsafe { far.get_blocks(to.as_mut_ptr(), from, blocks) }
}

pub(super) fn put_signal(far: &Far, to: FarTarget, from: &[u8], signal: FarTarget, op: AmoOp<u64>) {
    // SAFETY: TRANSPORT-T3: the slice; TRANSPORT-T1 is looked at there.
    unsafe { far.put_signal(to, from.as_ptr(), from.len(), signal, op) }
}
