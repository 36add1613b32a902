//! How do I export leads to CSV?
//!
//! Streams leads from all pages, so that memory does not grow with their number.
//!
//!     cargo run --example stream_to_csv > leads.csv

use std::io;
use telecrm::{Filter, LeadRecord, Telecrm};

const COLUMNS: [&str; 4] = ["phone", "name", "status", "contact_source"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telecrm = Telecrm::from_env()?;

    let mut csv = csv::Writer::from_writer(io::stdout());
    csv.write_record(COLUMNS)?;

    // Filters are joined by AND, the values of one by OR. `prefetch` requests a page ahead.
    let filter = Filter::new().any_of("status", ["Fresh", "Contacted"]);
    let mut leads = telecrm.leads().stream(filter).prefetch(1);
    while let Some(lead) = leads.next().await {
        let lead = lead?;
        csv.write_record(COLUMNS.map(|column| cell(&lead, column)))?;
    }
    csv.flush()?;
    Ok(())
}

fn cell(lead: &LeadRecord, column: &str) -> String {
    match lead.get(column) {
        None => String::new(),
        // Numbers and lists are written as JSON.
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}
