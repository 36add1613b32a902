//! Backends: carry a request to the server and read the response.

use super::call::Call;
use crate::error::Error;
use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Client, Request, StatusCode};
use std::pin::Pin;
use tokio::runtime::Handle;

/// Carries requests to the server. [`Http`] uses the network, the `testing` feature adds a script.
pub(crate) trait Backend: Send + Sync {
    /// Returns an error if no request can be sent from here.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Sends one request and reads the whole response.
    fn send<'a>(&'a self, client: &'a Client, call: &Call, request: Request) -> Sending<'a>;
}

pub(crate) type Sending<'a> = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>>;

/// A response in memory, whatever its status.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The whole body, or the part that arrived.
    pub(crate) body: Bytes,
    /// Why a part of the body is missing.
    pub(crate) broken: Option<Broken>,
}

/// Why a part of a body is missing.
pub(crate) enum Broken {
    /// The transfer took too long, or the connection broke.
    Cut(reqwest::Error),
    TooLarge,
}

/// The network.
pub(crate) struct Http;

/// A page holds at most 100 leads, so a larger body comes from something else.
const LARGEST_BODY: usize = 64 << 20;

impl Backend for Http {
    fn check(&self) -> Result<(), Error> {
        // Without a runtime reqwest panics.
        if Handle::try_current().is_err() {
            let error = Error::config("there is no tokio runtime");
            return Err(error.with_hint("make calls from within a tokio runtime"));
        }
        Ok(())
    }

    fn send<'a>(&'a self, client: &'a Client, _: &Call, request: Request) -> Sending<'a> {
        Box::pin(async move {
            let response = client.execute(request).await;
            Ok(read(response.map_err(Error::transport)?).await)
        })
    }
}

async fn read(mut response: reqwest::Response) -> Reply {
    let mut body = Vec::new();
    let broken = loop {
        match response.chunk().await {
            Ok(None) => break None,
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_BODY => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => break Some(Broken::TooLarge),
            Err(error) => break Some(Broken::Cut(error.without_url())),
        }
    };
    Reply {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body: body.into(),
        broken,
    }
}
