//! The public signatures of generated code, item by item, and what a change of them means.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{ImplItem, Item, Type};

use super::wire::Class;
use crate::surface::is_public;

/// The text of each public item by its path, such as `types::Lead.note`.
pub(super) type Signatures = BTreeMap<String, String>;

/// The signatures in the source of a generated file.
pub(super) fn of_source(source: &str) -> syn::Result<Signatures> {
    let mut found = Signatures::new();
    collect(&syn::parse_file(source)?.items, "", &mut found);
    Ok(found)
}

/// Tokens on one line, with blanks between words only.
fn line(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '\'';
    let mut line = String::new();
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        line.push_str(word);
        let next = words.peek().and_then(|next| next.chars().next());
        if word.ends_with(is_word) && next.is_some_and(is_word) || [",", ":", "->"].contains(&word)
        {
            line.push(' ');
        }
    }
    let line = line.replace(", >", ">").replace(", )", ")").replace(")->", ") ->");
    let mut line = line;
    for path in ["::std::option::", "::std::vec::", "::std::string::", "::std::collections::"] {
        line = line.replace(path, "");
    }
    line
}

/// A trait without its path and lifetimes, which a derive does not write.
fn last(path: &syn::Path) -> String {
    path.segments.last().map(line).unwrap_or_default().replace("<'de>", "")
}

fn collect(items: &[Item], path: &str, found: &mut Signatures) {
    let traits = |attributes: &[syn::Attribute], name: &str, found: &mut Signatures| {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let _ = attribute.parse_nested_meta(|derive| {
                found.insert(format!("{path}{name}: {}", last(&derive.path)), String::new());
                Ok(())
            });
        }
    };
    for item in items {
        match item {
            Item::Mod(module) if is_public(&module.vis) => {
                let items = module.content.iter().flat_map(|(_, items)| items).cloned();
                // The module of the API itself is left out of the paths.
                let name = module.ident.to_string();
                let inner = if ["sync", "ingest"].contains(&name.as_str()) {
                    String::new()
                } else {
                    format!("{path}{name}::")
                };
                collect(&items.collect::<Vec<_>>(), &inner, found);
            }
            Item::Struct(item) if is_public(&item.vis) => {
                traits(&item.attrs, &item.ident.to_string(), found);
                found.insert(format!("{path}{}", item.ident), line(&item.generics));
                for (field, index) in
                    item.fields.iter().zip(0..).filter(|(field, _)| is_public(&field.vis))
                {
                    let name = field.ident.as_ref().map_or(format!("{index}"), ToString::to_string);
                    found.insert(format!("{path}{}.{name}", item.ident), line(&field.ty));
                }
            }
            Item::Enum(item) if is_public(&item.vis) => {
                traits(&item.attrs, &item.ident.to_string(), found);
                found.insert(format!("{path}{}", item.ident), line(&item.generics));
                for variant in &item.variants {
                    found.insert(
                        format!("{path}{}::{}", item.ident, variant.ident),
                        line(&variant.fields),
                    );
                }
            }
            Item::Type(item) if is_public(&item.vis) => {
                found.insert(format!("{path}{}", item.ident), line(&item.ty));
            }
            // `open_enum!`, whose input reads as an enum with texts for values.
            Item::Macro(item) => {
                if let Ok(item) = item.mac.parse_body::<syn::ItemEnum>() {
                    collect(&[item.into()], path, found);
                }
            }
            Item::Impl(item) => {
                let Type::Path(own) = &*item.self_ty else {
                    continue;
                };
                let own = line(own);
                // The traits of types are implemented outside of `types` as well as inside.
                let own = if own.contains("::") { own } else { format!("{path}{own}") };
                if let Some((_, path, _)) = &item.trait_ {
                    found.insert(format!("{own}: {}", last(path)), String::new());
                    continue;
                }
                for member in &item.items {
                    if let ImplItem::Fn(function) = member
                        && is_public(&function.vis)
                    {
                        found.insert(format!("{own}::{}", function.sig.ident), line(&function.sig));
                    }
                }
            }
            _ => {}
        }
    }
}

/// A change of one item.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) class: Class,
    pub(super) item: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

/// The type that an item belongs to, as callers write it: `types::Lead` for `types::Lead.note`.
pub(super) fn owner(item: &str) -> &str {
    let end = item.find(['.', ' ', '<']).unwrap_or(item.len());
    let name = item[..end].trim_end_matches(':');
    match name.match_indices("::").nth(1) {
        Some((end, _)) => &name[..end],
        None => name,
    }
}

/// Compares the items. Of a type that is new or gone, its parts are not listed.
pub(super) fn changes(old: &Signatures, new: &Signatures) -> Vec<Change> {
    let built = built(old);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let (before, after, owner) = (old.get(name), new.get(name), owner(name));
        let stays = |list: &Signatures| name == owner || list.contains_key(owner);
        if before == after || !stays(old) || !stays(new) {
            continue;
        }
        let is_field = name.contains('.');
        let has_default = old.contains_key(&format!("{owner}: Default"));
        let class = match before {
            // Values that callers build need the field, unless `..Default::default()` fills it.
            None if !is_field || has_default || !built.contains(owner) => Class::Compatible,
            _ => Class::Breaking,
        };
        let (item, old, new) = (name.clone(), before.cloned(), after.cloned());
        changes.push(Change { class, item, old, new });
    }
    changes.sort_by(|a, b| (a.class, &a.item).cmp(&(b.class, &b.item)));
    changes
}

/// The types that callers build: the parameters of operations, and what these hold.
fn built(signatures: &Signatures) -> BTreeSet<&str> {
    let mut built: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = built.len();
        let inputs = signatures.iter().filter_map(|(item, text)| match owner(item) {
            owner if owner.starts_with("parameters::") || built.contains(owner) => {
                Some(text.as_str())
            }
            _ if item.starts_with("Client::") => text.split("->").next(),
            _ => None,
        });
        let inputs: Vec<&str> = inputs.collect();
        let types = signatures.keys().filter(|item| *item == owner(item));
        let used = types.filter(|name| {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            inputs.iter().any(|text| {
                let mut ends =
                    text.match_indices(name.as_str()).map(|(at, name)| &text[at + name.len()..]);
                ends.any(|rest| !rest.starts_with(is_word))
            })
        });
        built.extend(used.map(String::as_str));
        if built.len() == before {
            built.extend(
                signatures
                    .keys()
                    .map(|item| owner(item))
                    .filter(|name| name.starts_with("parameters::")),
            );
            return built;
        }
    }
}
