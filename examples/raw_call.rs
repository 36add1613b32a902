//! How do I call an endpoint that the client has no method for?
//!
//! `request` takes any path. `raw` has a function for each operation of the OpenAPI documents.
//! Both use the client's tokens, rate limits and retries, and neither checks what it sends.
//!
//!     cargo run --example raw_call
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use serde_json::json;
use telecrm::{Idempotency, Method, Telecrm};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telecrm = Telecrm::from_env()?;

    // The path is below `/enterprise/{id}`. GET requests are retried.
    let reply = telecrm.request(Method::Get, "/metadata").send().await?;
    println!("{}: {}", reply.status(), reply.json()?["name"]);

    // Other requests are retried only if they are declared safe.
    let reply = telecrm
        .request(Method::Post, "/lead/search")
        .query("limit", 1)
        .json(&json!({ "fields": {} }))
        .idempotency(Idempotency::Safe)
        .send()
        .await?;
    println!("{}: {} leads", reply.status(), reply.json()?["total_count"]);

    // The generated types may change with the documents in any release.
    let raw = telecrm.raw();
    let pipeline = raw.sync()?.get_lead_stage_pipeline(raw.enterprise_id()?).await?;
    println!("pipeline version {:?}", pipeline.version);
    Ok(())
}
