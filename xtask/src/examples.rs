//! What the crates offer stands in an example that runs: one of its own, of its type, or of its file.
//!
//! Only whether a name is used is looked at; that the example compiles and holds is for `cargo test --doc`.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Expr, ExprLit, FnArg, ImplItem, Item, Lit, Meta, Signature, TraitItem, Type};

use crate::surface::is_public;

/// How an item is used in an example.
#[derive(Clone, Copy)]
enum Use {
    /// By its name: types and constants.
    Name,
    /// `.name(`: what takes `self`.
    Method,
    /// `Type::name(`: what belongs to a type, and `name(` what does not.
    Function,
}

/// Something that is offered.
struct Offer {
    /// The type that it belongs to.
    owner: Option<String>,
    name: String,
    used: Use,
    /// The file, relative to the root.
    file: String,
    /// Whether its own documentation has an example.
    shown: bool,
}

/// The items of a crate, and the examples in which they may stand.
#[derive(Default)]
pub(crate) struct Examples {
    offers: Vec<Offer>,
    of_file: BTreeMap<String, String>,
    of_type: BTreeMap<String, String>,
}

impl Examples {
    /// Adds what a file of the crate offers.
    pub(crate) fn add(&mut self, name: &str, file: &syn::File) {
        self.example(name, None, &file.attrs);
        for item in &file.items {
            self.add_item(name, item);
        }
    }

    /// The items that stand in no example, as they are called in a fault.
    pub(crate) fn missing(&self) -> Vec<String> {
        let missing = self.offers.iter().filter(|offer| !self.shows(offer));
        missing
            .map(|offer| {
                let owner = offer.owner.iter().map(|owner| format!("{owner}::"));
                let owner: String = owner.collect();
                format!("{}: {owner}{} stands in no example", offer.file, offer.name)
            })
            .collect()
    }

    fn shows(&self, offer: &Offer) -> bool {
        let of_file = self.of_file.get(&offer.file);
        let own = offer.owner.as_ref().unwrap_or(&offer.name);
        let of_type = self.of_type.get(own).filter(|code| !code.is_empty());
        // A type is shown where its methods are.
        if offer.owner.is_none() && of_type.is_some() {
            return true;
        }
        let mut places = of_file.into_iter().chain(of_type);
        offer.shown || places.any(|code| uses(code, offer))
    }

    fn add_item(&mut self, file: &str, item: &Item) {
        match item {
            Item::Struct(item) if is_public(&item.vis) => {
                self.add_type(file, &item.ident, &item.attrs);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                self.add_type(file, &item.ident, &item.attrs);
            }
            Item::Const(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                self.offer(file, None, name, Use::Name, &item.attrs);
            }
            Item::Fn(item) if is_public(&item.vis) => {
                let name = item.sig.ident.to_string();
                self.offer(file, None, name, Use::Function, &item.attrs);
            }
            Item::Trait(item) if is_public(&item.vis) => {
                self.add_type(file, &item.ident, &item.attrs);
                let owner = item.ident.to_string();
                for member in &item.items {
                    if let TraitItem::Fn(function) = member {
                        self.add_function(file, &owner, &function.sig, &function.attrs);
                    }
                }
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let Type::Path(path) = &*item.self_ty else {
                    return;
                };
                let Some(owner) = path.path.segments.last().map(|last| last.ident.to_string())
                else {
                    return;
                };
                for member in &item.items {
                    match member {
                        ImplItem::Fn(function) if is_public(&function.vis) => {
                            self.add_function(file, &owner, &function.sig, &function.attrs);
                        }
                        ImplItem::Const(constant) if is_public(&constant.vis) => {
                            let name = constant.ident.to_string();
                            self.offer(file, Some(owner.clone()), name, Use::Name, &constant.attrs);
                        }
                        _ => {}
                    }
                }
            }
            Item::Macro(item) if item.mac.path.segments.last().is_some_and(defines) => {
                self.add_macro(file, item.mac.tokens.clone());
            }
            _ => {}
        }
    }

    fn add_type(&mut self, file: &str, name: &syn::Ident, attributes: &[Attribute]) {
        let name = name.to_string();
        self.example(file, Some(&name), attributes);
        self.offer(file, None, name, Use::Name, attributes);
    }

    fn add_function(&mut self, file: &str, owner: &str, of: &Signature, attributes: &[Attribute]) {
        let used = match of.inputs.first() {
            Some(FnArg::Receiver(_)) => Use::Method,
            _ => Use::Function,
        };
        self.example(file, Some(owner), attributes);
        let owner = Some(owner.to_owned());
        self.offer(file, owner, of.ident.to_string(), used, attributes);
    }

