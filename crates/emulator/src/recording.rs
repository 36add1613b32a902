//! Runs that are written down, to be run again.
//!
//! A recording is JSON lines: what the emulator began from, then an event per line. An event is a call with its answer, or the
//! processing of a lead in the background. Each has a turn, the place in the order in which they had the store; calls overlap, so
//! lines may stand in another order.

use crate::answer::{ApiError, BODY_LIMIT};
use crate::faults::{Applied, Fault};
use crate::limits::RateLimit;
use crate::log::Logged;
use crate::server::SYNC_BASE;
use crate::{App, clock, lock, new_private_file};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// The form of recordings that is written, and the only one that is read.
const VERSION: u32 = 1;

/// Stands for a password.
const MASK: &str = "********";

/// What an emulator began from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) telecrm_recording: u32,
    pub(crate) enterprise: String,
    /// How many tokens of each type were accepted.
    pub(crate) sync_tokens: usize,
    pub(crate) async_tokens: usize,
    pub(crate) sync_limit: Option<RateLimit>,
    pub(crate) async_limit: Option<RateLimit>,
    pub(crate) random_seed: u64,
    pub(crate) profile: BTreeMap<String, String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) seed: Value,
}

/// One line after the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) turn: u64,
    /// In the workspace, in Unix milliseconds.
    pub(crate) time: i64,
    #[serde(flatten)]
    pub(crate) kind: EventKind,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    Call(Box<RecordedCall>),
    /// The ticket of the lead that was processed.
    Processed(u64),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RecordedCall {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) token: Option<Token>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    pub(crate) body: Text,
    pub(crate) fault: Option<Applied>,
    /// Nothing where there was none, or none that ends.
    pub(crate) answer: Option<RecordedAnswer>,
}

/// Which token a call carried. What it says is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Token {
    /// By its place among those that are accepted.
    Sync(usize),
    Async(usize),
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedAnswer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Text,
}

/// A body: a text, or its bytes where it is none, or why it is not recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Text {
    Utf8(String),
    Bytes(Vec<u8>),
    LeftOut { left_out: String },
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Utf8(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_owned()),
        }
    }
}

impl From<Text> for Body {
    fn from(text: Text) -> Self {
        match text {
            Text::Utf8(text) => text.into(),
            Text::Bytes(bytes) => bytes.into(),
            Text::LeftOut { .. } => Self::empty(),
        }
    }
}

impl RecordedAnswer {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        // The length follows from the body, and is set later.
        let told = headers
            .iter()
            .filter(|(name, _)| *name != header::CONTENT_LENGTH);
        let headers = told.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        });
        Self {
            status: status.as_u16(),
            headers: headers.collect(),
            body: body.into(),
        }
    }
}

/// Writes a recording.
pub(crate) struct Recorder {
    path: PathBuf,
    tape: Mutex<Tape>,
}

struct Tape {
    file: Box<dyn Write + Send>,
    /// What there was no room for. It comes first once there is, so that no line is lost, and none stays by half.
    unwritten: Vec<u8>,
}

impl Tape {
    fn catch_up(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            match self.file.write(&self.unwritten) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.unwritten.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Recorder {
    /// Begins a recording in a new file.
    pub(crate) fn begin(path: &Path, header: &Header) -> Result<Self, RecordingError> {
        let file = new_private_file(path).map_err(|error| {
            let help = match error.kind() {
                io::ErrorKind::AlreadyExists => "choose another name, or remove it",
                _ => "check its folder and the permissions",
            };
            RecordingError(format!(
                "the recording {} cannot be made: {error}; {help}",
                path.display()
            ))
        })?;
        let recorder = Self {
            path: path.to_owned(),
            tape: Mutex::new(Tape {
                file: Box::new(file),
                unwritten: Vec::new(),
            }),
        };
        recorder.write(header).inspect_err(|_| {
            // A beginning of a beginning is of no use, and would only be in the way.
            let _ = std::fs::remove_file(path);
        })?;
        Ok(recorder)
    }

    pub(crate) fn processed(&self, ticket: u64, turn: u64, time: i64) {
        let kind = EventKind::Processed(ticket);
        // The next call is refused as long as this is not written.
        let _ = self.write(&Event { turn, time, kind });
    }

    /// A line in one piece, so that a process that is killed leaves none by half.
    fn write(&self, line: &impl Serialize) -> Result<(), RecordingError> {
        let line = serde_json::to_string(line).map_err(|error| self.failed(error.into()))?;
        let mut tape = lock(&self.tape);
        tape.unwritten.extend_from_slice((line + "\n").as_bytes());
        tape.catch_up().map_err(|error| self.failed(error))
    }

    /// Writes what there was no room for.
    pub(crate) fn catch_up(&self) -> Result<(), RecordingError> {
        let caught_up = lock(&self.tape).catch_up();
        caught_up.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> RecordingError {
        RecordingError(format!(
            "the recording {} cannot be written: {error}; make room on the disk",
            self.path.display()
        ))
    }
}

/// Goes along with a request that is not to be carried out, because the recording lacks what was before it.
#[derive(Clone)]
pub(crate) struct Unrecorded(RecordingError);

impl From<Unrecorded> for ApiError {
    fn from(Unrecorded(failure): Unrecorded) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "RECORDING_NOT_KEPT",
            failure,
        )
    }
}

tokio::task_local! {
    /// The call that this task answers, if it is recorded.
    static CALL: Arc<Pending>;
}

/// What is learnt of a call on its way.
#[derive(Default)]
struct Trace {
    /// When it had the store: its turn, and the time.
    held: Option<(u64, i64)>,
    fault: Option<Applied>,
}

/// Notes that the call of this task has the store.
pub(crate) fn note_turn(turn: u64, time: i64) {
    // An error means that nobody records.
    let _ = CALL.try_with(|call| lock(&call.trace).held = Some((turn, time)));
}

/// Notes what goes wrong with the call of this task.
pub(crate) fn note_fault(fault: &Applied) {
    let _ = CALL.try_with(|call| lock(&call.trace).fault = Some(fault.clone()));
}

/// Does something as a part of this task's call, and to its end even if nobody waits for that any more.
pub(crate) fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    match CALL.try_with(Arc::clone) {
        Ok(call) => tokio::spawn(CALL.scope(call, work)),
        Err(_) => tokio::spawn(work),
    }
}

