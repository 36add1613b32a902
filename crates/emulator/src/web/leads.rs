//! The leads and their timelines.

use super::call::value;
use super::calls::Row;
use super::filter::escaped;
use super::page::{self, Tab};
use crate::App;
use crate::answer::Params;
use crate::profile::LeadAttributes;
use crate::store::{Store, StoredAction, StoredLead};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};
use telecrm_core::workspace::FieldType;

/// How many leads, or entries of a timeline, a page holds.
const PAGE: usize = 50;

/// How many leads a search reads, because the store answers nobody else meanwhile.
const SEARCHED: usize = 20_000;

/// How many calls that wrote a lead are shown with it.
const CALLS: usize = 20;

/// What is found.
struct Found {
    rows: Vec<Value>,
    is_more: bool,
    total: usize,
}

impl Found {
    /// A lead by its ID or identifier, or all that hold a text; without one all.
    fn new(store: &Store, text: &str, skip: usize) -> Self {
        let total = store.newest_first().count();
        let by_key = store.workspace().identifier_key(&text.into());
        let exact = store.find(text);
        let keys: Vec<_> = by_key.into_iter().collect();
        let exact = exact.or_else(|| store.with_identifiers(&keys).next());
        let needle = text.to_lowercase();
        let holds = |lead: &&StoredLead| {
            needle.is_empty()
                || lead.id == text
                || json!(lead.fields())
                    .to_string()
                    .to_lowercase()
                    .contains(&needle)
        };
        let most = if needle.is_empty() {
            usize::MAX
        } else {
            SEARCHED
        };
        let mut leads: Vec<_> = match exact {
            Some(lead) => vec![lead],
            None => store
                .newest_first()
                .take(most)
                .filter(holds)
                .skip(skip)
                .take(PAGE + 1)
                .collect(),
        };
        let is_more = leads.len() > PAGE;
        leads.truncate(PAGE);
        let row = |lead: &StoredLead| {
            let mut row = json!(lead.row(LeadAttributes::Both, true));
            row["entries"] = lead.actions().len().into();
            row
        };
        Self {
            rows: leads.into_iter().map(row).collect(),
            is_more,
            total,
        }
    }
}

/// `GET /_emulator/leads`.
pub(crate) async fn list(State(app): State<App>, params: Params) -> Response {
    let text = params.get("q").unwrap_or_default().trim();
    let skip = params
        .get("skip")
        .and_then(|skip| skip.parse().ok())
        .unwrap_or(0);
    let (found, identifier) = {
        let store = app.store();
        let identifier = store.workspace().identifier().api_name().to_owned();
        (Found::new(&store, text, skip), identifier)
    };
    let content = html! {
        div.head { h1 { "Leads" } p.facts { (page::counted(found.total, "lead")) } }
        form.controls method="get" role="search" {
            label.search {
                span.visually-hidden { "Search in leads" }
                input type="search" name="q" value=(text) placeholder="Search values, an identifier or an ID …" autocomplete="off" spellcheck="false";
            }
            button type="submit" { "Search" }
        }
        @if !text.is_empty() && found.total > SEARCHED {
            p.note { "Identifiers and IDs are found among all leads, other values among the newest " (SEARCHED) "." }
        }
        @if found.rows.is_empty() {
            div.empty {
                @if text.is_empty() && skip == 0 {
                    p.big { "No leads yet." }
                    p { "They come in through " code { "createOrUpdateLead" } " and " code { "createLead" } "." }
                } @else {
                    p.big { "No lead fits." }
                    p { a href="/_emulator/leads" { "Show all leads" } }
                }
            }
        } @else {
            table.leads {
                thead { tr {
                    th scope="col" { (identifier) } th scope="col" { "Name" } th scope="col" { "Status" }
                    th scope="col" { "Assignee" } th.number scope="col" { "Score" } th.number scope="col" { "Timeline" } th scope="col" { "Changed" }
                } }
                tbody { @for row in &found.rows { (list_row(row, &identifier)) } }
            }
        }
        @if skip > 0 || found.is_more {
            nav.pages aria-label="Pages of the list" {
                @if skip > 0 { a rel="prev" href={ "?q=" (escaped(text)) "&skip=" (skip.saturating_sub(PAGE)) } { "Newer leads" } }
                @if found.is_more { a rel="next" href={ "?q=" (escaped(text)) "&skip=" (skip + PAGE) } { "Older leads" } }
            }
        }
    };
    page::page(&app, Tab::Leads, "Leads", content)
}

