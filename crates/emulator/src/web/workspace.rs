//! What the workspace defines: fields, actions, pipeline, team.

use super::page::{self, Tab};
use crate::App;
use crate::team_members;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Map, Value};
use telecrm_core::Workspace;
use telecrm_core::workspace::FieldDefinition;

/// What is shown of a member beside the name.
const COLUMNS: [(&str, &str); 5] = [
    ("E-mail", "email"),
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
                "Enterprise " code { (app.config.enterprise) }
                " · leads are identified by " code { (workspace.identifier().api_name()) }
                " · times are read in " (workspace.time_zone().iana_name().unwrap_or("its time zone"))
            }
            nav.jump aria-label="On this page" {
                a href="#fields" { "Fields" } a href="#actions" { "Actions" } a href="#pipeline" { "Pipeline" } a href="#team" { "Team" }
            }
            (fields(workspace))
            (actions(workspace))
            (pipeline(workspace))
            (team(&store.team().all()))
        }
    };
    page::page(&app, Tab::Workspace, "Workspace", content)
}

fn fields(workspace: &Workspace) -> Markup {
    let identifier = workspace.identifier().api_name();
    html! {
        section aria-labelledby="fields" {
            h2 #fields { "Fields of leads" " " span.faint { (workspace.fields().len()) } }
            table.schema {
                thead { tr { th scope="col" { "API name" } th scope="col" { "Type" } th scope="col" { "Options" } } }
                tbody {
                    @for field in workspace.fields() {
                        tr {
                            th scope="row" { code { (field.api_name) } @if field.api_name == identifier { " " span.badge.plain { "identifier" } } }
                            td data-label="Type" { (kind(field)) }
                            td data-label="Options" { (options(field)) }
                        }
                    }
                }
            }
        }
    }
}

fn kind(field: &FieldDefinition) -> Markup {
    html! {
        (field.field_type.as_str())
        @if let Some(format) = &field.date_format { " " span.faint { (format) } }
    }
}

fn options(field: &FieldDefinition) -> Markup {
    html! {
        @if field.options.is_empty() { span.faint { "–" } }
        @for option in &field.options { span.badge.plain { (option) } " " }
    }
}

fn actions(workspace: &Workspace) -> Markup {
    html! {
        section aria-labelledby="actions" {
            h2 #actions { "Custom actions" " " span.faint { (workspace.actions().len()) } }
            @if workspace.actions().is_empty() { p.note { "The workspace defines none." } }
            @for action in workspace.actions() {
                h3 {
                    code { (action.code.bare()) } " " (action.display_name.as_deref().unwrap_or_default())
                    @if action.allows_predated { " " span.badge.plain title="created_on may lie in the past." { "may be dated back" } }
                }
                @match &action.fields {
                    None => { p.note { "Its fields are not told: any field is taken." } },
                    Some(fields) if fields.is_empty() => { p.note { "It has no fields." } },
                    Some(fields) => {
                        table.schema { tbody {
                            @for field in fields {
                                tr { th scope="row" { code { (field.api_name) } } td data-label="Type" { (kind(field)) } td data-label="Options" { (options(field)) } }
                            }
                        } }
                    }
                }
            }
        }
    }
}

fn pipeline(workspace: &Workspace) -> Markup {
    let pipeline = workspace.pipeline();
    let statuses = pipeline
        .and_then(|pipeline| pipeline.statuses.as_deref())
        .unwrap_or_default();
    let reasons = pipeline
        .and_then(|pipeline| pipeline.lost_reasons.as_deref())
        .unwrap_or_default();
    let label = |label: &str, archived: bool| {
        html! { span class={ "badge " (if archived { "faint" } else { "plain" }) } { (label) @if archived { " (archived)" } } " " }
    };
    let mut stages: Vec<Option<&str>> = Vec::new();
    for status in statuses {
        if !stages.contains(&status.stage_type.as_deref()) {
            stages.push(status.stage_type.as_deref());
        }
    }
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
            @if members.is_empty() { p.note { "Nobody is in the team." } }
            @else {
                table.schema {
                    thead { tr { th scope="col" { "Name" } @for (label, _) in COLUMNS { th scope="col" { (label) } } } }
                    tbody {
                        @for member in members {
                            tr {
                                th scope="row" { (team_members::text(member, "name")) }
                                @for (label, key) in COLUMNS { td data-label=(label) { (team_members::text(member, key)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
