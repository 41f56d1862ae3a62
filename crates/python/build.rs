//! Bakes the Git revision into the extension, so that a wheel knows it where there is no Git.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=HALFOPEN_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    for file in ["HEAD", "logs/HEAD"] {
        // Both move with every commit and checkout; a missing file would make cargo run this every time.
        if let Some(path) = git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let revision = packager_revision().or_else(described_revision).or_else(head_revision);
    println!(
        "cargo::rustc-env=HALFOPEN_REVISION={}",
        revision.as_deref().unwrap_or("unknown")
    );
}

/// What a packager who builds from a tarball says.
fn packager_revision() -> Option<String> {
    std::env::var("HALFOPEN_REVISION")
        .ok()
        .filter(|revision| !revision.is_empty())
}

fn described_revision() -> Option<String> {
    git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// For a machine without git, or whose git does not trust the owner of the tree: the files themselves, where HEAD is
/// either an object name or `ref: NAME`.
fn head_revision() -> Option<String> {
    let directory = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?).join("../../.git");
    let head = fs::read_to_string(directory.join("HEAD")).ok()?;
    let Some(name) = head.trim().strip_prefix("ref: ") else {
        return Some(short(&head));
    };
    let packed = || {
        let refs = fs::read_to_string(directory.join("packed-refs")).ok()?;
        refs.lines().find_map(|line| line.strip_suffix(name).map(short))
    };
    fs::read_to_string(directory.join(name))
        .ok()
        .map(|object| short(&object))
        .or_else(packed)
}

fn short(object: &str) -> String {
    object.trim().chars().take(12).collect()
}
