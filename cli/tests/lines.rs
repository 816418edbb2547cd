//! `--filter` and `--enrich`: a line for a line.

mod common;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Dir, dir};
use proptest::prelude::*;
use serde_json::Value;

const REFUSED: &str = "Error: connect ECONNREFUSED 10.0.0.5:6379";
const DISK: &str = "OSError: [Errno 28] No space left on device: '/var/lib/a'";
const NULL: &str = "{\"whyerr\":null}";

/// Raw bytes in and out.
fn answer(dir: &Dir, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = dir.cmd(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let done = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// Rules of every answer: `null`, or the id.
fn rules(out: &[u8]) -> Vec<Option<String>> {
    let text = std::str::from_utf8(out).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).expect(line);
            let object = value.as_object().unwrap();
            assert_eq!(object.len(), 1, "{line}");
            object["whyerr"]["rule"].as_str().map(str::to_owned)
        })
        .collect()
}

#[test]
fn filter_answers_in_short() {
    let dir = dir();
    let out = answer(&dir, &["--filter"], format!("ok\n{REFUSED}\n").as_bytes());
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, NULL));
    let value: Value = serde_json::from_str(lines[1]).unwrap();
    let verdict = &value["whyerr"];
    assert_eq!(verdict["version"], 1);
    assert_eq!(verdict["rule"], "net.refused");
    assert_eq!(verdict["category"], "connection_failed");
    assert_eq!(verdict["severity"], "error");
    assert_eq!(verdict["who"], "operator");
    assert_eq!(verdict["retry"]["verdict"], "backoff");
    assert!(verdict["retry"]["delay_s"].as_f64().unwrap() > 0.0);
    assert!(!verdict["summary"].as_str().unwrap().is_empty());
    let remedies = verdict["remedies"].as_array().unwrap();
    assert!((1..=2).contains(&remedies.len()), "{remedies:?}");
    assert!(remedies[0]["do"].is_string() && remedies[0]["who"].is_string());
    assert!(verdict["confidence"].is_string());
}

#[test]
fn filter_answers_odd_lines_too() {
    let dir = dir();
    let hit = || Some("net.refused".to_owned());
    let crlf = format!("\r\n{REFUSED}\r\n\r\n");
    let invalid = [b"\xff\xff\n", REFUSED.as_bytes(), b"\xff\n\0\n"].concat();
    let stack = format!("{REFUSED}\n    at a.js:1:1\n    at b.js:1:1\n{REFUSED}");
    let cases: [(&[u8], Vec<Option<String>>); 7] = [
        (b"", vec![]),
        (b"\n", vec![None]),
        (b"\n\nx", vec![None, None, None]),
        (REFUSED.as_bytes(), vec![hit()]),
        (crlf.as_bytes(), vec![None, hit(), None]),
        (&invalid, vec![None, hit(), None]),
        // Lines that another format would join to one event.
        (stack.as_bytes(), vec![hit(), None, None, hit()]),
    ];
    for (input, expected) in cases {
        let out = answer(&dir, &["--filter"], input);
        assert_eq!(rules(&out), expected, "{}", String::from_utf8_lossy(input));
    }
}

#[test]
fn overlong_lines_are_one_line_each() {
    let dir = dir();
    let long = |start: &str, end: &str| {
        let mut line = start.as_bytes().to_vec();
        line.resize(5 << 20, b'x');
        line.extend_from_slice(end.as_bytes());
        line
    };
    let object = "{\"message\":\"Error: connect ECONNREFUSED 10.0.0.5:6379\",\"pad\":\"";
    for end in ["", "\n", "\r\n", "\nok\n"] {
        let input =
            [&long(object, "\"}\n")[..], b"ok\n", &long("", "")[..], end.as_bytes()].concat();
        let out = answer(&dir, &["--filter"], &input);
        let mut expected = vec![Some("net.refused".to_owned()), None, None];
        expected.extend((end == "\nok\n").then_some(None));
        assert_eq!(rules(&out), expected, "{end:?}");
        assert!(String::from_utf8(out).unwrap().lines().next().unwrap().contains("\"cut\":true"));
        let out = answer(&dir, &["--enrich"], &input);
        assert!(out == input, "{end:?}: {} of {} bytes", out.len(), input.len());
    }
    let run = dir.pipe(&["--filter"], long("", "\n")).ends(0);
    run.complains("cut: 1 line of 2 MiB and more classified by the first MiB; 4,194,3");
}

