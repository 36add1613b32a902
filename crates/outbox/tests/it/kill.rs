//! Child processes add and send, the parent kills them at random points, and then counts.

use crate::support::phone_of;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::Duration;
use telecrm::{Lead, WorkspaceFile};
use telecrm_outbox::{
    Answer, Arrival, Filter, NewLead, Options, Outbox, ReadBack, Sender, State, Worker,
};

const FOLDER: &str = "TELECRM_OUTBOX_TEST_FOLDER";
const ROUND: &str = "TELECRM_OUTBOX_TEST_ROUND";
const KILLS: &str = "TELECRM_OUTBOX_TEST_KILLS";
const LEADS: u32 = 40;

/// What the logs say after all kills.
#[derive(Debug, Default)]
struct Count {
    acknowledged: usize,
    lost: usize,
    /// Leads that end with an older value, or got an older value after a newer one.
    stale: usize,
    duplicates: usize,
    /// Duplicates that no item admits.
    unnamed: usize,
}

/// Writes one line at once, so that a kill cannot leave half of it.
fn log(folder: &Path, name: &str, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join(name)).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn lines(folder: &Path, name: &str) -> Vec<(u32, u64)> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let parse = |line: &str| {
        let (lead, value) = line.split_once(' ')?;
        Some((lead.parse().ok()?, value.parse().ok()?))
    };
    text.lines().filter_map(parse).collect()
}

/// Writes every send to a log, and answers some with a server fault.
struct Logger {
    folder: PathBuf,
    faults: bool,
}

impl Sender for Logger {
    fn slots(&self) -> Vec<String> {
        // New slots have a burst, so that the test need not wait for the rate limit.
        (0..20).map(|slot| format!("{}-{slot}", std::process::id())).collect()
    }

    fn send<'a>(
        &'a self,
        lead: &'a Lead,
        _slot: &'a str,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(async move {
            if self.faults && fastrand::u8(..50) == 0 {
                return Answer::Refused { status: 500, code: None, retry_after: None };
            }
            let text = |field| lead.get(field).unwrap().as_json().as_str().unwrap().to_owned();
            let number: u32 = text("phone")[4..].parse().unwrap();
            log(&self.folder, "sent", &format!("{number} {}", &text("name")[1..]));
            tokio::task::yield_now().await;
            Answer::Accepted
        })
    }

    fn arrived<'a>(
        &'a self,
        _lead: &'a Lead,
    ) -> Pin<Box<dyn Future<Output = Arrival> + Send + 'a>> {
        Box::pin(async { Arrival::NotThere })
    }

    fn read_back<'a>(
        &'a self,
        leads: &'a [Lead],
    ) -> Pin<Box<dyn Future<Output = Vec<ReadBack>> + Send + 'a>> {
        Box::pin(async move { vec![ReadBack::Stored; leads.len()] })
    }
}

async fn open(folder: &Path) -> Outbox {
    let options = Options::new("ent-local").gap(Duration::ZERO).low_water(0);
    let url = format!("sqlite:{}", folder.join("leads.outbox").display());
    let outbox = Outbox::open(&url, options).await.unwrap();
    outbox.set_workspace(&WorkspaceFile::sample()).await.unwrap();
    outbox
}

/// What a child reads from its environment: the folder and the round.
fn task() -> (PathBuf, u64) {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    (folder, std::env::var(ROUND).unwrap().parse().unwrap())
}

/// Adds updates of these leads one by one, until the process is killed.
async fn produce(outbox: &Outbox, folder: &Path, leads: Range<u32>, first: u64) {
    for value in first..first + 40_000 {
        add(outbox, folder, fastrand::u32(leads.clone()), value).await;
    }
}

async fn add(outbox: &Outbox, folder: &Path, lead: u32, value: u64) {
    let new = Lead::new().set("phone", phone_of(lead)).set("name", format!("v{value}"));
    let new = NewLead::new(new).key(value.to_string());
    outbox.enqueue([new]).await.unwrap().remove(0).unwrap();
    log(folder, "acknowledged", &format!("{lead} {value}"));
}

/// A child that adds and sends until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs as a child of the tests of this module"]
async fn sending_child() {
    let (folder, round) = task();
    let outbox = open(&folder).await;
    let sender = Logger { folder: folder.clone(), faults: true };
    let worker = Worker::start(&outbox, sender).await.unwrap();
    let run = tokio::spawn(worker.run());
    produce(&outbox, &folder, 0..LEADS / 2, round * 100_000).await;
    run.abort();
}

/// A child that only adds. Its leads are its own, so that their order is known.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs as a child of the tests of this module"]
async fn adding_child() {
    let (folder, round) = task();
    let outbox = open(&folder).await;
    produce(&outbox, &folder, LEADS / 2..LEADS, round * 100_000 + 50_000).await;
}

/// A child that claims by row, in the wrong order, instead of by lane.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs as a child of the tests of this module"]
async fn child_without_lanes() {
    let (folder, round) = task();
    let outbox = open(&folder).await;
    let sender = Logger { folder: folder.clone(), faults: false };
    for number in 0..40_000 {
        add(&outbox, &folder, number % 4, round * 100_000 + u64::from(number)).await;
        let rows = outbox.list(Filter::new().state(State::Queued), 0, 16).await.unwrap();
        if rows.len() == 16 {
            for row in rows.iter().rev() {
                sender.send(row.lead.as_ref().unwrap(), "").await;
                outbox.cancel(row.seq).await.unwrap();
            }
        }
    }
}

