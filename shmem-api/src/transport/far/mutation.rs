//! Faults that the tests build into the protocol, to see that they find them.

/// See above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mutation {
    /// It is as it is.
    None,
    /// One in three of the answers that only tell what is done is not sent.
    AckLost,
    /// A fence does nothing.
    FenceIgnored,
    /// A signal changes when its message comes, whether or not its data is there.
    SignalFirst,
    /// An atomic operation of which nobody waits for what was there does not wait for what was put before it.
    PostUnordered,
    /// One in three of those is told to be done, but is not.
    PostDropped,
}
