//! The kinds of values that settings take: which are accepted, and the sentence that says so when one is not.

use std::net::IpAddr;

use super::size::{SizeValue, parse_size};
use crate::units::Bytes;

/// What kind of value a setting takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The standard's size grammar, or a percentage of the host's memory (see [`parse_size`]); at most so many bytes.
    Size(u64),
    /// A whole number, from the first to the second.
    Count(u64, u64),
    /// `0`/`off`/`false`/`no` or `1`/`on`/`true`/`yes`.
    Switch,
    /// On whenever it is set, whatever the value: the standard's rule for its three switches.
    Present,
    /// A list of component names, `a,b` to allow only these or `^a,b` to leave these out.
    Components,
    /// The same of these names only.
    Names(&'static [&'static str]),
    /// A component's priority: a whole number of 32 bits, which may be negative.
    Priority,
    /// How PEs are dealt out to hosts: `2`, `1+3` or `cyclic:2`.
    Hosts,
    /// Network interfaces or networks, with commas between.
    Net,
}

/// A value that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name}={value:?}: {why}")]
pub struct SettingError {
    /// The variable.
    pub name: String,
    /// What it holds.
    pub value: String,
    /// What is wrong with it, and what would be accepted.
    pub why: String,
}

impl Kind {
    /// Which values are accepted, in words.
    pub fn grammar(self) -> String {
        match self {
            Kind::Size(most) => format!(
                "write a number with an optional k, m, g or t and without an exponent (as 512m or 1.5G), or a percentage \
                 of the host's memory (as 25%); at most {}",
                Bytes(most)
            ),
            Kind::Count(least, most) => format!("write a whole number, {least} to {most}"),
            Kind::Switch => "write 0, off, false or no, or 1, on, true or yes".to_owned(),
            Kind::Components => {
                "write names of allocators, `buddy` or `a,b` to allow only these, `^ptmalloc` to leave \
                                 that one out"
                    .to_owned()
            }
            Kind::Names(names) => {
                format!(
                    "write names of {}, as `{}` to allow only that or `^{}` to leave it out",
                    names.join(", "),
                    names[0],
                    names[0]
                )
            }
            Kind::Priority => format!("write a whole number, {} to {}", i32::MIN, i32::MAX),
            Kind::Hosts => format!(
                "write how many hosts (as 2), how many PEs each has (as 1+3), or cyclic: and how many hosts (as cyclic:2); \
                 each number 1 to {MOST_HOSTS}"
            ),
            Kind::Net => {
                "write names of network interfaces or of networks, as `eth0`, `ib0,eth1` or `10.1.0.0/16`"
                    .to_owned()
            }
            Kind::Present => "write anything".to_owned(),
        }
    }

    /// An error that quotes name and value, unless the value is accepted.
    pub(super) fn check(self, name: &str, value: &str) -> Result<(), SettingError> {
        let wrong = |what: &str| {
            let why = format!("{what}; {}", self.grammar());
            Err(SettingError { name: name.to_owned(), value: value.to_owned(), why })
        };
        let text = value.trim();
        match self {
            Kind::Size(most) => match parse_size(value) {
                Err(e) => wrong(&e.to_string()),
                Ok(SizeValue::Bytes(n)) if n > most => wrong("is too much"),
                Ok(_) => Ok(()),
            },
            Kind::Count(least, most) => match text.parse::<u64>() {
                Err(_) => wrong("is no such number"),
                Ok(n) if n < least || n > most => wrong("is out of range"),
                Ok(_) => Ok(()),
            },
            Kind::Switch if switch(value).is_none() => wrong("is neither off nor on"),
            Kind::Components if !is_list(text) => wrong("is no list of names"),
            Kind::Names(names) if !is_list_of(text, |name| names.contains(&name)) => {
                wrong("is no list of these")
            }
            Kind::Priority if text.parse::<i32>().is_err() => wrong("is no such number"),
            Kind::Hosts if !is_hosts(text) => wrong("is no such number of hosts"),
            Kind::Net if !is_net(text) => wrong("names no interface or network"),
            _ => Ok(()),
        }
    }
}

/// More hosts, or PEs of one, than a test has.
const MOST_HOSTS: u32 = 65536;

fn is_hosts(text: &str) -> bool {
    let is_number = |text: &str| text.trim().parse().is_ok_and(|n: u32| (1..=MOST_HOSTS).contains(&n));
    match text.strip_prefix("cyclic:") {
        Some(n) => is_number(n),
        None => text.split('+').all(is_number),
    }
}

fn is_net(text: &str) -> bool {
    text.split(',').map(str::trim).all(|name| {
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:@".contains(&b))
        };
        match name.split_once('/') {
            Some((network, bits)) => network.parse::<IpAddr>().is_ok_and(|ip| {
                bits.parse().is_ok_and(|bits: u32| bits <= if ip.is_ipv4() { 32 } else { 128 })
            }),
            None => is_name(name),
        }
    })
}

/// Whether a switch is on; `None` if the value says neither.
pub(super) fn switch(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "on" | "true" | "yes" => Some(true),
        "0" | "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

fn is_list(text: &str) -> bool {
    is_list_of(text, |name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.+".contains(&b))
    })
}

fn is_list_of(text: &str, is_name: impl Fn(&str) -> bool) -> bool {
    text.strip_prefix('^').unwrap_or(text).split(',').all(|name| is_name(name.trim()))
}
