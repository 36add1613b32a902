//! The generator itself, and what is mended in its output.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use heck::ToPascalCase as _;
use progenitor_impl::{
    GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl,
};
use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, ImplItem, Item, ItemMod, Stmt, parse_quote};

use super::{Api, Problems, Result, normalise, schema};

/// Schemas that are written by hand: the path of the type and what it implements.
const REPLACED: [(&str, &str); 2] = [
    ("FieldValue", "::telecrm_core::FieldValue"),
    ("InputAction", "::telecrm_core::Action"),
];

/// The Rust source for a normalised and linted document, with the line that says not to edit it.
pub(crate) fn generate(api: Api, document: Value) -> Result<String> {
    let enums = open_enums(&document);
    let spec =
        serde_json::from_value(document).map_err(|error| Problems::one(error.to_string()))?;
    let names: Vec<String> = enums.iter().map(|(name, _)| name.clone()).collect();
    let mut generator = Generator::new(&settings(&names)?);
    let tokens = catch(|| generator.generate_tokens(&spec))??;
    let mut file: syn::File =
        syn::parse2(tokens).map_err(|error| Problems::one(error.to_string()))?;
    mend(&mut file)?;
    let module = wrap(api, file, enums)?;
    let source = prettyplease::unparse(&parse_quote!(#module));
    let origin = Path::new("openapi").join(format!("{}.yaml", api.name));
    Ok(format!(
        "// Generated from {} by `cargo xtask regen`. Do not edit: change its overlay instead.\n\n{source}",
        origin.to_string_lossy().replace('\\', "/")
    ))
}

fn settings(enums: &[String]) -> Result<GenerationSettings> {
    let inner = "crate::transport::Context".parse();
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(inner.map_err(|error| Problems::one(format!("{error}")))?)
        .with_derive("PartialEq")
        .with_map_type("::std::collections::BTreeMap");
    // An f64 would change integers beyond 2^53 and write 10 as 10.0.
    let number = serde_json::from_value(serde_json::json!({ "type": "number" }));
    settings.with_conversion(
        number.map_err(|error| Problems::one(error.to_string()))?,
        "::serde_json::Number",
        [TypeImpl::Display, TypeImpl::FromStr].into_iter(),
    );
    for (name, path) in REPLACED {
        settings.with_replacement(name, path, [TypeImpl::Default].into_iter());
    }
    for name in enums {
        let traits = [TypeImpl::Display, TypeImpl::FromStr];
        settings.with_replacement(name, format!("enums::{name}"), traits.into_iter());
    }
    Ok(settings)
}

/// Runs the generator, which panics on what it does not handle; the lint should have named it first.
fn catch<T>(
    run: impl FnOnce() -> progenitor_impl::Result<T>,
) -> Result<std::result::Result<T, Problems>> {
    match panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => Ok(result.map_err(|error| Problems::one(format!("the generator: {error}")))),
        Err(payload) => {
            let text = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(Problems::one(format!("the generator panicked: {text}")))
        }
    }
}

/// The named lists of texts, each with its values.
fn open_enums(document: &Value) -> Vec<(String, Vec<String>)> {
    schema::members(document.pointer("/components/schemas"))
        .filter(|(_, node)| normalise::is_text_enum(node))
        .map(|(name, node)| {
            let values = schema::elements(node.get("enum"))
                .filter_map(Value::as_str)
                .map(str::to_owned);
            (name.to_pascal_case(), values.collect())
        })
        .collect()
}

/// The variant for a value of an open enum, if it can be named.
pub(crate) fn variant(value: &str) -> Option<String> {
    if value.is_empty() {
        return Some("Empty".to_owned());
    }
    let ascii: String = value
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect();
    let name = ascii.to_pascal_case();
    match name.as_str() {
        "" => None,
        // Taken by the catch-all, and words that cannot be variants.
        "Unknown" | "Self" => Some(format!("{name}Value")),
        _ if name.starts_with(|c: char| c.is_ascii_digit()) => Some(format!("N{name}")),
        _ => Some(name),
    }
}

/// Removes what must not be in a client of this crate.
fn mend(file: &mut syn::File) -> Result<()> {
    let mut mender = Mender::default();
    mender.visit_file_mut(file);
    // A new version of the generator may write these differently, and then nothing would be removed.
    if mender.constructors != 1 || mender.headers != mender.operations {
        return Err(Problems::one(format!(
            "the generator's output has changed: {} constructors and {} version headers in {} operations",
            mender.constructors, mender.headers, mender.operations
        )));
    }
    Ok(())
}

#[derive(Default)]
struct Mender {
    constructors: usize,
    headers: usize,
    operations: usize,
}

impl VisitMut for Mender {
    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        let client =
            matches!(&*item.self_ty, syn::Type::Path(path) if path.path.is_ident("Client"));
        if client && item.trait_.is_none() {
            // `new` panics without TLS and sets timeouts of its own; `new_with_client` stays.
            item.items.retain(|member| {
                let constructor = matches!(member, ImplItem::Fn(f) if f.sig.ident == "new");
                self.constructors += usize::from(constructor);
                !constructor
            });
        }
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_item_struct_mut(&mut self, item: &mut syn::ItemStruct) {
        let derives = |attribute: &Attribute| {
            let list = attribute.meta.require_list();
            attribute.path().is_ident("derive")
                && list.is_ok_and(|list| list.tokens.to_string().contains("Serialize"))
        };
        // Of what is data only; the generator would derive it whatever the features.
        if item.attrs.iter().any(derives) {
            let schema =
                parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]);
            item.attrs.push(schema);
        }
        visit_mut::visit_item_struct_mut(self, item);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut syn::ImplItemFn) {
        self.operations += usize::from(function.sig.asyncness.is_some());
        visit_mut::visit_impl_item_fn_mut(self, function);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        // The header `api-version` on every request: the server knows nothing of it.
        block.stmts.retain(|statement| {
            let header = is_version_header(statement);
            self.headers += usize::from(header);
            !header
        });
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        for attribute in attributes {
            shorten_doc(attribute);
        }
    }
}