#[test]
fn enrich_adds_a_member_and_nothing_else() {
    let dir = dir();
    let line = |before: &str, after: &str| format!("{before}\"msg\":\"{REFUSED}\"{after}");
    // Spacing, order, forms of numbers, duplicate keys, escapes.
    let touched = [
        (line("{", "}"), "}"),
        (line("{\"z\" : 1.50e+01,\"a\":1,\"a\":2, ", " , \"u\":\"\\u00e9\\/\" }"), "}"),
        (line("  {\t", "  }  "), "}  "),
        (line("{\"deep\":{\"whyerr\":1},", ",\"s\":\"}\"}"), "}"),
    ];
    let untouched = [
        REFUSED.to_owned(),
        line("[{", "}]"),
        line("{", ""),
        line("{\"whyerr\":{\"old\":true},", "}"),
        line("{\"why\\u0065rr\":1,", "}"),
        "{\"msg\":\"all is well\"}".to_owned(),
        "{}".to_owned(),
        String::new(),
    ];
    for end in ["\n", "\r\n"] {
        let mut input = String::new();
        for line in touched.iter().map(|(line, _)| line).chain(&untouched) {
            let _ = write!(input, "{line}{end}");
        }
        let out = String::from_utf8(answer(&dir, &["--enrich"], input.as_bytes())).unwrap();
        let lines: Vec<&str> = out.split_inclusive('\n').collect();
        assert_eq!(lines.len(), touched.len() + untouched.len());
        for ((before, tail), after) in touched.iter().zip(&lines) {
            let start = &before[..before.len() - tail.len()];
            let added = after.strip_prefix(start).expect(after);
            let added = added.strip_suffix(&format!("{tail}{end}")).expect(after);
            let verdict = added.strip_prefix(",\"whyerr\":").expect(added);
            let verdict: Value = serde_json::from_str(verdict).expect(verdict);
            assert_eq!(verdict["rule"], "net.refused");
        }
        for (before, after) in untouched.iter().zip(&lines[touched.len()..]) {
            assert_eq!(*after, format!("{before}{end}"));
        }
        // Once more changes nothing.
        assert_eq!(answer(&dir, &["--enrich"], out.as_bytes()), out.as_bytes());
    }
}

#[test]
fn sources_without_a_last_line_end_are_not_joined() {
    let dir = dir();
    dir.file("a.log", "a");
    dir.file("empty.log", "");
    dir.file("b.log", REFUSED);
    let files = ["a.log", "empty.log", "missing.log", "b.log"];
    let run = dir.run(&[&["--enrich"][..], &files].concat()).ends(2);
    assert_eq!(run.out, format!("a\n{REFUSED}"));
    let run = dir.run(&[&["--filter"][..], &files].concat()).ends(2);
    assert_eq!(rules(run.out.as_bytes()), [None, Some("net.refused".to_owned())]);
}

