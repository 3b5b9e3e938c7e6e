//! Examples, and PAGES-P1 to PAGES-P5 for any sequence of calls; the seed's worked example is in `seeds::giet`.

mod examples;
mod properties;
mod windows;
