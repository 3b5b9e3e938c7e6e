//! Open all components, select one per space by priority, close the rest.
//!
//! ```text
//!   open(list, settings)          select(span) ... once per space            close()
//!   ───────────────────► Framework<Candidates> ──close_losers()──► Framework<Selected> ──► (gone)
//!        every one allowed is opened    every one that opened is initialised,
//!                                       the highest priority is kept, the others finalised
//! ```
//!
//! * **FRAMEWORK-F1** a component is opened at most once, and closed exactly once if it opened;
//! * **FRAMEWORK-F2** of the modules made by one `select`, all but the winner's are finalised before it returns;
//! * **FRAMEWORK-F3** the winner has the highest priority of those that could be initialised, and among equals
//!   stands first in the list;
//! * **FRAMEWORK-F4** if none is left, the error names every component and why it is out.

use std::fmt;
use std::marker::PhantomData;

use crate::component::{Component, Decline, Module, Opened, Priority};
use crate::settings::{Setting, Settings};
use crate::units::Span;

/// Stage: components are open, modules can be made.
pub enum Candidates {}
/// Stage: spaces have their modules, the components that won none are closed.
pub enum Selected {}

/// The components of one start of the library.
pub struct Framework<Stage> {
    entries: Vec<Entry>,
    stage: PhantomData<Stage>,
}

struct Entry {
    name: &'static str,
    priority: Priority,
    opened: Option<Box<dyn Opened>>,
    out: Option<String>,
    modules: usize,
}

/// The module chosen for a space, and how the choice went.
pub struct Selection {
    /// The winner's module.
    pub module: Box<dyn Module>,
    /// The winner's name.
    pub component: &'static str,
    /// Every component and its outcome, in the order of the list.
    pub outcomes: Vec<Outcome>,
}

/// What became of one component, and its priority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The component.
    pub name: &'static str,
    /// The priority it had.
    pub priority: Priority,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a component in a selection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It manages the space.
    Won,
    /// It could manage the space, but another had a higher priority, or the same and stood before it.
    Lost {
        /// Who won.
        to: &'static str,
    },
    /// It was left out by a setting, or declined, for this reason.
    Out(String),
}

/// No component is left to manage a space.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoneLeft {
    /// The space.
    pub space: String,
    /// Every component and why it is out.
    pub outcomes: Vec<Outcome>,
}

impl Framework<Candidates> {
    /// Opens every component of `list` that at least one of `filters` (settings such as `SHMEM_MEMHEAP`,
    /// one for each space) allows.
    pub fn open(list: &[&dyn Component], filters: &[&Setting], settings: &Settings) -> Self {
        let entries = list.iter().map(|component| {
            let (name, own) = caught(|| Ok((component.name(), component.priority())))
                .unwrap_or(("(no name: it panicked when asked)", Priority(i32::MIN)));
            let priority = settings.priority_of(name).unwrap_or(own);
            let result = if filters.iter().any(|f| settings.allows(f, name)) {
                caught(|| component.open(settings)).map_err(|d| format!("declined to open: {d}"))
            } else {
                Err(left_out(filters[0], settings))
            };
            let (opened, out) = match result {
                Ok(opened) => (Some(opened), None),
                Err(why) => (None, Some(why)),
            };
            Entry { name, priority, opened, out, modules: 0 }
        });
        Framework { entries: entries.collect(), stage: PhantomData }
    }

    /// Initialises every open component that `filter` allows on `span`, keeps the best and finalises the
    /// others.
    pub fn select(
        &mut self,
        space: &str,
        span: Span,
        filter: &Setting,
        settings: &Settings,
    ) -> Result<Selection, NoneLeft> {
        let mut best: Option<(usize, Box<dyn Module>)> = None;
        let mut refused: Vec<Option<String>> = Vec::with_capacity(self.entries.len());
        for (i, entry) in self.entries.iter().enumerate() {
            let Some(opened) = &entry.opened else {
                refused.push(entry.out.clone());
                continue;
            };
            if !settings.allows(filter, entry.name) {
                refused.push(Some(left_out(filter, settings)));
                continue;
            }
            match caught(|| opened.init(span)) {
                Ok(module) => {
                    refused.push(None);
                    match &best {
                        Some((b, _)) if self.entries[*b].priority >= entry.priority => {
                            quietly(|| module.finalize());
                        }
                        _ => {
                            if let Some((_, loser)) = best.replace((i, module)) {
                                quietly(|| loser.finalize());
                            }
                        }
                    }
                }
                Err(why) => refused.push(Some(format!("declined to manage {}: {why}", span.len))),
            }
        }
        let winner = best.as_ref().map(|(i, _)| *i);
        let outcomes = self.outcomes(winner, refused);
        match best {
            Some((i, module)) => {
                self.entries[i].modules += 1;
                Ok(Selection { module, component: self.entries[i].name, outcomes })
            }
            None => Err(NoneLeft { space: space.to_owned(), outcomes }),
        }
    }

    /// Closes the components that won no space.
    pub fn close_losers(mut self) -> Framework<Selected> {
        for entry in self.entries.iter_mut().filter(|e| e.modules == 0) {
            entry.close();
        }
        Framework { entries: std::mem::take(&mut self.entries), stage: PhantomData }
    }

    fn outcomes(&self, winner: Option<usize>, refused: Vec<Option<String>>) -> Vec<Outcome> {
        let fate = |i: usize, refused: Option<String>| match (refused, winner) {
            (Some(why), _) => Fate::Out(why),
            (None, Some(w)) if w == i => Fate::Won,
            (None, Some(w)) => Fate::Lost { to: self.entries[w].name },
            (None, None) => Fate::Out("initialised, but not kept".to_owned()),
        };
        let entries = self.entries.iter().zip(refused).enumerate();
        entries
            .map(|(i, (e, why))| Outcome { name: e.name, priority: e.priority, fate: fate(i, why) })
            .collect()
    }
}

impl Framework<Selected> {
    /// Closes the winners, too (FRAMEWORK-F1): dropping does the same, and a second call does nothing.
    pub fn close(&mut self) {
        self.entries.iter_mut().for_each(Entry::close);
    }
}

impl<Stage> Drop for Framework<Stage> {
    fn drop(&mut self) {
        self.entries.iter_mut().for_each(Entry::close);
    }
}

/// A component that panics counts as one that declines: other PEs may be waiting for this one.
fn caught<T>(call: impl FnOnce() -> Result<T, Decline>) -> Result<T, Decline> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(Decline("it panicked".to_owned())))
}

/// A panic in the last call of a component or of its module has no consequences beyond the message that it prints.
pub(crate) fn quietly(call: impl FnOnce()) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
}

fn left_out(filter: &Setting, settings: &Settings) -> String {
    format!("left out by {}={}", filter.name, settings.text(filter).unwrap_or(""))
}

impl Entry {
    fn close(&mut self) {
        if let Some(opened) = self.opened.take() {
            quietly(|| opened.close());
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (priority {}): ", self.name, self.priority.0)?;
        match &self.fate {
            Fate::Won => f.write_str("selected"),
            Fate::Lost { to } => write!(f, "closed, {to} was preferred"),
            Fate::Out(why) => f.write_str(why),
        }
    }
}

impl fmt::Display for NoneLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no allocator left for the {} heap", self.space)?;
        for outcome in &self.outcomes {
            write!(f, "; {outcome}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NoneLeft {}

#[cfg(test)]
mod tests;
