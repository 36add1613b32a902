//! How do I see what the client does in production?
//!
//! Each call is a `tracing` span with the names of OpenTelemetry, and an observer receives a
//! report of each call for metrics. Neither has tokens, enterprise ID or values of leads.
//!
//!     cargo run --example tracing_and_metrics
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use telecrm::{Builder, Filter};
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Default)]
struct Metrics {
    requests: AtomicU64,
    errors: AtomicU64,
    waited_ms: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_span_events(FmtSpan::CLOSE).with_writer(std::io::stderr).init();

    // The observer runs within the call, so it should be quick.
    let metrics = Arc::new(Metrics::default());
    let observed = metrics.clone();
    let telecrm = Builder::from_env()?
        .on_call(move |report| {
            let Metrics { requests, errors, waited_ms } = &*observed;
            requests.fetch_add(report.attempts.into(), Ordering::Relaxed);
            errors.fetch_add(report.error_type.is_some().into(), Ordering::Relaxed);
            waited_ms.fetch_add(report.waited.as_millis() as u64, Ordering::Relaxed);
        })
        .build()?;

    let count = telecrm.leads().count(&Filter::new()).await?;
    println!("{count} leads");
    println!("{} requests", metrics.requests.load(Ordering::Relaxed));
    println!("{} errors", metrics.errors.load(Ordering::Relaxed));
    println!("{} ms waited", metrics.waited_ms.load(Ordering::Relaxed));
    Ok(())
}
