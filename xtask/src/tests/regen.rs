//! `cargo xtask regen` on a copy of the tree.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Scratch, root};
use crate::Outcome;
use crate::codegen::{read, schema};
use crate::digest;
use crate::regen::{Options, Output, plan, run_with};
use crate::stage;

/// Runs regen without compiling, as the copies of these tests hold no library.
fn run(root: &Path, options: &Options) -> Outcome {
    run_with(root, options, |_, _| Ok(()))
}

#[test]
fn nothing_is_written_if_the_library_does_not_compile_unless_that_is_wanted() {
    let scratch = Scratch::new();
    let spec = scratch.read("openapi/sync.yaml");
    scratch.write("openapi/sync.yaml", &spec.replace("name: skip", "name: offset"));
    let before = scratch.contents();
    let broken = |_: &Path, changed: &[&Output]| -> Outcome {
        assert!(changed.iter().any(|output| output.path.ends_with("sync.rs")));
        Err("no field `skip`".into())
    };
    let mut options = Options { skip_stale: true, ..Options::default() };
    let error = run_with(scratch.path(), &options, broken).unwrap_err().to_string();
    assert!(error.contains("no field `skip`\nnothing was written\nhint: "), "{error}");
    assert_eq!(scratch.contents(), before);
    options.write_broken = true;
    run_with(scratch.path(), &options, broken).unwrap();
    assert!(scratch.read("generated/sync.rs").contains("offset"));
}

#[test]
fn a_dry_run_writes_nothing() {
    let scratch = Scratch::new();
    let spec = scratch.read("openapi/sync.yaml");
    scratch.write("openapi/sync.yaml", &spec.replace("Acme Corporation", "Acme Limited"));
    let before = scratch.contents();
    run(scratch.path(), &Options { dry_run: true, ..Options::default() }).unwrap();
    assert_eq!(scratch.contents(), before);
}

#[test]
fn the_committed_files_are_up_to_date() {
    run(&root(), &Options { check: true, ..Options::default() }).unwrap();
}

#[test]
fn two_runs_give_the_same_bytes() {
    let generate = || plan(&root(), &Options::default()).unwrap().outputs().unwrap();
    let once = generate();
    let twice = generate();
    assert_eq!(once.len(), 7);
    for (first, second) in once.iter().zip(&twice) {
        assert_eq!(first.path, second.path);
        assert_eq!(first.text, second.text, "{}", first.path.display());
        assert!(!first.text.contains("api-version"), "{}", first.path.display());
    }
}

#[test]
fn the_check_fails_on_any_edit_and_regen_repairs_it() {
    let check = Options { check: true, ..Options::default() };
    for file in [
        "generated/sync.rs",
        "generated/async.rs",
        "generated/DIGEST",
        "crates/emulator/openapi/sync.yaml",
        "crates/emulator/openapi/async.vendored.yaml",
    ] {
        let scratch = Scratch::new();
        run(scratch.path(), &check).unwrap();
        let before = scratch.contents();
        scratch.write(file, &format!("{}# edited\n", scratch.read(file)));
        let edited = scratch.contents();
        let error = run(scratch.path(), &check).unwrap_err().to_string();
        assert!(error.contains("run `cargo xtask regen`"), "{file}: {error}");
        assert_eq!(scratch.contents(), edited, "a check writes nothing");
        run(scratch.path(), &Options::default()).unwrap();
        assert_eq!(scratch.contents(), before, "{file}");
    }
}

/// A call by position would compile, and send the values of `skip` and `take` to each other.
#[test]
fn a_renamed_parameter_is_a_missing_field_for_its_callers() {
    let scratch = Scratch::new();
    let spec = scratch.read("openapi/sync.yaml");
    scratch.write("openapi/sync.yaml", &spec.replace("name: limit", "name: take"));
    let _ = run(scratch.path(), &Options { skip_stale: true, ..Options::default() });
    let generated = scratch.read("generated/sync.rs");
    let (_, parameters) = generated.split_once("pub struct SearchLeads<'a> {").unwrap();
    let (parameters, _) = parameters.split_once('}').unwrap();
    assert!(parameters.contains("pub take: Option<"), "{parameters}");
    assert!(!parameters.contains("limit"), "{parameters}");
    assert!(generated.contains("&[(\"take\", &take)]"), "{parameters}");
}

