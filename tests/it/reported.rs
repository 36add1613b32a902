//! Shapes and names that users report from live workspaces. The values are invented.

use crate::support::client;
use serde_json::{Value, json};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{ActionKind, Filter, Lead, Operation, PageRequest, WorkspaceFile};
use telecrm_emulator::Emulator;

fn reported(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn a_page_of_a_live_search_is_read_without_loss() {
    let page = reported(include_str!("../data/reported/search-page.json"));
    let fake = FakeTelecrm::new().on(Operation::SearchLeads, Response::json(&page));
    let leads = fake.client().leads();
    let read = leads.search(&Filter::new(), PageRequest::default()).await.expect("a page");
    assert_eq!(serde_json::to_value(&read.data).expect("JSON"), page["data"]);
    assert_eq!(read.data[0].status(), Some("Fresh"));
    assert_eq!(read.data[1].assignee(), Some("Agent.Two@Example.com"));
    let rate = read.data[0].get("call_connection_rate_(%)").expect("computed by telecrm");
    assert_eq!(rate.as_json(), &json!(33.33));
}

#[tokio::test]
async fn a_live_timeline_is_read_without_loss() {
    let answer = reported(include_str!("../data/reported/lead-with-timeline.json"));
    let fake = FakeTelecrm::new().on(Operation::GetLead, Response::json(&answer));
    let leads = fake.client().leads();
    let id = answer["id"].as_str().expect("an ID");
    let lead = leads.get_with_actions(id, PageRequest::default()).await.expect("a lead");
    assert_eq!(serde_json::to_value(&lead).expect("JSON"), answer);
    let entries = lead.actions();
    assert!(entries.iter().all(|entry| entry.created().is_some()));
    assert_eq!(entries[2].key("duration").expect("told").as_json(), &json!(-1));
    assert!(matches!(entries[7].kind(), ActionKind::Custom(code) if code.to_string() == "1004"));
    assert!(matches!(entries[6].kind(), ActionKind::Other(name) if name == "CUSTOM_API"));
}

/// An API name with signs that mean something in a URL, of a type that the documentation lacks.
const ODD: &str = "shown_(100%)";

#[tokio::test]
async fn an_api_name_with_signs_and_an_unknown_type_work_in_every_call() {
    let mut seed = WorkspaceFile::sample();
    let field = json!({ "id": "odd", "apiName": ODD, "label": "Shown?", "type": "CHECKBOX" });
    seed.custom_fields.push(serde_json::from_value(field).expect("a field"));
    let emulator = Emulator::builder().seed(seed).start().await.expect("starts");
    let telecrm = client(&emulator);
    let workspace = telecrm.workspace().await.expect("discovered");
    let lead = Lead::new().set("phone", "919999999999").set(ODD, true);
    let checked = workspace.check(&lead);
    assert_eq!(checked.findings(), [], "an unknown type is not judged");

    let created = telecrm.leads().create(&lead).await.expect("created");
    let id = created.complete().expect("complete").lead_id;
    let updated = telecrm.leads().update(&id, [(ODD, false)]).await.expect("updated");
    let shown = updated.complete().expect("complete");
    assert_eq!(shown.get(ODD).expect("shown").as_json(), &json!(false));

    let found = telecrm.leads().count(&Filter::new().eq(ODD, false)).await.expect("counted");
    assert_eq!(found, 1);
    let field = telecrm.schema().field(ODD).await.expect("found by its path");
    assert_eq!(field.api_name(), Some(ODD));

    let receipt = telecrm.ingest().push(&lead).await.expect("queued");
    emulator.wait_idle().await;
    let read = telecrm.ingest().verify(&receipt).await.expect("read back");
    assert!(read.is_stored(), "{read:?}");
}
