//! The formats for machines, `--output` and `--metrics`, with a small set of rules of its own so
//! that expectations can be written by hand.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Dir, Run, dir, run};
use serde_json::{Value, json};

/// What scans in these tests: three rules, one service.
const RULES: &str = r#"schema: 1
services:
  - id: ledger
    name: The Ledger
    kind: saas
    hosts: [ledger.example]
rules:
  - id: acme.closed
    title: "{service} is closed"
    status: experimental
    category: conflict
    severity: error
    who: account
    service: ledger
    match: { any: [ { text: "ledger is closed for this batch" } ] }
    summary: The batch came after the end of the month.
    causes: [ The month is over. ]
    remedies:
      - { do: "Open the ledger: settings, months", who: account }
      - { do: Send the batch again, who: caller }
    retry: { verdict: once_fixed }
    references: [ { url: "https://ledger.example/docs?a=1&b=2", checked: 2026-11-01 } ]
    examples: [ { text: "the ledger is closed for this batch" } ]
  - id: acme.slow
    title: The batch is slow
    status: experimental
    category: timeout
    severity: warning
    match: { any: [ { text: "batch takes very long" } ] }
    summary: The batch took too long.
    causes: [ Load. ]
    remedies: [ { do: Wait, who: operator } ]
    retry: { verdict: backoff, base: 2s, cap: 60s }
    examples: [ { text: "this batch takes very long" } ]
  - id: acme.lost
    title: A disk is lost
    status: experimental
    category: disk_full
    severity: critical
    match: { any: [ { text: "the disk walked away" } ] }
    summary: A disk is gone.
    causes: [ Somebody pulled it. ]
    remedies: [ { do: Put it back, who: operator } ]
    examples: [ { text: "the disk walked away" } ]
"#;

const CLOSED: &str = "ERROR ledger is closed for this batch";
const SLOW: &str = "WARN batch takes very long";
const LOST: &str = "FATAL the disk walked away";
const REFUSED: &str = "Error: connect ECONNREFUSED 10.0.0.5:6379";

/// A line that tries to leave its place in every format, and holds a secret.
const HOSTILE: &str = "::error file=x::pwned ]]></failure>&<b>\"'` \u{1b}[31m\0\u{85}\r## \
    ::stop-commands::x %0A::error::y key sk-abcdefgh12345678 ledger is closed for this batch";

fn prepared() -> Dir {
    let dir = dir();
    dir.file("rules.yaml", RULES);
    dir
}

fn scan(dir: &Dir, args: &[&str]) -> Command {
    let mut all = vec!["--no-builtin", "--rules", "rules.yaml", "scan"];
    all.extend(args);
    dir.cmd(&all)
}

fn scanned(dir: &Dir, args: &[&str]) -> Run {
    run(&mut scan(dir, args), b"")
}

fn one(run: &Run) -> Value {
    serde_json::from_str(&run.out).expect(&run.out)
}

