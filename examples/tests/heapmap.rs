//! The pictures of heaps: equal on all PEs, red where a PE's own space differs.

use std::path::{Path, PathBuf};

use shmem_api::testing::{Boot, Launch, Outcome};

fn heapmap(n: u32, boot: Boot, component: &str) -> Launch {
    let me = std::env::current_exe().unwrap();
    let target = me.parent().and_then(Path::parent).unwrap();
    let launch = Launch::of_program(&target.join("examples").join("heapmap"), n, boot);
    let sizes = ["SHMEM_SYMMETRIC_SIZE", "SHMEM_HEAP_PE_SIZE"];
    sizes.iter().fold(launch.env("SHMEM_MEMHEAP", component), |l, size| l.env(size, "1m"))
}

fn rows(outcome: &Outcome) -> Vec<&str> {
    let picture = |line: &'static str| move |l: &&str| l.starts_with(line) && l.contains('|');
    let rows: Vec<&str> = outcome.stdout.lines().filter(picture("PE ")).collect();
    rows.iter().map(|row| row.split('|').nth(1).unwrap()).collect()
}

struct Picture(PathBuf);

impl Drop for Picture {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn every_pe_has_the_same_picture_under_every_boot() {
    for component in ["buddy", "ptmalloc"] {
        let mut first = None;
        for boot in Boot::of(4) {
            let name = format!("heapmap-{component}-{boot:?}-{}.svg", std::process::id());
            let file = Picture(std::env::temp_dir().join(name));
            let outcome = heapmap(4, boot, component).arg(&file.0).run();
            outcome.expect_success("heapmap");
            assert_eq!(rows(&outcome).len(), 4, "{outcome}");
            assert!(rows(&outcome).iter().all(|row| *row == rows(&outcome)[0]), "{outcome}");
            let drawn = std::fs::read_to_string(&file.0).unwrap();
            assert!(drawn.contains(&format!("as {component} leaves it")) && drawn.ends_with("</svg>\n"));
            assert!(*first.get_or_insert(drawn.clone()) == drawn, "{component} by {boot:?}");
        }
    }
}

#[test]
fn a_pe_that_differs_is_red() {
    for component in ["buddy", "ptmalloc"] {
        for n in [1, 3, 4] {
            let outcome = heapmap(n, Boot::Local, component).arg("--own").run();
            outcome.expect_success("heapmap --own");
            for (pe, row) in rows(&outcome).iter().enumerate() {
                assert_eq!(row.contains('!'), pe == 1, "PE {pe}: {outcome}");
            }
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let outcome = heapmap(2, Boot::Local, "buddy").env("SHMEM_SYMMETRIC_SIZE", "1g").run();
    assert!(!outcome.status.success() && outcome.stderr.contains("set SHMEM_SYMMETRIC_SIZE=1m"), "{outcome}");
    let outcome = heapmap(2, Boot::Local, "buddy").arg("/nonexistent/picture.svg").run();
    assert!(!outcome.status.success(), "{outcome}");
    assert!(outcome.stderr.contains("/nonexistent/picture.svg: No such file"), "{outcome}");
}
