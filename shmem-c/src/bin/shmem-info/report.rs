//! A report: sections of rows of named values, as aligned text or as JSON; and the way out for them.

use std::io::Write;
use std::process::ExitCode;

/// One named fact and its values by column.
pub(crate) type Row = Vec<(&'static str, String)>;

/// Sections in order. The first value of a row names it.
#[derive(Default)]
pub(crate) struct Report {
    sections: Vec<(&'static str, Vec<Row>)>,
}

impl Report {
    /// Adds a section.
    pub(crate) fn section(&mut self, name: &'static str, rows: Vec<Row>) {
        self.sections.push((name, rows));
    }

    /// Columns as wide as their widest value, the last one as it is.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for (name, rows) in &self.sections {
            out += &format!("{name}\n");
            let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
            let width =
                |c: usize| rows.iter().filter_map(|r| Some(r.get(c)?.1.chars().count())).max().unwrap_or(0);
            for row in rows {
                let cells = row.iter().enumerate().map(|(c, (_, value))| match c + 1 == columns {
                    true => value.clone(),
                    false => format!("{value:<0$}", width(c)),
                });
                out += &format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end());
            }
        }
        out
    }

    /// An object of sections, each a list of objects.
    pub(crate) fn json(&self) -> String {
        let object = |row: &Row| {
            let fields = row.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        };
        let sections = self.sections.iter().map(|(name, rows)| {
            let rows: Vec<String> = rows.iter().map(|row| format!("    {}", object(row))).collect();
            format!("  {}: [\n{}\n  ]", quoted(name), rows.join(",\n"))
        });
        format!("{{\n{}\n}}\n", sections.collect::<Vec<_>>().join(",\n"))
    }
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Writes to standard output; a reader that has gone is no error.
pub(crate) fn print(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_aligned_and_json_quoted() {
        let mut report = Report::default();
        let row = |a: &str, b: &str| vec![("name", a.to_owned()), ("value", b.to_owned())];
        report.section("s", vec![row("long name", "x"), row("n", "say \"\\\n\"")]);
        assert_eq!(report.text(), "s\n  long name  x\n  n          say \"\\\n\"\n");
        let json = "{\n  \"s\": [\n    {\"name\": \"long name\", \"value\": \"x\"},\n    \
                    {\"name\": \"n\", \"value\": \"say \\\"\\\\\\u000a\\\"\"}\n  ]\n}\n";
        assert_eq!(report.json(), json);
    }
}
