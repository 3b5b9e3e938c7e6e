//! The world: from init to finalize.
//!
//! A [`World`] is the proof that the library is up. Everything symmetric borrows it, so nothing can
//! outlive it. It is finalized by [`World::finalize`], or when it goes out of scope.

use std::mem::ManuallyDrop;
use std::ops::Deref;

use memheap::Component;
use memheap::place::{Near, Reach};

use crate::api::sym::{SymBox, SymSlice};
use crate::api::team::Team;
use crate::engine::Handle;
use crate::error::Error;
use crate::exit::end::after_panic;
use crate::heap::Leaks;
use crate::heap::components::BUILT_IN;
use crate::heap::stats::HeapStats;
use crate::process::child;
use crate::process::say::say;
use crate::startup::init;
use crate::startup::init_count::{self, By};
use crate::types::call_site::CallSite;
use crate::types::elem::Elem;
use crate::types::object::ObjectType;
use crate::types::thread_level::Asked;
use crate::types::thread_level::{Level, Single};

/// The library while it is up, and the team of all PEs.
///
/// `L` is the thread level: a `World<Single>` stays on its thread, a `World<Multiple>` may be used by
/// all threads at once.
pub struct World<L: Level = Single> {
    team: Team<'static, L>,
}

/// Sets a World up with more than the defaults.
pub struct Builder<'c> {
    components: Vec<&'c dyn Component>,
    checked: Vec<crate::heap::components::CheckedComponent<'c>>,
}

impl World<Single> {
    /// Collective over the job: brings the library up (OpenSHMEM 1.6, `shmem_init`). If it is up, this is one more
    /// World on the same library: it comes down when the last has been finalized.
    ///
    /// # Errors
    /// If the library was brought up by another thread at less than level `Multiple`. Else on every PE alike, with the PE that is to blame: a setting that does not parse, PEs that were
    /// started with different settings, a heap that cannot be had, a job that cannot be joined.
    pub fn init() -> Result<World<Single>, Error> {
        Self::init_level()
    }

    /// Starts with more than the defaults.
    pub fn builder<'c>() -> Builder<'c> {
        Builder { components: BUILT_IN.to_vec(), checked: Vec::new() }
    }
}

impl<L: Level> World<L> {
    /// Collective over the job: brings the library up at thread level `L` (OpenSHMEM 1.6,
    /// `shmem_init_thread`).
    ///
    /// # Errors
    /// As [`World::init`], and if the launcher gives less than `L`.
    pub fn init_level() -> Result<World<L>, Error> {
        Self::with(BUILT_IN)
    }

    fn with(components: &[&dyn Component]) -> Result<World<L>, Error> {
        let asked = Asked { level: L::ASKED, needed: true };
        Ok(World { team: Team::world(init::come(By::World, asked, components)?) })
    }

    /// Collective: takes the library down and says what was never freed (OpenSHMEM 1.6, `shmem_finalize`).
    /// While other Worlds, or inits of the raw API, keep the library up, it is a barrier and says nothing.
    ///
    /// # Errors
    /// If the PEs do not all finalize; the job is ended when this process exits.
    pub fn finalize(self) -> Result<Leaks, Error> {
        ManuallyDrop::new(self).take_down()
    }

    fn take_down(&self) -> Result<Leaks, Error> {
        init::go(By::World, self.team.engine)
    }

