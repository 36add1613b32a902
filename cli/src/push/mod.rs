//! `telecrm push`: discover, check, send, verify.

mod output;
mod plan;
mod report;
mod rows;
mod run;
mod send;
mod table;
mod unique;

pub(crate) use output::say;

use crate::args;
use crate::environment::{self, Environment};
use crate::exit::{Exit, Failure};
use crate::signals;
use crate::time;
use output::Output;
use plan::Planner;
use report::ErrorKind;
use rows::Input;
use run::{Run, Stop, Summary};
use send::{Reader, Sender};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use telecrm::{AsyncToken, RateLimit, SyncToken, Telecrm, Workspace};
use telecrm_emulator::Emulator;
use tokio::sync::mpsc;

/// The other side of a run.
struct Connection {
    telecrm: Telecrm,
    /// Nothing can be read without a Sync token.
    can_read: bool,
    async_tokens: usize,
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
        Some(environment) => Connection::to_telecrm(environment, options.verify_timeout)?,
        None => Connection::to_emulator().await?,
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
    let limited = connection.emulator.is_none();
    if let Some(length) = count
        .filter(|_| limited)
        .and_then(|rows| limited_time(rows, connection.async_tokens, options.verify))
    {
        say(&format!(
            "{} rows take about {}: telecrm limits requests to {}/hour for each Async token{}",
            count.unwrap_or_default(),
            time::readable(length),
            RateLimit::ASYNC.per_hour(),
            match options.verify {
                true => format!(
                    ", and to {}/hour for reading back",
                    RateLimit::SYNC.per_hour()
                ),
                false => String::new(),
            }
        ));
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
    let start = time::now();
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
    Ok(sum_up(&summary, time::now() - start))
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
                _ => format!(
                    "; check {} and the network",
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
    fn to_telecrm(environment: &Environment, verify_timeout: Duration) -> Result<Self, Failure> {
        let mut builder = Telecrm::builder(&environment.enterprise_id)
            .sync_url(&environment.sync_url)
            .async_url(&environment.async_url)
            .verify_timeout(verify_timeout);
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
            telecrm,
            can_read: environment.sync_token.is_some(),
            async_tokens: environment.async_tokens.len(),
            emulator: None,
        })
    }

    async fn to_emulator() -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(
                Exit::Failed,
                format!("the emulator does not start: {error}"),
            )
        };
        let emulator = Emulator::start().await.map_err(|error| failed(&error))?;
        let sync_token = SyncToken::new(emulator.sync_token()).map_err(|error| failed(&error))?;
        let async_token =
            AsyncToken::new(emulator.async_token()).map_err(|error| failed(&error))?;
        let telecrm = Telecrm::builder(emulator.enterprise())
            .sync_token(sync_token)
            .async_token(async_token)
            .sync_url(emulator.sync_url())
            .async_url(emulator.async_url())
            .sync_limit(None)
            .async_limit(None)
            // It is asked whether it has settled; then one look is enough.
            .verify_timeout(Duration::ZERO)
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self {
            telecrm,
            can_read: true,
            async_tokens: 1,
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
    let Some(environment) = environment else {
        return Failure::new(
            exit,
            format!("the emulator's workspace cannot be read: {error:#}"),
        );
    };
    let url = environment
        .sync_url
        .replace(&environment.enterprise_id, "…");
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
        _ => format!(
            "check that {} is telecrm's Sync API",
            environment::SYNC_URL_VARIABLE
        ),
    };
    Failure::new(
        exit,
        format!("the workspace at {url} cannot be read: {error:#}; {remedy}; nothing was sent"),
    )
}

/// The time that so many rows take, where the rate limits make it long.
fn limited_time(rows: u64, tokens: usize, verify: bool) -> Option<Duration> {
    let at = |requests: u64, per_hour: u32, tokens: u64| {
        Duration::from_secs(requests.saturating_mul(3600) / (u64::from(per_hour) * tokens))
    };
    let pushing = at(rows, RateLimit::ASYNC.per_hour(), tokens as u64);
    // One search for each row; rows with actions take more.
    let reading = at(rows, RateLimit::SYNC.per_hour(), 1);
    let least = if verify {
        pushing.max(reading)
    } else {
        pushing
    };
    (least > Duration::from_secs(60)).then_some(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as9_the_limits_tell_how_long_a_run_takes() {
        assert_eq!(limited_time(100, 1, false), None);
        assert_eq!(
            limited_time(18_000, 1, false),
            Some(Duration::from_secs(3600))
        );
        assert_eq!(
            limited_time(18_000, 3, false),
            Some(Duration::from_secs(1200))
        );
        assert_eq!(
            limited_time(3_600, 3, true),
            Some(Duration::from_secs(3600))
        );
    }
}
