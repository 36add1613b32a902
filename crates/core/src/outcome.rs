//! Outcomes of writes that can succeed in part.

use crate::denial::is_partial_denial;
use crate::{FieldPath, FieldValue, Finding, Lead, open_enum};
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// The outcome of a write that can succeed in part (pitfalls LE2, AC4).
///
/// telecrm responds 200 or 201 even if it ignored a part, and lists some of the ignored parts in
/// `remarks`. To get the value, decide about them: [`complete`](Self::complete) makes an ignored
/// part an error, and [`accept_partial`](Self::accept_partial) does not.
///
/// ```
/// use telecrm_core::{Created, Lead, Outcome};
///
/// let sent = Lead::new().set("phone", "919999999999").set("rating", 9);
/// let response = br#"{ "lead_id": "62ab16e", "actions": [],
///     "remarks": [{ "field": "fields.rating", "status": "IGNORED",
///     "remark": "Rating must be between 1 and 5" }] }"#;
/// let outcome = Outcome::from_response(response, &sent)?;
/// assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
/// assert_eq!(outcome.remarks()[0].sent, Some(9.into()));
/// assert!(outcome.actions().is_empty());
///
/// let incomplete = outcome.complete().unwrap_err();
/// let created: Created = incomplete.into_outcome().accept_partial();
/// assert_eq!(created.lead_id, "62ab16e");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "parts may have been ignored: decide with `complete` or `accept_partial`"]
pub struct Outcome<T> {
    value: T,
    actions: Vec<ActionResult>,
    remarks: Vec<Remark>,
    findings: Vec<Finding>,
}

impl<T> Outcome<T> {
    /// The outcome of an update with the fields or the action of `sent`. The value is the response:
    /// the updated lead or timeline entry. [Blanks](Lead::stray_blanks) of `sent` were not sent.
    ///
    /// ```
    /// use telecrm_core::{Lead, LeadRecord, Outcome};
    ///
    /// let response: LeadRecord = serde_json::from_str(r#"{ "fields": { "rating": 4 } }"#)?;
    /// let outcome = Outcome::updated(response, &Lead::new().set("rating", 4));
    /// assert_eq!(outcome.complete().unwrap().get("rating"), Some(&4.into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn updated(value: T, sent: &Lead) -> Self {
        Self {
            value,
            actions: Vec::new(),
            remarks: blank_remarks(sent),
            findings: sent.stray_keys(),
        }
    }

    /// The value, if nothing was ignored or lost.
    ///
    /// # Errors
    /// Returns an error that lists the ignored parts, and holds the outcome.
    pub fn complete(self) -> Result<T, Incomplete<T>> {
        let ignored = self.actions.iter().any(ActionResult::is_ignored);
        let lost = self.findings.iter().any(Finding::is_loss);
        if self.remarks.is_empty() && !ignored && !lost {
            Ok(self.value)
        } else {
            Err(Incomplete(Box::new(self)))
        }
    }

    /// The value, even if parts were ignored.
    pub fn accept_partial(self) -> T {
        self.value
    }

    /// telecrm's remarks on single parts. Also lists [blanks](Lead::stray_blanks) that were not
    /// sent.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The result of each action, in the order of the request.
    pub fn actions(&self) -> &[ActionResult] {
        &self.actions
    }

    /// What telecrm is known to do without a remark: it drops keys other than `fields` and
    /// `actions`, and creates options.
    ///
    /// ```
    /// use telecrm_core::{Lead, Outcome, FieldPath};
    ///
    /// let sent = Lead::from_json(serde_json::json!({ "fields": { "phone": "919999999999" },
    ///     "campaign": "June" }))?;
    /// let outcome = Outcome::from_response(br#"{ "lead_id": "62ab16e", "remarks": [] }"#, &sent)?;
    /// assert_eq!(outcome.findings()[0].path, FieldPath::Key("campaign".into()));
    /// assert!(outcome.complete().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Adds findings. A finding that is already there is not added again.
    ///
    /// ```
    /// use telecrm_core::{FindingKind, Lead, Outcome, Workspace};
    ///
    /// let sent = Lead::new().set("phone", "919999999999").set("contact_source", "Billboard");
    /// let outcome = Outcome::from_response(br#"{ "lead_id": "62ab16e", "remarks": [] }"#, &sent)?;
    /// let outcome = outcome.with_findings(Workspace::sample().new_options(&sent));
    /// assert_eq!(outcome.findings()[0].kind, FindingKind::OptionCreated);
    /// assert!(outcome.complete().is_ok(), "nothing is lost");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn with_findings(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        for finding in findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        self
    }

    /// Changes the text of each remark, for example to mask values that the server repeats.
    ///
    /// ```
    /// use telecrm_core::{Lead, Outcome};
    ///
    /// let response = br#"{ "lead_id": "62ab16e", "remarks": [
    ///     { "field": "fields.email", "status": "IGNORED", "remark": "jane is invalid" }] }"#;
    /// let outcome = Outcome::from_response(response, &Lead::new().set("email", "jane"))?;
    /// let masked = outcome.map_remarks(|text| text.replace("jane", "…"));
    /// assert_eq!(masked.remarks()[0].remark, "… is invalid");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn map_remarks(mut self, change: impl Fn(&str) -> String) -> Self {
        for remark in &mut self.remarks {
            remark.remark = change(&remark.remark);
        }
        self
    }

    /// The API names of the ignored fields of the lead.
    pub fn ignored_fields(&self) -> impl Iterator<Item = &str> {
        self.remarks.iter().filter_map(|remark| match &remark.path {
            FieldPath::Field(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// A remark of telecrm on one part of a request.
///
/// ```
/// use telecrm_core::response::RemarkStatus;
/// use telecrm_core::{Lead, Outcome, Remark};
///
/// let response = br#"{ "lead_id": "62ab16e",
///     "remarks": [{ "field": "fields.email", "status": "IGNORED",
///     "remark": "Email is invalid" }] }"#;
/// let outcome = Outcome::from_response(response, &Lead::new().set("email", "jane.doe"))?;
/// let ignored = |remark: &&Remark| remark.status == RemarkStatus::Ignored;
/// let remark = outcome.remarks().iter().find(ignored).unwrap();
/// assert_eq!(remark.to_string(), "fields.email IGNORED: Email is invalid");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Remark {
    /// The place in the request.
    pub path: FieldPath,
    /// What telecrm did with the part.
    pub status: RemarkStatus,
    /// The text of the remark. It is ours if the part was not sent or the response is unreadable.
    pub remark: String,
    /// The value at this place of the request.
    pub sent: Option<FieldValue>,
}

/// Writes telecrm's text, which can repeat a value, unlike [`Debug`](fmt::Debug).
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.path, self.status, self.remark)
    }
}

