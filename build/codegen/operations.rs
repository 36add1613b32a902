//! Writes the enum `Operation`: every operation of both documents with its ID, method and path.

use std::collections::BTreeMap;

use heck::{ToPascalCase as _, ToSnakeCase as _};
use serde_json::Value;
use syn::parse_quote;

use super::{Problems, Result, schema};

/// The operations that the enum `Operation` of the crate has: variants by method name.
pub(crate) struct Variants(BTreeMap<String, syn::Ident>);

impl Variants {
    /// The variants for the operations of a document.
    pub(crate) fn of(document: &Value) -> Self {
        let ids = schema::operations(document).into_iter();
        let ids = ids.filter_map(|operation| operation.id().map(str::to_owned));
        Self(ids.map(|id| (id.to_snake_case(), variant(&id))).collect())
    }

    /// What the generated method `name` passes to the transport.
    ///
    /// `None` for an operation that only a newer document has.
    pub(crate) fn argument(&self, name: &str) -> syn::Expr {
        // The generator appends `_` to keywords.
        match self.0.get(name.trim_end_matches('_')) {
            Some(variant) => parse_quote!(Some(crate::Operation::#variant)),
            None => parse_quote!(None),
        }
    }
}

/// The source of `generated/operations.rs` for the overlaid documents, ordered by API and path.
#[allow(dead_code, reason = "only the xtask writes this file")]
pub(crate) fn source(documents: &[&Value]) -> Result<String> {
    let mut names: Vec<syn::Ident> = Vec::new();
    let (mut ids, mut methods, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for document in documents {
        let mut operations = schema::operations(document);
        operations.sort_by_key(|operation| operation.path);
        for operation in operations {
            // The lint refuses operations without an ID.
            let id = operation.id().unwrap_or_default();
            let name = variant(id);
            if names.contains(&name) {
                let what = format!("another operation is called `{id}` too");
                return Err(Problems::one(what).within(operation.title()));
            }
            names.push(name);
            ids.push(id);
            methods.push(operation.method.to_uppercase());
            paths.push(operation.path);
        }
    }
    let docs = methods.iter().zip(&paths).zip(&ids);
    let docs = docs.map(|((method, path), id)| format!(" `{id}`: `{method} {path}`."));
    let file: syn::File = parse_quote! {
        /// An operation of either API, named as in the overlaid OpenAPI documents.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            #(#[doc = #docs] #names,)*
        }

        impl Operation {
            /// All operations, ordered by API and path.
            pub const ALL: &'static [Self] = &[#(Self::#names),*];

            /// Returns the operation ID, such as `createLead`.
            pub const fn id(self) -> &'static str {
                match self { #(Self::#names => #ids,)* }
            }

            /// Returns the HTTP method, such as `POST`.
            pub const fn method(self) -> &'static str {
                match self { #(Self::#names => #methods,)* }
            }

            /// Returns the path below the base URL, with its parameters in braces.
            pub const fn path(self) -> &'static str {
                match self { #(Self::#names => #paths,)* }
            }
        }
    };
    Ok(format!(
        "// Generated from openapi/ by `cargo xtask regen`. Do not edit: change an overlay instead.\n\n{}",
        prettyplease::unparse(&file)
    ))
}

fn variant(id: &str) -> syn::Ident {
    syn::Ident::new(&id.to_pascal_case(), proc_macro2::Span::call_site())
}