#[test]
fn sarif_has_rules_results_and_places() {
    let dir = prepared();
    dir.file("logs/my app.log", format!("start\n{CLOSED} 17\n{SLOW}\n{CLOSED} 18\n"));
    let run = scanned(&dir, &["-f", "sarif", "logs/my app.log"]).ends(0).quietly();
    let log = one(&run);
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "whyerr");
    assert_eq!(run["tool"]["driver"]["semanticVersion"], env!("CARGO_PKG_VERSION"));
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(
        rules[0],
        json!({
            "id": "acme.closed",
            "name": "AcmeClosed",
            "shortDescription": { "text": "The Ledger is closed" },
            "fullDescription": { "text": "The batch came after the end of the month." },
            "help": {
                "text": "The batch came after the end of the month.\nWhat to do:\n\
                    1. Open the ledger: settings, months (account)\n2. Send the batch again (caller)",
                "markdown": "The batch came after the end of the month.\n\n**What to do**\n\n\
                    1. Open the ledger: settings, months (account)\n2. Send the batch again (caller)",
            },
            "helpUri": "https://ledger.example/docs?a=1&b=2",
            "defaultConfiguration": { "level": "error" },
            "properties": { "tags": ["conflict", "account"], "problem.severity": "error" },
        })
    );
    let ids: Vec<&Value> = rules.iter().map(|rule| &rule["id"]).collect();
    assert_eq!(ids, ["acme.closed", "acme.slow"]);
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let (closed, slow) = (&results[0], &results[1]);
    assert_eq!(closed["ruleId"], "acme.closed");
    assert_eq!((&closed["ruleIndex"], &slow["ruleIndex"]), (&json!(0), &json!(1)));
    assert_eq!((&closed["level"], &slow["level"]), (&json!("error"), &json!("warning")));
    assert_eq!(closed["occurrenceCount"], 2);
    assert_eq!(
        closed["message"]["text"],
        "The Ledger is closed. The batch came after the end of the month."
    );
    assert_eq!(
        closed["locations"],
        json!([{ "physicalLocation": {
            "artifactLocation": { "uri": "logs/my%20app.log" },
            "region": {
                "startLine": 2,
                "endLine": 2,
                "byteOffset": 6,
                "byteLength": CLOSED.len() + 3,
                "snippet": { "text": format!("{CLOSED} 17") },
            },
        }}])
    );
    assert_eq!(closed["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 4);
    assert_eq!(slow.get("relatedLocations"), None);
    let print = closed["partialFingerprints"]["whyerr/v1"].as_str().unwrap();
    assert!(print.len() == 32 && print.bytes().all(|b| b.is_ascii_hexdigit()), "{print}");
    assert_eq!(
        run["invocations"],
        json!([{ "executionSuccessful": true, "toolExecutionNotifications": [] }])
    );
}

#[test]
fn sarif_fingerprints_outlive_numbers_and_places() {
    let dir = prepared();
    dir.file("a.log", format!("2026-01-01 10:00:00 {CLOSED} 17\n"));
    dir.file("b.log", format!("ok\n2027-02-03 11:12:13 {CLOSED} 9999\n{CLOSED} of Bob\n"));
    let prints = |file| {
        let log = one(&scanned(&dir, &["-f", "sarif", file]).ends(0));
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|r| r["partialFingerprints"].clone()).collect::<Vec<_>>()
    };
    let (a, b) = (prints("a.log"), prints("b.log"));
    assert_eq!(a[0], b[0]);
    assert_ne!(b[0], b[1]);
}

#[test]
fn sarif_names_what_could_not_be_read() {
    let dir = prepared();
    dir.file("a.log", "fine\n");
    let run = scanned(&dir, &["-f", "sarif", "a.log", "missing.log"]).ends(2);
    let log = one(&run);
    let run = &log["runs"][0];
    assert_eq!(run["results"], json!([]));
    assert_eq!(run["tool"]["driver"]["rules"], json!([]));
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let note = &invocation["toolExecutionNotifications"][0];
    assert_eq!(note["level"], "error");
    assert!(note["message"]["text"].as_str().unwrap().starts_with("cannot be read: "));
    let place = &note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(place, "missing.log");
}

/// One run of lines that belong together, over the ends of many chunks: the byte limit cuts it into
/// events of which each is full, but for the last.
#[test]
fn what_was_cut_is_told_by_every_format() {
    let dir = dir();
    let line = format!("  {REFUSED} {}\n", "x".repeat(200));
    let lines = (2 << 20) / line.len();
    dir.file("a.log", format!("2024-01-02 03:04:05 ERROR failed\n{}", line.repeat(lines)));
    // Counted by hand: what fits into 64 KiB, the first event with its head.
    let fits = (64 << 10) / line.len();
    let events = 1 + (lines - (65_536 - 33) / line.len()).div_ceil(fits);
    let cut = events - 1;
    let says = format!(
        "cut: of {cut} findings not all were read (more than 500 lines, 64 KiB, or a long value), \
         the first at a.log:1"
    );
    let summary = one(&dir.run(&["-f", "summary", "--json", "a.log"]).ends(0));
    assert_eq!((&summary["findings"], &summary["cut_findings"]), (&json!(events), &json!(cut)));
    let found = dir.run(&["-f", "json", "a.log"]).ends(0).complains(&format!("note: {says}"));
    let cut_ones = found.json().iter().take(cut).filter(|one| one["cut"] == true).count();
    assert_eq!(cut_ones, cut);
    dir.run(&["a.log"]).ends(0).quietly().says(&says);
    let sarif = one(&dir.run(&["-f", "sarif", "a.log"]).ends(0).quietly());
    let notes = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes, &json!([{ "level": "warning", "message": { "text": says } }]));
    let escaped = says.replace('%', "%25");
    dir.run(&["-f", "github", "a.log"])
        .ends(0)
        .quietly()
        .says(&format!("::notice title=whyerr::{escaped}\n"));
    dir.run(&["-f", "junit", "a.log"])
        .ends(0)
        .quietly()
        .says(&format!("<system-out>{events} findings in 8,560 lines</system-out>"))
        .says(&format!("<system-err>{says}\n</system-err>"));
}

