//! Finds modules that import each other, in each crate and in each folder of more than five
//! modules.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{Fault, File, is_test};
use crate::surface::imported;

/// Folders with up to this many modules may hold circles.
const SMALL: usize = 5;

/// A path in a source file, as segments from the root of the crate.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    path: Vec<String>,
    place: String,
}

/// The modules of a crate: the path of each, and the paths that its file uses.
type Modules = BTreeMap<Vec<String>, Vec<Reference>>;

/// For each pair of modules, the places where the first imports the second.
type Imports = BTreeMap<(String, String), Vec<String>>;

/// Lists the circles of all crates, with the import lines that close each.
pub(super) fn circles(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let roots = files.iter().filter_map(|file| {
        let root = file.path.strip_suffix("/lib.rs");
        root.or_else(|| file.path.strip_suffix("/main.rs"))
            .filter(|root| *root == "src" || root.ends_with("/src"))
    });
    // The generator belongs to two crates. It is a tree of modules of its own.
    let roots: BTreeSet<&str> = roots.chain(["build/codegen"]).collect();
    for root in roots {
        let prefix = format!("{root}/");
        let (mut modules, mut exports) = (Modules::new(), BTreeMap::new());
        for file in files.iter().filter(|file| !is_test(&file.path)) {
            let Some(path) = file.path.strip_prefix(&prefix) else {
                continue;
            };
            let Some(path) = path.strip_suffix(".rs") else {
                continue;
            };
            let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
            if ["lib", "main", "mod"].contains(&module[module.len() - 1].as_str()) {
                module.pop();
            }
            let parsed = syn::parse_file(&file.text).expect(&file.path);
            let mut names = BTreeMap::new();
            for item in &parsed.items {
                if let syn::Item::Use(item) = item {
                    imported(&item.tree, &mut Vec::new(), &mut names);
                }
            }
            exports.insert(module.clone(), names);
            let tokens: TokenStream = file.text.parse().expect(&file.path);
            let used = modules.entry(module.clone()).or_default();
            references(tokens, &module, &file.path, used);
        }
        let folders: BTreeSet<&[String]> =
            modules.keys().flat_map(|m| m.split_last()).map(|(_, folder)| folder).collect();
        for folder in folders {
            let children: BTreeSet<&str> =
                modules.keys().filter_map(|m| child(m, folder)).collect();
            if folder.is_empty() || children.len() > SMALL {
                let place = [&[root.to_owned()], folder].concat().join("/");
                let names = exports.get(folder);
                let imports =
                    imports(&modules, folder, &children, names.unwrap_or(&BTreeMap::new()));
                faults.extend(faults_of(&place, &imports));
            }
        }
    }
    faults
}

/// The module directly below `folder` that `path` lies in.
fn child<'a>(path: &'a [String], folder: &[String]) -> Option<&'a str> {
    path.strip_prefix(folder)?.first().map(String::as_str)
}

/// The imports between the modules of a folder.
///
/// A name that the folder's own file re-exports counts for the module that it comes from.
fn imports(
    modules: &Modules,
    folder: &[String],
    children: &BTreeSet<&str>,
    exports: &BTreeMap<String, String>,
) -> Imports {
    let mut imports = Imports::new();
    for (module, references) in modules {
        let Some(from) = child(module, folder) else {
            continue;
        };
        for reference in references {
            let Some(mut to) = child(&reference.path, folder) else {
                continue;
            };
            if let (false, Some(full)) = (children.contains(to), exports.get(to)) {
                let inside = format!("crate::{}::", folder.join("::"));
                let full = full.strip_prefix(&inside).unwrap_or(full);
                let full = full.trim_start_matches("crate::").trim_start_matches("self::");
                to = full.split("::").next().unwrap_or(full);
            }
            if children.contains(to) && to != from {
                let places = imports.entry((from.to_owned(), to.to_owned())).or_default();
                if places.last() != Some(&reference.place) {
                    places.push(reference.place.clone());
                }
            }
        }
    }
    imports
}

