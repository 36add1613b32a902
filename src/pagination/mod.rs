//! Lists of any length: one page at a time, or item by item.

pub(crate) mod cursor;
mod merge;
pub(crate) mod overlap;
mod seen;
#[cfg(test)]
mod tests;
pub(crate) mod time_window;

use self::cursor::{Cursor, ListId};
pub(crate) use self::merge::Place;
use self::merge::{Merge, Merged, MergedItem};
use self::time_window::{PageSource, TimeWindowPager};
use crate::{Error, Operation};
use futures_util::stream::{self, Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// One page of a list: how many items to skip, and how many to return.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::{Filter, PageRequest};
/// # let telecrm = telecrm::testing::FakeTelecrm::new().client();
///
/// // The server returns at most 100 leads (LE5), so this request is not sent.
/// let too_many = PageRequest { limit: 500, ..PageRequest::default() };
/// let error = telecrm.leads().search(&Filter::new(), too_many).await.unwrap_err();
/// assert_eq!(error.phase(), telecrm::Phase::NotBuilt);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PageRequest {
    /// How many items to skip.
    pub skip: u32,
    /// How many items to return: 1 to 100 leads or actions, 1 to 10 team members.
    pub limit: u32,
}

/// The first ten items, which is also the server's default.
impl Default for PageRequest {
    fn default() -> Self {
        Self { skip: 0, limit: 10 }
    }
}

impl PageRequest {
    /// Returns `skip` and `limit` as the generated requests take them. The server answers 400 to a
    /// limit out of range (LE5, TM1).
    pub(crate) fn check(self, operation: Operation, max: u32) -> Result<(i64, i64), Error> {
        if (1..=max).contains(&self.limit) {
            Ok((self.skip.into(), self.limit.into()))
        } else {
            let message = format!("`limit` is {}, not between 1 and {max}", self.limit);
            Err(Error::invalid(operation, message))
        }
    }
}

/// How often in a row a page may fail before the list ends.
const MAX_FAILURES: u32 = 3;

type Pages<T> = Pin<Box<dyn Stream<Item = Result<Merged<T>, Error>> + Send>>;

/// All items of a list, one by one: a [`Stream`] with the most common adapters built in.
///
/// Leads and actions come newest first. Items that exist during the whole iteration come exactly
/// once, even if others are added or deleted meanwhile. Items that are newer than the start do not
/// come.
///
/// Items are identified by ID, otherwise by content. If their times are missing or rounded, the
/// list is read by position, and again if it shrinks, up to five times. A list that contradicts
/// itself ends with an error: it repeats a page, ignores the time range, or holds fewer items than
/// the server counts.
///
/// Each page is requested when its first item is needed, within the client's rate limits. Dropping
/// the stream stops it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::Operation;
/// # use telecrm::testing::{Response, FakeTelecrm};
/// # let rows = ["Jane Doe", "John Smith"].map(|name| serde_json::json!({ "name": name }));
/// # let fake = FakeTelecrm::new().always(Operation::ListTeamMembers, Response::page(rows));
/// # let telecrm = fake.client();
///
/// let mut members = telecrm.team_members().stream().prefetch(1);
/// let first = members.next().await.expect("at least one member")?;
/// assert_eq!(first.name(), Some("Jane Doe"));
/// let others = members.collect().await?;
/// assert_eq!(others.len(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct Items<T> {
    pages: Pages<T>,
    /// The items of the last page that are not returned yet.
    ready: vec::IntoIter<MergedItem<T>>,
    /// Where that page begins and ends.
    before: Place,
    after: Place,
    /// The keys of its items that were returned, and the time of the last one.
    taken: Vec<String>,
    time: Option<i64>,
    id: ListId,
}

impl<T: Send + Unpin + 'static> Items<T> {
    /// Merges the branches of a list, newest items first, from a place on.
    pub(crate) fn from_pagers<S: PageSource<Item = T>>(
        id: ListId,
        pagers: impl IntoIterator<Item = TimeWindowPager<S>>,
        place: Place,
    ) -> Self {
        let merge = Merge::new(pagers, place.clone());
        let pages = stream::unfold((merge, 0), async |(mut merge, failures)| {
            if failures == MAX_FAILURES {
                return None;
            }
            let page = merge.next_page().await.transpose()?;
            let failures = if page.is_err() { failures + 1 } else { 0 };
            Some((page, (merge, failures)))
        });
        let ready = Vec::new().into_iter();
        Self {
            pages: Box::pin(pages),
            ready,
            before: place.clone(),
            after: place,
            taken: Vec::new(),
            time: None,
            id,
        }
    }

    /// The place in the list after the item that was returned last. `stream_from` goes on there, in
    /// another process as well.
    pub fn cursor(&self) -> Cursor {
        let place = if self.ready.as_slice().is_empty() {
            self.after.clone()
        } else {
            let mut place = self.before.clone();
            place.returned.extend(self.taken.iter().cloned());
            place.time = self.time.or(place.time);
            place
        };
        Cursor::new(self.id.clone(), place)
    }

    /// Requests up to this many pages ahead, in a task of its own, while items are processed.
    ///
    /// # Panics
    /// Panics outside a tokio runtime. A panic of the task is resumed here.
    pub fn prefetch(self, pages: usize) -> Self {
        let (sender, receiver) = mpsc::channel(pages.max(1));
        let mut ahead = self.pages;
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Some(page) = ahead.next().await {
                if sender.send(page).await.is_err() {
                    break;
                }
            }
        });
        // Dropping the stream aborts the task. The list has ended only if the task has ended by
        // itself.
        let pages = stream::unfold((receiver, task), async |(mut receiver, mut task)| {
            let page = match receiver.recv().await {
                Some(page) => page,
                None => match task.join_next().await?.err()?.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(Error::config(
                        "the list ended early: the runtime of the prefetch task has shut down",
                    )),
                },
            };
            Some((page, (receiver, task)))
        });
        Self { pages: Box::pin(pages), ..self }
    }

    /// Returns the next item, or `None` at the end.
    ///
    /// After an error the next call requests the same page again, so that one bad page does not
    /// end a long list. After three errors in a row, or if the pages contradict each other, the
    /// stream is at its end.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        StreamExt::next(self).await
    }

    /// Returns all remaining items.
    ///
    /// # Errors
    /// Returns the first error and drops the items before it. Take the items of long lists one by
    /// one.
    pub async fn collect(mut self) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }
}

impl<T: Send + Unpin + 'static> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(MergedItem { item, key, time }) = self.ready.next() {
                self.taken.push(key);
                self.time = time;
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.as_mut().poll_next(context)) {
                Some(Ok(page)) => {
                    self.ready = page.items.into_iter();
                    self.before = std::mem::replace(&mut self.after, page.after);
                    self.taken.clear();
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> std::fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}
