//! The handle of an object that is shared for reading only.

use std::ops::Range;

use memheap::Offset;

use crate::api::ctx::Ctx;
use crate::api::phase::key::PhaseKey;
use crate::api::phase::remote::Remote;
use crate::node::signature::Mode;
use crate::types::elem::Elem;
use crate::types::thread_level::{Level, Single};

/// An object open to every PE for reading only.
pub struct RemoteRead<'s, T, L: Level>(Remote<'s, T, L>);

impl<T, L: Level> Clone for RemoteRead<'_, T, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, L: Level> Copy for RemoteRead<'_, T, L> {}

/// All panic as the calls of the same name of [`Remote`] do.
impl<'s, T: Elem, L: Level> RemoteRead<'s, T, L> {
    /// What can be done with `remote`, but for writing.
    pub(in crate::api) fn new(remote: Remote<'s, T, L>) -> Self {
        RemoteRead(remote)
    }

    /// As [`Remote::new`], of an object that can only be read.
    pub(super) fn of_phase(key: &PhaseKey<'s>, at: Offset, len: usize) -> Self {
        RemoteRead(Remote::of_phase(key, at, len, Mode::ReadOnly))
    }

    /// The handle behind it, for reading only.
    #[inline]
    pub(crate) fn readable(&self) -> &Remote<'s, T, L> {
        &self.0
    }

    /// Elements of the object, on each PE.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As [`Remote::get`].
    #[inline]
    pub fn get(&self, pe: usize, at: usize, dst: &mut [T]) {
        self.0.get(pe, at, dst);
    }

    /// As [`Remote::get_vec`].
    pub fn get_vec(&self, pe: usize, range: Range<usize>) -> Vec<T> {
        self.0.get_vec(pe, range)
    }

    /// As [`Remote::iget`].
    #[inline]
    pub fn iget(&self, pe: usize, at: usize, stride: usize, dst: &mut [T], dst_stride: usize) {
        self.0.iget(pe, at, stride, dst, dst_stride);
    }

    /// As [`Remote::ibget`].
    #[inline]
    pub fn ibget(&self, pe: usize, at: usize, stride: usize, dst: &mut [T], dst_stride: usize, block: usize) {
        self.0.ibget(pe, at, stride, dst, dst_stride, block);
    }

    /// As [`Remote::get_one`].
    #[inline]
    pub fn get_one(&self, pe: usize, at: usize) -> T {
        self.0.get_one(pe, at)
    }

    /// As [`Remote::via`].
    pub fn via<'c, C: Level>(&self, ctx: &'c Ctx<'_, C>) -> RemoteRead<'c, T, Single>
    where
        's: 'c,
    {
        RemoteRead(self.0.via(ctx))
    }
}
