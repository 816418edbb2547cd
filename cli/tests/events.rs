//! `classify`, `why`, `explain`: single events and pages.

mod common;

use common::dir;

/// So that the tests of facts do not hang on what the built-in rules say of gRPC.
const GRPC_RULE: &str = "schema: 1
rules:
  - id: acme.unavailable
    title: The gRPC server is away
    status: experimental
    category: overloaded
    match:
      - grpc_status: [UNAVAILABLE]
    priority: 10
    summary: The gRPC server is away.
    causes: [ It restarts. ]
    remedies: [ { do: Wait, who: caller } ]
    examples:
      - text: \"rpc failed on the way to the ledger\"
        grpc_status: UNAVAILABLE
";

const LIMIT: &str = "openai.RateLimitError: Error code: 429 - Rate limit reached for gpt-4o. \
    Please try again in 20s.";

#[test]
fn every_event_has_its_answer_in_order() {
    let dir = dir();
    let events = [
        r#"{"text": "connect ECONNREFUSED 10.0.0.5:6379"}"#,
        r#"{"text": "all is well"}"#,
        "",
        r#"{"message": "No space left on device"}"#,
    ];
    let answers = dir.pipe(&["classify"], events.join("\n")).ends(0).quietly().json();
    let categories: Vec<_> = answers.iter().map(|a| a["category"].as_str().unwrap()).collect();
    assert_eq!(categories, ["connection_failed", "unclassified", "disk_full"]);
    assert!(answers[1]["rule"].is_null() && answers[1]["retry"].is_null());
    assert!(answers.iter().all(|answer| answer["version"] == 1));
}

#[test]
fn bad_events_are_answered_too() {
    let dir = dir();
    let events = [
        r#"{"http_status": 503}"#,
        r#"{"text": "#,
        r#"["no event"]"#,
        r#"{"http_status": 7}"#,
        r#"{"text": "x", "time": "yesterday"}"#,
        r#"{"http_status": 504}"#,
    ];
    let run = dir.pipe(&["classify"], events.join("\n")).ends(2);
    let answers = run.json();
    assert_eq!(answers.len(), events.len());
    assert_eq!(
        (&answers[0]["rule"], &answers[5]["rule"]),
        (&"http.503".into(), &"http.504".into())
    );
    for answer in &answers[1..5] {
        assert_eq!(answer["category"], "unclassified");
        assert!(!answer["error"].as_str().unwrap().is_empty());
    }
    for line in 2..=5 {
        assert!(run.err.contains(&format!("-:{line}: ")), "{}", run.err);
    }
}

