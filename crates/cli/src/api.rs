//! `telecrm api`: sends any request with the tokens and limits of the client.

use crate::access::{client, sync_client};
use crate::args::records::{Api, Method};
use crate::exit::{Exit, Failure};
use crate::input;
use crate::output::write_line;
use crate::settings::Settings;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use telecrm::{Reply, Request, Telecrm};

pub(crate) async fn run(options: Api) -> Result<Exit, Failure> {
    let body = options.body.as_deref().map(input::read_text).transpose()?;
    let body = body.map(|text| {
        serde_json::from_str::<Box<RawValue>>(&text)
            .map_err(|error| Failure::usage(format!("the body is not JSON: {error}")))
    });
    let body = body.transpose()?;
    if options.dry_run {
        let query: Map<_, _> = options
            .query
            .iter()
            .map(|parameter| (parameter.name.clone(), parameter.value.as_json().clone()))
            .collect();
        let method = format!("{:?}", options.method).to_uppercase();
        write_line(
            &json!({ "method": method, "path": options.path, "query": query, "body": body })
                .to_string(),
        )?;
        return Ok(Exit::Success);
    }
    let settings = Settings::load(&options.account)?;
    let telecrm = if options.over_async { client(&settings) } else { sync_client(&settings) }?;
    if options.paginate {
        return all_pages(&telecrm, &options, body.as_deref()).await;
    }
    let reply = request(&telecrm, &options, body.as_deref()).send().await?;
    print_reply(&reply)
}

fn request(telecrm: &Telecrm, options: &Api, body: Option<&RawValue>) -> Request {
    let method = match options.method {
        Method::Get => telecrm::Method::Get,
        Method::Post => telecrm::Method::Post,
        Method::Put => telecrm::Method::Put,
        Method::Patch => telecrm::Method::Patch,
        Method::Delete => telecrm::Method::Delete,
    };
    let mut request = telecrm.request(method, options.path.clone());
    for parameter in &options.query {
        request = match parameter.value.as_str() {
            Some(text) => request.query(&parameter.name, text),
            None => request.query(&parameter.name, &parameter.value),
        };
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    if options.over_async { request.over_async() } else { request }
}

/// Prints the answer as it is. An answer that is not text is an error.
fn print_reply(reply: &Reply) -> Result<Exit, Failure> {
    let text = std::str::from_utf8(reply.bytes()).map_err(|_| {
        Failure::new(Exit::Failed, format!("the answer {} is not text", reply.status()))
    })?;
    if !text.is_empty() {
        write_line(text.trim_end())?;
    }
    Ok(Exit::Success)
}

/// Reads page after page with `skip`, until one is empty or the total is reached.
async fn all_pages(
    telecrm: &Telecrm,
    options: &Api,
    body: Option<&RawValue>,
) -> Result<Exit, Failure> {
    let no_list = |what: &str| {
        Failure::new(Exit::Failed, format!("cannot read pages: {what}"))
            .hint("leave --paginate out to see the answer")
    };
    let mut skip = 0;
    let mut last = Vec::new();
    loop {
        let request = request(telecrm, options, body).query("skip", skip);
        let reply = request.send().await?;
        let page: Map<String, Value> = reply.decode()?;
        let Some(Value::Array(items)) = page.get("data") else {
            return Err(no_list("the answer has no list `data`"));
        };
        if items.is_empty() {
            return Ok(Exit::Success);
        }
        if *items == last {
            return Err(no_list("the server returned the same page twice"));
        }
        for item in items {
            if !write_line(&item.to_string())? {
                return Ok(Exit::Success);
            }
        }
        last.clone_from(items);
        skip += items.len() as u64;
        let total = page.get("total_count").and_then(Value::as_u64);
        if total.is_none_or(|total| skip >= total) {
            return Ok(Exit::Success);
        }
    }
}
