//! What became of a write that can succeed in part.

use crate::object::Object;
use crate::{FieldPath, FieldValue, Finding, Lead, open_enum};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// The answer to a write that telecrm may have carried out only in part (pitfalls LE2, AC4).
///
/// telecrm answers 201 or 200 and reports what it ignored in `remarks`, which are easily overlooked, or not at all. So the value is
/// reached only by deciding about them: [`complete`](Self::complete) or [`accept_partial`](Self::accept_partial).
///
/// ```
/// use telecrm_core::{Created, Lead, Outcome};
///
/// let sent = Lead::new().set("phone", "919999999999").set("rating", 9);
/// let answer = br#"{ "lead_id": "62ab16e", "actions": [],
///     "remarks": [{ "field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5" }] }"#;
/// let outcome = Outcome::from_answer(answer, &sent)?;
/// assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
/// assert_eq!(outcome.remarks()[0].sent, Some(9.into()));
/// assert!(outcome.actions().is_empty());
///
/// // Decide: an error if anything was ignored, or the value all the same.
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
    /// The update of a lead by the fields of `sent`, or of an entry of its timeline by an action, with what was answered: the lead or
    /// the entry as it is now. [Blanks](Lead::stray_blanks) were not sent.
    ///
    /// ```
    /// use telecrm_core::{Lead, LeadRecord, Outcome};
    ///
    /// let answer: LeadRecord = serde_json::from_str(r#"{ "fields": { "rating": 4 } }"#)?;
    /// let outcome = Outcome::updated(answer, &Lead::new().set("rating", 4));
    /// assert_eq!(outcome.complete().unwrap().get("rating"), Some(&4.into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn updated(value: T, sent: &Lead) -> Self {
        Self {
            value,
            actions: Vec::new(),
            remarks: left_out(sent),
            findings: sent.stray_keys(),
        }
    }

    /// The value, if nothing was ignored or lost.
    ///
    /// # Errors
    /// The outcome itself, as an error that lists what was ignored.
    pub fn complete(self) -> Result<T, Incomplete<T>> {
        let ignored = self.actions.iter().any(ActionResult::is_ignored);
        let lost = self.findings.iter().any(Finding::is_loss);
        if self.remarks.is_empty() && !ignored && !lost {
            Ok(self.value)
        } else {
            Err(Incomplete(Box::new(self)))
        }
    }

    /// The value, whatever was ignored.
    pub fn accept_partial(self) -> T {
        self.value
    }

    /// What telecrm has to say of single parts, and which [blanks](Lead::stray_blanks) were not sent.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// What became of each action, in the order of the request.
    pub fn actions(&self) -> &[ActionResult] {
        &self.actions
    }

    /// What telecrm does without a remark, as far as it is known: it drops keys beside `fields` and `actions`, and creates options.
    ///
    /// ```
    /// use telecrm_core::{Lead, Outcome, FieldPath};
    ///
    /// let sent = Lead::from_json(serde_json::json!({ "fields": { "phone": "919999999999" }, "campaign": "June" }))?;
    /// let outcome = Outcome::from_answer(br#"{ "lead_id": "62ab16e", "remarks": [] }"#, &sent)?;
    /// assert_eq!(outcome.findings()[0].path, FieldPath::Key("campaign".into()));
    /// assert!(outcome.complete().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// With more that telecrm does without a remark.
    ///
    /// ```
    /// use telecrm_core::{FindingKind, Lead, Outcome, Workspace};
    ///
    /// let sent = Lead::new().set("phone", "919999999999").set("contact_source", "Billboard");
    /// let outcome = Outcome::from_answer(br#"{ "lead_id": "62ab16e", "remarks": [] }"#, &sent)?;
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

    /// The same, with other words in place of the server's, which like to repeat what was sent.
    ///
    /// ```
    /// use telecrm_core::{Lead, Outcome};
    ///
    /// let answer = br#"{ "lead_id": "62ab16e", "remarks": [
    ///     { "field": "fields.email", "status": "IGNORED", "remark": "jane is no address" }] }"#;
    /// let outcome = Outcome::from_answer(answer, &Lead::new().set("email", "jane"))?;
    /// let masked = outcome.with_words(|words| words.replace("jane", "…"));
    /// assert_eq!(masked.remarks()[0].remark, "… is no address");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn with_words(mut self, words: impl Fn(&str) -> String) -> Self {
        for remark in &mut self.remarks {
            remark.remark = words(&remark.remark);
        }
        self
    }

    /// The API names of the lead's fields that were ignored.
    pub fn ignored_fields(&self) -> impl Iterator<Item = &str> {
        self.remarks.iter().filter_map(|remark| match &remark.path {
            FieldPath::Field(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// What telecrm says of one part of what was sent.
///
/// ```
/// use telecrm_core::{Lead, Outcome, Remark, RemarkStatus};
///
/// let answer = br#"{ "lead_id": "62ab16e",
///     "remarks": [{ "field": "fields.email", "status": "IGNORED", "remark": "Email is invalid" }] }"#;
/// let outcome = Outcome::from_answer(answer, &Lead::new().set("email", "nobody"))?;
/// let ignored = |remark: &&Remark| remark.status == RemarkStatus::Ignored;
/// let remark = outcome.remarks().iter().find(ignored).unwrap();
/// assert_eq!(remark.to_string(), "fields.email IGNORED: Email is invalid");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Remark {
    /// Which part.
    pub path: FieldPath,
    /// What was done with it.
    pub status: RemarkStatus,
    /// Why, in telecrm's words; in ours if it was not sent.
    pub remark: String,
    /// The value that was sent there.
    pub sent: Option<FieldValue>,
}

/// In telecrm's words, which may repeat a value, unlike [`Debug`](fmt::Debug).
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.path, self.status, self.remark)
    }
}

