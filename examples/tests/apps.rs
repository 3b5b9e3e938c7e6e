//! The programs check their own results; here each runs on several numbers of PEs, under every boot.

use std::path::{Path, PathBuf};

use shmem_api::testing::{Boot, Launch, Outcome};

fn program(name: &str) -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let target = me.parent().and_then(Path::parent).unwrap();
    target.join("examples").join(name)
}

fn run(name: &str, arguments: &[&str], n: u32, boot: Boot) -> Outcome {
    let launch = Launch::of_program(&program(name), n, boot).env("SHMEM_SYMMETRIC_SIZE", "256m");
    let outcome = arguments.iter().fold(launch, |l, a| l.arg(a)).run();
    outcome.expect_success(&format!("{name} {arguments:?} on {n} PEs by {boot:?}"));
    outcome
}

/// The program as it is called without arguments, under every boot; its last line says how many PEs.
fn on_every_boot(name: &str) {
    for (n, boot) in Boot::of_each(name, &[1, 2, 4, 7]) {
        let outcome = run(name, &[], n, boot);
        let said = |l: &str| l.starts_with(name) && l.contains(&format!("{n} PEs"));
        assert!(outcome.stderr.lines().any(said), "{outcome}");
    }
}

/// The program with these arguments, by the local boot.
fn with(name: &str, cases: &[(&[&str], u32)]) {
    for (arguments, n) in cases {
        run(name, arguments, *n, Boot::Local);
    }
}

#[test]
fn isort() {
    on_every_boot("isort");
    with(
        "isort",
        &[(&["strong", "100000"], 4), (&["strong", "3"], 5), (&["weak", "0"], 2), (&["weak", "1"], 8)],
    );
}

#[test]
fn transpose() {
    on_every_boot("transpose");
    with("transpose", &[(&["1", "1"], 3), (&["5", "97"], 8), (&["97", "5"], 8), (&["0", "4"], 2)]);
}

#[test]
fn steal() {
    on_every_boot("steal");
    with("steal", &[(&["1"], 3), (&["0"], 2), (&["50000"], 8)]);
}

#[test]
fn bfs() {
    on_every_boot("bfs");
    with("bfs", &[(&["2", "1"], 8), (&["15", "4"], 4)]);
}

#[test]
fn cg() {
    on_every_boot("cg");
    with("cg", &[(&["1"], 3), (&["3"], 8), (&["150"], 4)]);
}

#[test]
fn kmeans() {
    on_every_boot("kmeans");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/points.csv");
    with("kmeans", &[(&[file, "1"], 3), (&[file, "16"], 8)]);
    let outcome = Launch::of_program(&program("kmeans"), 2, Boot::Local).arg("/nonexistent").run();
    assert!(!outcome.status.success() && outcome.stderr.contains("/nonexistent"), "{outcome}");
}

#[test]
fn gups() {
    on_every_boot("gups");
    with("gups", &[(&["1", "20000"], 8), (&["3", "0"], 2)]);
}

#[test]
fn heat() {
    on_every_boot("heat");
    with("heat", &[(&["3", "10"], 8), (&["1", "5"], 3), (&["64", "0"], 4)]);
    let picture = std::env::temp_dir().join(format!("heat-{}.ppm", std::process::id()));
    run("heat", &["40", "50", picture.to_str().unwrap()], 3, Boot::Local);
    let drawn = std::fs::read(&picture).unwrap();
    std::fs::remove_file(&picture).unwrap();
    assert!(drawn.starts_with(b"P6\n40 40\n255\n"));
    assert_eq!(drawn.len(), 13 + 3 * 40 * 40);
    assert!(drawn[13..].iter().any(|c| *c > 200) && drawn[13..].contains(&0), "hot and cold places");
}

#[test]
fn grid() {
    on_every_boot("grid");
    with("grid", &[(&["5"], 6), (&["3"], 8), (&["1"], 9), (&["2"], 12)]);
}

#[test]
fn queue() {
    on_every_boot("queue");
    with("queue", &[(&["0"], 2), (&["1"], 8), (&["2000"], 3)]);
}
