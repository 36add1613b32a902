//! What all pages have in common.

use crate::app::App;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use telecrm_core::{Finding, FindingKind};

/// The parts of the pages.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Tab {
    Calls,
    Leads,
    Workspace,
    Switches,
}

impl Tab {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Calls, "Calls", super::HOME),
        (Self::Leads, "Leads", "/_emulator/leads"),
        (Self::Workspace, "Workspace", "/_emulator/workspace"),
        (Self::Switches, "Switches", "/_emulator/switches"),
    ];
}

pub(crate) fn page(app: &App, tab: Tab, title: &str, content: Markup) -> Response {
    let faults = app.faults.len();
    let whole = html! {
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
                a.skip href="#content" { "Skip to the content" }
                header.bar {
                    a.brand href=(super::HOME) {
                        img src="/_emulator/icon.svg" alt="" width="22" height="22";
                        span { "telecrm " span.light { "emulator" } }
                    }
                    nav aria-label="Pages" {
                        @for (of, name, address) in Tab::ALL {
                            a href=(address) aria-current=[(of == tab).then_some("page")] {
                                (name)
                                @if of == Tab::Switches && faults > 0 {
                                    " " span.count title=(counted(faults, "fault rule")) { (faults) }
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
    Html(whole.into_string()).into_response()
}

/// A page that says what is wrong.
pub(crate) fn problem(app: &App, tab: Tab, status: StatusCode, said: &str) -> Response {
    let content = html! {
        div.empty {
            h1 { (said) }
            p { a href=(super::HOME) { "All calls" } }
        }
    };
    (status, page(app, tab, said, content)).into_response()
}

pub(crate) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// A moment in the time zone of this machine: the time of day, or day and minute.
pub(crate) fn time_of_day(millis: i64) -> Markup {
    moment(millis, "%H:%M:%S%.3f")
}

pub(crate) fn day_and_time(millis: i64) -> Markup {
    moment(millis, "%Y-%m-%d %H:%M:%S")
}

fn moment(millis: i64, format: &str) -> Markup {
    let Ok(time) = Timestamp::from_millisecond(millis) else {
        return html! { (millis) };
    };
    let here = time.to_zoned(TimeZone::system());
    html! {
        time datetime=(time) title=(here.strftime("%A, %d %B %Y, %H:%M:%S%.3f %Z")) { (here.strftime(format)) }
    }
}

pub(crate) fn status(status: u16) -> Markup {
    let (class, text) = match status {
        0 => ("none", "no answer".to_owned()),
        200..300 => ("good", status.to_string()),
        300..500 => ("warn", status.to_string()),
        _ => ("bad", status.to_string()),
    };
    html! { span class={ "pill " (class) } { (text) } }
}

pub(crate) fn duration(ms: Option<f64>) -> Markup {
    html! {
        @match ms {
            Some(ms) if ms < 10.0 => { (format!("{ms:.2}")) }
            Some(ms) => { (format!("{ms:.0}")) }
            None => { span.faint title="There is no answer." { "–" } }
        }
    }
}

/// A sentence in which names stand between backticks.
pub(crate) fn prose(text: &str) -> Markup {
    html! {
        @for (place, piece) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

/// A finding as a badge: the place, and what happened there.
pub(crate) fn badge(finding: &Finding) -> Markup {
    let (class, word) = match finding.kind {
        FindingKind::OptionCreated => ("made", "option created"),
        FindingKind::ValueChanged => ("changed", "changed"),
        FindingKind::LeadDropped => ("lost", "lead dropped"),
        _ => ("lost", "dropped"),
    };
    html! {
        span class={ "badge " (class) } title=(finding.reason) { b { (finding.path) } " " (word) }
    }
}
