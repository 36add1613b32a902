//! The facade against the emulator, and against servers that answer otherwise.

use crate::support::{builder, client};
use httpmock::{Method, MockServer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ActionKind, ActionStatus, AsyncToken, CallOptions, Currency, CustomAction, ErrorCode,
    FieldPath, Filter, Finding, FindingKind, Lead, MatchedBy, Operation, PageRequest, Payment,
    Phase, Receipt, SyncToken, Telecrm, Upserted, Verification, WorkspaceFile,
};
use telecrm_emulator::Emulator;

fn lead() -> Lead {
    Lead::new()
        .set("phone", "919999999999")
        .set("name", "Jane Doe")
}

/// The sample workspace, as it is where nobody says which country it is in.
fn without_a_country() -> WorkspaceFile {
    let mut file = WorkspaceFile::sample();
    file.emulator.remove("defaultCountry");
    file
}

fn visit(note: &str) -> CustomAction {
    CustomAction::new(1001).expect("a code").field("note", note)
}

#[tokio::test]
async fn the_whole_circle_discover_check_send_inspect_verify() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = builder(&emulator)
        .verify_timeout(Duration::from_secs(10))
        .build()
        .expect("builds");
    let workspace = telecrm.workspace().await.expect("discovered");
    let written = Lead::new()
        .set("phone", "+91 99999 99999")
        .set("status", "qualified")
        .set("follow_up_date", "2026-06-01T10:30:00+05:30")
        .action(visit("Site visit completed"))
        .action(Payment::completed(
            "5000".parse().expect("an amount"),
            Currency::Inr,
        ));
    let clean = workspace.check(&written).complete().expect("sendable");

    let receipt = telecrm.ingest().push(&clean).await.expect("queued");
    let Verification::Stored(stored) = telecrm.ingest().verify(&receipt).await.expect("readable")
    else {
        panic!("not stored");
    };
    assert_eq!(stored.get("status"), Some(&"Qualified".into()));
    assert_eq!(
        stored.get("follow_up_date"),
        Some(&1_780_290_000_000_i64.into())
    );
}

#[tokio::test]
async fn en6_discovery_says_how_it_found_the_identifier() {
    for (declared, flagged, expected, by) in [
        ("5f8a1b2c3d4e5f6a7b8c9d03", "phone", "email", MatchedBy::Id),
        ("email", "phone", "email", MatchedBy::ApiName),
        ("unheard-of", "email", "email", MatchedBy::IsLeadId),
        ("unheard-of", "", "phone", MatchedBy::Default),
    ] {
        let mut seed = WorkspaceFile::sample();
        let metadata = seed.metadata.get_or_insert_default();
        metadata.insert("leadIdentifierFieldId".into(), declared.into());
        for field in &mut seed.custom_fields {
            let flag = field["apiName"] == flagged;
            field.insert("isLeadid".into(), flag.into());
        }
        let emulator = Emulator::builder()
            .seed(seed)
            .start()
            .await
            .expect("starts");
        let workspace = client(&emulator).workspace().await.expect("discovered");
        let identifier = workspace.identifier();
        assert_eq!(
            (identifier.api_name(), identifier.matched_by()),
            (expected, by),
            "{declared}"
        );
        let disagrees = expected == "email" && flagged == "phone";
        assert_eq!(identifier.disagreement(), disagrees.then_some("phone"));
    }
}

#[tokio::test]
async fn discovery_asks_once_and_again_when_told() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let (one, other) = tokio::join!(telecrm.workspace(), telecrm.workspace());
    assert!(std::sync::Arc::ptr_eq(
        &one.expect("discovered"),
        &other.expect("discovered")
    ));
    assert_eq!(emulator.log(0).len(), 4, "four requests, once");
    telecrm.refresh_workspace().await.expect("discovered");
    assert_eq!(emulator.log(0).len(), 8);
}

