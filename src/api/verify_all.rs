//! Reading many pushed leads back: one search looks for up to a hundred leads.
//!
//! The server may not support lists of values as it documents: it may answer with an error, ignore
//! values, or leave the identifier out of its rows. A lead is therefore missing only if the answer
//! proves that the server has looked for it, or if a search for this lead alone does not find it.

use super::ingest::{Ingest, Receipt};
use super::leads::{Leads, PAGE_SIZE};
use super::verify::{Verification, assess, is_final, missing, read_back};
use super::{lookup, schema};
use crate::handle::Handle;
use crate::transport::Deadline;
use crate::{Error, Filter, PageRequest};
use futures_util::future::{self, BoxFuture, Either, FutureExt};
use futures_util::stream::{self, Fuse, Stream, StreamExt};
use std::collections::{BTreeMap, VecDeque};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use telecrm_core::{FieldValue, LeadRecord, Workspace};

/// How long a receipt waits for others before the first search, unless a search is full.
const FILL: Duration = Duration::from_secs(1);

/// The wait after the first search. Each wait is twice as long, up to [`MAX_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(15);

/// How many receipts are held at a time. Others stay where they come from.
const MAX_WAITING: usize = 1000;

/// How many leads with actions are read at a time.
const CONCURRENCY: usize = 8;

/// A receipt, and what reading its lead back has shown.
type Verified = (Receipt, Result<Verification, Error>);

impl Ingest {
    /// Reads many pushed leads back, up to a hundred per search. The results come in any order.
    ///
    /// Each lead is compared as [`verify`](Self::verify) does it, and is looked for again until it
    /// is there or the [verify timeout](crate::Builder::verify_timeout) is over. The timeout begins
    /// when the receipt is taken. Several receipts of one lead are compared with what the lead
    /// should be after all of them. Leads without actions cost about one request per 50 leads, and
    /// a
    /// lead with actions one more request each, for its timeline.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::Lead;
    ///
    /// let mut receipts = Vec::new();
    /// for number in 0..3 {
    ///     let lead = Lead::new().set("phone", format!("91999999999{number}"));
    ///     receipts.push(telecrm.ingest().push(&lead).await?);
    /// }
    /// let mut results = telecrm.ingest().verify_all(receipts);
    /// while let Some((receipt, verification)) = results.next().await {
    ///     assert!(verification?.is_stored(), "{:?}", receipt.sent());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn verify_all<I>(&self, receipts: I) -> Verifications
    where
        I: IntoIterator<Item = Receipt>,
        I::IntoIter: Send + 'static,
    {
        self.verify_stream(stream::iter(receipts))
    }

    /// Reads pushed leads back while others are still being pushed, as
    /// [`verify_all`](Self::verify_all) does. Takes receipts whenever it can hold more of them.
    pub fn verify_stream(
        &self,
        receipts: impl Stream<Item = Receipt> + Send + 'static,
    ) -> Verifications {
        let verifier = Verifier {
            handle: self.0.clone(),
            source: Some(receipts.boxed().fuse()),
            waiting: Vec::new(),
            verified: VecDeque::new(),
        };
        let results =
            stream::unfold(verifier, async |mut verifier| Some((verifier.next().await?, verifier)));
        Verifications(Box::pin(results))
    }
}

/// The results of [`Ingest::verify_all`]: a [`Stream`], with the most common adapters built in.
#[must_use = "a stream does nothing until it is polled"]
pub struct Verifications(Pin<Box<dyn Stream<Item = Verified> + Send>>);

impl Verifications {
    /// Returns the next result, or `None` after the last receipt.
    pub async fn next(&mut self) -> Option<Verified> {
        StreamExt::next(self).await
    }

    /// Returns all remaining results.
    pub async fn collect(self) -> Vec<Verified> {
        StreamExt::collect(self).await
    }
}

impl Stream for Verifications {
    type Item = Verified;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Verified>> {
        self.0.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for Verifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifications").finish_non_exhaustive()
    }
}

