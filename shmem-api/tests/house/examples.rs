//! The readers themselves, on trees of a few lines.

use crate::floors::Floor;
use crate::imports::library;
use crate::labels;
use crate::safety;
use crate::sources::File;
use crate::{in_circles, upwards};

const FLOORS: &[Floor] = &[("lib", "the names"), ("engine", "the whole"), ("node", "the part")];

fn tree(files: &[(&str, &str)]) -> Vec<File> {
    files
        .iter()
        .map(|(path, text)| File { path: format!("c/src/{path}"), text: (*text).to_owned() })
        .collect()
}

fn upwards_in(files: &[(&str, &str)]) -> Vec<String> {
    let (files, imports) = library("c/src", tree(files));
    upwards("c/src", FLOORS, &files, &imports)
}

/// A house of three floors, in which `node/segment.rs` says `text`.
fn with_segment(text: &str) -> Vec<String> {
    upwards_in(&[
        ("lib.rs", "pub mod engine;\nmod node;\npub use crate::engine::Engine;\n"),
        ("engine/mod.rs", "mod heap;\nuse crate::node::segment::Segment;\npub struct Engine;\n"),
        ("engine/heap.rs", "use super::Engine;\n"),
        ("node/mod.rs", "pub mod segment;\n"),
        ("node/segment.rs", text),
    ])
}

#[test]
fn an_import_upwards_is_named_with_its_line_and_both_floors() {
    let wrong = "c/src/node/segment.rs:3: `crate::engine::Engine` is in c/src/engine/mod.rs, and runs upwards: `node` \
                 (the part) stands below `engine` (the whole)";
    assert_eq!(with_segment("//! A segment.\n\nuse crate::engine::Engine;\n"), [wrong]);
}

#[test]
fn an_import_upwards_is_seen_however_it_is_written() {
    for text in [
        "use crate::engine::heap;",
        "use crate::{engine::{heap::Heap as H, Engine}};",
        "use super::super::engine::*;",
        "use crate::Engine;",
        "fn f() -> crate::engine::Engine { loop {} }",
        "fn f() { let x: Vec<super::super::engine::heap::Heap> = g(); }",
        "macro_rules! m { () => { $crate::engine::Engine } }",
        "macro_rules! m { ($n:ident) => { mod $n { use super::super::super::engine::Engine; } } }",
        "#[macro_export] macro_rules! m { () => { $crate::engine::Engine } }",
        "macro_rules! m { () => { $crate::Engine } }",
        "pub(in crate::node) fn f() { crate::engine::f() }",
        "#[cfg(any(test, feature = \"testing\"))] use crate::engine::Engine;",
        "#[cfg(test)] fn g() {} fn f() { crate::engine::f() }",
        "#[cfg(test)] const N: [u8; 1] = { [0] }; use crate::engine::Engine;",
    ] {
        assert!(!with_segment(text).is_empty(), "{text}");
    }
}

#[test]
fn what_is_no_import_upwards_is_not_taken_for_one() {
    for text in [
        "/// See [`crate::engine::Engine`].\nfn f() {} // crate::engine::Engine",
        "const S: &str = \"crate::engine::Engine\"; const R: &str = r#\"use crate::engine::Engine;\"#;",
        "use std::engine::Engine; fn f() -> other::crate_::engine::Engine { x.engine::<u8>() }",
        "#[cfg(test)] mod tests { use crate::engine::Engine; fn f() { crate::engine::f() } }",
        "#[cfg(all(test, loom))] mod models { use crate::engine::Engine; }",
        "#[cfg(test)] use crate::engine::{Engine, heap};",
        "#[test] fn f() { crate::engine::f() }",
        "impl S { #[cfg(test)] pub(crate) fn f() { crate::engine::f() } }",
        "pub(in crate::engine) fn f() {} pub(crate) struct S(pub(super) u8);",
        "#[macro_export] macro_rules! m { () => { $crate::Engine } }",
        "mod inner { use super::*; use super::super::segment; }",
        "use crate::node; use super::segment::S; fn f() -> impl Sized + use<'_> { node::segment::f() }",
    ] {
        assert_eq!(with_segment(text), [""; 0], "{text}");
    }
}

#[test]
fn a_module_that_only_tests_have_may_import_what_it_likes() {
    let house = |declared| {
        upwards_in(&[
            ("lib.rs", "mod engine; mod node;"),
            ("engine.rs", ""),
            ("node/mod.rs", declared),
            ("node/tests/mod.rs", "mod far; use crate::engine::Engine;"),
            ("node/tests/far.rs", "use crate::engine::Engine;"),
        ])
    };
    assert_eq!(house("#[cfg(test)]\nmod tests;"), [""; 0]);
    assert_eq!(house("mod tests;").len(), 2);
}

#[test]
fn a_folder_and_a_floor_that_know_nothing_of_each_other_are_named() {
    let wrong = upwards_in(&[("lib.rs", "mod node; mod attic;"), ("node.rs", ""), ("attic/mod.rs", "")]);
    let [attic, engine] = wrong.as_slice() else { panic!("{wrong:?}") };
    assert!(attic.starts_with("c/src/attic/mod.rs: its folder is not in the list"), "{attic}");
    assert!(engine.contains("`engine`"), "{engine}");
}

