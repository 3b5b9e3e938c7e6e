//! The collectives on teams (OpenSHMEM 1.6, 9.11).

use super::via::Via;
use crate::coll::group::Group;

/// Writes each collective once: `fn name` with a body over `via` becomes `calls::name(via, ...)`, and `name(...)` under
/// its name in C.
macro_rules! collectives {
    (mod $calls:ident; $(
        $(#[$doc:meta])*
        fn $name:ident $(<$T:ident: $bound:path>)? ($via:ident $(, $arg:ident: $ty:ty)* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {
        #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
        pub(super) mod $calls {
            use super::*;
            $(
                $(#[$doc])*
                pub unsafe fn $name $(<$T: $bound>)? ($via: $crate::raw::Via $(, $arg: $ty)*) $(-> $ret)? $body
            )*
        }
        $(
            $(#[$doc])*
            #[inline]
            #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
            pub unsafe fn $name $(<$T: $bound>)? ($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: by the same contract.
                unsafe { $calls::$name($crate::raw::Via::new(concat!("shmem_", stringify!($name))) $(, $arg)*) }
            }
        )*
    };
}
pub(super) use collectives;

/// The root, if it is a member's number.
pub(super) fn checked_root(group: &impl Group, root: i32) -> u32 {
    match u32::try_from(root) {
        Ok(root) if root < group.size() => root,
        _ => group.via().fail(&format!("PE_root is {root}: it must be 0 to {}", group.size() - 1)),
    }
}

/// The strides, if both are at least 1.
pub(super) fn checked_strides(via: Via, dst: isize, sst: isize) -> (usize, usize) {
    let check = |name: &str, stride: isize| match usize::try_from(stride) {
        Ok(stride @ 1..) => stride,
        _ => via.fail(&format!("{name} is {stride}: a stride must be at least 1")),
    };
    (check("dst", dst), check("sst", sst))
}
