//! The Rust that the emulator's pages offer for a call: it compiles as it is, and makes the same call again.

// To the letter as it is copied.
#[rustfmt::skip]
mod calls;

use crate::support::client;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::path::Path;
use telecrm_emulator::{Emulator, ReceivedRequest};

/// A name for the function, and the call.
struct Call {
    name: &'static str,
    method: Method,
    path: &'static str,
    body: Option<Value>,
}

/// One of each kind: both APIs, with and without query and body, and what must be escaped.
fn calls() -> Vec<Call> {
    let get = |name, path| Call {
        name,
        method: Method::GET,
        path,
        body: None,
    };
    let post = |name, path, body| Call {
        name,
        method: Method::POST,
        path,
        body: Some(body),
    };
    let awkward = json!({ "fields": { "phone": "919999999999", "name": "\"#\"## {} \\ ' é\n", "deal_size": 1.5 } });
    vec![
        get("metadata", "/autoupdate/v2/enterprise/ent-local/metadata"),
        get(
            "fields_in_detail",
            "/autoupdate/v2/enterprise/ent-local/custom-fields?detail=true&a=%26%22",
        ),
        get(
            "unknown_lead",
            "/autoupdate/v2/enterprise/ent-local/lead/no%20%22lead%22",
        ),
        post(
            "create",
            "/autoupdate/v2/enterprise/ent-local/lead",
            awkward.clone(),
        ),
        post(
            "search",
            "/autoupdate/v2/enterprise/ent-local/lead/search?limit=5&skip=0",
            json!({}),
        ),
        post("ingest", "/enterprise/ent-local/autoupdatelead", awkward),
    ]
}

/// Makes the calls, and gives what was received and what is offered to copy.
async fn offered(emulator: &Emulator) -> (Vec<ReceivedRequest>, String) {
    let http = Client::new();
    let mut file = "//! Copied from the emulator's pages by the test in `copied.rs`.\n\nuse std::error::Error;\n\
        use telecrm::{Method, Reply, Telecrm};\n"
        .to_owned();
    for (number, call) in calls().into_iter().enumerate() {
        let token = match call.path.starts_with("/autoupdate/") {
            true => emulator.sync_token(),
            false => emulator.async_token(),
        };
        let url = format!("{}{}", emulator.url(), call.path);
        let mut request = http.request(call.method, url).bearer_auth(token);
        if let Some(body) = call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        request.send().await.expect("the emulator answers");
        let page = format!("{}/_emulator/calls/{}", emulator.url(), number + 1);
        let page = http.get(page).send().await.expect("the emulator answers");
        let page = page.text().await.expect("text");
        let snippet = page
            .split("<pre id=\"rust\" tabindex=\"0\">")
            .nth(1)
            .and_then(|rest| rest.split("</pre>").next())
            .unwrap_or_else(|| panic!("{} has no Rust", call.name));
        let snippet = snippet
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&");
        file.push_str(&format!(
            "\npub(crate) async fn {}(telecrm: &Telecrm) -> Result<Reply, Box<dyn Error>> {{\n{snippet}\nOk(reply)\n}}\n",
            call.name
        ));
    }
    (emulator.received(0), file)
}

#[tokio::test]
async fn what_is_copied_compiles_and_makes_the_same_call() {
    let emulator = Emulator::start().await.expect("starts");
    let (wanted, offered) = offered(&emulator).await;
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/copied/calls.rs");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&place, &offered).expect("is written");
        return; // What was written is not compiled yet.
    }
    let compiled = std::fs::read_to_string(&place).expect("is there");
    assert_eq!(
        compiled, offered,
        "what the pages offer has changed: run this test again with INSTA_UPDATE=always"
    );

    let telecrm = client(&emulator);
    let last = wanted.last().expect("some").seq;
    // Two of them are answered by an error, as they were before.
    let _ = calls::metadata(&telecrm).await.expect("succeeds");
    let _ = calls::fields_in_detail(&telecrm).await.expect("succeeds");
    assert!(calls::unknown_lead(&telecrm).await.is_err());
    assert!(calls::create(&telecrm).await.is_err());
    let _ = calls::search(&telecrm).await.expect("succeeds");
    let _ = calls::ingest(&telecrm).await.expect("succeeds");
    let again = emulator.received(last);
    assert_eq!(again.len(), wanted.len());
    for (again, wanted) in again.iter().zip(&wanted) {
        assert_eq!(
            (&again.method, &again.path, &again.query, again.json()),
            (&wanted.method, &wanted.path, &wanted.query, wanted.json())
        );
    }
}
