//! What the executable says about itself: its program headers, as the loader put them in memory.
//!
//! ```text
//!   GNU ld:  one RW segment    [ RELRO ... | .data .bss ]
//!   lld:     two RW segments   [ RELRO ... ]   [ .data .bss ]     so: all of them, less the RELRO pages
//! ```
//!
//! Edges, for STATICS-D1: a span begins at the page of its segment's first byte and ends behind the page of its
//! last, because the loader maps whole pages and the heap begins on a page of its own. RELRO ends where
//! the loader ends its protection: at the page *below* its last byte, so a page shared by RELRO and
//! `.data` is writable and belongs to the span.

use libc::{PF_W, PF_X, PT_GNU_RELRO, PT_LOAD};

use crate::process::system::{Header, Program};

/// Whole pages of writable data: `lo..hi`, of which those below `file_end` began as a copy of the file
/// and the others as zeroes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Writable {
    pub(super) lo: usize,
    pub(super) file_end: usize,
    pub(super) hi: usize,
}

/// The pages that hold the variables of a program.
pub(super) fn writable_of(program: &Program) -> Vec<Writable> {
    writable(program.headers(), program.bias(), rustix::param::page_size())
}

/// The writable pages of the load segments, less those of RELRO. A segment that is executable as well
/// (`ld -N`) is left alone: its code would have to stay executable.
fn writable(headers: &[Header], bias: usize, page: usize) -> Vec<Writable> {
    let floor = |at: usize| at & !(page - 1);
    let ceil = |at: usize| at.next_multiple_of(page);
    let is_data = |h: &&Header| h.kind == PT_LOAD && h.flags & (PF_W | PF_X) == PF_W && h.len > 0;
    let relro = headers.iter().find(|h| h.kind == PT_GNU_RELRO);
    let (relro_lo, relro_hi) = relro.map_or((0, 0), |r| (floor(bias + r.at), floor(bias + r.at + r.len)));
    let pieces = |h: &Header| {
        let (lo, hi) = (floor(bias + h.at), ceil(bias + h.at + h.len));
        let file_end = ceil(bias + h.at + h.file_len);
        [(lo, hi.min(relro_lo)), (lo.max(relro_hi), hi)].map(|(lo, hi)| Writable {
            lo,
            file_end: file_end.clamp(lo, hi.max(lo)),
            hi,
        })
    };
    headers.iter().filter(is_data).flat_map(pieces).filter(|w| w.lo < w.hi).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use libc::PF_R;

    const RW: u32 = PF_R | PF_W;

    fn load(flags: u32, at: usize, file_len: usize, len: usize) -> Header {
        Header { kind: PT_LOAD, flags, at, file_len, len }
    }

    fn relro(at: usize, len: usize) -> Header {
        Header { kind: PT_GNU_RELRO, flags: PF_R, at, file_len: len, len }
    }

    fn spans(headers: &[Header], bias: usize) -> Vec<(usize, usize, usize)> {
        writable(headers, bias, 0x1000).iter().map(|w| (w.lo, w.file_end, w.hi)).collect()
    }

    #[test]
    fn gnu_ld_has_one_segment_that_begins_with_relro() {
        let text = load(PF_R | PF_X, 0x1000, 0x800, 0x800);
        let headers = [text, load(RW, 0x3db8, 0x270, 0x5000), relro(0x3db8, 0x248)];
        assert_eq!(spans(&headers, 0x5550_0000), [(0x5550_4000, 0x5550_5000, 0x5550_9000)]);
    }

    #[test]
    fn lld_has_a_second_segment_for_relro() {
        let headers = [load(RW, 0x5040, 0xa00, 0xfc0), relro(0x5040, 0xfc0), load(RW, 0x6a80, 0x100, 0x9000)];
        assert_eq!(spans(&headers, 0), [(0x6000, 0x7000, 0x10000)]);
    }

    #[test]
    fn a_page_that_relro_shares_with_data_is_writable() {
        let headers = [load(RW, 0x3db8, 0x700, 0x700), relro(0x3db8, 0x300)];
        assert_eq!(spans(&headers, 0), [(0x4000, 0x5000, 0x5000)]);
    }

    #[test]
    fn without_relro_all_of_it() {
        assert_eq!(spans(&[load(RW, 0x3db8, 0x10, 0x248)], 0), [(0x3000, 0x4000, 0x4000)]);
        assert_eq!(spans(&[load(RW, 0x3db8, 0x10, 0x249)], 0), [(0x3000, 0x4000, 0x5000)]);
    }

    #[test]
    fn relro_in_the_middle_leaves_both_sides() {
        let headers = [load(RW, 0x3000, 0x2800, 0x6000), relro(0x4000, 0x1000)];
        assert_eq!(spans(&headers, 0), [(0x3000, 0x4000, 0x4000), (0x5000, 0x6000, 0x9000)]);
    }

    #[test]
    fn code_that_is_writable_stays_private() {
        assert_eq!(spans(&[load(RW | PF_X, 0x3000, 0x1000, 0x1000), load(RW, 0, 0, 0)], 0), []);
    }
}
