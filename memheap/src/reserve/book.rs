//! The limit, which moves down with each reservation, and the list of reservations.

use std::collections::BTreeSet;

use super::reservation::{Honoured, Locality, Reservation, ReserveError, Usage};
use crate::component::{Digest, Violation};
use crate::units::{Align, Bytes, Offset, PeId};

/// What both stages of a layout share.
#[derive(Clone, Debug)]
pub(super) struct Book {
    floor: Offset,
    top: Offset,
    limit: Offset,
    lost: Bytes,
    beside: BTreeSet<PeId>,
    entries: Vec<Reservation>,
}

impl Book {
    pub(super) fn new(floor: Offset, top: Offset) -> Result<Book, ReserveError> {
        if top < floor {
            return Err(ReserveError::NoWindow { floor, top });
        }
        Ok(Book { floor, top, limit: top, lost: Bytes(0), beside: BTreeSet::new(), entries: Vec::new() })
    }

    pub(super) fn beside(&mut self, pes: impl IntoIterator<Item = PeId>) {
        self.beside.extend(pes);
    }

    pub(super) fn reserve(
        &mut self,
        name: &str,
        size: Bytes,
        align: Align,
        near: Locality,
    ) -> Result<Reservation, ReserveError> {
        if size.0 == 0 {
            return Err(ReserveError::ZeroSize { name: name.to_owned() });
        }
        if self.find(name).is_some() {
            return Err(ReserveError::NameTaken { name: name.to_owned() });
        }
        let end = self.limit.0.checked_sub(size.0);
        let at =
            end.map(|end| end & !(align.bytes() - 1)).filter(|&at| at >= self.floor.0).ok_or_else(|| {
                ReserveError::Exhausted { name: name.to_owned(), size, align, left: self.usage().left }
            })?;
        let honoured = match near {
            Locality::Anywhere => Honoured::NotAsked,
            Locality::NearPe(pe) if self.beside.contains(&pe) => Honoured::Yes,
            Locality::NearPe(_) => Honoured::No,
        };
        let entry = Reservation { name: name.to_owned(), at: Offset(at), size, align, honoured };
        self.lost.0 += self.limit.0 - size.0 - at;
        self.limit = entry.at;
        self.entries.push(entry.clone());
        Ok(entry)
    }

    pub(super) fn entries(&self) -> &[Reservation] {
        &self.entries
    }

    pub(super) fn find(&self, name: &str) -> Option<&Reservation> {
        self.entries.iter().find(|r| r.name == name)
    }

    pub(super) fn limit(&self) -> Offset {
        self.limit
    }

    pub(super) fn usage(&self) -> Usage {
        Usage {
            reserved: Bytes(self.top.0 - self.limit.0 - self.lost.0),
            lost: self.lost,
            left: Bytes(self.limit.0 - self.floor.0),
        }
    }

    pub(super) fn digest(&self) -> Digest {
        self.entries.iter().fold(Digest::default(), |digest, r| {
            let words = r.name.as_bytes().chunks(8).map(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(word)
            });
            // The length tells a name from the same name with zeroes behind it.
            let named = words.fold(digest.step(0, r.name.len() as u64, 0), |d, word| d.step(1, word, 0));
            named.step(2, r.size.0, r.align.bytes()).step(3, r.at.0, 0)
        })
    }

    pub(super) fn validate(&self) -> Result<(), Violation> {
        let broken = |invariant, r: &Reservation, what: &str| {
            Err(Violation { invariant, what: format!("`{}` at {} ({}) {what}", r.name, r.at, r.size) })
        };
        let mut above = self.top;
        let mut sizes = 0;
        for (i, r) in self.entries.iter().enumerate() {
            if r.at < self.floor || r.end() > self.top {
                return broken("RESERVE-R1", r, "is outside the window");
            }
            if r.end() > above {
                return broken("RESERVE-R2", r, "reaches into the one before it");
            }
            if !r.at.is_aligned(r.align) {
                return broken("RESERVE-R3", r, "is not aligned");
            }
            if r.size.0 == 0 || self.entries[..i].iter().any(|other| other.name == r.name) {
                return broken("RESERVE-R4", r, "is empty or has another's name");
            }
            above = r.at;
            sizes += r.size.0;
        }
        if above != self.limit || sizes + self.lost.0 != self.top.0 - self.limit.0 {
            let what = format!("{sizes} reserved and {} lost below {}", self.lost.0, self.top);
            return Err(Violation { invariant: "RESERVE-R5", what });
        }
        Ok(())
    }
}
