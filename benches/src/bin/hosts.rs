//! Between two hosts: ours beside bare UCX active messages in C, in rounds of fresh jobs, turn and turn about; minima, medians and goals.
//!
//! ```text
//!   hosts --peer C-PROGRAM [--rounds N]
//!      ├── hosts child      two PEs of this machine as two hosts, over UCX's tcp: PE 0 measures, PE 1 sleeps at a barrier, or computes
//!      └── C-PROGRAM        benches/peers/ucx_am.c: the same by messages and replies; its server sleeps
//! ```
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(unsafe_code, reason = "the calls take pointers")]

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use benches::beside::Failure;
use benches::launch;
use benches::results::Results;
use rustix::time::ClockId;
use shmem_api::{World, raw};

/// The largest transfer.
const LARGEST: usize = 16 << 20;
/// Puts before a quiet.
const MANY: usize = 64;
/// Words of the block, behind the bytes of transfers.
const WORDS: usize = LARGEST / 8;

/// What is measured, what of the peer's it stands beside, and at most how many times as long it may take.
const ROWS: &[(&str, &str, f64)] = &[
    ("put8+quiet", "am", 1.3),
    ("fetch_add", "am", 1.3),
    ("put8_of_64", "am", 0.1),
    ("put8_of_64_apart", "am", 0.1),
    ("signal_round", "am", 1.3),
    ("put1M+quiet", "put1M", 1.0 / 0.9),
    ("get1M", "get1M", 1.0 / 0.9),
    ("put16M+quiet", "put16M", 1.0 / 0.9),
    ("get16M", "get16M", 1.0 / 0.9),
    ("busy_put8+quiet", "am", f64::NAN),
    ("busy_fetch_add", "am", f64::NAN),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["child"] => child(),
        ["--peer", peer] => rounds(peer, 7),
        ["--peer", peer, "--rounds", n] => n.parse().map_err(Failure::from).and_then(|n| rounds(peer, n)),
        _ => Err("it takes --peer C-PROGRAM and --rounds N".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("hosts: {e}");
            ExitCode::FAILURE
        }
    }
}

fn rounds(peer: &str, n: usize) -> Result<(), Failure> {
    let mut results = Results::default();
    for round in 0..n {
        eprintln!("round {} of {n}", round + 1);
        let mut ours = Command::new(std::env::current_exe()?);
        ours.arg("child").env("SHMEM_LOCAL_PES", "2").env("SHMEM_FAKE_HOSTS", "2").env("UCX_TLS", "tcp,self");
        results.take_in(&launch::run(ours, Duration::from_secs(120))?.stdout);
        results.take_in(&launch::run(Command::new(peer), Duration::from_secs(120))?.stdout);
    }
    println!("| us | ours, least | median | bare, least | median | ratio of least | of medians | goal |");
    println!("|---|---|---|---|---|---|---|---|");
    for &(what, beside, goal) in ROWS {
        let [ours, bare] = [("ours", what), ("bare", beside)]
            .map(|(who, what)| [results.least(who, what), results.median(who, &format!("{what}/median"))]);
        let ratios = [0, 1].map(|i| ours[i].zip(bare[i]).map(|(ours, bare)| ours / bare));
        let us = |ns: Option<f64>| ns.map(|ns| ns / 1e3);
        let cells = [ours[0], ours[1], bare[0], bare[1]].map(us).into_iter().chain(ratios);
        let shown: Vec<_> =
            cells.map(|cell| cell.map_or("-".to_owned(), |cell| format!("{cell:.2}"))).collect();
        let goal = if goal.is_nan() { "200 us".to_owned() } else { format!("{goal:.2}") };
        println!("| {what} | {} | {goal} |", shown.join(" | "));
    }
    let median = |what| results.median("ours", what).map_or("-".to_owned(), |n| format!("{n:.1}"));
    let (loss, served) = (median("loss"), median("served"));
    println!(
        "\nThe computing target's loss at 1,000 messages a second, what the initiator takes of its cores included: {loss} per mille."
    );
    println!("What its own threads take of a core to serve them: {served} per mille.");
    println!("CPU time of a PE that sleeps for two seconds: {} us.", median("idle"));
    Ok(())
}

