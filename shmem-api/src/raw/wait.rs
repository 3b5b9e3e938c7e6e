//! Waits and tests on this PE's own variables (OpenSHMEM 1.6, point-to-point synchronization).
//!
//! ```text
//!   variables:  7  0  7  9      each is compared with one value, or with its own (`_vector`)
//!   status:     0  0  1  0      not zero: left out; NULL: none is
//!               ▲─────┘
//!               └ every call of the `any` forms starts to look somewhere else
//! ```
//!
//! The variables are changed by atomics and signals, which wake the waiter. Plain puts of one element are
//! noticed, too, in bounded steps. A variable that compares true has been read with acquire: what was put
//! before its change (and ordered by fence, quiet or the signal) is seen afterwards.
//!
//! Invariant **RAWWAIT-W1**: the variables of a [`Set`] are readable atomics, its values and its status are readable, for the
//! length of the call. That the variables are symmetric, all of them, is checked (a wait for one that no other PE can
//! change would have no end); that they live, and the rest, is the callers' promise. A misaligned variable is refused:
//! a load that crosses a cache line is no atomic, so half of a change could be taken for a value.

use std::cell::Cell;

use crate::call::Call;
use crate::memory::copy;
use crate::raw::routines::routines;
use crate::sync::conditions::Conditions;
use crate::types::cmp::Cmp;
use crate::types::elem::Waitable;

/// C's code for [`Cmp::Eq`] (`SHMEM_CMP_EQ`). The six values are those of Open MPI and OSSS: there are programs that
/// take the 0 of this one for a status, which must then exclude nothing.
pub const CMP_EQ: i32 = 0;
/// C's code for [`Cmp::Ne`] (`SHMEM_CMP_NE`).
pub const CMP_NE: i32 = 1;
/// C's code for [`Cmp::Gt`] (`SHMEM_CMP_GT`).
pub const CMP_GT: i32 = 2;
/// C's code for [`Cmp::Ge`] (`SHMEM_CMP_GE`).
pub const CMP_GE: i32 = 5;
/// C's code for [`Cmp::Lt`] (`SHMEM_CMP_LT`).
pub const CMP_LT: i32 = 4;
/// C's code for [`Cmp::Le`] (`SHMEM_CMP_LE`).
pub const CMP_LE: i32 = 3;

/// What the `any` forms answer when there is none (`SIZE_MAX`).
pub const NONE: usize = usize::MAX;

impl Call {
    /// The comparison that C's code stands for; any other code ends the job with one line.
    #[inline]
    pub fn comparison(self, code: i32) -> Cmp {
        match code {
            CMP_EQ => Cmp::Eq,
            CMP_NE => Cmp::Ne,
            CMP_GT => Cmp::Gt,
            CMP_GE => Cmp::Ge,
            CMP_LT => Cmp::Lt,
            CMP_LE => Cmp::Le,
            _ => self.fail(&format!("{code} is no comparison: use one of the SHMEM_CMP constants")),
        }
    }

    /// What a test found. Programs test in a loop: a test that found nothing gives its core away where PEs share
    /// cores, since whoever has the news may need it.
    #[inline]
    pub(crate) fn tested<F: PartialEq>(self, found: F, nothing: F) -> F {
        if found == nothing {
            self.give_way();
        }
        found
    }

    #[cold]
    #[inline(never)]
    fn give_way(self) {
        if self.engine().policy.crowded() {
            std::thread::yield_now();
        }
    }

    /// Waits until `ready`, which looks at `n` variables at `at`.
    #[cold]
    #[inline(never)]
    fn wait(self, at: usize, n: usize, ready: impl Fn() -> bool) {
        let place = || match n {
            1 => format!("{} on {at:#x}", self.routine),
            _ => format!("{} on {n} variables at {at:#x}", self.routine),
        };
        self.engine().wait_until(ready, place);
    }
}

/// The variables of one call and what they are compared with.
struct Set<T> {
    call: Call,
    vars: *const T,
    len: usize,
    /// Not zero: that variable is left out. Null: none is.
    status: *const i32,
    cmp: Cmp,
    values: *const T,
    /// From one variable's value to the next one's: 0 where there is one for all.
    step: usize,
}

impl<T: Waitable> Set<T> {
    /// # Safety
    /// RAWWAIT-W1.
    #[inline]
    unsafe fn new(
        call: Call,
        vars: *const T,
        len: usize,
        status: *const i32,
        cmp: Cmp,
        values: *const T,
        step: usize,
    ) -> Set<T> {
        call.own(if len == 0 { std::ptr::dangling() } else { vars }, len);
        call.local("the values to compare with", values, len);
        Set { call, vars, len, status, cmp, values, step }
    }
}

impl<T: Waitable> Conditions for Set<T> {
    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn has(&self, i: usize) -> bool {
        // SAFETY: RAWWAIT-W1, and `i` is below the length.
        self.status.is_null() || unsafe { self.status.wrapping_add(i).read_unaligned() } == 0
    }

