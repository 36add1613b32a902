//! A store in an SQLite file. Every commit is on the disk before it is acknowledged.

use super::{Counts, Lock, Result, Tables};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::item::{Filter, Item, Kind, Lane, State};
use crate::lock::{SenderLock, beside, free_space, private, refuse_network};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Row, params};
use std::path::{Path, PathBuf};
use std::time::Duration;
use telecrm::Lead;

/// Marks the files of the outbox among SQLite databases: "tcob".
const APPLICATION: i32 = 0x7463_6f62;

/// Each migration raises the version by one. An empty file has version 0.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];
const VERSION: i32 = MIGRATIONS.len() as i32;

pub(super) const COLUMNS: &str = "seq, lead_key, idem, digest, body, state, settled_ms, detail";
const LANE: &str = "kind, lead_key, rank, due, fence, leased, tries";

/// Tables in an SQLite file.
pub(crate) struct Sqlite {
    path: PathBuf,
    connection: Connection,
}

impl Sqlite {
    /// Opens a file, and creates it if it is missing.
    pub(crate) fn open(path: &Path, max_pages: Option<u32>) -> Result<Self> {
        let at = |error: Error| error.at(&place(path));
        if path.is_dir() {
            let error = Error::of_store(ErrorKind::Store, "is a folder");
            return Err(at(error.with_hint("name a file in this folder, and it is created")));
        }
        refuse_network(folder(path))?;
        let created = private(path).map_err(|error| {
            let error = Error::of_store(ErrorKind::Store, format!("cannot be opened: {error}"));
            error.with_hint("check that the folder exists and that you may write to it")
        });
        drop(created.map_err(at)?);
        let connection = connect(path, max_pages).map_err(at)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    fn execute(&mut self, sql: &str, values: impl Params) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn one(&mut self, rest: &str, values: impl Params) -> Result<Option<Item>> {
        let sql = format!("SELECT {COLUMNS} FROM item WHERE {rest}");
        Ok(self.connection.prepare_cached(&sql)?.query_row(values, read_item).optional()?)
    }

    fn all(&mut self, rest: &str, values: impl Params) -> Result<Vec<Item>> {
        let sql = format!("SELECT {COLUMNS} FROM item WHERE {rest}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let items = statement.query_map(values, read_item)?;
        Ok(items.collect::<rusqlite::Result<_>>()?)
    }

    fn lanes(&mut self, rest: &str, values: impl Params) -> Result<Vec<Lane>> {
        let sql = format!("SELECT {LANE} FROM lane WHERE {rest}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let lanes = statement.query_map(values, read_lane)?;
        Ok(lanes.collect::<rusqlite::Result<_>>()?)
    }

    fn keys(&mut self, sql: &str) -> Result<Vec<(Kind, String)>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let keys = statement.query_map([], |row| Ok((kind(row.get(0)?), row.get(1)?)))?;
        Ok(keys.collect::<rusqlite::Result<_>>()?)
    }
}

pub(super) fn place(path: &Path) -> String {
    format!("the outbox {}", path.display())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn connect(path: &Path, max_pages: Option<u32>) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // Another process can hold the write lock for the length of one commit.
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        let error = Error::of_store(ErrorKind::Store, "cannot be written");
        return Err(error.with_hint("check its permissions"));
    }
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application, version, tables) != (0, 0, 0) {
        let error = Error::of_store(ErrorKind::Store, "is the database of another program");
        return Err(error.with_hint("choose another name, and the file is created"));
    }
    if version > VERSION {
        let reason = format!("has version {version}, and this program reads up to {VERSION}");
        let error = Error::of_store(ErrorKind::Store, reason);
        return Err(error.with_hint("use a newer program, or another file"));
    }
    // Has an effect only before the first table.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    if let Some(pages) = max_pages {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    migrate(&mut connection)?;
    Ok(connection)
}

/// Runs the missing migrations in one transaction: a process that is killed meanwhile leaves the
/// old version.
fn migrate(connection: &mut Connection) -> Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == VERSION {
        return Ok(());
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or_default()) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        let (kind, hint) = match code {
            Some(ErrorCode::DiskFull) => (ErrorKind::Full, "free some space on the disk"),
            Some(ErrorCode::DatabaseBusy) => {
                (ErrorKind::Store, "another process holds the file: try again, or stop it")
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
                ErrorKind::Store,
                "the file is damaged: save what can be read with `telecrm outbox export \
                 --recover`, and add it to a new file",
            ),
            _ => (ErrorKind::Store, "check the disk and the permissions of the file"),
        };
        Self::of_store(kind, format!("cannot be used: {error}")).with_hint(hint)
    }
}

fn invalid(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

pub(super) fn read_item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let digest: [u8; 16] = row.get(3)?;
    let body: Option<String> = row.get(4)?;
    let code: usize = row.get(5)?;
    let state = State::ALL.get(code).copied();
    let detail: String = row.get(7)?;
    Ok(Item {
        seq: row.get(0)?,
        lead_key: row.get(1)?,
        key: row.get(2)?,
        digest: u128::from_be_bytes(digest),
        // One damaged lead must not stop the others.
        lead: body.and_then(|body| serde_json::from_str(&body).ok()),
        state: state.ok_or(rusqlite::Error::IntegralValueOutOfRange(5, code as i64))?,
        settled: row.get(6)?,
        detail: serde_json::from_str(&detail).map_err(|error| invalid(7, error))?,
    })
}

