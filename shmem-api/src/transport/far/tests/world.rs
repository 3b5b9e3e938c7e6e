//! PEs on hosts, without hosts: each has memory and a [`Far`], and one network joins them.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use memheap::PeId;
use parking_lot::Mutex;

use crate::memory::copy;
use crate::process::private::{AtomicBool, AtomicU64, Ordering};
use crate::testing::Random;
use crate::transport::far::execute::Memory;
use crate::transport::far::hosts::Hosts;
use crate::transport::far::message::Secret;
use crate::transport::far::mutation::Mutation;
use crate::transport::far::{Far, Parts};
use crate::transport::sim::{Net, drive_by};
use crate::transport::{FarTarget, Stream};

pub(super) const SECRET: Secret = Secret([7; 16]);
/// A host that is silent for so long is lost.
pub(super) const LINK_TIMEOUT: Duration = Duration::from_secs(7);

/// Nothing takes as long.
const AGES: Duration = Duration::from_secs(3600);

/// The memory of all PEs: a segment and static data of each.
pub(super) struct Segments {
    parts: Vec<[Box<[AtomicU64]>; 2]>,
    pub(super) rings: Vec<AtomicU64>,
    pub(super) gone: AtomicBool,
}

impl Segments {
    fn new(n_pes: usize, bytes: usize) -> Segments {
        let zeroes = || (0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0)).collect();
        Segments {
            parts: (0..n_pes).map(|_| [zeroes(), zeroes()]).collect(),
            rings: (0..n_pes).map(|_| AtomicU64::new(0)).collect(),
            gone: AtomicBool::new(false),
        }
    }

    /// Where that is, if it is somewhere.
    fn find(&self, pe: PeId, at: u64, len: u64, align: u64) -> Option<*mut u8> {
        let part = &self.parts.get(pe.0 as usize)?[usize::from(at & FarTarget::STATIC != 0)];
        let at = at & !FarTarget::STATIC;
        let fits = len > 0 && at.is_multiple_of(align) && at.checked_add(len)? <= part.len() as u64 * 8;
        fits.then(|| part.as_ptr().cast_mut().cast::<u8>().wrapping_add(at as usize))
    }

    /// Bytes as they are now.
    pub(super) fn bytes(&self, pe: PeId, at: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let from = self.find(pe, at, len as u64, 1).expect("inside");
        // SAFETY: COPY-Y2: inside the part, and the vector is as long.
        unsafe { copy::get(bytes.as_mut_ptr(), from, len) };
        bytes
    }

    /// A word as it is now.
    pub(super) fn word(&self, pe: PeId, at: u64) -> u64 {
        u64::from_le_bytes(self.bytes(pe, at, 8).try_into().expect("8 bytes"))
    }

    /// The word itself.
    pub(super) fn atomic(&self, pe: PeId, at: u64) -> &AtomicU64 {
        assert!(at.is_multiple_of(8));
        &self.parts[pe.0 as usize][0][at as usize / 8]
    }
}

/// That of the PEs of one host.
struct OfHost {
    segments: Arc<Segments>,
    host: u32,
    of: Vec<u32>,
}

// SAFETY: FAR-X4: `find` looks at the bounds; the parts live as long as the segments, and are atomics.
unsafe impl Memory for OfHost {
    fn resolve(&self, pe: PeId, at: u64, len: u64, align: u64) -> Option<*mut u8> {
        let here =
            self.of.get(pe.0 as usize) == Some(&self.host) && !self.segments.gone.load(Ordering::Relaxed);
        if here { self.segments.find(pe, at, len, align) } else { None }
    }

    fn ring(&self, pe: PeId) {
        self.segments.rings[pe.0 as usize].fetch_add(1, Ordering::SeqCst);
    }

    fn gone(&self) {
        self.segments.gone.store(true, Ordering::Relaxed);
    }
}

/// See above.
pub(super) struct World {
    pub(super) net: Arc<Net>,
    pub(super) of: Vec<u32>,
    pub(super) segments: Arc<Segments>,
    pub(super) fars: Vec<Arc<Far>>,
    /// Who was told that whose process is lost, and why.
    pub(super) lost: Arc<Mutex<Vec<(PeId, PeId, String)>>>,
}

/// How a world is made.
pub(super) struct Setup<'a> {
    pub(super) seed: u64,
    /// The host of each PE.
    pub(super) of: &'a [u32],
    /// How many bytes each part of a PE's memory has, and can be copied into one message.
    pub(super) bytes: usize,
    pub(super) copied: usize,
    pub(super) mutation: Mutation,
}

impl World {
    pub(super) fn new(setup: &Setup<'_>) -> World {
        let &Setup { seed, of, bytes, copied, mutation } = setup;
        let net = Net::new(seed, of.len(), copied);
        let segments = Arc::new(Segments::new(of.len(), bytes));
        let lost = Arc::new(Mutex::new(Vec::new()));
        let far = |pe: usize| {
            let (me, told) = (PeId(pe as u32), lost.clone());
            let memory = OfHost { segments: segments.clone(), host: of[pe], of: of.to_vec() };
            let parts = Parts {
                wire: net.wire(me),
                memory: Box::new(memory),
                hosts: Hosts::new(me, of),
                secret: SECRET,
                lost: Box::new(move |pe, why| told.lock().push((me, pe, why.to_owned()))),
                look_after: Box::new(|| ()),
                link_timeout: Some(LINK_TIMEOUT),
                spins: 0,
            };
            let mut far = Far::new(parts).expect("the network copies enough");
            far.mutation = mutation;
            Arc::new(far)
        };
        let fars = (0..of.len()).map(far).collect();
        World { net, of: of.to_vec(), segments, fars, lost }
    }

