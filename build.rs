//! Fails the build if `generated/` is out of date, and generates `telecrm::raw` with `regenerate`.

#[path = "build/digest.rs"]
mod digest;

#[cfg(feature = "regenerate")]
#[path = "build/codegen/mod.rs"]
mod codegen;

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    // A published package has no xtask, so its users could not repair what this check finds.
    if root.join("xtask").is_dir() {
        check_digest(&root)?;
    }
    #[cfg(feature = "regenerate")]
    if let Err(error) = regenerate(&root) {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
    }
    Ok(())
}

/// Fails the build if `generated/` is not what `openapi/` generates.
fn check_digest(root: &Path) -> std::io::Result<()> {
    for file in digest::files(root)? {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    println!("cargo::rerun-if-changed={}", digest::FILE);
    let recorded = std::fs::read_to_string(root.join(digest::FILE)).unwrap_or_default();
    let current = digest::of_tree(root)?;
    if !recorded.lines().eq(current.lines()) {
        println!("cargo::error=generated/ is out of date: openapi/ or the generator has changed");
        println!("cargo::error=hint: run `cargo xtask regen`");
    }
    Ok(())
}

/// Writes the raw clients for `openapi/`, or for the folder in `TELECRM_OPENAPI_DIR`, to `OUT_DIR`.
///
/// Our overlays apply to newer documents as well, unless the folder has its own. An action without
/// effect is only a warning there, and so is an operation without an ID.
#[cfg(feature = "regenerate")]
fn regenerate(root: &Path) -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-env-changed=TELECRM_OPENAPI_DIR");
    let ours = root.join("openapi");
    let named = std::env::var_os("TELECRM_OPENAPI_DIR").map(PathBuf::from);
    if let Some(folder) = &named {
        check_folder(folder)?;
    }
    let folder = named.unwrap_or_else(|| ours.clone());
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for api in codegen::APIS {
        let file = format!("{}.yaml", api.name);
        let (vendored, spec) = (ours.join(&file), folder.join(&file));
        let overlay = format!("{}.overlay.yaml", api.name);
        let overlays = if folder.join(&overlay).exists() { &folder } else { &ours };
        let overlay = overlays.join(overlay);
        println!("cargo::rerun-if-changed={}", spec.display());
        println!("cargo::rerun-if-changed={}", overlay.display());
        let mut overlaid = codegen::Source::read(api, &spec, overlays)?.overlaid();
        for stale in &overlaid.stale {
            println!("cargo::warning={}: {stale}", spec.display());
        }
        for operation in overlaid.leave_out_unnamed() {
            let place = spec.display();
            println!("cargo::warning={place}: left out, as it has no operationId: {operation}");
        }
        // The enum `Operation` is the checked-in one, so a newer document may have more operations.
        let known = codegen::Source::read(api, &vendored, &ours)?.overlaid();
        let variants = codegen::operations::Variants::of(&known.document);
        let source = codegen::source_of(api, overlaid.document, &variants)?;
        std::fs::write(out.join(format!("{}.rs", api.name)), source)?;
    }
    Ok(())
}

/// The folder must hold both documents. Ours would be taken silently for one that is missing.
#[cfg(feature = "regenerate")]
fn check_folder(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let what = if folder.is_dir() {
        let files = codegen::APIS.map(|api| format!("{}.yaml", api.name)).into_iter();
        let missing: Vec<_> = files.filter(|file| !folder.join(file).is_file()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        format!("has no {}", missing.join(" and no "))
    } else {
        "does not exist".to_owned()
    };
    let hint = "set it to the absolute path of a folder with sync.yaml and async.yaml";
    Err(format!("TELECRM_OPENAPI_DIR: {} {what}\nhint: {hint}", folder.display()).into())
}
