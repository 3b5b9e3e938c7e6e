//! A collective call on a team, as the algorithms see it.
//!
//! ```text
//!   first meeting    the arguments all must agree on, and what this PE shows, in its cell: compared as they meet
//!   later ones       plain
//!   give, take       a line of the root's ring: up to 56 bytes; the root may be 16 calls ahead of the others
//! ```
#![allow(unsafe_code)]

use super::group::Group;
use super::slip::{ARGS, Kind};
use super::team::TeamCore;
use super::team::call::Call;
use super::team::desk::RING_WORDS;
use crate::copy;
use crate::engine::Engine;
use crate::members::Members;
use crate::raw::via::Via;

/// Arguments that all members must agree on: count, size of an element, what else there is; and the offsets of
/// the objects, where the caller does not vouch for them.
pub(crate) type Agreed<'a> = &'a [u64];

/// A call under way.
pub(crate) struct OnTeam<'a, 'c> {
    via: Via,
    members: Members,
    call: &'a mut Call<'c>,
    /// The agreed arguments, then what is shown.
    words: [u64; ARGS],
    agreed: usize,
    len: usize,
    met: bool,
}

/// Runs a collective on a team.
pub(crate) fn on_team<R>(
    via: Via,
    engine: &Engine,
    team: &TeamCore,
    (kind, agreed): (Kind, Agreed<'_>),
    body: impl FnOnce(&mut OnTeam<'_, '_>) -> R,
) -> R {
    team.call(engine, kind, |call| {
        let mut words = [0; ARGS];
        let n = agreed.len();
        words[..n].copy_from_slice(agreed);
        body(&mut OnTeam { via, members: team.members, call, words, agreed: n, len: n, met: false })
    })
}

impl Group for OnTeam<'_, '_> {
    #[inline]
    fn via(&self) -> Via {
        self.via
    }

    #[inline]
    fn members(&self) -> Members {
        self.members
    }

    #[inline]
    fn rank(&self) -> u32 {
        self.call.rank() as u32
    }

    #[inline]
    fn sync(&mut self) {
        if self.met {
            self.call.sync();
        } else {
            self.met = true;
            self.call.meet(&self.words[..self.len], self.agreed);
        }
    }

    #[inline]
    fn room(&self) -> usize {
        ARGS - self.agreed
    }

    #[inline]
    fn show(&mut self, words: &[u64]) {
        self.len = self.agreed + words.len();
        self.words[self.agreed..self.len].copy_from_slice(words);
    }

    #[inline]
    fn shown(&self, rank: u32, i: usize) -> u64 {
        self.call.words_of(rank as usize).arg(self.agreed + i)
    }

    #[inline]
    fn eager(&self) -> usize {
        RING_WORDS * 8
    }

    #[inline]
    unsafe fn give(&mut self, _: *mut u8, src: *const u8, n: usize) {
        let mut words = [0u64; RING_WORDS];
        // SAFETY: by contract, and there are words enough for what `eager` allows.
        unsafe { copy::get(words.as_mut_ptr().cast::<u8>(), src, n) };
        self.call.send_line(&words[..n.div_ceil(8)], n);
    }

    #[inline]
    unsafe fn take(&mut self, dest: *mut u8, n: usize, root: u32) {
        let line = self.call.line(root as usize, n);
        let mut words = [0u64; RING_WORDS];
        for (i, word) in words[..n.div_ceil(8)].iter_mut().enumerate() {
            *word = line.arg(i);
        }
        // SAFETY: by contract, and as in `give`.
        unsafe { copy::put(dest, words.as_ptr().cast::<u8>(), n) };
    }
}
