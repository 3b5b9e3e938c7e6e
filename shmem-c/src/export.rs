//! How functions get their C names.
//!
//! `export!` makes one function; the others make families of functions, one for each type of a table of the
//! standard:
//!
//! ```ignore
//! // shmem_float_put, shmem_ctx_float_put, shmem_double_put, ...
//! type_table!(rma => typed_on_ctx, {
//!     put(via, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::put(via, dest, source, nelems, pe);
//! });
//! ```
//!
//! | macro | names | context |
//! |---|---|---|
//! | `typed_on_ctx` | `shmem_TYPENAME_put` | on the default one and, with `ctx_`, on a given one |
//! | `sized_on_ctx` | `shmem_putSIZE`; with `put[_nbi]`, `shmem_putSIZE_nbi` | so, too |
//! | `plain_on_ctx` | `shmem_putmem` | so, too |
//! | `typed`, `sized`, `plain` | | none |
//!
//! In the arguments and the body `T` is the type of the table; `via` carries the function's own name and its
//! context to the raw routine. The body may be unsafe: what the routine asks of its caller, the C program
//! has promised.

/// Functions with C names: `fn shmem_x(...)` becomes `pshmem_x`, and `shmem_x` is a weak alias of it (CSKIN-C1).
macro_rules! export {
    ($( fn $name:ident ($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block )*) => { $(
        pastey::paste! {
            // SAFETY (of the name): the standard's, or prefixed by `p`: nothing else in a program has it.
            #[unsafe(no_mangle)]
            #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
            unsafe extern "C" fn [<p $name>]($($arg: $ty),*) $(-> $ret)? $body
        }
        core::arch::global_asm!(
            concat!(".weak ", stringify!($name)),
            concat!(".set ", stringify!($name), ", p", stringify!($name))
        );
    )* };
}

/// Functions of assembly around `$inner`, with the C names of `export!`.
macro_rules! around {
    ($( $name:ident = $inner:path: $($line:expr),* ; )*) => { $(
        pastey::paste! {
            // SAFETY (of the name): as in `export!`.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            unsafe extern "C" fn [<p $name>]() {
                core::arch::naked_asm!($($line),*, inner = sym $inner)
            }
        }
        core::arch::global_asm!(
            concat!(".weak ", stringify!($name)),
            concat!(".set ", stringify!($name), ", p", stringify!($name))
        );
    )* };
}

/// Functions over a `Call` on the default context that know where they were called: the address a call returns to is
/// on top of the stack, and is passed on as one argument more, in the register that comes next.
macro_rules! called_from {
    ($( $next:literal $name:ident ($call:ident, $site:ident $(, $arg:ident: $ty:ty)*) $(-> $ret:ty)? = $body:expr; )*) => {
        $(
            mod $name {
                #[allow(unused_imports, reason = "not every routine names all of them")]
                use super::*;
                pub(super) unsafe extern "C" fn from($($arg: $ty,)* back: usize) $(-> $ret)? {
                    let ($call, $site) =
                        (shmem_api::raw::Call::new(stringify!($name)), shmem_api::raw::CallSite::returning_to(back));
                    // SAFETY: CSKIN-C4.
                    #[allow(unused_unsafe, reason = "some refuse before they ask anything")]
                    unsafe { $body }
                }
            }
            around! { $name = $name::from: concat!("mov ", $next, ", [rsp]"), "jmp {inner}"; }
        )*
    };
}

/// One function over a `Call` on the default context.
macro_rules! via_export {
    ($name:ident ($call:ident $(, $arg:ident: $ty:ty)*) $(-> $ret:ty)? = $body:expr) => {
        export! {
            fn $name($($arg: $ty),*) $(-> $ret)? {
                let $call = shmem_api::raw::Call::new(stringify!($name));
                // SAFETY: CSKIN-C4.
                #[allow(unused_unsafe, reason = "some routines ask nothing")]
                unsafe { $body }
            }
        }
    };
}

