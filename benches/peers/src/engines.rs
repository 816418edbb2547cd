//! What is compared: engines that tell for every line of a log in memory which signatures stand in
//! it.

use std::collections::HashMap;
use std::fmt::Write as _;

use whyerr::scan::Scanner;
use whyerr::{Catalog, Classifier, Layer, Scratch};

/// Bytes handed to whyerr at once, as its command does.
const CHUNK: usize = 2 << 20;

/// The engines of this program; Hyperscan has a program of its own, `hs.c`.
pub const NEWLINES: &str = "newlines";
pub const SCAN: &str = "scan";
pub const CLASSIFY: &str = "classify";
pub const DFA: &str = "aho-corasick";
pub const HYPERSCAN: &str = "hyperscan";

/// Name of the set that is the built-in rules as they are.
pub const BUILTIN: &str = "built-in";

/// What a search found, and its cost.
pub struct Found {
    /// Seconds of processor time.
    pub search: f64,
    pub compile: f64,
    pub lines: u64,
    /// Pairs of a line and a signature in it, and a sum over them that tells whether two engines
    /// found the same ones.
    pub pairs: u64,
    pub sum: u64,
}

/// Takes hits, line by line, and counts each signature once a line.
struct Lines<'t> {
    text: &'t [u8],
    end: usize,
    ids: Vec<usize>,
    lines: u64,
    pairs: u64,
    sum: u64,
}

impl<'t> Lines<'t> {
    fn new(text: &'t [u8]) -> Self {
        Lines { text, end: 0, ids: Vec::new(), lines: 0, pairs: 0, sum: 0 }
    }

    /// A signature of which a byte stands at `place`.
    #[inline]
    fn hit(&mut self, id: usize, place: usize) {
        if place >= self.end {
            let end = memchr::memchr(b'\n', &self.text[place..]);
            self.end = end.map_or(self.text.len(), |at| place + at + 1);
            self.ids.clear();
            self.lines += 1;
        }
        if !self.ids.contains(&id) {
            self.ids.push(id);
            self.pairs += 1;
            let line = (self.end as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            self.sum = self.sum.wrapping_add(line ^ id as u64);
        }
    }

    fn found(&self, search: f64, compile: f64) -> Found {
        let &Lines { lines, pairs, sum, .. } = self;
        Found { search, compile, lines, pairs, sum }
    }
}

/// Seconds of processor time of this process.
pub fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A rule for each signature.
pub fn rules(signatures: &[&str]) -> String {
    let mut yaml = String::from("schema: 1\nrules:\n");
    for (at, text) in signatures.iter().enumerate() {
        let _ = write!(
            yaml,
            "  - id: peer.r{at}\n    title: Peer\n    category: server_error\n    status: experimental\n    \
             match: {{ any: [ {{ text: \"{text}\" }} ] }}\n    summary: \"x\"\n    causes: [ \"x\" ]\n    \
             remedies: [ {{ do: \"x\" }} ]\n    examples: [ {{ text: \"x {text}\" }} ]\n"
        );
    }
    yaml
}

pub fn catalog(yaml: &str) -> Catalog {
    let mut builder = Catalog::builder();
    builder.with_builtin(false).text(Layer::User, "peers.yaml", yaml);
    builder.build().unwrap_or_else(|problems| panic!("{problems}"))
}

fn classifier(signatures: &[&str], builtin: bool) -> Classifier {
    match builtin {
        true => Classifier::builtin().clone(),
        false => Classifier::new(&catalog(&rules(signatures))),
    }
}

/// The part of a log from which a filter is made.
pub fn sample(log: &[u8]) -> &[u8] {
    &log[..log.len().min(CHUNK)]
}

pub fn aho_corasick(signatures: &[&str]) -> aho_corasick::AhoCorasick {
    aho_corasick::AhoCorasick::builder()
        .kind(Some(aho_corasick::AhoCorasickKind::DFA))
        .ascii_case_insensitive(true)
        .build(signatures)
        .expect("an automaton of bounded size")
}

/// Whole lines, about as many as a chunk holds, with their place.
fn chunks(log: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = log.get(start..).filter(|rest| !rest.is_empty())?;
        let end = rest.len().min(CHUNK);
        let end = memchr::memrchr(b'\n', &rest[..end]).map_or(end, |at| at + 1);
        start += end;
        Some((start - end, &rest[..end]))
    })
}

/// Runs one engine.
pub fn search(engine: &str, signatures: &[&str], builtin: bool, log: &[u8]) -> Found {
    let mut lines = Lines::new(log);
    match engine {
        NEWLINES => {
            let begin = cpu();
            lines.lines = memchr::memchr_iter(b'\n', log).count() as u64;
            lines.found(cpu() - begin, 0.0)
        }
        DFA => {
            let start = cpu();
            let engine = aho_corasick(signatures);
            let begin = cpu();
            for hit in engine.find_overlapping_iter(log) {
                lines.hit(hit.pattern().as_usize(), hit.end() - 1);
            }
            lines.found(cpu() - begin, begin - start)
        }
        SCAN => {
            let classifier = classifier(signatures, builtin);
            let numbers: HashMap<&[u8], usize> =
                signatures.iter().enumerate().map(|(at, text)| (text.as_bytes(), at)).collect();
            let mut ids = Vec::new();
            for (literal, text) in classifier.nominating_literals() {
                ids.resize(ids.len().max(literal + 1), 0);
                ids[literal] = numbers[text];
            }
            let start = cpu();
            let scanner = Scanner::with_sample(&classifier, sample(log));
            let mut scratch = Scratch::default();
            let begin = cpu();
            for (at, chunk) in chunks(log) {
                scanner.find_literals(chunk, &mut scratch, |id, place| {
                    lines.hit(ids[id], at + place);
                });
            }
            lines.found(cpu() - begin, begin - start)
        }
        CLASSIFY => {
            let classifier = classifier(signatures, builtin);
            let start = cpu();
            let scanner = Scanner::with_sample(&classifier, sample(log));
            let mut scratch = Scratch::default();
            let begin = cpu();
            for (_, chunk) in chunks(log) {
                scanner.scan(chunk, &mut scratch, |_| lines.lines += 1);
            }
            lines.found(cpu() - begin, begin - start)
        }
        _ => panic!("no engine of this program: {engine}"),
    }
}