/// The circles among some modules.
fn faults_of(folder: &str, imports: &Imports) -> Vec<Fault> {
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, _) in imports.keys() {
        let mut open = vec![from.as_str()];
        let found = reached.entry(from).or_default();
        while let Some(module) = open.pop() {
            let next = imports.keys().filter(|(from, _)| from == module);
            open.extend(next.map(|(_, to)| to.as_str()).filter(|to| found.insert(to)));
        }
    }
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|found| found.contains(to));
    let mut circles = BTreeSet::new();
    for from in reached.keys() {
        let circle = reached.keys().filter(|to| reaches(from, to) && reaches(to, from));
        let circle: Vec<&str> = circle.copied().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let fault = |circle: Vec<&str>| {
        let mut what =
            format!("these modules import each other in a circle: {}", circle.join(", "));
        for ((from, to), places) in imports {
            if circle.contains(&from.as_str()) && circle.contains(&to.as_str()) {
                what.push_str(&format!("\n  {from} -> {to}: {}", places.join(", ")));
            }
        }
        Fault::new(folder, what)
    };
    circles.into_iter().map(fault).collect()
}

/// Collects the paths of a file that begin with `crate`, `self` or `super`.
fn references(tokens: TokenStream, module: &[String], file: &str, found: &mut Vec<Reference>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [TokenTree::Punct(hash), TokenTree::Group(attribute), ..]
                if hash.as_char() == '#' && is_test_only(attribute) =>
            {
                at += 2;
                // The item ends with its body or its semicolon.
                while at < tokens.len() && !ends_item(&tokens[at]) {
                    at += 1;
                }
            }
            [TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Group(body), ..]
                if keyword == "mod" =>
            {
                let inner = [module, &[name.to_string()]].concat();
                references(body.stream(), &inner, file, found);
                at += 2;
            }
            [TokenTree::Ident(_), TokenTree::Punct(colon), ..] if colon.as_char() == ':' => {
                at += path(&tokens[at..], None, module, file, found);
                continue;
            }
            [TokenTree::Group(group), ..] => references(group.stream(), module, file, found),
            _ => {}
        }
        at += 1;
    }
}

fn is_test_only(attribute: &proc_macro2::Group) -> bool {
    let text = attribute.stream().to_string();
    let text = text.replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    }
}

/// Reads the path at the start of `tokens` and returns the number of its tokens.
///
/// `base` is the path before a group of imports. Without it, the path must begin with a keyword.
fn path(
    tokens: &[TokenTree],
    base: Option<&[String]>,
    module: &[String],
    file: &str,
    found: &mut Vec<Reference>,
) -> usize {
    let TokenTree::Ident(first) = &tokens[0] else {
        return 1;
    };
    let mut path = match (base, first.to_string().as_str()) {
        (Some(base), "self") => base.to_vec(),
        (Some(base), name) => [base, &[name.to_owned()]].concat(),
        (None, "crate") => Vec::new(),
        (None, "self") => module.to_vec(),
        (None, "super") => {
            module.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default()
        }
        (None, _) => return 1,
    };
    let mut at = 1;
    while let [TokenTree::Punct(one), TokenTree::Punct(two), next, ..] = &tokens[at..] {
        if one.as_char() != ':' || two.as_char() != ':' {
            break;
        }
        match next {
            TokenTree::Ident(name) if name == "super" => {
                path.pop();
            }
            TokenTree::Ident(name) => path.push(name.to_string()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
                for tree in inner.split(is_comma).filter(|tree| !tree.is_empty()) {
                    self::path(tree, Some(&path), module, file, found);
                }
                return at + 3;
            }
            _ => break,
        }
        at += 3;
    }
    let place = format!("{file}:{}", first.span().start().line);
    found.push(Reference { path, place });
    at
}
