//! Whether the other hosts are still there. An engine may not notice that a link is dead (UCX over tcp does not within a minute): so
//! whoever is silent is asked, and whoever stays silent is lost.
//!
//! ```text
//!   host 0 ─► host 1 ─► host 2 ─► host 0    the first PE of each host watches the next host; and every process those
//!                                            that it waits for. So if some hosts are cut off from the others, one on each side notices
//!
//!   every look: heard?                silent for 0
//!               silent for a second   a beat is sent, which is answered; so every second
//!               for the limit         it is lost: all that wait for it end, and `lost` is told
//! ```
//!
//! Only the time counts in which this process looked: one that was stopped itself has heard nobody either. A large payload may take as long
//! as it takes at [`RATE`]: answers come behind it.
//!
//! Here is what is known of each link; who looks, asks and tells is `watching`.

use std::time::Duration;

/// Between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(500);
/// A look counts for no more than this, however late it comes.
const LONGEST_STEP: Duration = Duration::from_secs(1);
/// From so much silence on it is asked, if the limit leaves the time; and again after as much.
const ASKED_AFTER: Duration = Duration::from_secs(1);
/// How many bytes in a second a link carries at least that is not dead.
pub(super) const RATE: u64 = 10_000_000;

/// What is watched.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Watch {
    #[default]
    Nothing,
    /// Hosts that are silent; a process that ends has left in good order.
    Parting,
    All,
}

/// The way to a host.
#[derive(Clone, Copy, Default)]
pub(super) struct Link {
    /// For how long nothing has been heard of it; and how long that was when it was asked last.
    pub(super) silent: Duration,
    pub(super) asked: Duration,
    /// It is lost, and that has been told.
    pub(super) told: bool,
}

/// See above.
pub(super) struct Links {
    pub(super) watch: Watch,
    /// By host.
    pub(super) of: Vec<Link>,
    /// `None`: silence is no reason.
    pub(super) limit: Option<Duration>,
}

impl Links {
    pub(super) fn new(hosts: usize, limit: Option<Duration>) -> Links {
        Links { watch: Watch::Nothing, of: vec![Link::default(); hosts], limit }
    }
}

impl Link {
    /// Whether it is to be asked, now that it has been silent for so much longer.
    pub(super) fn is_to_be_asked(&mut self, passed: Duration, limit: Duration) -> bool {
        self.silent += passed.min(LONGEST_STEP);
        let asks = self.silent - self.asked >= ASKED_AFTER.min(limit / 4);
        if asks {
            self.asked = self.silent;
        }
        asks
    }
}