#[tokio::test]
async fn both_shapes_of_the_pipeline_are_understood() {
    let mut seed = WorkspaceFile::sample();
    let reported = json!({ "statuses": ["Fresh", { "label": "Hot" }], "lostReasons": ["No Need"] });
    seed.pipeline = reported.as_object().cloned();
    let emulator = Emulator::builder()
        .seed(seed)
        .start()
        .await
        .expect("starts");
    let workspace = client(&emulator).workspace().await.expect("discovered");
    let pipeline = workspace.pipeline().expect("told");
    assert_eq!(
        pipeline.active_statuses().collect::<Vec<_>>(),
        ["Fresh", "Hot"]
    );
    assert_eq!(
        pipeline.active_lost_reasons().collect::<Vec<_>>(),
        ["No Need"]
    );
}

#[tokio::test]
async fn le2_creation_tells_what_was_ignored() {
    let emulator = Emulator::start().await.expect("starts");
    let sent = lead()
        .set("rating", 9)
        .action(visit("first"))
        .action(CustomAction::new(9999).expect("a code"));
    let outcome = client(&emulator)
        .leads()
        .create(&sent)
        .await
        .expect("created");
    assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
    let statuses: Vec<_> = outcome
        .actions()
        .iter()
        .map(|action| &action.status)
        .collect();
    assert_eq!(statuses, [&ActionStatus::Created, &ActionStatus::Ignored]);
    let incomplete = outcome.complete().expect_err("parts were ignored");
    let remark = &incomplete.outcome().remarks()[0];
    assert_eq!(remark.path, FieldPath::Field("rating".into()));
    assert_eq!(remark.sent, Some(9.into()));
}

#[tokio::test]
async fn ac2_creation_sends_the_bare_code() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let sent = lead().action(visit("first"));
    let created = telecrm
        .leads()
        .create(&sent)
        .await
        .expect("created")
        .complete()
        .expect("complete");
    let slice = PageRequest { skip: 0, limit: 5 };
    let read = telecrm
        .leads()
        .get_with_actions(&created.lead_id, slice)
        .await
        .expect("read");
    assert_eq!(read.actions()[0].kind(), ActionKind::Custom(1001.into()));
    assert!(
        telecrm
            .leads()
            .get(&created.lead_id)
            .await
            .expect("read")
            .actions()
            .is_empty()
    );
}

#[tokio::test]
async fn le4_a_second_creation_is_refused() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let _ = telecrm.leads().create(&lead()).await.expect("created");
    let error = telecrm.leads().create(&lead()).await.expect_err("exists");
    assert!(error.is_already_exists());
    assert_eq!(error.code(), Some(&ErrorCode::LeadAlreadyExists));
    assert!(!error.is_outcome_unknown());
}

