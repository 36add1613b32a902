//! Hints: the part of an error that says what to do about it.

use std::fmt;

/// Ends the text of an error. The alternate form `{:#}` adds the hint on a line of its own.
#[doc(hidden)]
pub fn write_hint(f: &mut fmt::Formatter<'_>, hint: Option<&str>) -> fmt::Result {
    match hint {
        Some(hint) if f.alternate() => write!(f, "\n  hint: {hint}"),
        _ => Ok(()),
    }
}

/// Implements an error whose message and hint are always the same.
#[doc(hidden)]
#[macro_export]
macro_rules! constant_error {
    ($name:ident, $message:literal, $hint:literal) => {
        impl $name {
            /// What to do about the error.
            pub fn hint(&self) -> Option<&str> {
                Some($hint)
            }
        }

        /// `{}` is one sentence. `{:#}` adds the hint on a line of its own.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($message)?;
                $crate::write_hint(f, self.hint())
            }
        }

        impl std::error::Error for $name {}
    };
}
