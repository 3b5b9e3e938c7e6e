//! One bar chart per workload, as SVG, with a logarithmic axis.

use std::fmt::Write;

use crate::results::Results;
use crate::tables::NAMES;
use crate::workload::Workload;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 70.0;
const TOP: f64 = 56.0;
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;

/// The chart of `workload`.
pub fn bars(results: &Results, workload: Workload) -> String {
    let metric = format!("ns/{}", workload.name());
    let names = results.present(&NAMES, &metric);
    let values: Vec<f64> = names.iter().filter_map(|who| results.least(who, &metric)).collect();
    let axis = Axis::over(&values);
    let height = TOP + STEP * names.len() as f64 + 34.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"16\" font-weight=\"bold\">{}</text>\n\
         <text x=\"{LEFT}\" y=\"42\" fill=\"#555\">ns per alloc and free, least of the rounds, log scale; less is \
         better</text>\n",
        workload.name()
    );
    let bottom = TOP + STEP * names.len() as f64;
    for tick in axis.ticks() {
        let x = axis.x(tick);
        push(
            &mut svg,
            format_args!(
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{x:.1}\" y=\"{:.1}\" fill=\"#555\" text-anchor=\"middle\">{tick}</text>\n",
                bottom + 18.0
            ),
        );
    }
    for (row, (who, value)) in names.iter().zip(&values).enumerate() {
        let y = TOP + STEP * row as f64;
        let length = (axis.x(*value) - LEFT).max(1.0);
        push(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{who}</text>\n\
             <rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\">{value:.1}</text>\n",
                LEFT - 8.0,
                y + 14.0,
                colour(who),
                LEFT + length + 6.0,
                y + 14.0
            ),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Ours dark, the peers light, whole libraries' calls in another hue.
fn colour(who: &str) -> &'static str {
    match who {
        "null" => "#bbbbbb",
        "buddy" | "ptmalloc" => "#1f5fa8",
        _ if who.starts_with("api:") => "#b4581c",
        _ if who.starts_with("shmem_api:") => "#e8b48c",
        _ => "#9dbfe3",
    }
}

/// A logarithmic axis that begins at a power of ten.
struct Axis {
    first: i32,
    last: i32,
}

impl Axis {
    fn over(values: &[f64]) -> Axis {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(1.0, f64::max);
        let least = if least.is_finite() && least > 0.0 { least } else { 1.0 };
        let first = least.log10().floor() as i32;
        Axis { first, last: (most.log10().ceil() as i32).max(first + 1) }
    }

    fn x(&self, value: f64) -> f64 {
        let part = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        LEFT + part.max(0.0) * (WIDTH - LEFT - RIGHT)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        (self.first..=self.last).map(|power| 10f64.powi(power))
    }
}

/// Appends to `svg`; writing to a string does not fail.
fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
    let written = svg.write_fmt(text);
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_per_contender_that_has_a_value() {
        let mut results = Results::default();
        results.take_in("buddy ns/random 12.5\nrlsf ns/random 50\nrlsf ns/batch 5\n");
        let svg = bars(&results, Workload::Random);
        assert!(svg.contains(">buddy<") && svg.contains(">12.5<") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("height=\"18\"").count(), 2);
    }
}
