//! The page of one API call: its result, request and response, and how to send it again.

use super::conformance::{Conformance, OperationSpec};
use super::outcome::{self, OutcomeRow};
use super::page::{self, Tab};
use super::{json, snippets};
use crate::app::App;
use crate::log::LogEntry;
use crate::log::exchange::{Exchange, Message};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;
use maud::{Markup, html};
use telecrm_core::{Certainty, Finding};

/// `GET /_emulator/calls/{seq}`.
pub(crate) async fn page(State(app): State<App>, Path(seq): Path<String>) -> Response {
    let read = |seq| app.log.read(seq, |call| (call.to_entry(), call.exchange.clone()));
    let Some((entry, exchange)) = seq.parse().ok().and_then(read) else {
        return page::not_found(&app, Tab::Calls, &format!("Call {seq} is not in the log"));
    };
    let (first, last) = app.log.ends().unwrap_or_default();
    let name = entry.operation.as_deref().unwrap_or("unknown operation");
    let spec = entry.operation.as_deref().and_then(OperationSpec::find);
    let content = html! {
        nav.trail aria-label="Calls" {
            a href=(super::HOME) { "← All calls" }
            span.apart {
                @if entry.seq > first { a rel="prev" href={ "/_emulator/calls/" (entry.seq - 1) } { "Previous" } }
                @if entry.seq < last { a rel="next" href={ "/_emulator/calls/" (entry.seq + 1) } { "Next" } }
            }
        }
        div.head {
            h1 { span.method { (entry.method) } " " (name) " " (page::status(entry.status)) }
        }
        p.address { code { (entry.path) @if let Some(query) = &entry.query { "?" (query) } } }
        p.facts {
            "Call " (entry.seq)
            @if let Some(spec) = &spec { " · " (spec.summary()) }
            @if let Some(exchange) = &exchange { " · " (page::day_and_time(exchange.at)) }
            @if entry.ms.is_some() { " · " (page::duration(entry.ms)) " ms" }
            @if let Some(fault) = entry.fault { " · " span.badge.fault { "fault: " (fault) } }
            @if let Some(lead) = lead(&entry) { " · " a href={ "/_emulator/leads/" (lead) } { "View lead" } }
        }
        @if outcome::is_queued(&entry, entry.stored.is_some()) {
            p.note { "The lead is queued for background processing. " a href="" { "Reload" } }
        }
        @if let Some(refusal) = &entry.refused {
            p.note role="status" { strong { "Refused: " } (refusal.message) " " code { (refusal.cause) } }
        }
        @if let Some(found) = entry.found { p.facts { (page::counted(found, "item", "items")) " found" } }
        (outcome(&entry, exchange.as_ref()))
        @match &exchange {
            None => { p.note { "The log no longer has the request and the response: newer calls took their space." } },
            Some(exchange) => {
                div.halves {
                    section aria-labelledby="request" {
                        h2 #request { "Request" }
                        (message(&exchange.request, "No body was read: the request has none, or failed before."))
                    }
                    section aria-labelledby="response" {
                        h2 #response { "Response" }
                        (message(&exchange.answer, "The response has no body."))
                    }
                }
                (conformance(&entry, exchange, spec.as_ref()))
                section aria-labelledby="again" {
                    h2 #again { "Send again" }
                    div.halves {
                        (snippet("curl", "curl", snippets::curl(&entry, exchange, &app.config.enterprise)))
                        (snippet("rust", "Rust", snippets::rust(&entry, exchange, &app.config.enterprise)))
                    }
                }
            }
        }
    };
    page::page(&app, Tab::Calls, &format!("{name} ({})", entry.seq), content)
}

/// The ID of the lead that the call wrote, if the log has it.
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
    let rows = outcome::rows(entry, &sent.unwrap_or_default());
    let has_stored = rows.iter().any(|row| row.stored.is_some());
    let losses = outcome::losses(entry);
    html! {
        @if !rows.is_empty() || entry.stored.is_some() {
            section aria-labelledby="outcome" {
                h2 #outcome {
                    "Outcome"
                    @if losses > 0 { " " span.badge.lost { (page::counted(losses, "loss", "losses")) } }
                }
                @if !rows.is_empty() { (table(&rows)) }
                @if let (false, Some(stored)) = (has_stored, &entry.stored) { pre.body tabindex="0" { (json::pretty(stored.to_string().as_bytes())) } }
            }
        }
    }
}

