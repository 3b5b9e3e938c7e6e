//! The results as Markdown tables: those of the allocators (`all`), and what other programs make theirs with.

use std::fmt::Write;

use crate::goals::{self, Bound, Goal};
use crate::results::Results;
use crate::workload::Workload;

/// All contenders that may have results, in the order of the tables. The ones with a colon are other
/// processes: a component of Open MPI, or a whole library's calls.
pub const NAMES: [&str; 13] = [
    "null",
    "buddy",
    "ptmalloc",
    "rlsf",
    "talc",
    "dlmalloc",
    "buddy_system_allocator",
    "oshmem:buddy",
    "oshmem:ptmalloc",
    "api:buddy",
    "api:ptmalloc",
    "shmem_api:buddy",
    "shmem_api:ptmalloc",
];

/// The heap sizes of the scaling table, as logarithms.
pub const SCALES: [u32; 9] = [20, 24, 28, 30, 32, 34, 36, 38, 40];

/// Every table that `results` has something for, and the goals.
pub fn all(results: &Results) -> String {
    let mut out = String::new();
    let workloads: Vec<(String, String)> =
        Workload::ALL.iter().map(|w| (w.name().to_owned(), format!("ns/{}", w.name()))).collect();
    table(
        &mut out,
        results,
        "Nanoseconds per pair: least / median of the rounds",
        &NAMES,
        &workloads,
        |r, who, what| Some(format!("{:.1} / {:.1}", r.least(who, what)?, r.median(who, what)?)),
    );
    let percentiles = ["p50", "p99", "p9999", "max"];
    let tails: Vec<(String, String)> = ["alloc", "free"]
        .iter()
        .flat_map(|op| percentiles.map(|p| (format!("{op} {p}"), format!("worst/{op}.{p}"))))
        .collect();
    table(&mut out, results, "Single operations in `random`, ns", &NAMES, &tails, |r, who, what| {
        r.least(who, what).map(|v| format!("{v:.0}"))
    });
    let shares = ["50", "70", "80"];
    let mut shape: Vec<(String, String)> = shares
        .iter()
        .flat_map(|s| {
            [("high-water", "high"), ("largest, MiB", "largest")]
                .map(|(title, key)| (format!("{s} %: {title}"), format!("frag/{s}.{key}")))
        })
        .collect();
    shape.push(("live when a fill fails".to_owned(), "frag/fill".to_owned()));
    table(&mut out, results, "Fragmentation", &NAMES, &shape, |r, who, what| {
        let digits = if what.ends_with("largest") { 0 } else { 3 };
        r.least(who, what).map(|v| format!("{v:.digits$}"))
    });
    for workload in ["pair64", "random"] {
        let logs = SCALES.map(|log| (format!("2^{log}"), format!("scale/{workload}.{log}")));
        let title = format!("Heap size: `{workload}`, ns per pair");
        table(&mut out, results, &title, &NAMES, &logs, |r, who, what| {
            r.least(who, what).map(|v| format!("{v:.1}"))
        });
    }
    let start =
        [("us", "start/us"), ("resident KiB", "start/kib")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    table(&mut out, results, "Init and first block at 1 TiB", &NAMES, &start, |r, who, what| {
        r.least(who, what).map(|v| format!("{v:.1}"))
    });
    goals_table(&mut out, &goals::all(results));
    out
}

/// A table under a title: a row for each of `names` that has results, a column for each heading and its metric.
pub fn table(
    out: &mut String,
    results: &Results,
    title: &str,
    names: &[&str],
    columns: &[(String, String)],
    cell: impl Fn(&Results, &str, &str) -> Option<String>,
) {
    let measured = |who: &&str| columns.iter().any(|(_, what)| results.least(who, what).is_some());
    let names: Vec<&str> = names.iter().copied().filter(measured).collect();
    if names.is_empty() {
        return;
    }
    line(out, format_args!("\n### {title}\n"));
    let heads: Vec<&str> = columns.iter().map(|(head, _)| head.as_str()).collect();
    line(out, format_args!("| | {} |", heads.join(" | ")));
    line(out, format_args!("|---|{}", "---|".repeat(heads.len())));
    for who in names {
        let cells =
            columns.iter().map(|(_, what)| cell(results, who, what).unwrap_or_else(|| "-".to_owned()));
        line(out, format_args!("| {who} | {} |", cells.collect::<Vec<_>>().join(" | ")));
    }
}

/// The goals, and how many of them hold.
pub fn goals_table(out: &mut String, goals: &[Goal]) {
    line(out, format_args!("\n### Goals\n"));
    line(out, format_args!("| id | goal | limit | measured | |"));
    line(out, format_args!("|---|---|---|---|---|"));
    for goal in goals {
        let limit = match goal.bound {
            Bound::AtMost(limit) => format!("<= {limit}"),
            Bound::AtLeast(limit) => format!(">= {limit}"),
        };
        let value = goal.value.map_or("not measured".to_owned(), |v| format!("{v:.3}"));
        let holds = goal.holds().map_or("", |h| if h { "holds" } else { "FAILS" });
        line(out, format_args!("| {} | {} | {limit} | {value} | {holds} |", goal.id, goal.what));
    }
    let judged: Vec<bool> = goals.iter().filter_map(Goal::holds).collect();
    let held = judged.iter().filter(|h| **h).count();
    line(out, format_args!("\n{held} of the {} measured hold, {} in all.", judged.len(), goals.len()));
}

/// A line at the end of `out`; writing to a string does not fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = writeln!(out, "{text}");
    debug_assert!(written.is_ok());
}