/// Starts children, and kills them all once the log has this many more lines. A child on a slow
/// machine is given time to get that far.
async fn kill_round(folder: &Path, round: u64, children: &[&str], (log, more): (&str, usize)) {
    let goal = lines(folder, log).len() + more;
    let children = children.iter().map(|child| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("kill::{child}"), "--ignored"]);
        command.env(FOLDER, folder).env(ROUND, round.to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    });
    let mut children: Vec<_> = children.collect();
    let mut patience = 3000;
    while lines(folder, log).len() < goal {
        patience -= 1;
        assert!(patience > 0, "the children get nowhere");
        pause(10).await;
    }
    pause(fastrand::u64(..20)).await;
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

async fn pause(ms: u64) {
    let never = std::future::pending::<()>();
    assert!(tokio::time::timeout(Duration::from_millis(ms), never).await.is_err());
}

/// Kills children, drains what is left, and counts.
async fn torture(folder: &Path, kills: u64) -> Count {
    for round in 1..=kills {
        // One of four rounds ends while the children start.
        let more = fastrand::usize(..40).saturating_sub(10);
        kill_round(folder, round, &["sending_child", "adding_child"], ("acknowledged", more)).await;
    }
    finish(folder).await
}

async fn finish(folder: &Path) -> Count {
    let outbox = open(folder).await;
    let sender = Logger { folder: folder.to_owned(), faults: false };
    let mut worker = Worker::start(&outbox, sender).await.unwrap();
    while outbox.stats().await.unwrap().waiting() > 0 {
        worker.drain().await.unwrap();
        pause(20).await;
    }
    assert!(outbox.check().await.unwrap().is_clean());
    let items = outbox.list(Filter::new(), 0, usize::MAX).await.unwrap();
    let named = items.iter().filter(|item| item.maybe_sent() || item.sends() > 1);
    let named = named.filter_map(|item| item.key.as_ref()?.parse().ok()).collect();
    assert!(items.iter().all(|item| item.state != State::Dead));
    count(&lines(folder, "acknowledged"), &lines(folder, "sent"), &named)
}

fn count(acknowledged: &[(u32, u64)], sent: &[(u32, u64)], named: &BTreeSet<u64>) -> Count {
    let mut count = Count { acknowledged: acknowledged.len(), ..Count::default() };
    let (mut newest, mut times) = (BTreeMap::new(), BTreeMap::<u64, usize>::new());
    let mut stale = BTreeSet::new();
    for (lead, value) in sent {
        *times.entry(*value).or_default() += 1;
        let newest = newest.entry(*lead).or_insert(*value);
        if value < newest {
            stale.insert(*lead);
        }
        *newest = *value.max(newest);
    }
    for (_, value) in acknowledged {
        count.lost += usize::from(!times.contains_key(value));
    }
    let twice = times.iter().filter(|(_, times)| **times > 1);
    for (value, _) in twice {
        count.duplicates += 1;
        count.unnamed += usize::from(!named.contains(value));
    }
    count.stale = stale.len();
    count
}

async fn run(kills: u64) -> Count {
    let folder = tempfile::tempdir().unwrap();
    let count = torture(folder.path(), kills).await;
    assert_eq!((count.lost, count.stale, count.unnamed), (0, 0, 0), "{count:?}");
    assert!(count.acknowledged as u64 > kills, "{count:?}");
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_processes_lose_nothing_and_overtake_nothing() {
    run(12).await;
}

/// `cargo xtask torture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs as long as it is asked to"]
#[expect(clippy::print_stdout, reason = "the result for people")]
async fn by_hand() {
    let kills = std::env::var(KILLS).ok().and_then(|kills| kills.parse().ok()).unwrap_or(100);
    let count = run(kills).await;
    println!("lost 0, stale 0, duplicates {} (all named)", count.duplicates);
}

/// The harness bites: what lanes prevent, it finds.
#[tokio::test(flavor = "multi_thread")]
async fn without_lanes_the_harness_reports_stale_values() {
    let folder = tempfile::tempdir().unwrap();
    kill_round(folder.path(), 1, &["child_without_lanes"], ("sent", 16)).await;
    let count = finish(folder.path()).await;
    assert_eq!(count.lost, 0, "{count:?}");
    assert!(count.stale > 0, "{count:?}");
}

/// Two updates of one lead of which the newer overtakes the older, as without lanes.
#[test]
fn the_count_reports_an_older_value_after_a_newer_one() {
    let acknowledged = [(1, 10), (1, 11), (2, 12)];
    let wrong = count(&acknowledged, &[(1, 11), (2, 12), (1, 10)], &BTreeSet::new());
    assert_eq!((wrong.lost, wrong.stale, wrong.duplicates), (0, 1, 0));
}

#[test]
fn the_count_reports_what_is_lost_and_what_nobody_admits() {
    let acknowledged = [(1, 10), (1, 11)];
    let wrong = count(&acknowledged, &[(1, 11), (1, 11)], &BTreeSet::new());
    assert_eq!((wrong.lost, wrong.duplicates, wrong.unnamed), (1, 1, 1));
    let named = count(&acknowledged, &[(1, 10), (1, 11), (1, 11)], &BTreeSet::from([11]));
    assert_eq!((named.lost, named.duplicates, named.unnamed), (0, 1, 0));
}
