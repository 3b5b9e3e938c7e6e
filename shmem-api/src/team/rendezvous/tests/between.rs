//! PEs as threads whose hosts reach each other over a simulated network only: messages are delayed and overtake each other.
//!
//! Invariant: **BETWEEN-B1** segments are made of atomics, and stay as long as they are served.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::thread::JoinHandle;

use memheap::PeId;

use super::Segments;
use crate::process::private::{AtomicBool, Ordering};
use crate::transport::far::execute::Memory;
use crate::transport::far::hosts::Hosts;
use crate::transport::far::message::Secret;
use crate::transport::far::{Far, Parts};
use crate::transport::part::FarPart;
use crate::transport::sim::Net;
use crate::types::host_of::HostOf;

/// Of a place in a segment: the bits below are those within one of its kind.
const KIND: u32 = 20;

/// The way to the other hosts, of each PE, and the threads that serve.
pub(super) struct Between {
    fars: Vec<&'static Far>,
    stop: Arc<AtomicBool>,
    servers: Vec<JoinHandle<()>>,
}

impl Between {
    pub(super) fn new(segments: &Arc<Segments>, hosts: &HostOf, seed: u64) -> Between {
        // The longest message that is copied.
        let net = Net::new(seed, hosts.as_slice().len(), [256, 1024, 4096][seed as usize % 3]);
        let far = |pe: u32| {
            let parts = Parts {
                wire: net.wire(PeId(pe)),
                memory: Box::new(OfHost {
                    segments: segments.clone(),
                    hosts: hosts.clone(),
                    here: hosts.of(PeId(pe)),
                }),
                hosts: Hosts::new(PeId(pe), hosts.as_slice()),
                secret: Secret([3; 16]),
                lost: Box::new(|pe, why| panic!("PE {pe} is lost: {why}")),
                look_after: Box::new(|| ()),
                link_timeout: None,
                spins: 0,
            };
            &*Box::leak(Box::new(Far::new(parts).expect("the network copies enough")))
        };
        let fars: Vec<&'static Far> = (0..hosts.as_slice().len() as u32).map(far).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let serve = |far: &&'static Far| {
            let (far, stop) = (*far, stop.clone());
            std::thread::spawn(move || far.serve(&stop))
        };
        let servers = fars.iter().map(serve).collect();
        Between { fars, stop, servers }
    }

    /// One of a kind, that of a PE on another host than `me`.
    pub(super) fn part<'m, T>(
        &self,
        hosts: &HostOf,
        kind: usize,
        all: &'m [T],
        [me, other]: [usize; 2],
    ) -> Option<FarPart<'m, T>> {
        let pe = PeId(other as u32);
        let mirror = &all[me];
        let base = std::ptr::from_ref(mirror).addr() - (kind << KIND);
        (!hosts.share(pe, PeId(me as u32))).then_some(FarPart { pe, mirror, base })
    }

    /// This thread is that PE.
    pub(super) fn enter(&self, pe: usize) {
        crate::transport::set_here(self.fars[pe]);
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.fars.iter().for_each(|far| far.stop_serving());
        self.servers.drain(..).for_each(|server| server.join().expect("it serves"));
    }
}

/// The memory of a host.
struct OfHost {
    segments: Arc<Segments>,
    hosts: HostOf,
    here: u32,
}

// SAFETY: FAR-X4 by BETWEEN-B1: within a segment of this host, of which others use the atomics only.
unsafe impl Memory for OfHost {
    fn resolve(&self, pe: PeId, at: u64, len: u64, align: u64) -> Option<*mut u8> {
        let Segments { mailboxes, zones, events } = &*self.segments;
        let pe = Some(pe.0 as usize).filter(|_| self.hosts.of(pe) == self.here)?;
        let (kind, at) = ((at >> KIND) as usize, at as usize & ((1 << KIND) - 1));
        match kind {
            0 => within(&mailboxes[pe], at, len, align),
            1 => within(&zones[pe], at, len, align),
            2 => within(&events[pe], at, len, align),
            _ => None,
        }
    }

    fn ring(&self, _: PeId) {}

    fn gone(&self) {}
}

fn within<T>(it: &T, at: usize, len: u64, align: u64) -> Option<*mut u8> {
    let fits = len > 0 && (at as u64).is_multiple_of(align) && at as u64 + len <= size_of::<T>() as u64;
    fits.then(|| std::ptr::from_ref(it).cast::<u8>().cast_mut().wrapping_add(at))
}
