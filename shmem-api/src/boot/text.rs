//! Text as PEs show it to each other at a start.

use memheap::PeId;

use crate::error::Error;

/// In so many bytes; what does not fit is cut.
pub(crate) fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let n = text.len().min(N);
    bytes[..n].copy_from_slice(&text.as_bytes()[..n]);
    bytes
}

pub(crate) fn unpadded(bytes: &[u8]) -> String {
    match String::from_utf8_lossy(bytes).trim_end_matches('\0') {
        "" => "not set".to_owned(),
        text => text.to_owned(),
    }
}

/// Text of which every byte is compared between PEs.
pub(crate) fn whole<const N: usize>(me: PeId, what: &str, text: &str) -> Result<[u8; N], Error> {
    if text.len() > N {
        let len = text.len();
        return Err(Error::Boot(format!(
            "PE {me}: {what} takes {len} bytes of text, more than {N}: shorten it"
        )));
    }
    Ok(padded(text))
}
