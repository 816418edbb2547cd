//! SARIF 2.1.0: one run, the rules that fired, one result for each rule, service and text.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use whyerr::{Catalog, Rule, Severity, explain};

use super::json::value_of;
use super::shortfall::{self, Shortfall};
use super::sink::{Finding, Sink, State};
use crate::fold::{self, Fold, TextEntry};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Default)]
pub struct Report {
    fold: Fold,
}

impl Sink for Report {
    fn finding(&mut self, finding: &Finding<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.fold.add(finding);
        Ok(())
    }

    /// Written piece by piece: the report is never in memory as a whole.
    fn finish(&mut self, state: &State<'_>, out: &mut dyn Write) -> io::Result<()> {
        // In the order of their ids: two reports can be compared.
        let mut rules: BTreeMap<&str, &Rule> = BTreeMap::new();
        for group in &self.fold.groups {
            if let Some(rule) = group.verdict.rule() {
                rules.insert(&rule.id, rule);
            }
        }
        let index: BTreeMap<&str, usize> =
            rules.keys().enumerate().map(|(at, id)| (*id, at)).collect();
        write!(
            out,
            "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":\
             {{\"name\":\"whyerr\",\"version\":\"{0}\",\"semanticVersion\":\"{0}\",\"rules\":",
            env!("CARGO_PKG_VERSION"),
        )?;
        list(out, rules.values().map(|rule| descriptor(rule, state.catalog)))?;
        write!(out, "}}}},\"invocations\":[")?;
        value_of(out, &invocation(&self.fold, state))?;
        write!(out, "],\"results\":")?;
        let results = self.fold.groups.iter().flat_map(|group| {
            let index = &index;
            group.texts.iter().filter_map(move |text| result(text, index, state.names))
        });
        list(out, results)?;
        writeln!(out, "}}]}}")
    }
}

fn list(out: &mut dyn Write, values: impl Iterator<Item = Value>) -> io::Result<()> {
    let mut before = "[";
    for value in values {
        writeln!(out, "{before}")?;
        value_of(out, &value)?;
        before = ",";
    }
    write!(out, "{}", if before == "[" { "[]" } else { "\n]" })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        _ => "error",
    }
}

/// What a rule says of itself, without the values of an event.
fn descriptor(rule: &Rule, catalog: &Catalog) -> Value {
    let service = rule.service.as_deref().and_then(|id| catalog.service(id));
    let title = explain::fill(&rule.title, service).unwrap_or_else(|| rule.title.to_string());
    let summary = explain::fill_first(&rule.summary, service).unwrap_or_else(|| title.clone());
    let steps: Vec<String> = rule
        .remedies
        .iter()
        .filter_map(|remedy| {
            let step = explain::fill_first(&remedy.text, service)?;
            Some(format!("{step} ({})", remedy.who))
        })
        .collect();
    let numbered = |escape: fn(&str) -> String| {
        let lines = steps.iter().enumerate();
        lines.map(|(at, step)| format!("\n{}. {}", at + 1, escape(step))).collect::<String>()
    };
    let mut value = json!({
        "id": rule.id,
        "name": pascal_case(&rule.id),
        "shortDescription": { "text": title },
        "fullDescription": { "text": summary },
        "help": {
            "text": format!("{summary}\nWhat to do:{}", numbered(str::to_owned)),
            "markdown": format!("{}\n\n**What to do**\n{}", markdown(&summary), numbered(markdown)),
        },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": [rule.category, rule.who], "problem.severity": match rule.severity {
            Severity::Info => "recommendation",
            Severity::Warning => "warning",
            _ => "error",
        } },
    });
    if let Some(reference) = rule.references.first() {
        value["helpUri"] = json!(reference.url);
    }
    value
}

/// `net.dns-failure` as `NetDnsFailure`.
fn pascal_case(id: &str) -> String {
    let words = id.split(|c: char| !c.is_alphanumeric());
    words
        .filter_map(|word| {
            let first = word.chars().next()?;
            Some(format!("{}{}", first.to_uppercase(), &word[first.len_utf8()..]))
        })
        .collect()
}

