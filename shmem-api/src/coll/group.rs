//! A collective call as its algorithm sees it: the PEs that call together, and what they have of each other.
//!
//! ```text
//!   raw::coll         a team ───────┐   Group                              ┌ broadcast  collect  fcollect
//!   raw::active_set   an active set ┼─► who, in which stage, what may be  ─┤ alltoall   reduce   scan
//!   collectives       safe objects ─┘   touched there                      └ one file each
//! ```
//!
//! The first meeting compares the arguments that all must agree on, the objects among them, and shows what this PE shows.
//! A member's bytes are found by the translation every raw call uses, from this PE's own symmetric
//! address: so heap objects and statics work alike, wherever a peer has them.
//!
//! What the standard lets an algorithm rely on, and what it must see to (invariants of every algorithm here):
//! **COLL-K1** every member's `dest` is ready before *any* member calls: it may be written at once. **COLL-K2** a member's
//! `src` is ready only when that member has called: whoever reads it meets the others first. **COLL-K3** a member
//! returns when its own `dest` is complete and its own `src` is no longer read; a peer may still be inside,
//! and this PE's next call with the same group must not disturb it there. **COLL-K4** which way an algorithm takes depends on
//! nothing but what is compared in the first meeting; so a count of 0 meets, too.
//!
//! An algorithm is safe code, since a group lets it do nothing else. The way the members go, and the stages of it, are those of
//! [`crate::coll::course`], the same on all members: so while this PE has a call open, every member that it has met is in the
//! same call, and leaves it only after this PE has closed it. That is COLL-K6 of [`crate::coll::object`], and COLL-K3.
#![allow(unsafe_code)]

use crate::call::{Call, bytes};
use crate::coll::course::{Course, Way, reach};
use crate::coll::object::{Dest, MemberDest, MemberSource, OwnDest, OwnSource, Source};
use crate::coll::pieces::Few;
use crate::engine::Engine;
use crate::node::signature::{ARGS, Kind, Position};
use crate::team::call::TeamCall;
use crate::team::core::TeamCore;
use crate::team::upper::Hosts;
use crate::types::elem::Elem;
use crate::types::pe_set::PeSet;
use crate::types::word::type_word;

/// Words of the arguments: elements, their size, their type, one more; then where `dest` and `src` are.
const ARGUMENTS: usize = 6;
const MORE: usize = 3;
const DEST: usize = 4;
const SRC: usize = 5;

/// A collective call under way, on objects of elements of `T`.
pub(crate) struct Group<'a, 'c, T> {
    call: Call,
    kind: Kind,
    members: PeSet,
    team_call: &'a mut TeamCall<'c>,
    dest: Dest<'a, T>,
    src: Source<'a, T>,
    /// The agreed arguments, then what is shown.
    words: [u64; ARGS],
    agreed: usize,
    len: usize,
    course: Course,
    /// How long the dest of a collect can be.
    room: usize,
}

/// Runs a collective on a team or an active set: of `n` elements, with what else the call has for an argument, which is the
/// root of a broadcast, or the strides of an alltoall. All members must agree on that, on where `dest` is, and on where `src` is, if it has a position.
#[inline]
pub(crate) fn collective<T: Elem, R>(
    call: Call,
    engine: &Engine,
    team: &TeamCore,
    (kind, n, more): (Kind, usize, u64),
    (dest, src): (Dest<'_, T>, Source<'_, T>),
    body: impl FnOnce(&mut Group<'_, '_, T>) -> R,
) -> R {
    run(call, engine, team, (kind, n, more, ARGUMENTS), (dest, src), body)
}

/// Runs a collective that shows a value, and reads those of the others, by rank. No PE touches another's memory.
pub(crate) fn values<T: Elem, R>(
    call: Call,
    engine: &Engine,
    team: &TeamCore,
    (kind, more): (Kind, u64),
    value: T,
    read: impl FnOnce(&mut dyn FnMut(u32) -> T) -> R,
) -> R {
    run(call, engine, team, (kind, 1, more, DEST), (Dest::none(), Source::none()), |group| {
        let mut words = [0; ARGS];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        bytes[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(&value));
        group.show(&words[..size_of::<T>().div_ceil(8)]);
        group.meet();
        let mut few = Few::new();
        read(&mut |rank| group.shown(rank, 1, &mut few)[0])
    })
}

