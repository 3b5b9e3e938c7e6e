//! The seed's tables (A4, E6), and the properties P1 to P5 for any sequence of calls.

mod properties;
mod seed;
mod windows;
