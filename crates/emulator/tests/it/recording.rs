//! Recordings and their replay.

use crate::timing::sleep;
use crate::{Local, status};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use telecrm_emulator::{
    Builder, Emulator, Fault, FaultyAnswer, Profile, RateLimit, Recording, RecordingError,
};

/// A path that does not exist yet, removed at the end of the test.
struct Tape(PathBuf);

impl Tape {
    fn new(name: &str) -> Self {
        let name = format!("telecrm-recording-{}-{name}.jsonl", std::process::id());
        let tape = Self(std::env::temp_dir().join(name));
        let _ = std::fs::remove_file(&tape.0);
        tape
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).expect("a recording")
    }

    async fn play(&self) -> Local {
        let recording = Recording::read(&self.0).expect("a recording");
        Local::with(Emulator::builder().replay(recording)).await
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// All leads with their timelines.
async fn leads(local: &Local) -> Vec<Value> {
    let found = local.search(json!({})).await;
    let mut leads = vec![found.clone()];
    for row in found["data"].as_array().expect("a list") {
        let Some(id) = row["id"].as_str() else {
            continue;
        };
        leads.push(local.get(&format!("/lead/{id}?includeActions=true")).await.1);
    }
    leads
}

fn faulty(tape: &Tape) -> Builder {
    let busy = FaultyAnswer::new(503).header("Retry-After", "7").body("later").after_commit();
    Emulator::builder()
        .record(&tape.0)
        .enterprise("ent-taped")
        .sync_token("sync-s3cret")
        .another_sync_token("sync-s3cret-2")
        .profile(Profile::reported())
        .random_seed(7)
        .async_limit(RateLimit::per_hour(30).with_retry_after())
        .fault(Fault::answer(busy).on("createLead").nth(2))
        .fault(Fault::reset_after().on("createLead").nth(3))
        .fault(Fault::truncated().on("searchLeads").nth(1))
        .fault(Fault::latency(Duration::from_millis(150)).on("getMetadata").nth(1))
        .fault(Fault::process_twice().field("name", "Twice"))
        .fault(Fault::process_after_next().field("name", "Late"))
        .fault(Fault::answer(FaultyAnswer::new(500)).on("listTeamMembers").chance(0.5))
}

#[tokio::test]
async fn a_replayed_run_with_faults_has_the_same_answers() {
    let tape = Tape::new("same");
    let local = Local::with(faulty(&tape)).await;
    let create = |n: u32| {
        let lead = json!({ "fields": { "phone": format!("91999999999{n}"), "contact_source": format!("Source {n}") } });
        local.sync(Method::POST, "/lead").json(&lead)
    };
    assert_eq!(status(create(1)).await, 201);
    assert_eq!(status(create(2)).await, 503);
    assert!(create(3).send().await.is_err());
    assert_eq!(status(create(1)).await, 409);
    let search = local.sync(Method::POST, "/lead/search").json(&json!({}));
    assert!(search.send().await.expect("a head").bytes().await.is_err());
    // The slow call overlaps with other calls.
    let slow = tokio::spawn(local.sync(Method::GET, "/metadata").send());
    for name in ["Late", "Twice", "Plain"] {
        let lead = json!({ "fields": { "phone": "919999999990", "name": name }, "actions": [{ "type": "ACTION_1001" }] });
        assert_eq!(status(local.ingest().json(&lead)).await, 200);
    }
    assert_eq!(slow.await.expect("runs").expect("an answer").status(), 200);
    local.emulator.wait_idle().await;
    let mut team = Vec::new();
    for _ in 0..12 {
        team.push(status(local.sync(Method::GET, "/team-members")).await);
    }
    assert!(team.contains(&200) && team.contains(&500), "{team:?}");
    assert_eq!(status(local.sync(Method::GET, "/custom-fields?detail=x")).await, 400);
    let guessed = format!("{}/enterprise/ent-taped/metadata", local.emulator.sync_url());
    assert_eq!(status(local.http.get(guessed).bearer_auth("guess")).await, 401);
    assert_eq!(status(local.sync(Method::POST, "/lead").body(vec![0xff, 0x00, b'{'])).await, 400);
    let john = json!({ "name": "John", "email": "j@example.com", "phone_number": "919876543210", "role": "CALLER", "password": "hunter2" });
    assert_eq!(status(local.sync(Method::POST, "/team-members").json(&john)).await, 201);
    let cut_off =
        local.sync(Method::POST, "/team-members").body(r#"{"name": "John", "password": "hunter2"#);
    assert_eq!(status(cut_off).await, 400);

    let own = |method: Method, path: &str| {
        local.http.request(method, format!("{}/_emulator/{path}", local.emulator.url()))
    };
    assert_eq!(status(own(Method::POST, "snapshot")).await, 201);
    assert_eq!(
        status(own(Method::PATCH, "profile").json(&json!({ "async-answer": "ok" }))).await,
        200
    );
    assert_eq!(
        status(own(Method::POST, "clock").json(&json!({ "advance": 3_600_000, "hold": true })))
            .await,
        200
    );
    let refused = json!({ "operation": "getCustomField", "do": { "answer": { "status": 418 } } });
    assert_eq!(status(own(Method::POST, "faults").json(&refused)).await, 201);
    assert_eq!(status(local.sync(Method::GET, "/custom-fields/phone")).await, 418);
    // More requests than the limit allows, many of them in parallel.
    let pushes = (0..40).map(|n| {
        let lead = json!({ "fields": { "phone": format!("9188888888{n:02}") }, "actions": [{ "type": "ACTION_1001" }] });
        tokio::spawn(local.ingest().json(&lead).send())
    });
    let mut codes = Vec::new();
    for push in pushes.collect::<Vec<_>>() {
        codes.push(push.await.expect("runs").expect("an answer").status().as_u16());
    }
    assert_eq!(codes.iter().filter(|code| **code == 429).count(), 10);
    local.emulator.wait_idle().await;
    let id = local
        .emulator
        .log(0)
        .iter()
        .rev()
        .find_map(|entry| entry.stored.as_ref()?["id"].as_str().map(str::to_owned));
    let call = own(Method::POST, &format!("leads/{}/timeline", id.expect("stored")))
        .json(&json!({ "type": "OUTGOING_CALL" }));
    assert_eq!(status(call).await, 201);
    let before = leads(&local).await;
    let seen = local.emulator.log(0).len();
    local.emulator.shutdown().await;

    let text = tape.text();
    for secret in ["s3cret", "hunter2", "async-local-token", "guess"] {
        assert!(!text.contains(secret), "{secret} is in the recording");
    }
    let recording = Recording::read(&tape.0).expect("a recording");
    assert!(recording.calls() > 60, "{recording:?}");
    let again = tape.play().await;
    let differences: Vec<_> =
        again.emulator.differences().iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(again.emulator.log(0).len(), seen);
    assert_eq!(leads(&again).await, before, "the clock runs on from the end of the run");
    assert_eq!(again.emulator.enterprise(), "ent-taped");
    // The rules have counted the replayed calls, so this is not the first matching call.
    assert_eq!(status(again.sync(Method::GET, "/custom-fields/phone")).await, 418);
    // The rate limits have counted them too.
    let hour = Duration::from_secs(3600);
    again.emulator.advance_clock(hour).expect("a time");
    again.push_ok(json!({ "fields": { "phone": "917777777777" } })).await;
}

impl Local {
    /// Pushes a lead to an emulator that answers with a plain `OK`.
    async fn push_ok(&self, lead: Value) {
        let answer = self.ingest().json(&lead).send().await.expect("an answer");
        assert_eq!(answer.text().await.expect("a text"), "OK");
        self.emulator.wait_idle().await;
        assert_eq!(self.search(json!({ "fields": lead["fields"] })).await["total_count"], 1);
    }
}

/// Records the creation and the reading of a lead.
async fn record_a_lead(tape: &Tape) -> String {
    let local = Local::with(Emulator::builder().record(&tape.0)).await;
    local.create(json!({ "phone": "919999999999", "name": "Asha" })).await;
    local.only_lead().await;
    local.emulator.shutdown().await;
    tape.text()
}

#[tokio::test]
async fn a_differing_status_is_named() {
    let tape = Tape::new("status");
    let text = record_a_lead(&tape).await;
    let changed = text.replacen("\"status\":201", "\"status\":200", 1);
    // An incomplete last line is ignored.
    std::fs::write(&tape.0, changed + "{\"turn\":").unwrap();
    let again = tape.play().await;
    let [difference] = again.emulator.differences() else {
        panic!("{:?}", again.emulator.differences());
    };
    assert_eq!((difference.call, difference.method.as_str()), (1, "POST"));
    assert_eq!(
        difference.to_string(),
        "call 1: POST /autoupdate/v2/enterprise/ent-local/lead\n  status: recorded 200, answered 201"
    );
}

#[tokio::test]
async fn a_differing_field_is_named() {
    let tape = Tape::new("field");
    let text = record_a_lead(&tape).await;
    let changed = text.replace("Asha", "Asho").replacen("Asho", "Asha", 1);
    std::fs::write(&tape.0, changed).unwrap();
    let again = tape.play().await;
    let differences = again.emulator.differences().iter();
    let parts: Vec<_> = differences.flat_map(|d| d.parts.clone()).collect();
    let expected = "body.fields.name: recorded \"Asho\", answered \"Asha\"".to_owned();
    assert!(parts.contains(&expected), "{parts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_calls_are_replayed_in_order() {
    let tape = Tape::new("many");
    let local = Local::with(Emulator::builder().record(&tape.0)).await;
    let calls = (0..200).map(|n| {
        let lead = json!({
            "fields": { "phone": format!("9199999999{:02}", n % 7), "contact_source": format!("Source {n}") },
            "actions": [{ "type": if n % 2 == 0 { "1001" } else { "ACTION_1001" } }],
        });
        let request = match n % 2 {
            0 => local.sync(Method::POST, "/lead"),
            _ => local.ingest(),
        };
        tokio::spawn(request.json(&lead).send())
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.expect("runs").expect("an answer").status().as_u16() < 500);
    }
    local.emulator.wait_idle().await;
    let before = leads(&local).await;
    local.emulator.shutdown().await;
    let again = tape.play().await;
    let differences = again.emulator.differences().iter().map(ToString::to_string);
    assert_eq!(differences.collect::<Vec<_>>(), [""; 0]);
    assert_eq!(leads(&again).await, before);

    // The order of the lines does not matter.
    let text = tape.text();
    let (header, events) = text.split_once('\n').expect("lines");
    let mut lines = vec![header];
    lines.extend(events.lines().rev());
    std::fs::write(&tape.0, lines.join("\n") + "\n").expect("written");
    assert!(tape.play().await.emulator.differences().is_empty());
}

#[tokio::test]
async fn a_call_without_a_client_is_recorded_without_an_answer() {
    let tape = Tape::new("hang");
    let local = Local::with(Emulator::builder().record(&tape.0).fault(Fault::hang().nth(1))).await;
    let hung = local.sync(Method::GET, "/metadata").timeout(Duration::from_millis(100));
    assert!(hung.send().await.is_err());
    assert_eq!(local.get("/metadata").await.0, 200);
    local.emulator.shutdown().await;
    assert_eq!(tape.text().matches("\"fault\":\"hang\",\"answer\":null").count(), 1);
    let again = tape.play().await;
    assert!(again.emulator.differences().is_empty());
    assert_eq!(again.get("/metadata").await.0, 200);
}

#[tokio::test]
async fn a_slow_call_without_a_client_is_recorded_at_its_turn() {
    let tape = Tape::new("left");
    let slow = Fault::latency(Duration::from_secs(1)).times(1);
    let local = Local::with(Emulator::builder().record(&tape.0).fault(slow)).await;
    let create = |name: &str| {
        let lead = json!({ "fields": { "phone": "919999999999", "name": name } });
        local.ingest().json(&lead)
    };
    let impatient = create("Late").timeout(Duration::from_millis(300));
    assert!(impatient.send().await.is_err());
    assert_eq!(status(create("Soon")).await, 200);
    while local.emulator.log(0).len() < 2 {
        sleep(Duration::from_millis(10)).await;
    }
    local.emulator.wait_idle().await;
    let before = leads(&local).await;
    assert_eq!(before[1]["fields"]["name"], "Late", "it is the last lead");
    local.emulator.shutdown().await;

    let again = tape.play().await;
    assert_eq!(again.emulator.differences(), []);
    assert_eq!(leads(&again).await, before);
}

/// Asserts that a file with this content is refused with an error that names it.
async fn assert_refused(content: &str, reason: &str) {
    let tape = Tape::new("refused");
    std::fs::write(&tape.0, content).expect("written");
    let error: RecordingError = Recording::read(&tape.0).expect_err(content);
    let error = format!("{error:#}");
    assert!(error.contains(reason) && error.contains("telecrm-recording"), "{error}");
}

scenarios! { assert_refused:
    an_empty_file_is_refused("", "is not a recording")
    a_file_with_other_json_is_refused("{\"fields\": {}}\n", "is not a recording")
    a_recording_of_another_version_is_refused("{\"telecrm_recording\": 2}\n", "has version 2")
    a_damaged_header_is_refused("{\"telecrm_recording\": 1}\n", "damaged in line 1")
}

#[test]
fn a_missing_recording_is_refused() {
    let tape = Tape::new("missing");
    let error = Recording::read(&tape.0).unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
}

/// Makes a recording without any calls, and returns its text.
async fn record_nothing(tape: &Tape) -> String {
    let local = Local::with(Emulator::builder().record(&tape.0)).await;
    local.emulator.shutdown().await;
    tape.text()
}

#[tokio::test]
async fn a_damaged_event_is_refused() {
    let tape = Tape::new("event");
    let header = record_nothing(&tape).await;
    assert_refused(&format!("{header}{{}}\n"), "damaged in line 2").await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_a_recording() {
    let tape = Tape::new("private");
    record_nothing(&tape).await;
    let file = std::fs::metadata(&tape.0).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.permissions());
    assert_eq!(mode & 0o777, 0o600);
}

/// Asserts that a recording with this number of tokens cannot be replayed.
async fn assert_token_count_refused(name: &str, count: &str) {
    let tape = Tape::new(name);
    let header = record_nothing(&tape).await;
    let tokens = format!("\"sync_tokens\":{count}");
    std::fs::write(&tape.0, header.replace("\"sync_tokens\":1", &tokens)).expect("written");
    let recording = Recording::read(&tape.0).expect("a recording");
    let error = Emulator::builder().replay(recording).start().await;
    let error = format!("{:#}", error.expect_err("refused"));
    assert!(error.contains("damaged in line 1"), "{error}");
}

scenarios! { assert_token_count_refused:
    a_recording_without_tokens_is_refused("no-token", "0")
    a_recording_with_too_many_tokens_is_refused("many-tokens", "4000000000")
}

#[tokio::test]
async fn an_existing_file_is_not_overwritten() {
    let tape = Tape::new("existing");
    record_nothing(&tape).await;
    let error = Emulator::builder().record(&tape.0).start().await;
    let error = format!("{:#}", error.unwrap_err());
    assert!(error.contains("choose another name"), "{error}");
}

#[tokio::test]
async fn a_recording_with_a_state_file_is_refused() {
    let tape = Tape::new("both");
    let builder = Emulator::builder().record(&tape.0).state("x.db");
    let error = format!("{:#}", builder.start().await.unwrap_err());
    assert!(error.contains("state file"), "{error}");
}
