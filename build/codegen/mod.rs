//! Turns an OpenAPI document into Rust source, one step per module: [`read`] → [`overlay`] →
//! [`normalise`] → [`lint`] → [`generate`], and [`operations`] for the enum.
//!
//! The xtask compiles this file, and so does `build.rs` with the feature `regenerate`.

use std::fmt;
use std::path::Path;

use serde_json::Value;

pub(crate) mod generate;
pub(crate) mod lint;
pub(crate) mod normalise;
pub(crate) mod operations;
pub(crate) mod overlay;
pub(crate) mod read;
pub(crate) mod schema;
mod target;

/// One of the vendor's two APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Api {
    /// The stem of its files in `openapi/` and `generated/`.
    pub(crate) name: &'static str,
    /// The Rust module of its client. `async` is a keyword, so that API has another name here.
    pub(crate) module: &'static str,
}

/// The APIs in the order in which they are generated.
pub(crate) const APIS: [Api; 2] =
    [Api { name: "sync", module: "sync" }, Api { name: "async", module: "ingest" }];

/// All faults that one step found, so that one run reports all of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<String>);

impl Problems {
    /// A single problem, from a text or an error.
    pub(crate) fn one(problem: impl ToString) -> Self {
        Self(vec![problem.to_string()])
    }

    /// The same problems, each preceded by the place where it was found.
    pub(crate) fn within(self, place: impl fmt::Display) -> Self {
        let texts = self.0.into_iter();
        Self(texts.map(|text| format!("{place}: {text}")).collect())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// A result of one step.
pub(crate) type Result<T> = std::result::Result<T, Problems>;

/// The vendored document of an API and its overlay.
pub(crate) struct Source {
    pub(crate) document: Value,
    pub(crate) overlay: overlay::Overlay,
}

/// A document after its overlay.
pub(crate) struct Overlaid {
    pub(crate) document: Value,
    pub(crate) stale: Vec<overlay::Stale>,
}

impl Source {
    /// Reads the document `spec`, and the overlay of the API from the folder `overlays`.
    pub(crate) fn read(api: Api, spec: &Path, overlays: &Path) -> Result<Self> {
        let overlay = overlays.join(format!("{}.overlay.yaml", api.name));
        Ok(Self {
            document: read::specification(spec)?,
            overlay: overlay::Overlay::from_document(read::document(&overlay)?)
                .map_err(|problems| problems.within(overlay.display()))?,
        })
    }

    /// Applies the overlay. Actions without effect are listed and raise no error here.
    pub(crate) fn overlaid(&self) -> Overlaid {
        let mut document = self.document.clone();
        let stale = self.overlay.apply(&mut document);
        Overlaid { document, stale }
    }
}

impl Overlaid {
    /// Removes the operations without an ID and returns their titles.
    pub(crate) fn leave_out_unnamed(&mut self) -> Vec<String> {
        let operations = schema::operations(&self.document).into_iter();
        let unnamed: Vec<_> = operations
            .filter(|operation| operation.id().is_none())
            .map(|operation| (operation.pointer(), operation.title()))
            .collect();
        let remove = |(pointer, title): (String, String)| {
            overlay::remove(&mut self.document, &pointer);
            title
        };
        unnamed.into_iter().map(remove).collect()
    }
}

/// The Rust source of the client for an overlaid document.
///
/// `variants` are the operations that the enum `Operation` has. A newer document may have more.
pub(crate) fn source_of(
    api: Api,
    mut document: Value,
    variants: &operations::Variants,
) -> Result<String> {
    target::check(&document)?;
    normalise::normalise(&mut document);
    lint::lint(&document)?;
    generate::generate(api, document, variants)
}
