//! B1 to B5 on random and on all small cases.

use proptest::prelude::*;

use super::examples::POLICIES;
use crate::budget::*;
use crate::units::{Align, Bytes};

const G: Align = Align::HUGE;

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

fn b1_to_b3(request: Bytes, domains: &[Domain], policy: Policy, plan: &Plan) {
    for (share, domain) in plan.shares.iter().zip(domains) {
        assert!(*share <= domain.usable(), "B1: {share} of {domain:?}");
        let n = share.0 / G.bytes();
        assert_eq!(share.0 % G.bytes(), 0, "B2");
        let powers = matches!(policy, Policy::HostbootCompatible | Policy::MinimalOvershoot);
        assert!(!powers || n == 0 || n.is_power_of_two(), "B2: {n} granules");
    }
    assert_eq!(plan.granted.0, plan.shares.iter().map(|s| s.0).sum::<u64>(), "B3");
    match plan.outcome {
        Outcome::Exact => assert_eq!(plan.granted, request, "B3"),
        Outcome::Over(n) => assert_eq!(plan.granted.0, request.0 + n.0, "B3"),
        Outcome::Short(n) => assert_eq!(plan.granted.0, request.0 - n.0, "B3"),
        Outcome::Nothing => assert!(request.0 > 0 && plan.granted.0 == 0, "B3"),
        Outcome::Off => assert_eq!(request.0, 0, "B3"),
    }
}

#[test]
fn b4_exhaustive_search_on_small_cases() {
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
                    let plan = distribute(request, &domains, G, Policy::MinimalOvershoot);
                    assert_eq!(plan.granted.0, best * G.bytes(), "B4: {need} over {has:?}");
                    b1_to_b3(request, &domains, Policy::MinimalOvershoot, &plan);
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
    let domain = (0u64..600, 0u64..40, proptest::bool::weighted(0.9)).prop_map(|(mib, reserve, enabled)| {
        Domain { enabled, ..Domain::new(Bytes::mib(mib)).with_reserve(Bytes::mib(reserve)) }
    });
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

fn in_proportion(domains: &[Domain], plan: &Plan) {
    let has: Vec<f64> = domains.iter().map(|d| (d.usable().0 / G.bytes()) as f64).collect();
    let (all, given) = (has.iter().sum::<f64>(), (plan.granted.0 / G.bytes()) as f64);
    for (share, has) in plan.shares.iter().zip(&has).filter(|_| all > 0.0) {
        let quota = given * has / all;
        assert!(((share.0 / G.bytes()) as f64 - quota).abs() < 1.0 + 1e-9, "{quota}: {:?}", plan.shares);
    }
}

fn tiles(plan: &Plan, window: Bytes) {
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
    fn b1_to_b5_under_every_policy(domains in some_domains(), request in 0u64..(1500 << 20)) {
        let request = Bytes(request);
        let plans = POLICIES.map(|policy| distribute(request, &domains, G, policy));
        for (policy, plan) in POLICIES.into_iter().zip(&plans) {
            b1_to_b3(request, &domains, policy, plan);
            tiles(plan, request);
        }
        let [seed, minimal, even, proportional] = &plans;
        as_the_seed_promises(request, &domains, seed);
        if seed.granted >= request {
            prop_assert!(request <= minimal.granted && minimal.granted <= seed.granted, "B4: never worse");
        } else {
            prop_assert_eq!(minimal.granted, seed.granted, "B4: as much when short");
        }
        max_min_fair(&domains, even);
        in_proportion(&domains, proportional);
        prop_assert_eq!(even.granted, proportional.granted);
        prop_assert_eq!(&distribute(request, &domains, G, Policy::MinimalOvershoot), minimal, "B5");
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
