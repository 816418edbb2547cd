//! Any bytes under several sets of signatures: the filter finds what the index finds, and a scan
//! what lines give one by one.
#![no_main]

use std::fmt::Write as _;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use whyerr::scan::Scanner;
use whyerr::{Catalog, Classifier, Event, Layer, Scratch};

/// The filter works in blocks of so many bytes.
const BLOCK: usize = 8192;

/// One class of literals each, then several: to load rules takes too long to do it for each run.
const SETS: [&[&str]; 6] = [
    &["aaaaaaaaaaaa", "abababababab", "connection refused", "connection reset", "ababababababab@a"],
    &["aaaaaaaa", "abababab", "abababaab", "no space `", "no space @"],
    &["aaaaa", "ababa", "ababab", "refused", "abcde"],
    &["aaa", "abab", "oom", "a@b", "额度"],
    &[
        "aaa",
        "aaaa",
        "aaaaa",
        "aaaaaa",
        "aaaaaaa",
        "aaaaaaaa",
        "aaaaaaaaa",
        "aaaaaaaaaa",
        "aaaaaaaaaaa",
    ],
    &[
        "oom",
        "eio x",
        "refused",
        "timed out",
        "connection refused",
        "额度不足，请充值",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
    ],
];

static SCANNERS: LazyLock<Vec<(Classifier, [Scanner; 2])>> = LazyLock::new(|| {
    let scanners = |signatures: &&[&str]| {
        let mut yaml = String::from("schema: 1\nrules:\n");
        for (at, text) in signatures.iter().enumerate() {
            let _ = write!(
                yaml,
                "  - id: fuzz.r{at}\n    title: Fuzz\n    category: server_error\n    status: experimental\n    \
                 match: {{ any: [ {{ text: \"{text}\" }} ] }}\n    summary: \"x\"\n    causes: [ \"x\" ]\n    \
                 remedies: [ {{ do: \"x\" }} ]\n    examples: [ {{ text: \"x {text}\" }} ]\n"
            );
        }
        let mut builder = Catalog::builder();
        builder.with_builtin(false).text(Layer::User, "fuzz.yaml", &yaml);
        let catalog = builder.build().unwrap_or_else(|problems| panic!("{problems}"));
        let classifier = Classifier::new(&catalog);
        let scanners =
            [Scanner::new(&classifier), Scanner::with_sample(&classifier, b"aaaa connection")];
        (classifier, scanners)
    };
    SETS.iter().map(scanners).collect()
});

fuzz_target!(|bytes: &[u8]| {
    // Which set, how far before the end of a block the text begins, the text.
    let [set, shift, text @ ..] = bytes else { return };
    let (classifier, scanners) = &SCANNERS[usize::from(*set) % SETS.len()];
    let mut chunk = vec![b'.'; BLOCK - usize::from(*shift)];
    chunk.push(b'\n');
    chunk.extend_from_slice(text);

    let mut scratch = Scratch::default();
    let [by_index, by_filter] = scanners.each_ref().map(|scanner| {
        let mut places = Vec::new();
        scanner.find_literals(&chunk, &mut scratch, |id, place| places.push((id, place)));
        places.sort_unstable();
        places.dedup();
        let mut found = Vec::new();
        scanner.scan(&chunk, &mut scratch, |finding| found.push(finding));
        (places, found)
    });
    assert_eq!(by_filter.0, by_index.0);
    assert_eq!(by_filter.1, by_index.1);
    let mut start = 0;
    let mut lines = Vec::new();
    for line in chunk.split(|&byte| byte == b'\n') {
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        let verdict = classifier.classify_with(&Event::from_bytes(text), &mut scratch);
        if verdict.is_classified() {
            lines.push((start..start + text.len(), verdict));
        }
        start += line.len() + 1;
    }
    let found: Vec<_> = by_filter.1.into_iter().map(|f| (f.range, f.verdict)).collect();
    assert_eq!(found, lines);
});
