//! Secrets and personal data that no output may show, and one call of each operation with them.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Debug;
use telecrm::response::{Availability, TeamMemberRole};
use telecrm::{
    ActionFilter, Builder, CustomAction, Error, Filter, Lead, NewTeamMember, Operation,
    PageRequest, Telecrm,
};

pub(crate) const SYNC_TOKEN: &str = "canary-sync-7f3a";
pub(crate) const ASYNC_TOKEN: &str = "canary-async-91c2";
pub(crate) const ENTERPRISE: &str = "canary-ent-55d0";
pub(crate) const PHONE: &str = "919812345678";
pub(crate) const PHONE_AS_WRITTEN: &str = "+91 98123 45678";
pub(crate) const EMAIL: &str = "canary.jane@example.com";

/// What the planted values have in common. Each spelling of the number has one of the last two.
pub(crate) const MARKS: &[&str] = &["canary", "9812345678", "98123 45678"];

pub(crate) fn fields() -> Value {
    json!({ "phone": PHONE, "email": EMAIL, "name": "Canary Jane", "interests": [EMAIL] })
}

pub(crate) fn lead() -> Lead {
    let lead = Lead::from_json(json!({
        "fields": fields(),
        "actions": [{ "type": "ACTION_1001", "fields": { "note": EMAIL } }],
        "note": PHONE_AS_WRITTEN,
    }));
    lead.expect("a lead")
}

/// A lead as the server answers it.
pub(crate) fn row() -> Value {
    json!({ "id": "l1", "fields": fields(), "employeeid": EMAIL, "phone": PHONE,
        "actions": [{ "id": "a1", "type": "ACTION_1001", "fields": { "note": PHONE } }] })
}

pub(crate) fn visit() -> CustomAction {
    super::visit(EMAIL)
}

pub(crate) fn member() -> NewTeamMember {
    NewTeamMember::new("Canary Jane", EMAIL, PHONE, TeamMemberRole::Caller)
        .password("canary-password")
}

pub(crate) fn filter() -> Filter {
    Filter::new().eq("phone", PHONE).eq("email", EMAIL)
}

pub(crate) fn action_filter() -> ActionFilter {
    ActionFilter::new().performed_by([EMAIL])
}

/// Gives a client the planted tokens.
pub(crate) fn planted(builder: Builder) -> Builder {
    builder.sync_token(super::sync_token(SYNC_TOKEN)).async_token(super::async_token(ASYNC_TOKEN))
}

/// A value as `{:?}` and `{:#?}` print it.
pub(crate) struct Printed {
    pub(crate) type_name: &'static str,
    pub(crate) text: String,
}

impl Printed {
    pub(crate) fn of<T: Debug>(value: &T) -> Self {
        Self { type_name: std::any::type_name::<T>(), text: format!("{value:?} {value:#?}") }
    }
}

/// Makes one call of the operation, with planted values wherever there is room.
pub(crate) async fn call(telecrm: &Telecrm, operation: Operation) -> Result<Printed, Error> {
    let (leads, schema, members) = (telecrm.leads(), telecrm.schema(), telecrm.team_members());
    let actions = leads.actions(PHONE);
    let page = PageRequest::default();
    Ok(match operation {
        Operation::CreateOrUpdateLead => Printed::of(&telecrm.ingest().push(&lead()).await?),
        Operation::CreateLead => Printed::of(&leads.create(&lead()).await?),
        Operation::GetLead => Printed::of(&leads.get(PHONE).await?),
        Operation::UpdateLead => {
            let fields = BTreeMap::from([("email".to_owned(), EMAIL.into())]);
            Printed::of(&leads.update(PHONE, fields).await?)
        }
        Operation::SearchLeads => Printed::of(&leads.search(&filter(), page).await?),
        Operation::CreateActions => Printed::of(&actions.create([visit()]).await?),
        Operation::GetAction => Printed::of(&actions.get(EMAIL).await?),
        Operation::UpdateAction => Printed::of(&actions.update(EMAIL, visit()).await?),
        Operation::SearchActions => Printed::of(&actions.search(&action_filter(), page).await?),
        Operation::ListTeamMembers => Printed::of(&members.list(page).await?),
        Operation::GetTeamMember => Printed::of(&members.with_deleted().get(EMAIL).await?),
        Operation::CreateTeamMember => Printed::of(&members.create(&member()).await?),
        Operation::SetTeamMemberState => {
            Printed::of(&members.set_availability(EMAIL, Availability::OnLeave).await?)
        }
        Operation::GetMetadata => Printed::of(&schema.metadata().await?),
        Operation::ListCustomFields => Printed::of(&schema.fields().await?),
        Operation::GetCustomField => Printed::of(&schema.field(EMAIL).await?),
        Operation::ListCustomActions => Printed::of(&schema.actions().await?),
        Operation::GetCustomAction => Printed::of(&schema.action(1001).await?),
        Operation::GetLeadStagePipeline => Printed::of(&schema.pipeline().await?),
        other => panic!("{other} has no planted call"),
    })
}
