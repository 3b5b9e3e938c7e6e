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

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytemuck::{Pod, Zeroable};
use memheap::budget::{self, Excess, Proposal, Wish, host_facts};
use memheap::place::Reach;
use memheap::region::kept::Streams;
use memheap::settings::{self, Settings};
use memheap::{Bytes, Component, Offset, PeId};

use crate::boot;
use crate::boot::Boot;
use crate::boot::step::step;
use crate::coll::active_set::ActiveSets;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::serial::Serial;
use crate::exit::watchdog::Watchdog;
use crate::heap;
use crate::heap::DropQueue;
use crate::node::control_block::{ControlBlock, ControlLayout};
use crate::node::layout::{Layout, Sizes};
use crate::node::numa;
use crate::node::segment::{Segment, Terms};
use crate::node::static_data::StaticData;
use crate::process::limits;
use crate::process::limits::Limits;
use crate::raw::Slots;
use crate::startup::info;
use crate::startup::info::Started;
use crate::startup::init_count::Asked;
use crate::startup::single_instance;
use crate::sync::wait::Policy;
use crate::sync::wait::cores::Cores;
use crate::team::table::Teams;
use crate::types::thread_level;
use crate::{exit, statics};
use std::sync::atomic::Ordering;

/// What a PE says first: what must be equal on all of them.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Hello {
    host: Host,
    /// The size of the user's heap if it was given, else `u64::MAX`.
    size: u64,
    host_size: u64,
    dma_size: u64,
    pe_size: u64,
    check: u64,
    teams: u64,
    cores: Cores,
    /// The settings that decide how blocks are laid out, as text.
    deciding: [u8; 512],
}

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
    let before = exit::Before::look();
    // While there is one thread and no MPI.
    let statics = statics::remap();
    let settings = streams.as_ref().map_err(Clone::clone).and_then(|_| single_instance::check());
    let settings = settings.and_then(|()| Ok(Settings::from_env()?));
    let mut joined = boot::join()?;
    let boot = joined.get();
    exit::watch_process_exit();
    let (me, n_pes, most) = (boot.pe(), boot.n_pes(), boot.level());

    let (hello, crowded) = say_hello(boot, asked, settings.as_ref().map_err(Clone::clone))?;
    let settings = settings?;
    let budget = agree_on_heap(boot, &settings, hello)?;

    let sizes: Sizes = [budget.heap.0, hello.host_size, hello.dma_size, hello.pe_size].map(Bytes);
    let advice = limits::advice(&settings, budget.heap);
    let layout = Layout::plan(&sizes, hello.teams as usize, &advice)?;
    let internals = ControlLayout::reserve(layout.internals, Offset(layout.len.0), hello.teams as usize)?;
    let prealloc = settings.is_on(&settings::HEAP_PREALLOC);
    let dump = settings.is_on(&settings::HEAP_DUMP);
    let segment = Segment::establish(boot, &layout, &Terms { prealloc, dump, advice: &advice })?;
    let statics = StaticData::establish(boot, statics)?;
    let window = layout.window(Reach::World);
    let spread =
        numa::spread(segment.table()[me.0 as usize].heap.wrapping_add(window.0.0 as usize), window.1, n_pes);

    let spaces = heap::select(components, &settings, &layout, true).map_err(|e| match e {
        // Their tables did not fit.
        Error::NoComponent(none) if limits::Limits::here().of_space() => {
            Error::Memory { pe: me, len: layout.len, why: format!("{none}; {advice}") }
        }
        e => e,
    });
    let reservations = internals.layout.digest().0;
    let mine = |(heap, ..): &(heap::Heap, _, _)| {
        let components = whole(me, "the list of the allocators", &heap.components())?;
        Ok(Ready { components, reservations })
    };
    let peers = segment.table().into_boxed_slice();
    // SAFETY: N1 of the engine: segments are mapped as long as it lives, zero at first, and laid out so.
    let controls: Box<[ControlBlock<'static>]> =
        peers.iter().map(|p| unsafe { internals.control(p.heap) }).collect();
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
            internals: &internals,
            heap: &heap,
            local: &local,
            budget: &budget,
            spread: spread.as_ref(),
            n_pes,
        });
    }

    thread_level::put_in_force(asked.level.min(most));
    if settings.is_on(&settings::DEBUG) {
        info::of_this_pe(me, &segment, &statics);
    }
    let report = settings.count(&settings::HANG_REPORT).map(Duration::from_secs);
    controls[me.0 as usize].life.node.store(numa::current_node(), Ordering::Relaxed);
    let no_slots = || Error::Boot("a job has at least one PE, and a PE at least two team slots".into());
    let teams = Teams::new(me, &controls).ok_or_else(no_slots)?;
    let sets = ActiveSets::new(&controls[me.0 as usize]);
    Ok(Engine {
        me,
        n_pes,
        policy: Policy::new(crowded, report),
        drops: DropQueue::default(),
        quiet_heap: settings.is_on(&settings::HEAP_QUIET),
        heap: Serial::new("the heap", heap),
        guards,
        local: Serial::new("this PE's own heap", local),
        diverged: AtomicBool::new(false),
        thread: rustix::thread::gettid(),
        most,
        watchdog,
        peers,
        controls,
        layout,
        nodes: spread.map(|(_, nodes)| nodes).unwrap_or_default(),
        contexts: Serial::new("contexts", Slots::default()),
        teams,
        sets,
        others: before.started(),
        segment,
        statics,
    })
}

