//! How a segment is laid out: the spaces' windows, and above them the runtime's own part.
//!
//! ```text
//!   0 ......... symmetric length ..................................... length
//!   | user | host | dma (big pages, carved) | pe | ...  reservations (top down) |
//!   |<------- puts reach this ------------->|
//! ```
//!
//! Everything here is computed from sizes that are equal on all PEs, so the layout is, too.

use memheap::pages::{PageKind, Want, Window, carve, segment_for};

use memheap::place::Reach;
use memheap::{Align, Bytes, Offset};

use crate::error::Error;
use crate::node::control_block::{ControlLayout, TeamSlots};

/// Bytes wanted for each space, by [`Reach`].
pub(crate) type Sizes = [Bytes; 4];

/// The layout of every PE's segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    windows: [(Offset, Bytes); 4],
    /// What other PEs may address: everything below.
    pub(crate) symmetric: Bytes,
    /// Where the runtime's part begins.
    pub(crate) internals: Offset,
    /// Length of the segment.
    pub(crate) len: Bytes,
}

impl Layout {
    /// Carves the windows of the symmetric spaces, then puts the local space and the internals, with so many team
    /// slots, above. `advice` says what to do where they do not fit.
    pub(crate) fn plan(sizes: &Sizes, slots: TeamSlots, advice: &str) -> Result<Layout, Error> {
        let too_large = || Error::TooLarge {
            sizes: sizes.iter().map(|s| s.0).fold(0, u64::saturating_add),
            advice: advice.to_owned(),
        };
        let want = |reach: Reach| Want {
            name: reach.space(),
            len: sizes[reach as usize],
            align: Align::HUGE,
            pages: PageKind::Big,
        };
        let wants = [Reach::World, Reach::Host, Reach::Dma].map(want);
        let symmetric = segment_for(&wants).map_err(|_| too_large())?;
        let carved = carve(symmetric, &wants).map_err(|_| too_large())?;
        let local = sizes[Reach::Pe as usize].checked_round_up(Align::HUGE).ok_or_else(too_large)?;
        let internals = symmetric.0.checked_add(local.0).ok_or_else(too_large)?;
        let own = ControlLayout::len(slots).checked_round_up(Align::HUGE).ok_or_else(too_large)?;
        let len = internals.checked_add(own.0).ok_or_else(too_large)?;
        let window = |w: &Window, reach: Reach| (w.at, sizes[reach as usize]);
        Ok(Layout {
            windows: [
                window(&carved[0], Reach::World),
                window(&carved[1], Reach::Host),
                window(&carved[2], Reach::Dma),
                (Offset(symmetric.0), sizes[Reach::Pe as usize]),
            ],
            symmetric,
            internals: Offset(internals),
            len: Bytes(len),
        })
    }

    /// Where the window of a space begins, and the bytes it manages.
    pub(crate) fn window(&self, reach: Reach) -> (Offset, Bytes) {
        self.windows[reach as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: TeamSlots = TeamSlots { n: 64, on_hosts: true };

    #[test]
    fn windows_are_disjoint_and_only_symmetric_ones_are_reachable() {
        let sizes = [Bytes(5 << 20), Bytes(256 << 20), Bytes(0), Bytes(3 << 20)];
        let layout = Layout::plan(&sizes, SLOTS, "").unwrap();
        let mut windows: Vec<_> =
            Reach::ALL.map(|r| layout.window(r)).into_iter().filter(|w| w.1.0 > 0).collect();
        windows.sort();
        assert!(windows.windows(2).all(|w| w[0].0.0 + w[0].1.0 <= w[1].0.0), "{windows:?}");
        assert!(windows.iter().all(|w| w.0.is_aligned(Align::HUGE)));
        assert_eq!(layout.window(Reach::Pe).0.0, layout.symmetric.0);
        assert!(layout.internals.0 >= layout.symmetric.0 + (3 << 20));
        assert!(layout.len.0 >= layout.internals.0 + ControlLayout::len(SLOTS).0);
    }

    #[test]
    fn what_does_not_fit_in_64_bits_is_an_error() {
        assert!(Layout::plan(&[Bytes(u64::MAX), Bytes(1), Bytes(1), Bytes(1)], SLOTS, "").is_err());
    }
}
