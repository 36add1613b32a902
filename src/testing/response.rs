//! Responses for a script, and the errors that they cause.

use crate::clock::SystemClock;
use crate::error::{Error, ErrorCode, Kind, Progress};
use crate::operation::{Idempotency, Operation};
use crate::transport::backend::Reply;
use crate::transport::{envelope, headers};
use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;

/// A response of a [`FakeTelecrm`](super::FakeTelecrm), or a failure of the network.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::testing::{FakeTelecrm, Response};
/// use telecrm::{ErrorCode, Filter, Lead, Operation, PageRequest};
///
/// let fake = FakeTelecrm::new()
///     .on(Operation::CreateOrUpdateLead, Response::queued())
///     .on(Operation::CreateLead, Response::created_in_part("62ab16e", [("rating", "is too high")]))
///     .on(Operation::CreateLead, Response::error(409, ErrorCode::LeadAlreadyExists, "exists"))
///     .on(Operation::SearchLeads, Response::page([serde_json::json!({ "id": "62ab16e" })]));
/// let telecrm = fake.client();
///
/// let lead = Lead::new().set("phone", "919999999999").set("rating", 9);
/// let _receipt = telecrm.ingest().push(&lead).await?;
/// let outcome = telecrm.leads().create(&lead).await?;
/// assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
/// assert!(telecrm.leads().create(&lead).await.unwrap_err().is_already_exists());
/// let found = telecrm.leads().search(&Filter::new(), PageRequest::default()).await?;
/// assert_eq!(found.data[0].id(), Some("62ab16e"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Response {
    /// Why no response arrives.
    failure: Option<Kind>,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// Whether the body lists as many actions as the request has.
    lists_actions: bool,
}

impl Response {
    /// Status 200 with this body: a JSON value, a [`LeadRecord`](crate::LeadRecord), a
    /// [`Page`](crate::response::Page) or anything else that serialises.
    ///
    /// # Panics
    /// Panics if the body cannot be written as JSON.
    pub fn json(body: impl Serialize) -> Self {
        Self::json_with(200, &body)
    }

    /// Status 200 with a page of a list or search that holds these rows and is the last one. A
    /// stream requests another page after a full one (100 leads or entries, 10 members): script a
    /// page without rows for it.
    ///
    /// # Panics
    /// Panics if a row cannot be written as JSON.
    pub fn page<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Self {
        let rows: Vec<T> = rows.into_iter().collect();
        let (count, limit) = (rows.len(), rows.len().max(10));
        Self::json(json!({ "data": rows, "total_count": count, "skip": 0, "limit": limit }))
    }

    /// Status 201: a lead or its actions were created, and nothing was ignored. The actions of the
    /// request get the IDs `a0`, `a1` and so on.
    pub fn created(lead_id: &str) -> Self {
        Self::created_in_part(lead_id, [])
    }

