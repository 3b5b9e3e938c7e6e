//! Variables that look like settings but are not: misspelt ones, and other libraries' names for the same thing.
//!
//! Compilers, launchers and other implementations of the standard have variables with the same prefix. So a hint is
//! given only where a name is like that of a setting: a typing error apart, or with most words in common, as
//! `SHMEM_SYMMETRIC_HEAP_SIZE` has two of three words in common with `SHMEM_SYMMETRIC_SIZE`.

use super::table::{COMPONENT_PRIORITY, SYMMETRIC_SIZE, TABLE, is_priority};

/// Names that are as much alike, but are used by others.
const OTHERS: &[&str] = &[
    "SHMEM_SYMMETRIC_HEAP_PAGE_SIZE",
    "SHMEM_TEAMS_MAX",
    "SHMEM_CC",
    "SHMEM_CXX",
    "SHMEM_DIR",
    "SHMEM_ROOT",
];

/// Variables of the library itself and its tests.
const OWN: &[&str] = &["SHMEM_TEST_", "SHMEM_LOCAL_LINK", "SHMEM_STATICS_CASE"];

/// What other implementations of the standard call the size of the heap.
const SIZES: &[&str] = &["SHMEM_HEAP_SIZE", "SHMEM_SIZE", "SHMEM_SYMMETRIC_HEAP", "SHMEM_SYMM_HEAP_SIZE"];

/// The setting that `name` may have been meant for; `None` if it is a setting, or is not like one.
pub(super) fn meant(name: &str) -> Option<String> {
    let known = TABLE.iter().any(|s| s.name == name || s.fallback == Some(name)) || is_priority(name);
    if known
        || !name.starts_with("SHMEM_")
        || OTHERS.contains(&name)
        || OWN.iter().any(|own| name.starts_with(own))
    {
        return None;
    }
    if SIZES.contains(&name) {
        return Some(SYMMETRIC_SIZE.name.to_owned());
    }
    if name.starts_with(COMPONENT_PRIORITY.0) && name.contains("PRIO") {
        return Some(format!("{}<NAME>{}", COMPONENT_PRIORITY.0, COMPONENT_PRIORITY.1));
    }
    let slip = TABLE.iter().map(|s| (strsim::osa_distance(s.name, name), s.name)).min()?;
    if slip.0 <= 2 {
        return Some(slip.1.to_owned());
    }
    let best = TABLE.iter().map(|s| (in_common(s.name, name), s.name)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.5).then(|| best.1.to_owned())
}

/// How many of the words of both names they have in common, from 0 to 1.
fn in_common(a: &str, b: &str) -> f64 {
    let words = |name: &str| -> std::collections::BTreeSet<String> {
        name.split('_').skip(1).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    let (a, b) = (words(a), words(b));
    a.intersection(&b).count() as f64 / a.union(&b).count().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_setting_is_one_hint() {
        for (name, setting) in [
            ("SHMEM_SYMMETRIC_HEAP_SIZE", "SHMEM_SYMMETRIC_SIZE"),
            ("SHMEM_HEAP_SIZE", "SHMEM_SYMMETRIC_SIZE"),
            ("SHMEM_SYMETRIC_SIZE", "SHMEM_SYMMETRIC_SIZE"),
            ("SHMEM_MEMHAEP", "SHMEM_MEMHEAP"),
            ("SHMEM_INFOS", "SHMEM_INFO"),
            ("SHMEM_HEAPCHECK", "SHMEM_HEAP_CHECK"),
            ("SHMEM_MEMHEAP_BUDDY_PRIO", "SHMEM_MEMHEAP_<NAME>_PRIORITY"),
        ] {
            assert_eq!(meant(name).as_deref(), Some(setting), "{name}");
        }
    }

    #[test]
    fn settings_and_the_variables_of_others_are_none() {
        let ours = TABLE.iter().map(|s| s.name).chain(["SMA_SYMMETRIC_SIZE", "SHMEM_MEMHEAP_MINE_PRIORITY"]);
        let others = [
            "SHMEM_CC",
            "SHMEM_HOME",
            "SHMEM_DIR",
            "SHMEM_ROOT",
            "SHMEM_INSTALL_DIR",
            "SHMEM_LAUNCHER",
            "SHMEM_PATH",
            "SHMEM_BARRIER_ALGORITHM",
            "SHMEM_BOUNCE_SIZE",
            "SHMEM_OFI_PROVIDER",
            "SHMEM_SYMMETRIC_HEAP_PAGE_SIZE",
            "SHMEM_SYMMETRIC_HEAP_USE_HUGE_PAGES",
            "SHMEM_TEAMS_MAX",
            "SHMEM_CMA_PUT_MAX",
            "SHMEM_LOGGING",
            "SHMEM_TEST_ROLE",
            "SHMEM_LOCAL_LINK",
            "PATH",
            "XT_SYMMETRIC_HEAP_SIZE",
        ];
        for name in ours.chain(others) {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
