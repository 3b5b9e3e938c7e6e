//! The goals: what was promised, what was measured, and whether it holds.
//!
//! B and P are those of the two allocators, A1 that of the library's calls. `dlmalloc` stands for the
//! C original throughout. What needs Open MPI is measured by `make bench-peers` only.

use crate::results::Results;

/// One promise.
#[derive(Clone, Debug)]
pub struct Goal {
    /// Its number.
    pub id: &'static str,
    /// What is compared.
    pub what: String,
    /// What was measured, if it was.
    pub value: Option<f64>,
    /// What it must keep to.
    pub bound: Bound,
}

/// A limit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less.
    AtLeast(f64),
}

impl Goal {
    /// Whether it holds, if it was measured.
    pub fn holds(&self) -> Option<bool> {
        self.value.map(|value| match self.bound {
            Bound::AtMost(limit) => value <= limit,
            Bound::AtLeast(limit) => value >= limit,
        })
    }
}

/// All goals, by what `results` has.
pub fn all(results: &Results) -> Vec<Goal> {
    let mut list = List { results, goals: Vec::new() };
    list.buddy();
    list.ptmalloc();
    list.calls();
    list.goals
}

struct List<'r> {
    results: &'r Results,
    goals: Vec<Goal>,
}

impl List<'_> {
    fn push(&mut self, id: &'static str, what: impl Into<String>, value: Option<f64>, bound: Bound) {
        self.goals.push(Goal { id, what: what.into(), value, bound });
    }

    /// `who` at most `limit` times `than` in a workload.
    fn times(&mut self, id: &'static str, who: &str, workload: &str, limit: f64, than: &str) {
        let value = self.results.ratio(who, than, &format!("ns/{workload}"));
        self.push(id, format!("{workload}: {who} / {than}"), value, Bound::AtMost(limit));
    }

    /// `who` at most `limit` in a metric.
    fn at_most(&mut self, id: &'static str, who: &str, metric: &str, what: &str, limit: f64) {
        let value = self.results.least(who, metric);
        self.push(id, format!("{who}: {what}"), value, Bound::AtMost(limit));
    }

    fn buddy(&mut self) {
        let peer = "oshmem:buddy";
        self.times("B1", "buddy", "pair64", 0.25, peer);
        self.times("B1", "buddy", "pair64", 1.5, "rlsf");
        self.times("B2", "buddy", "batch", 0.45, peer);
        self.times("B3", "buddy", "random", 0.20, peer);
        self.times("B3", "buddy", "random", 0.65, "rlsf");
        self.times("B4", "buddy", "randpair", 0.01, peer);
        self.times("B5", "buddy", "random100k", 0.025, peer);
        self.times("B5", "buddy", "random100k", 0.9, "rlsf");
        self.times("B6", "buddy", "large", 0.7, peer);
        self.times("B6", "buddy", "align4k", 0.45, peer);
        for op in ["alloc", "free"] {
            let tail = format!("worst/{op}.p9999");
            let own = self.results.least("buddy", &tail);
            let far = own.zip(self.results.least(peer, "worst/alloc.p9999")).map(|(a, b)| a / b);
            self.push("B7", format!("{op} p99.99: buddy / {peer} alloc"), far, Bound::AtMost(0.01));
            let near = self.results.ratio("buddy", "rlsf", &tail);
            self.push("B7", format!("{op} p99.99: buddy / rlsf"), near, Bound::AtMost(1.0));
            self.at_most("issue 3", "buddy", &tail, &format!("{op} p99.99, ns"), 300.0);
            self.at_most("B7", "buddy", &format!("worst/{op}.max"), &format!("{op} max, ns"), 500.0);
        }
        for (workload, limit) in [("pair64", 1.15), ("random", 1.5)] {
            let at = |log: u32| self.results.least("buddy", &format!("scale/{workload}.{log}"));
            let value = at(40).zip(at(30)).map(|(tib, gib)| tib / gib);
            self.push("B8", format!("buddy: {workload} at 1 TiB / at 1 GiB"), value, Bound::AtMost(limit));
        }
        self.at_most("B8", "buddy", "start/us", "init and first block at 1 TiB, us", 50.0);
        self.at_most("B8", "buddy", "start/kib", "resident after it, KiB", 1024.0);
        let pages = "buddy: pages of the heap touched: by construction, it sees offsets only";
        self.push("B9", pages, None, Bound::AtMost(0.0));
        self.fill("B9", "buddy", 0.715);
    }

    fn ptmalloc(&mut self) {
        for workload in ["pair64", "batch"] {
            self.times("issue 3", "ptmalloc", workload, 1.5, "dlmalloc");
            self.times("P1", "ptmalloc", workload, 1.1, "dlmalloc");
            self.times("P1", "ptmalloc", workload, 0.6, "oshmem:ptmalloc");
        }
        self.times("P2", "ptmalloc", "random", 0.65, "dlmalloc");
        let best = if self.results.least("rlsf", "ns/random") < self.results.least("talc", "ns/random") {
            "rlsf"
        } else {
            "talc"
        };
        self.times("P2", "ptmalloc", "random", 1.3, best);
        self.times("P3", "ptmalloc", "randpair", 1.3, "dlmalloc");
        self.times("P4", "ptmalloc", "smallrand", 0.7, "dlmalloc");
        self.times("P4", "ptmalloc", "random100k", 0.7, "dlmalloc");
        self.times("P4", "ptmalloc", "large", 0.95, "dlmalloc");
        self.times("P4", "ptmalloc", "align4k", 0.55, "dlmalloc");
        self.at_most("P5", "ptmalloc", "frag/70.high", "high-water over live at 70 %", 1.07);
        let high = self.results.ratio("ptmalloc", "dlmalloc", "frag/70.high");
        self.push("P5", "high-water at 70 %: ptmalloc / dlmalloc", high, Bound::AtMost(1.025));
        let largest = self.results.ratio("ptmalloc", "dlmalloc", "frag/70.largest");
        self.push("P5", "largest block at 70 %: ptmalloc / dlmalloc", largest, Bound::AtLeast(0.93));
        self.fill("P5", "ptmalloc", 0.99);
        for op in ["alloc", "free"] {
            let tail = format!("worst/{op}.p9999");
            let value = self.results.ratio("ptmalloc", "dlmalloc", &tail);
            self.push("P6", format!("{op} p99.99: ptmalloc / dlmalloc"), value, Bound::AtMost(1.15));
            self.at_most("issue 3", "ptmalloc", &tail, &format!("{op} p99.99, ns"), 300.0);
            self.at_most("P6", "ptmalloc", &format!("worst/{op}.max"), &format!("{op} max, ns"), 600.0);
        }
    }

    fn calls(&mut self) {
        let own = ["api:buddy", "api:ptmalloc"];
        for (peer, limit) in [("shmem_api:ptmalloc", 0.7), ("shmem_api:buddy", 0.4)] {
            for who in own {
                self.times("A1", who, "pair64", limit, peer);
            }
        }
    }

    fn fill(&mut self, id: &'static str, who: &str, limit: f64) {
        let share = self.results.least(who, "frag/fill");
        self.push(id, format!("{who}: live share when a fill fails"), share, Bound::AtLeast(limit));
        let whole = self.results.least(who, "frag/whole");
        self.push(id, format!("{who}: heap whole after freeing all (1 = yes)"), whole, Bound::AtLeast(1.0));
    }
}
