//! `Filter` and `ActionFilter`: what a search asks for, and which filters are refused.

use crate::support::{bare_visit, cases, client, emulator};
use telecrm::testing::FakeTelecrm;
use telecrm::{ActionFilter, Error, Filter, Lead, PageRequest, Period, Phase, Telecrm};
use telecrm_emulator::Emulator;

/// A month of 2026 in India.
fn month(month: i8) -> Period {
    let zone = jiff::tz::TimeZone::get("Asia/Kolkata").expect("known");
    Period::month(2026, month, &zone).expect("a month")
}

/// A lead that was visited in June, and is due in the last second of June.
async fn with_a_lead_of_june() -> (Emulator, Telecrm) {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let visited = "2026-06-15T12:00:00+05:30".parse().expect("a time");
    let due: jiff::Timestamp = "2026-06-30T23:59:59+05:30".parse().expect("a time");
    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("follow_up_date", due)
        .action(bare_visit().created_on(visited));
    let _ = telecrm.ingest().push(&lead).await.expect("queued");
    emulator.wait_idle().await;
    (emulator, telecrm)
}

async fn a_period_narrows_a_search(period: Period, expected: u64) {
    let (_emulator, telecrm) = with_a_lead_of_june().await;
    let by_date = Filter::new().within("follow_up_date", period);
    let count = telecrm.leads().count(&by_date).await.expect("counted");
    assert_eq!(count, expected);
}

cases! { async a_period_narrows_a_search:
    the_month_of_the_lead(month(6), 1);
    the_month_after(month(7), 0);
}

async fn actions_of_a_period_narrow_a_search(period: Period, expected: u64) {
    let (_emulator, telecrm) = with_a_lead_of_june().await;
    let visits = ActionFilter::new().of_code(1001).between(period.from, period.to);
    let by_action = Filter::new().with_action(visits);
    let count = telecrm.leads().count(&by_action).await.expect("counted");
    assert_eq!(count, expected);
}

cases! { async actions_of_a_period_narrow_a_search:
    the_month_of_the_visit(month(6), 1);
    the_month_after(month(7), 0);
}

const NO_VALUES: [&str; 0] = [];

fn by_no_performer() -> ActionFilter {
    ActionFilter::new().performed_by(NO_VALUES)
}

#[track_caller]
fn assert_refused(fake: &FakeTelecrm, error: &Error) {
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert!(error.to_string().contains("has an empty value list"), "{error}");
    assert!(fake.requests().is_empty());
}

async fn a_count_with_an_empty_list_of_values_is_refused(filter: Filter) {
    let fake = FakeTelecrm::new();
    let error = fake.client().leads().count(&filter).await;
    assert_refused(&fake, &error.expect_err("refused"));
}

cases! { async a_count_with_an_empty_list_of_values_is_refused:
    of_a_field(Filter::new().any_of("status", NO_VALUES));
    of_one_field_of_two(Filter::new().eq("name", "Jane").any_of("assignee", NO_VALUES));
    of_performers(Filter::new().with_action(by_no_performer()));
}

async fn a_stream_with_an_empty_list_of_values_is_refused(filter: Filter) {
    let fake = FakeTelecrm::new();
    let error = fake.client().leads().stream(filter).collect().await;
    assert_refused(&fake, &error.expect_err("refused"));
}

cases! { async a_stream_with_an_empty_list_of_values_is_refused:
    of_a_field(Filter::new().any_of("status", NO_VALUES));
    of_one_field_of_two(Filter::new().eq("name", "Jane").any_of("assignee", NO_VALUES));
    of_performers(Filter::new().with_action(by_no_performer()));
}

#[tokio::test]
async fn a_search_of_a_timeline_with_an_empty_list_of_performers_is_refused() {
    let fake = FakeTelecrm::new();
    let actions = fake.client().leads().actions("62ab16e");
    let error = actions.search(&by_no_performer(), PageRequest::default()).await;
    let error = error.expect_err("refused");
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert!(fake.requests().is_empty());
}
