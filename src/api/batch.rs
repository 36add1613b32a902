//! Many writes with one call: several at a time, in order per lead, as fast as the rate limit
//! allows.

use super::ingest::{Ingest, Receipt};
use super::leads::{Leads, Upserted};
use super::schema;
use crate::handle::Handle;
use crate::transport::Transport;
use crate::{Error, Lead};
use futures_util::future::{self, BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, Fuse, Stream, StreamExt};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::IntoFuture;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use telecrm_core::Workspace;
use tokio::sync::oneshot;
use tokio::task::{self, JoinError, JoinSet};

/// How many leads are written at a time.
const CONCURRENCY: usize = 16;

/// How many leads may wait for an earlier write of the same lead.
const MAX_WAITING: usize = 1000;

impl Ingest {
    /// Pushes many leads, and returns a result for each: see [`Batch`].
    ///
    /// [Verify](Self::verify_all) the receipts afterwards, because telecrm drops leads and fields
    /// without an error.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::Lead;
    ///
    /// let leads: Vec<_> = (0..3)
    ///     .map(|number| Lead::new().set("phone", format!("91999999999{number}")))
    ///     .collect();
    /// let mut pushes = telecrm.ingest().push_all(leads);
    /// let mut receipts = Vec::new();
    /// while let Some((index, result)) = pushes.next().await {
    ///     match result {
    ///         Ok(receipt) => receipts.push(receipt),
    ///         Err(error) => eprintln!("lead {index}: {error:#}"),
    ///     }
    /// }
    /// assert_eq!(receipts.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn push_all<I>(&self, leads: I) -> Batch<Receipt>
    where
        I: IntoIterator<Item = Lead>,
        I::IntoIter: Send + 'static,
    {
        self.push_stream(stream::iter(leads))
    }

    /// Pushes leads as they come, as [`push_all`](Self::push_all) does. Takes leads no faster than
    /// it can send them.
    pub fn push_stream(&self, leads: impl Stream<Item = Lead> + Send + 'static) -> Batch<Receipt> {
        let transport = self.0.ingest.as_ref().map(|api| api.connection.transport.clone());
        Batch::new(&self.0, transport, leads, |handle, lead| {
            async move { Ingest(handle).push(&lead).await }.boxed()
        })
    }
}

impl Leads {
    /// Creates or updates many leads, and returns a result for each: see [`upsert`](Self::upsert)
    /// and [`Batch`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::Lead;
    ///
    /// // Two rows of one lead are written one after the other.
    /// let leads = [3, 4].map(|rating| {
    ///     Lead::new().set("phone", "919999999999").set("rating", rating)
    /// });
    /// let results = telecrm.leads().upsert_all(leads).await; // in the order of the leads
    /// assert!(results[0].as_ref().is_ok_and(|upserted| upserted.is_created()));
    /// assert!(results[1].as_ref().is_ok_and(|upserted| !upserted.is_created()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn upsert_all<I>(&self, leads: I) -> Batch<Upserted>
    where
        I: IntoIterator<Item = Lead>,
        I::IntoIter: Send + 'static,
    {
        let transport = self.0.sync.as_ref().map(|api| api.connection.transport.clone());
        Batch::new(&self.0, transport, stream::iter(leads), |handle, lead| {
            async move { Leads(handle).upsert(&lead).await }.boxed()
        })
    }
}

/// Many writes: a [`Stream`] of results, each with the index of its lead, which begins
/// at 0. From [`Ingest::push_all`] and [`Leads::upsert_all`].
///
/// Up to 16 leads are written at a time, each as a call of its own. Leads with the same identifier
/// are written one after the other, in their order. A lead is taken from its source when the rate
/// limit has room for it. The timeout of a call begins then, so that a long list does not time
/// out.
///
/// Which leads have the same identifier is known from the workspace. Without a Sync token, or if
/// the workspace cannot be discovered, leads are pushed one at a time.
///
/// Awaiting a batch returns all results in the order of the leads. To stop in between, call
/// [`stop`](Self::stop) and take the remaining results. Dropping a batch instead leaves the outcome
/// of the writes in flight unknown.
///
/// # Panics
/// Panics if polled outside a tokio runtime. A panic of the source of the leads is not caught.
#[must_use = "a batch does nothing until it is polled"]
pub struct Batch<T> {
    results: BoxStream<'static, (usize, Result<T, Error>)>,
    stopped: Arc<AtomicBool>,
}

