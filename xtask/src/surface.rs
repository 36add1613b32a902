//! `cargo xtask surface`: lists the public API of the hand-written crates in a file for review.
//!
//! It reads the sources, so it works on any toolchain. This relies on the lint `unreachable_pub`:
//! every `pub` item of these crates can be reached from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, TraitItem, Type, UseTree, Visibility};

use crate::Outcome;

/// The sources of each crate, files or folders.
const CRATES: [&[&str]; 3] =
    [&["src", "generated/operations.rs"], &["crates/core/src"], &["crates/outbox/src"]];

/// Files that hold no hand-written API.
const SKIPPED: [&str; 2] = ["src/raw/generated.rs", "src/raw/runtime.rs"];

/// The list, relative to the root.
const LIST: &str = "docs/public-api.txt";

/// Types of other crates that signatures may use. A text restricts one to items that contain it.
const ALLOWED: &[(&str, Option<&str>)] = &[
    ("futures_util::stream::Stream", None),
    ("jiff::Error", None),
    ("jiff::Timestamp", None),
    ("jiff::civil::Date", None),
    ("jiff::tz::TimeZone", None),
    ("reqwest::ClientBuilder", Some("Builder")),
    ("reqwest::Method", Some("From<Method> for reqwest::Method")),
    ("reqwest::header::InvalidHeaderValue", Some("Context")),
    ("schemars::JsonSchema", Some("JsonSchema for")),
    ("serde::Deserialize", None),
    ("serde::Serialize", None),
    ("serde::de::DeserializeOwned", None),
    ("serde_json::Error", None),
    ("serde_json::Map", None),
    ("serde_json::Value", None),
];

/// The crates whose types are foreign.
const FOREIGN: [&str; 15] = [
    "bytes",
    "fastrand",
    "futures_core",
    "futures_util",
    "http",
    "jiff",
    "percent_encoding",
    "phonenumber",
    "reqwest",
    "rustls",
    "schemars",
    "serde",
    "serde_json",
    "tokio",
    "tracing",
];

/// Writes the list.
pub(crate) fn write(root: &Path) -> Outcome {
    let text = Surface::checked(root)?.text();
    Ok(std::fs::write(root.join(LIST), text)?)
}

/// Fails if the list differs from the sources.
pub(crate) fn check(root: &Path) -> Outcome {
    let text = Surface::checked(root)?.text();
    let old = std::fs::read_to_string(root.join(LIST)).unwrap_or_default();
    if old == text {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(&old, &text);
    print!("{}", diff.unified_diff().header(LIST, "the sources"));
    let hint = "if the change is intended, run `cargo xtask surface` and commit the file";
    Err(format!("{LIST} differs from the public API of the sources\nhint: {hint}").into())
}

/// The public items of the crates.
#[derive(Default)]
pub(crate) struct Surface {
    /// The items of each file that has any.
    files: BTreeMap<String, Vec<String>>,
    /// Foreign types, each with the items whose signatures use it.
    foreign: BTreeMap<String, BTreeSet<String>>,
}

impl Surface {
    pub(crate) fn read(root: &Path) -> Outcome<Self> {
        let mut surface = Self::default();
        for folders in CRATES {
            let mut files = Vec::new();
            for folder in folders {
                files.extend(read(root, folder)?);
            }
            surface.add_crate(files);
        }
        Ok(surface)
    }

    /// Reads the sources and fails if a signature uses a foreign type that is not allowed.
    fn checked(root: &Path) -> Outcome<Self> {
        let surface = Self::read(root)?;
        let faults = surface.faults();
        if faults.is_empty() {
            return Ok(surface);
        }
        let hint = "wrap the type, or correct `ALLOWED` in xtask/src/surface.rs";
        Err(format!("{}\nhint: {hint}", faults.join("\n")).into())
    }

    /// Adds the public items of the files of one crate.
    pub(crate) fn add_crate(&mut self, files: Vec<(String, syn::File)>) {
        let offered = files.iter().flat_map(|(_, file)| offered(&file.items));
        let offered: BTreeSet<String> = offered.collect();
        for (name, file) in files {
            self.add(name, file.items, &offered);
        }
    }

    /// Adds the public items of a file, and the implementations of public types.
    fn add(&mut self, name: String, items: Vec<Item>, offered: &BTreeSet<String>) {
        let mut names = BTreeMap::new();
        for item in &items {
            if let Item::Use(import) = item {
                imported(&import.tree, &mut Vec::new(), &mut names);
            }
        }
        let mut texts = Vec::new();
        for mut item in items {
            if !reduce(&mut item, offered) {
                continue;
            }
            let title = title(&item);
            let mut finder = Finder { names: &names, found: BTreeSet::new() };
            // A re-export of a foreign type shows up where a signature uses it.
            if !matches!(item, Item::Use(_)) {
                finder.visit_item_mut(&mut item);
            }
            for found in finder.found {
                self.foreign.entry(found).or_default().insert(title.clone());
            }
            texts.push(print(item));
        }
        if !texts.is_empty() {
            self.files.insert(name, texts);
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = "# The public API, from `cargo xtask surface`. Do not edit.\n".to_owned();
        for (file, items) in &self.files {
            text.push_str(&format!("\n## {file}\n\n{}", items.join("")));
        }
        text
    }

    /// Foreign types in signatures that are not allowed there, and entries of `ALLOWED` without a
    /// use.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, items) in &self.foreign {
            let allowed = ALLOWED.iter().find(|(allowed, _)| allowed == name);
            for item in items {
                match allowed {
                    Some((_, place)) if place.is_none_or(|place| item.contains(place)) => {}
                    _ => faults.push(format!("{item}: the public API may not use {name}")),
                }
            }
        }
        let stale = ALLOWED.iter().filter(|(name, _)| !self.foreign.contains_key(*name));
        faults.extend(stale.map(|(name, _)| format!("{name} is allowed but not used")));
        faults
    }
}

