//! Files as one stream of bytes, cut into as many ranges as there are PEs.
//!
//! ```text
//!   file a          file b    file c
//!   |..............|.........|.......|     one stream
//!   |  PE 0   |  PE 1   |  PE 2   |        ranges
//! ```
//!
//! A word may run across the end of a file and across a cut: it belongs to the range it starts in.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

/// Files read as if they were one.
pub struct Corpus {
    files: Vec<(PathBuf, u64)>,
}

/// A file that cannot be read, and why.
#[derive(Debug)]
pub struct Unreadable {
    file: PathBuf,
    why: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.why)
    }
}

impl std::error::Error for Unreadable {}

impl Corpus {
    /// Looks at every file; each must be a readable regular file.
    pub fn open(files: impl IntoIterator<Item = PathBuf>) -> Result<Corpus, Unreadable> {
        let len = |file: &PathBuf| -> io::Result<u64> {
            let meta = File::open(file)?.metadata()?;
            if meta.is_file() {
                Ok(meta.len())
            } else {
                Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "not a regular file; every PE reads a part of it",
                ))
            }
        };
        let look = |file: PathBuf| match len(&file) {
            Ok(n) => Ok((file, n)),
            Err(why) => Err(Unreadable { file, why }),
        };
        Ok(Corpus { files: files.into_iter().map(look).collect::<Result<_, _>>()? })
    }

    /// Bytes of all files together.
    pub fn len(&self) -> u64 {
        self.files.iter().map(|(_, n)| n).sum()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The part of PE `pe` of `n_pes`: as equal as whole bytes allow.
    pub fn range(&self, pe: usize, n_pes: usize) -> Range<u64> {
        let cut = |i: usize| (u128::from(self.len()) * i as u128 / n_pes as u128) as u64;
        cut(pe)..cut(pe + 1)
    }

    /// Calls `each` with every word (a longest run of ASCII letters), in lower case, that starts in
    /// `range`.
    pub fn for_each_word(&self, range: Range<u64>, mut each: impl FnMut(&[u8])) -> Result<(), Unreadable> {
        if range.is_empty() {
            return Ok(());
        }
        let mut word = Vec::new();
        // One byte early: it tells whether the range begins inside a word of the range before.
        let mut foreign = range.start > 0;
        let from = range.start.saturating_sub(1);
        let mut at = from;
        self.for_each_chunk(from, |chunk| {
            for byte in chunk {
                if byte.is_ascii_alphabetic() {
                    if !foreign {
                        word.push(byte.to_ascii_lowercase());
                    }
                } else {
                    foreign = false;
                    if !word.is_empty() {
                        each(&word);
                        word.clear();
                    }
                }
                at += 1;
                if at >= range.end && word.is_empty() {
                    return false;
                }
            }
            true
        })?;
        if !word.is_empty() {
            each(&word);
        }
        Ok(())
    }

    /// Calls `more` with the bytes from `from` on, piece by piece, until it returns false.
    fn for_each_chunk(&self, from: u64, mut more: impl FnMut(&[u8]) -> bool) -> Result<(), Unreadable> {
        let mut buffer = vec![0; 1 << 20];
        let mut start = 0;
        for (file, len) in &self.files {
            let end = start + len;
            if from < end {
                let unreadable = |why| Unreadable { file: file.clone(), why };
                let skip = from.saturating_sub(start);
                let mut open = File::open(file).map_err(unreadable)?;
                open.seek(SeekFrom::Start(skip)).map_err(unreadable)?;
                let mut left = len - skip;
                while left > 0 {
                    let want = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let n = match open.read(&mut buffer[..want]) {
                        Ok(0) => {
                            return Err(unreadable(io::Error::other("became shorter while it was read")));
                        }
                        Ok(n) => n,
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                        Err(e) => return Err(unreadable(e)),
                    };
                    left -= n as u64;
                    if !more(&buffer[..n]) {
                        return Ok(());
                    }
                }
            }
            start = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(parts: &[&str]) -> (Corpus, PathBuf) {
        let dir = std::env::temp_dir().join(format!("text-{}-{:p}", std::process::id(), parts));
        std::fs::create_dir_all(&dir).unwrap();
        let files: Vec<PathBuf> = (0..parts.len()).map(|i| dir.join(i.to_string())).collect();
        for (file, text) in files.iter().zip(parts) {
            std::fs::write(file, text).unwrap();
        }
        (Corpus::open(files).unwrap(), dir)
    }

    #[test]
    fn every_cut_yields_every_word_once() {
        let parts = ["One two", "", "Three four\n", "a", "b c", "x-y don't", "ZZ"];
        let (corpus, dir) = corpus(&parts);
        let expected = ["one", "twothree", "four", "ab", "cx", "y", "don", "tzz"];
        for n in 1..=40 {
            let mut words = Vec::new();
            for pe in 0..n {
                corpus
                    .for_each_word(corpus.range(pe, n), |w| {
                        words.push(String::from_utf8(w.to_vec()).unwrap())
                    })
                    .unwrap();
            }
            assert_eq!(words, expected, "{n} ranges");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = |file: &str| Corpus::open([PathBuf::from(file)]).err().unwrap().to_string();
        assert!(error("/no/such/file").starts_with("/no/such/file: "));
        assert!(error("/").contains("not a regular file"));
        assert!(Corpus::open([]).unwrap().is_empty());
    }
}
