//! Lines on standard error.

use std::fmt::Write as _;
use std::io::Write as _;

/// One line on standard error, in one write, so that lines of several PEs do not mix. Where nobody reads
/// them, nothing else is harmed.
pub(crate) fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// As [`say`], without an allocation: for a child of `fork`, and for handlers. What does not fit is left out.
pub(crate) fn say_now(line: std::fmt::Arguments<'_>) {
    let mut text = Line { text: [0; 512], len: 0 };
    let _ = text.write_fmt(line);
    text.text[text.len] = b'\n';
    let _ = rustix::io::write(rustix::stdio::stderr(), &text.text[..=text.len]);
}

/// One line in the making, with room for its end.
struct Line {
    text: [u8; 512],
    len: usize,
}

impl std::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let n = text.len().min(self.text.len() - 1 - self.len);
        self.text[self.len..self.len + n].copy_from_slice(&text.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}
