//! Work stealing: every PE has a queue of tasks, known by two numbers in one word, and whoever has none left
//! takes half of what another has.
//!
//! ```text
//!   range on each PE:  | next : 32 | end : 32 |   the owner takes one from the front,
//!                                                 a thief the back half, both by compare-and-swap
//! ```
//!
//! `steal [TASKS]` gives all tasks to PE 0. A task is a number; its work is to count the steps of its Collatz
//! sequence, which takes long for some and short for others. Each task must be done exactly once.

use std::process::ExitCode;

use shmem_api::{Error, Remote, Single, World};

use examples::{arguments, sum_of_all};

fn main() -> ExitCode {
    shmem_api::run(steal)
}

/// Tasks `next..end`, in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Tasks {
    next: u32,
    end: u32,
}

fn steal(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let (tasks, _) = arguments(20_000u32, 0);
    let mut queue = world.alloc_one(if me == 0 { Tasks { next: 0, end: tasks }.word() } else { 0 })?;
    let mut left = world.alloc_one(if me == 0 { u64::from(tasks) } else { 0 })?;
    let mut times = world.alloc::<u64>(tasks as usize)?;

    let (mut steps, mut stolen) = (0, 0u64);
    world.share((&mut queue, &mut left, &mut times), |_, (queue, left, times)| {
        let mut random = fastrand::Rng::with_seed(me as u64);
        while left.fetch(0, 0) > 0 {
            while let Some(task) = take_one(&queue, me) {
                steps += collatz(u64::from(task) + 1);
                times.add(0, task as usize, 1);
                left.fetch_add(0, 0, u64::MAX);
            }
            let victim = random.usize(..n);
            match (victim != me).then(|| take_half(&queue, victim)).flatten() {
                Some(loot) => {
                    stolen += u64::from(loot.end - loot.next);
                    queue.set(me, 0, loot.word());
                }
                // Nothing there: let others run, who may have something to do.
                None => std::thread::yield_now(),
            }
        }
    });

    if me == 0 {
        assert!(times.iter().all(|n| *n == 1), "a task was done twice, or not at all");
    }
    let expected: u64 = (1..=u64::from(tasks)).map(collatz).sum();
    let [steps, stolen] = sum_of_all(world, &[steps, stolen]);
    assert_eq!(steps, expected, "the steps of all tasks");
    if me == 0 {
        eprintln!(
            "steal: {tasks} tasks by {n} PEs, each once; {stolen} times a task was stolen; {steps} steps"
        );
    }
    Ok(())
}

/// The owner's side. Only the owner puts tasks into its queue, and only when it is empty.
fn take_one(queue: &Remote<'_, u64, Single>, me: usize) -> Option<u32> {
    take(queue, me, |t| (Tasks { next: t.next + 1, ..t }, Tasks { end: t.next + 1, ..t })).map(|t| t.next)
}

/// The thief's side: the back half, rounded up.
fn take_half(queue: &Remote<'_, u64, Single>, victim: usize) -> Option<Tasks> {
    take(queue, victim, |t| {
        let middle = t.next + (t.end - t.next) / 2;
        (Tasks { end: middle, ..t }, Tasks { next: middle, ..t })
    })
}

/// Takes from a PE's queue what `split` says, unless it is empty: it gives what stays and what is taken.
fn take(queue: &Remote<'_, u64, Single>, pe: usize, split: fn(Tasks) -> (Tasks, Tasks)) -> Option<Tasks> {
    let mut seen = queue.fetch(pe, 0);
    loop {
        let there = Tasks::of(seen);
        if there.next == there.end {
            return None;
        }
        let (stays, taken) = split(there);
        match queue.compare_swap(pe, 0, seen, stays.word()) {
            old if old == seen => return Some(taken),
            newer => seen = newer,
        }
    }
}

impl Tasks {
    fn word(self) -> u64 {
        u64::from(self.next) << 32 | u64::from(self.end)
    }

    fn of(word: u64) -> Tasks {
        Tasks { next: (word >> 32) as u32, end: word as u32 }
    }
}

fn collatz(mut number: u64) -> u64 {
    let mut steps = 0;
    while number != 1 {
        number = if number.is_multiple_of(2) { number / 2 } else { 3 * number + 1 };
        steps += 1;
    }
    steps
}
