//! Hostile and odd inputs: refused or classified, in bounded time, without a panic.

use std::fs;
use std::time::{Duration, Instant};

use whyerr::{Catalog, Classifier, Event, Layer, ProblemCode, Problems, Scratch};

const SLOWEST: Duration = Duration::from_secs(5);

#[track_caller]
fn quick<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    assert!(took < SLOWEST, "{what}: {took:?}");
    result
}

fn load(text: &str) -> Result<Catalog, Problems> {
    let mut builder = Catalog::builder();
    builder.with_builtin(false).text(Layer::User, "odd.yaml", text);
    builder.build()
}

const RULES: &str = r#"schema: 1
services:
  - { id: acme, name: Acme, hosts: [api.acme.dev] }
rules:
  - id: acme.full
    title: Full
    category: overloaded
    status: experimental
    match:
      - any: [ { text: "queue is full" } ]
      - any: [ { regex: '(?:aa)+ broke (\w+ )*down' } ]
      - code: [QUEUE_FULL_X]
    extract:
      limit: { type: integer, regex: 'limit (\d+)' }
    summary: s
    causes: [c]
    remedies: [ { do: wait } ]
    examples: [ { text: "the queue is full, limit 3", values: { limit: 3 } } ]
"#;

fn classifier() -> Classifier {
    Classifier::new(&load(RULES).unwrap())
}

/// The winner's id.
fn winner(classifier: &Classifier, event: &Event<'_>) -> Option<String> {
    let verdict = classifier.classify_with(event, &mut Scratch::default());
    verdict.rule().map(|rule| rule.id.to_string())
}

#[test]
fn hostile_rule_texts_are_refused_quickly() {
    // Level d of block mappings needs d spaces before it: 2800 levels fill the 4 MiB of a file.
    // Only the compact `- - - -` of one line reaches 100,000.
    let block = "- ".repeat(100_000);
    let stairs: String = (0..2800).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
    let bomb = {
        let mut text = "schema: 1\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..30 {
            let refs = vec![format!("*a{}", at - 1); 9].join(", ");
            text += &format!("a{at}: &a{at} [{refs}]\n");
        }
        text
    };
    for (what, text) in [
        ("5 MB", format!("schema: 1\nrules:\n{}", "  - { id: a.b }\n".repeat(350_000))),
        ("flow nesting", "[".repeat(100_000)),
        ("flow nesting, in a key", format!("schema: 1\nrules: {}", "[".repeat(100_000))),
        ("flow mappings", "{a: ".repeat(100_000)),
        ("closed flow nesting", "[".repeat(100_000) + &"]".repeat(100_000)),
        ("block nesting", block),
        ("stairs", stairs),
        ("question marks", "? ".repeat(100_000)),
        ("alias bomb", bomb),
        ("merge key", "schema: 1\na: { <<: { b: c } }\n".to_owned()),
        ("a million items", format!("schema: 1\nrules: [{}]\n", "1,".repeat(1_000_000))),
    ] {
        let problems = quick(what, || load(&text).unwrap_err());
        let drawn = quick(what, || problems.to_string());
        let first = problems.iter().next().unwrap();
        assert_eq!(first.code(), ProblemCode::YamlSyntax, "{what}: {:.300}", drawn);
        assert_eq!(problems.len(), 1, "{what}");
        assert!(drawn.len() < 20_000, "{what}: {} bytes drawn", drawn.len());
    }
}

#[test]
fn many_problems_are_reported_quickly() {
    let rows = "  - { id: acme.full, tittle: t }\n".repeat(2_000);
    let problems = quick("load", || load(&format!("schema: 1\nrules:\n{rows}")).unwrap_err());
    quick("draw", || problems.to_string());
}

#[test]
fn a_long_chain_of_extends_neither_overflows_nor_hangs() {
    let mut text = RULES.to_owned();
    for at in 0..2_000 {
        let parent = if at == 0 { "acme.full".into() } else { format!("acme.r{}", at - 1) };
        text += &format!(
            "  - {{ id: acme.r{at}, extends: {parent}, match: {{ any: [ {{ text: \"broke r{at}\" }} ] }} }}\n"
        );
    }
    let catalog = quick("extends", || load(&text)).unwrap();
    assert_eq!(catalog.rules().len(), 2_001);
}

