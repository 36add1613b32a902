//! The commands about profiles and access.

use super::records::Printing;
use super::{Account, Locale};
use clap::{Args, Subcommand};

const INIT_HELP: &str = "\
The tokens are asked for, or read from standard input: the first line is the token of type Sync,
the second one that of type Async (several separated by commas). An empty line keeps a token out.
A token command prints the same two lines.";

#[derive(Debug, Args)]
#[command(after_long_help = INIT_HELP)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) account: Account,

    /// Enterprise ID (dashboard: Settings, Website and API)
    #[arg(long, value_name = "ID")]
    pub(crate) enterprise: Option<String>,

    /// Base URL of the Sync API, with /autoupdate/v2
    #[arg(long, value_name = "URL")]
    pub(crate) sync_url: Option<String>,

    /// Base URL of the Async API
    #[arg(long, value_name = "URL")]
    pub(crate) async_url: Option<String>,

    /// Shell command that prints the tokens, such as one of a password manager, instead of
    /// keeping them in the profile
    #[arg(long, value_name = "COMMAND")]
    pub(crate) token_command: Option<String>,

    #[command(flatten)]
    pub(crate) locale: Locale,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// List the settings that variables and the profile give. Tokens are not printed
    Show {
        #[command(flatten)]
        account: Account,

        /// Say where each setting comes from
        #[arg(long)]
        origin: bool,

        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) account: Account,

    /// Also check the Async token, by pushing a lead without fields, which telecrm drops (AS2)
    #[arg(long)]
    pub(crate) send_probe: bool,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
