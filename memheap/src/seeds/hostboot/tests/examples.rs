//! The worked examples of the seed (A2), and those that the mended policies must get right (E4).

use crate::budget::*;
use crate::seeds::hostboot::*;
use crate::units::{Align, Bytes, Offset};

/// Hostboot's granule.
fn chunk() -> Align {
    Align::new(256 << 20).expect("a power of two")
}

const MASTER_RESERVE: Bytes = Bytes::gib(8);

fn plain(gib: &[u64]) -> Vec<Domain> {
    gib.iter().map(|&g| Domain::new(Bytes::gib(g))).collect()
}

fn with_master(first: Bytes, gib: &[u64]) -> Vec<Domain> {
    let master = processor(first, MASTER_RESERVE, true);
    std::iter::once(master).chain(plain(gib)).collect()
}

struct Example {
    request: Bytes,
    domains: Vec<Domain>,
    shares_mib: Vec<u64>,
    outcome: Outcome,
    rounds: u32,
}

fn example(
    request: Bytes,
    domains: Vec<Domain>,
    shares_mib: &[u64],
    outcome: Outcome,
    rounds: u32,
) -> Example {
    Example { request, domains, shares_mib: shares_mib.to_vec(), outcome, rounds }
}

fn examples() -> Vec<Example> {
    use Outcome::*;
    let (gib, mib) = (Bytes::gib, Bytes::mib);
    let quarter = Bytes::mib(8 * 1024 + 256);
    vec![
        example(Bytes(1), plain(&[32, 32]), &[256, 0], Over(Bytes((256 << 20) - 1)), 1),
        example(gib(1), plain(&[32]), &[1024], Exact, 3),
        example(gib(1), plain(&[32, 32]), &[512, 512], Exact, 2),
        example(mib(800), plain(&[32]), &[1024], Over(mib(224)), 3),
        example(mib(800), plain(&[32; 4]), &[256; 4], Over(mib(224)), 1),
        example(mib(2304), plain(&[32, 32]), &[2048, 1024], Over(mib(768)), 4),
        example(gib(3), plain(&[32; 3]), &[1024; 3], Exact, 3),
        example(gib(4), with_master(gib(8), &[16]), &[0, 4096], Exact, 5),
        example(gib(4), with_master(quarter, &[]), &[256], Short(mib(3840)), 2),
        example(gib(1), with_master(gib(8), &[]), &[0], Nothing, 1),
        example(gib(1), with_master(gib(4), &[]), &[0], Nothing, 1),
        example(gib(10), with_master(gib(9), &[6, 16]), &[1024, 4096, 8192], Over(mib(13312 - 10240)), 6),
        example(gib(10), plain(&[32, 32]), &[8192, 4096], Over(gib(2)), 6),
        example(
            gib(1_000_000),
            plain(&[40, 20, 10]),
            &[32768, 16384, 8192],
            Short(Bytes((1_000_000 << 30) - (57344 << 20))),
            9,
        ),
        example(Bytes(1 << 63), plain(&[32, 32]), &[0, 0], Nothing, 1),
    ]
}

#[test]
fn compatible_reproduces_every_worked_example() {
    for e in examples() {
        let plan = distribute(e.request, &e.domains, chunk(), HOSTBOOT_COMPATIBLE);
        let shares: Vec<Bytes> = e.shares_mib.iter().copied().map(Bytes::mib).collect();
        assert_eq!((&plan.shares, plan.outcome), (&shares, e.outcome), "{}", e.request);
        assert_eq!(plan.granted, Bytes::mib(e.shares_mib.iter().sum()), "{}", e.request);
        let usable: Vec<Bytes> = e.domains.iter().map(Domain::usable).collect();
        assert_eq!(doubling::rounds(e.request, &usable, chunk()), (shares, e.rounds), "{}", e.request);
    }
}

#[test]
fn a_request_of_zero_is_off_under_every_policy() {
    for policy in POLICIES {
        let plan = distribute(Bytes(0), &plain(&[32, 32]), chunk(), policy);
        assert_eq!((plan.granted, plan.outcome), (Bytes(0), Outcome::Off));
        assert_eq!(plan.shares, [Bytes(0); 2]);
    }
}

#[test]
fn no_domain_is_nothing_and_no_panic() {
    let disabled = processor(Bytes::gib(32), Bytes(0), false);
    for policy in POLICIES {
        assert_eq!(distribute(Bytes(1), &[], chunk(), policy).outcome, Outcome::Nothing);
        let plan = distribute(Bytes::gib(1), &[disabled, Domain::new(Bytes::gib(32))], chunk(), policy);
        assert_eq!((plan.shares[0], plan.outcome), (Bytes(0), Outcome::Exact));
    }
}

#[test]
fn minimal_is_exact_where_the_seed_overshoots() {
    let plan = distribute(Bytes::mib(2304), &plain(&[32, 32]), chunk(), MINIMAL_OVERSHOOT);
    assert_eq!((plan.granted, plan.outcome), (Bytes::mib(2304), Outcome::Exact));
    let granules = |n: u64| Domain::new(Bytes(n * chunk().bytes()));
    let request = Bytes(65 * chunk().bytes());
    let domains = [granules(114), granules(110)];
    assert_eq!(distribute(request, &domains, chunk(), MINIMAL_OVERSHOOT).granted, request);
    let seed = distribute(request, &domains, chunk(), HOSTBOOT_COMPATIBLE);
    assert_eq!(seed.granted, Bytes(96 * chunk().bytes()));
}

#[test]
fn minimal_takes_requests_the_seed_could_not() {
    let plan = distribute(Bytes(1 << 63), &plain(&[40, 20]), chunk(), MINIMAL_OVERSHOOT);
    assert_eq!(plan.granted, Bytes::gib(32 + 16));
    assert!(matches!(plan.outcome, Outcome::Short(_)));
}

#[test]
fn even_and_proportional() {
    let domains = plain(&[1, 4, 8]);
    let shares = |request, policy| -> Vec<u64> {
        distribute(request, &domains, Align::HUGE, policy).shares.iter().map(|s| s.0 >> 20).collect()
    };
    assert_eq!(shares(Bytes::gib(7), EVEN), [1024, 3072, 3072]);
    assert_eq!(shares(Bytes::mib(10), EVEN), [4, 4, 2]);
    assert_eq!(shares(Bytes::gib(13), Policy::Proportional), [1024, 4096, 8192]);
    assert_eq!(shares(Bytes::gib(100), Policy::Proportional), [1024, 4096, 8192]);
    assert_eq!(shares(Bytes::mib(10), Policy::Proportional), [0, 4, 6]);
    let plan = distribute(Bytes::mib(3), &domains, Align::HUGE, EVEN);
    assert_eq!(plan.outcome, Outcome::Over(Bytes::mib(1)), "a granule is not divided");
}

#[test]
fn placed_largest_first_and_aligned_to_itself() {
    let domains = with_master(Bytes::gib(9), &[6, 16]);
    let plan = distribute(Bytes::gib(10), &domains, chunk(), HOSTBOOT_COMPATIBLE);
    let piece = |at: u64, len, d| Piece { at: Offset(at << 30), len: Bytes::gib(len), domain: DomainId(d) };
    assert_eq!(plan.place(Bytes::gib(13)), [piece(0, 8, 2), piece(8, 4, 1), piece(12, 1, 0)]);
    assert_eq!(plan.place(Bytes::gib(10)), [piece(0, 8, 2), piece(8, 2, 1)]);
}

pub(super) const POLICIES: [Policy; 4] = [HOSTBOOT_COMPATIBLE, MINIMAL_OVERSHOOT, EVEN, Policy::Proportional];
