//! The list that spans PEs checks itself; here it runs on many numbers of PEs, under every boot.

use std::path::{Path, PathBuf};

use shmem_api::testing::{Boot, Launch};

fn list() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let target = me.parent().and_then(Path::parent).unwrap();
    target.join("examples").join("list")
}

#[test]
fn every_node_once_on_1_to_16_pes() {
    for (n, boot) in Boot::of_each("list", &[1, 2, 3, 4, 8, 16]) {
        let outcome = Launch::of_program(&list(), n, boot).run();
        outcome.expect_success("list");
        assert!(outcome.stderr.contains(&format!("list: {} nodes of {n} PEs", 1000 * n)), "{outcome}");
    }
}

#[test]
fn short_and_long_lists() {
    for nodes in [0, 1, 2, 50_000] {
        let outcome = Launch::of_program(&list(), 4, Boot::Local).arg(nodes.to_string()).run();
        outcome.expect_success(&format!("a list of {nodes} nodes per PE"));
    }
}
