//! The environment variables `TELECRM_*`: enterprise, tokens and URLs.

use crate::exit::Failure;
use crate::problem::Problem;
use telecrm::{ASYNC_URL, AsyncToken, SYNC_URL, SyncToken, TokenError};

pub(crate) const ENTERPRISE_ID: &str = "TELECRM_ENTERPRISE_ID";
pub(crate) const SYNC_TOKEN: &str = "TELECRM_SYNC_TOKEN";
pub(crate) const ASYNC_TOKEN: &str = "TELECRM_ASYNC_TOKEN";
pub(crate) const SYNC_URL_VARIABLE: &str = "TELECRM_SYNC_URL";
pub(crate) const ASYNC_URL_VARIABLE: &str = "TELECRM_ASYNC_URL";

/// The values of the variables.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) enterprise_id: String,
    pub(crate) sync_token: Option<SyncToken>,
    pub(crate) async_tokens: Vec<AsyncToken>,
    pub(crate) sync_url: String,
    pub(crate) async_url: String,
}

/// The tokens that a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Both types.
    Both,
    /// Only the type Async.
    Async,
    /// At least one, of any type.
    Any,
}

impl Environment {
    /// Reads the variables through `get`.
    pub(crate) fn read(
        get: impl Fn(&str) -> Option<String>,
        needs: Needs,
    ) -> Result<Self, Failure> {
        let get = |name| get(name).filter(|value| !value.trim().is_empty());
        let enterprise_id =
            get(ENTERPRISE_ID).ok_or_else(|| not_set(ENTERPRISE_ID, "the enterprise ID", ""))?;
        let async_tokens = get(ASYNC_TOKEN);
        if async_tokens.is_none() && (needs != Needs::Any || get(SYNC_TOKEN).is_none()) {
            return Err(not_set(ASYNC_TOKEN, "a token of type Async", ""));
        }
        let async_tokens = async_tokens
            .iter()
            .flat_map(|tokens| tokens.split(','))
            .map(|token| AsyncToken::new(token).map_err(|error| invalid(ASYNC_TOKEN, &error)))
            .collect::<Result<Vec<_>, _>>()?;
        let sync_token = get(SYNC_TOKEN)
            .map(|token| SyncToken::new(&token).map_err(|error| invalid(SYNC_TOKEN, &error)))
            .transpose()?;
        if sync_token.is_none() && needs == Needs::Both {
            let without = ", push with --no-check and without --verify";
            return Err(not_set(SYNC_TOKEN, "a token of type Sync", without));
        }
        Ok(Self {
            enterprise_id,
            sync_token,
            async_tokens,
            sync_url: get(SYNC_URL_VARIABLE).unwrap_or_else(|| SYNC_URL.to_owned()),
            async_url: get(ASYNC_URL_VARIABLE).unwrap_or_else(|| ASYNC_URL.to_owned()),
        })
    }

    /// Returns a builder of a client.
    pub(crate) fn builder(&self) -> telecrm::Builder {
        let mut builder = telecrm::Telecrm::builder(&self.enterprise_id)
            .sync_url(&self.sync_url)
            .async_url(&self.async_url);
        for token in &self.async_tokens {
            builder = builder.async_token(token.clone());
        }
        match &self.sync_token {
            Some(token) => builder.sync_token(token.clone()),
            None => builder,
        }
    }

    /// Warns of a Sync URL without the path of the API.
    pub(crate) fn warning(&self) -> Option<Problem> {
        let url = self.sync_url.trim_end_matches('/');
        if url.ends_with("/autoupdate/v2") || self.sync_token.is_none() {
            return None;
        }
        let message = format!("{SYNC_URL_VARIABLE} does not end in /autoupdate/v2");
        Some(Problem::new(message).hint("telecrm answers other paths with a web page (TR1)"))
    }
}

fn not_set(name: &str, value: &str, alternative: &str) -> Failure {
    Failure::usage(format!("{name} is not set")).hint(format!(
        "set it to {value} (dashboard: Settings, Website and API), or write a profile with \
         `telecrm init`{alternative}, or use --emulator"
    ))
}

fn invalid(name: &str, error: &TokenError) -> Failure {
    Failure::usage(format!("{name}: {error}"))
        .hint("copy the token from the dashboard again (Settings, Website and API)")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: [(&str, &str); 3] = [
        (ENTERPRISE_ID, "ent-1"),
        (SYNC_TOKEN, "s3cret-sync"),
        (ASYNC_TOKEN, "s3cret-1, s3cret-2"),
    ];

    fn read(variables: &[(&str, &str)], needs: Needs) -> Result<Environment, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Environment::read(get, needs).map_err(|failure| failure.problem.to_string())
    }

    #[test]
    fn several_async_tokens_are_separated_by_commas() {
        let environment = read(&FULL, Needs::Both).expect("complete");
        assert_eq!(environment.async_tokens.len(), 2);
        assert_eq!(environment.sync_url, SYNC_URL);
        assert_eq!(environment.warning(), None);
    }

    #[test]
    fn a_missing_variable_is_named_with_a_hint() {
        for (name, _) in FULL {
            let rest: Vec<_> = FULL.into_iter().filter(|(key, _)| *key != name).collect();
            let message = read(&rest, Needs::Both).expect_err("incomplete");
            assert!(message.starts_with(name) && message.contains("dashboard"), "{message}");
            let blank: Vec<_> = rest.iter().copied().chain([(name, " ")]).collect();
            assert_eq!(read(&blank, Needs::Both).expect_err("incomplete"), message);
        }
    }

    #[test]
    fn the_sync_token_is_optional_if_the_sync_api_is_unused() {
        let rest: Vec<_> = FULL.into_iter().filter(|(key, _)| *key != SYNC_TOKEN).collect();
        assert!(read(&rest, Needs::Async).expect("complete").sync_token.is_none());
    }

    #[test]
    fn an_invalid_token_is_refused_without_quoting_it() {
        let mut variables = FULL;
        variables[2].1 = "s3cret-1,Bearer s3cret-2";
        let message = read(&variables, Needs::Both).expect_err("refused");
        assert!(message.starts_with(ASYNC_TOKEN), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }

    #[test]
    fn tr1_a_sync_url_without_its_path_causes_a_warning() {
        let mut variables = FULL.to_vec();
        variables.push((SYNC_URL_VARIABLE, "https://next.telecrm.in"));
        let environment = read(&variables, Needs::Both).expect("complete");
        let warning = environment.warning().expect("a warning").to_string();
        assert!(warning.contains("TR1"), "{warning}");
    }
}
