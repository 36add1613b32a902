//! Whole lists, item by item.

pub(crate) mod timeline;
pub(crate) mod walk;

use crate::pagination::walk::{Merge, Source, Walk, Window};
use crate::{ActionFilter, Error, Filter, Operation, PageRequest, Telecrm};
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::Value;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;
use telecrm_core::response::{Page, TeamMember};
use telecrm_core::{ActionRecord, FieldValue, LeadRecord};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

type Pages<T> = Pin<Box<dyn Stream<Item = Result<Vec<T>, Error>> + Send>>;

/// A whole list, item by item: a [`Stream`], with what is mostly needed of it built in.
///
/// Leads and timelines come newest first. Each item that is there from the start of the walk to its end comes exactly once, whatever is
/// added or goes meanwhile; what is newer than the start does not come. Items are recognised by ID, else by what
/// they hold. Where neither IDs nor times are told, repeats are left out, and the list is walked again when it shrinks. A page that only
/// repeats the one before it, or is newer than was asked for, is an error and not the end.
///
/// Requests are made as items are asked for, within the client's limits. Dropping the stream ends it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use telecrm::Operation;
/// # use telecrm::testing::{Response, FakeTelecrm};
/// # let rows = [serde_json::json!({ "name": "Jane Doe" }), serde_json::json!({ "name": "John Smith" })];
/// # let fake = FakeTelecrm::new().always(Operation::ListTeamMembers, Response::page(rows));
/// # let telecrm = fake.client();
///
/// let mut members = telecrm.team_members().stream(false).prefetch(1);
/// let first = members.next().await.expect("there are members")?;
/// assert_eq!(first.name(), Some("Jane Doe"));
/// let others = members.collect().await?;
/// assert_eq!(others.len(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is asked for items"]
pub struct Items<T> {
    pages: Pages<T>,
    /// What is left of the last page.
    ready: vec::IntoIter<T>,
}

