//! Why a call was refused, in words that lead to the fix.

use serde::Serialize;

/// Why the emulator refused a call. Its answer is telecrm's, which often does not say.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{Emulator, Refusal};
///
/// let emulator = Emulator::start().await?;
/// let url = format!("{}/enterprise/ent-local/metadata", emulator.sync_url());
/// reqwest::Client::new().get(url).send().await?;
///
/// let log = emulator.log(0);
/// let refusal: &Refusal = log[0].refused.as_ref().expect("a refusal");
/// assert_eq!(refusal.cause, "no_authorization");
/// assert!(refusal.message.contains("Authorization: Bearer"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The name of the cause, such as `unknown_token`. Different mistakes have different causes.
    pub cause: String,
    /// What is wrong with the call, and how to correct it.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(cause: impl Into<String>, message: impl Into<String>) -> Self {
        let message: String = message.into();
        // Errors have their hints on a line of their own.
        Self { cause: cause.into(), message: message.replace("\n  hint: ", "; ") }
    }
}
