//! A request spread over domains.

use std::fmt;

use super::proportional::proportional;
use crate::units::{Align, Bytes, Offset};

/// The most that a domain counts for, since a segment cannot use more than a process can address. So every sum of
/// shares fits in 64 bits.
pub const DOMAIN_MAX: Bytes = Bytes(1 << 48);

/// A part of a host's memory: that of a NUMA node, a kind of memory, or all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Domain {
    /// Memory that can be taken.
    pub available: Bytes,
}

/// The place of a domain in the list given to [`distribute`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DomainId(pub u32);

/// The share of each domain: from the request, what each domain can give, and the granule. It keeps BUDGET-B1 and
/// BUDGET-B2.
pub type Shares = fn(Bytes, &[Bytes], Align) -> Vec<Bytes>;

/// How a request is spread.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    /// Whole granules in proportion to what each domain can give, by largest remainder.
    Proportional,
    /// As this function says; [`seeds::hostboot`](crate::seeds::hostboot) has some.
    By(Shares),
}

/// How a plan relates to its request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Granted what was requested.
    Exact,
    /// Granted that much more, because shares are multiples of the granule.
    Over(Bytes),
    /// The domains lack that much.
    Short(Bytes),
    /// Something was requested and nothing could be granted: an error.
    Nothing,
    /// Nothing was requested: switched off, no error.
    Off,
}

/// What [`distribute`] worked out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What was asked for.
    pub request: Bytes,
    /// What each domain gives, in the order of the domains.
    pub shares: Vec<Bytes>,
    /// The sum of the shares.
    pub granted: Bytes,
    /// How that relates to the request.
    pub outcome: Outcome,
}

/// A contiguous part of a window whose pages come from one domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Where in the window it starts.
    pub at: Offset,
    /// How long it is.
    pub len: Bytes,
    /// Whose pages it gets.
    pub domain: DomainId,
}

/// Spreads `request` over `domains` in multiples of `granule`.
pub fn distribute(request: Bytes, domains: &[Domain], granule: Align, policy: Policy) -> Plan {
    let usable: Vec<Bytes> = domains.iter().map(Domain::usable).collect();
    let shares = match policy {
        _ if request.0 == 0 => vec![Bytes(0); domains.len()],
        Policy::Proportional => proportional(request, &usable, granule),
        Policy::By(shares) => shares(request, &usable, granule),
    };
    let granted = Bytes(shares.iter().map(|s| s.0).sum());
    let outcome = match (request.0, granted.0) {
        (0, _) => Outcome::Off,
        (_, 0) => Outcome::Nothing,
        (r, g) if g > r => Outcome::Over(Bytes(g - r)),
        (r, g) if g < r => Outcome::Short(Bytes(r - g)),
        _ => Outcome::Exact,
    };
    Plan { request, shares, granted, outcome }
}

impl Domain {
    /// A domain with so much memory.
    pub fn new(available: Bytes) -> Domain {
        Domain { available }
    }

    /// What it can give: at most [`DOMAIN_MAX`].
    pub fn usable(&self) -> Bytes {
        self.available.min(DOMAIN_MAX)
    }
}

impl Plan {
    /// Lays the shares out in a window of `window` bytes: largest first, ties in order of the domains,
    /// so that a share of `granule * 2^k` starts at a multiple of itself. Past the end of the window
    /// pieces are cut or left out; if the plan is short, the end of the window belongs to no domain.
    pub fn place(&self, window: Bytes) -> Vec<Piece> {
        let mut order: Vec<usize> = (0..self.shares.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(self.shares[i]));
        let mut at = 0;
        let mut pieces = Vec::new();
        for i in order {
            let len = self.shares[i].0.min(window.0 - at);
            if len > 0 {
                pieces.push(Piece { at: Offset(at), len: Bytes(len), domain: DomainId(i as u32) });
                at += len;
            }
        }
        pieces
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Exact => write!(f, "exact"),
            Outcome::Over(n) => write!(f, "over by {n}"),
            Outcome::Short(n) => write!(f, "short by {n}"),
            Outcome::Nothing => write!(f, "nothing could be granted"),
            Outcome::Off => write!(f, "off"),
        }
    }
}
