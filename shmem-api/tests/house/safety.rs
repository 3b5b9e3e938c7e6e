//! SAFETY comments say what makes the code sound, where it stands.
//!
//! "As above" is what the comment before it in the same function says, and no other. "By contract" says nothing unless it goes on to
//! name which part of the contract: the label of an invariant.

use crate::labels::{is_label, words};
use crate::sources::File;

/// With what a comment begins that hands the reasons on to somebody else.
const ELSEWHERE: &[&str] =
    &["by contract", "by the contract", "by the same contract", "the caller", "as in", "as for", "as there"];

/// The comments that name no reason, a line for each.
pub fn wrong(files: &[File]) -> Vec<String> {
    files.iter().flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<String> {
    let comments = file.comments();
    let mut wrong = Vec::new();
    // Whether this function has had a comment already.
    let mut above = false;
    let mut lines = file.text.lines().zip(comments.lines()).enumerate().peekable();
    while let Some((n, (line, comment))) = lines.next() {
        let code = line.trim_start();
        above &= !(begins_function(code));
        let Some((_, said)) = comment.split_once("// SAFETY: ") else {
            continue;
        };
        let mut text = said.to_owned();
        while let Some((_, (_, more))) = lines.next_if(|(_, (line, _))| goes_on(line)) {
            text.extend([" ", more.trim_start().trim_start_matches("//").trim_start()]);
        }
        let lower = text.to_lowercase();
        let at = format!("{}:{}", file.path, n + 1);
        if lower.starts_with("as above") && !above {
            wrong.push(format!("{at}: nothing is above it in its function: SAFETY: {text}"));
        }
        if ELSEWHERE.iter().any(|words| lower.starts_with(words)) && !words(&text).any(is_label) {
            wrong.push(format!("{at}: it names no invariant: SAFETY: {text}"));
        }
        above = true;
    }
    wrong
}

/// Whether a line of code begins a function (of a name, not a pointer to one).
fn begins_function(code: &str) -> bool {
    let mut before = "";
    for word in code.split_whitespace().take_while(|word| !word.starts_with("//")) {
        if before == "fn" || before.ends_with("(fn") {
            return word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
        }
        before = word;
    }
    false
}

/// Whether a line is more of the comment before it.
fn goes_on(line: &str) -> bool {
    line.trim_start().strip_prefix("// ").is_some_and(|said| !said.starts_with("SAFETY"))
}
