//! The installed tools: the compiler wrappers, the launcher, shmem-info, package files, manual pages, and that
//! uninstalling takes all of it away.

use std::path::Path;
use std::process::Command;

use crate::common::{self, here, prefix, run, scratch, spec, tool};
use shmem_api::memheap::settings::TABLE;
use shmem_api::testing::{Boot, Launch};

fn stdout(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).expect("text")
}

fn there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("{tool} is not on this machine: not tested with it");
    }
    found
}

#[test]
fn oshcc_adds_what_is_needed_and_no_more() {
    let lib = prefix().join("lib").display().to_string();
    let include = format!("-I{}", prefix().join("include").display());
    for (name, variable, compiler) in
        [("oshcc", "CC", "cc"), ("oshc++", "CXX", "c++"), ("oshcxx", "CXX", "c++")]
    {
        let line = stdout(tool(name).args(["--showme", "x.c", "-o", "x"]));
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0], compiler);
        assert_eq!(words[1], include, "ours before any other");
        assert!(
            words.contains(&"-lshmem") && words.contains(&format!("-Wl,-rpath,{lib}").as_str()),
            "{line}"
        );
        assert_eq!(stdout(tool(name).args(["-show", "x.c", "-o", "x"])), line);
        assert_eq!(stdout(tool(name).arg("--showme:command")).trim(), compiler);
        assert!(stdout(tool(name).arg("--showme:compile")).contains(&include));
        assert!(stdout(tool(name).arg("--showme:link")).contains("-lshmem"));
        assert_eq!(stdout(tool(name).arg("--showme:libdirs")).trim(), lib);
        // Another compiler, and arguments with blanks in them, which stay one argument.
        let other = scratch().join("compiler-of-test");
        std::fs::write(&other, "#!/bin/sh\nfor a in \"$@\"; do echo \"<$a>\"; done\n").unwrap();
        run(Command::new("chmod").arg("+x").arg(&other));
        let said = stdout(tool(name).env(variable, &other).args(["-DTEXT=\"a b\"", "x.c"]));
        assert!(said.contains("<-DTEXT=\"a b\">\n<x.c>\n") && said.contains("<-lshmem>"), "{said}");
        // Where nothing is linked, no library.
        for only in
            [&["-c", "x.c"][..], &["-S", "x.c"], &["-E", "x.c"], &["-M", "x.c"], &["-v"], &["--version"]]
        {
            let said = stdout(tool(name).env(variable, &other).args(only));
            assert!(!said.contains("-lshmem"), "{only:?}: {said}");
        }
    }
    let unknown = tool("oshcc").arg("--showme:nothing").output().unwrap();
    assert!(!unknown.status.success());
}

/// `CC=oshcc` in whatever form: the wrapper does not take itself for the compiler.
#[test]
fn oshcc_calls_a_compiler_and_not_itself() {
    let bin = prefix().join("bin");
    let bin = bin.to_str().unwrap();
    let dir = scratch().join("wrappers");
    std::fs::create_dir_all(&dir).unwrap();
    // A link of another name to it, a script around it, a compiler.
    let link = dir.join("my-cc");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(prefix().join("bin/oshcc"), &link).unwrap();
    let script = |name: &str, does: &str| {
        let at = dir.join(name);
        std::fs::write(&at, format!("#!/bin/sh\n{does}\n")).unwrap();
        run(Command::new("chmod").arg("+x").arg(&at));
        at.display().to_string()
    };
    let around = script("around", "exec oshcc \"$@\"");
    let mine = script("mine", "echo mine");
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    let command = |name: &str, env: &[(&str, &str)], args: &[&str]| {
        let mut timed = Command::new("timeout");
        timed.args(["20", name]).args(args).env("PATH", &path);
        for variable in ["CC", "CXX", "SHMEM_CC", "SHMEM_CXX"] {
            timed.env_remove(variable);
        }
        stdout(timed.envs(env.iter().copied()))
    };
    let link = link.display().to_string();
    let [abs, abs_cxx] = ["oshcc", "oshc++"].map(|name| format!("{bin}/{name}"));
    for (name, own, set, plain) in [("oshcc", "SHMEM_CC", "CC", "cc"), ("oshc++", "SHMEM_CXX", "CXX", "c++")]
    {
        for value in
            ["oshcc", "oshc++", "oshcxx", "ccache oshcc", "env A=b oshc++ -O2", &abs, &abs_cxx, &link]
        {
            for variable in [own, set] {
                let said = command(name, &[(variable, value)], &["--showme:command"]);
                assert_eq!(said.trim(), plain, "{name} with {variable}={value}");
            }
            let said = command(name, &[(own, &mine), (set, value)], &["x.c"]);
            assert_eq!(said, "mine\n", "{own} names the compiler, {set}={value}");
        }
        assert_eq!(command(name, &[(own, ""), (set, &mine)], &["x.c"]), "mine\n");
        // It cannot be seen that this one leads back, but it must end.
        let said = command(name, &[(set, &around)], &["-dumpmachine"]);
        assert!(said.contains('-'), "{said}");
    }
}

