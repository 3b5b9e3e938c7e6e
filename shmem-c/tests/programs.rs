//! C programs of our own, on several PEs, under every launcher.

mod common;

use common::{compile, on};

/// Every PE's line is there once.
#[test]
fn hello() {
    on(&compile("examples/hello.c", &[]), &[1, 2, 3, 4, 8], |n, outcome| {
        let mut lines: Vec<&str> = outcome.stdout.lines().collect();
        lines.sort_unstable();
        let expected: Vec<String> = (0..n).map(|pe| format!("Hello from PE {pe} of {n}")).collect();
        assert_eq!(lines, expected);
    });
}
