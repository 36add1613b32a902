//! A Sync API whose search treats lists of values in its own way.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use telecrm::WorkspaceFile;

/// How a search for a list of phone numbers is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    /// As documented: a list means OR.
    Supported,
    /// 500 if the list has more values than this.
    ErrorBeyond(usize),
    /// Values after this many are ignored.
    IgnoredBeyond(usize),
    /// Only the first value counts.
    OnlyTheFirst,
    /// Matches nothing.
    MatchNothing,
    /// The rows lack the phone number.
    WithoutIdentifier,
    /// Returns each lead twice.
    Twins,
    /// The first answers, as many as this, break off.
    CutAtFirst(usize),
}

#[derive(Clone)]
pub(crate) struct ListServer {
    lists: Lists,
    /// The phone numbers of the leads that exist.
    phones: Arc<Vec<String>>,
    /// The number of values in each search.
    searches: Arc<Mutex<Vec<usize>>>,
    pub(crate) url: String,
}

impl ListServer {
    pub(crate) async fn start(lists: Lists, phones: Vec<String>) -> Self {
        let (listener, url) = super::socket::listen().await;
        let server = Self { lists, phones: Arc::new(phones), searches: Arc::default(), url };
        let file = WorkspaceFile::sample().to_json();
        let part = |key: &str| {
            let part = Json(file[key].clone());
            get(|| async { part })
        };
        let enterprise = "/enterprise/{enterprise}";
        let app = Router::new()
            .route(&format!("{enterprise}/metadata"), part("metadata"))
            .route(&format!("{enterprise}/custom-fields"), part("customFields"))
            .route(&format!("{enterprise}/custom-actions"), part("customActions"))
            .route(&format!("{enterprise}/lead-stage-pipeline"), part("leadStagePipeline"))
            .route(&format!("{enterprise}/lead/search"), post(search))
            .route("/enterprise/{enterprise}/autoupdatelead", post(queue))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    /// The number of values in each search so far.
    pub(crate) fn searches(&self) -> Vec<usize> {
        self.searches.lock().expect("not poisoned").clone()
    }
}

async fn queue(Path(_): Path<String>) -> Json<Value> {
    Json(json!({ "status": "QUEUED" }))
}

async fn search(
    State(server): State<ListServer>,
    Query(page): Query<HashMap<String, usize>>,
    Json(body): Json<Value>,
) -> Response {
    let values = match &body["fields"]["phone"] {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let count = {
        let mut searches = server.searches.lock().expect("not poisoned");
        searches.push(values.len());
        searches.len()
    };
    let heeded = match server.lists {
        Lists::ErrorBeyond(most) if values.len() > most => {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        Lists::CutAtFirst(most) if count <= most => {
            let part = Ok("{\"data\"");
            let parts = futures_util::stream::iter([part, Err(std::io::ErrorKind::BrokenPipe)]);
            return Body::from_stream(parts.map_err(std::io::Error::from)).into_response();
        }
        Lists::IgnoredBeyond(most) => most,
        Lists::OnlyTheFirst => 1,
        Lists::MatchNothing if values.len() > 3 => 0,
        _ => values.len(),
    };
    let digits =
        |value: &Value| value.as_str().unwrap_or_default().trim_start_matches('+').to_owned();
    let wanted: Vec<_> = values.iter().take(heeded).map(digits).collect();
    let twins = if server.lists == Lists::Twins { 2 } else { 1 };
    let found = server.phones.iter().filter(|phone| wanted.contains(phone));
    let rows: Vec<_> = found
        .flat_map(|phone| std::iter::repeat_n(phone, twins))
        .enumerate()
        .map(|(index, phone)| match server.lists {
            Lists::WithoutIdentifier => json!({ "id": format!("l{phone}"), "fields": {} }),
            _ => json!({ "id": format!("l{phone}-{index}"), "fields": { "phone": phone } }),
        })
        .collect();
    let (skip, limit) = (page["skip"], page["limit"]);
    let data: Vec<_> = rows.iter().skip(skip).take(limit).collect();
    let answer = json!({ "data": data, "total_count": rows.len(), "skip": skip, "limit": limit });
    Json(answer).into_response()
}
