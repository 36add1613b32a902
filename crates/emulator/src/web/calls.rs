//! The list of API calls.

use super::filter::Filter;
use super::outcome;
use super::page::{self, Tab};
use crate::app::App;
use crate::http::Params;
use crate::log::{LogEntry, LoggedCall};
use crate::operations;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use maud::{Markup, html};

/// How many calls one page shows.
pub(crate) const PAGE_SIZE: usize = 200;

/// How many findings the list shows for one call.
const FINDINGS_SHOWN: usize = 4;

/// A row of the list.
pub(crate) struct Row {
    pub(crate) entry: LogEntry,
    /// The path without the prefix that all paths of this enterprise share.
    short_path: String,
    at: Option<i64>,
    is_queued: bool,
}

impl Row {
    pub(crate) fn new(call: &LoggedCall, enterprise: &str) -> Self {
        let path = &call.entry.path;
        let below = path.split_once("/enterprise/").and_then(|(_, path)| {
            let below = path.strip_prefix(enterprise)?;
            below.starts_with('/').then_some(below)
        });
        Self {
            short_path: below.unwrap_or(path).to_owned(),
            at: call.exchange.as_ref().map(|exchange| exchange.at),
            is_queued: outcome::is_queued(&call.entry, call.stored().is_some()),
            entry: call.entry.clone(),
        }
    }

    pub(crate) fn markup(&self) -> Markup {
        let entry = &self.entry;
        let mut findings: Vec<_> = entry.findings.iter().collect();
        findings.sort_by_key(|finding| !finding.is_loss());
        html! {
            tr data-seq=(entry.seq) {
                td.time { @if let Some(at) = self.at { (page::time_of_day(at)) } }
                td.what {
                    div {
                        a href={ "/_emulator/calls/" (entry.seq) } {
                            span.method { (entry.method) } " "
                            @if let Some(operation) = &entry.operation { span.operation { (operation) } }
                            @else { span.operation.faint { "unknown operation" } }
                        }
                        " " span.path title=(entry.path) { (self.short_path) }
                    }
                }
                td.status { (page::status(entry.status)) }
                td.ms { (page::duration(entry.ms)) }
                td.notes {
                    @if let Some(fault) = entry.fault { span.badge.fault title="A fault rule changed this call." { "fault: " (fault) } " " }
                    @if self.is_queued { span.badge.queued title="The lead waits for background processing." { "queued" } " " }
                    @for finding in findings.iter().take(FINDINGS_SHOWN) { (page::badge(finding)) " " }
                    @if findings.len() > FINDINGS_SHOWN { span.faint { "+ " (findings.len() - FINDINGS_SHOWN) " more" } }
                }
            }
        }
    }
}

/// `GET /_emulator/`: the newest calls, or the newest calls before number `before`.
pub(crate) async fn page(State(app): State<App>, headers: HeaderMap, params: Params) -> Response {
    let filter = Filter::new(&params);
    // Read before the rows, so that a change in between is sent twice rather than missed.
    let since = format!("{}-{}", app.log.began(), app.log.revision());
    let before = params.get("before").and_then(|seq| seq.parse().ok());
    let row = |call: &_| {
        let matches = filter.matches(call);
        matches.then(|| Row::new(call, &app.config.enterprise))
    };
    let mut rows = app.log.before(before.unwrap_or(u64::MAX), PAGE_SIZE + 1, row);
    let has_more = rows.len() > PAGE_SIZE;
    rows.truncate(PAGE_SIZE);
    let is_log_empty = app.log.ends().is_none();
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let content = html! {
        div.head {
            h1 { "API calls" }
            @if before.is_none() {
                button.live type="button" data-live hidden aria-pressed="true" { span.dot {} " Live" }
            }
        }
        (filter_form(&filter))
        p.visually-hidden role="status" aria-live="polite" data-announce {}
        div #list data-since=(since) data-before=[before] {
            @if rows.is_empty() {
                @if is_log_empty { (how_to_connect(&app, host.unwrap_or_default())) }
                @else { (no_calls(&filter, before)) }
            }
            table.calls hidden[rows.is_empty()] {
                caption.visually-hidden { "API calls, newest first" }
                thead { tr {
                    th scope="col" { "Time" } th scope="col" { "Call" } th scope="col" { "Status" }
                    th.ms scope="col" { abbr title="milliseconds" { "ms" } } th scope="col" { "Findings" }
                } }
                tbody { @for row in &rows { (row.markup()) } }
            }
            @if before.is_some() || has_more {
                nav.pages aria-label="Pages of calls" {
                    @if before.is_some() { a href={ "?" (filter) } { "Newest calls" } }
                    @if let (true, Some(last)) = (has_more, rows.last()) {
                        a rel="next" href={ "?before=" (last.entry.seq) (filter) } { "Older calls" }
                    }
                }
            }
        }
    };
    page::page(&app, Tab::Calls, "API calls", content)
}

fn filter_form(filter: &Filter) -> Markup {
    const STATUSES: [(&str, &str); 6] = [
        ("", "All statuses"),
        ("2xx", "2xx success"),
        ("3xx", "3xx redirect"),
        ("4xx", "4xx client error"),
        ("5xx", "5xx server error"),
        ("none", "No response"),
    ];
    html! {
        form.controls method="get" action=(super::HOME) role="search" data-filter {
            label.search {
                span.visually-hidden { "Search calls" }
                input type="search" name="q" value=(filter.text) placeholder="Search paths, bodies and findings" autocomplete="off" spellcheck="false";
            }
            label {
                span.visually-hidden { "Operation" }
                select name="operation" {
                    option value="" { "All operations" }
                    @for operation in operations::ids() {
                        option value=(operation) selected[filter.operation == operation] { (operation) }
                    }
                    option value="none" selected[filter.operation == "none"] { "Unknown operation" }
                }
            }
            label {
                span.visually-hidden { "Status" }
                select name="status" {
                    @for (value, name) in STATUSES { option value=(value) selected[filter.status == value] { (name) } }
                }
            }
            label.check { input type="checkbox" name="losses" checked[filter.losses]; " Losses and refusals only" }
            button type="submit" data-submit { "Filter" }
        }
    }
}

fn no_calls(filter: &Filter, before: Option<u64>) -> Markup {
    html! {
        div.empty data-empty {
            p.big { @if before.is_some() { "No older calls" } @else { "No calls match the filter" } }
            @if filter.is_set() { p { a href=(super::HOME) { "Show all calls" } } }
        }
    }
}

fn how_to_connect(app: &App, host: &str) -> Markup {
    html! {
        div.empty data-empty {
            p.big { "No API calls yet" }
            p { "To point a client at this emulator, run in its shell:" }
            div.copied {
                pre #exports { (app.config.public_exports(&format!("http://{host}"))) }
                button.copy type="button" data-copy="exports" hidden { "Copy" }
            }
            p.faint { "New calls appear here automatically." }
        }
    }
}
