//! What goes to one host: requests are numbered, and small ones wait for others to go along.
//!
//! ```text
//!   put, put, amo ──► batch [request, data | request, data | request] ──► one message, when it is full, or somebody waits
//!   put, put          batch [request, data data]                           where the second goes on where the first ends
//! ```
//!
//! Invariants: **FAR-B1** numbers of a course are given in the order of the calls, without a gap. **FAR-B2** a request that releases is
//! "after" all of its course before it; another is "after" what came before the last fence.
//! **FAR-B3** a put joins the one before it only if that is the last of its course and of the batch, and no fence is between them: so
//! both are "after" the same, and as one request they are done as two might have been.

use memheap::PeId;

use super::message::{COURSES, Op, REQUEST, Request};
use crate::transport::FarTarget;

/// See above.
pub(super) struct Outbox {
    /// The process there that serves this one.
    pub(super) server: PeId,
    pub(super) batch: Vec<u8>,
    /// The request at the end of the batch, if another may join it, and where it is there.
    open: Option<(usize, Request)>,
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
        Outbox { server, batch: Vec::new(), open: None, given: [0; 2], courses: [Course::default(); COURSES] }
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

    /// Adds a request to the batch. Its data go behind it.
    pub(super) fn append(&mut self, request: &Request) {
        let joinable = request.op == Op::Put && request.at & FarTarget::STATIC == 0;
        self.open = joinable.then_some((self.batch.len(), *request));
        self.batch.extend_from_slice(&request.bytes());
    }

    /// FAR-B3: whether the request goes on the last one, which then is longer: its data go at the end. `fences` as in [`number`](Self::number);
    /// a batch has no more than `most` bytes. (Static data of a PE may be apart that seem to touch.)
    pub(super) fn join(&mut self, request: &Request, fences: u64, most: usize) -> bool {
        let Some((place, last)) = &mut self.open else { return false };
        let course = self.courses[usize::from(last.course)];
        let goes_on = request.op == Op::Put
            && (request.course, request.target) == (last.course, last.target)
            && request.at == last.at + last.len
            && (last.number, fences) == (course.last, course.fences);
        let longer = Request { len: last.len + request.len, ..*last };
        if !goes_on || *place + longer.cost() > most {
            return false;
        }
        self.given[1] += (longer.cost() - last.cost()) as u64;
        // Without what the data were padded by.
        self.batch.truncate(*place + REQUEST + last.len as usize);
        self.batch[*place..][..REQUEST].copy_from_slice(&longer.bytes());
        *last = longer;
        true
    }

    /// The batch has gone.
    pub(super) fn clear(&mut self) {
        self.batch.clear();
        self.open = None;
    }

    /// The last number given on a course.
    pub(super) fn last(&self, course: usize) -> u64 {
        self.courses[course].last
    }

    /// The last request of the course asks by itself to be told when all of the course is done.
    pub(super) fn asks_itself(&mut self, course: u8) {
        let course = &mut self.courses[usize::from(course)];
        course.asked = course.last;
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

    /// What the batch says, as requests' places, lengths and data, after puts of (course, place, bytes).
    fn batch_of(puts: &[(u8, u64, &[u8])], fences: u64, most: usize) -> (Outbox, Vec<(u64, u64, Vec<u8>)>) {
        let mut outbox = Outbox::new(PeId(1));
        for (i, &(course, at, data)) in puts.iter().enumerate() {
            let mut request =
                Request { len: data.len() as u64, ..Request::new(Op::Put, course, PeId(1), at) };
            let fences = if i == 0 { 0 } else { fences };
            if !outbox.join(&request, fences, most) {
                outbox.number(&mut request, fences, false);
                outbox.append(&request);
            }
            outbox.batch.extend_from_slice(data);
            outbox.batch.resize(outbox.batch.len().next_multiple_of(8), 0);
        }
        let (batch, mut requests) = (outbox.batch.clone(), Vec::new());
        let mut rest = &batch[..];
        while let Some(Some((request, data))) = crate::transport::far::message::next(&mut rest) {
            requests.push((request.at, request.len, data.to_vec()));
        }
        assert!(rest.is_empty());
        let bytes: usize = requests.iter().map(|(_, len, _)| 64 + (*len as usize).next_multiple_of(8)).sum();
        assert_eq!(outbox.given, [requests.len(), bytes].map(|n| n as u64));
        (outbox, requests)
    }

    #[test]
    fn puts_that_touch_are_one_request() {
        let row: [(u8, u64, &[u8]); 3] = [(1, 8, b"abc"), (1, 11, b"defghijk"), (1, 19, b"l")];
        assert_eq!(batch_of(&row, 0, 1000).1, [(8, 12, b"abcdefghijkl".to_vec())]);
        assert_eq!(batch_of(&row, 0, 64 + 8).1.len(), 3, "there is no room");
        assert_eq!(batch_of(&row[..2], 1, 1000).1.len(), 2, "a fence is between them");
        let apart: [(u8, u64, &[u8]); 4] = [(1, 8, b"abc"), (1, 12, b"d"), (2, 13, b"e"), (1, 14, b"f")];
        assert_eq!(batch_of(&apart, 0, 1000).1.len(), 4);
        let fixed: [(u8, u64, &[u8]); 2] = [(1, FarTarget::STATIC, b"ab"), (1, FarTarget::STATIC + 2, b"c")];
        assert_eq!(batch_of(&fixed, 0, 1000).1.len(), 2);
    }

    #[test]
    fn nothing_joins_what_has_gone_or_is_followed() {
        let put = |at| Request { len: 8, ..Request::new(Op::Put, 1, PeId(1), at) };
        for what in ["gone", "asked", "followed"] {
            let mut outbox = batch_of(&[(1, 0, b"12345678")], 0, 1000).0;
            match what {
                "gone" => outbox.clear(),
                "asked" => {
                    let ask = outbox.ask(1).expect("it has not been asked");
                    outbox.append(&ask);
                }
                _ => {
                    let mut amo = Request { width: 8, ..Request::new(Op::Amo, 1, PeId(1), 0) };
                    outbox.number(&mut amo, 0, true);
                    outbox.append(&amo);
                }
            }
            assert!(!outbox.join(&put(8), 0, 1000), "{what}");
        }
    }

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
