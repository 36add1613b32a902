//! `telecrm outbox`: leads that outlive the process, until telecrm has them.

mod items;
mod run;

use crate::args::outbox::{Add, Outbox as Options, OutboxCommand, Store};
use crate::exit::{Exit, Failure};
use crate::output::write_line;
use crate::problem::Problem;
use crate::push;
use crate::settings::{self, Settings};
use crate::terminal::{print, print_warning};
use std::path::PathBuf;
use telecrm_outbox::{CheckReport, ErrorKind, Exported, Outbox};

const STORE: &str = "TELECRM_OUTBOX";

/// Exports read so many items at once.
const PAGE: usize = 1000;

pub(crate) async fn run(options: Options) -> Result<Exit, Failure> {
    let Options { store, command } = options;
    let (account, command, store) = (command.account, command.command, Url::of(store)?);
    match command {
        OutboxCommand::Add(options) => add(&Settings::load(&account)?, options, &store).await,
        OutboxCommand::Run { until_empty, max_wait } => {
            let max_wait = until_empty.then_some(max_wait);
            run::run(&Settings::load(&account)?, &store, max_wait).await
        }
        OutboxCommand::Status { probe: true, .. } => items::probe(&store.open().await?).await,
        OutboxCommand::Status { watch, printing, .. } => {
            items::status(&store.open().await?, watch, printing).await
        }
        OutboxCommand::List { state, printing } => {
            items::list(&store.open().await?, state, printing).await
        }
        OutboxCommand::Show { number, printing } => {
            items::show(&store.open().await?, number, printing).await
        }
        OutboxCommand::Dead(command) => items::dead(&store.open().await?, command).await,
        OutboxCommand::Verify => {
            let count = store.open().await?.verify_now().await?;
            print(&format!("{count} leads are read back next"));
            Ok(Exit::Success)
        }
        OutboxCommand::Pause { reason } => {
            store.open().await?.pause(&reason).await?;
            print("nothing is sent until `telecrm outbox resume`");
            Ok(Exit::Success)
        }
        OutboxCommand::Resume => {
            store.open().await?.resume().await?;
            print("`telecrm outbox run` goes on with what waits");
            Ok(Exit::Success)
        }
        OutboxCommand::Prune { older_than } => {
            let count = store.open().await?.prune(older_than).await?;
            print(&format!("removed {count} leads; their keys stay known"));
            Ok(Exit::Success)
        }
        OutboxCommand::Check => check(&store).await,
        OutboxCommand::Export { recover: true } => recover(&store),
        OutboxCommand::Export { recover: false } => export(&store.open().await?).await,
    }
}

/// The URL of a store.
pub(crate) struct Url(pub(crate) String);

impl Url {
    fn of(store: Store) -> Result<Self, Failure> {
        let written = store.url.or_else(|| std::env::var(STORE).ok());
        let written = written.filter(|url| !url.trim().is_empty());
        Ok(Self(match written {
            Some(url) if url.starts_with("sqlite:") => url,
            Some(url) if url.contains("://") => {
                return Err(Failure::usage(format!("unknown store {url}"))
                    .hint("write sqlite:FILE, or the path of a file"));
            }
            Some(path) => format!("sqlite:{path}"),
            None => {
                let path = default_file()?;
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(|error| {
                        let message = format!("cannot create {}: {error}", folder.display());
                        Failure::usage(message).hint("name a file with --store")
                    })?;
                }
                format!("sqlite:{}", path.display())
            }
        }))
    }

    /// Opens a store that was made before.
    async fn open(&self) -> Result<Outbox, Failure> {
        if let Some(path) = self.0.strip_prefix("sqlite:")
            && !std::path::Path::new(path).exists()
        {
            let hint = "name the file with --store, or add leads first: telecrm outbox add FILE";
            return Err(Failure::usage(format!("there is no outbox {path}")).hint(hint));
        }
        Ok(Outbox::open(&self.0, telecrm_outbox::Options::of_store()).await?)
    }
}