#[test]
fn an_answer_comes_before_the_next_question() {
    let dir = dir();
    for (mode, other) in [("--filter", NULL), ("--enrich", "ok")] {
        let mut command = dir.cmd(&[mode]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut slowest = Duration::ZERO;
        for number in 0..40 {
            let question = if number % 2 == 0 { "ok" } else { REFUSED };
            let asked = Instant::now();
            writeln!(stdin, "{question}").unwrap();
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            // The first one waits for the rules.
            if number > 0 {
                slowest = slowest.max(asked.elapsed());
            }
            if number % 2 == 0 {
                assert_eq!(line.trim_end(), other);
            }
        }
        // Far from the 500 ms for which events of several lines are held.
        assert!(slowest < Duration::from_millis(400), "{mode}: {slowest:?}");
        drop(stdin);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        assert!(child.wait().unwrap().success());
    }
}

/// Who was promised an answer to every line and went away has lost some.
#[test]
fn a_closed_pipe_is_told_where_every_line_is_answered() {
    let dir = dir();
    dir.file("a.log", format!("{REFUSED}\n").repeat(20_000));
    let closed = |args: &[&str]| {
        let mut command: Command = dir.cmd(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        drop(stdout);
        let done = child.wait_with_output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    for mode in ["--filter", "--enrich"] {
        let (code, message) = closed(&[mode, "a.log"]);
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains("standard output was closed before every line"), "{message}");
    }
    for args in [["-f", "json", "a.log"], ["-f", "otlp", "a.log"]] {
        assert_eq!(closed(&args), (Some(0), String::new()));
    }
}

/// The output without what was added.
fn without_members(out: &[u8]) -> Vec<u8> {
    let mut left = Vec::new();
    let mut rest = out;
    while let Some(at) = rest.windows(ADDED.len()).position(|part| part == ADDED) {
        let value = &rest[at + ADDED.len() - 1..];
        let mut values = serde_json::Deserializer::from_slice(value).into_iter::<Value>();
        values.next().unwrap().unwrap();
        left.extend_from_slice(&rest[..at]);
        rest = &value[values.byte_offset()..];
    }
    left.extend_from_slice(rest);
    left
}

/// How every member begins that is added.
const ADDED: &[u8] = b",\"whyerr\":{";

/// What comes before the lines, how long one of them is, and how long it takes to come.
#[test]
fn enrich_gives_every_byte_back() {
    let dir = dir();
    let object = |pad: usize| {
        format!("{{\"pad\":\"{}\",\"msg\":\"{REFUSED}\"}}", "x".repeat(pad)).into_bytes()
    };
    let mark = b"\xef\xbb\xbf".to_vec();
    let (mib, bare) = (1 << 20, object(0).len());
    // Bytes, and how many members are added.
    let cases = [
        (mark.clone(), 0),
        ([&mark[..], b"\n"].concat(), 0),
        ([&mark[..], &object(0)].concat(), 1),
        ([&mark[..], &mark[..], &object(0), b"\n\xff\xfe\n"].concat(), 0),
        ([&mark[..], &object(0), b"\r\n\r\n", &mark[..], &object(1)].concat(), 1),
        ([&object(mib - 9)[..], b"\n", &object(mib + 9), b"\r\n"].concat(), 2),
        // One byte less than what is cut, and the first that is.
        ([&object(2 * mib - 1 - bare)[..], b"\n"].concat(), 1),
        ([&object(2 * mib - bare)[..], b"\n", &object(0)].concat(), 1),
        ([&mark[..], &object(3 * mib), b"\nx\n", &object(7)].concat(), 1),
    ];
    for (at, (input, members)) in cases.iter().enumerate() {
        let out = answer(&dir, &["--enrich"], input);
        let added = out.windows(ADDED.len()).filter(|part| *part == ADDED).count();
        assert_eq!(added, *members, "case {at}");
        assert!(without_members(&out) == *input, "case {at}");
        // As files, each with its own mark.
        dir.file("a.log", input);
        dir.file("b.log", [&mark[..], &object(0)].concat());
        let out = answer(&dir, &["--enrich", "a.log", "b.log"], b"");
        let between: &[u8] = if input.ends_with(b"\n") || *input == mark { b"" } else { b"\n" };
        let whole = [&input[..], between, &mark, &object(0)].concat();
        assert!(without_members(&out) == whole, "case {at}");
    }
}

/// A line that comes in parts is the line that came at once.
#[test]
fn a_slow_line_is_enriched_as_a_whole() {
    let dir = dir();
    let half = "x".repeat(700 << 10);
    let mut command = dir.cmd(&["--enrich"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let sender = std::thread::spawn({
        let half = half.clone();
        move || {
            write!(stdin, "{{\"pad\":\"{half}").unwrap();
            std::thread::sleep(Duration::from_millis(1500));
            writeln!(stdin, "{half}\",\"msg\":\"{REFUSED}\"}}").unwrap();
        }
    });
    let mut out = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    sender.join().unwrap();
    assert!(child.wait().unwrap().success());
    let left = without_members(&out);
    assert!(left == format!("{{\"pad\":\"{half}{half}\",\"msg\":\"{REFUSED}\"}}\n").as_bytes());
    assert!(out.len() > left.len(), "nothing was added");
}

/// A line: plain, JSON of all kinds, broken JSON, bytes.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let phrase = prop_oneof![
        Just(REFUSED.to_owned()),
        Just(DISK.to_owned()),
        Just("all is well".to_owned()),
        "[ -~é\u{85}]{0,20}",
    ];
    let key = prop_oneof![Just("msg".to_owned()), Just("whyerr".to_owned()), "[a-z\"\\\\]{0,3}"];
    let space = "[ \t]{0,2}";
    let member = (key, phrase.clone(), space, any::<i32>(), any::<bool>()).prop_map(
        |(key, phrase, space, number, text)| {
            let key = serde_json::to_string(&key).unwrap();
            let value = match text {
                true => serde_json::to_string(&phrase).unwrap(),
                false => format!("[{number}.0e1,{{\"whyerr\":{number}}}]"),
            };
            format!("{space}{key}{space}:{value}{space}")
        },
    );
    let object = prop::collection::vec(member, 0..4).prop_map(|m| format!("{{{}}}", m.join(",")));
    prop_oneof![
        phrase.clone().prop_map(String::into_bytes),
        object.clone().prop_map(String::into_bytes),
        object.clone().prop_map(|text| text.as_bytes()[..text.len() - 1].to_vec()),
        object.prop_map(|text| format!("{text}\r").into_bytes()),
        prop::collection::vec(any::<u8>().prop_filter("a line", |b| *b != b'\n'), 0..12),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_line_for_a_line(
        lines in prop::collection::vec(line(), 0..120),
        ends in any::<bool>(),
        marked in any::<bool>(),
    ) {
        let mut input = lines.join(&b'\n');
        if marked {
            input.splice(0..0, *b"\xef\xbb\xbf");
        }
        if ends && !input.is_empty() {
            input.push(b'\n');
        }
        let expected = input.iter().filter(|byte| **byte == b'\n').count()
            + usize::from(!input.is_empty() && !input.ends_with(b"\n"));
        let dir = dir();
        let filtered = answer(&dir, &["--filter"], &input);
        prop_assert_eq!(rules(&filtered).len(), expected);

        let enriched = answer(&dir, &["--enrich"], &input);
        prop_assert_eq!(enriched.ends_with(b"\n"), input.ends_with(b"\n"));
        let (before, after): (Vec<_>, Vec<_>) =
            (input.split(|b| *b == b'\n').collect(), enriched.split(|b| *b == b'\n').collect());
        prop_assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(after) {
            if *before == after {
                continue;
            }
            // What was added stands before the last brace, and is an object.
            let brace = before.iter().rposition(|b| *b == b'}').unwrap();
            prop_assert_eq!(&after[..brace], &before[..brace]);
            let tail = &before[brace..];
            prop_assert!(after.ends_with(tail));
            let added = &after[brace..after.len() - tail.len()];
            let added = added.strip_prefix(b",").unwrap_or(added);
            let verdict = added.strip_prefix(b"\"whyerr\":").unwrap();
            prop_assert!(serde_json::from_slice::<Value>(verdict).unwrap().is_object());
            // And for who reads it as JSON.
            if let Ok(Value::Object(old)) = serde_json::from_slice(before) {
                prop_assert!(!old.contains_key("whyerr"));
                let mut new: Value = serde_json::from_slice(after).unwrap();
                let new = new.as_object_mut().unwrap();
                prop_assert!(new.remove("whyerr").unwrap()["rule"].is_string());
                prop_assert_eq!(&old, &*new);
            }
        }
    }
}
