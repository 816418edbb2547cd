//! `whyerr FILE...`: logs.

mod common;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use common::{Run, dir};

const REFUSED: &str = "Error: connect ECONNREFUSED 10.0.0.5:6379";
const LIMIT: &str = "openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for \
    gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. \
    Please try again in 20s.', 'type': 'tokens', 'code': 'rate_limit_exceeded'}}";
const DISK: &str = "OSError: [Errno 28] No space left on device: '/var/lib/a'";

#[test]
fn json_findings_of_files_have_their_lines() {
    let dir = dir();
    dir.file("a.log", format!("started\n\n{REFUSED}\nall fine\n{LIMIT}\n"));
    dir.file("b.log", format!("ready\n{DISK}"));
    let found = dir.run(&["scan", "-f", "json", "a.log", "b.log"]).ends(0).quietly().json();
    let places: Vec<_> = found
        .iter()
        .map(|f| (f["source"].as_str().unwrap(), f["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [("a.log", 3), ("a.log", 5), ("b.log", 2)]);
    assert_eq!(found[0]["type"], "finding");
    assert_eq!(found[0]["rule"], "net.refused");
    assert_eq!(found[0]["category"], "connection_failed");
    assert_eq!(found[0]["retry"]["verdict"], "backoff");
    assert_eq!(found[0]["text"], REFUSED);
    assert_eq!(found[0]["offset"], "started\n\n".len());
    assert_eq!(found[0]["cut"], false);
    assert_eq!(found[1]["category"], "rate_limited");
    assert_eq!(found[1]["service"], "openai");
    assert_eq!(found[1]["retry"]["verdict"], "after");
    assert_eq!(found[1]["retry"]["delay_s"], 20.0);
    assert!(["exact", "strong"].contains(&found[1]["confidence"].as_str().unwrap()));
    assert_eq!(found[2]["category"], "disk_full");
}

#[test]
fn standard_input_is_scanned_by_default_and_as_dash() {
    let dir = dir();
    let log = format!("ok\n{REFUSED}\n");
    for args in [&["-f", "json"][..], &["scan", "-f", "json"], &["-f", "json", "-"]] {
        let found = dir.pipe(args, &log).ends(0).json();
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0]["source"], &found[0]["line"]), (&"-".into(), &2.into()));
    }
}

#[test]
fn nothing_found_is_said() {
    let dir = dir();
    let benign = "test result: 12 passed; 0 failed\nINFO c.acme.ErrorController registered\n\
        connected (timeout=30s, max_retries=3)\nGET /a HTTP/1.1\" 200 429\nerror_count=0\n";
    dir.pipe(&[], benign).ends(0).says("nothing found in 5 lines").quietly();
    dir.pipe(&[], "").ends(0).says("no line was read").quietly();
    let run = dir.pipe(&["-f", "json"], benign).ends(0);
    assert_eq!(run.out, "");
}

#[test]
fn the_summary_alone_counts_causes_and_people() {
    let dir = dir();
    dir.file("a.log", format!("{REFUSED}\n{REFUSED}\n{DISK}\n"));
    dir.run(&["-f", "summary", "a.log"])
        .ends(0)
        .says("3 findings in 3 lines")
        .says("Causes")
        .says("        2  Connection failed")
        .says("        1  Disk full")
        .says("Who has to act")
        .says("        3  the operator")
        .says("What to do first")
        .does_not_say("a.log:1");
}

/// 10,000 repeats with other times, ids and ports.
fn repeats() -> String {
    let mut log = String::from("start\n");
    for at in 0..10_000 {
        let (minute, second) = (at / 60 % 60, at % 60);
        let _ = writeln!(
            log,
            "2026-11-23T10:{minute:02}:{second:02}Z ERROR job={at:06x} connect ECONNREFUSED \
             10.0.0.{}:{}",
            at % 250,
            50_000 + at
        );
    }
    log
}

#[test]
fn repeats_are_one_entry() {
    let dir = dir();
    dir.file("a.log", repeats());
    let run = dir
        .run(&["a.log"])
        .ends(0)
        .says("10,000×")
        .says("a.log:2 … 10001")
        .says("10,000 findings in 10,001 lines");
    assert_eq!(run.out.matches("[net.refused]").count(), 1, "{}", run.out);
    assert!(run.out.lines().count() < 50, "{}", run.out);
}

#[test]
fn every_finding_stands_alone_without_folding() {
    let dir = dir();
    dir.file("a.log", format!("{REFUSED}\n{REFUSED}\nok\n{REFUSED}\n"));
    let run = dir.run(&["--no-fold", "a.log"]).ends(0);
    for line in [1, 2, 4] {
        assert!(run.out.contains(&format!("a.log:{line}:{REFUSED}\n")), "{}", run.out);
    }
    assert_eq!(run.out.matches("[net.refused]").count(), 3);
    assert!(run.out.contains("3 findings in 4 lines"));
}

