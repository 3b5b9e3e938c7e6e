//! Random bits from the system.

use std::io::{self, Read};

use bytemuck::Pod;

use crate::boot::files::named;

/// # Errors
/// There is no source of them.
pub(crate) fn draw<T: Pod>() -> io::Result<T> {
    let mut bits = T::zeroed();
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(bytemuck::bytes_of_mut(&mut bits)))
        .map_err(|e| named("/dev/urandom", e))?;
    Ok(bits)
}
