//! The built-in allocators, in the order ties are decided, and how foreign ones are kept honest.

use memheap::checked::Checked;
use memheap::component::{Component, Decline, Module, Opened, Priority};
use memheap::{Settings, Span};

/// The allocators that come with the library. They are believed (rule S6): each passes the conformance
/// set, the model test and the exhaustive test of its crate.
pub(crate) const BUILT_IN: &[&dyn Component] = &[&memheap_ptmalloc::Ptmalloc, &memheap_buddy::Buddy];

/// The allocators that come with the library, in the order ties are decided: what a start opens. For tools that
/// list them; a program adds its own with [`World::builder`](crate::World::builder).
pub fn built_in() -> &'static [&'static dyn Component] {
    BUILT_IN
}

/// A component whose modules are wrapped in [`Checked`].
pub(crate) struct CheckedComponent<'c>(pub(crate) &'c dyn Component);

impl Component for CheckedComponent<'_> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn priority(&self) -> Priority {
        self.0.priority()
    }

    fn open(&self, settings: &Settings) -> Result<Box<dyn Opened>, Decline> {
        let inner = self.0.open(settings)?;
        Ok(Box::new(CheckedOpened { inner, name: self.0.name() }))
    }
}

struct CheckedOpened {
    inner: Box<dyn Opened>,
    name: &'static str,
}

impl Opened for CheckedOpened {
    fn init(&self, span: Span) -> Result<Box<dyn Module>, Decline> {
        Ok(Box::new(Checked::new(self.inner.init(span)?, self.name, span)))
    }

    fn close(self: Box<Self>) {
        self.inner.close();
    }
}
