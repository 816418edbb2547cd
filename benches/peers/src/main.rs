//! Engines that do the same job on the same logs: which lines hold a signature.
//!
//! `whyerr-peers run` makes logs and signature sets from a seed, runs every engine on each in turn,
//! one thread, several rounds, checks that all report the same number of lines, and prints a table
//! of ratios. `run.sh` installs the peers and calls it. CPU time of the search alone, in memory;
//! whyerr's time is that of its verdicts as well: it classifies every line that it finds.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use whyerr::scan::Scanner;
use whyerr::{Catalog, Classifier, Layer, Scratch};

/// Bytes handed to whyerr at once, as its command does.
const CHUNK: usize = 2 << 20;

fn main() {
    let args: Vec<String> = env::args().collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[1..] {
        ["run", megabytes, rounds] => {
            run(megabytes.parse().expect("a number"), rounds.parse().expect("a number"))
        }
        ["scan", engine, signatures, log] => scan(engine, signatures, log),
        _ => panic!("usage: whyerr-peers run MEGABYTES ROUNDS | scan ENGINE SIGNATURES LOG"),
    }
}

/// A generator of random numbers: xorshift, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }

    fn pick<'l>(&mut self, list: &[&'l str]) -> &'l str {
        list[self.next(list.len())]
    }
}

/// Healthy lines: `#` is a digit, `~` a word.
const HEALTHY: &[&str] = &[
    "2026-0#-1# ##:##:##,### INFO  [worker-##] c.a.shop.OrderService - order ###### accepted in ## ms",
    "2026-0#-1#T##:##:##.###Z info ~ request done method=GET path=/api/v1/~/#### status=200 bytes=##### ms=##",
    "10.#.##.### - - [1#/Mar/2026:##:##:## +0000] \"GET /~/#### HTTP/1.1\" 200 ##### \"-\" \"curl/8.#.#\"",
    "Mar 1# ##:##:## node-## kubelet[####]: I03## ##:##:##.###### #### ~.go:###] \"~ synced\" pod=\"~/~-##########\"",
    "Mar 1# ##:##:## db-# postgres[####]: [##-#] LOG:  checkpoint complete: wrote #### buffers (#.#%); 0 WAL file(s) added",
    "[2026-0#-1# ##:##:##] DEBUG ~.~ cache hit key=~:#### ttl=###",
    "{\"ts\":\"2026-0#-1#T##:##:##Z\",\"level\":\"info\",\"msg\":\"~ ~ finished\",\"took_ms\":###,\"rows\":####}",
    "I03## ##:##:##.###### ####### ~.cc:###] ~ ~ replicated at ####.#### to ## peers",
    "Mar 1# ##:##:## host# sshd[#####]: Accepted publickey for ~ from 10.#.##.### port ##### ssh2",
    "##:##:##.### [main] INFO  ~.~.~ - loaded ## ~ from /etc/~/~.yaml",
    "1#Mar26 ##:##:## ~ ~[####]: job #### ~ moved to queue ~ (waiting ##, running #)",
    "2026/0#/1# ##:##:## [notice] ####: ~ process #### started",
];
const WORDS: &[&str] = &[
    "orders",
    "billing",
    "alpha",
    "search",
    "index",
    "payment",
    "gateway",
    "mirror",
    "backup",
    "session",
    "catalog",
    "invoice",
    "metrics",
    "scheduler",
    "frontend",
    "ledger",
    "stream",
    "upload",
    "report",
    "tenant",
    "account",
    "notifier",
    "worker",
    "router",
    "shipping",
];
/// Words of made-up signatures.
const PARTS: &[&str] = &[
    "quota",
    "exceeded",
    "limit",
    "refused",
    "token",
    "expired",
    "denied",
    "overflow",
    "missing",
    "corrupt",
    "broken",
    "pipe",
    "reset",
    "handshake",
    "certificate",
    "unreachable",
    "exhausted",
    "deadlock",
    "stale",
    "replica",
    "partition",
    "unknown",
    "malformed",
    "rejected",
    "lease",
    "snapshot",
    "journal",
    "checksum",
    "mismatch",
    "capacity",
    "throttled",
    "aborted",
    "orphaned",
    "duplicate",
    "key",
    "segment",
    "fault",
    "illegal",
    "state",
    "version",
    "unsupported",
    "codec",
];

