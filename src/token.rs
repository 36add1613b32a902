//! The two kinds of tokens. The wrong one does not compile, and neither prints.

use std::fmt;

/// Why a text is not a token.
///
/// ```
/// use telecrm::AsyncToken;
///
/// let error = AsyncToken::new("Bearer 0f1e2d3c").unwrap_err();
/// assert_eq!(error.to_string(), "the Async token starts with `Bearer `: give the token alone");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError {
    what: &'static str,
    reason: &'static str,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} {}", self.what, self.reason)
    }
}

impl std::error::Error for TokenError {}

fn validate(what: &'static str, token: &str) -> Result<Box<str>, TokenError> {
    let token = token.trim();
    let reason = if token.is_empty() {
        "is empty"
    } else if token
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("bearer "))
    {
        "starts with `Bearer `: give the token alone"
    } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        "has blanks, control characters or non-ASCII characters in it: was it copied whole, and alone?"
    } else {
        return Ok(token.into());
    };
    Err(TokenError { what, reason })
}

macro_rules! token {
    ($(#[$meta:meta])* $name:ident, $what:literal, $variable:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the token as the dashboard shows it, without `Bearer `.
            ///
            /// # Errors
            /// If it is empty or holds characters that no token has.
            pub fn new(token: &str) -> Result<Self, TokenError> {
                validate($what, token).map(Self)
            }

            #[doc = concat!("Takes the token from the environment variable `", $variable, "`.")]
            ///
            /// # Errors
            /// If the variable is not set, or does not hold a token.
            pub fn from_env() -> Result<Self, TokenError> {
                match std::env::var($variable) {
                    Ok(token) => Self::new(&token),
                    Err(_) => Err(TokenError {
                        what: $what,
                        reason: concat!("is not in the environment: set ", $variable),
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
    /// A token of type Sync: for everything but [ingest](crate::Ingest::push).
    ///
    /// ```
    /// let token = telecrm::SyncToken::new("0f1e2d3c")?;
    /// assert_eq!(format!("{token:?}"), "SyncToken(…)");
    /// # Ok::<(), telecrm::TokenError>(())
    /// ```
    SyncToken, "Sync token", "TELECRM_SYNC_TOKEN"
}

token! {
    /// A token of type Async: for [ingest](crate::Ingest::push) only (pitfall AS8).
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

    #[test]
    fn what_is_not_a_token_is_refused_without_being_quoted() {
        for (text, reason) in [
            ("  ", "is empty"),
            ("Bearer s3cret", "starts with `Bearer `"),
            ("s3cret\u{200b}", "has blanks"),
        ] {
            let error = SyncToken::new(text).expect_err("not a token").to_string();
            assert!(error.contains(reason), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn surrounding_blanks_are_no_part_of_a_token() {
        assert_eq!(
            AsyncToken::new(" abc:123\n").map(|t| t.expose().to_owned()),
            Ok("abc:123".into())
        );
    }
}
