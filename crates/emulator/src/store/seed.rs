//! The workspace file that a store starts from and returns to on a reset.

use serde_json::json;
use telecrm_core::workspace::{PhoneBlanks, WorkspaceError};
use telecrm_core::{Workspace, WorkspaceFile};

#[derive(Clone)]
pub(crate) struct Seed {
    pub(super) answers: WorkspaceFile,
    /// The rules that follow from the answers. The store decides on blanks in phone numbers.
    pub(super) workspace: Workspace,
    /// Only the standard fields and the date `created_on`. It reads addresses and times that
    /// belong to no lead.
    pub(super) standard: Workspace,
    pub(super) strips_phone_blanks: bool,
}

impl Seed {
    /// # Errors
    /// Returns an error if the file is not a workspace.
    pub(crate) fn new(answers: WorkspaceFile, strip: bool) -> Result<Self, WorkspaceError> {
        let answers = Self::completed(answers);
        let workspace = Workspace::from_file(&answers)?;
        let mut standard = WorkspaceFile::from_json(json!({ "customFields": [
            { "apiName": "phone", "type": "PHONE" },
            { "apiName": "created_on", "type": "DATE" },
        ] }))?;
        standard.emulator = answers.emulator.clone();
        Ok(Self {
            standard: Workspace::from_file(&standard)?,
            strips_phone_blanks: strip,
            workspace,
            answers,
        })
    }

    /// Adds the sample's pipeline if the file has none, since statuses need one.
    pub(super) fn completed(mut answers: WorkspaceFile) -> WorkspaceFile {
        if answers.pipeline.is_none() {
            answers.pipeline = WorkspaceFile::sample().pipeline;
        }
        answers
    }
}

/// Whether a workspace strips blanks from phone numbers, in the words of the rules.
pub(super) fn phone_blanks(strip: bool) -> PhoneBlanks {
    if strip { PhoneBlanks::Strip } else { PhoneBlanks::Refuse }
}
