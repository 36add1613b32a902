//! Whole lists over HTTP.

use crate::support::client;
use futures_util::TryStreamExt;
use httpmock::{Method, MockServer};
use serde_json::json;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{ActionFilter, CustomAction, Filter, Lead, Operation, Period, SyncToken, Telecrm};
use telecrm_emulator::Emulator;

async fn filled(count: usize) -> (Emulator, Telecrm) {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    for serial in 0..count {
        let status = ["Fresh", "Won", "Lost"][serial % 3];
        let lead = Lead::new()
            .set("phone", format!("91{serial:010}").replacen("910", "919", 1))
            .set("assignee", "jane.doe@example.com")
            .set("status", status);
        let _ = telecrm.ingest().push(&lead).await.expect("queued");
    }
    emulator.settle().await;
    (emulator, telecrm)
}

#[tokio::test]
async fn every_lead_comes_once_newest_first_also_while_others_arrive() {
    let (emulator, telecrm) = filled(250).await;
    for prefetch in [0, 3] {
        let mut stream = telecrm.leads().stream(Filter::new());
        if prefetch > 0 {
            stream = stream.prefetch(prefetch);
        }
        let mut seen = std::collections::HashSet::new();
        let mut last = i64::MAX;
        while let Some(lead) = stream.next().await {
            let lead = lead.expect("read");
            let created = lead
                .get("created_on")
                .and_then(|time| time.as_i64())
                .expect("told");
            assert!(created <= last);
            last = created;
            assert!(seen.insert(lead.id().expect("told").to_owned()));
            if seen.len() % 50 == 0 {
                let late = Lead::new().set("phone", format!("9188{prefetch}{:07}", seen.len()));
                let _ = telecrm.ingest().push(&late).await.expect("queued");
                emulator.settle().await;
            }
        }
        assert!(seen.len() >= 250);
    }
}

#[tokio::test]
async fn le10_an_assignee_with_several_statuses_is_asked_for_one_by_one() {
    let (emulator, telecrm) = filled(30).await;
    let filter = Filter::new()
        .eq("assignee", "jane.doe@example.com")
        .any_of("status", ["Won", "Lost"]);
    let before = emulator.log(0).len();
    assert_eq!(telecrm.leads().count(&filter).await.expect("counted"), 20);
    assert_eq!(emulator.log(0).len() - before, 2);
    let leads: Vec<_> = telecrm
        .leads()
        .stream(filter)
        .try_collect()
        .await
        .expect("read");
    assert_eq!(leads.len(), 20);
    let times: Vec<_> = leads
        .iter()
        .filter_map(|lead| lead.get("created_on")?.as_i64())
        .collect();
    assert!(
        times.is_sorted_by(|one, other| one >= other),
        "merged in order"
    );
}

#[tokio::test]
async fn periods_and_actions_narrow_a_search() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let visited = "2026-06-15T12:00:00+05:30".parse().expect("a time");
    let visit = CustomAction::new(1001).expect("a code").created_on(visited);
    let due: jiff::Timestamp = "2026-06-30T23:59:59+05:30".parse().expect("a time");
    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("follow_up_date", due)
        .action(visit);
    let _ = telecrm.ingest().push(&lead).await.expect("queued");
    emulator.settle().await;
    let zone = jiff::tz::TimeZone::get("Asia/Kolkata").expect("known");
    let month = |month| Period::month(2026, month, &zone).expect("a month");
    for (number, expected) in [(6, 1), (7, 0)] {
        let by_date = Filter::new().within("follow_up_date", month(number));
        assert_eq!(
            telecrm.leads().count(&by_date).await.expect("counted"),
            expected
        );
        let visits = ActionFilter::new()
            .of_code(1001)
            .between(month(number).from, month(number).to);
        let by_action = Filter::new().with_action(visits);
        assert_eq!(
            telecrm.leads().count(&by_action).await.expect("counted"),
            expected
        );
    }
}

fn scripted(server: &MockServer) -> Telecrm {
    Telecrm::builder("ent")
        .sync_url(server.base_url())
        .sync_token(SyncToken::new("s").expect("a token"))
        .build()
        .expect("builds")
}

#[tokio::test]
async fn timelines_go_back_by_time() {
    let server = MockServer::start_async().await;
    let entry = |number: i64| json!({ "id": format!("a{number}"), "type": "1001", "creationTimestamp": 1000 + number });
    let page = |numbers: std::ops::Range<i64>, total: u32| {
        let data: Vec<_> = numbers.rev().map(entry).collect();
        json!({ "data": data, "total_count": total, "skip": 0, "limit": 100 })
    };
    let path = "/enterprise/ent/lead/l1/action/search";
    server.mock(|when, then| {
        when.method(Method::POST).path(path).json_body(json!({}));
        then.status(200).json_body(page(50..150, 150));
    });
    // The oldest of the first page, and what is older.
    server.mock(|when, then| {
        when.method(Method::POST)
            .path(path)
            .json_body(json!({ "created_on": { "to": 1050 } }));
        then.status(200).json_body(page(0..51, 51));
    });
    let timeline = scripted(&server)
        .leads()
        .actions("l1")
        .stream(ActionFilter::new());
    let ids: Vec<_> = timeline
        .map_ok(|entry| entry.id().map(str::to_owned))
        .try_collect()
        .await
        .expect("read");
    assert_eq!(ids.len(), 150);
    assert_eq!(
        (ids[0].as_deref(), ids[149].as_deref()),
        (Some("a149"), Some("a0"))
    );
}

