//! `leads().changes`: reading what was changed since the last time.

use crate::support::{client, emulator};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{ChangeMark, Error, ErrorCode, Filter, Lead, Operation, Telecrm};

async fn create(telecrm: &Telecrm, phone: &str) -> String {
    let created = telecrm.leads().create(&Lead::new().set("phone", phone)).await.expect("created");
    created.complete().expect("complete").lead_id
}

/// Reads all changes. Returns the phone numbers and the mark.
async fn read(telecrm: &Telecrm, mark: Option<&ChangeMark>) -> (Vec<String>, Option<ChangeMark>) {
    let mut changes = telecrm.leads().changes(Filter::new(), mark).expect("a mark of this list");
    let mut phones = Vec::new();
    while let Some(lead) = changes.next().await {
        phones.extend(
            lead.expect("a lead").get("phone").expect("a phone").as_str().map(str::to_owned),
        );
    }
    (phones, changes.mark())
}

#[tokio::test]
async fn an_unchanged_lead_is_not_read_again_and_a_changed_one_is() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    create(&telecrm, "919999999997").await;
    let id = create(&telecrm, "919999999998").await;
    let (phones, first) = read(&telecrm, None).await;
    assert_eq!(phones, ["919999999998", "919999999997"]);
    let (phones, second) = read(&telecrm, first.as_ref()).await;
    assert_eq!(phones, [""; 0]);
    let _ = telecrm.leads().update(&id, [("rating", 4)]).await.expect("updated");
    create(&telecrm, "919999999999").await;
    let (phones, _) = read(&telecrm, second.as_ref()).await;
    assert_eq!(phones, ["919999999999", "919999999998"]);
}

#[tokio::test]
async fn a_reading_that_ends_with_an_error_gives_no_mark() {
    let fake = FakeTelecrm::new()
        .always(Operation::SearchLeads, Response::error(400, ErrorCode::EnterpriseNotFound, "no"));
    let telecrm = fake.client();
    let mut changes = telecrm.leads().changes(Filter::new(), None).expect("changes");
    let mut errors = 0;
    while let Some(lead) = changes.next().await {
        lead.expect_err("no leads");
        errors += 1;
    }
    assert!(errors > 0 && changes.mark().is_none());
}

#[tokio::test]
async fn without_the_time_of_the_server_there_is_no_mark() {
    let fake =
        FakeTelecrm::new().always(Operation::SearchLeads, Response::page(Vec::<Lead>::new()));
    let (phones, mark) = read(&fake.client(), None).await;
    assert_eq!((phones.len(), mark), (0, None));
}

#[tokio::test]
async fn a_mark_of_another_enterprise_filter_or_version_is_refused() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let mark = read(&telecrm, None).await.1.expect("a mark");
    let text = |error: Error| format!("{error:#}");
    let other = FakeTelecrm::of_enterprise("another").client();
    let refused = other.leads().changes(Filter::new(), Some(&mark)).map(drop).map_err(text);
    assert!(refused.unwrap_err().contains("belongs to another enterprise\n  hint: "));
    let filter = Filter::new().eq("status", "Won");
    let refused = telecrm.leads().changes(filter, Some(&mark)).map(drop).map_err(text);
    assert!(refused.unwrap_err().contains("belongs to another filter\n  hint: "));
    let filter = Filter::new().between("modified_on", None, None);
    let refused = telecrm.leads().changes(filter, None).map(drop).map_err(text);
    assert!(refused.unwrap_err().contains("`modified_on` already\n  hint: "));
    let stored = serde_json::to_string(&mark).expect("JSON");
    let newer = stored.replacen("\"version\":1", "\"version\":2", 1);
    let error = serde_json::from_str::<ChangeMark>(&newer).expect_err("refused").to_string();
    assert!(error.contains("has version 2"), "{error}");
}