fn fill(template: &str, random: &mut Random, out: &mut String) {
    for c in template.chars() {
        match c {
            '#' => out.push(char::from(b'0' + random.next(10) as u8)),
            '~' => out.push_str(random.pick(WORDS)),
            c => out.push(c),
        }
    }
    out.push('\n');
}

fn signatures(count: usize) -> Vec<String> {
    let mut random = Random(0x5EED);
    let mut list = std::collections::BTreeSet::new();
    while list.len() < count {
        let words = 2 + random.next(3);
        let text: Vec<&str> = (0..words).map(|_| random.pick(PARTS)).collect();
        let text = text.join(if random.next(4) == 0 { "_" } else { " " });
        // Nested sets of one kind: 8 to 60 bytes.
        if (8..=60).contains(&text.len()) {
            list.insert(text);
        }
    }
    list.into_iter().collect()
}

/// Logs by name: one line of so many holds a signature.
fn log(kind: &str, signatures: &[String], megabytes: usize) -> String {
    let every = match kind {
        "quiet" => 2000,
        "typical" => 33,
        "noisy" => 2,
        _ => 0,
    };
    let mut random = Random(0xC0FFEE);
    let mut text = String::with_capacity((megabytes << 20) + 512);
    while text.len() < megabytes << 20 {
        let signature = &signatures[random.next(signatures.len())];
        match kind {
            // Everything but the last letter.
            "near misses" => {
                let _ =
                    writeln!(text, "{} x {}", &signature[..signature.len() - 1], random.next(99));
            }
            "one window everywhere" => {
                for _ in 0..8 {
                    text.push_str(&signatures[0][..signatures[0].len() - 1]);
                }
                text.push('\n');
            }
            _ if random.next(every) == 0 => {
                let template = format!("2026-0#-1# ##:##:## ERROR ~ ~: {signature} (id=####)");
                fill(&template, &mut random, &mut text);
            }
            _ => fill(random.pick(HEALTHY), &mut random, &mut text),
        }
    }
    text
}

/// Nanoseconds of processor time of this process.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn catalog(signatures: &str) -> Catalog {
    let mut yaml = String::from("schema: 1\nrules:\n");
    for (at, text) in signatures.lines().enumerate() {
        let _ = write!(
            yaml,
            "  - id: peer.r{at}\n    title: Peer\n    category: server_error\n    status: experimental\n    \
             match: {{ any: [ {{ text: \"{text}\" }} ] }}\n    summary: \"x\"\n    causes: [ \"x\" ]\n    \
             remedies: [ {{ do: \"x\" }} ]\n    examples: [ {{ text: \"x {text}\" }} ]\n"
        );
    }
    let mut builder = Catalog::builder();
    builder.with_builtin(false).text(Layer::User, "peers.yaml", &yaml);
    builder.build().unwrap_or_else(|problems| panic!("{problems}"))
}

