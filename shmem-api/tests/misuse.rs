//! Misuses the compiler must refuse (rules of the Rust API). Run where no MPI has to be built for it.
#![cfg(not(feature = "mpi"))]

#[test]
fn misuses_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
