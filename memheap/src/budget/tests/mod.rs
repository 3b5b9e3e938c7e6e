//! Host facts and proposals, and BUDGET-B1 to BUDGET-B4 for the policy in use; the seed's policies have their tests in
//! `seeds::hostboot`.

mod facts;
pub(crate) mod properties;