#[test]
fn repeats_over_files_name_both() {
    let dir = dir();
    dir.file("a.log", format!("{REFUSED}\n"));
    dir.file("b.log", format!("ok\n{REFUSED}\n"));
    dir.run(&["a.log", "b.log"]).ends(0).says("2×").says("a.log:1 … b.log:2");
}

#[test]
fn fail_on_decides_the_exit_code() {
    let dir = dir();
    dir.file("warning.log", format!("{LIMIT}\n"));
    dir.file("error.log", format!("{REFUSED}\n"));
    dir.file("critical.log", format!("{DISK}\n"));
    let cases = [
        ("warning.log", "info", 1),
        ("warning.log", "warning", 1),
        ("warning.log", "error", 0),
        ("error.log", "error", 1),
        ("error.log", "critical", 0),
        ("critical.log", "critical", 1),
    ];
    for (file, limit, code) in cases {
        for format in ["text", "json", "summary"] {
            let run = dir.run(&["-f", format, "--fail-on", limit, file]);
            assert_eq!(run.code, code, "{file} {limit} {format}: {}", run.err);
        }
    }
    dir.run(&["critical.log"]).ends(0);
    dir.run(&["--fail-on", "nonsense", "critical.log"]).ends(2);
}

#[test]
fn a_missing_file_is_named_and_the_others_are_scanned() {
    let dir = dir();
    dir.file("a.log", format!("{REFUSED}\n"));
    dir.file("b.log", format!("{DISK}\n"));
    let run =
        dir.run(&["-f", "json", "a.log", "gone.log", "b.log"]).ends(2).complains("gone.log: ");
    assert_eq!(run.json().len(), 2);
    // A problem of the input weighs more than findings.
    dir.run(&["--fail-on", "info", "a.log", "gone.log"]).ends(2).says("[net.refused]");
}

#[test]
fn odd_bytes_do_no_harm() {
    let dir = dir();
    let mut log = b"\x80\xff\xfe broken\r\n\0\0\0\r\nError: \xe2\x28 connect ECONNREFUSED \xff10.0.0.5:1\0\r\n".to_vec();
    log.extend_from_slice(b"\r\n\xf0\x9f\r\nNo space left on device\r");
    let found = dir.pipe(&["-f", "json"], &log).ends(0).json();
    let seen: Vec<_> = found
        .iter()
        .map(|f| (f["line"].as_u64().unwrap(), f["category"].as_str().unwrap()))
        .collect();
    assert_eq!(seen, [(3, "connection_failed"), (6, "disk_full")]);
    dir.pipe(&[], &log)
        .ends(0)
        .says("2 findings in 6 lines")
        .complains("-: is binary data, read as it is");
    dir.pipe(&["--no-fold"], &log).ends(0).does_not_say("\0").does_not_say("\r");
}

#[test]
fn an_endless_line_is_cut_and_mentioned() {
    let dir = dir();
    let mut log = format!("{DISK}\n{REFUSED} ").into_bytes();
    log.resize(log.len() + (20 << 20), b'x');
    dir.file("a.log", &log);
    let run = dir
        .run(&["a.log"])
        .ends(0)
        .says("2 findings in 2 lines")
        .says("cut: 1 line of 2 MiB and more");
    assert!(run.out.len() < 10_000, "{}", run.out.len());
    let run = dir.run(&["-f", "json", "a.log"]).ends(0).complains("note: cut: 1 line of 2 MiB");
    assert!(run.out.len() < 100_000, "{}", run.out.len());
    let found = run.json();
    assert_eq!(found.len(), 2);
    assert_eq!((&found[1]["cut"], &found[1]["line"]), (&true.into(), &2.into()));

    // What follows the long line keeps its number.
    log.extend_from_slice(format!("\n{DISK}\n").as_bytes());
    let found = dir.pipe(&["-f", "json"], &log).ends(0).json();
    assert_eq!(found.last().unwrap()["line"], 3);
    assert_eq!(found.last().unwrap()["offset"], log.len() - DISK.len() - 1);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_is_bounded_for_an_endless_line() {
    // 200 MiB of one line, in an address space of 160 MiB.
    let whyerr = env!("CARGO_BIN_EXE_whyerr");
    let script = format!(
        "ulimit -v 163840; head -c 209715200 /dev/zero | tr '\\0' x | '{whyerr}' --no-config -f summary"
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]);
    let run = common::run(&mut command, b"").ends(0);
    assert!(run.out.contains("cut: 1 line of 2 MiB and more"), "{} {}", run.out, run.err);
}

