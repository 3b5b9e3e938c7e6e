//! Which file of a crate imports which: its `use` trees, and the paths in its code.
//!
//! A path leads to the file of the longest module it begins with; so what a `mod.rs` re-exports is the `mod.rs`'s. Read
//! are paths that begin with `crate`, `$crate`, `self`, `super`, a module declared in the file, or a module that a `use`
//! of the file names. Bodies of macros are code as any other. No import is `mod x;`, a visibility (`pub(in path)`),
//! what is compiled for tests only, and `$crate::Name` in an exported macro, which has to say the public name.

use std::collections::HashMap;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use crate::sources::File;

/// One file imports another: places in the list of files, where, and what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    pub from: usize,
    pub to: usize,
    pub line: usize,
    pub path: String,
}

/// The files of the crate at `src` that are not for tests only, and all imports between them.
pub fn library(src: &str, files: Vec<File>) -> (Vec<File>, Vec<Import>) {
    let read: Vec<Reader> = files.iter().map(|file| Reader::read(file, src)).collect();
    let tests: Vec<Vec<String>> = read.iter().flat_map(|reader| reader.tests.clone()).collect();
    let is_test = |file: &File| tests.iter().any(|test| file.module(src).starts_with(test));
    let (files, read): (Vec<File>, Vec<Reader>) =
        files.into_iter().zip(read).filter(|(file, _)| !is_test(file)).unzip();
    let modules: HashMap<Vec<String>, usize> =
        files.iter().enumerate().map(|(i, file)| (file.module(src), i)).collect();
    let mut imports = Vec::new();
    for (from, reader) in read.iter().enumerate() {
        let bound = reader.bound(&modules);
        for found in &reader.paths {
            let Some(full) = found.full(&modules, &bound) else { continue };
            let Some(to) = (0..=full.len()).rev().find_map(|n| modules.get(&full[..n])) else { continue };
            let public = found.exported && found.names[0] == "$crate" && files[*to].module(src).is_empty();
            if *to != from && !public {
                imports.push(Import { from, to: *to, line: found.line, path: found.names.join("::") });
            }
        }
    }
    (files, imports)
}

/// A path as it stands in the code.
struct Found {
    names: Vec<String>,
    line: usize,
    /// The module it stands in, inline ones included.
    within: Vec<String>,
    /// In an exported macro.
    exported: bool,
    /// In a `use`, which gives it this name.
    name: Option<String>,
}

/// What names of a file stand for: a module of the crate, or something of another crate.
type Bound<'a> = HashMap<&'a str, Option<Vec<String>>>;

impl Found {
    /// The path from the crate's root, if it leads into the crate.
    fn full(&self, modules: &HashMap<Vec<String>, usize>, bound: &Bound<'_>) -> Option<Vec<String>> {
        let mut full = self.within.clone();
        let mut rest = self.names.as_slice();
        match rest[0].as_str() {
            "crate" | "$crate" => full.clear(),
            "self" | "super" => {}
            first => match bound.get(first) {
                Some(module) => full = module.clone()?,
                None => {
                    full.push(first.to_owned());
                    modules.get(&full)?;
                }
            },
        }
        if rest[0] != "super" {
            rest = &rest[1..];
        }
        while rest.first().is_some_and(|name| name == "super") {
            full.pop();
            rest = &rest[1..];
        }
        full.extend(rest.iter().filter(|name| *name != "self").cloned());
        Some(full)
    }
}

/// Reads the tokens of one file.
struct Reader {
    paths: Vec<Found>,
    /// The modules that are compiled for tests only.
    tests: Vec<Vec<String>>,
}

/// Where it reads.
#[derive(Clone)]
struct Here {
    within: Vec<String>,
    exported: bool,
}

impl Reader {
    fn read(file: &File, src: &str) -> Reader {
        let mut reader = Reader { paths: Vec::new(), tests: Vec::new() };
        reader.walk(file.tokens(), &Here { within: file.module(src), exported: false });
        reader
    }

