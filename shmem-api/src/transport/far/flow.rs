//! How much of a sender may be under way to a host, or kept there: so a fast sender does not exhaust a slow target.
//!
//! A process that serves keeps at most [`MAX_BYTES`] and [`MAX_REQUESTS`] requests of each PE that it serves, most of them no longer
//! than it takes to do them. It serves the PEs of the other hosts that chose it ([`Hosts`](super::hosts::Hosts)): one or two of each
//! host, where hosts have as many PEs each. A payload of more bytes goes when nothing else is under way: such a one is lent, and the
//! engine takes it from where it is when its place at the target is known.
//!
//! Invariant: **FAR-W1** of what a PE has sent to a host, no more than that is not yet told to be done. A server tells of a quarter of
//! it unasked, and whoever has no room asks: so whoever waits for room gets it.

/// Requests of a PE to a host that it does not know to be done.
pub(super) const MAX_REQUESTS: u64 = 4096;
/// Bytes of them, headers included.
pub(super) const MAX_BYTES: u64 = 1 << 20;
/// The longest batch, whatever an engine could copy: what waits for others to come along.
pub(super) const MAX_BATCH: usize = 16 << 10;

/// Whether this much more may be sent, if so much is under way.
pub(super) fn has_room(requests: u64, bytes: u64, more: usize) -> bool {
    requests < MAX_REQUESTS && (bytes == 0 || bytes + more as u64 <= MAX_BYTES)
}

/// Whether a server tells unasked, if so much has been done since it told last.
pub(super) fn is_news(requests: u64, bytes: u64) -> bool {
    requests >= MAX_REQUESTS / 4 || bytes >= MAX_BYTES / 4
}

const _: () = assert!(2 * MAX_BATCH as u64 <= MAX_BYTES / 4);
