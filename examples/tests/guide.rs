//! The guide's programs: what stands in `docs/guide.md` is what is compiled, and it runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shmem_api::testing::{Boot, Launch};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The programs by name: the files beside the guide's `main.rs`.
fn programs() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(root().join("examples/guide")).unwrap().map(|e| e.unwrap().path());
    let programs = files.filter(|p| p.file_name().unwrap() != "main.rs");
    let name = |p: &Path| p.file_stem().unwrap().to_str().unwrap().to_owned();
    programs.map(|p| (name(&p), std::fs::read_to_string(&p).unwrap())).collect()
}

#[test]
fn the_guide_shows_the_programs_word_for_word() {
    let guide = std::fs::read_to_string(root().join("docs/guide.md")).unwrap();
    let mut left = programs();
    for block in guide.split("\n```rust").skip(1) {
        let block = block.strip_prefix('\n').expect("every block is tested: `rust` and nothing else");
        let (text, _) = block.split_once("\n```\n").expect("a block ends");
        let found = left.iter().find(|(_, program)| program.trim_end() == text);
        let name = found.map(|(name, _)| name.clone());
        left.remove(&name.unwrap_or_else(|| panic!("no file in examples/guide has this text:\n{text}")));
    }
    assert!(left.is_empty(), "not in the guide: {:?}", left.keys());
}

#[test]
fn the_programs_run_on_1_to_4_pes() {
    let me = std::env::current_exe().unwrap();
    let guide = me.parent().and_then(Path::parent).unwrap().join("examples").join("guide");
    for name in programs().keys() {
        for (n, boot) in Boot::of_each(name, &[1, 2, 4]) {
            let launch = Launch::of_program(&guide, n, boot).arg(name).env("SHMEM_SYMMETRIC_SIZE", "64m");
            launch.run().expect_success(&format!("guide {name} on {n} PEs by {boot:?}"));
        }
    }
}
