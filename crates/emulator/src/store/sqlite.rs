//! The state file: the content of the store in an SQLite database.
//!
//! The emulator reads the store from memory only. Each change is one transaction, which is
//! committed before the call is answered. If the process is killed, the file has every
//! acknowledged change, and no change in part.

use super::error::StateError;
use super::seed::phone_blanks;
use super::{QueuedLead, Seed, Store, StoredLead};
use crate::clock::ClockState;
use crate::files::create_private;
use crate::problem::Problem;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use telecrm_core::{Workspace, WorkspaceFile};

/// Marks the emulator's files among SQLite databases: "tcrm".
const APPLICATION: i32 = 0x7463_726d;

/// Each migration raises the version by one. An empty file has version 0.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// The current version.
const VERSION: i32 = MIGRATIONS.len() as i32;

/// An open state file. No other emulator can open it meanwhile.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    connection: Connection,
}

/// An error without the name of the file.
struct Failure {
    reason: String,
    hint: Option<&'static str>,
}

const OTHER_FILE: &str = "choose another name, and the emulator creates the file";
const RESTORE: &str = "use another file, or restore a copy of this one";

impl Failure {
    fn new(reason: impl Into<String>, hint: &'static str) -> Self {
        Self { reason: reason.into(), hint: Some(hint) }
    }

    fn of(self, path: &Path) -> StateError {
        let problem = Problem::new(format!("the state file {} {}", path.display(), self.reason));
        StateError(match self.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        })
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(format!("is damaged: {error}"), RESTORE)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::new(
                "is in use by another emulator",
                "stop the other emulator, or use another file",
            ),
            Some(ErrorCode::NotADatabase) => Self::new("is not a state file", OTHER_FILE),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::new(
                    format!("cannot be opened for writing: {error}"),
                    "check its folder and the permissions",
                )
            }
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
                Self::new(format!("cannot be written: {error}"), "make room on the disk")
            }
            Some(ErrorCode::DatabaseCorrupt) | None => {
                Self::new(format!("is damaged: {error}"), RESTORE)
            }
            _ => Self { reason: format!("cannot be used: {error}"), hint: None },
        }
    }
}

impl StateFile {
    /// Opens the file, and returns its content. A new or empty file begins with the given seed, or
    /// else with the sample. An existing file keeps the seed that it began with.
    ///
    /// # Errors
    /// Returns an error if the file is not a state file, has a newer version, is in use, or
    /// belongs to another enterprise or seed.
    pub(crate) fn open(
        path: &Path,
        enterprise: &str,
        seed: Option<WorkspaceFile>,
        strip_phone_blanks: bool,
        now: i64,
    ) -> Result<(Self, Store, ClockState), StateError> {
        let opened = open(path, enterprise, seed, strip_phone_blanks, now);
        let (connection, store, clock) = opened.map_err(|failure| failure.of(path))?;
        let path = path.to_owned();
        Ok((Self { path, connection }, store, clock))
    }

    /// Limits the size of the file, as a full disk does.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) {
        let limited = self.connection.pragma_update(None, "max_page_count", pages);
        limited.expect("a limit");
    }

    /// Writes all changes of the store in one transaction.
    pub(super) fn commit(&mut self, store: &Store, clock: ClockState) -> Result<(), StateError> {
        let mut written = || -> Result<(), Failure> {
            let transaction = self.connection.transaction()?;
            let writer = Writer { transaction: &transaction, store };
            let written =
                if store.changes.everything { writer.everything() } else { writer.changes() };
            written?;
            writer.counters(clock)?;
            Ok(transaction.commit()?)
        };
        written().map_err(|failure| failure.of(&self.path))
    }
}

fn open(
    path: &Path,
    enterprise: &str,
    seed: Option<WorkspaceFile>,
    strip_phone_blanks: bool,
    now: i64,
) -> Result<(Connection, Store, ClockState), Failure> {
    let mut connection = connect(path)?;
    migrate(&mut connection)?;
    if let Some((store, clock)) = load(&connection, enterprise, seed.as_ref(), strip_phone_blanks)?
    {
        return Ok((connection, store, clock));
    }
    let seed = seed.unwrap_or_else(WorkspaceFile::sample);
    let seed = Seed::new(seed, strip_phone_blanks).map_err(no_workspace)?;
    let store = Store::planted(seed, now).map_err(no_workspace)?;
    let clock = ClockState::default();
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT INTO workspace (enterprise, seed, answers, members) VALUES (?1, ?2, '', '')",
        params![enterprise, text(&store.seed.answers.to_json())?],
    )?;
    transaction
        .execute("INSERT INTO counters (last_id, last_ticket, clock) VALUES (0, 0, '')", [])?;
    let writer = Writer { transaction: &transaction, store: &store };
    writer.everything()?;
    writer.counters(clock)?;
    transaction.commit()?;
    Ok((connection, store, clock))
}

fn no_workspace(error: impl fmt::Display) -> Failure {
    Failure { reason: format!("has no valid workspace: {error}"), hint: None }
}

fn missing_lead() -> Failure {
    Failure::new("is damaged: a lead is missing", RESTORE)
}