open_enum! {
    /// What telecrm did with a part of what was sent.
    RemarkStatus:
        Ignored = "IGNORED",
}

open_enum! {
    /// What telecrm did with an action of a batch.
    ActionStatus:
        Created = "CREATED",
        Ignored = "IGNORED",
}

/// What became of one action of a batch.
///
/// ```
/// use telecrm_core::{ActionResult, ActionStatus};
///
/// let result: ActionResult = serde_json::from_str(r#"{ "action_id": null, "status": "IGNORED" }"#)?;
/// assert_eq!(result.status, ActionStatus::Ignored);
/// assert!(result.is_ignored());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ActionResult {
    /// The new entry's ID; nothing if the action was ignored.
    pub action_id: Option<String>,
    /// What was done.
    pub status: ActionStatus,
}

impl<'de> Deserialize<'de> for ActionResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "expected an object with `action_id` and `status`";
        Self::read(&FieldValue::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom(expected))
    }
}

impl ActionResult {
    /// Whether the action was not stored, or the answer cannot be read as to that.
    pub fn is_ignored(&self) -> bool {
        self.status == ActionStatus::Ignored || self.action_id.is_none()
    }
}

/// A write of which parts were ignored.
///
/// ```
/// use telecrm_core::{Incomplete, Created, Lead, Outcome};
///
/// fn create() -> Result<Created, Incomplete<Created>> {
///     let answer = br#"{ "lead_id": "62ab16e", "actions": [{ "action_id": null, "status": "IGNORED" }] }"#;
///     Outcome::from_answer(answer, &Lead::new()).expect("an answer").complete()
/// }
///
/// let error = create().unwrap_err();
/// assert_eq!(error.to_string(), "telecrm stored only a part: actions[0] was ignored;");
/// assert!(error.outcome().actions()[0].is_ignored());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Incomplete<T>(Box<Outcome<T>>);

impl<T> Incomplete<T> {
    /// The outcome, to look at what was ignored or to accept it after all.
    pub fn into_outcome(self) -> Outcome<T> {
        *self.0
    }

    /// What was ignored.
    pub fn outcome(&self) -> &Outcome<T> {
        &self.0
    }
}

/// With the [remarks](Remark), which may repeat a value, unlike [`Debug`](fmt::Debug).
impl<T> fmt::Display for Incomplete<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("telecrm stored only a part:")?;
        for remark in &self.0.remarks {
            write!(f, " {remark};")?;
        }
        for (index, action) in self.0.actions.iter().enumerate() {
            let path = FieldPath::Action(index);
            let is_remarked = self.0.remarks.iter().any(|remark| remark.path == path);
            if action.is_ignored() && !is_remarked {
                write!(f, " {path} was ignored;")?;
            }
        }
        for finding in self.0.findings.iter().filter(|finding| finding.is_loss()) {
            write!(f, " {finding};")?;
        }
        Ok(())
    }
}

impl<T: fmt::Debug> std::error::Error for Incomplete<T> {}

/// What was created: a lead with its actions, or actions of a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// The lead's ID. Keep it: documented search answers do not tell it (pitfall LE7).
    pub lead_id: String,
    /// The new entries' IDs in the order of the request; nothing where an action was ignored. Empty where the answer was
    /// lost and the creation was found by reading back.
    pub action_ids: Vec<Option<String>>,
}

