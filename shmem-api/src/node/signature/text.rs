//! Signatures in plain words, for the lines that name who asked for what.

use std::fmt;

use memheap::place::Reach;

use crate::node::signature::{Kind, Mode, OBJECT, Position, Signature};
use crate::types::object::ObjectType;
use crate::types::word::letters;

/// What a call is called where its arguments are not known: of a PE's word alone.
fn bare(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Alloc => "an allocation",
        Kind::Calloc => "a zeroed allocation",
        Kind::Realloc => "a reallocation",
        Kind::Free => "a free",
        Kind::Enter => "the start of a phase",
        Kind::Exit => "the end of a phase",
        Kind::SplitStrided => "a split of the team by start, stride and size",
        Kind::Split2d => "a split of the team in two dimensions",
        Kind::Broadcast => "a broadcast",
        Kind::Gather => "a collect",
        Kind::Fcollect => "an fcollect",
        Kind::Alltoall => "an alltoall",
        Kind::Reduce => "a reduction",
        Kind::Scan => "a scan",
        Kind::Pinned | Kind::Barrier | Kind::Collect | Kind::Finalize | Kind::MoreFrees | Kind::Touched => {
            return None;
        }
        Kind::Sync | Kind::Claim | Kind::Destroy | Kind::Nothing => return None,
    })
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let w = |i: usize| self.args[i];
        let kind = match self.kind {
            Ok(kind) => kind,
            Err(byte) => return write!(f, "rendezvous of unknown kind {byte}"),
        };
        if self.bare
            && let Some(name) = bare(kind)
        {
            return f.write_str(name);
        }
        match kind {
            Kind::Pinned => write!(f, "the end of an allocation of locked memory"),
            Kind::Barrier => write!(f, "a barrier"),
            Kind::Alloc | Kind::Calloc => {
                let name = if kind == Kind::Alloc { "alloc" } else { "calloc" };
                let reach = Reach::ALL.get(w(2) as usize).map_or("?".into(), Reach::to_string);
                let what = ObjectType::from_word(w(4));
                let to_be = if what.is_bytes() { String::new() } else { format!(" to be {what}") };
                write!(
                    f,
                    "{name}({} bytes{to_be}, alignment {}, for {reach}) with heap history {:016x}",
                    w(0),
                    w(1),
                    w(3)
                )
            }
            Kind::Realloc => {
                write!(f, "realloc({:#x}, {} bytes) with heap history {:016x}", w(0), w(1), w(2))
            }
            Kind::Free => write!(f, "free({:#x}) with heap history {:016x}", w(0), w(1)),
            Kind::Collect => write!(f, "reclaim()"),
            Kind::Enter => write!(f, "the start of a phase sharing {}", Objects(self)),
            Kind::Exit => write!(f, "the end of a phase sharing {}", Objects(self)),
            Kind::Touched => match w(0) {
                Signature::GAVE => write!(f, "the end of a heap call that gave {:#x}", w(1)),
                Signature::NO_ROOM => write!(f, "the end of a heap call that found no room"),
                _ => write!(f, "the end of a heap call"),
            },
            Kind::MoreFrees => write!(f, "freeing what was dropped"),
            Kind::Finalize => write!(f, "finalize"),
            Kind::Sync => write!(f, "a sync"),
            Kind::Nothing => write!(f, "a call in which nobody is met"),
            Kind::SplitStrided => {
                let (start, stride, size) = (w(0) as i64, w(1) as i64, w(2) as i64);
                write!(f, "a split of the team by start {start}, stride {stride}, size {size}")
            }
            Kind::Split2d => {
                write!(f, "a split of the team in two dimensions by {}", w(0) as i64)
            }
            Kind::Claim => write!(f, "the end of a split"),
            Kind::Destroy => write!(f, "the destruction of the team"),
            Kind::Broadcast => {
                write!(f, "a broadcast of {} from PE {} of the team{}", Elements(self), w(3), Places(self))
            }
            Kind::Gather => {
                let each = TypeName(w(2));
                write!(f, "a collect of elements of {} bytes{each}{}", w(1), Places(self))
            }
            Kind::Fcollect => {
                write!(f, "an fcollect of {}{}", Elements(self), Places(self))
            }
            Kind::Alltoall => {
                let (dst, sst) = (w(3) >> 32, w(3) as u32);
                let (elements, places) = (Elements(self), Places(self));
                write!(f, "an alltoall of {elements}, strides {dst} and {sst}{places}")
            }
            Kind::Reduce | Kind::Scan => {
                let what = if kind == Kind::Reduce { "a reduction" } else { "a scan" };
                write!(f, "{what} ({}) of {}{}", letters(w(3)), Elements(self), Places(self))
            }
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many elements a collective is about, and which.
struct Elements<'a>(&'a Signature);

impl fmt::Display for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.args() {
            [n, size, name, ..] => write!(f, "{n} elements of {size} bytes{}", TypeName(*name)),
            _ => f.write_str("elements"),
        }
    }
}

/// A type, if it has a name that is known (`type_word`).
struct TypeName(u64);

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            hash if hash >> 63 != 0 => write!(f, " (type {hash:x})"),
            name => write!(f, " ({})", letters(name)),
        }
    }
}

/// Where the objects of a collective are, if the PEs have to agree on that.
struct Places<'a>(&'a Signature);

impl fmt::Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.args() {
            [_, _, _, _, Position::NONE, Position::NONE] => Ok(()),
            [_, _, _, _, dest, Position::NONE] => write!(f, ", at {}", Position(*dest)),
            [_, _, _, _, dest, src] if dest == src => write!(f, ", in place at {}", Position(*dest)),
            [_, _, _, _, dest, src] => write!(f, ", to {} from {}", Position(*dest), Position(*src)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Position::NONE => f.write_str("nowhere"),
            at if at & Position::STATIC != 0 => write!(f, "static data + {:#x}", at & !Position::STATIC),
            at => write!(f, "heap + {at:#x}"),
        }
    }
}

struct Objects<'a>(&'a Signature);

impl fmt::Display for Objects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = self.0.args();
        if objects.is_empty() {
            return f.write_str("nothing");
        }
        for (i, o) in objects.chunks_exact(OBJECT).enumerate() {
            let mode = if o[3] == Mode::ReadOnly as u64 { " read-only" } else { "" };
            let (and, what) = (if i > 0 { " and " } else { "" }, ObjectType::from_word(o[2]));
            write!(f, "{and}{what} ({} bytes at {:#x}){mode}", o[1], o[0])?;
        }
        Ok(())
    }
}
