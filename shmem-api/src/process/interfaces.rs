//! The network interfaces of this host that are up, and their addresses.
#![allow(unsafe_code)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

/// An address of an interface that is up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Interface {
    pub(crate) address: IpAddr,
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
            found.push(Interface { address });
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

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn this_host_is_asked() {
        for interface in interfaces().unwrap() {
            assert!(!interface.address.is_loopback(), "{interface:?}");
        }
    }
}