/// One function over a `Call` on the context that is its first argument.
macro_rules! via_export_ctx {
    ($name:ident ($call:ident $(, $arg:ident: $ty:ty)*) $(-> $ret:ty)? = $body:expr) => {
        export! {
            fn $name(ctx: shmem_api::raw::Ctx $(, $arg: $ty)*) $(-> $ret)? {
                let $call = shmem_api::raw::Call::on(stringify!($name), ctx);
                // SAFETY: CSKIN-C4; that `ctx` is a context, too.
                #[allow(unused_unsafe, reason = "some routines ask nothing")]
                unsafe { $body }
            }
        }
    };
}

/// A room for one type, in which it is called `T`.
macro_rules! room_of_type {
    ($room:ident $t:tt $($item:tt)*) => {
        #[allow(non_snake_case, reason = "named after the family")]
        mod $room {
            #[allow(unused_imports, reason = "not every routine names all of them")]
            use super::*;
            #[allow(dead_code, reason = "not every routine names it")]
            type T = shmem_api::c_type!($t);
            $($item)*
        }
    };
}

macro_rules! typed_on_ctx {
    ([$($t:tt)*] $routines:tt) => { $( typed_on_ctx!(@one $t $routines); )* };
    (@one $t:tt { $( $name:ident $args:tt $(-> $ret:ty)? = $body:expr; )* }) => { pastey::paste! { $(
        room_of_type! { [<$name _of_ $t>] $t
            via_export! { [<shmem_ $t _ $name>] $args $(-> $ret)? = $body }
            via_export_ctx! { [<shmem_ctx_ $t _ $name>] $args $(-> $ret)? = $body }
        }
    )* } };
}

macro_rules! sized_on_ctx {
    ([$($t:tt)*] $routines:tt) => { $( sized_on_ctx!(@one $t $routines); )* };
    (@one $t:tt { $( $name:ident $([$suffix:ident])? ($($args:tt)*) $(-> $ret:ty)? = $body:expr; )* }) => { pastey::paste! { $(
        room_of_type! { [<$name $t $($suffix)?>] $t
            via_export! { [<shmem_ $name $t $($suffix)?>] ($($args)*) $(-> $ret)? = $body }
            via_export_ctx! { [<shmem_ctx_ $name $t $($suffix)?>] ($($args)*) $(-> $ret)? = $body }
        }
    )* } };
}

macro_rules! plain_on_ctx {
    ($( $name:ident $args:tt $(-> $ret:ty)? = $body:expr; )*) => { pastey::paste! { $(
        via_export! { [<shmem_ $name>] $args $(-> $ret)? = $body }
        via_export_ctx! { [<shmem_ctx_ $name>] $args $(-> $ret)? = $body }
    )* } };
}

macro_rules! typed {
    ([$($t:tt)*] $routines:tt) => { $( typed!(@one $t $routines); )* };
    (@one $t:tt { $( $name:ident $args:tt $(-> $ret:ty)? = $body:expr; )* }) => { pastey::paste! { $(
        room_of_type! { [<$name _of_ $t>] $t
            via_export! { [<shmem_ $t _ $name>] $args $(-> $ret)? = $body }
        }
    )* } };
}

macro_rules! sized {
    ([$($t:tt)*] $routines:tt) => { $( sized!(@one $t $routines); )* };
    (@one $t:tt { $( $name:ident $args:tt $(-> $ret:ty)? = $body:expr; )* }) => { pastey::paste! { $(
        room_of_type! { [<$name $t>] $t
            via_export! { [<shmem_ $name $t>] $args $(-> $ret)? = $body }
        }
    )* } };
}

macro_rules! plain {
    ($( $name:ident $args:tt $(-> $ret:ty)? = $body:expr; )*) => { pastey::paste! { $(
        via_export! { [<shmem_ $name>] $args $(-> $ret)? = $body }
    )* } };
}