    #[inline]
    fn holds(&self, i: usize) -> bool {
        let value = self.values.wrapping_add(i * self.step);
        // SAFETY: RAWWAIT-W1: there is a value for every variable, or one for all.
        holds(self.vars.wrapping_add(i), self.cmp, unsafe { value.read_unaligned() })
    }

    fn sleep(&self, ready: impl Fn() -> bool) {
        self.call.wait(self.vars.addr(), self.len, ready);
    }
}

/// Writes down what was found among `len` variables, in an array.
///
/// # Safety
/// `indices` is writable for as many elements as are found, or null.
unsafe fn list(call: Call, indices: *mut usize, len: usize) -> impl Fn(usize, usize) {
    call.local("the indices", indices, len);
    // SAFETY: RAW-R2: `indices` has room for what is found.
    move |n, i| unsafe { indices.wrapping_add(n).write_unaligned(i) }
}

/// Whether the variable compares true with `value`.
#[inline]
fn holds<T: Waitable>(var: *const T, cmp: Cmp, value: T) -> bool {
    cmp.holds(look(var), value)
}

/// What the variable is now; what was put before it became that is seen afterwards.
#[inline]
fn look<T: Waitable>(var: *const T) -> T {
    // SAFETY: RAWWAIT-W1.
    unsafe { copy::amo_load(var) }
}