    /// Status 201: a lead was created without these fields. Each field comes with a remark.
    pub fn created_in_part<'a>(
        lead_id: &str,
        ignored: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let remarks = ignored.into_iter().map(|(field, remark)| {
            json!({ "field": format!("fields.{field}"), "status": "IGNORED", "remark": remark })
        });
        let remarks: Vec<_> = remarks.collect();
        let body = json!({ "lead_id": lead_id, "actions": [], "remarks": remarks });
        Self { lists_actions: true, ..Self::json_with(201, &body) }
    }

    /// Status 200: a push was queued.
    pub fn queued() -> Self {
        Self::json(json!({ "status": "QUEUED" }))
    }

    /// An error in telecrm's envelope.
    ///
    /// # Panics
    /// Panics if the status is not between 100 and 999.
    pub fn error(status: u16, code: ErrorCode, message: &str) -> Self {
        let body = json!({ "error": { "code": code, "message": message } });
        Self::json_with(status, &body)
    }

    /// Status 429, with the seconds to wait if there are any (pitfall AS9).
    pub fn rate_limited(retry_after: Option<u64>) -> Self {
        let mut response = Self::error(429, ErrorCode::TooManyRequests, "too many requests");
        if let Some(seconds) = retry_after {
            response.headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    /// A web page, as proxies and wrong base URLs return it (pitfall TR1).
    ///
    /// # Panics
    /// Panics if the status is not between 100 and 999.
    pub fn html(status: u16) -> Self {
        let page = "<!doctype html><title>Not JSON</title>";
        Self::text(status, "text/html", page)
    }

    /// Any body with any status.
    ///
    /// # Panics
    /// Panics if the status is not between 100 and 999, or if a header cannot hold the content
    /// type.
    pub fn text(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let content_type = HeaderValue::from_str(content_type).expect("a content type");
        Self {
            failure: None,
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: body.into().into(),
            lists_actions: false,
        }
    }

    /// The server refuses the connection. The request is not sent.
    pub fn connection_refused() -> Self {
        Self::failure(Kind::Connect)
    }

    /// No response arrives in time. The server may have acted.
    pub fn timeout() -> Self {
        Self::failure(Kind::Timeout)
    }

    /// The connection breaks before a response arrives. The server may have acted.
    pub fn connection_reset() -> Self {
        Self::failure(Kind::Interrupted)
    }

    /// The error of a call that ends with this response. For a success it is the error of a
    /// response that cannot be read.
    ///
    /// ```
    /// use telecrm::Operation;
    /// use telecrm::testing::Response;
    ///
    /// let lost = Response::connection_reset().into_error(Operation::CreateActions);
    /// assert!(lost.is_outcome_unknown());
    /// let late = Response::timeout().into_error(Operation::CreateActions);
    /// assert!(late.is_outcome_unknown() && late.is_timeout());
    /// let refused = Response::connection_refused().into_error(Operation::CreateActions);
    /// assert!(refused.is_connect() && !refused.is_outcome_unknown());
    /// ```
    pub fn into_error(self, operation: Operation) -> Error {
        let mut progress = Progress::new(operation.idempotency() != Idempotency::Safe);
        progress.retry_after = headers::retry_after(&self.headers, &SystemClock);
        let is_success = self.status.is_success() && !envelope::reports_error(&self.body);
        let error = if let Some(failure) = self.failure {
            Error::new(failure)
        } else if is_success {
            let reason = "the response is not what the operation returns";
            Error::unreadable(self.status, envelope::unread(self.body), reason)
        } else {
            Error::error_response(self.status, envelope::read(self.body, str::to_owned))
        };
        error.during(Some(operation), &progress)
    }

    fn json_with(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("the body can be written as JSON");
        Self::text(status, "application/json", body)
    }

    fn failure(kind: Kind) -> Self {
        Self { failure: Some(kind), ..Self::text(408, "text/plain", "") }
    }

    /// What the transport receives for a request with this body.
    pub(super) fn into_reply(self, request: Option<&Value>) -> Result<Reply, Error> {
        if let Some(failure) = self.failure {
            return Err(Error::new(failure));
        }
        let body = match request.and_then(|request| request["actions"].as_array()) {
            Some(actions) if self.lists_actions => with_actions(&self.body, actions.len()),
            _ => self.body,
        };
        Ok(Reply { status: self.status, headers: self.headers, body, broken: None })
    }
}

fn with_actions(body: &[u8], count: usize) -> Bytes {
    let mut body: Value = serde_json::from_slice(body).expect("the body is JSON");
    let created = |index| json!({ "action_id": format!("a{index}"), "status": "CREATED" });
    body["actions"] = (0..count).map(created).collect();
    body.to_string().into()
}

/// Shows status or failure, not the body.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("Response");
        match &self.failure {
            Some(failure) => tuple.field(failure).finish(),
            None => tuple.field(&self.status).finish(),
        }
    }
}
