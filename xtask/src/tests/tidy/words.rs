//! Finds words and phrases that make prose hard to understand.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};

use super::{Fault, File, is_test};

/// The words and phrases to avoid, one a line.
const LIST: &str = "xtask/src/tests/tidy/words.txt";

/// The places that may use them: lines of `COUNT PATH WORDS`.
const ALLOWED: &str = "xtask/src/tests/tidy/words-allowed.txt";

/// The number of entries that the list of allowed places may have. Lower it whenever one goes.
const ALLOWED_AT_MOST: usize = 0;

/// The kinds of files that hold prose.
const KINDS: [&str; 8] = ["css", "js", "md", "mjs", "py", "rs", "toml", "yml"];

/// Lists the places that use one of the words.
pub(super) fn words(files: &[File]) -> Vec<Fault> {
    let phrases: Vec<Vec<&str>> = list(files, LIST).map(|line| line.split(' ').collect()).collect();
    let mut allowed = BTreeMap::new();
    for line in list(files, ALLOWED) {
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().expect("COUNT PATH WORDS");
        let (count, path, phrase) = (part(), part(), part().to_owned());
        let count: usize = count.parse().expect("COUNT PATH WORDS");
        allowed.insert((path, phrase), count);
    }
    let mut faults = Vec::new();
    if allowed.len() > ALLOWED_AT_MOST {
        let what = format!("{} entries, at most {ALLOWED_AT_MOST} are accepted", allowed.len());
        faults.push(Fault::new(ALLOWED, what));
    }
    for file in files {
        let kind = file.path.rsplit_once('.').map_or("", |(_, kind)| kind);
        let prose =
            KINDS.contains(&kind) || file.path.ends_with(".overlay.yaml") || file.path == ".ci/run";
        if !prose || is_test(&file.path) || file.path.starts_with("generated/") {
            continue;
        }
        let spoken =
            if kind == "rs" { of_rust(file) } else { of_lines(file.text.lines().enumerate()) };
        for phrase in &phrases {
            let uses = spoken
                .windows(phrase.len())
                .filter(|window| window.iter().zip(phrase).all(|((_, said), word)| said == word));
            let lines: Vec<usize> = uses.map(|window| window[0].0).collect();
            let phrase = phrase.join(" ");
            let accepted = allowed.remove(&(file.path.as_str(), phrase.clone())).unwrap_or(0);
            if lines.len() < accepted {
                let what = format!(
                    "{accepted} uses of `{phrase}` are accepted in {}, it has {}",
                    file.path,
                    lines.len()
                );
                faults.push(Fault::new(ALLOWED, what));
            }
            if lines.len() > accepted {
                let fault =
                    |line| Fault::new(format!("{}:{line}", file.path), format!("`{phrase}`"));
                faults.extend(lines.into_iter().map(fault));
            }
        }
    }
    let unused =
        allowed.into_keys().map(|(path, phrase)| format!("{path} does not use `{phrase}`"));
    faults.extend(unused.map(|what| Fault::new(ALLOWED, what)));
    faults
}

/// The lines of a list that are neither empty nor comments.
fn list<'a>(files: &'a [File], path: &str) -> impl Iterator<Item = &'a str> {
    let lines =
        files.iter().filter(move |file| file.path == path).flat_map(|file| file.text.lines());
    lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The words of some lines in lower case, with line numbers. An empty word ends a sentence.
fn of_lines<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    for (index, line) in lines {
        let mut word = String::new();
        for c in line.chars().chain([' ']) {
            // `is_none` is a name, not two words.
            if c.is_alphanumeric() || "'_".contains(c) {
                word.extend(c.to_lowercase());
                continue;
            }
            if !word.is_empty() {
                words.push((index + 1, std::mem::take(&mut word)));
            }
            if ".:;!?|`\"".contains(c) {
                words.push((index + 1, word.clone()));
            }
        }
    }
    words
}

/// The words of the comments and texts of a Rust file, without its unit tests.
fn of_rust(file: &File) -> Vec<(usize, String)> {
    let text = file.text.split("#[cfg(test)]\nmod tests {").next();
    let text = text.unwrap_or_default();
    let is_comment =
        |line: &str| line.starts_with("//") && !line.starts_with("///") && !line.starts_with("//!");
    let comments = text.lines().enumerate();
    let mut words = of_lines(comments.filter(|(_, line)| is_comment(line.trim_start())));
    let tokens: TokenStream = text.parse().expect(&file.path);
    let mut open = vec![tokens.into_iter()];
    while let Some(tokens) = open.last_mut() {
        match tokens.next() {
            Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
            // Documentation is a text too.
            Some(TokenTree::Literal(literal)) => {
                let (text, start) = (literal.to_string(), literal.span().start().line - 1);
                words.extend(of_lines((start..).zip(text.lines())));
            }
            Some(_) => {}
            None => drop(open.pop()),
        }
    }
    words
}