/// A lead whose receipts have no final result yet.
struct Waiting {
    /// The receipts in the order of their pushes, usually one.
    receipts: Vec<Receipt>,
    /// What the lead should be after all pushes.
    receipt: Receipt,
    key: Option<String>,
    /// When the lead is looked for next.
    due: Instant,
    /// Whether it waits for others before its first search.
    is_new: bool,
    wait: Duration,
    deadline: Deadline,
    /// Whether a lead that is missing now is not looked for again.
    is_last: bool,
}

struct Verifier {
    handle: Handle,
    /// `None` at its end.
    source: Option<Fuse<Pin<Box<dyn Stream<Item = Receipt> + Send>>>>,
    waiting: Vec<Waiting>,
    verified: VecDeque<Verified>,
}

impl Verifier {
    async fn next(&mut self) -> Option<Verified> {
        loop {
            if let Some(verified) = self.verified.pop_front() {
                return Some(verified);
            }
            if self.waiting.is_empty() {
                let receipt = self.source.as_mut()?.next().await;
                self.take(receipt);
                continue;
            }
            match self.until_due() {
                Some(wait) => self.wait(wait).await,
                None => self.look().await,
            }
        }
    }

    /// How long no lead is due. Returns `None` if one is due.
    fn until_due(&mut self) -> Option<Duration> {
        let now = self.handle.clock.now();
        let is_full = self.waiting.len() >= self.handle.leads_per_search.get();
        if self.source.is_none() || is_full || self.handle.shutdown.has_begun() {
            for waiting in self.waiting.iter_mut().filter(|waiting| waiting.is_new) {
                waiting.due = now;
            }
        }
        let due = self.waiting.iter().map(|waiting| waiting.due).min()?;
        Some(due.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Waits this long, or until another receipt arrives.
    async fn wait(&mut self, wait: Duration) {
        let handle = self.handle.clone();
        // A simulated clock moves on when a sleep begins, so it must not begin before it is needed.
        let sleep = async { handle.shutdown.interrupt(handle.clock.sleep(wait)).await };
        let sleep = pin!(sleep);
        let source = self.source.as_mut().filter(|_| self.waiting.len() < MAX_WAITING);
        let Some(source) = source else {
            sleep.await;
            return;
        };
        if let Either::Left((receipt, _)) = future::select(source.next(), sleep).await {
            self.take(receipt);
        }
    }

    /// Takes a receipt, or notices the end of the source.
    fn take(&mut self, receipt: Option<Receipt>) {
        let Some(receipt) = receipt else {
            self.source = None;
            return;
        };
        let now = self.handle.clock.now();
        let workspace = self.handle.workspace.last_known();
        let key = workspace.and_then(|workspace| key(&workspace, &receipt));
        let same = |waiting: &&mut Waiting| key.is_some() && waiting.key == key;
        if let Some(waiting) = self.waiting.iter_mut().find(same) {
            waiting.receipt.add(&receipt);
            waiting.receipts.push(receipt);
            waiting.deadline = Deadline::after(self.handle.verify_timeout, now);
            return;
        }
        self.waiting.push(Waiting {
            receipts: vec![receipt.clone()],
            receipt,
            key,
            due: now + FILL,
            is_new: true,
            wait: FIRST_WAIT,
            deadline: Deadline::after(self.handle.verify_timeout, now),
            is_last: false,
        });
    }

    /// Looks for the leads that are due, and for those that are due soon if the search has space.
    async fn look(&mut self) {
        let now = self.handle.clock.now();
        self.waiting.sort_by_key(|waiting| waiting.due);
        let soon = |waiting: &Waiting| waiting.due <= now + waiting.wait / 2;
        let due = self.waiting.iter().take_while(|waiting| soon(waiting)).count();
        let batch = due.min(self.handle.leads_per_search.get());
        let mut batch: Vec<Waiting> = self.waiting.drain(..batch).collect();
        let workspace = match schema::workspace(&self.handle).await {
            Ok(workspace) => workspace,
            Err(error) => return self.settle_all(batch, error),
        };
        for waiting in &mut batch {
            let is_over = waiting.deadline.left(now).is_none() || self.handle.shutdown.has_begun();
            let sent = waiting.receipt.sent();
            let missing = Verification::Missing(missing(&workspace, sent));
            waiting.is_last = is_over || is_final(&missing, &workspace, sent);
        }
        let looked = look(&self.handle, &workspace, &batch.iter().collect::<Vec<_>>()).await;
        match looked {
            Ok(verifications) => {
                for (waiting, verification) in batch.into_iter().zip(verifications) {
                    self.settle(&workspace, waiting, verification);
                }
            }
            Err(error) => self.settle_all(batch, error),
        }
    }

    /// Keeps a result if it is final, or looks for the lead again.
    fn settle(
        &mut self,
        workspace: &Workspace,
        mut waiting: Waiting,
        verification: Result<Verification, Error>,
    ) {
        let now = self.handle.clock.now();
        let left = waiting.deadline.left(now);
        let is_transient = verification.as_ref().is_err_and(Error::is_transient);
        let is_final = match &verification {
            Ok(verification) => is_final(verification, workspace, waiting.receipt.sent()),
            Err(_) => !is_transient,
        };
        match left {
            Some(left) if !is_final && !self.handle.shutdown.has_begun() => {
                waiting.due = now + waiting.wait.min(left);
                waiting.wait = (waiting.wait * 2).min(MAX_WAIT);
                waiting.is_new = false;
                self.waiting.push(waiting);
            }
            _ => {
                let is_stopped = !is_final && left.is_some();
                let result = match verification {
                    Ok(found) if is_stopped => Ok(Verification::stopped(found)),
                    Err(error) if is_transient => Ok(Verification::not_read(&error)),
                    other => other,
                };
                self.verified.extend(split(waiting.receipts, result));
            }
        }
    }

    /// Settles leads of which none could be looked for.
    fn settle_all(&mut self, batch: Vec<Waiting>, error: Error) {
        let now = self.handle.clock.now();
        for mut waiting in batch {
            let left = waiting.deadline.left(now).filter(|_| !self.handle.shutdown.has_begun());
            match left {
                Some(left) if error.is_transient() => {
                    waiting.due = now + waiting.wait.min(left);
                    waiting.wait = (waiting.wait * 2).min(MAX_WAIT);
                    waiting.is_new = false;
                    self.waiting.push(waiting);
                }
                _ => {
                    let result = if error.is_transient() {
                        Ok(Verification::not_read(&error))
                    } else {
                        Err(error.clone())
                    };
                    self.verified.extend(split(waiting.receipts, result));
                }
            }
        }
    }
}

/// The result of each receipt: a loss belongs to every receipt that wrote the field.
fn split(receipts: Vec<Receipt>, result: Result<Verification, Error>) -> Vec<Verified> {
    let mut actions = 0;
    let of_each = receipts.into_iter().map(|receipt| {
        let first = actions;
        actions += receipt.sent().actions().len();
        let result = result.clone().map(|verification| verification.part(receipt.sent(), first));
        (receipt, result)
    });
    of_each.collect()
}

/// Looks for leads once. The results are in the order of the leads. An error means that none of
/// the leads could be looked for.
async fn look(
    handle: &Handle,
    workspace: &Workspace,
    batch: &[&Waiting],
) -> Result<Vec<Result<Verification, Error>>, Error> {
    let mut halves = vec![batch];
    let mut results = Vec::new();
    while let Some(part) = halves.pop() {
        if let [waiting] = part {
            results.push(read_back(handle.clone(), workspace, &waiting.receipt).await);
            continue;
        }
        match search(handle, workspace, part).await {
            Ok(rows) => results.extend(compare(handle, workspace, part, &rows).await),
            // Without a network, smaller searches fail as well.
            Err(error) if error.status_code().is_none() || error.is_rate_limited() => {
                return Err(error);
            }
            Err(error) if error.is_not_authorized() || error.is_not_found() => return Err(error),
            // The server may not support a list of this length.
            Err(_) => {
                let (first, second) = part.split_at(part.len() / 2);
                handle.leads_per_search.lower_to(first.len());
                halves.push(second);
                halves.push(first);
            }
        }
    }
    Ok(results)
}

/// The rows that a search has found, by the key of their identifier.
struct Found {
    rows: BTreeMap<String, Vec<LeadRecord>>,
    /// The position of the last lead of the list that the server has certainly looked for.
    looked_for: Option<usize>,
}

/// Searches for all leads at once.
async fn search(
    handle: &Handle,
    workspace: &Workspace,
    batch: &[&Waiting],
) -> Result<Found, Error> {
    let leads = Leads(handle.clone());
    let api_name = workspace.identifier().api_name();
    let spellings = batch
        .iter()
        .filter(|waiting| key(workspace, &waiting.receipt).is_some())
        .map(|waiting| lookup::spellings(workspace, waiting.receipt.sent()));
    let spellings: Vec<FieldValue> = spellings.flatten().flatten().collect();
    let mut found = Found { rows: BTreeMap::new(), looked_for: None };
    if spellings.is_empty() {
        return Ok(found);
    }
    let filter = Filter::new().any_of(api_name, spellings);
    let mut skip = 0;
    loop {
        let page = leads.search(&filter, PageRequest { skip, limit: PAGE_SIZE }).await?;
        let count = u32::try_from(page.data.len()).unwrap_or(u32::MAX);
        for row in page.data {
            let key = row.get(api_name).and_then(|value| workspace.identifier_key(value));
            if let Some(key) = key {
                found.rows.entry(key).or_default().push(row);
            }
        }
        skip = skip.saturating_add(count);
        // Each lead has a row of its own, and a few have twins.
        if count == 0 || u64::from(skip) >= page.total_count || skip >= 4 * PAGE_SIZE {
            break;
        }
    }
    found.looked_for = batch.iter().rposition(|waiting| {
        key(workspace, &waiting.receipt).is_some_and(|key| found.rows.contains_key(&key))
    });
    Ok(found)
}

/// The key by which a row is recognised. A number whose country is assumed has none, because it can
/// be another person's.
fn key(workspace: &Workspace, receipt: &Receipt) -> Option<String> {
    let identifier = lookup::identifier(workspace, receipt.sent())?;
    workspace.identifier_key(identifier).filter(|_| !workspace.assumes_country(identifier))
}

/// Compares each lead with the row that was found.
async fn compare(
    handle: &Handle,
    workspace: &Workspace,
    batch: &[&Waiting],
    found: &Found,
) -> Vec<Result<Verification, Error>> {
    let mut results: Vec<BoxFuture<'_, _>> = Vec::new();
    let mut is_alone = vec![false; batch.len()];
    for (index, Waiting { receipt, is_last, .. }) in batch.iter().enumerate().rev() {
        let leads = Leads(handle.clone());
        let key = key(workspace, receipt);
        let rows = key.as_ref().and_then(|key| found.rows.get(key));
        let row = rows.map(|rows| lookup::select(workspace, receipt.sent(), rows.clone()));
        // If the server found a later value of the list, it has looked for this one, too.
        let was_looked_for = key.is_some() && found.looked_for.is_some_and(|last| index < last);
        let is_certain = row.is_some() || was_looked_for;
        // Of the others, one is looked for alone, and each before its last result.
        is_alone[index] = key.is_none() || !is_certain && (*is_last || !is_alone.contains(&true));
        results.push(if is_alone[index] {
            read_back(handle.clone(), workspace, receipt).boxed()
        } else {
            let row = row.unwrap_or(lookup::Found::Nothing);
            async move { assess(&leads, workspace, receipt, row).await }.boxed()
        });
    }
    results.reverse();
    let results: Vec<_> = stream::iter(results).buffered(CONCURRENCY).collect().await;
    let exists = |result: &Result<_, _>| {
        matches!(result, Ok(Verification::Stored(_) | Verification::Differs { .. }))
    };
    if results.iter().zip(is_alone).any(|(result, is_alone)| is_alone && exists(result)) {
        // The server ignores the end of a list of this length.
        handle.leads_per_search.lower_to(found.looked_for.map_or(1, |last| last + 1));
    }
    results
}
