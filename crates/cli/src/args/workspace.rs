//! The commands about the workspace's definition.

use super::records::Printing;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use std::path::PathBuf;
use telecrm::Country;

#[derive(Debug, Subcommand)]
pub(crate) enum WorkspaceCommand {
    /// List the API names that a CSV header can have, with their types and options
    Fields {
        /// Read a lock file instead of the account
        #[arg(long, value_name = "FILE")]
        lock: Option<PathBuf>,

        #[command(flatten)]
        printing: Printing,
    },
    /// Write the definition of the workspace to a lock file
    Pull {
        #[command(flatten)]
        lock: Lock,

        /// Country of phone numbers without a country code (ISO 3166), which no endpoint returns
        #[arg(long, value_parser = super::country, value_name = "CODE")]
        default_country: Option<Country>,

        /// Time zone of dates without a zone (IANA name), which no endpoint returns
        #[arg(long, value_parser = super::time_zone, value_name = "NAME")]
        time_zone: Option<TimeZone>,
    },
    /// Compare the workspace with the lock file
    Diff {
        #[command(flatten)]
        lock: Lock,

        /// End with exit code 3 if a change can break programs or files
        #[arg(long)]
        exit_code: bool,

        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Lock {
    /// The lock file
    #[arg(long = "lock", default_value = "telecrm.lock.json", value_name = "FILE")]
    pub(crate) path: PathBuf,
}
