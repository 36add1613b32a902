//! The commands that read items and decide about dead ones.

use crate::args::outbox::Dead;
use crate::args::records::Printing;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::input;
use crate::output::Output;
use crate::problem::Problem;
use crate::terminal::{print, print_warning};
use serde_json::{Map, Value, json};
use std::time::{Duration, SystemTime};
use telecrm::Lead;
use telecrm_outbox::{Filter, Item, Outbox, Requeued, State, Stats};

const PAGE: usize = 1000;

pub(super) async fn probe(outbox: &Outbox) -> Result<Exit, Failure> {
    let stats = outbox.stats().await?;
    let reasons = stats.paused.map(|reason| format!("sending is paused: {reason}"));
    let reasons =
        reasons.into_iter().chain(stats.held.map(|held| format!("sending is held: {held}")));
    let reasons: Vec<_> = reasons.collect();
    for reason in &reasons {
        print_warning(&Problem::new(reason.as_str()).hint("see `telecrm outbox status`"));
    }
    Ok(if reasons.is_empty() { Exit::Success } else { Exit::Failed })
}

pub(super) async fn status(
    outbox: &Outbox,
    watch: bool,
    printing: Printing,
) -> Result<Exit, Failure> {
    if !watch {
        let stats = outbox.stats().await?;
        stats.warnings().into_iter().for_each(|warning| print_warning(&Problem::new(warning)));
        return Output::new(printing, &[]).record(&numbers(&stats));
    }
    let mut last = None;
    loop {
        let stats = outbox.stats().await?;
        let line = format!(
            "{} wait, {} unverified, {} verified, {} dead{}",
            stats.waiting(),
            stats.unverified(),
            stats.count(State::Verified),
            stats.count(State::Dead),
            stats.held.map(|held| format!("; held: {held}")).unwrap_or_default(),
        );
        if last.as_ref() != Some(&line) {
            print(&line);
            last = Some(line);
        }
        clock::sleep(Duration::from_secs(1)).await;
    }
}

fn numbers(stats: &Stats) -> Value {
    let states = State::ALL.iter().map(|&state| (state.as_str().to_owned(), stats.count(state)));
    json!({
        "waiting": stats.waiting(),
        "unverified": stats.unverified(),
        "held": stats.held.as_ref().map(ToString::to_string),
        "paused": stats.paused,
        "verification_behind_seconds": stats.verification_behind.map(|behind| behind.as_secs()),
        "states": states.map(|(name, count)| (name, count.into())).collect::<Map<_, _>>(),
    })
}

pub(super) async fn list(
    outbox: &Outbox,
    state: Option<State>,
    printing: Printing,
) -> Result<Exit, Failure> {
    let mut output = Output::new(printing, &["number", "state", "lead_key", "sends", "reason"]);
    let mut after = 0;
    loop {
        let filter = state.map_or_else(Filter::new, |state| Filter::new().state(state));
        let page = outbox.list(filter, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for item in &page {
            if !output.item(&record(item, false))? {
                return Ok(Exit::Success);
            }
        }
    }
    output.end()
}

pub(super) async fn show(
    outbox: &Outbox,
    number: u64,
    printing: Printing,
) -> Result<Exit, Failure> {
    let item = outbox.get(number).await?.ok_or_else(|| not_there(number))?;
    Output::new(printing, &[]).record(&record(&item, true))
}

fn not_there(number: u64) -> Failure {
    Failure::new(Exit::NotFound, format!("there is no item {number}"))
        .hint("see `telecrm outbox list`")
}

fn record(item: &Item, with_lead: bool) -> Value {
    let time =
        |time: SystemTime| jiff::Timestamp::try_from(time).map(|time| format!("{time:.3}")).ok();
    let mut record = json!({
        "number": item.seq,
        "state": item.state.as_str(),
        "key": item.key,
        "lead_key": item.lead_key,
        "sends": item.sends(),
        "extra_sends": item.extra_sends(),
        "maybe_sent": item.maybe_sent(),
        "merged_into": item.merged_into(),
        "reason": item.reason(),
        "added": time(item.added_at()),
        "settled": item.settled_at().and_then(time),
    });
    if with_lead {
        record["lead"] = item.lead.as_ref().map_or(Value::Null, Lead::to_json);
        record["findings"] = json!(item.findings());
    }
    record
}

pub(super) async fn dead(outbox: &Outbox, command: Dead) -> Result<Exit, Failure> {
    match command {
        Dead::List { printing } => list(outbox, Some(State::Dead), printing).await,
        Dead::Show { number, printing } => show(outbox, number, printing).await,
        Dead::Edit { number, file } => {
            let text = input::read_text(&file)?;
            let place = file.display();
            let json = serde_json::from_str(&text)
                .map_err(|error| Failure::usage(format!("{place}: invalid JSON: {error}")))?;
            let lead = Lead::from_json(json)
                .map_err(|error| Failure::usage(format!("{place}: {error}")))?;
            let findings = outbox.edit(number, lead).await?;
            findings.iter().for_each(|finding| print(&finding.to_string()));
            print(&format!("item {number} has the new lead; `dead requeue {number}` sends it"));
            Ok(Exit::Success)
        }
        Dead::Requeue { numbers, overwrite } => {
            let mut exit = Exit::Success;
            for number in numbers {
                let requeued = match overwrite {
                    true => outbox.requeue_overwriting(number).await?,
                    false => outbox.requeue(number).await?,
                };
                match requeued {
                    Requeued::Queued(new) => print(&format!("item {number} is queued as {new}")),
                    Requeued::WouldOverwrite(fields) => {
                        let fields = fields.join(", ");
                        let message =
                            format!("item {number} would overwrite newer values: {fields}");
                        print_warning(&Problem::new(message).hint("add --overwrite to do so"));
                        exit = Exit::Loss;
                    }
                }
            }
            Ok(exit)
        }
        Dead::Discard { numbers } => {
            for number in numbers {
                outbox.discard(number).await?;
                print(&format!("item {number} is given up"));
            }
            Ok(Exit::Success)
        }
    }
}
