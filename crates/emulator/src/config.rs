//! The settings that stay the same while an emulator runs, and their defaults.

use crate::faults::rate_limit::RateLimit;
use std::fmt;
use std::time::Duration;

/// The enterprise ID that the emulator accepts by default.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{DEFAULT_ASYNC_TOKEN, DEFAULT_ENTERPRISE, DEFAULT_SYNC_TOKEN, Emulator};
///
/// let emulator = Emulator::start().await?;
/// assert_eq!(emulator.enterprise(), DEFAULT_ENTERPRISE);
/// assert_eq!(emulator.sync_token(), DEFAULT_SYNC_TOKEN);
/// assert_eq!(emulator.async_token(), DEFAULT_ASYNC_TOKEN);
/// # Ok(())
/// # }
/// ```
pub const DEFAULT_ENTERPRISE: &str = "ent-local";

/// The Sync token that the emulator accepts by default.
pub const DEFAULT_SYNC_TOKEN: &str = "sync-local-token";

/// The Async token that the emulator accepts by default.
pub const DEFAULT_ASYNC_TOKEN: &str = "async-local-token";

/// The default delay before a queued lead is processed. It is long enough to notice.
pub const DEFAULT_PROCESSING_DELAY: Duration = Duration::from_millis(10);

/// The default time that a client has to send the head of a request, and then its body.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The default number of connections that can be open at once. They use about 250 MB.
pub const DEFAULT_MAX_CONNECTIONS: usize = 16_384;

/// How many tokens of each type a workspace can have.
pub(crate) const MAX_TOKENS: usize = 3;

pub(crate) struct Config {
    pub(crate) enterprise: String,
    /// At least one.
    pub(crate) sync_tokens: Vec<String>,
    /// At least one.
    pub(crate) async_tokens: Vec<String>,
    pub(crate) sync_limit: Option<RateLimit>,
    pub(crate) async_limit: Option<RateLimit>,
    pub(crate) processing_delay: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) max_connections: usize,
    /// Whether web pages of other origins may call the APIs.
    pub(crate) cors: bool,
    /// Further names under which other machines reach this one.
    pub(crate) hosts: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enterprise: DEFAULT_ENTERPRISE.to_owned(),
            sync_tokens: vec![DEFAULT_SYNC_TOKEN.to_owned()],
            async_tokens: vec![DEFAULT_ASYNC_TOKEN.to_owned()],
            sync_limit: None,
            async_limit: None,
            processing_delay: DEFAULT_PROCESSING_DELAY,
            read_timeout: DEFAULT_READ_TIMEOUT,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            cors: false,
            hosts: Vec::new(),
        }
    }
}

/// Omits the tokens, which may be those of a real account.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("enterprise", &self.enterprise)
            .field("processing_delay", &self.processing_delay)
            .finish_non_exhaustive()
    }
}