impl Outcome<Created> {
    /// The creation of `sent`, of which the answer was lost, and which reading back found complete.
    ///
    /// ```
    /// use telecrm_core::{Lead, Outcome};
    ///
    /// let sent = Lead::new().set("phone", "919999999999");
    /// let found = Outcome::settled("62ab16e".to_owned(), &sent);
    /// assert_eq!(found.complete().unwrap().lead_id, "62ab16e");
    /// ```
    pub fn settled(lead_id: String, sent: &Lead) -> Self {
        let created = Created {
            lead_id,
            action_ids: Vec::new(),
        };
        Self::updated(created, sent)
    }

    /// Reads the answer to the creation of `sent`, of which [blanks](Lead::stray_blanks) were not sent. What it says of single
    /// parts in a form not known here makes no lead unreadable that was created: it is a remark that holds its JSON.
    ///
    /// ```
    /// use telecrm_core::{Lead, Outcome};
    ///
    /// let outcome = Outcome::from_answer(br#"{ "lead_id": "62ab16e", "remarks": ["late"] }"#, &Lead::new())?;
    /// assert_eq!(outcome.remarks()[0].to_string(), r#"remarks[0] UNREADABLE: "late""#);
    /// assert_eq!(outcome.accept_partial().lead_id, "62ab16e");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the answer is not JSON with a `lead_id`.
    pub fn from_answer(body: &[u8], sent: &Lead) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Answer {
            lead_id: String,
            #[serde(default)]
            actions: FieldValue,
            #[serde(default)]
            remarks: FieldValue,
        }
        let Object(answer): Object<Answer> = serde_json::from_slice(body)?;
        let mut remarks = Vec::new();
        let parts = items("remarks", answer.remarks, &mut remarks);
        for (index, part) in parts.iter().enumerate() {
            let remark = Remark::read(part, sent);
            let path = || FieldPath::Key(format!("remarks[{index}]"));
            remarks.push(remark.unwrap_or_else(|| Remark::unreadable(path(), part)));
        }
        let (mut actions, mut action_ids) = (Vec::new(), Vec::new());
        let parts = items("actions", answer.actions, &mut remarks);
        for (index, part) in parts.iter().enumerate() {
            let action = ActionResult::read(part).unwrap_or_else(|| {
                remarks.push(Remark::unreadable(FieldPath::Action(index), part));
                ActionResult {
                    action_id: None,
                    status: UNREADABLE.into(),
                }
            });
            action_ids.push(action.action_id.clone());
            actions.push(action);
        }
        for index in actions.len()..sent.actions().len() {
            action_ids.push(None);
            actions.push(ActionResult {
                action_id: None,
                status: NOT_TOLD.into(),
            });
            remarks.push(Remark {
                path: FieldPath::Action(index),
                status: NOT_TOLD.into(),
                remark: "the answer does not tell what became of it".to_owned(),
                sent: None,
            });
        }
        remarks.append(&mut left_out(sent));
        let mut findings = Vec::new();
        for finding in sent.stray_keys() {
            if !remarks.iter().any(|remark| remark.path == finding.path) {
                findings.push(finding);
            }
        }
        Ok(Self {
            value: Created {
                lead_id: answer.lead_id,
                action_ids,
            },
            actions,
            remarks,
            findings,
        })
    }
}

/// Not telecrm's words: what it says there is in no form known here, or nothing.
const UNREADABLE: &str = "UNREADABLE";
const NOT_TOLD: &str = "NOT_TOLD";

