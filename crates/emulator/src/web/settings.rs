//! The settings page: fault rules, the profile, and the reset.

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

const ADDRESS: &str = "/_emulator/settings";

/// The name of each fault in a rule, and its description.
const FAULTS: [(&str, &str); 12] = [
    ("answer", "respond with status"),
    ("content_type", "respond with content type"),
    ("latency_ms", "delay the response by"),
    ("hang", "never respond"),
    ("reset_before", "reset the connection before the call is processed"),
    ("reset_after", "reset the connection after the call was processed"),
    ("truncated", "cut the response short"),
    ("endless", "never end the response"),
    ("process_later_ms", "delay background processing by"),
    ("process_never", "skip background processing"),
    ("process_twice", "process the lead twice"),
    ("process_after_next", "process the lead after the next one"),
];

/// The values of a submitted form.
type FormValues = HashMap<String, String>;

/// `GET /_emulator/settings`.
pub(crate) async fn page(State(app): State<App>) -> Response {
    show(&app, &FormValues::new(), None)
}

/// Adds the rule that the form describes, or the rules that it has as JSON.
pub(crate) async fn add_fault(State(app): State<App>, Form(form): Form<FormValues>) -> Response {
    let added = rule(&form)
        .and_then(|rule| Fault::list(rule).map_err(|error| format!("{error:#}")))
        .and_then(|faults| app.faults.add(faults).map_err(|error| format!("{error:#}")));
    respond(&app, &form, "#faults", added)
}

pub(crate) async fn clear_faults(State(app): State<App>) -> Response {
    app.faults.clear();
    done("#faults")
}

/// Removes the rule with this ID. Succeeds if another page has removed it already.
pub(crate) async fn remove_fault(State(app): State<App>, Form(form): Form<FormValues>) -> Response {
    if let Some(id) = form.get("id").and_then(|id| id.parse().ok()) {
        app.faults.remove(id);
    }
    done("#faults")
}

/// Sets the switches of the form, or all switches as the profile `preset` has them.
pub(crate) async fn set_profile(State(app): State<App>, Form(form): Form<FormValues>) -> Response {
    let changed = app.change_profile(|profile| match form.get("preset") {
        Some(name) => Profile::named(name),
        None => {
            let mut switches = form.iter();
            switches.try_fold(profile, |profile, (name, value)| profile.with(name, value))
        }
    });
    let changed = changed.map_err(|error| format!("{error:#}"));
    respond(&app, &FormValues::new(), "#profile", changed)
}

pub(crate) async fn reset(State(app): State<App>) -> Response {
    app.reset();
    done("#reset")
}

/// Redirects to the changed section, or shows the form and the error again.
fn respond(app: &App, form: &FormValues, section: &str, changed: Result<(), String>) -> Response {
    match changed {
        Ok(()) => done(section),
        Err(error) => (StatusCode::BAD_REQUEST, show(app, form, Some(&error))).into_response(),
    }
}

fn done(section: &str) -> Response {
    Redirect::to(&format!("{ADDRESS}{section}")).into_response()
}

/// The rule that the form describes, as JSON.
fn rule(form: &FormValues) -> Result<Value, String> {
    let text = |name: &str| {
        let text = form.get(name)?.trim();
        (!text.is_empty()).then_some(text)
    };
    let whole_number = |text: &str| {
        let number = text.parse::<u64>();
        number.map_err(|_| format!("`{text}` is not a whole number"))
    };
    if let Some(json) = text("json") {
        let rule = serde_json::from_str(json);
        return rule.map_err(|error| format!("The rule is not JSON: {error}"));
    }
    let mut rule = Map::new();
    for name in ["operation", "path"] {
        rule.extend(text(name).map(|text| (name.to_owned(), text.into())));
    }
    for name in ["nth", "times"] {
        if let Some(written) = text(name) {
            rule.insert(name.to_owned(), whole_number(written)?.into());
        }
    }
    if let Some(written) = text("chance") {
        // JSON has no infinity, and a rule that lost its chance would apply to every call.
        let chance = written.parse().ok().filter(|n: &f64| n.is_finite());
        let chance = chance.ok_or_else(|| format!("`{written}` is not a probability"))?;
        rule.insert("chance".to_owned(), chance.into());
    }
    if let Some(field) = text("field") {
        let value = text("value").ok_or_else(|| format!("The field `{field}` needs a value"))?;
        rule.insert("fields".to_owned(), json!({ field: value }));
    }
    let fault = text("do").unwrap_or_default();
    let value = text("amount").ok_or_else(|| format!("The fault `{fault}` needs a value"));
    let effect = match fault {
        "answer" => {
            let mut answer = json!({ "status": whole_number(value?)? });
            if let Some(seconds) = text("retry_after") {
                answer["headers"] = json!({ "Retry-After": seconds });
            }
            json!({ fault: answer })
        }
        "content_type" => json!({ fault: value? }),
        "latency_ms" | "process_later_ms" => json!({ fault: whole_number(value?)? }),
        other => json!(other),
    };
    rule.insert("do".to_owned(), effect);
    Ok(rule.into())
}

fn show(app: &App, form: &FormValues, error: Option<&str>) -> Response {
    let content = html! {
        div.head { h1 { "Settings" } }
        @if let Some(error) = error { p.wrong role="alert" { (page::prose(error)) } }
        (faults(app, form))
        (profile(&app.profile()))
        section aria-labelledby="reset" {
            h2 #reset { "Reset" }
            p { "Deletes all leads, the queue and the log, and loads the seed again. Fault rules and the profile stay." }
            details {
                summary { "Reset the emulator …" }
                form method="post" action={ (ADDRESS) "/reset" } { button.danger type="submit" { "Delete everything" } }
            }
        }
    };
    page::page(app, Tab::Settings, "Settings", content)
}

