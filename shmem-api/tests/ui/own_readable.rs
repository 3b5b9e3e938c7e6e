//! Nobody else says what can be read.
#![forbid(unsafe_code)]
use shmem_api::{Readable, RemoteRead, Single};

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
struct Mine(u64);

impl Readable<Mine> for RemoteRead<'_, u64, Single> {
    type Level = Single;
    fn reading(&self) -> RemoteRead<'_, Mine, Single> {
        unreachable!()
    }
}

fn main() {}
