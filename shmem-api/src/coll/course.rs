//! The course of a collective call: which way its members go, and in which stage of it this one is.
//!
//! ```text
//!   way          first          open                          closed
//!   few            ─── meet, or follow ──────────────────────►
//!   meets          ─── meet ──► dests written, sources read ─── sync ──►
//!   goes ahead     ───────────► dests written ──────────────── meet ──►      if every dest is ready
//! ```
//!
//! The way is worked out from what members compare (COLL-K4), and from the promise that every `dest` is ready, which is made
//! for all of them; it is never chosen. The stages follow each other in one order, or this PE panics: so members that have met
//! pass through the same ones together.

use crate::coll::pieces::extent;
use crate::node::signature::Kind;

/// Which way the members go: the same on all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// What they show in one meeting is all, or there is nothing: nobody touches another's memory.
    Few,
    /// They meet, touch each other's memory, and meet again.
    Meets,
    /// They write each other's dests, which are ready, and meet.
    GoesAhead,
}

impl Way {
    /// Of a call on `n` elements, which are so many bytes; if every `dest` is ready before anybody calls (COLL-K1).
    #[inline]
    pub(super) fn of(kind: Kind, n: usize, bytes: usize, room: usize, ready: bool) -> Way {
        let few = match kind {
            // How many elements there are is not known yet.
            Kind::Gather => false,
            Kind::Alltoall => n == 0,
            _ => bytes <= room,
        };
        match kind {
            _ if few => Way::Few,
            Kind::Alltoall | Kind::Fcollect if ready => Way::GoesAhead,
            _ => Way::Meets,
        }
    }
}

/// How many elements a dest has on every member, by what they compare: `n` elements, and one word more, which holds the
/// strides of an alltoall. Of a collect, that is the most it can be.
pub(super) fn reach(kind: Kind, n: usize, more: u64, members: u32) -> usize {
    let for_all = n.saturating_mul(members as usize);
    match kind {
        Kind::Fcollect => for_all,
        Kind::Alltoall => extent(for_all, (more >> 32) as usize),
        _ => n,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nobody has been met.
    First,
    /// Members touch each other's memory.
    Open,
    /// They do so no more.
    Closed,
}

pub(super) struct Course {
    way: Way,
    stage: Stage,
}

impl Course {
    #[inline]
    pub(super) fn new(way: Way) -> Course {
        Course { way, stage: Stage::First }
    }

    #[inline]
    pub(super) fn few(&self) -> bool {
        self.way == Way::Few
    }

    /// At the one meeting of few.
    #[inline]
    pub(super) fn meets_once(&mut self) {
        assert!(self.few(), "COLL-K4: a call of many is opened and closed");
        self.goes(Stage::First, Stage::Closed);
    }

    /// At the opening of many; on which way.
    #[inline]
    pub(super) fn opens(&mut self) -> Way {
        assert!(!self.few(), "COLL-K4: in a call of few, nobody touches another's memory");
        self.goes(Stage::First, Stage::Open);
        self.way
    }

    /// At a meeting in between; on which way it was. From there on all have met.
    #[inline]
    pub(super) fn meets_between(&mut self) -> Way {
        assert!(self.stage == Stage::Open, "COLL-K6: the stages of a call follow each other in one order");
        std::mem::replace(&mut self.way, Way::Meets)
    }

    /// At the closing; on which way.
    #[inline]
    pub(super) fn closes(&mut self) -> Way {
        self.goes(Stage::Open, Stage::Closed);
        self.way
    }

    #[inline]
    fn goes(&mut self, from: Stage, to: Stage) {
        assert!(self.stage == from, "COLL-K6: the stages of a call follow each other in one order");
        self.stage = to;
    }

    /// Whether members may touch each other's memory: write what is ready, at least.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Whether it is open, and all have met (COLL-K2).
    #[inline]
    pub(super) fn is_met(&self) -> bool {
        self.is_open() && self.way == Way::Meets
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn the_way_is_that_of_what_is_compared() {
        for ready in [false, true] {
            let ahead = if ready { Way::GoesAhead } else { Way::Meets };
            assert_eq!(Way::of(Kind::Gather, 0, 0, 256, ready), Way::Meets);
            assert_eq!(Way::of(Kind::Alltoall, 0, 0, 256, ready), Way::Few);
            assert_eq!(Way::of(Kind::Alltoall, 1, 8, 256, ready), ahead);
            assert_eq!(Way::of(Kind::Fcollect, 33, 264, 256, ready), ahead);
            for kind in [Kind::Broadcast, Kind::Fcollect, Kind::Reduce, Kind::Scan] {
                assert_eq!(Way::of(kind, 32, 256, 256, ready), Way::Few);
            }
            for kind in [Kind::Broadcast, Kind::Reduce, Kind::Scan] {
                assert_eq!(Way::of(kind, 33, 264, 256, ready), Way::Meets);
            }
        }
    }

    #[test]
    fn a_dest_is_as_long_as_what_is_compared() {
        assert_eq!([Kind::Broadcast, Kind::Reduce, Kind::Scan].map(|kind| reach(kind, 5, 0, 4)), [5; 3]);
        assert_eq!(reach(Kind::Fcollect, 5, 0, 4), 20);
        assert_eq!(reach(Kind::Alltoall, 5, 1 << 32 | 1, 4), 20);
        assert_eq!(reach(Kind::Alltoall, 5, 3 << 32 | 2, 4), 58);
        assert_eq!(reach(Kind::Alltoall, 0, 3 << 32 | 2, 4), 0);
    }

    #[test]
    fn stages_follow_each_other_in_one_order() {
        type Step = fn(&mut Course);
        let steps: [Step; 3] = [Course::meets_once, |c| _ = c.opens(), |c| _ = c.closes()];
        for way in [Way::Few, Way::Meets, Way::GoesAhead] {
            for i in 0..27 {
                let taken = [i % 3, i / 3 % 3, i / 9];
                let (mut course, mut went) = (Course::new(way), 0);
                while let Some(&step) = taken.get(went) {
                    let mut next = Course { ..course };
                    match catch_unwind(move || {
                        steps[step](&mut next);
                        next
                    }) {
                        Ok(after) => (course, went) = (after, went + 1),
                        Err(_) => break,
                    }
                }
                let whole = if way == Way::Few { [0].as_slice() } else { &[1, 2] };
                assert!(went <= whole.len() && taken[..went] == whole[..went], "{way:?} {taken:?} {went}");
                assert_eq!(course.is_closed(), went == whole.len());
                assert_eq!(course.is_open(), way != Way::Few && went == 1);
                assert_eq!(course.is_met(), way == Way::Meets && went == 1);
            }
        }
    }

    /// From a meeting in between on all have met, whichever way it was; and there is none before the opening.
    #[test]
    fn after_a_meeting_in_between_all_have_met() {
        for way in [Way::Meets, Way::GoesAhead] {
            let mut course = Course::new(way);
            assert_eq!(course.opens(), way);
            assert_eq!(course.is_met(), way == Way::Meets);
            assert_eq!(course.meets_between(), way);
            assert!(course.is_open() && course.is_met());
            assert_eq!(course.meets_between(), Way::Meets);
            assert_eq!(course.closes(), Way::Meets);
            assert!(catch_unwind(move || course.meets_between()).is_err());
            assert!(catch_unwind(|| Course::new(Way::Meets).meets_between()).is_err());
        }
    }
}
