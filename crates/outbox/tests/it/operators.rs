//! Mistakes of operators and bad input: each error is a sentence with the place, the reason and a
//! hint, and nothing is lost.

use crate::support::{Fixture, Kind, TestClock, lead, options, url};
use rusqlite::Connection;
use telecrm::Lead;
use telecrm_outbox::{Error, ErrorKind, Outbox, Worker};

/// The error with its hint. The folder of the test is called FOLDER.
fn text(error: &Error, folder: &tempfile::TempDir) -> String {
    format!("{error:#}").replace(&folder.path().display().to_string(), "FOLDER")
}

async fn open_error(url: &str) -> Error {
    Outbox::open(url, options(&TestClock::new())).await.err().unwrap()
}

#[tokio::test]
async fn a_newer_store() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seq = fixture.add([lead(1, "A")]).await[0];
    let sqlite = Connection::open(fixture.folder.path().join("leads.outbox")).unwrap();
    sqlite.pragma_update(None, "user_version", 2).unwrap();
    let error = open_error(&url(&fixture.folder)).await;
    assert_eq!(
        text(&error, &fixture.folder),
        "the outbox FOLDER/leads.outbox has version 2, and this program reads up to 1\n  \
         hint: use a newer program, or another file"
    );
    sqlite.pragma_update(None, "user_version", 1).unwrap();
    assert!(fixture.reopen().await.get(seq).await.unwrap().is_some());
}

#[tokio::test]
async fn the_database_of_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Connection::open(folder.path().join("leads.outbox")).unwrap();
    sqlite.execute_batch("CREATE TABLE bookmark(url)").unwrap();
    let error = open_error(&url(&folder)).await;
    assert_eq!(
        text(&error, &folder),
        "the outbox FOLDER/leads.outbox is the database of another program\n  \
         hint: choose another name, and the file is created"
    );
    let tables = sqlite.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
    assert_eq!(tables, Ok(1));
}

/// Not even the superuser, as whom tests may run, can create files there.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_read_only_folder() {
    let error = open_error("sqlite:/sys/leads.outbox").await;
    let start = "the outbox /sys/leads.outbox cannot be opened: ";
    assert!(error.to_string().starts_with(start), "{error}");
    assert_eq!(error.hint(), Some("check that the folder exists and that you may write to it"));
}

#[tokio::test]
async fn a_second_sender() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let _worker = fixture.worker().await;
    let other = fixture.reopen().await;
    let error = Worker::start(&other, fixture.script.clone()).await.err().unwrap();
    let expected = "process PID sends from FOLDER/leads.outbox already\n  \
        hint: stop it first; adding and reading are possible at any time";
    let expected = expected.replace("PID", &std::process::id().to_string());
    assert_eq!(text(&error, &fixture.folder), expected);
}

#[tokio::test]
async fn a_full_disk() {
    let fixture = Fixture::with(Kind::Sqlite, |options| options.max_pages(60)).await;
    let mut number = 0;
    let error = loop {
        number += 1;
        if let Err(error) = fixture.outbox.enqueue([lead(number, &"x".repeat(500))]).await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(
        text(&error, &fixture.folder),
        "the outbox FOLDER/leads.outbox cannot be used: database or disk is full\n  \
         hint: free some space on the disk"
    );
}

#[tokio::test]
async fn a_nearly_full_disk() {
    let fixture = Fixture::with(Kind::Sqlite, |options| options.low_water(u64::MAX)).await;
    let error = fixture.outbox.enqueue([lead(1, "A")]).await.unwrap_err();
    assert_eq!(
        text(&error, &fixture.folder),
        "the outbox FOLDER/leads.outbox is on a disk that is nearly full, so nothing was queued\n  \
         hint: free some space; sending goes on meanwhile"
    );
}

#[tokio::test]
async fn a_lead_without_identifier_and_a_lead_that_is_too_large() {
    let fixture = Fixture::with(Kind::Memory, |options| {
        options.when_lossy(telecrm_outbox::WhenLossy::QueueAsIs)
    });
    let fixture = fixture.await;
    let leads = [Lead::new().set("name", "A"), lead(1, &"x".repeat(1 << 20)), lead(2, "B")];
    let results = fixture.outbox.enqueue(leads).await.unwrap();
    assert_eq!(
        text(results[0].as_ref().unwrap_err(), &fixture.folder),
        "the lead has no valid `phone`\n  \
         hint: add the identifier: telecrm drops leads without one (AS2)"
    );
    assert_eq!(
        text(results[1].as_ref().unwrap_err(), &fixture.folder),
        "the lead has 1048621 bytes, more than 1048576\n  hint: leave large values out"
    );
    assert!(results[2].is_ok());
}

#[tokio::test]
async fn another_country() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let other = options(&fixture.clock).country("AE");
    let error = Outbox::open(&url(&fixture.folder), other).await.err().unwrap();
    assert_eq!(
        text(&error, &fixture.folder),
        "the outbox FOLDER/leads.outbox belongs to the country `IN`, not `AE`\n  \
         hint: open it with the settings it was made with, or use another"
    );
}

#[tokio::test]
async fn a_torn_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("leads.outbox"), "SQLite format 3\0 and no more").unwrap();
    let error = open_error(&url(&folder)).await;
    assert_eq!(
        text(&error, &folder),
        "the outbox FOLDER/leads.outbox cannot be used: file is not a database\n  \
         hint: the file is damaged: save what can be read with `telecrm outbox export --recover`, \
         and add it to a new file"
    );
    let error = Outbox::recover(&url(&folder), |_| {}).unwrap_err();
    assert_eq!(
        text(&error, &folder),
        "the outbox FOLDER/leads.outbox cannot be read: file is not a database\n  \
         hint: restore a copy of the file"
    );
}

#[tokio::test]
async fn an_outbox_without_workspace_and_an_unknown_store() {
    let outbox = Outbox::memory(options(&TestClock::new())).await.unwrap();
    let error = outbox.enqueue([lead(1, "A")]).await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "the outbox has no workspace\n  \
         hint: set the workspace first, so that leads can be checked"
    );
    assert_eq!(
        format!("{:#}", open_error("redis://x").await),
        "unknown store `redis://x`\n  hint: write `sqlite:` and the path of a file"
    );
}
