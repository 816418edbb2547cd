//! A secret of each kind, in a log that is reported in every way there is.

mod common;

use std::fs;

use common::{Dir, dir, run};

const RULES: &str = r#"schema: 1
rules:
  - id: acme.gone
    title: The frob is gone
    status: experimental
    category: not_found
    severity: error
    match: { any: [ { text: "the frob is gone" } ] }
    extract: { what: 'with (.+) it' }
    summary: "Gone with {what}."
    causes: [ Somebody took it. ]
    remedies: [ { do: "Bring {what} back", who: operator } ]
    examples: [ { text: "the frob is gone with all it had", values: { what: all } } ]
"#;

/// What stands before the secret, and the secret: at least six characters that stand nowhere else.
/// Prefixes that scanners of repositories look for are put together here.
const SECRETS: &[(&str, &str)] = &[
    ("openai ", concat!("s", "k-proj-q7Zt0Xw9Lk3Vb5Nm")),
    ("anthropic ", concat!("s", "k-ant-api03-w8Yt1Xq9Lk3Vb5Nm")),
    ("stripe ", concat!("s", "k_live_e9Rt2Xw8Lk4Vb6Nm")),
    ("aws ", concat!("AK", "IAQ3EGTYUIOP7LKJHG")),
    ("aws_secret_access_key=", "r1Ty3Xw9Lk3/b5NmR2Yc8Hd4Jf6Gs1Pa"),
    ("github ", concat!("gh", "p_t2Yu4Xw9Lk3Vb5NmR2Yc8Hd4Jf6Gs1PaUe")),
    ("gitlab ", concat!("gl", "pat-y3Ui5Xw9Lk3Vb5NmR2Yc")),
    ("slack ", concat!("xo", "xb-123456789012-u4Io6Xw9Lk3V")),
    ("jwt ", concat!("ey", "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.i5Op7Xw9Lk3Vb5")),
    ("Authorization: Bearer ", "o6Pa8Xw9Lk3Vb5NmR2Yc"),
    ("Authorization: Basic ", "cDdBczlYdzlMazNWYjVObQ=="),
    ("Cookie: sid=", "a8Sd0Xw9Lk"),
    ("redis://", "bob:s9Df1Xw9Lk"),
    ("postgres://", "carol:d0Fg2Xw9Lk"),
    ("GET /a?access_token=", "f1Gh3Xw9Lk3V"),
    ("GET /a?sig=", "g2Hj4Xw9Lk"),
    ("Server=db;Uid=sa;Password=", "h3Jk5Xw9"),
    ("mysql -u root -p", "j4Kl6Xw9"),
    ("tool --password ", "k5Lz7Xw9"),
    (r#"body {"password":""#, "l6Zx8 Xw9"),
    (r#"body {\"api_key\":\""#, "z7Xc9Xw9"),
    ("\u{1b}[36mpassword\u{1b}[0m=", "x8Cv0Xw9"),
    ("-----BEGIN RSA PRIVATE KEY-----", "MIIEc9Vb1Xw9Lk3Vb5NmR2Yc8Hd4Jf6Gs1PaUe"),
    ("mail to ", "v0Bn2Xw9@mail.zyxwvu"),
];

/// What closes a value, where something has to.
fn after(before: &str) -> &'static str {
    match before {
        "redis://" | "postgres://" => "@cache.internal:6379/0",
        it if it.ends_with("\\\"") => "\\\"}",
        it if it.ends_with('"') => "\"}",
        _ => "",
    }
}

fn texts() -> impl Iterator<Item = String> {
    SECRETS.iter().map(|(before, secret)| format!("{before}{secret}{}", after(before)))
}

/// Each secret in an event, in a value of the verdict, in a line before and behind an event, and in
/// a line that nothing is known of.
fn log() -> String {
    let events = texts().map(|text| {
        format!(
            "around {text}\nERROR {text} the frob is gone with {text} it had\nbehind {text}\n\
             ERROR the gizmo failed: {text}\n"
        )
    });
    events.collect()
}

#[track_caller]
fn has_none(shown: &str, what: &str) {
    for (before, secret) in SECRETS {
        // Any six characters of it are too many.
        let part = &secret[secret.len() - 6..];
        assert!(!shown.contains(part), "{what} shows `{part}` of `{before}…`:\n{shown}");
    }
}

fn prepared() -> Dir {
    let dir = dir();
    dir.file("rules.yaml", RULES);
    dir.file("a.log", log());
    let object = |text: String| {
        let text = format!("ERROR {text} the frob is gone with {text} it had");
        format!("{}\n", serde_json::json!({ "msg": text, "trace_id": text, "logger": text }))
    };
    dir.file("a.jsonl", texts().map(object).collect::<String>());
    dir
}

#[test]
fn no_output_shows_a_secret() {
    let dir = prepared();
    let outputs: &[&[&str]] = &[
        &["-f", "text"],
        &["-f", "text", "-C", "2"],
        &["-f", "text", "--no-fold"],
        &["-f", "text", "--no-fold", "-C", "2"],
        &["-f", "json"],
        &["-f", "json", "-C", "2"],
        &["-f", "summary"],
        &["-f", "summary", "--json"],
        &["-f", "sarif"],
        &["-f", "github"],
        &["-f", "junit"],
        &["-f", "otlp"],
        &["--filter"],
    ];
    for output in outputs {
        for file in ["a.log", "a.jsonl"] {
            let args = ["--no-builtin", "--rules", "rules.yaml", "scan", file];
            let done = dir.run(&[&args[..], output].concat()).ends(0);
            assert!(done.out.len() > 100, "{output:?}: {}", done.out);
            has_none(&done.out, &format!("{output:?} of {file}"));
            has_none(&done.err, &format!("the messages of {output:?}"));
        }
    }
}

#[test]
fn what_stands_beside_a_report_shows_none() {
    let dir = prepared();
    let exec = if cfg!(windows) { "more >> told" } else { "cat >> told" };
    for (at, line) in log().lines().filter(|line| line.contains("the frob")).enumerate() {
        // One by one: repeats are told once.
        let mut command = dir.cmd(&["--no-builtin", "--rules", "rules.yaml", "scan"]);
        command.args(["-f", "json", "--metrics", "why.prom", "--exec", exec]);
        run(&mut command, line.as_bytes()).ends(0);
        let told = fs::read_to_string(dir.path().join("told")).unwrap();
        assert_eq!(told.lines().count(), at + 1);
    }
    has_none(&fs::read_to_string(dir.path().join("told")).unwrap(), "--exec");
    has_none(&fs::read_to_string(dir.path().join("why.prom")).unwrap(), "--metrics");
    let coverage = ["--no-builtin", "--rules", "rules.yaml", "rules", "coverage", "a.log"];
    has_none(&dir.run(&coverage).ends(0).out, "coverage");
    has_none(&dir.run(&[&coverage[..], &["--json"]].concat()).ends(0).out, "coverage --json");
    for text in texts() {
        let text = format!("ERROR {text} the frob is gone with {text} it had");
        for json in [&[][..], &["--json"]] {
            let args = ["--no-builtin", "--rules", "rules.yaml", "why", &text];
            has_none(&dir.run(&[&args[..], json].concat()).ends(0).out, "why");
        }
        let event = serde_json::json!({ "message": text }).to_string();
        let mut command = dir.cmd(&["--no-builtin", "--rules", "rules.yaml", "classify"]);
        has_none(&run(&mut command, event.as_bytes()).ends(0).out, "classify");
    }
}

/// What marks a match cuts the text where the name of a secret ends.
#[test]
fn a_match_beside_a_secret_does_not_bare_it() {
    let dir = dir();
    let rules = RULES.replace("the frob is gone\" }", "with password=\" }").replace("it had", "");
    dir.file("rules.yaml", rules.replace("the frob is gone with", "off with password=x or with"));
    for text in
        ["gone with password=Xw9hunter it", "\u{1b}[1mgone with password=\u{1b}[0mXw9hunter it"]
    {
        let args = ["--no-builtin", "--rules", "rules.yaml", "why", text];
        let run = dir.run(&args).ends(0).says("acme.gone");
        assert!(run.out.contains("»with password=«[redacted] it"), "{}", run.out);
        assert!(!run.out.contains("Xw9"), "{}", run.out);
    }
}

/// The line is given back as it came; what is added shows nothing.
#[test]
fn what_enrich_adds_shows_none() {
    let dir = prepared();
    let args = ["--no-builtin", "--rules", "rules.yaml", "scan", "--enrich", "a.jsonl"];
    let lines = dir.run(&args).ends(0).json();
    assert_eq!(lines.len(), SECRETS.len());
    for line in lines {
        assert_eq!(line["whyerr"]["rule"], "acme.gone");
        has_none(&line["whyerr"].to_string(), "--enrich");
    }
}

#[test]
fn hosts_stay() {
    let dir = prepared();
    let args = ["--no-builtin", "--rules", "rules.yaml", "scan", "-f", "json", "a.log"];
    let found = dir.run(&args).ends(0);
    let hosts = found.out.matches("redis://[redacted]@cache.internal:6379/0 the frob").count();
    assert_eq!(hosts, 1, "{}", found.out);
}