open_enum! {
    /// What telecrm did with a part of a request.
    pub enum RemarkStatus {
        Ignored = "IGNORED",
    }
}

open_enum! {
    /// What telecrm did with an action of a request.
    pub enum ActionStatus {
        Created = "CREATED",
        Ignored = "IGNORED",
    }
}

/// The result of one action of a request.
///
/// ```
/// use telecrm_core::response::{ActionResult, ActionStatus};
///
/// let result: ActionResult = serde_json::from_str(r#"{ "action_id": null,
///     "status": "IGNORED" }"#)?;
/// assert_eq!(result.status, ActionStatus::Ignored);
/// assert!(result.is_ignored());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ActionResult {
    /// The ID of the new timeline entry. None if the action was ignored.
    pub action_id: Option<String>,
    /// What telecrm did with the action.
    pub status: ActionStatus,
}

impl<'de> Deserialize<'de> for ActionResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&FieldValue::deserialize(deserializer)?).ok_or_else(|| {
            let found = Unexpected::Other("another value");
            D::Error::invalid_type(found, &"an object with `action_id` and `status`")
        })
    }
}

impl ActionResult {
    /// Whether the action was not stored, or the response does not say that it was: only `CREATED`
    /// with an ID says so, in any case.
    ///
    /// ```
    /// use telecrm_core::response::ActionResult;
    ///
    /// let failed = r#"{ "action_id": "64ab3c", "status": "FAILED" }"#;
    /// assert!(serde_json::from_str::<ActionResult>(failed)?.is_ignored());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn is_ignored(&self) -> bool {
        let is_created = self.status.as_str().eq_ignore_ascii_case("CREATED");
        !is_created || self.action_id.as_deref().is_none_or(|id| id.trim().is_empty())
    }
}

