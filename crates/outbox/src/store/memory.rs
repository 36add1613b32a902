//! A store in memory, which ends with the process.

use super::{Counts, Lock, Result, Tables};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::item::{Filter, Item, Kind, Lane, State};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use telecrm::Lead;

/// Tables in memory. Transactions are not undone: the engine checks before it writes, and no write
/// fails.
#[derive(Default)]
pub(crate) struct Memory {
    last_seq: u64,
    items: BTreeMap<u64, Item>,
    keys: HashMap<String, u64>,
    /// Open items by lead.
    open: HashMap<String, BTreeSet<u64>>,
    /// Accepted items by lead.
    accepted: HashMap<String, BTreeSet<u64>>,
    lanes: HashMap<(Kind, String), Lane>,
    /// Lanes that are not leased, in the order in which they are taken.
    waiting: BTreeSet<(Kind, u8, Millis, String)>,
    settings: HashMap<String, String>,
    counts: Counts,
    /// The sender has the second reference.
    sender: Arc<()>,
}

impl Memory {
    fn index(&mut self, item: &Item, add: bool) {
        let count = &mut self.counts[usize::from(item.state.code())];
        *count = if add { *count + 1 } else { count.saturating_sub(1) };
        let index = match item.state {
            State::Queued | State::InFlight => &mut self.open,
            State::Accepted => &mut self.accepted,
            _ => return,
        };
        let items = index.entry(item.lead_key.clone()).or_default();
        if add {
            items.insert(item.seq);
        } else {
            items.remove(&item.seq);
        }
        if items.is_empty() {
            index.remove(&item.lead_key);
        }
    }

    fn place(lane: &Lane) -> (Kind, u8, Millis, String) {
        (lane.kind, lane.rank, lane.due, lane.lead_key.clone())
    }

    fn edge(&self, lead_key: &str, last: bool) -> Option<Item> {
        let open = self.open.get(lead_key)?;
        let seq = if last { open.last() } else { open.first() };
        self.items.get(seq?).cloned()
    }
}

