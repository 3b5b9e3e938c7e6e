//! What goes to one host: requests are numbered, and small ones wait for others to go along.
//!
//! ```text
//!   put, put, amo ──► batch [request, data | request, data | request] ──► one message, when it is full, or somebody waits
//! ```
//!
//! Invariants: **FAR-B1** numbers of a course are given in the order of the calls, without a gap. **FAR-B2** a request that releases is
//! "after" all of its course before it; another is "after" what came before the last fence.

use super::message::{COURSES, Op, Request};
use memheap::PeId;

/// See above.
pub(super) struct Outbox {
    /// The process there that serves this one.
    pub(super) server: PeId,
    pub(super) batch: Vec<u8>,
    /// How many requests and bytes have been numbered, in all courses.
    pub(super) given: [u64; 2],
    courses: [Course; COURSES],
}

#[derive(Clone, Copy, Default)]
struct Course {
    /// The last number given.
    last: u64,
    /// The last number before the last fence.
    floor: u64,
    /// How many fences there have been.
    fences: u64,
    /// The last number of which it has been asked to be told.
    asked: u64,
}

impl Outbox {
    pub(super) fn new(server: PeId) -> Outbox {
        Outbox { server, batch: Vec::new(), given: [0; 2], courses: [Course::default(); COURSES] }
    }

    /// Gives a request its number: FAR-B1, FAR-B2. `fences`: how many there have been on its course.
    pub(super) fn number(&mut self, request: &mut Request, fences: u64, releases: bool) {
        let course = &mut self.courses[usize::from(request.course)];
        if course.fences != fences {
            (course.fences, course.floor) = (fences, course.last);
        }
        request.after = if releases { course.last } else { course.floor };
        course.last += 1;
        request.number = course.last;
        let [requests, bytes] = self.given;
        self.given = [requests + 1, bytes + request.cost() as u64];
    }

    /// The last number given on a course.
    pub(super) fn last(&self, course: usize) -> u64 {
        self.courses[course].last
    }

    /// A request to be told when all of the course is done, unless it is on its way.
    pub(super) fn ask(&mut self, course: usize) -> Option<Request> {
        let Course { last, asked, .. } = &mut self.courses[course];
        if *asked == *last {
            return None;
        }
        *asked = *last;
        Some(Request { number: *last, ..Request::new(Op::Ask, course as u8, PeId(0), 0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_what_they_are_after() {
        let mut outbox = Outbox::new(PeId(1));
        let mut give = |course, fences, releases| {
            let mut request = Request { len: 8, ..Request::new(Op::Put, course, PeId(1), 0) };
            outbox.number(&mut request, fences, releases);
            (request.number, request.after)
        };
        let course_1 = [(0, false), (0, false), (0, true), (1, false), (1, false), (1, true), (3, false)];
        let given = course_1.map(|(fences, releases)| give(1, fences, releases));
        assert_eq!(given, [(1, 0), (2, 0), (3, 2), (4, 3), (5, 3), (6, 5), (7, 6)]);
        assert_eq!(give(2, 0, true), (1, 0));
        assert_eq!(outbox.given, [8, 8 * 72]);
        let asked = |request: Option<Request>| request.map(|request| request.number);
        assert_eq!([asked(outbox.ask(1)), asked(outbox.ask(1)), asked(outbox.ask(3))], [Some(7), None, None]);
    }
}
