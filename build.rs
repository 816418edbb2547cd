//! Parses the built-in rule files once, so that a program that starts does not have to.
//!
//! Writes the list of files with their texts, their trees in the compact form of
//! `src/yaml/node.rs`, their hash, and the required literals of their regexes. A file that does
//! not parse stops the build with its place.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/yaml/node.rs"]
#[allow(dead_code)]
mod node;
#[path = "src/yaml/parse.rs"]
#[allow(dead_code)]
mod parse;

#[path = "src/catalog/fnv.rs"]
mod fnv;
#[path = "src/engine/required.rs"]
#[allow(dead_code)]
mod required;

use node::{Kind, Node, Span};

fn main() {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/yaml");
    println!("cargo::rerun-if-changed=src/engine/required.rs");
    println!("cargo::rerun-if-changed=src/catalog/fnv.rs");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let mut files = Vec::new();
    collect(&root.join("rules"), &mut files);
    files.sort();

    let mut list = String::from("&[\n");
    let mut trees = Vec::new();
    let mut regexes = BTreeSet::new();
    let mut hash = fnv::Fnv::default();
    for path in &files {
        let name = path.strip_prefix(&root).expect("below the root").display().to_string();
        let name = name.replace('\\', "/");
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let documents = parse::parse(&text).unwrap_or_else(|error| {
            let line = text[..error.span.start as usize].matches('\n').count() + 1;
            panic!("{name}:{line}: {}", error.message)
        });
        writeln!(list, "({name:?}, include_str!({:?})),", path.display().to_string()).unwrap();
        hash.add(name.as_bytes());
        hash.add(text.as_bytes());
        encode_text(&name, &mut trees);
        encode_number(documents.len() as u64, &mut trees);
        for document in &documents {
            encode(document, &mut trees);
            collect_regexes(document, &mut regexes);
        }
    }
    list.push(']');
    let mut infos = Vec::new();
    for pattern in regexes {
        // A regex that is wrong is reported with its place when the rules are loaded.
        let Ok(info) = required::regex_info(&pattern) else { continue };
        encode_text(&pattern, &mut infos);
        encode_number(info.groups as u64, &mut infos);
        encode_number(info.literals.len() as u64, &mut infos);
        for literal in &info.literals {
            encode_number(literal.len() as u64, &mut infos);
            infos.extend_from_slice(literal);
        }
    }
    fs::write(out.join("builtin_regexes.bin"), infos).expect("OUT_DIR can be written");
    fs::write(out.join("builtin_hash.txt"), format!("{:016x}", hash.0))
        .expect("OUT_DIR can be written");
    fs::write(out.join("builtin_files.rs"), list).expect("OUT_DIR can be written");
    fs::write(out.join("builtin_trees.bin"), trees).expect("OUT_DIR can be written");
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

/// Appends the compact form: a tag byte, the span, the content; all numbers as LEB128.
fn encode(node: &Node, out: &mut Vec<u8>) {
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
        Kind::Number(text) | Kind::String(text) => encode_text(text, out),
        Kind::Sequence(items) => {
            encode_number(items.len() as u64, out);
            items.iter().for_each(|item| encode(item, out));
        }
        Kind::Mapping(entries) => {
            encode_number(entries.len() as u64, out);
            for (key, value) in entries {
                encode_span(key.span, out);
                encode_text(&key.name, out);
                encode(value, out);
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

/// Appends a length and the bytes of `text`.
fn encode_text(text: &str, out: &mut Vec<u8>) {
    encode_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn encode_span(span: Span, out: &mut Vec<u8>) {
    encode_number(span.start.into(), out);
    encode_number((span.end - span.start).into(), out);
}
