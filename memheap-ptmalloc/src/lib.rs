//! The ptmalloc component.
#![forbid(unsafe_code)]
