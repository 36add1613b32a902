//! The operations of both APIs: the one table of their IDs, methods and paths.

use axum::http::Method;

/// The path below which the Sync API answers.
pub(crate) const SYNC_BASE: &str = "/autoupdate/v2";

/// The ID of the Async API's operation.
pub(crate) const INGEST: &str = "createOrUpdateLead";

/// An operation of the OpenAPI descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    CreateOrUpdateLead,
    CreateLead,
    GetLead,
    UpdateLead,
    SearchLeads,
    CreateActions,
    GetAction,
    UpdateAction,
    SearchActions,
    ListTeamMembers,
    CreateTeamMember,
    GetTeamMember,
    SetTeamMemberState,
    GetMetadata,
    ListCustomFields,
    GetCustomField,
    ListCustomActions,
    GetCustomAction,
    GetLeadStagePipeline,
}

/// A method and a path at which an operation answers.
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// The whole path, with the names of its parameters in braces.
    pub(crate) path: &'static str,
}

impl Route {
    /// Whether it is a route of the Sync API.
    pub(crate) fn is_sync(&self) -> bool {
        self.operation != Operation::CreateOrUpdateLead
    }
}

/// Writes the table. Paths of the Sync API begin after the enterprise, others are whole.
macro_rules! routes {
    (async { $($async_method:ident $async_path:literal)+ }
     sync { $($operation:ident $id:literal $method:ident $path:literal)+ }) => {
        pub(crate) const ROUTES: &[Route] = &[
            $(Route {
                operation: Operation::CreateOrUpdateLead,
                id: INGEST,
                method: Method::$async_method,
                path: $async_path,
            },)+
            $(Route {
                operation: Operation::$operation,
                id: $id,
                method: Method::$method,
                path: concat!("/autoupdate/v2/enterprise/{enterprise}", $path),
            },)+
        ];
    };
}

routes! {
    async {
        POST "/enterprise/{enterprise}/autoupdatelead"
        POST "/v2/enterprise/{enterprise}/autoupdatelead"
        // The path that the vendor's WordPress plugin and older integrations use.
        POST "/enterprise/{enterprise}/wordpress"
    }
    sync {
        CreateLead "createLead" POST "/lead"
        GetLead "getLead" GET "/lead/{lead}"
        UpdateLead "updateLead" POST "/lead/{lead}"
        SearchLeads "searchLeads" POST "/lead/search"
        CreateActions "createActions" POST "/lead/{lead}/action"
        GetAction "getAction" GET "/lead/{lead}/action/{action}"
        UpdateAction "updateAction" POST "/lead/{lead}/action/{action}"
        SearchActions "searchActions" POST "/lead/{lead}/action/search"
        ListTeamMembers "listTeamMembers" GET "/team-members"
        CreateTeamMember "createTeamMember" POST "/team-members"
        GetTeamMember "getTeamMember" GET "/team-members/{email}"
        SetTeamMemberState "setTeamMemberState" POST "/teammember/state_change"
        GetMetadata "getMetadata" GET "/metadata"
        ListCustomFields "listCustomFields" GET "/custom-fields"
        GetCustomField "getCustomField" GET "/custom-fields/{name}"
        ListCustomActions "listCustomActions" GET "/custom-actions"
        GetCustomAction "getCustomAction" GET "/custom-actions/{code}"
        GetLeadStagePipeline "getLeadStagePipeline" GET "/lead-stage-pipeline"
    }
}

/// Returns the route for this method and matched path, or None if no operation answers there.
pub(crate) fn find(method: &Method, path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == path && route.method == *method)
}

/// The IDs of all operations.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    let sync = ROUTES.iter().filter(|route| route.is_sync());
    [INGEST].into_iter().chain(sync.map(|route| route.id))
}
