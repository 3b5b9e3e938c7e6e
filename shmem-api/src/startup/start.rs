//! One start of the library, in the order of DESIGN's life.
//!
//! ```text
//!   settings ─► boot ─► hello ─► budget ─► segment ─► spaces ─► ready ─► Engine
//!                       (equal?) (least)   (base,     (one      (equal?)
//!                                           peers)     component each)
//! ```
//!
//! Every step in which a PE can fail is an exchange in which it says so, so nobody waits for a PE that
//! has given up; every input that decides an offset is compared or agreed on here.
#![allow(unsafe_code)]

use crate::process::private::{AtomicBool, Ordering};
use std::time::Duration;

use bytemuck::{Pod, Zeroable};
use memheap::place::Reach;
use memheap::region::kept::Streams;
use memheap::settings::{self, Settings};
use memheap::{Bytes, Component, PeId};

use crate::boot;
use crate::boot::step::step;
use crate::boot::text::{unpadded, whole};
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::serial::Serial;
use crate::exit::watchdog::Watchdog;
use crate::heap::{self, DropQueue};
use crate::node::control_block::TeamSlots;
use crate::node::layout::{Layout, Sizes};
use crate::node::segment::{Segment, Terms};
use crate::node::static_data::StaticData;
use crate::node::{Node, numa};
use crate::process::limits::{self, Limits};
use crate::process::others::Before;
use crate::process::system::numa_node;
use crate::startup::heap_size::agree_on_heap;
use crate::startup::hello::say_hello;
use crate::startup::hosts;
use crate::startup::info::{self, Started};
use crate::startup::process_exit::watch_process_exit;
use crate::startup::single_instance;
use crate::statics;
use crate::sync::wait::Policy;
use crate::team::active_set::ActiveSets;
use crate::team::contexts::Slots;
use crate::team::table::Teams;
#[cfg(feature = "testing")]
use crate::transport::loopback;
use crate::transport::served;
use crate::types::thread_level::{self, Asked};

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Ready {
    components: [u8; 256],
    reservations: u64,
}