fn kind(code: u8) -> Kind {
    if code == Kind::Send as u8 { Kind::Send } else { Kind::Verify }
}

fn read_lane(row: &Row<'_>) -> rusqlite::Result<Lane> {
    Ok(Lane {
        kind: kind(row.get(0)?),
        lead_key: row.get(1)?,
        rank: row.get(2)?,
        due: row.get(3)?,
        fence: row.get(4)?,
        leased: row.get(5)?,
        tries: row.get(6)?,
    })
}

impl Tables for Sqlite {
    fn begin(&mut self) -> Result<()> {
        self.execute("BEGIN IMMEDIATE", [])
    }

    fn commit(&mut self) -> Result<()> {
        self.execute("COMMIT", [])
    }

    fn rollback(&mut self) {
        // Fails if SQLite has rolled back already.
        let _ = self.execute("ROLLBACK", []);
    }

    fn mark(&mut self) -> Result<()> {
        // SQLite undoes the whole transaction if the disk is full. Without it, releasing the
        // savepoint would commit work that is then reported as failed.
        if self.connection.is_autocommit() {
            let error = Error::of_store(ErrorKind::Full, "undid its transaction");
            return Err(error.with_hint("free some space on the disk, and try again"));
        }
        self.execute("SAVEPOINT work", [])
    }

    fn keep(&mut self) -> Result<()> {
        self.execute("RELEASE work", [])
    }

    fn undo(&mut self) {
        // Both fail if SQLite has rolled back the whole transaction, as for a full disk.
        let _ = self.execute("ROLLBACK TO work", []);
        let _ = self.execute("RELEASE work", []);
    }

