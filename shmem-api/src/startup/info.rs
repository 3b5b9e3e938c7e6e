//! What PE 0 says at start: always what is unusual, and with `SHMEM_INFO` everything.
//!
//! ```text
//!   region      addresses              size     reach                component  pages
//!   user        0x300000000000 ...     1 GiB    every PE             ptmalloc   4 KiB
//! ```

use memheap::budget::Plan;
use memheap::place::Reach;
use memheap::settings::{self, Settings};
use memheap::{Bytes, Offset, PeId};

use crate::boot;
use crate::heap::Heap;
use crate::heap::local::Local;
use crate::node::layout::Layout;
use crate::node::segment::Segment;
use crate::node::static_data::StaticData;
use crate::process::say::say;
use crate::startup::heap_size::Budget;
use crate::transport::engines;
use crate::types::host_of::HostOf;
use crate::types::thread_level;
use crate::types::version::{MAJOR_VERSION, MINOR_VERSION, VENDOR_STRING};

/// Everything a start brought about.
pub(crate) struct Started<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) segment: &'s Segment,
    pub(crate) statics: &'s StaticData,
    pub(crate) layout: &'s Layout,
    pub(crate) heap: &'s Heap,
    pub(crate) local: &'s Local,
    pub(crate) budget: &'s Budget,
    pub(crate) spread: Option<&'s (Plan, Vec<u32>)>,
    pub(crate) hosts: &'s HostOf,
}

/// Called by PE 0.
pub(crate) fn at_start(started: &Started<'_>) {
    let Started { settings, segment, statics, layout, heap, local, budget, spread, hosts } = *started;
    if !segment.same_base() {
        say("PE 0: no base address was free on every PE; the heaps lie at different addresses");
    }
    if let Some(hint) = settings.hint() {
        say(&format!("PE 0: {hint}"));
    }
    if let Some(caveat) = engines::caveat() {
        say(&format!("PE 0: {caveat}"));
    }
    if let Some(excess) = &budget.excess {
        say(&format!(
            "PE 0: {excess}: legal, since only what is touched is taken; touching it all ends the job"
        ));
    }
    if settings.is_on(&settings::VERSION) {
        say(&format!(
            "PE 0: {}, OpenSHMEM {}.{}",
            VENDOR_STRING.to_string_lossy(),
            MAJOR_VERSION,
            MINOR_VERSION
        ));
    }
    if let Some(why) = statics.problem() {
        say(&format!("PE 0: {why}"));
    }
    if !settings.is_on(&settings::INFO) {
        return;
    }
    let base = segment.table()[0].heap as usize;
    say(&format!("{}; each has a segment of {} at {base:#x}", places(hosts), layout.len));
    if let Some(proposal) = &budget.proposal {
        let limit = budget.limit.as_ref().map(|why| format!("; {} since {why}", budget.heap));
        say(&format!("heap: {proposal}{}", limit.unwrap_or_default()));
    }
    let head = format!(
        "{:<12} {:<31} {:<10} {:<20} {:<10} pages",
        "region", "addresses", "size", "reach", "component"
    );
    say(&head);
    let row = |name: &str, at: Offset, len: Bytes, reach: &str, component: &str, pages: &str| {
        let start = base + at.0 as usize;
        let range = format!("{start:#x}..{:#x}", start + len.0 as usize);
        say(&format!("{name:<12} {range:<31} {:<10} {reach:<20} {component:<10} {pages}", len.to_string()));
    };
    let pages = pages_obtained(base);
    for reach in Reach::ALL {
        let (at, len) = layout.window(reach);
        let component = heap.space(reach).unwrap_or(&local.space).component();
        row(reach.space(), at, len, &reach.to_string(), component, &pages);
    }
    for r in segment.internals().layout.reservations() {
        row(&r.name, r.at, r.size, "the runtime", "-", &pages);
    }
    for (reach, outcomes) in heap.outcomes() {
        for outcome in outcomes {
            say(&format!("memheap for {}: {outcome}", reach.space()));
        }
    }
    if let Some((plan, nodes)) = spread {
        let pieces = plan.place(layout.window(Reach::World).1);
        let shares = pieces.iter().map(|piece| match nodes.get(piece.domain.0 as usize) {
            Some(node) => format!("node {node}: {}", piece.len),
            None => format!("all memory: {}", piece.len),
        });
        say(&format!("memory domains of the user heap: {}", shares.collect::<Vec<_>>().join(", ")));
    }
    if let Ok(facts) = memheap::budget::host_facts() {
        let (all, before, now) = (facts.memory(), budget.free_before, facts.free());
        say(&format!("host memory: {all} in all; free before the heaps {before}, now {now}"));
    }
    for way in boot::ways() {
        say(&format!("boot by {way}"));
    }
    for engine in engines::choices() {
        say(&format!("transport {engine}"));
    }
    say(settings.table().trim_end());
}

/// How many PEs are where.
fn places(hosts: &HostOf) -> String {
    let n = hosts.as_slice().len();
    match hosts.n_hosts() {
        1 => format!("{n} PEs on this host"),
        several => {
            let each: Vec<String> = (0..several).map(|host| hosts.members(host).len().to_string()).collect();
            format!("{n} PEs on {several} hosts ({})", each.join(" + "))
        }
    }
}

/// For debugging: called by every PE.
pub(crate) fn of_this_pe(me: PeId, segment: &Segment, statics: &StaticData) {
    let heap = segment.table()[me.0 as usize].heap as usize;
    let statics = match statics.largest() {
        Some((span, _)) => format!("{} of static data at {:#x}", span.len, span.address),
        None => "no static data".to_owned(),
    };
    let (pid, level) = (std::process::id(), thread_level::in_force());
    say(&format!("PE {me}: process {pid}, heap at {heap:#x}, {statics}, thread level {level:?}"));
}

/// The page size the kernel reports for the mapping at `base`, and huge pages if it used any.
fn pages_obtained(base: usize) -> String {
    let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    let head = format!("{base:x}-");
    let lines: Vec<&str> = smaps.lines().skip_while(|l| !l.starts_with(&head)).take(30).collect();
    let field = |name: &str| {
        let line = lines.iter().find(|l| l.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(Bytes::kib)
    };
    match (field("KernelPageSize:"), field("ShmemPmdMapped:")) {
        (Some(page), Some(huge)) if huge.0 > 0 => format!("{page}, {huge} in huge ones"),
        (Some(page), _) => page.to_string(),
        _ => "?".to_owned(),
    }
}
