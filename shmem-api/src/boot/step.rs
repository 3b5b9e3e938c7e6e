//! One step of the start: every PE says how it went and shows a record. If one failed, all fail, and
//! the others say who and why; nobody is left waiting.

use bytemuck::Pod;
use memheap::PeId;

use super::Boot;
use crate::error::Error;

const TEXT: usize = 400;

/// Collective: everybody's records, or the error of the lowest PE that has one.
pub(crate) fn step<T: Pod>(boot: &mut dyn Boot, mine: Result<T, Error>) -> Result<Vec<T>, Error> {
    let mut message = vec![0u8; 1 + size_of::<T>().max(TEXT)];
    match &mine {
        Ok(record) => message[1..=size_of::<T>()].copy_from_slice(bytemuck::bytes_of(record)),
        Err(e) => {
            message[0] = 1;
            let text = e.to_string();
            let n = text.len().min(TEXT);
            message[1..=n].copy_from_slice(&text.as_bytes()[..n]);
        }
    }
    let all = boot.exchange(&message)?;
    mine?;
    if let Some(pe) = all.iter().position(|m| m[0] != 0) {
        let text = String::from_utf8_lossy(&all[pe][1..]);
        let why = text.trim_end_matches('\0').to_owned();
        return Err(Error::Elsewhere { pe: PeId(pe as u32), why });
    }
    Ok(all.iter().map(|m| bytemuck::pod_read_unaligned(&m[1..=size_of::<T>()])).collect())
}
