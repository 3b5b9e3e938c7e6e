//! Snapshots, structure, and MAP-D1 to MAP-D3.

use proptest::prelude::*;

use super::strips::draw;
use super::*;
use crate::component::{Block, BlockState};
use crate::units::{Bytes, Offset, PeId};

/// A row of `start` whose blocks follow one another: positive lengths are live, negative ones free.
fn row(pe: u32, start: u64, lengths: &[i64]) -> Row {
    let mut at = start;
    let mut blocks = Vec::new();
    for &n in lengths {
        let state = if n > 0 { BlockState::Live } else { BlockState::Free };
        blocks.push(Block { at: Offset(at), len: Bytes(n.unsigned_abs()), state });
        at += n.unsigned_abs();
    }
    Row::new(PeId(pe), Offset(start), Bytes(at - start), blocks)
}

/// A bar by the lengths of its strips: `4# 8.` is `####........`.
fn bar_of(strips: &str) -> String {
    let strip = |s: &str| {
        let (n, letter) = s.split_at(s.len() - 1);
        letter.repeat(n.parse().unwrap())
    };
    strips.split(' ').map(strip).collect()
}

const LEGEND: &str = "# live   = live, next block   . free   : live and free   ! differs";

#[test]
fn text_of_a_healthy_job() {
    let rows = [row(0, 4096, &[8, 8, -16, 32]), row(1, 4096, &[8, 8, -16, 32])];
    let bar = bar_of("4# 4= 8. 16#");
    let expected = [
        format!("PE 0 |{bar}|"),
        format!("PE 1 |{bar}|"),
        LEGEND.into(),
        "PE 0-1: 64 B heap, 48 B live in 3 blocks, 16 B free, largest 16 B, fragmentation 0.0 %".into(),
    ];
    assert_eq!(text(&rows, 32).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn text_of_a_job_that_came_apart() {
    let usual = [8, 8, -16, 16, -16];
    let rows = [row(0, 0, &usual), row(1, 0, &[8, -24, 16, -16]), row(10, 0, &usual)];
    let (bar, odd) = (bar_of("4# 4= 8. 8# 8."), bar_of("4# 12! 8# 8."));
    let expected = [
        format!("PE 0  |{bar}|"),
        format!("PE 1  |{odd}|"),
        format!("PE 10 |{bar}|"),
        LEGEND.into(),
        "PE 0: 64 B heap, 32 B live in 3 blocks, 32 B free, largest 16 B, fragmentation 50.0 %".into(),
        "PE 1: 64 B heap, 24 B live in 2 blocks, 40 B free, largest 24 B, fragmentation 40.0 %".into(),
        "PE 10: 64 B heap, 32 B live in 3 blocks, 32 B free, largest 16 B, fragmentation 50.0 %".into(),
        "the PEs differ in 1 place, first at 0x8 (PE 1)".into(),
    ];
    assert_eq!(text(&rows, 32).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn svg_snapshot() {
    let picture = svg("a < b & c", &[row(0, 0, &[32, -32]), row(1, 0, &[32, 32])], 100);
    let expected = r##"<svg xmlns="http://www.w3.org/2000/svg" width="180" height="163" viewBox="0 0 180 163" font-family="monospace" font-size="12">
<title>a &lt; b &amp; c</title>
<rect width="180" height="163" fill="#ffffff"/>
<text x="8" y="20" font-size="14">a &lt; b &amp; c</text>
<g><text x="8" y="46">PE 0</text>
<rect x="64" y="34" width="50" height="16" fill="#4c78a8"/>
<rect x="114" y="34" width="50" height="16" fill="#e6e6e6"/>
</g>
<g><text x="8" y="68">PE 1</text>
<rect x="64" y="56" width="50" height="16" fill="#4c78a8"/>
<rect x="114" y="56" width="50" height="16" fill="#d62728"/>
</g>
"##;
    assert!(picture.starts_with(expected), "{picture}");
    assert!(picture.contains("the PEs differ in 1 place, first at 0x20 (PE 1)"));
}

#[test]
fn empty_heaps_and_no_heaps() {
    assert_eq!(text(&[row(0, 0, &[])], 4).lines().next(), Some("PE 0 |    |"));
    assert_eq!(text(&[], 4).lines().count(), 1);
    well_formed(&svg("", &[], 0));
    let gap = Row::new(PeId(0), Offset(0), Bytes(64), row(0, 16, &[16]).blocks);
    assert_eq!(text(&[gap], 8).lines().next(), Some("PE 0 |  ##    |"));
    let short = [row(0, 0, &[64]), row(1, 0, &[32])];
    assert!(text(&short, 8).contains("PE 1 |!!!!!!!!|"), "another length is a difference");
}

#[test]
fn d3_the_odd_one_is_marked_even_if_it_is_the_first() {
    let rows = [row(0, 0, &[32, 32]), row(1, 0, &[32, -32]), row(2, 0, &[32, -32])];
    let picture = draw(&rows, 8);
    let odd = |i: usize| picture.rows[i].iter().any(|s| s.look == Look::Differs);
    assert_eq!([odd(0), odd(1), odd(2)], [true, false, false]);
    assert_eq!(picture.differences.first, Some((Offset(32), PeId(0))));
}

#[test]
fn d3_one_byte_of_a_terabyte_is_seen() {
    let tib = 1 << 40;
    let rows = [row(0, 0, &[tib]), row(1, 0, &[tib / 2, -1, tib / 2 - 1]), row(2, 0, &[tib])];
    let picture = draw(&rows, 100);
    assert!(picture.rows[0].iter().chain(&picture.rows[2]).all(|s| s.look == Look::Live));
    assert_eq!(picture.rows[1].iter().map(Strip::width).sum::<u32>(), 100);
    let one_odd_byte = [row(0, 0, &[tib / 2, -1, tib / 2 - 1]), row(1, 0, &[tib / 2, 1, tib / 2 - 1])];
    let picture = draw(&one_odd_byte, 100);
    let marked: Vec<u32> =
        picture.rows[1].iter().filter(|s| s.look == Look::Differs).map(Strip::width).collect();
    assert_eq!(marked, [1], "a byte takes one unit, not the strip it begins");
}

/// A small reader of XML: every tag is closed by its own name, attributes are quoted, text is escaped.
fn well_formed(xml: &str) {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a stray > before {}", &rest[at..]);
        let to = rest[at..].find('>').expect("a tag ends") + at;
        let tag = &rest[at + 1..to];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        rest = &rest[to + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "open: {open:?}, left: {rest:?}");
    let entities = xml.match_indices('&').map(|(i, _)| &xml[i..]);
    let known = ["&amp;", "&lt;", "&gt;"];
    entities.for_each(|e| assert!(known.iter().any(|k| e.starts_with(k)), "{e}"));
}

/// The widths of the bars of each row in an SVG picture.
fn bar_widths(picture: &str, rows: usize) -> Vec<u32> {
    let number = |line: &str, key: &str| -> Option<u32> {
        let after = &line[line.find(&format!(" {key}=\""))? + key.len() + 3..];
        after[..after.find('"')?].parse().ok()
    };
    let mut widths = vec![0; rows];
    for line in picture.lines().filter(|l| l.starts_with("<rect") && l.contains("height=\"16\"")) {
        let (x, y, width) = (number(line, "x"), number(line, "y"), number(line, "width").unwrap());
        let i = ((y.unwrap() - TOP) / ROW) as usize;
        assert_eq!(x, Some(LEFT + widths[i]), "MAP-D2: {line}");
        widths[i] += width;
    }
    widths
}

fn heaps() -> impl Strategy<Value = Vec<Row>> {
    let lengths = proptest::collection::vec(prop_oneof![1i64..200, -200i64..-1], 1..30);
    let rows = (lengths.clone(), proptest::collection::vec(proptest::option::weighted(0.3, lengths), 0..5));
    rows.prop_map(|(usual, others)| {
        let others = others.into_iter().map(|o| o.unwrap_or_else(|| usual.clone()));
        let all = std::iter::once(usual.clone()).chain(others);
        all.enumerate().map(|(pe, lengths)| row(pe as u32, 4096, &lengths)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 5 } else { 20_000 }))]

    #[test]
    fn d1_to_d3_for_any_heaps(rows in heaps(), width in 1u32..300, title in "\\PC{0,12}") {
        let picture = svg(&title, &rows, width);
        prop_assert_eq!(&picture, &svg(&title, &rows, width), "MAP-D1");
        well_formed(&picture);
        prop_assert_eq!(bar_widths(&picture, rows.len()), vec![width; rows.len()], "MAP-D2");
        let lines = text(&rows, width);
        let bars: Vec<&str> = lines.lines().take(rows.len()).map(|l| l.split('|').nth(1).unwrap()).collect();
        prop_assert!(bars.iter().all(|b| b.chars().count() == width as usize), "MAP-D2");
        let alike = rows.windows(2).all(|w| w[0].blocks == w[1].blocks);
        prop_assert_eq!(alike, !bars.iter().any(|b| b.contains('!')), "MAP-D3");
    }

    #[test]
    fn d1_equal_heaps_are_equal_rows(rows in heaps(), width in 1u32..300) {
        let twice: Vec<Row> = [0, 1].map(|pe| Row { pe: PeId(pe), ..rows[0].clone() }).into();
        let picture = draw(&twice, width);
        prop_assert_eq!(&picture.rows[0], &picture.rows[1]);
        prop_assert_eq!(picture.differences.stretches, 0);
    }
}