#[tokio::test]
async fn le1_le8_le9_what_an_update_would_lose_is_refused_before_it_is_sent() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let id = telecrm
        .leads()
        .create(&lead())
        .await
        .expect("created")
        .accept_partial()
        .lead_id;
    let update = |name: &str, value: telecrm::FieldValue| {
        let fields = BTreeMap::from([(name.to_owned(), value)]);
        let (telecrm, id) = (telecrm.clone(), id.clone());
        async move { telecrm.leads().update(&id, fields).await }
    };
    let before = emulator.log(0).len();
    for (name, value, reason) in [
        ("phone", "918888888888".into(), "LE1"),
        ("rating", 7.into(), "AS3"),
        ("status", "Aliens".into(), "LE8"),
        ("nonsense", 1.into(), "AS6"),
    ] {
        let error = update(name, value).await.expect_err(reason);
        assert_eq!(error.phase(), Phase::NotBuilt);
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(
            error.finding().expect("told").path,
            FieldPath::Field(name.to_owned())
        );
    }
    let sent = emulator.log(0).split_off(before);
    assert!(
        sent.iter().all(|call| call.method == "GET"),
        "only the workspace was read"
    );
    for (written, stored) in [("Won", "Won"), ("lost", "Lost")] {
        let updated = update("status", written.into()).await.expect("updated");
        let updated = updated.complete().expect("complete");
        assert_eq!(updated.get("status"), Some(&stored.into()));
    }
    // A tag that nobody knows yet, beside one that nobody filled in.
    let updated = update("interests", telecrm::FieldValue::from(["Solar", " "])).await;
    let updated = updated.expect("updated");
    let path = FieldPath::Field("interests".to_owned());
    assert_eq!(updated.remarks()[0].path, path);
    assert_eq!(
        (updated.findings()[0].kind, &updated.findings()[0].path),
        (FindingKind::OptionCreated, &path)
    );
    let updated = updated.accept_partial();
    assert_eq!(updated.get("interests"), Some(&["Solar"].into()));
    // Seconds, which telecrm takes for milliseconds.
    let updated = update("follow_up_date", 1_780_000_000.into()).await;
    let found = &updated.expect("updated").findings()[0].clone();
    assert_eq!(found.kind, FindingKind::ValueChanged);
    assert_eq!(found.path, FieldPath::Field("follow_up_date".to_owned()));
    let missing = telecrm
        .leads()
        .update("62ab16e", BTreeMap::new())
        .await
        .expect_err("no such lead");
    assert_eq!(missing.code(), Some(&ErrorCode::LeadNotFound));
}

#[tokio::test]
async fn upsert_creates_and_then_updates_and_says_so() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let Upserted::Created(created) = telecrm.leads().upsert(&lead()).await.expect("created") else {
        panic!("there was no such lead");
    };
    let id = created.complete().expect("complete").lead_id;
    let again = Lead::new().set("phone", "+919999999999").set("rating", 4);
    let Upserted::Updated {
        lead_id,
        lead,
        actions,
    } = telecrm.leads().upsert(&again).await.expect("updated")
    else {
        panic!("there was such a lead");
    };
    assert_eq!((lead_id, actions), (id, None));
    assert!(lead.findings().is_empty());
    let lead = lead.complete().expect("complete");
    assert_eq!(lead.get("rating"), Some(&4.into()));
    assert_eq!(
        lead.get("name"),
        Some(&"Jane Doe".into()),
        "the others stay"
    );
}

#[tokio::test]
async fn en5_as6_an_upsert_tells_what_no_answer_does() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let written = |source: &str, outcome: &str| {
        let lead = json!({ "campaign": "June", "fields": { "phone": "919999999999", "contact_source": source },
            "actions": [{ "type": "ACTION_1001", "fields": { "outcome": outcome } }] });
        Lead::from_json(lead).expect("a lead")
    };
    let told = |findings: &[Finding]| -> Vec<String> {
        let findings = findings.iter();
        findings.map(|f| format!("{} {}", f.path, f.kind)).collect()
    };
    let expected = [
        "campaign field_dropped",
        "fields.contact_source option_created",
        "actions[0].fields.outcome option_created",
    ];
    let lead = written("Billboard", "Perhaps");
    let Ok(Upserted::Created(created)) = telecrm.leads().upsert(&lead).await else {
        panic!("there was no such lead");
    };
    assert_eq!(told(created.findings()), expected);
    let incomplete = created.complete().expect_err("the campaign is lost");
    assert!(incomplete.to_string().contains("campaign"), "{incomplete}");

    // A label in another case is mended before it is written, and so creates nothing.
    for (source, count) in [("Radio", 3), ("website", 2)] {
        let lead = written(source, &format!("{source} call"));
        let Ok(Upserted::Updated { lead, actions, .. }) = telecrm.leads().upsert(&lead).await
        else {
            panic!("there was such a lead");
        };
        let actions = actions.expect("there was one");
        let findings = [lead.findings(), actions.findings()].concat();
        assert!(lead.complete().is_err(), "the campaign is lost");
        assert_eq!(findings.len(), count, "{source}: {:?}", told(&findings));
        assert!(
            expected
                .iter()
                .filter(|e| told(&findings).contains(&(**e).to_owned()))
                .count()
                == count
        );
    }
    let plain =
        Lead::from_json(json!({ "fields": { "phone": "918888888888" }, "campaign": "June" }));
    let created = telecrm.leads().create(&plain.expect("a lead")).await;
    assert!(
        created.expect("created").complete().is_err(),
        "and so does a plain creation"
    );
}

