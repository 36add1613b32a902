//! `telecrm emulator`: a local telecrm until it is told to stop.

use crate::args::{self, EmulatorCommand};
use crate::exit::{Exit, Failure};
use crate::signals::{self, Signal};
use crate::terminal::say;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use telecrm::{AsyncToken, SyncToken, TokenError, WorkspaceFile, read_json};
use telecrm_emulator::{
    Builder, DEFAULT_MAX_CONNECTIONS, Emulator, Fault, RateLimit, Recording, RecordingError,
    SearchIds, StateError,
};

pub(crate) async fn run(options: args::Emulator) -> Result<Exit, Failure> {
    match &options.command {
        Some(EmulatorCommand::Ready(ready)) => return wait_until_ready(ready).await,
        Some(EmulatorCommand::Replay(replay)) => return self::replay(replay).await,
        None => {}
    }
    let listen = options.listen;
    if !listen.ip().is_loopback() && !options.allow_remote {
        return Err(Failure::usage(format!(
            "{listen} can be reached from other machines: listen on 127.0.0.1, or add --allow-remote"
        )));
    }
    let mut profile = options.profile;
    for (name, value) in &options.switch {
        profile = profile
            .with(name, value)
            .map_err(|error| Failure::usage(error.to_string()))?;
    }
    if options.no_search_ids {
        profile.search_ids = SearchIds::No;
    }
    let mut builder = Emulator::builder()
        .listen(listen)
        .enterprise(options.enterprise)
        .profile(profile)
        .random_seed(options.random_seed)
        .max_connections(connections(options.max_connections));
    if options.allow_remote {
        builder = builder.allow_remote();
    }
    let limit = |requests| {
        let limit = RateLimit::per_hour(requests).sped_up(options.limit_speed);
        match options.retry_after {
            true => limit.with_retry_after(),
            false => limit,
        }
    };
    if let Some(requests) = options.async_limit {
        builder = builder.async_limit(limit(requests));
    }
    if let Some(requests) = options.sync_limit {
        builder = builder.sync_limit(limit(requests));
    }
    if let Some(path) = &options.fault {
        for fault in read_faults(path)? {
            builder = builder.fault(fault);
        }
    }
    if let Some(path) = &options.seed {
        builder = builder.seed(read_seed(path)?);
    }
    if let Some(path) = &options.state {
        builder = builder.state(path);
    }
    if let Some(path) = &options.record {
        builder = builder.record(path);
    }
    if let Some(now) = options.now {
        builder = builder.now(now);
    }
    for name in options.allow_host {
        builder = builder.allow_host(name);
    }
    let sync = tokens("TELECRM_EMULATOR_SYNC_TOKEN", |token| {
        SyncToken::new(token).map(drop)
    })?;
    builder = with_tokens(
        builder,
        sync,
        Builder::sync_token,
        Builder::another_sync_token,
    );
    let ingest = tokens("TELECRM_EMULATOR_ASYNC_TOKEN", |token| {
        AsyncToken::new(token).map(drop)
    })?;
    builder = with_tokens(
        builder,
        ingest,
        Builder::async_token,
        Builder::another_async_token,
    );
    serve(builder, listen, |_| {}).await
}

/// Files that are open beside connections.
const OTHER_FILES: u64 = 32;

/// How many of these connections can be open at once: each is an open file, of which a process may have no more than so many. Without
/// a limit of its own the emulator would let clients wait that it cannot take.
fn connections(wanted: u64) -> usize {
    let files = rlimit::increase_nofile_limit(wanted.saturating_add(OTHER_FILES));
    // Where there is no such limit, nothing has to be heeded.
    let files = files.unwrap_or(u64::MAX);
    let possible = files.saturating_sub(OTHER_FILES).max(1);
    if possible < wanted {
        say(&format!(
            "takes {possible} connections at once, not {wanted}, since a process may have {files} open files here (ulimit -Hn)"
        ));
    }
    usize::try_from(possible.min(wanted)).unwrap_or(usize::MAX)
}

/// Accepts these tokens: the first in place of the one that is there.
fn with_tokens(
    builder: Builder,
    tokens: Vec<String>,
    first: fn(Builder, String) -> Builder,
    another: fn(Builder, String) -> Builder,
) -> Builder {
    let mut tokens = tokens.into_iter();
    let builder = match tokens.next() {
        Some(token) => first(builder, token),
        None => builder,
    };
    tokens.fold(builder, another)
}

/// The tokens in a variable, separated by commas. None is a flag: those of a real account may be taken by mistake.
fn tokens(
    variable: &str,
    check: fn(&str) -> Result<(), TokenError>,
) -> Result<Vec<String>, Failure> {
    let Some(text) = std::env::var(variable)
        .ok()
        .filter(|text| !text.trim().is_empty())
    else {
        return Ok(Vec::new());
    };
    text.split(',')
        .map(str::trim)
        .map(|token| match check(token) {
            Ok(()) => Ok(token.to_owned()),
            Err(error) => Err(Failure::usage(format!(
                "{variable}: {error}; separate tokens by commas"
            ))),
        })
        .collect()
}

