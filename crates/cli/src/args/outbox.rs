//! The commands of the outbox.

use super::records::Printing;
use super::{Locale, OfAccount, OnFinding, Reading};
use clap::{Args, Subcommand, value_parser};
use std::path::PathBuf;
use std::time::Duration;
use telecrm_outbox::State;

#[derive(Debug, Args)]
pub(crate) struct Outbox {
    #[command(flatten)]
    pub(crate) store: Store,

    #[command(flatten)]
    pub(crate) command: OfAccount<OutboxCommand>,
}

#[derive(Debug, Args)]
pub(crate) struct Store {
    /// The file of the outbox, as sqlite:FILE or FILE
    /// [default: $TELECRM_OUTBOX, else telecrm/leads.outbox in your data folder]
    #[arg(long = "store", global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// Check the leads of a file as `push` does, and queue them. A row that was added before is not
    /// added again
    Add(Add),
    /// Send what is queued and read it back, until stopped
    Run {
        /// End when nothing waits or is unverified, with the exit codes of `push`
        #[arg(long)]
        until_empty: bool,

        /// With --until-empty: how long to wait through an outage, a refused token or a pause of
        /// the rate limit before the run ends, such as 10m
        #[arg(long, default_value = "1h", value_parser = super::duration, value_name = "DURATION")]
        max_wait: Duration,
    },
    /// Show how many leads wait, and whether something holds them up
    Status {
        /// Print nothing. Exit code 1, with the reason, if sending is held up or paused
        #[arg(long)]
        probe: bool,

        /// Show the numbers every second
        #[arg(long, conflicts_with = "probe")]
        watch: bool,

        #[command(flatten)]
        printing: Printing,
    },
    /// List items
    List {
        /// Only items in this state
        #[arg(long, value_parser = state, value_name = "STATE")]
        state: Option<State>,

        #[command(flatten)]
        printing: Printing,
    },
    /// Show an item with its lead
    Show {
        /// Number of the item
        number: u64,

        #[command(flatten)]
        printing: Printing,
    },
    /// Look at leads that telecrm refused, and decide about them
    #[command(subcommand)]
    Dead(Dead),
    /// Read all accepted leads back as soon as the rate limit allows
    Verify,
    /// Send nothing until `resume`
    Pause {
        /// Why, as `status` shows it
        #[arg(default_value = "paused by hand")]
        reason: String,
    },
    /// Send again after `pause`
    Resume,
    /// Remove leads that were read back without loss. What waits, is dead or unverified stays
    Prune {
        /// Only leads that were settled so long ago, such as 12h or 720h
        #[arg(long, default_value = "720h", value_parser = super::duration, value_name = "DURATION")]
        older_than: Duration,
    },
    /// Check the file, and repair what can be repaired. Exit code 3 if something was found
    Check,
    /// Print every item as a JSON line, for `add --exported`
    Export {
        /// Read what can be read from a damaged file, without changing it
        #[arg(long)]
        recover: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// File with leads, as `push` reads it, or - for standard input
    pub(crate) file: PathBuf,

    /// The file is what `export` printed. Items keep their keys, and what may have been sent is
    /// looked for before it is repeated
    #[arg(long)]
    pub(crate) exported: bool,

    /// What to do with a lead of which telecrm would drop a part
    #[arg(long, value_enum, default_value_t, value_name = "ACTION")]
    pub(crate) on_finding: OnFinding,

    #[command(flatten)]
    pub(crate) reading: Reading,

    #[command(flatten)]
    pub(crate) locale: Locale,

    /// Print one JSON object per row [default in a pipe]
    #[arg(long, conflicts_with = "table")]
    pub(crate) json: bool,

    /// Print a table [default on a terminal]
    #[arg(long)]
    pub(crate) table: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// List the dead items
    List {
        #[command(flatten)]
        printing: Printing,
    },
    /// Show a dead item with its lead
    Show {
        /// Number of the item
        number: u64,

        #[command(flatten)]
        printing: Printing,
    },
    /// Replace the lead of a dead item
    Edit {
        /// Number of the item
        number: u64,

        /// File with the lead as JSON, {"fields":{…},"actions":[…]}, or - for standard input
        file: PathBuf,
    },
    /// Queue dead items again, behind all others of their leads
    Requeue {
        /// Numbers of the items
        #[arg(required = true, value_parser = value_parser!(u64))]
        numbers: Vec<u64>,

        /// Also if newer values are overwritten
        #[arg(long)]
        overwrite: bool,
    },
    /// Give dead items up
    Discard {
        /// Numbers of the items
        #[arg(required = true, value_parser = value_parser!(u64))]
        numbers: Vec<u64>,
    },
}

fn state(text: &str) -> Result<State, String> {
    let found = State::ALL.into_iter().find(|state| state.as_str() == text);
    found.ok_or_else(|| {
        let names: Vec<_> = State::ALL.iter().map(|state| state.as_str()).collect();
        format!("states are {}", names.join(", "))
    })
}
