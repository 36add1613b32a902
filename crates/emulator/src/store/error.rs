//! The error for a state file that cannot be used.

use crate::problem::{Problem, impl_error};

/// An error for a state file that cannot be used. It names the file and the reason.
///
/// [`Builder::start`](crate::Builder::start) returns it inside an
/// [`io::Error`](std::io::Error).
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
/// // A second emulator cannot use the same file.
/// let error = Emulator::builder().state(&file).start().await.unwrap_err();
/// assert!(error.get_ref().is_some_and(|inner| inner.is::<StateError>()), "{error}");
/// # emulator.shutdown().await;
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError(pub(super) Problem);

impl_error!(StateError);
