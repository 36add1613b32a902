//! Numbers reach the wire, and the caller, in every digit.

use httpmock::{Method, MockServer};
use telecrm::{
    Action, ActionFilter, ActionRecord, CustomAction, FieldValue, Filter, Lead, LeadRecord,
    PageRequest, SyncToken, Telecrm,
};

const ACCOUNT: &str = "12345678901234567890123.10";

fn account() -> FieldValue {
    serde_json::from_str(ACCOUNT).expect("a number")
}

/// A server that answers only where this stands in the body.
async fn server(path: &str, sent: String, answer: String) -> (MockServer, Telecrm) {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST)
            .path(format!("/enterprise/ent{path}"))
            .body_includes(sent);
        then.status(200).body(answer);
    });
    let telecrm = Telecrm::builder("ent")
        .sync_url(server.base_url())
        .sync_token(SyncToken::new("s").expect("a token"))
        .build()
        .expect("builds");
    (server, telecrm)
}

#[tokio::test]
async fn leads_and_actions_are_created_with_every_digit() {
    let body = format!(
        r#"{{"fields":{{"account":{ACCOUNT}}},"actions":[{{"fields":{{"account":{ACCOUNT}}},"type":"1001"}}],"more":{ACCOUNT}}}"#
    );
    let (actions, answer) = (
        &body[body.find("[{").unwrap()..body.find("],").unwrap()],
        r#"{"lead_id":"l1","actions":[{"action_id":"a1","status":"CREATED"}]}"#,
    );
    let lead: Lead = serde_json::from_str(&body).unwrap();
    for part in [
        format!(r#""fields":{{"account":{ACCOUNT}}}"#),
        actions.to_owned(),
        format!(r#""more":{ACCOUNT}"#),
    ] {
        let (_server, telecrm) = server("/lead", part, answer.to_owned()).await;
        // `more` is sent and lost, which the outcome tells.
        let outcome = telecrm.leads().create(&lead).await.unwrap();
        assert_eq!(outcome.findings().len(), 1);
    }
    let (_server, telecrm) = server("/lead/l1/action", actions.to_owned(), answer.to_owned()).await;
    let visit = CustomAction::new(1001).unwrap().field("account", account());
    let created = telecrm
        .leads()
        .actions("l1")
        .create([Action::from(visit)])
        .await;
    created.unwrap().complete().unwrap();
}

#[tokio::test]
async fn leads_are_looked_for_and_read_with_every_digit() {
    let page = format!(r#"{{"data":[{{"fields":{{"account":{ACCOUNT}}}}}],"total_count":1}}"#);
    let sent = format!(r#"{{"fields":{{"account":[{ACCOUNT},7]}}}}"#);
    let (_server, telecrm) = server("/lead/search", sent, page).await;
    let filter = Filter::new().any_of("account", [account(), 7.into()]);
    let page = telecrm
        .leads()
        .search(&filter, PageRequest::default())
        .await
        .unwrap();
    let read: Vec<_> = page
        .data
        .iter()
        .filter_map(|row: &LeadRecord| row.get("account"))
        .collect();
    assert_eq!(read, [&account()]);
}

#[tokio::test]
async fn a_timeline_is_read_with_every_digit() {
    let page = format!(r#"{{"data":[{{"fields":{{"account":{ACCOUNT}}}}}],"total_count":1}}"#);
    let (_server, telecrm) = server("/lead/l1/action/search", "{".to_owned(), page).await;
    let actions = telecrm.leads().actions("l1");
    let page = actions
        .search(&ActionFilter::new(), PageRequest::default())
        .await
        .unwrap();
    let account_of = |entry: &ActionRecord| entry.field("account");
    assert_eq!(
        page.data.iter().map(account_of).collect::<Vec<_>>(),
        [Some(account())]
    );
}

#[tokio::test]
async fn a_workspace_is_discovered_whatever_stands_beside_what_is_known() {
    use telecrm::Operation;
    use telecrm::testing::{FakeTelecrm, Response};
    let odd = r#""huge":1e999,"description":"cut \ud83d""#;
    let answer =
        |known: &str| Response::text(200, "application/json", format!("{{{odd},{known}}}"));
    let fake = FakeTelecrm::new()
        .on(
            Operation::GetMetadata,
            answer(r#""leadIdentifierFieldId":"phone""#),
        )
        .on(
            Operation::ListCustomFields,
            answer(&format!(
                r#""customFields":[{{{odd},"apiName":"phone","type":"PHONE"}}]"#
            )),
        )
        .on(
            Operation::ListCustomActions,
            answer(r#""customActions":[]"#),
        )
        .on(
            Operation::GetLeadStagePipeline,
            answer(r#""leadStages":[]"#),
        )
        .on(
            Operation::GetLeadStagePipeline,
            answer(r#""leadStages":[]"#),
        );
    let telecrm = fake.client();
    let workspace = telecrm.workspace().await.unwrap();
    assert_eq!(workspace.identifier().api_name(), "phone");
    assert!(telecrm.schema().pipeline().await.is_ok());
    let fake = FakeTelecrm::new().on_request(answer(r#""n":1"#));
    let reply = fake
        .client()
        .request(telecrm::Method::Get, "/x")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.json().unwrap()["n"], 1);
}

#[tokio::test]
async fn a_request_that_nobody_describes_is_sent_with_every_digit() {
    let sent = format!(r#"{{"account":{ACCOUNT}}}"#);
    let (_server, telecrm) = server("/x", sent, "{}".to_owned()).await;
    let body = FieldValue::from(std::collections::BTreeMap::from([(
        "account".to_owned(),
        account(),
    )]));
    let request = telecrm.request(telecrm::Method::Post, "/x").json(&body);
    assert_eq!(request.send().await.unwrap().status(), 200);
}
