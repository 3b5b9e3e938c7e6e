//! Where in the program a call was made: what the heap's checks say of a block.
//!
//! A Rust caller is known by file and line when it is compiled (`#[track_caller]`), a C caller by the address its call
//! returns to, of which file and line are looked up in the program's debugging information only when they are to be
//! printed.

use std::ffi::c_void;
use std::fmt;
use std::panic::Location;

/// Where a call was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite(Known);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    Place(&'static Location<'static>),
    /// Where the call returns to.
    Return(usize),
}

impl CallSite {
    /// The caller of the function that calls this, if that is `#[track_caller]`.
    #[track_caller]
    #[inline]
    pub fn here() -> CallSite {
        CallSite(Known::Place(Location::caller()))
    }

    /// The call that returns to `address`.
    #[inline]
    pub const fn returning_to(address: usize) -> CallSite {
        CallSite(Known::Return(address))
    }
}

/// File and line; without debugging information the address, and the function's name if that is known.
impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let back = match self.0 {
            Known::Place(place) => return place.fmt(f),
            Known::Return(back) => back,
        };
        let (mut line, mut name) = (None, None);
        // Takes what a call returns to and looks at the byte before: the call may be a function's last instruction.
        backtrace::resolve(std::ptr::without_provenance_mut::<c_void>(back), |symbol| {
            // Of several the first is the innermost, inlined into the others.
            if line.is_none() {
                line =
                    symbol.filename().zip(symbol.lineno()).map(|(file, n)| format!("{}:{n}", file.display()));
            }
            if name.is_none() {
                name = symbol.name().map(|name| name.to_string());
            }
        });
        match (line, name) {
            (Some(line), Some(name)) => write!(f, "{line} in {name}"),
            (Some(line), None) => f.write_str(&line),
            (None, Some(name)) => write!(f, "{back:#x} in {name}"),
            (None, None) => write!(f, "{back:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_code_has_a_name_and_any_other_is_a_number() {
        #[inline(never)]
        fn a_function_of_this_test(n: u32) -> u32 {
            std::hint::black_box(n) * 3
        }
        let code = a_function_of_this_test as *const () as usize;
        assert_eq!(a_function_of_this_test(2), 6);
        let text = CallSite::returning_to(code + 1).to_string();
        assert!(text.contains("a_function_of_this_test") || text.contains("site.rs"), "{text}");
        for number in [0, 1, usize::MAX] {
            assert_eq!(CallSite::returning_to(number).to_string(), format!("{number:#x}"));
        }
        let here = CallSite::here();
        assert!(here.to_string().contains("site.rs"), "{here}");
    }
}
