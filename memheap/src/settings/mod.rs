//! The one table of settings, from which they are parsed, printed and documented.
//!
//! A setting is an environment variable. [`Settings::from_env`] reads those that the [`TABLE`] names, and the
//! priority of every component (see [`COMPONENT_PRIORITY`]). A value that does not parse is an error that quotes it;
//! nothing is guessed.

mod hint;
mod kind;
mod size;
mod table;

use std::collections::BTreeMap;

pub use kind::{Kind, SettingError};
pub use size::{SizeError, SizeValue, parse_size};
use table::is_priority;
pub use table::*;

use crate::units::Priority;

/// The settings of this process, every value checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    /// Variables that look like settings but are not, and the settings that may have been meant.
    strangers: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Result<Settings, SettingError> {
        Self::from_pairs(std::env::vars_os().filter_map(|(k, v)| {
            let name = k.into_string().ok()?;
            (name.starts_with("SHMEM_") || name.starts_with("SMA_"))
                .then(|| (name, v.to_string_lossy().into_owned()))
        }))
    }

    /// Takes settings from pairs of name and value; names the table does not know are ignored.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Settings, SettingError> {
        let given: BTreeMap<String, String> = pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        let mut values = BTreeMap::new();
        for setting in TABLE {
            let found = [Some(setting.name), setting.fallback]
                .into_iter()
                .flatten()
                .find_map(|name| given.get_key_value(name));
            if let Some((name, value)) = found {
                setting.kind.check(name, value)?;
                values.insert(setting.name.to_owned(), value.clone());
            }
        }
        for (name, value) in &given {
            if is_priority(name) {
                Kind::Priority.check(name, value)?;
                values.insert(name.clone(), value.clone());
            }
        }
        let strangers = given.keys().filter_map(|name| Some((name.clone(), hint::meant(name)?))).collect();
        Ok(Settings { values, strangers })
    }

    /// One line about the variables that look like settings but are not; `None` if there are none.
    pub fn hint(&self) -> Option<String> {
        let each = self.strangers.iter().map(|(name, meant)| format!("{name} (did you mean {meant}?)"));
        let all = each.collect::<Vec<_>>().join(", ");
        (!all.is_empty()).then(|| format!("no setting of this library, so not looked at: {all}"))
    }

    /// The text of a setting: what was given, else its default; `None` if it was not given and has no default.
    pub fn text(&self, setting: &Setting) -> Option<&str> {
        match self.values.get(setting.name) {
            Some(value) => Some(value.as_str()),
            None if setting.default.is_empty() => None,
            None => Some(setting.default),
        }
    }

    /// Whether a setting was given at all.
    pub fn is_set(&self, setting: &Setting) -> bool {
        self.values.contains_key(setting.name)
    }

    /// The value of a [`Kind::Size`] setting.
    pub fn size(&self, setting: &Setting) -> Option<SizeValue> {
        self.text(setting).and_then(|v| parse_size(v).ok())
    }

    /// The value of a [`Kind::Count`] setting.
    pub fn count(&self, setting: &Setting) -> Option<u64> {
        self.text(setting).and_then(|v| v.trim().parse().ok())
    }

    /// Whether a [`Kind::Switch`] or [`Kind::Present`] setting is on.
    pub fn is_on(&self, setting: &Setting) -> bool {
        match setting.kind {
            Kind::Present => self.is_set(setting),
            _ => self.text(setting).and_then(kind::switch).unwrap_or(false),
        }
    }

    /// The priority given for a component, if any.
    pub fn priority_of(&self, component: &str) -> Option<Priority> {
        let (prefix, suffix) = COMPONENT_PRIORITY;
        let name = format!("{prefix}{}{suffix}", component.to_ascii_uppercase().replace('-', "_"));
        self.values.get(&name).and_then(|v| v.trim().parse().ok()).map(Priority)
    }

    /// Whether `list` (a [`Kind::Components`] or [`Kind::Names`] setting) lets a component take part.
    pub fn allows(&self, list: &Setting, component: &str) -> bool {
        let Some(text) = self.text(list) else { return true };
        let (out, names) = match text.trim().strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        names.split(',').any(|n| n.trim() == component) != out
    }

    /// The given settings that decide which allocator manages a space and how it lays blocks out, as one text. They
    /// must be equal on all PEs, which compare it.
    pub fn deciding(&self) -> String {
        let given = self.values.iter().filter(|(name, _)| name.starts_with("SHMEM_MEMHEAP"));
        given.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    /// Every setting that was given, and the defaults of the rest, one line each.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for s in TABLE {
            let (value, from) = match self.values.get(s.name) {
                Some(v) => (v.as_str(), "set"),
                None => (s.default, "default"),
            };
            out += &format!("{:<32} {:<12} {:<8} {}\n", s.name, value, from, s.meaning);
        }
        for (name, value) in self.values.iter().filter(|(n, _)| is_priority(n)) {
            out += &format!("{name:<32} {value:<12} {:<8} Priority of that component.\n", "set");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Settings, SettingError> {
        Settings::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn the_old_name_is_a_fallback_only() {
        let old = of(&[("SMA_SYMMETRIC_SIZE", "2m")]).unwrap();
        assert_eq!(old.size(&SYMMETRIC_SIZE), Some(SizeValue::Bytes(2 << 20)));
        let both = of(&[("SMA_SYMMETRIC_SIZE", "2m"), ("SHMEM_SYMMETRIC_SIZE", "4m")]).unwrap();
        assert_eq!(both.size(&SYMMETRIC_SIZE), Some(SizeValue::Bytes(4 << 20)));
        assert_eq!(of(&[]).unwrap().size(&SYMMETRIC_SIZE), None);
    }

    #[test]
    fn an_error_quotes_name_and_value() {
        let e = of(&[("SHMEM_SYMMETRIC_SIZE", "lots")]).unwrap_err().to_string();
        assert!(e.starts_with("SHMEM_SYMMETRIC_SIZE=\"lots\": "), "{e}");
        let e = of(&[("SHMEM_MEMHEAP_BUDDY_PRIORITY", "high")]).unwrap_err().to_string();
        assert!(e.contains("SHMEM_MEMHEAP_BUDDY_PRIORITY=\"high\""), "{e}");
        assert!(of(&[("SHMEM_LOCAL_PES", "-1")]).is_err());
        assert!(of(&[("SHMEM_MEMHEAP", "^")]).is_err());
    }

    #[test]
    fn include_and_exclude() {
        let none = of(&[]).unwrap();
        assert!(none.allows(&MEMHEAP, "buddy"));
        let only = of(&[("SHMEM_MEMHEAP", "buddy, toy")]).unwrap();
        assert!(only.allows(&MEMHEAP, "toy") && !only.allows(&MEMHEAP, "ptmalloc"));
        let not = of(&[("SHMEM_MEMHEAP", "^buddy")]).unwrap();
        assert!(!not.allows(&MEMHEAP, "buddy") && not.allows(&MEMHEAP, "ptmalloc"));
    }

    #[test]
    fn priorities_by_component_name() {
        let s = of(&[("SHMEM_MEMHEAP_MY_TOY_PRIORITY", "-3")]).unwrap();
        assert_eq!(s.priority_of("my-toy"), Some(Priority(-3)));
        assert_eq!(s.priority_of("buddy"), None);
        assert!(s.table().contains("SHMEM_MEMHEAP_MY_TOY_PRIORITY"));
    }

    #[test]
    fn present_means_on_even_for_zero() {
        assert!(of(&[("SHMEM_INFO", "0")]).unwrap().is_on(&INFO));
        assert!(!of(&[]).unwrap().is_on(&INFO));
    }

    #[test]
    fn every_default_parses() {
        for s in TABLE.iter().filter(|s| !s.default.is_empty()) {
            s.kind.check(s.name, s.default).unwrap();
        }
    }

    /// Every setting with every value of a long list is either accepted, and can be read back, or gives an error that
    /// names the variable, the value and the grammar.
    #[test]
    fn every_bad_value_of_every_setting_is_told_in_full() {
        let mut values: Vec<String> = [
            "",
            " ",
            "-1",
            "+",
            "1e6",
            "1E9",
            "0x10",
            "1,5",
            "1.5.1",
            "nan",
            "inf",
            "many",
            "yes please",
            "k",
            "m",
            "%",
            "%5",
            "101%",
            "5%%",
            "1 g",
            "18446744073709551615",
            "18446744073709551616",
            "9223372036854775808",
            "4294967296",
            "4294967295",
            "65537",
            "1024",
            "1025",
            "16777216t",
            "99999999999T",
            "9t",
            "8193g",
            "^",
            "^^buddy",
            ",",
            "buddy,",
            "buddy;ptmalloc",
            "a b",
            "\u{fffd}",
            "\n",
            "0",
            "1",
            "2",
            "3",
            "4",
            "21",
            "22",
            "512m",
            "1.5G",
            "25%",
            "off",
            "buddy",
            "pmix",
            "^mpi, local",
            "pmix,none",
            "1+3",
            "1+0",
            "cyclic:2",
            "cyclic:65537",
            "10.1.0.0/16",
            "10.1.0.0/33",
            "fd00::/129",
            "eth0,ib0",
            "eth 0",
        ]
        .map(str::to_owned)
        .into();
        values.extend((0..200).map(|n| "9".repeat(n + 1)));
        let names = TABLE.iter().map(|s| (s.name, s.kind));
        let old = TABLE.iter().filter_map(|s| Some((s.fallback?, s.kind)));
        let mut wrong = 0;
        for (name, kind) in names.chain(old).chain([("SHMEM_MEMHEAP_MINE_PRIORITY", Kind::Priority)]) {
            for value in &values {
                match of(&[(name, value)]) {
                    Err(e) => {
                        let line = e.to_string();
                        assert!(line.starts_with(&format!("{name}={value:?}: ")), "{line}");
                        assert!(line.ends_with(&kind.grammar()) && !line.contains('\n'), "{line}");
                        wrong += 1;
                    }
                    Ok(settings) => {
                        let setting = TABLE.iter().find(|s| s.name == name || s.fallback == Some(name));
                        let read = setting.is_none_or(|s| match s.kind {
                            Kind::Size(most) => settings.size(s).is_some_and(|v| v.resolve(most) <= most),
                            Kind::Count(least, most) => {
                                settings.count(s).is_some_and(|n| least <= n && n <= most)
                            }
                            _ => settings.is_set(s),
                        });
                        assert!(read, "{name}={value:?} is taken and not read");
                    }
                }
            }
        }
        assert!(wrong > 2000, "{wrong} were wrong");
    }

    #[test]
    fn a_stranger_is_a_hint() {
        let settings = of(&[("SHMEM_SYMMETRIC_HEAP_SIZE", "2g"), ("SHMEM_HOME", "/opt")]).unwrap();
        let hint = settings.hint().unwrap();
        assert!(hint.ends_with("SHMEM_SYMMETRIC_HEAP_SIZE (did you mean SHMEM_SYMMETRIC_SIZE?)"), "{hint}");
        assert_eq!(of(&[("SHMEM_HOME", "/opt")]).unwrap().hint(), None);
    }
}