#[tokio::test]
async fn tm1_members_are_counted_through_by_ten() {
    let server = MockServer::start_async().await;
    for (skip, count) in [(0, 10), (10, 10), (20, 3)] {
        server.mock(|when, then| {
            let members: Vec<_> = (skip..skip + count)
                .map(|n| json!({ "email": format!("m{n}@example.com") }))
                .collect();
            when.path("/enterprise/ent/team-members")
                .query_param("skip", skip.to_string());
            then.status(200).json_body(
                json!({ "data": members, "total_count": 23, "skip": skip, "limit": 10 }),
            );
        });
    }
    let members = scripted(&server)
        .team_members()
        .stream()
        .collect()
        .await
        .expect("read");
    assert_eq!(members.len(), 23);
}

#[tokio::test]
async fn a_fault_ends_the_stream() {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST);
        then.status(401);
    });
    for stream in [
        scripted(&server).leads().stream(Filter::new()),
        scripted(&server).leads().stream(Filter::new()).prefetch(2),
    ] {
        let mut stream = stream;
        assert!(stream.next().await.expect("something").is_err());
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn a_stream_of_the_leads_of_one_time_asks_for_no_others() {
    let row = |index: u32| json!({ "id": format!("l{index}"), "fields": { "created_on": 250 } });
    let page = |rows: std::ops::Range<u32>| {
        let rows: Vec<_> = rows.map(row).collect();
        Response::json(json!({ "data": rows, "total_count": 150 }))
    };
    let fake = FakeTelecrm::new()
        .on(Operation::SearchLeads, page(0..100))
        .on(Operation::SearchLeads, page(100..150));
    let filter = Filter::new().eq("created_on", 250);
    let leads = fake.client().leads().stream(filter).collect().await;
    assert_eq!(leads.expect("read").len(), 150);
    for request in fake.requests() {
        let body = request.body().expect("a filter");
        assert_eq!(body["fields"]["created_on"], 250, "{body}");
    }
}

/// LE7: documented answers to a search have no IDs.
#[tokio::test]
async fn a_lead_without_an_id_is_recognised_by_its_identifier() {
    let row = |serial: u32, name: &str| json!({ "fields": { "phone": format!("9190000{serial:05}"), "created_on": serial, "name": name } });
    let page = |rows: Vec<serde_json::Value>, total: u32| {
        Response::json(json!({ "data": rows, "total_count": total }))
    };
    let first = (101..=200).rev().map(|serial| row(serial, "before"));
    // The edge comes again, and was changed meanwhile.
    let second = (95..=101).rev().map(|serial| row(serial, "after"));
    let fake = FakeTelecrm::new()
        .on(Operation::SearchLeads, page(first.collect(), 106))
        .on(Operation::SearchLeads, page(second.collect(), 7));
    let telecrm = fake.client();
    telecrm.workspace().await.expect("discovered");
    let leads = telecrm.leads().stream(Filter::new()).collect().await;
    let leads = leads.expect("read");
    let phones: Vec<_> = leads
        .iter()
        .filter_map(|lead| lead.get("phone")?.as_str())
        .collect();
    let expected: Vec<_> = (95..=200)
        .rev()
        .map(|serial| format!("9190000{serial:05}"))
        .collect();
    assert_eq!(phones, expected);
}

/// Where times are told as text they are times as well.
#[tokio::test]
async fn times_in_quotes_are_walked_like_others() {
    let entry =
        |time: u32| json!({ "id": format!("a{time}"), "creationTimestamp": time.to_string() });
    let page = |times: std::ops::RangeInclusive<u32>, total: u32| {
        let data: Vec<_> = times.rev().map(entry).collect();
        Response::json(json!({ "data": data, "total_count": total }))
    };
    let fake = FakeTelecrm::new()
        .on(Operation::SearchActions, page(51..=150, 150))
        .on(Operation::SearchActions, page(1..=51, 51));
    let timeline = fake
        .client()
        .leads()
        .actions("l1")
        .stream(ActionFilter::new());
    assert_eq!(timeline.collect().await.expect("read").len(), 150);
    let asked = fake.requests()[1].body().cloned().expect("a filter");
    assert_eq!(asked["created_on"]["to"], 51);
}
