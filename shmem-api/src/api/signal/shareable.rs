//! What a phase makes of the signals that enter it.

use crate::api::phase::Shareable;
use crate::api::phase::key::PhaseKey;
use crate::api::phase::remote::Remote;
use crate::api::phase::shareable::sealed::Sealed;
use crate::api::signal::handle::{Signal, Signals};
use crate::api::signal::{SymSignal, SymSignals};
use crate::node::signature::{Mode, Signature};
use crate::types::object::ObjectType;
use crate::types::thread_level::Level;

macro_rules! shareable_signals {
    ($($name:ident as $handle:ident is $what:ident;)*) => {$(
        impl Sealed for &mut $name<'_> {}

        #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
        impl Shareable for &mut $name<'_> {
            type Remote<'s, L: Level> = $handle<'s, L>;
            const OBJECTS: usize = 1;
            fn describe(&self, signature: &mut Signature) {
                signature.object(self.words().at(), self.words().bytes(), ObjectType::$what(), Mode::ReadWrite);
            }
            fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> $handle<'s, L> {
                $handle::new(Remote::new(key, self.words().at(), self.words().count()))
            }
        }
    )*};
}

shareable_signals! {
    SymSignals as Signals is signals;
    SymSignal as Signal is signal;
}
