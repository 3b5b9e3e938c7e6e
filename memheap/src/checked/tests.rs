//! The guard against modules that say what they are told to.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use super::*;

/// What the module does next: its script is read from the end.
#[derive(Clone)]
enum Say {
    At(u64),
    Move(u64, u64),
    InPlace,
    Freed,
    Refused,
    NoRoom,
    Panic,
}

struct Liar(Arc<Mutex<Vec<Say>>>);

impl Liar {
    fn next(&self) -> Say {
        let say = self.0.lock().unwrap().pop().expect("the module is not asked more than it should be");
        assert!(!matches!(say, Say::Panic), "a module may panic");
        say
    }
}

const NO_ROOM: AllocError =
    AllocError::Exhausted { requested: Bytes(0), free: Bytes(0), largest: Bytes(0), total: Bytes(0) };

impl Module for Liar {
    fn alloc(&mut self, _: Bytes, _: Align) -> Result<Offset, AllocError> {
        match self.next() {
            Say::At(at) => Ok(Offset(at)),
            _ => Err(NO_ROOM),
        }
    }
    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        match self.next() {
            Say::Freed => Ok(Bytes(u64::MAX)),
            _ => Err(FreeError::NotAllocated { at }),
        }
    }
    fn realloc(&mut self, _: Offset, _: Bytes, _: Align) -> Result<Moved, AllocError> {
        match self.next() {
            Say::Move(to, keep) => Ok(Moved::To { to: Offset(to), keep: Bytes(keep) }),
            Say::InPlace => Ok(Moved::InPlace),
            _ => Err(NO_ROOM),
        }
    }
    // The module is not asked what the book knows.
    fn block(&self, _: Offset) -> Option<Block> {
        unreachable!()
    }
    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        unreachable!()
    }
    fn room(&self) -> Room {
        unreachable!()
    }
    fn validate(&self) -> Result<(), Violation> {
        Ok(())
    }
    fn digest(&self) -> Digest {
        unreachable!()
    }
}

struct Guarded {
    guard: RefCell<Checked>,
    script: Arc<Mutex<Vec<Say>>>,
}

/// A guard on 1000 bytes.
fn guarded() -> Guarded {
    let script = Arc::new(Mutex::new(Vec::new()));
    let span = Span { len: Bytes(1000) };
    Guarded { guard: RefCell::new(Checked::new(Box::new(Liar(script.clone())), "liar", span)), script }
}

impl Guarded {
    fn with<R>(&self, say: Say, call: impl FnOnce(&mut Checked) -> R) -> R {
        self.script.lock().unwrap().push(say);
        let result = call(&mut self.guard.borrow_mut());
        assert!(self.script.lock().unwrap().is_empty(), "the module is asked");
        result
    }

    fn alloc(&self, size: u64, at: u64) -> Offset {
        self.with(Say::At(at), |m| m.alloc(Bytes(size), Align::ONE)).unwrap()
    }

    fn state(&self) -> (Vec<Block>, Digest, Room) {
        let m = self.guard.borrow();
        (m.blocks().collect(), m.digest(), m.room())
    }

    fn blocks(&self) -> Vec<(u64, u64, bool)> {
        let m = self.guard.borrow();
        m.blocks().map(|b| (b.at.0, b.len.0, b.state == BlockState::Live)).collect()
    }
}

#[test]
fn blocks_and_room_are_what_was_handed_out() {
    let g = guarded();
    assert_eq!(g.blocks(), [(0, 1000, false)]);
    g.alloc(100, 0);
    g.alloc(0, 300);
    g.alloc(200, 800);
    let blocks = [(0, 100, true), (100, 200, false), (300, 1, true), (301, 499, false), (800, 200, true)];
    assert_eq!(g.blocks(), blocks);
    let m = g.guard.borrow();
    assert_eq!(m.room(), Room { free: Bytes(699), largest: Bytes(499) });
    for (at, len, live) in blocks {
        let state = if live { BlockState::Live } else { BlockState::Free };
        for inside in [at, at + len - 1] {
            assert_eq!(m.block(Offset(inside)), Some(Block { at: Offset(at), len: Bytes(len), state }));
        }
    }
    assert_eq!(m.block(Offset(1000)), None);
    drop(m);
    g.with(Say::Freed, |m| assert_eq!(m.free(Offset(300)), Ok(Bytes(1)), "as long as the book says"));
    assert_eq!(g.blocks(), [(0, 100, true), (100, 700, false), (800, 200, true)]);
}

