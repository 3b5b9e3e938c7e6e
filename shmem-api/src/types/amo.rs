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
    #[inline(always)]
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

/// Which operation it is, without its operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum AmoKind {
    Load,
    Set,
    Swap,
    CompareSwap,
    Add,
    And,
    Or,
    Xor,
}

impl AmoOp<u64> {
    /// In parts, which stay in registers: whole, an operation would be in memory wherever it is handed on to a function.
    #[inline(always)]
    pub(crate) fn parts(self) -> (AmoKind, u64, u64) {
        match self {
            AmoOp::Load => (AmoKind::Load, 0, 0),
            AmoOp::Set(v) => (AmoKind::Set, v, 0),
            AmoOp::Swap(v) => (AmoKind::Swap, v, 0),
            AmoOp::CompareSwap(expected, new) => (AmoKind::CompareSwap, expected, new),
            AmoOp::Add(v) => (AmoKind::Add, v, 0),
            AmoOp::And(v) => (AmoKind::And, v, 0),
            AmoOp::Or(v) => (AmoKind::Or, v, 0),
            AmoOp::Xor(v) => (AmoKind::Xor, v, 0),
        }
    }

    /// Of its parts.
    #[inline]
    pub(crate) fn of_parts(kind: AmoKind, first: u64, second: u64) -> AmoOp<u64> {
        match kind {
            AmoKind::Load => AmoOp::Load,
            AmoKind::Set => AmoOp::Set(first),
            AmoKind::Swap => AmoOp::Swap(first),
            AmoKind::CompareSwap => AmoOp::CompareSwap(first, second),
            AmoKind::Add => AmoOp::Add(first),
            AmoKind::And => AmoOp::And(first),
            AmoKind::Or => AmoOp::Or(first),
            AmoKind::Xor => AmoOp::Xor(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_same_operation() {
        let all = [
            AmoOp::Load,
            AmoOp::Set(1),
            AmoOp::Swap(2),
            AmoOp::CompareSwap(3, 4),
            AmoOp::Add(5),
            AmoOp::And(6),
            AmoOp::Or(7),
            AmoOp::Xor(8),
        ];
        for op in all {
            let (kind, first, second) = op.parts();
            assert_eq!(AmoOp::of_parts(kind, first, second), op);
        }
    }
}
