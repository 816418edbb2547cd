//! What it costs to make an engine of a set of signatures.

use std::hint::black_box;

use whyerr::Classifier;
use whyerr::scan::Scanner;

use crate::engines::{aho_corasick, catalog, cpu, rules};

/// Steps from rules in a file to a search, and a peer.
pub const FILTER: &str = "whyerr: filter, with the profile of 512 KiB";
pub const PROGRAM: &str = "whyerr: program of loaded rules";
pub const LOAD: &str = "whyerr: rules read from YAML and checked";
pub const DFA: &str = "aho-corasick DFA";
pub const STEPS: &[&str] = &[FILTER, PROGRAM, LOAD, DFA];

/// Prints seconds of processor time, and bytes of heap that stay.
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
    // A counting allocator would slow down everything else that this program measures.
    let before = heap();
    let made = make();
    let bytes = heap().saturating_sub(before);
    drop(black_box(made));
    println!("{seconds:.6} {bytes}");
}

/// Bytes in use, as the C library counts them.
fn heap() -> usize {
    // SAFETY: reads counters.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}
