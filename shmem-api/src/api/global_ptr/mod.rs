//! Global pointers: one word that names an element of a shared object on some PE.
//!
//! ```text
//!   PE 0   head ─────────┐            GlobalPtr<T> = GlobalAddr, 8 bytes, Pod: it lies in symmetric memory
//!   PE 1   [ a │ b ◄─────┘ ]               │ locate, by the handle of the object it points into
//!   PE 2   [ c ◄── b.next  ]               ▼
//!                                     (PE, index) ──► put, get, atomics of that handle
//! ```
//!
//! A pointer alone reaches nothing. Whatever follows it is given the handle of a shared object, and
//! checks the pointer against that object first, in constant time and without a table. So a pointer may
//! hold any bits, even such as another PE has written, and following it stays safe:
//!
//! * **GLOBALPTR-L1** `locate(ptr) == Some((pe, at))` exactly if `pe` is in the team of the handle's phase and `ptr` names
//!   the first byte of element `at` of the object on it; then `global(pe, at) == ptr`. The pointer itself holds
//!   the PE's number in the world, so it means the same in every team;
//! * **GLOBALPTR-L2** a pointer that cannot be located is never followed;
//! * **GLOBALPTR-L3** null is all zero, which is what fresh symmetric memory holds.

pub(crate) mod links;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use bytemuck::{Pod, Zeroable};
use memheap::Bytes;
use memheap::global::GlobalAddr;

use crate::api::phase::{Remote, RemoteRead};
use crate::types::elem::{AmoBit, AmoInt, AmoSwap, Elem};
use crate::types::thread_level::Level;

/// A pointer to an element of a shared object, on any PE. It is an [`Elem`] itself, so objects can hold
/// pointers into each other and into themselves. All zero, it is null.
///
/// It is made and followed with the handle of the object it points into:
///
/// ```no_run
/// # fn main() -> Result<(), shmem_api::Error> {
/// use shmem_api::GlobalPtr;
/// let world = shmem_api::World::init()?;
/// let mut numbers = world.alloc_with(10, |i| i as u64)?;
/// let mut link = world.alloc::<GlobalPtr<u64>>(1)?;
/// world.share((&mut numbers, &mut link), |phase, (numbers, link)| {
///     if phase.pe() == 0 {
///         link.put_one(0, 0, numbers.global(phase.n_pes() - 1, 7));
///     }
///     phase.barrier();
///     link.get_one(0, 0).fetch_add(&numbers, 1);
/// });
/// # Ok(()) }
/// ```
#[derive(Pod, Zeroable)]
#[repr(transparent)]
pub struct GlobalPtr<T> {
    addr: GlobalAddr,
    what: PhantomData<T>,
}

mod sealed {
    /// Of one type of elements: without it, a program could implement [`Readable`](super::Readable) of a type of its
    /// own for a handle of other elements.
    pub trait Sealed<T> {}
}

/// A handle through which elements can be read: [`Remote`] and [`RemoteRead`].
pub trait Readable<T: Elem>: sealed::Sealed<T> {
    /// The thread level of the handle.
    type Level: Level;
    /// The handle, for reading only.
    fn reading(&self) -> RemoteRead<'_, T, Self::Level>;
}

impl<T> GlobalPtr<T> {
    /// Points nowhere.
    pub const NULL: GlobalPtr<T> = GlobalPtr { addr: GlobalAddr::NULL, what: PhantomData };

    /// Whether this is [`NULL`](Self::NULL).
    #[inline]
    pub const fn is_null(self) -> bool {
        self.addr.is_null()
    }

    /// The name of the byte it points to.
    #[inline]
    pub const fn addr(self) -> GlobalAddr {
        self.addr
    }

    /// The word it is, for an atomic on an object of `u64`.
    #[inline]
    pub const fn to_bits(self) -> u64 {
        self.addr.to_bits()
    }

    /// The pointer a word stands for. Any word will do: what points nowhere cannot be followed.
    #[inline]
    pub const fn from_bits(word: u64) -> GlobalPtr<T> {
        GlobalPtr { addr: GlobalAddr::from_bits(word), what: PhantomData }
    }
}

impl<T: Elem> GlobalPtr<T> {
    /// Where it points to in the object `of`; the panic with which `call` ends where that is nowhere.
    #[inline]
    fn place<L: Level>(self, call: &'static str, of: &Remote<'_, T, L>) -> (usize, usize) {
        match of.locate(self) {
            Some(place) => place,
            None => self.lost(call, of),
        }
    }

    #[cold]
    #[inline(never)]
    fn lost<L: Level>(self, call: &str, of: &Remote<'_, T, L>) -> ! {
        let (me, at) = of.whereabouts();
        let last = of.members().size - 1;
        if self.is_null() {
            panic!("PE {me}: {call}: the global pointer is null");
        }
        let (len, size) = (of.len(), Bytes(size_of::<T>() as u64));
        panic!(
            "PE {me}: {call}: the global pointer ({}) points to no element of the object of {len} times {size} \
             at {at} on PEs 0 to {last}",
            self.addr
        )
    }

    /// Gets the element (OpenSHMEM 1.6, `shmem_g`); `of` is the handle of the object it points into.
    ///
    /// # Panics
    /// If the pointer is null or does not point to an element of that object; so for all that follow it.
    #[inline]
    pub fn get<H: Readable<T>>(self, of: &H) -> T {
        let of = of.reading();
        let (pe, at) = self.place("get", of.readable());
        of.get_one(pe, at)
    }