#[test]
fn a_change_that_a_correction_would_hide_stops_regen_until_it_is_accepted() {
    let scratch = Scratch::new();
    let target = "$.paths['/enterprise/{enterpriseId}/lead'].post.requestBody.content['application/json'].schema";
    let spec = scratch.read("openapi/sync.yaml");
    let mut changed = read::parse(&spec).unwrap();
    let body = "/paths/~1enterprise~1{enterpriseId}~1lead/post/requestBody/content/application~1json/schema";
    let reference = changed.pointer(body).and_then(|schema| schema.get("$ref")).cloned().unwrap();
    let component = reference.as_str().unwrap().trim_start_matches('#').to_owned();
    let properties = changed.pointer_mut(&format!("{component}/properties")).unwrap();
    properties["campaign"] = serde_json::json!({ "type": "string" });
    scratch.write("openapi/sync.yaml", &stage::yaml(changed).unwrap());
    let before = scratch.contents();
    let error = run(scratch.path(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains(&format!("replaces a part that has changed: {target}")), "{error}");
    assert!(error.contains("Only the workspace knows") && error.contains("--accept"), "{error}");
    assert_eq!(scratch.contents(), before, "nothing is written");

    let accept = Options { accept: vec![target.to_owned()], ..Options::default() };
    run(scratch.path(), &accept).unwrap();
    run(scratch.path(), &Options { check: true, ..Options::default() }).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_leaves_every_file_as_it_was() {
    let scratch = Scratch::new();
    let spec = scratch.read("openapi/sync.yaml");
    scratch.write("openapi/sync.yaml", &spec.replace("Acme Corporation", "Acme Limited"));
    scratch.write("generated/sync.rs", "// stale");
    fs::create_dir(scratch.path().join("generated/sync.rs.new")).unwrap();
    let before = scratch.contents();
    let error = run(scratch.path(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("generated/sync.rs.new") && error.contains("hint: "), "{error}");
    assert_eq!(scratch.contents(), before);
}

#[test]
fn the_digest_shows_which_file_changed_and_ignores_line_ends() {
    let scratch = Scratch::new();
    let before = digest::of_tree(scratch.path()).unwrap();
    let spec = scratch.read("openapi/sync.yaml");
    scratch.write("openapi/sync.yaml", &spec.replace('\n', "\r\n"));
    assert_eq!(digest::of_tree(scratch.path()).unwrap(), before);
    scratch.write("openapi/sync.yaml", &format!("{spec}\n# more"));
    let after = digest::of_tree(scratch.path()).unwrap();
    let changed: Vec<_> = before.lines().zip(after.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(changed.len(), 1);
    assert!(changed[0].1.ends_with(" openapi/sync.yaml"));
}

/// The vendored Sync spec with another name for every component.
fn renamed() -> String {
    let text = fs::read_to_string(root().join("openapi/sync.yaml")).unwrap();
    let document = read::parse(&text).unwrap();
    let mut text = document.to_string();
    for kind in ["schemas", "parameters", "responses", "requestBodies"] {
        for (name, _) in schema::members(document["components"].get(kind)) {
            // JSON without blanks: both are unmistakable.
            text = text.replace(
                &format!("\"#/components/{kind}/{name}\""),
                &format!("\"#/components/{kind}/Their{name}\""),
            );
        }
    }
    let mut document: Value = serde_json::from_str(&text).unwrap();
    for kind in ["schemas", "parameters", "responses", "requestBodies"] {
        if let Some(Value::Object(section)) = document["components"].get_mut(kind) {
            *section = std::mem::take(section)
                .into_iter()
                .map(|(name, value)| (format!("Their{name}"), value))
                .collect();
        }
    }
    stage::yaml(document).unwrap()
}

#[test]
fn the_overlay_applies_even_if_components_have_other_names() {
    let scratch = Scratch::new();
    let theirs = scratch.write("theirs.yaml", &renamed());
    let options = Options { sync: Some(theirs.clone()), ..Options::default() };
    run(scratch.path(), &options).unwrap();
    assert_eq!(scratch.read("openapi/sync.yaml"), fs::read_to_string(theirs).unwrap());
    // The new file has become the vendored one.
    run(scratch.path(), &Options { check: true, ..Options::default() }).unwrap();
    let overlaid = read::parse(&scratch.read("crates/emulator/openapi/sync.yaml")).unwrap();
    assert_eq!(schema::operations(&overlaid).len(), 18);
}

#[test]
fn a_newer_file_with_stale_overlay_actions_changes_nothing_unless_they_are_skipped() {
    let scratch = Scratch::new();
    // The vendor has named one operation as our overlay does, and removed another.
    let mut document = read::parse(&scratch.read("openapi/sync.yaml")).unwrap();
    let path = &mut document["paths"]["/enterprise/{enterpriseId}/metadata"];
    path["get"]["operationId"] = "getMetadata".into();
    let search = "/enterprise/{enterpriseId}/lead/search";
    document["paths"].as_object_mut().unwrap().remove(search);
    let theirs = scratch.write("theirs.yaml", &stage::yaml(document).unwrap());
    let before = scratch.contents();
    let mut options = Options { sync: Some(theirs), ..Options::default() };
    let changes = plan(scratch.path(), &options).unwrap().changes.join("");
    assert!(changes.contains("breaking: Operation::SearchLeads: removed"), "{changes}");
    let place =
        "  breaking\n    POST /enterprise/{enterpriseId}/lead/search\n      itself: removed\n";
    assert!(changes.contains(place), "{changes}");
    let error = run(scratch.path(), &options).unwrap_err().to_string();
    assert!(
        error.starts_with("overlay actions no longer fit the document, so nothing was written:\n"),
        "{error}"
    );
    // All actions on the removed operation are listed, and the one that the vendor has made.
    let overlay = read::parse(&scratch.read("openapi/sync.overlay.yaml")).unwrap();
    let targets = schema::elements(overlay.get("actions"));
    let lost = targets
        .filter_map(|action| schema::text(action, "target"))
        .filter(|target| target.contains(search));
    let mut count = 0;
    for target in lost {
        let line = format!("selects nothing (fixed upstream?): {target}\n");
        assert!(error.contains(&line), "{target}: {error}");
        count += 1;
    }
    assert!(count > 1);
    assert_eq!(error.matches("selects nothing").count(), count);
    assert_eq!(error.matches("changes nothing").count(), 1);
    assert_eq!(scratch.contents(), before);
    options.skip_stale = true;
    run(scratch.path(), &options).unwrap();
    assert!(!scratch.read("generated/sync.rs").contains("fn search_leads"));
}

#[test]
fn an_operation_with_a_renamed_path_is_left_out_and_the_rest_is_written() {
    let scratch = Scratch::new();
    let theirs = scratch
        .read("openapi/sync.yaml")
        .replace("/teammember/state_change:", "/teammember/change_state:");
    let theirs = scratch.write("theirs.yaml", &theirs);
    let mut options = Options { sync: Some(theirs.clone()), ..Options::default() };
    let before = scratch.contents();
    let error = run(scratch.path(), &options).unwrap_err().to_string();
    assert!(error.contains("/teammember/state_change'"), "{error}");
    assert_eq!(scratch.contents(), before);
    options.skip_stale = true;
    let path = "/enterprise/{enterpriseId}/teammember/change_state";
    let left_out = plan(scratch.path(), &options).unwrap().left_out;
    assert_eq!(left_out, [format!("{}: POST {path}", theirs.display())]);
    run(scratch.path(), &options).unwrap();
    let generated = scratch.read("generated/sync.rs");
    assert!(!generated.contains("change_state"));
    assert!(generated.contains("fn search_leads"));
    assert!(scratch.read("openapi/sync.yaml").contains(path));
}

#[test]
fn a_file_without_code_changes_nothing() {
    let scratch = Scratch::new();
    let theirs = scratch.read("openapi/async.yaml").replace("openapi: 3.0.3", "openapi: 3.1.0");
    let theirs = scratch.write("theirs.yaml", &theirs);
    let before = scratch.contents();
    let options = Options { r#async: Some(theirs), ..Options::default() };
    let error = run(scratch.path(), &options).unwrap_err().to_string();
    let place = scratch.path().join("theirs.yaml");
    assert_eq!(
        error,
        format!(
            "no code can be generated for {}:\n$.openapi: only versions 3.0.x are supported\nhint: correct the document in openapi/async.overlay.yaml",
            place.display()
        )
    );
    assert_eq!(scratch.contents(), before);
}
