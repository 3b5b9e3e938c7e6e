//! A linked list that spans all PEs. Each PE has a thousand nodes in its own heap, and all of them push
//! theirs at once, by compare-and-swap on the one head. `list NODES` gives each PE that many.
//!
//! ```text
//!   PE 0   head ──────────────────┐       nodes [ · │ · │ · ] ◄──┐
//!   PE 1   nodes [ · │ · │ · ] ◄──┼──────────────────│──────────┐│
//!   PE 2   nodes [ · │ · │ · ] ◄──┘  node.next: any node of any PE, or null
//! ```
//!
//! Then every PE walks it from the head to the end: every node must come exactly once, each PE's own in
//! the reverse of the order in which it pushed them.

use std::process::ExitCode;

use bytemuck::{Pod, Zeroable};
use shmem_api::{Error, GlobalPtr, World};

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Node {
    next: GlobalPtr<Node>,
    value: u64,
}

fn main() -> ExitCode {
    shmem_api::run(list)
}

fn list(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let each: usize = std::env::args().nth(1).map_or(Ok(1000), |a| a.parse()).expect("NODES is a number");
    let value = |pe: usize, i: usize| (pe * each + i) as u64;
    let mut head = world.alloc_one(GlobalPtr::<Node>::NULL)?;
    let mut nodes = world.alloc_with(each, |i| Node { next: GlobalPtr::NULL, value: value(me, i) })?;

    world.share((&mut head, &mut nodes), |phase, (head, nodes)| {
        for i in 0..each {
            let mine = nodes.global(me, i);
            let mut first = head.fetch(0, 0);
            loop {
                mine.put(&nodes, Node { next: first, value: value(me, i) });
                // The node is there before the head leads to it.
                phase.fence();
                match head.compare_swap(0, 0, first, mine) {
                    old if old == first => break,
                    newer => first = newer,
                }
            }
        }
    });

    let (mut left, mut sum, mut changes, mut last) = (vec![each; n], 0, 0, me);
    world.share((&head, &nodes), |_, (head, nodes)| {
        let mut next = head.get_one(0, 0);
        while !next.is_null() {
            let (pe, i) = nodes.locate(next).expect("a link leads to a node");
            let node = next.get(&nodes);
            assert!(i + 1 == left[pe] && node.value == value(pe, i), "node {i} of PE {pe} is out of turn");
            left[pe] = i;
            sum += node.value;
            changes += u64::from(pe != last);
            (next, last) = (node.next, pe);
        }
    });

    let all = (n * each) as u64;
    assert!(left.iter().all(|nodes| *nodes == 0), "not in the list, by PE: {left:?}");
    assert_eq!(sum, all * all.saturating_sub(1) / 2, "the sum of the values");
    if me == 0 {
        eprintln!("list: {all} nodes of {n} PEs, each once; the list goes to another PE {changes} times");
    }
    Ok(())
}
