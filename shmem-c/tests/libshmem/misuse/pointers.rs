//! Every pointer parameter of every routine: NULL, on the stack, past the end, misaligned.
//!
//! ```text
//!   spec/*.tsv ──► a C file: one call per routine ──► 1 or 2 PEs run case after case ─► a line, and the next launch
//!                  with good arguments                                               └► nothing: the next case
//! ```
//!
//! What a pointer is follows from its name in the standard's prototype; a name that is not known here fails the
//! test, so none is forgotten. Nothing hangs, crashes or panics, and what ends the job says in one line which routine
//! it was and what is wrong with the address.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use shmem_api::testing::{Boot, Outcome, finish};

use crate::common::{compile, here, launch, scratch, spec};

/// What an address may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// Symmetric bytes.
    Bytes,
    /// A symmetric variable that is changed atomically.
    Word,
    /// Memory of the caller's, any of it.
    Local,
    /// The same, or NULL.
    LocalOrNull,
    /// Something that is asked about, freed, or not used: whatever it is, the program goes on.
    Anything,
    /// A pSync: whatever it is, either of the two.
    Sync,
}
use Class::{Anything, Bytes, Local, LocalOrNull, Sync, Word};

const KINDS: usize = 4;

/// Some PE's line about the address must have one of these, by kind; where none, the program goes on.
fn words(class: Class, kind: usize) -> &'static [&'static str] {
    match (class, kind) {
        (Bytes | Word | Local, 0) => &["NULL", " at 0x0"],
        (Bytes | Word, 1) => &["neither in the symmetric heap nor in the executable's static data"],
        (Bytes | Word, 2) => &["past the end of the symmetric heap", "neither in the symmetric heap nor"],
        (Word, 3) => &["is not a multiple of"],
        _ => &[],
    }
}

/// A routine, and what its pointers are.
struct Routine {
    name: String,
    parameters: Vec<Parameter>,
    /// All PEs of a team take part.
    collective: bool,
}

impl Routine {
    fn pointers(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|p| p.class.is_some())
    }
}

struct Parameter {
    /// In C, without the name.
    ty: String,
    name: String,
    class: Option<Class>,
}

/// What this library has beside the standard.
const EXTRAS: [&str; 4] = [
    "int shmemx_heap_stats(int reach, shmemx_heap_stats_t *stats)",
    "int shmemx_heap_blocks(int reach, void *visit, void *arg)",
    "size_t shmemx_heap_map(int reach, unsigned columns, char *text, size_t room)",
    "shmemx_gaddr_t shmemx_gaddr(const void *addr, int pe)",
];

fn routines() -> Vec<Routine> {
    let standard = spec::functions().into_iter().map(|f| f.prototype);
    let all = standard.chain(EXTRAS.map(str::to_owned)).map(|prototype| routine(&prototype));
    all.filter(|r| r.pointers().next().is_some()).collect()
}

fn routine(prototype: &str) -> Routine {
    let (head, parameters) = prototype.split_once('(').expect("a prototype");
    let name = head.rsplit([' ', '*']).next().unwrap_or_default().to_owned();
    let parameters = parameters.trim_end_matches([')', ';', ' ']).split(',').map(str::trim);
    let split = |text: &str| {
        let at = text.rfind([' ', '*']).map_or(0, |at| at + 1);
        (text[..at].trim().to_owned(), text[at..].to_owned())
    };
    let parameters: Vec<(String, String)> =
        parameters.filter(|p| *p != "void" && *p != "...").map(split).collect();
    let has = |wanted: &str| parameters.iter().any(|p| p.1 == wanted);
    let collective = has("pSync") || has("team") && has("dest") && !name.ends_with("_ptr");
    let parameters = parameters
        .iter()
        .map(|(ty, p)| Parameter {
            ty: ty.clone(),
            name: p.clone(),
            class: ty.ends_with('*').then(|| class(&name, p, collective)),
        })
        .collect();
    Routine { name, parameters, collective }
}

