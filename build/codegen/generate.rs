//! Runs the generator and adapts its output to this crate.

use std::panic::{self, AssertUnwindSafe};

use heck::ToPascalCase as _;
use proc_macro2::Span;
use progenitor_impl::{
    GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl,
};
use serde_json::Value;
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, ExprCall, ImplItem, Item, ItemMod, Stmt, Token, parse_quote};

use super::operations::Variants;
use super::{Api, Problems, Result, normalise, schema};

/// Schemas whose Rust types are written by hand, with the paths of these types.
const REPLACED: [(&str, &str); 2] =
    [("FieldValue", "::telecrm_core::FieldValue"), ("InputAction", "::telecrm_core::Action")];

/// The Rust source for a normalised and linted document, with a first line against editing.
pub(crate) fn generate(api: Api, document: Value, variants: &Variants) -> Result<String> {
    let enums = open_enums(&document);
    let spec = serde_json::from_value(document).map_err(Problems::one)?;
    let mut generator = Generator::new(&settings(&enums)?);
    let tokens = catch(|| generator.generate_tokens(&spec))?;
    let mut file: syn::File = syn::parse2(tokens).map_err(Problems::one)?;
    let parameters = adapt(&mut file, variants)?;
    let module = wrap(api, &file, &enums, &parameters);
    let source = prettyplease::unparse(&parse_quote!(#module));
    Ok(format!(
        "// Generated from openapi/{}.yaml by `cargo xtask regen`. Do not edit: change its overlay instead.\n\n{source}",
        api.name
    ))
}

fn settings(enums: &[OpenEnum]) -> Result<GenerationSettings> {
    let inner = "crate::transport::Context".parse();
    // An f64 would change integers beyond 2^53 and write 10 as 10.0.
    let number = serde_json::from_value(serde_json::json!({ "type": "number" }));
    let text = [TypeImpl::Display, TypeImpl::FromStr];
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(inner.map_err(Problems::one)?)
        .with_derive("PartialEq")
        .with_map_type("::std::collections::BTreeMap");
    let number = number.map_err(Problems::one)?;
    settings.with_conversion(number, "::serde_json::Number", text.into_iter());
    for (name, path) in REPLACED {
        settings.with_replacement(name, path, [TypeImpl::Default].into_iter());
    }
    for (name, _) in enums {
        settings.with_replacement(name, format!("enums::{name}"), text.into_iter());
    }
    Ok(settings)
}

/// Runs the generator and turns its panics into errors.
///
/// It panics on constructs that it does not support. The lint should refuse these first.
fn catch<T>(run: impl FnOnce() -> progenitor_impl::Result<T>) -> Result<T> {
    let payload = match panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => return result.map_err(|error| Problems::one(error).within("the generator")),
        Err(payload) => payload,
    };
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no message");
    let hint = "add a rule to build/codegen/lint.rs that names the place";
    Err(Problems::one(format!("the generator panicked: {text}\nhint: {hint}")))
}

/// The name of a string enum, and its values.
type OpenEnum = (String, Vec<String>);

/// The string enums among the components.
fn open_enums(document: &Value) -> Vec<OpenEnum> {
    let components = schema::members(document.pointer("/components/schemas"));
    let enums = components.filter(|(_, node)| normalise::is_text_enum(node));
    let enums = enums.map(|(name, node)| {
        let values = schema::elements(node.get("enum")).filter_map(Value::as_str);
        (name.to_pascal_case(), values.map(str::to_owned).collect())
    });
    enums.collect()
}

/// The variant for a value of an open enum. Returns `None` if the value has no letter or digit.
pub(crate) fn variant(value: &str) -> Option<String> {
    if value.is_empty() {
        return Some("Empty".to_owned());
    }
    let ascii = value.replace(|c: char| !c.is_ascii_alphanumeric(), " ");
    let name = ascii.to_pascal_case();
    match name.as_str() {
        "" => None,
        // `Unknown` is the catch-all, and `Self` is a keyword.
        "Unknown" | "Self" => Some(format!("{name}Value")),
        _ if name.starts_with(|c: char| c.is_ascii_digit()) => Some(format!("N{name}")),
        _ => Some(name),
    }
}

/// Rewrites the generator's client so that it sends through this crate's transport.
/// Returns the structs with the parameters of the operations.
fn adapt(file: &mut syn::File, variants: &Variants) -> Result<Vec<syn::ItemStruct>> {
    file.items.retain(|item| !is_machinery(item));
    let mut adapter = Adapter {
        variants,
        constructors: 0,
        headers: 0,
        operations: 0,
        whole: Vec::new(),
        parameters: Vec::new(),
        named: Vec::new(),
        encoded: Vec::new(),
        data: Vec::new(),
    };
    adapter.visit_file_mut(file);
    // A new version of the generator may write these parts in another way. Left alone they would
    // compile and behave differently.
    let mut changed = std::mem::take(&mut adapter.whole);
    if adapter.constructors != 1 {
        changed.push(format!("{} methods `new`", adapter.constructors));
    }
    if adapter.headers != adapter.operations {
        let Adapter { headers, operations, .. } = adapter;
        changed.push(format!("{headers} headers `api-version` in {operations} operations"));
    }
    if changed.is_empty() {
        return Ok(adapter.named);
    }
    let hint = "adapt build/codegen/generate.rs to this version of progenitor-impl";
    let changed = changed.join(", ");
    Err(Problems::one(format!("the generator writes unexpected code: {changed}\nhint: {hint}")))
}

/// Whether an item belongs to the generator's own runtime library, which `raw::runtime` replaces.
fn is_machinery(item: &Item) -> bool {
    match item {
        Item::Use(_) | Item::Const(_) => true,
        Item::Impl(item) => item.trait_.is_some(),
        Item::Mod(module) => module.ident == "prelude",
        _ => false,
    }
}

struct Adapter<'a> {
    variants: &'a Variants,
    constructors: usize,
    headers: usize,
    operations: usize,
    /// The operations that could not be split.
    whole: Vec<String>,
    /// The parameters of the current operation.
    parameters: Vec<syn::PatType>,
    /// The structs with the parameters of the operations.
    named: Vec<syn::ItemStruct>,
    /// Statements that encode path segments, to be inserted before the one that uses them.
    encoded: Vec<Stmt>,
    /// The structs of requests and responses.
    data: Vec<syn::Ident>,
}

