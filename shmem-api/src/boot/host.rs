//! Which host a PE is on, and whether all are on one.

use bytemuck::{Pod, Zeroable};
use memheap::PeId;

use crate::boot::text::padded;
use crate::error::Error;

/// What distinguishes hosts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Host {
    /// The kernel that runs, since it started; empty where that cannot be read.
    boot: [u8; 40],
    name: [u8; 64],
    /// The process numbers it sees; empty where that cannot be read.
    pids: [u8; 32],
}

impl Host {
    pub(crate) fn here() -> Host {
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

/// Whether the PEs are on one host, where processes have the same numbers for all of them.
///
/// # Errors
/// They are not; it names the first PE that is elsewhere than `me`.
pub(crate) fn all_on_one(me: PeId, hosts: &[Host]) -> Result<(), Error> {
    let mine = hosts[me.0 as usize];
    let odd = |differs: &dyn Fn(&Host) -> bool| hosts.iter().position(differs);
    if let Some(pe) = odd(&|host| host.differs(&mine)) {
        return Err(Error::Boot(format!(
            "PE {pe} is on another host than PE {me}; this version runs on one host: start all PEs on one"
        )));
    }
    if let Some(pe) = odd(&|host| host.contained_elsewhere(&mine)) {
        return Err(Error::Boot(format!(
            "PE {pe} is in another process namespace (container) than PE {me}: start all PEs in one"
        )));
    }
    Ok(())
}