fn class(routine: &str, parameter: &str, collective: bool) -> Class {
    let is = |parts: &[&str]| parts.iter().any(|part| routine.contains(part));
    let atomic = is(&["_atomic_"])
        || ["_add", "_cswap", "_fetch", "_fadd", "_finc", "_inc", "_set", "_swap"]
            .iter()
            .any(|old| routine.ends_with(old));
    match parameter {
        "ivar" | "ivars" | "sig_addr" | "lock" => Word,
        "dest" | "addr" if is(&["ptr", "accessible", "gaddr"]) && !is(&["ptrdiff"]) => Anything,
        "dest" | "source" if atomic => Word,
        "dest" | "source" if collective => Bytes,
        // What is there when it is called is read at once.
        "source" if is(&["_g", "get"]) && !is(&["put"]) => Bytes,
        "dest" if is(&["get"]) => Local,
        "source" => Local,
        "dest" => Bytes,
        "fetch" | "indices" | "cmp_values" | "target_pes" => Local,
        "major" | "minor" | "name" | "initialized" | "provided" | "ctx" | "team" | "stats" | "text"
        | "visit" => Local,
        "new_team" | "xaxis_team" | "yaxis_team" => Local,
        "config" if !is(&["split"]) => Local,
        "config" | "xaxis_config" | "yaxis_config" => Anything,
        "status" => LocalOrNull,
        "ptr" | "pWrk" | "arg" => Anything,
        "pSync" => Sync,
        _ => panic!("what is {parameter} of {routine}?"),
    }
}

/// What is passed where there is no pointer.
fn value(routine: &str, p: &Parameter) -> String {
    let value = match p.name.as_str() {
        "ctx" => "SHMEM_CTX_DEFAULT",
        "team" | "parent_team" => "SHMEM_TEAM_WORLD",
        "nelems" | "nreduce" | "npes" | "nblocks" | "bsize" | "dst" | "sst" => "2",
        "pe" | "PE_root" | "PE_start" | "logPE_stride" | "start" | "options" | "hints" | "reach" | "cond" => {
            "0"
        }
        "cmp_value" => "0",
        "PE_size" => "n",
        "cmp" => "SHMEM_CMP_GE",
        "value" | "signal" | "config_mask" | "xaxis_mask" | "yaxis_mask" | "count" | "size" | "stride"
        | "xrange" => "1",
        "sig_op" => "SHMEM_SIGNAL_ADD",
        "alignment" => "64",
        "requested" => "SHMEM_THREAD_SINGLE",
        "columns" => "64",
        "room" => "ROOM",
        _ => panic!("what is {} of {routine}?", p.name),
    };
    value.to_owned()
}

/// How far the last element lies behind the address with which the routine's bytes just pass an end.
fn step(routine: &str, parameters: &[Parameter], p: &Parameter) -> String {
    let bits =
        |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(8);
    let pointee = p.ty.trim_end_matches('*').trim().trim_start_matches("const ");
    let size =
        if pointee == "void" { format!("{}", bits(routine) / 8) } else { format!("(int)sizeof({pointee})") };
    let several = parameters.iter().any(|p| ["nelems", "nreduce"].contains(&p.name.as_str()));
    match (p.class, several) {
        (Some(Word), true) if p.name == "ivars" => size,
        (Some(Word), _) => "0".to_owned(),
        (_, true) => "1".to_owned(),
        (_, false) => format!("{size} - 1"),
    }
}

fn program(name: &str, routines: &[Routine]) -> PathBuf {
    let mut text = format!("#include \"{}\"\n", here().join("tests/misuse/pointers.h").display());
    let mut table = String::new();
    for (i, r) in routines.iter().enumerate() {
        let mut at = 0;
        let mut steps = Vec::new();
        let mut pass = |p: &Parameter| match p.class {
            Some(_) => {
                // Waits are over: what they look at is more than what they compare it with.
                let fill = u8::from(["ivar", "ivars", "sig_addr"].contains(&p.name.as_str()));
                steps.push(format!("{{{}, {fill}}}", step(&r.name, &r.parameters, p)));
                at += 1;
                match p.name.as_str() {
                    // Its type is a function's.
                    "visit" => format!(
                        "(void (*)(void *, void *, size_t, int))(uintptr_t)(p[{}] ? visit : NULL)",
                        at - 1
                    ),
                    _ => format!("p[{}]", at - 1),
                }
            }
            None => value(&r.name, p),
        };
        let arguments: Vec<String> = r.parameters.iter().map(&mut pass).collect();
        let _ = writeln!(text, "static void c{i}(void **p) {{ ({})({}); }}", r.name, arguments.join(", "));
        let _ = writeln!(table, "    {{c{i}, {at}, {{{}}}}},", steps.join(", "));
    }
    let visit =
        "static void visit(void *a, void *b, size_t s, int l) { (void)a; (void)b; (void)s; (void)l; }\n";
    let at = text.find('\n').map_or(0, |at| at + 1);
    text.insert_str(at, visit);
    let _ = write!(text, "static const struct routine routines[] = {{\n{table}}};\n");
    text += "int main(int argc, char **argv) { (void)visit; return run_all(routines, argc, argv); }\n";
    let source = scratch().join(format!("{name}.c"));
    std::fs::write(&source, text).expect("a program");
    let flags = ["-std=gnu11", "-O0", "-Wno-deprecated-declarations", "-Wno-unused-value"];
    compile(source.to_str().expect("a path of text"), &flags)
}

