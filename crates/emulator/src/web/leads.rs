//! The list of leads, and the page of one lead with its timeline.

use super::calls::Row;
use super::filter::query_value;
use super::page::{self, Tab};
use crate::app::App;
use crate::http::Params;
use crate::profile::LeadAttributes;
use crate::store::{EntryKind, Store, StoredAction, StoredLead};
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};
use telecrm_core::workspace::FieldType;

/// How many leads, or entries of a timeline, one page shows.
const PAGE_SIZE: usize = 50;

/// How many leads a text search reads. API calls wait for the store until it is done.
const LEADS_SEARCHED: usize = 20_000;

/// How many calls the page of a lead shows.
const CALLS_SHOWN: usize = 20;

/// One page of leads.
struct LeadPage {
    rows: Vec<Value>,
    has_more: bool,
    /// The number of all leads in the store.
    total: usize,
}

impl LeadPage {
    /// Finds the lead with this ID or identifier, else all leads that contain the text.
    fn find(store: &Store, text: &str, skip: usize) -> Self {
        let key = store.workspace().identifier_key(&text.into());
        let with_key = || store.with_identifiers(key.as_slice()).next();
        let needle = text.to_lowercase();
        let contains_text = |lead: &&StoredLead| {
            let fields = || json!(lead.fields()).to_string().to_lowercase();
            text.is_empty() || fields().contains(&needle)
        };
        let limit = if text.is_empty() { usize::MAX } else { LEADS_SEARCHED };
        let searched = store.newest_first().take(limit);
        let matching = searched.filter(contains_text).skip(skip);
        let mut leads: Vec<_> = match store.find(text).or_else(with_key) {
            Some(lead) => vec![lead],
            None => matching.take(PAGE_SIZE + 1).collect(),
        };
        let has_more = leads.len() > PAGE_SIZE;
        leads.truncate(PAGE_SIZE);
        let row = |lead: &StoredLead| {
            let mut row = json!(lead.row(LeadAttributes::Both, true, false));
            row["entries"] = lead.actions().len().into();
            row
        };
        Self {
            rows: leads.into_iter().map(row).collect(),
            has_more,
            total: store.newest_first().count(),
        }
    }
}

fn skip(params: &Params) -> usize {
    let skip = params.get("skip");
    skip.and_then(|skip| skip.parse().ok()).unwrap_or(0)
}

/// Links to the pages before and after the one that begins at `skip`.
fn pager(what: &str, query: &str, skip: usize, has_more: bool) -> Markup {
    let address = |skip: usize| format!("?{query}skip={skip}");
    html! {
        @if skip > 0 || has_more {
            nav.pages aria-label={ "Pages of " (what) } {
                @if skip > 0 { a rel="prev" href=(address(skip.saturating_sub(PAGE_SIZE))) { "Newer " (what) } }
                @if has_more { a rel="next" href=(address(skip.saturating_add(PAGE_SIZE))) { "Older " (what) } }
            }
        }
    }
}

/// `GET /_emulator/leads`.
pub(crate) async fn list(State(app): State<App>, params: Params) -> Response {
    let text = params.get("q").unwrap_or_default().trim();
    let skip = skip(&params);
    let (found, identifier) = {
        let store = app.store();
        let identifier = store.workspace().identifier().api_name().to_owned();
        (LeadPage::find(&store, text, skip), identifier)
    };
    let content = html! {
        div.head { h1 { "Leads" } p.facts { (page::counted(found.total, "lead", "leads")) } }
        form.controls method="get" role="search" {
            label.search {
                span.visually-hidden { "Search leads" }
                input type="search" name="q" value=(text) placeholder="Search by value, identifier or ID" autocomplete="off" spellcheck="false";
            }
            button type="submit" { "Search" }
        }
        @if !text.is_empty() && found.total > LEADS_SEARCHED {
            p.note { "Identifiers and IDs are searched in all leads, other values in the newest " (LEADS_SEARCHED) "." }
        }
        @if found.rows.is_empty() {
            div.empty {
                @if text.is_empty() && skip == 0 {
                    p.big { "No leads yet" }
                    p { "Create one with " code { "createOrUpdateLead" } " or " code { "createLead" } "." }
                } @else {
                    p.big { "No leads match" }
                    p { a href="/_emulator/leads" { "Show all leads" } }
                }
            }
        } @else {
            table.leads {
                thead { tr {
                    th scope="col" { (identifier) } th scope="col" { "Name" } th scope="col" { "Status" }
                    th scope="col" { "Assignee" } th.number scope="col" { "Score" } th.number scope="col" { "Timeline entries" } th scope="col" { "Modified" }
                } }
                tbody { @for row in &found.rows { (list_row(row, &identifier)) } }
            }
        }
        (pager("leads", &format!("q={}&", query_value(text)), skip, found.has_more))
    };
    page::page(&app, Tab::Leads, "Leads", content)
}

