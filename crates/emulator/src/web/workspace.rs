//! The page of the workspace: fields, custom actions, pipeline and team.

use super::page::{self, Tab};
use crate::app::App;
use crate::store::team;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Map, Value};
use telecrm_core::Workspace;
use telecrm_core::workspace::FieldDefinition;

/// Heading and key of each column about a team member, after the name.
const MEMBER_COLUMNS: [(&str, &str); 5] = [
    ("Email", "email"),
    ("Phone", "phone_number"),
    ("Role", "permission_template_name"),
    ("Manager", "manager_name"),
    ("Status", "status"),
];

/// `GET /_emulator/workspace`.
pub(crate) async fn page(State(app): State<App>) -> Response {
    let content = {
        let store = app.store();
        let workspace = store.workspace();
        html! {
            div.head { h1 { "Workspace" } }
            p.facts {
                "Enterprise ID: " code { (app.config.enterprise) }
                " · lead identifier: " code { (workspace.identifier().api_name()) }
                " · time zone: " (workspace.time_zone().iana_name().unwrap_or("unnamed"))
            }
            nav.jump aria-label="On this page" {
                a href="#fields" { "Fields" } a href="#actions" { "Actions" } a href="#pipeline" { "Pipeline" } a href="#team" { "Team" }
            }
            (fields(workspace))
            (actions(workspace))
            (pipeline(workspace))
            (team(&store.team().sorted(true)))
        }
    };
    page::page(&app, Tab::Workspace, "Workspace", content)
}

fn fields(workspace: &Workspace) -> Markup {
    let identifier = workspace.identifier().api_name();
    html! {
        section aria-labelledby="fields" {
            h2 #fields { "Lead fields" " " span.faint { (workspace.fields().len()) } }
            table.schema {
                thead { tr { th scope="col" { "API name" } th scope="col" { "Type" } th scope="col" { "Options" } } }
                tbody { @for field in workspace.fields() { (field_row(field, field.api_name == identifier)) } }
            }
        }
    }
}

fn field_row(field: &FieldDefinition, is_identifier: bool) -> Markup {
    html! {
        tr {
            th scope="row" { code { (field.api_name) } @if is_identifier { " " span.badge.plain { "identifier" } } }
            td data-label="Type" {
                (field.field_type.as_str())
                @if let Some(format) = &field.date_format { " " span.faint { (format) } }
            }
            td data-label="Options" {
                @if field.options.is_empty() { span.faint { "–" } }
                @for option in &field.options { span.badge.plain { (option) } " " }
            }
        }
    }
}

fn actions(workspace: &Workspace) -> Markup {
    html! {
        section aria-labelledby="actions" {
            h2 #actions { "Custom actions" " " span.faint { (workspace.actions().len()) } }
            @if workspace.actions().is_empty() { p.note { "The workspace has no custom actions." } }
            @for action in workspace.actions() {
                h3 {
                    code { (action.code.bare()) } " " (action.display_name.as_deref().unwrap_or_default())
                    @if action.allows_predated { " " span.badge.plain title="created_on may be in the past." { "can be backdated" } }
                }
                @match action.fields.as_deref() {
                    None => { p.note { "The workspace does not define the fields of this action. Every field is accepted." } },
                    Some([]) => { p.note { "This action has no fields." } },
                    Some(fields) => {
                        table.schema { tbody { @for field in fields { (field_row(field, false)) } } }
                    }
                }
            }
        }
    }
}

fn pipeline(workspace: &Workspace) -> Markup {
    let pipeline = workspace.pipeline();
    let statuses = pipeline.and_then(|pipeline| pipeline.statuses.as_deref()).unwrap_or_default();
    let reasons =
        pipeline.and_then(|pipeline| pipeline.lost_reasons.as_deref()).unwrap_or_default();
    // In the order of the pipeline, which sorting would lose.
    let mut stages: Vec<Option<&str>> = Vec::new();
    for status in statuses {
        if !stages.contains(&status.stage_type.as_deref()) {
            stages.push(status.stage_type.as_deref());
        }
    }
    let label = |label: &str, archived: bool| {
        html! { span class={ "badge " (if archived { "faint" } else { "plain" }) } { (label) @if archived { " (archived)" } } " " }
    };
    html! {
        section aria-labelledby="pipeline" {
            h2 #pipeline { "Pipeline" }
            table.schema { tbody {
                @for stage in stages {
                    tr {
                        th scope="row" { (stage.unwrap_or("Statuses")) }
                        td { @for status in statuses.iter().filter(|status| status.stage_type.as_deref() == stage) { (label(&status.label, status.archived)) } }
                    }
                }
                tr {
                    th scope="row" { "Lost reasons" }
                    td { @for reason in reasons { (label(&reason.label, reason.archived)) } @if reasons.is_empty() { span.faint { "–" } } }
                }
            } }
        }
    }
}

fn team(members: &[&Map<String, Value>]) -> Markup {
    html! {
        section aria-labelledby="team" {
            h2 #team { "Team" " " span.faint { (members.len()) } }
            @if members.is_empty() { p.note { "The team has no members." } }
            @else {
                table.schema {
                    thead { tr { th scope="col" { "Name" } @for (heading, _) in MEMBER_COLUMNS { th scope="col" { (heading) } } } }
                    tbody {
                        @for member in members {
                            tr {
                                th scope="row" { (team::text(member, "name")) }
                                @for (heading, key) in MEMBER_COLUMNS { td data-label=(heading) { (team::text(member, key)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