/// Prints the least and the median of so many times, each over `each` transfers.
fn report(what: &str, n: usize, each: usize, mut once: impl FnMut()) {
    (0..n / 10 + 1).for_each(|_| once());
    let mut times: Vec<f64> = (0..n)
        .map(|_| {
            let start = Instant::now();
            once();
            start.elapsed().as_secs_f64() * 1e9 / each as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("ours {what} {:.0}", times[0]);
    println!("ours {what}/median {:.0}", times[n / 2]);
}

// SAFETY, for all below: the World is up; the block has LARGEST bytes and three words behind them on both PEs; bytes that are put or got are
// touched by PE 0 only, words by atomics and signals only.

fn child() -> Result<(), Failure> {
    let world: World = World::init()?;
    assert_eq!(world.n_pes(), 2, "start it with SHMEM_LOCAL_PES=2");
    // SAFETY: see above; both PEs ask for the same.
    let at = unsafe { raw::align(4096, LARGEST + 64) };
    assert!(!at.is_null(), "no room for {LARGEST} bytes");
    let word = at.cast::<u64>().wrapping_add(WORDS);
    let (signal, stop) = (word.wrapping_add(1), word.wrapping_add(2));
    if world.pe() == 0 {
        transfers(at, word);
    }
    world.barrier();
    signals(world.pe() == 0, at, signal);
    world.barrier();
    match world.pe() {
        0 => {
            let hog = hog();
            small("busy_", 2000, at, word);
            // SAFETY: see above.
            unsafe { raw::atomic_set(stop, 1, 1) };
            hog.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        // Computes, and looks at its own memory without calling the library.
        // SAFETY: see above.
        _ => while unsafe { stop.read_volatile() } == 0 {},
    }
    world.barrier();
    match world.pe() {
        0 => messages(at, stop),
        _ => loss(stop),
    }
    world.barrier();
    let before = used(ClockId::ProcessCPUTime);
    std::thread::sleep(Duration::from_secs(2));
    let slept = used(ClockId::ProcessCPUTime) - before;
    if world.pe() == 1 {
        println!("ours idle {:.0}", slept.as_secs_f64() * 1e6);
    }
    world.barrier();
    Ok(())
}

/// What PE 1 says to PE 0 by the word `stop` of PE 0.
const SILENCE: u64 = 2;
const TALK: u64 = 3;
const END: u64 = 4;

/// PE 0: a put and quiet each millisecond while PE 1 wants to hear them.
fn messages(at: *mut u8, stop: *mut u64) {
    let (one, mut next) = (1_u64, Instant::now());
    loop {
        // SAFETY: see above.
        match unsafe { stop.read_volatile() } {
            TALK => {
                // SAFETY: see above.
                unsafe { raw::put(at.cast::<u64>(), &raw const one, 1, 1) };
                quiet();
            }
            END => return,
            _ => {}
        }
        next = (next + Duration::from_millis(1)).max(Instant::now());
        std::thread::sleep(next - Instant::now());
    }
}

/// PE 1: computes on all cores, in silence and with messages coming in, turn and turn about.
fn loss(stop: *mut u64) {
    const TIME: Duration = Duration::from_millis(300);
    let say = |word| {
        // SAFETY: see above.
        unsafe { raw::atomic_set(stop, word, 0) };
        quiet();
    };
    let (mut losses, mut served) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        say(SILENCE);
        let (silent, _) = computed(TIME);
        say(TALK);
        let (told, other) = computed(TIME);
        losses.push((1.0 - told as f64 / silent as f64) * 1e3);
        served.push(other.as_secs_f64() / TIME.as_secs_f64() * 1e3);
    }
    say(END);
    for (what, mut each) in [("loss", losses), ("served", served)] {
        each.sort_by(f64::total_cmp);
        println!("ours {what} {:.1}", each[each.len() / 2]);
    }
}

/// How much is computed in that time by as many threads as there are cores, without a call of the library; and how long other threads of
/// this process ran meanwhile.
fn computed(time: Duration) -> (u64, Duration) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let compute = move || {
        let (start, mut done, mut x) = (Instant::now(), 0, 1_u64);
        while start.elapsed() < time {
            (0..1000).for_each(|i| x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005) ^ i));
            done += 1;
        }
        done
    };
    let timed = move || {
        let before = used(ClockId::ThreadCPUTime);
        (compute(), used(ClockId::ThreadCPUTime) - before)
    };
    let before = used(ClockId::ProcessCPUTime);
    let others: Vec<_> = (1..cores).map(|_| std::thread::spawn(timed)).collect();
    let own = timed();
    let all = others.into_iter().filter_map(|thread| thread.join().ok()).chain([own]);
    let (done, computing) = all.fold((0, Duration::ZERO), |sum, each| (sum.0 + each.0, sum.1 + each.1));
    (done, (used(ClockId::ProcessCPUTime) - before).saturating_sub(computing))
}