/// The commonest ways to build: make, configure, CMake, Meson, each told that its compiler is oshcc.
#[test]
fn build_systems_take_oshcc_for_their_compiler() {
    let dir = consumer("consumer-wrapper");
    std::fs::write(
        dir.join("both.cpp"),
        "#include <shmem.h>\nint main() { shmem_init(); shmem_finalize(); }\n",
    )
    .unwrap();
    let path = format!("{}:{}", prefix().join("bin").display(), std::env::var("PATH").unwrap());
    let build = |command: &str| {
        let mut shell = Command::new("timeout");
        shell.args(["120", "sh", "-ec", command]).current_dir(&dir).env("PATH", &path);
        for variable in ["CC", "CXX", "SHMEM_CC", "SHMEM_CXX", "MAKEFLAGS"] {
            shell.env_remove(variable);
        }
        run(&mut shell);
    };
    // make's built-in rules; the environment or the command line names the compiler.
    for how in ["make ring CC=oshcc", "CC=oshcc make -e ring", "make both CXX=oshc++", "CC=oshcc make ring"] {
        build(&format!("rm -f ring both ring.o; {how}; test -x ring || test -x both"));
    }
    build("rm -f ring; make ring CC=oshcc");
    runs(&dir.join("ring"));

    if there("autoconf") {
        let ac = "AC_INIT([ring], [1])\nAC_CONFIG_SRCDIR([ring.c])\nAC_PROG_CC\nAC_PROG_CXX\n\
                  AC_CHECK_HEADERS([shmem.h], [], [AC_MSG_ERROR([no shmem.h])])\n\
                  AC_CHECK_FUNCS([shmem_init], [], [AC_MSG_ERROR([no shmem_init])])\n\
                  AC_CONFIG_FILES([made/Makefile])\nAC_OUTPUT\n";
        std::fs::write(dir.join("configure.ac"), ac).unwrap();
        std::fs::create_dir_all(dir.join("made")).unwrap();
        std::fs::write(
            dir.join("made/Makefile.in"),
            "ring: ../ring.c\n\t@CC@ @CFLAGS@ -o $@ ../ring.c @LIBS@\n",
        )
        .unwrap();
        for how in ["./configure CC=oshcc CXX=oshc++", "CC=oshcc CXX=oshc++ ./configure"] {
            build(&format!("rm -f made/ring; autoconf; {how}; make -C made"));
        }
        runs(&dir.join("made/ring"));
    }
    if there("cmake") {
        let lists = "cmake_minimum_required(VERSION 3.13)\nproject(consumer C CXX)\n\
                     add_executable(ring ring.c)\nadd_executable(both both.cpp)\n";
        std::fs::write(dir.join("CMakeLists.txt"), lists).unwrap();
        for (at, how) in [
            ("by-option", "cmake -DCMAKE_C_COMPILER=oshcc -DCMAKE_CXX_COMPILER=oshc++"),
            ("by-environment", "CC=oshcc CXX=oshc++ cmake"),
        ] {
            build(&format!("rm -rf {at}; {how} -S . -B {at}; cmake --build {at}"));
            runs(&dir.join(at).join("ring"));
            runs(&dir.join(at).join("both"));
        }
    }
    if there("meson") && there("ninja") {
        std::fs::write(
            dir.join("meson.build"),
            "project('consumer', 'c', 'cpp')\nexecutable('ring', 'ring.c')\nexecutable('both', 'both.cpp')\n",
        )
        .unwrap();
        build("rm -rf by-meson; CC=oshcc CXX=oshc++ meson setup by-meson; ninja -C by-meson");
        runs(&dir.join("by-meson/ring"));
        runs(&dir.join("by-meson/both"));
    }
}