impl<T: Send + 'static> Batch<T> {
    fn new(
        handle: &Handle,
        transport: Option<Arc<Transport>>,
        leads: impl Stream<Item = Lead> + Send + 'static,
        write: fn(Handle, Lead) -> BoxFuture<'static, Result<T, Error>>,
    ) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            handle: handle.clone(),
            transport,
            source: Some(leads.boxed().fuse()),
            stopped: stopped.clone(),
            write,
            workspace: None,
            taken: 0,
            lanes: Lanes::default(),
            in_flight: JoinSet::new(),
            begun: HashMap::new(),
        };
        let results =
            stream::unfold(writer, async |mut writer| Some((writer.next().await?, writer)));
        Self { results: results.boxed(), stopped }
    }

    /// Returns the next result in any order, or `None` after the last one.
    pub async fn next(&mut self) -> Option<(usize, Result<T, Error>)> {
        StreamExt::next(self).await
    }

    /// Starts no other write. The results of those in flight still come, and then the batch ends.
    /// A lead without a result was not written.
    pub fn stop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

impl<T> Stream for Batch<T> {
    type Item = (usize, Result<T, Error>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.results.as_mut().poll_next(context)
    }
}

impl<T: Send + 'static> IntoFuture for Batch<T> {
    type Output = Vec<Result<T, Error>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let sorted = async {
            let mut results: Vec<_> = self.collect().await;
            results.sort_unstable_by_key(|(index, _)| *index);
            results.into_iter().map(|(_, result)| result).collect()
        };
        sorted.boxed()
    }
}

impl<T> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").finish_non_exhaustive()
    }
}

/// A lead to write.
struct Item {
    index: usize,
    lead: Lead,
    /// The normal form of its identifier.
    key: Option<String>,
}

/// The leads being written, each with the items that wait for it.
#[derive(Default)]
struct Lanes {
    lanes: HashMap<String, VecDeque<Item>>,
    waiting: usize,
    /// Items whose predecessor has ended.
    ready: VecDeque<Item>,
}

impl Lanes {
    /// Takes an item. Returns it if its lead is not being written.
    fn enter(&mut self, item: Item) -> Option<Item> {
        let Some(key) = item.key.clone() else {
            return Some(item);
        };
        match self.lanes.entry(key) {
            Entry::Vacant(lane) => {
                lane.insert(VecDeque::new());
                Some(item)
            }
            Entry::Occupied(mut lane) => {
                lane.get_mut().push_back(item);
                self.waiting += 1;
                None
            }
        }
    }

    /// Notes that the write of this lead has ended.
    fn leave(&mut self, key: &str) {
        let next = self.lanes.get_mut(key).and_then(VecDeque::pop_front);
        match next {
            Some(next) => {
                self.waiting -= 1;
                self.ready.push_back(next);
            }
            None => {
                self.lanes.remove(key);
            }
        }
    }
}

/// A task of a write that has ended.
type Ended<T> = Result<(task::Id, Result<T, Error>), JoinError>;

struct Writer<T> {
    handle: Handle,
    /// `None` without a token. Each write then ends with that error.
    transport: Option<Arc<Transport>>,
    /// `None` at its end.
    source: Option<Fuse<BoxStream<'static, Lead>>>,
    stopped: Arc<AtomicBool>,
    write: fn(Handle, Lead) -> BoxFuture<'static, Result<T, Error>>,
    /// `Some(None)` if it is not known. Identifiers are then not known either.
    workspace: Option<Option<Arc<Workspace>>>,
    taken: usize,
    lanes: Lanes,
    in_flight: JoinSet<Result<T, Error>>,
    /// Index and normal identifier of the leads in flight.
    begun: HashMap<task::Id, (usize, Option<String>)>,
}