#[test]
fn github_annotations_are_folded_and_the_worst_come_first() {
    let dir = prepared();
    dir.file("a,b.log", format!("{SLOW}\n{CLOSED} 1\n{CLOSED} 2\nok\n{LOST}\n"));
    let run = scanned(&dir, &["-f", "github", "a,b.log"]).ends(0).quietly();
    let expected = format!(
        "::error file=a%2Cb.log,line=5,endLine=5,title=A disk is lost [acme.lost]::\
         A disk is gone.%0APut it back (operator)%0A{LOST}\n\
         ::error file=a%2Cb.log,line=2,endLine=2,title=The Ledger is closed [acme.closed] ×2::\
         The batch came after the end of the month.%0AOpen the ledger: settings, months \
         (account)%0A{CLOSED} 1\n\
         ::warning file=a%2Cb.log,line=1,endLine=1,title=The batch is slow [acme.slow]::\
         The batch took too long.%0AWait (operator)%0A{SLOW}\n"
    );
    assert_eq!(run.out, expected);
}

#[test]
fn each_text_has_the_values_of_its_own_event() {
    let dir = dir();
    let lines = ["a: connect ECONNREFUSED 10.0.0.5:6379", "b: connect ECONNREFUSED 10.9.9.9:80"];
    let log = lines.join("\n");
    let github = dir.pipe(&["-f", "github"], &log).ends(0).out;
    let sarif = one(&dir.pipe(&["-f", "sarif"], &log).ends(0));
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!((github.lines().count(), results.len()), (2, 2), "{github}");
    let (own, other) = (["10.0.0.5:6379", "10.9.9.9:80"], ["10.9.9.9", "10.0.0.5"]);
    for (at, line) in github.lines().enumerate() {
        // In the summary, the remedy and the example.
        let encoded = line.replace("%3A", ":");
        assert!(encoded.matches(own[at]).count() >= 3 && !encoded.contains(other[at]), "{line}");
        let message = results[at]["message"]["text"].as_str().unwrap();
        assert!(message.contains(own[at]) && !message.contains(other[at]), "{message}");
    }
}

#[test]
fn github_says_how_many_are_not_shown() {
    let dir = prepared();
    let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];
    let lines: String = letters.iter().map(|name| format!("{CLOSED} of {name}\n")).collect();
    dir.file("a.log", &lines);
    let run = scanned(&dir, &["-f", "github", "a.log"]).ends(0);
    assert_eq!(run.out.matches("::error ").count(), 10);
    let last = run.out.lines().last().unwrap();
    assert_eq!(last, "::notice title=whyerr::more than GitHub shows for a step: 3 errors");
    let run = run_on(&dir, &["-f", "github"], "nothing\n");
    assert_eq!(run.out, "");
}

fn run_on(dir: &Dir, args: &[&str], input: &str) -> Run {
    run(&mut scan(dir, args), input.as_bytes()).ends(0)
}

