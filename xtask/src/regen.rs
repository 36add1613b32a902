//! `cargo xtask regen`: writes or compares the files that follow from `openapi/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use similar::TextDiff;

use crate::Outcome;
use crate::accept::accept;
use crate::codegen::operations::{self, Variants};
use crate::codegen::{self, APIS, Api, Source};
use crate::{diff, digest, stage};

#[derive(clap::Args, Clone, Default)]
pub(crate) struct Options {
    /// Write nothing. Print the differences and fail if there are any.
    #[arg(long)]
    pub(crate) check: bool,
    /// Replace openapi/sync.yaml by this file.
    #[arg(long, value_name = "PATH")]
    pub(crate) sync: Option<PathBuf>,
    /// Replace openapi/async.yaml by this file.
    #[arg(long, value_name = "PATH")]
    pub(crate) r#async: Option<PathBuf>,
    /// Record that the overlay action with this target may replace what the document has there now;
    /// can be repeated.
    #[arg(long, value_name = "TARGET")]
    pub(crate) accept: Vec<String>,
    /// Ignore overlay actions that no longer fit, and leave out operations without an operationId.
    #[arg(long)]
    pub(crate) skip_stale: bool,
    /// Write nothing. Print what would change, and compile the library against it.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the files even if the library does not compile against them.
    #[arg(long)]
    pub(crate) write_broken: bool,
}

impl Options {
    fn replacement(&self, api: Api) -> Option<&Path> {
        match api.name {
            "sync" => self.sync.as_deref(),
            _ => self.r#async.as_deref(),
        }
    }
}

/// A file as it should be, with its path relative to the root.
pub(crate) struct Output {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// The documents to generate from, and the messages about them.
#[derive(Default)]
pub(crate) struct Plan {
    outputs: Vec<Output>,
    overlaid: Vec<Overlaid>,
    /// The overlay actions that no longer fit.
    pub(crate) stale: Vec<String>,
    /// What the new files change, operation by operation.
    pub(crate) changes: Vec<String>,
    /// The operations without an operationId, which get no code.
    pub(crate) left_out: Vec<String>,
}

/// A document after its overlay.
struct Overlaid {
    api: Api,
    /// The path of the vendored document, for messages.
    origin: String,
    document: Value,
}

/// Runs the command.
pub(crate) fn run(root: &Path, options: &Options) -> Outcome {
    run_with(root, options, compile)
}

/// Runs the command. `compile` checks the library in a copy of the tree with the new files.
pub(crate) fn run_with(
    root: &Path,
    options: &Options,
    compile: impl Fn(&Path, &[&Output]) -> Outcome,
) -> Outcome {
    let plan = plan(root, options)?;
    for change in &plan.changes {
        println!("{change}");
    }
    if !plan.stale.is_empty() {
        let stale = plan.stale.join("\n  ");
        if !options.skip_stale {
            let what = "overlay actions no longer fit the document, so nothing was written";
            let hint = "correct the overlay; accept a part that may be replaced with --accept TARGET; \
                        or ignore these actions with --skip-stale";
            return Err(format!("{what}:\n  {stale}\nhint: {hint}").into());
        }
        eprintln!("ignored overlay actions that no longer fit:\n  {stale}");
    }
    for operation in &plan.left_out {
        eprintln!("left out, as it has no operationId: {operation}");
    }
    let outputs = plan.outputs()?;
    if options.check {
        return check(root, &outputs);
    }
    let changed: Vec<&Output> = outputs.iter().filter(|output| !is_same(root, output)).collect();
    if options.dry_run {
        changed.iter().for_each(|output| print_diff(root, output));
    }
    let is_code = |output: &&Output| output.path.extension().is_some_and(|end| end == "rs");
    if changed.iter().any(is_code)
        && let Err(error) = compile(root, &changed)
    {
        let what = format!("the library does not compile against the new code: {error}");
        if !options.write_broken {
            let hint = "correct the overlay; or write it with --write-broken, and correct src/";
            return Err(format!("{what}\nnothing was written\nhint: {hint}").into());
        }
        eprintln!("{what}");
    }
    if options.dry_run {
        return Ok(());
    }
    replace(root, &changed)?;
    let digest = Output { path: digest::FILE.into(), text: digest::of_tree(root)? };
    if !is_same(root, &digest) {
        replace(root, &[&digest])?;
    }
    if options.skip_stale {
        // What was left out must be left out again.
        let options = Options { skip_stale: true, ..Options::default() };
        return check(root, &self::plan(root, &options)?.outputs()?);
    }
    Ok(())
}

/// Compiles the library in a copy of the tree with the new files, inside the target folder.
///
/// The copy uses the compiled dependencies of the tree, so only the library itself is compiled.
fn compile(root: &Path, changed: &[&Output]) -> Outcome {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = std::path::absolute(target.unwrap_or_else(|| root.join("target")))?;
    let copy = target.join("regen");
    let _ = fs::remove_dir_all(&copy);
    let mut files = Vec::new();
    copied_files(root, Path::new(""), &mut files)?;
    for path in files {
        let (from, to) = (root.join(&path), copy.join(&path));
        fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        // A link keeps the time stamp, so cargo compiles only what has changed.
        let is_written = path == Path::new(digest::FILE) || changed.iter().any(|o| o.path == path);
        if !is_written && fs::hard_link(&from, &to).is_err() {
            fs::copy(from, to)?;
        }
    }
    for output in changed {
        fs::write(copy.join(&output.path), &output.text)?;
    }
    fs::write(copy.join(digest::FILE), digest::of_tree(&copy)?)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(&copy).args(["check", "--quiet", "--package", "telecrm", "--target-dir"]);
    let status = cargo.arg(target).status()?;
    if status.success() { Ok(()) } else { Err("see the errors above".into()) }
}

/// The files of the tree, without what is built or downloaded.
fn copied_files(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), folder.join(entry.file_name()));
        if entry.file_type()?.is_file() {
            files.push(path);
        } else if entry.file_type()?.is_dir()
            && !["target", "node_modules", ".git"].iter().any(|skipped| *skipped == name)
        {
            copied_files(root, &path, files)?;
        }
    }
    Ok(())
}

