//! `cargo xtask regen`: everything that follows from `openapi/`, written or compared.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use similar::TextDiff;

use crate::codegen::{self, APIS, Api, Source};
use crate::{Outcome, diff, digest, stage};

/// Where the documents come from and what to do with the result.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Options {
    /// Write nothing: compare, print the differences and fail if there are any.
    #[arg(long)]
    pub(crate) check: bool,
    /// Take this file as the new openapi/sync.yaml.
    #[arg(long, value_name = "PATH")]
    pub(crate) sync: Option<PathBuf>,
    /// Take this file as the new openapi/async.yaml.
    #[arg(long, value_name = "PATH")]
    pub(crate) r#async: Option<PathBuf>,
    /// Go on without the corrections that have no effect, and without the operations that they should have named.
    #[arg(long)]
    pub(crate) skip_stale: bool,
}

impl Options {
    fn replacement(&self, api: Api) -> Option<&Path> {
        match api.name {
            "sync" => self.sync.as_deref(),
            _ => self.r#async.as_deref(),
        }
    }
}

/// A file as it should be, relative to the root.
pub(crate) struct Output {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// The documents to generate from, and what there is to say about them.
pub(crate) struct Plan {
    outputs: Vec<Output>,
    overlaid: Vec<Overlaid>,
    /// The corrections without effect.
    pub(crate) stale: Vec<String>,
    /// What the new files change, operation by operation.
    pub(crate) changes: Vec<String>,
    /// The operations without a name, which nothing is generated for.
    pub(crate) left_out: Vec<String>,
}

/// A corrected document.
struct Overlaid {
    api: Api,
    /// The file it comes from, as it is to be called.
    origin: String,
    document: Value,
}

/// Runs the command.
pub(crate) fn run(root: &Path, options: &Options) -> Outcome {
    let plan = plan(root, options)?;
    for change in &plan.changes {
        println!("{change}");
    }
    if !plan.stale.is_empty() {
        let stale = format!("corrections without effect:\n  {}", plan.stale.join("\n  "));
        if !options.skip_stale {
            return Err(format!(
                "{stale}\nnothing was written; mend the overlay, or pass --skip-stale to go on without these"
            )
            .into());
        }
        eprintln!("{stale}");
    }
    for operation in &plan.left_out {
        eprintln!("left out, because no correction gives it an operationId: {operation}");
    }
    let outputs = plan.outputs()?;
    if options.check {
        return check(root, &outputs);
    }
    for output in &outputs {
        let path = root.join(&output.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // An unchanged file keeps its time, and nothing is built again because of it.
        if fs::read_to_string(&path).is_ok_and(|text| text == output.text) {
            continue;
        }
        fs::write(&path, &output.text)?;
        println!("wrote {}", output.path.display());
    }
    fs::write(root.join(digest::FILE), digest::of_tree(root)?)?;
    Ok(())
}

/// Reads and corrects the documents; nothing is generated or written.
pub(crate) fn plan(root: &Path, options: &Options) -> Outcome<Plan> {
    let folder = root.join("openapi");
    let mut plan = Plan {
        outputs: Vec::new(),
        overlaid: Vec::new(),
        stale: Vec::new(),
        changes: Vec::new(),
        left_out: Vec::new(),
    };
    for api in APIS {
        let vendored = format!("openapi/{}.yaml", api.name);
        let current = root.join(&vendored);
        let spec = options.replacement(api).unwrap_or(&current);
        let source = Source::read(api, spec, &folder)?;
        if options.replacement(api).is_some() {
            let old = codegen::read::document(&current)?;
            plan.changes.push(diff::report(&old, &source.document));
            plan.outputs.push(Output {
                path: vendored.clone().into(),
                text: fs::read_to_string(spec)?,
            });
        }
        plan.outputs.push(Output {
            path: format!("crates/emulator/openapi/{}.vendored.yaml", api.name).into(),
            text: fs::read_to_string(spec)?,
        });
        let origin = match options.replacement(api) {
            Some(path) => path.display().to_string(),
            None => vendored,
        };
        let mut result = source.overlaid();
        let overlay = format!("openapi/{}.overlay.yaml", api.name);
        let stale = result.stale.iter();
        plan.stale
            .extend(stale.map(|stale| format!("{overlay}: {stale}")));
        if options.skip_stale {
            let unnamed = result.leave_out_unnamed();
            let unnamed = unnamed.iter();
            plan.left_out
                .extend(unnamed.map(|operation| format!("{origin}: {operation}")));
        }
        plan.overlaid.push(Overlaid {
            api,
            origin,
            document: result.document,
        });
    }
    Ok(plan)
}

impl Plan {
    /// All files that follow from the documents.
    pub(crate) fn outputs(self) -> Outcome<Vec<Output>> {
        let mut outputs = self.outputs;
        for Overlaid {
            api,
            origin,
            document,
        } in self.overlaid
        {
            outputs.push(Output {
                path: format!("crates/emulator/openapi/{}.yaml", api.name).into(),
                text: stage::yaml(document.clone())?,
            });
            let text = codegen::source_of(api, document)
                .map_err(|problems| format!("{origin} cannot be generated:\n{problems}"))?;
            outputs.push(Output {
                path: format!("generated/{}.rs", api.name).into(),
                text,
            });
        }
        Ok(outputs)
    }
}

fn check(root: &Path, outputs: &[Output]) -> Outcome {
    let mut differences = 0;
    for output in outputs {
        let found = fs::read_to_string(root.join(&output.path)).unwrap_or_default();
        if found == output.text {
            continue;
        }
        differences += 1;
        let name = output.path.display();
        let (is, wanted) = (
            format!("{name} (as it is)"),
            format!("{name} (as generated)"),
        );
        let diff = TextDiff::from_lines(found.as_str(), output.text.as_str());
        print!("{}", diff.unified_diff().header(&is, &wanted));
    }
    if differences > 0 {
        let text = "files are not what openapi/ generates: run `cargo xtask regen`";
        return Err(format!("{differences} {text}").into());
    }
    // The digest also covers the generator, which may change and still write the same.
    let recorded = fs::read_to_string(root.join(digest::FILE)).unwrap_or_default();
    if recorded != digest::of_tree(root)? {
        let file = digest::FILE;
        return Err(format!("{file} is not that of the tree: run `cargo xtask regen`").into());
    }
    println!("generated/ is what openapi/ generates");
    Ok(())
}
