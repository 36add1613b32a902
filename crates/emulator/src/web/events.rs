//! What is new in the list of calls, as it happens.

use super::calls::{PAGE, Row};
use super::filter::Filter;
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

/// How long changes are gathered before they are told together.
const PAUSE: Duration = Duration::from_millis(150);

struct Listener {
    app: App,
    filter: Filter,
    revision: u64,
    latest: watch::Receiver<Option<u64>>,
}

/// `GET /_emulator/events`: rows that are new or have changed since `since`, or since the event that a browser got
/// last before its connection broke. Each change is told once. `reset` says that the list begins anew.
pub(crate) async fn stream(
    State(app): State<App>,
    headers: HeaderMap,
    params: Params,
) -> impl IntoResponse {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let since = last.or(params.get("since")).unwrap_or_default();
    let (began, revision) = since.split_once('-').unwrap_or_default();
    let is_ours = began == app.log.began().to_string();
    let listener = Listener {
        latest: app.log.subscribe(),
        filter: Filter::new(&params),
        revision: revision.parse().unwrap_or_default(),
        app,
    };
    let events = stream::unfold((listener, is_ours), |(mut listener, is_ours)| async move {
        let event = match is_ours {
            true => listener.next().await?,
            false => listener.begin_anew(),
        };
        Some((Ok::<_, Infallible>(event), (listener, true)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            (*self.latest.borrow_and_update())?;
            let changes = self.changes();
            self.revision = changes.revision;
            if changes.cleared {
                return Some(self.event("reset", "{}".to_owned()));
            }
            if !changes.items.is_empty() {
                let told = self.tell(&changes.items);
                clock::wait_until(clock::after(PAUSE)).await;
                return Some(told);
            }
            self.latest.changed().await.ok()?;
        }
    }

    fn begin_anew(&mut self) -> Event {
        self.revision = self.app.log.revision();
        self.event("reset", "{}".to_owned())
    }

    fn changes(&self) -> Changes<Row> {
        let read = |call: &_| {
            self.filter
                .fits(call)
                .then(|| Row::new(call, &self.app.config.enterprise))
        };
        self.app.log.changes(self.revision, read)
    }

    /// The newest of the rows, as many as the list holds.
    fn tell(&self, rows: &[Row]) -> Event {
        let newest = rows.iter().skip(rows.len().saturating_sub(PAGE));
        let shown: Vec<_> = newest
            .map(|row| json!({ "seq": row.seq, "losses": row.losses, "html": row.markup().into_string() }))
            .collect();
        self.event("calls", json!(shown).to_string())
    }

    fn event(&self, name: &str, data: String) -> Event {
        let id = format!("{}-{}", self.app.log.began(), self.revision);
        Event::default().event(name).id(id).data(data)
    }
}
