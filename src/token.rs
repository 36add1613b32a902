//! The two types of tokens. Using one in place of the other does not compile, and neither prints.

use std::fmt;
use telecrm_core::write_hint;

/// Why a text is not a token.
///
/// ```
/// use telecrm::AsyncToken;
///
/// let error = AsyncToken::new("Bearer 0f1e2d3c").unwrap_err();
/// assert_eq!(error.to_string(), "the Async token starts with `Bearer `");
/// assert_eq!(error.hint(), Some("pass the token alone"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError {
    what: &'static str,
    fault: &'static str,
    hint: &'static str,
}

impl TokenError {
    /// What to do about the error.
    pub fn hint(&self) -> Option<&str> {
        Some(self.hint)
    }
}

/// `{}` is one sentence. `{:#}` adds the hint on a line of its own.
impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} {}", self.what, self.fault)?;
        write_hint(f, self.hint())
    }
}

impl std::error::Error for TokenError {}

fn validate(what: &'static str, token: &str) -> Result<Box<str>, TokenError> {
    let token = token.trim();
    let start = token.get(..7);
    let has_prefix = start.is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    let (fault, hint) = if token.is_empty() {
        ("is empty", "copy the token from the dashboard")
    } else if has_prefix {
        ("starts with `Bearer `", "pass the token alone")
    } else if token.contains(',') {
        ("has a comma", "give each of several tokens by itself")
    } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        (
            "has blanks, control characters or non-ASCII characters",
            "copy the whole token from the dashboard, and nothing else",
        )
    } else {
        return Ok(token.into());
    };
    Err(TokenError { what, fault, hint })
}

macro_rules! token {
    ($(#[$meta:meta])* $name:ident, $what:literal, $variable:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Box<str>);

        impl std::str::FromStr for $name {
            type Err = TokenError;

            fn from_str(token: &str) -> Result<Self, TokenError> {
                Self::new(token)
            }
        }

        impl $name {
            /// A token as the dashboard shows it, without `Bearer `.
            ///
            /// # Errors
            /// Returns an error if the text is empty or has characters that no token has.
            pub fn new(token: impl AsRef<str>) -> Result<Self, TokenError> {
                validate($what, token.as_ref()).map(Self)
            }

            #[doc = concat!("The token in the environment variable `", $variable, "`.")]
            ///
            /// # Errors
            /// Returns an error if the variable is not set or does not hold a token.
            pub fn from_env() -> Result<Self, TokenError> {
                match std::env::var($variable) {
                    Ok(token) => Self::new(&token),
                    Err(_) => Err(TokenError {
                        what: $what,
                        fault: "is not in the environment",
                        hint: concat!("set ", $variable),
                    }),
                }
            }

            pub(crate) fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

token! {
    /// A token of type Sync, for everything except [ingest](crate::Ingest::push).
    ///
    /// ```
    /// let token = telecrm::SyncToken::new("0f1e2d3c")?;
    /// assert_eq!(format!("{token:?}"), "SyncToken(…)");
    /// # Ok::<(), telecrm::TokenError>(())
    /// ```
    SyncToken, "Sync token", "TELECRM_SYNC_TOKEN"
}

token! {
    /// A token of type Async, for [ingest](crate::Ingest::push) only (pitfall AS8).
    ///
    /// ```compile_fail
    /// let token = telecrm::SyncToken::new("0f1e2d3c")?;
    /// telecrm::Telecrm::builder("enterprise-id").async_token(token); // not an Async token
    /// # Ok::<(), telecrm::TokenError>(())
    /// ```
    AsyncToken, "Async token", "TELECRM_ASYNC_TOKEN"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that a text is refused for this reason, and that the error does not quote it.
    #[track_caller]
    fn assert_refused(text: &str, reason: &str) {
        let error = SyncToken::new(text).expect_err("not a token");
        let text = format!("{error:#}");
        assert!(text.contains(reason), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }

    #[test]
    fn an_empty_token_is_refused() {
        assert_refused("  ", "is empty");
    }

    #[test]
    fn a_token_with_its_scheme_is_refused() {
        assert_refused("Bearer s3cret", "starts with `Bearer `");
        assert_refused("bearer s3cret", "starts with `Bearer `");
    }

    #[test]
    fn a_token_with_invisible_characters_is_refused() {
        assert_refused("s3cret\u{200b}", "has blanks");
    }

    #[test]
    fn blanks_around_a_token_are_removed() {
        assert_eq!(
            AsyncToken::new(" abc:123\n").map(|t| t.expose().to_owned()),
            Ok("abc:123".into())
        );
    }
}
