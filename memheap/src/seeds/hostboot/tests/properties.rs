//! HOSTBOOT-H1, HOSTBOOT-H2 and what BUDGET promises of every policy, on random and on all small cases.

use proptest::prelude::*;

use super::examples::POLICIES;
use crate::budget::tests::properties::{G, b1_to_b3, in_proportion, tiles};
use crate::budget::*;
use crate::seeds::hostboot::*;
use crate::units::{Align, Bytes};

fn granules(n: &[u64]) -> Vec<Domain> {
    n.iter().map(|&n| Domain::new(Bytes(n * G.bytes()))).collect()
}

/// Every sum that shares of 0 or `2^k` can have, by trying all of them.
fn sums(has: &[u64]) -> Vec<u64> {
    let mut all = vec![0];
    for &n in has {
        let parts: Vec<u64> = std::iter::once(0).chain((0..6).map(|k| 1 << k).filter(|&p| p <= n)).collect();
        all = all.iter().flat_map(|sum| parts.iter().map(move |p| sum + p)).collect();
    }
    all
}

fn h1(plan: &Plan) {
    for n in plan.shares.iter().map(|share| share.0 / G.bytes()) {
        assert!(n == 0 || n.is_power_of_two(), "HOSTBOOT-H1: {n} granules");
    }
}

#[test]
fn h2_exhaustive_search_on_small_cases() {
    let top = if cfg!(miri) { 3 } else { 20 };
    for a in 0..=top {
        for b in 0..=top {
            for c in 0..=top.min(9) {
                let has = [a, b, c];
                let (domains, sums) = (granules(&has), sums(&has));
                let most = *sums.iter().max().unwrap();
                for need in 1..=most + 2 {
                    let best = sums.iter().copied().filter(|&s| s >= need).min().unwrap_or(most);
                    let request = Bytes(need * G.bytes());
                    let plan = distribute(request, &domains, G, MINIMAL_OVERSHOOT);
                    assert_eq!(plan.granted.0, best * G.bytes(), "HOSTBOOT-H2: {need} over {has:?}");
                    b1_to_b3(request, &domains, &plan);
                    h1(&plan);
                }
            }
        }
    }
}

/// The properties the seed's own results have (A2, below the table).
fn as_the_seed_promises(request: Bytes, domains: &[Domain], plan: &Plan) {
    let most = |d: &Domain| (d.usable().0 / G.bytes()).checked_ilog2().map_or(0, |k| G.bytes() << k);
    if plan.granted < request {
        let all: u64 = domains.iter().map(most).sum();
        assert_eq!(plan.granted.0, all, "short only when every domain gives what it can");
    }
    let still_open: Vec<u64> =
        plan.shares.iter().zip(domains).filter(|(s, d)| s.0 < most(d)).map(|(s, _)| s.0).collect();
    assert!(still_open.is_sorted_by(|a, b| a >= b), "shares do not grow along the list: {still_open:?}");
    if let (Some(first), Some(last)) = (still_open.first(), still_open.last()) {
        assert!(*first <= 2 * last || (*first, *last) == (G.bytes(), 0), "at most twice: {still_open:?}");
    }
}

fn some_domains() -> impl Strategy<Value = Vec<Domain>> {
    let domain = (0u64..600, 0u64..40, proptest::bool::weighted(0.9))
        .prop_map(|(mib, reserve, enabled)| processor(Bytes::mib(mib), Bytes::mib(reserve), enabled));
    proptest::collection::vec(domain, 1..9)
}

fn max_min_fair(domains: &[Domain], plan: &Plan) {
    for (i, d) in domains.iter().enumerate() {
        if plan.shares[i].0 + G.bytes() <= d.usable().0 {
            let most = plan.shares.iter().max().unwrap();
            assert!(most.0 <= plan.shares[i].0 + G.bytes(), "{i} could take more: {:?}", plan.shares);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 20 } else { 100_000 }))]

    #[test]
    fn h1_h2_and_the_budget_under_every_policy(domains in some_domains(), request in 0u64..(1500 << 20)) {
        let request = Bytes(request);
        let plans = POLICIES.map(|policy| distribute(request, &domains, G, policy));
        for plan in &plans {
            b1_to_b3(request, &domains, plan);
            tiles(plan, request);
        }
        let [seed, minimal, even, proportional] = &plans;
        h1(seed);
        h1(minimal);
        as_the_seed_promises(request, &domains, seed);
        if seed.granted >= request {
            prop_assert!(request <= minimal.granted && minimal.granted <= seed.granted, "HOSTBOOT-H2: never worse");
        } else {
            prop_assert_eq!(minimal.granted, seed.granted, "HOSTBOOT-H2: as much when short");
        }
        max_min_fair(&domains, even);
        in_proportion(&domains, proportional);
        prop_assert_eq!(even.granted, proportional.granted);
        prop_assert_eq!(&distribute(request, &domains, G, MINIMAL_OVERSHOOT), minimal, "BUDGET-B4");
    }
}

#[test]
fn extreme_arguments_do_not_overflow() {
    let huge = [Domain::new(Bytes(u64::MAX)); 9];
    for granule in [Align::ONE, Align::HUGE, Align::new(1 << 48).unwrap(), Align::new(1 << 63).unwrap()] {
        for request in [1, (1 << 63) - 1, 1 << 63, u64::MAX] {
            for policy in POLICIES {
                let plan = distribute(Bytes(request), &huge, granule, policy);
                assert!(plan.granted.0 <= 9 << 48, "{policy:?}");
            }
        }
    }
}
