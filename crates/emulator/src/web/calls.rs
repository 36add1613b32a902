//! The list of calls.

use super::filter::Filter;
use super::page::{self, Tab};
use super::parts;
use crate::app::App;
use crate::http::Params;
use crate::log::LoggedCall as Remembered;
use crate::operations;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use maud::{Markup, html};
use telecrm_core::Finding;

/// How many calls a page holds.
pub(crate) const PAGE: usize = 200;

/// How many findings of one call the list shows.
const FINDINGS_SHOWN: usize = 4;

/// What the list shows of a call.
pub(crate) struct Row {
    pub(crate) seq: u64,
    at: Option<i64>,
    method: String,
    path: String,
    /// Without what all paths of this enterprise begin with.
    short_path: String,
    operation: Option<String>,
    status: u16,
    ms: Option<f64>,
    fault: Option<&'static str>,
    is_waiting: bool,
    /// Losses first.
    findings: Vec<Finding>,
    more: usize,
    pub(crate) losses: usize,
}

impl Row {
    pub(crate) fn new(call: &Remembered, enterprise: &str) -> Self {
        let entry = &call.entry;
        let below = entry
            .path
            .split_once("/enterprise/")
            .map(|(_, below)| below);
        let below = below
            .and_then(|below| below.strip_prefix(enterprise))
            .filter(|below| below.starts_with('/'));
        let mut findings: Vec<_> = entry.findings.iter().collect();
        findings.sort_by_key(|finding| !finding.is_loss());
        Self {
            seq: entry.seq,
            at: call.exchange.as_ref().map(|exchange| exchange.at),
            method: entry.method.clone(),
            short_path: below.unwrap_or(&entry.path).to_owned(),
            path: entry.path.clone(),
            operation: entry.operation.clone(),
            status: entry.status,
            ms: entry.ms,
            fault: entry.fault,
            is_waiting: parts::is_waiting(entry, call.stored().is_some()),
            more: findings.len().saturating_sub(FINDINGS_SHOWN),
            losses: findings.iter().filter(|finding| finding.is_loss()).count(),
            findings: findings.into_iter().take(FINDINGS_SHOWN).cloned().collect(),
        }
    }

    pub(crate) fn markup(&self) -> Markup {
        let name = self.operation.as_deref().unwrap_or("no operation");
        html! {
            tr data-seq=(self.seq) {
                td.time { @if let Some(at) = self.at { (page::time_of_day(at)) } }
                td.what {
                    div {
                        a href={ "/_emulator/calls/" (self.seq) } {
                            span.method { (self.method) } " "
                            span class=(if self.operation.is_some() { "operation" } else { "operation faint" }) { (name) }
                        }
                        " " span.path title=(self.path) { (self.short_path) }
                    }
                }
                td.status { (page::status(self.status)) }
                td.ms { (page::duration(self.ms)) }
                td.notes {
                    @if let Some(fault) = self.fault { span.badge.fault title="A fault was set up for it." { "fault: " (fault) } " " }
                    @if self.is_waiting { span.badge.waiting title="It waits to be processed." { "queued" } " " }
                    @for finding in &self.findings { (page::badge(finding)) " " }
                    @if self.more > 0 { span.faint { "+ " (self.more) " more" } }
                }
            }
        }
    }
}

/// `GET /_emulator/`: the latest calls, and with `before` older ones.
pub(crate) async fn page(State(app): State<App>, headers: HeaderMap, params: Params) -> Response {
    let filter = Filter::new(&params);
    // Taken first: what changes meanwhile is told again rather than not at all.
    let since = format!("{}-{}", app.log.began(), app.log.revision());
    let before = params.get("before").and_then(|seq| seq.parse().ok());
    let mut rows = app
        .log
        .before(before.unwrap_or(u64::MAX), PAGE + 1, |call| {
            filter
                .fits(call)
                .then(|| Row::new(call, &app.config.enterprise))
        });
    let is_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let is_empty = app.log.ends().is_none();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let content = html! {
        div.head {
            h1 { "Calls" }
            @if before.is_none() {
                button.live type="button" data-live hidden aria-pressed="true" { span.dot {} " Live" }
            }
        }
        (controls(&filter))
        p.visually-hidden role="status" aria-live="polite" data-announce {}
        div #list data-since=(since) data-before=[before] {
            @if rows.is_empty() {
                @if is_empty { (welcome(&app, host.unwrap_or_default())) } @else { (nothing(&filter, before)) }
            }
            table.calls hidden[rows.is_empty()] {
                caption.visually-hidden { "The latest calls, the newest first" }
                thead { tr {
                    th scope="col" { "Time" } th scope="col" { "Call" } th scope="col" { "Status" }
                    th.ms scope="col" { abbr title="milliseconds" { "ms" } } th scope="col" { "What happened to it" }
                } }
                tbody { @for row in &rows { (row.markup()) } }
            }
            @if before.is_some() || is_more {
                nav.pages aria-label="Pages of the list" {
                    @if before.is_some() { a href={ "?" (filter) } { "Newest" } }
                    @if let (true, Some(last)) = (is_more, rows.last()) {
                        a rel="next" href={ "?before=" (last.seq) (filter) } { "Older calls" }
                    }
                }
            }
        }
    };
    page::page(&app, Tab::Calls, "Calls", content)
}

fn controls(filter: &Filter) -> Markup {
    const CLASSES: [(&str, &str); 6] = [
        ("", "Any status"),
        ("2xx", "2xx success"),
        ("3xx", "3xx redirect"),
        ("4xx", "4xx refused"),
        ("5xx", "5xx failed"),
        ("none", "No answer"),
    ];
    html! {
        form.controls method="get" action=(super::HOME) role="search" data-filter {
            label.search {
                span.visually-hidden { "Search in calls" }
                input type="search" name="q" value=(filter.text) placeholder="Search paths, bodies, reasons …" autocomplete="off" spellcheck="false";
            }
            label {
                span.visually-hidden { "Operation" }
                select name="operation" {
                    option value="" { "Any operation" }
                    @for operation in operations::ids() {
                        option value=(operation) selected[filter.operation == operation] { (operation) }
                    }
                    option value="none" selected[filter.operation == "none"] { "no operation" }
                }
            }
            label {
                span.visually-hidden { "Status" }
                select name="status" {
                    @for (value, name) in CLASSES { option value=(value) selected[filter.class == value] { (name) } }
                }
            }
            label.check { input type="checkbox" name="losses" checked[filter.losses]; " Only with losses" }
            button type="submit" data-submit { "Filter" }
        }
    }
}

fn nothing(filter: &Filter, before: Option<u64>) -> Markup {
    html! {
        div.empty data-empty {
            p.big { @if before.is_some() { "There are no older calls." } @else { "No call fits." } }
            @if filter.is_set() { p { a href=(super::HOME) { "Show all calls" } } }
        }
    }
}

fn welcome(app: &App, host: &str) -> Markup {
    html! {
        div.empty data-empty {
            p.big { "No calls yet." }
            p { "Point your client here. In a shell:" }
            div.copied {
                pre #exports { (app.config.public_exports(&format!("http://{host}"))) }
                button.copy type="button" data-copy="exports" hidden { "Copy" }
            }
            p.faint { "Calls appear here as they come in." }
        }
    }
}
