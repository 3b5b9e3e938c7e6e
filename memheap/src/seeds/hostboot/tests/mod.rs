//! The seed's worked examples, exhaustive search on small cases, HOSTBOOT-H1 and HOSTBOOT-H2.

mod examples;
mod properties;
