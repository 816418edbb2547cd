//! Any signatures over any bytes: the filter finds what the index finds, and a scan what lines
//! give one by one.
#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use whyerr::scan::Scanner;
use whyerr::{Catalog, Classifier, Event, Layer, Scratch};

/// The filter works in blocks of so many bytes.
const BLOCK: usize = 8192;

fuzz_target!(|bytes: &[u8]| {
    // First how far before the end of a block the text begins, and how many signatures there are;
    // then those, a line each; then the text.
    let [shift, count, rest @ ..] = bytes else { return };
    let mut parts = rest.splitn(usize::from(count % 12) + 2, |&byte| byte == b'\n');
    let mut yaml = String::from("schema: 1\nrules:\n");
    for at in 0..=usize::from(count % 12) {
        let signature = String::from_utf8_lossy(parts.next().unwrap_or_default());
        let mut text = String::new();
        signature.chars().for_each(|c| {
            let _ = write!(text, "\\U{:08x}", u32::from(c));
        });
        let _ = write!(
            yaml,
            "  - id: fuzz.r{at}\n    title: Fuzz\n    category: server_error\n    status: experimental\n    \
             match: {{ any: [ {{ text: \"{text}\" }} ] }}\n    summary: \"x\"\n    causes: [ \"x\" ]\n    \
             remedies: [ {{ do: \"x\" }} ]\n    examples: [ {{ text: \"x\" }} ]\n"
        );
    }
    let mut builder = Catalog::builder();
    builder.with_builtin(false).text(Layer::User, "fuzz.yaml", &yaml);
    // A signature may be too short, or stand twice.
    let Ok(catalog) = builder.build() else { return };
    let classifier = Classifier::new(&catalog);
    let mut chunk = vec![b'.'; BLOCK - usize::from(*shift).min(BLOCK - 1)];
    chunk.push(b'\n');
    chunk.extend_from_slice(parts.next().unwrap_or_default());

    let mut scratch = Scratch::default();
    let [by_index, by_filter] =
        [Scanner::new(&classifier), Scanner::with_sample(&classifier, &chunk)].map(|scanner| {
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
