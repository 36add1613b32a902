//! `/openapi/sync.yaml` and `/openapi/async.yaml`: the descriptions of both APIs.

use crate::http::{ApiError, Params};
use axum::http::header;
use axum::response::IntoResponse;

const SYNC: Description = Description {
    overlaid: include_str!("../../openapi/sync.yaml"),
    vendored: include_str!("../../openapi/sync.vendored.yaml"),
};

const ASYNC: Description = Description {
    overlaid: include_str!("../../openapi/async.yaml"),
    vendored: include_str!("../../openapi/async.vendored.yaml"),
};

/// The OpenAPI description of one API, with and without our corrections.
struct Description {
    overlaid: &'static str,
    vendored: &'static str,
}

pub(super) async fn sync(params: Params) -> Result<impl IntoResponse, ApiError> {
    SYNC.answer(&params)
}

pub(super) async fn async_(params: Params) -> Result<impl IntoResponse, ApiError> {
    ASYNC.answer(&params)
}

impl Description {
    fn answer(&self, params: &Params) -> Result<impl IntoResponse + use<>, ApiError> {
        let text = match params.get("stage") {
            None | Some("overlaid") => self.overlaid,
            Some("vendored") => self.vendored,
            Some(_) => {
                return Err(ApiError::bad_request("stage should be overlaid or vendored"));
            }
        };
        Ok(([(header::CONTENT_TYPE, "application/yaml")], text))
    }
}
