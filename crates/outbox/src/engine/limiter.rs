//! The rate limit of each token, kept in the store so that it outlives the process.
//!
//! Each slot has one timestamp, the theoretical arrival time of the generic cell rate algorithm. A
//! request moves it by one interval, and is allowed while it is at most a burst ahead. No hour has
//! more requests than the limit, wherever it begins.

use crate::clock::Millis;
use crate::error::Error;
use crate::store::Tables;
use serde::{Deserialize, Serialize};
use telecrm::RateLimit;

/// A refused token is tried again after this time.
const REFUSED: Millis = 600_000;
/// No token waits longer, whatever the server or an earlier clock says.
const LONGEST_WAIT: Millis = 3_600_000;

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Slot {
    /// When the bucket is empty again, in microseconds.
    tat: i64,
    /// When a refused token is tried again.
    retry_at: Option<Millis>,
}

/// The time between two requests in microseconds. It leaves room in the hour for the burst.
fn interval(limit: RateLimit) -> i64 {
    3_600_000_000_i64.div_euclid(i64::from(limit.per_hour() - limit.burst())) + 1
}

/// How far the timestamp may be ahead, in microseconds.
fn ahead(limit: RateLimit) -> i64 {
    i64::from(limit.burst() - 1) * interval(limit)
}

fn load(tables: &mut dyn Tables, name: &str, now: Millis) -> Result<Slot, Error> {
    let text = tables.setting(&format!("slot:{name}"))?;
    // Only a new slot begins with a burst.
    let new = Slot { tat: now * 1000, retry_at: None };
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(new))
}

fn save(tables: &mut dyn Tables, name: &str, slot: Slot) -> Result<(), Error> {
    tables.put_setting(&format!("slot:{name}"), Some(&serde_json::to_string(&slot)?))
}

/// Takes up to `wanted` permits. Returns the slot of each, and how long to wait for the next one if
/// there are fewer. Without a limit only refused tokens wait.
pub(crate) fn take(
    tables: &mut dyn Tables,
    now: Millis,
    names: &[String],
    limit: Option<RateLimit>,
    wanted: usize,
) -> Result<(Vec<String>, Millis), Error> {
    let mut slots = Vec::new();
    for name in names {
        slots.push((name, load(tables, name, now)?));
    }
    let micros = now * 1000;
    let mut permits = Vec::new();
    let mut wait = LONGEST_WAIT;
    while permits.len() < wanted {
        let ready = |slot: &Slot| {
            let tat = limit.map_or(now, |limit| (slot.tat.max(micros) - ahead(limit)) / 1000);
            tat.max(slot.retry_at.unwrap_or(tat))
        };
        let Some((name, slot)) = slots.iter_mut().min_by_key(|(_, slot)| ready(slot)) else {
            break;
        };
        let next = ready(slot);
        if next > now {
            wait = next - now;
            break;
        }
        slot.tat = slot.tat.max(micros) + limit.map_or(0, interval);
        // One request tries a refused token. `enable` follows if it succeeds.
        slot.retry_at = slot.retry_at.map(|_| now + REFUSED);
        permits.push((*name).clone());
    }
    for (name, slot) in slots {
        if permits.contains(name) {
            save(tables, name, slot)?;
        }
    }
    Ok((permits, wait))
}

/// Holds a slot back for this time, after a 429. No burst follows.
pub(crate) fn penalize(
    tables: &mut dyn Tables,
    now: Millis,
    name: &str,
    limit: Option<RateLimit>,
    wait: Millis,
) -> Result<(), Error> {
    let mut slot = load(tables, name, now)?;
    let until = now + wait.clamp(0, LONGEST_WAIT);
    match limit {
        Some(limit) => slot.tat = slot.tat.max(full_at(until, limit)),
        None => slot.retry_at = Some(until),
    }
    save(tables, name, slot)
}

/// The timestamp of a slot whose next request is allowed at `time`, without a burst.
fn full_at(time: Millis, limit: RateLimit) -> i64 {
    time * 1000 + ahead(limit)
}

