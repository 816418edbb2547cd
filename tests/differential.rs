//! The fast engine against the oracle, on generated rules and texts.
//!
//! Small alphabets, so that overlaps, case folds, escapes and near misses happen all the time.

use proptest::prelude::*;
use whyerr::scan::Scanner;
use whyerr::{Catalog, Classifier, Event, Layer, Scratch};

/// Pieces that signatures and texts are made of: whatever joins them may or may not match.
const PIECES: &[&str] = &[
    "abc",
    "ABC",
    "abcabc",
    "bca",
    "quota",
    "Quota exceeded",
    "exceeded",
    "timed out",
    "请求",
    "请求失败",
    "失败",
    "error",
    "x",
    " ",
    "-",
    "_",
    ".",
    "429",
    "503",
    "4290",
    "insufficient_quota",
    "SlowDownNow",
    "ECONNRESET",
    "n't",
    "isn't up",
];
/// What texts hold besides.
const NOISE: &[&str] = &[
    "\\nabcabc",
    "\\tQuota",
    "\"",
    "\\\"",
    "\\\\\"",
    "\\n",
    "\\u0061",
    "\\u8bf7",
    "\\u8BF7",
    "\\/",
    "isn\\'t up",
    "n\\\\'t",
    "isn\\\\\\'t up",
    "\u{1b}[31m",
    "\u{1b}[0m",
    "\n",
    "\r\n",
    "\0",
    "\t",
    "{\"code\": 429}",
    "\"code\":\"insufficient_quota\"",
    "code=7",
    "Error code: 429 -",
    "status=503 ",
    "HTTP/1.1\" 502 ",
    "exit code 137",
    "rpc error: code = Unavailable desc = x",
    "signal: 9",
    "| 4290 | x",
    "api.acme.test",
    "try again in 20s",
    "\nCaused by: a.BException: ",
    "\\nCaused by: a.BException: ",
    " ---> C.DException: ",
    "Caused by:\n    0: ",
    "\nTraceback (most recent call last):\n  File\n",
    "\nDuring handling of the above exception, another exception occurred:\n",
    "é",
    "\u{212a}",
    "ſ",
];

fn piece() -> impl Strategy<Value = String> {
    prop::sample::select(PIECES).prop_map(str::to_owned)
}

fn phrase() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 1..4).prop_map(|pieces| pieces.concat())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn signature() -> impl Strategy<Value = String> {
    let case = prop::bool::weighted(0.2)
        .prop_map(|sensitive| if sensitive { ", case: sensitive" } else { "" });
    let kind = prop::sample::select(vec!["text", "word"]);
    let literal = (kind, phrase(), case).prop_map(|(kind, text, case)| {
        format!("{{ {kind}: {}{case} }}", quoted(&format!("{text}abc")))
    });
    let regex = (phrase(), piece()).prop_map(|(a, b)| {
        let (a, b) = (regex_escape(&a), regex_escape(&b));
        format!("{{ regex: {} }}", quoted(&format!("(?:{a}|{b}abc)?quota[ _]?\\w*{b}?")))
    });
    prop_oneof![3 => literal, 1 => regex]
}

fn regex_escape(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_alphanumeric() || c == ' ' { c.to_string() } else { format!("\\{c}") })
        .collect()
}

fn list(items: Vec<String>) -> String {
    format!("[{}]", items.join(", "))
}

