//! Which engine carries messages between hosts: all PEs choose it together and say so, and none is opened on one host.
//!
//! A PE whose UCX cannot be loaded is made with a file of that name that is no library. Where this machine has no UCX, or no Open MPI, what needs
//! it is skipped.

use std::io::Write;
use std::path::{Path, PathBuf};

use shmem_api::testing::{Boot, Launch, Outcome, is_pe};
use shmem_api::{World, engine_choices};

/// A line in one piece: PEs share the stream.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Says which libraries the process has; then each PE gives the next a word.
fn greet() {
    let world = World::init().unwrap_or_else(|e| {
        say(&format!("no World: {e}"));
        std::process::exit(7)
    });
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    say(if maps.contains("libucp") { "libucp is here" } else { "libucp is not here" });
    let (me, n) = (world.pe(), world.n_pes());
    let mut words = world.alloc::<u64>(1).unwrap();
    world.share(&mut words, |_, words| words.put_one((me + 1) % n, 0, 40 + me as u64));
    assert_eq!(words[0], 40 + ((me + n - 1) % n) as u64);
    drop(words);
    world.finalize().unwrap();
}

/// The test, on two PEs, as so many hosts.
fn launch(test: &str, boot: Boot, hosts: u32) -> Launch {
    Launch::of_test(test, 2, boot).env("SHMEM_FAKE_HOSTS", &hosts.to_string()).env("SHMEM_INFO", "1")
}

fn has_ucx() -> bool {
    engine_choices().iter().any(|engine| engine.name == "ucx" && engine.fate.contains("UCX"))
}

fn has_open_mpi() -> bool {
    Boot::OpenMpi.launcher().is_some()
}

/// A folder with a UCX that is none.
fn broken_ucx(test: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("shmem-{}-{}", test.replace("::", "-"), std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("libucp.so.0"), "no library").unwrap();
    dir
}

/// What PE 0 says of that engine.
fn fate<'o>(outcome: &'o Outcome, engine: &str) -> &'o str {
    let head = format!("transport {engine} (priority ");
    let line = outcome.stderr.lines().find(|line| line.contains(&head));
    line.unwrap_or_else(|| panic!("nothing is said of {engine}: {outcome}"))
}

/// Ended because of that, which one line on each PE says.
fn ends_with(outcome: &Outcome, what: &[&str]) {
    assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
    for what in what {
        let line = |line: &&str| line.contains("no World: ") && line.contains(what);
        assert!(outcome.stderr.lines().any(|l| line(&l)), "nobody said {what:?}: {outcome}");
    }
}

#[test]
fn a_job_on_one_host_opens_none() {
    if is_pe() {
        return greet();
    }
    let test = here!("a_job_on_one_host_opens_none");
    let one = launch(test, Boot::Local, 1).run();
    one.expect_success(test);
    assert_eq!(one.stderr.matches("libucp is not here").count(), 2, "{one}");
    assert!(!one.stderr.contains("transport "), "{one}");
    if has_ucx() {
        let two = launch(test, Boot::Local, 2).run();
        two.expect_success(test);
        assert_eq!(two.stderr.matches("libucp is here").count(), 2, "{two}");
        assert!(fate(&two, "ucx").contains("selected: ucx (UCX "), "{two}");
        assert!(fate(&two, "mpi").ends_with("not needed"), "{two}");
        assert!(!two.stderr.contains("go over MPI"), "{two}");
    }
}

#[test]
fn mpi_is_taken_if_it_is_asked_for_or_ucx_is_left_out() {
    if is_pe() {
        return greet();
    }
    let test = here!("mpi_is_taken_if_it_is_asked_for_or_ucx_is_left_out");
    for boot in Boot::launchers().filter(|boot| matches!(boot, Boot::OpenMpi | Boot::Mpich)) {
        // MPI is initialised by the boot, or by the engine.
        for way in ["mpi", boot.way()] {
            for value in ["mpi", "^ucx"] {
                let outcome =
                    launch(test, boot, 2).env("SHMEM_TRANSPORT", value).env("SHMEM_BOOT", way).run();
                outcome.expect_success(&format!("{value} {boot:?} {way}"));
                assert!(fate(&outcome, "ucx").ends_with(&format!("left out by SHMEM_TRANSPORT={value}")));
                assert!(fate(&outcome, "mpi").contains("selected: mpi ("), "{outcome}");
                assert_eq!(outcome.stderr.matches("go over MPI").count(), 1, "{outcome}");
            }
        }
    }
}