/// The error for a write of which telecrm ignored a part.
///
/// ```
/// use telecrm_core::{Incomplete, Created, Lead, Outcome};
///
/// fn create() -> Result<Created, Incomplete<Created>> {
///     let response = br#"{ "lead_id": "62ab16e", "actions": [{ "action_id": null,
///         "status": "IGNORED" }] }"#;
///     Outcome::from_response(response, &Lead::new()).expect("a response").complete()
/// }
///
/// let error = create().unwrap_err();
/// assert_eq!(error.to_string(), "telecrm stored only a part: actions[0] was ignored");
/// assert!(error.outcome().actions()[0].is_ignored());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Incomplete<T>(Box<Outcome<T>>);

impl<T> Incomplete<T> {
    /// Gives the outcome back, for another decision.
    pub fn into_outcome(self) -> Outcome<T> {
        *self.0
    }

    /// The outcome.
    pub fn outcome(&self) -> &Outcome<T> {
        &self.0
    }
}

/// Lists the [remarks](Remark), which can repeat a value, unlike [`Debug`](fmt::Debug).
impl<T> fmt::Display for Incomplete<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { actions, remarks, findings, .. } = &*self.0;
        let mut parts: Vec<_> = remarks.iter().map(Remark::to_string).collect();
        for (index, action) in actions.iter().enumerate() {
            let path = FieldPath::Action(index);
            if action.is_ignored() && !remarks.iter().any(|remark| remark.path == path) {
                parts.push(match &action.status {
                    ActionStatus::Ignored | ActionStatus::Created => format!("{path} was ignored"),
                    ActionStatus::Unknown(status) => {
                        format!("{path} is not known to be stored: its status is {status:?}")
                    }
                });
            }
        }
        let losses = findings.iter().filter(|finding| finding.is_loss());
        parts.extend(losses.map(Finding::to_string));
        write!(f, "telecrm stored only a part: {}", parts.join("; "))
    }
}

impl<T: fmt::Debug> std::error::Error for Incomplete<T> {}

/// The IDs of a created lead and its actions, or of actions created for a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// The ID of the lead. Keep it, because documented search results do not contain it (pitfall
    /// LE7).
    pub lead_id: String,
    /// The IDs of the new timeline entries, in the order of the request. None for an ignored
    /// action. Empty if the response was lost and the lead was found by reading it back.
    pub action_ids: Vec<Option<String>>,
}

impl Outcome<Created> {
    /// The outcome of creating `sent` if the response was lost and the lead was found complete by
    /// reading it back.
    ///
    /// ```
    /// use telecrm_core::{Lead, Outcome};
    ///
    /// let sent = Lead::new().set("phone", "919999999999");
    /// let found = Outcome::found("62ab16e".to_owned(), &sent);
    /// assert_eq!(found.complete().unwrap().lead_id, "62ab16e");
    /// ```
    pub fn found(lead_id: String, sent: &Lead) -> Self {
        let created = Created { lead_id, action_ids: Vec::new() };
        Self::updated(created, sent)
    }

