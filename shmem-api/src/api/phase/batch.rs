//! Non-blocking operations, in a scope whose end completes them (OpenSHMEM 1.6, 9.7 and 9.9).
//!
//! ```text
//!   phase.batch(|q| {  q.put(a, pe, at, &src);            src is borrowed ...
//!                      q.fetch_add(n, pe, 0, 1, &mut old);  old, too ...
//!   });                                                   ... until here: quiet, all is complete
//! ```
//!
//! The borrows last until the batch ends, and the compiler holds the program to them; a request that
//! could be forgotten would not do. On one host every operation is complete when its call returns.

use std::cell::Cell;
use std::marker::PhantomData;

use crate::api::phase::remote::Remote;
use crate::api::phase::share::Phase;
use crate::engine::Engine;
use crate::types::elem::{AmoBit, AmoInt, AmoSwap, Elem};
use crate::types::thread_level::Level;

/// Non-blocking operations that borrow their buffers until the batch ends. See [`Phase::batch`].
pub struct Batch<'b, 'env: 'b> {
    scope: PhantomData<Cell<&'b ()>>,
    env: PhantomData<Cell<&'env ()>>,
}

impl<L: Level> Phase<'_, L> {
    /// Runs `body` with a [`Batch`] whose operations may still be under way when they return; at the
    /// end of the batch all of them are complete.
    pub fn batch<'env, R>(&'env self, body: impl for<'b> FnOnce(&'b Batch<'b, 'env>) -> R) -> R {
        let _drained = Drained(self.engine());
        body(&Batch { scope: PhantomData, env: PhantomData })
    }
}

/// Completes a batch, also when it is left by unwinding.
struct Drained<'e>(&'e Engine);

impl Drop for Drained<'_> {
    fn drop(&mut self) {
        self.0.quiet();
    }
}

/// All panic as the calls of the same name of [`Remote`] do.
impl<'b> Batch<'b, '_> {
    /// Starts copying `src` to `to` at element `at` on `pe` (`shmem_put_nbi`); `src` is in use until the
    /// batch ends.
    pub fn put<T: Elem, L: Level>(&'b self, to: Remote<'_, T, L>, pe: usize, at: usize, src: &'b [T]) {
        to.put(pe, at, src);
    }

    /// Starts copying from element `at` of `of` on `pe` into `dst` (`shmem_get_nbi`), which is in use until
    /// the batch ends.
    pub fn get<T: Elem, L: Level>(&'b self, of: Remote<'_, T, L>, pe: usize, at: usize, dst: &'b mut [T]) {
        of.get(pe, at, dst);
    }

    /// Starts [`Remote::fetch`] into `was` (`shmem_atomic_fetch_nbi`).
    pub fn fetch<T: AmoSwap, L: Level>(&'b self, of: Remote<'_, T, L>, pe: usize, at: usize, was: &'b mut T) {
        *was = of.fetch(pe, at);
    }

    /// Starts [`Remote::compare_swap`]; what was there goes into `was` (`shmem_atomic_compare_swap_nbi`).
    pub fn compare_swap<T: AmoInt, L: Level>(
        &'b self,
        of: Remote<'_, T, L>,
        pe: usize,
        at: usize,
        expected: T,
        new: T,
        was: &'b mut T,
    ) {
        *was = of.compare_swap(pe, at, expected, new);
    }

    /// Starts [`Remote::fetch_inc`] (`shmem_atomic_fetch_inc_nbi`).
    pub fn fetch_inc<T: AmoInt, L: Level>(
        &'b self,
        of: Remote<'_, T, L>,
        pe: usize,
        at: usize,
        was: &'b mut T,
    ) {
        *was = of.fetch_inc(pe, at);
    }
}

macro_rules! fetching {
    ($($name:ident($bound:ident) = $remote:ident, $c:literal;)*) => {
        /// All panic as the calls of [`Remote`] do; what was there goes into `was`.
        impl<'b> Batch<'b, '_> {$(
            #[doc = concat!("Starts [`Remote::", stringify!($remote), "`] (`shmem_atomic_", $c, "_nbi`).")]
            pub fn $name<T: $bound, L: Level>(
                &'b self,
                of: Remote<'_, T, L>,
                pe: usize,
                at: usize,
                value: T,
                was: &'b mut T,
            ) {
                *was = of.$remote(pe, at, value);
            }
        )*}
    };
}

fetching! {
    swap(AmoSwap) = swap, "swap";
    fetch_add(AmoInt) = fetch_add, "fetch_add";
    fetch_and(AmoBit) = fetch_and, "fetch_and";
    fetch_or(AmoBit) = fetch_or, "fetch_or";
    fetch_xor(AmoBit) = fetch_xor, "fetch_xor";
}
