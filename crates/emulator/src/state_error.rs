//! What a state file can be refused for.

use std::fmt;

/// A state file that cannot be used: a sentence that names the file, the reason and what helps.
///
/// [`Builder::start`](crate::Builder::start) gives it inside of an [`io::Error`](std::io::Error).
///
/// ```
/// use telecrm_emulator::{Emulator, StateError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("telecrm-state-error-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let file = folder.join("leads.db");
/// let emulator = Emulator::builder().state(&file).start().await?;
///
/// // Two at once would each write what the other does not know.
/// let error = Emulator::builder().state(&file).start().await.unwrap_err();
/// assert!(error.get_ref().is_some_and(|inner| inner.is::<StateError>()), "{error}");
/// # emulator.shutdown().await;
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError(pub(crate) String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StateError {}