    /// Reads the response to the creation of `sent`, whose [blanks](Lead::stray_blanks) were not
    /// sent.
    ///
    /// A part of the response in an unknown shape becomes a remark that holds its JSON, because the
    /// lead was created nevertheless.
    ///
    /// ```
    /// use telecrm_core::{Lead, Outcome};
    ///
    /// let response = br#"{ "lead_id": "62ab16e", "remarks": ["late"] }"#;
    /// let outcome = Outcome::from_response(response, &Lead::new())?;
    /// assert_eq!(outcome.remarks()[0].to_string(), r#"remarks[0] UNREADABLE: "late""#);
    /// assert_eq!(outcome.accept_partial().lead_id, "62ab16e");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the response is not JSON with a `lead_id`.
    pub fn from_response(body: &[u8], sent: &Lead) -> Result<Self, serde_json::Error> {
        let response: FieldValue = serde_json::from_slice(body)?;
        let response = response.into_members();
        let mut response = response.map_err(|_| serde_json::Error::custom("expected an object"))?;
        let Some(lead_id) = response.get("lead_id").and_then(FieldValue::as_str) else {
            return Err(serde_json::Error::custom("expected a string `lead_id`"));
        };
        if lead_id.trim().is_empty() {
            return Err(serde_json::Error::custom("`lead_id` is blank"));
        }
        let lead_id = lead_id.to_owned();
        let mut remarks = Vec::new();
        let parts = items("remarks", response.remove("remarks"), &mut remarks);
        for (index, part) in parts.iter().enumerate() {
            remarks.push(Remark::read(part, sent).unwrap_or_else(|| {
                Remark::unreadable(FieldPath::Key(format!("remarks[{index}]")), part)
            }));
        }
        let mut actions = Vec::new();
        let parts = items("actions", response.remove("actions"), &mut remarks);
        for (index, part) in parts.iter().enumerate() {
            actions.push(ActionResult::read(part).unwrap_or_else(|| {
                remarks.push(Remark::unreadable(FieldPath::Action(index), part));
                ActionResult::unknown(UNREADABLE)
            }));
        }
        for index in actions.len()..sent.actions().len() {
            actions.push(ActionResult::unknown(MISSING));
            remarks.push(Remark {
                path: FieldPath::Action(index),
                status: MISSING.into(),
                remark: "the response does not mention this action".to_owned(),
                sent: None,
            });
        }
        let denials =
            response.iter().filter(|(key, value)| is_partial_denial(key, value.as_json()));
        remarks.extend(denials.map(|(key, value)| Remark {
            status: UNEXPECTED.into(),
            ..Remark::unreadable(FieldPath::Key(key.clone()), value)
        }));
        remarks.extend(blank_remarks(sent));
        let mut findings = sent.stray_keys();
        findings.retain(|finding| !remarks.iter().any(|remark| remark.path == finding.path));
        let action_ids = actions.iter().map(|action| action.action_id.clone());
        Ok(Self {
            value: Created { lead_id, action_ids: action_ids.collect() },
            actions,
            remarks,
            findings,
        })
    }
}

/// Statuses that telecrm does not use: the part of the response is unreadable, is missing, or says
/// in a form that is not documented that something failed.
const UNREADABLE: &str = "UNREADABLE";
const UNEXPECTED: &str = "UNEXPECTED";
const MISSING: &str = "MISSING";

/// The items of a list in a response. Adds a remark for anything else that is not null.
fn items(key: &str, list: Option<FieldValue>, remarks: &mut Vec<Remark>) -> Vec<FieldValue> {
    list.unwrap_or_default().into_items().unwrap_or_else(|other| {
        if !other.is_null() {
            remarks.push(Remark::unreadable(FieldPath::Key(key.to_owned()), &other));
        }
        Vec::new()
    })
}

impl Remark {
    fn read(part: &FieldValue, sent: &Lead) -> Option<Self> {
        let Ok(path) = part.member("field")?.as_str()?.parse::<FieldPath>();
        let remark = part.member("remark").filter(|remark| !remark.is_null());
        let remark = remark.map(|remark| match remark.as_str() {
            Some(text) => text.to_owned(),
            None => remark.to_string(),
        });
        Some(Self {
            sent: sent.at(&path),
            path,
            status: part.member("status")?.as_str()?.into(),
            remark: remark.unwrap_or_default(),
        })
    }

    fn unreadable(path: FieldPath, part: &FieldValue) -> Self {
        Self { path, status: UNREADABLE.into(), remark: part.to_string(), sent: None }
    }
}

impl ActionResult {
    fn read(part: &FieldValue) -> Option<Self> {
        let action_id = match part.member("action_id").filter(|id| !id.is_null()) {
            Some(id) => Some(id.as_str()?.to_owned()),
            None => None,
        };
        Some(Self { action_id, status: part.member("status")?.as_str()?.into() })
    }

    fn unknown(status: &str) -> Self {
        Self { action_id: None, status: status.into() }
    }
}

