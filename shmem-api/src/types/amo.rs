//! Atomic operations as data, so that the same one can be done here or sent to where the word is.

/// What is done to one word. Every one of them gives what was there before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AmoOp<T> {
    /// Nothing: it is read.
    Load,
    /// It becomes this; what was there does not matter.
    Set(T),
    /// It becomes this.
    Swap(T),
    /// It becomes the second, if it is the first.
    CompareSwap(T, T),
    /// This is added, wrapping around.
    Add(T),
    /// The bits of this are kept.
    And(T),
    /// The bits of this are set.
    Or(T),
    /// The bits of this are flipped.
    Xor(T),
}

impl<T> AmoOp<T> {
    /// The same operation on a value's bits.
    pub(crate) fn map<U>(self, f: impl Fn(T) -> U) -> AmoOp<U> {
        match self {
            AmoOp::Load => AmoOp::Load,
            AmoOp::Set(v) => AmoOp::Set(f(v)),
            AmoOp::Swap(v) => AmoOp::Swap(f(v)),
            AmoOp::CompareSwap(expected, new) => AmoOp::CompareSwap(f(expected), f(new)),
            AmoOp::Add(v) => AmoOp::Add(f(v)),
            AmoOp::And(v) => AmoOp::And(f(v)),
            AmoOp::Or(v) => AmoOp::Or(f(v)),
            AmoOp::Xor(v) => AmoOp::Xor(f(v)),
        }
    }
}
