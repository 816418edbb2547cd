//! Compile, classify one line, scan a buffer. `cargo bench` prints times; compare ratios of one
//! run, not numbers of two.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use whyerr::scan::Scanner;
use whyerr::{Catalog, Classifier, Event, Scratch};

const MISS: &str = "2026-11-23 12:00:00,123 INFO o.a.h.mapreduce.v2.app.rm.RMContainerAllocator: Recalculating \
                    schedule, headroom=<memory:1024, vCores:-1>, 4 containers asked for, all is well so far";
const HIT: &str = "openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o in \
                   organization org-x on tokens per min (TPM): Limit 30000, Used 29000. Please try again in 2.5s.', \
                   'type': 'tokens', 'code': 'rate_limit_exceeded'}}";

fn compile(criterion: &mut Criterion) {
    criterion.bench_function("load the built-in pack", |bench| {
        bench.iter(|| Catalog::builder().build().expect("is checked"));
    });
    let catalog = Catalog::builtin();
    criterion.bench_function("compile the built-in pack", |bench| {
        bench.iter(|| Classifier::new(black_box(&catalog)));
    });
}

fn classify(criterion: &mut Criterion) {
    let classifier = Classifier::builtin();
    let mut scratch = Scratch::default();
    for (name, line) in [("no match", MISS), ("match", HIT)] {
        let event = Event::new(line);
        criterion.bench_function(&format!("classify one line, {name}"), |bench| {
            bench.iter(|| classifier.classify_with(black_box(&event), &mut scratch));
        });
    }
}

/// A verdict reads its evidence, values and advice when it is asked for them.
fn ask(criterion: &mut Criterion) {
    let classifier = Classifier::builtin();
    let mut scratch = Scratch::default();
    let event = Event::new(HIT);
    criterion.bench_function("classify one line, match, and ask for its evidence", |bench| {
        bench.iter(|| {
            let verdict = classifier.classify_with(black_box(&event), &mut scratch);
            verdict.evidence().len()
        });
    });
}

fn scan_buffer(criterion: &mut Criterion) {
    let classifier = Classifier::builtin();
    let mut group = criterion.benchmark_group("scan");
    for (name, every) in [("quiet", 2000), ("typical", 33), ("noisy", 2)] {
        let mut log = String::new();
        for at in 0..20_000 {
            log.push_str(if at % every == 0 { HIT } else { MISS });
            log.push('\n');
        }
        group.throughput(Throughput::Bytes(log.len() as u64));
        group.sample_size(10);
        group.bench_function(name, |bench| {
            let mut scratch = Scratch::default();
            let scanner = Scanner::with_sample(classifier, log.as_bytes());
            bench.iter(|| {
                let mut found = 0u64;
                scanner.scan(log.as_bytes(), &mut scratch, |_| found += 1);
                found
            });
        });
    }
    group.finish();
}

criterion_group!(benches, compile, classify, ask, scan_buffer);
criterion_main!(benches);
