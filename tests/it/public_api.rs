//! The public API in programs with several threads: every call can be spawned.

use crate::support::{own_surface, sync_token};
use std::collections::BTreeMap;
use telecrm::response::{Availability, TeamMemberRole};
use telecrm::{
    ActionFilter, CustomAction, Error, Filter, Incomplete, Ingest, Items, Lead, LeadRecord, Leads,
    Method, NewTeamMember, PageRequest, PaymentStatus, Receipt, Request, Telecrm, Workspace, raw,
};

fn spawnable<F: Future<Output = ()> + Send + 'static>(_: F) {}

/// Asserts that the future of each call can be spawned. Returns the number of calls.
macro_rules! spawnable {
    ($telecrm:ident: $($call:expr;)+) => {{
        $(
            let $telecrm = $telecrm.clone();
            spawnable({
                let $telecrm = $telecrm.clone();
                async move {
                    let _ = $call.await;
                }
            });
        )+
        [$(stringify!($call)),+].len()
    }};
}

fn assert_shared<T: Send + Sync + 'static>() {}

fn assert_sent<T: Send + 'static>() {}

#[test]
fn clients_streams_and_errors_can_be_sent_to_other_threads() {
    assert_shared::<Telecrm>();
    assert_shared::<Leads>();
    assert_shared::<Ingest>();
    assert_shared::<Workspace>();
    assert_shared::<Error>();
    assert_shared::<Incomplete<LeadRecord>>();
    assert_shared::<raw::sync::Client>();
    assert_sent::<Items<LeadRecord>>();
    assert_sent::<Request>();
}

#[test]
fn requests_and_streams_outlive_the_client() {
    let telecrm = Telecrm::builder("ent").build().expect("builds");
    let (leads, request) = (telecrm.leads(), telecrm.request(Method::Get, "/reports"));
    let all = leads.stream(Filter::new()).collect();
    drop(telecrm);
    spawnable(async move { _ = (request.send().await, all.await) });
}

#[test]
fn every_call_can_be_spawned() {
    let telecrm = Telecrm::builder("ent").sync_token(sync_token("s")).build().expect("builds");
    let visit = || CustomAction::new(1001).expect("a code");
    let count = spawnable! { telecrm:
        telecrm.workspace();
        telecrm.refresh_workspace();
        telecrm.request(Method::Get, "/reports").send();
        telecrm.ingest().push(&Lead::new());
        telecrm.ingest().baseline(&Lead::new());
        telecrm.ingest().push_and_verify(&Lead::new());
        telecrm.ingest().verify(&Receipt::unconfirmed(Lead::new()));
        telecrm.ingest().verify_all([Receipt::unconfirmed(Lead::new())]).next();
        telecrm.ingest().verify_all([]).collect();
        telecrm.ingest().push_all([]).next();
        telecrm.leads().changes(Filter::new(), None).expect("changes").next();
        telecrm.leads().create(&Lead::new());
        telecrm.leads().get("l1");
        telecrm.leads().find("919999999999");
        telecrm.leads().first(&Filter::new());
        telecrm.leads().get_with_actions("l1", PageRequest::default());
        telecrm.leads().update("l1", BTreeMap::new());
        telecrm.leads().upsert(&Lead::new());
        telecrm.leads().count(&Filter::new());
        telecrm.leads().search(&Filter::new(), PageRequest::default());
        telecrm.leads().stream(Filter::new()).next();
        telecrm.leads().stream(Filter::new()).prefetch(2).collect();
        telecrm.leads().actions("l1").create([visit()]);
        telecrm.leads().actions("l1").get("a1");
        telecrm.leads().actions("l1").update("a1", visit());
        telecrm.leads().actions("l1").set_payment_status("a1", PaymentStatus::Failed);
        telecrm.leads().actions("l1").search(&ActionFilter::new(), PageRequest::default());
        telecrm.schema().metadata();
        telecrm.schema().fields();
        telecrm.schema().field("phone");
        telecrm.schema().actions();
        telecrm.schema().action(1001);
        telecrm.schema().pipeline();
        telecrm.schema().file();
        telecrm.team_members().list(PageRequest::default());
        telecrm.team_members().get("jane.doe@example.com");
        telecrm.team_members().create(&NewTeamMember::new("J", "j@example.com", "919999999999", TeamMemberRole::Caller));
        telecrm.team_members().set_availability("jane.doe@example.com", Availability::Active);
    };
    assert_eq!(own_surface().matches("pub async fn ").count(), count);
}

#[test]
fn a_generated_call_and_a_stream_can_be_spawned() {
    let telecrm = Telecrm::builder("ent").build().expect("builds");
    let count = spawnable! { telecrm:
        async { telecrm.raw().sync().expect("a token").get_metadata("ent").await };
        async { telecrm.leads().actions("l1").stream(ActionFilter::new()).next().await };
    };
    assert_eq!(count, 2);
}
