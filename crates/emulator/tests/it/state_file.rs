//! The state file: its content after a stop and after a crash, and the errors of an unusable one.

use crate::{Local, answer};
use reqwest::{Client, Method};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use telecrm_emulator::{Emulator, Fault, StateError, WorkspaceFile};

/// A path that does not exist yet, removed at the end of the test.
pub(crate) struct StateFile(PathBuf);

impl StateFile {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("telecrm-state-{}-{count}.db", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.remove();
        file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            let _ = std::fs::remove_file(path);
        }
    }

    async fn open(&self) -> Local {
        Local::with(Emulator::builder().state(&self.0)).await
    }

    /// Starts an emulator in a child process. Returns the process and the URL.
    pub(crate) fn open_in_a_child(&self) -> (Child, String) {
        self.open_by(Command::new(std::env::current_exe().expect("this test")))
    }

    /// The same with a limit on open files.
    #[cfg(unix)]
    pub(crate) fn open_in_a_child_with_few_files(&self, files: u32) -> (Child, String) {
        let mut shell = Command::new("sh");
        let limited = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        shell.args(["-c", &limited]);
        shell.arg(std::env::current_exe().expect("this test"));
        self.open_by(shell)
    }

    fn open_by(&self, mut test: Command) -> (Child, String) {
        let mut child = test
            .args(["--ignored", "--exact", "state_file::child", "--nocapture"])
            .env(CHILD_FILE, &self.0)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = stdout.lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("at ").map(str::to_owned));
        (child, url.expect("the child says where it is"))
    }

    async fn refused(&self, builder: telecrm_emulator::Builder, said: &[&str]) {
        let error = builder.state(&self.0).start().await.expect_err("refused");
        let reason = error.get_ref().and_then(|error| error.downcast_ref::<StateError>());
        let reason = format!("{:#}", reason.expect("a state error"));
        for said in said.iter().chain([&self.0.to_str().expect("UTF-8")]) {
            assert!(reason.contains(said), "{said}: {reason}");
        }
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Local {
    async fn stop(self) {
        self.emulator.shutdown().await;
    }

    /// Everything that the APIs return about the workspace, and the clock.
    async fn everything(&self) -> Value {
        let found = self.search(json!({})).await;
        let mut leads = Vec::new();
        for row in found["data"].as_array().expect("a list") {
            let id = row["id"].as_str().expect("an ID");
            leads.push(self.get(&format!("/lead/{id}?includeActions=true&limit=100")).await.1);
        }
        let mut all = vec![found, leads.into()];
        for path in [
            "/custom-fields?detail=true",
            "/custom-actions?detail=true",
            "/lead-stage-pipeline",
            "/metadata",
            "/team-members?includeDeleted=true",
        ] {
            all.push(self.get(path).await.1);
        }
        let clock = self.http.get(format!("{}/_emulator/clock", self.emulator.url()));
        all.push(answer(clock).await.1);
        all.into()
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let file = StateFile::new();
    let local = file.open().await;
    local.emulator.pause_clock();
    local.emulator.set_clock("2026-04-01T00:00:00Z".parse().unwrap()).unwrap();
    let id = local
        .create(json!({ "phone": "919999999999", "contact_source": "Fair", "name": "Āśā \u{0}" }))
        .await;
    local
        .push(json!({
            "fields": { "phone": "918888888888", "rating": 4, "tags": ["New tag"] },
            "actions": [{ "type": "ACTION_1001", "fields": { "note": "One" } },
                { "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "5000.50" }],
        }))
        .await;
    local.post(&format!("/lead/{id}"), json!({ "fields": { "name": "Asha" } })).await;
    let action = json!({ "actions": [{ "type": "1001", "fields": { "note": "Two" } }] });
    let (_, created) = local.post(&format!("/lead/{id}/action"), action).await;
    let action = created["actions"][0]["action_id"].as_str().expect("created");
    local.emulator.advance_clock(std::time::Duration::from_secs(1)).unwrap();
    let changed = json!({ "type": "1001", "fields": { "note": "Three" } });
    let (status, _) = local.post(&format!("/lead/{id}/action/{action}"), changed).await;
    assert_eq!(status, 200);
    local
        .emulator
        .add_timeline_entry(&id, json!({ "type": "OUTGOING_CALL", "duration": 31 }))
        .unwrap();
    let john = json!({ "name": "John", "email": "j@example.com", "phone_number": "919876543210", "role": "CALLER" });
    assert_eq!(local.post("/team-members", john).await.0, 201);
    let away = json!({ "email": "jane.doe@example.com", "state": "Inactive" });
    assert_eq!(local.post("/teammember/state_change", away).await.0, 200);

    let before = local.everything().await;
    local.stop().await;
    let local = file.open().await;
    assert_eq!(local.everything().await, before);
    assert!(before.to_string().contains("Fair") && before.to_string().contains("Three"));
    // The rules have the new option too. Identifiers and IDs continue.
    local.push(json!({ "fields": { "phone": "919999999999", "contact_source": "Fair" } })).await;
    assert!(local.emulator.log(0)[0].findings.is_empty());
    assert_eq!(local.search(json!({})).await["total_count"], 2);
    let third = local.create(json!({ "phone": "917777777777" })).await;
    assert!(!before.to_string().contains(&third));
    local.stop().await;
    assert_eq!(file.open().await.search(json!({})).await["total_count"], 3);
}

#[tokio::test]
async fn queued_leads_are_processed_after_a_restart() {
    let file = StateFile::new();
    let builder = Emulator::builder().state(&file.0).fault(Fault::process_after_next());
    let local = Local::with(builder).await;
    for phone in ["919999999991", "919999999992"] {
        let lead = json!({ "fields": { "phone": phone }, "actions": [{ "type": "ACTION_1001" }] });
        assert_eq!(answer(local.ingest().json(&lead)).await.0, 200);
    }
    assert_eq!(local.search(json!({})).await["total_count"], 0);
    local.stop().await;

    let local = file.open().await;
    local.push(json!({ "fields": { "phone": "919999999993" } })).await;
    let found = local.search(json!({})).await;
    let phones: Vec<_> = found["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["fields"]["phone"].clone())
        .collect();
    assert_eq!(phones, ["919999999992", "919999999991", "919999999993"]);
    local.stop().await;
    // The file has an empty queue again.
    let local = file.open().await;
    local.emulator.wait_idle().await;
    let timeline = json!({ "actions": { "type": "1001" } });
    assert_eq!(local.search(json!({})).await["total_count"], 3, "{timeline}");
    let id = local.search(json!({})).await["data"][0]["id"].clone();
    let path = format!("/lead/{}/action/search", id.as_str().unwrap());
    assert_eq!(local.post(&path, json!({})).await.1["total_count"], 1);
}

#[tokio::test]
async fn reset_and_restore_change_the_file() {
    let file = StateFile::new();
    let local = file.open().await;
    let first = local.create(json!({ "phone": "919999999991", "contact_source": "Fair" })).await;
    let snapshot = local.emulator.snapshot();
    let second = local.create(json!({ "phone": "919999999992" })).await;
    assert!(local.emulator.restore(snapshot));
    local.stop().await;

    let local = file.open().await;
    assert_eq!(local.get(&format!("/lead/{first}")).await.0, 200);
    assert_eq!(local.get(&format!("/lead/{second}")).await.0, 404);
    assert!(!local.emulator.restore(snapshot), "the file has no snapshots");
    let lead = json!({ "fields": { "phone": "919999999993" } });
    local.emulator.fault(Fault::process_after_next()).unwrap();
    assert_eq!(answer(local.ingest().json(&lead)).await.0, 200);
    local.emulator.reset();
    local.stop().await;

    let local = file.open().await;
    local.push(json!({ "fields": { "phone": "919999999994" } })).await;
    assert_eq!(local.search(json!({})).await["total_count"], 1);
    let (_, source) = local.get("/custom-fields/contact_source").await;
    assert!(!source.to_string().contains("Fair"));
    let id = local.search(json!({})).await["data"][0]["id"].clone();
    assert!(id != first.as_str() && id != second.as_str(), "IDs are never reused");
}

/// Runs SQL on a file.
pub(crate) fn execute(file: &StateFile, sql: &str) {
    let connection = Connection::open(&file.0).expect("a database");
    connection.execute_batch(sql).expect("valid SQL");
}

#[tokio::test]
async fn a_file_of_another_format_is_refused_and_left_alone() {
    let file = StateFile::new();
    std::fs::write(&file.0, "{\"customFields\": []}, and more than JSON").unwrap();
    let reason = ["is not a state file", "choose another name"];
    file.refused(Emulator::builder(), &reason).await;
    assert!(std::fs::read_to_string(&file.0).unwrap().starts_with('{'));
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let file = StateFile::new();
    execute(&file, "CREATE TABLE notes (text TEXT)");
    file.refused(Emulator::builder(), &["another program"]).await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let file = StateFile::new();
    file.open().await.stop().await;
    execute(&file, "PRAGMA user_version = 99");
    let reason = ["version 99", "up to 1", "newer emulator"];
    file.refused(Emulator::builder(), &reason).await;
}

#[tokio::test]
async fn a_file_in_use_is_refused() {
    let file = StateFile::new();
    let other = file.open().await;
    let reason = ["in use by another emulator", "stop the other emulator"];
    file.refused(Emulator::builder(), &reason).await;
    other.stop().await;
}

#[tokio::test]
async fn a_file_of_another_enterprise_is_refused() {
    let file = StateFile::new();
    file.open().await.stop().await;
    let other = Emulator::builder().enterprise("ent-s3cret");
    file.refused(other, &["another enterprise"]).await;
}

#[tokio::test]
async fn a_file_of_another_seed_is_refused() {
    let file = StateFile::new();
    file.open().await.stop().await;
    let mut seed = WorkspaceFile::sample();
    let same = Emulator::builder().seed(seed.clone()).state(&file.0);
    Local::with(same).await.stop().await;
    seed.custom_fields.pop();
    let reason = ["another seed", "leave the seed out"];
    file.refused(Emulator::builder().seed(seed), &reason).await;
}

#[tokio::test]
async fn a_folder_is_refused() {
    let folder = Emulator::builder().state(std::env::temp_dir());
    let error = format!("{:#}", folder.start().await.unwrap_err());
    assert!(error.contains("is a folder"), "{error}");
}

#[tokio::test]
async fn a_write_protected_file_is_refused() {
    let file = StateFile::new();
    file.open().await.stop().await;
    let mut rights = std::fs::metadata(&file.0).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&file.0, rights).unwrap();
    // Rights do not bind root, for whom there is a unit test.
    if std::fs::File::options().write(true).open(&file.0).is_err() {
        file.refused(Emulator::builder(), &["check its permissions"]).await;
    }
}

#[tokio::test]
async fn a_file_in_a_missing_folder_is_refused() {
    let mut file = StateFile::new();
    file.0 = file.0.join("state.db");
    file.refused(Emulator::builder(), &["check its folder"]).await;
}

/// Asserts that a file is refused after this damage.
async fn assert_damage_refused(damage: &str, reason: &str) {
    let file = StateFile::new();
    let local = file.open().await;
    for n in 0..3 {
        local.create(json!({ "phone": format!("91999999999{n}") })).await;
    }
    local.stop().await;
    execute(&file, damage);
    file.refused(Emulator::builder(), &[reason]).await;
}

scenarios! { assert_damage_refused:
    a_missing_lead_is_refused("DELETE FROM lead WHERE place = 1", "a lead is missing")
    broken_json_is_refused("UPDATE lead SET json = '{' WHERE place = 0", "is damaged")
    missing_counters_are_refused("DELETE FROM counters", "is damaged")
}

/// A file as the first emulator with version 1 wrote it. It never changes. Later versions get files
/// of their own.
#[tokio::test]
async fn files_of_earlier_versions_are_opened() {
    let file = StateFile::new();
    let old = Connection::open(&file.0).unwrap();
    old.execute_batch(include_str!("../data/state-1.sql")).unwrap();
    drop(old);
    let local = file.open().await;
    assert_eq!(local.emulator.now(), "2026-04-01T00:00:01Z".parse().unwrap());
    let found = local.search(json!({})).await;
    assert_eq!(found["total_count"], 2);
    let asha = local.search(json!({ "fields": { "phone": "919999999999" } })).await;
    let id = asha["data"][0]["id"].as_str().unwrap();
    let (_, lead) = local.get(&format!("/lead/{id}?includeActions=true")).await;
    assert_eq!(lead["fields"]["contact_source"], "Fair");
    let types: Vec<_> =
        lead["actions"].as_array().unwrap().iter().map(|entry| entry["type"].clone()).collect();
    assert_eq!(types, ["OUTGOING_CALL", "PAYMENT", "1001"]);
    assert!(local.get("/custom-fields/contact_source").await.1.to_string().contains("Fair"));
    assert_eq!(local.get("/team-members").await.1["total_count"], 3);
    // One lead waits for the next one.
    local.push(json!({ "fields": { "phone": "917777777777" } })).await;
    assert_eq!(local.search(json!({})).await["total_count"], 4);
    local.stop().await;
    file.open().await.stop().await;
}

const CHILD_FILE: &str = "TELECRM_STATE_TEST_FILE";

/// The emulator of the child process.
#[tokio::test]
#[ignore = "other tests start it"]
async fn child() {
    let Ok(path) = std::env::var(CHILD_FILE) else {
        return;
    };
    let emulator = Emulator::builder().state(path).start().await.expect("starts");
    let place = format!("\nat {}\n", emulator.url());
    std::io::stdout().write_all(place.as_bytes()).expect("says where it is");
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_the_file_has_all_acknowledged_leads_in_whole() {
    let file = StateFile::new();
    let mut acknowledged = BTreeSet::new();
    for round in 0..3 {
        let (mut child, url) = file.open_in_a_child();
        let writers: Vec<_> = (0..4)
            .map(|writer| tokio::spawn(write(url.clone(), format!("9{round}{writer}"))))
            .collect();
        crate::timing::sleep(std::time::Duration::from_millis(300 + 50 * round)).await;
        // SIGKILL on Unix.
        child.kill().expect("killed");
        child.wait().expect("ends");
        for writer in writers {
            acknowledged.extend(writer.await.expect("ends by itself"));
        }
        let local = file.open().await;
        let total = local.search(json!({})).await["total_count"].as_u64().expect("a number");
        assert!(total >= acknowledged.len() as u64);
        let mut seen = BTreeSet::new();
        for skip in (0..total).step_by(100) {
            let (_, found) =
                local.post(&format!("/lead/search?limit=100&skip={skip}"), json!({})).await;
            for row in found["data"].as_array().expect("a list") {
                let id = row["id"].as_str().expect("an ID");
                let (_, lead) =
                    local.get(&format!("/lead/{id}?includeActions=true&limit=100")).await;
                assert_eq!(lead["actions"].as_array().expect("a list").len(), 2, "{lead}");
                seen.insert(lead["fields"]["phone"].as_str().expect("a number").to_owned());
            }
        }
        let lost: Vec<_> = acknowledged.difference(&seen).collect();
        assert!(lost.is_empty(), "acknowledged but lost: {lost:?}");
        local.stop().await;
    }
    assert!(acknowledged.len() > 20, "only {} were written", acknowledged.len());
}

/// Creates leads with two actions each until the emulator is gone. Returns the phone numbers of the
/// acknowledged leads.
async fn write(url: String, prefix: String) -> Vec<String> {
    let http = Client::new();
    let url = format!("{url}/autoupdate/v2/enterprise/ent-local/lead");
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let phone = format!("91{prefix}{n:07}");
        let action = json!({ "type": "1001", "fields": { "note": "x" } });
        let lead = json!({ "fields": { "phone": phone }, "actions": [action, action] });
        let request = http.request(Method::POST, &url).bearer_auth("sync-local-token");
        match request.json(&lead).send().await {
            Ok(answer) => {
                assert_eq!(answer.status(), 201);
                acknowledged.push(phone);
            }
            Err(_) => break,
        }
    }
    acknowledged
}