fn list_row(row: &Value, identifier: &str) -> Markup {
    let fields = &row["fields"];
    let text = |name: &str| fields[name].as_str().unwrap_or("–");
    html! {
        tr {
            td.what { a href={ "/_emulator/leads/" (row["id"].as_str().unwrap_or_default()) } { (page::value(fields.get(identifier))) } }
            td data-label="Name" { (text("name")) }
            td data-label="Status" { (text("status")) }
            td data-label="Assignee" { (text("assignee")) }
            td.number data-label="Score" { (row["score"]) }
            td.number data-label="Entries" { (row["entries"]) }
            td data-label="Modified" { @if let Some(time) = fields["modified_on"].as_i64() { (page::day_and_time(time)) } }
        }
    }
}

/// `GET /_emulator/leads/{id}`.
pub(crate) async fn detail(
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Some((title, lead)) = read(&app, &id, skip(&params)) else {
        return page::not_found(&app, Tab::Leads, &format!("Lead {id} does not exist"));
    };
    let calls = app.log.before(u64::MAX, CALLS_SHOWN, |call| {
        // Looks for the ID in the text first, because decoding every entry would be slow.
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
            h2 #calls { "Calls for this lead" }
            @if calls.is_empty() { p.note { "The log has no calls for this lead." } }
            @else { table.calls { tbody { @for row in &calls { (row.markup()) } } } }
        }
    };
    page::page(&app, Tab::Leads, &title, content)
}

/// The title and the content of the page of a lead. Returns None if there is no lead with this ID.
fn read(app: &App, id: &str, skip: usize) -> Option<(String, Markup)> {
    let store = app.store();
    let workspace = store.workspace();
    let lead = store.find(id)?;
    let fields = json!(lead.fields());
    let identifier = workspace.identifier().api_name();
    let title = fields["name"].as_str().or(fields[identifier].as_str()).unwrap_or("Unnamed lead");
    let count = lead.actions().len();
    let entries: Vec<_> = lead.timeline().skip(skip).take(PAGE_SIZE).collect();
    let name = |entry: &StoredAction| match &entry.kind {
        EntryKind::Custom(code) => workspace.action(code)?.display_name.clone(),
        _ => None,
    };
    let is_time = |name: &str| {
        let field_type = workspace.field(name).map(|field| &field.field_type);
        name.ends_with("ed_on") || field_type == Some(&FieldType::Date)
    };
    let markup = html! {
        section aria-labelledby="fields" {
            h2 #fields { "Fields" }
            table.fields {
                tbody {
                    @for (name, stored) in fields.as_object().into_iter().flatten() {
                        tr {
                            th scope="row" { code { (name) } @if name == identifier { " " span.badge.plain { "identifier" } } }
                            td {
                                (page::value(Some(stored)))
                                @if let (true, Some(time)) = (is_time(name), stored.as_i64()) { " " span.faint { (page::day_and_time(time)) } }
                            }
                        }
                    }
                }
            }
        }
        section aria-labelledby="timeline" {
            h2 #timeline { "Timeline" " " span.faint { (page::counted(count, "entry", "entries")) } }
            @if entries.is_empty() { p.note { "No entries" } }
            ol.timeline { @for entry in entries { (timeline_entry(entry, name(entry))) } }
            (pager("entries", "", skip, count > skip.saturating_add(PAGE_SIZE)))
        }
    };
    Some((title.to_owned(), markup))
}

fn timeline_entry(entry: &StoredAction, name: Option<String>) -> Markup {
    let shown = json!(entry.shown(false));
    let fields = shown.get("fields").unwrap_or(&shown);
    html! {
        li {
            div.when { (page::day_and_time(entry.created)) }
            div {
                b { (entry.type_name()) } @if let Some(name) = name { " " (name) }
                dl.values {
                    @for (key, stored) in fields.as_object().into_iter().flatten() {
                        @if !["id", "type", "creationTimestamp"].contains(&key.as_str()) {
                            div { dt { (key) } dd { (page::value(Some(stored))) } }
                        }
                    }
                }
            }
        }
    }
}
