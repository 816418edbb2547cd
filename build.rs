//! Freezes the built-in pack, so that a program that starts neither parses nor checks it.
//!
//! Compiles the library's own modules: the rule files are loaded, merged and checked here, and a
//! mistake in one stops the build, drawn with its place. What is written: the frozen pack (catalogue
//! and program), and for catalogues with further layers the list of files with their texts, their
//! trees in the compact form of `src/yaml/node.rs`, and the required literals of their regexes.

#![allow(dead_code, unused_imports)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/catalog/mod.rs"]
mod catalog;
#[path = "src/chain.rs"]
mod chain;
#[path = "src/engine/mod.rs"]
mod engine;
#[path = "src/event.rs"]
mod event;
#[path = "src/explain.rs"]
mod explain;
#[path = "src/facts/mod.rs"]
mod facts;
#[path = "src/frozen.rs"]
mod frozen;
#[path = "src/problem/mod.rs"]
mod problem;
#[path = "src/redact/mod.rs"]
mod redact;
#[path = "src/rule/mod.rs"]
mod rule;
#[path = "src/testing.rs"]
mod testing;
#[path = "src/verdict/mod.rs"]
mod verdict;
#[path = "src/yaml/mod.rs"]
mod yaml;

/// Nothing is built in yet.
mod builtin {
    use crate::catalog::pack::Pack;
    use crate::engine::RegexInfo;
    use crate::yaml::node::Node;

    pub(crate) static FILES: &[(&str, &str)] = &[];
    pub(crate) const PACK: Option<Pack<'static>> = None;
    pub(crate) const HASH: &str = "";

    pub(crate) struct BuiltinFile {
        pub(crate) path: &'static str,
        pub(crate) text: &'static str,
        pub(crate) documents: Vec<Node>,
    }

    pub(crate) fn files(_: impl Fn(&str) -> bool) -> Vec<BuiltinFile> {
        Vec::new()
    }

    pub(crate) fn regex(_: &str) -> Option<&'static RegexInfo> {
        None
    }
}

use catalog::{Catalog, fnv::Fnv};
use engine::regex_info;
use rule::words::Layer;
use yaml::node::{AS_IT_STANDS, BETWEEN_QUOTES, EMPTY, Kind, Node, Span, between_quotes};
use yaml::parse::parse;

fn main() {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let write = |name: &str, bytes: &[u8]| {
        fs::write(out.join(name), bytes).expect("OUT_DIR can be written");
    };
    let mut files = Vec::new();
    collect(&root.join("rules"), &mut files);
    files.sort();

    let mut list = String::from("&[\n");
    let mut trees = frozen::Strings::default();
    let mut regexes = BTreeSet::new();
    let mut hash = Fnv::default();
    let mut builder = Catalog::builder();
    for path in &files {
        let name = path.strip_prefix(&root).expect("below the root").display().to_string();
        let name = name.replace('\\', "/");
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        writeln!(list, "({name:?}, include_str!({:?})),", path.display().to_string()).unwrap();
        hash.add(name.as_bytes());
        hash.add(text.as_bytes());
        builder.text(Layer::Builtin, &name, &text);
        // What does not parse is reported with its place by the builder.
        let documents = parse(&text).unwrap_or_default();
        let mut tree = Vec::new();
        encode_number(documents.len() as u64, &mut tree);
        for document in &documents {
            encode(document, &text, &mut tree);
            collect_regexes(document, &mut regexes);
        }
        trees.push(&tree);
    }
    list.push(']');
    let catalog = builder.build().unwrap_or_else(|problems| {
        eprintln!("{problems}");
        panic!("the built-in rules do not load");
    });
    let [catalog, program] = catalog::pack::freeze(&catalog);
    write("builtin_catalog.bin", &catalog);
    write("builtin_program.bin", &program);

    // Sorted, as they are looked up.
    let infos: Vec<(&str, engine::RegexInfo)> = regexes
        .iter()
        .filter_map(|pattern| Some((pattern.as_str(), regex_info(pattern).ok()?)))
        .collect();
    let patterns: frozen::Strings = infos.iter().map(|(pattern, _)| pattern).collect();
    let infos = frozen::Lazy::put_away(infos.iter().map(|(_, info)| info));
    write("builtin_regexes.bin", &postcard::to_stdvec(&(patterns, infos)).expect("plain data"));
    write("builtin_hash.txt", format!("{:016x}", hash.0).as_bytes());
    write("builtin_files.rs", list.as_bytes());
    write("builtin_trees.bin", &postcard::to_stdvec(&trees).expect("plain data"));
}

/// Every text under a key `regex`, and all texts of `extract`.
fn collect_regexes(node: &Node, found: &mut BTreeSet<String>) {
    fn texts(node: &Node, found: &mut BTreeSet<String>) {
        match &node.kind {
            Kind::String(text) => {
                found.insert(text.to_string());
            }
            Kind::Sequence(items) => items.iter().for_each(|item| texts(item, found)),
            _ => {}
        }
    }
    match &node.kind {
        Kind::Sequence(items) => items.iter().for_each(|item| collect_regexes(item, found)),
        Kind::Mapping(entries) => {
            for (key, value) in entries {
                match (&*key.name, &value.kind) {
                    ("regex", _) => texts(value, found),
                    ("extract", Kind::Mapping(entries)) => {
                        entries.iter().for_each(|(_, value)| texts(value, found));
                        collect_regexes(value, found);
                    }
                    _ => collect_regexes(value, found),
                }
            }
        }
        _ => {}
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the rules folder can be read") {
        let path = entry.expect("the rules folder can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

/// Appends the compact form: a tag byte, the span, the content; all numbers as LEB128. `source` is
/// the file that the node stands in.
fn encode(node: &Node, source: &str, out: &mut Vec<u8>) {
    let tag = match node.kind {
        Kind::Null => 0,
        Kind::Bool(false) => 1,
        Kind::Bool(true) => 2,
        Kind::Number(_) => 3,
        Kind::String(_) => 4,
        Kind::Sequence(_) => 5,
        Kind::Mapping(_) => 6,
    };
    out.push(tag);
    encode_span(node.span, out);
    match &node.kind {
        Kind::Null | Kind::Bool(_) => {}
        Kind::Number(text) | Kind::String(text) => encode_text(text, node.span, source, out),
        Kind::Sequence(items) => {
            encode_number(items.len() as u64, out);
            items.iter().for_each(|item| encode(item, source, out));
        }
        Kind::Mapping(entries) => {
            encode_number(entries.len() as u64, out);
            for (key, value) in entries {
                encode_span(key.span, out);
                encode_text(&key.name, key.span, source, out);
                encode(value, source, out);
            }
        }
    }
}

/// Appends `value` as LEB128.
fn encode_number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends `text`: what [`AS_IT_STANDS`] and its neighbours say.
fn encode_text(text: &str, span: Span, source: &str, out: &mut Vec<u8>) {
    if source.get(span.start as usize..span.end as usize) == Some(text) {
        encode_number(AS_IT_STANDS, out);
    } else if between_quotes(source, span) == Some(text) {
        encode_number(BETWEEN_QUOTES, out);
    } else {
        encode_number(EMPTY + text.len() as u64, out);
        out.extend_from_slice(text.as_bytes());
    }
}

fn encode_span(span: Span, out: &mut Vec<u8>) {
    encode_number(span.start.into(), out);
    encode_number((span.end - span.start).into(), out);
}
