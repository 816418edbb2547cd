//! What holds for every event.

use proptest::prelude::*;
use serde_json::{Value, json};
use whyerr::{Classifier, Role, Verdict};
use whyerr_logs::record::{Level, Reader, Record};
use whyerr_logs::strip_envelope;

/// The events of the cases, to be broken.
fn lines() -> Vec<&'static [u8]> {
    let files = [
        include_str!("cases/json.txt"),
        include_str!("cases/text.txt"),
        include_str!("cases/confusers.txt"),
    ];
    let lines = files.iter().flat_map(|file| file.lines());
    lines.filter_map(|line| line.strip_prefix("> ")).map(str::as_bytes).collect()
}

fn reader() -> Reader {
    let mut reader = Reader::default();
    reader.add_field("code=a.b").unwrap();
    reader
}

fn check(event: &[u8]) {
    let record = reader().read(event);
    let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= 3 * 128);
    assert!(short(&record.logged_by) && short(&record.trace) && short(&record.exception));
    assert!(record.message.as_ref().is_none_or(|text| text.len() <= 8 << 10));
    assert!(record.stack.as_ref().is_none_or(|text| text.len() <= 32 << 10));
    assert!(record.facts.len() <= 16);
    for fact in &record.facts {
        assert!(fact.value.len() <= 3 * 128 && fact.path.len() <= 3 * 160);
    }
    let message = strip_envelope(event);
    assert!(message.start <= message.end && message.end <= event.len());
}

/// Every character outside of the structure as `\uXXXX`.
fn escaped(value: &Value) -> String {
    let string = |text: &str| {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
        format!("\"{}\"", units.collect::<String>())
    };
    match value {
        Value::Object(object) => {
            let members =
                object.iter().map(|(key, value)| format!("{}:{}", string(key), escaped(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(escaped).collect::<Vec<_>>().join(","))
        }
        Value::String(text) => string(text),
        other => other.to_string(),
    }
}

/// The record of an object, by looking its fields up in the tree.
fn parse_first(value: &Value) -> Record {
    let mut record = Record::default();
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    record.message = text("/msg").map(|text| text.trim_end().to_owned());
    record.logged_by = text("/service/name");
    record.trace = text("/trace_id");
    record.stack = text("/error/stack");
    record.level = match text("/level").as_deref() {
        Some("error") => Some(Level::Error),
        Some("warn") => Some(Level::Warning),
        _ => None,
    };
    for (role, pointer) in [
        (Role::Service, "/service/name"),
        (Role::HttpStatus, "/http/status_code"),
        (Role::Code, "/error/code"),
    ] {
        let value = match value.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => continue,
        };
        let path = pointer[1..].replace('/', ".");
        record.facts.push(whyerr_logs::record::FieldFact { role, value, path });
    }
    record.format = whyerr_logs::record::Format::Json;
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(event in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&event);
    }

    #[test]
    fn bytes_that_records_are_made_of(event in "[\\[\\]{}<>()|:=,\"\\\\ \t\n\u{1b}0-9A-Zaeginmorstv.#/+*-]{0,120}") {
        check(event.as_bytes());
    }

    #[test]
    fn broken_records(
        which in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let lines = lines();
        let mut event = which.get(&lines).to_vec();
        event.insert(from.index(event.len() + 1), byte);
        event.truncate(cut.index(event.len() + 1));
        check(&event);
        let mut spliced = event.clone();
        let more: &[u8] = lines[other.index(lines.len())];
        spliced.extend_from_slice(more);
        check(&spliced);
        spliced.remove(from.index(spliced.len()));
        check(&spliced);
    }

    #[test]
    fn escaped_fields_are_read_as_after_parsing(
        message in "x[ -~é\n\t\"\\\\\u{1f600}请]{0,40}",
        service in "[a-z\"\\\\é/]{1,20}",
        trace in "[a-f1-9]{1,32}",
        stack in "[A-Za-z]\n\tat [ -~\n\"\\\\]{0,40}",
        code in "E[A-Z_\"\\\\é]{4,20}",
        level in prop::sample::select(vec!["error", "warn"]),
        status in 400..600,
        pretty in any::<bool>(),
    ) {
        let value = json!({
            "level": level,
            "msg": message,
            "service": { "name": service },
            "http": { "status_code": status },
            "error": { "code": code, "stack": stack },
            "trace_id": trace,
            "tags": ["a", 503, { "b": null }],
        });
        let mut expected = parse_first(&value);
        let plain = match pretty {
            true => serde_json::to_string_pretty(&value).unwrap(),
            false => value.to_string(),
        };
        for text in [plain, escaped(&value)] {
            let mut record = Reader::default().read(text.as_bytes());
            record.paths = Default::default();
            record.facts.sort_by_key(|fact| fact.role.as_str());
            expected.facts.sort_by_key(|fact| fact.role.as_str());
            prop_assert_eq!(&record, &expected, "{}", text);
        }
        // The same inside of a string of another object.
        let outer = json!({ "log": format!("{value}\n"), "stream": "stderr" });
        let record = Reader::default().read(escaped(&outer).as_bytes());
        prop_assert_eq!(&record.message, &expected.message);
        prop_assert_eq!(record.facts.len(), expected.facts.len());
    }
}

#[test]
fn fields_change_no_verdict_of_the_rules_own_examples() {
    let classifier = Classifier::builtin();
    let reader = Reader::default();
    let (mut read, mut changed) = (0, Vec::new());
    for rule in classifier.catalog().rules() {
        for example in rule.examples.iter().chain(&rule.counterexamples) {
            let record = reader.read(example.text.as_bytes());
            if record.facts.is_empty() {
                continue;
            }
            read += 1;
            let mut event = example.event();
            for fact in &record.facts {
                event = event.field(fact.role, fact.value.as_str(), fact.path.as_str());
            }
            let id = |verdict: Verdict| verdict.rule().map(|rule| rule.id.to_string());
            let (with, without) =
                (classifier.classify(event), classifier.classify(example.event()));
            let (with, without) = (id(with), id(without));
            if with != without {
                changed
                    .push(format!("{without:?} -> {with:?}: {} {:?}", example.text, record.facts));
            }
        }
    }
    assert!(read > 100, "only {read} examples are records");
    assert!(changed.is_empty(), "{} of {read}:\n{}", changed.len(), changed.join("\n"));
}

#[test]
fn hostile_events_take_no_time() {
    let start = std::time::Instant::now();
    for part in [
        "{\"a\":",
        "[",
        "{\"a\":[{",
        "a=\"",
        "a=b ",
        "\\",
        "[a] ",
        "ERROR ",
        "- ",
        "\u{1b}[",
        "<1>",
        "\"",
        "{\"",
        "a.a.",
        ": ",
    ] {
        for before in
            ["", "{\"msg\":\"", "2024-01-02T03:04:05Z ", "level=error ", "Jan  2 03:04:05 h a: "]
        {
            check(format!("{before}{}", part.repeat(200_000)).as_bytes());
        }
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
