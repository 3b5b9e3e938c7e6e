//! How much of a heap is wasted. Offsets depend on the history alone, so these figures change only if the code does.

use memheap::component::{Component, Module};
use memheap::conformance::Rng;
use memheap::{Align, Bytes, Offset, Settings, Span};
use memheap_ptmalloc::Ptmalloc;

const LEN: u64 = 1 << 30;

fn heap() -> Box<dyn Module> {
    let span = Span { len: Bytes(LEN) };
    Ptmalloc.open(&Settings::default()).and_then(|opened| opened.init(span)).expect("it does not decline")
}

/// 16 B to 64 KiB, every doubling as likely as the next and flat within it.
fn size(rng: &mut Rng) -> u64 {
    let floor = 16 << rng.below(12);
    floor + rng.below(floor)
}

fn free_one(heap: &mut dyn Module, live: &mut Vec<(Offset, u64)>, rng: &mut Rng) -> u64 {
    let (at, size) = live.swap_remove(rng.below(live.len() as u64) as usize);
    heap.free(at).expect("it is live");
    size
}

#[test]
#[cfg_attr(miri, ignore = "a million calls")]
fn high_water_at_seventy_percent() {
    let (mut heap, mut rng, mut live) = (heap(), Rng::new(11), Vec::new());
    let (mut bytes, mut peak, mut high) = (0, 0, 0);
    for _ in 0..1_000_000 {
        let size = size(&mut rng);
        while bytes + size > LEN / 10 * 7 {
            bytes -= free_one(&mut *heap, &mut live, &mut rng);
        }
        let at = heap.alloc(Bytes(size), Align::DEFAULT).expect("seven tenths fit");
        live.push((at, size));
        bytes += size;
        (peak, high) = (peak.max(bytes), high.max(at.0 + size));
    }
    heap.validate().unwrap();
    let ratio = high as f64 / peak as f64;
    assert!(ratio <= 1.07, "high water {ratio:.4}");
}

#[test]
#[cfg_attr(miri, ignore = "a million calls")]
fn utilisation_at_failure() {
    let (mut heap, mut rng, mut live) = (heap(), Rng::new(13), Vec::new());
    let mut bytes = 0;
    for step in 1.. {
        let size = size(&mut rng);
        let Ok(at) = heap.alloc(Bytes(size), Align::DEFAULT) else { break };
        live.push((at, size));
        bytes += size;
        if step % 3 == 0 {
            bytes -= free_one(&mut *heap, &mut live, &mut rng);
        }
    }
    heap.validate().unwrap();
    let ratio = bytes as f64 / LEN as f64;
    assert!(ratio >= 0.99, "utilisation {ratio:.4}");
}
