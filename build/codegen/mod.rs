//! From an OpenAPI document to Rust source, one step per module:
//! [`read`] → [`overlay`] → [`normalise`] → [`lint`] → [`generate`].
//!
//! The same file is compiled into the xtask and, with the feature `regenerate`, into `build.rs`.

use std::fmt;
use std::path::Path;

use serde_json::Value;

pub(crate) mod generate;
pub(crate) mod lint;
pub(crate) mod normalise;
pub(crate) mod overlay;
pub(crate) mod read;
pub(crate) mod schema;

/// One of the vendor's two APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Api {
    /// The stem of its files in `openapi/` and `generated/`.
    pub(crate) name: &'static str,
    /// The Rust module of its client, where the stem is a keyword.
    pub(crate) module: &'static str,
}

/// The APIs in the order in which they are generated.
pub(crate) const APIS: [Api; 2] = [
    Api {
        name: "sync",
        module: "sync",
    },
    Api {
        name: "async",
        module: "ingest",
    },
];

/// Everything found wrong in one step, so that one run shows all of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<String>);

impl Problems {
    /// A single problem.
    pub(crate) fn one(text: impl Into<String>) -> Self {
        Self(vec![text.into()])
    }

    /// The same problems, each with the place in front.
    pub(crate) fn within(self, place: impl fmt::Display) -> Self {
        Self(
            self.0
                .into_iter()
                .map(|text| format!("{place}: {text}"))
                .collect(),
        )
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

/// The vendored document of an API and the corrections to it.
pub(crate) struct Source {
    pub(crate) document: Value,
    pub(crate) overlay: overlay::Overlay,
}

/// A document with its corrections applied.
pub(crate) struct Overlaid {
    pub(crate) document: Value,
    pub(crate) stale: Vec<overlay::Stale>,
}

impl Source {
    /// Reads `spec` and, from the folder of specs, the overlay that belongs to the API.
    pub(crate) fn read(api: Api, spec: &Path, folder: &Path) -> Result<Self> {
        let corrections = folder.join(format!("{}.overlay.yaml", api.name));
        Ok(Self {
            document: read::document(spec)?,
            overlay: overlay::Overlay::from_document(read::document(&corrections)?)
                .map_err(|problems| problems.within(corrections.display()))?,
        })
    }

    /// The document after its corrections; those without effect are listed, not refused.
    pub(crate) fn overlaid(&self) -> Overlaid {
        let mut document = self.document.clone();
        let stale = self.overlay.apply(&mut document);
        Overlaid { document, stale }
    }
}

impl Overlaid {
    /// Removes the operations whose path the corrections do not know, and says which.
    pub(crate) fn leave_out_unnamed(&mut self) -> Vec<String> {
        let unnamed: Vec<_> = schema::operations(&self.document)
            .into_iter()
            .filter(|operation| operation.id().is_none())
            .map(|operation| {
                let (path, method) = (operation.path.to_owned(), operation.method.to_owned());
                (path, method, operation.title())
            })
            .collect();
        for (path, method, _) in &unnamed {
            if let Some(Value::Object(item)) = self.document["paths"].get_mut(path) {
                item.remove(method);
            }
        }
        unnamed.into_iter().map(|(_, _, title)| title).collect()
    }
}

/// The Rust source of the client for a document that has its corrections already.
pub(crate) fn source_of(api: Api, mut document: Value) -> Result<String> {
    normalise::normalise(&mut document);
    lint::lint(&document)?;
    generate::generate(api, document)
}
