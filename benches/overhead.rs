//! Measures the overhead of the facade: the same request with telecrm, reqwest and hyper.
//!
//! Run it with `cargo bench --bench overhead`. All three talk to the same server and decode the
//! same JSON. Rounds are short, many and interleaved, because other programs disturb the
//! measurement. A ratio is the median of the ratios within a round. Only the ratios carry over to
//! other machines.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use telecrm::{LeadRecord, SyncToken, Telecrm};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A round takes a few milliseconds, so that most rounds are undisturbed.
const ROUNDS: usize = 301;
/// Calls one after the other in a round.
const ALONE: usize = 60;
/// Concurrent tasks in a round.
const TOGETHER: usize = 64;
/// Calls of each task.
const EACH: usize = 8;

/// All clients send the same bytes.
const AGENT: &str = concat!("telecrm-rust/", env!("CARGO_PKG_VERSION"));

/// The clients, in the order of the table.
const NAMES: [&str; 3] = ["hyper", "reqwest", "telecrm"];

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    // One thread for the server and one for the client, so that two cores are enough.
    let server =
        Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let url = server.block_on(serve());
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let clients = Arc::new(Clients::new(&url));

    // Seconds per call, by client.
    let mut alone = [const { Vec::new() }; NAMES.len()];
    let mut together = [const { Vec::new() }; NAMES.len()];
    // The first round warms up connections, caches and the allocator.
    for round in 0..=ROUNDS {
        for turn in 0..NAMES.len() {
            // The order rotates, so that no client always follows the same one.
            let who = (round + turn) % NAMES.len();
            let one = runtime.block_on(one_by_one(&clients, who));
            let many = runtime.block_on(many_at_once(&clients, who));
            if round > 0 {
                alone[who].push(one.as_secs_f64() / ALONE as f64);
                together[who].push(many.as_secs_f64() / (TOGETHER * EACH) as f64);
            }
        }
    }

    writeln!(
        out,
        "one GET of a lead, medians of {ROUNDS} interleaved rounds; telecrm without rate limits\n"
    )?;
    writeln!(
        out,
        "{:<10}{:>18}{:>20}{:>20}",
        "", "us, 1 in flight", "requests/s, 64", "allocations/call"
    )?;
    for (who, name) in NAMES.iter().enumerate() {
        let region = Region::new(ALLOCATOR);
        runtime.block_on(one_by_one(&clients, who));
        let allocations = region.change().allocations / ALONE;
        let latency = median(alone[who].iter().copied()) * 1e6;
        let throughput = median(together[who].iter().copied()).recip();
        writeln!(out, "{name:<10}{latency:>18.1}{throughput:>20.0}{allocations:>20}")?;
    }
    writeln!(out)?;
    let (telecrm, others) = (NAMES.len() - 1, &NAMES[..NAMES.len() - 1]);
    for (other, name) in others.iter().enumerate() {
        let latency = ratio(&alone[telecrm], &alone[other]);
        let throughput = ratio(&together[other], &together[telecrm]);
        writeln!(out, "telecrm/{name:<10} latency {latency:.2}   throughput {throughput:.2}")?;
    }
    Ok(())
}

struct Clients {
    url: String,
    hyper: Hyper<HttpConnector, Full<Bytes>>,
    reqwest: reqwest::Client,
    telecrm: Telecrm,
}

impl Clients {
    fn new(base: &str) -> Self {
        Self {
            url: format!("{base}/enterprise/ent/lead/62ab16e"),
            hyper: Hyper::builder(hyper_util::rt::TokioExecutor::new()).build_http(),
            // The settings that a hand-written client should have.
            reqwest: reqwest::Client::builder()
                .user_agent(AGENT)
                .timeout(Duration::from_secs(30))
                .build()
                .expect("builds"),
            telecrm: Telecrm::builder("ent")
                .sync_url(base)
                .sync_token(SyncToken::new("token").expect("a token"))
                .sync_limit(None)
                .build()
                .expect("builds"),
        }
    }

    async fn get(&self, who: usize) -> LeadRecord {
        match who {
            0 => {
                let request = http::Request::get(&self.url)
                    .header("authorization", "Bearer token")
                    .header("accept", "application/json")
                    .header("user-agent", AGENT)
                    .body(Full::default());
                let answer =
                    self.hyper.request(request.expect("a request")).await.expect("answered");
                let body = answer.into_body().collect().await.expect("a body").to_bytes();
                serde_json::from_slice(&body).expect("a lead")
            }
            1 => {
                let request = self.reqwest.get(&self.url).bearer_auth("token");
                let request = request.header("accept", "application/json");
                let answer = request.send().await.expect("answered");
                let body = answer.error_for_status().expect("found").bytes().await.expect("a body");
                serde_json::from_slice(&body).expect("a lead")
            }
            _ => self.telecrm.leads().get("62ab16e").await.expect("read"),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

async fn one_by_one(clients: &Clients, who: usize) -> Duration {
    let start = now();
    for _ in 0..ALONE {
        assert!(clients.get(who).await.id().is_some());
    }
    now() - start
}

async fn many_at_once(clients: &Arc<Clients>, who: usize) -> Duration {
    let start = now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..TOGETHER {
        let clients = clients.clone();
        tasks.spawn(async move {
            for _ in 0..EACH {
                assert!(clients.get(who).await.id().is_some());
            }
        });
    }
    tasks.join_all().await;
    now() - start
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median of the ratios of the same rounds.
fn ratio(ones: &[f64], others: &[f64]) -> f64 {
    median(ones.iter().zip(others).map(|(one, other)| one / other))
}

/// Starts a server that answers every request with the same lead. Returns its URL.
async fn serve() -> String {
    let lead = serde_json::json!({
        "id": "603d2b2f9b1e8a001c8e4f5c", "status": "Qualified", "rating": 4, "employeeid": "jane.doe@example.com",
        "fields": {
            "name": "Jane Doe", "phone": "919999999999", "email": "jane.doe@example.com", "contact_source": "Website",
            "interests": ["VIP", "Returning"], "deal_size": 125_000, "follow_up_date": 1_780_290_000_000_i64,
            "created_on": 1_780_290_000_000_i64, "modified_on": 1_780_290_000_000_i64, "budget": "250000",
            "website": "https://acme.example", "note": "x".repeat(120),
        },
    })
    .to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{lead}",
        lead.len()
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer: Arc<[u8]> = answer.into_bytes().into();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                // A request without a body fits into one read.
                while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                    if stream.write_all(&answer).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    url
}
