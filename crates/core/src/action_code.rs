//! The code of a custom action and its two spellings.

use std::fmt;
use std::str::FromStr;

/// The code of a workspace's custom action.
///
/// telecrm wants it spelled differently in different places and says nothing, or little, when it
/// is spelled wrong (pitfalls AS1, AC2, EN4). This type reads every spelling and writes the right one:
///
/// | place | form |
/// |---|---|
/// | Async `actions[].type` | [`prefixed`](Self::prefixed): `ACTION_1001` |
/// | Sync `actions[].type` in bodies and filters | [`bare`](Self::bare): `1001` |
/// | Sync path `/custom-actions/{code}` | `ACTION_1001` |
///
/// ```
/// use telecrm_core::ActionCode;
///
/// for spelling in ["1001", "ACTION_1001"] {
///     let code: ActionCode = spelling.parse()?;
///     assert_eq!(code.bare(), "1001");
///     assert_eq!(code.prefixed(), "ACTION_1001");
/// }
/// assert_eq!(ActionCode::from(1001).bare(), "1001");
/// # Ok::<(), telecrm_core::ActionCodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionCode(String);

const PREFIX: &str = "ACTION_";

impl ActionCode {
    /// `1001`, the form of Sync bodies and filters.
    pub fn bare(&self) -> &str {
        &self.0
    }

    /// `ACTION_1001`, the form of Async bodies, Sync paths and everything that telecrm lists.
    pub fn prefixed(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }
}

/// The bare code.
impl fmt::Display for ActionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ActionCode {
    type Err = ActionCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim();
        let digits = match digits.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &digits[PREFIX.len()..],
            _ => digits,
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ActionCodeError(text.to_owned()));
        }
        Ok(Self(digits.to_owned()))
    }
}

impl From<u32> for ActionCode {
    fn from(code: u32) -> Self {
        Self(code.to_string())
    }
}

impl TryFrom<&str> for ActionCode {
    type Error = ActionCodeError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A text that is not the code of a custom action.
///
/// ```
/// use telecrm_core::ActionCode;
///
/// let error = "SITE_VISIT".parse::<ActionCode>().unwrap_err();
/// assert!(error.to_string().contains("ACTION_1001"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ActionCodeError(String);

impl fmt::Display for ActionCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is not the code of a custom action: write 1001 or ACTION_1001")
    }
}

impl std::error::Error for ActionCodeError {}

impl From<std::convert::Infallible> for ActionCodeError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