#[test]
fn junit_has_a_test_for_each_rule_and_service() {
    let dir = prepared();
    dir.file("a.log", format!("{SLOW}\n{CLOSED} 1\n{CLOSED} 2\n"));
    let run = scanned(&dir, &["-f", "junit", "a.log"]).ends(0).quietly();
    let time = run.out.split(" time=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(time.parse::<f64>().is_ok_and(|seconds| seconds < 60.0), "{time}");
    let stamp = run.out.split("timestamp=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(stamp.len() == 19 && stamp.starts_with("20"), "no zone in {stamp}");
    let expected = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="whyerr" package="whyerr" id="0" hostname="localhost" timestamp="{stamp}" tests="2" failures="2" errors="0" skipped="0" time="{time}">
    <properties/>
    <testcase classname="whyerr.timeout" name="acme.slow" time="0">
      <failure message="The batch is slow" type="timeout">The batch took too long.
1. Wait (operator)
Retry: retry with backoff from 2 s

1× a.log:1
{SLOW}
</failure>
    </testcase>
    <testcase classname="whyerr.conflict" name="acme.closed (ledger)" time="0">
      <failure message="The Ledger is closed (2×)" type="conflict">The batch came after the end of the month.
1. Open the ledger: settings, months (account)
2. Send the batch again (caller)
Retry: retry once fixed

2× a.log:2
{CLOSED} 1
</failure>
    </testcase>
    <system-out>3 findings in 3 lines</system-out>
    <system-err></system-err>
  </testsuite>
</testsuites>
"#
    );
    assert_eq!(run.out, expected);
}

#[test]
fn junit_passes_where_nothing_was_found() {
    let dir = prepared();
    run_on(&dir, &["-f", "junit"], "fine\n")
        .says("tests=\"1\" failures=\"0\" errors=\"0\"")
        .says("<testcase classname=\"whyerr\" name=\"no errors\" time=\"0\"/>")
        .says("0 findings in 1 line<");
    let run = scanned(&dir, &["-f", "junit", "missing<.log"]).ends(2);
    run.says("tests=\"1\" failures=\"0\" errors=\"1\"").says("name=\"read missing&lt;.log\"");
}

#[test]
fn otlp_lines_are_export_requests() {
    let dir = prepared();
    dir.file("logs/a.log", format!("ok\n{CLOSED} key sk-abcdefgh12345678\n"));
    let run = scanned(&dir, &["-f", "otlp", "logs/a.log"]).ends(0).quietly();
    let mut lines = run.json();
    assert_eq!(lines.len(), 1);
    let record = lines[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0].take();
    let observed = record["observedTimeUnixNano"].as_str().unwrap();
    assert_eq!(observed.len(), 19, "nanoseconds since 1970 in {observed}");
    assert_eq!(
        lines[0],
        json!({ "resourceLogs": [{
            "resource": { "attributes": [
                { "key": "service.name", "value": { "stringValue": "unknown_service" } },
            ]},
            "scopeLogs": [{
                "scope": { "name": "whyerr", "version": env!("CARGO_PKG_VERSION") },
                "logRecords": [null],
            }],
        }]})
    );
    assert_eq!(record["severityNumber"], 17);
    assert_eq!(record["severityText"], "ERROR");
    assert_eq!(record["body"], json!({ "stringValue": format!("{CLOSED} key [redacted]") }));
    let attributes: Vec<(&str, &Value)> = record["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["key"].as_str().unwrap(), &a["value"]))
        .collect();
    let text = |text: &str| json!({ "stringValue": text });
    let expected = [
        ("error.type", text("conflict")),
        ("whyerr.rule", text("acme.closed")),
        ("whyerr.severity", text("error")),
        ("whyerr.service", text("ledger")),
        ("whyerr.who", text("account")),
        ("whyerr.retry.verdict", text("once_fixed")),
        ("whyerr.summary", text("The batch came after the end of the month.")),
        ("whyerr.remedy", text("Open the ledger: settings, months")),
        ("log.file.name", text("a.log")),
        ("log.file.path", text("logs/a.log")),
        ("whyerr.line", json!({ "intValue": "2" })),
    ];
    for (key, value) in &expected {
        assert!(attributes.contains(&(*key, value)), "{key}: {attributes:?}");
    }
}

#[test]
fn otlp_takes_time_level_and_trace_from_the_record() {
    let dir = prepared();
    let ids = "\"trace_id\":\"0AF7651916CD43DD8448EB211C80319C\"";
    let record = |line: String| {
        let run = run_on(&dir, &["-f", "otlp"], &line);
        run.json()[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0].clone()
    };
    let own = record(format!(
        "{{\"time\":\"2026-11-24T10:00:00Z\",\"level\":\"warn\",\"msg\":\"{CLOSED}\",{ids}}}\n"
    ));
    assert_eq!(own["timeUnixNano"], "1795514400000000000");
    assert_eq!((&own["severityNumber"], &own["severityText"]), (&json!(13), &json!("WARN")));
    assert_eq!(own["traceId"], "0af7651916cd43dd8448eb211c80319c");
    let other = record(format!("{{\"msg\":\"{CLOSED}\",\"trace_id\":\"req-1\"}}\n"));
    assert_eq!((other.get("timeUnixNano"), other.get("traceId")), (None, None));
    let trace = json!({ "key": "whyerr.trace", "value": { "stringValue": "req-1" } });
    assert!(other["attributes"].as_array().unwrap().contains(&trace), "{other}");
}

#[test]
fn hostile_lines_stay_in_their_place() {
    let dir = prepared();
    dir.file("a.log", format!("{HOSTILE}\n"));
    for format in ["sarif", "github", "junit", "otlp", "json", "text", "summary"] {
        // There is a zero in it.
        let run = scanned(&dir, &["-f", format, "a.log"]).ends(0);
        assert_eq!(run.err, "warning: a.log: is binary data, read as it is\n");
        assert!(!run.out.contains("sk-abcdefgh"), "a secret in {format}: {}", run.out);
        let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{7f}';
        assert!(!run.out.contains(raw), "a control character in {format}: {:?}", run.out);
    }
    let github = scanned(&dir, &["-f", "github", "a.log"]);
    assert_eq!(github.out.lines().count(), 1, "{}", github.out);
    assert!(github.out.starts_with("::error file=a.log,line=1,"), "{}", github.out);
    assert!(github.out.contains("%250A::error::y"), "{}", github.out);
    let junit = scanned(&dir, &["-f", "junit", "a.log"]);
    assert_eq!(junit.out.matches("</failure>").count(), 1);
    assert!(junit.out.contains("]]&gt;&lt;/failure&gt;&amp;&lt;b&gt;&quot;&apos;"));
    assert!(!junit.out.contains("]]>"));
    let sarif = one(&scanned(&dir, &["-f", "sarif", "a.log"]));
    let snippet = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert!(snippet["snippet"]["text"].as_str().unwrap().starts_with("::error file=x::pwned ]]>"));
}

#[test]
fn names_of_files_cannot_inject_either() {
    let dir = prepared();
    let name = "a\n::error::x,line=9.log";
    dir.file(name, format!("{CLOSED}\n"));
    let github = scanned(&dir, &["-f", "github", name]).ends(0);
    assert_eq!(github.out.lines().count(), 1);
    assert!(github.out.starts_with("::error file=a%0A%3A%3Aerror%3A%3Ax%2Cline=9.log,line=1,"));
    let sarif = one(&scanned(&dir, &["-f", "sarif", name]).ends(0));
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%0A%3A%3Aerror%3A%3Ax%2Cline%3D9.log");
}

#[test]
fn a_whole_report_replaces_the_file_at_the_end_or_not_at_all() {
    let dir = prepared();
    let log = dir.file("a.log", format!("{CLOSED}\n"));
    let folder = log.parent().unwrap();
    for format in ["sarif", "github", "junit", "text", "summary"] {
        let report = dir.file("report", "old");
        let shown = scanned(&dir, &["-f", format, "a.log"]).ends(0).out;
        let run = scanned(&dir, &["-f", format, "-o", "report", "a.log"]).ends(0).quietly();
        assert_eq!(run.out, "");
        let written = fs::read_to_string(&report).unwrap();
        if format == "junit" {
            assert!(written.ends_with("</testsuites>\n"));
        } else {
            assert_eq!(written, shown);
        }
        // Colours are for terminals, whatever the flag says.
        scanned(&dir, &["--color", "always", "-f", format, "-o", "report", "a.log"]).ends(0);
        assert!(!fs::read_to_string(&report).unwrap().contains('\u{1b}'));
    }
    scanned(&dir, &["-o", "nowhere/report", "a.log"])
        .ends(2)
        .complains("cannot write to nowhere/report");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.log", "report", "rules.yaml"], "nothing is left behind");
}

#[test]
fn lines_are_added_to_what_is_there() {
    let dir = prepared();
    dir.file("a.log", format!("{CLOSED}\n"));
    let report = dir.file("out.jsonl", "{\"half\":");
    for _ in 0..2 {
        scanned(&dir, &["-f", "json", "-o", "out.jsonl", "a.log"]).ends(0).quietly();
    }
    let text = fs::read_to_string(report).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "{\"half\":"));
    assert!(lines[1..].iter().all(|line| line.starts_with("{\"type\":\"finding\"")));
}

