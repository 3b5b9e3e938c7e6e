//! Put and get beside the bare copy and beside Open MPI's OSHMEM, in rounds of fresh jobs; minima and goals.
//!
//! See [`benches::beside`] for its arguments.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::process::ExitCode;
use std::time::Duration;

use benches::atomics;
use benches::beside::{self, Failure};
use benches::results::Results;
use benches::transfers::{ROWS, Row, on_pe_0};

fn main() -> ExitCode {
    beside::main("transfers", child, print)
}

fn child() -> Result<(), Failure> {
    on_pe_0(|pair| {
        for row in rows() {
            for (who, least) in row.least(pair, Duration::from_millis(60)) {
                println!("{who} {} {least:.3}", key(row.what));
            }
        }
    })?;
    Ok(())
}

/// All that is measured.
fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(atomics::ROWS)
}

/// A row's name as one word.
fn key(what: &str) -> String {
    what.replace(' ', "_")
}

fn print(results: &Results) {
    println!(
        "| ns | plain | unchecked | ours | OSHMEM | ours - plain | checks | ours / plain | OSHMEM / ours |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in rows() {
        let what = key(row.what);
        let [plain, unchecked, ours, oshmem] =
            ["plain", "unchecked", "ours", "oshmem"].map(|who| results.least(who, &what));
        let less = |of: Option<f64>| ours.zip(of).map(|(ours, of)| ours - of);
        let over = |of: Option<f64>, by: Option<f64>| of.zip(by).map(|(of, by)| of / by);
        let cells = [
            plain,
            unchecked,
            ours,
            oshmem,
            less(plain),
            less(unchecked),
            over(ours, plain),
            over(oshmem, ours),
        ];
        let shown = cells.map(|cell| match cell {
            Some(value) if value.abs() < 1000.0 => format!("{value:.2}"),
            Some(value) => format!("{value:.0}"),
            None => "-".to_owned(),
        });
        println!("| {} | {} |", row.what, shown.join(" | "));
    }
}
