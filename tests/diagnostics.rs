//! Golden problems: what an author sees for every problem code.
//!
//! `tests/diagnostics/<code>.yaml` (further cases: `<code>.<what>.yaml`) holds a mistake,
//! the `.txt` beside it what is drawn. `UPDATE_GOLDEN=1 cargo test --test diagnostics` rewrites.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use whyerr::{Catalog, Layer, ProblemCode, Problems};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

/// Problems of a text as errors, else as lints.
fn problems(name: &str, text: &str) -> Problems {
    let mut builder = Catalog::builder();
    builder.with_builtin(false).text(Layer::User, name, text);
    match builder.build() {
        Ok(catalog) => catalog.lint(&[Layer::User]),
        Err(problems) => problems,
    }
}

#[test]
fn every_code_is_drawn_as_in_its_golden_file() {
    let mut shown = BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let code = name.split('.').next().unwrap().to_owned();
        let drawn = problems(name, &fs::read_to_string(&path).unwrap()).to_string();
        assert!(drawn.contains(&format!("[{code}]")), "{name} does not show its code:\n{drawn}");
        let golden = path.with_extension("txt");
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &drawn).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != drawn {
            wrong.push(format!("{name}:\n{drawn}"));
        }
        shown.insert(code);
    }
    assert!(wrong.is_empty(), "differs from the golden file:\n{}", wrong.join("\n"));
    let missing: Vec<&str> = ProblemCode::ALL
        .iter()
        .map(|code| code.id())
        .filter(|id| *id != "unreadable" && !shown.contains(*id))
        .collect();
    assert!(missing.is_empty(), "codes without a golden case: {missing:?}");
}

#[test]
fn unreadable_files_are_named() {
    let mut builder = Catalog::builder();
    builder.path(Layer::User, "no/such/rules.yaml");
    let problems = builder.build().unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems.iter().next().unwrap().code(), ProblemCode::Unreadable);
    assert!(problems.to_string().contains("no/such/rules.yaml"), "{problems}");
}

#[test]
fn all_problems_of_all_files_are_reported_together() {
    let mut builder = Catalog::builder();
    builder
        .with_builtin(false)
        .text(Layer::User, "a.yaml", "schema: 1\nrules:\n  - { id: nogroup }\n")
        .text(Layer::User, "b.yaml", "schema: 2\nrulez: []\n");
    let codes: Vec<&str> =
        builder.build().unwrap_err().iter().map(|problem| problem.code().id()).collect();
    assert_eq!(codes, ["bad-id", "schema-version", "unknown-key"]);
}

/// Hostile files are refused with a problem, quickly and without a crash.
#[test]
fn hostile_files_are_refused() {
    let deep_flow = "[".repeat(100_000);
    let deep_block: String = (0..1500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let bomb = "schema: 1\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n".to_owned();
    let large = format!("schema: 1\n# {}\n", "x".repeat(5 << 20));
    for text in [deep_flow, deep_block, bomb, large] {
        let problems = problems("hostile.yaml", &text);
        assert!(problems.has_errors());
        assert_eq!(problems.iter().next().unwrap().code(), ProblemCode::YamlSyntax);
    }
}
