//! The looks: every half second, whether the other hosts are still there (`links`).
//!
//! Invariant: **FAR-L1** `lost` and `look_after` are called from a look only while links are watched; whoever has had
//! [`unwatch_links`](Far::unwatch_links) return knows that none is under way.

use std::time::Duration;

use memheap::PeId;

use super::Far;
use super::links::{Link, RATE, Watch};
use super::message::{Form, envelope};
use crate::process::private::Ordering;

impl Far {
    /// From now on losses are told.
    pub(crate) fn watch_links(&self) {
        self.links.lock().watch = Watch::All;
    }

    /// All that was asked of others is done, and they may leave.
    pub(crate) fn begin_to_part(&self) {
        self.links.lock().watch = Watch::Parting;
    }

    /// Nobody is waited for any more: FAR-L1.
    pub(super) fn unwatch_links(&self) {
        self.links.lock().watch = Watch::Nothing;
    }

    /// A look, so long after the last one.
    pub(super) fn look(&self, passed: Duration) {
        // Whoever answered has been heard.
        self.poll_if_free();
        let mut links = self.links.lock();
        let (watch, limit) = (links.watch, links.limit);
        if watch == Watch::Nothing {
            return;
        }
        for (host, link) in links.of.iter_mut().enumerate() {
            let Some(outbox) = &self.outboxes[host] else { continue };
            if let Some((pe, why)) = self.answers.loss(host) {
                let ended = watch == Watch::Parting || std::mem::replace(&mut link.told, true);
                if !ended {
                    (self.lost)(pe, &why);
                }
                continue;
            }
            let (server, given) = {
                let outbox = outbox.lock();
                (outbox.server, outbox.given[0])
            };
            let is_needed = given != self.answers.done(host)[0] || self.hosts.watches(host);
            let Some(limit) = limit.filter(|_| is_needed && !self.answers.take_heard(host)) else {
                *link = Link::default();
                continue;
            };
            if link.is_to_be_asked(passed, limit) {
                self.beat(server);
            }
            let payloads = Duration::from_secs(self.answers.bytes_awaited(host) / RATE);
            if link.silent >= limit + payloads {
                link.told = true;
                let why = format!("nothing was heard of it for {} seconds", link.silent.as_secs());
                self.lose(server, why.clone());
                (self.lost)(server, &why);
            }
        }
        (self.look_after)();
    }

    /// Asks a process for an answer, which the serving thread then looks for.
    fn beat(&self, server: PeId) {
        self.send_copy(server, &envelope(Form::Beat, self.hosts.me(), self.secret), &[]);
        self.beating.store(true, Ordering::Release);
        self.watched.store(true, Ordering::Release);
    }

    /// Whether a host was asked that has not been heard since.
    pub(super) fn is_beating(&self) -> bool {
        let beating = || {
            let links = self.links.lock();
            let mut asked =
                links.of.iter().enumerate().filter(|(_, link)| !link.asked.is_zero() && !link.told);
            asked.any(|(host, _)| !self.answers.is_heard(host))
        };
        let is = self.beating.load(Ordering::Acquire) && beating();
        self.beating.store(is, Ordering::Release);
        is
    }
}
