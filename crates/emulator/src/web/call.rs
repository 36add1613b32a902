//! One call: what was sent, what became of it, what was answered.

use super::contract::{Operation, Verdict};
use super::page::{self, Tab};
use super::parts::{self, Part};
use super::{copy, json};
use crate::app::App;
use crate::log::LogEntry;
use crate::log::exchange::{Exchange, Message};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use telecrm_core::Certainty;

/// `GET /_emulator/calls/{seq}`.
pub(crate) async fn page(State(app): State<App>, Path(seq): Path<String>) -> Response {
    let read = |seq| {
        app.log
            .read(seq, |call| (call.to_entry(), call.exchange.clone()))
    };
    let Some((entry, exchange)) = seq.parse().ok().and_then(read) else {
        let said = format!("There is no call {seq} in the log.");
        return page::problem(&app, Tab::Calls, StatusCode::NOT_FOUND, &said);
    };
    let ends = app.log.ends().unwrap_or_default();
    let name = entry.operation.as_deref().unwrap_or("no operation");
    let described = entry.operation.as_deref().and_then(Operation::find);
    let waiting = parts::is_waiting(&entry, entry.stored.is_some());
    let content = html! {
        nav.trail aria-label="Calls" {
            a href=(super::HOME) { "← All calls" }
            span.apart {
                @if entry.seq > ends.0 { a rel="prev" href={ "/_emulator/calls/" (entry.seq - 1) } { "Earlier" } }
                @if entry.seq < ends.1 { a rel="next" href={ "/_emulator/calls/" (entry.seq + 1) } { "Later" } }
            }
        }
        div.head {
            h1 { span.method { (entry.method) } " " (name) " " (page::status(entry.status)) }
        }
        p.address { code { (entry.path) @if let Some(query) = exchange.as_ref().and_then(|e| e.query.as_deref()) { "?" (query) } } }
        p.facts {
            "Call " (entry.seq)
            @if let Some(described) = &described { " · " (described.summary()) }
            @if let Some(exchange) = &exchange { " · " (page::day_and_time(exchange.at)) }
            @if let Some(ms) = entry.ms { " · " (page::duration(Some(ms))) " ms" }
            @if let Some(fault) = entry.fault { " · " span.badge.fault { "fault: " (fault) } }
            @if let Some(lead) = lead(&entry) { " · " a href={ "/_emulator/leads/" (lead) } { "the lead" } }
        }
        @if waiting { p.note { "The Async API has taken the lead; it is not processed yet. " a href="" { "Look again" } } }
        (outcome(&entry, exchange.as_ref()))
        @match &exchange {
            None => { p.note { "What was sent and answered is no longer kept: newer calls needed the room." } },
            Some(exchange) => {
                div.halves {
                    section aria-labelledby="request" {
                        h2 #request { "Request" }
                        (message(&exchange.request, "The emulator has not read a body: there was none, or the call ended before."))
                    }
                    section aria-labelledby="answer" {
                        h2 #answer { "Answer" }
                        (message(&exchange.answer, "No body."))
                    }
                }
                (contract(&entry, exchange, described.as_ref()))
                section aria-labelledby="again" {
                    h2 #again { "Make it again" }
                    div.halves {
                        (snippet("curl", "As curl", copy::curl(&entry, exchange, &app.config.enterprise)))
                        (snippet("rust", "As Rust", copy::rust(&entry, exchange, &app.config.enterprise)))
                    }
                }
            }
        }
    };
    page::page(
        &app,
        Tab::Calls,
        &format!("{name} ({})", entry.seq),
        content,
    )
}

/// The lead that the call wrote, where the log says.
fn lead(entry: &LogEntry) -> Option<&str> {
    match entry.operation.as_deref()? {
        "createOrUpdateLead" | "createLead" | "updateLead" | "createActions" => {
            entry.stored.as_ref()?.get("id")?.as_str()
        }
        _ => None,
    }
}

fn outcome(entry: &LogEntry, exchange: Option<&Exchange>) -> Markup {
    let sent = exchange.and_then(|exchange| exchange.request.body.as_ref()?.json());
    let parts = parts::parts(entry, &sent.unwrap_or_default());
    let losses = entry
        .findings
        .iter()
        .filter(|finding| finding.is_loss())
        .count();
    let is_told = !parts.is_empty() || entry.stored.is_some() || !entry.findings.is_empty();
    html! {
        @if is_told {
            section aria-labelledby="became" {
                h2 #became {
                    "What became of it"
                    @if losses > 0 { " " span.badge.lost { (page::counted(losses, "loss").replace("losss", "losses")) } }
                }
                @if !parts.is_empty() { (table(&parts)) }
                @else if let Some(stored) = &entry.stored { pre.body tabindex="0" { (json::pretty(stored.to_string().as_bytes())) } }
            }
        }
    }
}