/// Compares what must be equal on all PEs, and says whether they share cores.
fn say_hello(
    boot: &mut dyn Boot,
    asked: Asked,
    settings: Result<&Settings, Error>,
) -> Result<(Hello, bool), Error> {
    let (me, got) = (boot.pe(), boot.level());
    let mine = settings.and_then(|s| match asked.needed && got < asked.level {
        true => Err(Error::ThreadLevel { asked: asked.level, got }),
        false => Hello::of(me, s),
    });
    let all = step(boot, mine.clone())?;
    let mine = mine?;
    let odd = |differs: &dyn Fn(&Hello) -> bool| all.iter().position(differs).map(|pe| PeId(pe as u32));
    if let Some(pe) = odd(&|h| h.host.differs(&mine.host)) {
        return Err(Error::Boot(format!(
            "PE {pe} is on another host than PE {me}; this version runs on one host: start all PEs on one"
        )));
    }
    if let Some(pe) = odd(&|h| h.host.contained_elsewhere(&mine.host)) {
        return Err(Error::Boot(format!(
            "PE {pe} is in another process namespace (container) than PE {me}: start all PEs in one"
        )));
    }
    if let Some(pe) = odd(&|h| h.deciding != mine.deciding) {
        let (here, there) = (unpadded(&mine.deciding), unpadded(&all[pe.0 as usize].deciding));
        return Err(Error::StartDiffers {
            item: "the choice of allocators by settings",
            me,
            here,
            pe,
            there,
        });
    }
    type Field = fn(&Hello) -> u64;
    let counts: [(&'static str, Field); 2] =
        [(settings::HEAP_CHECK.name, |h| h.check), (settings::TEAMS.name, |h| h.teams)];
    for (item, field) in counts {
        if let Some(pe) = odd(&|h| field(h) != field(&mine)) {
            let (here, there) = (field(&mine).to_string(), field(&all[pe.0 as usize]).to_string());
            return Err(Error::StartDiffers { item, me, here, pe, there });
        }
    }
    let fields: [(&'static str, Field); 4] = [
        (settings::SYMMETRIC_SIZE.name, |h| h.size),
        (settings::HEAP_HOST_SIZE.name, |h| h.host_size),
        (settings::HEAP_DMA_SIZE.name, |h| h.dma_size),
        (settings::HEAP_PE_SIZE.name, |h| h.pe_size),
    ];
    for (item, field) in fields {
        if let Some(pe) = odd(&|h| field(h) != field(&mine)) {
            let text = |n: u64| if n == u64::MAX { "not set".into() } else { Bytes(n).to_string() };
            let (here, there) = (text(field(&mine)), text(field(&all[pe.0 as usize])));
            return Err(Error::StartDiffers { item, me, here, pe, there });
        }
    }
    Ok((mine, Cores::are_crowded(&all.iter().map(|h| h.cores).collect::<Vec<_>>())))
}

/// The heap's size, and how it came about.
pub(crate) struct Budget {
    pub(crate) heap: Bytes,
    /// What this host proposed, where the size was not given.
    pub(crate) proposal: Option<Proposal>,
    /// The limit of the process that made it less than proposed.
    pub(crate) limit: Option<String>,
    /// By how much a given size is more than what is free.
    pub(crate) excess: Option<Excess>,
    /// What the host had free before anything was mapped.
    pub(crate) free_before: Bytes,
}

/// The size that was given; or the least of what the PEs propose.
fn agree_on_heap(boot: &mut dyn Boot, settings: &Settings, hello: Hello) -> Result<Budget, Error> {
    let me = boot.pe();
    let mine = budget_here(me, boot.n_pes(), settings, &hello);
    let all = step(boot, mine.as_ref().map(|b| b.heap.0).map_err(Clone::clone))?;
    let least = all.into_iter().min().map(Bytes);
    let mine = mine?;
    Ok(Budget { heap: least.unwrap_or(mine.heap), ..mine })
}

fn budget_here(me: PeId, n_pes: u32, settings: &Settings, hello: &Hello) -> Result<Budget, Error> {
    let size = hello.size;
    let overcommitted = |why: String| Error::Overcommitted { pe: me, why };
    let facts = host_facts().map_err(|e| overcommitted(e.to_string()))?;
    if size != u64::MAX {
        let excess = budget::fits(&facts, n_pes, Bytes(size)).err();
        let strict = settings.is_on(&settings::HEAP_PREALLOC) || !settings.is_on(&settings::HEAP_OVERCOMMIT);
        return match excess {
            Some(e) if strict => Err(overcommitted(e.to_string())),
            _ => Ok(Budget {
                heap: Bytes(size),
                proposal: None,
                excess,
                limit: None,
                free_before: facts.free(),
            }),
        };
    }
    let wish = settings.size(&settings::HEAP_BUDGET).map_or(Wish::Default, Wish::OfHost);
    let proposal = budget::propose(&facts, n_pes, wish);
    if proposal.because == budget::Because::Nothing {
        return Err(overcommitted(proposal.to_string()));
    }
    // What there is beside the user's heap, in big pages and with the runtime's part.
    let beside = Layout::plan(
        &[0, hello.host_size, hello.dma_size, hello.pe_size].map(Bytes),
        hello.teams as usize,
        "",
    );
    let limited = |why: String| Error::Overcommitted { pe: me, why };
    let (heap, limit) = match Limits::here().heap(n_pes, beside?.len).map_err(limited)? {
        Some((most, why)) if most < proposal.heap => (most, Some(why)),
        _ => (proposal.heap, None),
    };
    Ok(Budget { heap, proposal: Some(proposal), excess: None, limit, free_before: facts.free() })
}

impl Hello {
    fn of(me: PeId, settings: &Settings) -> Result<Hello, Error> {
        let host = memheap::region::host_memory();
        let size = |setting| settings.size(setting).map_or(u64::MAX, |s| s.resolve(host));
        Ok(Hello {
            host: Host::here(),
            size: size(&settings::SYMMETRIC_SIZE),
            host_size: size(&settings::HEAP_HOST_SIZE),
            dma_size: size(&settings::HEAP_DMA_SIZE),
            pe_size: size(&settings::HEAP_PE_SIZE),
            check: settings.count(&settings::HEAP_CHECK).unwrap_or(1),
            teams: settings.count(&settings::TEAMS).unwrap_or(0),
            cores: Cores::here(),
            deciding: whole(me, "the choice of allocators by settings", &settings.deciding())?,
        })
    }
}

/// Text of which every byte is compared between PEs.
fn whole<const N: usize>(me: PeId, what: &str, text: &str) -> Result<[u8; N], Error> {
    if text.len() > N {
        let len = text.len();
        return Err(Error::Boot(format!(
            "PE {me}: {what} takes {len} bytes of text, more than {N}: shorten it"
        )));
    }
    Ok(padded(text))
}

/// Text as PEs show it to each other; what does not fit is cut.
pub(crate) fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let n = text.len().min(N);
    bytes[..n].copy_from_slice(&text.as_bytes()[..n]);
    bytes
}

pub(crate) fn unpadded(bytes: &[u8]) -> String {
    match String::from_utf8_lossy(bytes).trim_end_matches('\0') {
        "" => "not set".to_owned(),
        text => text.to_owned(),
    }
}

/// What distinguishes hosts.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Host {
    /// The kernel that runs, since it started; empty where that cannot be read.
    boot: [u8; 40],
    name: [u8; 64],
    /// The process numbers it sees; empty where that cannot be read.
    pids: [u8; 32],
}

impl Host {
    fn here() -> Host {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let pids = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Host { boot: padded(boot.trim()), name: padded(&name), pids: padded(&pids.to_string_lossy()) }
    }

    /// Whether this is another host than `other`. Where one of them cannot say, names count; and what takes one host,
    /// the passing of files, fails with its own reason.
    fn differs(&self, other: &Host) -> bool {
        let known = self.boot[0] != 0 && other.boot[0] != 0;
        if known { self.boot != other.boot } else { self.name != other.name }
    }

    /// Whether this numbers processes otherwise than `other`, on the same host.
    fn contained_elsewhere(&self, other: &Host) -> bool {
        self.pids[0] != 0 && other.pids[0] != 0 && self.pids != other.pids
    }
}
