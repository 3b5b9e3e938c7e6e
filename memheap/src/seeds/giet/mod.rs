//! GIET_VM: pages and bytes named by packed fields, which cannot run into one another.
//!
//! ```text
//!   39  36 35  32 31      21 20    12 11        0
//!   │  X  │  Y   │  BPPI    │  SPPI  │  OFFSET  │   PhysicalAddr
//!   └──── domain ┘└──────── Ppn ────┘                (Ppn: bits 39..12)
//! ```
//!
//! Each field is a type whose value is checked when it is made, so packing cannot fail.
//!
//! * **GIET-G1** taking a name apart and putting its fields together gives the name again;
//! * **GIET-G2** a value that does not fit in its field is an error, never another name.

#[cfg(test)]
mod tests;

use std::fmt;

use crate::budget::DomainId;
use crate::global::{FieldError, GlobalAddr};
use crate::pages::{Pool, PoolError};
use crate::units::{Align, Bytes, Offset, PeId};

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident($repr:ty): $bits:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
        pub struct $name($repr);

        impl $name {
            /// The width of the field.
            pub const BITS: u32 = $bits;
            /// The largest value.
            pub const MAX: $name = $name(((1u64 << $bits) - 1) as $repr);

            /// The value.
            #[inline]
            pub const fn get(self) -> u64 {
                self.0 as u64
            }

            /// The field whose lowest bit is bit `shift` of `word`.
            #[inline]
            pub const fn of(word: u64, shift: u32) -> $name {
                $name(((word >> shift) & ((1u64 << $bits) - 1)) as $repr)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = FieldError;
            fn try_from(value: u64) -> Result<$name, FieldError> {
                if value >> $bits == 0 {
                    Ok($name(value as $repr))
                } else {
                    Err(FieldError { field: stringify!($name), value, bits: $bits })
                }
            }
        }
    )*};
}

fields! {
    /// The column of a domain.
    X(u8): 4;
    /// The row of a domain.
    Y(u8): 4;
    /// The index of a big page in its domain.
    Bppi(u16): 11;
    /// The index of a small page in its big page.
    Sppi(u16): 9;
    /// A byte in its small page.
    PageOffset(u16): 12;
    /// The index of a big page in a segment of up to 1 TiB; see [`page_of`].
    BigPage(u32): 19;
    /// The number of a small page among those of all domains: `X | Y | BPPI | SPPI`.
    Ppn(u32): 28;
    /// The name of a byte in any domain: `X | Y | BPPI | SPPI | OFFSET`.
    PhysicalAddr(u64): 40;
}

const SPPI_AT: u32 = 0;
const BPPI_AT: u32 = SPPI_AT + Sppi::BITS;
const Y_AT: u32 = BPPI_AT + Bppi::BITS;
const X_AT: u32 = Y_AT + Y::BITS;

impl Ppn {
    /// Puts the fields together.
    pub const fn pack(x: X, y: Y, bppi: Bppi, sppi: Sppi) -> Ppn {
        let word = x.get() << X_AT | y.get() << Y_AT | bppi.get() << BPPI_AT | sppi.get() << SPPI_AT;
        Ppn(word as u32)
    }

    /// The page that holds offset `at` of a domain. There are 256 domains of 4 GiB each.
    pub fn of_domain(domain: DomainId, at: Offset) -> Result<Ppn, FieldError> {
        let number = u64::from(domain.0);
        let x = X::try_from(number >> Y::BITS)?;
        let bppi = Bppi::try_from(at.0 >> (PageOffset::BITS + Sppi::BITS))?;
        Ok(Ppn::pack(x, Y::of(number, 0), bppi, Sppi::of(at.0, PageOffset::BITS)))
    }

    /// Takes the fields apart.
    pub const fn unpack(self) -> (X, Y, Bppi, Sppi) {
        let word = self.get();
        (X::of(word, X_AT), Y::of(word, Y_AT), Bppi::of(word, BPPI_AT), Sppi::of(word, SPPI_AT))
    }

    /// A byte of this page.
    pub const fn at(self, offset: PageOffset) -> PhysicalAddr {
        PhysicalAddr(self.get() << PageOffset::BITS | offset.get())
    }
}

impl PhysicalAddr {
    /// The page, and the byte in it.
    pub const fn unpack(self) -> (Ppn, PageOffset) {
        (Ppn::of(self.0, PageOffset::BITS), PageOffset::of(self.0, 0))
    }
}

impl fmt::Display for Ppn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for PhysicalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The big page, the small page in it and the byte in that, as views of the offset of an address; `None` where it names
/// no byte.
pub fn page_of(addr: GlobalAddr) -> Option<(BigPage, Sppi, PageOffset)> {
    let (_, Offset(at)) = addr.parts()?;
    let small = PageOffset::BITS;
    Some((BigPage::of(at, small + Sppi::BITS), Sppi::of(at, small), PageOffset::of(at, 0)))
}

/// The address put together from the page fields of its offset.
pub fn of_page(pe: PeId, big: BigPage, small: Sppi, byte: PageOffset) -> Result<GlobalAddr, FieldError> {
    let page = big.get() << Sppi::BITS | small.get();
    GlobalAddr::new(pe, Offset(page << PageOffset::BITS | byte.get()))
}

/// A pool whose first big page is kept for its owner: boot code, in the cluster (0, 0) of the original.
pub fn pool_after_first(domain: DomainId, base: Offset, size: Bytes) -> Result<Pool, PoolError> {
    let kept = Bytes(Align::HUGE.bytes());
    let impossible = PoolError::Impossible { base, size };
    let rest = size.0.checked_sub(kept.0).map(Bytes).ok_or(impossible)?;
    Pool::new(domain, base.checked_add(kept).ok_or(impossible)?, rest)
}
