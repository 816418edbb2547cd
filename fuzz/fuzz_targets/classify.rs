//! Any bytes: no panic, and the fast engine, the scan and the oracle agree.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use whyerr::scan::Scanner;
use whyerr::{Classifier, Event, Scratch};

fuzz_target!(|bytes: &[u8]| {
    let classifier = Classifier::builtin();
    let event = Event::from_bytes(bytes);
    let verdict = classifier.classify(event.clone());
    // The oracle is slow: short texts are enough to disagree on.
    if bytes.len() < 512 {
        assert_eq!(verdict, classifier.classify_naive(&event));
    }
    let mut scratch = Scratch::default();
    let mut found = Vec::new();
    Scanner::new(classifier).scan(bytes, &mut scratch, |finding| {
        assert!(finding.range.end <= bytes.len());
        let again = classifier.classify(Event::from_bytes(&bytes[finding.range.clone()]));
        assert_eq!(again, finding.verdict);
        found.push(finding);
    });
    // A filter costs milliseconds to make: one for all runs, whatever it was made for.
    static FILTERED: LazyLock<Scanner> =
        LazyLock::new(|| Scanner::with_sample(Classifier::builtin(), b"sample"));
    let mut filtered = Vec::new();
    FILTERED.scan(bytes, &mut scratch, |finding| filtered.push(finding));
    assert_eq!(filtered, found);
    for evidence in verdict.evidence() {
        if let Some(span) = &evidence.span {
            assert!(span.start <= span.end && span.end <= bytes.len());
        }
    }
    let _ = (verdict.remedies(), verdict.summary(), verdict.retry().delay(3));
});
