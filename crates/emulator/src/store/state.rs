//! The state file: what the store holds, in an SQLite database.
//!
//! The store is read from memory alone. Each change is one transaction, made before the call is answered, so that a
//! process may be killed at any moment: what was acknowledged is there, and nothing is there by half.

use super::{Seed, Store, StoredLead, Waiting, phone_blanks};
use crate::clock::Hands;
use crate::new_private_file;
use crate::state_error::StateError;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use telecrm_core::workspace::WorkspaceError;
use telecrm_core::{Workspace, WorkspaceFile};

/// Tells the emulator's files from other databases: "tcrm".
const APPLICATION: i32 = 0x7463_726d;

/// What makes a file of each version from one of the version before; an empty file is of version 0.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// The version that is written.
const VERSION: i32 = MIGRATIONS.len() as i32;

/// An open state file, which no other emulator can open as long as this is there.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    connection: Connection,
}

/// What a state file holds.
struct Saved {
    seed: WorkspaceFile,
    answers: WorkspaceFile,
    members: Vec<Map<String, Value>>,
    /// Each with its identifier, in order of creation.
    leads: Vec<(String, StoredLead)>,
    waiting: BTreeMap<u64, Waiting>,
    last_ticket: u64,
    last_id: u32,
    hands: Hands,
}

impl Saved {
    fn into_store(self, strip_phone_blanks: bool) -> Result<Store, WorkspaceError> {
        let mut store = Store::new(Seed::new(self.seed, strip_phone_blanks)?);
        let workspace = Workspace::from_file(&self.answers)?;
        store.workspace = workspace.with_phone_blanks(phone_blanks(strip_phone_blanks));
        store.answers = self.answers;
        store.team.members = self.members;
        for (place, (identifier, lead)) in self.leads.into_iter().enumerate() {
            store.by_identifier.insert(identifier, place);
            store.by_id.insert(lead.id.clone(), place);
            store.leads.push(lead);
        }
        store.waiting = self.waiting;
        store.last_ticket = self.last_ticket;
        store.ids.last = self.last_id;
        Ok(store)
    }
}

/// What goes wrong with one file.
enum Fault {
    Sqlite(rusqlite::Error),
    Json(serde_json::Error),
    /// What it is, and what helps.
    Unfit(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl Fault {
    fn of(self, path: &Path) -> StateError {
        const BROKEN: &str =
            "is damaged; start with another file, or bring back a copy of this one";
        let reason = match self {
            Self::Unfit(reason) => reason,
            Self::Json(error) => format!("{BROKEN} ({error})"),
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    "is in use by another emulator; stop that one, or choose another file"
                        .to_owned()
                }
                Some(ErrorCode::NotADatabase) => {
                    "is not a state file; choose another name, and it will be made".to_owned()
                }
                Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                    format!(
                        "cannot be opened for writing; check its folder and the permissions ({error})"
                    )
                }
                Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
                    format!("cannot be written; make room on the disk ({error})")
                }
                Some(ErrorCode::DatabaseCorrupt) | None => format!("{BROKEN} ({error})"),
                _ => format!("cannot be used: {error}"),
            },
        };
        StateError(format!("the state file {} {reason}", path.display()))
    }
}

impl Journal {
    /// Opens the file, and gives what it holds. A file that is not there, or is empty, begins from the seed: the given one,
    /// else the sample. One that is there keeps the seed that it began from.
    ///
    /// # Errors
    /// If the file is no state file, is of a newer version, is in use, or is another enterprise's or seed's.
    pub(crate) fn open(
        path: &Path,
        enterprise: &str,
        seed: Option<WorkspaceFile>,
        strip_phone_blanks: bool,
    ) -> Result<(Self, Store, Hands), StateError> {
        let opened = || -> Result<_, Fault> {
            let mut connection = connect(path)?;
            migrate(&mut connection)?;
            let unfit = |error| Fault::Unfit(format!("holds no workspace: {error}"));
            let (store, hands) = match load(&connection, enterprise, seed.as_ref())? {
                Some(saved) => {
                    let hands = saved.hands;
                    (saved.into_store(strip_phone_blanks).map_err(unfit)?, hands)
                }
                None => {
                    let seed = seed.clone().unwrap_or_else(WorkspaceFile::sample);
                    let store = Store::new(Seed::new(seed, strip_phone_blanks).map_err(unfit)?);
                    let hands = Hands::default();
                    let transaction = connection.transaction()?;
                    transaction.execute(
                        "INSERT INTO workspace (enterprise, seed, answers, members) VALUES (?1, ?2, '', '')",
                        params![enterprise, text(&store.seed.answers.to_json())?],
                    )?;
                    transaction.execute(
                        "INSERT INTO counters (last_id, last_ticket, clock) VALUES (0, 0, '')",
                        [],
                    )?;
                    write_everything(&transaction, &store)?;
                    write_counters(&transaction, &store, hands)?;
                    transaction.commit()?;
                    (store, hands)
                }
            };
            Ok((connection, store, hands))
        };
        let (connection, store, hands) = opened().map_err(|fault| fault.of(path))?;
        let path = path.to_owned();
        Ok((Self { path, connection }, store, hands))
    }