    /// The types that macros define, each after its documentation, and the methods that they read from keys.
    fn add_macro(&mut self, file: &str, tokens: TokenStream) {
        let mut docs = String::new();
        let mut owner = None;
        for token in tokens {
            match token {
                TokenTree::Group(group) if owner.is_none() => docs.push_str(&doc_line(&group)),
                TokenTree::Ident(word) if ["pub", "enum", "struct"].iter().any(|w| word == w) => {}
                TokenTree::Ident(name) if owner.is_none() => {
                    let name = name.to_string();
                    let code = examples(&docs);
                    self.offer_code(file, None, name.clone(), Use::Name, &code);
                    self.keep(file, Some(&name), &code);
                    owner = Some(name);
                }
                TokenTree::Group(group) => {
                    let mut before = None;
                    for token in group.stream() {
                        if let (Some(TokenTree::Ident(word)), TokenTree::Ident(name)) =
                            (&before, &token)
                            && word == "fn"
                        {
                            self.offer_code(file, owner.clone(), name.to_string(), Use::Method, "");
                        }
                        before = Some(token);
                    }
                }
                _ => {}
            }
        }
    }

    fn offer(
        &mut self,
        file: &str,
        owner: Option<String>,
        name: String,
        used: Use,
        attributes: &[Attribute],
    ) {
        self.example(file, owner.as_deref(), attributes);
        let code = examples(&docs(attributes));
        self.offer_code(file, owner, name, used, &code);
    }

    fn offer_code(
        &mut self,
        file: &str,
        owner: Option<String>,
        name: String,
        used: Use,
        code: &str,
    ) {
        self.offers.push(Offer {
            owner,
            name,
            used,
            file: file.to_owned(),
            shown: !code.is_empty(),
        });
    }

    fn example(&mut self, file: &str, owner: Option<&str>, attributes: &[Attribute]) {
        let code = examples(&docs(attributes));
        self.keep(file, owner, &code);
    }

    fn keep(&mut self, file: &str, owner: Option<&str>, code: &str) {
        self.of_file
            .entry(file.to_owned())
            .or_default()
            .push_str(code);
        if let Some(owner) = owner {
            self.of_type
                .entry(owner.to_owned())
                .or_default()
                .push_str(code);
        }
    }
}

/// Whether a macro of this name defines a type.
fn defines(name: &syn::PathSegment) -> bool {
    let defining = ["open_enum", "record", "token"];
    defining.iter().any(|defining| name.ident == defining)
}

/// Whether an example uses what is offered.
fn uses(code: &str, offer: &Offer) -> bool {
    let name = &offer.name;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name.as_str()).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        if after.starts_with(is_word) {
            return false;
        }
        let called = after.starts_with('(') || after.starts_with("::<");
        match (offer.used, &offer.owner) {
            (Use::Name, None) => !before.ends_with(is_word),
            (Use::Name, Some(owner)) => before.ends_with(&format!("{owner}::")),
            (Use::Method, owner) => {
                let path = owner
                    .as_ref()
                    .is_some_and(|own| before.ends_with(&format!("{own}::")));
                before.ends_with('.') && called || path
            }
            (Use::Function, Some(owner)) => called && before.ends_with(&format!("{owner}::")),
            (Use::Function, None) => called && !before.ends_with(is_word),
        }
    })
}

/// The documentation that attributes hold.
fn docs(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        if let Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }) = &meta.value
        {
            text.push_str(&line.value());
            text.push('\n');
        }
    }
    text
}

/// A line of documentation in the brackets of an attribute.
fn doc_line(group: &proc_macro2::Group) -> String {
    let mut tokens = group.stream().into_iter();
    match (tokens.next(), tokens.nth(1)) {
        (Some(TokenTree::Ident(name)), Some(TokenTree::Literal(text))) if name == "doc" => {
            let text = syn::parse_str::<syn::LitStr>(&text.to_string());
            text.map(|text| text.value() + "\n").unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// What readers see of the examples that are run: not those that are only compiled, and no hidden lines.
fn examples(docs: &str) -> String {
    let mut code = String::new();
    let mut inside = None;
    for line in docs.lines().map(str::trim) {
        match (line.strip_prefix("```"), inside) {
            (Some(kind), None) => inside = Some(kind.is_empty() || kind == "rust"),
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) if line != "#" && !line.starts_with("# ") => {
                code.push_str(line);
                code.push('\n');
            }
            _ => {}
        }
    }
    code
}
