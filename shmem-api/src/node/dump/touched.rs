//! What of a heap holds data, and putting it into a core dump: in a signal handler, where nothing can be had.
//!
//! ```text
//!   the file   |■■■|          |■|  |■■■■■|                    |■|       SEEK_DATA, SEEK_HOLE: two walks
//!   gaps            10         2                20                      first: how many of each size
//!   a core     |■■■|          |■■■■■■■■■■|                    |■|       second: those that matter stay out
//! ```
//!
//! Every part that is in costs the kernel two mappings, of which a process has 65,530: so gaps below a power of two are
//! bridged, the least with which few enough parts are left.
//!
//! Invariant **TOUCHED-T1**: system calls and a few hundred bytes of the stack, nothing else.

use std::os::fd::BorrowedFd;

use memheap::region::Region;
use memheap::region::memfd::MemfdRegion;
use memheap::{Align, Bytes, Offset};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use crate::process::system::resident_pages;

/// So many parts at most: any 64 MiB, page by page, are exact.
const MOST: u64 = 1 << 14;

/// Of the first `len` bytes of `own`, a core holds what holds data, and no more. In order, so that a core that another
/// thread brings about meanwhile holds what was touched, too.
pub(crate) fn admit(own: &MemfdRegion, len: Bytes) {
    let mut gaps = Gaps::default();
    each_part(own, len.0, &mut |from, to| gaps.note(from, to));
    let mut most = MOST;
    // Where the process has too many mappings already, fewer parts.
    while most > 0 && !mark(own, len, gaps.bridge(most)) {
        most /= 2;
    }
}

/// Whether the parts, with gaps below `bridge` among them, are in, and all else is out.
fn mark(own: &MemfdRegion, len: Bytes, bridge: u64) -> bool {
    let (mut done, mut end) = (true, 0);
    let mut change = |from: u64, to: u64, wanted| {
        done = done && (from == to || own.dump(Offset(from), Bytes(to - from), wanted));
    };
    let mut put = |from, to| {
        change(end, from, false);
        change(from, to, true);
        end = to;
    };
    let mut joined = Joined { bridge, run: None };
    each_part(own, len.0, &mut |from, to| joined.note(from, to, &mut put));
    joined.end(&mut put);
    change(end, len.0, false);
    done
}

/// The gaps between parts that come in order.
struct Gaps {
    /// How many, by the power of two in their size.
    counts: [u32; 64],
    end: Option<u64>,
}

impl Default for Gaps {
    fn default() -> Gaps {
        Gaps { counts: [0; 64], end: None }
    }
}

impl Gaps {
    fn note(&mut self, from: u64, to: u64) {
        if let Some(gap) = self.end.replace(to).and_then(|end| from.checked_sub(end)?.checked_ilog2()) {
            self.counts[gap as usize] += 1;
        }
    }

    /// Gaps below this are bridged, so that `most` parts are left at most.
    fn bridge(&self, most: u64) -> u64 {
        let mut parts = 1;
        for (size, count) in self.counts.iter().enumerate().rev() {
            parts += u64::from(*count);
            if parts > most {
                return 2 << size;
            }
        }
        1
    }
}

/// Parts that come in order, those with small gaps between them joined.
struct Joined {
    bridge: u64,
    run: Option<(u64, u64)>,
}

impl Joined {
    fn note(&mut self, from: u64, to: u64, put: &mut dyn FnMut(u64, u64)) {
        match &mut self.run {
            Some((_, end)) if from.saturating_sub(*end) < self.bridge => *end = to,
            run => {
                if let Some((from, to)) = run.replace((from, to)) {
                    put(from, to);
                }
            }
        }
    }

    fn end(self, put: &mut dyn FnMut(u64, u64)) {
        if let Some((from, to)) = self.run {
            put(from, to);
        }
    }
}

/// Calls `each` with the parts of the first `len` bytes that hold data, in order.
fn each_part(own: &MemfdRegion, len: u64, each: &mut dyn FnMut(u64, u64)) {
    let mut at = 0;
    // The program may have closed the file.
    while at < len
        && let Some(file) = own.file().file()
        && let Ok(part) = next_part(file, at)
    {
        let Some((from, to)) = part.filter(|(from, _)| *from < len) else { return };
        each(from, to.min(len));
        at = to;
    }
    if at < len {
        each_resident(own, at, len, each);
    }
}