/// Everything static, at a fixed address and at any.
#[test]
fn oshcc_links_all_statically() {
    for compiler in ["gcc", "clang"].into_iter().filter(|c| there(c)) {
        for flag in ["-static", "-static-pie"] {
            let program = scratch().join(format!("ring{flag}-{compiler}"));
            let mut oshcc = tool("oshcc");
            oshcc
                .env("SHMEM_CC", compiler)
                .arg(flag)
                .arg(here().join("examples/ring.c"))
                .arg("-o")
                .arg(&program);
            run(&mut oshcc);
            for &boot in Boot::all() {
                let outcome = common::launch(&program, 2, boot).run();
                if boot.way() == "pmix" {
                    // PMIx is a library.
                    let why = "this program is linked statically and loads no library";
                    assert!(!outcome.status.success() && outcome.stderr.contains(why), "{outcome}");
                } else {
                    outcome.expect_success(&format!("ring {flag} by {boot:?}"));
                }
            }
        }
    }
}

/// Objects first, then the link, as makefiles do.
#[test]
fn oshcc_links_objects() {
    let object = scratch().join("hello.o");
    run(tool("oshcc").arg("-c").arg(here().join("examples/hello.c")).arg("-o").arg(&object));
    let program = scratch().join("hello-of-objects");
    run(tool("oshcc").arg(&object).arg("-o").arg(&program));
    let mut oshrun = tool("oshrun");
    oshrun.args(["-np", "2"]).arg(&program);
    Launch::of_command(oshrun).run().expect_success("hello of objects");
}

