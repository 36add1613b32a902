//! Statuses and lost reasons, in both shapes that telecrm is known to answer (pitfall EN3).

use super::WorkspaceError;
use serde_json::{Map, Value};

/// The lead stage pipeline: which statuses and lost reasons can be written.
///
/// Read from the documented shape (`leadStages`, `activeLeadLostReasons`) and from the one reported
/// live (`statuses`, `lostReasons` at the top).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pipeline {
    /// The statuses, the archived ones included.
    pub statuses: Vec<Status>,
    /// Labels of the lost reasons that can be written.
    pub lost_reasons: Vec<String>,
    /// Labels of lost reasons that only old leads still carry.
    pub archived_lost_reasons: Vec<String>,
}

/// One status of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The label: what leads carry.
    pub label: String,
    /// `OPEN`, `WON` or `LOST`, if the workspace told it.
    pub stage_type: Option<String>,
    /// Whether only old leads still carry it.
    pub archived: bool,
}

impl Pipeline {
    /// Labels of the statuses that can be written.
    pub fn active_statuses(&self) -> impl Iterator<Item = &str> {
        self.statuses
            .iter()
            .filter(|status| !status.archived)
            .map(|status| status.label.as_str())
    }

    /// Reads the answer of `GET /lead-stage-pipeline`.
    ///
    /// # Errors
    /// If a status or reason has no label; the error names its JSON path.
    pub fn read(json: &Map<String, Value>) -> Result<Self, WorkspaceError> {
        let mut pipeline = Self::default();
        for (index, stage) in items(json, "leadStages").enumerate() {
            let stage_type = stage.get("stageType").and_then(Value::as_str);
            for (key, archived) in [("activeStatuses", false), ("archivedStatuses", true)] {
                let statuses = stage.get(key).and_then(Value::as_array);
                for (place, status) in statuses.into_iter().flatten().enumerate() {
                    let path = format!("leadStagePipeline.leadStages[{index}].{key}[{place}]");
                    pipeline.statuses.push(Status {
                        label: label(status, &path)?,
                        stage_type: stage_type.map(str::to_owned),
                        archived,
                    });
                }
            }
        }
        for (index, status) in items(json, "statuses").enumerate() {
            pipeline.statuses.push(Status {
                label: label(status, &format!("leadStagePipeline.statuses[{index}]"))?,
                stage_type: status
                    .get("stageType")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
                archived: is_archived(status),
            });
        }
        for (key, archived) in [
            ("activeLeadLostReasons", false),
            ("archivedLeadLostReasons", true),
            ("lostReasons", false),
        ] {
            for (index, reason) in items(json, key).enumerate() {
                let label = label(reason, &format!("leadStagePipeline.{key}[{index}]"))?;
                if archived || is_archived(reason) {
                    pipeline.archived_lost_reasons.push(label);
                } else {
                    pipeline.lost_reasons.push(label);
                }
            }
        }
        Ok(pipeline)
    }
}

fn items<'a>(json: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    json.get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The items of the reported shape were never shown, so every plausible spelling is read.
fn label(item: &Value, path: &str) -> Result<String, WorkspaceError> {
    ["label", "reasonLabel", "name", "status", "reason"]
        .into_iter()
        .find_map(|key| item.get(key)?.as_str())
        .or_else(|| item.as_str())
        .map(str::to_owned)
        .ok_or_else(|| {
            WorkspaceError::expected(path, "a text, or an object with a text `label`", item)
        })
}

fn is_archived(item: &Value) -> bool {
    ["isArchived", "archived"]
        .into_iter()
        .any(|key| item.get(key).and_then(Value::as_bool) == Some(true))
}
