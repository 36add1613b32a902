//! What the outbox does in a second, and what a million waiting leads cost.
//!
//! Leads are given as checked, so that the time of the check is left out. The files lie in the
//! target folder: a folder in memory would hide the cost of durable writes.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use telecrm::{Clock, CustomAction, Lead, RateLimit, WorkspaceFile};
use telecrm_outbox::{Answer, Arrival, NewLead, Options, Outbox, ReadBack, Sender, Worker};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const MANY: u64 = 1_000_000;

/// Accepts at once.
struct NoOp;

impl Sender for NoOp {
    fn slots(&self) -> Vec<String> {
        vec!["a".to_owned()]
    }

    fn send<'a>(
        &'a self,
        _lead: &'a Lead,
        _slot: &'a str,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(async { Answer::Accepted })
    }

    fn arrived<'a>(&'a self, _: &'a Lead) -> Pin<Box<dyn Future<Output = Arrival> + Send + 'a>> {
        Box::pin(async { Arrival::Arrived })
    }

    fn read_back<'a>(
        &'a self,
        leads: &'a [Lead],
    ) -> Pin<Box<dyn Future<Output = Vec<ReadBack>> + Send + 'a>> {
        Box::pin(async move { vec![ReadBack::Stored; leads.len()] })
    }
}

fn now() -> Instant {
    Instant::now()
}

/// A clock that moves only if the benchmark moves it.
#[derive(Clone)]
struct Still {
    start: Instant,
    millis: Arc<AtomicU64>,
}

impl Clock for Still {
    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }
}

/// A lead of about 400 bytes with eight fields and an action.
fn lead(number: u64) -> NewLead {
    let lead = Lead::new()
        .set("phone", format!("9198{number:08}"))
        .set("name", format!("Asha Example the {number}th"))
        .set("email", format!("asha.{number}@example.com"))
        .set("rating", 4)
        .set("budget", 250_000)
        .set("city", "Bengaluru, Karnataka")
        .set("source", "the form on the page of the spring campaign")
        .set("note", "would like to be called in the afternoon, in Kannada if possible")
        .action(CustomAction::new(1001).expect("a code").field("note", "filled in the form"));
    NewLead::checked(lead, Vec::new())
}

async fn open(path: &Path, options: Options) -> Outcome<Outbox> {
    let outbox = Outbox::open(&format!("sqlite:{}", path.display()), options.low_water(0)).await?;
    outbox.set_workspace(&WorkspaceFile::sample()).await?;
    Ok(outbox)
}

fn unlimited() -> Options {
    Options::new("ent-local").async_limit(None).sync_limit(None)
}

fn line(what: &str, value: f64, unit: &str) {
    println!("{what:<58} {value:>10.1} {unit}");
}

fn per_second(what: &str, count: u64, start: Instant) {
    line(what, count as f64 / start.elapsed().as_secs_f64(), "leads/s");
}

async fn fill(outbox: &Outbox, numbers: std::ops::Range<u64>) -> Outcome {
    let mut next = numbers.start;
    while next < numbers.end {
        let end = (next + 500).min(numbers.end);
        for receipt in outbox.enqueue((next..end).map(lead)).await? {
            receipt?;
        }
        next = end;
    }
    Ok(())
}

async fn enqueue(folder: &Path) -> Outcome {
    let outbox = open(&folder.join("single"), unlimited()).await?;
    let start = now();
    for number in 0..3_000 {
        outbox.enqueue([lead(number)]).await?.remove(0)?;
    }
    per_second("durable enqueue, one by one", 3_000, start);

    let outbox = open(&folder.join("producers"), unlimited()).await?;
    let start = now();
    let mut producers = tokio::task::JoinSet::new();
    for producer in 0..32 {
        let outbox = outbox.clone();
        producers.spawn(async move {
            for number in 0..1_000 {
                outbox.enqueue([lead(producer * 1_000 + number)]).await?.remove(0)?;
            }
            Ok::<_, telecrm_outbox::Error>(())
        });
    }
    while let Some(done) = producers.join_next().await {
        done??;
    }
    per_second("durable enqueue, 32 producers", 32_000, start);

    let outbox = open(&folder.join("batches"), unlimited()).await?;
    let start = now();
    fill(&outbox, 0..50_000).await?;
    per_second("durable enqueue, batches of 500", 50_000, start);
    Ok(())
}

async fn drain(folder: &Path) -> Outcome {
    for concurrency in [30, 256] {
        let options = unlimited().concurrency(concurrency);
        let outbox = open(&folder.join(format!("drain-{concurrency}")), options).await?;
        fill(&outbox, 0..20_000).await?;
        let mut worker = Worker::start(&outbox, NoOp).await?;
        let start = now();
        worker.drain().await?;
        per_second(&format!("drain, {concurrency} in flight"), 20_000, start);
        assert_eq!(outbox.stats().await?.waiting(), 0);
    }
    Ok(())
}

/// Opens a store, and times rounds of 16 leads in it. Runs in a process of its own, whose memory
/// it prints.
async fn rounds(path: &Path) -> Outcome {
    let clock = Still { start: now(), millis: Arc::default() };
    let options = Options::new("ent-local").clock(clock.clone()).concurrency(16);
    let options = options.async_limit(Some(RateLimit::new(18_000, 16)));
    let start = now();
    let outbox = open(path, options).await?;
    line("  open", start.elapsed().as_secs_f64() * 1e3, "ms");
    let start = now();
    let mut worker = Worker::start(&outbox, NoOp).await?;
    line("  become the sender", start.elapsed().as_secs_f64() * 1e3, "ms");
    let mut times = Vec::new();
    for _ in 0..50 {
        clock.millis.fetch_add(10_000, Ordering::Relaxed);
        let start = now();
        worker.drain().await?;
        times.push(start.elapsed());
    }
    times.sort();
    for (name, index) in [("median", 25), ("slowest", 49)] {
        let what = format!("  claim and settle 16 leads, {name} of 50");
        line(&what, times[index].as_secs_f64() * 1e3, "ms");
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")).unwrap_or("0");
    line("  most memory of the process", peak.parse::<f64>()? / 1024.0, "MB");
    Ok(())
}

async fn waiting(folder: &Path) -> Outcome {
    for count in [1_000, MANY] {
        let path = folder.join(format!("waiting-{count}"));
        let outbox = open(&path, unlimited().capacity(2 * MANY)).await?;
        fill(&outbox, 0..count).await?;
        // Also moves the log into the file.
        outbox.check().await?;
        drop(outbox);
        println!("{count} leads waiting");
        let bytes = std::fs::metadata(&path)?.len() as f64 / count as f64;
        line("  bytes per lead in the file", bytes, "");
        let child = std::process::Command::new(std::env::current_exe()?)
            .arg("--rounds")
            .arg(&path)
            .status()?;
        assert!(child.success());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let [mode, path] = arguments.as_slice()
        && mode == "--rounds"
    {
        return rounds(&PathBuf::from(path)).await;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("Checking is left out.");
    enqueue(folder.path()).await?;
    drain(folder.path()).await?;
    waiting(folder.path()).await
}