fn table(parts: &[Part]) -> Markup {
    html! {
        table.parts {
            thead { tr {
                th scope="col" { "Field" } th scope="col" { "Sent" } th scope="col" { "Became" } th scope="col" { "Stored" } th scope="col" { "Why" }
            } }
            tbody {
                @for part in parts {
                    @let (word, class) = part.became.shown();
                    tr class=[part.is_inner.then_some("inner")] {
                        th scope="row" { code { (part.path) } }
                        td data-label="Sent" { (value(part.sent.as_ref())) }
                        td data-label="Became" { span class={ "badge " (class) } { (word) } }
                        td data-label="Stored" { (value(part.stored.as_ref())) }
                        td.why data-label="Why" {
                            @for finding in &part.findings {
                                p {
                                    (page::prose(&finding.reason))
                                    @if let Some(suggestion) = &finding.suggestion { "; " (page::prose(suggestion)) }
                                    @if let Some(pitfall) = &finding.pitfall { " " span.faint title="Pitfall in docs/api-notes.md" { "(" (pitfall) ")" } }
                                    @if let Some(sure) = certainty(finding.certainty) { " " span.faint { (sure) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How sure it is that telecrm does the same, where its documentation does not say.
fn certainty(certainty: Certainty) -> Option<&'static str> {
    match certainty {
        Certainty::Documented => None,
        Certainty::Reported => Some("Users of the live service report it."),
        _ => Some("The documentation is silent; this is the likely reading."),
    }
}

pub(crate) fn value(value: Option<&Value>) -> Markup {
    html! {
        @match value {
            None => { span.faint { "–" } },
            Some(Value::String(text)) => { span.value { (text) } },
            Some(other) => { code.value { (other) } },
        }
    }
}

fn message(message: &Message, without_body: &str) -> Markup {
    html! {
        @match &message.body {
            None => { p.note { (without_body) } },
            Some(body) => {
                pre.body tabindex="0" { (json::pretty(body.bytes())) }
                @if !body.is_whole() { p.note { "Only the beginning is kept; the whole has " (body.length()) " bytes." } }
            }
        }
        @if message.headers().next().is_some() {
            details {
                summary { "Headers" }
                dl.headers { @for (name, value) in message.headers() { div { dt { (name) } dd { (value) } } } }
            }
        }
    }
}

fn contract(entry: &LogEntry, exchange: &Exchange, described: Option<&Operation>) -> Markup {
    let body = |message: &Message| {
        message
            .body
            .as_ref()
            .map(|body| (body.bytes().to_vec(), body.is_whole()))
    };
    let judge = |message: &Message, judge: &dyn Fn(Option<&[u8]>) -> Verdict| match body(message) {
        Some((_, false)) => Verdict::Unknown("Only the beginning of the body is kept."),
        Some((body, true)) => judge(Some(&body)),
        None => judge(None),
    };
    html! {
        section aria-labelledby="contract" {
            h2 #contract { "By the OpenAPI description" }
            @match described {
                None => { p.note { "The description has no such operation." } },
                Some(described) => {
                    ul.verdicts {
                        (verdict("The request", &judge(&exchange.request, &|body| described.request(body))))
                        @if entry.status == 0 { (verdict("The answer", &Verdict::Unknown("There was none."))) }
                        @else {
                            @let content_type = exchange.answer.header(&header::CONTENT_TYPE);
                            (verdict("The answer", &judge(&exchange.answer, &|body| described.answer(entry.status, content_type, body))))
                        }
                    }
                }
            }
        }
    }
}

fn verdict(what: &str, verdict: &Verdict) -> Markup {
    html! {
        li {
            @match verdict {
                Verdict::Fits => { span.badge.kept { "fits" } " " (what) " is as described." },
                Verdict::Unknown(why) => { span.badge.waiting { "not compared" } " " (what) ": " (why) },
                Verdict::Breaks(faults) => {
                    span.badge.lost { "differs" } " " (what) " is not as described:"
                    ul { @for fault in faults { li { (fault) } } }
                },
            }
        }
    }
}

fn snippet(id: &str, title: &str, text: Result<String, &'static str>) -> Markup {
    html! {
        div {
            h3 { (title) }
            @match text {
                Err(why) => { p.note { (why) } },
                Ok(text) => {
                    div.copied {
                        pre #(id) tabindex="0" { (text) }
                        button.copy type="button" data-copy=(id) hidden { "Copy" span.visually-hidden { " " (title) } }
                    }
                }
            }
        }
    }
}
