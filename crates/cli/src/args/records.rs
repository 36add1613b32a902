//! The commands that read and write single records.

use super::assignment::Assignment;
use clap::{Args, Subcommand, ValueEnum};
use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use telecrm::ActionCode;

/// How records are printed.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Printing {
    /// Print one JSON object per line [default in a pipe]. With names, such as
    /// --json=id,fields.phone, print only these keys
    #[arg(
        long,
        value_name = "NAMES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with = "table"
    )]
    pub(crate) json: Option<Columns>,

    /// Print text for people [default on a terminal]
    #[arg(long)]
    pub(crate) table: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LeadCommand {
    /// Show a lead, and the address of its page in the app
    Get {
        /// ID of the lead
        id: String,

        #[command(flatten)]
        printing: Printing,
    },
    /// List leads, newest first
    Search {
        /// Conditions such as status=Fresh; several values of one field are alternatives
        #[arg(value_name = "NAME=VALUE")]
        conditions: Vec<Assignment>,

        /// Maximum number of leads
        #[arg(long, default_value_t = 20, value_name = "NUMBER", conflicts_with = "all")]
        limit: usize,

        /// List every lead that matches
        #[arg(long)]
        all: bool,

        #[command(flatten)]
        printing: Printing,
    },
    /// Create a lead, or update the lead with the same identifier
    Upsert {
        /// Fields such as phone=919999999999; NAME:=JSON for numbers and lists
        #[arg(value_name = "NAME=VALUE", required_unless_present = "body")]
        fields: Vec<Assignment>,

        /// File with the lead as JSON, {"fields":{…},"actions":[…]}, or - for standard input
        #[arg(long, value_name = "FILE")]
        body: Option<PathBuf>,

        #[command(flatten)]
        write: Write,

        #[command(flatten)]
        printing: Printing,
    },
    /// List the actions of a lead, newest first
    History {
        /// ID of the lead
        id: String,

        /// Only actions of this type: a custom action such as 1001, or a type such as PAYMENT
        #[arg(long = "type", value_name = "TYPE")]
        action_type: Option<String>,

        /// Maximum number of actions
        #[arg(long, default_value_t = 20, value_name = "NUMBER", conflicts_with = "all")]
        limit: usize,

        /// List every action
        #[arg(long)]
        all: bool,

        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ActionCommand {
    /// Append a custom action to the timeline of a lead
    Create {
        /// ID of the lead
        lead: String,

        /// Code of the custom action, such as 1001
        code: ActionCode,

        /// Fields of the action; NAME:=JSON for numbers and lists
        #[arg(value_name = "NAME=VALUE")]
        fields: Vec<Assignment>,

        #[command(flatten)]
        write: Write,

        #[command(flatten)]
        printing: Printing,
    },
    /// Show an action
    Get {
        /// ID of the lead
        lead: String,

        /// ID of the action
        id: String,

        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// List the team members
    List {
        /// Include deleted members
        #[arg(long)]
        deleted: bool,

        #[command(flatten)]
        printing: Printing,
    },
    /// Show a team member
    Get {
        /// Email address of the member
        email: String,

        #[command(flatten)]
        printing: Printing,
    },
    /// Set whether a team member is available
    Availability {
        /// Email address of the member
        email: String,

        /// The new state
        state: State,

        /// Print what would be sent, and send nothing
        #[arg(long)]
        dry_run: bool,

        #[command(flatten)]
        printing: Printing,
    },
}

/// How a lead or an action is written.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Write {
    /// Send the valid parts if telecrm would drop others [default: send nothing]
    #[arg(long)]
    pub(crate) partial: bool,

    /// Print what would be sent, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    Active,
    Inactive,
    OnLeave,
    Working,
}

#[derive(Debug, Args)]
pub(crate) struct Api {
    /// HTTP method
    #[arg(value_enum, ignore_case = true)]
    pub(crate) method: Method,

    /// Path below /enterprise/{id}, such as custom-fields/rating
    pub(crate) path: String,

    /// Query parameter; can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) query: Vec<Assignment>,

    /// File with the JSON body, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,

    /// Read every page of a list, and print one item per line
    #[arg(long)]
    pub(crate) paginate: bool,

    /// Send it to the Async API
    #[arg(long = "async", conflicts_with = "paginate")]
    pub(crate) over_async: bool,

    /// Print what would be sent, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) account: super::Account,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// The keys to print, such as `id` and `fields.phone`. Empty for whole records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Columns(pub(crate) Vec<String>);

impl FromStr for Columns {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self(names.map(str::to_owned).collect()))
    }
}
