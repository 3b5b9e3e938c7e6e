//! What a serving process keeps of each PE of another host that it serves.

use super::flow::is_news;
use super::message::{COURSES, Request};
use super::order::Course;
use crate::transport::wire::Token;

/// Data of a request that is held back.
pub(super) enum Kept {
    Here(Box<[u8]>),
    Coming(Token),
}

/// A course, and what is held back of it.
type Held = Course<(Request, Kept)>;

/// See above.
pub(super) struct Sender {
    courses: [Option<Box<Held>>; COURSES],
    /// Bytes that are held back.
    pub(super) held: u64,
    /// Requests up to the number that is done in each course, and the bytes of all that were done.
    done: [u64; 2],
    /// Of which it has been told.
    told: [u64; 2],
}

impl Sender {
    pub(super) fn new() -> Sender {
        Sender { courses: [const { None }; COURSES], held: 0, done: [0; 2], told: [0; 2] }
    }

    pub(super) fn course(&mut self, course: u8) -> &mut Held {
        self.courses[usize::from(course)].get_or_insert_with(|| Box::new(Course::new()))
    }

    /// One of its requests is done.
    pub(super) fn did(&mut self, request: &Request) {
        let course = self.course(request.course);
        let before = course.done();
        course.did(request.number);
        let requests = course.done() - before;
        let [done, bytes] = self.done;
        self.done = [done + requests, bytes + request.cost() as u64];
    }

    /// Whether it should hear unasked how much is done.
    pub(super) fn has_news(&self) -> bool {
        is_news(self.done[0] - self.told[0], self.done[1] - self.told[1])
    }

    /// How much is done, for an answer.
    pub(super) fn tells(&mut self) -> [u64; 2] {
        self.told = self.done;
        self.done
    }

    /// How many requests are held back.
    #[cfg(test)]
    pub(super) fn n_held(&self) -> usize {
        self.courses.iter().flatten().map(|course| course.n_held()).sum()
    }

    /// The payloads of all that is held back.
    pub(super) fn drop_held(&mut self) -> Vec<Token> {
        let held = self.courses.iter_mut().flatten().flat_map(|course| course.drop_held());
        held.filter_map(|(_, kept)| if let Kept::Coming(token) = kept { Some(token) } else { None }).collect()
    }
}
