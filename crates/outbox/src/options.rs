//! The settings of an outbox.

use crate::clock::SystemClock;
use std::sync::Arc;
use std::time::Duration;
use telecrm::{Clock, RateLimit};

/// What to do with a lead of which telecrm would drop a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenLossy {
    /// Queue nothing of the call, and return an error.
    #[default]
    Refuse,
    /// Queue what is valid. The findings stay with the item.
    QueueValid,
    /// Queue the lead as it is. The findings stay with the item.
    QueueAsIs,
}

/// What to do with an item with actions whose send ended without an answer. Sending actions again
/// appends them twice. Items without actions are always repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenMaybeSent {
    /// Read the timeline, and send again only if the actions are not there.
    #[default]
    Check,
    /// Send again.
    Resend,
    /// Do not send again. The item is dead, and its reason is "unknown outcome".
    Hold,
}

/// The settings of an outbox.
///
/// ```
/// use std::time::Duration;
/// use telecrm_outbox::{Options, WhenLossy};
///
/// let options = Options::new("ent-local")
///     .when_lossy(WhenLossy::QueueValid)
///     .capacity(50_000)
///     .gap(Duration::from_secs(2));
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) enterprise: String,
    pub(crate) country: String,
    pub(crate) time_zone: String,
    pub(crate) when_lossy: WhenLossy,
    pub(crate) when_maybe_sent: WhenMaybeSent,
    pub(crate) capacity: u64,
    pub(crate) low_water: u64,
    pub(crate) gap: Duration,
    pub(crate) keep_keys: Duration,
    pub(crate) concurrency: usize,
    pub(crate) send_timeout: Duration,
    pub(crate) async_limit: Option<RateLimit>,
    pub(crate) sync_limit: Option<RateLimit>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) max_pages: Option<u32>,
    /// Whether enterprise, country and zone are those that the store has.
    pub(crate) adopts: bool,
}

impl Options {
    /// The defaults for this enterprise ID. The store keeps the ID, and refuses another one.
    pub fn new(enterprise: impl Into<String>) -> Self {
        Self {
            enterprise: enterprise.into(),
            country: "IN".to_owned(),
            time_zone: "Asia/Kolkata".to_owned(),
            when_lossy: WhenLossy::default(),
            when_maybe_sent: WhenMaybeSent::default(),
            capacity: 10_000_000,
            low_water: 256 << 20,
            gap: Duration::from_secs(2),
            keep_keys: Duration::from_secs(30 * 86_400),
            concurrency: 30,
            send_timeout: Duration::from_secs(20),
            async_limit: Some(RateLimit::ASYNC),
            sync_limit: Some(RateLimit::SYNC),
            clock: Arc::new(SystemClock),
            max_pages: None,
            adopts: false,
        }
    }

    /// Options for a store that was opened before: its enterprise, country and time zone are kept.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), telecrm_outbox::Error> {
    /// use telecrm_outbox::{Options, Outbox};
    ///
    /// let outbox = Outbox::open("sqlite:leads.outbox", Options::of_store()).await?;
    /// println!("{} leads wait", outbox.stats().await?.waiting());
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_store() -> Self {
        Self { adopts: true, ..Self::new("") }
    }

    /// The default country of phone numbers, an ISO 3166 code. The default is India.
    #[must_use]
    pub fn country(mut self, country: impl Into<String>) -> Self {
        self.country = country.into();
        self
    }

    /// The time zone of the workspace. The default is `Asia/Kolkata`.
    #[must_use]
    pub fn time_zone(mut self, time_zone: impl Into<String>) -> Self {
        self.time_zone = time_zone.into();
        self
    }

    /// What to do with a lead of which telecrm would drop a part. The default refuses it.
    #[must_use]
    pub fn when_lossy(mut self, when: WhenLossy) -> Self {
        self.when_lossy = when;
        self
    }

    /// What to do with actions that may have been sent. The default reads the timeline.
    #[must_use]
    pub fn when_maybe_sent(mut self, when: WhenMaybeSent) -> Self {
        self.when_maybe_sent = when;
        self
    }

    /// How many items may wait. Further ones are refused as [`Full`](crate::ErrorKind::Full). The
    /// default is ten million.
    #[must_use]
    pub fn capacity(mut self, items: u64) -> Self {
        self.capacity = items;
        self
    }

    /// Queue nothing if the disk has less free space than this, in bytes. Sending goes on. The
    /// default is 256 MiB.
    #[must_use]
    pub fn low_water(mut self, bytes: u64) -> Self {
        self.low_water = bytes;
        self
    }

    /// The time between two sends of one lead. telecrm queues leads too, so that two sends at once
    /// could change places. The default is 2 s.
    #[must_use]
    pub fn gap(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    /// How long keys are known after their item was pruned. The default is 30 days.
    #[must_use]
    pub fn keep_keys(mut self, duration: Duration) -> Self {
        self.keep_keys = duration;
        self
    }

    /// How many leads are sent at the same time. The default is 30.
    #[must_use]
    pub fn concurrency(mut self, leads: usize) -> Self {
        self.concurrency = leads.max(1);
        self
    }

    /// The longest time of one send. The default is 20 s.
    #[must_use]
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.send_timeout = timeout;
        self
    }

    /// The rate limit of each slot of the sender, or none. The default is [`RateLimit::ASYNC`].
    ///
    /// All tokens of a [`TelecrmSender`](crate::TelecrmSender) are one slot: give it the sum of
    /// their limits.
    #[must_use]
    pub fn async_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.async_limit = limit;
        self
    }

    /// The rate limit of reading back, or none. The default is [`RateLimit::SYNC`].
    #[must_use]
    pub fn sync_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.sync_limit = limit;
        self
    }

    /// Replaces the machine's clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Limits the size of an SQLite file, for tests of a full disk.
    #[doc(hidden)]
    #[must_use]
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }
}
