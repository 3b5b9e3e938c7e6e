//! Whether two processes run the same executable.
//!
//! The linker's build id says so if there is one; else the file itself does. The layout of the segments
//! is part of it in either case, because STATICS-D4 rests on it and a tool may rewrite a file and keep its id.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use bytemuck::{Pod, Zeroable};

use crate::process::system::Program;

/// What is equal on two PEs if and only if they run the same executable. Plain bytes, to be exchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Identity {
    kind: u64,
    id: [u8; 32],
    layout: u64,
}

const BUILD_ID: u64 = 1;
const FILE: u64 = 2;
const CONTENTS: u64 = 3;

impl Identity {
    pub(super) fn of(executable: &Program) -> io::Result<Identity> {
        let layout = executable.headers().iter().fold(FNV, |hash, h| {
            [h.kind as usize, h.flags as usize, h.at, h.file_len, h.len]
                .iter()
                .fold(hash, |hash, &word| mix(hash, word as u64))
        });
        if let Some(build_id) = executable.notes().iter().find_map(|note| build_id(note)) {
            return Ok(Identity { kind: BUILD_ID, id: fold(build_id), layout });
        }
        let file = std::fs::metadata("/proc/self/exe")?;
        let mtime = file.mtime().wrapping_mul(1_000_000_000).wrapping_add(file.mtime_nsec());
        let words = [file.dev(), file.ino(), file.size(), mtime as u64];
        Ok(Identity { kind: FILE, id: bytemuck::cast(words), layout })
    }
}

impl Identity {
    /// The same for hosts whose file systems number files each for themselves: where there is no build id, by what the file holds.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn on_any_host(self) -> io::Result<Identity> {
        if self.kind == BUILD_ID {
            return Ok(self);
        }
        let contents = Contents::of(File::open("/proc/self/exe")?)?;
        Ok(Identity {
            kind: CONTENTS,
            id: bytemuck::cast([contents.len, contents.one, contents.other, 0]),
            ..self
        })
    }
}

/// What a file holds, as its length and two hashes.
#[derive(PartialEq, Eq, Debug)]
struct Contents {
    len: u64,
    one: u64,
    other: u64,
}

impl Contents {
    fn of(mut file: impl Read) -> io::Result<Contents> {
        let mut found = Contents { len: 0, one: FNV, other: !FNV };
        let mut piece = vec![0; 1 << 20];
        loop {
            // Whole, however it comes: so the words are the same.
            let n = fill(&mut file, &mut piece)?;
            if n == 0 {
                return Ok(found);
            }
            found.len += n as u64;
            piece[n..].fill(0);
            for word in piece[..n.next_multiple_of(8)].as_chunks().0 {
                let word = u64::from_le_bytes(*word);
                found.one = (found.one ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
                found.other = (found.other.rotate_left(17) ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
            }
        }
    }
}

/// Fills `piece` as far as the file goes.
fn fill(file: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < piece.len() {
        match file.read(&mut piece[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

const FNV: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, a word at a time.
fn mix(hash: u64, word: u64) -> u64 {
    word.to_le_bytes().iter().fold(hash, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A build id (20 bytes as a rule) in 32 bytes; the bytes of a longer one are laid over each other.
fn fold(id: &[u8]) -> [u8; 32] {
    let mut folded = [0; 32];
    for (i, byte) in id.iter().enumerate() {
        folded[i % 32] ^= byte;
    }
    folded
}

/// The build id in a segment of notes: {name length, description length, type}, name, description, both
/// padded to 4 bytes. Segments padded to 8 hold no build id.
fn build_id(notes: &[u8]) -> Option<&[u8]> {
    const NT_GNU_BUILD_ID: u32 = 3;
    let word = |at: usize| Some(u32::from_ne_bytes(notes.get(at..at + 4)?.try_into().ok()?));
    let mut at = 0;
    loop {
        let (name_len, len, kind) = (word(at)? as usize, word(at + 4)? as usize, word(at + 8)?);
        let name = at + 12;
        let description = name + name_len.next_multiple_of(4);
        let content = notes.get(description..description + len)?;
        if kind == NT_GNU_BUILD_ID && notes.get(name..name + name_len) == Some(b"GNU\0") && len > 0 {
            return Some(content);
        }
        at = description + len.next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(kind: u32, name: &[u8], content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [name.len() as u32, content.len() as u32, kind] {
            bytes.extend(word.to_ne_bytes());
        }
        for part in [name, content] {
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn the_build_id_is_found_among_other_notes() {
        let mut notes = note(1, b"GNU\0", &[0; 16]);
        notes.extend(note(3, b"Go\0", b"not this"));
        notes.extend(note(3, b"GNU\0", b"twenty bytes it has."));
        assert_eq!(build_id(&notes), Some(&b"twenty bytes it has."[..]));
        assert_eq!(build_id(&notes[..60]), None);
        assert_eq!(build_id(&[]), None);
    }

    #[test]
    fn contents_differ_where_a_byte_does() {
        let of = |bytes: &[u8]| Contents::of(bytes).unwrap();
        let long: Vec<u8> = (0..3_000_001u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let whole = of(&long);
        assert_eq!(whole.len, 3_000_001);
        // However it comes.
        let (first, second) = long.split_at(1_500_003);
        assert_eq!(Contents::of(first.chain(second)).unwrap(), whole);
        for at in [0, 7, 8, 1 << 20, 2_999_999, 3_000_000] {
            let mut other = long.clone();
            other[at] ^= 0x10;
            let other = of(&other);
            assert!(other.one != whole.one && other.other != whole.other, "{at}");
        }
        assert_ne!(of(&long[..3_000_000]), whole);
        assert_ne!(of(b""), of(b"\0"));
    }

    #[test]
    fn garbage_ends_the_search() {
        assert_eq!(build_id(&[0xff; 64]), None);
    }

    #[test]
    fn long_ids_that_differ_anywhere_differ() {
        let long: Vec<u8> = (0..40).collect();
        for i in 0..40 {
            let mut other = long.clone();
            other[i] ^= 1;
            assert_ne!(fold(&long), fold(&other));
        }
    }
}
