//! Nearness: which NUMA node the pages of a block should come from.
//!
//! A preference and a local one: it decides about pages, never about offsets, and where the system does
//! not follow it, nothing fails.

use memheap::budget::{Domain, DomainId, Plan, Policy, distribute, host_facts};
use memheap::place::Near;
use memheap::{Align, Bytes};

use crate::node::Node;
use crate::process::system::{Bind, bind_pages};
use std::sync::atomic::Ordering;

/// Asks for the pages of `len` bytes at `at` to come from where `near` says.
pub(crate) fn bring_near(node: &Node, at: *mut u8, len: Bytes, near: Near) {
    let nodes = &node.numa_nodes;
    let (how, mask) = match near {
        Near::Any => return,
        Near::Numa(numa) => (Bind::Prefer, mask_of([numa])),
        // Another host's nodes have numbers of their own.
        Near::Pe(pe) if pe.0 < node.n_pes && node.hosts.share(node.me, pe) => {
            (Bind::Prefer, mask_of([node.control_of(pe).life().field(|l| &l.node).load(Ordering::Relaxed)]))
        }
        Near::Pe(_) => return,
        Near::Interleave => (Bind::Interleave, mask_of(nodes.iter().copied())),
    };
    bind(at, len, how, mask);
}

/// How a window's granules are spread over the host's memory domains, and their pages bound so. `None`
/// where there is one domain, and nothing to choose.
pub(crate) fn spread(window: *mut u8, len: Bytes, pes_on_host: u32) -> Option<(Plan, Vec<u32>)> {
    let facts = host_facts().ok()?;
    let domains = covering(facts.domains(pes_on_host), len);
    let plan = distribute(len, &domains, Align::HUGE, Policy::Proportional);
    let nodes: Vec<u32> = facts.nodes.iter().map(|n| n.node.0).collect();
    if nodes.len() > 1 {
        for piece in plan.place(len) {
            let DomainId(i) = piece.domain;
            bind(
                window.wrapping_add(piece.at.0 as usize),
                piece.len,
                Bind::Prefer,
                mask_of([nodes[i as usize]]),
            );
        }
    }
    Some((plan, nodes))
}

/// The same domains in the same proportions, but large enough for `len` bytes in whole granules. What a domain has
/// free now only weighs: page cache and what others hold are given up while a heap fills.
fn covering(mut domains: Vec<Domain>, len: Bytes) -> Vec<Domain> {
    let granule = Align::HUGE.bytes();
    let have: u128 = domains.iter().map(|d| u128::from(d.usable().0)).sum();
    if have < u128::from(len.0) + domains.len() as u128 * u128::from(granule) {
        for domain in &mut domains {
            let share = match have {
                0 => u128::from(len.0),
                all => (u128::from(domain.usable().0) * u128::from(len.0)).div_ceil(all),
            };
            *domain = Domain::new(Bytes(share as u64 + granule));
        }
    }
    domains
}

fn mask_of(nodes: impl IntoIterator<Item = u32>) -> u64 {
    nodes.into_iter().filter(|n| *n < 64).fold(0, |mask, n| mask | 1 << n)
}

/// The whole pages of the range; a page that is shared with a neighbour keeps its neighbour's place.
fn bind(at: *mut u8, len: Bytes, how: Bind, mask: u64) {
    let page = Align::PAGE.bytes() as usize;
    let start = at.addr().next_multiple_of(page);
    let end = (at.addr() + len.0 as usize) & !(page - 1);
    if start < end && mask != 0 {
        bind_pages(start, end - start, how, mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However little is free, and wherever: every byte of the window has its domain.
    #[test]
    fn shares_add_up_to_the_window() {
        const MIB: u64 = 1 << 20;
        for free in [
            &[0][..],
            &[0, 0],
            &[100],
            &[2200, 0],
            &[1000, 1200],
            &[1, 1, 1, 9000],
            &[40_000, 40_000],
            &[5801, 0],
        ] {
            for len in [1, 4096, 2 * MIB, 3 * MIB + 5, 5800 * MIB, 64 << 30] {
                let domains: Vec<Domain> = free.iter().map(|mib| Domain::new(Bytes(mib * MIB))).collect();
                let plan =
                    distribute(Bytes(len), &covering(domains, Bytes(len)), Align::HUGE, Policy::Proportional);
                let placed: u64 = plan.place(Bytes(len)).iter().map(|piece| piece.len.0).sum();
                assert_eq!(placed, len, "{free:?} MiB free");
            }
        }
    }
}
