//! The lead stage pipeline: the statuses and lost reasons of a workspace.

use super::WorkspaceError;
use super::definition::FieldType;
use super::json::{Node, label};
use serde_json::{Map, Value};

/// The lead stage pipeline: the statuses and lost reasons that leads can have.
///
/// Reads the documented shape (`leadStages`, `activeLeadLostReasons`) and the shape that users of
/// the live service report (`statuses`, `lostReasons` at the top level), see pitfall EN3.
///
/// ```
/// use telecrm_core::workspace::{LostReason, Pipeline, PipelineStatus};
///
/// let answer = serde_json::json!({
///     "leadStages": [{ "stageType": "OPEN", "activeStatuses": [{ "label": "Fresh" }],
///     "archivedStatuses": [{ "label": "Cold" }] }],
///     "activeLeadLostReasons": [{ "reasonLabel": "No Need" }],
///     "version": 3,
/// });
/// let pipeline = Pipeline::read(answer.as_object().unwrap())?;
/// assert_eq!(pipeline.active_statuses().collect::<Vec<_>>(), ["Fresh"]);
/// assert_eq!(pipeline.active_lost_reasons().collect::<Vec<_>>(), ["No Need"]);
///
/// let open = |status: &&PipelineStatus| status.stage_type.as_deref() == Some("OPEN");
/// assert_eq!(pipeline.statuses.iter().flatten().filter(open).count(), 2);
/// assert_eq!(pipeline.extra()["version"], 3);
/// let old = |reason: &LostReason| reason.archived;
/// assert!(!pipeline.lost_reasons.unwrap().iter().any(old));
/// # Ok::<(), telecrm_core::workspace::WorkspaceError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pipeline {
    /// The statuses, including archived ones. None if the response has no list of them.
    pub statuses: Option<Vec<PipelineStatus>>,
    /// The lost reasons, including archived ones. None if the response has no list of them.
    pub lost_reasons: Option<Vec<LostReason>>,
    pub(crate) extra: Map<String, Value>,
}

/// One status of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineStatus {
    /// The label, which is the value of the lead's field.
    pub label: String,
    /// `OPEN`, `WON` or `LOST`. None if the response does not say.
    pub stage_type: Option<String>,
    /// Whether it is archived. New leads cannot have it.
    pub archived: bool,
}

impl PipelineStatus {
    fn read(
        item: &(String, &Value),
        stage_type: Option<&str>,
        archived: bool,
    ) -> Result<Self, WorkspaceError> {
        let stage_type = stage_type.map(str::to_owned);
        Ok(Self { label: label(item, LABEL_KEYS)?, stage_type, archived })
    }
}

/// The labels of the statuses, or of the lost reasons.
#[derive(Default)]
pub(crate) struct Labels<'a> {
    pub(crate) active: Vec<&'a str>,
    pub(crate) archived: Vec<&'a str>,
}

/// A reason why leads are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostReason {
    /// The label, which is the value of the lead's field.
    pub label: String,
    /// Whether it is archived. New leads cannot have it.
    pub archived: bool,
}

impl Pipeline {
    /// The response as telecrm sent it, including IDs, colours and other keys without a field here.
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    /// The labels of the statuses that leads can have.
    pub fn active_statuses(&self) -> impl Iterator<Item = &str> {
        let labels = self.labels(&FieldType::Status);
        labels.unwrap_or_default().active.into_iter()
    }

    /// The labels of the lost reasons that leads can have.
    pub fn active_lost_reasons(&self) -> impl Iterator<Item = &str> {
        let labels = self.labels(&FieldType::LostReason);
        labels.unwrap_or_default().active.into_iter()
    }

    /// The labels of the statuses, or of the lost reasons for any other type. Returns None if the
    /// response has no list of them.
    pub(crate) fn labels(&self, field_type: &FieldType) -> Option<Labels<'_>> {
        let labels: Vec<(&str, bool)> = if *field_type == FieldType::Status {
            self.statuses.as_ref()?.iter().map(|s| (s.label.as_str(), s.archived)).collect()
        } else {
            self.lost_reasons.as_ref()?.iter().map(|r| (r.label.as_str(), r.archived)).collect()
        };
        let of = |archived: bool| labels.iter().filter(move |l| l.1 == archived).map(|l| l.0);
        Some(Labels { active: of(false).collect(), archived: of(true).collect() })
    }

    /// Reads the response of `GET /lead-stage-pipeline`.
    ///
    /// # Errors
    /// Returns an error with the JSON path if a list has another type, or if a status or lost
    /// reason has no label.
    pub fn read(json: &Map<String, Value>) -> Result<Self, WorkspaceError> {
        let node = Node::new("leadStagePipeline", json);
        let mut pipeline = Self { extra: json.clone(), ..Self::default() };
        for stage in node.list("leadStages")?.unwrap_or_default() {
            let statuses = pipeline.statuses.get_or_insert_default();
            let stage = Node::of(stage)?;
            let stage_type = stage.text("stageType")?;
            for (key, archived) in [("activeStatuses", false), ("archivedStatuses", true)] {
                for status in stage.list(key)?.unwrap_or_default() {
                    statuses.push(PipelineStatus::read(&status, stage_type, archived)?);
                }
            }
        }
        if let Some(items) = node.list("statuses")? {
            let statuses = pipeline.statuses.get_or_insert_default();
            for status in items {
                let stage_type = status.1.get("stageType").and_then(Value::as_str);
                statuses.push(PipelineStatus::read(&status, stage_type, is_archived(status.1))?);
            }
        }
        for (key, archived) in [
            ("activeLeadLostReasons", false),
            ("archivedLeadLostReasons", true),
            ("lostReasons", false),
        ] {
            let Some(items) = node.list(key)? else {
                continue;
            };
            let reasons = pipeline.lost_reasons.get_or_insert_default();
            for reason in items {
                reasons.push(LostReason {
                    label: label(&reason, LABEL_KEYS)?,
                    archived: archived || is_archived(reason.1),
                });
            }
        }
        Ok(pipeline)
    }
}

/// Keys that can hold a label. The reports do not show the items of their shape.
const LABEL_KEYS: &[&str] = &["label", "reasonLabel", "name", "status", "reason"];

fn is_archived(item: &Value) -> bool {
    ["isArchived", "archived"]
        .iter()
        .any(|key| item.get(key).and_then(Value::as_bool) == Some(true))
}