    fn bound(&self, modules: &HashMap<Vec<String>, usize>) -> Bound<'_> {
        let none = HashMap::new();
        let mut bound = Bound::new();
        for found in &self.paths {
            let Some(name) = &found.name else { continue };
            match found.full(modules, &none) {
                Some(full) if modules.contains_key(&full) => _ = bound.insert(name, Some(full)),
                // A function or a type: nothing is reached through it that is not its own.
                Some(_) => {}
                None => _ = bound.entry(name.as_str()).or_insert(None),
            }
        }
        bound
    }

    fn walk(&mut self, tokens: TokenStream, here: &Here) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let (mut exported, mut i) = (here.exported, 0);
        while i < trees.len() {
            let rest = &trees[i..];
            i += match rest {
                [TokenTree::Punct(hash), TokenTree::Group(group), ..]
                    if hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
                {
                    let meta: Vec<TokenTree> = group.stream().into_iter().collect();
                    exported |= is(meta.first(), "macro_export");
                    match tests_only(&meta) {
                        true => 2 + self.skip(&rest[2..], here),
                        false => 2,
                    }
                }
                [TokenTree::Ident(word), TokenTree::Group(group), ..]
                    if word == "pub" && visibility(group) =>
                {
                    2
                }
                [TokenTree::Ident(word), ..] if word == "use" && !is_punct(rest.get(1), '<') => {
                    let end = rest.iter().position(|tree| is_punct(Some(tree), ';')).unwrap_or(rest.len());
                    self.use_tree(&rest[1..end], &[], here);
                    end
                }
                [TokenTree::Ident(word), tail @ ..] if word == "mod" => {
                    // The name may be a macro's: `mod $name`.
                    let dollar = usize::from(is_punct(tail.first(), '$'));
                    match (tail.get(dollar), tail.get(dollar + 1)) {
                        (Some(TokenTree::Ident(name)), Some(TokenTree::Group(group))) => {
                            let mut inner = here.clone();
                            inner.within.push(name.to_string());
                            self.walk(group.stream(), &inner);
                            3 + dollar
                        }
                        _ => 1,
                    }
                }
                [TokenTree::Group(group), ..] => {
                    self.walk(group.stream(), &Here { exported, ..here.clone() });
                    exported = here.exported;
                    1
                }
                [TokenTree::Punct(dollar), TokenTree::Ident(name), ..] if dollar.as_char() == '$' => {
                    match *name == "crate" {
                        true => 1 + self.path(&rest[1..], "$crate", here),
                        false => 2,
                    }
                }
                [TokenTree::Punct(colon), TokenTree::Punct(_), TokenTree::Ident(_), ..]
                    if colon.as_char() == ':' && is_punct(rest.get(1), ':') =>
                {
                    3
                }
                [TokenTree::Punct(dot), TokenTree::Ident(_), ..] if dot.as_char() == '.' => 2,
                [TokenTree::Ident(name), ..] => self.path(rest, &name.to_string(), here),
                _ => 1,
            };
        }
    }

    /// A path whose first name is `trees[0]`, which is to be called `first`. Says how many trees it is.
    fn path(&mut self, trees: &[TokenTree], first: &str, here: &Here) -> usize {
        let mut names = vec![first.to_owned()];
        let mut n = 1;
        while let (true, true, Some(TokenTree::Ident(name))) =
            (is_punct(trees.get(n), ':'), is_punct(trees.get(n + 1), ':'), trees.get(n + 2))
        {
            names.push(name.to_string());
            n += 3;
        }
        // `super::*` and `crate::{..}` are `use` trees, read elsewhere; what is left of one name is no path.
        if names.len() > 1 {
            self.note(names, &trees[0], here, None);
        }
        n
    }

    fn note(&mut self, names: Vec<String>, at: &TokenTree, here: &Here, name: Option<String>) {
        let line = at.span().start().line;
        self.paths.push(Found { names, line, within: here.within.clone(), exported: here.exported, name });
    }

    /// What stands between `use` and `;`, or in the braces of such a tree, behind `before`.
    fn use_tree(&mut self, trees: &[TokenTree], before: &[String], here: &Here) {
        for tree in trees.split(|tree| is_punct(Some(tree), ',')) {
            let Some(at) = tree.first() else { continue };
            let mut names = before.to_vec();
            let mut name = None;
            let mut braces = false;
            for (n, token) in tree.iter().enumerate() {
                match token {
                    TokenTree::Ident(word) if word == "as" => {
                        name = Some(tree.get(n + 1).map(ToString::to_string).unwrap_or_default());
                        break;
                    }
                    TokenTree::Ident(word) => names.push(spelled(word, n.checked_sub(1).map(|n| &tree[n]))),
                    TokenTree::Punct(star) if star.as_char() == '*' => name = Some(String::new()),
                    TokenTree::Group(group) => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.use_tree(&inner, &names, here);
                        braces = true;
                    }
                    _ => {}
                }
            }
            if !braces && !names.is_empty() {
                let last = names.iter().rfind(|name| *name != "self").cloned().unwrap_or_default();
                self.note(names, at, here, Some(name.unwrap_or(last)));
            }
        }
    }

    /// The length of the item behind an attribute that keeps it for tests; nothing, if it is none.
    fn skip(&mut self, trees: &[TokenTree], here: &Here) -> usize {
        let before = |tree: &&TokenTree| match tree {
            TokenTree::Ident(word) => {
                ["pub", "unsafe", "async", "extern"].iter().any(|before| word == before)
            }
            TokenTree::Punct(punct) => punct.as_char() == '#',
            TokenTree::Group(_) | TokenTree::Literal(_) => true,
        };
        let words = trees.iter().skip_while(before).take(3).map(ToString::to_string).collect::<Vec<_>>();
        let [kind, next, end] = words.as_slice() else { return 0 };
        if !["mod", "fn", "impl", "struct", "enum", "trait", "use", "const", "static", "type"]
            .contains(&kind.as_str())
        {
            return 0;
        }
        let to_semicolon = match kind.as_str() {
            "use" | "static" | "type" => true,
            "const" => next != "fn" && next != "unsafe",
            _ => false,
        };
        if kind == "mod" && end == ";" {
            let mut module = here.within.clone();
            module.push(next.clone());
            self.tests.push(module);
        }
        let ends = |tree: &TokenTree| match tree {
            TokenTree::Group(group) => !to_semicolon && group.delimiter() == Delimiter::Brace,
            tree => is_punct(Some(tree), ';'),
        };
        trees.iter().position(ends).map_or(trees.len(), |end| end + 1)
    }
}

/// The name of a path, which `before` it may be a macro's `$`.
fn spelled(word: &Ident, before: Option<&TokenTree>) -> String {
    match is_punct(before, '$') {
        true => format!("${word}"),
        false => word.to_string(),
    }
}

fn is_punct(tree: Option<&TokenTree>, what: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == what)
}

fn is(tree: Option<&TokenTree>, what: &str) -> bool {
    matches!(tree, Some(TokenTree::Ident(word)) if word == what)
}

/// `(crate)`, `(super)`, `(in some::path)`: who may see, not who imports.
fn visibility(group: &Group) -> bool {
    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
    group.delimiter() == Delimiter::Parenthesis
        && (is(inner.first(), "in")
            || (inner.len() == 1 && ["crate", "super", "self"].iter().any(|word| is(inner.first(), word))))
}

/// `cfg(test)`, `cfg(all(test, ..))`.
fn tests_only(meta: &[TokenTree]) -> bool {
    match meta {
        [TokenTree::Ident(word), ..] if word == "test" => meta.len() == 1,
        [TokenTree::Ident(word), TokenTree::Group(group)] if word == "cfg" || word == "all" => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            inner.split(|tree| is_punct(Some(tree), ',')).any(tests_only)
        }
        _ => false,
    }
}
