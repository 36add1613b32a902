//! Lanes: one per lead with unfinished work. A lane is the lead's lock, its timer and its order.

use super::backoff::lead_backoff;
use super::limiter::take;
use super::numbers::next_fence;
use super::verify_plan::{LAST_LOOK, first_look};
use crate::clock::Millis;
use crate::error::Error;
use crate::item::{Item, Kind, Lane, State};
use crate::options::WhenMaybeSent;
use crate::store::Tables;
use telecrm::RateLimit;

/// A lead is dead after this many failures of its own.
const ATTEMPTS: u32 = 8;
/// A lead is dead after this many crashes of the sender.
const CRASHES: u32 = 3;
/// A lead is dead if it could not be sent in this time, in which the workspace could send.
const AGE: Millis = 72 * 3_600_000;
/// How long telecrm's queue may take before a missing action means that it did not arrive.
const UNTIL_VISIBLE: Millis = 30_000;

/// The first item of a lane, taken by one worker.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) lane: Lane,
    pub(crate) item: Item,
    /// The token slot whose permit was taken.
    pub(crate) slot: String,
}

/// How a lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    /// The actions of an item that may have been sent are there. It was not repeated.
    Arrived,
    Dead(String),
    Back(Back),
}

/// How an item went back to its lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Back {
    /// Whether nothing was sent.
    pub(crate) unsent: bool,
    /// Whether telecrm may have the item.
    pub(crate) maybe: bool,
    /// Whether the failure counts as an attempt of the lead.
    pub(crate) counts: bool,
    /// Whether the code of the sender panicked.
    pub(crate) crashed: bool,
    /// How long to wait at least.
    pub(crate) wait: Millis,
    /// The answer of the server.
    pub(crate) answer: Option<String>,
}

/// What settling depends on besides the outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) when_maybe_sent: WhenMaybeSent,
    pub(crate) gap: Millis,
    /// The time in which the workspace could send, since the store exists.
    pub(crate) sendable: Millis,
    /// From 0 to 1.
    pub(crate) random: f64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The item has this state now.
    Done(State, Option<String>),
    /// Somebody else has taken the lane over. Nothing has changed.
    LeaseLost,
}

/// Takes the first items of up to `limit` lanes, as far as the rate limits allow. Also returns how
/// long to wait for the next permit.
pub(crate) fn claim(
    tables: &mut dyn Tables,
    now: Millis,
    slots: &[String],
    rate: Option<RateLimit>,
    limit: usize,
) -> Result<(Vec<Lease>, Millis), Error> {
    let due = tables.due_lanes(Kind::Send, now, limit)?;
    if due.is_empty() {
        return Ok((Vec::new(), Millis::MAX));
    }
    let (permits, wait) = take(tables, now, slots, rate, due.len())?;
    let mut fence = next_fence(tables, permits.len())?;
    let mut leases = Vec::new();
    for (mut lane, slot) in due.into_iter().zip(permits) {
        let Some(mut item) = tables.first_open(&lane.lead_key)? else {
            tables.remove_lane(lane.kind, &lane.lead_key)?;
            continue;
        };
        if item.lead.is_none() {
            item.die("its lead cannot be read from the store", now);
            tables.update(&item)?;
            continue;
        }
        fence += 1;
        lane.fence = fence;
        lane.leased = true;
        tables.put_lane(&lane)?;
        // The durable mark "may be sent" comes before the send.
        item.set(State::InFlight, now);
        item.detail.sends += 1;
        tables.update(&item)?;
        leases.push(Lease { lane, item, slot });
    }
    Ok((leases, wait))
}

