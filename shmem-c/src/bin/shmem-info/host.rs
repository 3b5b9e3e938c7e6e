//! Facts of the host that decide how well programs run, and what of them would hinder one.

use shmem_api::memheap::Bytes;
use shmem_api::memheap::budget::host_facts;

use crate::report::{Report, Row};

/// One fact; a remark where it is worth one.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// What to know about it; programs run all the same.
    pub(crate) remark: Option<String>,
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The choice in brackets of one of the kernel's files: `always [madvise] never`.
fn chosen(path: &str) -> String {
    let text = read(path).unwrap_or_else(|| "unknown".to_owned());
    text.split(['[', ']']).nth(1).map_or(text.clone(), str::to_owned)
}

/// The soft limit of one resource, as the kernel names it in `/proc/self/limits`.
fn limit(name: &str) -> String {
    let limits = read("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line[name.len().min(line.len())..].split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// All there is to know.
pub(crate) fn all() -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |name, value: String, remark: Option<&str>| {
        facts.push(Fact { name, value, remark: remark.map(str::to_owned) });
    };
    add("cores", std::thread::available_parallelism().map_or("unknown".into(), |n| n.to_string()), None);
    match host_facts() {
        Ok(host) => {
            add("memory", host.memory().to_string(), None);
            add("free memory", host.free().to_string(), None);
            add("NUMA nodes with memory", host.nodes.len().max(1).to_string(), None);
        }
        Err(e) => add("memory", e.to_string(), Some("give SHMEM_SYMMETRIC_SIZE")),
    }
    let huge = chosen("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    let remark = (huge == "never" || huge == "deny")
        .then_some("heaps use small pages; `advise` in that file lets them ask for huge ones");
    add("huge pages for shared memory", huge, remark);
    let locked = limit("Max locked memory");
    let remark = locked
        .parse::<u64>()
        .is_ok_and(|bytes| bytes < Bytes::mib(64).0)
        .then_some("less than SHMEM_HEAP_DMA_SIZE: locked memory cannot all be had");
    add("locked memory (bytes)", locked, remark);
    let files = limit("Max open files");
    let remark =
        files.parse::<u64>().is_ok_and(|n| n < 1024).then_some("a PE holds a few for each PE of its host");
    add("open files", files, remark);
    let space = limit("Max address space");
    let remark = (space != "unlimited").then_some("a PE maps the heaps of all PEs of its host");
    add("address space", space, remark);
    let overcommit = read("/proc/sys/vm/overcommit_memory").unwrap_or_else(|| "unknown".to_owned());
    let remark = (overcommit == "2").then_some("strict: heaps count in full although they are sparse");
    add("overcommit", overcommit, remark);
    facts
}

/// As a section.
pub(crate) fn facts(report: &mut Report) {
    let rows = all().into_iter().map(|fact| -> Row {
        let remark = fact.remark.unwrap_or_default();
        vec![("name", fact.name.to_owned()), ("value", fact.value), ("remark", remark)]
    });
    report.section("host", rows.collect());
}