    /// Stands in for a full disk.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) {
        let limited = self.connection.pragma_update(None, "max_page_count", pages);
        limited.expect("a limit");
    }

    /// Writes what the store says has changed: all of it, or nothing.
    pub(super) fn commit(&mut self, store: &Store, hands: Hands) -> Result<(), StateError> {
        let mut written = || -> Result<(), Fault> {
            let transaction = self.connection.transaction()?;
            match store.changes.everything {
                true => write_everything(&transaction, store)?,
                false => write_changes(&transaction, store)?,
            }
            write_counters(&transaction, store, hands)?;
            Ok(transaction.commit()?)
        };
        written().map_err(|fault| fault.of(&self.path))
    }
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    if path.is_dir() {
        return Err(Fault::Unfit(
            "is a folder; name a file in it, and it will be made".to_owned(),
        ));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // If it is not there. SQLite gives what lies beside it the same rights, and says what is wrong if it cannot be made.
    let _ = new_private_file(path);
    prepare(Connection::open_with_flags(path, flags)?)
}

/// Locks a file, and looks whether it is one to write to.
fn prepare(connection: Connection) -> Result<Connection, Fault> {
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(Fault::Unfit(
            "cannot be written; check its permissions".to_owned(),
        ));
    }
    connection.busy_timeout(Duration::ZERO)?;
    // Before anything is read, so that the file is locked from the first look at it.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application, version, tables) != (0, 0, 0) {
        return Err(Fault::Unfit(
            "is the database of another program; choose another name, and it will be made"
                .to_owned(),
        ));
    }
    if version > VERSION {
        return Err(Fault::Unfit(format!(
            "is of version {version}, and this emulator reads up to {VERSION}; use a newer emulator, or another file"
        )));
    }
    // A commit is then safe from the end of this process. The end of the machine's power may take the last ones back,
    // whole.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    let transaction = connection.transaction()?;
    let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in MIGRATIONS
        .iter()
        .skip(usize::try_from(version).unwrap_or_default())
    {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

fn load(
    connection: &Connection,
    enterprise: &str,
    seed: Option<&WorkspaceFile>,
) -> Result<Option<Saved>, Fault> {
    let workspace = connection
        .query_row(
            "SELECT enterprise, seed, answers, members FROM workspace",
            [],
            |row| Ok::<[String; 4], _>([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]),
        )
        .optional()?;
    let Some([owner, began, answers, members]) = workspace else {
        return Ok(None);
    };
    if owner != enterprise {
        return Err(Fault::Unfit(
            "belongs to another enterprise; start with the ID that it was made for, or choose another file"
                .to_owned(),
        ));
    }
    let file = |text: &str| -> Result<WorkspaceFile, Fault> {
        WorkspaceFile::from_json(read(text)?)
            .map_err(|error| Fault::Unfit(format!("holds no workspace: {error}")))
    };
    let began = file(&began)?;
    if let Some(seed) = seed
        && Seed::completed(seed.clone()) != began
    {
        return Err(Fault::Unfit(
            "began from another seed; leave the seed out to go on with it, or choose another file"
                .to_owned(),
        ));
    }
    let (last_id, last_ticket, clock): (u32, i64, String) = connection.query_row(
        "SELECT last_id, last_ticket, clock FROM counters",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(Some(Saved {
        seed: began,
        answers: file(&answers)?,
        members: read(&members)?,
        leads: load_leads(connection)?,
        waiting: load_waiting(connection)?,
        last_ticket: last_ticket.cast_unsigned(),
        last_id,
        hands: read(&clock)?,
    }))
}

fn load_leads(connection: &Connection) -> Result<Vec<(String, StoredLead)>, Fault> {
    let mut leads = Vec::new();
    let mut statement =
        connection.prepare("SELECT place, identifier, json FROM lead ORDER BY place")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(0)? != leads.len() as i64 {
            return Err(Fault::Unfit("is damaged: a lead is missing".to_owned()));
        }
        let lead: StoredLead = read(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?;
        leads.push((row.get(1)?, lead));
    }
    let mut statement = connection.prepare("SELECT lead, json FROM entry ORDER BY lead, place")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let place = usize::try_from(row.get::<_, i64>(0)?).ok();
        let Some((_, lead)) = place.and_then(|place| leads.get_mut(place)) else {
            return Err(Fault::Unfit("is damaged: a lead is missing".to_owned()));
        };
        let entry = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        lead.timeline.push(read(entry)?);
    }
    Ok(leads)
}

fn load_waiting(connection: &Connection) -> Result<BTreeMap<u64, Waiting>, Fault> {
    let mut statement = connection.prepare("SELECT ticket, json FROM waiting")?;
    let mut rows = statement.query([])?;
    let mut waiting = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let ticket = row.get::<_, i64>(0)?.cast_unsigned();
        waiting.insert(ticket, read(&row.get::<_, String>(1)?)?);
    }
    Ok(waiting)
}