#[inline]
fn run<T: Elem, R>(
    call: Call,
    engine: &Engine,
    team: &TeamCore,
    (kind, n, more, agreed): (Kind, usize, u64, usize),
    (mut dest, src): (Dest<'_, T>, Source<'_, T>),
    body: impl FnOnce(&mut Group<'_, '_, T>) -> R,
) -> R {
    team.call(engine, kind, |team_call| {
        let mut words = [0; ARGS];
        words[..DEST].copy_from_slice(&[n as u64, size_of::<T>() as u64, type_word::<T>(), more]);
        (words[DEST], words[SRC]) = match agreed {
            ARGUMENTS => (dest.position, src.position),
            _ => (0, 0),
        };
        let shown = if agreed == ARGUMENTS { team.room(agreed) } else { ARGS - agreed };
        let way = Way::of(kind, n, bytes::<T>(n), shown * 8, dest.ready && team.goes_ahead());
        let room = dest.len;
        let read = matches!(kind, Kind::Broadcast | Kind::Reduce | Kind::Scan);
        let as_long = room == reach(kind, n, more, team.members.size) && (!read || src.len() == n);
        // As whoever says that all dests are ready promises.
        assert!(as_long || dest.ready || agreed < ARGUMENTS, "COLL-K5: all members' objects are as long");
        if kind == Kind::Gather {
            dest.len = 0;
        }
        let (members, len, course) = (team.members, agreed, Course::new(way));
        let mut group = Group { call, kind, members, team_call, dest, src, words, agreed, len, course, room };
        let result = body(&mut group);
        assert!(group.course.is_closed(), "COLL-K3: a call ends when it is closed");
        result
    })
}

/// The stages.
impl<'a, T: Elem> Group<'a, '_, T> {
    /// Whether all that the call is about fits in what members show, or there is nothing: then nobody touches another's memory.
    #[inline]
    pub(crate) fn few(&self) -> bool {
        self.course.few()
    }

    /// The meeting of a call of [few](Self::few).
    #[inline]
    pub(crate) fn meet(&mut self) {
        self.course.meets_once();
        self.team_call.meet(&self.words[..self.len], self.agreed);
    }

    /// In the place of that meeting: `root` goes on at once; the others wait until it has called.
    #[inline]
    pub(crate) fn follow(&mut self, root: u32) {
        if self.team_call.hosts().is_some() {
            return self.meet();
        }
        self.course.meets_once();
        if self.rank() == root {
            self.team_call.give(&self.words[..self.len], self.agreed);
        } else {
            self.team_call.take(root as usize, &self.words[..self.agreed]);
        }
    }

    /// Opens a call of many: from here on members touch each other's memory. Every member has called it, and what each
    /// stored before is visible to all; unless the call goes ahead, since every `dest` is ready.
    #[inline]
    pub(crate) fn open(&mut self) {
        match self.kind {
            Kind::Gather => self.show(&[self.src.len() as u64]),
            Kind::Broadcast if u64::from(self.rank()) == self.words[MORE] => {
                self.show(&[self.src.place(self.call)]);
            }
            _ => {}
        }
        match self.course.opens() {
            Way::GoesAhead => self.team_call.go_ahead(),
            _ => self.team_call.meet(&self.words[..self.len], self.agreed),
        }
    }

    /// Meets all once more while it is open: what each has done by then is visible to all.
    #[inline]
    pub(crate) fn sync(&mut self) {
        match self.course.meets_between() {
            Way::GoesAhead => self.team_call.meet(&self.words[..self.len], self.agreed),
            _ => self.team_call.sync(),
        }
    }

    /// Closes it: when it returns, every member has, and what each did is visible to all.
    #[inline]
    pub(crate) fn close(&mut self) {
        match self.course.closes() {
            Way::GoesAhead => self.team_call.meet(&self.words[..self.len], self.agreed),
            _ => self.team_call.sync(),
        }
    }
}

