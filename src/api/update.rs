//! What updates of leads and of actions have in common.

use crate::Error;
use crate::transport::{Response, Unbuilt};
use telecrm_core::Finding;

/// Refuses the ID `search`: the same path with that ID is the search operation.
pub(crate) fn check_id(id: &str) -> Result<(), Unbuilt> {
    if id == "search" {
        let reason = "`search` is not an ID: the path names the search operation";
        return Err(Unbuilt::because(reason));
    }
    Ok(())
}

/// Refuses a response that shows another ID than the request names.
pub(crate) fn check_answer(
    response: &Response,
    shown: Option<&str>,
    requested: &str,
) -> Result<(), Error> {
    match shown {
        Some(shown) if !shown.eq_ignore_ascii_case(requested) => {
            let error = response.malformed("the response shows another ID than the request names");
            Err(error.with_hint("if this was a write, look whether another entry was changed"))
        }
        _ => Ok(()),
    }
}

/// Turns predicted losses into findings about values that the response to an update does not show.
pub(crate) fn not_shown(mut losses: Vec<Finding>) -> Vec<Finding> {
    for loss in &mut losses {
        loss.reason = "sent, but the response does not show it".to_owned();
        loss.pitfall = Some("LE8".to_owned());
    }
    losses
}
