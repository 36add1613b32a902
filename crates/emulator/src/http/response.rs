//! Errors in the envelope that both APIs use.

use crate::log::{Effect, Refusal};
use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::http::StatusCode;
use axum::http::response::Parts;
use axum::response::{Extension, IntoResponse, Response};
use serde_json::{Value, json};
use std::fmt;
use telecrm_core::Finding;

/// The code for an unknown lead.
pub(crate) const LEAD_NOT_FOUND: &str = "LEAD_NOT_FOUND";

/// An error answer.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Vec<Value>,
    findings: Vec<Finding>,
    refusal: Option<Box<Refusal>>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl fmt::Display) -> Self {
        Self {
            status,
            code,
            // The alternate form of an error includes its hint. telecrm's messages have one line.
            message: format!("{message:#}").replace("\n  hint: ", "; hint: "),
            details: Vec::new(),
            findings: Vec::new(),
            refusal: None,
        }
    }

    pub(crate) fn bad_request(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// A value does not fit its field.
    pub(crate) fn validation(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    /// The documentation has neither a code nor a message for this.
    pub(crate) fn too_many(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// A 404 without a code of its own.
    pub(crate) fn missing(message: impl fmt::Display) -> Self {
        Self::not_found("NOT_FOUND", message)
    }

    pub(crate) fn lead_not_found(id: &str) -> Self {
        Self::not_found(LEAD_NOT_FOUND, format_args!("Lead with ID {id} was not found."))
    }

    pub(crate) fn not_authorized(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "NOT_AUTHORIZED", message)
    }

    /// Describes the errors of single fields: `{"field","message"}`.
    pub(crate) fn details(mut self, details: Vec<Value>) -> Self {
        self.details = details;
        self
    }

    /// Adds findings for the log.
    pub(crate) fn because(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }

    /// Explains the refusal in the log, for a caller to whom telecrm's message does not say enough.
    pub(crate) fn refused(mut self, (cause, message): (&str, impl Into<String>)) -> Self {
        self.refusal = Some(Box::new(Refusal::new(cause, message)));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (code, details) = (self.code, &self.details);
        let refused = self.refusal.map(|refusal| *refusal).unwrap_or_else(|| {
            let reasons = details.iter().filter_map(|detail| detail["message"].as_str());
            let message =
                [&*self.message].into_iter().chain(reasons).collect::<Vec<_>>().join("; ");
            Refusal::new(code.to_lowercase(), message)
        });
        let effect =
            Effect { findings: self.findings, refused: Some(refused), ..Effect::default() };
        let mut envelope = json!({ "error": { "code": self.code, "message": self.message } });
        if !self.details.is_empty() {
            envelope["error"]["details"] = self.details.into();
        }
        (self.status, Extension(effect), Json(envelope)).into_response()
    }
}

/// Splits an answer into its head and its whole body.
pub(crate) async fn split(response: Response) -> (Parts, Bytes) {
    let (parts, body) = response.into_parts();
    (parts, to_bytes(body, usize::MAX).await.unwrap_or_default())
}