fn block() -> impl Strategy<Value = String> {
    let signatures = || prop::collection::vec(signature(), 1..3).prop_map(list);
    let condition = prop_oneof![
        4 => signatures().prop_map(|list| format!("any: {list}")),
        2 => signatures().prop_map(|list| format!("all: {list}")),
        2 => prop::sample::select(vec![
            "code: [insufficient_quota]", "code: [SlowDownNow, slow]", "code: [ECONNRESET]",
            "http_status: [429]", "http_status: [\"5xx\", 404]", "exit_code: [137]", "signal: [SIGKILL]",
            "grpc_status: [UNAVAILABLE]", "when: { service: [acme] }, code: [4290, 7]",
        ]).prop_map(str::to_owned),
    ];
    (
        condition,
        prop::option::weighted(0.3, signatures()),
        prop::option::weighted(0.2, signatures()),
        // Common words are left to another kind, or to the marks of the gate's service.
        prop::sample::select(vec![
            "",
            "",
            "http_status: [503]",
            "exit_code: [137]",
            "code: [slow, 7]",
        ]),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(condition, none, all, fact, gated)| {
            let mut parts = vec![condition];
            let kind = fact.split(':').next().unwrap_or_default();
            if !fact.is_empty() && !parts[0].contains(kind) {
                parts.push(fact.to_owned());
            }
            if (gated || fact.starts_with("code")) && !parts[0].contains("when") {
                parts.push("when: { service: [acme] }".to_owned());
            }
            parts.extend(none.map(|list| format!("none: {list}")));
            if !parts[0].starts_with("all") {
                parts.extend(all.map(|list| format!("all: {list}")));
            }
            format!("{{ {} }}", parts.join(", "))
        })
}

fn rule() -> impl Strategy<Value = String> {
    (
        prop::collection::vec(block(), 1..3).prop_map(list),
        prop::option::weighted(0.4, signature()),
        prop::sample::select(vec!["timeout", "rate_limited", "crash"]),
        prop::sample::select(vec!["", ", service: acme", ", fallback: true", ", priority: 1", ", status: shadow"]),
    )
        .prop_map(|(blocks, corroborate, category, more)| {
            let corroborate = corroborate
                .map(|signature| format!(", corroborate: {{ any: [{signature}], http_status: [503] }}"))
                .unwrap_or_default();
            format!(
                "title: t, category: {category}, match: {blocks}{corroborate}{more}, summary: s, causes: [c], \
                 remedies: [{{ do: d }}], extract: {{ n: {{ type: integer, regex: 'code: (\\d+)' }} }}"
            )
        })
}

fn catalog_text(rules: &[String], order: &[usize]) -> String {
    let mut text = String::from(
        "schema: 1\nservices:\n  - { id: acme, name: Acme, hosts: [api.acme.test], hints: [{ word: acme }] }\nrules:\n",
    );
    for &at in order {
        text.push_str(&format!("  - {{ id: t.r{at}, {} }}\n", rules[at]));
    }
    text
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        5 => prop::sample::select(PIECES).prop_map(|text| text.as_bytes().to_vec()),
        4 => prop::sample::select(NOISE).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
}