impl<T: Send + Unpin + 'static> Items<T> {
    fn walk<S: Source<Item = T>>(walk: Walk<S>) -> Self {
        Self::of(stream::try_unfold(walk, async |mut walk| {
            Ok(walk.next_page().await?.map(|page| (page, walk)))
        }))
    }

    fn of(pages: impl Stream<Item = Result<Vec<T>, Error>> + Send + 'static) -> Self {
        Self {
            pages: Box::pin(pages),
            ready: Vec::new().into_iter(),
        }
    }

    /// Requests up to so many pages ahead, in a task of its own, while items are worked on.
    ///
    /// # Panics
    /// Outside a tokio runtime; and where the task panics, as without it.
    pub fn prefetch(self, pages: usize) -> Self {
        let (sender, receiver) = mpsc::channel(pages.max(1));
        let mut ahead = self.pages;
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Some(page) = ahead.next().await {
                let failed = page.is_err();
                if sender.send(page).await.is_err() || failed {
                    break;
                }
            }
        });
        // The task goes with the stream that holds it, and only its own end is that of the list.
        let pages = stream::unfold((receiver, task), async |(mut receiver, mut task)| {
            let page = match receiver.recv().await {
                Some(page) => page,
                None => match task.join_next().await?.err()?.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(Error::config(
                        "the list was not read to its end: the runtime in which pages were requested ahead is gone",
                    )),
                },
            };
            Some((page, (receiver, task)))
        });
        Self {
            pages: Box::pin(pages),
            ready: self.ready,
        }
    }

    /// The next item, or nothing at the end. After an error the stream is at its end; of leads and entries one of what is
    /// [not newer](crate::Filter::between) than the last item goes on from there.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        StreamExt::next(self).await
    }

    /// All items that are left.
    ///
    /// # Errors
    /// The first fault; what came before it is lost, so for long lists take them one by one.
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
            if let Some(item) = self.ready.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.as_mut().poll_next(context)) {
                Some(Ok(page)) => self.ready = page.into_iter(),
                Some(Err(error)) => {
                    self.pages = Box::pin(stream::empty());
                    return Poll::Ready(Some(Err(error)));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> std::fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items")
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

/// As many as the server gives at once.
const LEADS: u32 = 100;
const ACTIONS: u32 = 100;
const MEMBERS: u32 = 10;

pub(crate) fn leads(telecrm: &Telecrm, filter: Filter) -> Items<LeadRecord> {
    let mut merge = Merge::new();
    for filter in filter.branches() {
        let asked = filter.created_on();
        let telecrm = telecrm.clone();
        merge.add(Walk::new(LeadsOf { telecrm, filter }, asked));
    }
    Items::of(stream::try_unfold(merge, async |mut merge| {
        Ok(merge.next_page().await?.map(|page| (page, merge)))
    }))
}

struct LeadsOf {
    telecrm: Telecrm,
    filter: Filter,
}

impl Source for LeadsOf {
    type Item = LeadRecord;

    fn operation(&self) -> Operation {
        Operation::SearchLeads
    }

    fn page_size(&self) -> u32 {
        LEADS
    }

    async fn page(&self, window: Window, skip: u32) -> Result<Page<LeadRecord>, Error> {
        let filter = match window == Window::default() {
            true => self.filter.clone(),
            false => self.filter.clone().in_window(window),
        };
        let slice = PageRequest { skip, limit: LEADS };
        self.telecrm.leads().search(&filter, slice).await
    }

    /// None where the filter names times: a range in their place would ask for other leads.
    fn time(&self, lead: &LeadRecord) -> Option<i64> {
        match self
            .filter
            .fields
            .get("created_on")
            .map(FieldValue::as_json)
        {
            None | Some(Value::Object(_)) => lead.created().map(|time| time.as_millisecond()),
            Some(_) => None,
        }
    }

    fn key(&self, lead: &LeadRecord) -> String {
        match lead.id() {
            Some(id) => id.to_owned(),
            None => {
                let identifier = self.telecrm.identifier();
                let identifier =
                    identifier.and_then(|name| lead.get(&name).map(ToString::to_string));
                identifier.unwrap_or_else(|| content(lead))
            }
        }
    }
}

pub(crate) fn actions(
    telecrm: &Telecrm,
    lead_id: &str,
    filter: ActionFilter,
) -> Items<ActionRecord> {
    let millis = |time: Option<jiff::Timestamp>| time.map(|time| time.as_millisecond());
    let asked = Window {
        from: millis(filter.from),
        to: millis(filter.to),
    };
    let source = ActionsOf {
        telecrm: telecrm.clone(),
        lead_id: lead_id.to_owned(),
        filter,
    };
    Items::walk(Walk::new(source, asked))
}

struct ActionsOf {
    telecrm: Telecrm,
    lead_id: String,
    filter: ActionFilter,
}

impl Source for ActionsOf {
    type Item = ActionRecord;

    fn operation(&self) -> Operation {
        Operation::SearchActions
    }

    fn page_size(&self) -> u32 {
        ACTIONS
    }

    async fn page(&self, window: Window, skip: u32) -> Result<Page<ActionRecord>, Error> {
        let time = |millis: Option<i64>| {
            millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        };
        let filter = self
            .filter
            .clone()
            .between(time(window.from), time(window.to));
        let slice = PageRequest {
            skip,
            limit: ACTIONS,
        };
        let actions = self.telecrm.leads().actions(&self.lead_id);
        actions.search(&filter, slice).await
    }

    fn time(&self, action: &ActionRecord) -> Option<i64> {
        action.created().map(|time| time.as_millisecond())
    }

    fn key(&self, action: &ActionRecord) -> String {
        action.id().map_or_else(|| content(action), str::to_owned)
    }
}

/// Members come by name and tell no time, so they are counted through.
pub(crate) fn team_members(telecrm: &Telecrm, include_deleted: bool) -> Items<TeamMember> {
    let source = MembersOf {
        telecrm: telecrm.clone(),
        include_deleted,
    };
    Items::walk(Walk::new(source, Window::default()))
}

struct MembersOf {
    telecrm: Telecrm,
    include_deleted: bool,
}

impl Source for MembersOf {
    type Item = TeamMember;

    fn operation(&self) -> Operation {
        Operation::ListTeamMembers
    }

    fn page_size(&self) -> u32 {
        MEMBERS
    }

    async fn page(&self, _: Window, skip: u32) -> Result<Page<TeamMember>, Error> {
        let slice = PageRequest {
            skip,
            limit: MEMBERS,
        };
        self.telecrm
            .team_members()
            .list(slice, self.include_deleted)
            .await
    }

    fn time(&self, _: &TeamMember) -> Option<i64> {
        None
    }

    fn key(&self, member: &TeamMember) -> String {
        member
            .email()
            .map_or_else(|| content(member), str::to_lowercase)
    }
}

/// What cannot be told by an ID is told by all it holds.
fn content(item: &impl serde::Serialize) -> String {
    serde_json::to_string(item).unwrap_or_default()
}

impl Filter {
    /// The range of creation times that is asked for, as far as it is in milliseconds.
    fn created_on(&self) -> Window {
        let range = self.fields.get("created_on").map(FieldValue::as_json);
        let bound = |key| range?.get(key)?.as_i64();
        Window {
            from: bound("from"),
            to: bound("to"),
        }
    }

    fn in_window(self, window: Window) -> Self {
        let range = match self.fields.get("created_on").map(FieldValue::as_json) {
            Some(Value::Object(range)) => range.clone(),
            _ => serde_json::Map::new(),
        };
        self.bounded("created_on", range, window.from, window.to)
    }

    /// LE10: the server has been seen to fail on an assignee together with several statuses, so each gets a query of its own.
    pub(crate) fn branches(self) -> Vec<Self> {
        let statuses = self.fields.get("status").and_then(FieldValue::as_strings);
        match statuses {
            Some(statuses) if statuses.len() > 1 && self.fields.contains_key("assignee") => {
                let mut branches = Vec::new();
                for status in statuses {
                    let branch = self.clone().eq("status", status);
                    if !branches.contains(&branch) {
                        branches.push(branch);
                    }
                }
                branches
            }
            _ => vec![self],
        }
    }
}