fn table(rows: &[OutcomeRow]) -> Markup {
    html! {
        table.outcome {
            thead { tr {
                th scope="col" { "Field" } th scope="col" { "Sent" } th scope="col" { "Result" } th scope="col" { "Stored" } th scope="col" { "Reason" }
            } }
            tbody {
                @for row in rows {
                    @let (label, class) = row.outcome.label_and_class();
                    tr class=[row.is_nested.then_some("nested")] {
                        th scope="row" { code { (row.path) } }
                        td data-label="Sent" { (page::value(row.sent.as_ref())) }
                        td data-label="Result" { span class={ "badge " (class) } { (label) } }
                        td data-label="Stored" { (page::value(row.stored.as_ref())) }
                        td.why data-label="Reason" { @for finding in &row.findings { (explanation(finding)) } }
                    }
                }
            }
        }
    }
}

fn explanation(finding: &Finding) -> Markup {
    let source = match finding.certainty {
        Certainty::Documented => None,
        Certainty::Reported => Some("Reported by users of the live service."),
        _ => Some("Inferred: the documentation does not say."),
    };
    html! {
        p {
            (page::prose(&finding.reason))
            @if let Some(pitfall) = &finding.pitfall { " " span.faint title="See this pitfall in docs/api-notes.md" { "(" (pitfall) ")" } }
            @if let Some(source) = source { " " span.faint { (source) } }
        }
        @if let Some(suggestion) = &finding.suggestion { p.hint { "Hint: " (page::prose(suggestion)) } }
    }
}

fn message(message: &Message, without_body: &str) -> Markup {
    html! {
        @match &message.body {
            None => { p.note { (without_body) } },
            Some(body) => {
                pre.body tabindex="0" { (json::pretty(&body.bytes)) }
                @if !body.is_whole() { p.note { "The log keeps the first " (body.bytes.len()) " of " (body.length) " bytes." } }
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

fn conformance(entry: &LogEntry, exchange: &Exchange, spec: Option<&OperationSpec>) -> Markup {
    let check = |message: &Message, check: &dyn Fn(Option<&[u8]>) -> Conformance| {
        let body = message.body.as_ref();
        if body.is_some_and(|body| !body.is_whole()) {
            return Conformance::NotChecked("the log has only the beginning of the body");
        }
        check(body.map(|body| &*body.bytes))
    };
    let check_response = |spec: &OperationSpec| {
        let content_type = exchange.answer.header(&header::CONTENT_TYPE);
        let response = |body: Option<&[u8]>| spec.response(entry.status, content_type, body);
        match entry.status {
            0 => Conformance::NotChecked("there was none"),
            _ => check(&exchange.answer, &response),
        }
    };
    html! {
        section aria-labelledby="conformance" {
            h2 #conformance { "OpenAPI conformance" }
            @match spec {
                None => { p.note { "The OpenAPI description has no operation for this path and method." } },
                Some(spec) => {
                    ul.conformance {
                        (checked("request", &check(&exchange.request, &|body| spec.request(body))))
                        (checked("response", &check_response(spec)))
                    }
                }
            }
        }
    }
}

fn checked(message: &str, conformance: &Conformance) -> Markup {
    html! {
        li {
            @match conformance {
                Conformance::Conforms => { span.badge.kept { "valid" } " The " (message) " conforms to the description." },
                Conformance::NotChecked(reason) => { span.badge.queued { "not checked" } " The " (message) " was not checked: " (reason) "." },
                Conformance::Differs(errors) => {
                    span.badge.lost { "invalid" } " The " (message) " differs from the description:"
                    ul { @for error in errors { li { (error) } } }
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
                Err(reason) => { p.note { (reason) } },
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