    fn insert(&mut self, item: &Item) -> Result<u64> {
        let body = item.lead.as_ref().map(serde_json::to_string).transpose()?;
        let digest = item.digest.to_be_bytes();
        self.execute(
            "INSERT INTO item(lead_key, idem, digest, body, state, settled_ms, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                item.lead_key,
                item.key,
                digest,
                body,
                item.state.code(),
                item.settled,
                serde_json::to_string(&item.detail)?
            ],
        )?;
        Ok(self.connection.last_insert_rowid().unsigned_abs())
    }

    fn update(&mut self, item: &Item) -> Result<()> {
        self.execute(
            "UPDATE item SET state = ?2, settled_ms = ?3, detail = ?4 WHERE seq = ?1",
            params![
                item.seq,
                item.state.code(),
                item.settled,
                serde_json::to_string(&item.detail)?
            ],
        )?;
        // The lead of a dead item may be there and unreadable.
        if item.lead.is_none() && item.state != State::Dead {
            self.execute("UPDATE item SET body = NULL WHERE seq = ?1", [item.seq])?;
        }
        Ok(())
    }

    fn replace_lead(&mut self, seq: u64, lead_key: &str, lead: &Lead) -> Result<()> {
        let body = serde_json::to_string(lead)?;
        self.execute(
            "UPDATE item SET lead_key = ?2, body = ?3 WHERE seq = ?1",
            params![seq, lead_key, body],
        )
    }

    fn delete(&mut self, seq: u64) -> Result<()> {
        self.execute("DELETE FROM item WHERE seq = ?1", [seq])
    }

    fn item(&mut self, seq: u64) -> Result<Option<Item>> {
        self.one("seq = ?1", [seq])
    }

    fn item_by_key(&mut self, key: &str) -> Result<Option<Item>> {
        self.one("idem = ?1", [key])
    }

    fn first_open(&mut self, lead_key: &str) -> Result<Option<Item>> {
        self.one("lead_key = ?1 AND state IN (0, 1) ORDER BY seq LIMIT 1", [lead_key])
    }

    fn last_open(&mut self, lead_key: &str) -> Result<Option<Item>> {
        self.one("lead_key = ?1 AND state IN (0, 1) ORDER BY seq DESC LIMIT 1", [lead_key])
    }

    fn accepted(&mut self, lead_key: &str) -> Result<Vec<Item>> {
        self.all("lead_key = ?1 AND state = 2 ORDER BY seq", [lead_key])
    }

    fn items(&mut self, filter: &Filter, after: u64, limit: usize) -> Result<Vec<Item>> {
        let states: Vec<_> = filter.states.iter().map(|state| state.code().to_string()).collect();
        let states = match states.as_slice() {
            [] => String::new(),
            states => format!("AND state IN ({})", states.join(",")),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.all(
            &format!("seq > ?1 {states} AND (?2 IS NULL OR lead_key = ?2) ORDER BY seq LIMIT ?3"),
            params![after, filter.lead_key, limit],
        )
    }

    fn counts(&mut self) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut statement = self.connection.prepare_cached("SELECT state, items FROM total")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(count) = counts.get_mut(row.get::<_, usize>(0)?) {
                *count = row.get(1)?;
            }
        }
        Ok(counts)
    }

    fn lane(&mut self, kind: Kind, lead_key: &str) -> Result<Option<Lane>> {
        let lanes = self.lanes("kind = ?1 AND lead_key = ?2", params![kind as u8, lead_key])?;
        Ok(lanes.into_iter().next())
    }

    fn put_lane(&mut self, lane: &Lane) -> Result<()> {
        self.execute(
            "INSERT INTO lane(kind, lead_key, rank, due, fence, leased, tries)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET
             rank = ?3, due = ?4, fence = ?5, leased = ?6, tries = ?7",
            params![
                lane.kind as u8,
                lane.lead_key,
                lane.rank,
                lane.due,
                lane.fence,
                lane.leased,
                lane.tries
            ],
        )
    }

    fn remove_lane(&mut self, kind: Kind, lead_key: &str) -> Result<()> {
        self.execute(
            "DELETE FROM lane WHERE kind = ?1 AND lead_key = ?2",
            params![kind as u8, lead_key],
        )
    }

    fn due_lanes(&mut self, kind: Kind, now: Millis, limit: usize) -> Result<Vec<Lane>> {
        let mut due = Vec::new();
        for rank in 0..=Lane::LAST_RANK {
            let rest = "kind = ?1 AND rank = ?2 AND due <= ?3 AND leased = 0
                        ORDER BY due LIMIT ?4";
            let left = i64::try_from(limit - due.len()).unwrap_or(i64::MAX);
            due.extend(self.lanes(rest, params![kind as u8, rank, now, left])?);
        }
        Ok(due)
    }

    fn next_due(&mut self, kind: Kind) -> Result<Option<Millis>> {
        let mut next = None;
        for rank in 0..=Lane::LAST_RANK {
            let rest = "kind = ?1 AND rank = ?2 AND leased = 0 ORDER BY due LIMIT 1";
            let lanes = self.lanes(rest, params![kind as u8, rank])?;
            next = lanes.iter().map(|lane| lane.due).chain(next).min();
        }
        Ok(next)
    }

    fn leased_lanes(&mut self) -> Result<Vec<Lane>> {
        self.lanes("leased = 1", [])
    }

    fn bring_forward(&mut self, kind: Kind, latest: Millis) -> Result<usize> {
        let sql = "UPDATE lane SET due = ?2 WHERE kind = ?1 AND due > ?2";
        Ok(self.connection.prepare_cached(sql)?.execute(params![kind as u8, latest])?)
    }

    fn without_lane(&mut self) -> Result<Vec<(Kind, String)>> {
        self.keys(
            "SELECT DISTINCT 0, lead_key FROM item i WHERE state IN (0, 1) AND NOT EXISTS
               (SELECT 1 FROM lane l WHERE l.kind = 0 AND l.lead_key = i.lead_key)
             UNION ALL SELECT DISTINCT 1, lead_key FROM item i WHERE state = 2 AND NOT EXISTS
               (SELECT 1 FROM lane l WHERE l.kind = 1 AND l.lead_key = i.lead_key)",
        )
    }

    fn without_items(&mut self) -> Result<Vec<(Kind, String)>> {
        self.keys(
            "SELECT kind, lead_key FROM lane l WHERE kind = 0 AND NOT EXISTS
               (SELECT 1 FROM item i WHERE state IN (0, 1) AND i.lead_key = l.lead_key)
             UNION ALL SELECT kind, lead_key FROM lane l WHERE kind = 1 AND NOT EXISTS
               (SELECT 1 FROM item i WHERE state = 2 AND i.lead_key = l.lead_key)",
        )
    }

    fn setting(&mut self, name: &str) -> Result<Option<String>> {
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    fn put_setting(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        match value {
            Some(value) => self.execute(
                "INSERT INTO setting VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
                [name, value],
            ),
            None => self.execute("DELETE FROM setting WHERE name = ?1", [name]),
        }
    }

    fn compact(&mut self) -> Result<Vec<String>> {
        // None of this is possible inside of the transaction that the writer has begun.
        self.commit()?;
        let compacted = (|| {
            // Each step frees one page.
            let mut vacuum = self.connection.prepare("PRAGMA incremental_vacuum")?;
            let mut pages = vacuum.query([])?;
            while pages.next()?.is_some() {}
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            let mut statement = self.connection.prepare("PRAGMA quick_check(20)")?;
            let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(lines.collect::<rusqlite::Result<Vec<_>>>()?)
        })();
        self.begin()?;
        self.mark()?;
        compacted.map(|lines| lines.into_iter().filter(|line| line != "ok").collect())
    }

    fn free_space(&self) -> Option<u64> {
        free_space(folder(&self.path))
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |log| log.len())
    }

    fn place(&self) -> String {
        place(&self.path)
    }

    fn lock_sender(&mut self) -> Result<Lock> {
        Ok(Box::new(SenderLock::acquire(&self.path)?))
    }
}

#[cfg(test)]
mod tests {
    /// SQLite 3.7.0 to 3.51.2 can damage a file whose WAL is reset by two connections at once.
    #[test]
    fn the_bundled_sqlite_has_the_fix_of_the_wal_reset() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }
}
