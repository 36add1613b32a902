//! Runs that are recorded and run again.

use crate::clock::sleep;
use crate::{Local, answer, status};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use telecrm_emulator::{
    Builder, Emulator, Fault, FaultyAnswer, Profile, RateLimit, Recording, RecordingError,
};

/// A file of its own, which is not there yet.
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

/// What a search finds, with the timelines.
async fn leads(local: &Local) -> Vec<Value> {
    let found = local.search(json!({})).await;
    let mut leads = vec![found.clone()];
    for row in found["data"].as_array().expect("a list") {
        let Some(id) = row["id"].as_str() else {
            continue;
        };
        leads.push(
            local
                .get(&format!("/lead/{id}?includeActions=true"))
                .await
                .1,
        );
    }
    leads
}

fn faulty(tape: &Tape) -> Builder {
    let busy = FaultyAnswer::new(503)
        .header("Retry-After", "7")
        .body("later")
        .after_commit();
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
        .fault(
            Fault::latency(Duration::from_millis(150))
                .on("getMetadata")
                .nth(1),
        )
        .fault(Fault::process_twice().field("name", "Twice"))
        .fault(Fault::process_after_next().field("name", "Late"))
        .fault(
            Fault::answer(FaultyAnswer::new(500))
                .on("listTeamMembers")
                .chance(0.5),
        )
}