fn is_version_header(statement: &Stmt) -> bool {
    let Stmt::Expr(syn::Expr::MethodCall(call), _) = statement else {
        return false;
    };
    let Some(syn::Expr::Call(name)) = call.args.first() else {
        return false;
    };
    call.method == "append" && name.args.first() == Some(&parse_quote!("api-version"))
}

/// The JSON schema that the generator appends to every type is in `openapi/` already.
fn shorten_doc(attribute: &mut Attribute) {
    let syn::Meta::NameValue(meta) = &mut attribute.meta else {
        return;
    };
    if let syn::Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(text),
        ..
    }) = &mut meta.value
        && meta.path.is_ident("doc")
        && let Some((before, _)) = text.value().split_once("<details>")
    {
        *text = syn::LitStr::new(before.trim_end(), text.span());
    }
}

/// Puts everything into one module, since an included file cannot have attributes of its own.
fn wrap(api: Api, file: syn::File, enums: Vec<(String, Vec<String>)>) -> Result<ItemMod> {
    let enums: Vec<Item> = enums
        .iter()
        .map(|(name, values)| open_enum(name, values))
        .collect::<Result<_>>()?;
    let items = file.items.into_iter().map(|item| match item {
        Item::Mod(mut module) if module.ident == "types" => {
            if let Some((_, content)) = &mut module.content {
                content.insert(
                    0,
                    parse_quote!(
                        use super::enums;
                    ),
                );
            }
            Item::Mod(module)
        }
        item => item,
    });
    let module = syn::Ident::new(api.module, proc_macro2::Span::call_site());
    let about = format!(" The `{}` client, generated.", api.name);
    Ok(parse_quote! {
        #[doc = #about]
        #[allow(clippy::all, clippy::unwrap_used, missing_docs, rustdoc::all, unreachable_pub, unused)]
        pub mod #module {
            use crate::raw::shim as progenitor_client;

            /// Lists of values that may grow: the known ones, and the text of any other.
            pub mod enums {
                #(#enums)*
            }

            #(#items)*
        }
    })
}

fn open_enum(name: &str, values: &[String]) -> Result<Item> {
    let mut lines = String::new();
    for value in values {
        let variant = variant(value)
            .ok_or_else(|| Problems::one(format!("{name}: no variant for `{value}`")))?;
        lines.push_str(&format!("{variant} = {value:?},"));
    }
    let about = format!("/// A value of `{name}`.");
    syn::parse_str(&format!(
        "::telecrm_core::open_enum! {{ {about}\n {name}: {lines} }}"
    ))
    .map_err(|error| Problems::one(format!("{name}: {error}")))
}
