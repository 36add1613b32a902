//! `telecrm emulator`: runs a local telecrm until a signal stops it.

use crate::args::{self, EmulatorCommand};
use crate::exit::{Exit, Failure};
use crate::problem::Problem;
use crate::signals::{self, Signal};
use crate::terminal::{print, print_warning};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use telecrm::json::read_json;
use telecrm::{AsyncToken, SyncToken, TokenError, WorkspaceFile};
use telecrm_emulator::{
    Builder, DEFAULT_MAX_CONNECTIONS, Emulator, Fault, RateLimit, Recording, RecordingError,
    SearchIds, SettingsError, StateError,
};

pub(crate) async fn run(options: args::Emulator) -> Result<Exit, Failure> {
    match &options.command {
        Some(EmulatorCommand::Ready(ready)) => wait_until_ready(ready).await,
        Some(EmulatorCommand::Replay(replay)) => self::replay(replay).await,
        None => {
            let listen = options.listen;
            serve(configure(options)?, listen, |_| {}).await
        }
    }
}

/// Builds an emulator from flags, files and environment variables.
fn configure(options: args::Emulator) -> Result<Builder, Failure> {
    let listen = options.listen;
    if !listen.ip().is_loopback() && !options.allow_remote {
        let problem = Failure::usage(format!("other machines can reach {listen}"));
        return Err(problem.hint("listen on 127.0.0.1, or add --allow-remote"));
    }
    let mut profile = options.profile;
    for (name, value) in &options.switch {
        profile = profile.with(name, value).map_err(|error| Failure::usage(&error))?;
    }
    if options.no_search_ids {
        profile.search_ids = SearchIds::No;
    }
    let mut builder = Emulator::builder()
        .listen(listen)
        .enterprise(options.enterprise)
        .profile(profile)
        .random_seed(options.random_seed)
        .max_connections(possible_connections(options.max_connections));
    if options.allow_remote {
        builder = builder.allow_remote();
    }
    if options.cors {
        builder = builder.cors();
    }
    let limit = |requests| {
        let limit = RateLimit::per_hour(requests).sped_up(options.limit_speed);
        if options.retry_after { limit.with_retry_after() } else { limit }
    };
    if let Some(requests) = options.async_limit {
        builder = builder.async_limit(limit(requests));
    }
    if let Some(requests) = options.sync_limit {
        builder = builder.sync_limit(limit(requests));
    }
    if let Some(path) = &options.fault {
        builder = read_faults(path)?.into_iter().fold(builder, Builder::fault);
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
    builder = options.allow_host.into_iter().fold(builder, Builder::allow_host);
    let check = |token: &str| SyncToken::new(token).map(drop);
    for (index, token) in tokens("TELECRM_EMULATOR_SYNC_TOKEN", check)?.into_iter().enumerate() {
        builder = match index {
            0 => builder.sync_token(token),
            _ => builder.another_sync_token(token),
        };
    }
    let check = |token: &str| AsyncToken::new(token).map(drop);
    for (index, token) in tokens("TELECRM_EMULATOR_ASYNC_TOKEN", check)?.into_iter().enumerate() {
        builder = match index {
            0 => builder.async_token(token),
            _ => builder.another_async_token(token),
        };
    }
    Ok(builder)
}

/// Number of files that the process opens besides its connections.
const OTHER_FILES: u64 = 32;

/// Returns how many of the wanted connections the process may open.
///
/// Each connection is an open file, and the system limits open files per process. Clients beyond
/// that limit would wait forever, so the emulator closes their connections instead.
fn possible_connections(wanted: u64) -> usize {
    let files = rlimit::increase_nofile_limit(wanted.saturating_add(OTHER_FILES));
    // Not every system has such a limit.
    let files = files.unwrap_or(u64::MAX);
    let possible = files.saturating_sub(OTHER_FILES).max(1);
    if possible < wanted {
        let problem = Problem::new(format!("at most {possible} of {wanted} connections at once"));
        print_warning(&problem.hint(format!(
            "this process may open {files} files; raise the limit with `ulimit -Hn`"
        )));
    }
    usize::try_from(possible.min(wanted)).unwrap_or(usize::MAX)
}

/// Reads the tokens to accept from a variable.
///
/// No flag sets them, because command lines are visible, and a pasted token may be a real one.
fn tokens(
    variable: &str,
    check: impl Fn(&str) -> Result<(), TokenError>,
) -> Result<Vec<String>, Failure> {
    let text = std::env::var(variable).unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|token| match check(token.trim()) {
            Ok(()) => Ok(token.trim().to_owned()),
            Err(error) => Err(Failure::usage(format!("{variable}: {error}"))
                .hint("separate several tokens by commas")),
        })
        .collect()
}

