// Generated from openapi/ by `cargo xtask regen`. Do not edit: change an overlay instead.

/// An operation of either API, named as in the overlaid OpenAPI documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `listCustomActions`: `GET /enterprise/{enterpriseId}/custom-actions`.
    ListCustomActions,
    /// `getCustomAction`: `GET /enterprise/{enterpriseId}/custom-actions/{code}`.
    GetCustomAction,
    /// `listCustomFields`: `GET /enterprise/{enterpriseId}/custom-fields`.
    ListCustomFields,
    /// `getCustomField`: `GET /enterprise/{enterpriseId}/custom-fields/{apiName}`.
    GetCustomField,
    /// `createLead`: `POST /enterprise/{enterpriseId}/lead`.
    CreateLead,
    /// `getLeadStagePipeline`: `GET /enterprise/{enterpriseId}/lead-stage-pipeline`.
    GetLeadStagePipeline,
    /// `searchLeads`: `POST /enterprise/{enterpriseId}/lead/search`.
    SearchLeads,
    /// `getLead`: `GET /enterprise/{enterpriseId}/lead/{leadId}`.
    GetLead,
    /// `updateLead`: `POST /enterprise/{enterpriseId}/lead/{leadId}`.
    UpdateLead,
    /// `createActions`: `POST /enterprise/{enterpriseId}/lead/{leadId}/action`.
    CreateActions,
    /// `searchActions`: `POST /enterprise/{enterpriseId}/lead/{leadId}/action/search`.
    SearchActions,
    /// `getAction`: `GET /enterprise/{enterpriseId}/lead/{leadId}/action/{actionId}`.
    GetAction,
    /// `updateAction`: `POST /enterprise/{enterpriseId}/lead/{leadId}/action/{actionId}`.
    UpdateAction,
    /// `getMetadata`: `GET /enterprise/{enterpriseId}/metadata`.
    GetMetadata,
    /// `listTeamMembers`: `GET /enterprise/{enterpriseId}/team-members`.
    ListTeamMembers,
    /// `createTeamMember`: `POST /enterprise/{enterpriseId}/team-members`.
    CreateTeamMember,
    /// `getTeamMember`: `GET /enterprise/{enterpriseId}/team-members/{email}`.
    GetTeamMember,
    /// `setTeamMemberState`: `POST /enterprise/{enterpriseId}/teammember/state_change`.
    SetTeamMemberState,
    /// `createOrUpdateLead`: `POST /enterprise/{enterpriseId}/autoupdatelead`.
    CreateOrUpdateLead,
}
impl Operation {
    /// All operations, ordered by API and path.
    pub const ALL: &'static [Self] = &[
        Self::ListCustomActions,
        Self::GetCustomAction,
        Self::ListCustomFields,
        Self::GetCustomField,
        Self::CreateLead,
        Self::GetLeadStagePipeline,
        Self::SearchLeads,
        Self::GetLead,
        Self::UpdateLead,
        Self::CreateActions,
        Self::SearchActions,
        Self::GetAction,
        Self::UpdateAction,
        Self::GetMetadata,
        Self::ListTeamMembers,
        Self::CreateTeamMember,
        Self::GetTeamMember,
        Self::SetTeamMemberState,
        Self::CreateOrUpdateLead,
    ];
    /// Returns the operation ID, such as `createLead`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::ListCustomActions => "listCustomActions",
            Self::GetCustomAction => "getCustomAction",
            Self::ListCustomFields => "listCustomFields",
            Self::GetCustomField => "getCustomField",
            Self::CreateLead => "createLead",
            Self::GetLeadStagePipeline => "getLeadStagePipeline",
            Self::SearchLeads => "searchLeads",
            Self::GetLead => "getLead",
            Self::UpdateLead => "updateLead",
            Self::CreateActions => "createActions",
            Self::SearchActions => "searchActions",
            Self::GetAction => "getAction",
            Self::UpdateAction => "updateAction",
            Self::GetMetadata => "getMetadata",
            Self::ListTeamMembers => "listTeamMembers",
            Self::CreateTeamMember => "createTeamMember",
            Self::GetTeamMember => "getTeamMember",
            Self::SetTeamMemberState => "setTeamMemberState",
            Self::CreateOrUpdateLead => "createOrUpdateLead",
        }
    }
    /// Returns the HTTP method, such as `POST`.
    pub const fn method(self) -> &'static str {
        match self {
            Self::ListCustomActions => "GET",
            Self::GetCustomAction => "GET",
            Self::ListCustomFields => "GET",
            Self::GetCustomField => "GET",
            Self::CreateLead => "POST",
            Self::GetLeadStagePipeline => "GET",
            Self::SearchLeads => "POST",
            Self::GetLead => "GET",
            Self::UpdateLead => "POST",
            Self::CreateActions => "POST",
            Self::SearchActions => "POST",
            Self::GetAction => "GET",
            Self::UpdateAction => "POST",
            Self::GetMetadata => "GET",
            Self::ListTeamMembers => "GET",
            Self::CreateTeamMember => "POST",
            Self::GetTeamMember => "GET",
            Self::SetTeamMemberState => "POST",
            Self::CreateOrUpdateLead => "POST",
        }
    }
    /// Returns the path below the base URL, with its parameters in braces.
    pub const fn path(self) -> &'static str {
        match self {
            Self::ListCustomActions => "/enterprise/{enterpriseId}/custom-actions",
            Self::GetCustomAction => "/enterprise/{enterpriseId}/custom-actions/{code}",
            Self::ListCustomFields => "/enterprise/{enterpriseId}/custom-fields",
            Self::GetCustomField => "/enterprise/{enterpriseId}/custom-fields/{apiName}",
            Self::CreateLead => "/enterprise/{enterpriseId}/lead",
            Self::GetLeadStagePipeline => {
                "/enterprise/{enterpriseId}/lead-stage-pipeline"
            }
            Self::SearchLeads => "/enterprise/{enterpriseId}/lead/search",
            Self::GetLead => "/enterprise/{enterpriseId}/lead/{leadId}",
            Self::UpdateLead => "/enterprise/{enterpriseId}/lead/{leadId}",
            Self::CreateActions => "/enterprise/{enterpriseId}/lead/{leadId}/action",
            Self::SearchActions => {
                "/enterprise/{enterpriseId}/lead/{leadId}/action/search"
            }
            Self::GetAction => {
                "/enterprise/{enterpriseId}/lead/{leadId}/action/{actionId}"
            }
            Self::UpdateAction => {
                "/enterprise/{enterpriseId}/lead/{leadId}/action/{actionId}"
            }
            Self::GetMetadata => "/enterprise/{enterpriseId}/metadata",
            Self::ListTeamMembers => "/enterprise/{enterpriseId}/team-members",
            Self::CreateTeamMember => "/enterprise/{enterpriseId}/team-members",
            Self::GetTeamMember => "/enterprise/{enterpriseId}/team-members/{email}",
            Self::SetTeamMemberState => {
                "/enterprise/{enterpriseId}/teammember/state_change"
            }
            Self::CreateOrUpdateLead => "/enterprise/{enterpriseId}/autoupdatelead",
        }
    }
}
