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
}
