//! The buddy component.
#![forbid(unsafe_code)]
