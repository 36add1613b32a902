//! `telecrm push`: discover, check, send, verify.

mod estimate;
mod output;
mod plan;
mod report;
mod rows;
mod run;
mod send;
mod table;

use crate::args;
use crate::clock;
use crate::environment::{self, Environment};
use crate::exit::{Exit, Failure};
use crate::signals;
use crate::terminal::say;
use estimate::{Paces, Reads};
use output::Output;
use plan::Planner;
use report::ErrorKind;
use rows::Input;
use run::{HOPELESS, Run, Stop, Summary};
use send::{Reader, Sender};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use telecrm::{AsyncToken, SyncToken, Telecrm, Workspace, WorkspaceFile};
use telecrm_emulator::Emulator;
use tokio::sync::mpsc;

/// The other side of a run.
struct Connection {
    telecrm: Telecrm,
    /// Nothing can be read without a Sync token.
    can_read: bool,
    /// How fast rows go; the emulator sets no limit.
    paces: Option<Paces>,
    emulator: Option<Arc<Emulator>>,
}

pub(crate) async fn run(options: args::Push) -> Result<Exit, Failure> {
    let input = Input::open(&options.file)?;
    let environment = match options.emulator {
        true => None,
        false => {
            let must_read = !options.no_check || options.verify;
            Some(Environment::read(
                |name| std::env::var(name).ok(),
                must_read,
            )?)
        }
    };
    for warning in environment.iter().flat_map(Environment::warnings) {
        say(&format!("warning: {warning}"));
    }
    let connection = match &environment {
        Some(environment) => Connection::to_telecrm(environment, &options)?,
        None => Connection::to_emulator(&options).await?,
    };
    let workspace = match connection.can_read {
        true => {
            let found = connection.telecrm.workspace().await;
            Some(found.map_err(|error| not_discovered(&error, environment.as_ref()))?)
        }
        false => None,
    };
    push(options, input, connection, workspace).await
}

async fn push(
    options: args::Push,
    input: Input,
    connection: Connection,
    workspace: Option<Arc<Workspace>>,
) -> Result<Exit, Failure> {
    let count = input.count();
    let rows_end = input.ends();
    let input = input.rows(workspace.clone())?;
    for warning in &input.warnings {
        say(&format!("warning: {warning}"));
    }
    if let (Some(rows), Some(paces)) = (count, &connection.paces) {
        let reads = options.verify.then_some(match input.may_have_actions {
            true => Reads::OneOrMore,
            false => Reads::One,
        });
        if let Some(estimate) = paces.estimate(rows, reads) {
            say(&estimate);
        }
    }
    let signals = signals::listen().map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("signals cannot be listened to: {error}"),
        )
    })?;
    let (sender, rows) = mpsc::channel(64);
    // A thread of its own, which need not end with the run: standard input may stay open for ever.
    std::thread::spawn(move || {
        for row in input.rows {
            if sender.blocking_send(row).is_err() {
                break;
            }
        }
    });
    let as_table = match (options.json, options.table) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        _ => None,
    };
    let not_written = |error: io::Error| {
        let message =
            format!("the report cannot be written: {error}; rows under way may have been sent");
        Failure::new(Exit::Failed, message)
    };
    let mut output = Output::start(as_table, workspace.as_deref(), count).map_err(not_written)?;
    let start = clock::now();
    // Lives until the run is over, also where nothing is read back.
    let emulator = connection.emulator;
    let reader = options.verify.then(|| Reader {
        emulator: emulator.clone(),
        timeout: options.verify_timeout,
    });
    let run = Run {
        rows,
        rows_end,
        signals,
        planner: Planner {
            workspace,
            check: !options.no_check,
            on_finding: options.on_finding,
        },
        sender: Sender::new(connection.telecrm.clone(), reader),
        output: &mut output,
    };
    let summary = run.run().await.map_err(not_written)?;
    output.end();
    let limits = connection.telecrm.async_limits();
    for (index, _) in limits
        .iter()
        .enumerate()
        .filter(|(_, limit)| limit.set_aside)
    {
        say(&format!(
            "warning: telecrm refused token {} of {} in {}, so the others were used; check it",
            index + 1,
            limits.len(),
            environment::ASYNC_TOKEN
        ));
    }
    Ok(sum_up(&summary, clock::now() - start))
}