/// A workspace that has the lead already, and what becomes of its actions.
fn existing(actions: Response) -> FakeTelecrm {
    let exists = Response::refusal(409, ErrorCode::LeadAlreadyExists, "exists");
    let row = json!({ "id": "l1", "fields": { "phone": "919999999999" } });
    FakeTelecrm::new()
        .on(Operation::CreateLead, exists)
        .on(Operation::SearchLeads, Response::page([row.clone()]))
        .on(Operation::UpdateLead, Response::json(row.clone()))
        .on(Operation::GetLead, Response::json(row))
        .on(Operation::CreateActions, actions)
}

#[tokio::test]
async fn an_upsert_that_stops_halfway_tells_what_is_written() {
    let refused = || Response::refusal(400, ErrorCode::BadRequest, "no such action");
    for (answer, rated, text) in [
        (
            refused(),
            true,
            "creating actions failed: the server answered 400 BAD_REQUEST: no such action; \
             the fields of the lead were written before, and its actions are left",
        ),
        (
            Response::timeout(),
            true,
            "creating actions failed: no answer came in time; \
             the fields of the lead were written before, and its actions are left; \
             it cannot be told whether any of them were written",
        ),
        (
            refused(),
            false,
            "creating actions failed: the server answered 400 BAD_REQUEST: no such action",
        ),
    ] {
        let fake = existing(answer);
        let mut lead = Lead::new()
            .set("phone", "919999999999")
            .action(visit("called"));
        if rated {
            lead = lead.set("rating", 4);
        }
        let error = fake.client().leads().upsert(&lead).await;
        let error = error.expect_err("the actions are not there");
        assert_eq!(error.to_string(), text);
        assert_eq!(error.updated_lead(), rated.then_some("l1"));
        assert_eq!(
            fake.sent_to(Operation::UpdateLead).len(),
            usize::from(rated)
        );
    }
}

#[tokio::test]
async fn ac1_an_upsert_writes_nothing_if_its_actions_cannot_be_appended() {
    let fake = existing(Response::created("l1"));
    let lead = json!({ "fields": { "phone": "919999999999", "rating": 4 }, "actions": [{ "type": "CALL" }] });
    let lead = Lead::from_json(lead).expect("a lead");
    let error = fake.client().leads().upsert(&lead).await.expect_err("AC1");
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert!(error.to_string().contains("AC1"), "{error}");
    assert!(fake.sent_to(Operation::UpdateLead).is_empty());
}

#[tokio::test]
async fn the_schema_is_read_endpoint_by_endpoint() {
    let emulator = Emulator::start().await.expect("starts");
    let schema = client(&emulator).schema();
    assert_eq!(
        schema
            .metadata()
            .await
            .expect("read")
            .lead_identifier_field_id(),
        Some("phone")
    );
    assert_eq!(schema.fields().await.expect("read").len(), 16);
    let field = schema.field("follow_up_date").await.expect("read");
    assert_eq!(
        (field.field_type(), field.date_format()),
        (Some("DATE"), Some("DD/MM/YYYY"))
    );
    assert!(
        schema
            .field("Follow_up_date")
            .await
            .expect_err("EN2")
            .is_not_found()
    );
    assert_eq!(schema.actions().await.expect("read").len(), 2);
    let action = schema.action(1001).await.expect("EN4: the prefix is added");
    assert_eq!(
        (action.code(), action.score()),
        (Some("ACTION_1001"), Some(10))
    );
    assert_eq!(
        schema
            .pipeline()
            .await
            .expect("read")
            .active_statuses()
            .count(),
        5
    );
}

