//! Compares the emulator with Prism, which mocks an OpenAPI document, and with a bare axum handler
//! that returns the same bytes.
//!
//! Run `cargo bench -p telecrm-emulator --bench peers`. It needs Node.js 20 or newer and npm, which
//! installs Prism below `target/`.
//!
//! Each server runs in its own process with its default settings: the emulator keeps state and a
//! log of requests, and Prism writes a log of requests (`info`). Prism also runs without a log
//! (`silent`), its fastest setting. Machines are shared and noisy, so the rounds of all servers
//! alternate, and the report compares medians. Only the ratios are meaningful.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::Value;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use telecrm_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const PRISM: &str = "@stoplight/prism-cli@5.14.2";
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(700);
const CONNECTIONS: usize = 64;
const STARTS: usize = 20;
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;

/// The allocator of the command `telecrm`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", "emulator"] => serve_emulator(),
        ["serve", "bare", metadata, created, lead, found] => {
            serve_bare([metadata, created, lead, found].map(|body| body.to_owned().into()))
        }
        _ => compare(),
    }
}

// --- Measurements ------------------------------------------------------------------------------

/// The calls of an integration.
#[derive(Clone, Copy)]
enum Call {
    Metadata,
    Create,
    Read,
    Search,
}

const CALLS: [(Call, &str); 4] = [
    (Call::Metadata, "read metadata"),
    (Call::Create, "create a lead"),
    (Call::Read, "read a lead"),
    (Call::Search, "search a phone"),
];

fn compare() -> Outcome {
    // One thread for the clients leaves the rest of the machine to the servers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut out = std::io::stdout().lock();

    let emulator = Server::start_self(&["emulator"])?;
    let answers = runtime.block_on(emulator.answers())?;
    let bare = [&["bare"][..], &answers.each_ref().map(String::as_str)].concat();
    let servers = [
        emulator,
        Server::start_prism("info")?,
        Server::start_prism("silent")?,
        Server::start_self(&bare)?,
    ];

    writeln!(
        out,
        "requests/s over {CONNECTIONS} connections, median of {ROUNDS} interleaved rounds; Prism {}\n",
        PRISM.rsplit('@').next().unwrap_or_default(),
    )?;
    let heads = ["", "emulator", "Prism", "silent", "bare axum"];
    let ratios = ["/ Prism", "/ silent", "/ bare"];
    writeln!(
        out,
        "{:<16}{:>10}{:>10}{:>10}{:>11}{:>10}{:>10}{:>8}",
        heads[0], heads[1], heads[2], heads[3], heads[4], ratios[0], ratios[1], ratios[2]
    )?;
    for (call, name) in CALLS {
        let [emulator, prism, silent, bare] = runtime.block_on(rates(&servers, call))?;
        writeln!(
            out,
            "{name:<16}{emulator:>10.0}{prism:>10.0}{silent:>10.0}{bare:>11.0}{:>10.1}{:>10.1}{:>8.2}",
            emulator / prism,
            emulator / silent,
            emulator / bare
        )?;
    }
    writeln!(
        out,
        "\nresident after it: emulator {}, Prism {}",
        megabytes(servers[0].resident()),
        megabytes(servers[1].resident()),
    )?;
    drop(servers);

    let mut starts: Vec<f64> = (0..STARTS)
        .map(|_| {
            let start = Instant::now();
            let server = Server::start_self(&["emulator"])?;
            runtime.block_on(server.first_answer())?;
            Ok(start.elapsed().as_secs_f64() * 1e3)
        })
        .collect::<Outcome<_>>()?;
    writeln!(
        out,
        "start of the process to its first answer: {:.1} ms, median of {STARTS}",
        median(&mut starts)
    )?;

    writeln!(out, "\nloading {MANY} leads …")?;
    let [few, many] = [Server::start_self(&["emulator"])?, Server::start_self(&["emulator"])?];
    runtime.block_on(few.load(FEW))?;
    // The first leads are not measured, so that the fixed memory of the process does not count.
    runtime.block_on(many.load(FEW))?;
    let before = many.resident();
    runtime.block_on(many.load(MANY - FEW))?;
    let per_lead = many.resident().saturating_sub(before) / (MANY - FEW);
    let [many, few] = runtime.block_on(rates(&[many, few], Call::Search))?;
    writeln!(
        out,
        "search of a phone: {few:.0}/s among {FEW} leads, {many:.0}/s among {MANY}: {:.2} of the speed; {per_lead} bytes a lead",
        many / few
    )?;
    Ok(())
}