#[tokio::test]
async fn a_run_with_faults_is_answered_the_same_again() {
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
    // The slow call overlaps with others.
    let slow = tokio::spawn(local.sync(Method::GET, "/metadata").send());
    for name in ["Late", "Twice", "Plain"] {
        let lead = json!({ "fields": { "phone": "919999999990", "name": name }, "actions": [{ "type": "ACTION_1001" }] });
        assert_eq!(answer(local.ingest().json(&lead)).await.0, 200);
    }
    assert_eq!(slow.await.expect("runs").expect("an answer").status(), 200);
    local.emulator.wait_idle().await;
    let mut team = Vec::new();
    for _ in 0..12 {
        team.push(status(local.sync(Method::GET, "/team-members")).await);
    }
    assert!(team.contains(&200) && team.contains(&500), "{team:?}");
    assert_eq!(
        status(local.sync(Method::GET, "/custom-fields?detail=x")).await,
        400
    );
    let guessed = format!(
        "{}/enterprise/ent-taped/metadata",
        local.emulator.sync_url()
    );
    assert_eq!(
        status(local.http.get(guessed).bearer_auth("guess")).await,
        401
    );
    assert_eq!(
        status(
            local
                .sync(Method::POST, "/lead")
                .body(vec![0xff, 0x00, b'{'])
        )
        .await,
        400
    );
    let john = json!({ "name": "John", "email": "j@example.com", "phone_number": "919876543210", "role": "CALLER", "password": "hunter2" });
    assert_eq!(
        status(local.sync(Method::POST, "/team-members").json(&john)).await,
        201
    );
    let cut_off = local
        .sync(Method::POST, "/team-members")
        .body(r#"{"name": "John", "password": "hunter2"#);
    assert_eq!(status(cut_off).await, 400);

    let own = |method: Method, path: &str| {
        local
            .http
            .request(method, format!("{}/_emulator/{path}", local.emulator.url()))
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
    assert_eq!(
        status(own(Method::POST, "faults").json(&refused)).await,
        201
    );
    assert_eq!(
        status(local.sync(Method::GET, "/custom-fields/phone")).await,
        418
    );
    // More than the limit, many at once.
    let pushes = (0..40).map(|n| {
        let lead = json!({ "fields": { "phone": format!("9188888888{n:02}") }, "actions": [{ "type": "ACTION_1001" }] });
        tokio::spawn(local.ingest().json(&lead).send())
    });
    let mut codes = Vec::new();
    for push in pushes.collect::<Vec<_>>() {
        codes.push(
            push.await
                .expect("runs")
                .expect("an answer")
                .status()
                .as_u16(),
        );
    }
    assert_eq!(codes.iter().filter(|code| **code == 429).count(), 10);
    local.emulator.wait_idle().await;
    let id = local
        .emulator
        .log(0)
        .iter()
        .rev()
        .find_map(|entry| entry.stored.as_ref()?["id"].as_str().map(str::to_owned));
    let call = own(
        Method::POST,
        &format!("leads/{}/timeline", id.expect("stored")),
    )
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
    let differences: Vec<_> = again
        .emulator
        .differences()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(again.emulator.log(0).len(), seen);
    assert_eq!(
        leads(&again).await,
        before,
        "it goes on from the end of the run"
    );
    assert_eq!(again.emulator.enterprise(), "ent-taped");
    // The rules have counted on, so the call that would be the first is not.
    assert_eq!(
        status(again.sync(Method::GET, "/custom-fields/phone")).await,
        418
    );
    // So have the limits.
    let hour = Duration::from_secs(3600);
    again.emulator.advance_clock(hour).expect("a time");
    again
        .push_ok(json!({ "fields": { "phone": "917777777777" } }))
        .await;
}

impl Local {
    /// Sends a lead through the Async API that answers with a plain `OK`.
    async fn push_ok(&self, lead: Value) {
        let answer = self.ingest().json(&lead).send().await.expect("an answer");
        assert_eq!(answer.text().await.expect("a text"), "OK");
        self.emulator.wait_idle().await;
        assert_eq!(
            self.search(json!({ "fields": lead["fields"] })).await["total_count"],
            1
        );
    }
}

#[tokio::test]
async fn what_is_answered_otherwise_is_named() {
    let tape = Tape::new("other");
    let local = Local::with(Emulator::builder().record(&tape.0)).await;
    local
        .create(json!({ "phone": "919999999999", "name": "Asha" }))
        .await;
    local.only_lead().await;
    local.emulator.shutdown().await;

    let text = tape.text();
    // The answer of the first call and the request of the second are not what they were.
    let changed = text.replacen("\"status\":201", "\"status\":200", 1);
    std::fs::write(&tape.0, changed + "{\"turn\":").unwrap();
    let again = tape.play().await;
    let [difference] = again.emulator.differences() else {
        panic!("{:?}", again.emulator.differences());
    };
    assert_eq!((difference.call, difference.method.as_str()), (1, "POST"));
    assert_eq!(
        difference.to_string(),
        "call 1: POST /autoupdate/v2/enterprise/ent-local/lead\n  status: 200 was recorded, 201 came"
    );

    std::fs::write(
        &tape.0,
        text.replace("Asha", "Asho").replacen("Asho", "Asha", 1),
    )
    .unwrap();
    let again = tape.play().await;
    let parts: Vec<_> = again
        .emulator
        .differences()
        .iter()
        .flat_map(|d| d.parts.clone())
        .collect();
    assert!(
        parts.contains(&"body.fields.name: \"Asho\" was recorded, \"Asha\" came".to_owned()),
        "{parts:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_at_the_same_time_come_out_in_the_order_in_which_they_were_carried_out() {
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
        assert!(
            call.await
                .expect("runs")
                .expect("an answer")
                .status()
                .as_u16()
                < 500
        );
    }
    local.emulator.wait_idle().await;
    let before = leads(&local).await;
    local.emulator.shutdown().await;
    let again = tape.play().await;
    let differences = again.emulator.differences().iter().map(ToString::to_string);
    assert_eq!(differences.collect::<Vec<_>>(), [""; 0]);
    assert_eq!(leads(&again).await, before);

    // Whatever the order of the lines.
    let text = tape.text();
    let (header, events) = text.split_once('\n').expect("lines");
    let mut lines = vec![header];
    lines.extend(events.lines().rev());
    std::fs::write(&tape.0, lines.join("\n") + "\n").expect("written");
    assert!(tape.play().await.emulator.differences().is_empty());
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_recorded_without_an_answer() {
    let tape = Tape::new("hang");
    let local = Local::with(
        Emulator::builder()
            .record(&tape.0)
            .fault(Fault::hang().nth(1)),
    )
    .await;
    let hung = local
        .sync(Method::GET, "/metadata")
        .timeout(Duration::from_millis(100));
    assert!(hung.send().await.is_err());
    assert_eq!(local.get("/metadata").await.0, 200);
    local.emulator.shutdown().await;
    assert_eq!(
        tape.text()
            .matches("\"fault\":\"hang\",\"answer\":null")
            .count(),
        1
    );
    let again = tape.play().await;
    assert!(again.emulator.differences().is_empty());
    assert_eq!(again.get("/metadata").await.0, 200);
}

#[tokio::test]
async fn a_slow_call_whose_caller_left_is_recorded_where_it_was_carried_out() {
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
    assert_eq!(before[1]["fields"]["name"], "Late", "it came last");
    local.emulator.shutdown().await;

    let again = tape.play().await;
    assert_eq!(again.emulator.differences(), []);
    assert_eq!(leads(&again).await, before);
}

#[tokio::test]
async fn what_is_no_recording_is_refused() {
    let tape = Tape::new("bad");
    let refused = |content: &str, said: &str| {
        std::fs::write(&tape.0, content).unwrap();
        let error: RecordingError = Recording::read(&tape.0).expect_err(content);
        let error = error.to_string();
        assert!(
            error.contains(said) && error.contains("telecrm-recording"),
            "{error}"
        );
    };
    refused("", "is no recording");
    refused("{\"fields\": {}}\n", "is no recording");
    refused("{\"telecrm_recording\": 2}\n", "is of version 2");
    refused("{\"telecrm_recording\": 1}\n", "damaged in line 1");
    std::fs::remove_file(&tape.0).unwrap();
    assert!(
        Recording::read(&tape.0)
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );

    Local::with(Emulator::builder().record(&tape.0))
        .await
        .emulator
        .shutdown()
        .await;
    let header = tape.text();
    #[cfg(unix)]
    {
        let file = std::fs::metadata(&tape.0).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.permissions());
        assert_eq!(mode & 0o777, 0o600, "others cannot read what was sent");
    }
    for tokens in ["0", "4000000000"] {
        let tokens = format!("\"sync_tokens\":{tokens}");
        std::fs::write(&tape.0, header.replace("\"sync_tokens\":1", &tokens)).unwrap();
        let recording = Recording::read(&tape.0).unwrap();
        let error = Emulator::builder().replay(recording).start().await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("damaged in line 1"), "{error}");
    }
    refused(&format!("{header}{{}}\n"), "damaged in line 2");
    let again = Emulator::builder()
        .record(&tape.0)
        .start()
        .await
        .unwrap_err()
        .to_string();
    assert!(again.contains("choose another name"), "{again}");
    let both = Emulator::builder()
        .record(&tape.0)
        .state("x.db")
        .start()
        .await;
    assert!(both.unwrap_err().to_string().contains("state file"));
}
