//! Starts commands, emulators and servers for the tests.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The command, without variables and profiles of the environment in which the tests run.
pub(crate) fn telecrm(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telecrm"));
    command.args(arguments).stdin(Stdio::null());
    for name in [
        "ENTERPRISE_ID",
        "SYNC_TOKEN",
        "ASYNC_TOKEN",
        "SYNC_URL",
        "ASYNC_URL",
        "EMULATOR_SYNC_TOKEN",
        "EMULATOR_ASYNC_TOKEN",
        "PROFILE",
        "OUTBOX",
    ] {
        command.env_remove(format!("TELECRM_{name}"));
    }
    command.env_remove("COLUMNS").env("NO_COLOR", "1");
    command.env("XDG_CONFIG_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/no-profiles"));
    command
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Ran {
    pub(crate) fn rows(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines.map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    pub(crate) fn outcomes(&self) -> Vec<String> {
        let text = |row: &Value| row["outcome"].as_str().expect("an outcome").to_owned();
        self.rows().iter().map(text).collect()
    }

    /// Asserts the exit code and the outcomes.
    pub(crate) fn assert_outcomes(&self, exit: i32, outcomes: &[&str]) {
        assert_eq!(self.exit, exit, "{self:?}");
        assert_eq!(self.outcomes(), outcomes, "{self:?}");
    }

    /// Asserts that no secret of [`at`] is printed.
    pub(crate) fn assert_keeps_secrets(&self) {
        let texts = [&self.stdout, &self.stderr];
        assert!(texts.iter().all(|text| !text.contains("s3cret")), "{self:?}");
    }

    /// Asserts that standard output has this text.
    pub(crate) fn assert_stdout(&self, text: &str) {
        assert!(self.stdout.contains(text), "{text}: {self:?}");
    }

    /// Asserts that standard error has this text.
    pub(crate) fn assert_stderr(&self, text: &str) {
        assert!(self.stderr.contains(text), "{text}: {self:?}");
    }

    pub(crate) fn error_kinds(&self) -> Vec<Option<String>> {
        let text = |row: &Value| row["error"]["kind"].as_str().map(str::to_owned);
        self.rows().iter().map(text).collect()
    }

    /// Asserts that the run ended before any row, and that standard error has these texts.
    pub(crate) fn assert_refused(&self, exit: i32, texts: &[&str]) {
        assert_eq!((self.exit, self.stdout.as_str()), (exit, ""), "{self:?}");
        for text in texts {
            assert!(self.stderr.contains(text), "{text}: {self:?}");
        }
    }
}

pub(crate) fn run(mut command: Command) -> Ran {
    command.output().expect("runs").into()
}

pub(crate) fn run_with_stdin(mut command: Command, input: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("takes its input");
    drop(stdin);
    child.wait_with_output().expect("ends").into()
}

/// The path of an example file.
pub(crate) fn example(name: &str) -> String {
    format!("{}/../../examples/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A file that is removed when this value is dropped.
pub(crate) struct TempFile(PathBuf);

impl TempFile {
    pub(crate) fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("telecrm-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("writes");
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A folder that is removed when this value is dropped.
pub(crate) struct TempFolder(PathBuf);

impl TempFolder {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("telecrm-{}-{name}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("creates");
        Self(path)
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    /// The names of the files in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("a folder").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process `telecrm emulator`, and the variables that it prints.
pub(crate) struct Local {
    pub(crate) child: Child,
    _stdout: BufReader<ChildStdout>,
    pub(crate) exports: Vec<(String, String)>,
}

impl Local {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = telecrm(&["emulator", "--listen", "127.0.0.1:0"]);
        command.args(arguments).envs(variables.iter().copied()).stderr(Stdio::null());
        Self::spawn(&mut command)
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let exports = (0..5)
            .map(|_| {
                let mut line = String::new();
                stdout.read_line(&mut line).expect("prints");
                let export = line.trim_end().strip_prefix("export ").expect("an export");
                let (name, value) = export.split_once('=').expect("an assignment");
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Self { child, _stdout: stdout, exports }
    }

    pub(crate) fn variable(&self, name: &str) -> &str {
        let found = self.exports.iter().find(|(key, _)| key == name);
        &found.expect("exported").1
    }

    /// Returns the answer of the Sync API to a search for all leads.
    pub(crate) fn search(&self) -> String {
        self.sync_post("lead/search")
    }

    /// Returns the operations of all calls so far.
    pub(crate) fn operations(&self) -> Vec<String> {
        let answer = self.request("GET", "/_emulator/log");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let log: Value = serde_json::from_str(body).expect("JSON");
        let entries = log["entries"].as_array().expect("a list").iter();
        entries.filter_map(|entry| Some(entry["operation"].as_str()?.to_owned())).collect()
    }

    /// Returns the answer of the Sync API to an empty body.
    pub(crate) fn sync_post(&self, path: &str) -> String {
        let path =
            format!("/autoupdate/v2/enterprise/{}/{path}", self.variable("TELECRM_ENTERPRISE_ID"));
        self.request("POST", &path)
    }

    /// Returns the answer to a request with an empty body.
    fn request(&self, method: &str, path: &str) -> String {
        let address = self.variable("TELECRM_ASYNC_URL").trim_start_matches("http://");
        let token = self.variable("TELECRM_SYNC_TOKEN");
        let mut stream = TcpStream::connect(address).expect("connects");
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).expect("asks");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answers");
        answer
    }

    /// The command, with the variables that point to this emulator.
    pub(crate) fn telecrm(&self, arguments: &[&str]) -> Command {
        let mut command = telecrm(arguments);
        command.envs(self.exports.iter().cloned());
        command
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server that answers each request by its first line. Returns its URL.
pub(crate) fn scripted(answer: impl Fn(&str) -> String + Send + Sync + Clone + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || serve(stream, &answer));
        }
    });
    format!("http://{address}")
}

fn serve(stream: TcpStream, answer: &dyn Fn(&str) -> String) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_ok() {
        let _ = reader.get_mut().write_all(answer(&first).as_bytes());
    }
}

/// An HTTP answer.
pub(crate) fn answer(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The command with an account at this server. Every value is secret.
pub(crate) fn at(url: &str, arguments: &[&str]) -> Command {
    let mut command = telecrm(arguments);
    command.envs([
        ("TELECRM_ENTERPRISE_ID", "ent-s3cret"),
        ("TELECRM_SYNC_TOKEN", "sync-s3cret"),
        ("TELECRM_ASYNC_TOKEN", "async-s3cret"),
        ("TELECRM_ASYNC_URL", url),
    ]);
    command.env("TELECRM_SYNC_URL", format!("{url}/autoupdate/v2"));
    command
}

/// JSON lines of leads with different phone numbers.
pub(crate) fn leads(count: u32) -> String {
    (1..=count)
        .map(|n| {
            format!("{{\"fields\": {{\"phone\": \"9199999{n:05}\", \"name\": \"Lead {n}\"}}}}\n")
        })
        .collect()
}
