//! Incremental reading: the leads that were changed since the last time.

use super::filter::Filter;
use super::leads::Leads;
use crate::handle::Handle;
use crate::pagination::Items;
use crate::{Error, Operation};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::collections::HashSet;
use std::fmt;
use telecrm_core::LeadRecord;

const OPERATION: Operation = Operation::SearchLeads;
const MODIFIED_ON: &str = "modified_on";
const VERSION: u32 = 1;

/// How long before the start of a reading the next one begins. A change may become visible to
/// searches later than its time says. A poller was reported to use 2 minutes.
const OVERLAP_MS: i64 = 300_000;

impl Leads {
    /// Reads the leads that match and were changed since an earlier reading, or all of them.
    /// Exporters keep the [mark](Changes::mark) of each reading for the next one.
    ///
    /// A reading begins 5 minutes before the earlier one began, and leaves out what that one has
    /// returned. Times are those of the server. One request reads its clock.
    ///
    /// Deleted and merged leads are not reported as changes. Read all leads from time to time, and
    /// compare the IDs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = emulator.client();
    /// use telecrm::{ChangeMark, Filter, Lead};
    /// let create = async |phone| telecrm.leads().create(&Lead::new().set("phone", phone)).await;
    ///
    /// create("919999999998").await?.complete()?;
    /// let mut changes = telecrm.leads().changes(Filter::new(), None)?;
    /// while let Some(lead) = changes.next().await {
    ///     println!("{:?}", lead?.id());
    /// }
    /// let stored = serde_json::to_string(&changes.mark())?;
    ///
    /// create("919999999999").await?.complete()?;
    /// let mark: Option<ChangeMark> = serde_json::from_str(&stored)?;
    /// let mut changes = telecrm.leads().changes(Filter::new(), mark.as_ref())?;
    /// let lead = changes.next().await.expect("the new lead")?;
    /// assert_eq!(lead.get("phone"), Some(&"919999999999".into()));
    /// assert!(changes.next().await.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Invalid if the filter has `modified_on`, or if the mark belongs to another enterprise or
    /// filter.
    pub fn changes(&self, filter: Filter, since: Option<&ChangeMark>) -> Result<Changes, Error> {
        if filter.fields.contains_key(MODIFIED_ON) {
            let error = Error::invalid(OPERATION, "the filter has `modified_on` already");
            return Err(error.with_hint("leave it out, and give the mark of an earlier reading"));
        }
        let enterprise = self.0.enterprise();
        if since.is_some_and(|mark| mark.enterprise != enterprise) {
            let error = Error::invalid(OPERATION, "the mark belongs to another enterprise");
            return Err(error.with_hint("keep one mark for each enterprise"));
        }
        if since.is_some_and(|mark| mark.filter != filter) {
            let error = Error::invalid(OPERATION, "the mark belongs to another filter");
            return Err(error.with_hint("read all leads of the new filter once, without a mark"));
        }
        let from = since.and_then(|mark| Timestamp::from_millisecond(mark.from).ok());
        let narrowed = match from {
            Some(from) => filter.clone().between(MODIFIED_ON, Some(from), None),
            None => filter.clone(),
        };
        Ok(Changes {
            handle: self.0.clone(),
            leads: self.stream(narrowed),
            filter,
            earlier: since.map(|mark| mark.returned.clone()).unwrap_or_default(),
            next_from: None,
            returned: HashSet::new(),
            state: State::Start,
        })
    }
}

/// How far the changes of leads were read. From [`Changes::mark`].
///
/// It can be stored as JSON. It names the enterprise, the filter and the IDs of leads.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeMark {
    /// Read first, because another version may have other keys.
    #[serde(deserialize_with = "version")]
    version: u32,
    enterprise: String,
    filter: Filter,
    /// When the next reading begins, in Unix milliseconds.
    from: i64,
    /// The leads that were returned with a later change, each with the time of that change.
    returned: HashSet<(String, i64)>,
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        other => Err(de::Error::custom(format!(
            "this mark has version {other}, and this program reads version {VERSION}; read all \
             leads once, without a mark"
        ))),
    }
}

impl fmt::Debug for ChangeMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeMark").field("from", &self.from).finish_non_exhaustive()
    }
}

/// The changed leads, newest lead first. From [`Leads::changes`].
#[must_use = "changes are read when they are asked for"]
pub struct Changes {
    handle: Handle,
    leads: Items<LeadRecord>,
    filter: Filter,
    /// What the earlier reading has returned.
    earlier: HashSet<(String, i64)>,
    /// When the next reading begins. `None` if the time of the server is not known.
    next_from: Option<i64>,
    returned: HashSet<(String, i64)>,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Start,
    Reading,
    /// After an error. If nothing follows, leads are missing.
    Incomplete,
    End,
}

impl Changes {
    /// Returns the next changed lead, or `None` at the end.
    ///
    /// A lead without an ID or without `modified_on` is returned by each reading that finds it.
    pub async fn next(&mut self) -> Option<Result<LeadRecord, Error>> {
        if self.state == State::Start {
            // The clock is read before the leads, so that a change during the reading belongs to
            // the next one.
            match server_time(&self.handle).await {
                Ok(time) => self.next_from = time.map(|time| time.as_millisecond() - OVERLAP_MS),
                Err(error) => return Some(Err(error)),
            }
            self.state = State::Reading;
        }
        loop {
            let lead = match self.leads.next().await {
                Some(Ok(lead)) => {
                    // After an error, the page was read again.
                    self.state = State::Reading;
                    lead
                }
                Some(Err(error)) => {
                    self.state = State::Incomplete;
                    return Some(Err(error));
                }
                None => {
                    if self.state == State::Reading {
                        self.state = State::End;
                    }
                    return None;
                }
            };
            let change =
                lead.id().map(str::to_owned).zip(lead.modified().map(Timestamp::as_millisecond));
            let Some(change) = change else {
                return Some(Ok(lead));
            };
            let is_new = !self.earlier.contains(&change);
            if self.next_from.is_some_and(|from| change.1 >= from) {
                self.returned.insert(change);
            }
            if is_new {
                return Some(Ok(lead));
            }
        }
    }

    /// Where the next reading begins. Returns `None` before the end of this reading, if it ended
    /// with an error, or if the server does not tell its time. Then read again with the old mark.
    pub fn mark(&self) -> Option<ChangeMark> {
        let from = self.next_from.filter(|_| self.state == State::End)?;
        Some(ChangeMark {
            version: VERSION,
            enterprise: self.handle.enterprise().to_owned(),
            filter: self.filter.clone(),
            from,
            returned: self.returned.clone(),
        })
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

/// The clock of the server, from the header `Date`.
async fn server_time(handle: &Handle) -> Result<Option<Timestamp>, Error> {
    let response = handle
        .send(Operation::GetMetadata, |api, enterprise_id| api.get_metadata_request(enterprise_id));
    Ok(response.await?.date())
}