/// The hand-written files of a folder, or a single file, each with its path below the root.
fn read(root: &Path, folder: &str) -> Outcome<Vec<(String, syn::File)>> {
    let mut files = Vec::new();
    for path in sources(&root.join(folder))? {
        let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        if !SKIPPED.contains(&name.as_str()) {
            let file = syn::parse_file(&std::fs::read_to_string(&path)?);
            files.push((name.clone(), file.map_err(|error| format!("{name}: {error}"))?));
        }
    }
    Ok(files)
}

/// The Rust files in a folder and its subfolders, in no fixed order.
pub(crate) fn sources(folder: &Path) -> Outcome<Vec<PathBuf>> {
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
            files.extend(sources(&path)?);
        }
    }
    Ok(files)
}

/// The names of the public types and traits, also of those that a macro defines.
fn offered(items: &[Item]) -> Vec<String> {
    let names = items.iter().filter_map(|item| match item {
        Item::Struct(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Enum(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Trait(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Macro(item) => {
            let tokens = without_docs(item.mac.tokens.clone()).into_iter();
            let mut words = tokens.filter_map(|token| match token {
                TokenTree::Ident(word) => Some(word.to_string()),
                _ => None,
            });
            words.find(|word| !["pub", "struct", "enum"].contains(&word.as_str()))
        }
        _ => None,
    });
    names.collect()
}

pub(crate) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Collects the imported names with their full paths.
pub(crate) fn imported(
    tree: &UseTree,
    path: &mut Vec<String>,
    names: &mut BTreeMap<String, String>,
) {
    match tree {
        UseTree::Path(tree_path) => {
            path.push(tree_path.ident.to_string());
            imported(&tree_path.tree, path, names);
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| imported(tree, path, names)),
        UseTree::Name(name) => {
            names.insert(name.ident.to_string(), format!("{}::{}", path.join("::"), name.ident));
        }
        UseTree::Rename(name) => {
            names.insert(name.rename.to_string(), format!("{}::{}", path.join("::"), name.ident));
        }
        UseTree::Glob(_) => {}
    }
}

/// Reduces an item to its public part. Returns `false` if it has no public part.
fn reduce(item: &mut Item, offered: &BTreeSet<String>) -> bool {
    let visible = match item {
        Item::Const(item) => is_public(&item.vis),
        Item::Enum(item) => is_public(&item.vis),
        Item::Fn(item) => {
            item.block.stmts.clear();
            is_public(&item.vis)
        }
        Item::Impl(item) => reduce_impl(item, offered),
        Item::Macro(item) => {
            item.mac.tokens = without_docs(std::mem::take(&mut item.mac.tokens));
            let name = item.mac.path.segments.last().map(|last| last.ident.to_string());
            item.ident.is_none() && name.is_some_and(|name| DEFINING.contains(&name.as_str()))
        }
        Item::Mod(item) => is_public(&item.vis) && item.content.is_none(),
        Item::Struct(item) => {
            reduce_fields(&mut item.fields);
            is_public(&item.vis)
        }
        Item::Trait(item) => {
            for member in &mut item.items {
                if let TraitItem::Fn(function) = member {
                    function.default = None;
                }
            }
            is_public(&item.vis)
        }
        Item::Type(item) => is_public(&item.vis),
        Item::Use(item) => is_public(&item.vis),
        _ => false,
    };
    if visible {
        StripAttributes.visit_item_mut(item);
    }
    visible
}

/// The macros that define types.
const DEFINING: [&str; 4] = ["open_enum", "record", "token", "from_json_scalar"];

fn reduce_impl(item: &mut ItemImpl, offered: &BTreeSet<String>) -> bool {
    let test =
        |attribute: &Attribute| attribute.path().is_ident("cfg") && mentions(attribute, "test");
    if item.attrs.iter().any(test) {
        return false;
    }
    let own = match &*item.self_ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    };
    let own = own.is_some_and(|own| offered.contains(&own));
    if let Some((_, path, _)) = &item.trait_ {
        let of_ours = path.segments.iter().any(|segment| {
            let arguments = quote_arguments(segment);
            offered.iter().any(|name| arguments.contains(name))
        });
        item.items.clear();
        return own || of_ours;
    }
    item.items.retain_mut(|member| match member {
        ImplItem::Fn(function) => {
            function.block.stmts.clear();
            is_public(&function.vis)
        }
        ImplItem::Const(constant) => is_public(&constant.vis),
        _ => false,
    });
    own && !item.items.is_empty()
}

fn quote_arguments(segment: &syn::PathSegment) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments {
        for argument in &arguments.args {
            if let syn::GenericArgument::Type(Type::Path(path)) = argument {
                // A longer path such as `reqwest::Error` leads to a foreign type.
                names.extend(path.path.get_ident().map(ToString::to_string));
            }
        }
    }
    names
}

fn reduce_fields(fields: &mut Fields) {
    match fields {
        Fields::Named(named) => {
            let kept = std::mem::take(&mut named.named).into_iter();
            named.named = kept.filter(|field| is_public(&field.vis)).collect();
        }
        Fields::Unnamed(unnamed) if !unnamed.unnamed.iter().all(|field| is_public(&field.vis)) => {
            unnamed.unnamed.clear();
        }
        _ => {}
    }
}

/// Removes docs and lint attributes, and keeps the attributes that are part of the API.
struct StripAttributes;

impl VisitMut for StripAttributes {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        let kept = ["cfg", "derive", "must_use", "non_exhaustive", "macro_export"];
        attributes.retain(|attribute| {
            let derives = attribute.path().is_ident("cfg_attr") && mentions(attribute, "derive");
            derives || kept.iter().any(|name| attribute.path().is_ident(name))
        });
    }
}

