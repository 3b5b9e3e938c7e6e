//! What the kernel has mapped where the static data should be, from `/proc/self/maps`.
//!
//! STATICS-D1 rests on the program headers; this is the check that nobody changed the facts since: a program that
//! protected a page of its own, or a second copy of this library that was here before us.

use crate::statics::elf::Writable;
use crate::statics::error::StaticsError;

/// Fails unless every page of `ranges` is private, readable and writable.
pub(super) fn check_private(ranges: &[Writable]) -> Result<(), StaticsError> {
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(StaticsError::system("/proc/self/maps"))?;
    match ranges.iter().find_map(|range| first_other(&maps, range)) {
        Some(at) => Err(StaticsError::NotPrivate { at }),
        None => Ok(()),
    }
}

/// The first address of `range` that is not in a mapping `rw-p`. The kernel lists them in ascending order.
fn first_other(maps: &str, range: &Writable) -> Option<usize> {
    let mut at = range.lo;
    for (lo, hi) in maps.lines().filter_map(private_data) {
        if (lo..hi).contains(&at) {
            at = hi;
        }
    }
    (at < range.hi).then_some(at)
}

/// The bounds of a mapping, if it is private data: `55d0c000-55d0d000 rw-p 00003000 fe:00 123 /bin/x`.
fn private_data(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split(' ');
    let (lo, hi) = words.next()?.split_once('-')?;
    (words.next()? == "rw-p").then_some(())?;
    Some((usize::from_str_radix(lo, 16).ok()?, usize::from_str_radix(hi, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
        1000-3000 r-xp 00000000 fe:00 12 /bin/x\n\
        3000-4000 r--p 00002000 fe:00 12 /bin/x\n\
        4000-5000 rw-p 00003000 fe:00 12 /bin/x\n\
        5000-8000 rw-p 00000000 00:00 0 \n\
        8000-9000 rw-s 00000000 00:01 7 /memfd:shmem-statics (deleted)\n\
        9000-a000 rw-p 00000000 00:00 0 [heap]\n";

    fn first(lo: usize, hi: usize) -> Option<usize> {
        first_other(MAPS, &Writable { lo, file_end: lo, hi })
    }

    #[test]
    fn all_pages_must_be_private_and_writable() {
        assert_eq!(first(0x4000, 0x8000), None);
        assert_eq!(first(0x5000, 0x7000), None);
        assert_eq!(first(0x4000, 0x9000), Some(0x8000), "shared already");
        assert_eq!(first(0x3000, 0x8000), Some(0x3000), "read-only");
        assert_eq!(first(0x9000, 0xb000), Some(0xa000), "a hole");
    }
}