#[tokio::test]
async fn search_filters_and_pages() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    for serial in 0..12 {
        let status = if serial % 3 == 0 { "Won" } else { "Fresh" };
        let lead = Lead::new()
            .set("phone", format!("9199999999{serial:02}"))
            .set("status", status);
        let _ = telecrm.leads().create(&lead).await.expect("created");
    }
    let all = telecrm
        .leads()
        .search(&Filter::new(), PageRequest::default())
        .await
        .expect("found");
    assert_eq!((all.data.len(), all.total_count, all.limit), (10, 12, 10));
    assert_eq!(
        all.data[0].get("phone"),
        Some(&"919999999911".into()),
        "newest first"
    );
    let won = Filter::new().any_of("status", ["Won", "Lost"]);
    let won = telecrm
        .leads()
        .search(&won, PageRequest { skip: 1, limit: 2 })
        .await
        .expect("found");
    assert_eq!((won.data.len(), won.total_count, won.skip), (2, 4, 1));

    let error = telecrm
        .leads()
        .search(
            &Filter::new(),
            PageRequest {
                skip: 0,
                limit: 101,
            },
        )
        .await;
    let error = error.expect_err("LE5: refused before it is sent");
    assert_eq!(error.phase(), Phase::NotBuilt);
}

#[tokio::test]
async fn as5_equal_actions_from_before_are_told_apart() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let sent = lead().action(visit("same note"));
    let first = telecrm.ingest().push(&sent).await.expect("queued");
    emulator.settle().await;
    assert!(matches!(
        telecrm.ingest().verify(&first).await,
        Ok(Verification::Stored(_))
    ));

    // The second request is taken, and worked through only later: the first action is no proof.
    let baseline = telecrm.ingest().baseline(&sent).await.expect("read");
    let second = telecrm.ingest().push(&lead()).await.expect("queued");
    emulator.settle().await;
    drop(second);
    let claimed = telecrm.ingest().push(&sent).await.expect("queued");
    emulator.settle().await;
    let claimed = claimed.since(baseline.clone());
    assert!(matches!(
        telecrm.ingest().verify(&claimed).await,
        Ok(Verification::Stored(_))
    ));

    let again = telecrm.ingest().baseline(&sent).await.expect("read");
    let never_sent = claimed.since(again);
    let Ok(Verification::Differs { losses, .. }) = telecrm.ingest().verify(&never_sent).await
    else {
        panic!("nothing new is on the timeline");
    };
    assert_eq!(losses[0].path, FieldPath::Action(0));
}

