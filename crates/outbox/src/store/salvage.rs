//! Reads what is left of a damaged SQLite file.

use super::Result;
use super::sqlite::{COLUMNS, place, read_item};
use crate::error::{Error, ErrorKind};
use crate::item::Item;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;

/// Calls `found` for each item that can be read. Returns how many could not. Changes nothing.
pub(crate) fn salvage(path: &Path, found: &mut dyn FnMut(Item)) -> Result<u64> {
    read_all(path, found).map_err(|error| error.at(&place(path)))
}

fn read_all(path: &Path, found: &mut dyn FnMut(Item)) -> Result<u64> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // Otherwise SQLite refuses a file that was cut off.
    connection.pragma_update(None, "writable_schema", true)?;
    let sequence = "SELECT seq FROM sqlite_sequence WHERE name = 'item'";
    let last = |sql| connection.query_row(sql, [], |row| row.get::<_, Option<u64>>(0));
    let last = last(sequence).or_else(|_| last("SELECT max(seq) FROM item"));
    let last = last.map_err(|error| {
        let error = Error::of_store(ErrorKind::Store, format!("cannot be read: {error}"));
        error.with_hint("restore a copy of the file")
    })?;
    let sql = format!("SELECT {COLUMNS} FROM item WHERE seq > ?1 ORDER BY seq LIMIT 1");
    let (mut after, mut unreadable) = (0, 0);
    while after < last.unwrap_or_default() {
        let next = connection.prepare_cached(&sql);
        let next = next.and_then(|mut next| next.query_row([after], read_item).optional());
        match next {
            Ok(None) => break,
            Ok(Some(item)) => {
                after = item.seq;
                let damaged = item.lead.is_none() && (item.state.is_open() || item.key.is_none());
                unreadable += u64::from(damaged);
                if !damaged {
                    found(item);
                }
            }
            // The rest of a damaged page is passed over number by number.
            Err(_) => {
                after += 1;
                unreadable += 1;
            }
        }
    }
    Ok(unreadable)
}