/// Collective over the job. The engine is not published yet.
pub(crate) fn start(asked: Asked, components: &[&dyn Component]) -> Result<Engine, Error> {
    // So that nothing that is opened here becomes a standard stream, MPI's files neither.
    let streams = Streams::hold().map_err(|e| Error::Boot(format!("standing in for a closed stream: {e}")));
    let before = Before::look();
    // While there is one thread and no MPI.
    let statics = statics::remap();
    let settings = streams.as_ref().map_err(Clone::clone).and_then(|_| single_instance::check());
    let settings = settings.and_then(|()| Ok(Settings::from_env()?));
    let mut joined = boot::join()?;
    let boot = joined.get();
    watch_process_exit();
    let (me, n_pes, most) = (boot.pe(), boot.n_pes(), boot.level());

    let (hello, crowded) = say_hello(boot, asked, settings.as_ref().map_err(Clone::clone))?;
    let settings = settings?;
    let hosts = hello.fake_hosts().map_or_else(|| boot.hosts().clone(), |shape| boot.hosts().cut(&shape));
    // Who shares memory: the tests' loopback takes PEs of this host for those of others.
    #[cfg(feature = "testing")]
    let sharing = loopback::hosts(n_pes).unwrap_or_else(|| hosts.clone());
    #[cfg(not(feature = "testing"))]
    let sharing = hosts.clone();
    let slots = TeamSlots { n: hello.teams as usize, on_hosts: sharing.are_several() };
    let budget = agree_on_heap(boot, &settings, hello, slots)?;

    let sizes: Sizes = [budget.heap.0, hello.host_size, hello.dma_size, hello.pe_size].map(Bytes);
    let advice = limits::advice(&settings, budget.heap);
    let layout = Layout::plan(&sizes, slots, &advice)?;
    let prealloc = settings.is_on(&settings::HEAP_PREALLOC);
    let dump = settings.is_on(&settings::HEAP_DUMP);
    let terms = Terms { prealloc, dump, advice: &advice };
    let here = boot.hosts().beside(me).len() as u32;
    #[cfg_attr(not(feature = "testing"), expect(unused_mut))]
    let mut segment = Segment::establish(boot, &hosts, &layout, slots, &terms)?;
    #[cfg_attr(not(feature = "testing"), expect(unused_mut))]
    let mut statics = StaticData::establish(boot, &hosts, statics)?;
    if hosts.are_several() {
        hosts::connect(boot, &settings, &hosts, crowded)?;
    }
    let window = layout.window(Reach::World);
    let spread =
        numa::spread(segment.table()[me.0 as usize].heap.wrapping_add(window.0.0 as usize), window.1, here);

    let spaces = heap::select(components, &settings, &layout, true).map_err(|e| match e {
        // Their tables did not fit.
        Error::NoComponent(none) if Limits::here().of_space() => {
            Error::Memory { pe: me, len: layout.len, why: format!("{none}; {advice}") }
        }
        e => e,
    });
    let reservations = segment.internals().layout.digest().0;
    let mine = |(heap, ..): &(heap::Heap, _, _)| {
        let components = whole(me, "the list of the allocators", &heap.components())?;
        Ok(Ready { components, reservations })
    };
    #[cfg(feature = "testing")]
    {
        let is_far = |pe| loopback::hosts(n_pes).is_some_and(|hosts| !hosts.share(me, pe));
        let waiters = segment.internals().waiters();
        loopback::install(segment.give_up(is_far), &statics.give_up(is_far), waiters);
    }
    if hosts.are_several() {
        let of = |pe| {
            let mut served = segment.served(pe);
            served.stretches.extend(statics.stretches(pe));
            served
        };
        // SAFETY: SERVED-E1: mapped until `Engine::close`, which tells the transport; the segment says where its waiters are.
        unsafe { served::serve((0..n_pes).map(PeId).map(of).collect()) };
    }
    let peers = segment.table().into_boxed_slice();
    // SAFETY: NODE-N1: what is made of them here is declared after the segment, so goes before it; then the node has all of it.
    let (own, controls) = unsafe { segment.controls() };
    let watchdog = Watchdog::start(me, &controls);
    let well = watchdog.as_ref().map_err(Clone::clone).and(spaces.as_ref().map_err(Clone::clone));
    let ready = step(boot, well.and_then(mine))?;
    let (heap, local, guards) = spaces?;
    let watchdog = watchdog?;
    if let Some(watchdog) = &watchdog {
        watchdog.watch();
    }
    if let Some(pe) = ready.iter().position(|r| r.components != ready[me.0 as usize].components) {
        let (here, there) = (unpadded(&ready[me.0 as usize].components), unpadded(&ready[pe].components));
        let item = "the choice of allocators";
        return Err(Error::StartDiffers { item, me, here, pe: PeId(pe as u32), there });
    }
    if let Some(pe) = ready.iter().position(|r| r.reservations != reservations) {
        let (here, there) = (format!("{reservations:016x}"), format!("{:016x}", ready[pe].reservations));
        let item = "the layout of the runtime's reservations";
        return Err(Error::StartDiffers { item, me, here, pe: PeId(pe as u32), there });
    }
    if me.0 == 0 {
        info::at_start(&Started {
            settings: &settings,
            segment: &segment,
            statics: &statics,
            layout: &layout,
            heap: &heap,
            local: &local,
            budget: &budget,
            spread: spread.as_ref(),
            hosts: &hosts,
        });
    }

    thread_level::put_in_force(asked.level.min(most));
    if settings.is_on(&settings::DEBUG) {
        info::of_this_pe(me, &segment, &statics);
    }
    let report = settings.count(&settings::HANG_REPORT).map(Duration::from_secs);
    own.life.node.store(numa_node(), Ordering::Relaxed);
    let no_slots = || Error::Boot("a job has at least one PE, and a PE at least two team slots".into());
    let teams = Teams::new(me, &controls, &sharing).ok_or_else(no_slots)?;
    let sets = ActiveSets::new(&own);
    let node = Node {
        me,
        n_pes,
        policy: Policy::new(crowded, report),
        diverged: AtomicBool::new(false),
        thread: rustix::thread::gettid(),
        most,
        peers,
        own,
        controls,
        hosts: sharing,
        layout,
        numa_nodes: spread.map(|(_, nodes)| nodes).unwrap_or_default(),
        others: before.started(),
        segment,
        statics,
    };
    Ok(Engine {
        drops: DropQueue::default(),
        quiet_heap: settings.is_on(&settings::HEAP_QUIET),
        heap: Serial::new("the heap", heap),
        guards,
        local: Serial::new("this PE's own heap", local),
        contexts: Serial::new("contexts", Slots::default()),
        teams,
        sets,
        watchdog,
        node,
    })
}