#[tokio::test]
async fn id2_the_lead_of_another_country_is_not_the_one_that_is_meant() {
    let row = |id: &str, phone: &str| json!({ "id": id, "fields": { "phone": phone, "name": "Jane Doe" } });
    let (indian, singaporean) = (row("in", "916591234567"), row("sg", "6591234567"));
    let exists = || Response::refusal(409, ErrorCode::LeadAlreadyExists, "exists");
    for (rows, stored) in [
        (vec![indian.clone()], None),
        (vec![indian, singaporean], Some("sg")),
    ] {
        let fake = FakeTelecrm::new()
            .always(Operation::CreateOrUpdateLead, Response::queued())
            .always(Operation::CreateLead, exists())
            .always(Operation::SearchLeads, Response::page(rows))
            .always(
                Operation::UpdateLead,
                Response::json(json!({ "fields": {} })),
            );
        let telecrm = fake.builder().verify_timeout(Duration::ZERO).build();
        let telecrm = telecrm.expect("builds");
        let lead = Lead::new()
            .set("phone", "+6591234567")
            .set("name", "Jane Doe");
        let receipt = telecrm.ingest().push(&lead).await.expect("queued");
        let found = match telecrm.ingest().verify(&receipt).await.expect("read") {
            Verification::Stored(lead) => lead.id().map(str::to_owned),
            Verification::Missing(_) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(found.as_deref(), stored);
        let upserted = telecrm.leads().upsert(&lead).await;
        assert_eq!(upserted.is_ok(), stored.is_some(), "{upserted:?}");
        let written = fake.sent_to(Operation::UpdateLead);
        let paths: Vec<_> = written.iter().map(|sent| sent.path().to_owned()).collect();
        let expected = stored.map(|id| format!("/lead/{id}"));
        assert_eq!(paths, Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn le7_without_ids_actions_cannot_be_read_back() {
    let emulator = Emulator::builder()
        .search_ids(false)
        .start()
        .await
        .expect("starts");
    let telecrm = client(&emulator);
    let receipt = telecrm
        .ingest()
        .push(&lead().action(visit("x")))
        .await
        .expect("queued");
    let plain = telecrm
        .ingest()
        .push(&Lead::new().set("phone", "918888888888"))
        .await
        .expect("queued");
    emulator.settle().await;
    let Ok(Verification::Unknown { reason, .. }) = telecrm.ingest().verify(&receipt).await else {
        panic!("actions cannot be seen");
    };
    assert!(reason.contains("LE7"), "{reason}");
    assert!(matches!(
        telecrm.ingest().verify(&plain).await,
        Ok(Verification::Stored(_))
    ));
}

#[tokio::test]
async fn verify_waits_for_the_background_and_no_longer_than_told() {
    let emulator = Emulator::builder()
        .processing_delay(Duration::from_millis(300))
        .start()
        .await
        .expect("starts");
    let telecrm = builder(&emulator)
        .verify_timeout(Duration::from_secs(20))
        .build()
        .expect("builds");
    let receipt = telecrm.ingest().push(&lead()).await.expect("queued");
    assert!(matches!(
        telecrm.ingest().verify(&receipt).await,
        Ok(Verification::Stored(_))
    ));

    let impatient = client(&emulator);
    let receipt = impatient
        .ingest()
        .push(&Lead::new().set("phone", "918888888888"))
        .await
        .expect("queued");
    assert!(matches!(
        impatient.ingest().verify(&receipt).await,
        Ok(Verification::Missing(_))
    ));
}

#[tokio::test]
async fn as3_verify_looks_once_for_a_lead_that_is_documented_to_be_dropped() {
    for (phone, is_documented) in [
        ("99999", true),
        // Nobody says what telecrm makes of blanks, nor in which country this workspace is.
        ("+91 99999 99999", false),
        ("50123456", false),
    ] {
        let nobody: [Value; 0] = [];
        let fake = FakeTelecrm::new()
            .workspace(&without_a_country())
            .always(Operation::CreateOrUpdateLead, Response::queued())
            .always(Operation::SearchLeads, Response::page(nobody));
        let ingest = fake.client().ingest();
        let lead = Lead::new().set("phone", phone);
        let receipt = ingest.push(&lead).await.expect("queued");
        let verdict = ingest.verify(&receipt).await.expect("read");
        let Verification::Missing(finding) = verdict else {
            panic!("{phone}: {verdict:?}");
        };
        assert!(
            finding.to_string().contains("lead dropped"),
            "{phone}: {finding}"
        );
        let looks = fake.sent_to(Operation::SearchLeads).len();
        assert_eq!(looks == 1, is_documented, "{phone}: {looks}");
        let whole = fake.clock().slept() >= Duration::from_secs(30);
        assert_eq!(whole, !is_documented, "{phone}");
    }
}

#[tokio::test]
async fn as8_tokens_of_the_wrong_type_are_refused() {
    let emulator = Emulator::start().await.expect("starts");
    let swapped = Telecrm::builder(emulator.enterprise())
        .sync_url(emulator.sync_url())
        .async_url(emulator.async_url())
        .sync_token(SyncToken::new(emulator.async_token()).expect("a token"))
        .async_token(AsyncToken::new(emulator.sync_token()).expect("a token"))
        .build()
        .expect("builds");
    let error = swapped.ingest().push(&lead()).await.expect_err("AS8");
    assert!(error.is_not_authorized());
    assert!(
        swapped
            .workspace()
            .await
            .expect_err("wrong type")
            .is_not_authorized()
    );
}

#[tokio::test]
async fn en7_another_enterprise_is_refused_without_being_named() {
    let emulator = Emulator::builder()
        .enterprise("ent-other")
        .start()
        .await
        .expect("starts");
    let telecrm = Telecrm::builder("ent-secret")
        .sync_url(emulator.sync_url())
        .sync_token(SyncToken::new(emulator.sync_token()).expect("a token"))
        .build()
        .expect("builds");
    let error = telecrm.workspace().await.expect_err("not ours");
    assert!(error.is_not_authorized());
    assert!(!format!("{error} {error:?} {error:#}").contains("ent-secret"));
}

fn mocked(server: &MockServer) -> Telecrm {
    Telecrm::builder("ent")
        .sync_url(server.url("/autoupdate/v2"))
        .async_url(server.base_url())
        .sync_token(SyncToken::new("s").expect("a token"))
        .async_token(AsyncToken::new("a").expect("a token"))
        .call_options(CallOptions::new().attempts(1))
        .build()
        .expect("builds")
}

#[tokio::test]
async fn every_form_of_acceptance_is_acceptance() {
    for (status, body) in [
        (200, r#"{"status":"QUEUED"}"#),
        (200, r#"{"status":"QUEUED","error":null}"#),
        (200, "OK"),
        (204, ""),
        (202, ""),
    ] {
        let server = MockServer::start_async().await;
        server.mock(|when, then| {
            when.method(Method::POST)
                .path("/enterprise/ent/autoupdatelead");
            then.status(status).body(body);
        });
        assert!(
            mocked(&server).ingest().push(&lead()).await.is_ok(),
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn tr1_what_does_not_come_from_the_queue_is_no_acceptance() {
    for body in [
        "<!doctype html><title>the app</title>",
        " \n<html>",
        "\u{feff}<html>",
        r#"{"error":{"code":"NOT_AUTHORIZED"}}"#,
        r#"{"status":"FAILED"}"#,
        r#"{"status":"FAILED","took":1e999,"why":"\ud83d"}"#,
    ] {
        let server = MockServer::start_async().await;
        server.mock(|when, then| {
            when.method(Method::POST);
            then.status(200).body(body);
        });
        let pushed = mocked(&server).ingest().push(&lead()).await;
        let error = pushed.expect_err("nobody said that it is queued");
        assert!(error.is_outcome_unknown(), "{body}");
    }
}

#[tokio::test]
async fn a_mark_before_the_answer_is_no_part_of_it() {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::GET)
            .path("/autoupdate/v2/enterprise/ent/lead/l1");
        then.status(200)
            .body("\u{feff}{\"id\":\"l1\",\"fields\":{\"name\":\"Jane\"}}");
    });
    server.mock(|when, then| {
        when.method(Method::POST)
            .path("/autoupdate/v2/enterprise/ent/lead");
        then.status(201)
            .body("\u{feff}{\"lead_id\":\"l2\",\"actions\":[]}");
    });
    let telecrm = mocked(&server);
    let found = telecrm.leads().get("l1").await.expect("a lead");
    assert_eq!(found.get("name"), Some(&"Jane".into()));
    let sent = Lead::new().set("phone", "919999999999");
    let created = telecrm.leads().create(&sent).await.expect("created");
    assert_eq!(created.complete().expect("no losses").lead_id, "l2");
}

#[tokio::test]
async fn as5_an_unconfirmed_push_can_be_settled_by_reading() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let unsent = Receipt::unconfirmed(lead());
    assert!(matches!(
        telecrm.ingest().verify(&unsent).await,
        Ok(Verification::Missing(_))
    ));
    let _ = telecrm.ingest().push(&lead()).await.expect("queued");
    emulator.settle().await;
    assert!(matches!(
        telecrm.ingest().verify(&unsent).await,
        Ok(Verification::Stored(_))
    ));
}

#[tokio::test]
async fn refusals_in_any_form_are_errors_with_status_and_body() {
    for (status, body) in [
        (502, "<html>Bad gateway</html>"),
        (429, "slow down"),
        (302, ""),
        (500, ""),
        (
            401,
            r#"{"error":{"code":"NOT_AUTHORIZED","message":"Invalid or missing access token."}}"#,
        ),
    ] {
        let server = MockServer::start_async().await;
        server.mock(|when, then| {
            when.method(Method::POST);
            then.status(status).header("retry-after", "17").body(body);
        });
        let error = mocked(&server)
            .ingest()
            .push(&lead())
            .await
            .expect_err("refused");
        assert_eq!(error.status_code(), Some(status));
        assert_eq!(error.body(), body.as_bytes());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
        assert_eq!(error.is_outcome_unknown(), status >= 500);
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn tr1_a_success_that_is_a_web_page_is_unreadable() {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.path_includes("/lead");
        then.status(200).body("<html>the app</html>");
    });
    let telecrm = mocked(&server);
    let error = telecrm.leads().get("62ab16e").await.expect_err("HTML");
    assert_eq!(
        (error.phase(), error.is_outcome_unknown()),
        (Phase::Unreadable, false)
    );
    let error = telecrm.leads().create(&lead()).await.expect_err("HTML");
    assert!(error.is_outcome_unknown(), "something was written, perhaps");
}

#[tokio::test]
async fn a_server_that_is_not_there_took_nothing() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let telecrm = Telecrm::builder("ent")
        .async_url(url)
        .async_token(AsyncToken::new("a").expect("a token"))
        .build()
        .expect("builds");
    let error = telecrm
        .ingest()
        .push(&lead())
        .await
        .expect_err("nobody listens");
    assert_eq!(
        (error.phase(), error.is_outcome_unknown()),
        (Phase::NotSent, false)
    );
    let error = telecrm.leads().get("x").await.expect_err("no Sync token");
    assert!(error.to_string().contains("Sync token"), "{error}");
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_the_outcome_unknown() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let builder = || {
        let url = format!("http://{}", silent.local_addr().expect("an address"));
        let token = AsyncToken::new("a").expect("a token");
        Telecrm::builder("ent").async_url(url).async_token(token)
    };
    let options = CallOptions::new()
        .attempts(1)
        .attempt_timeout(Duration::from_millis(200));
    let always = builder().call_options(options).build().expect("builds");
    let once = builder().build().expect("builds").with_options(options);
    for telecrm in [always, once] {
        let ingest = telecrm.ingest();
        let lead = lead();
        let push = tokio::time::timeout(Duration::from_secs(20), ingest.push(&lead));
        let error = push.await.expect("in time").expect_err("no answer");
        assert!(error.is_timeout() && error.is_outcome_unknown());
        assert_eq!(error.phase(), Phase::MaybeSent);
    }
}

#[tokio::test]
async fn ids_cannot_reach_another_resource() {
    let server = MockServer::start_async().await;
    let everything = server.mock(|when, then| {
        when.any_request();
        then.status(200).json_body(json!({ "fields": {} }));
    });
    for id in ["", ".", "..", "a\nb"] {
        let error = mocked(&server).leads().get(id).await.expect_err("refused");
        assert_eq!(error.phase(), Phase::NotBuilt, "{id:?}");
    }
    everything.assert_calls(0);
}
