//! Reads the settings of a client from `TELECRM_*` variables.

use crate::{AsyncToken, Builder, Error, SyncToken, Telecrm, TokenError};

const ENTERPRISE_ID: &str = "TELECRM_ENTERPRISE_ID";
const SYNC_TOKEN: &str = "TELECRM_SYNC_TOKEN";
const ASYNC_TOKEN: &str = "TELECRM_ASYNC_TOKEN";
const SYNC_URL: &str = "TELECRM_SYNC_URL";
const ASYNC_URL: &str = "TELECRM_ASYNC_URL";

impl Telecrm {
    /// Creates a client from environment variables. The [`Builder`] offers more settings after
    /// [`Builder::from_env`].
    ///
    /// | variable | value |
    /// |---|---|
    /// | `TELECRM_ENTERPRISE_ID` | the enterprise ID (dashboard: Settings, Website and API) |
    /// | `TELECRM_SYNC_TOKEN` | a token of type Sync |
    /// | `TELECRM_ASYNC_TOKEN` | a token of type Async, or several separated by commas |
    /// | `TELECRM_SYNC_URL` | the base URL of the Sync API, with `/autoupdate/v2` (TR1) |
    /// | `TELECRM_ASYNC_URL` | the base URL of the Async API |
    ///
    /// The URLs are optional: the defaults are [`SYNC_URL`](crate::SYNC_URL) and
    /// [`ASYNC_URL`](crate::ASYNC_URL). Surrounding blanks are ignored, and a blank variable counts
    /// as not set. The command `telecrm` reads the same variables, and `telecrm emulator` prints
    /// the `export` lines for a local server.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), telecrm::Error> {
    /// let telecrm = telecrm::Telecrm::from_env()?;
    /// let workspace = telecrm.workspace().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error that names the variable if the enterprise ID or both tokens are not set, or
    /// a token is invalid. Otherwise the errors of [`Builder::build`].
    pub fn from_env() -> Result<Self, Error> {
        Builder::from_env()?.build()
    }
}

impl Builder {
    /// Creates a builder from the environment variables of [`Telecrm::from_env`].
    ///
    /// ```no_run
    /// use telecrm::{Builder, CallOptions};
    ///
    /// let telecrm = Builder::from_env()?.call_options(CallOptions::new().attempts(5)).build()?;
    /// # Ok::<(), telecrm::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error that names the variable if the enterprise ID or both tokens are not set, or
    /// a token is invalid.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let get = |name| get(name).filter(|value| !value.trim().is_empty());
        let Some(enterprise_id) = get(ENTERPRISE_ID) else {
            return Err(Error::config(format!("{ENTERPRISE_ID} is not set"))
                .with_hint("set it to the enterprise ID (dashboard: Settings, Website and API)"));
        };
        let mut builder = Telecrm::builder(enterprise_id);
        let (sync_token, async_tokens) = (get(SYNC_TOKEN), get(ASYNC_TOKEN));
        if sync_token.is_none() && async_tokens.is_none() {
            return Err(Error::config(format!("neither {SYNC_TOKEN} nor {ASYNC_TOKEN} is set"))
                .with_hint(
                    "set at least one of them to a token (dashboard: Settings, Website and API)",
                ));
        }
        if let Some(token) = sync_token {
            let token = SyncToken::new(&token).map_err(|error| invalid(SYNC_TOKEN, &error))?;
            builder = builder.sync_token(token);
        }
        for token in async_tokens.iter().flat_map(|tokens| tokens.split(',')) {
            let token = AsyncToken::new(token).map_err(|error| invalid(ASYNC_TOKEN, &error))?;
            builder = builder.async_token(token);
        }
        if let Some(url) = get(SYNC_URL) {
            builder = builder.sync_url(url);
        }
        if let Some(url) = get(ASYNC_URL) {
            builder = builder.async_url(url);
        }
        Ok(builder)
    }
}

fn invalid(variable: &str, error: &TokenError) -> Error {
    Error::config(format!("{variable}: {error}"))
        .with_hint("copy the token from the dashboard again (Settings, Website and API)")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, &str); 5] = [
        (ENTERPRISE_ID, " ent-1 "),
        (SYNC_TOKEN, " s3cret-sync\n"),
        (ASYNC_TOKEN, "s3cret-1, s3cret-2"),
        (SYNC_URL, "http://127.0.0.1:4010/autoupdate/v2"),
        (ASYNC_URL, "http://127.0.0.1:4010"),
    ];

    fn from(variables: &[(&str, &str)]) -> Result<Builder, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Builder::from_variables(get).map_err(|error| format!("{error:#}"))
    }

    fn build(variables: &[(&str, &str)]) -> Telecrm {
        let builder = from(variables).expect("valid variables");
        builder.build().expect("valid settings")
    }

    fn without(name: &str) -> Vec<(&'static str, &'static str)> {
        ALL.into_iter().filter(|(key, _)| *key != name).collect()
    }

    #[test]
    fn all_variables_are_read_without_surrounding_blanks() {
        let telecrm = build(&ALL);
        assert_eq!(telecrm.raw().enterprise_id().expect("an ID"), "ent-1");
        assert!(telecrm.sync_limit().is_some());
        let url =
            |api: Result<&crate::handle::Connection, Error>| api.map(|api| api.base_url.clone());
        let sync = url(telecrm.0.sync_api().map(|api| &api.connection));
        assert_eq!(sync.expect("an API"), "http://127.0.0.1:4010/autoupdate/v2");
        let ingest = url(telecrm.0.async_api().map(|api| &api.connection));
        assert_eq!(ingest.expect("an API"), "http://127.0.0.1:4010");
    }

    #[test]
    fn several_async_tokens_are_separated_by_commas() {
        assert_eq!(build(&ALL).async_limits().len(), 2);
    }

    #[test]
    fn without_url_variables_the_default_urls_are_used() {
        let telecrm = build(&ALL[..3]);
        let api = telecrm.0.sync_api().expect("an API");
        assert_eq!(api.connection.base_url, crate::SYNC_URL);
    }

    #[test]
    fn a_missing_enterprise_id_is_named() {
        let error = from(&without(ENTERPRISE_ID)).expect_err("an error");
        assert!(error.starts_with("TELECRM_ENTERPRISE_ID is not set"), "{error}");
        assert!(error.contains("dashboard"), "{error}");
    }

    #[test]
    fn a_blank_enterprise_id_is_missing() {
        let mut variables = ALL;
        variables[0].1 = " ";
        let error = from(&variables).expect_err("an error");
        assert!(error.starts_with("TELECRM_ENTERPRISE_ID is not set"), "{error}");
    }

    #[test]
    fn without_any_token_both_variables_are_named() {
        let error = from(&ALL[..1]).expect_err("an error");
        assert!(error.contains(SYNC_TOKEN) && error.contains(ASYNC_TOKEN), "{error}");
    }

    #[test]
    fn a_sync_token_alone_is_enough() {
        assert!(build(&without(ASYNC_TOKEN)).async_limits().is_empty());
    }

    #[test]
    fn an_async_token_alone_is_enough() {
        assert!(build(&without(SYNC_TOKEN)).sync_limit().is_none());
    }

    #[test]
    fn an_invalid_token_is_refused_without_printing_it() {
        let mut variables = ALL;
        variables[2].1 = "s3cret-1,Bearer s3cret-2";
        let error = from(&variables).expect_err("an error");
        assert!(error.starts_with("TELECRM_ASYNC_TOKEN"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
