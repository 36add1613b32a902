//! What callers do with items: add, cancel, queue again, discard, prune.

use super::numbers::sendable;
use super::verify_plan::first_look;
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::item::{Detail, Filter, Item, Kind, Lane, State};
use crate::store::Tables;
use telecrm::{Finding, Lead};

/// A lead to be added.
#[derive(Clone)]
pub(crate) struct NewItem {
    pub(crate) lead_key: String,
    pub(crate) key: Option<String>,
    /// The digest of the lead as the caller gave it.
    pub(crate) digest: u128,
    pub(crate) lead: Lead,
    pub(crate) findings: Vec<Finding>,
    /// Whether telecrm may have the lead already.
    pub(crate) maybe: bool,
}

/// What adding a lead did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Queued as this item.
    Queued(u64),
    /// Kept as the first item, which repeats the second. The second still waits, so that only one
    /// of them is sent.
    Merged(u64, u64),
    /// Added with the state that it had in another store.
    Imported(u64, State),
    /// The key was used for the same lead before, for this item in this state. Nothing was added.
    Duplicate(u64, State),
    /// The key was used for another lead before, for this item. Nothing was added.
    KeyReused(u64),
    /// As many items wait as may wait. Nothing was added.
    Full,
}

/// What queueing a dead item again did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requeued {
    /// Queued as this new item, at the end of its lane.
    Queued(u64),
    /// Nothing was done: newer items have values for these fields, which it would overwrite.
    WouldOverwrite(Vec<String>),
}

pub(crate) fn enqueue(
    tables: &mut dyn Tables,
    now: Millis,
    capacity: u64,
    new: Vec<NewItem>,
) -> Result<Vec<Admission>, Error> {
    let counts = tables.counts()?;
    let mut waiting: u64 = counts[0] + counts[1];
    let born = sendable(tables)?;
    let mut admissions = Vec::new();
    for new in new {
        let known = new.key.as_deref().map(|key| tables.item_by_key(key)).transpose()?.flatten();
        let admission = match known {
            Some(item) if item.digest == new.digest => Admission::Duplicate(item.seq, item.state),
            Some(item) => Admission::KeyReused(item.seq),
            None if waiting >= capacity => Admission::Full,
            None => {
                let (findings, maybe) = (new.findings.clone(), new.maybe);
                let detail = Detail { born, findings, maybe, ..Detail::default() };
                add(tables, now, new, detail)?
            }
        };
        waiting += u64::from(matches!(admission, Admission::Queued(_)));
        admissions.push(admission);
    }
    Ok(admissions)
}

fn add(
    tables: &mut dyn Tables,
    now: Millis,
    new: NewItem,
    detail: Detail,
) -> Result<Admission, Error> {
    let lane = tables.lane(Kind::Send, &new.lead_key)?;
    if lane.is_none() {
        tables.put_lane(&Lane::new(Kind::Send, &new.lead_key, now))?;
    }
    let detail = Detail { added: now, ..detail };
    let mut item = Item {
        seq: 0,
        lead_key: new.lead_key,
        key: new.key,
        lead: Some(new.lead),
        state: State::Queued,
        digest: new.digest,
        settled: None,
        detail,
    };
    let before = if lane.is_some() { tables.last_open(&item.lead_key)? } else { None };
    let repeated = before.filter(|before| {
        // An item that was sent before may be overtaken by what telecrm still has in its queue.
        let waits =
            before.state == State::Queued && before.detail.sends == 0 && !before.detail.maybe;
        waits && !item.has_actions() && before.lead == item.lead
    });
    let Some(repeated) = repeated else {
        return Ok(Admission::Queued(tables.insert(&item)?));
    };
    item.set(State::Merged, now);
    item.detail.merged_into = Some(repeated.seq);
    Ok(Admission::Merged(tables.insert(&item)?, repeated.seq))
}

fn known(tables: &mut dyn Tables, seq: u64) -> Result<Item, Error> {
    tables.item(seq)?.ok_or_else(|| {
        let error = Error::new(ErrorKind::State, format!("the outbox has no item {seq}"));
        error.with_hint("list the items to find its number")
    })
}

fn unfit(item: &Item, wanted: &str) -> Error {
    let message = format!("item {} is {}, not {wanted}", item.seq, item.state.as_str());
    Error::new(ErrorKind::State, message)
}

/// Cancels a waiting item. An item in flight is not repeated, but its answer still counts.
pub(crate) fn cancel(tables: &mut dyn Tables, now: Millis, seq: u64) -> Result<State, Error> {
    let mut item = known(tables, seq)?;
    match item.state {
        State::Queued => item.set(State::Cancelled, now),
        State::InFlight => item.detail.cancel = true,
        _ => return Err(unfit(&item, "waiting")),
    }
    tables.update(&item)?;
    let leased = tables.lane(Kind::Send, &item.lead_key)?.is_some_and(|lane| lane.leased);
    if !leased && tables.first_open(&item.lead_key)?.is_none() {
        tables.remove_lane(Kind::Send, &item.lead_key)?;
    }
    Ok(item.state)
}

/// Gives a dead item up.
pub(crate) fn discard(tables: &mut dyn Tables, now: Millis, seq: u64) -> Result<(), Error> {
    let mut item = known(tables, seq)?;
    if item.state != State::Dead {
        return Err(unfit(&item, "dead"));
    }
    item.set(State::Cancelled, now);
    tables.update(&item)
}