fn connect(path: &Path) -> Result<Connection, Failure> {
    if path.is_dir() {
        return Err(Failure::new(
            "is a folder",
            "name a file in this folder, and the emulator creates it",
        ));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // A new file must be private. SQLite gives its temporary files the same rights, and reports
    // what is wrong if the file cannot be created.
    let _ = create_private(path);
    prepare(Connection::open_with_flags(path, flags)?)
}

/// Locks a file, and checks that it is a writable state file.
fn prepare(connection: Connection) -> Result<Connection, Failure> {
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(Failure::new("cannot be written", "check its permissions"));
    }
    connection.busy_timeout(Duration::ZERO)?;
    // Set before the first read, which then locks the file.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application, version, tables) != (0, 0, 0) {
        return Err(Failure::new("is the database of another program", OTHER_FILE));
    }
    if version > VERSION {
        return Err(Failure::new(
            format!("has version {version}, and this emulator reads versions up to {VERSION}"),
            "use a newer emulator, or another file",
        ));
    }
    // With these settings, a commit survives the end of the process. A power failure may undo the
    // last commits as a whole.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), Failure> {
    let transaction = connection.transaction()?;
    let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or_default()) {
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
    strip_phone_blanks: bool,
) -> Result<Option<(Store, ClockState)>, Failure> {
    let workspace = connection
        .query_row("SELECT enterprise, seed, answers, members FROM workspace", [], |row| {
            Ok::<[String; 4], _>([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })
        .optional()?;
    let Some([owner, original, answers, members]) = workspace else {
        return Ok(None);
    };
    if owner != enterprise {
        return Err(Failure::new(
            "belongs to another enterprise",
            "start with the ID of that enterprise, or use another file",
        ));
    }
    let file = |text: &str| -> Result<WorkspaceFile, Failure> {
        WorkspaceFile::from_json(read(text)?).map_err(no_workspace)
    };
    let original = file(&original)?;
    if let Some(seed) = seed
        && Seed::completed(seed.clone()) != original
    {
        return Err(Failure::new(
            "began with another seed",
            "leave the seed out to continue with this file, or use another file",
        ));
    }
    let (last_id, last_ticket, clock): (u32, i64, String) =
        connection.query_row("SELECT last_id, last_ticket, clock FROM counters", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let mut store = Store::new(Seed::new(original, strip_phone_blanks).map_err(no_workspace)?);
    store.answers = file(&answers)?;
    store.workspace = Workspace::from_file(&store.answers)
        .map_err(no_workspace)?
        .with_phone_blanks(phone_blanks(strip_phone_blanks));
    store.team.members = read(&members)?;
    load_leads(connection, &mut store)?;
    store.queue = load_queue(connection)?;
    store.last_ticket = last_ticket.cast_unsigned();
    store.ids.last = last_id;
    Ok(Some((store, read(&clock)?)))
}

fn load_leads(connection: &Connection, store: &mut Store) -> Result<(), Failure> {
    let mut statement =
        connection.prepare("SELECT place, identifier, json FROM lead ORDER BY place")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let place = store.leads.len();
        if row.get::<_, i64>(0)? != place as i64 {
            return Err(missing_lead());
        }
        let lead: StoredLead = read(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?;
        store.leads.push(lead);
        store.index(row.get(1)?, place);
    }
    let mut statement = connection.prepare("SELECT lead, json FROM entry ORDER BY lead, place")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let place = usize::try_from(row.get::<_, i64>(0)?).ok();
        let Some(lead) = place.and_then(|place| store.leads.get_mut(place)) else {
            return Err(missing_lead());
        };
        let entry = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        lead.timeline.push(read(entry)?);
    }
    Ok(())
}

fn load_queue(connection: &Connection) -> Result<BTreeMap<u64, QueuedLead>, Failure> {
    let mut statement = connection.prepare("SELECT ticket, json FROM waiting")?;
    let mut rows = statement.query([])?;
    let mut queue = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let ticket = row.get::<_, i64>(0)?.cast_unsigned();
        queue.insert(ticket, read(&row.get::<_, String>(1)?)?);
    }
    Ok(queue)
}

/// Writes parts of a store in one transaction.
struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    store: &'a Store,
}

