//! `telecrm workspace`: lists, locks and compares the definition of a workspace.

mod diff;
mod fields;

use crate::access::sync_client;
use crate::args::workspace::WorkspaceCommand;
use crate::args::{Account, OfAccount};
use crate::exit::{Exit, Failure};
use crate::input;
use crate::output::Output;
use crate::private_file;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::terminal::{print, print_warning};
use std::path::Path;
use telecrm::json::read_json;
use telecrm::{Workspace, WorkspaceFile};

pub(crate) async fn run(options: OfAccount<WorkspaceCommand>) -> Result<Exit, Failure> {
    let OfAccount { account, command } = options;
    match command {
        WorkspaceCommand::Fields { lock, printing } => {
            let workspace = match lock {
                Some(path) => read(&path)?,
                None => Workspace::from_file(&discover(&account).await?).map_err(invalid)?,
            };
            let mut output = Output::new(printing, &["name", "type", "identifier", "options"]);
            for field in fields::list(&workspace) {
                if !output.item(&field)? {
                    break;
                }
            }
            output.end()
        }
        WorkspaceCommand::Pull { lock, default_country, time_zone } => {
            let mut file = discover(&account).await?;
            let country = default_country.map(|country| country.to_string());
            let zone = time_zone.and_then(|zone| zone.iana_name().map(str::to_owned));
            let flags = ["--default-country", "--time-zone"];
            for ((key, value), flag) in
                [("defaultCountry", country), ("timeZone", zone)].into_iter().zip(flags)
            {
                match value {
                    Some(value) => _ = file.emulator.insert(key.to_owned(), value.into()),
                    None => print_warning(
                        &Problem::new(format!("the lock file has no `{key}`"))
                            .hint(format!("no endpoint returns it; give it with {flag}")),
                    ),
                }
            }
            let text = format!("{:#}\n", file.to_lock());
            private_file::replace(&lock.path, text.as_bytes())?;
            print(&format!("wrote {}", lock.path.display()));
            Ok(Exit::Success)
        }
        WorkspaceCommand::Diff { lock, exit_code, printing } => {
            let old = read(&lock.path)?;
            let new = Workspace::from_file(&discover(&account).await?).map_err(invalid)?;
            let changes = diff::changes(&old, &new);
            let is_breaking = changes.iter().any(|change| change.breaking);
            let mut output = Output::new(printing, &["breaking", "change", "part"]);
            for change in &changes {
                if !output.item(change)? {
                    break;
                }
            }
            if changes.is_empty() {
                print("no change");
            } else {
                output.end()?;
            }
            Ok(if exit_code && is_breaking { Exit::Loss } else { Exit::Success })
        }
    }
}

async fn discover(account: &Account) -> Result<WorkspaceFile, Failure> {
    Ok(sync_client(&Settings::load(account)?)?.schema().file().await?)
}

fn invalid(error: telecrm::workspace::WorkspaceError) -> Failure {
    let problem = Problem::from(&error).at("the workspace of the account cannot be read");
    Failure::new(Exit::Failed, problem)
}

/// Reads a lock file, or any other workspace file.
pub(crate) fn read(path: &Path) -> Result<Workspace, Failure> {
    let name = path.display();
    let text = input::read_text(path)
        .map_err(|failure| failure.hint("write it with `telecrm workspace pull`"))?;
    let (json, repeated) = read_json(text.as_bytes())
        .map_err(|error| Failure::usage(format!("{name}: invalid JSON: {error}")))?;
    if let Some(key) = repeated.first() {
        return Err(Failure::usage(format!("{name}: duplicate key `{key}`")));
    }
    WorkspaceFile::from_json(json)
        .and_then(|file| Workspace::from_file(&file))
        .map_err(|error| Failure::usage(Problem::from(&error).at(name)))
}
