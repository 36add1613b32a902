//! The operations of both APIs, as data.

use std::fmt;

macro_rules! operations {
    ($($variant:ident = $id:literal, $words:literal, $kind:ident;)+) => {
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

            /// Whether the operation changes nothing, so that it can be sent again whatever became of it.
            pub const fn is_read(self) -> bool {
                match self { $(Self::$variant => matches!(Kind::$kind, Kind::Read),)+ }
            }
        }
    };
}

enum Kind {
    Read,
    Write,
}

operations! {
    CreateOrUpdateLead = "createOrUpdateLead", "pushing a lead", Write;
    CreateLead = "createLead", "creating a lead", Write;
    GetLead = "getLead", "reading a lead", Read;
    UpdateLead = "updateLead", "updating a lead", Write;
    SearchLeads = "searchLeads", "searching leads", Read;
    CreateActions = "createActions", "creating actions", Write;
    GetAction = "getAction", "reading an action", Read;
    UpdateAction = "updateAction", "updating an action", Write;
    SearchActions = "searchActions", "searching a timeline", Read;
    ListTeamMembers = "listTeamMembers", "listing team members", Read;
    CreateTeamMember = "createTeamMember", "creating a team member", Write;
    GetTeamMember = "getTeamMember", "reading a team member", Read;
    SetTeamMemberState = "setTeamMemberState", "setting a team member's availability", Write;
    GetMetadata = "getMetadata", "reading the workspace", Read;
    ListCustomFields = "listCustomFields", "listing fields", Read;
    GetCustomField = "getCustomField", "reading a field", Read;
    ListCustomActions = "listCustomActions", "listing custom actions", Read;
    GetCustomAction = "getCustomAction", "reading a custom action", Read;
    GetLeadStagePipeline = "getLeadStagePipeline", "reading the pipeline", Read;
}

/// The operation ID.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