impl<T: Send + 'static> Writer<T> {
    async fn next(&mut self) -> Option<(usize, Result<T, Error>)> {
        if self.workspace.is_none() {
            let known = self.handle.sync.is_some().then(|| schema::workspace(&self.handle));
            let known = future::OptionFuture::from(known).await;
            self.workspace = Some(known.and_then(Result::ok));
        }
        loop {
            if self.stopped.load(Ordering::SeqCst) {
                self.source = None;
                self.lanes.ready.clear();
            }
            let ended = if self.in_flight.len() < self.concurrency() && self.has_more() {
                let Some(ended) = self.begin().await else {
                    continue;
                };
                ended
            } else {
                self.in_flight.join_next_with_id().await?
            };
            return Some(self.end(ended));
        }
    }

    fn concurrency(&self) -> usize {
        if matches!(self.workspace, Some(Some(_))) { CONCURRENCY } else { 1 }
    }

    /// Whether a write can begin, as far as is known.
    fn has_more(&self) -> bool {
        !self.lanes.ready.is_empty() || self.source.is_some() && self.lanes.waiting < MAX_WAITING
    }

    /// Begins a write as soon as the rate limit has room and the source has a lead. Returns early
    /// with a write that ends meanwhile.
    async fn begin(&mut self) -> Option<Ended<T>> {
        let shutdown = &self.handle.shutdown;
        let wait = self.transport.as_ref().map(|transport| transport.until_free());
        if let Some(wait) = wait.filter(|wait| !wait.is_zero() && !shutdown.has_begun()) {
            let sleep = shutdown.interrupt(self.handle.clock.sleep(wait));
            return unless_ended(&mut self.in_flight, sleep).await.err();
        }
        let item = match (self.lanes.ready.pop_front(), &mut self.source) {
            (Some(item), _) => item,
            (None, Some(source)) => match unless_ended(&mut self.in_flight, source.next()).await {
                Err(ended) => return Some(ended),
                Ok(None) => {
                    self.source = None;
                    return None;
                }
                Ok(Some(lead)) => {
                    let item = self.item(lead);
                    self.lanes.enter(item)?
                }
            },
            (None, None) => return None,
        };
        let mut write = (self.write)(self.handle.clone(), item.lead);
        let (begin, has_begun) = oneshot::channel();
        let task = self.in_flight.spawn(async move {
            let early = future::poll_immediate(&mut write).await;
            // The write has its place in the rate limit now, so the next one can be considered.
            let _ = begin.send(());
            match early {
                Some(result) => result,
                None => write.await,
            }
        });
        self.begun.insert(task.id(), (item.index, item.key));
        let _ = has_begun.await;
        None
    }

    fn item(&mut self, lead: Lead) -> Item {
        let workspace = self.workspace.as_ref().and_then(Option::as_ref);
        let key = workspace.and_then(|workspace| {
            let identifier = lead.get(workspace.identifier().api_name())?;
            workspace.identifier_key(identifier)
        });
        self.taken += 1;
        Item { index: self.taken - 1, lead, key }
    }

    fn end(&mut self, ended: Ended<T>) -> (usize, Result<T, Error>) {
        let (id, result) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let id = error.id();
                match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => (id, Err(Error::config("the runtime of the batch has shut down"))),
                }
            }
        };
        let (index, key) = self.begun.remove(&id).unwrap_or_default();
        if let Some(key) = key {
            self.lanes.leave(&key);
        }
        (index, result)
    }
}

/// Waits for a future, unless a write ends first.
async fn unless_ended<T: 'static, R>(
    in_flight: &mut JoinSet<Result<T, Error>>,
    other: impl Future<Output = R>,
) -> Result<R, Ended<T>> {
    let mut other = pin!(other);
    // A simulated clock moves on when a sleep is polled, so the writes come first.
    future::poll_fn(|context| match in_flight.poll_join_next_with_id(context) {
        Poll::Ready(Some(ended)) => Poll::Ready(Err(ended)),
        _ => other.as_mut().poll(context).map(Ok),
    })
    .await
}