#[test]
fn a_dash_is_standard_output() {
    let dir = prepared();
    dir.file("a.log", format!("{CLOSED}\n"));
    for format in ["json", "sarif"] {
        let shown = scanned(&dir, &["-f", format, "a.log"]).ends(0).out;
        assert_eq!(scanned(&dir, &["-f", format, "-o", "-", "a.log"]).ends(0).quietly().out, shown);
    }
    // As an input it is something else.
    let run = run(&mut scan(&dir, &["-f", "json", "-o", "-", "-"]), CLOSED.as_bytes());
    assert_eq!(run.ends(0).json().len(), 1);
    assert!(!dir.path().join("-").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let dir = prepared();
    dir.file("a.log", format!("{CLOSED}\n"));
    let all: [&[&str]; 9] = [
        &["-f", "json"],
        &["-f", "text"],
        &["-f", "text", "--no-fold"],
        &["-f", "summary"],
        &["-f", "sarif"],
        &["-f", "github"],
        &["-f", "junit"],
        &["--filter"],
        &["--enrich"],
    ];
    for args in all {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let args: Vec<&str> = args.iter().copied().chain(["a.log"]).collect();
        let child = scan(&dir, &args).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let done = child.wait_with_output().unwrap();
        let message = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{args:?}: {message}");
        let expected = "error: cannot write to standard output: No space left on device";
        assert!(message.starts_with(expected), "{args:?}: {message}");
        let args: Vec<&str> = ["-o", "/dev/full"].into_iter().chain(args).collect();
        scanned(&dir, &args).ends(2).complains("cannot write to /dev/full: No space left");
    }
}

/// As a disk that fills up in the middle: a limit on the size of files, whose signal would end the
/// process.
#[cfg(target_os = "linux")]
#[test]
fn what_stands_on_a_full_disk_are_whole_lines() {
    let dir = prepared();
    dir.file("a.log", format!("{CLOSED}\n").repeat(2000));
    let binary = env!("CARGO_BIN_EXE_whyerr");
    let scan = format!("{binary} --no-config --no-builtin --rules rules.yaml scan");
    let out = dir.file("out.jsonl", "");
    for (args, redirect) in [("-f json", "> out.jsonl"), ("-f json -o out.jsonl", "")] {
        dir.file("out.jsonl", "");
        let script = format!("ulimit -f 100; exec {scan} {args} a.log {redirect}");
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).current_dir(out.parent().unwrap());
        run(&mut command, b"").ends(2).complains("it ends with a whole line");
        let text = fs::read_to_string(&out).unwrap();
        assert!(text.len() > 10_000 && text.ends_with("}\n"), "{} bytes", text.len());
        for line in text.lines() {
            serde_json::from_str::<Value>(line).expect(line);
        }
    }
    let report = dir.file("report", "old");
    let script = format!("ulimit -f 1; exec {scan} -f junit -o report b.log");
    let lines: String = (0..400)
        .map(|at| {
            format!("{CLOSED} of {}\n", char::from(b'a' + at as u8 % 26).to_string().repeat(at))
        })
        .collect();
    dir.file("b.log", lines);
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).current_dir(report.parent().unwrap());
    run(&mut command, b"").ends(2).complains("the file was left as it was");
    assert_eq!(fs::read_to_string(&report).unwrap(), "old");
}

