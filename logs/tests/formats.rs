//! What records say, case by case.
//!
//! A case is one or more lines with `> `, then what is expected, all of it: a line `= FORMAT [LEVEL]
//! [t=TIME] [by=NAME] [trace=ID] [exception=NAME] [ROLE=VALUE@PATH]...` and, where there is a
//! message, `m TEXT` with `\t` and `\n`, where there is a stack `s` and its first line. A time
//! without a date is on the 2nd of January 2024, in UTC. Values that hold spaces end at ` WORD=`.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use whyerr_logs::record::{Format, Reader, Record};

const FILES: &[(&str, &str, usize)] = &[
    ("json", include_str!("cases/json.txt"), 50),
    ("text", include_str!("cases/text.txt"), 90),
    ("confusers", include_str!("cases/confusers.txt"), 60),
];

/// The 15th of June 2024, noon.
fn reader() -> Reader {
    let mut reader = Reader::default();
    reader.set_now(SystemTime::UNIX_EPOCH + Duration::from_secs(1_718_452_800));
    reader
}

struct Case {
    line: usize,
    event: String,
    expected: Vec<String>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(event) = line.strip_prefix("> ") {
            match cases.last_mut() {
                Some(case) if case.expected.is_empty() => {
                    case.event.push('\n');
                    case.event.push_str(event);
                }
                _ => cases.push(Case {
                    line: index + 1,
                    event: event.to_owned(),
                    expected: Vec::new(),
                }),
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            cases.last_mut().expect("an event comes first").expected.push(line.to_owned());
        }
    }
    cases
}

/// A record in the form of the cases.
fn shown(record: &Record) -> Vec<String> {
    let mut line = format!("= {}", record.format);
    if let Some(level) = record.level {
        let _ = write!(line, " {}", level.as_str());
    }
    if let Some(time) = record.time {
        let time = jiff::Timestamp::try_from(time).unwrap().to_string();
        let day = "2024-01-02T";
        let time = match time.strip_prefix(day).and_then(|time| time.strip_suffix('Z')) {
            Some(time) => time.to_owned(),
            None => time,
        };
        let _ = write!(line, " t={time}");
    }
    for (name, value) in
        [("by", &record.logged_by), ("trace", &record.trace), ("exception", &record.exception)]
    {
        if let Some(value) = value {
            let _ = write!(line, " {name}={value}");
        }
    }
    let mut facts: Vec<String> = record
        .facts
        .iter()
        .map(|fact| format!(" {}={}@{}", fact.role.as_str(), fact.value, fact.path))
        .collect();
    facts.sort();
    line.extend(facts);
    let mut lines = vec![line];
    if let Some(message) = &record.message {
        lines.push(format!("m {}", message.replace('\n', "\\n")));
    }
    if let Some(stack) = &record.stack {
        lines.push(format!("s {}", stack.lines().next().unwrap_or_default()));
    }
    lines
}

/// The same order of facts as in `shown`.
fn in_order(expected: &[String]) -> Vec<String> {
    let mut lines = expected.to_vec();
    let (head, facts): (Vec<&str>, Vec<&str>) =
        lines[0].split(' ').partition(|word| !word.contains('@'));
    let mut facts = facts;
    facts.sort_unstable();
    // `code=1000@Event ID`
    lines[0] = match facts.last() {
        Some(last) if last.ends_with("@Event") => expected[0].clone(),
        _ => head.into_iter().chain(facts).collect::<Vec<_>>().join(" "),
    };
    for line in &mut lines {
        *line = line.replace("\\t", "\t");
    }
    lines
}