    /// Keeps the library up until the process exits, so that objects can be kept in structures without
    /// a lifetime. Process exit then finalizes, if it comes from the thread that made the World.
    pub fn leak(self) -> &'static World<L> {
        init_count::leak();
        Box::leak(Box::new(self))
    }

    /// Collective: a symmetric array of `len` elements, all zero, on every PE.
    ///
    /// # Errors
    /// On every PE alike: no room (nothing has changed), or the PEs asked for different things.
    #[track_caller]
    pub fn alloc<T: Elem>(&self, len: usize) -> Result<SymSlice<'_, T>, Error> {
        self.alloc_at(len, Reach::World, Near::Any)
    }

    /// Collective: as [`alloc`](Self::alloc), from memory that `reach` can reach (it must be asked for
    /// equally on all PEs), with this PE's part near whom `near` names (a preference of each PE's own).
    ///
    /// # Errors
    /// As there; if no space gives that reach; if memory for devices cannot be locked on some PE.
    ///
    /// # Panics
    /// For [`Reach::Pe`], which is not collective: see [`alloc_own`](Self::alloc_own).
    #[track_caller]
    pub fn alloc_at<T: Elem>(&self, len: usize, reach: Reach, near: Near) -> Result<SymSlice<'_, T>, Error> {
        assert!(reach != Reach::Pe, "memory of one PE is allocated by `alloc_own`");
        self.take(len, ObjectType::array::<T>(), reach, near)
    }

    /// Memory for an object that is to be `what`, of `len` elements of `T`.
    #[track_caller]
    pub(crate) fn take<T: Elem>(
        &self,
        len: usize,
        what: ObjectType,
        reach: Reach,
        near: Near,
    ) -> Result<SymSlice<'_, T>, Error> {
        SymSlice::alloc(&self.team.engine, len, what, (reach, near), CallSite::here())
    }

    /// Collective: as [`alloc`](Self::alloc), with this PE's elements set to `value(index)`.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn alloc_with<T: Elem>(
        &self,
        len: usize,
        value: impl FnMut(usize) -> T,
    ) -> Result<SymSlice<'_, T>, Error> {
        let mut slice = self.alloc(len)?;
        for (element, v) in slice.iter_mut().zip((0..len).map(value)) {
            *element = v;
        }
        Ok(slice)
    }

    /// Collective: one symmetric value, set to this PE's `value`.
    ///
    /// # Errors
    /// As [`alloc`](Self::alloc).
    #[track_caller]
    pub fn alloc_one<T: Elem>(&self, value: T) -> Result<SymBox<'_, T>, Error> {
        let mut one = self.take(1, ObjectType::one::<T>(), Reach::World, Near::Any)?;
        one[0] = value;
        Ok(SymBox(one))
    }

    /// Collective: gives the memory of dropped objects back now, instead of at the next allocation.
    ///
    /// # Errors
    /// If some PE is at another collective call.
    pub fn reclaim(&self) -> Result<(), Error> {
        self.team.engine.collect()
    }

    /// How full the heap is. Local; the same on every PE between heap calls. It waits for a heap call that
    /// another thread is in.
    pub fn heap(&self) -> HeapStats {
        let engine = self.team.engine;
        let (figures, room) = engine.heap.with("a look at the heap", |h| h.figures());
        HeapStats { total: engine.heap_len(), room, figures }
    }

    /// The name of the allocator that manages the heap.
    pub fn memheap(&self) -> &'static str {
        self.team
            .engine
            .heap
            .with("a look at the heap", |h| h.space(Reach::World).map_or("none", |s| s.component()))
    }

    /// Where this PE's heap begins in its own address space; the same address on every PE unless none was
    /// free on all.
    pub fn heap_base(&self) -> usize {
        let engine = self.team.engine;
        engine.address(engine.layout.window(Reach::World).0) as usize
    }
}

impl<L: Level> Deref for World<L> {
    type Target = Team<'static, L>;
    fn deref(&self) -> &Team<'static, L> {
        &self.team
    }
}

impl<L: Level> Drop for World<L> {
    /// Finalizes, or ends the job when dropped by a panic. In a child of `fork`, nothing.
    fn drop(&mut self) {
        if child::is_child() {
            return;
        }
        let engine: Handle = self.team.engine;
        if std::thread::panicking() {
            after_panic(&engine, "panicked");
        }
        let me = engine.me;
        match self.take_down() {
            Ok(Leaks { blocks, bytes, sites }) if blocks > 0 && me.0 == 0 => {
                say(&format!("PE 0: {blocks} blocks ({bytes}) of the symmetric heap were never freed"));
                sites.iter().for_each(|site| say(&format!("PE 0: never freed: {site}")));
            }
            Ok(_) => {}
            // The program may be on its way out with an error of its own: let it say so. Process exit
            // ends the job.
            Err(e) => say(&e.to_string()),
        }
    }
}

impl<'c> Builder<'c> {
    /// Adds an allocator to those the framework selects from. It is not believed: its answers are checked against a book
    /// of what it gave, and what it gives is compared between the PEs, at the price of one more rendezvous per heap
    /// call. An allocator that lies, panics, or calls the heap while it is asked ends that call with one line.
    pub fn component(mut self, component: &'c dyn Component) -> Self {
        self.checked.push(crate::heap::components::CheckedComponent(component));
        self
    }

    /// Adds an allocator whose answers are believed.
    ///
    /// # Safety
    /// The component keeps MODULE-M1 to MODULE-M6 of [`memheap::component`]: it never hands out memory that overlaps a live block or
    /// leaves its span, calls no live block free, and gives equal offsets on all PEs. It does not unwind.
    #[allow(unsafe_code, reason = "to ask for this; nothing here touches memory")]
    pub unsafe fn component_trusted(mut self, component: &'c dyn Component) -> Self {
        self.components.push(component);
        self
    }

    /// Collective over the job: brings the library up, as [`World::init_level`].
    ///
    /// # Errors
    /// As there.
    pub fn init<L: Level>(self) -> Result<World<L>, Error> {
        let checked = self.checked.iter().map(|c| c as &dyn Component);
        let list: Vec<&dyn Component> = self.components.iter().copied().chain(checked).collect();
        World::with(&list)
    }
}
