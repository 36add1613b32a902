//! The emulator's web pages without JavaScript. `tests/services/browser` tests them in a browser.

mod markup;

use crate::timing::Stopwatch;
use crate::{Local, answer};
use reqwest::header::{ACCEPT, HOST, LOCATION, ORIGIN};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use serde_json::{Value, json};
use std::time::Duration;
use telecrm_emulator::Emulator;

/// Text that would run as a script if a page did not escape it.
const ATTACK: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";

const PAGES: [&str; 4] =
    ["/_emulator/", "/_emulator/leads", "/_emulator/workspace", "/_emulator/settings"];

impl Local {
    fn browse(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.emulator.url());
        let client = Client::builder().redirect(redirect::Policy::none()).build();
        client.expect("a client").get(url).header(ACCEPT, "text/html,application/xhtml+xml")
    }

    /// Loads a page and checks its markup.
    async fn page(&self, path: &str) -> String {
        let response = self.browse(path).send().await.expect("the emulator answers");
        assert_eq!(response.status(), 200, "{path}");
        let html = response.text().await.expect("text");
        markup::check(path, &html);
        html
    }

    /// Submits a form as a browser does on the emulator's own page.
    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let url = format!("{}{path}", self.emulator.url());
        let client = Client::builder().redirect(redirect::Policy::none()).build();
        let form = client.expect("a client").post(url).header(ORIGIN, self.emulator.url());
        let body: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let form =
            form.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
        form.send().await.expect("the emulator answers")
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The text of the `pre` element with this ID.
fn text_of(html: &str, id: &str) -> String {
    let start = html.find(&format!("id=\"{id}\"")).expect(id);
    let rest = &html[start..];
    let rest = &rest[rest.find('>').expect("a tag") + 1..];
    markup::text(&rest[..rest.find("</pre>").expect("its end")], "")
}

#[tokio::test]
async fn browsers_are_redirected_to_the_pages_and_other_clients_reach_the_api() {
    let local = Local::start().await;
    let led = local.browse("/").send().await.unwrap();
    assert_eq!(
        (led.status(), &led.headers()[LOCATION]),
        (StatusCode::TEMPORARY_REDIRECT, &"/_emulator/".parse().unwrap())
    );
    assert!(local.emulator.log(0).is_empty(), "pages are not logged as calls");

    for accept in ["*/*", "application/json", "application/json, text/html"] {
        let api = local.http.get(local.emulator.url()).header(ACCEPT, accept).send().await.unwrap();
        assert_eq!(api.status(), 404, "{accept}");
    }
    let posted =
        local.http.post(local.emulator.url()).header(ACCEPT, "text/html").send().await.unwrap();
    assert_eq!(posted.status(), 404);
    assert_eq!(local.emulator.log(0).len(), 4);
    assert_eq!(local.browse("/_emulator").send().await.unwrap().headers()[LOCATION], "/_emulator/");
}