/// Runs one engine; prints CPU seconds of the search, of compiling, and lines found.
fn scan(engine: &str, signatures: &str, log: &str) {
    let (signatures, log) = (fs::read_to_string(signatures).unwrap(), fs::read(log).unwrap());
    let mut lines = 0u64;
    let (start, begin) = match engine {
        "newline counting" => {
            let begin = cpu();
            lines = memchr::memchr_iter(b'\n', &log).count() as u64;
            (begin, begin)
        }
        "aho-corasick DFA" => {
            let start = cpu();
            let engine = aho_corasick::AhoCorasick::builder()
                .kind(Some(aho_corasick::AhoCorasickKind::DFA))
                .ascii_case_insensitive(true)
                .build(signatures.lines())
                .unwrap();
            let begin = cpu();
            let mut done = 0;
            for hit in engine.find_overlapping_iter(&log) {
                if hit.end() > done {
                    lines += 1;
                    done = memchr::memchr(b'\n', &log[hit.end()..])
                        .map_or(log.len(), |at| hit.end() + at);
                }
            }
            (start, begin)
        }
        _ => {
            let classifier = match engine {
                "whyerr, built-in rules" => Classifier::builtin().clone(),
                _ => Classifier::new(&catalog(&signatures)),
            };
            let scanner = Scanner::with_sample(&classifier, &log[..log.len().min(CHUNK)]);
            let mut scratch = Scratch::default();
            let start = cpu();
            let begin = start;
            let mut rest = &log[..];
            while !rest.is_empty() {
                let end = rest.len().min(CHUNK);
                let end = memchr::memrchr(b'\n', &rest[..end]).map_or(end, |at| at + 1);
                scanner.scan(&rest[..end], &mut scratch, |_| lines += 1);
                rest = &rest[end..];
            }
            (start, begin)
        }
    };
    let end = cpu();
    println!("{:.6} {:.6} {lines}", (end - begin) / 1e9, (begin - start) / 1e9);
}

fn run(megabytes: usize, rounds: usize) {
    let folder = env::temp_dir().join("whyerr-peers");
    fs::create_dir_all(&folder).unwrap();
    let hyperscan = PathBuf::from("target/hs");
    let engines = ["newline counting", "whyerr", "aho-corasick DFA", "hyperscan"];
    println!("| signatures | log | {} |", engines.join(" GB/s | ") + " GB/s");
    println!("| --- | --- |{}", " --- |".repeat(engines.len()));
    for count in [50, 500, 5000] {
        let list = signatures(count);
        let set = folder.join(format!("signatures-{count}"));
        fs::write(&set, list.join("\n")).unwrap();
        for kind in ["quiet", "typical", "noisy", "near misses", "one window everywhere"] {
            let file = folder.join("log");
            fs::write(&file, log(kind, &list, megabytes)).unwrap();
            let mut best = [f64::MAX; 4];
            let mut lines = [0u64; 4];
            for _ in 0..rounds {
                for (at, engine) in engines.iter().enumerate() {
                    let Some((seconds, found)) = child(engine, &hyperscan, &set, &file) else {
                        continue;
                    };
                    best[at] = best[at].min(seconds);
                    lines[at] = found;
                }
            }
            assert!(lines[1] == lines[2], "{kind}, {count}: {lines:?}");
            if hyperscan.exists() {
                assert!(lines[1] == lines[3], "{kind}, {count}: {lines:?}");
            }
            let size = fs::metadata(&file).unwrap().len() as f64 / 1e9;
            let mut row = format!("| {count} | {kind} |");
            for seconds in best {
                let _ = match seconds == f64::MAX {
                    true => write!(row, " - |"),
                    false => {
                        write!(row, " {:.2} ({:.1}x) |", size / seconds, best[1] / seconds)
                    }
                };
            }
            println!("{row}");
        }
    }
    println!(
        "\nIn brackets: speed relative to whyerr. {megabytes} MiB, best of {rounds} rounds in turn, CPU time, one thread."
    );
}

fn child(engine: &str, hyperscan: &Path, set: &Path, log: &Path) -> Option<(f64, u64)> {
    let output = match engine {
        "hyperscan" if !hyperscan.exists() => return None,
        "hyperscan" => Command::new(hyperscan).args([set, log]).output(),
        _ => Command::new(env::current_exe().unwrap())
            .args(["scan", engine])
            .args([set, log])
            .output(),
    };
    let output = output.unwrap();
    assert!(output.status.success(), "{engine}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut fields = text.split_whitespace();
    let seconds = fields.next()?.parse().ok()?;
    Some((seconds, fields.nth(1)?.parse().ok()?))
}