/// Says what the run amounts to.
fn sum_up(summary: &Summary, taken: Duration) -> Exit {
    let Summary { tally, stop } = summary;
    let rows = tally.rows();
    let seconds = taken.as_secs_f64();
    let rate = match tally.sent() {
        sent if sent > 0 && seconds > 0.0 => format!(", {:.0} rows/s", sent as f64 / seconds),
        _ => String::new(),
    };
    match stop {
        None => {}
        Some(Stop::Signal(_)) => {
            say("stopped by request: what is reported as skipped was not sent")
        }
        Some(Stop::Finding { row }) => say(&format!(
            "stopped at row {row}: a part of it would be lost (--on-finding stop); it and all later rows were not sent"
        )),
        Some(Stop::Hopeless { row, error }) => {
            let remedy = match error.kind {
                ErrorKind::NotAuthorized => format!(
                    "; check {} (of type Async, for pushing), {} (of type Sync, for reading) and {}",
                    environment::ASYNC_TOKEN,
                    environment::SYNC_TOKEN,
                    environment::ENTERPRISE_ID
                ),
                ErrorKind::NotFound => format!(
                    "; check {} and {}",
                    environment::ASYNC_URL_VARIABLE,
                    environment::ENTERPRISE_ID
                ),
                ErrorKind::RateLimited => {
                    "; others may use the same token: push the skipped rows later".to_owned()
                }
                ErrorKind::Connect => format!(
                    "; check {} and the network",
                    environment::ASYNC_URL_VARIABLE
                ),
                _ => format!(
                    "; {HOPELESS} rows in a row ended like this: check that {} is telecrm's Async API, or push the skipped rows later",
                    environment::ASYNC_URL_VARIABLE
                ),
            };
            say(&format!(
                "error: stopped at row {row}: {}{remedy}",
                error.message
            ));
        }
    }
    if rows == 0 {
        say("no rows");
    } else {
        let noun = if rows == 1 { "row" } else { "rows" };
        say(&format!("{rows} {noun}: {tally}; {seconds:.1} s{rate}"));
    }
    match stop {
        Some(Stop::Signal(signal)) => signal.exit(),
        _ => tally.exit(),
    }
}

impl Connection {
    fn to_telecrm(environment: &Environment, options: &args::Push) -> Result<Self, Failure> {
        let mut builder = Telecrm::builder(&environment.enterprise_id)
            .sync_url(&environment.sync_url)
            .async_url(&environment.async_url)
            .time_zone(options.time_zone.clone())
            .verify_timeout(options.verify_timeout);
        if let Some(country) = options.default_country {
            builder = builder.default_country(country.to_string());
        }
        for token in &environment.async_tokens {
            builder = builder.async_token(token.clone());
        }
        if let Some(token) = &environment.sync_token {
            builder = builder.sync_token(token.clone());
        }
        let telecrm = builder.build().map_err(|error| {
            Failure::usage(format!(
                "{error}; check {}, {} and {}",
                environment::ENTERPRISE_ID,
                environment::SYNC_URL_VARIABLE,
                environment::ASYNC_URL_VARIABLE
            ))
        })?;
        Ok(Self {
            can_read: environment.sync_token.is_some(),
            paces: Some(Paces::of(&telecrm)),
            telecrm,
            emulator: None,
        })
    }

    async fn to_emulator(options: &args::Push) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(
                Exit::Failed,
                format!("the emulator does not start: {error}"),
            )
        };
        let mut seed = WorkspaceFile::sample();
        let country = options.default_country.unwrap_or_default().to_string();
        seed.emulator
            .insert("defaultCountry".to_owned(), country.as_str().into());
        let zone = options.time_zone.iana_name();
        seed.emulator.insert("timeZone".to_owned(), zone.into());
        let emulator = Emulator::builder().seed(seed).start().await;
        let emulator = emulator.map_err(|error| failed(&error))?;
        let sync_token = SyncToken::new(emulator.sync_token()).map_err(|error| failed(&error))?;
        let async_token =
            AsyncToken::new(emulator.async_token()).map_err(|error| failed(&error))?;
        let telecrm = Telecrm::builder(emulator.enterprise())
            .sync_token(sync_token)
            .async_token(async_token)
            .sync_url(emulator.sync_url())
            .async_url(emulator.async_url())
            .default_country(country)
            .time_zone(options.time_zone.clone())
            .sync_limit(None)
            .async_limit(None)
            // It is asked whether it has settled; then one look is enough.
            .verify_timeout(Duration::ZERO)
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self {
            telecrm,
            can_read: true,
            paces: None,
            emulator: Some(Arc::new(emulator)),
        })
    }
}

/// Why the workspace cannot be read: place, reason, remedy.
fn not_discovered(error: &telecrm::Error, environment: Option<&Environment>) -> Failure {
    let exit = match ErrorKind::from(error) {
        ErrorKind::NotAuthorized => Exit::NotAuthorized,
        ErrorKind::NotFound => Exit::NotFound,
        ErrorKind::RateLimited => Exit::RateLimited,
        _ => Exit::Failed,
    };
    if environment.is_none() {
        return Failure::new(
            exit,
            format!("the emulator's workspace cannot be read: {error:#}"),
        );
    }
    let remedy = match exit {
        Exit::NotAuthorized => format!(
            "check {} and that {} is a token of type Sync of that workspace",
            environment::ENTERPRISE_ID,
            environment::SYNC_TOKEN
        ),
        Exit::NotFound => format!(
            "check {}, which ends in /autoupdate/v2, and {}",
            environment::SYNC_URL_VARIABLE,
            environment::ENTERPRISE_ID
        ),
        Exit::RateLimited => "others may use the same token: try again later".to_owned(),
        _ if error.is_connect() => {
            format!("check {} and the network", environment::SYNC_URL_VARIABLE)
        }
        _ if error.is_transient() => {
            "the server, or what stands in front of it, has trouble: try again later".to_owned()
        }
        _ => format!(
            "check that {} is telecrm's Sync API",
            environment::SYNC_URL_VARIABLE
        ),
    };
    Failure::new(
        exit,
        // Without the URL: it may hold the enterprise ID.
        format!("the workspace cannot be read: {error:#}; {remedy}; nothing was sent"),
    )
}