/// Only the parser runs when rules load; the size is not looked at until the regex is used.
#[test]

fn regexes_past_the_size_limit_are_refused() {
    for pattern in ["queue(?:a{1000}){1000}", "queue(?:(?:(?:a{100}){100}){100}){100}"] {
        let text = RULES.replace(r"(?:aa)+ broke (\w+ )*down", pattern);
        let problems = quick(pattern, || load(&text).unwrap_err());
        assert_eq!(problems.iter().next().unwrap().code(), ProblemCode::BadRegex, "{problems}");
    }
}

#[test]
fn deeply_nested_regexes_are_refused() {
    let deep = format!("queue{}a{}", "(?:".repeat(5_000), ")".repeat(5_000));
    let text = RULES.replace(r"(?:aa)+ broke (\w+ )*down", &deep);
    let problems = quick("nested groups", || load(&text).unwrap_err());
    assert_eq!(problems.iter().next().unwrap().code(), ProblemCode::BadRegex, "{problems}");
}

#[test]
fn huge_events_are_classified_in_bounded_time() {
    let classifier = classifier();
    const SIZE: usize = 4 << 20;
    for unit in [
        "a",
        "aa broke ",
        r"\u0061",
        r#"\""#,
        r"\\",
        r"\",
        "{",
        "[{",
        "\u{1b}[31m",
        "'",
        "queue is full ",
        "queue is ful",
        "limit ",
        "<Code>",
        "api.acme.dev ",
        "api.acme.",
        "QUEUE_FULL_",
        "1",
        "\n",
        "| 1 |\n",
        "retry after ",
    ] {
        let text = unit.repeat(SIZE / unit.len());
        let event = Event::new(&*text);
        let fast = quick(unit, || winner(&classifier, &event));
        let expected = (unit == "queue is full ").then(|| "acme.full".to_owned());
        assert_eq!(fast, expected, "{unit:?}");
    }
}

/// 4 MiB of facts. 256 KiB take 1 to 3 s in a debug build, four times the text 16 times that.
#[test]

fn events_full_of_facts_are_classified_in_bounded_time() {
    let classifier = classifier();
    for unit in [r#""code":"#, r#""code": "x", "#, "Error code: 429 "] {
        for size in [256 << 10, 4 << 20] {
            let text = unit.repeat(size / unit.len());
            quick(unit, || winner(&classifier, &Event::new(&*text)));
        }
    }
}

#[test]
fn the_message_at_the_end_of_a_huge_event_is_found() {
    let classifier = classifier();
    for unit in ["a", r"\u0061", r#"\""#] {
        let text = unit.repeat((4 << 20) / unit.len()) + "\nthe queue is full, limit 7\n";
        let verdict = quick(unit, || classifier.classify(&*text));
        assert_eq!(verdict.rule().map(|rule| &*rule.id), Some("acme.full"), "{unit:?}");
        quick(unit, || {
            (verdict.summary(), verdict.remedies(), format!("{:?}", verdict.evidence()))
        });
    }
}

#[test]
fn bytes_that_are_not_utf8_nul_and_crlf_do_not_matter() {
    let classifier = classifier();
    for text in [
        &b"\xff\xfe queue is full \x80"[..],
        b"\0\0queue is full\0",
        b"x\r\nERROR the queue is full\r\n",
        b"\xef\xbb\xbfqueue is full",
        b"{\"code\": \"QUEUE_FULL_X\xff\"} QUEUE_FULL_X",
        b"{\r\n  \"code\": \"QUEUE_FULL_X\"\r\n}",
        br#"{"message": "\ud800 queue\u0020is full"}"#,
        br#"{"message": "queue is full\"#,
        br"queue is full\u00",
    ] {
        let event = Event::from_bytes(text);
        let fast = winner(&classifier, &event);
        let shown = String::from_utf8_lossy(text);
        assert_eq!(fast.as_deref(), Some("acme.full"), "{shown}");
        let slow = classifier.classify_naive(&event);
        assert_eq!(slow.rule().map(|rule| &*rule.id), Some("acme.full"), "{shown}");
    }
    for text in [&b""[..], b"\0", b"\xff", b"\r\n", b"\\", b"\\u", b"\\ud83d", b"\"", b"\x1b["] {
        assert_eq!(winner(&classifier, &Event::from_bytes(text)), None);
    }
}