/// Runs it until it is told to stop.
async fn serve(
    builder: Builder,
    listen: SocketAddr,
    started: impl FnOnce(&Emulator),
) -> Result<Exit, Failure> {
    // Before it is announced, so that whoever reads the announcement can already stop it.
    let signals = signals::listen();
    let mut signals = signals.map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("signals cannot be listened to: {error}"),
        )
    })?;
    let emulator = builder.start().await;
    let emulator = emulator.map_err(|error| not_started(listen, &error))?;
    started(&emulator);
    io::stdout()
        .write_all(emulator.exports().as_bytes())
        .and_then(|()| io::stdout().flush())
        .map_err(|error| Failure::new(Exit::Failed, format!("standard output: {error}")))?;
    say(&format!(
        "listening at {}, also for a browser; Ctrl-C stops it",
        emulator.url()
    ));
    let signal = signals.recv().await;
    let recorded = emulator.flush_recording();
    tokio::select! {
        () = emulator.shutdown() => {}
        // Whoever asks twice does not want to wait for calls that are slow.
        _ = signals.recv() => {}
    }
    recorded.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(match signal {
        // Being terminated is how a service ends well.
        Some(Signal::Terminate) | None => Exit::Success,
        Some(Signal::Interrupt) => Exit::Interrupted,
    })
}

/// Runs a recording again, and says what is answered otherwise.
async fn replay(options: &args::Replay) -> Result<Exit, Failure> {
    let recording = Recording::read(&options.recording);
    let recording = recording.map_err(|error| Failure::usage(error.to_string()))?;
    let calls = recording.calls();
    let builder = Emulator::builder().replay(recording);
    let tell = |emulator: &Emulator| {
        let differences = emulator.differences();
        for difference in differences {
            say(&difference.to_string());
        }
        say(&match differences.len() {
            0 => format!("{calls} calls, all answered as they were"),
            count => format!("{calls} calls, {count} answered otherwise"),
        });
    };
    if let Some(listen) = options.listen {
        let most = connections(DEFAULT_MAX_CONNECTIONS as u64);
        return serve(builder.listen(listen).max_connections(most), listen, tell).await;
    }
    let emulator = builder.start().await;
    let emulator = emulator
        .map_err(|error| not_started(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &error))?;
    tell(&emulator);
    let is_same = emulator.differences().is_empty();
    emulator.shutdown().await;
    Ok(match is_same {
        true => Exit::Success,
        false => Exit::Failed,
    })
}

fn not_started(listen: SocketAddr, error: &io::Error) -> Failure {
    let inner = error.get_ref();
    if inner.is_some_and(|inner| inner.is::<StateError>() || inner.is::<RecordingError>()) {
        return Failure::new(Exit::Failed, error.to_string());
    }
    if error.kind() == io::ErrorKind::InvalidInput {
        return Failure::usage(error.to_string());
    }
    Failure::new(
        Exit::Failed,
        format!(
            "the emulator cannot listen on {listen}: {error}; choose another address with --listen (port 0 picks a free one)"
        ),
    )
}

async fn wait_until_ready(options: &args::Ready) -> Result<Exit, Failure> {
    let listen = options.listen;
    match telecrm_emulator::wait_until_ready(listen, options.timeout).await {
        true => Ok(Exit::Success),
        false => Err(Failure::new(
            Exit::Failed,
            format!(
                "no emulator answers at {listen}; start one with `telecrm emulator --listen {listen}`, or wait longer with --timeout"
            ),
        )),
    }
}

fn read_file(path: &Path) -> Result<serde_json::Value, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::InvalidData => "save it as UTF-8",
            _ => "check the name and the permissions",
        };
        Failure::usage(format!("{place} cannot be read: {error}; {help}"))
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let (json, repeated) = read_json(text.as_bytes())
        .map_err(|error| Failure::usage(format!("{place} is not JSON: {error}")))?;
    match repeated.first() {
        None => Ok(json),
        Some(twice) => Err(Failure::usage(format!(
            "{place}: `{twice}` stands twice: write each key once"
        ))),
    }
}

fn read_faults(path: &Path) -> Result<Vec<Fault>, Failure> {
    Fault::list(read_file(path)?).map_err(|error| {
        Failure::usage(format!(
            "{} is not a list of faults: {error}",
            path.display()
        ))
    })
}

fn read_seed(path: &Path) -> Result<WorkspaceFile, Failure> {
    let place = path.display();
    let file = WorkspaceFile::from_json(read_file(path)?)
        .and_then(|file| telecrm::Workspace::from_file(&file).map(|_| file))
        .map_err(|error| Failure::usage(format!("{place} is not a workspace file: {error}")))?;
    Ok(file)
}