/// What this process or thread has used of the cores.
fn used(clock: ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A thread that computes until it is told to stop.
fn hog() -> std::sync::Arc<std::sync::atomic::AtomicBool> {
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = stop.clone();
    std::thread::spawn(move || while !told.load(std::sync::atomic::Ordering::Relaxed) {});
    stop
}

fn quiet() {
    // SAFETY: see above.
    unsafe { raw::quiet() };
}

fn small(prefix: &str, n: usize, at: *mut u8, word: *mut u64) {
    let one = 1_u64;
    report(&format!("{prefix}put8+quiet"), n, 1, || {
        // SAFETY: see above.
        unsafe { raw::put(at.cast::<u64>(), &raw const one, 1, 1) };
        quiet();
    });
    report(&format!("{prefix}fetch_add"), n, 1, || {
        // SAFETY: see above.
        unsafe { raw::atomic_fetch_add(word, 1, 1) };
    });
}

fn transfers(at: *mut u8, word: *mut u64) {
    small("", 20_000, at, word);
    let one = 1_u64;
    // In a row, and none next to the one before it.
    for (name, step) in [("put8_of_64", 1), ("put8_of_64_apart", 37)] {
        report(name, 3000, MANY, || {
            for i in 0..MANY {
                // SAFETY: see above.
                unsafe { raw::put(at.cast::<u64>().wrapping_add(i * step), &raw const one, 1, 1) };
            }
            quiet();
        });
    }
    let mut private = vec![1_u8; LARGEST];
    for (name, len, n) in [("1M", 1 << 20, 200), ("16M", LARGEST, 20)] {
        report(&format!("put{name}+quiet"), n, 1, || {
            // SAFETY: see above.
            unsafe { raw::putmem(at, private.as_ptr(), len, 1) };
            quiet();
        });
        report(&format!("get{name}"), n, 1, || {
            // SAFETY: see above.
            unsafe { raw::getmem(private.as_mut_ptr(), at, len, 1) };
        });
    }
}

/// A signal with 8 bytes there, and one back.
fn signals(first: bool, at: *mut u8, signal: *mut u64) {
    let (one, mut round) = (1_u64, 0);
    let other = i32::from(first);
    let send = |round| {
        // SAFETY: see above.
        unsafe {
            raw::put_signal(at.cast::<u64>(), &raw const one, 1, signal, round, raw::SIGNAL_SET, other)
        };
    };
    let wait = |round| {
        // SAFETY: see above.
        unsafe { raw::signal_wait_until(signal, shmem_api::Cmp::Eq, round) };
    };
    const ROUNDS: usize = 5000;
    if first {
        report("signal_round", ROUNDS, 1, || {
            round += 1;
            send(round);
            wait(round);
        });
    } else {
        for round in 1..=(ROUNDS + ROUNDS / 10 + 1) as u64 {
            wait(round);
            send(round);
        }
    }
}