#[test]
fn cases_are_read_as_expected() {
    let mut failures = String::new();
    for (name, text, least) in FILES {
        let cases = cases(text);
        assert!(cases.len() >= *least, "{name}: {} cases", cases.len());
        for case in cases {
            let record = reader().read(case.event.as_bytes());
            let (got, expected) = (shown(&record), in_order(&case.expected));
            if got != expected {
                let _ = writeln!(
                    failures,
                    "{name}.txt:{}\n  {}\n  expected {expected:#?}\n  got {got:#?}",
                    case.line, case.event
                );
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn a_format_that_is_wanted_is_the_only_one() {
    let read = |format: &str, event: &str| {
        let mut reader = reader();
        reader.set_format(Format::from_name(format).unwrap());
        shown(&reader.read(event.as_bytes())).remove(0)
    };
    let json = r#"{"level":"error","msg":"x"}"#;
    assert_eq!(read("json", json), "= json error");
    assert_eq!(read("text", json), "= text");
    assert_eq!(read("logfmt", json), "= text");
    assert_eq!(read("logfmt", "level=error it failed badly today"), "= logfmt error");
    assert_eq!(read("text", "ERROR: x"), "= text error");
    assert_eq!(read("syslog", "Jan  2 03:04:05 host app: x"), "= syslog t=03:04:05 by=app");
    assert_eq!(read("syslog", "2024-01-02 03:04:05 ERROR x"), "= text");
    assert_eq!(read("json", r#"got {"level":"error"}"#), "= json error");
    for format in Format::all() {
        assert_eq!(Format::from_name(format.as_str()), Some(format));
        for event in ["", "x", "{", "[", "<1>"] {
            let mut reader = reader();
            reader.set_format(format);
            reader.read(event.as_bytes());
        }
    }
}

#[test]
fn own_fields_come_before_the_table() {
    let mut reader = reader();
    for field in ["status=upstream.rc", "service=tenant", "level=grade", "logged_by=unit"] {
        reader.add_field(field).unwrap();
    }
    assert!(reader.has_own_fields());
    let record = reader.read(
        br#"{"level":"info","grade":"fatal","status":500,"upstream":{"rc":"502"},"service":"a","tenant":"b","unit":"u","msg":"m"}"#,
    );
    assert_eq!(
        shown(&record),
        ["= json critical by=u http_status=502@upstream.rc service=b@tenant", "m m"]
    );
    assert_eq!(record.paths.level.as_deref(), Some("grade"));
    let record = reader.read(b"it failed upstream.rc=503 later");
    assert_eq!(record.facts[0].value, "503", "behind words too");
}

#[test]
fn paths_tell_where_values_come_from() {
    let record = reader().read(
        br#"{"@timestamp":"2024-01-02T03:04:05Z","log":{"level":"error"},"trace":{"id":"t"},"app":"a","msg":"m"}"#,
    );
    assert_eq!(record.paths.time.as_deref(), Some("@timestamp"));
    assert_eq!(record.paths.level.as_deref(), Some("log.level"));
    assert_eq!(record.paths.trace.as_deref(), Some("trace.id"));
    assert_eq!(record.paths.logged_by.as_deref(), Some("app"));
    assert_eq!(record.paths.message.as_deref(), Some("msg"));
    assert_eq!(reader().read(b"2024-01-02 03:04:05 ERROR x").paths, Default::default());
}

#[test]
fn what_is_cut_is_counted() {
    let read = |event: &str| reader().read(event.as_bytes());
    assert_eq!(read(r#"{"msg":"x"}"#).cut, 0);
    let long = "x".repeat(10_000);
    let record = read(&format!(r#"{{"msg":"{long}"}}"#));
    assert_eq!((record.message.unwrap().len(), record.cut), (8 << 10, 1));
    assert!(read(&format!(r#"{{"msg":"x"}}{}"#, " ".repeat(70_000))).cut > 0);
    let many: String = (0..20).map(|n| format!(r#"{{"code":"E_{n}"}},"#)).collect();
    assert!(read(&format!(r#"{{"errors":[{many}]}}"#)).cut > 0);
    let deep = format!("{}1{}", r#"{"a":"#.repeat(30), "}".repeat(30));
    assert_eq!(read(&deep).cut, 1);
}

#[test]
fn colours_and_bytes_are_no_obstacle() {
    let record = reader().read(b"\x1b[2m2024-01-02T03:04:05.678901Z\x1b[0m \x1b[31mERROR\x1b[0m \x1b[2mmy_crate\x1b[0m\x1b[2m:\x1b[0m it failed");
    assert_eq!(shown(&record)[0], "= logger error t=03:04:05.678901 by=my_crate");
    let record = reader().read(b"{\"level\":\"error\",\"msg\":\"\xff\xfe\",\"status\":503}");
    assert_eq!(shown(&record)[0], "= json error http_status=503@status");
    let record = reader().read("\u{feff}{\"level\":\"error\"}".as_bytes());
    assert_eq!(shown(&record)[0], "= json error");
}

#[test]
fn the_page_names_all_formats_and_roles() {
    let page = include_str!("../../docs/log-formats.md");
    for format in Format::all() {
        assert!(page.contains(&format!("`{format}`")), "{format}");
    }
    let roles = Reader::default().add_field("colour=x").unwrap_err().to_string();
    let (_, roles) = roles.split_once("roles are ").unwrap();
    for role in roles.split(", ") {
        assert!(page.contains(&format!("`{role}`")), "{role}");
    }
}
