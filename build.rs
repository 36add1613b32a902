//! Guards `generated/`, or generates `telecrm::raw` anew.

#[path = "build/digest.rs"]
mod digest;

#[cfg(feature = "regenerate")]
#[path = "build/codegen/mod.rs"]
mod codegen;

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    // Only where the tool is that mends it: a packaged copy cannot fail on it.
    if root.join("xtask").is_dir() {
        guard(&root)?;
    }
    #[cfg(feature = "regenerate")]
    if let Err(error) = regenerate(&root) {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
    }
    Ok(())
}

/// Fails the build when `generated/` is not what `openapi/` generates.
fn guard(root: &Path) -> std::io::Result<()> {
    for file in digest::files(root)? {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    println!("cargo::rerun-if-changed={}", digest::FILE);
    let recorded = std::fs::read_to_string(root.join(digest::FILE)).unwrap_or_default();
    let current = digest::of_tree(root)?;
    if !recorded.lines().eq(current.lines()) {
        println!("cargo::error=generated/ is not what openapi/ generates: run `cargo xtask regen`");
    }
    Ok(())
}

/// Writes the raw clients for `openapi/`, or for the folder in `TELECRM_OPENAPI_DIR`, to `OUT_DIR`.
///
/// Our corrections still apply. One without effect on a newer document is worth a warning only, and so is an operation
/// that none of them names.
#[cfg(feature = "regenerate")]
fn regenerate(root: &Path) -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-env-changed=TELECRM_OPENAPI_DIR");
    let ours = root.join("openapi");
    let folder =
        std::env::var_os("TELECRM_OPENAPI_DIR").map_or_else(|| ours.clone(), PathBuf::from);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for api in codegen::APIS {
        let file = format!("{}.yaml", api.name);
        // A folder with one newer document leaves the other API as it is.
        let spec = [&folder, &ours].map(|folder| folder.join(&file));
        let spec = spec.iter().find(|spec| spec.exists()).ok_or(file)?;
        let overlay = ours.join(format!("{}.overlay.yaml", api.name));
        println!("cargo::rerun-if-changed={}", spec.display());
        println!("cargo::rerun-if-changed={}", overlay.display());
        let mut overlaid = codegen::Source::read(api, spec, &ours)?.overlaid();
        for stale in &overlaid.stale {
            println!("cargo::warning={}: {stale}", spec.display());
        }
        for operation in overlaid.leave_out_unnamed() {
            let missing = "left out, because no correction gives it an operationId";
            println!("cargo::warning={}: {missing}: {operation}", spec.display());
        }
        let source = codegen::source_of(api, overlaid.document)?;
        std::fs::write(out.join(format!("{}.rs", api.name)), source)?;
    }
    Ok(())
}
