//! How wide the numbers in the tables are: 32 bits for windows that are small enough, 64 for others.
//!
//! ```text
//!   window           word   descriptor   slot of `starts`
//!   below 32 GiB     u32      24 bytes     4 bytes
//!   above            u64      48 bytes     8 bytes
//! ```
//!
//! A word must hold a position and a bit for the state, and the number of a descriptor. There are as many descriptors
//! as granules, so that no table can fill up before the heap does.

use std::ops::DerefMut;

use memheap::table::Table;

/// A word of the tables.
pub trait Word: Copy + Send + Sync + 'static {
    /// A table of descriptors.
    type Descriptors: DerefMut<Target = [[Self; FIELDS]]> + Send;
    /// A table of slots.
    type Slots: DerefMut<Target = [Self]> + Send;

    /// Granules of the longest window.
    const LONGEST: u64;

    /// The word that holds `n`, which must fit.
    fn of(n: u64) -> Self;
    /// The number.
    fn get(self) -> u64;
    /// A table of `len` descriptors, all zero.
    fn descriptors(len: u64) -> std::io::Result<Self::Descriptors>;
    /// A table of `len` slots, all zero.
    fn slots(len: u64) -> std::io::Result<Self::Slots>;
}

/// Words in a descriptor.
pub const FIELDS: usize = 6;

macro_rules! word {
    ($word:ty, $longest:expr) => {
        impl Word for $word {
            type Descriptors = Table<[$word; FIELDS]>;
            type Slots = Table<$word>;

            const LONGEST: u64 = $longest;

            #[inline(always)]
            fn of(n: u64) -> Self {
                n as $word
            }

            #[inline(always)]
            fn get(self) -> u64 {
                self.into()
            }

            fn descriptors(len: u64) -> std::io::Result<Self::Descriptors> {
                Table::zeroed(len as usize)
            }

            fn slots(len: u64) -> std::io::Result<Self::Slots> {
                Table::zeroed(len as usize)
            }
        }
    };
}

// Fewer than 2^31 positions, so that the position of the edge, all ones, is none of them.
word!(u32, (1 << 31) - (1 << 11));
word!(u64, 1 << 52);