/// What is shown, and what may be touched.
impl<'a, T: Elem> Group<'a, '_, T> {
    /// Lays words open to the others, who may look after the first meeting, until the end of the call.
    #[inline]
    fn show(&mut self, words: &[u64]) {
        self.len = self.agreed + words.len();
        self.words[self.agreed..self.len].copy_from_slice(words);
    }

    /// Shows this PE's source itself, which is [few](Self::few).
    #[inline]
    pub(crate) fn show_source(&mut self) {
        let source = self.own_source();
        self.len = self.agreed + source.to_words(&mut self.words[self.agreed..]);
    }

    /// The elements a member has shown.
    #[inline]
    pub(crate) fn shown<'f>(&self, rank: u32, n: usize, to: &'f mut Few) -> &'f mut [T] {
        to.read(n, |i| self.word_of(rank, i))
    }

    /// Of a collect that is open: where this PE's elements begin in `dest`, how many it has, and how many all have together.
    /// Ends the job if these are more than `dest` has room for.
    pub(crate) fn lay_out(&mut self) -> (usize, usize, usize) {
        assert!(self.kind == Kind::Gather && self.course.is_met(), "COLL-K2: lengths come when members meet");
        let before = |rank| (0..rank).map(|r| self.word_of(r, 0) as usize).fold(0, usize::saturating_add);
        let (at, all) = (before(self.rank()), before(self.size()));
        if all > self.room {
            let room = self.room;
            self.call.fail(&format!("dest has {room} elements, and all sources together {all}"));
        }
        self.dest.len = all;
        (at, self.src.len(), all)
    }

    /// Of a collect that is laid out: how many elements each member has, by rank.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.size()).map(|rank| self.word_of(rank, 0) as usize)
    }

    /// This PE's dest: all of it is there, or the job ends.
    #[inline]
    pub(crate) fn own_dest(&self) -> OwnDest<'a, T> {
        self.dest.own(self.call)
    }

    /// This PE's source: all of it is there, or the job ends.
    #[inline]
    pub(crate) fn own_source(&self) -> OwnSource<'a, T> {
        self.src.own(self.call)
    }

    /// `n` elements from the `at`th of a member's dest, to be written while the call is open.
    #[inline]
    pub(crate) fn dest_of(&self, rank: u32, at: usize, n: usize) -> MemberDest<'_, T> {
        assert!(self.course.is_open(), "COLL-K6: it is written while the call is open");
        // SAFETY: COLL-K6: the call is open; the member has been met, by its words on the same dest, or COLL-K1 holds. It
        // cannot be closed as long as the piece borrows the group.
        unsafe { self.dest.of(self.call, self.pe(rank), at, n) }
    }

    /// `n` elements from the `at`th of a member's source, to be read while the call is open.
    #[inline]
    pub(crate) fn source_of(&self, rank: u32, at: usize, n: usize) -> MemberSource<'_, T> {
        assert!(self.course.is_met(), "COLL-K2: it is read when its PE has been met");
        assert!(
            matches!(self.kind, Kind::Reduce | Kind::Scan) && self.words[SRC] != Position::NONE,
            "COLL-K6: members have compared where it is, and how long"
        );
        // SAFETY: COLL-K6: the call is open; the member has been met, by its words on the same source. It cannot be closed
        // as long as the piece borrows the group.
        unsafe { self.src.of(self.call, self.pe(rank), at, n) }
    }

    /// `n` elements from the `at`th of a member's dest, to be read while the call is open, when its PE has been met and nobody writes them.
    #[inline]
    pub(crate) fn written_by(&self, rank: u32, at: usize, n: usize) -> MemberSource<'_, T> {
        assert!(self.course.is_met(), "COLL-K2: it is read when its PE has been met");
        // SAFETY: COLL-K6: the call is open; the member has been met, by its words on the same dest. It cannot be closed as long as
        // the piece borrows the group.
        unsafe { self.dest.written(self.call, self.pe(rank), at, n) }
    }

    /// As [`source_of`](Self::source_of), of the root of a broadcast, wherever that one has it.
    #[inline]
    pub(crate) fn source_of_root(&self, at: usize, n: usize) -> MemberSource<'_, T> {
        assert!(
            self.kind == Kind::Broadcast && self.course.is_met(),
            "COLL-K2: it is read when its PE has been met"
        );
        let root = self.words[MORE] as u32;
        let there = (self.pe(root), self.word_of(root, 0));
        // SAFETY: COLL-K6: the call is open; the root has been met, and has shown where its source is when it opened the call.
        // It cannot be closed as long as the piece borrows the group.
        unsafe { self.src.of_at(self.call, there, at, n) }
    }
}

/// Who calls.
impl<'c, T> Group<'_, 'c, T> {
    /// Which routine it is.
    #[inline]
    pub(crate) fn call(&self) -> Call {
        self.call
    }

    /// This PE's number among them.
    #[inline]
    pub(crate) fn rank(&self) -> u32 {
        self.team_call.rank() as u32
    }

    /// How many members there are.
    #[inline]
    pub(crate) fn size(&self) -> u32 {
        self.members.size
    }

    /// Who is on which host, if members are on several.
    #[inline]
    pub(crate) fn hosts(&self) -> Option<&'c Hosts> {
        self.team_call.hosts()
    }

    /// The members, beginning with the one after this PE: so that not all turn to the same one at once.
    #[inline]
    pub(crate) fn round(&self) -> impl Iterator<Item = u32> + use<'c, T> {
        let (rank, size) = (self.rank(), self.size());
        (rank + 1..size).chain(0..=rank)
    }

    /// A member's number in the world.
    #[inline]
    fn pe(&self, rank: u32) -> i32 {
        self.members.at(rank).0 as i32
    }

    /// Word `i` of what a member has shown.
    #[inline]
    fn word_of(&self, rank: u32, i: usize) -> u64 {
        self.team_call.word_of(rank as usize, self.agreed + i)
    }
}

/// COLL-K3: nobody leaves a call that is open, not even by a panic.
impl<T> Drop for Group<'_, '_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.course.is_open() {
            self.call.fail("left in the middle");
        }
    }
}
