//! The two macros that write each routine once: its form on the default context and the one on a given context.

/// Writes each routine once: `fn name / ctx_name` with a body over `call` becomes `ops::name(call, ...)`, `name(...)` on
/// the default context and `ctx_name(ctx, ...)`. A routine that knows no contexts is just `fn name`.
macro_rules! routines {
    ($(
        $(#[$doc:meta])*
        fn $name:ident $(/ $ctx_name:ident)? $(<$T:ident: $bound:path>)? ($call:ident $(, $arg:ident: $ty:ty)* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {
        /// The routines over a [`Call`](crate::raw::Call), for skins that have names of their own.
        #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
        pub mod ops {
            #[allow(unused_imports, reason = "not every room uses all of them")]
            use super::*;
            $(
                $(#[$doc])*
                // So that the Call never is in memory.
                #[inline(always)]
                pub unsafe fn $name $(<$T: $bound>)? ($call: $crate::call::Call $(, $arg: $ty)*) $(-> $ret)? $body
            )*
        }
        $(
            $(#[$doc])*
            #[inline]
            #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
            pub unsafe fn $name $(<$T: $bound>)? ($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: RAW-R2 to RAW-R5: it is the same routine, and its caller promised so.
                unsafe { ops::$name($crate::call::Call::new(concat!("shmem_", stringify!($name))) $(, $arg)*) }
            }

            $crate::raw::routines::on_context! {
                [$($ctx_name)?] $name [$(<$T: $bound>)?] [$($arg: $ty),*] [$(-> $ret)?]
            }
        )*
    };
}
pub(crate) use routines;

/// The form of a routine that takes a context, if it has one.
macro_rules! on_context {
    ([] $($rest:tt)*) => {};
    ([$ctx_name:ident] $name:ident [$(<$T:ident: $bound:path>)?] [$($arg:ident: $ty:ty),*] [$(-> $ret:ty)?]) => {
        #[doc = concat!("As [`", stringify!($name), "`], on a context: PEs are numbered in its team.")]
        ///
        /// # Safety
        /// As there; `ctx` is a live context, and is used as its options say.
        #[inline]
        #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
        pub unsafe fn $ctx_name $(<$T: $bound>)? (ctx: $crate::team::contexts::Ctx $(, $arg: $ty)*) $(-> $ret)? {
            // SAFETY: RAW-R2 to RAW-R5: it is the same routine, and its caller promised so.
            unsafe { ops::$name($crate::call::Call::on(concat!("shmem_", stringify!($ctx_name)), ctx) $(, $arg)*) }
        }
    };
}
pub(crate) use on_context;
