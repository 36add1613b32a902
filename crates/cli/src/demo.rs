//! `telecrm demo`: pushes example leads to an emulator inside this process, and explains the
//! result.

use crate::args::{self, Cli, Command};
use crate::exit::{Exit, Failure};
use crate::output::write_line;
use crate::push::{Connection, Input, Reasons, push};
use crate::settings::Settings;
use crate::signals;
use clap::Parser;
use telecrm::FindingKind;

const LEADS: &[u8] = include_bytes!("../data/leads.csv");
const NAME: &str = "leads.csv";

/// What each kind of finding means. None is any kind that was repaired.
const KINDS: [(&str, Option<FindingKind>, &str); 7] = [
    ("lead dropped", Some(FindingKind::LeadDropped), "telecrm answers 200, and drops the lead"),
    ("field dropped", Some(FindingKind::FieldDropped), "telecrm stores the lead without the field"),
    (
        "action dropped",
        Some(FindingKind::ActionDropped),
        "telecrm stores the lead without the action",
    ),
    (
        "new option",
        Some(FindingKind::OptionCreated),
        "a typing error becomes an option of the workspace",
    ),
    ("value changed", Some(FindingKind::ValueChanged), "telecrm stores another value"),
    ("doubtful", Some(FindingKind::Doubtful), "stored as written, and probably not meant"),
    ("repaired", None, "would be lost as written, and was repaired before it was sent"),
];

const NEXT: &str = "\
What to do next:
  telecrm init                      keep your enterprise ID and tokens in a profile
  telecrm doctor                    check them
  telecrm check leads.csv           check your own file; nothing is sent
  telecrm push leads.csv --verify   send it, and read every lead back
  telecrm help pitfalls             what the IDs such as AS3 mean";

pub(crate) async fn run(options: &args::Demo) -> Result<Exit, Failure> {
    let flags = ["telecrm", "push", NAME, "--emulator", "--verify", "--table"];
    let parsed = Cli::try_parse_from(flags).map(|cli| cli.command);
    let Ok(Command::Push(push_options)) = parsed else {
        return Err(Failure::new(Exit::Failed, "the demo does not fit this version of `push`"));
    };
    let input = Input::from_bytes(NAME, LEADS, push_options.reading.clone())?;
    let connection = Connection::open(&push_options, &Settings::none()).await?;
    let emulator = connection.emulator.clone();
    let (_, reasons) = push(input, connection, push_options).await?;
    explain(&reasons)?;
    write_line(NEXT)?;
    if let Some(emulator) = emulator.filter(|_| options.stay) {
        let mut signals = signals::listen()?;
        write_line(&format!("\nThe emulator shows each request at {}", emulator.url()))?;
        write_line("Press Ctrl-C to quit.")?;
        signals.recv().await;
    } else {
        write_line("  telecrm demo --stay               look at the requests in a browser")?;
    }
    Ok(Exit::Success)
}

fn explain(reasons: &Reasons) -> Result<(), Failure> {
    write_line("\nWhat happened:")?;
    for (name, kind, meaning) in KINDS {
        let rows = reasons.rows_with(kind);
        if !rows.is_empty() {
            let rows: Vec<_> = rows.iter().map(u64::to_string).collect();
            write_line(&format!("  {name:<14}  {meaning} (rows {})", rows.join(", ")))?;
        }
    }
    write_line("")?;
    Ok(())
}
