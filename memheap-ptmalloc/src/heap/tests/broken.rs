//! Each invariant is broken once or more; `validate` names it.

use super::*;

/// A heap with a live, a binned and a live chunk, the victim, a live chunk, and top.
fn busy() -> (Heap<Copied>, [ChunkId; 5]) {
    let mut heap = heap(1 << 12);
    let mut at = |size| heap.alloc(Bytes(size), Align::DEFAULT).expect("it is empty");
    let [_, b, _, d, _] = [64, 48, 64, 320, 64].map(&mut at);
    heap.free(b).expect("it is live");
    heap.free(d).expect("it is live");
    heap.alloc(Bytes(96), Align::DEFAULT).expect("there is room");
    assert_eq!(heap.view().check(), Ok(()));
    let ids: Vec<ChunkId> = heap.view().walk().map(|(id, _)| id).collect();
    let victim = heap.state.victim;
    let binned = heap.view().members(Bin::of(Granules(3))).next().expect("b is there");
    (heap, [ids[0], binned, ids[2], victim, TOP])
}

#[track_caller]
fn names(heap: &Heap<Copied>, invariant: &str) {
    let violation = heap.view().check().expect_err("it is broken");
    assert_eq!(violation.invariant, invariant, "{violation}");
}

#[test]
fn i1_a_gap() {
    let (mut heap, [first, ..]) = busy();
    heap.chunks.set_size(first, Granules(3));
    names(&heap, "PTM-I1");
}

#[test]
fn i1_a_link_that_does_not_lead_back() {
    let (mut heap, [first, _, third, ..]) = busy();
    heap.chunks.set_prev(third, first);
    names(&heap, "PTM-I1");
}

#[test]
fn i2_two_free_neighbours() {
    let (mut heap, [_, _, third, ..]) = busy();
    let start = heap.chunks.get(third).start;
    heap.chunks.set_start(third, start, false);
    names(&heap, "PTM-I2");
}

#[test]
fn i3_a_start_that_is_not_found() {
    let (mut heap, [first, ..]) = busy();
    heap.starts.0[0] = Copied(first.0 as u32 + 1);
    names(&heap, "PTM-I3");
}

#[test]
fn i3_an_entry_without_a_start() {
    let (mut heap, _) = busy();
    *heap.starts.0.last_mut().expect("it is not empty") = Copied(TOP.0 as u32);
    names(&heap, "PTM-I3");
}

#[test]
fn i4_a_mark_on_an_empty_bin() {
    let (mut heap, _) = busy();
    heap.state.map.set(Bin::of(Granules(50)));
    names(&heap, "PTM-I4");
}

#[test]
fn i5_a_free_chunk_that_is_nowhere() {
    let (mut heap, [_, binned, ..]) = busy();
    heap.arena().unshelve(binned);
    names(&heap, "PTM-I5");
}

#[test]
fn i5_a_chunk_in_the_wrong_bin() {
    let (mut heap, [_, binned, ..]) = busy();
    heap.arena().unshelve(binned);
    heap.arena().shelve(binned, Granules(4));
    names(&heap, "PTM-I5");
}

#[test]
fn i5_a_victim_of_another_size() {
    let (mut heap, _) = busy();
    heap.state.victim_size = Granules(1);
    names(&heap, "PTM-I5");
}

#[test]
fn i6_a_wrong_total() {
    let (mut heap, _) = busy();
    heap.state.idle = Granules(1);
    names(&heap, "PTM-I6");
}

#[test]
fn i6_a_lost_descriptor() {
    let (mut heap, _) = busy();
    heap.arena().acquire();
    heap.chunks.set_size(ChunkId(heap.state.spare.0 - 1), Granules(1));
    names(&heap, "PTM-I6");
}