#[test]
fn the_digest_is_of_the_offsets_given() {
    let digest = |ats: &[u64]| {
        let g = guarded();
        ats.iter().for_each(|at| _ = g.alloc(8, *at));
        g.guard.borrow().digest()
    };
    assert_eq!(digest(&[0, 8]), digest(&[0, 8]));
    assert_ne!(digest(&[0, 8]), digest(&[8, 0]));
    assert_ne!(digest(&[0, 8]), digest(&[0, 16]));
    let g = guarded();
    let before = g.state();
    assert!(g.with(Say::NoRoom, |m| m.alloc(Bytes(1), Align::ONE)).is_err());
    assert_eq!(g.state(), before, "MODULE-M4");
}

#[test]
fn every_lie_is_told_and_changes_nothing() {
    let alloc = |m: &mut Checked| _ = m.alloc(Bytes(100), Align::CACHE_LINE);
    let realloc = |m: &mut Checked| _ = m.realloc(Offset(512), Bytes(200), Align::CACHE_LINE);
    let free = |m: &mut Checked| _ = m.free(Offset(512));
    type Call = fn(&mut Checked);
    let cases: [(Say, Call, &str); 11] = [
        (Say::At(500), alloc, "gave 0x1f4 for an alignment of 64"),
        (Say::At(960), alloc, "past the end"),
        (Say::At(u64::MAX - 63), alloc, "past the end"),
        (Say::At(512), alloc, "overlaps the live block of 100 bytes at 0x200"),
        (Say::At(448), alloc, "overlaps"),
        (Say::At(576), alloc, "overlaps"),
        (Say::Refused, free, "refused to free the live block at 0x200"),
        (Say::Move(0, 99), realloc, "would keep only"),
        (Say::Move(128, 100), realloc, "overlaps the live block of 64 bytes at 0xc0"),
        (Say::Move(832, 100), realloc, "past the end"),
        (Say::Panic, free, "a module may panic"),
    ];
    for (say, call, line) in cases {
        let g = guarded();
        g.alloc(100, 512);
        g.alloc(64, 192);
        let panics = matches!(say, Say::Panic);
        let state = g.state();
        g.script.lock().unwrap().push(say);
        let first = catch_unwind(AssertUnwindSafe(|| call(&mut g.guard.borrow_mut()))).unwrap_err();
        if !panics {
            let first = *first.downcast::<String>().unwrap();
            assert!(first.starts_with("memheap component `liar`") && first.contains(line), "{first}");
        }
        assert_eq!(g.state(), state, "{line}");
        // It is not asked again, even if the program has caught the panic: CHECKED-W3.
        for again in [alloc, free, realloc] as [Call; 3] {
            let again = catch_unwind(AssertUnwindSafe(|| again(&mut g.guard.borrow_mut()))).unwrap_err();
            assert!(again.downcast::<String>().unwrap().contains("it cannot be used"));
        }
        assert_eq!(g.guard.borrow().validate().unwrap_err().invariant, "CHECKED-W3");
    }
}

#[test]
fn a_move_keeps_what_both_blocks_have() {
    let g = guarded();
    g.alloc(100, 0);
    let realloc =
        |at: u64, size: u64| move |m: &mut Checked| m.realloc(Offset(at), Bytes(size), Align::ONE).unwrap();
    let moved = g.with(Say::Move(50, u64::MAX), realloc(0, 200));
    assert_eq!(moved, Moved::To { to: Offset(50), keep: Bytes(100) }, "not what the module would keep");
    assert_eq!(g.blocks(), [(0, 50, false), (50, 200, true), (250, 750, false)]);
    assert_eq!(g.with(Say::InPlace, realloc(50, 10)), Moved::InPlace);
    assert_eq!(g.with(Say::Move(50, 10), realloc(50, 20)), Moved::InPlace);
    assert_eq!(g.blocks(), [(0, 50, false), (50, 20, true), (70, 930, false)]);
}
