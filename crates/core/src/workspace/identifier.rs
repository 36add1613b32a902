//! The field that identifies leads.

use super::WorkspaceError;
use super::definition::{FieldDefinition, find};
use super::json::Node;

/// The field that identifies leads.
///
/// ```
/// use telecrm_core::Workspace;
/// use telecrm_core::workspace::MatchedBy;
///
/// let workspace = Workspace::sample();
/// let identifier = workspace.identifier();
/// assert_eq!(identifier.api_name(), "phone");
/// assert_eq!(identifier.matched_by(), MatchedBy::ApiName);
/// assert_eq!(identifier.disagreement(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    api_name: String,
    matched_by: MatchedBy,
    disagreement: Option<String>,
}

/// How the identifier was found (pitfall EN6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchedBy {
    /// `leadIdentifierFieldId` of the metadata is the ID of a field.
    Id,
    /// `leadIdentifierFieldId` of the metadata is the API name of a field.
    ApiName,
    /// A field has the flag `isLeadid`.
    IsLeadId,
    /// The workspace does not say, and `phone` is telecrm's default.
    Default,
}

impl Identifier {
    /// The API name of the field.
    pub fn api_name(&self) -> &str {
        &self.api_name
    }

    /// How the field was found.
    pub fn matched_by(&self) -> MatchedBy {
        self.matched_by
    }

    /// Another field that has the flag `isLeadid`. Ask the workspace's owner which of them is
    /// right. Returns None if they agree.
    pub fn disagreement(&self) -> Option<&str> {
        self.disagreement.as_deref()
    }

    pub(super) fn find(
        metadata: Option<&Node<'_>>,
        fields: &[FieldDefinition],
    ) -> Result<Self, WorkspaceError> {
        let declared = metadata.map(|metadata| metadata.text("leadIdentifierFieldId"));
        let declared = declared.transpose()?.flatten();
        let with_id = |id| fields.iter().find(|field| field.id.as_deref() == Some(id));
        let named = |api_name| find(fields, api_name);
        let flagged = fields.iter().find(|field| field.is_lead_id);
        let (field, matched_by) = if let Some(field) = declared.and_then(with_id) {
            (field, MatchedBy::Id)
        } else if let Some(field) = declared.and_then(named) {
            (field, MatchedBy::ApiName)
        } else if let Some(field) = flagged {
            (field, MatchedBy::IsLeadId)
        } else if let Some(field) = named("phone") {
            (field, MatchedBy::Default)
        } else {
            return Err(WorkspaceError::new("customFields", "no lead identifier").with_hint(Some(
                "name a field `phone`, give one `isLeadid: true`, or name its ID in \
                 `metadata.leadIdentifierFieldId`",
            )));
        };
        Ok(Self {
            api_name: field.api_name.clone(),
            matched_by,
            disagreement: flagged
                .filter(|flagged| flagged.api_name != field.api_name)
                .map(|flagged| flagged.api_name.clone()),
        })
    }
}
