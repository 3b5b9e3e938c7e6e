//! Which host a PE is on.
//!
//! PEs are on one host if they can share memory, number processes alike and find each other's sockets: so two containers of one
//! machine are two hosts, and two machines that were started from one snapshot are told apart by their names.

use bytemuck::{Pod, Zeroable};

use crate::boot::text::{padded, unpadded};

/// What distinguishes hosts: equal on two PEs that are on one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Host {
    /// The kernel that runs, since it started; empty where that cannot be read, as the other two.
    boot: Machine,
    name: [u8; 64],
    /// The process numbers it sees.
    pids: [u8; 32],
    /// The network whose sockets it finds.
    net: [u8; 32],
}

/// What distinguishes the machines that hosts are on: the kernel that runs, since it started. Of no use alone where it is empty.
pub(crate) type Machine = [u8; 40];

/// That of this process.
pub(crate) fn machine() -> Machine {
    padded(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim())
}

impl Host {
    pub(crate) fn here() -> Host {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let space = |of: &str| {
            let link = std::fs::read_link(format!("/proc/self/ns/{of}")).unwrap_or_default();
            padded(&link.to_string_lossy())
        };
        Host { boot: machine(), name: padded(&name), pids: space("pid"), net: space("net") }
    }

    /// What its users call it.
    pub(crate) fn name(&self) -> String {
        unpadded(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_on_one_host() {
        let here = Host::here();
        assert_eq!(here, Host::here());
        assert!(!here.name().is_empty() && here.boot[0] != 0 && here.pids.starts_with(b"pid:["));
        for other in [
            Host { boot: padded("another"), ..here },
            Host { name: padded("another"), ..here },
            Host { pids: padded("pid:[1]"), ..here },
            Host { net: padded("net:[1]"), ..here },
        ] {
            assert_ne!(here, other);
        }
    }
}