#[test]
fn events_come_from_files_and_an_invalid_byte_is_no_end() {
    let dir = dir();
    dir.file("a.jsonl", b"{\"text\": \"\xff\"}\n{\"http_status\": 503}\n");
    dir.file("b.jsonl", r#"{"http_status": 504}"#);
    let run = dir
        .run(&["classify", "a.jsonl", "gone.jsonl", "b.jsonl"])
        .ends(2)
        .complains("gone.jsonl: ");
    let answers = run.json();
    assert_eq!(answers.len(), 3);
    assert_eq!(
        (&answers[1]["rule"], &answers[2]["rule"]),
        (&"http.503".into(), &"http.504".into())
    );
}

#[test]
fn every_field_of_an_event_counts() {
    let dir = dir();
    dir.file("grpc.yaml", GRPC_RULE);
    let rule_of = |event: &str| {
        let answers = dir.pipe(&["--rules", "grpc.yaml", "classify"], event).ends(0).json();
        answers[0]["rule"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(rule_of(r#"{"http_status": 503}"#), "http.503");
    assert_eq!(rule_of(r#"{"status": "503"}"#), "http.503");
    assert_eq!(rule_of(r#"{"exit_code": 137}"#), rule_of(r#"{"signal": "SIGKILL"}"#));
    assert_eq!(rule_of(r#"{"signal": 11}"#), "os.sigsegv");
    for status in [
        r#"{"grpc_status": "UNAVAILABLE"}"#,
        r#"{"grpc_status": 14}"#,
        r#"{"status": "UNAVAILABLE"}"#,
    ] {
        assert_eq!(rule_of(status), "acme.unavailable", "{status}");
    }
    assert_eq!(
        rule_of(r#"{"code": "insufficient_quota", "service": "openai"}"#),
        "openai.insufficient-quota"
    );
    assert_eq!(
        rule_of(r#"{"code": ["x", "insufficient_quota"], "service": "OpenAI"}"#),
        "openai.insufficient-quota"
    );
    assert_eq!(rule_of(r#"{"code": 11202, "service": "xfyun"}"#), "iflytek-spark.11202");
    assert_eq!(rule_of(r#"{"code": 11202}"#), "none");
    assert_eq!(
        rule_of(r#"{"code": "11203", "service": "iflytek-spark", "product": "iat"}"#),
        "iflytek-spark.iat.11203"
    );

    let event =
        r#"{"http_status": 429, "headers": {"Retry-After": 7}, "time": "2026-11-23T10:00:00Z",
        "unknown": {"field": 1}}"#
            .replace('\n', " ");
    let answer = &dir.pipe(&["classify"], event).ends(0).json()[0];
    assert_eq!(answer["retry"]["verdict"], "after");
    assert_eq!(answer["retry"]["delay_s"], 7.0);
    let date = r#"{"http_status": 429, "headers": {"retry-after": "Mon, 23 Nov 2026 10:01:00 GMT"}, "time": "2026-11-23T10:00:00Z"}"#;
    let answer = &dir.pipe(&["classify"], date).ends(0).json()[0];
    assert_eq!(answer["retry"]["delay_s"], 60.0, "{answer}");
}

#[test]
fn an_answer_comes_before_the_next_event() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;
    let dir = dir();
    for args in [&["classify"][..], &["-f", "json"], &["--no-fold"]] {
        let mut child = dir.cmd(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..3 {
            stdin.write_all(b"{\"text\": \"connect ECONNREFUSED 10.0.0.5:6379\"}\n").unwrap();
            let mut line = String::new();
            // Would hang if answers waited for the end.
            out.read_line(&mut line).unwrap();
            assert!(!line.is_empty(), "{args:?}");
        }
        drop(stdin);
        std::io::copy(&mut out, &mut std::io::sink()).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn why_shows_the_whole_reasoning() {
    let dir = dir();
    dir.run(&["why", LIMIT])
        .ends(0)
        .quietly()
        .says("Facts")
        .says("http_status  429")
        .says("Rules that matched")
        .says("wins")
        .says("http.429")
        .says("Verdict")
        .says("retry after 20 s");
    dir.pipe(&["why", "-"], format!("{LIMIT}\n")).ends(0).says("retry after 20 s");
    dir.run(&["why", "all is well"])
        .ends(0)
        .says("none: unclassified")
        .says("unclassified: no rule");
}

#[test]
fn why_answers_for_a_rule() {
    let dir = dir();
    let lost = "it matches, but loses to the winner by tier";
    dir.run(&["why", LIMIT, "--rule", "http.429"]).ends(0).says("Why not http.429").says(lost);
    dir.run(&["why", LIMIT, "--rule", "generic.rate-limited"]).ends(0).says("supersedes it");
    dir.run(&["why", "connect ECONNREFUSED", "--rule", "http.429"])
        .ends(0)
        .says("Why not http.429")
        .says("http_status");
    dir.run(&["why", "connect ECONNREFUSED", "--rule", "net.refused"]).ends(0).says("it won");
    dir.run(&["why", LIMIT, "--rule", "no.such-rule"]).ends(2).complains("no rule `no.such-rule`");
}

#[test]
fn why_takes_facts_as_flags() {
    let dir = dir();
    dir.file("grpc.yaml", GRPC_RULE);
    let rule = |args: &[&str]| {
        let args = [&["--rules", "grpc.yaml", "why", "", "--json"], args].concat();
        dir.run(&args).ends(0).json()[0]["rule"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(rule(&["--http-status", "503"]), "http.503");
    assert_eq!(rule(&["--signal", "SIGSEGV"]), "os.sigsegv");
    assert_eq!(rule(&["--exit-code", "139"]), "os.sigsegv");
    assert_eq!(rule(&["--grpc-status", "unavailable"]), "acme.unavailable");
    assert_eq!(rule(&["--grpc-status", "14"]), "acme.unavailable");
    assert_eq!(rule(&["--code", "11202", "--service", "xfyun"]), "iflytek-spark.11202");
    assert_eq!(
        rule(&["--code", "11203", "--service", "xfyun", "--product", "iat"]),
        "iflytek-spark.iat.11203"
    );
    let verdict = dir
        .run(&["why", "--json", "", "--http-status", "429", "--header", "Retry-After: 9"])
        .ends(0)
        .json();
    assert_eq!(verdict[0]["retry"]["delay_s"], 9.0);
    dir.run(&["why", "", "--header", "no colon"]).ends(2).complains("Name: value");
    dir.run(&["why"]).ends(2);
}

#[test]
fn explain_knows_statuses_codes_categories_rules_and_services() {
    let dir = dir();
    let page = dir.run(&["explain", "429"]).ends(0).quietly();
    for section in [
        "What it means",
        "Likely causes",
        "What to do, in this order",
        "Is a retry worth it?",
        "Is it only me, or everyone?",
        "Often confused with",
        "References",
    ] {
        assert!(page.out.contains(section), "no {section}: {}", page.out);
    }
    page.says("http.429");
    dir.run(&["explain", "rate_limited"]).ends(0).says("rate_limited");
    dir.run(&["explain", "net.refused"]).ends(0).says("Connection refused");
    dir.run(&["explain", "insufficient_quota"]).ends(0).says("quota_exhausted");
    dir.run(&["explain", "openai"]).ends(0).says("OpenAI").says("https://");
    dir.run(&["explain", "讯飞星火"]).ends(0).says("iFlytek Spark");
    dir.run(&["explain", "bad-id"]).ends(0).says("bad-id");
    dir.run(&["explain", "11202", "--service", "iflytek-spark"])
        .ends(0)
        .says("iflytek-spark.11202");
}

#[test]
fn explain_for_a_service_has_its_own_rules_first() {
    let page = dir().run(&["explain", "429", "--service", "iflytek-spark"]).ends(0);
    let heading = page.out.lines().next().unwrap();
    assert!(heading.contains("iFlytek Spark"), "{heading}");
    assert!(page.out.lines().nth(1).unwrap().contains("rate_limited"), "{}", page.out);
    assert!(!page.out.contains("{service"), "{}", page.out);
    page.says("11202");
}

#[test]
fn explain_says_what_it_does_not_know() {
    let dir = dir();
    dir.run(&["explain", "no-such-thing"]).ends(2).complains("nothing is known of `no-such-thing`");
    dir.run(&["explain", "429", "--service", "nobody"]).ends(2).complains("nobody");
    dir.run(&["explain"]).ends(2);
}
