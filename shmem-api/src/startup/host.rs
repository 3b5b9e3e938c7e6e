//! Which host a PE is on.

use bytemuck::{Pod, Zeroable};

use crate::boot::text::padded;

/// What distinguishes hosts.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Host {
    /// The kernel that runs, since it started; empty where that cannot be read.
    boot: [u8; 40],
    name: [u8; 64],
    /// The process numbers it sees; empty where that cannot be read.
    pids: [u8; 32],
}

impl Host {
    pub(super) fn here() -> Host {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let pids = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Host { boot: padded(boot.trim()), name: padded(&name), pids: padded(&pids.to_string_lossy()) }
    }

    /// Whether this is another host than `other`. Where one of them cannot say, names count; and what takes one host,
    /// the passing of files, fails with its own reason.
    pub(super) fn differs(&self, other: &Host) -> bool {
        let known = self.boot[0] != 0 && other.boot[0] != 0;
        if known { self.boot != other.boot } else { self.name != other.name }
    }

    /// Whether this numbers processes otherwise than `other`, on the same host.
    pub(super) fn contained_elsewhere(&self, other: &Host) -> bool {
        self.pids[0] != 0 && other.pids[0] != 0 && self.pids != other.pids
    }
}
