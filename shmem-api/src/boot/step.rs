//! One step of the start: every PE says how it went and shows a record. If one failed, all fail, and
//! the others say who and why; nobody is left waiting.

use bytemuck::Pod;
use memheap::PeId;

use crate::boot::protocol::{Boot, FAILED, FRAME, WELL};
use crate::error::Error;

/// Collective: everybody's records, or the error of the lowest PE that has one.
pub(crate) fn step<T: Pod>(boot: &mut dyn Boot, mine: Result<T, Error>) -> Result<Vec<T>, Error> {
    const { assert!(size_of::<T>() < FRAME, "a record fits in a frame") };
    let mut frame = [0; FRAME];
    match &mine {
        Ok(record) => {
            frame[0] = WELL;
            frame[1..=size_of::<T>()].copy_from_slice(bytemuck::bytes_of(record));
        }
        Err(e) => {
            frame[0] = FAILED;
            let text = e.to_string();
            let n = text.len().min(FRAME - 1);
            frame[1..=n].copy_from_slice(&text.as_bytes()[..n]);
        }
    }
    let all = boot.exchange(&frame)?;
    mine?;
    if let Some(pe) = all.iter().position(|f| f[0] != WELL) {
        let text = String::from_utf8_lossy(&all[pe][1..]);
        let why = text.trim_end_matches('\0').to_owned();
        return Err(Error::Elsewhere { pe: PeId(pe as u32), why });
    }
    Ok(all.iter().map(|f| bytemuck::pod_read_unaligned(&f[1..=size_of::<T>()])).collect())
}
