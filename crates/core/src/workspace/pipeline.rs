//! Statuses and lost reasons, in both shapes that telecrm is known to answer (pitfall EN3).

use super::{FieldType, WorkspaceError, list_of, text};
use serde_json::{Map, Value};

/// The lead stage pipeline: which statuses and lost reasons can be written.
///
/// Read from the documented shape (`leadStages`, `activeLeadLostReasons`) and from the one reported
/// live (`statuses`, `lostReasons` at the top).
///
/// ```
/// use telecrm_core::{LostReason, Pipeline, PipelineStatus};
///
/// let answer = serde_json::json!({
///     "leadStages": [{ "stageType": "OPEN", "activeStatuses": [{ "label": "Fresh" }], "archivedStatuses": [{ "label": "Cold" }] }],
///     "activeLeadLostReasons": [{ "reasonLabel": "No Need" }],
///     "version": 3,
/// });
/// let pipeline = Pipeline::read(answer.as_object().unwrap())?;
/// assert_eq!(pipeline.active_statuses().collect::<Vec<_>>(), ["Fresh"]);
/// assert_eq!(pipeline.active_lost_reasons().collect::<Vec<_>>(), ["No Need"]);
///
/// let open = |status: &&PipelineStatus| status.stage_type.as_deref() == Some("OPEN");
/// assert_eq!(pipeline.statuses.iter().flatten().filter(open).count(), 2);
/// assert_eq!(pipeline.answer()["version"], 3);
/// let old = |reason: &LostReason| reason.archived;
/// assert!(!pipeline.lost_reasons.unwrap().iter().any(old));
/// # Ok::<(), telecrm_core::WorkspaceError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pipeline {
    /// The statuses, the archived ones included; nothing where the answer has no list of them.
    pub statuses: Option<Vec<PipelineStatus>>,
    /// The lost reasons, the archived ones included; nothing where the answer has no list of them.
    pub lost_reasons: Option<Vec<LostReason>>,
    pub(crate) answer: Map<String, Value>,
}

/// One status of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineStatus {
    /// The label: what leads carry.
    pub label: String,
    /// `OPEN`, `WON` or `LOST`, if the workspace told it.
    pub stage_type: Option<String>,
    /// Whether only old leads still carry it.
    pub archived: bool,
}

/// The labels of one kind.
#[derive(Default)]
pub(crate) struct Labels<'a> {
    /// Those that can be written.
    pub(crate) active: Vec<&'a str>,
    /// Those that only old leads still carry.
    pub(crate) archived: Vec<&'a str>,
}

impl<'a> Labels<'a> {
    fn add(&mut self, label: &'a str, archived: bool) {
        match archived {
            true => self.archived.push(label),
            false => self.active.push(label),
        }
    }
}

/// Why a lead was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostReason {
    /// The label: what leads carry.
    pub label: String,
    /// Whether only old leads still carry it.
    pub archived: bool,
}

impl Pipeline {
    /// The answer as it came, with whatever else it tells: IDs, colours, who changed it last.
    pub fn answer(&self) -> &Map<String, Value> {
        &self.answer
    }

    /// Labels of the statuses that can be written.
    pub fn active_statuses(&self) -> impl Iterator<Item = &str> {
        let labels = self.labels(&FieldType::Status);
        labels.unwrap_or_default().active.into_iter()
    }

    /// Labels of the lost reasons that can be written.
    pub fn active_lost_reasons(&self) -> impl Iterator<Item = &str> {
        let labels = self.labels(&FieldType::LostReason);
        labels.unwrap_or_default().active.into_iter()
    }

    /// The labels of statuses, or of lost reasons; nothing where the answer has no list of them.
    pub(crate) fn labels(&self, of: &FieldType) -> Option<Labels<'_>> {
        let mut labels = Labels::default();
        if *of == FieldType::Status {
            for status in self.statuses.as_ref()? {
                labels.add(&status.label, status.archived);
            }
        } else {
            for reason in self.lost_reasons.as_ref()? {
                labels.add(&reason.label, reason.archived);
            }
        }
        Some(labels)
    }

    /// Reads the answer of `GET /lead-stage-pipeline`.
    ///
    /// # Errors
    /// If a list is none, or a status or reason has no label; the error names its JSON path.
    pub fn read(json: &Map<String, Value>) -> Result<Self, WorkspaceError> {
        const PATH: &str = "leadStagePipeline";
        let mut pipeline = Self {
            answer: json.clone(),
            ..Self::default()
        };
        for (index, stage) in list_of(json, PATH, "leadStages")?
            .into_iter()
            .flatten()
            .enumerate()
        {
            let statuses = pipeline.statuses.get_or_insert_default();
            let path = format!("{PATH}.leadStages[{index}]");
            let Value::Object(stage) = stage else {
                return Err(WorkspaceError::expected(&path, "an object", stage));
            };
            let stage_type = text(stage, &path, "stageType")?;
            for (key, archived) in [("activeStatuses", false), ("archivedStatuses", true)] {
                let items = list_of(stage, &path, key)?.into_iter().flatten();
                for (place, status) in items.enumerate() {
                    statuses.push(PipelineStatus {
                        label: label(status, &format!("{path}.{key}[{place}]"))?,
                        stage_type: stage_type.map(str::to_owned),
                        archived,
                    });
                }
            }
        }
        if let Some(items) = list_of(json, PATH, "statuses")? {
            let statuses = pipeline.statuses.get_or_insert_default();
            for (index, status) in items.iter().enumerate() {
                statuses.push(PipelineStatus {
                    label: label(status, &format!("{PATH}.statuses[{index}]"))?,
                    stage_type: status
                        .get("stageType")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    archived: is_archived(status),
                });
            }
        }
        for (key, archived) in [
            ("activeLeadLostReasons", false),
            ("archivedLeadLostReasons", true),
            ("lostReasons", false),
        ] {
            let Some(items) = list_of(json, PATH, key)? else {
                continue;
            };
            let reasons = pipeline.lost_reasons.get_or_insert_default();
            for (index, reason) in items.iter().enumerate() {
                reasons.push(LostReason {
                    label: label(reason, &format!("{PATH}.{key}[{index}]"))?,
                    archived: archived || is_archived(reason),
                });
            }
        }
        Ok(pipeline)
    }
}

/// The items of the reported shape were never shown, so every plausible spelling is read.
fn label(item: &Value, path: &str) -> Result<String, WorkspaceError> {
    ["label", "reasonLabel", "name", "status", "reason"]
        .iter()
        .find_map(|key| item.get(key)?.as_str())
        .or_else(|| item.as_str())
        .map(str::to_owned)
        .ok_or_else(|| {
            WorkspaceError::expected(path, "a text, or an object with a text `label`", item)
        })
}

fn is_archived(item: &Value) -> bool {
    ["isArchived", "archived"]
        .iter()
        .any(|key| item.get(key).and_then(Value::as_bool) == Some(true))
}
