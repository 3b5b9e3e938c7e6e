//! Selection with components that record what happens to them (E9 of the seeds' test vectors).

use std::sync::{Arc, Mutex};

use super::*;
use crate::component::*;
use crate::settings::MEMHEAP;
use crate::units::{Align, Bytes, Offset};

type Log = Arc<Mutex<Vec<String>>>;

struct Toy {
    name: &'static str,
    priority: i32,
    opens: bool,
    inits: bool,
    log: Log,
}

struct ToyOpened(&'static str, bool, Log);
struct ToyModule(&'static str, Log);

fn say(log: &Log, what: String) {
    log.lock().unwrap().push(what);
}

impl Component for Toy {
    fn name(&self) -> &'static str {
        self.name
    }
    fn priority(&self) -> Priority {
        Priority(self.priority)
    }
    fn open(&self, _: &Settings) -> Result<Box<dyn Opened>, Decline> {
        say(&self.log, format!("open {}", self.name));
        if self.opens {
            Ok(Box::new(ToyOpened(self.name, self.inits, self.log.clone())))
        } else {
            Err(Decline("not today".into()))
        }
    }
}

impl Opened for ToyOpened {
    fn init(&self, _: Span) -> Result<Box<dyn Module>, Decline> {
        say(&self.2, format!("init {}", self.0));
        if self.1 { Ok(Box::new(ToyModule(self.0, self.2.clone()))) } else { Err(Decline("no room".into())) }
    }
    fn close(self: Box<Self>) {
        say(&self.2, format!("close {}", self.0));
    }
}

impl Module for ToyModule {
    fn alloc(&mut self, _: Bytes, _: Align) -> Result<Offset, AllocError> {
        Ok(Offset(0))
    }
    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        Err(FreeError::NotAllocated { at })
    }
    fn realloc(&mut self, at: Offset, _: Bytes, _: Align) -> Result<Moved, AllocError> {
        Err(FreeError::NotAllocated { at }.into())
    }
    fn block(&self, _: Offset) -> Option<Block> {
        None
    }
    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        Box::new(std::iter::empty())
    }
    fn room(&self) -> Room {
        Room::default()
    }
    fn validate(&self) -> Result<(), Violation> {
        Ok(())
    }
    fn digest(&self) -> Digest {
        Digest(0)
    }
    fn finalize(self: Box<Self>) {
        say(&self.1, format!("finalize {}", self.0));
    }
}

fn toy(name: &'static str, priority: i32, log: &Log) -> Toy {
    Toy { name, priority, opens: true, inits: true, log: log.clone() }
}

fn run(toys: &[Toy], pairs: &[(&str, &str)]) -> Result<&'static str, NoneLeft> {
    let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
    let list: Vec<&dyn Component> = toys.iter().map(|t| t as &dyn Component).collect();
    let mut f = Framework::open(&list, &[&MEMHEAP], &settings);
    let won = f.select("user", Span { len: Bytes::mib(2) }, &MEMHEAP, &settings)?;
    let mut f = f.close_losers();
    won.module.finalize();
    f.close();
    f.close();
    Ok(won.component)
}

/// A component that panics in one place.
struct Bomb(&'static str);

struct BombOpened;

impl Component for Bomb {
    fn name(&self) -> &'static str {
        assert!(self.0 != "name");
        "bomb"
    }
    fn priority(&self) -> Priority {
        assert!(self.0 != "priority");
        Priority(1000)
    }
    fn open(&self, _: &Settings) -> Result<Box<dyn Opened>, Decline> {
        assert!(self.0 != "open");
        Ok(Box::new(BombOpened))
    }
}

impl Opened for BombOpened {
    fn init(&self, _: Span) -> Result<Box<dyn Module>, Decline> {
        panic!("init")
    }
    fn close(self: Box<Self>) {
        panic!("close")
    }
}

#[test]
fn a_component_that_panics_is_out_and_the_next_one_wins() {
    for place in ["name", "priority", "open", "init and close"] {
        let (log, bomb) = (Log::default(), Bomb(place));
        let (next, settings) = (toy("a", 1, &log), Settings::from_pairs::<&str, &str>([]).unwrap());
        let mut f = Framework::open(&[&bomb, &next], &[&MEMHEAP], &settings);
        let won = f.select("user", Span { len: Bytes::mib(2) }, &MEMHEAP, &settings).unwrap();
        assert_eq!(won.component, "a");
        let out = won.outcomes[0].to_string();
        assert!(out.contains("it panicked"), "{place}: {out}");
        drop(f.close_losers());
        assert_eq!(log.lock().unwrap().last().unwrap(), "close a");
    }
}