/// The parts of a list in an answer; what is there and is no list is remarked.
fn items(key: &str, list: FieldValue, remarks: &mut Vec<Remark>) -> Vec<FieldValue> {
    list.into_items().unwrap_or_else(|other| {
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
        Self {
            path,
            status: UNREADABLE.into(),
            remark: part.to_string(),
            sent: None,
        }
    }
}

impl ActionResult {
    fn read(part: &FieldValue) -> Option<Self> {
        let action_id = part.member("action_id").filter(|id| !id.is_null());
        Some(Self {
            action_id: match action_id {
                Some(id) => Some(id.as_str()?.to_owned()),
                None => None,
            },
            status: part.member("status")?.as_str()?.into(),
        })
    }
}

/// Remarks on what was not sent.
fn left_out(lead: &Lead) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for path in lead.stray_blanks() {
        remarks.push(Remark {
            sent: lead.at(&path),
            path,
            status: RemarkStatus::Ignored,
            remark: "blank, and therefore not sent".to_owned(),
        });
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CustomAction;

    #[test]
    fn le2_remarks_point_back_at_what_was_sent() {
        let lead = Lead::new()
            .set("phone", "919999999999")
            .set("rating", 7)
            .action(
                CustomAction::new(1001)
                    .expect("a code")
                    .field("email", "nobody"),
            );
        let body = br#"{ "lead_id": "603d2b2f9b1e8a001c8e4f5c",
            "actions": [ { "action_id": null, "status": "IGNORED" } ],
            "remarks": [
                { "field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5" },
                { "field": "actions[0].fields.email", "status": "POSTPONED", "remark": "Email is invalid" } ] }"#;
        let outcome = Outcome::from_answer(body, &lead).expect("documented");

        assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
        assert_eq!(outcome.remarks()[0].sent, Some(7.into()));
        assert_eq!(outcome.remarks()[1].sent, Some("nobody".into()));
        assert_eq!(
            outcome.remarks()[1].status,
            RemarkStatus::Unknown("POSTPONED".into())
        );
        let incomplete = outcome.complete().expect_err("parts were ignored");
        assert_eq!(
            incomplete.to_string(),
            "telecrm stored only a part: fields.rating IGNORED: Rating must be between 1 and 5; \
             actions[0].fields.email POSTPONED: Email is invalid; actions[0] was ignored;"
        );
        assert_eq!(
            incomplete.into_outcome().accept_partial().lead_id,
            "603d2b2f9b1e8a001c8e4f5c"
        );
    }

    #[test]
    fn a_list_is_no_answer() {
        let outcome = Outcome::from_answer(br#"["x"]"#, &Lead::new());
        let error = outcome.expect_err("no lead").to_string();
        assert!(error.contains("expected an object"), "{error}");
    }

    #[test]
    fn an_action_of_which_nothing_is_said_is_not_taken_for_stored() {
        let visit = || CustomAction::new(1001).expect("a code");
        let sent = Lead::new().action(visit()).action(visit());
        for (said, told) in [
            (
                r#"{"lead_id":"l1","actions":[{"action_id":"a1","status":"CREATED"}]}"#,
                1,
            ),
            (r#"{"lead_id":"l1"}"#, 0),
        ] {
            let outcome = Outcome::from_answer(said.as_bytes(), &sent).expect("read");
            let paths: Vec<_> = outcome.remarks().iter().map(|r| r.path.clone()).collect();
            assert_eq!(paths, (told..2).map(FieldPath::Action).collect::<Vec<_>>());
            assert!(outcome.actions()[1].is_ignored());
            let created = outcome.complete().expect_err("not told").into_outcome();
            assert_eq!(created.accept_partial().action_ids.len(), 2);
        }
    }

    #[test]
    fn what_is_said_in_another_form_is_kept_and_told() {
        for (said, told) in [
            (r#""actions":{"a":1}"#, r#"actions UNREADABLE: {"a":1};"#),
            (r#""actions":7,"remarks":null"#, "actions UNREADABLE: 7;"),
            (r#""remarks":"late""#, r#"remarks UNREADABLE: "late";"#),
            (
                r#""actions":[["a1","CREATED"]]"#,
                r#"actions[0] UNREADABLE: ["a1","CREATED"];"#,
            ),
            (
                r#""actions":[{"action_id":12345678901234567890123,"status":"CREATED"}]"#,
                r#"actions[0] UNREADABLE: {"action_id":12345678901234567890123,"status":"CREATED"};"#,
            ),
            (r#""actions":[null]"#, "actions[0] UNREADABLE: null;"),
            (
                r#""remarks":[["fields.rating","IGNORED"]]"#,
                r#"remarks[0] UNREADABLE: ["fields.rating","IGNORED"];"#,
            ),
            (
                r#""remarks":[{"field":7,"status":"IGNORED"},{"field":"fields.rating","status":"IGNORED","remark":{"code":1}}]"#,
                r#"remarks[0] UNREADABLE: {"field":7,"status":"IGNORED"}; fields.rating IGNORED: {"code":1};"#,
            ),
            (
                r#""remarks":[{"field":"fields.note","status":"IGNORED","remark":"cut \ud83d"}]"#,
                "fields.note IGNORED: cut \u{fffd};",
            ),
        ] {
            let body = format!(r#"{{"lead_id":"l1",{said}}}"#);
            let outcome = Outcome::from_answer(body.as_bytes(), &Lead::new()).expect(said);
            let incomplete = outcome.complete().expect_err(said);
            let expected = format!("telecrm stored only a part: {told}");
            assert_eq!(incomplete.to_string(), expected, "{said}");
            let created = incomplete.into_outcome().accept_partial();
            assert_eq!(created.lead_id, "l1", "{said}");
            assert!(created.action_ids.iter().all(Option::is_none), "{said}");
        }
    }

    #[test]
    fn nothing_ignored_is_complete() {
        let body =
            br#"{"lead_id":"l1","actions":[{"action_id":"a1","status":"CREATED"}],"remarks":[]}"#;
        let outcome = Outcome::from_answer(body, &Lead::new()).expect("documented");
        assert_eq!(outcome.complete().map(|c| c.lead_id), Ok("l1".to_owned()));
    }
}