/// The first part of the file at or after `at` that holds data.
fn next_part(file: BorrowedFd<'_>, at: u64) -> Result<Option<(u64, u64)>, Errno> {
    match seek(file, SeekFrom::Data(at)) {
        Ok(from) => Ok(Some((from, seek(file, SeekFrom::Hole(from))?))),
        Err(Errno::NXIO) => Ok(None),
        Err(e) => Err(e),
    }
}

/// [`each_part`] without the file, from `at` on: what is in memory, whoever touched it. Not what is swapped out.
fn each_resident(own: &MemfdRegion, at: u64, len: u64, each: &mut dyn FnMut(u64, u64)) {
    let page = Align::PAGE.bytes();
    let mut pages = [0u8; 256];
    let mut run = None;
    let mut at = at & !(page - 1);
    while at < len {
        let n = (len - at).div_ceil(page).min(pages.len() as u64);
        let start = own.base().as_ptr().addr() + at as usize;
        let known = resident_pages(start, &mut pages[..n as usize]);
        for flag in &pages[..n as usize] {
            // What cannot be known may be touched.
            match (run, !known || flag & 1 != 0) {
                (None, true) => run = Some(at),
                (Some(from), false) => {
                    each(from, at);
                    run = None;
                }
                _ => {}
            }
            at += page;
        }
    }
    if let Some(from) = run {
        each(from, len);
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use memheap::region::memfd::MemfdFile;

    /// What is left of `parts` where there are `most` at most.
    fn joined(parts: &[(u64, u64)], most: u64) -> Vec<(u64, u64)> {
        let mut gaps = Gaps::default();
        parts.iter().for_each(|(from, to)| gaps.note(*from, *to));
        let mut joined = Joined { bridge: gaps.bridge(most), run: None };
        let mut left = Vec::new();
        parts.iter().for_each(|(from, to)| joined.note(*from, *to, &mut |from, to| left.push((from, to))));
        joined.end(&mut |from, to| left.push((from, to)));
        left
    }

    #[test]
    fn the_smallest_gaps_are_bridged_and_no_more_than_need_be() {
        let parts = [(0, 10), (11, 20), (100, 110), (112, 120), (1000, 1001)];
        assert_eq!(joined(&parts, 5), parts);
        assert_eq!(joined(&parts, 4), [(0, 20), (100, 110), (112, 120), (1000, 1001)]);
        assert_eq!(joined(&parts, 3), [(0, 20), (100, 120), (1000, 1001)]);
        assert_eq!(joined(&parts, 2), [(0, 120), (1000, 1001)]);
        assert_eq!(joined(&parts, 1), [(0, 1001)]);
        assert_eq!(joined(&[], 1), []);
        // Of one size: all or none.
        let even: Vec<_> = (0..100).map(|n| (n * 64, n * 64 + 1)).collect();
        assert_eq!(joined(&even, 100), even);
        assert_eq!(joined(&even, 99), [(0, 99 * 64 + 1)]);
    }

    #[test]
    fn the_file_and_the_memory_know_the_same_parts() {
        const LEN: u64 = 64 << 20;
        let own = MemfdFile::create(Bytes(LEN)).unwrap().map(None).map_err(|e| e.1).unwrap();
        let touched = [(0, 4096), (8192, 12288), (3 << 20, (3 << 20) + 8192), (LEN - 4096, LEN)];
        for (from, to) in touched {
            for at in (from..to).step_by(4096) {
                rustix::io::pwrite(own.file().file().unwrap(), &[1], at).unwrap();
            }
        }
        let mut parts = Vec::new();
        each_part(&own, LEN, &mut |from, to| parts.push((from, to)));
        assert_eq!(parts, touched);
        parts.clear();
        each_resident(&own, 0, LEN, &mut |from, to| parts.push((from, to)));
        assert_eq!(parts, touched);
        parts.clear();
        each_part(&own, 9000, &mut |from, to| parts.push((from, to)));
        assert_eq!(parts, [(0, 4096), (8192, 9000)], "and nothing beyond");
    }
}