/// A call that is being answered. If nobody waits for the answer any more, it is recorded without once it has ended.
struct Pending {
    app: App,
    trace: Mutex<Trace>,
    call: Mutex<Option<RecordedCall>>,
}

impl Pending {
    fn finish(&self, answer: Option<RecordedAnswer>) -> Result<(), RecordingError> {
        let (Some(recorder), Some(mut call)) = (&self.app.recorder, lock(&self.call).take()) else {
            return Ok(());
        };
        let trace = std::mem::take(&mut *lock(&self.trace));
        if answer.is_none() && trace.held.is_none() && trace.fault.is_none() {
            // Nothing came of it.
            return Ok(());
        }
        let now = || (self.app.keeper.take_turn(), self.app.keeper.now());
        let (turn, time) = trace.held.unwrap_or_else(now);
        call.fault = trace.fault;
        call.answer = answer;
        let kind = EventKind::Call(Box::new(call));
        recorder.write(&Event { turn, time, kind })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Nobody is there to be told. The next call is refused as long as this is not written.
        let _ = self.finish(None);
    }
}

/// Writes the call down, if it is one that a recording is made of.
pub(crate) async fn run(
    app: &App,
    recorder: &Recorder,
    mut request: Request,
    next: Next,
) -> Response {
    if !is_recorded(request.method(), request.uri().path()) {
        return next.run(request).await;
    }
    if let Err(failure) = recorder.catch_up() {
        let unrecorded = Unrecorded(failure);
        if is_own(request.uri().path()) {
            return ApiError::from(unrecorded).into_response();
        }
        // It goes on to where calls are logged.
        request.extensions_mut().insert(unrecorded);
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = match clock::within(app.config.patience, to_bytes(body, BODY_LIMIT)).await {
        Some(Ok(body)) => body,
        // What was not read can neither be recorded nor change anything.
        Some(Err(_)) => return ApiError::too_large().into_response(),
        None => return ApiError::too_slow().into_response(),
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let pending = Arc::new(Pending {
        trace: Mutex::default(),
        call: Mutex::new(Some(RecordedCall {
            method: parts.method.to_string(),
            path: path.to_owned(),
            token: token(app, &parts.headers),
            content_type: content_type.map(str::to_owned),
            body: without_password(parts.uri.path(), &body),
            fault: None,
            answer: None,
        })),
        app: app.clone(),
    });
    let request = Request::from_parts(parts, body.into());
    let call = Arc::clone(&pending);
    let response = CALL.scope(call, next.run(request)).await;
    let fault = lock(&pending.trace).fault.clone();
    let (response, recorded) = if fault.is_some_and(|fault| fault.breaks_answer()) {
        let recorded = pending.finish(None);
        (response, recorded)
    } else {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let answer = RecordedAnswer::new(parts.status, &parts.headers, &body);
        let recorded = pending.finish(Some(answer));
        (Response::from_parts(parts, body.into()), recorded)
    };
    let Err(failure) = recorded else {
        return response;
    };
    let refusal = ApiError::from(Unrecorded(failure)).into_response();
    let (parts, body) = refusal.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if let Some(Logged(seq)) = response.extensions().get() {
        app.log.amend(*seq, parts.status, &parts.headers, &body);
    }
    Response::from_parts(parts, body.into())
}

fn is_own(path: &str) -> bool {
    path.starts_with("/_emulator/")
}

/// All calls of the APIs, and what changes the emulator beside them. The time of each call is recorded, so the clock needs no call.
fn is_recorded(method: &Method, path: &str) -> bool {
    match path.strip_prefix("/_emulator/") {
        Some(own) => {
            *method != Method::GET && *method != Method::HEAD && !["settle", "clock"].contains(&own)
        }
        None => {
            let mut bases = [SYNC_BASE, "/enterprise/", "/v2/enterprise/"].into_iter();
            bases.any(|base| path.starts_with(base))
        }
    }
}

fn token(app: &App, headers: &HeaderMap) -> Option<Token> {
    headers.get(header::AUTHORIZATION)?;
    let place = |tokens| crate::server::place(headers, tokens);
    Some(
        match (
            place(&app.config.sync_tokens),
            place(&app.config.async_tokens),
        ) {
            (Some(place), _) => Token::Sync(place),
            (None, Some(place)) => Token::Async(place),
            (None, None) => Token::Unknown,
        },
    )
}

/// Team members are created with passwords, which are nobody's business.
fn without_password(path: &str, body: &Bytes) -> Text {
    if let Some(masked) = mask_password(body) {
        return Text::Utf8(masked);
    }
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    let mentions = |word: &[u8]| {
        let mut parts = body.windows(word.len());
        parts.any(|part| part.eq_ignore_ascii_case(word))
    };
    let may_hold_one = path.ends_with("/team-members") || mentions(b"password");
    match !is_json && may_hold_one && !body.is_empty() {
        true => Text::LeftOut {
            left_out: "it is not JSON, and may hold a password".to_owned(),
        },
        false => body.as_ref().into(),
    }
}

/// The body without its passwords, if it has any.
pub(crate) fn mask_password(body: &[u8]) -> Option<String> {
    let mut json = serde_json::from_slice(body).ok()?;
    (mask(&mut json) > 0).then(|| json.to_string())
}

/// Masks passwords however deep they stand, and says how many there were.
fn mask(json: &mut Value) -> usize {
    match json {
        Value::Object(object) => {
            let mask_entry = |(key, value): (&String, &mut Value)| match key.as_str() {
                "password" => {
                    *value = MASK.into();
                    1
                }
                _ => mask(value),
            };
            object.iter_mut().map(mask_entry).sum()
        }
        Value::Array(items) => items.iter_mut().map(mask).sum(),
        _ => 0,
    }
}

/// A run that was recorded with [`Builder::record`](crate::Builder::record), to be run again with
/// [`Builder::replay`](crate::Builder::replay).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm_emulator::{Emulator, Recording, RecordingError};
///
/// # let file = std::env::temp_dir().join(format!("telecrm-recording-{}.jsonl", std::process::id()));
/// let emulator = Emulator::builder().record(&file).start().await?;
/// reqwest::get(format!("{}/enterprise/ent-local/metadata", emulator.sync_url())).await?;
/// emulator.shutdown().await;
///
/// assert_eq!(Recording::read(&file)?.calls(), 1);
/// # std::fs::remove_file(&file)?;
///
/// let gone: RecordingError = Recording::read(&file).unwrap_err();
/// assert!(gone.to_string().contains("cannot be read"), "{gone}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recording {
    pub(crate) header: Header,
    /// In the order of their turns.
    pub(crate) events: Vec<Event>,
}

/// Without what was sent.
impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// If it is none, or of another version. A last line that was not finished is left out.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let unfit = |reason: &dyn fmt::Display| {
            RecordingError(format!("the recording {} {reason}", path.display()))
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            unfit(&format_args!(
                "cannot be read: {error}; check the name and the permissions"
            ))
        })?;
        let mut lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .enumerate();
        let first: Option<Value> = lines
            .next()
            .and_then(|(_, line)| serde_json::from_str(line).ok());
        let version = first
            .as_ref()
            .and_then(|first| first.get("telecrm_recording")?.as_u64());
        match version {
            None => return Err(unfit(&"is no recording; make one with --record")),
            Some(version) if version != u64::from(VERSION) => {
                return Err(unfit(&format_args!(
                    "is of version {version}, and this emulator reads {VERSION}; use the one that it was made with"
                )));
            }
            Some(_) => {}
        }
        let broken = |line: usize, error: serde_json::Error| {
            unfit(&format_args!("is damaged in line {}: {error}", line + 1))
        };
        let header =
            serde_json::from_value(first.unwrap_or_default()).map_err(|error| broken(0, error))?;
        let events = lines
            .map(|(place, line)| serde_json::from_str(line).map_err(|error| broken(place, error)));
        let mut events: Vec<Event> = events.collect::<Result<_, _>>()?;
        events.sort_by_key(|event| event.turn);
        Ok(Self { header, events })
    }

    /// How many calls it holds.
    pub fn calls(&self) -> usize {
        let calls = self.events.iter();
        calls
            .filter(|event| matches!(event.kind, EventKind::Call(_)))
            .count()
    }
}