/// Runs the emulator until a signal stops it.
async fn serve(
    builder: Builder,
    listen: SocketAddr,
    started: impl FnOnce(&Emulator),
) -> Result<Exit, Failure> {
    // A script may stop the emulator as soon as it has read the variables below.
    let mut signals = signals::listen()?;
    let emulator = builder.start().await;
    let emulator = emulator.map_err(|error| not_started(listen, &error))?;
    started(&emulator);
    io::stdout()
        .write_all(emulator.exports().as_bytes())
        .and_then(|()| io::stdout().flush())
        .map_err(|error| {
            Failure::new(Exit::Failed, format!("cannot write to standard output: {error}"))
        })?;
    print(&format!(
        "listening on {} (web pages at the same address); press Ctrl-C to stop",
        emulator.url()
    ));
    let signal = signals.recv().await;
    let recorded = emulator.flush_recording();
    tokio::select! {
        () = emulator.shutdown() => {}
        // A second signal does not wait for slow requests.
        _ = signals.recv() => {}
    }
    recorded.map_err(|error| Failure::new(Exit::Failed, &error))?;
    Ok(match signal {
        // SIGTERM is the regular end of a service.
        Some(Signal::Terminate) | None => Exit::Success,
        Some(Signal::Interrupt) => Exit::Interrupted,
    })
}

/// Replays a recording, and prints which answers differ from the recorded ones.
async fn replay(options: &args::Replay) -> Result<Exit, Failure> {
    let recording = Recording::read(&options.recording).map_err(|error| Failure::usage(&error))?;
    let requests = recording.calls();
    let builder = Emulator::builder().replay(recording);
    let print_differences = |emulator: &Emulator| {
        let differences = emulator.differences();
        for difference in differences {
            difference.to_string().lines().for_each(print);
        }
        print(&match differences.len() {
            0 => format!("{requests} requests replayed, all with the recorded answers"),
            count => format!("{requests} requests replayed, {count} with another answer"),
        });
    };
    if let Some(listen) = options.listen {
        let connections = possible_connections(DEFAULT_MAX_CONNECTIONS as u64);
        let builder = builder.listen(listen).max_connections(connections);
        return serve(builder, listen, print_differences).await;
    }
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let emulator = builder.start().await;
    let emulator = emulator.map_err(|error| not_started(any_port, &error))?;
    print_differences(&emulator);
    let is_same = emulator.differences().is_empty();
    emulator.shutdown().await;
    Ok(if is_same { Exit::Success } else { Exit::Failed })
}

fn not_started(listen: SocketAddr, error: &io::Error) -> Failure {
    if let Some(inner) = error.get_ref() {
        if let Some(error) = inner.downcast_ref::<SettingsError>() {
            return Failure::usage(error);
        }
        if let Some(error) = inner.downcast_ref::<StateError>() {
            return Failure::new(Exit::Failed, error);
        }
        if let Some(error) = inner.downcast_ref::<RecordingError>() {
            return Failure::new(Exit::Failed, error);
        }
    }
    Failure::new(Exit::Failed, format!("cannot listen on {listen}: {error}"))
        .hint("choose another address with --listen (port 0 picks a free port)")
}

async fn wait_until_ready(options: &args::Ready) -> Result<Exit, Failure> {
    let listen = options.listen;
    if telecrm_emulator::wait_until_ready(listen, options.timeout).await {
        return Ok(Exit::Success);
    }
    let failure = Failure::new(Exit::Failed, format!("no emulator answered at {listen}"));
    Err(failure.hint(format!(
        "start one with `telecrm emulator --listen {listen}`, or wait longer with --timeout"
    )))
}

fn read_file(path: &Path) -> Result<serde_json::Value, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::InvalidData => "save the file as UTF-8",
            _ => "check the file's name and permissions",
        };
        Failure::usage(format!("cannot read {name}: {error}")).hint(hint)
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let (json, repeated) = read_json(text.as_bytes())
        .map_err(|error| Failure::usage(format!("{name}: invalid JSON: {error}")))?;
    match repeated.first() {
        None => Ok(json),
        Some(key) => Err(Failure::usage(format!("{name}: duplicate key `{key}`"))),
    }
}

fn read_faults(path: &Path) -> Result<Vec<Fault>, Failure> {
    Fault::list(read_file(path)?).map_err(|error| {
        Failure::usage(Problem::from(&error).at(format!("{}: invalid fault rule", path.display())))
    })
}

fn read_seed(path: &Path) -> Result<WorkspaceFile, Failure> {
    WorkspaceFile::from_json(read_file(path)?)
        .and_then(|file| telecrm::Workspace::from_file(&file).map(|_| file))
        .map_err(|error| {
            let place = format!("{}: invalid workspace file", path.display());
            Failure::usage(Problem::from(&error).at(place))
        })
}
