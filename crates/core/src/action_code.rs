//! Codes of custom actions, and their two spellings.

use crate::constant_error;
use std::fmt;
use std::str::FromStr;

/// The code of a custom action.
///
/// The two APIs spell the code differently, and a wrong spelling drops the action, often without an
/// error (pitfalls AS1, AC2, EN4). This type reads both spellings and writes either:
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
/// assert_eq!(serde_json::from_str::<ActionCode>("1001")?.bare(), "1001");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionCode(String);

const PREFIX: &str = "ACTION_";

impl ActionCode {
    /// The form of Sync bodies and filters: `1001`.
    pub fn bare(&self) -> &str {
        &self.0
    }

    /// The form of Async bodies, Sync paths and the workspace's lists: `ACTION_1001`.
    pub fn prefixed(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }
}

/// Writes the bare code.
impl fmt::Display for ActionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(ActionCode);

impl FromStr for ActionCode {
    type Err = ActionCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let digits = match text.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
            _ => text,
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ActionCodeError);
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

/// The error for text that is not the code of a custom action.
///
/// ```
/// use telecrm_core::ActionCode;
///
/// let error = "SITE_VISIT".parse::<ActionCode>().unwrap_err();
/// assert_eq!(error.hint(), Some("use a code such as 1001 or ACTION_1001"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionCodeError;

constant_error!(
    ActionCodeError,
    "the text is not the code of a custom action",
    "use a code such as 1001 or ACTION_1001"
);

impl From<std::convert::Infallible> for ActionCodeError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
