//! Fence and quiet (OpenSHMEM 1.6, 9.10).
//!
//! A transfer is done by the calling PE before its call returns, whatever its context, so there is nothing
//! to wait for: fence and quiet only keep this processor from reordering what it has done. So an
//! operation on one context never waits for one on another, though what is ordered for one is for all.

use crate::raw::routines::routines;
use crate::transport;

routines! {
    /// Orders the puts, atomics, signals and plain stores of this thread: each PE sees those before the
    /// fence before those after it (`shmem_fence`). It completes nothing.
    ///
    /// # Safety
    /// The World stays up during the call.
    fn fence / ctx_fence(call) {
        call.check_ctx();
        transport::fence(call.stream());
    }

    /// Completes all operations of this PE: when it returns, every PE sees them (`shmem_quiet`).
    ///
    /// # Safety
    /// The World stays up during the call.
    fn quiet / ctx_quiet(call) {
        call.check_ctx();
        transport::quiet(call.stream());
    }

    /// As [`quiet`], for the operations on the `n` PEs at `pes` at least; these are numbered in the team of the
    /// context (`shmem_pe_quiet`). No PEs: nothing, and `pes` may be null.
    ///
    /// # Safety
    /// `pes` is readable for `n` numbers; the World stays up during the call.
    fn pe_quiet / ctx_pe_quiet(call, pes: *const i32, n: usize) {
        call.check_ctx();
        if n == 0 || call.ctx == crate::team::contexts::Ctx::INVALID {
            return;
        }
        call.local("the PEs to wait for", pes, n);
        for i in 0..n {
            // SAFETY: RAW-R2: so many PEs are readable.
            call.pe(unsafe { pes.wrapping_add(i).read_unaligned() });
        }
        transport::quiet(call.stream());
    }
}
