//! Handles of teams (OpenSHMEM 1.6, 9.4).
#![allow(dead_code)] // remove as the rooms that use it land

use std::ptr;

use crate::members::Members;

/// A team, as C has it: a handle local to this PE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct TeamHandle(pub(super) *const TeamBlock);

// SAFETY: a handle is a number; what it stands for is only read, and by whom is the caller's promise.
unsafe impl Send for TeamHandle {}
// SAFETY: as above.
unsafe impl Sync for TeamHandle {}

/// What a team is on this PE.
#[derive(Debug)]
pub(crate) struct TeamBlock {
    pub(crate) members: Members,
}

impl TeamHandle {
    /// All PEs (`SHMEM_TEAM_WORLD`).
    pub const WORLD: TeamHandle = TeamHandle(ptr::without_provenance(1));
    /// The PEs whose heaps this one can load from and store to (`SHMEM_TEAM_SHARED`).
    pub const SHARED: TeamHandle = TeamHandle(ptr::without_provenance(2));
    /// No team (`SHMEM_TEAM_INVALID`).
    pub const INVALID: TeamHandle = TeamHandle(ptr::null());
}