impl Header {
    pub(crate) const VERSION: u32 = VERSION;
}

/// A recording that cannot be made or read: a sentence that names the file, the reason and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingError(pub(crate) String);

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RecordingError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Emulator;
    use serde_json::json;

    /// A disk on which there is room for so many bytes.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Disk {
        fn make_room(&self, room: usize) {
            lock(&self.0).1 = room;
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = lock(&self.0);
            let fitting = bytes.len().min(disk.1);
            if fitting == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.0.extend_from_slice(&bytes[..fitting]);
            disk.1 -= fitting;
            Ok(fitting)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_leaves_whole_lines_once_there_is_room() {
        let name = format!("telecrm-recording-full-{}.jsonl", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let emulator = Emulator::builder().record(&path).start().await;
        let emulator = emulator.expect("the emulator starts");
        let begun = std::fs::read(&path).expect("a beginning");
        let disk = Disk(Arc::new(Mutex::new((begun, 10))));
        let recorder = emulator.app.recorder.as_ref().expect("a recorder");
        lock(&recorder.tape).file = Box::new(disk.clone());
        let create = async |phone: &str| {
            let url = format!("{}/enterprise/ent-local/lead", emulator.sync_url());
            let lead = json!({ "fields": { "phone": phone } });
            let request = reqwest::Client::new().post(url).json(&lead);
            let answer = request.bearer_auth(emulator.sync_token()).send().await;
            let answer = answer.expect("an answer");
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.expect("JSON"))
        };
        let leads = || emulator.app.store().newest_first().count();

        // There is room for a part of the first, and it has been carried out when that is found.
        let (status, answer) = create("919999999991").await;
        assert_eq!((status, leads()), (500, 1), "{answer}");
        assert_eq!(answer["error"]["code"], "RECORDING_NOT_KEPT");
        let message = answer["error"]["message"]
            .as_str()
            .expect("a message")
            .to_owned();
        assert!(message.contains("make room on the disk"), "{message}");
        let (status, answer) = create("919999999992").await;
        assert_eq!((status, leads()), (500, 1), "{answer}");
        let reset = format!("{}/_emulator/reset", emulator.url());
        let reset = reqwest::Client::new().post(reset).send().await;
        assert_eq!(reset.expect("an answer").status().as_u16(), 500);
        let told: Vec<_> = emulator.log(0).iter().map(|entry| entry.status).collect();
        assert_eq!(told, [500, 500], "the log tells what was answered");

        let lacking = emulator.recorded().expect_err("no room");
        assert_eq!(lacking.to_string(), message);

        disk.make_room(1_000_000);
        assert_eq!(emulator.recorded(), Ok(()));
        assert_eq!(create("919999999993").await.0, 201);
        emulator.shutdown().await;
        std::fs::write(&path, &lock(&disk.0).0).expect("written");
        let recording = Recording::read(&path).expect("whole lines");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(recording.calls(), 2, "what was carried out is in it");
        let again = Emulator::builder().replay(recording).start().await;
        let again = again.expect("the emulator starts");
        assert_eq!(again.differences(), []);
        assert_eq!(again.app.store().newest_first().count(), 2);
    }

    #[test]
    fn no_password_is_recorded_whatever_the_body_looks_like() {
        for (path, body) in [
            ("/team-members", r#"{"password":"hunter2"}"#),
            ("/team-members", r#"{"password":"hunter2""#),
            ("/team-members", "name=John&secret=hunter2"),
            (
                "/team-members",
                r#"[{"name":"A"},{"member":{"password":["hunter2"]}}]"#,
            ),
            (
                "/team-members",
                r#"{"password":"hunter2","password":"hunter2"}"#,
            ),
            ("/lead", r#"{"Password":"hunter2""#),
        ] {
            let recorded = without_password(path, &Bytes::from(body));
            let text = serde_json::to_string(&recorded).expect("JSON");
            assert!(!text.contains("hunter2"), "{text}");
            let read: Text = serde_json::from_str(&text).expect("a body");
            assert_eq!(read, recorded);
        }
        let broken = Bytes::from_static(b"{\"fields\":");
        assert_eq!(
            without_password("/lead", &broken),
            Text::Utf8("{\"fields\":".to_owned())
        );
    }
}
