//! Snapshots of the normalised documents and of the generated signatures.

use std::collections::BTreeMap;

use syn::visit_mut::{self, VisitMut};

use super::root;
use crate::codegen::{APIS, normalise, schema};
use crate::{Stage, stage};

/// The public signatures of generated code, without bodies, attributes and trait implementations.
pub(super) fn surface(source: &str) -> String {
    let mut file = syn::parse_file(source).unwrap();
    Surface.visit_file_mut(&mut file);
    prettyplease::unparse(&file)
}

struct Surface;

impl VisitMut for Surface {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<syn::Attribute>) {
        attributes.clear();
    }

    fn visit_file_mut(&mut self, file: &mut syn::File) {
        keep_public(&mut file.items);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            keep_public(items);
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut syn::ImplItemFn) {
        visit_mut::visit_impl_item_fn_mut(self, function);
        function.block.stmts.clear();
    }
}

fn keep_public(items: &mut Vec<syn::Item>) {
    items.retain(|item| match item {
        syn::Item::Impl(item) => item.trait_.is_none(),
        syn::Item::Const(_) => false,
        _ => true,
    });
}

#[test]
fn the_normalised_documents() {
    for api in APIS {
        let text = stage::at(&root(), api, Stage::Normalised).unwrap();
        insta::assert_snapshot!(format!("normalised_{}", api.name), text);
    }
}

#[test]
fn the_public_signatures() {
    for api in APIS {
        let path = root().join("generated").join(format!("{}.rs", api.name));
        let source = std::fs::read_to_string(path).unwrap();
        insta::assert_snapshot!(format!("signatures_{}", api.name), surface(&source));
    }
}

#[test]
fn the_values_of_the_open_enums() {
    let mut values = BTreeMap::new();
    for api in APIS {
        let text = stage::at(&root(), api, Stage::Normalised).unwrap();
        let document = crate::codegen::read::parse(&text).unwrap();
        for (name, node) in schema::members(document.pointer("/components/schemas")) {
            if normalise::is_text_enum(node) {
                values.insert(format!("{}::{name}", api.module), node["enum"].clone());
            }
        }
    }
    let lines: Vec<_> = values.iter().map(|(name, list)| format!("{name}: {list}")).collect();
    insta::assert_snapshot!("open_enums", lines.join("\n"));
}
