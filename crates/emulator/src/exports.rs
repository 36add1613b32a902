//! The environment that points a client at the emulator.

use crate::Config;
use crate::server::SYNC_BASE;
#[cfg(feature = "web")]
use crate::{DEFAULT_ASYNC_TOKEN, DEFAULT_SYNC_TOKEN};

impl Config {
    /// Five lines for a shell. `url` is where the emulator is reached.
    pub(crate) fn exports(&self, url: &str) -> String {
        lines([
            ("TELECRM_ENTERPRISE_ID", &self.enterprise),
            ("TELECRM_SYNC_TOKEN", &self.sync_tokens[0]),
            ("TELECRM_ASYNC_TOKEN", &self.async_tokens[0]),
            ("TELECRM_SYNC_URL", &format!("{url}{SYNC_BASE}")),
            ("TELECRM_ASYNC_URL", url),
        ])
    }

    /// The same for others to see: a token that was set is somebody's secret, perhaps by mistake that of a real account.
    #[cfg(feature = "web")]
    pub(crate) fn public_exports(&self, url: &str) -> String {
        let shown = |token: &str, default| match token == default {
            true => token.to_owned(),
            false => "<the token that was set>".to_owned(),
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

fn lines(variables: [(&str, &str); 5]) -> String {
    variables
        .map(|(name, value)| format!("export {name}={}\n", quoted(value)))
        .concat()
}

/// As a shell reads it: bare where every character is plain.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_is_exported() {
        assert_eq!(
            quoted("http://127.0.0.1:4010/autoupdate/v2"),
            "http://127.0.0.1:4010/autoupdate/v2"
        );
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
