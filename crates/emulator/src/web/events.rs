//! Sends new and changed calls to the open pages, as server-sent events.

use super::calls::{PAGE_SIZE, Row};
use super::filter::Filter;
use super::outcome;
use crate::app::App;
use crate::clock;
use crate::http::Params;
use crate::log::Changes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;

/// How long changes are collected after an event, to send fewer and larger ones.
const PAUSE: Duration = Duration::from_millis(150);

struct Listener {
    app: App,
    filter: Filter,
    /// The revision of the log that the page has.
    revision: u64,
    latest: watch::Receiver<Option<u64>>,
}

/// `GET /_emulator/events`: the rows that changed after the event `since`, or after `Last-Event-ID`
/// if the browser reconnects. Sends each change once, and `reset` if the page must reload the list.
pub(crate) async fn stream(
    State(app): State<App>,
    headers: HeaderMap,
    params: Params,
) -> impl IntoResponse {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let since = last.or(params.get("since")).unwrap_or_default();
    let (began, revision) = since.split_once('-').unwrap_or_default();
    // Revisions of an earlier process mean nothing here.
    let is_same_log = began == app.log.began().to_string();
    let listener = Listener {
        latest: app.log.subscribe(),
        filter: Filter::new(&params),
        revision: revision.parse().unwrap_or_default(),
        app,
    };
    let start = (listener, !is_same_log);
    let events = stream::unfold(start, |(mut listener, must_reset)| async move {
        let event = if must_reset { listener.reset() } else { listener.next().await? };
        Some((Ok::<_, Infallible>(event), (listener, false)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl Listener {
    /// Waits for the next event. Returns None when the emulator shuts down.
    async fn next(&mut self) -> Option<Event> {
        loop {
            (*self.latest.borrow_and_update())?;
            let enterprise = &self.app.config.enterprise;
            let changes: Changes<Row> = self.app.log.changes(self.revision, |call| {
                self.filter.matches(call).then(|| Row::new(call, enterprise))
            });
            self.revision = changes.revision;
            if changes.cleared {
                return Some(self.event("reset", "{}"));
            }
            if !changes.items.is_empty() {
                let event = self.calls(&changes.items);
                clock::wait_until(clock::after(PAUSE)).await;
                return Some(event);
            }
            self.latest.changed().await.ok()?;
        }
    }

    fn reset(&mut self) -> Event {
        self.revision = self.app.log.revision();
        self.event("reset", "{}")
    }

    /// The newest of the rows, at most as many as the list shows.
    fn calls(&self, rows: &[Row]) -> Event {
        let newest = rows[rows.len().saturating_sub(PAGE_SIZE)..].iter().map(|row| {
            let losses = outcome::losses(&row.entry);
            json!({ "seq": row.entry.seq, "losses": losses, "html": row.markup().into_string() })
        });
        self.event("calls", &json!(newest.collect::<Vec<_>>()).to_string())
    }

    fn event(&self, name: &str, data: &str) -> Event {
        let id = format!("{}-{}", self.app.log.began(), self.revision);
        Event::default().event(name).id(id).data(data)
    }
}
