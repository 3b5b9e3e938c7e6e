//! Labels of invariants: each is defined once in the workspace, and whoever cites one cites one that there is.
//!
//! A label is the name of its room, a dash, letters and a number. It is defined where it stands in bold in a doc comment, and
//! cited wherever it stands in a comment. Words of the same look would be taken for labels; `SHA-256` and `UTF-8` have
//! another.

use std::collections::BTreeMap;

use crate::sources::File;

/// Folders of the workspace in which no label may have the old form, a letter and a number in bold.
pub const RENAMED: &[&str] = &["memheap", "memheap-buddy", "memheap-ptmalloc", "shmem-api", "shmem-c"];

/// Folders in which none may be cited by letter and number alone. (Other folders cite sections of the seeds' papers so.)
pub const CITED_IN_FULL: &[&str] = &["shmem-api/src", "shmem-c/src"];

/// What is wrong, a line for each. `renamed`: folders without labels of the old form; `in_full`: without citations of it.
pub fn wrong(files: &[File], renamed: &[&str], in_full: &[&str]) -> Vec<String> {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut cited = Vec::new();
    let mut wrong = Vec::new();
    for file in files {
        let comments = file.comments();
        let is_in = |folders: &[&str]| folders.iter().any(|f| file.path.starts_with(&format!("{f}/")));
        let (new_form_only, cited_in_full) = (is_in(renamed), is_in(in_full));
        for (n, line) in comments.lines().enumerate() {
            let at = format!("{}:{}", file.path, n + 1);
            let doc = ["///", "//!"].iter().any(|doc| line.trim_start().starts_with(doc));
            let bold: Vec<&str> = line.split("**").skip(1).step_by(2).collect();
            for label in bold.iter().filter(|bold| doc && is_label(bold)) {
                defined.entry((*label).to_owned()).or_default().push(at.clone());
            }
            for label in bold.iter().filter(|bold| new_form_only && is_old(bold)) {
                wrong.push(format!("{at}: {label} does not say its room"));
            }
            let mut before = "";
            for word in words(line) {
                if is_label(word) {
                    cited.push((word.to_owned(), at.clone()));
                }
                // "Rule S3" is one of the design.
                let short = word.len() < 4 && is_old(word) && !before.eq_ignore_ascii_case("rule");
                if cited_in_full && short && !bold.contains(&word) {
                    wrong.push(format!("{at}: {word} is cited without its room"));
                }
                before = word;
            }
        }
    }
    for (label, places) in defined.iter().filter(|(_, places)| places.len() > 1) {
        wrong.push(format!("{label} is defined {} times: {}", places.len(), places.join(", ")));
    }
    for (label, at) in cited.iter().filter(|(label, _)| !defined.contains_key(label)) {
        wrong.push(format!("{at}: {label} is defined nowhere"));
    }
    wrong
}

/// The words of a line, where a dash is a letter.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
    parts.map(|word| word.trim_matches('-')).filter(|word| !word.is_empty())
}

/// Capitals, a dash, capitals, digits.
pub fn is_label(word: &str) -> bool {
    let Some((room, rest)) = word.split_once('-') else { return false };
    let letters = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    let capitals = |word: &str| word.bytes().all(|c| c.is_ascii_uppercase());
    room.len() > 1 && capitals(room) && !letters.is_empty() && capitals(letters) && letters.len() < rest.len()
}

/// One or two capitals and digits.
fn is_old(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    (1..=2).contains(&letters.len())
        && letters.bytes().all(|c| c.is_ascii_uppercase())
        && letters.len() < word.len()
}