    pub(super) fn n_pes(&self) -> usize {
        self.of.len()
    }
}

pub(super) fn target(pe: usize, at: u64, stream: usize) -> FarTarget {
    FarTarget { pe: PeId(pe as u32), at, stream: Stream(stream) }
}

/// What a PE does next; whether there was something left to do.
pub(super) type Step = Box<dyn Fn(&Driven, usize) -> bool>;

/// Runs a world on one thread (`sim`).
pub(super) struct Driven {
    pub(super) world: World,
    pub(super) random: RefCell<Random>,
    /// By PE: it is in a call, and is cut off.
    busy: Vec<Cell<bool>>,
    pub(super) dead: Vec<Cell<bool>>,
    /// Whose server serves nobody for now.
    pub(super) lazy: Vec<Cell<bool>>,
    /// Milliseconds pass.
    pub(super) ticks: Cell<bool>,
    /// So much time passes, now and then, at the end of which all look whether the other hosts are there. Zero: none does.
    pub(super) step_of_time: Cell<Duration>,
    /// How much has passed.
    pub(super) time: Cell<Duration>,
    /// How many things in a row did nothing.
    idle: Cell<u32>,
    pub(super) events: Cell<u64>,
    step: Step,
}

/// Somebody waits, and nothing can happen any more.
#[derive(Debug)]
pub(super) struct Hung;

impl Driven {
    /// On this thread, from now on.
    pub(super) fn start(setup: &Setup<'_>, step: Step) -> Rc<Driven> {
        let n = setup.of.len();
        let flags = || (0..n).map(|_| Cell::new(false)).collect();
        let driven = Rc::new(Driven {
            world: World::new(setup),
            random: RefCell::new(Random::new(setup.seed ^ 0x5eed)),
            busy: flags(),
            dead: flags(),
            lazy: flags(),
            ticks: Cell::new(true),
            step_of_time: Cell::default(),
            time: Cell::default(),
            idle: Cell::new(0),
            events: Cell::new(0),
            step,
        });
        let of_driver = Rc::downgrade(&driven);
        drive_by(Rc::new(move || {
            if let Some(driven) = of_driver.upgrade() {
                driven.event();
            }
        }));
        driven
    }

    /// A world in which only what the test calls happens by itself.
    pub(super) fn still(seed: u64, of: &[u32], copied: usize) -> Rc<Driven> {
        let setup = Setup { seed, of, bytes: 1 << 16, copied, mutation: Mutation::None };
        Driven::start(&setup, Box::new(|_, _| false))
    }

    pub(super) fn below(&self, n: usize) -> usize {
        self.random.borrow_mut().below(n)
    }

    pub(super) fn far(&self, pe: usize) -> &Far {
        &self.world.fars[pe]
    }

    /// The next thing happens.
    pub(super) fn event(&self) {
        self.events.set(self.events.get() + 1);
        let (what, pe) = (self.below(16), self.below(self.world.n_pes()));
        let alive = !self.dead[pe].get();
        let happened = match what {
            0..=6 => self.world.net.deliver(),
            7..=10 => alive && !self.lazy[pe].get() && self.far(pe).serve_once().events > 0,
            11 => {
                if alive {
                    self.far(pe).poll_if_free();
                }
                if alive && self.ticks.get() {
                    self.far(pe).tick();
                }
                self.pass()
            }
            _ => alive && self.step(pe),
        };
        match happened {
            true => self.idle.set(0),
            false => self.idle.set(self.idle.get() + 1),
        }
        if self.idle.get() > 2000 {
            // With its default hook, a panic would print much for each fault that is to be found.
            resume_unwind(Box::new(Hung));
        }
    }

    /// Some time passes, if it is so far; whether it did.
    fn pass(&self) -> bool {
        let step = self.step_of_time.get();
        // In which much else may happen.
        if step.is_zero() || self.below(8) > 0 {
            return false;
        }
        self.time.set(self.time.get() + step);
        if self.time.get() > AGES {
            resume_unwind(Box::new(Hung));
        }
        self.world.net.pass(step.as_millis() as u64);
        let alive = (0..self.world.n_pes()).filter(|&pe| !self.dead[pe].get());
        alive.for_each(|pe| self.far(pe).look(step));
        true
    }

    /// The next step of a PE, unless it is in one.
    fn step(&self, pe: usize) -> bool {
        if self.busy[pe].replace(true) {
            return false;
        }
        let stepped = (self.step)(self, pe);
        self.busy[pe].set(false);
        stepped
    }

    /// A call of a PE, during which it makes no other.
    pub(super) fn call<R>(&self, pe: usize, call: impl FnOnce(&Far) -> R) -> R {
        assert!(!self.busy[pe].replace(true), "PE {pe} is in a call");
        let result = call(self.far(pe));
        self.busy[pe].set(false);
        result
    }

    /// Lets things happen until `done`.
    pub(super) fn until(&self, done: impl Fn() -> bool) {
        while !done() {
            self.event();
        }
    }

    /// Lets everything happen that can.
    pub(super) fn settle(&self) {
        let mut quiet = 0;
        while quiet < 300 {
            self.idle.set(0);
            self.event();
            quiet = if self.world.net.is_quiet() { quiet + 1 } else { 0 };
        }
        self.idle.set(0);
    }
}

/// What `run` came to: an error that says what was wrong.
pub(super) fn caught(run: impl FnOnce()) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| match panic.downcast::<Hung>() {
        Ok(hung) => format!("{hung:?}"),
        Err(panic) => match panic.downcast::<String>() {
            Ok(line) => *line,
            Err(_) => "a panic".to_owned(),
        },
    })
}
