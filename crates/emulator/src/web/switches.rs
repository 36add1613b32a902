//! What goes wrong on command, and what is answered where sources disagree.

use super::page::{self, Tab};
use crate::app::App;
use crate::faults::Fault;
use crate::operations;
use crate::profile::Profile;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

const ADDRESS: &str = "/_emulator/switches";

/// What can go wrong: its name in a rule, and in words.
const KINDS: [(&str, &str); 12] = [
    ("answer", "answers another status"),
    ("content_type", "answers under a wrong content type"),
    ("latency_ms", "answers late (ms)"),
    ("hang", "never answers"),
    ("reset_before", "is reset before anything is done"),
    ("reset_after", "is reset when everything is done"),
    ("truncated", "answers, and breaks off"),
    ("endless", "answers without end"),
    ("process_later_ms", "is processed late (ms)"),
    ("process_never", "is never processed"),
    ("process_twice", "is processed twice"),
    ("process_after_next", "is processed after the next"),
];

type Entered = HashMap<String, String>;

/// `GET /_emulator/switches`.
pub(crate) async fn page(State(app): State<App>) -> Response {
    show(&app, &Entered::new(), None)
}

/// A rule from the form, or one or a list as JSON.
pub(crate) async fn add_fault(State(app): State<App>, Form(entered): Form<Entered>) -> Response {
    let added = rule(&entered)
        .and_then(|rule| Fault::list(rule).map_err(|error| error.to_string()))
        .and_then(|faults| app.faults.add(faults).map_err(|error| error.to_string()));
    match added {
        Ok(()) => done("#faults"),
        Err(why) => {
            let page = show(&app, &entered, Some(&why));
            (StatusCode::BAD_REQUEST, page).into_response()
        }
    }
}

pub(crate) async fn clear_faults(State(app): State<App>) -> Response {
    app.faults.clear();
    done("#faults")
}

/// Removes the rule with the ID in the form. If another page has removed it, it is gone as well.
pub(crate) async fn remove_fault(State(app): State<App>, Form(entered): Form<Entered>) -> Response {
    if let Some(id) = entered.get("id").and_then(|id| id.parse().ok()) {
        app.faults.remove(id);
    }
    done("#faults")
}

/// All switches from the form; `preset` sets them all as that profile has them.
pub(crate) async fn set_profile(State(app): State<App>, Form(entered): Form<Entered>) -> Response {
    let switched = app.change_profile(|profile| match entered.get("preset") {
        Some(name) => Profile::named(name),
        None => entered
            .iter()
            .try_fold(profile, |profile, (name, value)| profile.with(name, value)),
    });
    match switched {
        Ok(()) => done("#profile"),
        Err(why) => {
            let page = show(&app, &Entered::new(), Some(&why.to_string()));
            (StatusCode::BAD_REQUEST, page).into_response()
        }
    }
}

/// Back to the seed.
pub(crate) async fn reset(State(app): State<App>) -> Response {
    app.reset();
    done("#reset")
}

fn done(place: &str) -> Response {
    Redirect::to(&format!("{ADDRESS}{place}")).into_response()
}

