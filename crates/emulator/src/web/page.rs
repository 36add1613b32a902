//! The frame of every page, and the markup that several pages share.

use crate::app::App;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;
use telecrm_core::{Finding, FindingKind};

/// The sections in the navigation bar.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Tab {
    Calls,
    Leads,
    Workspace,
    Settings,
}

impl Tab {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Calls, "Calls", super::HOME),
        (Self::Leads, "Leads", "/_emulator/leads"),
        (Self::Workspace, "Workspace", "/_emulator/workspace"),
        (Self::Settings, "Settings", "/_emulator/settings"),
    ];
}

pub(crate) fn page(app: &App, tab: Tab, title: &str, content: Markup) -> Response {
    let faults = app.faults.len();
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · telecrm emulator" }
                link rel="icon" type="image/svg+xml" href="/_emulator/icon.svg";
                link rel="stylesheet" href="/_emulator/style.css";
                script src="/_emulator/theme.js" {}
                script src="/_emulator/live.js" defer {}
            }
            body {
                a.skip href="#content" { "Skip to main content" }
                header.bar {
                    a.brand href=(super::HOME) {
                        img src="/_emulator/icon.svg" alt="" width="22" height="22";
                        span { "telecrm " span.light { "emulator" } }
                    }
                    nav aria-label="Main" {
                        @for (of, name, address) in Tab::ALL {
                            a href=(address) aria-current=[(of == tab).then_some("page")] {
                                (name)
                                @if of == Tab::Settings && faults > 0 {
                                    " " span.count title=(counted(faults, "active fault rule", "active fault rules")) { (faults) }
                                }
                            }
                        }
                    }
                    button.theme type="button" data-theme-toggle hidden { "Theme" }
                }
                main #content tabindex="-1" { (content) }
            }
        }
    };
    Html(document.into_string()).into_response()
}

/// A page for something that does not exist.
pub(crate) fn not_found(app: &App, tab: Tab, message: &str) -> Response {
    let content = html! {
        div.empty {
            h1 { (message) }
            p { a href=(super::HOME) { "Show all calls" } }
        }
    };
    (StatusCode::NOT_FOUND, page(app, tab, message, content)).into_response()
}

pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The time of day in the time zone of this machine.
pub(crate) fn time_of_day(millis: i64) -> Markup {
    time(millis, "%H:%M:%S%.3f")
}

/// Date and time in the time zone of this machine.
pub(crate) fn day_and_time(millis: i64) -> Markup {
    time(millis, "%Y-%m-%d %H:%M:%S")
}

fn time(millis: i64, format: &str) -> Markup {
    let Ok(time) = Timestamp::from_millisecond(millis) else {
        return html! { (millis) };
    };
    let local = time.to_zoned(TimeZone::system());
    html! {
        time datetime=(time) title=(local.strftime("%A, %d %B %Y, %H:%M:%S%.3f %Z")) { (local.strftime(format)) }
    }
}

pub(crate) fn status(status: u16) -> Markup {
    let class = match status {
        0 => return html! { span.pill.none { "no response" } },
        200..300 => "good",
        300..500 => "warn",
        _ => "bad",
    };
    html! { span class={ "pill " (class) } { (status) } }
}

pub(crate) fn duration(ms: Option<f64>) -> Markup {
    html! {
        @match ms {
            Some(ms) if ms < 10.0 => { (format!("{ms:.2}")) }
            Some(ms) => { (format!("{ms:.0}")) }
            None => { span.faint title="No response" { "–" } }
        }
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

/// A sentence, in which names between backticks become code.
pub(crate) fn prose(text: &str) -> Markup {
    html! {
        @for (place, piece) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

/// A finding as a badge: its path and kind, with the reason as a tooltip.
pub(crate) fn badge(finding: &Finding) -> Markup {
    let (class, kind) = match finding.kind {
        FindingKind::OptionCreated => ("made", "option created"),
        FindingKind::ValueChanged => ("changed", "changed"),
        FindingKind::Doubtful => ("changed", "doubtful"),
        FindingKind::LeadDropped => ("lost", "lead dropped"),
        _ => ("lost", "dropped"),
    };
    html! {
        span class={ "badge " (class) } title=(finding.reason) { b { (finding.path) } " " (kind) }
    }
}