/// The calls per second of each server. The servers take turns, so that other load on the machine
/// affects all of them.
async fn rates<const N: usize>(servers: &[Server; N], call: Call) -> Outcome<[f64; N]> {
    let mut rates = [const { Vec::new() }; N];
    // The first round is a warm-up.
    for round in 0..=ROUNDS {
        for (server, rates) in servers.iter().zip(&mut rates) {
            let rate = server.rate(call).await?;
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    Ok(rates.map(|mut rates| median(&mut rates)))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

// --- Servers -----------------------------------------------------------------------------------

/// A server in its own process. Dropping it ends the process.
struct Server {
    process: Child,
    address: String,
    /// The base URL of its Sync API.
    base: &'static str,
    /// The ID of a lead, once leads have been created.
    lead: std::sync::Mutex<String>,
    created: AtomicU64,
}

impl Server {
    /// Starts this program again as a server.
    fn start_self(arguments: &[&str]) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let output = process.stdout.take().ok_or("no standard output")?;
        BufReader::new(output).read_line(&mut address)?;
        Ok(Self::new(process, address.trim(), "/autoupdate/v2"))
    }

    fn start_prism(log: &str) -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = root.join("target/prism");
        std::fs::create_dir_all(&folder)?;
        let cli = folder.join("node_modules/@stoplight/prism-cli/dist/index.js");
        if !cli.exists() {
            let status = Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
                .args(["--loglevel", "error", "--prefix"])
                .arg(&folder)
                .arg(PRISM)
                .stdout(Stdio::null())
                .status()
                .map_err(|error| format!("npm is needed to install Prism: {error}"))?;
            if !status.success() {
                return Err(format!("npm could not install {PRISM}: {status}").into());
            }
        }
        // Prism cannot report a port of its own choice, so it gets one that was free just now.
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = Command::new("node")
            .arg(&cli)
            .args(["mock", "--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--verboseLevel", log])
            .arg(root.join("openapi/sync.yaml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let address = format!("127.0.0.1:{port}");
        for _ in 0..300 {
            if std::net::TcpStream::connect(&address).is_ok() {
                return Ok(Self::new(process, &address, ""));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("Prism did not start within 30 s".into())
    }

    fn new(process: Child, address: &str, base: &'static str) -> Self {
        Self {
            process,
            address: address.to_owned(),
            base,
            lead: std::sync::Mutex::new("62ab16e".to_owned()),
            created: AtomicU64::new(0),
        }
    }

    /// The resident memory of the process in bytes.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let kilobytes = status.unwrap_or_default().lines().find_map(|line| {
            let size = line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?;
            size.parse::<u64>().ok()
        });
        kilobytes.unwrap_or_default() * 1024
    }

    async fn connect(&self) -> Outcome<Connection> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, read: Vec::with_capacity(4096) })
    }

    async fn first_answer(&self) -> Outcome {
        self.connect().await?.call(self, Call::Metadata).await?;
        Ok(())
    }

    /// The answer to each call, which the bare server repeats.
    async fn answers(&self) -> Outcome<[String; 4]> {
        let mut connection = self.connect().await?;
        let mut answers = [const { String::new() }; 4];
        for ((call, _), answer) in CALLS.into_iter().zip(&mut answers) {
            *answer = String::from_utf8(connection.call(self, call).await?.to_vec())?;
        }
        Ok(answers)
    }

    async fn load(&self, leads: u64) -> Outcome {
        let work = (0..CONNECTIONS as u64).map(|part| {
            let count = leads / CONNECTIONS as u64 + u64::from(part < leads % CONNECTIONS as u64);
            async move {
                let mut connection = self.connect().await?;
                for _ in 0..count {
                    connection.call(self, Call::Create).await?;
                }
                Outcome::Ok(())
            }
        });
        for done in futures_util::future::join_all(work).await {
            done?;
        }
        Ok(())
    }

    async fn rate(&self, call: Call) -> Outcome<f64> {
        let start = Instant::now();
        let work = (0..CONNECTIONS).map(|_| async move {
            let mut connection = self.connect().await?;
            let mut count = 0_u32;
            while start.elapsed() < ROUND {
                connection.call(self, call).await?;
                count += 1;
            }
            Outcome::Ok(count)
        });
        let mut count = 0;
        for done in futures_util::future::join_all(work).await {
            count += done?;
        }
        Ok(f64::from(count) / start.elapsed().as_secs_f64())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A keep-alive connection. A full HTTP client would use as much time as the server, and hide it.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    /// Makes a call, and returns the body of its answer. An error status is an error.
    async fn call(&mut self, server: &Server, call: Call) -> Outcome<&[u8]> {
        let (path, body) = match call {
            Call::Metadata => ("/metadata".to_owned(), None),
            Call::Create => {
                let phone = phone(server.created.fetch_add(1, Ordering::Relaxed));
                let lead = format!(
                    r#"{{"fields":{{"phone":"{phone}","name":"Asha Rao","status":"Fresh","rating":4}},"actions":[{{"type":"1001","fields":{{"note":"Site visit completed"}}}}]}}"#
                );
                ("/lead".to_owned(), Some(lead))
            }
            Call::Read => (format!("/lead/{}", server.known()), None),
            Call::Search => {
                let known = server.created.load(Ordering::Relaxed).max(1);
                let phone = phone(fastrand::u64(..known));
                let filter = format!(r#"{{"fields":{{"phone":"{phone}"}}}}"#);
                ("/lead/search".to_owned(), Some(filter))
            }
        };
        let head = format!(
            "/enterprise/ent-local{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer sync-local-token\r\n",
            server.address
        );
        let request = match body {
            None => format!("GET {}{head}\r\n", server.base),
            Some(body) => format!(
                "POST {}{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                server.base,
                body.len()
            ),
        };
        self.stream.write_all(request.as_bytes()).await?;
        let body = self.answer().await?;
        if let Call::Create = call {
            server.remember(&self.read[body..]);
        }
        Ok(&self.read[body..])
    }

    /// Reads one answer, and returns the offset of its body.
    async fn answer(&mut self) -> Outcome<usize> {
        self.read.clear();
        let mut whole = None;
        while whole.is_none_or(|(_, end)| self.read.len() < end) {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if whole.is_none()
                && let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n")
            {
                let head = str::from_utf8(&self.read[..end])?;
                if !head.starts_with("HTTP/1.1 2") {
                    return Err(
                        format!("an answer was: {}", String::from_utf8_lossy(&self.read)).into()
                    );
                }
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    let fits = name.eq_ignore_ascii_case("content-length");
                    fits.then(|| value.trim().parse::<usize>().ok())?
                });
                let length = length.ok_or("the answer has no content length")?;
                whole = Some((end + 4, end + 4 + length));
            }
        }
        Ok(whole.map_or(0, |(body, _)| body))
    }
}