impl Writer<'_> {
    fn everything(&self) -> Result<(), Failure> {
        self.transaction
            .execute_batch("DELETE FROM entry; DELETE FROM lead; DELETE FROM waiting")?;
        self.answers()?;
        self.members()?;
        let twins = self.store.twins.iter();
        let twins = twins.flat_map(|(key, places)| places.iter().map(move |place| (key, place)));
        let mut identifiers: Vec<_> = self.store.by_identifier.iter().chain(twins).collect();
        identifiers.sort_unstable_by_key(|(_, place)| **place);
        for (identifier, place) in identifiers {
            self.new_lead(*place, identifier)?;
            for entry in 0..self.store.leads[*place].timeline.len() {
                self.entry(*place, entry)?;
            }
        }
        self.store.queue.keys().try_for_each(|ticket| self.queued(*ticket))
    }

    fn changes(&self) -> Result<(), Failure> {
        let changes = &self.store.changes;
        if changes.workspace {
            self.answers()?;
        }
        if changes.team {
            self.members()?;
        }
        for (place, identifier) in &changes.identifiers {
            self.new_lead(*place, identifier)?;
        }
        for place in &changes.leads {
            if !changes.identifiers.contains_key(place) {
                let json = text(&self.store.leads[*place])?;
                self.run(
                    "UPDATE lead SET json = ?2 WHERE place = ?1",
                    params![*place as i64, json],
                )?;
            }
        }
        for (lead, entry) in &changes.entries {
            self.entry(*lead, *entry)?;
        }
        changes.queue.iter().try_for_each(|ticket| self.queued(*ticket))
    }

    fn answers(&self) -> Result<(), Failure> {
        let answers = text(&self.store.answers.to_json())?;
        self.run("UPDATE workspace SET answers = ?1", [answers])
    }

    fn members(&self) -> Result<(), Failure> {
        self.run("UPDATE workspace SET members = ?1", [text(&self.store.team.members)?])
    }

    fn counters(&self, clock: ClockState) -> Result<(), Failure> {
        let ticket = self.store.last_ticket.cast_signed();
        self.run(
            "UPDATE counters SET last_id = ?1, last_ticket = ?2, clock = ?3",
            params![self.store.ids.last, ticket, text(&clock)?],
        )
    }

    fn new_lead(&self, place: usize, identifier: &str) -> Result<(), Failure> {
        self.run(
            "INSERT INTO lead (place, identifier, json) VALUES (?1, ?2, ?3)",
            params![place as i64, identifier, text(&self.store.leads[place])?],
        )
    }

    fn entry(&self, lead: usize, entry: usize) -> Result<(), Failure> {
        let json = text(&self.store.leads[lead].timeline[entry])?;
        self.run(
            "REPLACE INTO entry (lead, place, json) VALUES (?1, ?2, ?3)",
            params![lead as i64, entry as i64, json],
        )
    }

    /// Writes a queued lead, or deletes one that has left the queue.
    fn queued(&self, ticket: u64) -> Result<(), Failure> {
        let number = ticket.cast_signed();
        match self.store.queue.get(&ticket) {
            Some(queued) => self.run(
                "REPLACE INTO waiting (ticket, json) VALUES (?1, ?2)",
                params![number, text(queued)?],
            ),
            None => self.run("DELETE FROM waiting WHERE ticket = ?1", [number]),
        }
    }

    fn run(&self, sql: &str, params: impl Params) -> Result<(), Failure> {
        self.transaction.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

fn text(value: &impl Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string(value)?)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Emulator;
    use serde_json::{Value, json};

    #[tokio::test]
    async fn a_call_fails_while_the_disk_is_full_and_its_change_is_saved_later() {
        let name = format!("telecrm-full-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let start = async || {
            let builder = Emulator::builder().state(&path);
            builder.start().await.expect("the emulator starts")
        };
        let emulator = start().await;
        let limit = |pages| emulator.app.shared_store.limit_pages(pages);
        let create = async |phone: &str| {
            let url = format!("{}/enterprise/ent-local/lead", emulator.sync_url());
            let lead = json!({ "fields": { "phone": phone, "name": "x".repeat(500_000) } });
            let request = reqwest::Client::new().post(url).json(&lead);
            let answer = request.bearer_auth(emulator.sync_token()).send().await;
            let answer = answer.expect("an answer");
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.expect("JSON"))
        };
        limit(1);
        let (status, answer) = create("919999999991").await;
        assert_eq!(status, 500, "{answer}");
        assert_eq!(answer["error"]["code"], "STATE_NOT_KEPT");
        assert_eq!(emulator.log(0)[0].status, 500, "the log has the same status");
        let snapshot = format!("{}/_emulator/snapshot", emulator.url());
        let snapshot = reqwest::Client::new().post(snapshot).send().await;
        assert_eq!(snapshot.expect("an answer").status().as_u16(), 500);
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains("make room on the disk"), "{message}");
        assert!(message.contains("telecrm-full-"), "{message}");

        limit(1_000_000);
        let (status, _) = create("919999999992").await;
        assert_eq!(status, 201, "the emulator tries again");
        emulator.shutdown().await;
        let emulator = start().await;
        let leads = emulator.app.store().newest_first().count();
        assert_eq!(leads, 2, "the file has the lead of the failed call too");
        emulator.shutdown().await;
        std::fs::remove_file(&path).expect("the only file that remains");
    }

    // Opens the file read-only instead of changing its rights, which do not bind root.
    #[test]
    fn a_read_only_file_is_refused() {
        let name = format!("telecrm-read-only-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        drop(connect(&path).map_err(|failure| failure.of(&path)));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(&path, flags).expect("the file can be read");
        let refused = prepare(connection).map(drop);
        std::fs::remove_file(&path).expect("the file exists");
        let refused = refused.map_err(|failure| format!("{:#}", failure.of(&path)));
        let error = refused.expect_err("the file cannot be written");
        assert!(error.contains("check its permissions"), "{error}");
        assert!(error.contains("telecrm-read-only"), "{error}");
    }
}
