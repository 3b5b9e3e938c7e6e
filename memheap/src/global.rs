//! One word that names any byte of any PE's heap.
//!
//! ```text
//!   63            40 39                                       0
//!   │   PE + 1      │                 offset                 │
//!   └── 24 bits ────┴──────────────── 40 bits ───────────────┘
//! ```
//!
//! Conversion is a shift and an addition in either direction, without a table. Addresses differ between
//! processes; this word does not, so it can lie in symmetric memory, travel in a message, and be
//! compared and swapped by any PE.
//!
//! **Null is zero**: fresh symmetric memory, which is zero, holds nulls. The PE is stored plus one, so that offset 0
//! of PE 0 has a name too; that leaves 2^24 - 1 PEs. (Were all ones null, every array of links would have to be
//! filled before its first use.)
//!
//! * **GLOBAL-A1** exactly the words whose upper 24 bits are zero name no byte; of these only zero is null. A word
//!   read from memory that others wrote can be any of them, so [`parts`](GlobalAddr::parts) gives an option;
//! * **GLOBAL-A2** `new(pe, at)?.parts() == Some((pe, at))`, and equal names are equal words.

use std::fmt;

use bytemuck::{Pod, Zeroable};

use crate::units::{Bytes, Offset, PeId};

const OFFSET_BITS: u32 = 40;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
const PE_BITS: u32 = u64::BITS - OFFSET_BITS;

/// A value that does not fit in its field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field} {value:#x} does not fit in {bits} bits")]
pub struct FieldError {
    /// The field.
    pub field: &'static str,
    /// The value.
    pub value: u64,
    /// The width of the field.
    pub bits: u32,
}

/// The name of a byte of a PE's heap, or null. Any bit pattern is a value; see GLOBAL-A1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
#[repr(transparent)]
pub struct GlobalAddr(u64);

impl GlobalAddr {
    /// The word that names no byte: zero.
    pub const NULL: GlobalAddr = GlobalAddr(0);
    /// The highest PE that can be named.
    pub const MAX_PE: PeId = PeId((1 << PE_BITS) - 2);
    /// The highest offset that can be named, in heaps of up to 1 TiB.
    pub const MAX_OFFSET: Offset = Offset(OFFSET_MASK);

    /// The name of the byte at `at` in the heap of `pe`.
    #[inline]
    pub const fn new(pe: PeId, at: Offset) -> Result<GlobalAddr, FieldError> {
        if pe.0 > Self::MAX_PE.0 {
            return Err(FieldError { field: "PE", value: pe.0 as u64, bits: PE_BITS });
        }
        if at.0 > OFFSET_MASK {
            return Err(FieldError { field: "offset", value: at.0, bits: OFFSET_BITS });
        }
        Ok(GlobalAddr((pe.0 as u64 + 1) << OFFSET_BITS | at.0))
    }

    /// The PE and the offset, or `None` if this names no byte.
    #[inline]
    pub const fn parts(self) -> Option<(PeId, Offset)> {
        match (self.0 >> OFFSET_BITS) as u32 {
            0 => None,
            pe => Some((PeId(pe - 1), Offset(self.0 & OFFSET_MASK))),
        }
    }

    /// Whether this is [`NULL`](Self::NULL).
    #[inline]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The word, for an atomic.
    #[inline]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The name a word stands for.
    #[inline]
    pub const fn from_bits(word: u64) -> GlobalAddr {
        GlobalAddr(word)
    }

    /// The name of the byte `n` further on in the same heap; `None` past the highest offset, and if this names no byte.
    #[inline]
    pub fn checked_add(self, n: Bytes) -> Option<GlobalAddr> {
        let (pe, at) = self.parts()?;
        GlobalAddr::new(pe, at.checked_add(n)?).ok()
    }
}

impl fmt::Debug for GlobalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for GlobalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            Some((pe, at)) => write!(f, "PE {pe} + {at}"),
            None if self.is_null() => write!(f, "null"),
            None => write!(f, "no byte ({:#x})", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn null_is_zero_and_nothing_else() {
        assert!(GlobalAddr::zeroed().is_null() && GlobalAddr::default().is_null());
        assert_eq!(GlobalAddr::NULL.parts(), None);
        let first = GlobalAddr::new(PeId(0), Offset(0)).unwrap();
        assert!(!first.is_null());
        assert_eq!(first.parts(), Some((PeId(0), Offset(0))));
        let stray = GlobalAddr::from_bits(0x1234);
        assert!(!stray.is_null() && stray.parts().is_none());
    }

    #[test]
    fn a2_the_edges() {
        let (pe, at) = (GlobalAddr::MAX_PE, GlobalAddr::MAX_OFFSET);
        let last = GlobalAddr::new(pe, at).unwrap();
        assert_eq!((last.to_bits(), last.parts()), (u64::MAX, Some((pe, at))));
        assert_eq!(GlobalAddr::new(PeId(pe.0 + 1), at).unwrap_err().field, "PE");
        assert_eq!(GlobalAddr::new(pe, Offset(1 << 40)).unwrap_err().field, "offset");
        assert_eq!(last.checked_add(Bytes(1)), None, "never into the next PE");
        assert_eq!(last.checked_add(Bytes(0)), Some(last));
        assert_eq!(GlobalAddr::NULL.checked_add(Bytes(8)), None);
    }

    #[test]
    fn prints() {
        let a = GlobalAddr::new(PeId(3), Offset(0x1000)).unwrap();
        assert_eq!(
            (a.to_string(), format!("{:?}", GlobalAddr::NULL)),
            ("PE 3 + 0x1000".into(), "null".into())
        );
    }

    #[test]
    fn lies_in_memory_as_a_word() {
        let links = [GlobalAddr::new(PeId(1), Offset(8)).unwrap(), GlobalAddr::NULL];
        let words: &[u64] = bytemuck::cast_slice(&links);
        assert_eq!(words, [2 << 40 | 8, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 50 } else { 100_000 }))]

        #[test]
        fn a1_a2(pe in 0..=GlobalAddr::MAX_PE.0, at in 0..=OFFSET_MASK, n in 0..=u64::MAX, word: u64) {
            let (pe, at) = (PeId(pe), Offset(at));
            let a = GlobalAddr::new(pe, at).unwrap();
            prop_assert_eq!(a.parts(), Some((pe, at)));
            prop_assert_eq!(GlobalAddr::from_bits(a.to_bits()), a);
            let moved = at.0.checked_add(n).filter(|&m| m <= OFFSET_MASK);
            prop_assert_eq!(a.checked_add(Bytes(n)).and_then(|m| m.parts()), moved.map(|m| (pe, Offset(m))));
            let any = GlobalAddr::from_bits(word);
            let again = any.parts().map(|(pe, at)| GlobalAddr::new(pe, at).unwrap());
            prop_assert_eq!(again, (word >> 40 != 0).then_some(any));
        }
    }
}
