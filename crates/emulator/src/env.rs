//! The environment variables that point a client at the emulator.

use crate::config::Config;
#[cfg(feature = "web")]
use crate::config::{DEFAULT_ASYNC_TOKEN, DEFAULT_SYNC_TOKEN};
use crate::operations::SYNC_BASE;

impl Config {
    /// Five `export` lines for a shell. `url` is the emulator's address.
    pub(crate) fn exports(&self, url: &str) -> String {
        [
            ("TELECRM_ENTERPRISE_ID", self.enterprise.as_str()),
            ("TELECRM_SYNC_TOKEN", &self.sync_tokens[0]),
            ("TELECRM_ASYNC_TOKEN", &self.async_tokens[0]),
            ("TELECRM_SYNC_URL", &format!("{url}{SYNC_BASE}")),
            ("TELECRM_ASYNC_URL", url),
        ]
        .map(|(name, value)| format!("export {name}={}\n", quoted(value)))
        .concat()
    }

    /// The same lines for a web page. They hide tokens other than the defaults, since such a token
    /// may be that of a real account.
    #[cfg(feature = "web")]
    pub(crate) fn public_exports(&self, url: &str) -> String {
        let shown = |token: &str, default: &str| {
            if token == default { token.to_owned() } else { "<the token that was set>".to_owned() }
        };
        let public = Self {
            enterprise: self.enterprise.clone(),
            sync_tokens: vec![shown(&self.sync_tokens[0], DEFAULT_SYNC_TOKEN)],
            async_tokens: vec![shown(&self.async_tokens[0], DEFAULT_ASYNC_TOKEN)],
            hosts: Vec::new(),
            ..*self
        };
        public.exports(url)
    }
}

/// Quotes a text for a shell unless all its characters are plain.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { single_quoted(text) }
}

/// Text in which a shell replaces nothing.
pub(crate) fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_needs_no_quotes() {
        let url = "http://127.0.0.1:4010/autoupdate/v2";
        assert_eq!(quoted(url), url);
    }

    #[test]
    fn a_text_with_special_characters_is_quoted() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn an_empty_text_is_quoted() {
        assert_eq!(quoted(""), "''");
    }
}
