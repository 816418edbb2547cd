//! What a classification allocates once its working space has grown.

use allocation_counter::measure;
use whyerr::scan::Scanner;
use whyerr::{Classifier, Event, Scratch};

/// No literal that nominates stands in these, or none whose rule can be possible.
const HEALTHY: &[&str] = &[
    "",
    "2026-11-23 12:00:00,123 INFO o.a.h.mapreduce.v2.app.rm.RMContainerAllocator: Recalculating \
     schedule, headroom=<memory:1024, vCores:-1>, all is well so far",
    "10.1.2.3 - - [11/Mar/2026:10:00:00 +0000] \"GET /api/v1/orders HTTP/1.1\" 200 512",
    r#"{"ts":"2026-03-01T10:00:00Z","level":"info","msg":"orders finished","took_ms":12}"#,
];

#[test]
fn a_line_without_a_verdict_allocates_nothing() {
    let classifier = Classifier::builtin();
    let mut scratch = Scratch::default();
    for text in HEALTHY {
        let event = Event::new(*text);
        // The first time, space is made.
        assert!(!classifier.classify_with(&event, &mut scratch).is_classified(), "{text}");
        let counted = measure(|| {
            for _ in 0..10 {
                classifier.classify_with(&event, &mut scratch);
            }
        });
        assert_eq!(counted.count_total, 0, "{text}");
    }
}

#[test]
fn a_verdict_allocates_little() {
    let event = Event::new("dial tcp 10.0.0.1:5432: connect: connection refused");
    let mut scratch = Scratch::default();
    let mut classify = || {
        let verdict = Classifier::builtin().classify_with(&event, &mut scratch);
        assert!(verdict.is_classified());
    };
    classify();
    // Matches with their evidence, their order, and the verdict with its copy of the text. What it
    // says of the event comes when it is asked for.
    let count = measure(classify).count_total;
    assert!(count <= 20, "{count} allocations");
}

#[test]
fn a_chunk_without_findings_allocates_nothing() {
    let chunk = HEALTHY.join("\n").repeat(100);
    let scanner = Scanner::new(Classifier::builtin());
    let mut scratch = Scratch::default();
    let mut scan = || scanner.scan(chunk.as_bytes(), &mut scratch, |_| panic!("a finding"));
    scan();
    assert_eq!(measure(scan).count_total, 0);
}
