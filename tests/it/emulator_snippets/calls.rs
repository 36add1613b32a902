//! Copied from the emulator's pages by the test in `emulator_snippets.rs`.

use std::error::Error;
use telecrm::{Method, Reply, Telecrm};

pub(crate) async fn metadata(telecrm: &Telecrm) -> Result<Reply, Box<dyn Error>> {
let reply = telecrm
    .request(Method::Get, "/metadata")
    .send()
    .await?;
Ok(reply)
}

pub(crate) async fn fields_in_detail(telecrm: &Telecrm) -> Result<Reply, Box<dyn Error>> {
let reply = telecrm
    .request(Method::Get, "/custom-fields")
    .query("detail", "true")
    .query("a", "&\"")
    .send()
    .await?;
Ok(reply)
}

pub(crate) async fn unknown_lead(telecrm: &Telecrm) -> Result<Reply, Box<dyn Error>> {
let reply = telecrm
    .request(Method::Get, "/lead/no \"lead\"")
    .send()
    .await?;
Ok(reply)
}

pub(crate) async fn create(telecrm: &Telecrm) -> Result<Reply, Box<dyn Error>> {
let reply = telecrm
    .request(Method::Post, "/lead")
    .json(&serde_json::from_str::<serde_json::Value>(
        r###"{
  "fields": {
    "deal_size": 1.5,
    "name": "\"#\"## {} \\ ' é\n",
    "phone": "919999999999"
  }
}"###,
    )?)
    .send()
    .await?;
Ok(reply)
}

pub(crate) async fn search(telecrm: &Telecrm) -> Result<Reply, Box<dyn Error>> {
let reply = telecrm
    .request(Method::Post, "/lead/search")
    .query("limit", "5")
    .query("skip", "0")
    .json(&serde_json::from_str::<serde_json::Value>(
        r#"{}"#,
    )?)
    .send()
    .await?;
Ok(reply)
}

pub(crate) async fn ingest(telecrm: &Telecrm) -> Result<Reply, Box<dyn Error>> {
let reply = telecrm
    .request(Method::Post, "/autoupdatelead")
    .over_async()
    .json(&serde_json::from_str::<serde_json::Value>(
        r###"{
  "fields": {
    "deal_size": 1.5,
    "name": "\"#\"## {} \\ ' é\n",
    "phone": "919999999999"
  }
}"###,
    )?)
    .send()
    .await?;
Ok(reply)
}