fn mentions(attribute: &Attribute, word: &str) -> bool {
    let list = attribute.meta.require_list();
    list.is_ok_and(|list| list.tokens.to_string().contains(word))
}

/// The input of a macro without its docs.
fn without_docs(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let inner = without_docs(group.stream());
                let attribute = group.delimiter() == Delimiter::Bracket
                    && matches!(kept.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
                if attribute && inner.to_string().starts_with("doc") {
                    kept.pop();
                } else {
                    kept.push(proc_macro2::Group::new(group.delimiter(), inner).into());
                }
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

/// Finds the foreign types that an item uses.
struct Finder<'a> {
    names: &'a BTreeMap<String, String>,
    found: BTreeSet<String>,
}

impl VisitMut for Finder<'_> {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let mut full = segments.join("::");
        if let Some(first) = segments.first()
            && let Some(import) = self.names.get(first)
        {
            full = [std::slice::from_ref(import), &segments[1..]].concat().join("::");
        }
        let root = full.split("::").next().unwrap_or_default();
        if FOREIGN.contains(&root) && full.contains("::") {
            self.found.insert(full);
        }
        visit_mut::visit_path_mut(self, path);
    }

    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}

    fn visit_macro_mut(&mut self, _: &mut syn::Macro) {}
}

/// The name of an item in messages.
fn title(item: &Item) -> String {
    match item {
        Item::Impl(item) => {
            let mut head = item.clone();
            head.items.clear();
            print(Item::Impl(head)).trim_end_matches(" {}\n").to_owned()
        }
        other => print(other.clone()).lines().next().unwrap_or_default().to_owned(),
    }
}

/// Prints an item, with a semicolon instead of each body.
fn print(item: Item) -> String {
    let file = syn::File { shebang: None, attrs: Vec::new(), items: vec![item] };
    let text = prettyplease::unparse(&file);
    let lines = text.lines().map(|line| match line.strip_suffix(" {}") {
        Some(head) if head.contains("fn ") || head.trim_start().starts_with([')', '-']) => {
            format!("{head};\n")
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}