/// Stops using a refused token for ten minutes.
pub(crate) fn disable(tables: &mut dyn Tables, now: Millis, name: &str) -> Result<(), Error> {
    let mut slot = load(tables, name, now)?;
    slot.retry_at = Some(now + REFUSED);
    save(tables, name, slot)
}

/// Uses a token again. Returns whether it was disabled.
pub(crate) fn enable(tables: &mut dyn Tables, now: Millis, name: &str) -> Result<bool, Error> {
    let mut slot = load(tables, name, now)?;
    if slot.retry_at.take().is_none() {
        return Ok(false);
    }
    save(tables, name, slot)?;
    Ok(true)
}

/// Prepares known slots for a new process: no burst, and no wait because of a clock that has gone
/// back since.
pub(crate) fn restart_slots(
    tables: &mut dyn Tables,
    now: Millis,
    names: &[String],
    limit: Option<RateLimit>,
) -> Result<(), Error> {
    for name in names {
        if tables.setting(&format!("slot:{name}"))?.is_some() {
            let mut slot = load(tables, name, now)?;
            if let Some(limit) = limit {
                let (first, last) = (full_at(now, limit), full_at(now + LONGEST_WAIT, limit));
                slot.tat = slot.tat.clamp(first, last);
            }
            // A refused token is tried at once, as the new process may have another one.
            slot.retry_at = slot.retry_at.map(|at| at.min(now));
            save(tables, name, slot)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Memory;

    const LIMIT: Option<RateLimit> = Some(RateLimit::ASYNC);

    fn names() -> Vec<String> {
        vec!["a".to_owned()]
    }

    /// How many permits there are at this time.
    fn granted(tables: &mut Memory, now: Millis) -> usize {
        take(tables, now, &names(), LIMIT, 100).unwrap().0.len()
    }

    #[test]
    fn a_new_slot_has_a_burst_of_sixty_and_then_five_a_second() {
        let mut tables = Memory::default();
        assert_eq!(granted(&mut tables, 0), 60);
        let second: usize = (1..=1000).map(|now| granted(&mut tables, now)).sum();
        assert_eq!(second, 4);
    }

    #[test]
    fn no_burst_follows_a_429() {
        let mut tables = Memory::default();
        assert_eq!(granted(&mut tables, 0), 60);
        penalize(&mut tables, 0, "a", LIMIT, 30_000).unwrap();
        assert_eq!(granted(&mut tables, 29_999), 0);
        assert_eq!(granted(&mut tables, 30_000), 1);
        assert_eq!(granted(&mut tables, 30_100), 0);
    }

    #[test]
    fn row_39_a_hundred_restarts_within_an_hour_no_token_beyond_18_000() {
        let mut tables = Memory::default();
        let mut sent = 0;
        for now in 0..3_600_000 {
            if now % 36_000 == 0 {
                restart_slots(&mut tables, now, &names(), LIMIT).unwrap();
            }
            sent += if now % 50 == 0 { granted(&mut tables, now) } else { 0 };
        }
        assert!((16_000..=18_000).contains(&sent), "{sent}");
    }

    #[test]
    fn any_hour_after_an_idle_hour_has_at_most_18_000() {
        let mut tables = Memory::default();
        assert_eq!(granted(&mut tables, 0), 60);
        let start = 7_200_000;
        let times = (start..start + 3_600_000).step_by(50);
        let sent: usize = times.map(|now| granted(&mut tables, now)).sum();
        assert!((17_900..=18_000).contains(&sent), "{sent}");
    }

    #[test]
    fn a_refused_token_is_off_while_the_others_go_on() {
        let mut tables = Memory::default();
        let both = ["a", "b"].map(str::to_owned);
        disable(&mut tables, 0, "a").unwrap();
        let (permits, _) = take(&mut tables, 0, &both, LIMIT, 100).unwrap();
        assert_eq!(permits, vec!["b".to_owned(); 60]);
        // After ten minutes one request tries it.
        let (permits, _) = take(&mut tables, 600_000, &names(), LIMIT, 100).unwrap();
        assert_eq!(permits.len(), 1);
        assert!(enable(&mut tables, 600_000, "a").unwrap());
        assert_eq!(granted(&mut tables, 600_000), 59);
    }
}