routines! {
    /// Waits until `*ivar` compares true with `value` (`shmem_wait_until`). Blocks the calling thread only.
    ///
    /// # Safety
    /// `ivar` is a variable of this PE that is changed atomically only; the World stays up during the call.
    fn wait_until<T: Waitable>(call, ivar: *mut T, cmp: Cmp, value: T) {
        call.own(ivar, 1);
        if !holds(ivar, cmp, value) {
            call.wait(ivar.addr(), 1, || holds(ivar, cmp, value));
        }
    }

    /// Waits until each of `n` variables has compared true with `value` (`shmem_wait_until_all`); those whose `status` is
    /// not zero are left out, none if it is null. Of no variables: returns at once.
    ///
    /// # Safety
    /// As [`wait_until`], for `n` variables; `status` is null or readable for `n` elements, and is not changed meanwhile.
    fn wait_until_all<T: Waitable>(call, ivars: *mut T, n: usize, status: *const i32, cmp: Cmp, value: T) {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        unsafe { Set::new(call, ivars, n, status, cmp, &value, 0) }.wait_all()
    }

    /// Waits until one of `n` variables compares true with `value`; which one (`shmem_wait_until_any`). Of no variables:
    /// [`NONE`].
    ///
    /// # Safety
    /// As [`wait_until_all`].
    fn wait_until_any<T: Waitable>(call, ivars: *mut T, n: usize, status: *const i32, cmp: Cmp, value: T) -> usize {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        unsafe { Set::new(call, ivars, n, status, cmp, &value, 0) }.wait_any().unwrap_or(NONE)
    }

    /// Waits until at least one of `n` variables compares true with `value`; how many do, and which, in `indices`
    /// (`shmem_wait_until_some`). Of no variables: 0.
    ///
    /// # Safety
    /// As [`wait_until_all`]; `indices` is writable for `n` elements and overlaps nothing else.
    fn wait_until_some<T: Waitable>(call, ivars: *mut T, n: usize, indices: *mut usize, status: *const i32, cmp: Cmp, value: T) -> usize {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        let set = unsafe { Set::new(call, ivars, n, status, cmp, &value, 0) };
        // SAFETY: RAW-R2; no more are found than there are variables.
        set.wait_some(unsafe { list(call, indices, n) })
    }

    /// As [`wait_until_all`], each variable with its own of `n` values (`shmem_wait_until_all_vector`).
    ///
    /// # Safety
    /// As there; `values` is readable for `n` elements.
    fn wait_until_all_vector<T: Waitable>(call, ivars: *mut T, n: usize, status: *const i32, cmp: Cmp, values: *const T) {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        unsafe { Set::new(call, ivars, n, status, cmp, values, 1) }.wait_all()
    }

    /// As [`wait_until_any`], each variable with its own of `n` values (`shmem_wait_until_any_vector`).
    ///
    /// # Safety
    /// As [`wait_until_all_vector`].
    fn wait_until_any_vector<T: Waitable>(call, ivars: *mut T, n: usize, status: *const i32, cmp: Cmp, values: *const T) -> usize {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        unsafe { Set::new(call, ivars, n, status, cmp, values, 1) }.wait_any().unwrap_or(NONE)
    }

    /// As [`wait_until_some`], each variable with its own of `n` values (`shmem_wait_until_some_vector`).
    ///
    /// # Safety
    /// As there and as [`wait_until_all_vector`].
    fn wait_until_some_vector<T: Waitable>(call, ivars: *mut T, n: usize, indices: *mut usize, status: *const i32, cmp: Cmp, values: *const T) -> usize {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        let set = unsafe { Set::new(call, ivars, n, status, cmp, values, 1) };
        // SAFETY: RAW-R2; no more are found than there are variables.
        set.wait_some(unsafe { list(call, indices, n) })
    }

    /// Waits until `*ivar` differs from `value` (`shmem_wait`, deprecated since 1.4).
    ///
    /// # Safety
    /// As [`wait_until`].
    fn wait<T: Waitable>(call, ivar: *mut T, value: T) {
        // SAFETY: RAW-R3, which our caller has promised.
        unsafe { wait_until(call, ivar, Cmp::Ne, value) }
    }

    /// Waits until a signal of this PE compares true with `value`, and returns what it then was
    /// (`shmem_signal_wait_until`).
    ///
    /// # Safety
    /// As [`wait_until`].
    fn signal_wait_until(call, sig_addr: *mut u64, cmp: Cmp, value: u64) -> u64 {
        call.own(sig_addr, 1);
        let seen = Cell::new(0);
        let holds = || {
            seen.set(look(sig_addr));
            cmp.holds(seen.get(), value)
        };
        if !holds() {
            call.wait(sig_addr.addr(), 1, holds);
        }
        seen.get()
    }

    /// Whether `*ivar` compares true with `value` (`shmem_test`).
    ///
    /// # Safety
    /// As [`wait_until`]; so for all tests.
    fn test<T: Waitable>(call, ivar: *mut T, cmp: Cmp, value: T) -> bool {
        call.own(ivar, 1);
        call.tested(holds(ivar, cmp, value), false)
    }

    /// Whether all of `n` variables compare true with `value` (`shmem_test_all`), also if there are none; `status` as in
    /// [`wait_until_all`].
    ///
    /// # Safety
    /// As [`wait_until_all`].
    fn test_all<T: Waitable>(call, ivars: *mut T, n: usize, status: *const i32, cmp: Cmp, value: T) -> bool {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        let set = unsafe { Set::new(call, ivars, n, status, cmp, &value, 0) };
        call.tested(set.unmet(0) == n, false)
    }

    /// One of `n` variables that compares true with `value`, or [`NONE`] (`shmem_test_any`).
    ///
    /// # Safety
    /// As [`wait_until_all`].
    fn test_any<T: Waitable>(call, ivars: *mut T, n: usize, status: *const i32, cmp: Cmp, value: T) -> usize {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        let set = unsafe { Set::new(call, ivars, n, status, cmp, &value, 0) };
        call.tested(set.test_any().unwrap_or(NONE), NONE)
    }

    /// How many of `n` variables compare true with `value`, and which, in `indices` (`shmem_test_some`).
    ///
    /// # Safety
    /// As [`wait_until_some`].
    fn test_some<T: Waitable>(call, ivars: *mut T, n: usize, indices: *mut usize, status: *const i32, cmp: Cmp, value: T) -> usize {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        let set = unsafe { Set::new(call, ivars, n, status, cmp, &value, 0) };
        // SAFETY: RAW-R2; no more are found than there are variables.
        call.tested(set.some(unsafe { list(call, indices, n) }), 0)
    }

    /// As [`test_all`], each variable with its own of `n` values (`shmem_test_all_vector`).
    ///
    /// # Safety
    /// As [`wait_until_all_vector`].
    fn test_all_vector<T: Waitable>(call, ivars: *mut T, n: usize, status: *const i32, cmp: Cmp, values: *const T) -> bool {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        let set = unsafe { Set::new(call, ivars, n, status, cmp, values, 1) };
        call.tested(set.unmet(0) == n, false)
    }

    /// As [`test_any`], each variable with its own of `n` values (`shmem_test_any_vector`).
    ///
    /// # Safety
    /// As [`wait_until_all_vector`].
    fn test_any_vector<T: Waitable>(call, ivars: *mut T, n: usize, status: *const i32, cmp: Cmp, values: *const T) -> usize {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        let set = unsafe { Set::new(call, ivars, n, status, cmp, values, 1) };
        call.tested(set.test_any().unwrap_or(NONE), NONE)
    }

    /// As [`test_some`], each variable with its own of `n` values (`shmem_test_some_vector`).
    ///
    /// # Safety
    /// As [`wait_until_some_vector`].
    fn test_some_vector<T: Waitable>(call, ivars: *mut T, n: usize, indices: *mut usize, status: *const i32, cmp: Cmp, values: *const T) -> usize {
        // SAFETY: RAW-R2 and RAW-R3, which are what RAWWAIT-W1 asks.
        let set = unsafe { Set::new(call, ivars, n, status, cmp, values, 1) };
        // SAFETY: RAW-R2; no more are found than there are variables.
        call.tested(set.some(unsafe { list(call, indices, n) }), 0)
    }
}
