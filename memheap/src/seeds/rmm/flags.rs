//! The word in which the call passes an alignment and a wish.
//!
//! ```text
//!   63        56 55                     1   0
//!   │ log2 align │ reserved, must be zero │LOCAL│
//! ```

use crate::reserve::Locality;
use crate::units::{Align, PeId};

/// Bit 0: the caller wants the memory near itself.
pub const LOCAL: u64 = 1;

const ALIGN_AT: u32 = 56;

/// Why a word has no meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FlagsError {
    /// An alignment that no 64-bit offset can have.
    #[error("alignment 2^{log2} does not fit in 64 bits")]
    BadAlign {
        /// The logarithm given.
        log2: u8,
    },
    /// Bits that have no meaning.
    #[error("unknown flags {bits:#x}")]
    UnknownFlags {
        /// The bits.
        bits: u64,
    },
}

/// What the word says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags {
    /// The alignment.
    pub align: Align,
    /// The wish.
    pub near: Locality,
}

impl Flags {
    /// Reads the word of a call that `caller` makes.
    pub fn decode(word: u64, caller: PeId) -> Result<Flags, FlagsError> {
        let log2 = (word >> ALIGN_AT) as u8;
        let unknown = word & ((1 << ALIGN_AT) - 1) & !LOCAL;
        if unknown != 0 {
            return Err(FlagsError::UnknownFlags { bits: unknown });
        }
        let align =
            1u64.checked_shl(log2.into()).and_then(Align::new).ok_or(FlagsError::BadAlign { log2 })?;
        let near = if word & LOCAL != 0 { Locality::NearPe(caller) } else { Locality::Anywhere };
        Ok(Flags { align, near })
    }

    /// The word from which [`decode`](Self::decode) reads this, if the PE is the caller.
    pub fn encode(self) -> u64 {
        let local = if self.near == Locality::Anywhere { 0 } else { LOCAL };
        u64::from(self.align.log2()) << ALIGN_AT | local
    }
}