#[test]
fn oshrun_starts_pes_and_passes_their_status_on() {
    let hello = common::compile("examples/hello.c", &[]);
    for (how, n) in [(&["-n", "3"][..], 3), (&["-np", "2"], 2), (&["-N", "2"], 2), (&["-n4"], 4)] {
        let mut oshrun = tool("oshrun");
        oshrun.arg("-v").args(how).arg(&hello);
        let outcome = Launch::of_command(oshrun).run();
        outcome.expect_success(&format!("oshrun {how:?}"));
        assert_eq!(outcome.stdout.lines().count(), n, "{outcome}");
        assert!(outcome.stderr.contains(&hello.display().to_string()), "-v prints the line: {outcome}");
    }
    let exit = common::compile("tests/c/global_exit.c", &[]);
    let mut oshrun = tool("oshrun");
    oshrun.args(["-n", "3"]).arg(&exit).arg("17");
    let outcome = Launch::of_command(oshrun).run();
    assert_eq!(outcome.status.code(), Some(17), "{outcome}");
    for wrong in [&["-n"][..], &["-n", "0", "x"], &["-n", "two", "x"], &[]] {
        let output = tool("oshrun").args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "oshrun {wrong:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn shmem_info_says_everything() {
    let short = stdout(tool("shmem-info").env_remove("SHMEM_MEMHEAP"));
    assert!(
        short.contains("OpenSHMEM 1.6") && short.contains("ptmalloc") && short.contains("selected"),
        "{short}"
    );
    assert!(short.contains(&prefix().display().to_string()));
    let all = stdout(tool("shmem-info").arg("-a").env("SHMEM_MEMHEAP", "^ptmalloc"));
    for setting in TABLE {
        assert!(all.contains(setting.name) && all.contains(setting.meaning), "{} is missing", setting.name);
    }
    let user: Vec<&str> = all.lines().filter(|l| l.trim_start().starts_with("user ")).collect();
    assert!(user.iter().any(|l| l.contains("buddy") && l.contains("selected")), "{user:?}");
    assert!(user.iter().any(|l| l.contains("ptmalloc") && !l.contains("selected")), "{user:?}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(tool("shmem-info").arg("--json"))).expect("--json is JSON");
    assert_eq!(json["library"][1]["value"], "OpenSHMEM 1.6");
    assert!(json["settings"].as_array().unwrap().len() > TABLE.len());
    assert!(
        json["host"].as_array().unwrap().iter().any(|fact| fact["name"] == "huge pages for shared memory")
    );
    let wrong = tool("shmem-info").arg("--everything").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn shmem_info_checks_the_host() {
    let said = stdout(tool("shmem-info").arg("--check"));
    assert!(said.ends_with("self-test: two PEs put, add and meet: passed\n"), "{said}");
}

/// A consumer in a directory of its own, built and run.
fn consumer(name: &str) -> std::path::PathBuf {
    let dir = scratch().join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::copy(here().join("examples/ring.c"), dir.join("ring.c")).unwrap();
    dir
}

fn runs(program: &Path) {
    let mut oshrun = tool("oshrun");
    oshrun.args(["-n", "2"]).arg(program);
    Launch::of_command(oshrun).run().expect_success(&program.display().to_string());
}

#[test]
fn pkg_config_finds_it() {
    if !there("pkg-config") {
        return;
    }
    let dir = consumer("consumer-pkg-config");
    let flags = |args: &[&str]| -> Vec<String> {
        let mut pkg = Command::new("pkg-config");
        pkg.args(args).arg("shmem").env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
        stdout(&mut pkg).split_whitespace().map(str::to_owned).collect()
    };
    let program = dir.join("ring");
    let mut cc = Command::new("cc");
    run(cc.arg(dir.join("ring.c")).arg("-o").arg(&program).args(flags(&["--cflags", "--libs"])));
    runs(&program);
}

#[test]
fn cmake_finds_it() {
    if !there("cmake") {
        return;
    }
    let dir = consumer("consumer-cmake");
    let lists = "cmake_minimum_required(VERSION 3.13)\nproject(consumer C)\nfind_package(shmem 0.1 REQUIRED)\n\
                 add_executable(ring ring.c)\ntarget_link_libraries(ring shmem::shmem)\n\
                 add_executable(ring_static ring.c)\ntarget_link_libraries(ring_static shmem::static)\n";
    std::fs::write(dir.join("CMakeLists.txt"), lists).unwrap();
    let mut configure = Command::new("cmake");
    run(configure
        .args(["-S", ".", "-B", "build"])
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()))
        .current_dir(&dir));
    run(Command::new("cmake").args(["--build", "build"]).current_dir(&dir));
    runs(&dir.join("build/ring"));
    runs(&dir.join("build/ring_static"));
}

#[test]
fn every_routine_has_a_manual_page() {
    let pages = prefix().join("share/man/man3");
    for function in spec::functions() {
        let page = pages.join(format!("{}.3", function.name));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        let target = text.strip_prefix(".so man3/").map(|to| pages.join(to.trim()));
        let text = target.map_or(text, |to| std::fs::read_to_string(&to).expect("a link leads to a page"));
        let listed = text.lines().any(|line| line.split([',', ' ']).any(|word| word == function.name));
        assert!(listed && text.contains(".SH SYNOPSIS"), "{} is not on its page", function.name);
    }
    if there("man") {
        let mut man = Command::new("man");
        man.args(["-M"]).arg(prefix().join("share/man")).args([
            "--warnings=all",
            "3",
            "shmem_long_atomic_fetch_add",
        ]);
        let said = run(man.env("MANPAGER", "cat").env("LC_ALL", "C"));
        assert!(String::from_utf8_lossy(&said.stdout).contains("shmem_TYPENAME_atomic_fetch_add"));
        assert!(said.stderr.is_empty(), "{}", String::from_utf8_lossy(&said.stderr));
    }
}

/// Below DESTDIR, and away again; what others have put beside it stays.
#[test]
fn uninstall_takes_away_what_install_put() {
    let _ = prefix();
    let dest = scratch().join("destdir");
    let _ = std::fs::remove_dir_all(&dest);
    let prefix = Path::new("/opt/shmem");
    common::install(&common::build(), prefix, Some(&dest));
    let root = dest.join("opt/shmem");
    assert!(root.join("bin/oshcc").is_file() && root.join("lib/libshmem.so.1").is_file());
    let mine = root.join("include/mine.h");
    std::fs::write(&mine, "").unwrap();
    let mut script = Command::new(here().join("install.sh"));
    run(script.arg("--prefix").arg(prefix).arg("--uninstall").env("DESTDIR", &dest));
    let left = stdout(Command::new("find").arg(&root).args(["-not", "-type", "d"]));
    assert_eq!(left.trim(), mine.display().to_string());
    assert!(!root.join("share").exists() && !root.join("lib").exists(), "empty directories are gone, too");
}
