//! The thread that owns the tables. It commits the work of many callers at once.

use super::{Result, Tables};
use crate::error::{Error, ErrorKind};
use std::sync::{Arc, mpsc};
use tokio::sync::oneshot;

/// The most pieces of work in one commit.
const GROUP: usize = 512;

/// Work for the thread.
type Job = Box<dyn FnOnce(Result<&mut dyn Tables>) -> Done + Send>;

/// Work that was done, but is not durable yet.
struct Done {
    failed: bool,
    /// Tells the caller the result, once the commit has succeeded or failed.
    report: Box<dyn FnOnce(Result<()>) + Send>,
}

/// Sends work to the thread that owns the tables. The thread ends after the last clone is dropped
/// and all work is done.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// The store, for error messages.
    pub(crate) place: Arc<str>,
}

impl Writer {
    pub(crate) fn start(mut tables: Box<dyn Tables>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let place = tables.place().into();
        let work = move || {
            while let Ok(first) = queue.recv() {
                let group = std::iter::once(first).chain(queue.try_iter()).take(GROUP);
                run_group(tables.as_mut(), group);
            }
        };
        let thread = std::thread::Builder::new().name("telecrm-outbox".to_owned()).spawn(work);
        thread.map_err(|error| {
            Error::new(ErrorKind::Store, format!("the thread of the store cannot start: {error}"))
        })?;
        Ok(Self { jobs, place })
    }

    /// Runs work in a transaction. Returns once it is durable. Work that fails changes nothing.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Tables) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(|tables| {
            let value = tables.and_then(work);
            let failed = value.is_err();
            // A caller that is gone needs no answer.
            let report = move |committed: Result<()>| drop(answer.send(committed.and(value)));
            Done { failed, report: Box::new(report) }
        });
        let closed = || Error::new(ErrorKind::Closed, "the outbox is closed");
        self.jobs.send(job).map_err(|_| closed())?;
        result.await.map_err(|_| closed())?.map_err(|error| error.at(&self.place))
    }

    /// Runs work without waiting for it.
    pub(crate) fn post(&self, work: impl FnOnce(&mut dyn Tables) + Send + 'static) {
        let job: Job = Box::new(|tables| {
            if let Ok(tables) = tables {
                work(tables);
            }
            Done { failed: false, report: Box::new(drop) }
        });
        // Without the thread there is nothing left to do.
        let _ = self.jobs.send(job);
    }
}

fn run_group(tables: &mut dyn Tables, group: impl Iterator<Item = Job>) {
    if let Err(error) = tables.begin() {
        group.for_each(|job| (job(Err(error.clone())).report)(Ok(())));
        return;
    }
    let done: Vec<_> = group.map(|job| run_one(tables, job)).collect();
    let committed = tables.commit();
    if committed.is_err() {
        tables.rollback();
    }
    done.into_iter().for_each(|done| (done.report)(committed.clone()));
}

fn run_one(tables: &mut dyn Tables, job: Job) -> Done {
    if let Err(error) = tables.mark() {
        return job(Err(error));
    }
    let done = job(Ok(&mut *tables));
    if done.failed {
        tables.undo();
    } else if let Err(error) = tables.keep() {
        let report = move |_| (done.report)(Err(error));
        return Done { failed: true, report: Box::new(report) };
    }
    done
}
