//! The source files, and where each of their tokens stands.

use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// A source file, named from the workspace's root.
#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    /// Its tokens: code without comments; the contents of strings are not code.
    pub fn tokens(&self) -> TokenStream {
        self.text.parse().unwrap_or_else(|e| panic!("{}: {e}", self.path))
    }

    /// The module it is, seen from the crate at `src`. The root is the empty path.
    pub fn module(&self, src: &str) -> Vec<String> {
        let inside = self.path.strip_prefix(src).and_then(|rest| rest.strip_prefix('/'));
        let inside = inside.and_then(|rest| rest.strip_suffix(".rs")).unwrap_or(&self.path);
        let mut names: Vec<String> = inside.split('/').map(str::to_owned).collect();
        if names.last().is_some_and(|last| last == "mod") || matches!(inside, "lib" | "main") {
            names.pop();
        }
        names
    }

    /// Its comments alone: all code is blanked, every comment stands where it stood.
    pub fn comments(&self) -> String {
        let mut text = self.text.clone().into_bytes();
        blank(self.tokens(), &self.text, &mut text);
        String::from_utf8(text).unwrap_or_else(|e| panic!("{}: {e}", self.path))
    }
}

/// Blanks the tokens, but those that are doc comments.
fn blank(tokens: TokenStream, whole: &str, text: &mut [u8]) {
    let comment = |span: Span| ["//", "/*"].iter().any(|begin| whole[span.byte_range()].starts_with(begin));
    let mut out = |span: Span| {
        if !comment(span) {
            let code = text[span.byte_range()].iter_mut().filter(|byte| **byte != b'\n');
            code.for_each(|byte| *byte = b' ');
        }
    };
    let mut inner = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Group(group) if comment(group.span()) => {}
            TokenTree::Group(group) => {
                if group.delimiter() != Delimiter::None {
                    out(group.span_open());
                    out(group.span_close());
                }
                inner.push(group.stream());
            }
            leaf => out(leaf.span()),
        }
    }
    for tokens in inner {
        blank(tokens, whole, text);
    }
}

/// The Rust files below a folder of the workspace, in the order of their names; `but` names folders left out.
pub fn read(folder: &str, but: &[&str]) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries.map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            if entry.file_type().unwrap().is_dir() {
                if !but.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                files.push(File { text: fs::read_to_string(root.join(&path)).unwrap(), path });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