impl Tables for Memory {
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        Ok(())
    }

    fn rollback(&mut self) {}

    fn mark(&mut self) -> Result<()> {
        Ok(())
    }

    fn keep(&mut self) -> Result<()> {
        Ok(())
    }

    fn undo(&mut self) {}

    fn insert(&mut self, item: &Item) -> Result<u64> {
        self.last_seq += 1;
        let item = Item { seq: self.last_seq, ..item.clone() };
        if let Some(key) = &item.key {
            self.keys.insert(key.clone(), item.seq);
        }
        self.index(&item, true);
        self.items.insert(item.seq, item);
        Ok(self.last_seq)
    }

    fn update(&mut self, item: &Item) -> Result<()> {
        if let Some(old) = self.items.insert(item.seq, item.clone()) {
            self.index(&old, false);
        }
        self.index(item, true);
        Ok(())
    }

    fn replace_lead(&mut self, seq: u64, lead_key: &str, lead: &Lead) -> Result<()> {
        if let Some(item) = self.items.get(&seq).cloned() {
            let lead = Some(lead.clone());
            self.index(&item, false);
            let item = Item { lead_key: lead_key.to_owned(), lead, ..item };
            self.index(&item, true);
            self.items.insert(seq, item);
        }
        Ok(())
    }

    fn delete(&mut self, seq: u64) -> Result<()> {
        if let Some(old) = self.items.remove(&seq) {
            self.index(&old, false);
            self.keys.retain(|_, other| *other != seq);
        }
        Ok(())
    }

    fn item(&mut self, seq: u64) -> Result<Option<Item>> {
        Ok(self.items.get(&seq).cloned())
    }

    fn item_by_key(&mut self, key: &str) -> Result<Option<Item>> {
        Ok(self.keys.get(key).and_then(|seq| self.items.get(seq)).cloned())
    }

    fn first_open(&mut self, lead_key: &str) -> Result<Option<Item>> {
        Ok(self.edge(lead_key, false))
    }

    fn last_open(&mut self, lead_key: &str) -> Result<Option<Item>> {
        Ok(self.edge(lead_key, true))
    }

    fn accepted(&mut self, lead_key: &str) -> Result<Vec<Item>> {
        let accepted = self.accepted.get(lead_key).into_iter().flatten();
        Ok(accepted.filter_map(|seq| self.items.get(seq)).cloned().collect())
    }

    fn items(&mut self, filter: &Filter, after: u64, limit: usize) -> Result<Vec<Item>> {
        let items = self.items.range(after.saturating_add(1)..).map(|(_, item)| item);
        Ok(items.filter(|item| filter.matches(item)).take(limit).cloned().collect())
    }

    fn counts(&mut self) -> Result<Counts> {
        Ok(self.counts)
    }

    fn lane(&mut self, kind: Kind, lead_key: &str) -> Result<Option<Lane>> {
        Ok(self.lanes.get(&(kind, lead_key.to_owned())).cloned())
    }

    fn put_lane(&mut self, lane: &Lane) -> Result<()> {
        self.remove_lane(lane.kind, &lane.lead_key)?;
        if !lane.leased {
            self.waiting.insert(Self::place(lane));
        }
        self.lanes.insert((lane.kind, lane.lead_key.clone()), lane.clone());
        Ok(())
    }

    fn remove_lane(&mut self, kind: Kind, lead_key: &str) -> Result<()> {
        if let Some(old) = self.lanes.remove(&(kind, lead_key.to_owned())) {
            self.waiting.remove(&Self::place(&old));
        }
        Ok(())
    }

    fn due_lanes(&mut self, kind: Kind, now: Millis, limit: usize) -> Result<Vec<Lane>> {
        let mut due = Vec::new();
        for rank in 0..=Lane::LAST_RANK {
            let start = (kind, rank, Millis::MIN, String::new());
            let end = (kind, rank, now.saturating_add(1), String::new());
            let places = self.waiting.range(start..end).take(limit - due.len());
            let lanes =
                places.map(|(kind, _, _, lead_key)| &self.lanes[&(*kind, lead_key.clone())]);
            due.extend(lanes.cloned());
        }
        Ok(due)
    }

    fn next_due(&mut self, kind: Kind) -> Result<Option<Millis>> {
        let ranks = (0..=Lane::LAST_RANK).filter_map(|rank| {
            let start = (kind, rank, Millis::MIN, String::new());
            self.waiting.range(start..).next().filter(|place| (place.0, place.1) == (kind, rank))
        });
        Ok(ranks.map(|place| place.2).min())
    }

    fn leased_lanes(&mut self) -> Result<Vec<Lane>> {
        Ok(self.lanes.values().filter(|lane| lane.leased).cloned().collect())
    }

    fn bring_forward(&mut self, kind: Kind, latest: Millis) -> Result<usize> {
        let late = self.lanes.values().filter(|lane| lane.kind == kind && lane.due > latest);
        let late: Vec<_> = late.cloned().collect();
        let count = late.len();
        late.into_iter().try_for_each(|lane| self.put_lane(&Lane { due: latest, ..lane }))?;
        Ok(count)
    }

    fn without_lane(&mut self) -> Result<Vec<(Kind, String)>> {
        let open = self.open.keys().map(|key| (Kind::Send, key.clone()));
        let accepted = self.accepted.keys().map(|key| (Kind::Verify, key.clone()));
        Ok(open.chain(accepted).filter(|lane| !self.lanes.contains_key(lane)).collect())
    }

    fn without_items(&mut self) -> Result<Vec<(Kind, String)>> {
        let has_items = |(kind, key): &&(Kind, String)| match kind {
            Kind::Send => self.open.contains_key(key),
            Kind::Verify => self.accepted.contains_key(key),
        };
        Ok(self.lanes.keys().filter(|lane| !has_items(lane)).cloned().collect())
    }

    fn setting(&mut self, name: &str) -> Result<Option<String>> {
        Ok(self.settings.get(name).cloned())
    }

    fn put_setting(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        match value {
            Some(value) => self.settings.insert(name.to_owned(), value.to_owned()),
            None => self.settings.remove(name),
        };
        Ok(())
    }

    fn compact(&mut self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn free_space(&self) -> Option<u64> {
        None
    }

    fn log_bytes(&self) -> u64 {
        0
    }

    fn place(&self) -> String {
        "the outbox in memory".to_owned()
    }

    fn lock_sender(&mut self) -> Result<Lock> {
        if Arc::strong_count(&self.sender) > 1 {
            let message = "another worker of this process sends from the outbox in memory";
            return Err(Error::new(ErrorKind::Locked, message)
                .with_hint("stop that worker first, or open another outbox"));
        }
        Ok(Box::new(Arc::clone(&self.sender)))
    }
}
