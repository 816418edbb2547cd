//! Nanoseconds for reading one event, by format: over the events of the tests' cases, and over a
//! JSON line of 300 bytes and plain text.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use whyerr_logs::record::Reader;
use whyerr_logs::strip_envelope;

/// The best of so many batches counts: the machine may be busy.
const BATCHES: u32 = 40;
const ROUNDS: u32 = 500;

const JSON: &[u8] = br#"{"level":"error","ts":"2024-01-02T03:04:05.678Z","logger":"checkout.payments","caller":"payments/client.go:214","msg":"charge failed: upstream returned an error","service":"checkout","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","http":{"method":"POST","status_code":503},"attempt":3,"duration_ms":1204.5}"#;
const PLAIN: &[u8] = b"open /var/lib/app/data/segment-000017.log: no space left on device while appending 4096 bytes";

fn nanos(events: &[Vec<u8>], what: impl Fn(&[u8])) -> f64 {
    let batch = |_| {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for event in events {
                what(black_box(event));
            }
        }
        start.elapsed().as_nanos()
    };
    let best = (0..BATCHES).map(batch).min().unwrap_or_default();
    best as f64 / f64::from(ROUNDS) / events.len() as f64
}

fn main() {
    let reader = Reader::default();
    let mut formats: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for file in [include_str!("../tests/cases/json.txt"), include_str!("../tests/cases/text.txt")] {
        for line in file.lines().filter_map(|line| line.strip_prefix("> ")) {
            let event = line.as_bytes().to_vec();
            let format = reader.read(&event).format.to_string();
            formats.entry(format).or_default().push(event);
        }
    }
    formats.insert(format!("json of {} bytes", JSON.len()), vec![JSON.to_vec()]);
    formats.insert(format!("plain text of {} bytes", PLAIN.len()), vec![PLAIN.to_vec()]);
    // `cargo bench -p whyerr-logs --bench read -- json`: formats that hold this word.
    if let Some(wanted) = std::env::args().skip(1).find(|arg| !arg.starts_with('-')) {
        formats.retain(|format, _| format.contains(&wanted));
    }
    println!("{:24} {:>6} {:>8} {:>8} {:>8}", "format", "events", "bytes", "read ns", "strip ns");
    for (format, events) in formats {
        let bytes = events.iter().map(Vec::len).sum::<usize>() / events.len();
        let read = nanos(&events, |event| {
            black_box(reader.read(event));
        });
        let strip = nanos(&events, |event| {
            black_box(strip_envelope(event));
        });
        println!("{format:24} {:6} {bytes:8} {read:8.0} {strip:8.0}", events.len());
    }
}