/// The rule that the form describes.
fn rule(entered: &Entered) -> Result<Value, String> {
    let text = |name: &str| {
        entered
            .get(name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    };
    if let Some(json) = text("json") {
        return serde_json::from_str(json).map_err(|error| format!("That is not JSON: {error}"));
    }
    let mut rule = Map::new();
    for name in ["operation", "path"] {
        rule.extend(text(name).map(|text| (name.to_owned(), text.into())));
    }
    for name in ["nth", "times"] {
        if let Some(written) = text(name) {
            let count: u64 = written
                .parse()
                .map_err(|_| format!("{written:?} is no number of calls"))?;
            rule.insert(name.to_owned(), count.into());
        }
    }
    if let Some(written) = text("chance") {
        let chance: f64 = written
            .parse()
            .ok()
            // JSON has no such numbers, and a rule without a chance would strike every call.
            .filter(|chance: &f64| chance.is_finite())
            .ok_or_else(|| format!("{written:?} is no chance"))?;
        rule.insert("chance".to_owned(), chance.into());
    }
    if let Some(field) = text("field") {
        let value = text("value").ok_or_else(|| format!("Which value of {field}?"))?;
        rule.insert("fields".to_owned(), json!({ field: value }));
    }
    let kind = text("do").unwrap_or_default();
    let amount = text("amount").ok_or_else(|| format!("{kind} needs a value"));
    let number = |written: &str| {
        written
            .parse::<u64>()
            .map_err(|_| format!("{written:?} is no number"))
    };
    let what = match kind {
        "answer" => {
            let mut answer = json!({ "status": number(amount?)? });
            if let Some(seconds) = text("retry_after") {
                answer["headers"] = json!({ "Retry-After": seconds });
            }
            json!({ kind: answer })
        }
        "content_type" => json!({ kind: amount? }),
        "latency_ms" | "process_later_ms" => json!({ kind: number(amount?)? }),
        other => json!(other),
    };
    rule.insert("do".to_owned(), what);
    Ok(rule.into())
}

fn show(app: &App, entered: &Entered, wrong: Option<&str>) -> Response {
    let content = html! {
        div.head { h1 { "Switches" } }
        @if let Some(why) = wrong { p.wrong role="alert" { (why) } }
        (faults(app, entered))
        (profile(&app.profile()))
        section aria-labelledby="reset" {
            h2 #reset { "Begin anew" }
            p { "Goes back to the seed: leads, what waits to be processed, and the log are forgotten. Faults and profile stay." }
            details {
                summary { "Reset to the seed …" }
                form method="post" action={ (ADDRESS) "/reset" } { button.danger type="submit" { "Forget it all" } }
            }
        }
    };
    page::page(app, Tab::Switches, "Switches", content)
}

fn faults(app: &App, entered: &Entered) -> Markup {
    let rules = app.faults.to_json();
    let rules = rules.as_array().map_or(&[][..], Vec::as_slice);
    let text = |name: &str| entered.get(name).map_or("", String::as_str);
    html! {
        section aria-labelledby="faults" {
            h2 #faults { "Faults" " " span.faint { (rules.len()) } }
            @if rules.is_empty() { p.note { "All calls go right." } }
            @else {
                ul.rules { @for rule in rules { (fault(rule)) } }
                form method="post" action={ (ADDRESS) "/faults/clear" } { button type="submit" { "Let all calls go right" } }
            }
            h3 { "Let calls go wrong" }
            form.rule method="post" action={ (ADDRESS) "/faults" } {
                div.grid {
                    label { "Which operation" select name="operation" {
                        option value="" { "any" }
                        @for operation in operations::ids() { option value=(operation) selected[text("operation") == operation] { (operation) } }
                    } }
                    label { "What happens" select name="do" {
                        @for (name, words) in KINDS { option value=(name) selected[text("do") == name] { (words) } }
                    } }
                    label { "Status, ms or content type" input name="amount" value=(text("amount")) placeholder="503" autocomplete="off"; }
                    label { "Retry-After, in seconds" input name="retry_after" value=(text("retry_after")) inputmode="numeric" autocomplete="off"; }
                    label { "From the nth call on" input name="nth" value=(text("nth")) inputmode="numeric" placeholder="the first" autocomplete="off"; }
                    label { "How many calls" input name="times" value=(text("times")) inputmode="numeric" placeholder="all, or one from the nth" autocomplete="off"; }
                    label { "With this chance, 0 to 1" input name="chance" value=(text("chance")) inputmode="decimal" placeholder="always" autocomplete="off"; }
                    label { "Only with this field" input name="field" value=(text("field")) placeholder="phone" autocomplete="off"; }
                    label { "and this value" input name="value" value=(text("value")) placeholder="919999999999" autocomplete="off"; }
                    label { "Only where the path has" input name="path" value=(text("path")) placeholder="a lead's ID" autocomplete="off"; }
                }
                button.primary type="submit" { "Add the rule" }
            }
            details open[!text("json").is_empty()] {
                summary { "As JSON" }
                form method="post" action={ (ADDRESS) "/faults" } {
                    label { "One rule or a list, as " code { "--fault" } " takes it"
                        textarea name="json" rows="6" spellcheck="false" placeholder=r#"{"operation": "createLead", "nth": 2, "do": "reset_after"}"# { (text("json")) }
                    }
                    button type="submit" { "Add" }
                }
            }
        }
    }
}

/// A rule in words, and how often it was met.
fn fault(rule: &Value) -> Markup {
    let what = match &rule["do"] {
        Value::String(name) => (name.as_str(), None),
        Value::Object(object) => object
            .iter()
            .next()
            .map_or(("", None), |(name, value)| (name.as_str(), Some(value))),
        _ => ("", None),
    };
    let words = KINDS
        .iter()
        .find(|(name, _)| *name == what.0)
        .map_or(what.0, |(_, words)| words);
    let value = match what.1 {
        Some(Value::Object(answer)) => answer.get("status"),
        other => other,
    };
    let mut written = rule.clone();
    if let Some(written) = written.as_object_mut() {
        written.remove("id");
        written.remove("calls");
    }
    let calls = rule["calls"].as_u64().unwrap_or_default();
    let id = format!("rule-{}", rule["id"]);
    html! {
        li {
            p #(id) {
                b { (rule["operation"].as_str().unwrap_or("any operation")) } " " (words)
                @if let Some(value) = value { ": " b { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) } }
                @if let Some(nth) = rule.get("nth") { ", from call " (nth) }
                @if let Some(times) = rule.get("times") { ", " (times) " times" }
                @if let Some(chance) = rule.get("chance") { ", with chance " (chance) }
                @if let Some(path) = rule["path"].as_str() { ", where the path has " code { (path) } }
                @if let Some(fields) = rule["fields"].as_object() { @for (name, value) in fields { ", where " code { (name) } " is " code { (value) } } }
                " " span.faint { "· fits " (page::counted(calls as usize, "call")) " so far" }
            }
            code.json { (written) }
            form method="post" action={ (ADDRESS) "/faults/remove" } {
                button type="submit" name="id" value=(rule["id"]) aria-describedby=(id) { "Remove" }
            }
        }
    }
}

