//! The operations of both APIs, and what a second, equal request of each does.

use std::fmt;

include!("../generated/operations.rs");

/// What a second, equal request does, which decides whether this crate retries a failed request.
///
/// Requests that certainly never reached telecrm are retried in every class, and so are requests
/// that telecrm refused with 429.
///
/// ```
/// use telecrm::{Idempotency, Operation};
///
/// assert_eq!(Operation::CreateActions.idempotency(), Idempotency::NotIdempotent);
/// let reads = Operation::ALL.iter().filter(|operation| operation.is_read());
/// assert!(reads.clone().all(|operation| operation.idempotency() == Idempotency::Safe));
/// assert_eq!(reads.count(), 12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idempotency {
    /// The request changes nothing. It is retried after connection errors, timeouts, 408, 429 and
    /// 5xx.
    Safe,
    /// A repeat writes the same values, or telecrm refuses it because they exist already. The
    /// request is retried as if it were safe, unless this client has written the same record in
    /// the meantime.
    Idempotent,
    /// A repeat adds one more record. The request is never retried if telecrm may have carried it
    /// out.
    NotIdempotent,
}

impl Operation {
    /// Returns what a second, equal request does.
    ///
    /// A push is `NotIdempotent` here. Without actions it only writes fields, and the client then
    /// treats it as `Idempotent`.
    pub const fn idempotency(self) -> Idempotency {
        self.facts().0
    }

    /// Returns `true` if the operation changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self.idempotency(), Idempotency::Safe)
    }

    /// The operation in words, for error messages.
    pub(crate) const fn words(self) -> &'static str {
        self.facts().1
    }

    // Written by hand, because the OpenAPI documents state neither of the two: a person decides
    // both when an operation is added. The match has no catch-all, so until then nothing compiles.
    const fn facts(self) -> (Idempotency, &'static str) {
        use Idempotency::{Idempotent, NotIdempotent, Safe};
        match self {
            Self::CreateOrUpdateLead => (NotIdempotent, "pushing a lead"),
            Self::CreateLead => (Idempotent, "creating a lead"),
            Self::GetLead => (Safe, "reading a lead"),
            Self::UpdateLead => (Idempotent, "updating a lead"),
            Self::SearchLeads => (Safe, "searching leads"),
            Self::CreateActions => (NotIdempotent, "creating actions"),
            Self::GetAction => (Safe, "reading an action"),
            Self::UpdateAction => (Idempotent, "updating an action"),
            Self::SearchActions => (Safe, "searching a timeline"),
            Self::ListTeamMembers => (Safe, "listing team members"),
            Self::CreateTeamMember => (NotIdempotent, "creating a team member"),
            Self::GetTeamMember => (Safe, "reading a team member"),
            Self::SetTeamMemberState => (Idempotent, "setting a team member's availability"),
            Self::GetMetadata => (Safe, "reading the workspace"),
            Self::ListCustomFields => (Safe, "listing fields"),
            Self::GetCustomField => (Safe, "reading a field"),
            Self::ListCustomActions => (Safe, "listing custom actions"),
            Self::GetCustomAction => (Safe, "reading a custom action"),
            Self::GetLeadStagePipeline => (Safe, "reading the pipeline"),
        }
    }
}

/// Prints the operation ID.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_class() {
        let class = |class| {
            let operations = Operation::ALL.iter();
            let operations = operations.filter(|operation| operation.idempotency() == class);
            let mut ids: Vec<_> = operations.map(|operation| operation.id()).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(
            class(Idempotency::Safe),
            [
                "getAction",
                "getCustomAction",
                "getCustomField",
                "getLead",
                "getLeadStagePipeline",
                "getMetadata",
                "getTeamMember",
                "listCustomActions",
                "listCustomFields",
                "listTeamMembers",
                "searchActions",
                "searchLeads",
            ]
        );
        assert_eq!(
            class(Idempotency::Idempotent),
            ["createLead", "setTeamMemberState", "updateAction", "updateLead"]
        );
        assert_eq!(
            class(Idempotency::NotIdempotent),
            ["createActions", "createOrUpdateLead", "createTeamMember"]
        );
        assert_eq!(Operation::ALL.len(), 19);
    }

    #[test]
    fn generated_operations_keep_the_method_and_path_of_the_documents() {
        let push = Operation::CreateOrUpdateLead;
        assert_eq!(push.id(), "createOrUpdateLead");
        assert_eq!(push.method(), "POST");
        assert_eq!(push.path(), "/enterprise/{enterpriseId}/autoupdatelead");
        let pipeline = Operation::GetLeadStagePipeline;
        assert_eq!(pipeline.to_string(), "getLeadStagePipeline");
        assert_eq!(pipeline.method(), "GET");
    }
}
