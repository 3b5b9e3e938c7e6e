//! What the kernel's text files say, as pure functions of their text.

use crate::units::Bytes;

/// The value of `key:` in a file of lines `key: 123 kB`, also as `Node 0 key: 123 kB`.
pub(super) fn kib_field(text: &str, key: &str) -> Option<Bytes> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.split_whitespace().next_back()? != key {
            return None;
        }
        let number: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
        number.checked_mul(1024).map(Bytes)
    })
}

/// What `/proc/meminfo` calls available; an estimate for kernels before 3.14, which do not say it.
pub(super) fn available(meminfo: &str) -> Option<Bytes> {
    kib_field(meminfo, "MemAvailable").or_else(|| {
        let free = kib_field(meminfo, "MemFree")?;
        let cached = kib_field(meminfo, "Cached").unwrap_or_default();
        Some(Bytes(free.0.saturating_add(cached.0)))
    })
}

/// The value of `key` in a file of lines `key 123`, as `memory.stat` is.
pub(super) fn stat_field(text: &str, key: &str) -> Option<Bytes> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        if name == key { value.trim().parse().ok().map(Bytes) } else { None }
    })
}

/// A limit or usage file of a cgroup; `None` for `max` and for garbage.
pub(super) fn amount(text: &str) -> Option<Bytes> {
    text.trim().parse().ok().map(Bytes)
}

/// The paths of this process in `/proc/self/cgroup`: in the unified hierarchy, and in the memory
/// hierarchy of version 1.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct CgroupPaths {
    pub unified: Option<String>,
    pub memory: Option<String>,
}

/// Reads `/proc/self/cgroup`: lines `number:controllers:path`, and paths may contain colons.
pub(super) fn cgroup_paths(text: &str) -> CgroupPaths {
    let mut paths = CgroupPaths::default();
    for line in text.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if number == "0" && controllers.is_empty() {
            paths.unified = Some(path.to_owned());
        } else if controllers.split(',').any(|c| c == "memory") {
            paths.memory = Some(path.to_owned());
        }
    }
    paths
}

/// The folders of a cgroup and of all above it, below `mount`. If the path leaves the part of the tree that this
/// container sees, only the root of that part.
pub(super) fn levels(mount: &str, path: &str) -> Vec<String> {
    let mut folders = vec![mount.to_owned()];
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    if !parts.contains(&"..") {
        for part in parts {
            folders.push(format!("{}/{part}", folders[folders.len() - 1]));
        }
    }
    folders
}

/// A list of numbers as the kernel writes it: `0-2,5`.
pub(super) fn number_list(text: &str) -> Vec<u32> {
    text.trim()
        .split(',')
        .filter_map(|range| match range.split_once('-') {
            Some((a, b)) => Some((a.parse().ok()?, b.parse().ok()?)),
            None => range.parse().ok().map(|n| (n, n)),
        })
        .flat_map(|(a, b): (u32, u32)| a..=b)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:       16265924 kB\nMemFree:          482932 kB\n\
        MemAvailable:   11842716 kB\nBuffers:          201124 kB\nCached:         10711272 kB\n\
        SwapCached:            0 kB\nHugePages_Total:       0\nHugepagesize:       2048 kB\n";

    #[test]
    fn meminfo() {
        assert_eq!(kib_field(MEMINFO, "MemTotal"), Some(Bytes(16_265_924 << 10)));
        assert_eq!(available(MEMINFO), Some(Bytes(11_842_716 << 10)));
        let old = MEMINFO.replace("MemAvailable", "Something");
        assert_eq!(available(&old), Some(Bytes((482_932 + 10_711_272) << 10)));
        assert_eq!(kib_field(MEMINFO, "HugePages_Total"), None, "no kB there");
        assert_eq!(available(""), None);
    }

    #[test]
    fn node_meminfo() {
        let text = "Node 1 MemTotal:       8132962 kB\nNode 1 MemFree:         241466 kB\n\
            Node 1 Inactive(file):  2000000 kB\n";
        assert_eq!(kib_field(text, "MemFree"), Some(Bytes(241_466 << 10)));
        assert_eq!(kib_field(text, "Inactive(file)"), Some(Bytes(2_000_000 << 10)));
    }

    #[test]
    fn limits() {
        assert_eq!(amount("max\n"), None);
        assert_eq!(amount("1073741824\n"), Some(Bytes::gib(1)));
        assert_eq!(amount("many"), None);
        assert_eq!(stat_field("anon 4096\ninactive_file 8192\n", "inactive_file"), Some(Bytes(8192)));
        assert_eq!(stat_field("total_inactive_file 8192\n", "inactive_file"), None);
    }

    #[test]
    fn cgroup_lines() {
        let unified = cgroup_paths("0::/user.slice/app@a:b.service\n");
        assert_eq!(unified.unified.as_deref(), Some("/user.slice/app@a:b.service"));
        assert_eq!(unified.memory, None);
        let hybrid =
            cgroup_paths("9:cpu,cpuacct:/x\n7:memory:/docker/ab\n1:name=systemd:/y\n0::/z\ngarbage\n");
        assert_eq!(hybrid.memory.as_deref(), Some("/docker/ab"));
        assert_eq!(hybrid.unified.as_deref(), Some("/z"));
        assert_eq!(cgroup_paths(""), CgroupPaths::default());
    }

    #[test]
    fn every_level_up_to_the_mount() {
        assert_eq!(levels("/m", "/a/b"), ["/m", "/m/a", "/m/a/b"]);
        assert_eq!(levels("/m", "/"), ["/m"]);
        assert_eq!(levels("/m", "/../other"), ["/m"]);
    }

    #[test]
    fn lists() {
        assert_eq!(number_list("0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(number_list("0\n"), [0]);
        assert_eq!(number_list(""), [] as [u32; 0]);
    }
}