impl VisitMut for Adapter<'_> {
    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        visit_mut::visit_item_impl_mut(self, item);
        let members = std::mem::take(&mut item.items);
        for member in members {
            match member {
                // `new` panics without TLS and sets its own timeouts. `new_with_client` stays.
                ImplItem::Fn(function) if function.sig.ident == "new" => self.constructors += 1,
                ImplItem::Fn(function) if function.sig.asyncness.is_some() => {
                    self.operations += 1;
                    let parameters = named_parameters(&function.sig);
                    match split(&function, parameters.as_ref(), self.variants) {
                        Some(both) => item.items.extend(both.map(ImplItem::Fn)),
                        None => self.whole.push(function.sig.ident.to_string()),
                    }
                    self.named.extend(parameters);
                }
                member => item.items.push(member),
            }
        }
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        visit_mut::visit_item_mod_mut(self, module);
        if let Some((_, items)) = &mut module.content
            && module.ident == "types"
        {
            let data = std::mem::take(&mut self.data);
            let structures = std::mem::take(items).into_iter();
            items.push(parse_quote!(
                use super::enums;
            ));
            items.extend(structures.flat_map(|item| with_reader(item, &data)));
            items.push(parse_quote!(crate::raw::runtime::print_names_only!(#(#data),*);));
        }
    }

    fn visit_item_struct_mut(&mut self, item: &mut syn::ItemStruct) {
        for attribute in &mut item.attrs {
            // The generator itself would derive it without the feature too.
            let mut traits = derives(attribute).into_iter();
            if !traits.any(|path| is_last(&path, "Serialize")) {
                continue;
            }
            self.data.push(item.ident.clone());
            item.attrs.push(
                parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]),
            );
            // Requests and responses hold personal data and passwords.
            without_derive(&mut item.attrs, "Debug");
            break;
        }
        visit_mut::visit_item_struct_mut(self, item);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut syn::ImplItemFn) {
        let parameters = function.sig.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(parameter) => Some(parameter.clone()),
            syn::FnArg::Receiver(_) => None,
        });
        self.parameters = parameters.collect();
        visit_mut::visit_impl_item_fn_mut(self, function);
    }

    fn visit_macro_mut(&mut self, call: &mut syn::Macro) {
        // The URL is the input of `format!`, and syn does not visit the input of macros.
        if call.path.is_ident("format")
            && let Ok(mut arguments) =
                call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)
        {
            for argument in &mut arguments {
                self.visit_expr_mut(argument);
            }
            call.tokens = parse_quote!(#arguments);
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        let Expr::Call(call) = expression else {
            return;
        };
        if is_function(call, "encode_path")
            && let Some(Expr::Reference(argument)) = call.args.first()
            && let Expr::MethodCall(text) = &*argument.expr
            && let Expr::Path(parameter) = &*text.receiver
            && let Some(name) = parameter.path.get_ident().cloned()
        {
            let quoted = name.unraw().to_string();
            let encoded = &mut self.encoded;
            if !is_text(&self.parameters, &text.receiver) {
                encoded.push(parse_quote!(let #name = &#name.to_string();));
            }
            // `encode_path` refuses values that cannot be a segment.
            encoded.push(parse_quote!(let #name = encode_path(#quoted, #name)?;));
            *expression = parse_quote!(#name);
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        if call.method == "query"
            && let Some(Expr::Reference(parameter)) = call.args.first()
            && let Expr::Call(parameter) = &*parameter.expr
            && is_function(parameter, "new")
            && let Some(Expr::Reference(value)) = parameter.args.last()
        {
            let (pair, value) = (&parameter.args, &value.expr);
            // Without the condition, reqwest would parse and rebuild the URL for absent parameters.
            call.args = if type_of(&self.parameters, value).is_some_and(is_option) {
                call.method = parse_quote!(query_if);
                parse_quote!(#value.is_some(), &[(#pair)])
            } else {
                parse_quote!(&[(#pair)])
            };
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        for mut statement in std::mem::take(&mut block.stmts) {
            // The generator sends the header `api-version`, which the vendor does not document.
            if is_version_header(&statement) {
                self.headers += 1;
                continue;
            }
            self.visit_stmt_mut(&mut statement);
            block.stmts.append(&mut self.encoded);
            block.stmts.push(statement);
        }
    }

    fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
        if segment.ident == "ByteStream" {
            // Response bodies are read as a whole.
            *segment = parse_quote!(Bytes);
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }

    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        for attribute in attributes {
            shorten_doc(attribute);
        }
    }
}

/// The traits of an attribute `derive`.
fn derives(attribute: &Attribute) -> Punctuated<syn::Path, Token![,]> {
    let is_derive = attribute.path().is_ident("derive");
    let traits = is_derive.then(|| attribute.parse_args_with(Punctuated::parse_terminated));
    traits.and_then(syn::Result::ok).unwrap_or_default()
}

fn without_derive(attributes: &mut [Attribute], name: &str) {
    for attribute in attributes {
        let traits = derives(attribute);
        if traits.iter().any(|path| is_last(path, name)) {
            let traits = traits.iter().filter(|path| !is_last(path, name));
            *attribute = parse_quote!(#[derive(#(#traits),*)]);
        }
    }
}

fn is_option(of: &syn::Type) -> bool {
    matches!(of, syn::Type::Path(path) if is_last(&path.path, "Option"))
}

fn is_last(path: &syn::Path, name: &str) -> bool {
    let last = path.segments.last();
    last.is_some_and(|segment| segment.ident == name)
}

fn is_function(call: &ExprCall, name: &str) -> bool {
    matches!(&*call.func, Expr::Path(function) if is_last(&function.path, name))
}

fn is_version_header(statement: &Stmt) -> bool {
    if let Stmt::Expr(Expr::MethodCall(call), _) = statement
        && let Some(Expr::Call(name)) = call.args.first()
    {
        return call.method == "append" && name.args.first() == Some(&parse_quote!("api-version"));
    }
    false
}

/// The type of a parameter.
fn type_of<'a>(parameters: &'a [syn::PatType], parameter: &Expr) -> Option<&'a syn::Type> {
    let same = |known: &&syn::PatType| match (&*known.pat, parameter) {
        (syn::Pat::Ident(name), Expr::Path(path)) => path.path.is_ident(&name.ident),
        _ => false,
    };
    parameters.iter().find(same).map(|known| &*known.ty)
}

fn is_text(parameters: &[syn::PatType], parameter: &Expr) -> bool {
    let Some(syn::Type::Reference(reference)) = type_of(parameters, parameter) else {
        return false;
    };
    matches!(&*reference.elem, syn::Type::Path(path) if path.path.is_ident("str"))
}

/// Replaces the derived `Deserialize` of a struct that keeps unknown keys.
///
/// serde's derive for `flatten` writes some twenty functions for each struct, an eighth of the time
/// that compiling the crate takes, and its errors do not name the key.
fn with_reader(item: Item, data: &[syn::Ident]) -> Vec<Item> {
    let Item::Struct(mut structure) = item else {
        return vec![item];
    };
    if !data.contains(&structure.ident) {
        return vec![structure.into()];
    }
    let fields = structure.fields.iter().map(reader_of_field);
    let fields = fields.collect::<Option<Vec<_>>>().unwrap_or_default();
    let keeps_unknown = fields.iter().any(|(_, is_rest)| *is_rest);
    // Without `flatten` the derive is fine. Other attributes are left to serde.
    if !keeps_unknown || !structure.attrs.iter().all(|a| !a.path().is_ident("serde")) {
        return vec![structure.into()];
    }
    without_derive(&mut structure.attrs, "Deserialize");
    let name = &structure.ident;
    let (known, rest): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(_, is_rest)| !is_rest);
    let known = known.into_iter().chain(rest).map(|(field, _)| field);
    let reader = parse_quote! {
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self { #(#known),* })
            }
        }
    };
    vec![structure.into(), reader]
}

/// The expression that reads a field, and whether the field takes the unknown keys.
///
/// Returns `None` if the field has a serde attribute that the reader does not support.
fn reader_of_field(field: &syn::Field) -> Option<(syn::FieldValue, bool)> {
    let name = field.ident.as_ref()?;
    let mut key = name.unraw().to_string();
    let mut is_rest = false;
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("serde")) {
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                key = meta.value()?.parse::<syn::LitStr>()?.value();
            } else if meta.path.is_ident("flatten") {
                is_rest = true;
            } else if meta.path.is_ident("skip_serializing_if") {
                meta.value()?.parse::<syn::LitStr>()?;
            } else {
                return Err(meta.error("unsupported attribute"));
            }
            Ok(())
        });
        read.ok()?;
    }
    let value: Expr = if is_rest {
        parse_quote!(object.rest()?)
    } else if is_option(&field.ty) {
        parse_quote!(object.optional(#key)?)
    } else {
        parse_quote!(object.required(#key)?)
    };
    Some((parse_quote!(#name: #value), is_rest))
}

/// Splits a generated operation in two: one method builds the request, the other sends it.
///
/// The facade needs the request alone, and reads more from the response than the generated code.
/// Returns `None` if the code does not look as expected.
fn split(
    operation: &syn::ImplItemFn,
    parameters: Option<&syn::ItemStruct>,
    variants: &Variants,
) -> Option<[syn::ImplItemFn; 2]> {
    let statements = &operation.block.stmts;
    let is_info = |statement: &Stmt| match statement {
        Stmt::Local(local) => {
            matches!(&local.pat, syn::Pat::Ident(pattern) if pattern.ident == "info")
        }
        _ => false,
    };
    let middle = statements.iter().position(is_info)?;
    let (before, after) = statements.split_at(middle);
    let (Stmt::Local(request), before) = before.split_last()? else {
        return None;
    };
    let request = &request.init.as_ref()?.expr;
    let Stmt::Expr(Expr::Match(statuses), _) = after.last()? else {
        return None;
    };
    // The lint makes sure that all success statuses have the same body.
    let Expr::Block(body) = &*statuses.arms.first()?.body else {
        return None;
    };
    let decode = in_memory(body.block.stmts.first()?)?;

    let (attributes, signature) = (&operation.attrs, &operation.sig);
    let (name, generics) = (&signature.ident, &signature.generics);
    let variant = variants.argument(&name.to_string());
    let request_name = request_method(&name.to_string());
    let request_name = syn::Ident::new(&request_name, name.span());
    let names: Vec<_> = typed(&signature.inputs).map(|parameter| &parameter.pat).collect();
    let mut inputs = signature.inputs.clone();
    let mut arguments = names.clone();
    let together: Box<syn::Pat> = Box::new(parse_quote!(parameters));
    let unpack: Option<Stmt> = parameters.map(|of| {
        let (of, generics) = (&of.ident, of.generics.split_for_impl().1);
        inputs = signature.inputs.iter().take(1).cloned().collect();
        inputs.push(parse_quote!(parameters: parameters::#of #generics));
        arguments = vec![&together];
        parse_quote!(let parameters::#of { #(#names),* } = parameters;)
    });
    let value = success(&signature.output)?;
    Some([
        parse_quote! {
            pub(crate) fn #request_name #generics(#inputs) -> Result<reqwest::Request, Unbuilt> {
                #unpack
                #(#before)*
                Ok(#request)
            }
        },
        parse_quote! {
            #(#attributes)*
            pub async fn #name #generics(#inputs) -> Result<#value, crate::Error> {
                let request = self.#request_name(#(#arguments),*);
                let response = self.inner.send(&self.client, #variant, request).await?;
                #decode
            }
        },
    ])
}

/// The struct with the parameters of an operation. Returns `None` for a single parameter.
///
/// A renamed parameter then breaks the compilation of its callers, instead of taking the place of
/// another one.
fn named_parameters(signature: &syn::Signature) -> Option<syn::ItemStruct> {
    let names: Vec<_> = typed(&signature.inputs).map(|parameter| &parameter.pat).collect();
    let types = typed(&signature.inputs).map(|parameter| &parameter.ty);
    if names.len() < 2 {
        return None;
    }
    let operation = signature.ident.unraw().to_string();
    let name = syn::Ident::new(&operation.to_pascal_case(), signature.ident.span());
    let about = format!(" The parameters of [`{operation}`](super::Client::{operation}).");
    let generics = &signature.generics;
    Some(parse_quote! {
        #[doc = #about]
        #[derive(Clone)]
        pub struct #name #generics { #(pub #names: #types),* }
    })
}

fn typed(inputs: &Punctuated<syn::FnArg, Token![,]>) -> impl Iterator<Item = &syn::PatType> {
    inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(parameter) => Some(parameter),
        syn::FnArg::Receiver(_) => None,
    })
}

/// The name of the method that builds the request of an operation.
pub(crate) fn request_method(operation: &str) -> String {
    // The generator appends a `_` to keywords.
    format!("{}_request", operation.trim_end_matches('_'))
}

/// The expression that decodes a response whose body has been read.
///
/// Returns `None` for code that no known version of the generator writes.
fn in_memory(decode: &Stmt) -> Option<Expr> {
    let decode = match decode {
        Stmt::Expr(Expr::Await(decode), None) => &*decode.base,
        Stmt::Expr(Expr::Call(ok), None) => ok.args.first()?,
        _ => return None,
    };
    // The argument has another name if the operation has a parameter called `response`.
    let Expr::Call(decode) = decode else {
        return None;
    };
    let Expr::Path(function) = &*decode.func else {
        return None;
    };
    match function.path.segments.last()?.ident.to_string().as_str() {
        "from_response" => Some(parse_quote!(ResponseValue::from_response(response))),
        "empty" => Some(parse_quote!(Ok(ResponseValue::of((), response)))),
        "stream" => Some(parse_quote!(Ok(ResponseValue::of(response.body.clone(), response)))),
        _ => None,
    }
}

/// The `T` of a return type `Result<T, E>`.
fn success(output: &syn::ReturnType) -> Option<&syn::GenericArgument> {
    if let syn::ReturnType::Type(_, output) = output
        && let syn::Type::Path(output) = &**output
        && let syn::PathArguments::AngleBracketed(found) = &output.path.segments.last()?.arguments
    {
        return found.args.first();
    }
    None
}

/// Cuts the JSON schema that the generator appends to the docs of each type.
fn shorten_doc(attribute: &mut Attribute) {
    let syn::Meta::NameValue(meta) = &mut attribute.meta else {
        return;
    };
    if let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &mut meta.value
        && meta.path.is_ident("doc")
        && let Some((before, _)) = text.value().split_once("<details>")
    {
        *text = syn::LitStr::new(before.trim_end(), text.span());
    }
}

/// Wraps everything in a module, because a file that `include!` reads cannot have inner attributes.
fn wrap(api: Api, file: &syn::File, enums: &[OpenEnum], parameters: &[syn::ItemStruct]) -> ItemMod {
    let module = syn::Ident::new(api.module, Span::call_site());
    let about = format!(" The `{}` client, generated.", api.name);
    let (items, enums) = (&file.items, enums.iter().map(open_enum));
    parse_quote! {
        #[doc = #about]
        #[allow(clippy::all, clippy::unwrap_used, missing_docs, rustdoc::all, unreachable_pub, unused)]
        pub mod #module {
            use crate::raw::runtime::{Bytes, QueryIf as _, ResponseValue, Unbuilt, encode_path};

            /// Enums that the vendor may extend: the known values, and a variant that keeps other
            /// text.
            pub mod enums {
                #(#enums)*
            }

            /// The parameters of the operations that take more than one.
            pub mod parameters {
                use super::{enums, types};

                #(#parameters)*
            }

            #(#items)*
        }
    }
}

fn open_enum((name, values): &OpenEnum) -> Item {
    let about = format!(" A value of `{name}`.");
    let name = syn::Ident::new(name, Span::call_site());
    // The lint refuses values without a variant.
    let variants = values.iter().filter_map(|value| variant(value));
    let variants = variants.map(|variant| syn::Ident::new(&variant, Span::call_site()));
    parse_quote!(::telecrm_core::open_enum! {
        #[doc = #about]
        pub enum #name { #(#variants = #values,)* }
    })
}
