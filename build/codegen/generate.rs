//! The generator itself, and what is mended in its output.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use heck::ToPascalCase as _;
use progenitor_impl::{
    GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl,
};
use serde_json::Value;
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, ExprCall, ImplItem, Item, ItemMod, Stmt, Token, parse_quote};

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

/// Makes the generator's client one of this crate.
fn mend(file: &mut syn::File) -> Result<()> {
    file.items.retain(|item| !is_machinery(item));
    let mut mender = Mender::default();
    mender.visit_file_mut(file);
    // A new version of the generator may write these differently, and then they would stay as they are.
    if mender.constructors != 1 || mender.headers != mender.operations || !mender.whole.is_empty() {
        return Err(Problems::one(format!(
            "the generator's output has changed: {} constructors; of {} operations {} set the version header; not to be split: [{}]",
            mender.constructors,
            mender.operations,
            mender.headers,
            mender.whole.join(", ")
        )));
    }
    Ok(())
}

/// What belongs to the generator's own run-time library; `raw::runtime` stands in its place.
fn is_machinery(item: &Item) -> bool {
    match item {
        Item::Use(_) | Item::Const(_) => true,
        Item::Impl(item) => item.trait_.is_some(),
        Item::Mod(module) => module.ident == "prelude",
        _ => false,
    }
}

#[derive(Default)]
struct Mender {
    constructors: usize,
    headers: usize,
    operations: usize,
    /// The operations that could not be split.
    whole: Vec<String>,
    /// The operation's parameters.
    parameters: Vec<syn::PatType>,
    /// What has to come before a statement: the segments of its URL's path.
    encoded: Vec<Stmt>,
    /// The structures that are sent and answered.
    data: Vec<syn::Ident>,
}

