//! The team members of a workspace.

use serde_json::{Map, Value};
use telecrm_core::WorkspaceFile;

/// The status of a deleted member, whom telecrm keeps but hides (pitfall TM3).
const DELETED: &str = "Deleted";

/// A team member as the listing shows it.
pub(crate) type Member = Map<String, Value>;

/// The members and the number of licensed seats.
#[derive(Clone)]
pub(crate) struct Team {
    pub(crate) members: Vec<Member>,
    /// Unlimited if the workspace file names no number.
    seats: Option<u64>,
}

impl Team {
    pub(crate) fn new(answers: &WorkspaceFile) -> Self {
        Self {
            members: answers.team_members.clone(),
            seats: answers.emulator.get("seats").and_then(Value::as_u64),
        }
    }

    /// The member with this address, regardless of case.
    pub(crate) fn find(&self, email: &str, include_deleted: bool) -> Option<&Member> {
        let index = self.position(email, include_deleted)?;
        Some(&self.members[index])
    }

    pub(crate) fn position(&self, email: &str, include_deleted: bool) -> Option<usize> {
        let wanted = email.to_lowercase();
        self.members.iter().position(|member| {
            text(member, "email").to_lowercase() == wanted
                && (include_deleted || !is_deleted(member))
        })
    }

    /// The address of the member who has this ID in the workspace file.
    pub(crate) fn email_of(&self, id: &str) -> Option<&str> {
        let member = self.members.iter().find(|member| text(member, "id") == id);
        member.map(|member| text(member, "email"))
    }

    /// The members by ascending name.
    pub(crate) fn sorted(&self, include_deleted: bool) -> Vec<&Member> {
        let mut members: Vec<_> =
            self.members.iter().filter(|member| include_deleted || !is_deleted(member)).collect();
        members.sort_by_cached_key(|member| text(member, "name").to_lowercase());
        members
    }

    /// Whether a member can be added. Inactive members hold a seat too (pitfall TM2).
    pub(crate) fn has_free_seat(&self) -> bool {
        let taken = self.members.iter().filter(|m| !is_deleted(m)).count();
        self.seats.is_none_or(|seats| (taken as u64) < seats)
    }
}

/// A text of a member, or the empty text.
pub(crate) fn text<'a>(member: &'a Member, key: &str) -> &'a str {
    member.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_deleted(member: &Member) -> bool {
    text(member, "status") == DELETED
}