/// The remarks on blank texts that were not sent.
fn blank_remarks(lead: &Lead) -> Vec<Remark> {
    let paths = lead.stray_blanks().into_iter();
    paths
        .map(|path| Remark {
            sent: lead.at(&path),
            path,
            status: RemarkStatus::Ignored,
            remark: "not sent, because it is blank".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CustomAction;

    fn visit() -> CustomAction {
        CustomAction::new(1001).expect("a code")
    }

    fn read(body: &str, sent: &Lead) -> Outcome<Created> {
        Outcome::from_response(body.as_bytes(), sent).expect("readable")
    }

    /// A response with remarks on a field and on a field of an action.
    fn with_remarks() -> Outcome<Created> {
        let sent = Lead::new()
            .set("phone", "919999999999")
            .set("rating", 7)
            .action(visit().field("email", "nobody"));
        let body = r#"{ "lead_id": "603d2b2f9b1e8a001c8e4f5c",
            "actions": [ { "action_id": null, "status": "IGNORED" } ],
            "remarks": [
                { "field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5" },
                { "field": "actions[0].fields.email", "status": "POSTPONED", "remark": "Email is invalid" } ] }"#;
        read(body, &sent)
    }

    #[test]
    fn le2_remarks_have_the_value_that_was_sent() {
        let outcome = with_remarks();
        assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
        assert_eq!(outcome.remarks()[0].sent, Some(7.into()));
        assert_eq!(outcome.remarks()[1].sent, Some("nobody".into()));
    }

    #[test]
    fn le2_an_unknown_status_is_kept() {
        let status = with_remarks().remarks()[1].status.clone();
        assert_eq!(status, RemarkStatus::Unknown("POSTPONED".into()));
    }

    #[test]
    fn le2_an_incomplete_write_lists_its_remarks() {
        let incomplete = with_remarks().complete().expect_err("incomplete");
        assert_eq!(
            incomplete.to_string(),
            "telecrm stored only a part: fields.rating IGNORED: Rating must be between 1 and 5; \
             actions[0].fields.email POSTPONED: Email is invalid; actions[0] was ignored"
        );
        let created = incomplete.into_outcome().accept_partial();
        assert_eq!(created.lead_id, "603d2b2f9b1e8a001c8e4f5c");
    }

    #[test]
    fn a_list_is_not_a_response() {
        let outcome = Outcome::from_response(br#"["x"]"#, &Lead::new());
        let error = outcome.expect_err("a list").to_string();
        assert!(error.contains("expected an object"), "{error}");
    }

    fn missing_actions_are_ignored(body: &str, first_missing: usize) {
        let sent = Lead::new().action(visit()).action(visit());
        let outcome = read(body, &sent);
        let paths: Vec<_> = outcome.remarks().iter().map(|r| r.path.clone()).collect();
        let missing: Vec<_> = (first_missing..2).map(FieldPath::Action).collect();
        assert_eq!(paths, missing);
        assert!(outcome.actions()[1].is_ignored());
        let outcome = outcome.complete().expect_err("incomplete").into_outcome();
        assert_eq!(outcome.accept_partial().action_ids.len(), 2);
    }

    cases! { missing_actions_are_ignored:
        second(r#"{"lead_id":"l1","actions":[{"action_id":"a1","status":"CREATED"}]}"#, 1),
        both(r#"{"lead_id":"l1"}"#, 0),
    }

    fn part_of_unknown_shape_is_a_remark(part: &str, remark: &str) {
        let outcome = read(&format!(r#"{{"lead_id":"l1",{part}}}"#), &Lead::new());
        let incomplete = outcome.complete().expect_err("incomplete");
        let expected = format!("telecrm stored only a part: {remark}");
        assert_eq!(incomplete.to_string(), expected);
        let created = incomplete.into_outcome().accept_partial();
        assert_eq!(created.lead_id, "l1");
        assert!(created.action_ids.iter().all(Option::is_none));
    }

    cases! { part_of_unknown_shape_is_a_remark:
        actions_as_object(r#""actions":{"a":1}"#, r#"actions UNREADABLE: {"a":1}"#),
        actions_as_number(r#""actions":7,"remarks":null"#, "actions UNREADABLE: 7"),
        remarks_as_string(r#""remarks":"late""#, r#"remarks UNREADABLE: "late""#),
        action_as_list(
            r#""actions":[["a1","CREATED"]]"#,
            r#"actions[0] UNREADABLE: ["a1","CREATED"]"#
        ),
        numeric_action_id(
            r#""actions":[{"action_id":12345678901234567890123,"status":"CREATED"}]"#,
            r#"actions[0] UNREADABLE: {"action_id":12345678901234567890123,"status":"CREATED"}"#
        ),
        action_as_null(r#""actions":[null]"#, "actions[0] UNREADABLE: null"),
        remark_as_list(
            r#""remarks":[["fields.rating","IGNORED"]]"#,
            r#"remarks[0] UNREADABLE: ["fields.rating","IGNORED"]"#
        ),
        numeric_field_and_remark_as_object(
            r#""remarks":[{"field":7,"status":"IGNORED"},{"field":"fields.rating","status":"IGNORED","remark":{"code":1}}]"#,
            r#"remarks[0] UNREADABLE: {"field":7,"status":"IGNORED"}; fields.rating IGNORED: {"code":1}"#
        ),
        half_a_character(
            r#""remarks":[{"field":"fields.note","status":"IGNORED","remark":"cut \ud83d"}]"#,
            "fields.note IGNORED: cut \u{fffd}"
        ),
    }

    fn m01_only_a_created_action_is_stored(result: &str, is_stored: bool) {
        let body = format!(r#"{{"lead_id":"l1","actions":[{result}],"remarks":[]}}"#);
        let outcome = read(&body, &Lead::new().action(visit()));
        assert_eq!(outcome.actions()[0].is_ignored(), !is_stored);
        assert_eq!(outcome.complete().is_ok(), is_stored);
    }

    cases! { m01_only_a_created_action_is_stored:
        created(r#"{"action_id":"a1","status":"CREATED"}"#, true),
        created_in_another_case(r#"{"action_id":"a1","status":"created"}"#, true),
        created_without_an_id(r#"{"action_id":null,"status":"CREATED"}"#, false),
        created_with_a_blank_id(r#"{"action_id":" ","status":"CREATED"}"#, false),
        failed(r#"{"action_id":"a1","status":"FAILED"}"#, false),
        skipped(r#"{"action_id":"a1","status":"SKIPPED"}"#, false),
        pending(r#"{"action_id":"a1","status":"PENDING"}"#, false),
        ignored_with_an_id(r#"{"action_id":"a1","status":"IGNORED"}"#, false),
        a_blank_status(r#"{"action_id":"a1","status":""}"#, false),
    }

    #[test]
    fn m01_an_incomplete_write_shows_a_status_that_is_not_known() {
        let body = r#"{"lead_id":"l1","actions":[{"action_id":"a1","status":"SKIPPED"}]}"#;
        let incomplete = read(body, &Lead::new()).complete().expect_err("incomplete");
        assert_eq!(
            incomplete.to_string(),
            "telecrm stored only a part: actions[0] is not known to be stored: its status is \
             \"SKIPPED\""
        );
    }

    fn m01_a_failure_beside_an_id_makes_a_write_incomplete(part: &str, remark: &str) {
        let body = format!(r#"{{"lead_id":"l1","remarks":[],{part}}}"#);
        let incomplete = read(&body, &Lead::new()).complete().expect_err("incomplete");
        let expected = format!("telecrm stored only a part: {remark}");
        assert_eq!(incomplete.to_string(), expected);
    }

    cases! { m01_a_failure_beside_an_id_makes_a_write_incomplete:
        errors(
            r#""errors":[{"field":"fields.rating"}]"#,
            r#"errors UNEXPECTED: [{"field":"fields.rating"}]"#
        ),
        warnings(r#""warnings":["cut"]"#, r#"warnings UNEXPECTED: ["cut"]"#),
        success_false(r#""success":false"#, "success UNEXPECTED: false"),
        failed_status(r#""status":"FAILED""#, r#"status UNEXPECTED: "FAILED""#),
    }

    fn keys_that_deny_nothing_are_passed_over(part: &str) {
        let body = format!(r#"{{"lead_id":"l1","remarks":[],{part}}}"#);
        assert!(read(&body, &Lead::new()).complete().is_ok());
    }

    cases! { keys_that_deny_nothing_are_passed_over:
        no_errors(r#""errors":[],"warnings":null,"success":true"#),
        the_status_of_the_lead(r#""status":"Fresh","took":7"#),
    }

    fn m01_a_creation_without_an_id_is_unreadable(id: &str) {
        let body = format!(r#"{{"lead_id":{id},"remarks":[]}}"#);
        let error = Outcome::from_response(body.as_bytes(), &Lead::new()).expect_err("no ID");
        assert!(error.to_string().contains("lead_id"), "{error}");
    }

    cases! { m01_a_creation_without_an_id_is_unreadable:
        empty(r#""""#),
        blank(r#""  ""#),
        null("null"),
        number("7"),
    }

    #[test]
    fn a_write_without_remarks_is_complete() {
        let body =
            r#"{"lead_id":"l1","actions":[{"action_id":"a1","status":"CREATED"}],"remarks":[]}"#;
        let created = read(body, &Lead::new()).complete();
        assert_eq!(created.map(|created| created.lead_id), Ok("l1".to_owned()));
    }
}
