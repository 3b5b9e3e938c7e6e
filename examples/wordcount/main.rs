//! Counts the words of text files with all PEs, over one hash table that is spread over their heaps.
//!
//! ```text
//!   files, one stream ──cut──► each PE counts its part ──put, compare-and-swap, atomic add──► table
//!                                                          PE 0 ◄──get── reads it all, sorts, prints
//! ```
//!
//! `wordcount FILE...` prints `COUNT WORD` lines, most frequent first, ties by word in byte order; a
//! word is a longest run of ASCII letters, in lower case. All files together are one stream of bytes.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

mod table;

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use examples::text::{Corpus, Unreadable};
use shmem_api::World;

use table::Table;

fn main() -> ExitCode {
    shmem_api::run(wordcount)
}

#[derive(Debug)]
enum Failed {
    Usage,
    Text(Unreadable),
    Shmem(shmem_api::Error),
    Output(io::Error),
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Usage => f.write_str("usage: wordcount FILE..."),
            Failed::Text(e) => write!(f, "wordcount: {e}"),
            Failed::Shmem(e) => write!(f, "wordcount: {e}"),
            Failed::Output(e) => write!(f, "wordcount: cannot write the result: {e}"),
        }
    }
}

impl From<shmem_api::Error> for Failed {
    fn from(e: shmem_api::Error) -> Self {
        Failed::Shmem(e)
    }
}

fn wordcount(world: &World) -> Result<(), Failed> {
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        return Err(Failed::Usage);
    }
    let corpus = Corpus::open(files).map_err(Failed::Text)?;
    let counts = count_my_part(world, &corpus).map_err(Failed::Text)?;

    let mut table = Table::for_words(world, &counts)?;
    table.add_all(world, &counts);
    let total = table.read_all(world);
    match total {
        Some(total) => print_sorted(total).map_err(Failed::Output),
        None => Ok(()),
    }
}

fn count_my_part(world: &World, corpus: &Corpus) -> Result<HashMap<Box<[u8]>, u64>, Unreadable> {
    let mut counts: HashMap<Box<[u8]>, u64> = HashMap::new();
    corpus.for_each_word(corpus.range(world.pe(), world.n_pes()), |word| match counts.get_mut(word) {
        Some(n) => *n += 1,
        None => drop(counts.insert(word.into(), 1)),
    })?;
    Ok(counts)
}

fn print_sorted(mut words: Vec<(Vec<u8>, u64)>) -> io::Result<()> {
    words.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    let mut out = BufWriter::new(io::stdout().lock());
    for (word, n) in words {
        write!(out, "{n} ")?;
        out.write_all(&word)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
