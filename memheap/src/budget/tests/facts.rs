//! Host facts from sample files, and proposals.

use crate::budget::*;
use crate::settings::SizeValue;
use crate::units::Bytes;

const MEMINFO: &str = "MemTotal: 16777216 kB\nMemFree: 1048576 kB\nMemAvailable: 8388608 kB\n";

fn facts(files: &[(&str, &str)]) -> HostFacts {
    let read = |path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| text.to_string()).or((path == "/proc/meminfo").then(|| MEMINFO.to_owned()))
    };
    HostFacts::gather(&read).unwrap()
}

fn host(total: u64, free: u64) -> HostFacts {
    HostFacts { total: Bytes::gib(total), available: Bytes::gib(free), cgroup: None, nodes: vec![] }
}

#[test]
fn this_host_has_memory() {
    if !cfg!(miri) {
        let facts = host_facts().unwrap();
        assert!(facts.memory() > Bytes(0) && facts.free() <= facts.memory());
    }
}

#[test]
fn no_cgroup_and_no_nodes() {
    let facts = facts(&[]);
    assert_eq!((facts.memory(), facts.free()), (Bytes::gib(16), Bytes::gib(8)));
    assert_eq!((facts.cgroup, &facts.nodes), (None, &vec![]));
    assert_eq!(facts.domains(4), [Domain::new(Bytes::gib(2))]);
    assert_eq!(HostFacts::gather(&|_| None), Err(HostFactsError));
}

#[test]
fn unlimited_cgroups_limit_nothing() {
    let v2 = [("/proc/self/cgroup", "0::/a\n"), ("/sys/fs/cgroup/a/memory.max", "max\n")];
    assert_eq!(facts(&v2).cgroup, None);
    let v1 = [
        ("/proc/self/cgroup", "4:memory:/\n"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ];
    assert_eq!(facts(&v1).cgroup, None);
}

#[test]
fn a_nested_cgroup_has_the_least_of_all_levels() {
    let facts = facts(&[
        ("/proc/self/cgroup", "0::/job/step\n"),
        ("/sys/fs/cgroup/job/memory.max", "4294967296\n"),
        ("/sys/fs/cgroup/job/memory.current", "3221225472\n"),
        ("/sys/fs/cgroup/job/memory.stat", "anon 1\ninactive_file 1073741824\n"),
        ("/sys/fs/cgroup/job/step/memory.max", "max\n"),
        ("/sys/fs/cgroup/job/step/memory.high", "3221225472\n"),
        ("/sys/fs/cgroup/job/step/memory.current", "268435456\n"),
    ]);
    // The step may hold 3 GiB, but the job around it has only 2 GiB left.
    assert_eq!(facts.cgroup, Some(CgroupLimit { limit: Bytes::gib(3), room: Bytes::gib(2) }));
    assert_eq!((facts.memory(), facts.free()), (Bytes::gib(3), Bytes::gib(2)));
}

#[test]
fn a_container_that_does_not_see_its_own_path() {
    let facts = facts(&[
        ("/proc/self/cgroup", "7:memory:/docker/0123abcd\n0::/docker/0123abcd\n"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n"),
        ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "536870912\n"),
        ("/sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 268435456\n"),
    ]);
    assert_eq!(facts.cgroup, Some(CgroupLimit { limit: Bytes::gib(1), room: Bytes::mib(768) }));
}

#[test]
fn nodes_are_domains() {
    let mut facts = facts(&[
        ("/sys/devices/system/node/online", "0-2\n"),
        (
            "/sys/devices/system/node/node0/meminfo",
            "Node 0 MemTotal: 8388608 kB\nNode 0 MemFree: 2097152 kB\n",
        ),
        ("/sys/devices/system/node/node1/meminfo", "Node 1 MemTotal: 0 kB\nNode 1 MemFree: 0 kB\n"),
        (
            "/sys/devices/system/node/node2/meminfo",
            "Node 2 MemTotal: 8388608 kB\nNode 2 MemFree: 3145728 kB\nNode 2 Inactive(file): 1048576 kB\n",
        ),
    ]);
    assert_eq!(facts.nodes.iter().map(|n| n.node.0).collect::<Vec<_>>(), [0, 2], "one has no memory");
    assert_eq!(facts.domains(2), [Domain::new(Bytes::gib(1)), Domain::new(Bytes::gib(2))]);
    facts.cgroup = Some(CgroupLimit { limit: Bytes::gib(4), room: Bytes::gib(3) });
    assert_eq!(facts.domains(1), [Domain::new(Bytes::gib(1)), Domain::new(Bytes::gib(2))]);
}

#[test]
fn proposals() {
    let share = |percent: u64| Wish::OfHost(SizeValue::Share(percent * 1_000_000));
    let bytes = |n| Wish::OfHost(SizeValue::Bytes(n));
    let gib = |n: u64| n << 30;
    for (facts, pes, wish, heap, because) in [
        (host(64, 32), 4, Wish::Default, gib(4), Because::Wished),
        (host(64, 32), 3, Wish::Default, (gib(16) / 3) & !0x1f_ffff, Because::Wished),
        (host(2048, 2000), 4, Wish::Default, DEFAULT_HEAP_MAX.0, Because::Most),
        (host(64, 60), 4, share(75), gib(12), Because::Wished),
        (host(64, 32), 4, share(75), gib(8), Because::Free),
        (host(64, 32), 4, bytes(gib(12)), gib(3), Because::Wished),
        (host(64, 32), 4, bytes(gib(100)), gib(8), Because::Free),
        (host(64, 32), 4, bytes(1), 2 << 20, Because::Least),
        (host(64, 32), 4, bytes(0), 0, Because::Off),
        (host(64, 32), 0, bytes(gib(12)), gib(12), Because::Wished),
        (host(64, 0), 4, Wish::Default, 0, Because::Nothing),
        (host(64, 1), 1000, Wish::Default, 0, Because::Nothing),
        (host(64, 1), 400, Wish::Default, 2 << 20, Because::Least),
    ] {
        let p = propose(&facts, pes, wish);
        assert_eq!((p.heap, p.because), (Bytes(heap), because), "{p}");
        assert!(p.heap.0 * u64::from(p.pes_on_host) <= facts.free().0, "more than is free: {p}");
    }
}

#[test]
fn an_explicit_size_is_measured() {
    assert_eq!(fits(&host(64, 32), 4, Bytes::gib(8)), Ok(()));
    let e = fits(&host(64, 32), 4, Bytes::gib(9)).unwrap_err();
    assert_eq!(
        e.to_string(),
        "9 GiB of symmetric heap for each of 4 PEs on this host are 36 GiB; 32 GiB are free of 64 GiB"
    );
    assert!(fits(&host(64, 32), 2, Bytes(u64::MAX)).is_err());
}
