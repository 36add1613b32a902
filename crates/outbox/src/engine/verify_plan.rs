//! Which leads to read back, when, and what the result means for their items.

use super::fold::{fold, losses_of};
use super::numbers::next_fence;
use crate::clock::Millis;
use crate::error::Error;
use crate::item::{Item, Kind, Lane, State};
use crate::sender::ReadBack;
use crate::store::Tables;
use telecrm::{Finding, Lead};

/// When a lead is read, each time after the time before. The last result counts.
const LOOKS: [Millis; 4] = [30_000, 120_000, 600_000, LAST_LOOK];
pub(super) const LAST_LOOK: Millis = 3_600_000;

/// A lead to be read back.
#[derive(Clone)]
pub(crate) struct Look {
    pub(crate) lane: Lane,
    /// The accepted items of the lead, in order.
    pub(crate) items: Vec<Item>,
    /// What they should have left.
    pub(crate) lead: Lead,
}

/// Plans the first look at an accepted item. What may have been sent before comes first, then what
/// had doubtful findings.
pub(crate) fn first_look(tables: &mut dyn Tables, now: Millis, item: &Item) -> Result<(), Error> {
    let doubtful = |finding: &Finding| !finding.repaired;
    let rank = if item.detail.maybe {
        0
    } else if item.detail.findings.iter().any(doubtful) {
        1
    } else {
        2
    };
    let lane = tables.lane(Kind::Verify, &item.lead_key)?;
    let mut lane = lane.unwrap_or_else(|| Lane {
        rank,
        ..Lane::new(Kind::Verify, &item.lead_key, now + LOOKS[0])
    });
    lane.rank = lane.rank.min(rank);
    lane.tries = 0;
    tables.put_lane(&lane)
}

impl Look {
    /// Takes up to `limit` leads that are due.
    pub(crate) fn claim(
        tables: &mut dyn Tables,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<Self>, Error> {
        let due = tables.due_lanes(Kind::Verify, now, limit)?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut fence = next_fence(tables, due.len())?;
        let mut looks = Vec::new();
        for mut lane in due {
            let items = tables.accepted(&lane.lead_key)?;
            if items.is_empty() {
                tables.remove_lane(lane.kind, &lane.lead_key)?;
                continue;
            }
            // Items on their way would look like differences.
            if tables.first_open(&lane.lead_key)?.is_some() {
                lane.due = now + LOOKS[0];
                tables.put_lane(&lane)?;
                continue;
            }
            fence += 1;
            lane.fence = fence;
            lane.leased = true;
            tables.put_lane(&lane)?;
            looks.push(Self { lead: fold(&items), lane, items });
        }
        Ok(looks)
    }
}

/// Ends a look. Returns the items that have a new state.
pub(crate) fn settle_look(
    tables: &mut dyn Tables,
    now: Millis,
    look: &Look,
    result: &ReadBack,
) -> Result<Vec<(u64, State)>, Error> {
    let held = tables.lane(Kind::Verify, &look.lane.lead_key)?;
    let Some(mut lane) = held.filter(|lane| lane.leased && lane.fence == look.lane.fence) else {
        return Ok(Vec::new());
    };
    lane.leased = false;
    // What was sent meanwhile can have changed what was read.
    let undisturbed = tables.first_open(&lane.lead_key)?.is_none()
        && tables.accepted(&lane.lead_key)?.len() == look.items.len();
    let last = LOOKS.get(lane.tries as usize + 1).is_none();
    let settles = undisturbed
        && match result {
            ReadBack::Stored => true,
            ReadBack::Differs(losses) => last || predicted(look, losses),
            ReadBack::Missing => last,
            ReadBack::Unknown => false,
        };
    if !settles {
        if undisturbed && *result != ReadBack::Unknown {
            lane.tries += 1;
        }
        let wait = LOOKS[(lane.tries as usize).min(LOOKS.len() - 1)];
        lane.due = now + if undisturbed { wait } else { LOOKS[0] };
        tables.put_lane(&lane)?;
        return Ok(Vec::new());
    }
    tables.remove_lane(Kind::Verify, &lane.lead_key)?;
    let mut changed = Vec::new();
    for index in 0..look.items.len() {
        let mut item = look.items[index].clone();
        read_back(&mut item, now, look, index, result);
        tables.update(&item)?;
        changed.push((item.seq, item.state));
    }
    if tables.first_open(&lane.lead_key)?.is_some() {
        tables.put_lane(&Lane::new(Kind::Send, &lane.lead_key, now))?;
    }
    Ok(changed)
}

/// Sets the state of an item after its lead was read back.
fn read_back(item: &mut Item, now: Millis, look: &Look, index: usize, result: &ReadBack) {
    match result {
        ReadBack::Missing if item.detail.maybe && !item.detail.repaired => {
            item.detail.repaired = true;
            item.set(State::Queued, now);
        }
        ReadBack::Missing => item.set(State::Missing, now),
        ReadBack::Differs(losses) => {
            let own = losses_of(&look.items, index, losses);
            let state = if own.is_empty() { State::Verified } else { State::Differs };
            item.set(state, now);
            for loss in own {
                let same = |known: &Finding| known.path == loss.path && known.kind == loss.kind;
                if !item.detail.findings.iter().any(same) {
                    item.detail.findings.push(loss);
                }
            }
        }
        _ => item.set(State::Verified, now),
    }
}

/// Whether the check predicted all of these losses. Then no later look can find them stored.
fn predicted(look: &Look, losses: &[Finding]) -> bool {
    let known = |loss: &Finding| {
        look.items.iter().enumerate().any(|(index, item)| {
            losses_of(&look.items, index, std::slice::from_ref(loss)).iter().any(|own| {
                item.detail.findings.iter().any(|known| known.path == own.path && known.is_loss())
            })
        })
    };
    losses.iter().all(known)
}