fn circles_in(files: &[(&str, &str)]) -> Vec<String> {
    let (files, imports) = library("c/src", tree(files));
    in_circles(&files, &imports)
}

#[test]
fn a_circle_is_found_and_told_import_by_import() {
    let circle = circles_in(&[
        ("lib.rs", "mod a; mod b; mod d;"),
        ("a/mod.rs", "mod c;\nuse crate::b::B;\nuse crate::d::D;"),
        ("a/c.rs", "use crate::d::D;\n\nfn f() { super::g() }"),
        ("b.rs", "\nuse crate::a::c::C;"),
        ("d.rs", "fn f() {}"),
    ]);
    let [circle] = circle.as_slice() else { panic!("{circle:?}") };
    assert!(circle.starts_with("a circle of 3 imports:"), "{circle}");
    for import in [
        "c/src/a/mod.rs:2 imports `crate::b::B` of c/src/b.rs",
        "c/src/b.rs:2 imports `crate::a::c::C` of c/src/a/c.rs",
        "c/src/a/c.rs:3 imports `super::g` of c/src/a/mod.rs",
    ] {
        assert!(circle.contains(import), "{circle}");
    }
    assert!(!circle.contains("/d.rs"), "{circle}");
}

#[test]
fn each_circle_is_told_and_what_only_meets_is_none() {
    let two = circles_in(&[
        ("lib.rs", "mod a; mod b; mod c; mod d; use a::A; use d::D;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::a::A; use crate::c::C;"),
        ("c.rs", "use crate::d::D;"),
        ("d.rs", "use crate::c::C;"),
    ]);
    assert_eq!(two.len(), 2, "{two:?}");
    let none = circles_in(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a/mod.rs", "pub mod x; pub mod y; pub use x::A; pub use crate::a::y::Y;"),
        ("a/x.rs", "use super::y::Y;"),
        ("a/y.rs", "use crate::b::B;"),
        ("b.rs", ""),
    ]);
    assert_eq!(none, [""; 0]);
}

fn labels_wrong(files: &[(&str, &str)], renamed: &[&str]) -> Vec<String> {
    labels::wrong(&tree(files), renamed, &[])
}

#[test]
fn a_label_is_defined_once_and_cited_where_it_is_defined() {
    let a = (
        "a.rs",
        "//! Invariants: **HEAP-D1** one. **HEAP-D2** two.\n//! SHA-256, UTF-8, ISO-8601, X-1, NON-NULL.\n",
    );
    assert_eq!(labels_wrong(&[a, ("b.rs", "fn f() {\n    // SAFETY: HEAP-D1; (HEAP-D2).\n}")], &[]), [""; 0]);
    assert_eq!(
        labels_wrong(&[a, ("b.rs", "/// x\n/// **HEAP-D2** again.\nfn f() {}\n/* HEAP-D3 */")], &[]),
        [
            "HEAP-D2 is defined 2 times: c/src/a.rs:1, c/src/b.rs:2",
            "c/src/b.rs:4: HEAP-D3 is defined nowhere"
        ]
    );
    let code = "const S: &str = \"// HEAP-D4 **HEAP-D1**\"; // **HEAP-D1** is cited here\n#[doc = \"HEAP-D5\"] fn f() {}";
    assert_eq!(labels_wrong(&[a, ("b.rs", code)], &[]), [""; 0]);
}

#[test]
fn a_label_of_the_old_form_is_wrong_where_labels_have_been_renamed() {
    let files = [("a.rs", "//! **D1** one.\n//! **Threads.** **NODE** **MPI3**\n")];
    assert_eq!(labels_wrong(&files, &["d", "c/sr"]), [""; 0]);
    assert_eq!(labels_wrong(&files, &["c"]), ["c/src/a.rs:1: D1 does not say its room"]);
}

#[test]
fn a_label_cited_without_its_room_is_wrong_where_they_are_cited_in_full() {
    let files =
        tree(&[("a.rs", "//! **HEAP-D1** one; rule S3.\n// D1. SAFETY: HEAP-D1, D2;\nfn f<T1>() {}\n")]);
    assert_eq!(labels::wrong(&files, &[], &["d"]), [""; 0]);
    let wrong = ["D1", "D2"].map(|label| format!("c/src/a.rs:2: {label} is cited without its room"));
    assert_eq!(labels::wrong(&files, &[], &["c/src"]), wrong);
}

#[test]
fn a_safety_comment_says_itself_what_it_relies_on() {
    let text = "fn f() {\n    // SAFETY: ours.\n    a();\n    // SAFETY: as above.\n    b();\n}\n\
                unsafe fn g(f: fn(u8)) {\n    // SAFETY: as above, and\n    // so on.\n    c();\n    // SAFETY: as above.\n}\n\
                // SAFETY: By contract; ours.\nconst S: &str = \"// SAFETY: by contract\";\n\
                // SAFETY: as in `f`, by\n// HEAP-D1.\n// SAFETY: the caller's.\n";
    let wrong = [
        "c/src/a.rs:8: nothing is above it in its function: SAFETY: as above, and so on.",
        "c/src/a.rs:13: it names no invariant: SAFETY: By contract; ours.",
        "c/src/a.rs:17: it names no invariant: SAFETY: the caller's.",
    ];
    assert_eq!(safety::wrong(&tree(&[("a.rs", text)])), wrong);
}
