//! The house holds: imports run downwards only, files import each other in no circle, every label of an invariant
//! is defined once, and SAFETY comments name what they rely on.
//!
//! ```text
//!   sources ──► imports ──┬─► floors    a file on "node" imports one on "engine": file, line, both floors
//!      │                  └─► circles   a ─► b ─► a: file and line of each import
//!      └──► comments ─────┬─► labels    defined twice, or cited and defined nowhere
//!                         └─► safety    SAFETY comments that hand their reasons on
//! ```
//!
//! What each reads is said in its file; the order of the floors is the list in `house/floors.rs`.

#[path = "house/circles.rs"]
mod circles;
#[path = "house/examples.rs"]
mod examples;
#[path = "house/floors.rs"]
mod floors;
#[path = "house/imports.rs"]
mod imports;
#[path = "house/labels.rs"]
mod labels;
#[path = "house/safety.rs"]
mod safety;
#[path = "house/sources.rs"]
mod sources;

use floors::{CRATES, Crate, Floor};
use imports::{Import, library};
use sources::{File, read};

/// Where a file may keep code whose imports are another crate's.
const BINARIES: &[&str] = &["bin"];
/// The folders in which labels are defined and cited.
const WORKSPACE: &[&str] =
    &["memheap", "memheap-buddy", "memheap-ptmalloc", "shmem-api", "shmem-c", "examples", "benches"];

/// The floor of a file: its place from the top, and its line of the list.
fn floor<'a>(src: &str, floors: &'a [Floor], file: &File) -> Option<(usize, &'a Floor)> {
    let module = file.module(src);
    let name = module.first().map_or("lib", String::as_str);
    floors.iter().enumerate().find(|(_, (floor, _))| *floor == name)
}

/// The imports that run upwards, the files that stand on no floor, and the floors on which none stands.
fn upwards(src: &str, floors: &[Floor], files: &[File], imports: &[Import]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| floor(src, floors, file).is_none()) {
        wrong.push(format!("{}: its folder is not in the list of floors", file.path));
    }
    let empty =
        |name: &str| !files.iter().any(|file| floor(src, floors, file).is_some_and(|(_, f)| f.0 == name));
    for (name, _) in floors.iter().filter(|(name, _)| empty(name)) {
        wrong.push(format!("the floor `{name}` of {src} is a folder that is not there"));
    }
    for Import { from, to, line, path } in imports {
        let (from, to) = (&files[*from], &files[*to]);
        let (Some((low, below)), Some((high, above))) = (floor(src, floors, from), floor(src, floors, to))
        else {
            continue;
        };
        if high < low {
            wrong.push(format!(
                "{}:{line}: `{path}` is in {}, and runs upwards: `{}` ({}) stands below `{}` ({})",
                from.path, to.path, below.0, below.1, above.0, above.1
            ));
        }
    }
    wrong
}

/// The circles of a crate's imports.
fn in_circles(files: &[File], imports: &[Import]) -> Vec<String> {
    let line = |Import { from, to, line, path }: &Import| {
        format!("\n    {}:{line} imports `{path}` of {}", files[*from].path, files[*to].path)
    };
    let circles = circles::circles(files.len(), imports);
    circles
        .iter()
        .map(|circle| {
            format!("a circle of {} imports:{}", circle.len(), circle.iter().map(line).collect::<String>())
        })
        .collect()
}

fn workspace() -> Vec<File> {
    WORKSPACE.iter().flat_map(|folder| read(folder, &["target"])).collect()
}

fn nothing_wrong(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// A check of each crate of the list.
fn each_crate(check: impl Fn(&Crate, &[File], &[Import]) -> Vec<String>) {
    let each = CRATES.iter().flat_map(|krate| {
        let (files, imports) = library(krate.src, read(krate.src, BINARIES));
        assert!(files.iter().any(|file| file.module(krate.src).is_empty()), "{} has no root", krate.src);
        check(krate, &files, &imports)
    });
    nothing_wrong(each.collect());
}

#[test]
fn no_import_runs_upwards() {
    each_crate(|krate, files, imports| match krate.floors {
        [] => Vec::new(),
        floors => upwards(krate.src, floors, files, imports),
    });
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    each_crate(|_, files, imports| in_circles(files, imports));
}

#[test]
fn safety_comments_name_what_they_rely_on() {
    nothing_wrong(safety::wrong(&workspace()));
}

#[test]
fn labels_are_defined_once_and_those_cited_exist() {
    nothing_wrong(labels::wrong(&workspace(), labels::RENAMED, labels::CITED_IN_FULL));
}