#[test]
fn what_one_pe_lacks_no_pe_takes() {
    if is_pe() {
        return greet();
    }
    if !has_ucx() || !has_open_mpi() {
        return eprintln!("skipped: no UCX, or no Open MPI");
    }
    let test = here!("what_one_pe_lacks_no_pe_takes");
    let dir = broken_ucx(test);
    let outcome = on_rank_1(test, &format!("LD_LIBRARY_PATH={}", dir.display())).run();
    outcome.expect_success(test);
    let of_ucx = fate(&outcome, "ucx");
    assert!(
        of_ucx.contains("not on PE 1: ") && of_ucx.contains("install UCX (Debian: libucx0)"),
        "{outcome}"
    );
    assert!(fate(&outcome, "mpi").contains("selected: mpi ("), "{outcome}");
    std::fs::remove_dir_all(dir).unwrap();
}

/// Rank 1 has a variable more.
fn on_rank_1(test: &str, variable: &str) -> Launch {
    let script = format!(r#"[ "$OMPI_COMM_WORLD_RANK" = 1 ] && export {variable}; exec "$0" "$@""#);
    let mut command = Boot::OpenMpi.command(2, Path::new("sh"), test);
    command.arg("-c").arg(script).arg(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    let launch = Launch::of_command(command).by(Boot::OpenMpi).env("SHMEM_TEST_ROLE", test);
    launch.env("SHMEM_SYMMETRIC_SIZE", "64m").env("SHMEM_FAKE_HOSTS", "2").env("SHMEM_INFO", "1")
}

#[test]
fn pes_that_are_told_different_engines_say_so() {
    if is_pe() {
        return greet();
    }
    if !has_ucx() || !has_open_mpi() {
        return eprintln!("skipped: no UCX, or no Open MPI");
    }
    let test = here!("pes_that_are_told_different_engines_say_so");
    let outcome = on_rank_1(test, "SHMEM_TRANSPORT=mpi").env("SHMEM_TRANSPORT", "ucx").run();
    ends_with(
        &outcome,
        &["ucx: not on PE 1: left out by SHMEM_TRANSPORT=mpi", "mpi: left out by SHMEM_TRANSPORT=ucx"],
    );
}

#[test]
fn without_an_engine_one_line_says_what_to_install() {
    if is_pe() {
        return greet();
    }
    let test = here!("without_an_engine_one_line_says_what_to_install");
    let dir = broken_ucx(test);
    let outcome = launch(test, Boot::Local, 2).env("LD_LIBRARY_PATH", &dir.display().to_string()).run();
    ends_with(
        &outcome,
        &[
            "nothing carries messages between the hosts",
            "install UCX (Debian: libucx0)",
            "mpi: no MPI is in this process",
        ],
    );
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn an_engine_that_there_is_not_is_named() {
    if is_pe() {
        return greet();
    }
    let test = here!("an_engine_that_there_is_not_is_named");
    for value in ["tcp", "ucx,tcp", "^"] {
        let outcome = launch(test, Boot::Local, 2).env("SHMEM_TRANSPORT", value).run();
        ends_with(&outcome, &["SHMEM_TRANSPORT", value]);
    }
}

/// Between two PEs: minima and medians in us.
fn round_trips() {
    const N: usize = 3000;
    let world = World::init().unwrap();
    let mut words = world.alloc::<u64>(1 << 17).unwrap();
    let data = vec![1u64; 1 << 17];
    world.share(&mut words, |share, words| {
        let measure = |what: &str, n: usize, call: &dyn Fn()| {
            let mut times: Vec<f64> = (0..n)
                .map(|_| {
                    let begin = std::time::Instant::now();
                    call();
                    begin.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            times.sort_by(f64::total_cmp);
            eprintln!("ROW {what}: {:.1} {:.1}", times[0], times[n / 2]);
        };
        if world.pe() == 0 {
            measure("8-byte put + quiet", N, &|| {
                words.put_one(1, 0, 7);
                share.quiet();
            });
            measure("fetch-add", N, &|| _ = words.fetch_add(1, 0, 1));
            measure("8-byte get", N, &|| _ = words.get_one(1, 0));
            measure("64 puts + quiet", N / 10, &|| {
                (0..64).for_each(|i| words.put_one(1, i, 7));
                share.quiet();
            });
            measure("1 MiB put + quiet", N / 10, &|| {
                words.put(1, 0, &data);
                share.quiet();
            });
        }
    });
    drop(words);
    world.finalize().unwrap();
}

#[test]
#[ignore = "a measurement"]
fn round_trips_over_each_engine() {
    if is_pe() {
        return round_trips();
    }
    let test = here!("round_trips_over_each_engine");
    for round in 0..3 {
        for boot in [Boot::OpenMpi, Boot::Mpich] {
            for engine in ["ucx", "mpi"] {
                let outcome = launch(test, boot, 2).env("SHMEM_TRANSPORT", engine).run();
                outcome.expect_success(test);
                for row in outcome.stderr.lines().filter_map(|line| line.strip_prefix("ROW ")) {
                    eprintln!("{round} {boot:?} {engine} {row}");
                }
            }
        }
    }
}