/// Rules that the loader refuses (a signature without a literal, say) are not this test's matter.
fn build(text: &str) -> Option<Classifier> {
    let mut builder = Catalog::builder();
    builder.with_builtin(false).text(Layer::User, "generated.yaml", text);
    builder.build().ok().map(|catalog| Classifier::new(&catalog))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn engines_agree(
        rules in prop::collection::vec(rule(), 1..6),
        texts in prop::collection::vec(text(), 1..8),
        status in prop::option::weighted(0.2, 400u16..600),
        code in prop::option::weighted(0.2, prop::sample::select(vec!["SLOWDOWNNOW", "7"])),
        service in prop::option::weighted(0.2, prop::sample::select(vec!["acme", "other"])),
    ) {
        let order: Vec<usize> = (0..rules.len()).collect();
        let classifier = build(&catalog_text(&rules, &order));
        prop_assume!(classifier.is_some());
        let classifier = classifier.unwrap();
        let mut scratch = Scratch::default();
        for text in &texts {
            let mut event = Event::from_bytes(text.as_slice());
            if let Some(status) = status { event = event.http_status(status); }
            if let Some(code) = code { event = event.code(code); }
            if let Some(service) = service { event = event.service(service); }
            let naive = classifier.classify_naive(&event);
            prop_assert_eq!(&classifier.classify_with(&event, &mut scratch), &naive);
        }
    }

    #[test]
    fn scanning_a_chunk_equals_classifying_its_lines(
        rules in prop::collection::vec(rule(), 1..5),
        texts in prop::collection::vec(text(), 1..12),
        // Moves the lines against the filter's samples and the ends of its blocks.
        filler in prop_oneof![0usize..40, 8100usize..8200, 16300usize..16400],
    ) {
        let order: Vec<usize> = (0..rules.len()).collect();
        let classifier = build(&catalog_text(&rules, &order));
        prop_assume!(classifier.is_some());
        let classifier = classifier.unwrap();
        let mut chunk = vec![b'.'; filler];
        chunk.push(b'\n');
        chunk.extend(texts.join(&b"\n"[..]));
        let mut wanted = Vec::new();
        for line in chunk.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let verdict = classifier.classify_naive(&Event::from_bytes(line));
            if verdict.is_classified() {
                wanted.push((line.to_vec(), verdict));
            }
        }
        let scanners = [Scanner::new(&classifier), Scanner::with_sample(&classifier, &chunk)];
        for scanner in scanners {
            let mut found = Vec::new();
            scanner.scan(&chunk, &mut Scratch::default(), |finding| {
                found.push((chunk[finding.range].to_vec(), finding.verdict));
            });
            prop_assert_eq!(&found, &wanted);
        }
    }

    #[test]
    fn the_order_of_rules_does_not_matter(
        rules in prop::collection::vec(rule(), 2..6),
        texts in prop::collection::vec(text(), 1..6),
        seed in any::<u64>(),
    ) {
        let order: Vec<usize> = (0..rules.len()).collect();
        let mut shuffled = order.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, (seed as usize).wrapping_mul(at * 2 + 1) % (at + 1));
        }
        let first = build(&catalog_text(&rules, &order));
        prop_assume!(first.is_some());
        let (first, second) = (first.unwrap(), build(&catalog_text(&rules, &shuffled)).unwrap());
        for text in &texts {
            let event = Event::from_bytes(text.as_slice());
            let (a, b) = (first.classify(event.clone()), second.classify(event));
            prop_assert_eq!(a.rule().map(|r| &r.id), b.rule().map(|r| &r.id));
            prop_assert_eq!(a.decided_by(), b.decided_by());
            prop_assert_eq!(a.evidence(), b.evidence());
        }
    }
}

#[test]
fn the_builtin_pack_gives_the_oracles_verdicts() {
    let classifier = Classifier::builtin();
    let mut scratch = Scratch::default();
    let mut events = 0;
    // The oracle asks thousands of rules for each event: a part of them is enough of a wait.
    for rule in classifier.catalog().rules().step_by(6) {
        for example in rule.examples.iter().chain(&rule.counterexamples).take(2) {
            let event = example.event();
            let naive = classifier.classify_naive(&event);
            assert_eq!(classifier.classify_with(&event, &mut scratch), naive, "{}", example.text);
            events += 1;
        }
    }
    assert!(events > 500);
}

/// Every example's lines in one log, at every distance from the filter's samples.
#[test]
fn the_filter_loses_no_line_of_the_builtin_examples() {
    let classifier = Classifier::builtin();
    let mut scratch = Scratch::default();
    let mut log = Vec::new();
    for rule in classifier.catalog().rules() {
        for example in rule.examples.iter().chain(&rule.counterexamples) {
            log.extend_from_slice(example.text.trim().as_bytes());
            log.push(b'\n');
        }
    }
    let mut wanted = Vec::new();
    for line in log.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let verdict = classifier.classify_with(&Event::from_bytes(line), &mut scratch);
        wanted.extend(verdict.rule().map(|rule| (line.to_vec(), rule.id.clone())));
    }
    assert!(wanted.len() > 500);
    let scanner = Scanner::with_sample(classifier, &log);
    for shift in 0..8 {
        let mut found = Vec::new();
        scanner.scan(&log, &mut scratch, |finding| {
            let rule = finding.verdict.rule().map(|rule| rule.id.clone()).unwrap();
            found.push((log[finding.range].to_vec(), rule));
        });
        assert_eq!(found.len(), wanted.len(), "shifted by {shift}");
        assert!(found == wanted, "shifted by {shift}");
        log.insert(0, b'\n');
    }
}