impl VisitMut for Mender {
    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        visit_mut::visit_item_impl_mut(self, item);
        let members = std::mem::take(&mut item.items);
        for member in members {
            match member {
                // `new` panics without TLS and sets timeouts of its own; `new_with_client` stays.
                ImplItem::Fn(function) if function.sig.ident == "new" => self.constructors += 1,
                ImplItem::Fn(function) if function.sig.asyncness.is_some() => {
                    self.operations += 1;
                    match split(&function) {
                        Some(both) => item.items.extend(both.map(ImplItem::Fn)),
                        None => self.whole.push(function.sig.ident.to_string()),
                    }
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
            items.extend(structures.flat_map(|item| with_reader(item, &data)));
            items.push(parse_quote!(crate::raw::runtime::print_names_only!(#(#data),*);));
        }
    }

    fn visit_item_struct_mut(&mut self, item: &mut syn::ItemStruct) {
        for attribute in &mut item.attrs {
            // Of what is data only; the generator would derive it whatever the features.
            if !derives(attribute)
                .iter()
                .any(|path| is_last(path, "Serialize"))
            {
                continue;
            }
            let schema =
                parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]);
            self.data.push(item.ident.clone());
            item.attrs.push(schema);
            // Data are personal, and passwords are among them.
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
        // URLs are formatted, and what stands in a macro is not visited by itself.
        if call.path.is_ident("format")
            && let Ok(mut arguments) =
                call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)
        {
            for argument in &mut arguments {
                self.visit_expr_mut(argument);
            }
            let arguments = with_names(arguments);
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
        {
            let name = (*text.receiver).clone();
            let quoted = quoted(&name);
            if !self.is_text(&name) {
                self.encoded
                    .push(parse_quote!(let #name = &#name.to_string();));
            }
            // Not every value can be a segment.
            self.encoded
                .push(parse_quote!(let #name = encode_path(#quoted, #name)?;));
            *expression = name;
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
            // The URL would be taken apart and put together again for a parameter that is not given.
            call.args = match self.is_optional(value) {
                true => {
                    call.method = parse_quote!(query_if);
                    parse_quote!(#value.is_some(), &[(#pair)])
                }
                false => parse_quote!(&[(#pair)]),
            };
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        for mut statement in std::mem::take(&mut block.stmts) {
            // The header `api-version` on every request: the server knows nothing of it.
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
            // Answers are read whole.
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
    path.segments
        .last()
        .is_some_and(|segment| segment.ident == name)
}

fn is_function(call: &ExprCall, name: &str) -> bool {
    matches!(&*call.func, Expr::Path(function) if is_last(&function.path, name))
}

/// The arguments of `format!`, with the variables among them named in its text.
fn with_names(arguments: Punctuated<Expr, Token![,]>) -> Punctuated<Expr, Token![,]> {
    let Some(Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(template),
        ..
    })) = arguments.first()
    else {
        return arguments;
    };
    let template = template.value();
    let mut places = template.split("{}");
    let mut text = places.next().unwrap_or_default().to_owned();
    let mut unnamed = Vec::new();
    for (argument, after) in arguments.iter().skip(1).zip(places) {
        let variable = match argument {
            Expr::Path(path) => path.path.get_ident(),
            _ => None,
        };
        match variable {
            Some(name) => text.push_str(&format!("{{{name}}}{after}")),
            None => {
                text.push_str(&format!("{{}}{after}"));
                unnamed.push(argument);
            }
        }
    }
    match template.matches("{}").count() + 1 == arguments.len() {
        true => parse_quote!(#text #(, #unnamed)*),
        false => arguments,
    }
}

/// The name of a parameter, as text.
fn quoted(parameter: &Expr) -> Expr {
    match parameter {
        Expr::Path(path) => {
            let name = path.path.segments.last().map(|s| s.ident.to_string());
            let name = name.unwrap_or_default();
            parse_quote!(#name)
        }
        _ => parse_quote!(""),
    }
}

fn is_version_header(statement: &Stmt) -> bool {
    let Stmt::Expr(Expr::MethodCall(call), _) = statement else {
        return false;
    };
    let Some(Expr::Call(name)) = call.args.first() else {
        return false;
    };
    call.method == "append" && name.args.first() == Some(&parse_quote!("api-version"))
}

impl Mender {
    /// The type of a parameter.
    fn type_of(&self, parameter: &Expr) -> Option<&syn::Type> {
        let same = |known: &&syn::PatType| match (&*known.pat, parameter) {
            (syn::Pat::Ident(name), Expr::Path(path)) => path.path.is_ident(&name.ident),
            _ => false,
        };
        self.parameters.iter().find(same).map(|known| &*known.ty)
    }

    fn is_text(&self, parameter: &Expr) -> bool {
        let Some(syn::Type::Reference(reference)) = self.type_of(parameter) else {
            return false;
        };
        matches!(&*reference.elem, syn::Type::Path(path) if path.path.is_ident("str"))
    }

    fn is_optional(&self, parameter: &Expr) -> bool {
        self.type_of(parameter).is_some_and(is_option)
    }
}

/// Takes the reading of a structure that keeps unknown keys from serde. What it derives for `flatten` are twenty functions for each,
/// which were an eighth of the work of compiling the crate, and its errors do not tell the key.
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
    // Else there is nothing to gain, or there is something that is not known here.
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

/// How a field is read from the object, and whether it takes what is left of it; nothing if serde was told what is not known here.
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
                return Err(meta.error("not known here"));
            }
            Ok(())
        });
        read.ok()?;
    }
    let value: Expr = match is_option(&field.ty) {
        _ if is_rest => parse_quote!(object.rest()?),
        true => parse_quote!(object.optional(#key)?),
        false => parse_quote!(object.required(#key)?),
    };
    Some((parse_quote!(#name: #value), is_rest))
}

/// Makes two of an operation: one builds the request, for the facade too, and the other one sends it and decodes the answer.
///
/// The generator has both in one, with hooks between them, and would keep an answer from whoever can do more with it.
fn split(operation: &syn::ImplItemFn) -> Option<[syn::ImplItemFn; 2]> {
    let statements = &operation.block.stmts;
    let is_local = |statement: &Stmt, name: &str| match statement {
        Stmt::Local(local) => {
            matches!(&local.pat, syn::Pat::Ident(pattern) if pattern.ident == name)
        }
        _ => false,
    };
    let middle = statements.iter().position(|s| is_local(s, "info"))?;
    let (before, after) = statements.split_at(middle);
    let (Stmt::Local(request), before) = before.split_last()? else {
        return None;
    };
    let mut request = (*request.init.as_ref()?.expr).clone();
    let mut before = before.to_vec();
    // Nothing but the version's header has stood in most maps of headers.
    let uses = |statement: &Stmt| matches!(statement, Stmt::Expr(..));
    if !before.iter().any(uses) {
        before.retain(|statement| !is_local(statement, "header_map"));
        without_headers(&mut request);
    }

    let Stmt::Local(info) = after.first()? else {
        return None;
    };
    let Expr::Struct(info) = &*info.init.as_ref()?.expr else {
        return None;
    };
    let id = &info.fields.first()?.expr;
    let Stmt::Expr(Expr::Match(statuses), _) = after.last()? else {
        return None;
    };
    // Successful answers have the same body, whatever their status; `lint` sees to that.
    let Expr::Block(body) = &*statuses.arms.first()?.body else {
        return None;
    };
    let decode = in_memory(body.block.stmts.first()?)?;

    let (attributes, signature) = (&operation.attrs, &operation.sig);
    let (name, inputs, generics) = (&signature.ident, &signature.inputs, &signature.generics);
    let request_name = request_method(&name.to_string());
    let request_name = syn::Ident::new(&request_name, name.span());
    let arguments = inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(parameter) => Some(&parameter.pat),
        syn::FnArg::Receiver(_) => None,
    });
    let value = success(&signature.output)?;
    Some([
        parse_quote! {
            pub(crate) fn #request_name #generics(#inputs) -> Result<reqwest::Request, Unbuilt> {
                #(#before)*
                Ok(#request)
            }
        },
        parse_quote! {
            #(#attributes)*
            pub async fn #name #generics(#inputs) -> Result<#value, crate::Error> {
                let request = self.#request_name(#(#arguments),*);
                let response = self.inner.send(&self.client, #id, request).await?;
                #decode
            }
        },
    ])
}

/// The method that builds the request of an operation.
pub(crate) fn request_method(operation: &str) -> String {
    // The generator appends a `_` to keywords.
    format!("{}_request", operation.trim_end_matches('_'))
}

/// What makes a value of an answer that has been read whole.
fn in_memory(decode: &Stmt) -> Option<Expr> {
    let decode = match decode {
        Stmt::Expr(Expr::Await(decode), None) => &*decode.base,
        Stmt::Expr(Expr::Call(ok), None) => ok.args.first()?,
        _ => return None,
    };
    // What it is given may be called otherwise than `response`, where that is a parameter.
    let Expr::Call(decode) = decode else {
        return None;
    };
    if is_function(decode, "from_response") {
        Some(parse_quote!(ResponseValue::from_response(response)))
    } else if is_function(decode, "empty") {
        Some(parse_quote!(Ok(ResponseValue::of((), response))))
    } else if is_function(decode, "stream") {
        Some(parse_quote!(Ok(ResponseValue::of(
            response.body.clone(),
            response
        ))))
    } else {
        None
    }
}

/// Takes the call of `headers` out of a chain.
fn without_headers(chain: &mut Expr) {
    match chain {
        Expr::MethodCall(call) if call.method == "headers" => *chain = (*call.receiver).clone(),
        Expr::MethodCall(call) => without_headers(&mut call.receiver),
        Expr::Try(tried) => without_headers(&mut tried.expr),
        _ => {}
    }
}

/// `T` of `Result<T, E>`.
fn success(output: &syn::ReturnType) -> Option<&syn::GenericArgument> {
    let syn::ReturnType::Type(_, output) = output else {
        return None;
    };
    let syn::Type::Path(output) = &**output else {
        return None;
    };
    match &output.path.segments.last()?.arguments {
        syn::PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        _ => None,
    }
}

/// The JSON schema that the generator appends to every type is in `openapi/` already.
fn shorten_doc(attribute: &mut Attribute) {
    let syn::Meta::NameValue(meta) = &mut attribute.meta else {
        return;
    };
    if let Expr::Lit(syn::ExprLit {
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
            use crate::raw::runtime::{Bytes, QueryIf as _, ResponseValue, Unbuilt, encode_path};

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
        "::telecrm_core::open_enum! {{ {about}\n pub enum {name} {{ {lines} }} }}"
    ))
    .map_err(|error| Problems::one(format!("{name}: {error}")))
}
