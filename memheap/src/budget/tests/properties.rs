//! BUDGET-B1 to BUDGET-B4 on random domains.

use proptest::prelude::*;

use crate::budget::*;
use crate::units::{Align, Bytes};

/// The granule of the tests.
pub(crate) const G: Align = Align::HUGE;

/// BUDGET-B1 to BUDGET-B3 for the granule [`G`].
pub(crate) fn b1_to_b3(request: Bytes, domains: &[Domain], plan: &Plan) {
    for (share, domain) in plan.shares.iter().zip(domains) {
        assert!(*share <= domain.usable(), "BUDGET-B1: {share} of {domain:?}");
        assert_eq!(share.0 % G.bytes(), 0, "BUDGET-B2");
    }
    assert_eq!(plan.granted.0, plan.shares.iter().map(|s| s.0).sum::<u64>(), "BUDGET-B3");
    match plan.outcome {
        Outcome::Exact => assert_eq!(plan.granted, request, "BUDGET-B3"),
        Outcome::Over(n) => assert_eq!(plan.granted.0, request.0 + n.0, "BUDGET-B3"),
        Outcome::Short(n) => assert_eq!(plan.granted.0, request.0 - n.0, "BUDGET-B3"),
        Outcome::Nothing => assert!(request.0 > 0 && plan.granted.0 == 0, "BUDGET-B3"),
        Outcome::Off => assert_eq!(request.0, 0, "BUDGET-B3"),
    }
}

/// The rule of the largest remainder: no share is a granule or more away from its part.
pub(crate) fn in_proportion(domains: &[Domain], plan: &Plan) {
    let has: Vec<f64> = domains.iter().map(|d| (d.usable().0 / G.bytes()) as f64).collect();
    let (all, given) = (has.iter().sum::<f64>(), (plan.granted.0 / G.bytes()) as f64);
    for (share, has) in plan.shares.iter().zip(&has).filter(|_| all > 0.0) {
        let quota = given * has / all;
        assert!(((share.0 / G.bytes()) as f64 - quota).abs() < 1.0 + 1e-9, "{quota}: {:?}", plan.shares);
    }
}

/// The pieces of a placed plan follow one another from the start of the window.
pub(crate) fn tiles(plan: &Plan, window: Bytes) {
    let mut at = 0;
    for p in plan.place(window) {
        assert_eq!(p.at.0, at, "pieces follow one another");
        assert!(p.len <= plan.shares[p.domain.0 as usize]);
        at += p.len.0;
    }
    assert_eq!(at, window.0.min(plan.granted.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 20 } else { 100_000 }))]

    #[test]
    fn b1_to_b4_in_proportion(mib in proptest::collection::vec(0u64..600, 1..9), request in 0u64..(1500 << 20)) {
        let (request, domains) = (Bytes(request), mib.into_iter().map(|n| Domain::new(Bytes::mib(n))).collect::<Vec<_>>());
        let plan = distribute(request, &domains, G, Policy::Proportional);
        b1_to_b3(request, &domains, &plan);
        tiles(&plan, request);
        in_proportion(&domains, &plan);
        prop_assert_eq!(&distribute(request, &domains, G, Policy::Proportional), &plan, "BUDGET-B4");
    }
}
