//! What an answer means for the lead, for the token, and for the workspace.

use crate::sender::Answer;
use std::time::Duration;

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The lead is accepted.
    Accepted,
    /// The lead cannot be stored. Sending it again would not help.
    Dead(String),
    /// To be repeated after a backoff. Counts as an attempt of the lead.
    Retry,
    /// Perhaps stored. To be repeated, unless that could append actions twice.
    Maybe,
    /// The fault is not the lead's. No attempt is counted.
    Blocked(Blocked),
}

/// Why nothing can be sent at present, whatever the lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// telecrm cannot be reached.
    Connection,
    /// The token is refused.
    Token,
    /// The token has reached its limit. The server can say how long to wait.
    RateLimit(Option<Duration>),
    /// The enterprise is unknown, its licence has ended, or access is forbidden.
    Workspace(String),
}

/// What an answer means, by its status and its code.
pub fn classify(answer: &Answer) -> Verdict {
    match answer {
        Answer::Accepted => Verdict::Accepted,
        Answer::ErrorBody(reason) => Verdict::Dead(format!("refused: {reason}")),
        Answer::Unreadable | Answer::NoAnswer => Verdict::Maybe,
        Answer::NotSent => Verdict::Blocked(Blocked::Connection),
        Answer::Refused { status, code, retry_after } => refused(*status, code, *retry_after),
    }
}

fn refused(status: u16, code: &Option<String>, retry_after: Option<Duration>) -> Verdict {
    let code = code.as_deref().unwrap_or_default();
    let text = format!("{status} {code}").trim_end().to_owned();
    match (status, code) {
        (_, "ENTERPRISE_LICENSE_EXPIRED" | "BUY_LICENSE") | (402..=404, _) => {
            Verdict::Blocked(Blocked::Workspace(text))
        }
        (401, _) => Verdict::Blocked(Blocked::Token),
        (429, _) => Verdict::Blocked(Blocked::RateLimit(retry_after)),
        (400 | 413 | 422, _) => Verdict::Dead(format!("refused: {text}")),
        _ => Verdict::Retry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Verdict {
        classify(&Answer::Refused { status, code: None, retry_after: None })
    }

    #[test]
    fn a_refused_lead_is_dead_with_the_reason() {
        for refused in [400, 413, 422] {
            assert_eq!(status(refused), Verdict::Dead(format!("refused: {refused}")));
        }
        let error = Answer::ErrorBody("INVALID_LEAD".to_owned());
        assert_eq!(classify(&error), Verdict::Dead("refused: INVALID_LEAD".to_owned()));
    }

    #[test]
    fn faults_that_are_not_the_leads_hold_the_workspace() {
        for code in [402, 403, 404] {
            assert_eq!(status(code), Verdict::Blocked(Blocked::Workspace(code.to_string())));
        }
        assert_eq!(status(401), Verdict::Blocked(Blocked::Token));
        assert_eq!(status(429), Verdict::Blocked(Blocked::RateLimit(None)));
        let licence = Answer::Refused {
            status: 400,
            code: Some("ENTERPRISE_LICENSE_EXPIRED".to_owned()),
            retry_after: None,
        };
        assert!(matches!(classify(&licence), Verdict::Blocked(Blocked::Workspace(_))));
        assert_eq!(classify(&Answer::NotSent), Verdict::Blocked(Blocked::Connection));
    }

    #[test]
    fn a_lost_answer_and_a_web_page_are_maybe_sent() {
        assert_eq!(classify(&Answer::NoAnswer), Verdict::Maybe);
        assert_eq!(classify(&Answer::Unreadable), Verdict::Maybe);
    }

    #[test]
    fn a_server_fault_is_tried_again() {
        for code in [408, 500, 502, 503, 504] {
            assert_eq!(status(code), Verdict::Retry, "{code}");
        }
    }
}
