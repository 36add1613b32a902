//! The Rust code that the emulator's pages offer for a call: it compiles and makes the same call.

// The file has the code exactly as the pages offer it.
#[rustfmt::skip]
mod calls;

use crate::support::{client, emulator};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::path::Path;
use telecrm_emulator::{Emulator, ReceivedRequest};

struct Call {
    /// The name of the function that makes the call.
    name: &'static str,
    method: Method,
    path: &'static str,
    body: Option<Value>,
}

/// Calls of both APIs, with and without query and body, and with characters that need escaping.
fn calls() -> Vec<Call> {
    let get = |name, path| Call { name, method: Method::GET, path, body: None };
    let post = |name, path, body| Call { name, method: Method::POST, path, body: Some(body) };
    let awkward = json!({ "fields": { "phone": "919999999999", "name": "\"#\"## {} \\ ' é\n", "deal_size": 1.5 } });
    vec![
        get("metadata", "/autoupdate/v2/enterprise/ent-local/metadata"),
        get(
            "fields_in_detail",
            "/autoupdate/v2/enterprise/ent-local/custom-fields?detail=true&a=%26%22",
        ),
        get("unknown_lead", "/autoupdate/v2/enterprise/ent-local/lead/no%20%22lead%22"),
        post("create", "/autoupdate/v2/enterprise/ent-local/lead", awkward.clone()),
        post("search", "/autoupdate/v2/enterprise/ent-local/lead/search?limit=5&skip=0", json!({})),
        post("ingest", "/enterprise/ent-local/autoupdatelead", awkward),
    ]
}

/// Makes the calls. Returns what the emulator received, and a file with the code of its pages.
async fn offered(emulator: &Emulator) -> (Vec<ReceivedRequest>, String) {
    let http = Client::new();
    let mut file = "//! Copied from the emulator's pages by the test in `emulator_snippets.rs`.\n\nuse std::error::Error;\n\
        use telecrm::{Method, Reply, Telecrm};\n"
        .to_owned();
    for (number, call) in calls().into_iter().enumerate() {
        let token = if call.path.starts_with("/autoupdate/") {
            emulator.sync_token()
        } else {
            emulator.async_token()
        };
        let url = format!("{}{}", emulator.url(), call.path);
        let mut request = http.request(call.method, url).bearer_auth(token);
        if let Some(body) = call.body {
            request = request.header("content-type", "application/json").body(body.to_string());
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
async fn copied_code_compiles_and_makes_the_same_call() {
    let emulator = emulator().await;
    let (wanted, offered) = offered(&emulator).await;
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/emulator_snippets/calls.rs");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&place, &offered).expect("is written");
        return; // The new file is compiled by the next run.
    }
    let compiled = std::fs::read_to_string(&place).expect("is there");
    assert_eq!(
        compiled, offered,
        "the code on the pages has changed: run this test again with INSTA_UPDATE=always"
    );

    let telecrm = client(&emulator);
    let last = wanted.last().expect("calls").seq;
    // Two of them fail, as they did the first time.
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
