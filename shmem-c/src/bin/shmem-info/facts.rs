//! What the library is and how it is set: version, allocators and their outcome, settings.

use shmem_api::memheap::framework::Framework;
use shmem_api::memheap::place::Reach;
use shmem_api::memheap::settings::{self, Kind, Settings};
use shmem_api::memheap::{Bytes, Span};
use shmem_api::raw;

use crate::report::{Report, Row};
use crate::selftest;

fn row<const N: usize>(cells: [(&'static str, &str); N]) -> Row {
    cells.map(|(name, value)| (name, value.to_owned())).to_vec()
}

/// One line.
pub(crate) fn version() -> String {
    format!("libshmem {}, OpenSHMEM {}.{}", env!("CARGO_PKG_VERSION"), raw::MAJOR_VERSION, raw::MINOR_VERSION)
}

/// What was installed.
pub(crate) fn library(report: &mut Report) {
    let standard = format!("OpenSHMEM {}.{}", raw::MAJOR_VERSION, raw::MINOR_VERSION);
    let vendor = raw::VENDOR_STRING.to_string_lossy();
    let prefix = selftest::prefix().map_or("not installed".to_owned(), |p| p.display().to_string());
    let named = |name, value: &str| row([("name", name), ("value", value)]);
    report.section(
        "library",
        vec![
            named("version", env!("CARGO_PKG_VERSION")),
            named("standard", &standard),
            named("vendor string", &vendor),
            named("MPI", &shmem_api::mpi_version()),
            named("installed under", &prefix),
        ],
    );
}

/// The settings of the environment; those that do not parse are reported, and then the defaults hold.
fn environment() -> (Settings, Option<String>) {
    match Settings::from_env() {
        Ok(settings) => (settings, None),
        Err(e) => (Settings::default(), Some(e.to_string())),
    }
}

/// For every space, every allocator: its priority, and what a start with these settings would make of it.
pub(crate) fn components(report: &mut Report) {
    let (settings, _) = environment();
    let filters = [settings::MEMHEAP, settings::MEMHEAP_HOST, settings::MEMHEAP_DMA, settings::MEMHEAP_PE];
    let mut rows = Vec::new();
    for (reach, own) in Reach::ALL.into_iter().zip(&filters) {
        let filter = if settings.is_set(own) { own } else { &settings::MEMHEAP };
        let mut framework = Framework::open(shmem_api::built_in(), &[filter], &settings);
        let span = Span { len: Bytes::mib(64) };
        let outcomes = match framework.select(reach.space(), span, filter, &settings) {
            Ok(selection) => selection.outcomes,
            Err(none) => none.outcomes,
        };
        rows.extend(outcomes.iter().map(|outcome| {
            let text = outcome.to_string();
            let fate = text.split_once("): ").map_or(text.as_str(), |(_, fate)| fate);
            row([
                ("space", reach.space()),
                ("component", outcome.name),
                ("priority", &outcome.priority.0.to_string()),
                ("outcome", fate),
            ])
        }));
    }
    report.section("allocators", rows);
}

/// How a program started as this was would join its job.
pub(crate) fn boots(report: &mut Report) {
    let rows = shmem_api::boot_ways().into_iter().map(|way| {
        row([("boot", way.name), ("priority", &way.priority.to_string()), ("outcome", &way.fate)])
    });
    report.section("boot", rows.collect());
}

/// What would carry messages between the hosts of a job.
pub(crate) fn engines(report: &mut Report) {
    let rows = shmem_api::engine_choices().into_iter().map(|engine| {
        let priority = engine.priority.to_string();
        row([("transport", engine.name), ("priority", &priority), ("outcome", &engine.fate)])
    });
    report.section("transport", rows.collect());
}

/// Every setting of the one table.
pub(crate) fn settings(report: &mut Report) {
    let (given, problem) = environment();
    let mut rows: Vec<Row> = settings::TABLE
        .iter()
        .map(|s| {
            let value = given.text(s).unwrap_or_default();
            row([
                ("name", s.name),
                ("value", value),
                ("source", if given.is_set(s) { "set" } else { "default" }),
                ("kind", kind(s.kind)),
                ("default", s.default),
                (
                    "meaning",
                    &match s.fallback {
                        Some(old) => format!("{} (or {old})", s.meaning),
                        None => s.meaning.to_owned(),
                    },
                ),
            ])
        })
        .collect();
    let (prefix, suffix) = settings::COMPONENT_PRIORITY;
    rows.push(row([
        ("name", &format!("{prefix}NAME{suffix}")),
        ("value", ""),
        ("source", "default"),
        ("kind", "number"),
        ("default", ""),
        ("meaning", "Priority of the allocator NAME instead of its own."),
    ]));
    report.section("settings", rows);
    if let Some(problem) = problem {
        report.section("wrong", vec![row([("problem", &problem)])]);
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Size(_) => "size",
        Kind::Count(..) => "count",
        Kind::Switch => "switch",
        Kind::Present => "present",
        Kind::Components => "components",
        Kind::Names(_) => "names",
        Kind::Priority => "number",
        Kind::Hosts => "hosts",
        Kind::Net => "networks",
    }
}