fn profile(profile: &Profile) -> Markup {
    let values = profile.values();
    html! {
        section aria-labelledby="profile" {
            h2 #profile { "Profile" }
            p { "What is answered where sources disagree. The first value of each is the documentation's." }
            form.presets method="post" action={ (ADDRESS) "/profile" } {
                button type="submit" name="preset" value="documented" aria-pressed=(*profile == Profile::documented()) { "All as documented" } " "
                button type="submit" name="preset" value="reported" aria-pressed=(*profile == Profile::reported()) { "All as reported" }
            }
            form.switches method="post" action={ (ADDRESS) "/profile" } {
                @for (name, choices) in Profile::switches() {
                    @let id = format!("switch-{name}");
                    div.switch {
                        label for=(id) { code { (name) } }
                        select name=(name) id=(id) aria-describedby={ (id) "-about" } {
                            @for choice in &choices { option value=(choice) selected[values.get(name) == Some(choice)] { (choice) } }
                        }
                        p.faint id={ (id) "-about" } { (page::prose(Profile::about(name).unwrap_or_default().trim())) }
                    }
                }
                button.primary type="submit" { "Set the switches" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chance_that_is_no_number_is_refused() {
        for (chance, is_taken) in [
            ("0.5", true),
            ("nan", false),
            ("inf", false),
            ("often", false),
        ] {
            let entered = [("do", "hang"), ("amount", "1"), ("chance", chance)];
            let entered = entered.map(|(name, text)| (name.to_owned(), text.to_owned()));
            assert_eq!(rule(&entered.into()).is_ok(), is_taken, "{chance}");
        }
    }
}