fn is_same(root: &Path, output: &Output) -> bool {
    fs::read_to_string(root.join(&output.path)).is_ok_and(|text| text == output.text)
}

/// Replaces files: all of them, or none if one cannot be written. An unchanged file must not be
/// among them, so that it keeps its time stamp and cargo does not rebuild what uses it.
fn replace(root: &Path, changed: &[&Output]) -> Outcome {
    let mut staged = Vec::new();
    for output in changed {
        let path = root.join(&output.path);
        let temporary = root.join(format!("{}.new", output.path.display()));
        staged.push(temporary.clone());
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        if let Err(error) = folder.and_then(|()| fs::write(&temporary, &output.text)) {
            for file in staged {
                // The error that is reported is the first one.
                let _ = fs::remove_file(file);
            }
            let what = format!("cannot write {}: {error}", temporary.display());
            return Err(
                format!("{what}\nhint: nothing was changed; see to it and run it again").into()
            );
        }
    }
    for (output, temporary) in changed.iter().zip(staged) {
        fs::rename(temporary, root.join(&output.path))?;
        println!("wrote {}", output.path.display());
    }
    Ok(())
}

/// Reads the documents and applies their overlays. Generates and writes nothing.
pub(crate) fn plan(root: &Path, options: &Options) -> Outcome<Plan> {
    let folder = root.join("openapi");
    let mut plan = Plan::default();
    for api in APIS {
        let vendored = format!("openapi/{}.yaml", api.name);
        let current = root.join(&vendored);
        let replacement = options.replacement(api);
        let spec = replacement.unwrap_or(&current);
        let source = Source::read(api, spec, &folder)?;
        let text = codegen::read::text(spec)?;
        let mut origin = vendored.clone();
        if let Some(path) = replacement {
            let old = codegen::read::document(&current)?;
            let report = diff::Report::of(root, Some(api), &old, &source.document)?;
            plan.changes.push(report.to_string());
            plan.output(vendored, text.clone());
            origin = path.display().to_string();
        }
        plan.output(format!("crates/emulator/openapi/{}.vendored.yaml", api.name), text);
        let mut result = source.overlaid();
        let overlay = format!("openapi/{}.overlay.yaml", api.name);
        if !options.accept.is_empty() {
            let text = fs::read_to_string(root.join(&overlay))?;
            let accepted = accept(&text, &mut result.stale, &options.accept);
            if accepted != text {
                plan.output(overlay, accepted);
            }
        }
        let stale = result.stale.iter();
        let stale = stale.map(|stale| format!("openapi/{}.overlay.yaml: {stale}", api.name));
        plan.stale.extend(stale);
        if options.skip_stale {
            let unnamed = result.leave_out_unnamed().into_iter();
            let unnamed = unnamed.map(|operation| format!("{origin}: {operation}"));
            plan.left_out.extend(unnamed);
        }
        plan.overlaid.push(Overlaid { api, origin, document: result.document });
    }
    Ok(plan)
}

impl Plan {
    fn output(&mut self, path: impl Into<PathBuf>, text: String) {
        let path = path.into();
        self.outputs.push(Output { path, text });
    }

    /// Generates all files that follow from the documents.
    pub(crate) fn outputs(mut self) -> Outcome<Vec<Output>> {
        let overlaid = std::mem::take(&mut self.overlaid);
        for Overlaid { api, origin, document } in &overlaid {
            let path = format!("crates/emulator/openapi/{}.yaml", api.name);
            self.output(path, stage::yaml(document.clone())?);
            let variants = Variants::of(document);
            let generated = codegen::source_of(*api, document.clone(), &variants);
            let text = generated.map_err(|problems| {
                let hint = format!("correct the document in openapi/{}.overlay.yaml", api.name);
                format!("no code can be generated for {origin}:\n{problems}\nhint: {hint}")
            })?;
            self.output(format!("generated/{}.rs", api.name), text);
        }
        let documents: Vec<&Value> = overlaid.iter().map(|overlaid| &overlaid.document).collect();
        self.output("generated/operations.rs", operations::source(&documents)?);
        Ok(self.outputs)
    }
}

fn print_diff(root: &Path, output: &Output) {
    let found = fs::read_to_string(root.join(&output.path)).unwrap_or_default();
    let name = output.path.display();
    let (is, wanted) = (format!("{name} (in the tree)"), format!("{name} (generated)"));
    let diff = TextDiff::from_lines(found.as_str(), output.text.as_str());
    print!("{}", diff.unified_diff().header(&is, &wanted));
}

fn check(root: &Path, outputs: &[Output]) -> Outcome {
    let mut stale = Vec::new();
    for output in outputs.iter().filter(|output| !is_same(root, output)) {
        print_diff(root, output);
        stale.push(output.path.display().to_string());
    }
    // The digest also covers the generator, which may change and still write the same code.
    let recorded = fs::read_to_string(root.join(digest::FILE)).unwrap_or_default();
    if recorded != digest::of_tree(root)? {
        stale.push(digest::FILE.to_owned());
    }
    if stale.is_empty() {
        println!("generated/ is up to date");
        return Ok(());
    }
    let what = "files differ from what openapi/ generates";
    let stale = stale.join("\n  ");
    Err(format!("{what}:\n  {stale}\nhint: run `cargo xtask regen`").into())
}
