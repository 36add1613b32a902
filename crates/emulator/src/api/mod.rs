//! The operations of both APIs.

mod actions;
mod answers;
mod ingest;
mod leads;
mod remarks;
mod search;
mod team_members;
mod workspace;

use crate::app::App;
use crate::operations::Operation;
use axum::routing::{MethodFilter, MethodRouter, on};

/// The handler of an operation.
pub(crate) fn handler(operation: Operation, method: MethodFilter) -> MethodRouter<App> {
    match operation {
        Operation::CreateOrUpdateLead => on(method, ingest::push),
        Operation::CreateLead => on(method, leads::create),
        Operation::GetLead => on(method, leads::get),
        Operation::UpdateLead => on(method, leads::update),
        Operation::SearchLeads => on(method, leads::search),
        Operation::CreateActions => on(method, actions::create),
        Operation::GetAction => on(method, actions::get),
        Operation::UpdateAction => on(method, actions::update),
        Operation::SearchActions => on(method, actions::search),
        Operation::ListTeamMembers => on(method, team_members::list),
        Operation::CreateTeamMember => on(method, team_members::create),
        Operation::GetTeamMember => on(method, team_members::get),
        Operation::SetTeamMemberState => on(method, team_members::change_state),
        Operation::GetMetadata => on(method, workspace::metadata),
        Operation::ListCustomFields => on(method, workspace::custom_fields),
        Operation::GetCustomField => on(method, workspace::custom_field),
        Operation::ListCustomActions => on(method, workspace::custom_actions),
        Operation::GetCustomAction => on(method, workspace::custom_action),
        Operation::GetLeadStagePipeline => on(method, workspace::pipeline),
    }
}
