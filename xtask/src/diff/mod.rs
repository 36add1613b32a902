//! `cargo xtask diff`: what changed between two documents, and what it means for callers.
//!
//! There are two verdicts, because a change may break only one of both: *Rust* is about code that
//! calls the generated API and is compiled again, *wire* about programs that run already. The
//! documents are compared after our overlay, and what only the published documents show is listed
//! as hidden.

mod signatures;
mod wire;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::codegen::overlay::Overlay;
use crate::codegen::{self, APIS, Api, Overlaid, operations, read, schema};
use crate::{Outcome, surface};
use signatures::Signatures;
use wire::{Change, Changes, Class, Side};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The older document.
    old: PathBuf,
    /// The newer document.
    new: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the changes between two files and returns the exit code.
pub(crate) fn run(root: &Path, options: &Options) -> Outcome<u8> {
    let [old, new] = [&options.old, &options.new].map(|path| read::specification(path));
    let (old, new) = (old?, new?);
    let report = Report::of(root, fitting(root, &old)?, &old, &new)?;
    if options.json {
        println!("{:#}", report.json());
    } else {
        print!("{report}");
    }
    Ok(report.exit_code())
}

/// The API whose overlay fits a document, if most of its actions do.
fn fitting(root: &Path, document: &Value) -> Outcome<Option<Api>> {
    for api in APIS {
        let path = overlay_path(api);
        let overlay = read::document(&root.join(&path))?;
        let count = schema::elements(overlay.get("actions")).count();
        let stale = overlay_of(root, api)?.apply(&mut document.clone());
        if stale.len() * 2 < count {
            return Ok(Some(api));
        }
    }
    Ok(None)
}

fn overlay_path(api: Api) -> String {
    format!("openapi/{}.overlay.yaml", api.name)
}

fn overlay_of(root: &Path, api: Api) -> codegen::Result<Overlay> {
    Overlay::from_document(read::document(&root.join(overlay_path(api)))?)
}

/// Both verdicts on a change, and the reasons.
pub(crate) struct Report {
    /// The overlay that was applied to both documents.
    overlay: Option<String>,
    /// Why no code follows from the new document, or else from the old one.
    refused: Option<(&'static str, Vec<String>)>,
    /// The changed signatures, with the hand-written files that use them.
    rust: Vec<(signatures::Change, Vec<String>)>,
    wire: Changes,
    hidden: Changes,
    /// The actions of the overlay that no longer fit.
    stale: Vec<String>,
}

impl Report {
    /// Compares two documents, with the overlay of an API if there is one.
    pub(crate) fn of(root: &Path, api: Option<Api>, old: &Value, new: &Value) -> Outcome<Self> {
        let overlay = api.map(|api| overlay_of(root, api)).transpose()?;
        let [before, after] = [old, new].map(|document| {
            let mut document = document.clone();
            let stale = overlay.as_ref().map(|overlay| overlay.apply(&mut document));
            Overlaid { document, stale: stale.unwrap_or_default() }
        });
        let wire = wire::changes(&before.document, &after.document);
        let mut hidden = wire::changes(old, new);
        for (change, operations) in &mut hidden {
            let same =
                |other: &&Change| (&other.owner, &other.line) == (&change.owner, &change.line);
            let seen: Vec<_> = wire.keys().filter(same).flat_map(|change| &wire[change]).collect();
            operations.retain(|operation| !seen.contains(&operation));
        }
        hidden.retain(|_, operations| !operations.is_empty());
        let known: Vec<_> = before.stale.iter().map(ToString::to_string).collect();
        let stale = after.stale.iter().map(ToString::to_string);
        let stale = stale.filter(|stale| !known.contains(stale)).collect();
        let api = api.unwrap_or(APIS[0]);
        let (refused, rust) = match (code(api, before), code(api, after)) {
            (_, Err(problems)) => (Some(("refused", problems.0)), Vec::new()),
            (Err(problems), _) => (Some(("no code", problems.0)), Vec::new()),
            (Ok(old), Ok(new)) => {
                let facade = facade(root).unwrap_or_default();
                let changes = signatures::changes(&old, &new).into_iter();
                let changes = changes.map(|change| (uses(&facade, &change.item), change));
                (None, changes.map(|(uses, change)| (change, uses)).collect())
            }
        };
        Ok(Self { overlay: overlay.map(|_| overlay_path(api)), refused, rust, wire, hidden, stale })
    }

    pub(crate) fn rust_verdict(&self) -> &'static str {
        match &self.refused {
            Some((verdict, _)) => verdict,
            None => verdict(self.rust.iter().map(|(change, _)| change.class)),
        }
    }