/// Runs, reads one line, closes the pipe.
fn first_line(args: &[&str]) -> (String, i32, String) {
    let dir = dir();
    dir.file("a.log", repeats());
    let mut child = dir
        .cmd(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    {
        let mut out = BufReader::with_capacity(16, child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
    }
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (line, child.wait().unwrap().code().unwrap(), err)
}

#[test]
fn a_closed_pipe_quietly_success() {
    for args in [
        &["--no-fold", "a.log"][..],
        &["-f", "json", "a.log"],
        &["a.log"],
        &["rules", "list"],
        &["rules", "list", "--json"],
        &["rules", "test", "--group", "http."],
        &["explain", "429"],
        &["completions", "bash"],
        &["man"],
    ] {
        let (line, code, err) = first_line(args);
        assert!(!line.is_empty(), "{args:?}");
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn terminal_escapes_do_not_reach_the_terminal() {
    let dir = dir();
    let evil =
        "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m connect ECONNREFUSED 10.0.0.5:1 \u{202e}\u{1b}[0m";
    dir.file("a.log", format!("{evil}\n"));
    dir.file("e\u{1b}[31m.log", format!("{evil}\n"));
    let harmful = |text: &str| text.contains(['\u{1b}', '\u{7}', '\u{9b}']);
    let runs = [
        dir.run(&["a.log"]),
        dir.run(&["--no-fold", "a.log"]),
        dir.run(&["-f", "json", "a.log"]),
        dir.run(&["e\u{1b}[31m.log", "gone\u{1b}[31m.log"]),
        dir.run(&["why", evil]),
        dir.pipe(&["classify"], serde_json::json!({ "text": evil }).to_string()),
    ];
    for run in runs {
        assert!(run.out.contains("refused"), "{}", run.out);
        assert!(!harmful(&run.out), "{:?}", run.out);
        assert!(!harmful(&run.err), "{:?}", run.err);
    }
    // With colours there are escapes, but none of the log.
    for args in [&["--color", "always", "a.log"][..], &["--color", "always", "why", evil]] {
        let run = dir.run(args).ends(0).says("\u{1b}[");
        for part in ["\u{1b}]", "\u{7}", "\u{1b}[2J", "\u{9b}", "\u{202e}"] {
            assert!(!run.out.contains(part), "{part:?} in {:?}", run.out);
        }
    }
}

#[test]
fn colours_take_no_room_when_lines_are_wrapped() {
    let dir = dir();
    let plain = dir.pipe(&["--color", "never"], REFUSED).ends(0);
    let painted = dir.pipe(&["--color", "always"], REFUSED).ends(0);
    assert_eq!(plain.out.lines().count(), painted.out.lines().count());
    assert!(plain.out.lines().all(|line| line.chars().count() <= 100), "{}", plain.out);
}

#[test]
fn secrets_are_redacted_everywhere() {
    let dir = dir();
    let key = "sk-proj-FAKEfake0123456789FAKEfake0123456789FAKEfake";
    let line = format!(
        "openai.AuthenticationError: Error code: 401 - {{'error': {{'message': 'Incorrect API key \
         provided: {key}.', 'code': 'invalid_api_key'}}}} Authorization: Bearer {key}"
    );
    dir.file("a.log", format!("{line}\n"));
    let runs: [Run; 5] = [
        dir.run(&["a.log"]),
        dir.run(&["--no-fold", "a.log"]),
        dir.run(&["-f", "json", "a.log"]),
        dir.run(&["why", &line]),
        dir.run(&["why", "--json", &line]),
    ];
    for run in runs {
        let run = run.ends(0).does_not_say("FAKEfake");
        assert!(run.out.contains("authentication_failed"), "{}", run.out);
    }
    dir.run(&["a.log"]).says("[redacted]");
}

#[test]
fn the_sample_log_reads_as_the_manual_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sample.log");
    let found = dir().run(&["-f", "json", path]).ends(0).quietly().json();
    let categories: std::collections::BTreeSet<_> =
        found.iter().map(|f| f["category"].as_str().unwrap()).collect();
    for category in [
        "rate_limited",
        "quota_exhausted",
        "input_too_large",
        "authentication_failed",
        "connection_failed",
        "dns_failure",
        "tls_failure",
        "disk_full",
        "out_of_memory",
        "dependency_failure",
        "timeout",
        "overloaded",
        "resource_exhausted",
        "crash",
        "deadlock",
    ] {
        assert!(categories.contains(category), "no {category}");
    }
    let limited =
        found.iter().filter(|f| f["service"] == "openai" && f["category"] == "rate_limited");
    assert_eq!(limited.count(), 40);
    // The text that came 40 times is one entry.
    dir().run(&[path]).ends(0).says("     40×");
    for finding in &found {
        let text = finding["text"].as_str().unwrap();
        for benign in ["INFO ", "0 failed", "\" 200 ", "error_count", "LOG: "] {
            assert!(!text.contains(benign), "{finding}");
        }
    }
}