/// Queues a dead item again, as a new item at the end of its lane. With `overwrite`, also if newer
/// items have values for its fields.
pub(crate) fn requeue(
    tables: &mut dyn Tables,
    now: Millis,
    seq: u64,
    overwrite: bool,
) -> Result<Requeued, Error> {
    let mut dead = known(tables, seq)?;
    let (State::Dead, Some(lead)) = (dead.state, dead.lead.clone()) else {
        return Err(unfit(&dead, "dead"));
    };
    if !overwrite {
        let newer = newer_fields(tables, &dead, &lead)?;
        if !newer.is_empty() {
            return Ok(Requeued::WouldOverwrite(newer));
        }
    }
    let detail = Detail {
        origin: Some(dead.detail.origin.unwrap_or(seq)),
        born: sendable(tables)?,
        findings: dead.detail.findings.clone(),
        maybe: dead.detail.maybe,
        ..Detail::default()
    };
    let new = NewItem {
        lead_key: dead.lead_key.clone(),
        key: None,
        digest: dead.digest,
        lead,
        findings: Vec::new(),
        maybe: false,
    };
    let (Admission::Queued(new) | Admission::Merged(new, _)) = add(tables, now, new, detail)?
    else {
        return Err(unfit(&dead, "dead"));
    };
    dead.set(State::Merged, now);
    dead.detail.merged_into = Some(new);
    tables.update(&dead)?;
    Ok(Requeued::Queued(new))
}

/// Replaces the lead of a dead item, which stays dead.
pub(crate) fn edit(tables: &mut dyn Tables, seq: u64, new: &NewItem) -> Result<(), Error> {
    let mut item = known(tables, seq)?;
    if item.state != State::Dead {
        return Err(unfit(&item, "dead"));
    }
    tables.replace_lead(seq, &new.lead_key, &new.lead)?;
    item.lead_key.clone_from(&new.lead_key);
    item.lead = Some(new.lead.clone());
    item.detail.findings.clone_from(&new.findings);
    tables.update(&item)
}

/// Adds an item of another store in the state that it had there. An item in flight may have been
/// sent.
pub(crate) fn import(
    tables: &mut dyn Tables,
    now: Millis,
    mut item: Item,
) -> Result<Admission, Error> {
    if let Some(known) =
        item.key.as_deref().map(|key| tables.item_by_key(key)).transpose()?.flatten()
    {
        let same = known.digest == item.digest;
        let (seq, state) = (known.seq, known.state);
        return Ok(if same { Admission::Duplicate(seq, state) } else { Admission::KeyReused(seq) });
    }
    item.detail.maybe |= item.state == State::InFlight;
    item.set(if item.state.is_open() { State::Queued } else { item.state }, now);
    (item.detail.added, item.detail.born) = (now, sendable(tables)?);
    item.seq = tables.insert(&item)?;
    if item.state == State::Queued && tables.lane(Kind::Send, &item.lead_key)?.is_none() {
        tables.put_lane(&Lane::new(Kind::Send, &item.lead_key, now))?;
    }
    if item.state == State::Accepted {
        first_look(tables, now, &item)?;
    }
    Ok(Admission::Imported(item.seq, item.state))
}

/// The fields of a dead item that newer items of its lead have as well.
fn newer_fields(tables: &mut dyn Tables, dead: &Item, lead: &Lead) -> Result<Vec<String>, Error> {
    let order = |item: &Item| item.detail.origin.unwrap_or(item.seq);
    let filter = Filter::new().lead_key(&dead.lead_key);
    let newer = tables.items(&filter, 0, usize::MAX)?;
    let newer = newer.iter().filter(|item| order(item) > order(dead));
    let newer =
        newer.filter(|item| !matches!(item.state, State::Dead | State::Cancelled | State::Merged));
    let leads: Vec<_> = newer.filter_map(|item| item.lead.as_ref()).collect();
    let names = lead.fields().keys();
    let fields = names.filter(|name| {
        // The identifier is the same in all of them.
        leads.iter().any(|newer| newer.get(name).is_some_and(|value| lead.get(name) != Some(value)))
    });
    Ok(fields.cloned().collect())
}

/// Removes the leads of items that are done, and after the time of their keys the items.
///
/// Items that wait, are dead, are not read back or were not found are kept.
pub(crate) fn prune(
    tables: &mut dyn Tables,
    before: Millis,
    keys_before: Millis,
) -> Result<u64, Error> {
    let done = [State::Verified, State::Differs, State::Cancelled, State::Merged];
    let filter = done.into_iter().fold(Filter::new(), Filter::state);
    let (mut pruned, mut after) = (0, 0);
    loop {
        let items = tables.items(&filter, after, 1000)?;
        let Some(last) = items.last() else {
            return Ok(pruned);
        };
        after = last.seq;
        for mut item in items {
            let settled = item.settled.unwrap_or(Millis::MAX);
            if settled >= before || !is_done(tables, &item)? {
                continue;
            }
            if item.key.is_none() || settled < keys_before {
                tables.delete(item.seq)?;
                pruned += u64::from(item.lead.is_some());
            } else if item.lead.take().is_some() {
                tables.update(&item)?;
                pruned += 1;
            }
        }
    }
}

/// Whether the item, or the item that it follows, is done.
fn is_done(tables: &mut dyn Tables, item: &Item) -> Result<bool, Error> {
    let mut target = item.detail.merged_into;
    while let Some(seq) = target {
        let Some(item) = tables.item(seq)? else {
            return Ok(true);
        };
        if item.state != State::Merged {
            return Ok(matches!(item.state, State::Verified | State::Differs | State::Cancelled));
        }
        target = item.detail.merged_into;
    }
    Ok(true)
}
