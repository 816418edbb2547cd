//! What it costs to make an engine of a set of signatures.

use std::hint::black_box;

use allocation_counter::measure;
use whyerr::Classifier;
use whyerr::scan::Scanner;

use crate::engines::{aho_corasick, catalog, cpu, rules};

/// Steps from rules in a file to a search, and a peer.
pub const FILTER: &str = "whyerr: filter, with the profile of 512 KiB";
pub const PROGRAM: &str = "whyerr: program of loaded rules";
pub const LOAD: &str = "whyerr: rules read from YAML and checked";
pub const DFA: &str = "aho-corasick DFA";
pub const STEPS: &[&str] = &[FILTER, PROGRAM, LOAD, DFA];

/// Prints seconds of processor time, bytes of heap that stay, and the most there were.
pub fn compile(step: &str, signatures: &[&str], sample: &[u8]) {
    match step {
        DFA => cost(|| aho_corasick(signatures)),
        _ => {
            let yaml = rules(signatures);
            if step == LOAD {
                return cost(|| catalog(&yaml));
            }
            let catalog = catalog(&yaml);
            if step == PROGRAM {
                return cost(|| Classifier::new(&catalog));
            }
            let classifier = Classifier::new(&catalog);
            cost(|| Scanner::with_sample(&classifier, sample));
        }
    }
}

fn cost<T>(make: impl Fn() -> T) {
    let best = (0..3).map(|_| {
        let begin = cpu();
        black_box(make());
        cpu() - begin
    });
    let seconds = best.fold(f64::MAX, f64::min);
    let mut made = None;
    let counted = measure(|| made = Some(make()));
    println!("{seconds:.6} {} {}", counted.bytes_current, counted.bytes_max);
}
