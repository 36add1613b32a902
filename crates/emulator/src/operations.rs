//! The operations of both APIs: the one table of their IDs, methods and paths.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;

/// The path below which the Sync API answers.
pub(crate) const SYNC_BASE: &str = "/autoupdate/v2";

/// The ID of the Async API's operation.
pub(crate) const INGEST: &str = "createOrUpdateLead";

/// A method and a path at which an operation answers.
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// The whole path, with the names of its parameters in braces.
    pub(crate) path: &'static str,
}

/// Defines the operations and their routes. Paths of the Sync API begin after the enterprise,
/// others are whole.
macro_rules! operations {
    (async { $($async_method:ident $async_path:literal)+ }
     sync { $($operation:ident $id:literal $method:ident $path:literal)+ }) => {
        /// An operation of the OpenAPI descriptions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operation {
            CreateOrUpdateLead,
            $($operation,)+
        }

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

operations! {
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

/// Returns the route that the router has matched, or None if no operation answers the request.
pub(crate) fn route(request: &Request) -> Option<&'static Route> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    ROUTES.iter().find(|route| route.path == path && route.method == *request.method())
}

/// The IDs of all operations.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    // The routes of the Async API come first, and all have the same operation.
    let sync = ROUTES.iter().map(|route| route.id).skip_while(|id| *id == INGEST);
    [INGEST].into_iter().chain(sync)
}
