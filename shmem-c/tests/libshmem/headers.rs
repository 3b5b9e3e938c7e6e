//! The headers and the exported symbols are the standard's: nothing missing, nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use crate::common::{self, run, scratch, spec};

/// Writes a source file among the tests' own.
fn source(name: &str, text: &str) -> PathBuf {
    let path = scratch().join(name);
    std::fs::write(&path, text).expect("the test's directory is writable");
    path
}

/// The compilers there are, by language; clang is not on every machine.
fn compilers(candidates: [&'static str; 2]) -> Vec<&'static str> {
    let there = |c: &&str| Command::new(c).arg("--version").output().is_ok_and(|o| o.status.success());
    let (have, lack): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|c| there(c));
    for compiler in lack {
        eprintln!("{compiler} is not on this machine: the headers were not compiled with it");
    }
    have
}

/// Compiles, links nothing, and takes no warning.
fn compiles(compiler: &str, standard: &str, file: &PathBuf) {
    let include = format!("-I{}", common::prefix().join("include").display());
    let strict = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"];
    run(Command::new(compiler).arg(format!("-std={standard}")).args(strict).arg(include).arg(file));
}

#[test]
fn every_header_compiles_alone_and_twice_in_every_language() {
    let headers = ["shmem.h", "shmemx.h", "pshmem.h", "mpp/shmem.h", "mpp/shmemx.h"];
    let mut texts: Vec<String> =
        headers.iter().map(|h| format!("#include <{h}>\n#include <{h}>\nint nothing;\n")).collect();
    texts.push(headers.iter().map(|h| format!("#include <{h}>\n")).collect::<String>() + "int nothing;\n");
    texts.push(
        headers.iter().rev().map(|h| format!("#include <{h}>\n")).collect::<String>() + "int nothing;\n",
    );
    for (i, text) in texts.iter().enumerate() {
        let c = source(&format!("headers{i}.c"), text);
        let cpp = source(&format!("headers{i}.cpp"), text);
        for compiler in compilers(["gcc", "clang"]) {
            ["c99", "c11", "c17"].iter().for_each(|standard| compiles(compiler, standard, &c));
        }
        for compiler in compilers(["g++", "clang++"]) {
            ["c++11", "c++17"].iter().for_each(|standard| compiles(compiler, standard, &cpp));
        }
    }
}

/// C++ programs include C headers inside `extern "C"`, and forbid C's casts, also in what the constants expand to.
#[test]
fn headers_may_be_included_as_c_and_need_no_c_casts() {
    let headers = ["shmem.h", "shmemx.h", "pshmem.h", "mpp/shmem.h", "mpp/shmemx.h"];
    let uses = "shmem_team_t teams[] = {SHMEM_TEAM_INVALID, SHMEM_TEAM_WORLD, SHMEM_TEAM_SHARED};\n\
                shmem_ctx_t contexts[] = {SHMEM_CTX_INVALID, SHMEM_CTX_DEFAULT};\n\
                shmemx_gaddr_t nowhere = SHMEMX_GADDR_NULL;\n\
                void f(long *at, double *of) { shmem_put(at, at, 1, 0); shmem_sum_reduce(teams[1], of, of, 1); }\n";
    for around in [["", ""], ["extern \"C\" {\n", "}\n"]] {
        for header in headers {
            let text = format!("{}#include <{header}>\n{}#include <shmemx.h>\n{uses}", around[0], around[1]);
            let text = format!("#pragma GCC diagnostic error \"-Wold-style-cast\"\n{text}");
            let file = source("as_c.cpp", &text);
            for compiler in compilers(["g++", "clang++"]) {
                ["c++11", "c++20"].iter().for_each(|standard| compiles(compiler, standard, &file));
            }
        }
    }
}

/// Declares every function of the standard again, after the headers: a prototype that differs is an error, and
/// one that the headers lack is no redundant declaration.
#[test]
fn prototypes_are_the_standards() {
    let functions = spec::functions();
    assert_eq!(functions.len(), 1788);
    let mut text = "#include <shmem.h>\n#include <pshmem.h>\n".to_owned();
    for function in &functions {
        let (name, prototype) = (&function.name, &function.prototype);
        let twin = prototype.replacen(name.as_str(), &format!("p{name}"), 1);
        // In C11 some of the names are macros as well, which a name in parentheses is not.
        for (name, prototype) in [(name.clone(), prototype.clone()), (format!("p{name}"), twin)] {
            writeln!(text, "{}", prototype.replacen(&format!("{name}("), &format!("({name})("), 1)).unwrap();
        }
    }
    let include = format!("-I{}", common::prefix().join("include").display());
    for standard in ["c99", "c11"] {
        let file = source("prototypes.c", &text);
        compiles("gcc", standard, &file);
        let mut again = Command::new("gcc");
        again.args([&format!("-std={standard}"), "-Wredundant-decls", "-fsyntax-only", &include]).arg(&file);
        let warnings = String::from_utf8_lossy(&run(&mut again).stderr).into_owned();
        let redundant = warnings.matches("[-Wredundant-decls]").count();
        assert_eq!(redundant, 2 * functions.len(), "functions that the headers declare, too ({standard})");
    }
}

/// What the standard no longer has and programs still call; `types` of old tables.
fn extras() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let std = ["int", "long", "longlong", "uint", "ulong", "ulonglong", "int32", "int64", "uint32", "uint64"];
    let std: Vec<&str> = std.into_iter().chain(["size", "ptrdiff"]).collect();
    for t in &std {
        names.extend(["add", "cswap", "fadd", "finc", "inc"].map(|op| format!("shmem_{t}_{op}")));
    }
    for t in std.iter().chain(&["float", "double"]) {
        names.extend(["fetch", "set", "swap"].map(|op| format!("shmem_{t}_{op}")));
    }
    for t in ["short", "int", "long", "longlong"] {
        names.extend(["and", "or", "xor"].map(|op| format!("shmem_{t}_{op}_reduce")));
    }
    for t in ["short", "ushort"] {
        for op in ["wait_until", "test"] {
            names.insert(format!("shmem_{t}_{op}"));
            for form in ["all", "any", "some"] {
                names.insert(format!("shmem_{t}_{op}_{form}"));
                names.insert(format!("shmem_{t}_{op}_{form}_vector"));
            }
        }
    }
    let cache = ["set_cache_inv", "clear_cache_inv", "set_cache_line_inv", "clear_cache_line_inv"];
    names.extend(cache.into_iter().chain(["udcflush", "udcflush_line"]).map(|name| format!("shmem_{name}")));
    names
}

