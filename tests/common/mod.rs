//! What the integration tests share: a private Postfix to ask, the client that asks it, and what holds for
//! any bytes.

// Each file in `tests/` is a crate of its own and uses its share of this.
#![allow(dead_code)]

pub(crate) mod any_bytes;
pub(crate) mod configuration;
pub(crate) mod postfix;
pub(crate) mod postlint;
pub(crate) mod random;
pub(crate) mod smtp;

use std::fs;
use std::path::{Path, PathBuf};

/// A directory below `fixtures/`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

/// Copies a directory with all that is in it; symbolic links are followed.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    let shown = from.display();
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("create {}: {error}", to.display()));
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("read {shown}: {error}")) {
        let entry = entry.unwrap_or_else(|error| panic!("read {shown}: {error}"));
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target);
        } else {
            fs::copy(&source, &target)
                .unwrap_or_else(|error| panic!("copy {}: {error}", source.display()));
        }
    }
}
