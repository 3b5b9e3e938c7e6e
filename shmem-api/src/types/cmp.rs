//! Comparisons of waits and tests.

/// How a wait compares the element with the value (`SHMEM_CMP_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cmp {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

impl Cmp {
    /// Whether `is` compares true with `value`.
    #[inline]
    pub(crate) fn holds<T: PartialOrd>(self, is: T, value: T) -> bool {
        match self {
            Cmp::Eq => is == value,
            Cmp::Ne => is != value,
            Cmp::Gt => is > value,
            Cmp::Ge => is >= value,
            Cmp::Lt => is < value,
            Cmp::Le => is <= value,
        }
    }
}