fn faults(app: &App, form: &FormValues) -> Markup {
    let rules = app.faults.to_json();
    let rules = rules.as_array().map_or(&[][..], Vec::as_slice);
    let text = |name: &str| form.get(name).map_or("", String::as_str);
    let input = |label: &str, name: &str, placeholder: &str, mode: Option<&str>| {
        html! { label { (label) input name=(name) value=(text(name)) placeholder=(placeholder) inputmode=[mode] autocomplete="off"; } }
    };
    html! {
        section aria-labelledby="faults" {
            h2 #faults { "Fault rules" " " span.faint { (rules.len()) } }
            p { "A rule makes matching calls fail. The first rule that matches applies." }
            @if rules.is_empty() { p.note { "No rules" } }
            @else {
                ul.rules { @for rule in rules { (fault(rule)) } }
                form method="post" action={ (ADDRESS) "/faults/clear" } { button type="submit" { "Remove all rules" } }
            }
            h3 { "Add a rule" }
            form.rule method="post" action={ (ADDRESS) "/faults" } {
                div.grid {
                    label { "Operation" select name="operation" {
                        option value="" { "any operation" }
                        @for operation in operations::ids() { option value=(operation) selected[text("operation") == operation] { (operation) } }
                    } }
                    label { "Fault" select name="do" {
                        @for (name, description) in FAULTS { option value=(name) selected[text("do") == name] { (description) } }
                    } }
                    (input("Status, delay in ms, or content type", "amount", "503", None))
                    (input("Retry-After (seconds)", "retry_after", "", Some("numeric")))
                    (input("First matching call", "nth", "1", Some("numeric")))
                    (input("Number of calls", "times", "all, or 1 if a first call is set", Some("numeric")))
                    (input("Probability (0 to 1)", "chance", "1", Some("decimal")))
                    (input("Only if this field", "field", "phone", None))
                    (input("has this value", "value", "919999999999", None))
                    (input("Only if the path contains", "path", "a lead ID", None))
                }
                button.primary type="submit" { "Add rule" }
            }
            details open[!text("json").is_empty()] {
                summary { "Add rules as JSON" }
                form method="post" action={ (ADDRESS) "/faults" } {
                    label { "A rule or a list of rules, in the format of " code { "telecrm emulator --fault" }
                        textarea name="json" rows="6" spellcheck="false" placeholder=r#"{"operation": "createLead", "nth": 2, "do": "reset_after"}"# { (text("json")) }
                    }
                    button type="submit" { "Add" }
                }
            }
        }
    }
}

/// A rule in words and as JSON, with the number of calls that it matched.
fn fault(rule: &Value) -> Markup {
    let (name, value) = match &rule["do"] {
        Value::Object(object) => {
            object.iter().next().map_or(("", None), |(name, value)| (name.as_str(), Some(value)))
        }
        name => (name.as_str().unwrap_or_default(), None),
    };
    let known = FAULTS.iter().find(|(known, _)| *known == name);
    let description = known.map_or(name, |(_, text)| text);
    let value = match value {
        Some(Value::Object(answer)) => answer.get("status"),
        other => other,
    };
    let unit = if name.ends_with("_ms") { " ms" } else { "" };
    let mut json = rule.clone();
    if let Some(json) = json.as_object_mut() {
        json.remove("id");
        json.remove("calls");
    }
    let calls = rule["calls"].as_u64().unwrap_or_default() as usize;
    let id = format!("rule-{}", rule["id"]);
    html! {
        li {
            p #(id) {
                b { (rule["operation"].as_str().unwrap_or("any operation")) } ": " (description)
                @if let Some(value) = value { " " b { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) (unit) } }
                @if let Some(nth) = rule.get("nth") { ", from call " (nth) " on" }
                @if let Some(times) = rule.get("times") { ", " (times) " times" }
                @if let Some(chance) = rule.get("chance") { ", with probability " (chance) }
                @if let Some(path) = rule["path"].as_str() { ", if the path contains " code { (path) } }
                @if let Some(fields) = rule["fields"].as_object() { @for (name, value) in fields { ", if " code { (name) } " is " code { (value) } } }
                " " span.faint { "· matched " (page::counted(calls, "call", "calls")) }
            }
            code.json { (json) }
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
            p { "Sources disagree about how telecrm responds in some cases. Each switch selects one behaviour. Its first value follows the documentation." }
            form.presets method="post" action={ (ADDRESS) "/profile" } {
                button type="submit" name="preset" value="documented" aria-pressed=(*profile == Profile::documented()) { "Follow the documentation" } " "
                button type="submit" name="preset" value="reported" aria-pressed=(*profile == Profile::reported()) { "Follow user reports" }
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
                button.primary type="submit" { "Save switches" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_that_are_not_finite_numbers_are_refused() {
        for (chance, is_valid) in [("0.5", true), ("nan", false), ("inf", false), ("often", false)]
        {
            let entered = [("do", "hang"), ("amount", "1"), ("chance", chance)];
            let entered = entered.map(|(name, text)| (name.to_owned(), text.to_owned()));
            assert_eq!(rule(&entered.into()).is_ok(), is_valid, "{chance}");
        }
    }
}
