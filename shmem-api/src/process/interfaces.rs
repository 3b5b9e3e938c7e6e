//! The network interfaces of this host that are up, and their addresses.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

/// An address of an interface that is up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    /// Bits of the address that name its network.
    pub(crate) prefix: u32,
}

impl Interface {
    /// Whether an address is of its network.
    pub(crate) fn reaches(&self, other: IpAddr) -> bool {
        in_network(other, self.address, self.prefix)
    }
}

/// Whether the first `prefix` bits of both are equal.
pub(crate) fn in_network(address: IpAddr, network: IpAddr, prefix: u32) -> bool {
    let same = |a: u128, b: u128, bits: u32| (a ^ b).checked_shr(bits - prefix.min(bits)).unwrap_or(0) == 0;
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

/// All of them but those that only this host, or only the next one, reaches; those of version 4 first.
///
/// # Errors
/// The system does not tell.
pub(crate) fn interfaces() -> io::Result<Vec<Interface>> {
    let mut list = ptr::null_mut();
    // SAFETY: it fills `list` in.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut at: *const libc::ifaddrs = list;
    // SAFETY: null, or an entry of the list, which is there until it is freed below.
    while let Some(entry) = unsafe { at.as_ref() } {
        let up = libc::IFF_UP as u32;
        if entry.ifa_flags & (up | libc::IFF_LOOPBACK as u32) == up
            // SAFETY: null, or an address and its mask.
            && let Some(address) = unsafe { address(entry.ifa_addr) }
        {
            // SAFETY: as above.
            let prefix = unsafe { address_bits(entry.ifa_netmask) };
            // SAFETY: a string of the list.
            let name = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned();
            found.push(Interface { name, address, prefix });
        }
        at = entry.ifa_next;
    }
    // SAFETY: it is the system's, and nothing of it is used after this.
    unsafe { libc::freeifaddrs(list) };
    found.retain(|interface| match interface.address {
        IpAddr::V4(address) => !address.is_link_local(),
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    });
    found.sort_by_key(|interface| interface.address.is_ipv6());
    Ok(found)
}

/// # Safety
/// Null, or an address of the family that it says.
unsafe fn address(at: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: as the caller says.
    match unsafe { at.as_ref() }?.sa_family.into() {
        libc::AF_INET => {
            // SAFETY: as the caller says; it may lie anywhere.
            let inet = unsafe { at.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from(u32::from_be(inet.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as the caller says; it may lie anywhere.
            let inet = unsafe { at.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(inet.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

/// How many bits of a mask are set; all of none.
///
/// # Safety
/// As for [`address`].
unsafe fn address_bits(mask: *const libc::sockaddr) -> u32 {
    // SAFETY: as the caller says.
    match unsafe { address(mask) } {
        Some(IpAddr::V4(mask)) => u32::from(mask).count_ones(),
        Some(IpAddr::V6(mask)) => u128::from(mask).count_ones(),
        None => 128,
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for (address, network, prefix, within) in [
            ("10.1.2.3", "10.1.0.0", 16, true),
            ("10.2.2.3", "10.1.0.0", 16, false),
            ("10.1.2.3", "99.0.0.1", 0, true),
            ("10.1.2.3", "10.1.2.3", 32, true),
            ("10.1.2.2", "10.1.2.3", 32, false),
            ("fd00::1", "fd00::2", 64, true),
            ("fd00::1", "fd01::1", 16, false),
            ("::1", "::2", 0, true),
            ("fd00::1", "10.1.2.3", 0, false),
        ] {
            assert_eq!(
                in_network(ip(address), ip(network), prefix),
                within,
                "{address} in {network}/{prefix}"
            );
        }
    }

    #[test]
    fn this_host_is_asked() {
        for interface in interfaces().unwrap() {
            assert!(!interface.address.is_loopback() && !interface.name.is_empty(), "{interface:?}");
            assert!(interface.reaches(interface.address));
        }
    }
}