/// The defined symbols that others can see: names and how they bind.
fn symbols(args: &[&str]) -> Vec<(String, String)> {
    let file = common::prefix().join("lib").join(args[0]);
    let out = run(Command::new("readelf").args(["-W", args[1]]).arg(file)).stdout;
    String::from_utf8_lossy(&out)
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let &[_, _, _, kind, bind, _, section, name] = words.get(..8)? else { return None };
            let seen = ["FUNC", "OBJECT", "NOTYPE", "TLS", "IFUNC"].contains(&kind) && bind != "LOCAL";
            (seen && section != "UND").then(|| (name.to_owned(), bind.to_owned()))
        })
        .collect()
}

#[test]
fn exported_symbols_are_the_standards() {
    let mut wanted: BTreeSet<String> = spec::functions().into_iter().map(|f| f.name).collect();
    wanted.extend(extras());
    for (library, table) in [("libshmem.so", "--dyn-syms"), ("libshmem.a", "--syms")] {
        let symbols = symbols(&[library, table]);
        let names: BTreeSet<String> = symbols.iter().map(|(name, _)| name.clone()).collect();
        let missing: Vec<String> =
            wanted.iter().flat_map(|n| [n.clone(), format!("p{n}")]).filter(|n| !names.contains(n)).collect();
        assert!(missing.is_empty(), "{library} lacks {missing:?}");
        let mpi = ["MPI_Init", "MPI_Init_thread", "MPI_Finalize", "MPI_Initialized", "MPI_Finalized"];
        let known = |n: &str| {
            wanted.contains(n)
                || n.strip_prefix('p').is_some_and(|n| wanted.contains(n))
                || n.trim_start_matches('p').starts_with("shmemx_")
                || mpi.contains(&n)
                // Which `fork` of a static executable calls.
                || library == "libshmem.a" && n == "_Fork"
        };
        let other: Vec<&String> = names.iter().filter(|n| !known(n)).collect();
        assert!(other.is_empty(), "{library} also exports {other:?}");
        // A profiler's function of that name wins by link order only over a weak one.
        let strong: Vec<&String> = symbols
            .iter()
            .filter(|(name, bind)| wanted.contains(name) && !name.starts_with('p') && bind != "WEAK")
            .map(|(name, _)| name)
            .collect();
        assert!(strong.is_empty(), "{library}: not weak: {strong:?}");
    }
}

#[test]
fn the_library_needs_libc_only() {
    let library = common::prefix().join("lib/libshmem.so");
    let out = run(Command::new("readelf").arg("-d").arg(&library)).stdout;
    let text = String::from_utf8_lossy(&out);
    assert!(text.contains("Library soname: [libshmem.so.1]"), "{text}");
    let build = common::scratch().parent().unwrap().display().to_string();
    assert!(!text.contains(&build), "it looks for libraries in the build directory:\n{text}");
    let needed: Vec<&str> =
        text.lines().filter(|l| l.contains("(NEEDED)")).filter_map(|l| l.split(['[', ']']).nth(1)).collect();
    for library in needed {
        let base =
            ["libc.so", "libm.so", "libgcc_s.so", "ld-linux"].iter().any(|lib| library.starts_with(lib));
        assert!(base, "it needs {library}");
    }
}