/// Ends a lease.
pub(crate) fn settle(
    tables: &mut dyn Tables,
    now: Millis,
    lease: &Lease,
    outcome: &Outcome,
    policy: Policy,
) -> Result<Settled, Error> {
    let held = tables.lane(Kind::Send, &lease.lane.lead_key)?;
    let held = held.filter(|lane| lane.leased && lane.fence == lease.lane.fence);
    let (Some(lane), Some(mut item)) = (held, tables.item(lease.item.seq)?) else {
        return Ok(Settled::LeaseLost);
    };
    let mut wait = policy.gap;
    match outcome {
        Outcome::Accepted | Outcome::Arrived => {
            item.detail.sends -= u32::from(*outcome == Outcome::Arrived);
            item.set(State::Accepted, now);
            item.detail.answer = None;
            first_look(tables, now, &item)?;
        }
        Outcome::Dead(reason) => item.die(reason, now),
        Outcome::Back(back) => wait = put_back(&mut item, now, back, policy),
    }
    tables.update(&item)?;
    release(tables, lane, now + wait)?;
    Ok(Settled::Done(item.state, item.detail.reason))
}

/// Makes an item wait again, or ends it. Returns how long its lane waits.
fn put_back(item: &mut Item, now: Millis, back: &Back, policy: Policy) -> Millis {
    let detail = &mut item.detail;
    detail.sends -= u32::from(back.unsent);
    detail.maybe |= back.maybe;
    detail.fails += u32::from(back.counts);
    detail.crashes += u32::from(back.crashed);
    detail.answer = back.answer.clone();
    let hold = back.maybe && policy.when_maybe_sent == WhenMaybeSent::Hold;
    if item.detail.cancel {
        item.set(State::Cancelled, now);
    } else if item.detail.crashes >= CRASHES {
        item.die("crashes the worker", now);
    } else if hold && item.has_actions() {
        item.die("unknown outcome", now);
    } else if item.detail.fails >= ATTEMPTS {
        item.die(format!("failed {ATTEMPTS} times"), now);
    } else if back.counts && policy.sendable - item.detail.born > AGE {
        item.die("not accepted within 72 hours", now);
    } else {
        item.set(State::Queued, now);
    }
    let own = if back.counts { lead_backoff(item.detail.fails, policy.random) } else { 0 };
    let looked_for =
        item.detail.maybe && item.has_actions() && policy.when_maybe_sent == WhenMaybeSent::Check;
    back.wait.max(own).max(if looked_for { UNTIL_VISIBLE } else { 0 })
}

/// Gives a lane back, or removes it if nothing is left.
fn release(tables: &mut dyn Tables, mut lane: Lane, due: Millis) -> Result<(), Error> {
    if tables.first_open(&lane.lead_key)?.is_none() {
        return tables.remove_lane(lane.kind, &lane.lead_key);
    }
    lane.leased = false;
    lane.due = due;
    tables.put_lane(&lane)
}

/// Records a send that ended after the lease was lost.
pub(crate) fn extra_send(tables: &mut dyn Tables, seq: u64) -> Result<(), Error> {
    if let Some(mut item) = tables.item(seq)? {
        item.detail.extra_sends += 1;
        tables.update(&item)?;
    }
    Ok(())
}

/// Takes back all leases of a process that has ended. Returns how many items may have been sent.
pub(crate) fn void_leases(
    tables: &mut dyn Tables,
    now: Millis,
    policy: Policy,
) -> Result<usize, Error> {
    // The date of the machine may have been wrong when these times were written.
    for kind in [Kind::Send, Kind::Verify] {
        tables.bring_forward(kind, now + LAST_LOOK)?;
    }
    let mut maybe = 0;
    for mut lane in tables.leased_lanes()? {
        if lane.kind == Kind::Verify {
            lane.leased = false;
            tables.put_lane(&lane)?;
            continue;
        }
        let mut wait = 0;
        if let Some(mut item) = tables.first_open(&lane.lead_key)?
            && item.state == State::InFlight
        {
            let back = Back { maybe: true, ..Back::default() };
            wait = put_back(&mut item, now, &back, policy);
            tables.update(&item)?;
            maybe += 1;
        }
        release(tables, lane, now + wait)?;
    }
    Ok(maybe)
}
