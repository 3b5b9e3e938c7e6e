//! A list of reservations that is known beforehand.

use crate::reserve::{Booting, Layout, Locality, Reservation, ReserveError};
use crate::units::{Align, Bytes};

/// A reservation that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<'n> {
    /// What it is for.
    pub name: &'n str,
    /// How long it has to be.
    pub size: Bytes,
    /// What its start has to be a multiple of.
    pub align: Align,
    /// Whom it should be near.
    pub near: Locality,
}

/// Reserves all of `list` or nothing, the strictest alignment first, so that the least is lost. The reservations are
/// returned in the order of the list.
pub fn reserve_all(
    layout: &mut Layout<Booting>,
    list: &[Request<'_>],
) -> Result<Vec<Reservation>, ReserveError> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse((list[i].align, list[i].size)));
    let mut trial = layout.clone();
    let mut made: Vec<Option<Reservation>> = vec![None; list.len()];
    for i in order {
        let Request { name, size, align, near } = list[i];
        made[i] = Some(trial.reserve(name, size, align, near)?);
    }
    *layout = trial;
    Ok(made.into_iter().flatten().collect())
}