#[test]
fn metrics_stand_beside_any_format() {
    let dir = prepared();
    dir.file("a.log", format!("{SLOW}\n{CLOSED} 1\n{CLOSED} 2\nok\n"));
    let args = ["--metrics", "why.prom", "-f", "json", "a.log", "missing.log"];
    let run = scanned(&dir, &args).ends(2);
    assert_eq!(run.json().len(), 3);
    let path = dir.file("unused", "").with_file_name("why.prom");
    let text = fs::read_to_string(&path).unwrap();
    let last = text
        .lines()
        .find_map(|line| line.strip_prefix("whyerr_last_finding_timestamp_seconds "))
        .unwrap();
    assert!(last.parse::<f64>().unwrap() > 1.7e9, "{last}");
    let bytes = format!("{SLOW}\n{CLOSED} 1\n{CLOSED} 2\nok\n").len();
    let expected = format!(
        r#"# HELP whyerr_findings_total Events that have a verdict.
# TYPE whyerr_findings_total counter
whyerr_findings_total{{rule="acme.closed",category="conflict",service="ledger"}} 2
whyerr_findings_total{{rule="acme.slow",category="timeout",service=""}} 1
# HELP whyerr_lines_total Lines that were read.
# TYPE whyerr_lines_total counter
whyerr_lines_total 4
# HELP whyerr_bytes_total Bytes that were classified.
# TYPE whyerr_bytes_total counter
whyerr_bytes_total {bytes}
# HELP whyerr_cut_lines_total Lines that were too long and cut.
# TYPE whyerr_cut_lines_total counter
whyerr_cut_lines_total 0
# HELP whyerr_cut_findings_total Findings of which not all was read.
# TYPE whyerr_cut_findings_total counter
whyerr_cut_findings_total 0
# HELP whyerr_skipped_bytes_total Bytes of such lines that were not looked at.
# TYPE whyerr_skipped_bytes_total counter
whyerr_skipped_bytes_total 0
# HELP whyerr_lost_bytes_total Bytes of followed files gone before they were read.
# TYPE whyerr_lost_bytes_total counter
whyerr_lost_bytes_total 0
# HELP whyerr_read_errors_total Sources that could not be read, or not to their end.
# TYPE whyerr_read_errors_total counter
whyerr_read_errors_total 1
# HELP whyerr_last_finding_timestamp_seconds When the last event with a verdict was read; 0 before the first.
# TYPE whyerr_last_finding_timestamp_seconds gauge
whyerr_last_finding_timestamp_seconds {last}
"#
    );
    assert_eq!(text, expected);
    for args in [&["--filter"][..], &["--enrich"], &["-f", "text"]] {
        let args: Vec<&str> = [args, &["--metrics", "why.prom", "a.log"]].concat();
        scanned(&dir, &args).ends(0);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("whyerr_findings_total{rule=\"acme.closed\""), "{args:?}: {text}");
        assert!(text.contains("service=\"ledger\"} 2\n"), "{text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o400, 0o400);
        assert_eq!(mode & 0o111, 0, "no program");
    }
}