/// What came of the cases from `first` on: how many went on, and how the one after these ended.
fn from(program: &std::path::Path, pes: u32, first: usize, end: usize) -> (usize, Outcome) {
    let launch = launch(program, pes, Boot::Local).arg(first.to_string()).arg(end.to_string());
    let launch = launch.env("SHMEM_SYMMETRIC_SIZE", "16M").env("SHMEM_HANG_REPORT", "5");
    let (child, limit) = launch.limit(Duration::from_secs(10)).start();
    let outcome = finish(child, Instant::now(), limit);
    let mut begun = outcome.stderr.lines().filter_map(|line| line.strip_prefix('#')?.parse().ok());
    let last: usize = begun.next_back().unwrap_or(first);
    (if outcome.status.success() { end } else { last }, outcome)
}

/// Runs every case of these routines, and says what was wrong.
fn run(name: &str, pes: u32, routines: &[Routine]) -> Vec<String> {
    let program = program(name, routines);
    let cases: Vec<(&Routine, &Parameter, usize)> = routines
        .iter()
        .flat_map(|r| r.pointers().map(move |p| (r, p)))
        .flat_map(|(r, p)| (0..KINDS).map(move |kind| (r, p, kind)))
        .collect();
    let wrong = Mutex::new(Vec::new());
    // Some hundred cases at a time for whoever is idle.
    let next = Mutex::new((0..cases.len()).step_by(200));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(start) = next.lock().unwrap().next() else { break };
                    let end = (start + 200).min(cases.len());
                    let mut first = start;
                    while first < end {
                        let (last, outcome) = from(&program, pes, first, end);
                        let judged =
                            (first..end.min(last + 1)).filter_map(|i| judge(cases[i], i < last, &outcome));
                        wrong.lock().unwrap().extend(judged);
                        first = last + 1;
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// What is wrong with how a case ended.
fn judge((r, p, kind): (&Routine, &Parameter, usize), went_on: bool, outcome: &Outcome) -> Option<String> {
    let class = p.class?;
    let words = words(class, kind);
    let clean = !outcome.timed_out && !outcome.stderr.contains("panicked") && outcome.status.code().is_some();
    let named =
        |line: &str| line.contains(&format!(": {}: ", r.name)) && words.iter().any(|w| line.contains(w));
    let right = match (went_on, class) {
        (true, _) => words.is_empty(),
        (false, Sync) => clean && outcome.stderr.contains(&format!(": {}: ", r.name)),
        (false, _) => clean && outcome.stderr.lines().any(named),
    };
    let what = ["NULL", "on the stack", "past the end", "misaligned"][kind];
    let came = if went_on { "went on".to_owned() } else { outcome.to_string() };
    (!right).then(|| format!("{}, {} ({class:?}) {what}: {came}", r.name, p.name))
}

/// By the local boot: nothing of this is a launcher's.
#[test]
fn every_pointer_of_every_routine() {
    let all = routines();
    assert!(all.len() > 1650, "{} routines have pointers", all.len());
    let (collective, local): (Vec<_>, Vec<_>) = all.into_iter().partition(|r| r.collective);
    let cases = |routines: &[Routine]| routines.iter().map(|r| KINDS * r.pointers().count()).sum::<usize>();
    eprintln!("{} routines, {} cases", local.len() + collective.len(), cases(&local) + cases(&collective));
    let mut wrong = run("pointers_1", 1, &local);
    wrong.extend(run("pointers_2", 2, &collective));
    let shown = wrong.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(wrong.is_empty(), "{} cases:\n{shown}", wrong.len());
}
