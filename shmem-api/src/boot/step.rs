//! One step of the start: every PE says how it went and shows a record. If one failed, all fail, and
//! the others say who and why; nobody is left waiting.

use bytemuck::{Pod, Zeroable};
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

/// What fits of bytes of any number into one step.
const PIECE: usize = 1000;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Piece {
    /// How many bytes there are in all.
    len: u32,
    bytes: [u8; PIECE],
}

/// Collective: everybody's bytes, of any number, or the error of the lowest PE that has one.
pub(crate) fn step_of_bytes(boot: &mut dyn Boot, mine: Result<&[u8], Error>) -> Result<Vec<Vec<u8>>, Error> {
    let (own, mut result) = match mine {
        Ok(bytes) => (bytes, Ok(())),
        Err(e) => (&[][..], Err(e)),
    };
    let mut all: Vec<Vec<u8>> = vec![Vec::new(); boot.n_pes() as usize];
    let mut at = 0;
    loop {
        let mut piece = Piece { len: own.len() as u32, bytes: [0; PIECE] };
        let n = own.len().saturating_sub(at).min(PIECE);
        piece.bytes[..n].copy_from_slice(&own[own.len().min(at)..own.len().min(at) + n]);
        let pieces = step(boot, std::mem::replace(&mut result, Ok(())).map(|()| piece))?;
        for (bytes, piece) in all.iter_mut().zip(&pieces) {
            let n = (piece.len as usize).saturating_sub(at).min(PIECE);
            bytes.extend_from_slice(&piece.bytes[..n]);
        }
        at += PIECE;
        if pieces.iter().all(|piece| piece.len as usize <= at) {
            return Ok(all);
        }
    }
}
