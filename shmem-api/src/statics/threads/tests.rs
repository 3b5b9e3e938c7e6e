//! Looks at threads, and at what stands for them.

use crate::statics::threads::*;

fn status(state: &str, blocked: u64) -> String {
    format!(
        "Name:\tpoll\nState:\t{state}\nGroups:\t4 20 \nSigPnd:\t0000000000000400\nSigBlk:\t{blocked:016x}\n\
         voluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n"
    )
}

#[test]
fn states() {
    let parse = |text: &str| parse(text.as_bytes());
    let (asleep, runs) = (Ok(Asleep { switches: 42 }), Err(Why::Runs));
    // All but SIGSEGV, 11: it can be stopped.
    for blocked in [0, !0x400] {
        assert_eq!(parse(&status("S (sleeping)", blocked)), asleep);
    }
    for blocked in [0x400, !0] {
        assert_eq!(parse(&status("S (sleeping)", blocked)), Err(Why::Unstoppable));
        assert_eq!(parse(&status("Z (zombie)", blocked)), asleep, "it writes nothing any more");
        assert_eq!(parse(&status("R (running)", blocked)), runs);
    }
    assert_eq!(parse(&status("D (disk sleep)", 0)), runs);
    assert_eq!(parse("State:\tS (sleeping)\nSigBlk:\t0000000000000000\nGroups:\t1 2 3"), runs, "cut off");
    assert_eq!(parse(""), runs);
}

#[test]
fn a_thread_that_runs_is_seen_and_one_that_sleeps_is_not() {
    let open = |what| File::open(format!("/proc/thread-self/{what}")).unwrap();
    for syscall in [None, Some(open("syscall"))] {
        assert_eq!(
            sleeping(&Files { syscall, status: open("status") }),
            Err(Why::Runs),
            "the one that looks runs"
        );
    }
}

/// Threads that come between the list and the look at each, and later. A directory of the test's own has them.
#[test]
fn threads_that_come_after_the_list_was_made_are_seen() {
    let tasks = std::env::temp_dir().join(format!("shmem-threads-{}", std::process::id()));
    let come = |tid: u32| {
        let thread = tasks.join(tid.to_string());
        std::fs::create_dir_all(&thread).unwrap();
        std::fs::write(thread.join("status"), status("S (sleeping)", 0)).unwrap();
    };
    let go = |tid: u32| std::fs::remove_dir_all(tasks.join(tid.to_string())).unwrap();
    let runs = |tid| Some(InTheWay::runs(tid));
    let list = || Others::list(tasks.to_str().unwrap()).unwrap();
    // More than one read of the directory gives; and numbers that no thread has, so not this one either.
    const FIRST: u32 = 5_000_000;
    (FIRST..FIRST + 1000).for_each(come);
    let mut quiet = list();
    quiet.judge().unwrap();
    assert_eq!((quiet.threads.len(), quiet.in_the_way(), quiet.ran().unwrap()), (1000, None, None));
    for tid in [FIRST - 1, FIRST + 4000] {
        let mut others = list();
        come(tid);
        others.judge().unwrap();
        assert_eq!(others.in_the_way(), runs(tid), "while they were judged");
        go(tid);
        others.judge().unwrap();
        assert_eq!((others.in_the_way(), others.ran().unwrap()), (None, None));
        come(tid);
        assert_eq!(others.ran().unwrap(), runs(tid), "after that");
        go(tid);
    }
    let awake = FIRST + 500;
    std::fs::write(tasks.join(format!("{awake}/status")), status("R (running)", 0)).unwrap();
    assert_eq!((quiet.ran().unwrap(), list().threads.len()), (runs(awake), 1000));
    std::fs::remove_dir_all(&tasks).unwrap();
}