fn default_file() -> Result<PathBuf, Failure> {
    let folder = settings::absolute("XDG_DATA_HOME")
        .or_else(|| Some(settings::absolute("HOME")?.join(".local/share")));
    let folder = folder.ok_or_else(|| {
        Failure::usage("there is no folder for data").hint("name a file with --store")
    })?;
    Ok(folder.join("telecrm").join("leads.outbox"))
}

impl From<telecrm_outbox::Error> for Failure {
    fn from(error: telecrm_outbox::Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::Locked | ErrorKind::Store | ErrorKind::Full => Exit::Failed,
            _ => Exit::Usage,
        };
        let failure = Self::new(exit, Problem::from(&error));
        match error.kind() {
            ErrorKind::State => failure.hint("`telecrm outbox list` shows the states"),
            _ => failure,
        }
    }
}

async fn add(settings: &Settings, options: Add, store: &Url) -> Result<Exit, Failure> {
    let opened = push::open_outbox(settings, &options.locale, &store.0).await?;
    if options.exported {
        import(&opened.0, &options).await
    } else {
        push::add(opened, options).await
    }
}

async fn import(outbox: &Outbox, options: &Add) -> Result<Exit, Failure> {
    let text = crate::input::read_text(&options.file)?;
    let (mut added, mut known) = (0, 0);
    let mut exit = Exit::Success;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("{}: line {}", options.file.display(), index + 1);
        let item: Exported = serde_json::from_str(line).map_err(|error| {
            let message = format!("{place}: this is no exported item: {error}");
            Failure::usage(message).hint("the lines before it were added; correct it and run again")
        })?;
        for receipt in outbox.import([item]).await? {
            match receipt {
                Ok(receipt) if receipt.repeated => known += 1,
                Ok(_) => added += 1,
                Err(error) => {
                    print_warning(&Problem::from(&error).at(&place));
                    exit = Exit::Failed;
                }
            }
        }
    }
    print(&format!("added {added} items; {known} were there already"));
    Ok(exit)
}

async fn export(outbox: &Outbox) -> Result<Exit, Failure> {
    let mut after = 0;
    loop {
        let page = outbox.export(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(Exit::Success);
        };
        after = *last;
        for (_, item) in &page {
            if !write_line(&line(item)?)? {
                return Ok(Exit::Success);
            }
        }
    }
}

fn line(item: &Exported) -> Result<String, Failure> {
    let failed = |error| Failure::new(Exit::Failed, format!("cannot write an item: {error}"));
    serde_json::to_string(item).map_err(failed)
}

fn recover(store: &Url) -> Result<Exit, Failure> {
    let mut failure = None;
    let unreadable = Outbox::recover(&store.0, |item| {
        if failure.is_none() {
            failure = line(&item).and_then(|line| write_line(&line)).err();
        }
    })?;
    match failure {
        Some(failure) => Err(failure),
        None if unreadable > 0 => {
            let problem = Problem::new(format!("{unreadable} items cannot be read"));
            print_warning(&problem.hint("the others were printed; look for these in a backup"));
            Ok(Exit::Loss)
        }
        None => Ok(Exit::Success),
    }
}

/// Opening repairs as well, so both counts belong together.
async fn check(store: &Url) -> Result<Exit, Failure> {
    let outbox = store.open().await?;
    let opened = outbox.stats().await?.repaired;
    let found = outbox.check().await?;
    let reports = [opened, found];
    let sum = |count: fn(&CheckReport) -> usize| reports.iter().map(count).sum::<usize>();
    let stranded = sum(|report| report.leads_without_lane);
    let empty = sum(|report| report.lanes_without_items);
    for fault in reports.iter().flat_map(|report| &report.file) {
        let hint = "save what can be read: telecrm outbox export --recover";
        print_warning(&Problem::new(format!("the file is damaged: {fault}")).hint(hint));
    }
    if reports.iter().all(CheckReport::is_clean) {
        print("nothing was found");
        return Ok(Exit::Success);
    }
    print(&format!("repaired: {stranded} leads that no queue had, {empty} queues without leads"));
    Ok(Exit::Loss)
}