#[tokio::test]
async fn pages_have_strict_security_headers() {
    let local = Local::start().await;
    local.push(json!({ "fields": { "phone": "919999999999" } })).await;
    let lead = local.search(json!({})).await["data"][0]["id"].as_str().unwrap().to_owned();
    let details = ["/_emulator/calls/1".to_owned(), format!("/_emulator/leads/{lead}")];
    let assets =
        ["style.css", "theme.js", "live.js", "icon.svg"].map(|name| format!("/_emulator/{name}"));
    for path in PAGES.map(str::to_owned).iter().chain(&details).chain(&assets) {
        let response = local.browse(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        let policy = header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|given| given == rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(
            [header("x-content-type-options"), header("referrer-policy"), header("cache-control")],
            ["nosniff", "same-origin", "no-store"],
            "{path}"
        );
    }
    for path in PAGES.map(str::to_owned).iter().chain(&details) {
        local.page(path).await;
    }
    let missing = local.browse("/_emulator/calls/77").send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert!(missing.headers().contains_key("content-security-policy"));
    markup::check("a missing call", &missing.text().await.unwrap());
    assert_eq!(local.browse("/_emulator/leads/none").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn text_that_clients_send_is_escaped() {
    let local = Local::start().await;
    let lead = json!({
        "fields": { "phone": "919999999999", "name": ATTACK, ATTACK: ATTACK, "contact_source": ATTACK },
        "actions": [{ "type": "1001", "fields": { "note": ATTACK, ATTACK: 1 } }, { "type": ATTACK }],
        ATTACK: ATTACK,
    });
    local.push(lead).await;
    let id =
        local.search(json!({ "fields": {} })).await["data"][0]["id"].as_str().unwrap().to_owned();
    let strange = format!("/lead/{}?{}=1", encoded(ATTACK), encoded(ATTACK));
    assert_eq!(local.get(&strange).await.0, 404);
    let agent = local.sync(reqwest::Method::GET, "/metadata").header("user-agent", ATTACK);
    agent.send().await.unwrap();
    let rule =
        json!({ "path": ATTACK, "fields": { ATTACK: ATTACK }, "do": { "content_type": ATTACK } })
            .to_string();
    assert_eq!(local.submit("/_emulator/settings/faults", &[("json", &rule)]).await.status(), 303);

    let mut paths = PAGES.map(str::to_owned).to_vec();
    paths.extend((1..=4).map(|seq| format!("/_emulator/calls/{seq}")));
    paths.push(format!("/_emulator/leads/{id}"));
    paths.extend(["", "leads"].map(|page| format!("/_emulator/{page}?q={}", encoded(ATTACK))));
    let mut shown = 0;
    for path in &paths {
        let html = local.page(path).await;
        assert!(!html.contains("<script>") && !html.contains("<img src=x"), "{path}");
        shown += html.matches("&lt;script&gt;alert(1)").count();
    }
    assert!(shown > 20, "{shown}");
    let refused = local
        .submit(
            "/_emulator/settings/faults",
            &[("do", "answer"), ("amount", ATTACK), ("field", ATTACK)],
        )
        .await;
    assert_eq!(refused.status(), 400);
    let html = refused.text().await.unwrap();
    markup::check("a refused rule", &html);
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"));
}

/// The rows of the table of stored and dropped fields.
async fn outcome(local: &Local, seq: u64) -> Vec<String> {
    let html = local.page(&format!("/_emulator/calls/{seq}")).await;
    let table = html.split("class=\"outcome\"").nth(1).expect("the table");
    let rows =
        table.split("</table>").next().expect("rows").split("<tr").skip(2).map(markup::plain);
    rows.map(|row| {
        row.trim_start_matches(['>', ' ']).trim_start_matches("class=\"nested\"> ").to_owned()
    })
    .collect()
}

/// Reason and suggestion of a finding in the log, as a page shows them.
fn explanation(local: &Local, seq: u64, path: &str) -> (String, String) {
    let entry = &local.emulator.log(seq - 1)[0];
    let mut findings = entry.findings.iter();
    let finding = findings.find(|finding| finding.path.to_string() == path);
    let finding = finding.expect(path);
    let plain = |text: &str| {
        let words = text.replace('`', " ");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    (plain(&finding.reason), plain(finding.suggestion.as_deref().unwrap_or_default()))
}

#[tokio::test]
async fn all_fields_of_a_dropped_lead_are_shown_as_not_stored() {
    let local = Local::start().await;
    local.push(json!({ "fields": { "phone": "+91 99999-99999", "name": "Asha" } })).await;
    let rows = outcome(&local, 1).await;
    assert_eq!(rows[0], "fields.name Asha not stored –");
    let (reason, _) = explanation(&local, 1, "fields.phone");
    let phone = format!("fields.phone +91 99999-99999 dropped – {reason}");
    assert!(rows[1].starts_with(&phone), "{rows:?}");
    local.push(json!({ "fields": { "name": "Asha" } })).await;
    let rows = outcome(&local, 2).await;
    assert!(rows[1].starts_with("fields.phone – dropped –"), "{rows:?}");
}

#[tokio::test]
async fn each_field_is_shown_as_stored_changed_created_or_dropped() {
    let local = Local::start().await;
    let lead = json!({
        "fields": { "phone": "9999999999", "contact_source": "Fair", "name": "Asha", "rating": "3" },
        "actions": [{ "type": "ACTION_9999" }, { "type": "ACTION_1001", "fields": { "note": "Hi", "nope": 1 } }],
        "campaign": "Monsoon",
    });
    local.push(lead).await;
    let (new_option, _) = explanation(&local, 1, "fields.contact_source");
    let (unknown_field, hint) = explanation(&local, 1, "actions[1].fields.nope");
    let new_option = format!("fields.contact_source Fair stored, option created Fair {new_option}");
    let unknown_field =
        format!("actions[1].fields.nope 1 dropped – {unknown_field} (AS6) Hint: {hint}");
    let starts = [
        &new_option,
        "fields.name Asha stored Asha",
        "fields.phone 9999999999 changed 919999999999",
        "fields.rating 3 dropped –",
        "actions[0] ACTION_9999 dropped –",
        "actions[1] ACTION_1001 stored 1001",
        &unknown_field,
        "actions[1].fields.note Hi stored Hi",
        "campaign Monsoon dropped –",
    ];
    let rows = outcome(&local, 1).await;
    assert_eq!(rows.len(), starts.len(), "{rows:?}");
    for (row, start) in rows.iter().zip(starts) {
        assert!(row.starts_with(start), "{row:?}, wanted {start:?}");
    }
}

#[tokio::test]
async fn findings_of_a_search_are_shown_with_the_value_that_was_sent() {
    let local = Local::start().await;
    local.search(json!({ "fields": {}, "sort": "name" })).await;
    let (reason, _) = explanation(&local, 1, "sort");
    let rows = outcome(&local, 1).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].starts_with(&format!("sort name dropped – {reason}")), "{rows:?}");
}

#[tokio::test]
async fn calls_show_both_bodies_and_no_secrets() {
    let builder = Emulator::builder()
        .sync_token("canary-sync-token")
        .async_token("canary-async-token")
        .enterprise("ent-canary");
    let local = Local::with(builder).await;
    local.create(json!({ "phone": "919999999999" })).await;
    local.push(json!({ "fields": { "phone": "918888888888" } })).await;
    let member = json!({ "name": "A", "email": "a@example.com", "phone_number": "919999999999", "role": "CALLER", "password": "canary-password" });
    local.post("/team-members", member).await;
    let url = format!("{}/enterprise/ent-canary/metadata", local.emulator.sync_url());
    let other = local
        .http
        .get(&url)
        .bearer_auth("canary-other-token")
        .header("cookie", "canary-cookie-token");
    assert_eq!(crate::status(other).await, 401);
    assert_eq!(
        crate::status(local.http.get(&url).basic_auth("canary-user", Some("canary-token"))).await,
        401
    );

    let mut pages = Vec::new();
    for path in PAGES
        .map(str::to_owned)
        .into_iter()
        .chain((1..=5).map(|seq| format!("/_emulator/calls/{seq}")))
    {
        pages.push(local.page(&path).await);
    }
    let text = markup::plain(&pages[PAGES.len()]);
    for expected in ["\"phone\"", "\"lead_id\"", "Bearer … (a Sync token)"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(pages[PAGES.len() + 3].contains("sent without a valid token"));
    pages.extend(
        local
            .emulator
            .received(0)
            .iter()
            .map(|request| format!("{request:?} {:?}", request.headers)),
    );
    for text in pages {
        for secret in [
            "canary-sync",
            "canary-async",
            "canary-other",
            "canary-cookie",
            "canary-password",
            "Y2FuYXJ5",
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[tokio::test]
async fn calls_are_filtered() {
    let local = Local::start().await;
    local.create(json!({ "phone": "919999999999", "name": "Zebra" })).await;
    local.create(json!({ "phone": "918888888888", "rating": 9 })).await;
    local.get("/lead/none").await;
    local.get("/webhooks").await;
    let listed = async |query: &str| {
        let html = local.page(&format!("/_emulator/?{query}")).await;
        let rows = html.split("data-seq=\"").skip(1);
        rows.map(|row| row.split('"').next().unwrap().parse().unwrap()).collect::<Vec<u64>>()
    };
    assert_eq!(listed("").await, [4, 3, 2, 1]);
    let (reason, _) = explanation(&local, 2, "fields.rating");
    let by_reason = format!("q={}", encoded(&reason));
    for (query, wanted) in [
        ("q=zebra", &[1][..]),
        ("q=RATING", &[2]),
        (&by_reason, &[2]),
        ("q=%2Fwebhooks", &[4]),
        ("q=lead_not_found", &[3]),
        ("q=nothing-like-it", &[]),
        ("operation=createLead", &[2, 1]),
        ("operation=none", &[4]),
        ("status=4xx", &[4, 3]),
        ("status=none", &[]),
        ("losses=on", &[4, 3, 2]),
        ("losses=on&status=4xx", &[4, 3]),
        ("losses=on&status=2xx", &[2]),
        ("before=3", &[2, 1]),
        ("before=2&operation=createLead", &[1]),
    ] {
        assert_eq!(listed(query).await, wanted, "{query}");
    }
    let none = local.page("/_emulator/?q=nothing-like-it").await;
    assert!(none.contains("No calls match the filter"));
}

#[tokio::test]
async fn pages_beyond_the_end_are_empty() {
    let local = Local::start().await;
    let lead = local.create(json!({ "phone": "919999999999" })).await;
    for page in ["leads".to_owned(), format!("leads/{lead}")] {
        let page = format!("/_emulator/{page}?skip={}", usize::MAX);
        assert!(local.page(&page).await.contains("</html>"), "{page}");
    }
}

#[tokio::test]
async fn lists_are_paged() {
    let local = Local::start().await;
    for number in 0..260 {
        local.create(json!({ "phone": format!("91999999{number:04}") })).await;
    }
    let html = local.page("/_emulator/").await;
    assert_eq!(html.matches("data-seq=").count(), 200);
    assert!(html.contains("?before=61"), "the next page begins below the last call of this one");
    let older = local.page("/_emulator/?before=61").await;
    assert_eq!(older.matches("data-seq=").count(), 60);
    assert!(!older.contains("rel=\"next\""));

    let leads = |html: &str| html.matches("href=\"/_emulator/leads/").count();
    let first = local.page("/_emulator/leads").await;
    assert!(first.contains("260 leads") && first.contains("?q=&amp;skip=50"));
    assert_eq!(leads(&first), 50);
    assert_eq!(leads(&local.page("/_emulator/leads?skip=250").await), 10);
    assert_eq!(
        leads(&local.page("/_emulator/leads?q=9199999900").await),
        50,
        "the number of a lead of which there are more"
    );
    assert_eq!(
        leads(&local.page("/_emulator/leads?q=%2B919999990042").await),
        1,
        "an identifier in another spelling"
    );
    assert!(local.page("/_emulator/leads?q=nobody").await.contains("No leads match"));
}

#[tokio::test]
async fn an_empty_log_shows_the_export_lines() {
    let local = Local::with(Emulator::builder().enterprise("it's mine").sync_token("secret")).await;
    let html = local.page("/_emulator/").await;
    let exports = text_of(&html, "exports");
    let url = local.emulator.url();
    assert_eq!(
        exports,
        format!(
            "export TELECRM_ENTERPRISE_ID='it'\\''s mine'\nexport TELECRM_SYNC_TOKEN='<the token that was set>'\n\
            export TELECRM_ASYNC_TOKEN=async-local-token\nexport TELECRM_SYNC_URL={url}/autoupdate/v2\nexport TELECRM_ASYNC_URL={url}\n"
        )
    );
    assert!(local.emulator.exports().contains("export TELECRM_SYNC_TOKEN=secret\n"));
}

#[tokio::test]
async fn calls_are_checked_against_the_openapi_description() {
    let local = Local::start().await;
    local.create(json!({ "phone": "919999999999" })).await;
    local.push(json!({ "fields": { "phone": "919999999999" } })).await;
    local.submit("/_emulator/settings/profile", &[("async-answer", "html")]).await;
    local.ingest().body("[7]").send().await.unwrap();
    local.ingest().json(&json!({ "fields": { "phone": "919999999999" } })).send().await.unwrap();
    for (seq, request, response) in [
        (1, "valid", "valid"),
        (2, "valid", "valid"),
        (3, "invalid", "valid"),
        (4, "valid", "invalid"),
    ] {
        let html = local.page(&format!("/_emulator/calls/{seq}")).await;
        let checks = html.split("class=\"conformance\"").nth(1).expect("checks");
        let text = markup::plain(checks.split("</section>").next().unwrap());
        assert!(text.starts_with(&format!("> {request} The request")), "{seq}: {text}");
        assert!(text.contains(&format!("{response} The response")), "{seq}: {text}");
    }
}

#[tokio::test]
async fn leads_show_their_timelines_and_calls() {
    let local = Local::start().await;
    let id = local.create(json!({ "phone": "919999999999", "name": "Asha Rao" })).await;
    let actions = json!({ "actions": [
        { "type": "1001", "fields": { "note": "Called back" } },
        { "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "5000" },
    ] });
    assert_eq!(local.post(&format!("/lead/{id}/action"), actions).await.0, 200);
    local.emulator.add_timeline_entry(&id, json!({ "type": "OUTGOING_CALL", "duration": 31 }));
    let text = markup::plain(&local.page(&format!("/_emulator/leads/{id}")).await);
    for expected in [
        "Asha Rao",
        "3 entries",
        "Site Visit",
        "Called back",
        "PENDING",
        "OUTGOING_CALL",
        "31",
        "createActions",
        "createLead",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let workspace = markup::plain(&local.page("/_emulator/workspace").await);
    for expected in [
        "identifier",
        "DD/MM/YYYY HH:mm",
        "Cold Call",
        "Site Visit",
        "Fresh",
        "Price too high",
        "Jane Doe",
    ] {
        assert!(workspace.contains(expected), "{expected}: {workspace}");
    }
}

#[tokio::test]
async fn fault_rules_are_added_and_removed_by_forms() {
    let local = Local::start().await;
    let rule = [
        ("operation", "getMetadata"),
        ("do", "answer"),
        ("amount", "503"),
        ("retry_after", "7"),
        ("nth", "2"),
        ("times", ""),
    ];
    let added = local.submit("/_emulator/settings/faults", &rule).await;
    assert_eq!(
        (added.status().as_u16(), &added.headers()[LOCATION]),
        (303, &"/_emulator/settings#faults".parse().unwrap())
    );
    let (_, faults) = local.own("/_emulator/faults").await;
    assert_eq!(
        faults["faults"],
        json!([{ "id": 0, "operation": "getMetadata", "nth": 2, "calls": 0, "do": { "answer": { "status": 503, "headers": { "Retry-After": "7" } } } }])
    );
    assert_eq!(local.get("/metadata").await.0, 200);
    assert_eq!(crate::status(local.sync(reqwest::Method::GET, "/metadata")).await, 503);
    assert!(
        markup::plain(&local.page("/_emulator/settings").await)
            .contains("getMetadata : respond with status 503 , from call 2 on")
    );
    assert!(local.page("/_emulator/").await.contains("fault: answer"));

    for (fields, error) in [
        (&[("do", "answer")][..], "The fault answer needs a value"),
        (&[("do", "latency_ms"), ("amount", "soon")], "soon is not a whole number"),
        (&[("do", "hang"), ("nth", "x")], "x is not a whole number"),
        (&[("do", "hang"), ("field", "phone")], "The field phone needs a value"),
        (&[("do", "explode")], "explode"),
        (&[("do", "hang"), ("operation", "deleteLead")], "deleteLead"),
        (&[("json", "{")], "not JSON"),
    ] {
        let refused = local.submit("/_emulator/settings/faults", fields).await;
        assert_eq!(refused.status(), 400, "{fields:?}");
        let text = markup::plain(&refused.text().await.unwrap());
        assert!(text.contains(error), "{fields:?}: {text}");
    }
    // Removing one rule leaves the others.
    for kind in ["hang", "endless", "truncated"] {
        let rule = [("operation", "getLead"), ("do", kind)];
        local.submit("/_emulator/settings/faults", &rule).await;
    }
    let kinds = async || {
        let (_, faults) = local.own("/_emulator/faults").await;
        let faults = faults["faults"].as_array().unwrap().clone();
        faults[1..].iter().map(|rule| rule["do"].clone()).collect::<Vec<_>>()
    };
    let hang = [("id", "1")];
    let removed = local.submit("/_emulator/settings/faults/remove", &hang).await;
    assert_eq!(removed.status(), 303);
    assert_eq!(kinds().await, ["endless", "truncated"]);
    for (id, status) in [("2", 204), ("2", 404), ("x", 404)] {
        let fault = format!("{}/_emulator/faults/{id}", local.emulator.url());
        assert_eq!(crate::status(local.http.delete(fault)).await, status, "{id}");
    }
    assert_eq!(kinds().await, ["truncated"]);
    local.submit("/_emulator/settings/faults/clear", &[]).await;
    assert_eq!(local.own("/_emulator/faults").await.1["faults"], json!([]));
}

#[tokio::test]
async fn the_profile_is_changed_by_forms() {
    let local = Local::start().await;
    local.create(json!({ "phone": "919999999999", "status": "Won" })).await;
    assert_eq!(local.search(json!({})).await["data"][0]["fields"]["status"], "Won");
    assert_eq!(
        local.submit("/_emulator/settings/profile", &[("lead-attributes", "row")]).await.status(),
        303
    );
    assert_eq!(local.search(json!({})).await["data"][0]["status"], "Won");
    let html = local.page("/_emulator/settings").await;
    assert!(html.contains("<option value=\"row\" selected>"), "{html}");

    local.submit("/_emulator/settings/profile", &[("preset", "reported")]).await;
    assert_eq!(local.emulator.profile(), telecrm_emulator::Profile::reported());
    for field in [("lead-attributes", "sideways"), ("unheard-of", "yes"), ("preset", "live")] {
        assert_eq!(
            local.submit("/_emulator/settings/profile", &[field]).await.status(),
            400,
            "{field:?}"
        );
    }
    assert_eq!(local.emulator.profile(), telecrm_emulator::Profile::reported());

    // A reset keeps the switch, although it reads the workspace again.
    local.submit("/_emulator/settings/profile", &[("phone-blanks", "stripped")]).await;
    local.create(json!({ "phone": "+91 88888 88888" })).await;
    local.submit("/_emulator/settings/reset", &[]).await;
    assert_eq!(local.search(json!({})).await["total_count"], 0);
    local.create(json!({ "phone": "+91 88888 88888" })).await;
}

#[tokio::test]
async fn requests_of_other_web_pages_are_refused() {
    let local = Local::start().await;
    let url = local.emulator.url();
    for path in [
        "/_emulator/settings/faults",
        "/_emulator/settings/faults/clear",
        "/_emulator/settings/profile",
        "/_emulator/settings/reset",
        "/_emulator/reset",
        "/_emulator/settle",
        "/_emulator/faults",
        "/_emulator/snapshot",
    ] {
        let post = || local.http.post(format!("{url}{path}"));
        let other_port = "http://127.0.0.1:1".to_owned();
        for origin in [
            "https://evil.example".to_owned(),
            "null".to_owned(),
            other_port,
            format!("{url}.evil.example"),
            "http://".to_owned(),
        ] {
            assert_eq!(crate::status(post().header(ORIGIN, &origin)).await, 403, "{path} {origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert_eq!(
                crate::status(post().header("sec-fetch-site", site)).await,
                403,
                "{path} {site}"
            );
        }
        assert_eq!(crate::status(post().header(HOST, "evil.example")).await, 403, "{path}");
        assert_ne!(crate::status(post().header(ORIGIN, &url).body("")).await, 403, "{path}");
        assert_ne!(
            crate::status(post().header("sec-fetch-site", "same-origin").body("")).await,
            403,
            "{path}"
        );
    }
    assert_eq!(
        crate::status(local.http.delete(format!("{url}/_emulator/faults")).header(ORIGIN, "null"))
            .await,
        403
    );
    for path in PAGES {
        assert_eq!(
            crate::status(local.browse(path).header(HOST, "evil.example")).await,
            403,
            "{path}"
        );
        // A link on another site may open the page.
        assert_eq!(
            crate::status(local.browse(path).header("sec-fetch-site", "cross-site")).await,
            200,
            "{path}"
        );
    }
}

/// A stream of server-sent events.
struct Events {
    response: Response,
    read: String,
}

impl Events {
    async fn open(local: &Local, since: &str, last: Option<&str>) -> Self {
        let mut request =
            local.http.get(format!("{}/_emulator/events?since={since}", local.emulator.url()));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("the emulator answers");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, read: String::new() }
    }

    /// Name, ID and data of the next event.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let line = |name: &str| {
                    let mut lines = event.lines();
                    let line = lines.find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().trim_start().to_owned()
                };
                let found = (
                    line("event:"),
                    line("id:"),
                    serde_json::from_str(&line("data:")).unwrap_or_default(),
                );
                self.read = rest.to_owned();
                if !found.0.is_empty() {
                    return found;
                }
                continue;
            }
            let chunk = self.response.chunk().await.expect("a chunk").expect("more");
            self.read.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

fn numbers(event: &Value) -> Vec<u64> {
    event
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["seq"].as_u64().expect("a number"))
        .collect()
}

#[tokio::test]
async fn events_report_each_change_once_and_resume_after_a_disconnect() {
    let local = Local::with(Emulator::builder().processing_delay(Duration::from_millis(400))).await;
    let html = local.page("/_emulator/").await;
    let since = html.split("data-since=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut events = Events::open(&local, &since, None).await;
    answer(local.ingest().json(&json!({ "fields": { "phone": "919999999999", "rating": 9 } })))
        .await;
    let (name, _, rows) = events.next().await;
    assert_eq!((name.as_str(), numbers(&rows)), ("calls", vec![1]));
    assert!(rows[0]["html"].as_str().unwrap().contains("queued"));
    // Background processing changes the same call.
    let (_, id, rows) = events.next().await;
    assert_eq!(numbers(&rows), [1]);
    assert!(rows[0]["html"].as_str().unwrap().contains("fields.rating"), "{rows}");
    drop(events);

    local.get("/metadata").await;
    local.get("/custom-fields").await;
    let mut again = Events::open(&local, &since, Some(&id)).await;
    let (_, id, rows) = again.next().await;
    assert_eq!(numbers(&rows), [2, 3], "each missed call is sent once");
    local.emulator.reset();
    assert_eq!(again.next().await.0, "reset");
    drop(again);

    let mut foreign = Events::open(&local, "1-1", None).await;
    assert_eq!(foreign.next().await.0, "reset", "the revision belongs to another emulator");
    local.get("/metadata").await;
    assert_eq!(numbers(&foreign.next().await.2), [4]);
    let mut late = Events::open(&local, &since, Some(&id)).await;
    assert_eq!(late.next().await.0, "reset", "the log was cleared meanwhile");
}

#[tokio::test]
async fn an_open_page_does_not_delay_the_shutdown() {
    let local = Local::start().await;
    let mut events = Events::open(&local, "", None).await;
    assert_eq!(events.next().await.0, "reset");
    let watch = Stopwatch::start();
    local.emulator.shutdown().await;
    assert!(watch.elapsed() < Duration::from_secs(3), "{:?}", watch.elapsed());
    assert!(
        events.response.chunk().await.is_ok_and(|rest| rest.is_none()),
        "the stream ends without an error"
    );
}

#[tokio::test]
async fn received_requests_can_be_read_by_tests() {
    let local = Local::start().await;
    let lead = json!({ "fields": { "phone": "919999999999" } });
    local.post("/lead?dry=1", lead.clone()).await;
    let received = &local.emulator.received(0)[0];
    assert_eq!(
        (received.seq, received.method.as_str(), received.path.as_str()),
        (1, "POST", "/autoupdate/v2/enterprise/ent-local/lead")
    );
    assert_eq!((received.query.as_deref(), received.json()), (Some("dry=1"), Some(lead)));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert!(local.emulator.log(0)[0].ms.is_some_and(|ms| ms > 0.0));
    assert!(local.emulator.received(1).is_empty());
}
