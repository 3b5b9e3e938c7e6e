//! What can be shared, and what the closure of a phase gets for it.

use crate::api::phase::key::PhaseKey;
use crate::api::phase::read::RemoteRead;
use crate::api::phase::remote::Remote;
use crate::api::sym::{SymBox, SymPart, SymSlice};
use crate::node::signature::{Mode, Signature};
use crate::types::elem::Elem;
use crate::types::object::ObjectType;
use crate::types::thread_level::Level;

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What [`Team::share`](crate::Team::share) takes: `&mut` or `&` of a [`SymSlice`], [`SymBox`] or [`SymPart`],
/// `&mut` of a [`SymSignal`](crate::SymSignal) or [`SymSignals`](crate::SymSignals), and tuples of up to eight of them. Shared by `&`, an object can
/// only be read, by others and locally alike. Tuples may hold tuples; more than eight objects in all do not compile:
///
/// ```compile_fail,E0080
/// # fn main() -> Result<(), shmem_api::Error> {
/// let world = shmem_api::World::init()?;
/// let mut a = [(); 9].map(|()| world.alloc::<u64>(1));
/// let [Ok(a), Ok(b), Ok(c), Ok(d), Ok(e), Ok(f), Ok(g), Ok(h), Ok(i)] = &mut a else { return Ok(()) };
/// world.share(((a, b, c, d), (e, f, g, h, i)), |_, _| ());
/// # Ok(()) }
/// ```
pub trait Shareable: sealed::Sealed {
    /// What the closure gets.
    type Remote<'s, L: Level>;
    /// How many objects it is.
    #[doc(hidden)]
    const OBJECTS: usize;
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
    fn describe(&self, signature: &mut Signature);
    #[doc(hidden)]
    fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> Self::Remote<'s, L>;
}

macro_rules! shareable {
    ($($name:ident . $part:tt is $what:ident),*) => {$(
        impl<T: Elem> sealed::Sealed for &mut $name<'_, T> {}
        impl<T: Elem> sealed::Sealed for &$name<'_, T> {}

        #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
        impl<T: Elem> Shareable for &mut $name<'_, T> {
            type Remote<'s, L: Level> = Remote<'s, T, L>;
            const OBJECTS: usize = 1;
            fn describe(&self, signature: &mut Signature) {
                let object = shareable!(@object self, $part);
                signature.object(object.at(), object.bytes(), ObjectType::$what::<T>(), Mode::ReadWrite);
            }
            fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> Remote<'s, T, L> {
                let object = shareable!(@object self, $part);
                Remote::new(key, object.at(), object.count())
            }
        }

        #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
        impl<T: Elem> Shareable for &$name<'_, T> {
            type Remote<'s, L: Level> = RemoteRead<'s, T, L>;
            const OBJECTS: usize = 1;
            fn describe(&self, signature: &mut Signature) {
                let object = shareable!(@object self, $part);
                signature.object(object.at(), object.bytes(), ObjectType::$what::<T>(), Mode::ReadOnly);
            }
            fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> RemoteRead<'s, T, L> {
                let object = shareable!(@object self, $part);
                RemoteRead::of_phase(key, object.at(), object.count())
            }
        }
    )*};
    (@object $self:ident, self) => { &**$self };
    (@object $self:ident, 0) => { &$self.0 };
}

shareable!(SymSlice.self is array, SymPart.self is array, SymBox.0 is one);

macro_rules! shareable_tuple {
    ($($name:ident $i:tt),*) => {
        impl<$($name: Shareable),*> sealed::Sealed for ($($name,)*) {}

        #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
        #[allow(clippy::unused_unit, unused_variables, reason = "the empty tuple shares nothing")]
        impl<$($name: Shareable),*> Shareable for ($($name,)*) {
            type Remote<'s, L: Level> = ($($name::Remote<'s, L>,)*);
            const OBJECTS: usize = 0 $(+ $name::OBJECTS)*;
            fn describe(&self, signature: &mut Signature) {
                $(self.$i.describe(signature);)*
            }
            fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> Self::Remote<'s, L> {
                ($(self.$i.remote(key),)*)
            }
        }
    };
}

shareable_tuple!();
shareable_tuple!(A 0);
shareable_tuple!(A 0, B 1);
shareable_tuple!(A 0, B 1, C 2);
shareable_tuple!(A 0, B 1, C 2, D 3);
shareable_tuple!(A 0, B 1, C 2, D 3, E 4);
shareable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
shareable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
shareable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
