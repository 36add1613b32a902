//! `telecrm outbox run`: the sender of a store.

use super::Url;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::problem::Problem;
use crate::push;
use crate::settings::Settings;
use crate::signals::{self, Signal};
use crate::terminal::{print, print_warning};
use std::time::Duration;
use telecrm_outbox::{Event, Events, Held, Outbox, State, TelecrmSender, Worker};

/// How often an empty outbox is looked for.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn run(
    settings: &Settings,
    store: &Url,
    max_wait: Option<Duration>,
) -> Result<Exit, Failure> {
    let outbox = store.open().await?;
    let telecrm = push::sending_client(settings, &outbox).await?;
    let mut signals = signals::listen()?;
    let worker = Worker::start(&outbox, TelecrmSender::new(&telecrm)).await?;
    let stopper = worker.stopper();
    let events = tokio::spawn(report(outbox.events()));
    let mut run = tokio::spawn(worker.run());
    let ended = tokio::select! {
        signal = signals.recv() => signal.map(Err),
        ended = wait_until_empty(&outbox, max_wait.unwrap_or_default()), if max_wait.is_some() => Some(ended),
        _ = &mut run => None,
    };
    stopper.stop();
    if matches!(ended, Some(Err(_))) {
        print("requests in flight have 22 s to end; stop again to end at once");
    }
    let maybe_sent = tokio::select! {
        drained = &mut run => drained.map_or(0, |drained| drained.maybe_sent),
        signal = signals.recv() => return Ok(signal.map_or(Exit::Failed, Signal::exit)),
    };
    events.abort();
    if maybe_sent > 0 {
        print(&format!("{maybe_sent} leads may have been sent; the next run looks for them first"));
    }
    match ended {
        Some(Err(signal)) => Ok(signal.exit()),
        Some(Ok(result)) => result,
        None => Err(Failure::new(Exit::Failed, "the sender ended by itself")
            .hint("run `telecrm outbox check`, and report this")),
    }
}

type Ended = Result<Result<Exit, Failure>, Signal>;

/// Waits until nothing waits or is unverified. The exit code is that of `push`.
///
/// Once nothing waits, all leads are read back at once. Those that telecrm has not processed yet
/// are looked for later, as in every run.
async fn wait_until_empty(outbox: &Outbox, max_wait: Duration) -> Ended {
    let mut is_read_early = false;
    let mut held_since = None;
    loop {
        let stats = match outbox.stats().await {
            Ok(stats) => stats,
            Err(error) => return Ok(Err(error.into())),
        };
        if stats.waiting() == 0 && stats.unverified() == 0 {
            let counters = stats.counters;
            print(&format!(
                "accepted {}, verified {}, with losses {}, dead {}",
                counters.accepted, counters.verified, counters.lossy, counters.dead
            ));
            return Ok(Ok(match (counters.dead, counters.lossy) {
                (1.., _) => Exit::Failed,
                (0, 1..) => Exit::Loss,
                (0, 0) => Exit::Success,
            }));
        }
        if let Some(reason) = &stats.paused {
            let problem =
                format!("{} leads wait, but sending is paused: {reason}", stats.waiting());
            let failure = Failure::new(Exit::Failed, problem).hint("`telecrm outbox resume`");
            return Ok(Err(failure));
        }
        match &stats.held {
            Some(held) => {
                let waited = clock::now() - *held_since.get_or_insert_with(clock::now);
                if waited >= max_wait {
                    return Ok(Err(held_too_long(held, waited)));
                }
            }
            None => held_since = None,
        }
        if stats.waiting() == 0 && !is_read_early {
            is_read_early = true;
            if let Err(error) = outbox.verify_now().await {
                return Ok(Err(error.into()));
            }
        }
        clock::sleep(LOOK).await;
    }
}

fn held_too_long(held: &Held, waited: Duration) -> Failure {
    let exit = match held {
        Held::Tokens => Exit::NotAuthorized,
        Held::Workspace(answer) if answer.starts_with("404") => Exit::NotFound,
        Held::Workspace(_) => Exit::NotAuthorized,
        _ => Exit::Unknown,
    };
    let waited = clock::format_duration(waited);
    Failure::new(exit, format!("{held}, for {waited}; the leads wait in the outbox"))
        .hint("mend the cause, and run this again; or wait longer with --max-wait")
}

/// Prints what needs a person.
async fn report(mut events: Events) {
    while let Some(event) = events.next().await {
        match event {
            Event::Dead(number, reason) => {
                let problem = Problem::new(format!("item {number} is dead: {reason}"));
                print_warning(&problem.hint(format!("see `telecrm outbox dead show {number}`")));
            }
            Event::ReadBack(number, state @ (State::Differs | State::Missing)) => {
                let problem =
                    Problem::new(format!("item {number} was read back: {}", state.as_str()));
                print_warning(&problem.hint(format!("see `telecrm outbox show {number}`")));
            }
            Event::ExtraSend(number) => print(&format!("item {number} was sent a second time")),
            Event::TokenRefused(slot) => print_warning(
                &Problem::new(format!("telecrm refused {slot}"))
                    .hint("check TELECRM_ASYNC_TOKEN; it is tried again every ten minutes"),
            ),
            Event::Held(reason) => print(&format!("waiting: {reason}")),
            Event::Released => print("sending again"),
            _ => {}
        }
    }
}
