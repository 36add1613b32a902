//! Numbers that the store keeps among its settings.

use crate::clock::Millis;
use crate::error::Error;
use crate::store::Tables;

/// The time in which the workspace could send, since the store exists.
pub(crate) fn sendable(tables: &mut dyn Tables) -> Result<Millis, Error> {
    Ok(tables.setting("sendable")?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Reserves numbers for leases, and returns the one before them. No number is used twice.
pub(super) fn next_fence(tables: &mut dyn Tables, leases: usize) -> Result<u64, Error> {
    let last = tables.setting("fence")?.and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    tables.put_setting("fence", Some(&(last + leases as u64).to_string()))?;
    Ok(last)
}