#[test]
fn metrics_that_cannot_be_written_are_told_before_anything_is_read() {
    let dir = prepared();
    dir.file("a.log", format!("{CLOSED}\n"));
    let args = ["--metrics", "nowhere/why.prom", "-f", "json", "a.log"];
    let run = scanned(&dir, &args).ends(2);
    assert_eq!(run.out, "");
    run.complains("cannot write the metrics to nowhere/why.prom");
}

#[cfg(target_os = "linux")]
#[test]
fn metrics_never_replace_what_is_no_file() {
    use std::os::unix::fs::FileTypeExt;
    let dir = prepared();
    dir.file("a.log", format!("{CLOSED}\n"));
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("pipe", dir.path().join("link")).unwrap();
    for path in ["pipe", "link", "/dev/full", "/dev/stdout"] {
        let run = scanned(&dir, &["--metrics", path, "-f", "json", "a.log"]).ends(2);
        assert_eq!(run.out, "", "{path}");
        run.complains(&format!("cannot write the metrics to {path}: is no regular file"));
    }
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
    assert!(fs::symlink_metadata("/dev/full").unwrap().file_type().is_char_device());
}

#[test]
fn what_is_read_is_not_written_to() {
    let dir = prepared();
    let text = format!("{CLOSED}\nno end of line");
    let log = dir.file("logs/a.log", &text);
    fs::hard_link(&log, dir.path().join("other.log")).unwrap();
    let all: [&[&str]; 9] = [
        &["-o", "logs/a.log", "logs/a.log"],
        &["-o", "logs/../logs/a.log", "-f", "json", "logs/a.log"],
        &["-o", "other.log", "-f", "sarif", "logs/a.log"],
        &["-o", "other.log", "-f", "sarif", "logs"],
        &["--metrics", "other.log", "logs/*.log"],
        &["--metrics", "logs/a.log", "--follow", "logs/a.log"],
        &["-o", "logs/a.log", "--enrich", "other.log"],
        &["-o", "new", "--metrics", "./logs/../new", "logs/a.log"],
        &["-o", "other.log", "--metrics", "logs/a.log", "rules.yaml"],
    ];
    for (at, args) in all.iter().enumerate() {
        let expected = if at < 7 { "is also read, as " } else { "name the same file" };
        scanned(&dir, args).ends(2).complains(expected);
        assert_eq!(fs::read_to_string(&log).unwrap(), text, "{args:?}");
    }
    assert!(!dir.path().join("new").exists());
    #[cfg(unix)]
    {
        let mut command = scan(&dir, &["-o", "logs/a.log", "-"]);
        let done = command.stdin(fs::File::open(&log).unwrap()).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
        assert_eq!(fs::read_to_string(&log).unwrap(), text);
        scanned(&dir, &["-o", "/dev/null", "/dev/null"]).ends(0);
        let out = fs::File::create(dir.path().join("out")).unwrap();
        let mut command = scan(&dir, &["--metrics", "out", "rules.yaml"]);
        let done = command.stdout(out).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&done.stderr).contains("name the same file"));
    }
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let dir = prepared();
    let all: [&[&str]; 4] = [
        &["--filter", "--enrich"],
        &["--filter", "-f", "json"],
        &["--enrich", "-f", "json"],
        &["--enrich", "--no-fold"],
    ];
    for args in all {
        scanned(&dir, args).ends(2).complains("cannot be used with");
    }
}

#[test]
fn flags_that_say_nothing_to_a_format_are_refused() {
    let dir = prepared();
    dir.file("a.log", format!("x\n{CLOSED}\n"));
    let refused = [
        ("--json", "sarif github junit otlp"),
        ("--no-fold", "json summary sarif github junit otlp"),
        ("-C1", "summary sarif github junit otlp"),
    ];
    for (flag, formats) in refused {
        for format in formats.split(' ') {
            let args = ["-o", "report", "-f", format, flag, "a.log"];
            scanned(&dir, &args).ends(2).complains(&format!("to the format {format}"));
            assert!(!dir.path().join("report").exists(), "{args:?}");
        }
    }
    let json = scanned(&dir, &["-f", "json", "a.log"]).ends(0).out;
    for args in [&["--json", "a.log"][..], &["--json", "-f", "text", "a.log"]] {
        assert_eq!(scanned(&dir, args).ends(0).quietly().out, json);
    }
    scanned(&dir, &["--json", "-C1", "a.log"]).ends(0).says("\"before\":[\"x\"]");
    scanned(&dir, &["--no-fold", "-C1", "a.log"]).ends(0).says("a.log-1-x\n");
}