#[test]
fn highest_priority_wins_and_losers_are_finalised_then_closed() {
    let log = Log::default();
    let toys = [toy("b", 1, &log), toy("a", 100, &log), toy("c", 50, &log)];
    assert_eq!(run(&toys, &[]).unwrap(), "a");
    let expected = [
        "open b",
        "open a",
        "open c",
        "init b",
        "init a",
        "finalize b",
        "init c",
        "finalize c",
        "close b",
        "close c",
        "finalize a",
        "close a",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn a_tie_goes_to_the_first_listed() {
    let log = Log::default();
    assert_eq!(run(&[toy("x", 7, &log), toy("y", 7, &log)], &[]).unwrap(), "x");
    assert_eq!(run(&[toy("y", 7, &log), toy("x", 7, &log)], &[]).unwrap(), "y");
}

#[test]
fn those_that_decline_are_skipped() {
    let log = Log::default();
    let toys = [
        Toy { opens: false, ..toy("a", 100, &log) },
        Toy { inits: false, ..toy("b", 50, &log) },
        toy("c", 1, &log),
    ];
    assert_eq!(run(&toys, &[]).unwrap(), "c");
}

#[test]
fn include_exclude_and_priority_by_settings() {
    let log = Log::default();
    let toys = || [toy("a", 100, &log), toy("b", 1, &log)];
    assert_eq!(run(&toys(), &[("SHMEM_MEMHEAP", "b")]).unwrap(), "b");
    assert_eq!(run(&toys(), &[("SHMEM_MEMHEAP", "^a")]).unwrap(), "b");
    assert_eq!(run(&toys(), &[("SHMEM_MEMHEAP_B_PRIORITY", "101")]).unwrap(), "b");
    assert_eq!(run(&toys(), &[("SHMEM_MEMHEAP_A_PRIORITY", "-5")]).unwrap(), "b");
}

#[test]
fn none_left_lists_every_component_and_why() {
    let log = Log::default();
    let toys = [
        Toy { opens: false, ..toy("a", 2, &log) },
        Toy { inits: false, ..toy("b", 1, &log) },
        toy("c", 3, &log),
    ];
    let text = run(&toys, &[("SHMEM_MEMHEAP", "^c")]).unwrap_err().to_string();
    for part in [
        "user heap",
        "a (priority 2): declined to open: not today",
        "b (priority 1): declined to manage 2 MiB: no room",
        "c (priority 3): left out by SHMEM_MEMHEAP=^c",
    ] {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
}

#[test]
fn closed_exactly_once_even_when_only_dropped() {
    let log = Log::default();
    let toys = [toy("a", 1, &log), toy("b", 2, &log)];
    run(&toys, &[]).unwrap();
    let settings = Settings::default();
    let list: Vec<&dyn Component> = toys.iter().map(|t| t as &dyn Component).collect();
    drop(Framework::open(&list, &[&MEMHEAP], &settings));
    let closes = log.lock().unwrap().iter().filter(|l| l.starts_with("close")).count();
    let opens = log.lock().unwrap().iter().filter(|l| l.starts_with("open")).count();
    assert_eq!((opens, closes), (4, 4));
}

#[test]
fn each_space_selects_by_its_own_filter() {
    use crate::settings::MEMHEAP_HOST;
    let log = Log::default();
    let toys = [toy("a", 2, &log), toy("b", 1, &log)];
    let list: Vec<&dyn Component> = toys.iter().map(|t| t as &dyn Component).collect();
    let settings = Settings::from_pairs([("SHMEM_MEMHEAP", "a"), ("SHMEM_MEMHEAP_HOST", "b")]).unwrap();
    let mut f = Framework::open(&list, &[&MEMHEAP, &MEMHEAP_HOST], &settings);
    let span = Span { len: Bytes::mib(2) };
    let user = f.select("user", span, &MEMHEAP, &settings).unwrap();
    let host = f.select("host", span, &MEMHEAP_HOST, &settings).unwrap();
    assert_eq!((user.component, host.component), ("a", "b"));
    assert!(matches!(&host.outcomes[0].fate, Fate::Out(why) if why == "left out by SHMEM_MEMHEAP_HOST=b"));
}
