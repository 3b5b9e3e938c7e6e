//! What kinds of rendezvous there are, and the byte that stands for each in a word.

/// Each kind with its byte, once: so none that is added can be forgotten when a byte is read back.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $byte:literal,)*) => {
        /// What kind of rendezvous a PE is at. PEs at different kinds never pair.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(crate) enum Kind {
            $($(#[$doc])* $kind = $byte,)*
        }

        impl Kind {
            /// The kind that a byte stands for, or the byte, if it stands for none: in the word of a PE before its first
            /// call, or that some other program wrote.
            pub(crate) const fn of(byte: u8) -> Result<Kind, u8> {
                match byte {
                    $($byte => Ok(Kind::$kind),)*
                    unknown => Err(unknown),
                }
            }
        }

        #[cfg(test)]
        pub(crate) const ALL: &[Kind] = &[$(Kind::$kind),*];
    };
}

kinds! {
    Pinned = 1,
    Barrier = 2,
    Alloc = 3,
    Free = 4,
    Collect = 5,
    Enter = 6,
    Exit = 7,
    Finalize = 8,
    MoreFrees = 9,
    Touched = 10,
    Sync = 11,
    SplitStrided = 12,
    Split2d = 13,
    Claim = 14,
    Destroy = 15,
    Calloc = 16,
    Realloc = 17,
    Broadcast = 18,
    Gather = 19,
    Fcollect = 20,
    Alltoall = 21,
    Reduce = 22,
    Scan = 23,
    /// A call in which nobody is met, such as `malloc(0)`.
    Nothing = 24,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_a_kind_or_itself() {
        for byte in 0..=u8::MAX {
            match Kind::of(byte) {
                Ok(kind) => assert_eq!(kind as u8, byte),
                Err(unknown) => assert_eq!(unknown, byte),
            }
        }
        assert_eq!((0..=u8::MAX).filter(|byte| Kind::of(*byte).is_ok()).count(), ALL.len());
        assert_eq!(Kind::of(0), Err(0));
    }
}
