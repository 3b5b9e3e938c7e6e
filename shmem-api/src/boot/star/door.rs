//! What the first PEs of several hosts show in a second gathering: where the PEs of their host, and theirs to PE 0, find them.

use std::ffi::CStr;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use bytemuck::{Pod, Zeroable};

use crate::boot::files::named;
use crate::boot::launcher::{padded_result, shown};
use crate::boot::net;
use crate::boot::protocol::Secret;
use crate::boot::secret::draw;
use crate::boot::sockets::open_named;

/// What doors are gathered under.
pub(super) const DOORS: &CStr = c"shmem.door";

/// So many addresses of a host are shown at most.
const MOST: usize = 16;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Door {
    /// The name of the Unix socket that PEs of its host connect to, or why there is none; of the first PE of a host that is not
    /// PE 0's.
    socket: [u8; 160],
    /// Of PE 0: where it listens, as addresses of version 6.
    addresses: [[u8; 16]; MOST],
    n_addresses: u32,
    port: u32,
    words: Words,
}

/// What both sides of a connection say first, drawn by PE 0. Neither has it from anywhere but the launcher.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Words {
    /// PE 0 says it to whoever connects: who hears something else has the wrong address.
    pub(super) greeting: [u8; 16],
    /// Only who heard that says this, which nobody else may hear.
    pub(super) secret: Secret,
}

impl Door {
    /// Of a PE that nobody looks for.
    pub(super) fn none() -> Door {
        Door::zeroed()
    }

    /// Of the first PE of another host than PE 0's, and its socket.
    pub(super) fn of_leader() -> (Door, io::Result<OwnedFd>) {
        let made = open_named();
        let socket = padded_result(made.as_ref().map(|(_, name)| name.as_str()));
        (Door { socket, ..Door::none() }, made.map(|(socket, _)| socket))
    }

    /// Of PE 0, and where it listens.
    pub(super) fn of_pe_0() -> (Door, io::Result<TcpListener>) {
        let made = Door::open();
        let why = made.as_ref().map(|_| "");
        let failed = Door { socket: padded_result(why), ..Door::none() };
        match made {
            Ok((door, listener)) => (door, Ok(listener)),
            Err(e) => (failed, Err(e)),
        }
    }

    fn open() -> io::Result<(Door, TcpListener)> {
        let interfaces = net::chosen(net::setting().as_deref()).map_err(io::Error::other)?;
        let mut addresses: Vec<IpAddr> = interfaces.into_iter().map(|interface| interface.address).collect();
        if addresses.is_empty() {
            return Err(io::Error::other("this host has no network interface that is up"));
        }
        addresses.truncate(MOST);
        let any = [SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)), SocketAddr::from(([0; 4], 0))];
        let listener = TcpListener::bind(&any[..]).map_err(|e| named("listen", e))?;
        let port = listener.local_addr().map_err(|e| named("getsockname", e))?.port();
        let mut door = Door { port: port.into(), n_addresses: addresses.len() as u32, ..Door::none() };
        for (shown, address) in door.addresses.iter_mut().zip(addresses) {
            *shown = match address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            };
        }
        door.words = draw()?;
        Ok((door, listener))
    }

    /// The name of its Unix socket; or why this PE has no door.
    pub(super) fn socket(&self) -> Result<String, String> {
        shown(&self.socket)
    }

    pub(super) fn words(&self) -> Words {
        self.words
    }

    /// Where PE 0 listens.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let shown = self.addresses.iter().take(self.n_addresses as usize);
        shown.map(|octets| Ipv6Addr::from(*octets).to_canonical()).collect()
    }

    pub(super) fn port(&self) -> u16 {
        self.port as u16
    }
}
