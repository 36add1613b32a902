//! The operations of both APIs, as data.

use std::fmt;

macro_rules! operations {
    ($($variant:ident = $id:literal, $words:literal, $class:ident;)+) => {
        /// An operation of either API, named as in the overlaid OpenAPI documents.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $(#[doc = concat!("`", $id, "`: ", $words, ".")] $variant,)+
        }

        impl Operation {
            /// Every operation, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The operation ID.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// The operation in words.
            pub(crate) const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }

            /// What a second, equal request does.
            pub const fn idempotency(self) -> Idempotency {
                match self { $(Self::$variant => Idempotency::$class,)+ }
            }
        }
    };
}

/// What sending the same request twice does, and so when it is sent again by itself.
///
/// A request is always sent again if it provably never left, or if the server says that it did not take it (429).
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
    /// Nothing is written. Sent again after connection faults, time-outs, 408, 429 and 5xx.
    Safe,
    /// A second request writes the same values again, or the server refuses it. Retried like a
    /// safe request, unless this client began a newer write to the same target meanwhile.
    Idempotent,
    /// Each request appends. Never retried after an unknown outcome.
    NotIdempotent,
}

impl Operation {
    /// Whether the operation changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self.idempotency(), Idempotency::Safe)
    }

    /// The operation that a generated client names in its own spelling, such as `create_lead`.
    pub(crate) fn from_generated(name: &str) -> Option<Self> {
        let same = |id: &str| {
            name.split('_').map(str::len).sum::<usize>() == id.len() && {
                let plain: String = name.split('_').collect();
                plain.eq_ignore_ascii_case(id)
            }
        };
        Self::ALL
            .iter()
            .copied()
            .find(|operation| same(operation.id()))
    }
}

operations! {
    CreateOrUpdateLead = "createOrUpdateLead", "pushing a lead", NotIdempotent;
    CreateLead = "createLead", "creating a lead", Idempotent;
    GetLead = "getLead", "reading a lead", Safe;
    UpdateLead = "updateLead", "updating a lead", Idempotent;
    SearchLeads = "searchLeads", "searching leads", Safe;
    CreateActions = "createActions", "creating actions", NotIdempotent;
    GetAction = "getAction", "reading an action", Safe;
    UpdateAction = "updateAction", "updating an action", Idempotent;
    SearchActions = "searchActions", "searching a timeline", Safe;
    ListTeamMembers = "listTeamMembers", "listing team members", Safe;
    CreateTeamMember = "createTeamMember", "creating a team member", NotIdempotent;
    GetTeamMember = "getTeamMember", "reading a team member", Safe;
    SetTeamMemberState = "setTeamMemberState", "setting a team member's availability", Idempotent;
    GetMetadata = "getMetadata", "reading the workspace", Safe;
    ListCustomFields = "listCustomFields", "listing fields", Safe;
    GetCustomField = "getCustomField", "reading a field", Safe;
    ListCustomActions = "listCustomActions", "listing custom actions", Safe;
    GetCustomAction = "getCustomAction", "reading a custom action", Safe;
    GetLeadStagePipeline = "getLeadStagePipeline", "reading the pipeline", Safe;
}

/// The operation ID.
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
            let operations = Operation::ALL
                .iter()
                .filter(move |o| o.idempotency() == class);
            operations
                .map(|operation| operation.id())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            class(Idempotency::Safe),
            [
                "getLead",
                "searchLeads",
                "getAction",
                "searchActions",
                "listTeamMembers",
                "getTeamMember",
                "getMetadata",
                "listCustomFields",
                "getCustomField",
                "listCustomActions",
                "getCustomAction",
                "getLeadStagePipeline",
            ]
        );
        assert_eq!(
            class(Idempotency::Idempotent),
            [
                "createLead",
                "updateLead",
                "updateAction",
                "setTeamMemberState"
            ]
        );
        // A push without actions is idempotent, which only the caller can know.
        assert_eq!(
            class(Idempotency::NotIdempotent),
            ["createOrUpdateLead", "createActions", "createTeamMember"]
        );
        assert_eq!(Operation::ALL.len(), 19);
    }

    #[test]
    fn generated_names_are_recognised() {
        assert_eq!(
            Operation::from_generated("create_or_update_lead"),
            Some(Operation::CreateOrUpdateLead)
        );
        assert_eq!(
            Operation::from_generated("get_lead_stage_pipeline"),
            Some(Operation::GetLeadStagePipeline)
        );
        assert_eq!(Operation::from_generated("get_leads"), None);
    }
}
