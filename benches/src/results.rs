//! What all rounds found: every value of every contender, of which the least counts.

use std::collections::BTreeMap;

/// Values by contender and metric, one per round.
#[derive(Clone, Debug, Default)]
pub struct Results {
    values: BTreeMap<(String, String), Vec<f64>>,
}

impl Results {
    /// Takes in what a round's process printed: lines of contender, metric and value.
    pub fn take_in(&mut self, text: &str) {
        for line in text.lines() {
            let mut parts = line.split_whitespace();
            if let (Some(who), Some(what), Some(Ok(value)), None) =
                (parts.next(), parts.next(), parts.next().map(str::parse), parts.next())
            {
                self.add(who, what, value);
            }
        }
    }

    /// One more value.
    pub fn add(&mut self, who: &str, what: &str, value: f64) {
        self.values.entry((who.to_owned(), what.to_owned())).or_default().push(value);
    }

    /// The least value, if there is one.
    pub fn least(&self, who: &str, what: &str) -> Option<f64> {
        self.all(who, what).first().copied()
    }

    /// The middle value, if there is one.
    pub fn median(&self, who: &str, what: &str) -> Option<f64> {
        let all = self.all(who, what);
        all.get(all.len() / 2).copied()
    }

    /// The least of one over the least of the other.
    pub fn ratio(&self, of: &str, to: &str, what: &str) -> Option<f64> {
        Some(self.least(of, what)? / self.least(to, what)?)
    }

    /// Those of `names` that have a value of `what`.
    pub fn present<'n>(&self, names: &[&'n str], what: &str) -> Vec<&'n str> {
        names.iter().copied().filter(|who| self.least(who, what).is_some()).collect()
    }

    fn all(&self, who: &str, what: &str) -> Vec<f64> {
        let mut all = self.values.get(&(who.to_owned(), what.to_owned())).cloned().unwrap_or_default();
        all.sort_unstable_by(f64::total_cmp);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minima_medians_and_ratios() {
        let mut results = Results::default();
        results.take_in("a ns/x 4\nb ns/x 2\na ns/x 3\nnoise\na ns/x 9\n");
        assert_eq!(results.least("a", "ns/x"), Some(3.0));
        assert_eq!(results.median("a", "ns/x"), Some(4.0));
        assert_eq!(results.ratio("a", "b", "ns/x"), Some(1.5));
        assert_eq!(results.ratio("a", "c", "ns/x"), None);
        assert_eq!(results.present(&["c", "b"], "ns/x"), ["b"]);
    }
}