/// The header's constants and the engine's are two lists of one thing.
#[test]
fn constants_are_the_engines() {
    use shmem_api::raw;
    let mut wanted: Vec<(&str, i64)> = vec![
        ("SHMEM_MAJOR_VERSION", raw::MAJOR_VERSION.into()),
        ("SHMEM_MINOR_VERSION", raw::MINOR_VERSION.into()),
        ("SHMEM_MAX_NAME_LEN", raw::MAX_NAME_LEN as i64),
        ("SHMEM_THREAD_SINGLE", raw::THREAD_SINGLE.into()),
        ("SHMEM_THREAD_FUNNELED", raw::THREAD_FUNNELED.into()),
        ("SHMEM_THREAD_SERIALIZED", raw::THREAD_SERIALIZED.into()),
        ("SHMEM_THREAD_MULTIPLE", raw::THREAD_MULTIPLE.into()),
        ("SHMEM_TEAM_NUM_CONTEXTS", raw::TEAM_NUM_CONTEXTS),
        ("SHMEM_CTX_SERIALIZED", raw::CTX_SERIALIZED),
        ("SHMEM_CTX_PRIVATE", raw::CTX_PRIVATE),
        ("SHMEM_CTX_NOSTORE", raw::CTX_NOSTORE),
        ("SHMEM_CTX_SESSION_TOTAL_OPS", raw::CTX_SESSION_TOTAL_OPS),
        ("SHMEM_CTX_SESSION_BATCH", raw::CTX_SESSION_BATCH),
        ("SHMEM_SIGNAL_SET", raw::SIGNAL_SET.into()),
        ("SHMEM_SIGNAL_ADD", raw::SIGNAL_ADD.into()),
        ("SHMEM_MALLOC_ATOMICS_REMOTE", raw::MALLOC_ATOMICS_REMOTE as i64),
        ("SHMEM_MALLOC_SIGNAL_REMOTE", raw::MALLOC_SIGNAL_REMOTE as i64),
        ("SHMEM_CMP_EQ", raw::CMP_EQ.into()),
        ("SHMEM_CMP_NE", raw::CMP_NE.into()),
        ("SHMEM_CMP_GT", raw::CMP_GT.into()),
        ("SHMEM_CMP_GE", raw::CMP_GE.into()),
        ("SHMEM_CMP_LT", raw::CMP_LT.into()),
        ("SHMEM_CMP_LE", raw::CMP_LE.into()),
        ("SHMEM_SYNC_VALUE", raw::active_set::SYNC_VALUE),
        ("SHMEM_REDUCE_MIN_WRKDATA_SIZE", 1),
    ];
    for of in ["", "BARRIER_", "BCAST_", "COLLECT_", "REDUCE_", "ALLTOALL_", "ALLTOALLS_"] {
        let name = format!("SHMEM_{of}SYNC_SIZE");
        wanted.push((name.leak(), raw::active_set::SYNC_SIZE as i64));
    }
    // The old names with an underscore: as many as the standard has.
    let old = ["MAJOR_VERSION", "MINOR_VERSION", "MAX_NAME_LEN", "SYNC_VALUE", "BARRIER_SYNC_SIZE"];
    let old = old.iter().chain(&["BCAST_SYNC_SIZE", "COLLECT_SYNC_SIZE", "REDUCE_SYNC_SIZE"]);
    let old =
        old.chain(&["REDUCE_MIN_WRKDATA_SIZE", "CMP_EQ", "CMP_NE", "CMP_GT", "CMP_GE", "CMP_LT", "CMP_LE"]);
    for name in old {
        let value = wanted.iter().find(|(n, _)| n.strip_prefix("SHMEM_") == Some(name)).unwrap().1;
        wanted.push((format!("_SHMEM_{name}").leak(), value));
    }
    let mut text = "#include <shmem.h>\n".to_owned();
    for (name, value) in &wanted {
        writeln!(text, "_Static_assert({name} == {value}, \"{name}\");").unwrap();
    }
    // Comparison and signal constants are integer constant expressions: a switch takes them.
    text += "int f(int cmp);\nint f(int cmp)\n{\n    switch (cmp) {\n    case SHMEM_CMP_EQ: case SHMEM_CMP_NE: return 1;\n    \
             default: return SHMEM_SIGNAL_SET;\n    }\n}\n";
    // Handles may initialise statics.
    text += "shmem_team_t teams[] = {SHMEM_TEAM_WORLD, SHMEM_TEAM_SHARED, SHMEM_TEAM_INVALID};\n";
    text += "shmem_ctx_t contexts[] = {SHMEM_CTX_DEFAULT, SHMEM_CTX_INVALID};\n";
    let vendor = raw::VENDOR_STRING.to_str().unwrap();
    writeln!(text, "char vendor[] = SHMEM_VENDOR_STRING _SHMEM_VENDOR_STRING;").unwrap();
    writeln!(text, "_Static_assert(sizeof(SHMEM_VENDOR_STRING) == {}, \"length\");", vendor.len() + 1)
        .unwrap();
    compiles("gcc", "c11", &source("constants.c", &text));
    let header = std::fs::read_to_string(common::here().join("include/shmem/constants.h")).unwrap();
    assert!(
        header.contains(&format!("#define SHMEM_VENDOR_STRING \"{vendor}\"\n")),
        "the vendor string differs"
    );
}
