//! `rules`, `--rules`, configuration, and what clap makes.

mod common;

use common::{dir, run};

/// A rule as a company would write it.
fn rule(id: &str, phrase: &str, category: &str) -> String {
    format!(
        "schema: 1
rules:
  - id: {id}
    title: The billing batch was refused
    status: experimental
    category: {category}
    match:
      - any: [ {{ text: \"{phrase}\" }} ]
    summary: The billing batch did not get through.
    causes: [ The ledger is closed for the month. ]
    remedies:
      - do: Ask the billing team to open the ledger
        who: account
    examples:
      - text: \"2026-11-23 ERROR billing: {phrase}, batch 17 of 20\"
"
    )
}

const PHRASE: &str = "ledger is closed for this batch";

#[test]
fn the_built_in_rules_have_no_errors() {
    dir().run(&["rules", "check"]).ends(0).says(" rules, ").says(" services: ");
}

#[test]
fn good_rules_pass_check_and_test() {
    let dir = dir();
    dir.file("own/a.yaml", rule("acme.ledger-closed", PHRASE, "conflict"));
    dir.run(&["--rules", "own", "rules", "check"]).ends(0).says("rules");
    dir.run(&["--rules", "own/a.yaml", "rules", "test", "--group", "acme."])
        .ends(0)
        .says("1 rules, 1 examples: 1 passed, 0 failed");
}

#[test]
fn a_failed_example_is_shown_and_ends_with_1() {
    let dir = dir();
    let text =
        rule("acme.ledger-closed", PHRASE, "conflict") + "      - text: something else happened\n";
    dir.file("a.yaml", text);
    dir.run(&["--rules", "a.yaml", "rules", "test", "--group", "acme."])
        .ends(1)
        .says("FAILED acme.ledger-closed")
        .says("something else happened")
        .says("1 passed, 1 failed");
}

#[test]
fn bad_rules_are_shown_with_their_place() {
    let dir = dir();
    let good = rule("acme.ledger-closed", PHRASE, "conflict");
    let cases = [
        (good.replace("conflict", "conflicting"), "a.yaml:6:15", "conflicting"),
        (good.replace("acme.ledger-closed", "Acme Ledger"), "a.yaml:3:9", "Acme Ledger"),
        (good.replace("    causes:", "    reasons:"), "a.yaml:10:5", "reasons"),
        (good.replace("schema: 1", "schema: 99"), "a.yaml:1:9", "schema"),
        ("schema: 1\nrules: [ {\n".to_owned(), "a.yaml:", ""),
    ];
    for (text, place, part) in cases {
        dir.file("a.yaml", &text);
        for args in
            [&["rules", "check"][..], &["rules", "list"], &["why", "x"], &["scan", "a.yaml"]]
        {
            let args = [&["--rules", "a.yaml"], args].concat();
            let run = dir.run(&args).ends(2).complains("error[").complains(place).complains(part);
            assert!(run.err.contains('^'), "no caret: {}", run.err);
            assert!(run.err.contains("no rules were loaded"), "{}", run.err);
            assert_eq!(run.out, "");
        }
    }
    dir.run(&["--rules", "gone.yaml", "rules", "check"]).ends(2).complains("gone.yaml");
    dir.run(&["--rules", "nobody=a.yaml", "rules", "check"]).ends(2).complains("not a layer");
    dir.run(&["--rules", "builtin=a.yaml", "rules", "check"]).ends(2).complains("built-in layer");
}

#[test]
fn warnings_fail_only_when_denied() {
    let dir = dir();
    // A stable rule owes two examples, a counterexample and a reference.
    let text = rule("acme.ledger-closed", PHRASE, "conflict").replace("experimental", "stable");
    dir.file("a.yaml", text);
    let lax = dir.run(&["--rules", "a.yaml", "rules", "check"]);
    if lax.err.contains("error[") {
        lax.ends(2);
    } else {
        lax.ends(0).complains("warning[");
    }
    dir.run(&["--rules", "a.yaml", "rules", "check", "--deny-warnings"])
        .ends(2)
        .complains("a.yaml:");
}

#[test]
fn the_list_can_be_narrowed() {
    let dir = dir();
    let rows = dir.run(&["rules", "list", "--json"]).ends(0).quietly().json();
    assert!(rows.len() > 100);
    for field in [
        "id", "title", "category", "severity", "status", "who", "service", "retry", "layer", "file",
    ] {
        assert!(rows.iter().all(|row| row.get(field).is_some()), "{field}");
    }
    let ids = |args: &[&str]| -> Vec<String> {
        let args = [&["rules", "list", "--json"], args].concat();
        let rows = dir.run(&args).ends(0).json();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let http = ids(&["--group", "http."]);
    assert!(http.len() > 20 && http.iter().all(|id| id.starts_with("http.")));
    let own = ids(&["--service", "xfyun"]);
    assert!(
        own.contains(&"iflytek-spark.11202".to_owned()) && !own.contains(&"http.429".to_owned())
    );
    let disk = ids(&["--category", "disk_full"]);
    assert!(disk.contains(&"http.507".to_owned()) && !disk.contains(&"http.429".to_owned()));
    dir.run(&["rules", "list", "--category", "nonsense"]).ends(2).complains("nonsense");
    dir.run(&["rules", "list", "--service", "nobody"]).ends(2).complains("nobody");
    dir.run(&["rules", "list", "--group", "http.429"]).ends(0).says("Too Many Requests");
}

#[test]
fn a_rule_is_shown_with_who_set_what() {
    let dir = dir();
    dir.run(&["rules", "show", "http.429"]).ends(0).says("rate_limited").says("defined in");
    dir.file(
        "org.yaml",
        "schema: 1\npatch:\n  - target: http.429\n    reason: ours\n    set: { severity: critical }\n",
    );
    dir.run(&["--rules", "organisation=org.yaml", "rules", "show", "http.429", "--provenance"])
        .ends(0)
        .says("Set by")
        .says("critical")
        .says("org.yaml:5");
    dir.run(&["rules", "show", "no.such"]).ends(2).complains("no.such");
}

#[test]
fn rules_are_measured_on_labelled_records() {
    let dir = dir();
    dir.file(
        "records.jsonl",
        r#"{"id": "1", "text": "connect ECONNREFUSED 10.0.0.5:6379", "category": "connection_failed", "retryable": true, "domain": "cache"}
{"id": "2", "text": "No space left on device", "category": "crash", "alt": ["timeout"], "domain": "disk"}
"#,
    );
    dir.file("benign.jsonl", "{\"id\": \"b\", \"text\": \"0 failed\"}\n");
    let args = ["rules", "eval", "records.jsonl", "--benign", "benign.jsonl"];
    dir.run(&args)
        .ends(0)
        .says("lenient accuracy")
        .says("50.0 %   1 of 2")
        .says("100.0 %   1 of 1")
        .says("2 crash → disk_full")
        .says("disk                  1     0 %      0 %        0 %      -")
        .says("cache                 1   100 %    100 %      100 %  100 %");
    let scores = &dir.run(&[&args[..], &["--json"]].concat()).ends(0).json()[0];
    assert_eq!((&scores["records"], &scores["lenient"]), (&2.into(), &1.into()));
    assert_eq!((&scores["benign"], &scores["benign_with_verdict"]), (&1.into(), &0.into()));
    assert_eq!(scores["confusion"]["crash"]["disk_full"], 1);
    assert_eq!(scores["by_domain"]["cache"]["strict"], 1);
    assert_eq!(scores["by_domain"]["disk"]["strict"], 0);
    dir.run(&["rules", "eval", "gone.jsonl"]).ends(2).complains("gone.jsonl");
    dir.file("bad.jsonl", "{\"text\": 1}\n");
    dir.run(&["rules", "eval", "bad.jsonl"]).ends(2).complains("bad.jsonl:1");
    dir.file("slip.jsonl", "{\"text\": \"a\", \"category\": \"time_out\"}\n");
    dir.run(&["rules", "eval", "slip.jsonl"]).ends(2).complains("record 1").complains("time_out");
    dir.file("bare.jsonl", "{\"text\": \"a\"}\n");
    dir.run(&["rules", "eval", "bare.jsonl"]).ends(2).complains("--benign");
    dir.run(&["rules", "eval"]).ends(2);
}

#[test]
fn layers_decide_among_equals() {
    let dir = dir();
    dir.file("vendor/a.yaml", rule("vendor.ledger", PHRASE, "conflict"));
    dir.file("user/a.yaml", rule("user.ledger", PHRASE, "maintenance"));
    let line = format!("ERROR {PHRASE}");
    let winner = |args: &[&str]| {
        let args = [args, &["-f", "json"]].concat();
        dir.pipe(&args, &line).ends(0).json()[0]["rule"].as_str().unwrap().to_owned()
    };
    assert_eq!(winner(&["--rules", "vendor=vendor"]), "vendor.ledger");
    assert_eq!(winner(&["--rules", "vendor=vendor", "--rules", "user"]), "user.ledger");
    assert_eq!(winner(&["--rules", "user=user", "--rules", "vendor=vendor"]), "user.ledger");
    assert_eq!(
        winner(&["--rules", "organisation=vendor", "--rules", "vendor=user"]),
        "vendor.ledger"
    );
    let run = dir.pipe(&["-f", "json"], &line).ends(0);
    assert_eq!(run.out, "");
}

#[test]
fn rules_can_stand_alone() {
    let dir = dir();
    dir.file("a.yaml", rule("acme.ledger-closed", PHRASE, "conflict"));
    let args = ["--no-builtin", "--rules", "a.yaml"];
    let rows = dir.run(&[&args[..], &["rules", "list", "--json"]].concat()).ends(0).json();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["id"], &rows[0]["layer"]), (&"acme.ledger-closed".into(), &"user".into()));
    let log = format!("HTTP 503 Service Unavailable\nERROR {PHRASE}\n");
    let found = dir.pipe(&[&args[..], &["-f", "json"]].concat(), log).ends(0).json();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["line"], 2);
}

#[test]
fn the_configuration_adds_rules() {
    let dir = dir();
    dir.file("etc/own/a.yaml", rule("acme.ledger-closed", PHRASE, "conflict"));
    let config = dir.file("etc/whyerr.yaml", "rules: [ organisation=own ]\n");
    let config = config.to_str().unwrap();
    let line = format!("ERROR {PHRASE}\n");
    let scan = |command: &mut std::process::Command| run(command, line.as_bytes());
    scan(&mut dir.bare(&["--config", config])).ends(0).says("[acme.ledger-closed]");
    scan(dir.bare(&[]).env("WHYERR_CONFIG", config)).ends(0).says("[acme.ledger-closed]");
    scan(&mut dir.cmd(&[])).ends(0).says("nothing found");

    dir.file("home/whyerr/config.yaml", "rules: [ ../../etc/own/a.yaml ]\nno_builtin: true\n");
    let home = format!("{}/../home", config.rsplit_once('/').unwrap().0);
    scan(dir.bare(&[]).env("XDG_CONFIG_HOME", &home)).ends(0).says("[acme.ledger-closed]");
    let rows = run(dir.bare(&["rules", "list", "--json"]).env("XDG_CONFIG_HOME", &home), b"")
        .ends(0)
        .json();
    assert_eq!(rows.len(), 1);

    let bad = dir.file("bad.yaml", "rulez: [ x ]\n");
    scan(&mut dir.bare(&["--config", bad.to_str().unwrap()]))
        .ends(2)
        .complains("rulez")
        .complains("bad.yaml");
    scan(&mut dir.bare(&["--config", "gone.yaml"])).ends(2).complains("gone.yaml");
}

#[test]
fn completions_and_the_man_page_are_made() {
    let dir = dir();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        dir.run(&["completions", shell]).ends(0).quietly().says("whyerr").says("fail-on");
    }
    dir.run(&["man"]).ends(0).quietly().says(".TH whyerr").says("Exit codes");
    dir.run(&["completions", "nonsense"]).ends(2);
}

#[test]
fn usage() {
    let dir = dir();
    dir.run(&["--help"]).ends(0).says("Usage: whyerr").says("Exit codes");
    dir.run(&["--version"]).ends(0).says("whyerr ");
    dir.run(&["scan", "--help"]).ends(0).says("--fail-on");
    dir.run(&["--no-such-flag"]).ends(2).complains("--no-such-flag");
    dir.run(&["scan", "--no-such-flag"]).ends(2).complains("--no-such-flag");
    dir.run(&["rules"]).ends(2);
    // A file may be called like a command.
    dir.file("why", "No space left on device\n");
    dir.run(&["scan", "why"]).ends(0).says("why:1");
    dir.run(&["--", "why"]).ends(0).says("why:1");
    let both = run(&mut dir.bare(&["--no-config", "--config", "x", "rules", "list"]), b"");
    both.ends(2);
}