fn write_everything(transaction: &Transaction<'_>, store: &Store) -> Result<(), Fault> {
    transaction.execute_batch("DELETE FROM entry; DELETE FROM lead; DELETE FROM waiting")?;
    write_answers(transaction, store)?;
    write_members(transaction, store)?;
    let mut identifiers: Vec<_> = store.by_identifier.iter().collect();
    identifiers.sort_unstable_by_key(|(_, place)| **place);
    for (identifier, place) in identifiers {
        insert_lead(transaction, store, *place, identifier)?;
        for entry in 0..store.leads[*place].timeline.len() {
            write_entry(transaction, store, *place, entry)?;
        }
    }
    for ticket in store.waiting.keys() {
        write_waiting(transaction, store, *ticket)?;
    }
    Ok(())
}

fn write_changes(transaction: &Transaction<'_>, store: &Store) -> Result<(), Fault> {
    let changes = &store.changes;
    if changes.workspace {
        write_answers(transaction, store)?;
    }
    if changes.team {
        write_members(transaction, store)?;
    }
    for (place, identifier) in &changes.identifiers {
        insert_lead(transaction, store, *place, identifier)?;
    }
    for place in &changes.leads {
        if !changes.identifiers.contains_key(place) {
            let mut update =
                transaction.prepare_cached("UPDATE lead SET json = ?2 WHERE place = ?1")?;
            update.execute(params![*place as i64, text(&store.leads[*place])?])?;
        }
    }
    for (lead, entry) in &changes.entries {
        write_entry(transaction, store, *lead, *entry)?;
    }
    for ticket in &changes.waiting {
        write_waiting(transaction, store, *ticket)?;
    }
    Ok(())
}

fn write_answers(transaction: &Transaction<'_>, store: &Store) -> Result<(), Fault> {
    let answers = text(&store.answers.to_json())?;
    transaction.execute("UPDATE workspace SET answers = ?1", [answers])?;
    Ok(())
}

fn write_members(transaction: &Transaction<'_>, store: &Store) -> Result<(), Fault> {
    let members = text(&store.team.members)?;
    transaction.execute("UPDATE workspace SET members = ?1", [members])?;
    Ok(())
}

fn write_counters(transaction: &Transaction<'_>, store: &Store, hands: Hands) -> Result<(), Fault> {
    let mut update = transaction
        .prepare_cached("UPDATE counters SET last_id = ?1, last_ticket = ?2, clock = ?3")?;
    let ticket = store.last_ticket.cast_signed();
    update.execute(params![store.ids.last, ticket, text(&hands)?])?;
    Ok(())
}

fn insert_lead(
    transaction: &Transaction<'_>,
    store: &Store,
    place: usize,
    identifier: &str,
) -> Result<(), Fault> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO lead (place, identifier, json) VALUES (?1, ?2, ?3)")?;
    insert.execute(params![
        place as i64,
        identifier,
        text(&store.leads[place])?
    ])?;
    Ok(())
}

fn write_entry(
    transaction: &Transaction<'_>,
    store: &Store,
    lead: usize,
    entry: usize,
) -> Result<(), Fault> {
    let json = text(&store.leads[lead].timeline[entry])?;
    let mut write =
        transaction.prepare_cached("REPLACE INTO entry (lead, place, json) VALUES (?1, ?2, ?3)")?;
    write.execute(params![lead as i64, entry as i64, json])?;
    Ok(())
}

/// Writes a lead that waits, or takes out one that does so no longer.
fn write_waiting(transaction: &Transaction<'_>, store: &Store, ticket: u64) -> Result<(), Fault> {
    let number = ticket.cast_signed();
    match store.waiting.get(&ticket) {
        Some(waiting) => {
            let mut write = transaction
                .prepare_cached("REPLACE INTO waiting (ticket, json) VALUES (?1, ?2)")?;
            write.execute(params![number, text(waiting)?])?;
        }
        None => {
            let mut delete = transaction.prepare_cached("DELETE FROM waiting WHERE ticket = ?1")?;
            delete.execute([number])?;
        }
    }
    Ok(())
}

fn text(value: &impl Serialize) -> Result<String, Fault> {
    Ok(serde_json::to_string(value)?)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As for those whom the file's rights bind, which root they do not.
    #[test]
    fn a_file_that_can_only_be_read_is_refused_whoever_runs_this() {
        let name = format!("telecrm-read-only-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        drop(connect(&path).map_err(|fault| fault.of(&path)));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(&path, flags).expect("it can be read");
        let refused = prepare(connection).map(drop);
        std::fs::remove_file(&path).expect("it is there");
        let refused = refused.map_err(|fault| fault.of(&path).to_string());
        let said = refused.expect_err("it cannot be written");
        assert!(said.contains("check its permissions"), "{said}");
        assert!(said.contains("telecrm-read-only"), "{said}");
    }
}
