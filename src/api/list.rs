//! Which list a stream reads, so that a cursor can name it.

use super::filter::{ActionFilter, Filter};
use crate::handle::Handle;
use crate::pagination::cursor::{Cursor, ListId};
use crate::{Error, Operation};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) enum List {
    Leads(Filter),
    Actions { lead_id: String, filter: ActionFilter },
    TeamMembers { with_deleted: bool },
}

impl List {
    pub(super) fn id(&self, handle: &Handle) -> ListId {
        let enterprise = handle.enterprise().to_owned();
        ListId { enterprise, list: serde_json::to_string(self).unwrap_or_default() }
    }

    /// The list that a cursor belongs to.
    pub(super) fn of(
        cursor: &Cursor,
        handle: &Handle,
        operation: Operation,
    ) -> Result<Self, Error> {
        let id = cursor.id();
        if id.enterprise != handle.enterprise() {
            let error = Error::invalid(operation, "the cursor belongs to another enterprise");
            return Err(error.with_hint("keep one cursor for each enterprise"));
        }
        serde_json::from_str(&id.list).map_err(|_| wrong_list(operation))
    }
}

/// The error for a cursor of another kind of list.
pub(super) fn wrong_list(operation: Operation) -> Error {
    Error::invalid(operation, "the cursor belongs to another list").with_hint(
        "use it where it came from: leads, the actions of the same lead, or team members",
    )
}