impl Server {
    fn known(&self) -> String {
        let lead = self.lead.lock();
        lead.map(|lead| lead.clone()).unwrap_or_default()
    }

    fn remember(&self, created: &[u8]) {
        // Checked rarely, since the check would slow the client down.
        if self.created.load(Ordering::Relaxed) % 512 == 1
            && let Ok(body) = serde_json::from_slice::<Value>(created)
            && let (Some(id), Ok(mut lead)) = (body["lead_id"].as_str(), self.lead.lock())
        {
            id.clone_into(&mut lead);
        }
    }
}

/// A valid phone number for each lead.
fn phone(number: u64) -> String {
    format!("9198{number:08}")
}

// --- Server processes --------------------------------------------------------------------------

fn serve_emulator() -> Outcome {
    Runtime::new()?.block_on(async {
        let emulator = Emulator::start().await?;
        announce(emulator.url().trim_start_matches("http://")).await
    })
}

/// Returns fixed answers.
fn serve_bare([metadata, created, lead, found]: [Bytes; 4]) -> Outcome {
    use axum::routing::{get, post};
    let json = |status: StatusCode, body: Bytes| {
        move || async move {
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
    };
    let base = "/autoupdate/v2/enterprise/ent-local";
    let router = Router::new()
        .route(&format!("{base}/metadata"), get(json(StatusCode::OK, metadata)))
        .route(&format!("{base}/lead"), post(json(StatusCode::CREATED, created)))
        .route(&format!("{base}/lead/{{id}}"), get(json(StatusCode::OK, lead)))
        .route(&format!("{base}/lead/search"), post(json(StatusCode::OK, found)));
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async { axum::serve(listener, router).await });
        announce(&address.to_string()).await
    })
}

/// Prints the address, and waits until the parent process closes the standard input.
async fn announce(address: &str) -> Outcome {
    writeln!(std::io::stdout(), "{address}")?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