/// Characters that Markdown reads are escaped; links stay links.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn result(text: &TextEntry, index: &BTreeMap<&str, usize>, names: &[String]) -> Option<Value> {
    let verdict = &text.verdict;
    let rule = verdict.rule()?;
    let place = &text.first;
    let title = verdict.title()?;
    let message = match verdict.summary() {
        Some(summary) => format!("{title}. {summary}"),
        None => title,
    };
    let print = fingerprint(&rule.id, &fold::normalize(text.example.as_bytes()));
    let name = names.get(place.source).map_or("-", String::as_str);
    let mut properties = json!({ "category": rule.category, "who": rule.who });
    properties["retry"] = json!(verdict.retry().verdict.as_str());
    if let Some(service) = verdict.service() {
        properties["service"] = json!(service.id);
    }
    let mut region = json!({
        "startLine": place.line,
        "endLine": place.line + place.more_lines,
        "snippet": { "text": text.example },
    });
    // Bytes are those of the file, or nobody's.
    if !place.decoded {
        region["byteOffset"] = json!(place.offset);
        region["byteLength"] = json!(place.bytes);
    }
    let mut value = json!({
        "ruleId": rule.id,
        "ruleIndex": index.get(&*rule.id)?,
        "level": level(rule.severity),
        "message": { "text": message },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(name) },
                "region": region,
            },
        }],
        // The second is the one that GitHub reads.
        "partialFingerprints": { "whyerr/v1": print, "primaryLocationLineHash": print },
        "occurrenceCount": text.count,
        "properties": properties,
    });
    if text.first != text.last {
        let last = &text.last;
        let name = names.get(last.source).map_or("-", String::as_str);
        value["relatedLocations"] = json!([{
            "message": { "text": "the last one" },
            "physicalLocation": {
                "artifactLocation": { "uri": uri(name) },
                "region": { "startLine": last.line, "endLine": last.line + last.more_lines },
            },
        }]);
    }
    Some(value)
}

fn invocation(fold: &Fold, state: &State<'_>) -> Value {
    let totals = state.totals;
    let mut notes: Vec<Value> = Vec::new();
    for fault in state.faults {
        let name = state.names.get(fault.source).map_or("-", String::as_str);
        notes.push(json!({
            "level": "error",
            "message": { "text": format!("cannot be read: {}", fault.message) },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(name) } } }],
        }));
    }
    let missing = shortfall::unread(state, state.faults.len()).into_iter();
    let missing = missing.chain(shortfall::other_texts(fold)).chain(shortfall::all(state));
    notes.extend(missing.map(|Shortfall { is_error, text }| {
        let level = if is_error { "error" } else { "warning" };
        json!({ "level": level, "message": { "text": text } })
    }));
    json!({
        "executionSuccessful": totals.read_errors == 0 && !totals.interrupted,
        "toolExecutionNotifications": notes,
    })
}

/// A path as a reference: relative ones stay relative, absolute ones are of the scheme `file`.
fn uri(path: &str) -> String {
    if path == "-" {
        return "stdin".to_owned();
    }
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    let mut out = String::with_capacity(path.len() + 8);
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte as char);
            }
            b'\\' if cfg!(windows) => out.push('/'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// 128 bits of FNV-1a: the same on every machine and in every version.
fn fingerprint(rule: &str, text: &str) -> String {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in rule.bytes().chain([0]).chain(text.bytes()) {
        hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
    }
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        let cases = [
            ("a.log", "a.log"),
            ("./logs/a b%.log", "logs/a%20b%25.log"),
            ("/var/log/é:1.log", "file:///var/log/%C3%A9%3A1.log"),
            ("c:#?.log", "c%3A%23%3F.log"),
            ("-", "stdin"),
        ];
        for (path, expected) in cases {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn fingerprints_do_not_change() {
        // Of one zero byte: the offset basis times the prime, worked out by other means.
        assert_eq!(fingerprint("", ""), "d228cb69101a8caf78912b704e4a147f");
        assert_ne!(fingerprint("a", "b"), fingerprint("ab", ""));
        assert_eq!(fingerprint("net.refused", "x").len(), 32);
    }

    #[test]
    fn names_are_words() {
        assert_eq!(pascal_case("net.dns-failure.x9"), "NetDnsFailureX9");
        assert_eq!(markdown("a_b <https://x>"), "a\\_b \\<https://x\\>");
    }
}
