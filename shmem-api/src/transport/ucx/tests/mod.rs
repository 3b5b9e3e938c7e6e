//! The engine with itself: two of them in this process, and one in another, over tcp and over what UCX chooses.

mod abi;
mod engine;
mod exchange;
mod lost;
mod peer;
mod speed;

use super::{Ucx, find};
use crate::transport::wire::Wire;

/// Settings of UCX for a test.
type Settings = &'static [(&'static str, &'static str)];

/// What hosts have between them.
const TCP: Settings = &[("TLS", "tcp,self")];
/// What UCX chooses on one host: shared memory.
const DEFAULT: Settings = &[];

/// An engine, unless UCX is not here.
fn engine(settings: Settings) -> Option<Ucx> {
    match find() {
        Ok(library) => Some(Ucx::open(library, None, settings).unwrap()),
        Err(why) => {
            eprintln!("skipped: {why}");
            None
        }
    }
}

/// Two engines of this process that have met, as PE 0 and PE 1.
fn pair(settings: Settings) -> Option<[Ucx; 2]> {
    let both = [engine(settings)?, engine(settings)?];
    for one in &both {
        one.meet(both.iter().map(Wire::address).collect());
    }
    Some(both)
}
