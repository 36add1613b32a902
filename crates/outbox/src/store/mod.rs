//! Stores: the tables that the engine works on. The rules are in `engine`, so that every store has
//! the same.

mod memory;
#[cfg(feature = "sqlite")]
mod salvage;
#[cfg(feature = "sqlite")]
mod sqlite;
mod writer;

use crate::clock::Millis;
use crate::error::Error;
use crate::item::{Filter, Item, Kind, Lane};
use telecrm::Lead;

pub(crate) use memory::Memory;
#[cfg(feature = "sqlite")]
pub(crate) use salvage::salvage;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::Sqlite;
pub(crate) use writer::Writer;

type Result<T> = std::result::Result<T, Error>;

/// The right to send from a store.
pub(crate) type Lock = Box<dyn Send + Sync>;

/// The number of items in each state, by [`State::code`](crate::State).
pub(crate) type Counts = [u64; 9];

/// The tables of a store. One thread uses them.
pub(crate) trait Tables: Send {
    /// Begins a transaction.
    fn begin(&mut self) -> Result<()>;
    /// Makes everything since `begin` durable.
    fn commit(&mut self) -> Result<()>;
    /// Undoes everything since `begin`, as far as the store can.
    fn rollback(&mut self);
    /// Begins a part of a transaction that can be undone alone.
    fn mark(&mut self) -> Result<()>;
    /// Keeps the part since `mark`.
    fn keep(&mut self) -> Result<()>;
    /// Undoes the part since `mark`.
    fn undo(&mut self);

    /// Adds an item, and returns its number. Ignores the `seq` of the item.
    fn insert(&mut self, item: &Item) -> Result<u64>;
    /// Replaces an item. Its lead, key and digest do not change, but `None` removes the lead.
    fn update(&mut self, item: &Item) -> Result<()>;
    /// Replaces the lead of an item.
    fn replace_lead(&mut self, seq: u64, lead_key: &str, lead: &Lead) -> Result<()>;
    fn delete(&mut self, seq: u64) -> Result<()>;
    fn item(&mut self, seq: u64) -> Result<Option<Item>>;
    fn item_by_key(&mut self, key: &str) -> Result<Option<Item>>;
    /// The first item of a lead that is still to be sent.
    fn first_open(&mut self, lead_key: &str) -> Result<Option<Item>>;
    /// The last item of a lead that is still to be sent.
    fn last_open(&mut self, lead_key: &str) -> Result<Option<Item>>;
    /// The items of a lead that were not read back yet, in order.
    fn accepted(&mut self, lead_key: &str) -> Result<Vec<Item>>;
    /// The items after this number, in order.
    fn items(&mut self, filter: &Filter, after: u64, limit: usize) -> Result<Vec<Item>>;
    fn counts(&mut self) -> Result<Counts>;

    fn lane(&mut self, kind: Kind, lead_key: &str) -> Result<Option<Lane>>;
    fn put_lane(&mut self, lane: &Lane) -> Result<()>;
    fn remove_lane(&mut self, kind: Kind, lead_key: &str) -> Result<()>;
    /// Lanes that are due and not leased, in the order of rank and due time.
    fn due_lanes(&mut self, kind: Kind, now: Millis, limit: usize) -> Result<Vec<Lane>>;
    /// When the next lane that is not leased is due.
    fn next_due(&mut self, kind: Kind) -> Result<Option<Millis>>;
    fn leased_lanes(&mut self) -> Result<Vec<Lane>>;
    /// Makes lanes that are due later than this due at this time. Returns how many.
    fn bring_forward(&mut self, kind: Kind, latest: Millis) -> Result<usize>;
    /// Leads with open or accepted items that have no lane for them.
    fn without_lane(&mut self) -> Result<Vec<(Kind, String)>>;
    /// Lanes without items.
    fn without_items(&mut self) -> Result<Vec<(Kind, String)>>;

    fn setting(&mut self, name: &str) -> Result<Option<String>>;
    fn put_setting(&mut self, name: &str, value: Option<&str>) -> Result<()>;

    /// Gives free space back to the disk, and reports faults of the file.
    fn compact(&mut self) -> Result<Vec<String>>;
    /// The free bytes of the disk. `None` if unknown.
    fn free_space(&self) -> Option<u64>;
    /// The bytes of the log that is not part of the file yet.
    fn log_bytes(&self) -> u64;
    /// The store, for error messages.
    fn place(&self) -> String;
    /// Becomes the only sender of the store, until the lock is dropped.
    fn lock_sender(&mut self) -> Result<Lock>;
}
