//! Finds and repairs items without a lane, and lanes without items.

use crate::clock::Millis;
use crate::error::Error;
use crate::item::Lane;
use crate::store::Tables;

/// What a check of the store has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// How many leads had items that no lane would have sent or read back.
    pub leads_without_lane: usize,
    /// How many lanes had no items.
    pub lanes_without_items: usize,
    /// Faults of the file.
    pub file: Vec<String>,
}

impl CheckReport {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// Repairs what it finds, and counts it.
pub(crate) fn repair(tables: &mut dyn Tables, now: Millis) -> Result<CheckReport, Error> {
    let (stranded, empty) = (tables.without_lane()?, tables.without_items()?);
    for (kind, lead_key) in &stranded {
        tables.put_lane(&Lane::new(*kind, lead_key, now))?;
    }
    for (kind, lead_key) in &empty {
        tables.remove_lane(*kind, lead_key)?;
    }
    Ok(CheckReport {
        leads_without_lane: stranded.len(),
        lanes_without_items: empty.len(),
        file: Vec::new(),
    })
}