#[test]
fn every_cut_of_an_event_is_classified() {
    let classifier = classifier();
    let text = "{\"a\": \"\\ud83d\\ude00 \\u8bf7 请\", \"code\": \"QUEUE_FULL_X\"}\r\n\x1b[31mqueue is full, limit 9\x1b[0m\0".as_bytes();
    for start in 0..text.len() {
        for end in start..=text.len() {
            let event = Event::from_bytes(&text[start..end]);
            let fast = winner(&classifier, &event);
            let slow = classifier.classify_naive(&event).rule().map(|rule| rule.id.to_string());
            assert_eq!(fast, slow, "{:?}", String::from_utf8_lossy(&text[start..end]));
        }
    }
}

#[test]
fn rule_texts_with_crlf_and_a_byte_order_mark_load() {
    let crlf = RULES.replace('\n', "\r\n");
    let marked = format!("\u{feff}{RULES}");
    for text in [&crlf, &marked] {
        let catalog = load(text).unwrap_or_else(|problems| panic!("{problems}"));
        let verdict = Classifier::new(&catalog).classify("the queue is full");
        assert_eq!(verdict.rule().map(|rule| &*rule.id), Some("acme.full"));
    }
    // The caret stands where it stands in the file with plain line ends.
    let wrong = |text: &str| {
        let problems = load(&text.replace("title: Full", "tittle: Full")).unwrap_err();
        let first = problems.iter().find(|p| p.code() == ProblemCode::UnknownKey).unwrap();
        problems.place(first).unwrap().to_string()
    };
    assert_eq!(wrong(RULES), "odd.yaml:6:5");
    assert_eq!(wrong(&crlf), "odd.yaml:6:5");
    assert_eq!(wrong(&marked), "odd.yaml:6:5");
}

#[test]
fn control_characters_in_rule_texts_are_refused_or_harmless() {
    for text in ["schema: 1\0\n", "schema: 1\nrules: \u{7}\n", "\0", "\u{85}"] {
        let problems = load(text).unwrap_err();
        assert!(!problems.to_string().contains(['\0', '\u{7}']), "{text:?}");
    }
    let text = RULES.replace("queue is full\" } ]", "queue \\u0000 is full\" } ]");
    let problems = load(&text).unwrap_err();
    assert_eq!(problems.iter().next().unwrap().code(), ProblemCode::BadSignature, "{problems}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = std::env::temp_dir().join(format!("whyerr-limits-{}", std::process::id()));
    fs::create_dir_all(folder.join("empty")).unwrap();
    fs::write(folder.join("latin1.yaml"), b"schema: 1 # caf\xe9\n").unwrap();
    fs::write(folder.join("large.yaml"), vec![b'#'; 5 << 20]).unwrap();
    for (name, words) in [
        ("latin1.yaml", "not UTF-8 at byte 15"),
        ("large.yaml", "larger than"),
        ("empty", "no .yaml or .yml file"),
        ("missing.yaml", "No such file"),
    ] {
        let mut builder = Catalog::builder();
        builder.with_builtin(false).path(Layer::User, folder.join(name));
        let problems = quick(name, || builder.build().unwrap_err());
        let drawn = problems.to_string();
        assert_eq!(problems.iter().next().unwrap().code(), ProblemCode::Unreadable);
        assert!(drawn.contains(name) && drawn.contains(words), "{drawn}");
    }
    fs::remove_dir_all(folder).unwrap();
}