    pub(crate) fn wire_verdict(&self) -> &'static str {
        // A mere deprecation or an error changes nothing of what is sent and read.
        verdict(self.wire.keys().map(|change| change.class))
    }

    /// The topics that a person should look at.
    #[cfg(test)]
    pub(crate) fn topics(&self) -> Vec<&'static str> {
        let mut topics: Vec<_> = self.wire.keys().filter_map(|change| change.topic).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// 4 if the wire breaks, 3 if only Rust does, 5 if nothing does and corrections hide a change.
    fn exit_code(&self) -> u8 {
        match (self.rust_verdict(), self.wire_verdict()) {
            (_, "breaking") => 4,
            ("breaking" | "refused", _) => 3,
            _ if !self.hidden.is_empty() || !self.stale.is_empty() => 5,
            _ => 0,
        }
    }

    fn json(&self) -> Value {
        let wire = |changes: &Changes| -> Value {
            let rows = changes.iter().map(|(change, operations)| {
                json!({
                    "class": name(change.class),
                    "place": change.owner,
                    "change": change.line,
                    "side": side(change.side),
                    "look": change.topic,
                    "operations": operations,
                })
            });
            rows.collect()
        };
        let rust = self.rust.iter().map(|(change, uses)| {
            json!({
                "class": name(change.class),
                "item": change.item,
                "old": change.old,
                "new": change.new,
                "facade": uses,
            })
        });
        let refused = self.refused.as_ref().map(|(_, problems)| problems);
        let looks = self.wire.iter().filter(|(change, _)| change.topic.is_some());
        let looks =
            looks.map(|(change, operations)| (change.clone(), operations.clone())).collect();
        json!({
            "overlay": self.overlay,
            "rust": {
                "verdict": self.rust_verdict(),
                "problems": refused,
                "changes": rust.collect::<Vec<_>>(),
            },
            "wire": { "verdict": self.wire_verdict(), "changes": wire(&self.wire) },
            "look": wire(&looks),
            "hidden": wire(&self.hidden),
            "stale": self.stale,
        })
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(overlay) = &self.overlay {
            writeln!(f, "both documents after {overlay}")?;
        }
        writeln!(f, "Rust: {}", self.rust_verdict())?;
        for problem in self.refused.iter().flat_map(|(_, problems)| problems) {
            writeln!(f, "  {problem}")?;
        }
        for (signatures::Change { class, item, old, new }, uses) in &self.rust {
            let what = match (old, new) {
                (None, _) => "added".to_owned(),
                (_, None) => "removed".to_owned(),
                (Some(old), Some(new)) => format!("{old} -> {new}"),
            };
            write!(f, "  {}: {item}: {what}", name(*class))?;
            writeln!(
                f,
                "{}",
                if uses.is_empty() {
                    String::new()
                } else {
                    format!(" (used in {})", uses.join(", "))
                }
            )?;
        }
        writeln!(f, "wire: {}", self.wire_verdict())?;
        f.write_str(&listed(&self.wire, |change| Some(name(change.class).to_owned())))?;
        f.write_str(&listed(&self.wire, |change| Some(format!("look: {}", change.topic?))))?;
        f.write_str(&listed(&self.hidden, |change| {
            Some(format!("hidden by corrections, {}", name(change.class)))
        }))?;
        for stale in &self.stale {
            writeln!(f, "correction that no longer fits: {stale}")?;
        }
        Ok(())
    }
}

/// The changes of each section, grouped by place.
fn listed(changes: &Changes, section: impl Fn(&Change) -> Option<String>) -> String {
    let mut sections: BTreeMap<String, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for (change, operations) in changes {
        let Some(section) = section(change) else {
            continue;
        };
        let others: Vec<&str> = operations
            .iter()
            .map(String::as_str)
            .filter(|operation| *operation != change.owner && !operation.is_empty())
            .collect();
        let mut line = change.line.clone();
        if !others.is_empty() {
            let _ = write!(line, " (in the {} of {})", side(change.side), others.join(", "));
        }
        sections.entry(section).or_default().entry(&change.owner).or_default().push(line);
    }
    let mut text = String::new();
    for (section, places) in sections {
        let _ = writeln!(text, "  {section}");
        for (place, lines) in places {
            let _ = writeln!(text, "    {place}\n      {}", lines.join("\n      "));
        }
    }
    text
}

fn verdict(classes: impl Iterator<Item = Class>) -> &'static str {
    // The breaking class is the lesser one.
    classes.min().map_or("same", name)
}

fn name(class: Class) -> &'static str {
    match class {
        Class::Breaking => "breaking",
        Class::Compatible => "compatible",
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Request => "request",
        Side::Answer => "answer",
        Side::Error => "error",
    }
}

/// The signatures that follow from a document: those of the client, and those of `Operation`.
fn code(api: Api, mut overlaid: Overlaid) -> codegen::Result<Signatures> {
    overlaid.leave_out_unnamed();
    let facade = operations::source(&[&overlaid.document])?;
    let variants = operations::Variants::of(&overlaid.document);
    let raw = codegen::source_of(api, overlaid.document, &variants)?;
    let [mut raw, facade] = [raw, facade].map(|source| signatures::of_source(&source));
    if let (Ok(raw), Ok(facade)) = (&mut raw, facade) {
        raw.extend(facade);
    }
    raw.map_err(codegen::Problems::one)
}

/// The hand-written files of the library with their texts.
fn facade(root: &Path) -> Outcome<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in surface::sources(&root.join("src"))? {
        let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        if !name.starts_with("src/raw/") {
            files.push((name, std::fs::read_to_string(path)?));
        }
    }
    files.sort();
    Ok(files)
}

/// The files that use an item.
fn uses(facade: &[(String, String)], item: &str) -> Vec<String> {
    let owner = signatures::owner(item);
    let used = match owner.strip_prefix("Client::") {
        Some(operation) => format!("{}(", codegen::generate::request_method(operation)),
        None => owner.to_owned(),
    };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let has = |text: &str| {
        text.match_indices(&used).any(|(at, used)| {
            let (before, after) = (&text[..at], &text[at + used.len()..]);
            !before.ends_with(is_word) && (used.ends_with('(') || !after.starts_with(is_word))
        })
    };
    facade.iter().filter(|(_, text)| has(text)).map(|(file, _)| file.clone()).collect()
}
