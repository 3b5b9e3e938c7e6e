//! What several of the example programs share.
#![forbid(unsafe_code)]

pub mod text;
