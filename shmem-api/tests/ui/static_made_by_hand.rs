// A static object is declared by the macro: what makes one otherwise asks for what safe code cannot have.
use std::sync::OnceLock;

use shmem_api::{Declared, StaticLock, StaticSignal, SymStatic};

static OBJECT: SymStatic<u64> = SymStatic::new(0);
static SIGNAL: StaticSignal = StaticSignal::declared(Declared::by_the_macro());
static LOCK: OnceLock<StaticLock> = OnceLock::new();

fn main() {
    let made_later = SymStatic::declared(0u64, Declared(()));
    let _ = LOCK.set(StaticLock::default());
    let _ = (&OBJECT, &SIGNAL, made_later);
}
