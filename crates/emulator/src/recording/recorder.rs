//! Writes a recording.

use super::{Event, EventKind, Header, RecordingError};
use crate::files::create_private;
use crate::sync::lock;
use serde::Serialize;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(crate) struct Recorder {
    path: PathBuf,
    output: Mutex<Output>,
}

struct Output {
    file: Box<dyn Write + Send>,
    /// What the full disk had no room for. It is written before anything else, so that no line is
    /// lost or stays incomplete.
    unwritten: Vec<u8>,
}

impl Output {
    fn flush(&mut self) -> io::Result<()> {
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
    /// Creates a new file, and writes the header.
    pub(crate) fn create(path: &Path, header: &Header) -> Result<Self, RecordingError> {
        let file = create_private(path).map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::AlreadyExists => "choose another name, or remove the file",
                _ => "check its folder and the permissions",
            };
            RecordingError::new(path, format!("cannot be created: {error}"), hint)
        })?;
        let recorder = Self {
            path: path.to_owned(),
            output: Mutex::new(Output { file: Box::new(file), unwritten: Vec::new() }),
        };
        recorder.write(header).inspect_err(|_| {
            // An incomplete header is useless, and would block the name.
            let _ = std::fs::remove_file(path);
        })?;
        Ok(recorder)
    }

    /// Records that the background worker has processed a lead.
    pub(crate) fn processed(&self, ticket: u64, turn: u64, time: i64) {
        let kind = EventKind::Processed(ticket);
        // If this fails, the next call gets the error.
        let _ = self.write(&Event { turn, time, kind });
    }

    /// Writes a line at once, so that killing the process leaves no incomplete line.
    pub(super) fn write(&self, line: &impl Serialize) -> Result<(), RecordingError> {
        let line = serde_json::to_string(line).map_err(|error| self.failed(&error.into()))?;
        let mut output = lock(&self.output);
        output.unwritten.extend_from_slice((line + "\n").as_bytes());
        output.flush().map_err(|error| self.failed(&error))
    }

    /// Writes what the full disk had no room for earlier.
    pub(crate) fn flush(&self) -> Result<(), RecordingError> {
        let flushed = lock(&self.output).flush();
        flushed.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> RecordingError {
        let reason = format!("cannot be written: {error}");
        RecordingError::new(&self.path, reason, "make room on the disk")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Emulator, Recording};
    use serde_json::{Value, json};
    use std::sync::Arc;

    /// A disk with room for this many more bytes, and its content.
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
    async fn calls_fail_while_the_disk_is_full_and_the_recording_is_complete_later() {
        let name = format!("telecrm-recording-full-{}.jsonl", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let emulator = Emulator::builder().record(&path).start().await;
        let emulator = emulator.expect("the emulator starts");
        let header = std::fs::read(&path).expect("a header");
        let disk = Disk(Arc::new(Mutex::new((header, 10))));
        let recorder = emulator.app.recorder.as_ref().expect("a recorder");
        lock(&recorder.output).file = Box::new(disk.clone());
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

        // The disk fills up after the first call has taken effect.
        let (status, answer) = create("919999999991").await;
        assert_eq!((status, leads()), (500, 1), "{answer}");
        assert_eq!(answer["error"]["code"], "RECORDING_NOT_KEPT");
        let message = answer["error"]["message"].as_str().expect("a message").to_owned();
        assert!(message.contains("make room on the disk"), "{message}");
        let (status, answer) = create("919999999992").await;
        assert_eq!((status, leads()), (500, 1), "{answer}");
        let reset = format!("{}/_emulator/reset", emulator.url());
        let reset = reqwest::Client::new().post(reset).send().await;
        assert_eq!(reset.expect("an answer").status().as_u16(), 500);
        let logged: Vec<_> = emulator.log(0).iter().map(|entry| entry.status).collect();
        assert_eq!(logged, [500, 500], "the log has the same statuses");

        let error = emulator.flush_recording().expect_err("no room");
        let text = format!("{error:#}");
        assert_eq!(text.replace("\n  hint", "; hint"), message, "an answer has one line");

        disk.make_room(1_000_000);
        assert_eq!(emulator.flush_recording(), Ok(()));
        assert_eq!(create("919999999993").await.0, 201);
        emulator.shutdown().await;
        std::fs::write(&path, &lock(&disk.0).0).expect("written");
        let recording = Recording::read(&path).expect("complete lines");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(recording.calls(), 2, "the recording has both calls that took effect");
        let again = Emulator::builder().replay(recording).start().await;
        let again = again.expect("the emulator starts");
        assert_eq!(again.differences(), []);
        assert_eq!(again.app.store().newest_first().count(), 2);
    }
}
