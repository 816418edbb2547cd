//! Any bytes: no panic, and the fast engine, the scan and the oracle agree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whyerr::{Classifier, Event, Scratch, scan};

fuzz_target!(|bytes: &[u8]| {
    let classifier = Classifier::builtin();
    let event = Event::from_bytes(bytes);
    let verdict = classifier.classify(event.clone());
    // The oracle is slow: short texts are enough to disagree on.
    if bytes.len() < 512 {
        assert_eq!(verdict, classifier.classify_naive(&event));
    }
    let mut lines = 0;
    scan::scan(classifier, bytes, &mut Scratch::default(), |finding| {
        lines += 1;
        assert!(finding.line.end <= bytes.len());
        let again = classifier.classify(Event::from_bytes(&bytes[finding.line.clone()]));
        assert_eq!(again, finding.verdict);
    });
    for evidence in verdict.evidence() {
        if let Some(span) = &evidence.span {
            assert!(span.start <= span.end && span.end <= bytes.len());
        }
    }
    let _ = (verdict.remedies(), verdict.summary(), verdict.retry().delay(3));
});
