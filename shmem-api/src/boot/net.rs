//! By which networks PEs of different hosts reach each other: all that there are, or those that `SHMEM_NET` chooses.
//!
//! ```text
//!   SHMEM_NET=eth0,10.1.0.0/16  ─►  interfaces of this host  ─►  the boot's TCP (`star`): where PE 0 listens
//!                                                            └►  the engine's devices (UCX_NET_DEVICES)
//! ```

use std::net::IpAddr;

use memheap::settings::{self, Settings};

use crate::process::interfaces::{Interface, in_network, interfaces};

/// The setting, of a process that has not read its settings yet. What is wrong with a wrong one, init says.
pub(crate) fn setting() -> Option<String> {
    let value = std::env::var(settings::NET.name).ok()?;
    Settings::from_pairs([(settings::NET.name, &value)]).ok().map(|_| value)
}

/// The interfaces that `net`, a value of the setting, chooses; all if it is not set.
///
/// # Errors
/// It chooses none of this host's.
pub(crate) fn chosen(net: Option<&str>) -> Result<Vec<Interface>, String> {
    choose(net, interfaces().map_err(|e| format!("getifaddrs: {e}"))?)
}

fn choose(net: Option<&str>, all: Vec<Interface>) -> Result<Vec<Interface>, String> {
    let Some(net) = net else { return Ok(all) };
    let names: Vec<String> = all.iter().map(|i| format!("{} ({}/{})", i.name, i.address, i.prefix)).collect();
    let is_wanted = |interface: &Interface| {
        net.split(',').map(str::trim).any(|wanted| match wanted.split_once('/') {
            Some((network, bits)) => match (network.parse(), bits.parse()) {
                (Ok(network), Ok(bits)) => in_network(interface.address, network, bits),
                _ => false,
            },
            None => interface.name == wanted || wanted.parse() == Ok(interface.address),
        })
    };
    let found: Vec<Interface> = all.into_iter().filter(is_wanted).collect();
    match found.is_empty() {
        false => Ok(found),
        true => Err(format!(
            "{}={net}: this host has no such interface that is up; it has {}",
            settings::NET.name,
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        )),
    }
}

/// What chooses UCX's devices if it is set.
const UCX: &str = "UCX_NET_DEVICES";

/// The devices for an engine, with commas between, where the user has chosen and not told the engine itself.
///
/// # Errors
/// As for [`chosen`].
pub(crate) fn devices(settings: &Settings) -> Result<Option<String>, String> {
    let Some(net) = settings.text(&settings::NET).filter(|_| std::env::var_os(UCX).is_none()) else {
        return Ok(None);
    };
    let mut names: Vec<String> = chosen(Some(net))?.into_iter().map(|interface| interface.name).collect();
    names.dedup();
    Ok(Some(names.join(",")))
}

/// Addresses of another host, those first that are of a network of this one.
pub(crate) fn nearest_first(own: &[Interface], mut theirs: Vec<IpAddr>) -> Vec<IpAddr> {
    theirs.sort_by_key(|address| !own.iter().any(|interface| interface.reaches(*address)));
    theirs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, address: &str, prefix: u32) -> Interface {
        Interface { name: name.to_owned(), address: address.parse().unwrap(), prefix }
    }

    fn some() -> Vec<Interface> {
        vec![
            interface("docker0", "172.17.0.1", 16),
            interface("eth0", "10.1.0.4", 24),
            interface("ib0", "192.168.7.4", 16),
            interface("eth0", "fd00::4", 64),
        ]
    }

    #[test]
    fn by_name_address_or_network() {
        let names = |net| {
            let chosen = choose(net, some()).unwrap();
            chosen.iter().map(|i| i.address.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(None), "172.17.0.1 10.1.0.4 192.168.7.4 fd00::4");
        assert_eq!(names(Some("eth0")), "10.1.0.4 fd00::4");
        assert_eq!(names(Some(" ib0 , 172.17.0.1")), "172.17.0.1 192.168.7.4");
        assert_eq!(names(Some("10.1.0.0/16")), "10.1.0.4");
        assert_eq!(names(Some("fd00::/16")), "fd00::4");
        let why = choose(Some("eth7"), some()).unwrap_err();
        assert!(why.starts_with("SHMEM_NET=eth7: ") && why.contains("ib0 (192.168.7.4/16)"), "{why}");
        assert!(choose(Some("eth"), some()).is_err() && choose(Some("10.2.0.0/16"), some()).is_err());
    }

    #[test]
    fn a_common_network_comes_first() {
        let theirs = ["172.18.0.1", "10.1.0.9", "fd00::9"].map(|ip| ip.parse().unwrap());
        let order = nearest_first(&some(), theirs.to_vec());
        assert_eq!(
            order.iter().map(IpAddr::to_string).collect::<Vec<_>>(),
            ["10.1.0.9", "fd00::9", "172.18.0.1"]
        );
    }
}
