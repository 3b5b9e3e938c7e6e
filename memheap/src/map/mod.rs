//! Pictures of heaps: one row per PE, as text and as SVG.
//!
//! ```text
//!   PE 0 │######====####........:::....│
//!   PE 1 │######==!!!!##........:::....│   ! here this PE differs from most
//!         # = live blocks, alternating   . free   : live and free, too small to draw apart
//! ```
//!
//! Pure functions from lists of blocks to a string. In a healthy job the PEs have equal lists, and nothing is red.
//!
//! * **MAP-D1** equal rows give equal pictures, byte for byte;
//! * **MAP-D2** the strips of a row follow one another and together are as wide as its picture;
//! * **MAP-D3** a stretch is marked in the rows that differ there from what most rows have, or, where no content is
//!   the most frequent, from the first of the most frequent ones; and a mark never disappears, however short the
//!   stretch is.

mod caption;
mod look;
mod row;
mod strips;
mod sweep;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use look::Look;
pub use row::Row;
use strips::Strip;

/// The most columns, or units of width, that a picture has. Each costs time and memory, and more are of no use.
pub const WIDEST: u32 = 1 << 16;

/// Draws the heaps in `columns` characters (at least 1 and at most [`WIDEST`], whatever is asked for), with a caption
/// below.
pub fn text(rows: &[Row], columns: u32) -> String {
    let columns = columns.clamp(1, WIDEST);
    let picture = strips::draw(rows, columns);
    let names: Vec<String> = rows.iter().map(|r| format!("PE {}", r.pe)).collect();
    let wide = names.iter().map(String::len).max().unwrap_or(0);
    let mut out = String::new();
    for (name, strips) in names.iter().zip(&picture.rows) {
        let _ = write!(out, "{name:<wide$} |");
        for strip in strips {
            out.extend(std::iter::repeat_n(strip.look.letter(), strip.width() as usize));
        }
        out.push_str("|\n");
    }
    for line in std::iter::once(caption::legend()).chain(caption::lines(rows, &picture.differences)) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

const LEFT: u32 = 64;
const RIGHT: u32 = 16;
const ROW: u32 = 22;
const BAR: u32 = 16;
const TOP: u32 = 34;
const LINE: u32 = 17;

/// Draws the heaps as an SVG picture whose bars are `width` units wide (limited as in [`text`]), with a title
/// and a caption.
pub fn svg(title: &str, rows: &[Row], width: u32) -> String {
    let width = width.clamp(1, WIDEST);
    let picture = strips::draw(rows, width);
    let caption = caption::lines(rows, &picture.differences);
    let below = TOP + ROW * rows.len() as u32 + LINE;
    let height = below + LINE * (1 + caption.len() as u32);
    let all = LEFT + width + RIGHT;
    let title = escaped(title);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"{height}\" \
         viewBox=\"0 0 {all} {height}\" font-family=\"monospace\" font-size=\"12\">\n\
         <title>{title}</title>\n<rect width=\"{all}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"8\" y=\"20\" font-size=\"14\">{title}</text>\n"
    );
    for (i, (row, strips)) in rows.iter().zip(&picture.rows).enumerate() {
        let y = TOP + ROW * i as u32;
        let _ = writeln!(out, "<g><text x=\"8\" y=\"{}\">PE {}</text>", y + 12, row.pe);
        strips.iter().for_each(|strip| bar(&mut out, strip, y));
        out.push_str("</g>\n");
    }
    let mut x = LEFT;
    for look in Look::ALL {
        let y = below - 10;
        let _ = write!(
            out,
            "<g><rect x=\"{x}\" y=\"{y}\" width=\"11\" height=\"11\" fill=\"{}\"/>",
            look.colour()
        );
        let _ = writeln!(out, "<text x=\"{}\" y=\"{below}\">{}</text></g>", x + 15, look.meaning());
        x += 25 + 8 * look.meaning().len() as u32;
    }
    for (i, line) in caption.iter().enumerate() {
        let y = below + LINE * (1 + i as u32);
        let _ = writeln!(out, "<text x=\"8\" y=\"{y}\">{}</text>", escaped(line));
    }
    out.push_str("</svg>\n");
    out
}

fn bar(out: &mut String, strip: &Strip, y: u32) {
    let (x, width, fill) = (LEFT + strip.from, strip.width(), strip.look.colour());
    let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" fill=\"{fill}\"/>");
}

/// Text that may stand between tags: characters that XML cannot express are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
