//! What the server says in an error response.

use bytes::Bytes;

telecrm_core::open_enum! {
    /// The server's code for what went wrong.
    pub enum ErrorCode {
        BadRequest = "BAD_REQUEST",
        ValidationError = "VALIDATION_ERROR",
        InvalidLead = "INVALID_LEAD",
        NotAuthorized = "NOT_AUTHORIZED",
        BuyLicense = "BUY_LICENSE",
        LeadNotFound = "LEAD_NOT_FOUND",
        ActionNotFound = "ACTION_NOT_FOUND",
        TeamMemberNotFound = "TEAM_MEMBER_NOT_FOUND",
        EnterpriseNotFound = "ENTERPRISE_NOT_FOUND",
        NotFound = "NOT_FOUND",
        LeadAlreadyExists = "LEAD_ALREADY_EXISTS",
        TooManyRequests = "TOO_MANY_REQUESTS",
        EnterpriseLicenseExpired = "ENTERPRISE_LICENSE_EXPIRED",
        InvalidToken = "INVALID_TOKEN",
        Unauthorized = "UNAUTHORIZED",
    }
}

/// What the server says about one field of an invalid request.
///
/// ```
/// use telecrm::{ErrorCode, ErrorDetail, Operation};
/// use telecrm::testing::Response;
///
/// let body = r#"{ "error": { "code": "VALIDATION_ERROR", "message": "Validation failed",
///     "details": [{ "field": "fields.email", "message": "must be an address" }] } }"#;
/// let error = Response::text(400, "application/json", body).into_error(Operation::CreateLead);
/// assert_eq!(error.code(), Some(&ErrorCode::ValidationError));
/// assert_eq!(error.message(), Some("Validation failed"));
/// let detail: &ErrorDetail = &error.details()[0];
/// assert_eq!(detail.field, "fields.email");
/// // The whole body, for a person to read. It may hold personal data.
/// assert_eq!(error.body(), body.as_bytes());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The name of the field.
    pub field: String,
    /// What is wrong with the field.
    pub message: String,
}

/// The body of a response that became an error. Its texts are redacted, the bytes are not.
#[derive(Clone, Default)]
pub(crate) struct ErrorBody {
    pub(crate) code: Option<ErrorCode>,
    pub(crate) message: Option<String>,
    pub(crate) details: Vec<ErrorDetail>,
    /// Whether the body is a web page or other text instead of JSON (TR1).
    pub(crate) is_not_json: bool,
    pub(crate) bytes: Bytes,
}

/// How many bytes of a body, and how many characters of a message, an error keeps.
pub(crate) const KEPT: usize = 64 << 10;

/// How many details an error keeps.
pub(crate) const MOST_DETAILS: usize = 100;

impl ErrorBody {
    /// The same, cut to what an error keeps.
    pub(super) fn cut(mut self) -> Self {
        let messages = self.details.iter_mut().map(|detail| &mut detail.message);
        for message in self.message.iter_mut().chain(messages) {
            if let Some((end, _)) = message.char_indices().nth(KEPT) {
                message.truncate(end);
            }
        }
        if self.bytes.len() > KEPT {
            // A slice would keep the whole body in memory.
            self.bytes = Bytes::copy_from_slice(&self.bytes[..KEPT]);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_keep_a_large_body_in_memory() {
        let bytes = Bytes::from(vec![b'x'; 2 * KEPT]);
        let body = ErrorBody { bytes: bytes.clone(), ..ErrorBody::default() };
        let body = body.cut();
        assert_eq!(body.bytes.len(), KEPT);
        assert!(bytes.is_unique(), "the error shares the whole body");
    }

    #[test]
    fn an_error_cuts_long_messages_between_characters() {
        let body = ErrorBody {
            message: Some("ü".repeat(2 * KEPT)),
            details: vec![ErrorDetail { field: "f".to_owned(), message: "ü".repeat(2 * KEPT) }],
            ..ErrorBody::default()
        };
        let body = body.cut();
        assert_eq!(body.message.expect("a message").chars().count(), KEPT);
        assert_eq!(body.details[0].message.chars().count(), KEPT);
    }
}
