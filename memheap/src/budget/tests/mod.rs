//! The seed's worked examples, exhaustive search on small cases, and the properties B1 to B5.

mod examples;
mod facts;
mod properties;