    /// Puts the element (OpenSHMEM 1.6, `shmem_p`).
    ///
    /// # Panics
    /// As [`get`](Self::get).
    #[inline]
    pub fn put<L: Level>(self, of: &Remote<'_, T, L>, value: T) {
        let (pe, at) = self.place("put", of);
        of.put_one(pe, at, value);
    }
}

/// The atomics of [`Remote`], on the element a pointer points to.
macro_rules! atomics {
    ($($bound:ident { $(fn $name:ident($($arg:ident),*) $(-> $ret:ident)?;)* })*) => {$(
        /// Atomics, as those of [`Remote`]. All panic as [`get`](GlobalPtr::get) does.
        impl<T: $bound> GlobalPtr<T> {$(
            #[doc = concat!("As [`Remote::", stringify!($name), "`].")]
            #[inline]
            pub fn $name<L: Level>(self, of: &Remote<'_, T, L>, $($arg: T),*) $(-> $ret)? {
                let (pe, at) = self.place(stringify!($name), of);
                of.$name(pe, at, $($arg),*)
            }
        )*}
    )*};
}

atomics! {
    AmoSwap {
        fn fetch() -> T;
        fn set(value);
        fn swap(value) -> T;
    }
    AmoInt {
        fn compare_swap(expected, new) -> T;
        fn fetch_add(value) -> T;
        fn add(value);
        fn fetch_inc() -> T;
        fn inc();
    }
    AmoBit {
        fn fetch_and(value) -> T;
        fn and(value);
        fn fetch_or(value) -> T;
        fn or(value);
        fn fetch_xor(value) -> T;
        fn xor(value);
    }
}

impl<T: Elem, L: Level> Remote<'_, T, L> {
    /// A pointer to element `at` of the object on `pe`. It means the same on every PE, and for as long as
    /// the object lives.
    ///
    /// # Panics
    /// If there is no PE `pe` or no element `at`, or the object lies above the first TiB of the segment,
    /// beyond what a pointer can name.
    pub fn global(&self, pe: usize, at: usize) -> GlobalPtr<T> {
        let ((me, start), members) = (self.whereabouts(), self.members());
        let n_pes = members.size as usize;
        if pe >= n_pes || at >= self.len() {
            panic!("PE {me}: global: no element {at} of an object of {} on PE {pe} of {n_pes}", self.len());
        }
        let offset = start.checked_add(Bytes((at * size_of::<T>()) as u64));
        match offset.and_then(|offset| GlobalAddr::new(members.at(pe as u32), offset).ok()) {
            Some(addr) => GlobalPtr { addr, what: PhantomData },
            None => {
                panic!(
                    "PE {me}: global: element {at} of the object at {start} has no name: it is a static, or too high"
                )
            }
        }
    }

    /// The PE and the index of the element that `ptr` points to (GLOBALPTR-L1); `None` if it is null or points to no
    /// element of this object.
    #[inline]
    pub fn locate(&self, ptr: GlobalPtr<T>) -> Option<(usize, usize)> {
        let (_, start) = self.whereabouts();
        let (pe, offset) = ptr.addr.parts()?;
        let (inside, size) = (offset.0.checked_sub(start.0)?, size_of::<T>() as u64);
        let at = inside / size;
        let rank = self.members().rank(pe)?;
        (at < self.len() as u64 && inside % size == 0).then_some((rank as usize, at as usize))
    }
}

impl<T: Elem, L: Level> RemoteRead<'_, T, L> {
    /// As [`Remote::global`].
    ///
    /// # Panics
    /// As there.
    pub fn global(&self, pe: usize, at: usize) -> GlobalPtr<T> {
        self.readable().global(pe, at)
    }

    /// As [`Remote::locate`].
    #[inline]
    pub fn locate(&self, ptr: GlobalPtr<T>) -> Option<(usize, usize)> {
        self.readable().locate(ptr)
    }
}

impl<T: Elem, L: Level> sealed::Sealed<T> for Remote<'_, T, L> {}
impl<T: Elem, L: Level> Readable<T> for Remote<'_, T, L> {
    type Level = L;
    #[inline]
    fn reading(&self) -> RemoteRead<'_, T, L> {
        RemoteRead::new(*self)
    }
}

impl<T: Elem, L: Level> sealed::Sealed<T> for RemoteRead<'_, T, L> {}
impl<T: Elem, L: Level> Readable<T> for RemoteRead<'_, T, L> {
    type Level = L;
    #[inline]
    fn reading(&self) -> RemoteRead<'_, T, L> {
        *self
    }
}

// By hand, for derived they would ask the same of `T`.
impl<T> Copy for GlobalPtr<T> {}
impl<T> Clone for GlobalPtr<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> PartialEq for GlobalPtr<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.addr == other.addr
    }
}
impl<T> Eq for GlobalPtr<T> {}
impl<T> Hash for GlobalPtr<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.addr.hash(state);
    }
}
impl<T> Default for GlobalPtr<T> {
    fn default() -> Self {
        GlobalPtr::NULL
    }
}
impl<T> fmt::Debug for GlobalPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.addr, f)
    }
}