fn list_row(row: &Value, identifier: &str) -> Markup {
    let fields = &row["fields"];
    let text = |name: &str| fields[name].as_str().unwrap_or("–");
    html! {
        tr {
            td.what { a href={ "/_emulator/leads/" (row["id"].as_str().unwrap_or_default()) } { (value(fields.get(identifier))) } }
            td data-label="Name" { (text("name")) }
            td data-label="Status" { (text("status")) }
            td data-label="Assignee" { (text("assignee")) }
            td.number data-label="Score" { (row["score"]) }
            td.number data-label="Timeline" { (row["entries"]) }
            td data-label="Changed" { @if let Some(time) = fields["modified_on"].as_i64() { (page::day_and_time(time)) } }
        }
    }
}

/// `GET /_emulator/leads/{id}`.
pub(crate) async fn detail(
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let skip = params
        .get("skip")
        .and_then(|skip| skip.parse().ok())
        .unwrap_or(0);
    let Some((title, lead)) = read(&app, &id, skip) else {
        let said = format!("There is no lead {id}.");
        return page::problem(&app, Tab::Leads, StatusCode::NOT_FOUND, &said);
    };
    let calls = app.log.before(u64::MAX, CALLS, |call| {
        let mentions = call.stored().is_some_and(|text| text.contains(&id));
        let wrote = mentions && call.to_entry().stored?.get("id")?.as_str()? == id;
        (wrote || call.entry.path.contains(&id)).then(|| Row::new(call, &app.config.enterprise))
    });
    let content = html! {
        nav.trail aria-label="Leads" { a href="/_emulator/leads" { "← All leads" } }
        div.head { h1 { (title) } }
        p.address { code { (id) } }
        (lead)
        section aria-labelledby="calls" {
            h2 #calls { "Calls that wrote it" }
            @if calls.is_empty() { p.note { "The log has none." } }
            @else { table.calls { tbody { @for row in &calls { (row.markup()) } } } }
        }
    };
    page::page(&app, Tab::Leads, &title, content)
}

fn read(app: &App, id: &str, skip: usize) -> Option<(String, Markup)> {
    let store = app.store();
    let workspace = store.workspace();
    let lead = store.find(id)?;
    let fields = json!(lead.fields());
    let identifier = workspace.identifier().api_name();
    let title = fields["name"]
        .as_str()
        .or(fields[identifier].as_str())
        .unwrap_or("A lead");
    let entries: Vec<_> = lead.timeline().skip(skip).take(PAGE).collect();
    let count = lead.actions().len();
    let names = |entry: &StoredAction| match entry.code() {
        Some(code) => workspace
            .action(code)
            .and_then(|action| action.display_name.clone()),
        None => None,
    };
    let markup = html! {
        section aria-labelledby="fields" {
            h2 #fields { "Fields" }
            table.fields {
                tbody {
                    @for (name, stored) in fields.as_object().into_iter().flatten() {
                        @let field = workspace.field(name);
                        tr {
                            th scope="row" { code { (name) } @if name == identifier { " " span.badge.plain { "identifier" } } }
                            td {
                                (value(Some(stored)))
                                @let is_time = name.ends_with("ed_on") || field.is_some_and(|field| field.field_type == FieldType::Date);
                                @if let (true, Some(time)) = (is_time, stored.as_i64()) { " " span.faint { (page::day_and_time(time)) } }
                            }
                        }
                    }
                }
            }
        }
        section aria-labelledby="timeline" {
            h2 #timeline { "Timeline" " " span.faint { (page::counted(count, "entry").replace("entrys", "entries")) } }
            @if entries.is_empty() { p.note { "Nothing happened to it." } }
            ol.timeline { @for entry in entries { (timeline_entry(entry, names(entry))) } }
            @if skip > 0 || count > skip.saturating_add(PAGE) {
                nav.pages aria-label="Pages of the timeline" {
                    @if skip > 0 { a rel="prev" href={ "?skip=" (skip.saturating_sub(PAGE)) } { "Newer entries" } }
                    @if count > skip.saturating_add(PAGE) { a rel="next" href={ "?skip=" (skip + PAGE) } { "Older entries" } }
                }
            }
        }
    };
    Some((title.to_owned(), markup))
}

fn timeline_entry(entry: &StoredAction, name: Option<String>) -> Markup {
    let shown = json!(entry.shown(false));
    let fields = match shown.get("fields") {
        Some(fields) => fields,
        None => &shown,
    };
    html! {
        li {
            div.when { (page::day_and_time(entry.created)) }
            div {
                b { (entry.type_name()) } @if let Some(name) = name { " " (name) }
                dl.values {
                    @for (key, stored) in fields.as_object().into_iter().flatten() {
                        @if !["id", "type", "creationTimestamp"].contains(&key.as_str()) {
                            div { dt { (key) } dd { (value(Some(stored))) } }
                        }
                    }
                }
            }
        }
    }
}
