//! Formats of records, and flags that say how they are read.

mod common;

use common::dir;

const JSON: &str = r#"{"@timestamp":"2024-01-02T03:04:05.678Z","log":{"level":"error"},"service":{"name":"checkout"},"trace":{"id":"4bf92f35"},"http":{"response":{"status_code":503}},"message":"call failed"}"#;

#[test]
fn why_shows_what_fields_say_and_where_they_stand() {
    dir()
        .run(&["why", JSON])
        .ends(0)
        .quietly()
        .says("http_status  503 (field http.response.status_code)")
        .says("format       json (of the record)")
        .says("time         2024-01-02T03:04:05.678Z (field @timestamp)")
        .says("level        error (field log.level)")
        .says("logged_by    checkout (field service.name)")
        .says("trace        4bf92f35 (field trace.id)")
        .says("http.503");
    dir()
        .run(&["why", "2024-01-02 03:04:05 ERROR [main] a.B - disk gone"])
        .ends(0)
        .says("format       logger")
        .says("level        error (at the beginning)")
        .does_not_say("trace ");
    dir().run(&["why", "all is well"]).ends(0).says("Facts\n  none");
}

#[test]
fn scan_reads_records() {
    let log = format!("{JSON}\n<11>Jan  2 03:04:05 host app[1]: No space left on device\n");
    let findings = dir().pipe(&["--format", "json"], log).ends(0).quietly().json();
    let text = |index: usize, name: &str| findings[index][name].as_str().unwrap().to_owned();
    assert_eq!(text(0, "rule"), "http.503");
    assert_eq!(text(0, "time"), "2024-01-02T03:04:05.678Z");
    assert_eq!((text(0, "level"), text(0, "trace")), ("error".into(), "4bf92f35".into()));
    assert_eq!((text(1, "level"), text(1, "logged_by")), ("error".into(), "app".into()));
    assert!(text(1, "time").contains("-01-02T03:04:05Z"), "{}", text(1, "time"));
}

#[test]
fn own_fields_are_taken_for_what_they_are() {
    let log = "{\"msg\":\"call ended\",\"upstream\":{\"rc\":503}}\n";
    let dir = dir();
    let run = |args: &[&str]| dir.pipe(&[args, &["--format", "json"]].concat(), log).ends(0).json();
    assert_eq!(run(&[]).len(), 0, "nothing says that this is a status");
    let findings = run(&["--field", "status=upstream.rc"]);
    assert_eq!(findings[0]["rule"], "http.503");
    dir.run(&["why", log, "--field", "status=upstream.rc"])
        .ends(0)
        .says("http_status  503 (field upstream.rc)");
}

#[test]
fn a_format_can_be_named() {
    let dir = dir();
    dir.run(&["why", JSON, "--input-format", "syslog"]).ends(0).does_not_say("(field log.level)");
    dir.run(&["why", JSON, "--input-format", "json"]).ends(0).says("(field log.level)");
}

#[test]
fn what_is_wrong_with_a_flag_is_told() {
    let dir = dir();
    dir.run(&["why", "x", "--input-format", "xml"])
        .ends(2)
        .complains("xml")
        .complains("logfmt")
        .complains("journald");
    dir.run(&["why", "x", "--field", "colour=a"])
        .ends(2)
        .complains("no known role")
        .complains("http_status, grpc_status");
    dir.run(&["scan", "--field", "status"]).ends(2).complains("ROLE=PATH");
}

#[test]
fn records_of_an_otlp_request_are_findings_of_their_own() {
    let dir = dir();
    let record =
        |text: &str| format!(r#"{{"severityText":"ERROR","body":{{"stringValue":"{text}"}}}}"#);
    let (full, refused) =
        (record("write: No space left on device"), record("connect ECONNREFUSED 10.0.0.5:6379"));
    let service = |name: &str| {
        format!(r#"{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{name}"}}}}]}}"#)
    };
    let log = format!(
        "fine\n{{\"resourceLogs\":[\
         {{\"resource\":{},\"scopeLogs\":[{{\"logRecords\":[{full},{},{refused}]}}]}},\
         {{\"resource\":{},\"scopeLogs\":[{{\"logRecords\":[{full}]}}]}}]}}\n{refused}\n",
        service("cart"),
        record("started"),
        service("shop"),
    );
    dir.file("a.json", &log);
    let found = dir.run(&["-f", "json", "-C", "1", "a.json"]).ends(0).json();
    let shown: Vec<_> = found
        .iter()
        .map(|one| {
            let text = one["text"].as_str().unwrap();
            let offset = one["offset"].as_u64().unwrap() as usize;
            assert!(log[offset..].starts_with(text), "{one}");
            (one["line"].as_u64().unwrap(), one["rule"].as_str().unwrap(), &one["logged_by"], text)
        })
        .collect();
    let (cart, shop, nobody) = ("cart".into(), "shop".into(), serde_json::Value::Null);
    assert_eq!(
        shown,
        [
            (2, "os.disk-full", &cart, &*full),
            (2, "net.refused", &cart, &*refused),
            (2, "os.disk-full", &shop, &*full),
            (3, "net.refused", &nobody, &*refused),
        ]
    );
    // Lines around a record are those around its line.
    for one in &found[..3] {
        assert_eq!(one["context"], serde_json::json!({ "before": ["fine"], "after": [refused] }));
    }
    // A line has one answer.
    let answers = dir.pipe(&["--filter"], &log).ends(0).json();
    let rules: Vec<_> = answers.iter().map(|answer| &answer["whyerr"]["rule"]).collect();
    assert_eq!(rules.len(), 3, "{rules:?}");
    assert!(rules[1].is_string(), "{rules:?}");
    let enriched = dir.pipe(&["--enrich"], &log).ends(0).out;
    let enriched: Vec<serde_json::Value> =
        enriched.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(enriched.len(), 2);
    assert_eq!(
        enriched[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][1]["body"]["stringValue"],
        "started"
    );
}
