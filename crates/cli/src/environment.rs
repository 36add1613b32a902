//! `TELECRM_*`: whose workspace, with which tokens, at which hosts.

use crate::exit::Failure;
use telecrm::{ASYNC_URL, AsyncToken, SYNC_URL, SyncToken, TokenError};

pub(crate) const ENTERPRISE_ID: &str = "TELECRM_ENTERPRISE_ID";
pub(crate) const SYNC_TOKEN: &str = "TELECRM_SYNC_TOKEN";
pub(crate) const ASYNC_TOKEN: &str = "TELECRM_ASYNC_TOKEN";
pub(crate) const SYNC_URL_VARIABLE: &str = "TELECRM_SYNC_URL";
pub(crate) const ASYNC_URL_VARIABLE: &str = "TELECRM_ASYNC_URL";

/// What `TELECRM_*` says.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) enterprise_id: String,
    /// Missing only where nothing has to be read.
    pub(crate) sync_token: Option<SyncToken>,
    pub(crate) async_tokens: Vec<AsyncToken>,
    pub(crate) sync_url: String,
    pub(crate) async_url: String,
}

impl Environment {
    /// Reads the variables through `get`. A Sync token is needed if anything `must_read`.
    pub(crate) fn read(
        get: impl Fn(&str) -> Option<String>,
        must_read: bool,
    ) -> Result<Self, Failure> {
        let get = |name| get(name).filter(|value| !value.trim().is_empty());
        let enterprise_id = get(ENTERPRISE_ID).ok_or_else(|| {
            missing(
                ENTERPRISE_ID,
                "the enterprise ID (dashboard: Settings, Website and API)",
            )
        })?;
        let async_tokens = get(ASYNC_TOKEN)
            .ok_or_else(|| {
                missing(
                    ASYNC_TOKEN,
                    "a token of type Async (dashboard: Settings, Website and API)",
                )
            })?
            .split(',')
            .map(|token| AsyncToken::new(token).map_err(|error| not_a_token(ASYNC_TOKEN, &error)))
            .collect::<Result<Vec<_>, _>>()?;
        let sync_token = get(SYNC_TOKEN)
            .map(|token| SyncToken::new(&token).map_err(|error| not_a_token(SYNC_TOKEN, &error)))
            .transpose()?;
        if sync_token.is_none() && must_read {
            return Err(missing(
                SYNC_TOKEN,
                "a token of type Sync (dashboard: Settings, Website and API), or push with --no-check and without --verify",
            ));
        }
        Ok(Self {
            enterprise_id,
            sync_token,
            async_tokens,
            sync_url: get(SYNC_URL_VARIABLE).unwrap_or_else(|| SYNC_URL.to_owned()),
            async_url: get(ASYNC_URL_VARIABLE).unwrap_or_else(|| ASYNC_URL.to_owned()),
        })
    }

    /// What looks wrong and may be meant.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let has_base_path = self
            .sync_url
            .trim_end_matches('/')
            .ends_with("/autoupdate/v2");
        (!has_base_path && self.sync_token.is_some())
            .then(|| {
                format!(
                    "{SYNC_URL_VARIABLE} does not end in /autoupdate/v2: telecrm answers other paths with a web page (TR1)"
                )
            })
            .into_iter()
            .collect()
    }
}

fn missing(name: &str, what: &str) -> Failure {
    Failure::usage(format!(
        "{name} is not set: give it {what}; --emulator needs no account"
    ))
}

fn not_a_token(name: &str, error: &TokenError) -> Failure {
    Failure::usage(format!(
        "{name}: {error}; copy the token from the dashboard again (Settings, Website and API)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: [(&str, &str); 3] = [
        (ENTERPRISE_ID, "ent-1"),
        (SYNC_TOKEN, "s3cret-sync"),
        (ASYNC_TOKEN, "s3cret-1, s3cret-2"),
    ];

    fn read(variables: &[(&str, &str)], must_read: bool) -> Result<Environment, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Environment::read(get, must_read).map_err(|failure| failure.to_string())
    }

    #[test]
    fn several_async_tokens_are_separated_by_commas() {
        let environment = read(&FULL, true).expect("complete");
        assert_eq!(environment.async_tokens.len(), 2);
        assert_eq!(environment.sync_url, SYNC_URL);
        assert_eq!(environment.warnings(), Vec::<String>::new());
    }

    #[test]
    fn each_missing_variable_is_named_with_its_remedy() {
        for (name, _) in FULL {
            let rest: Vec<_> = FULL.into_iter().filter(|(key, _)| *key != name).collect();
            let message = read(&rest, true).expect_err("incomplete");
            assert!(
                message.starts_with(name) && message.contains("dashboard"),
                "{message}"
            );
            let blank: Vec<_> = rest.iter().copied().chain([(name, " ")]).collect();
            assert_eq!(read(&blank, true).expect_err("incomplete"), message);
        }
    }

    #[test]
    fn without_reading_no_sync_token_is_needed() {
        let rest: Vec<_> = FULL
            .into_iter()
            .filter(|(key, _)| *key != SYNC_TOKEN)
            .collect();
        assert!(read(&rest, false).expect("enough").sync_token.is_none());
    }

    #[test]
    fn a_bad_token_is_refused_without_being_quoted() {
        let mut variables = FULL;
        variables[2].1 = "s3cret-1,Bearer s3cret-2";
        let message = read(&variables, true).expect_err("not a token");
        assert!(message.starts_with(ASYNC_TOKEN), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }

    #[test]
    fn tr1_a_sync_url_without_its_path_is_warned_of() {
        let mut variables = FULL.to_vec();
        variables.push((SYNC_URL_VARIABLE, "https://next.telecrm.in"));
        let warnings = read(&variables, true).expect("complete").warnings();
        assert!(
            warnings.len() == 1 && warnings[0].contains("TR1"),
            "{warnings:?}"
        );
    }
}
