//! A folder of `src/` is a layer, and uses only itself and the layers before it.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers in order; those in one row may use each other.
const LAYERS: [&[&str]; 11] = [
    &["source"],
    &["syntax"],
    &["instance"],
    &["mail"],
    &["finding", "rule", "edits", "suppression"],
    &["rules"],
    &["lint"],
    &["fix"],
    &["live"],
    &["report"],
    &["settings", "cli", "exit", "commands"],
];
/// What stands beside the layers: the front pages, and what tests use.
const BESIDE: [&str; 3] = ["lib", "main", "testing"];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{error}"));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The module of `src/` that a file belongs to.
fn module_of(src: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(src).expect("below src");
    let first = relative.iter().next().expect("a name").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules of this crate that a line names: `crate::a::…`, `crate::{a::…, b}`.
fn named_modules(line: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &line[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(list) => first_names(list),
            None => vec![rest],
        };
        for name in names {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
            modules.push(name[..end.unwrap_or(name.len())].to_owned());
        }
    }
    modules
}

/// The elements of `{a::{b, c}, d}`, behind the first brace.
fn first_names(list: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(list[start..at].trim());
                return names;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    names.push(list[start..].trim());
    names
}

#[test]
fn a_layer_uses_only_those_before_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut complaints = Vec::new();
    for file in &files {
        let module = module_of(&src, file);
        if BESIDE.contains(&module.as_str()) {
            continue;
        }
        let shown = file.strip_prefix(&src).expect("below src").display();
        let Some(layer) = layer_of(&module) else {
            complaints.push(format!(
                "src/{shown}: put {module} into LAYERS of tests/layers.rs"
            ));
            continue;
        };
        let name = file.file_name().expect("a name").to_string_lossy();
        // Tests may ask later layers whether the pieces fit.
        if name.ends_with("tests.rs") || matches!(&*name, "properties.rs" | "testing.rs") {
            continue;
        }
        let text = fs::read_to_string(file).expect("a source file");
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        for (index, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for used in named_modules(line) {
                if layer_of(&used).is_some_and(|used| used > layer) {
                    complaints.push(format!(
                        "src/{shown}:{}: {module} is a layer below {used} and must not use it",
                        index + 1
                    ));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn uses_are_read_from_lines() {
    assert_eq!(
        named_modules("use crate::lint::{self, Selection};"),
        ["lint"]
    );
    assert_eq!(
        named_modules("use crate::{lint::{a, b}, rules};"),
        ["lint", "rules"]
    );
    assert_eq!(named_modules("let x = crate::rules::all();"), ["rules"]);
    assert!(named_modules("$crate::rules, super::lint").is_empty());
}
