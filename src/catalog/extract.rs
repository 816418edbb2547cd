//! `extract:`: values that a rule reads from the text.

use super::fields::{Fields, Reader};
use crate::engine::literals;
use crate::facts::values;
use crate::problem::{Code, Problem};
use crate::rule::model::Extract;
use crate::rule::words::ValueType;
use crate::yaml::node::{Kind, Node};

pub(super) fn extracts(reader: &mut Reader, node: &Node) -> Vec<Extract> {
    let Kind::Mapping(entries) = &node.kind else {
        reader.wrong_type(node, "names with extractors (a mapping)");
        return Vec::new();
    };
    let mut list = Vec::new();
    for (key, node) in entries {
        let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if key.name.is_empty() || !key.name.bytes().all(valid) {
            let message = format!("`{}` is not a name: lower-case letters, digits, `_`", key.name);
            reader.report(Problem::new(Code::BadExtract, key.span, message));
            continue;
        }
        if let Some(extract) = extract(reader, &key.name, node) {
            list.push(extract);
        }
    }
    list
}

fn extract(reader: &mut Reader, name: &str, node: &Node) -> Option<Extract> {
    let (kind, unit, zone, regexes) = match &node.kind {
        Kind::String(_) => (ValueType::String, None, 0, std::slice::from_ref(node)),
        _ => {
            let fields =
                reader.mapping(node, "an extractor", &["type", "regex", "unit", "zone"])?;
            let kind = reader.word_of(&fields, "type", ValueType::ALL, ValueType::as_str);
            let unit = part(reader, &fields, "unit", values::unit, "ms, s, min, h, d");
            let zone = part(reader, &fields, "zone", values::zone, "+08:00, -05:30");
            let regex = reader.require(&fields, "regex", "an extractor")?;
            let kind = kind.unwrap_or(ValueType::String);
            (kind, unit, zone.unwrap_or(0), reader.one_or_more(regex, "regexes"))
        }
    };
    let mut list = Vec::new();
    for node in regexes {
        let Some(pattern) = reader.text(node) else { continue };
        match literals::checked_regex(pattern).map(|info| info.groups) {
            Ok(1) => list.push(pattern.into()),
            Ok(groups) => {
                let message = format!("the regex has {groups} capture groups and needs one");
                reader.report(Problem::new(Code::BadExtract, node.span, message));
            }
            Err(message) => reader.report(Problem::new(Code::BadRegex, node.span, message)),
        }
    }
    (!list.is_empty()).then(|| Extract { name: name.into(), kind, unit, zone, regexes: list })
}

/// A text that `read` understands, of an extractor or a context; `known` are such texts.
pub(crate) fn part<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &str,
    read: fn(&str) -> Option<T>,
    known: &str,
) -> Option<T> {
    let node = fields.get(key)?;
    let text = reader.text(node)?;
    let value = read(text);
    if value.is_none() {
        let message = format!("`{text}` is no {key}");
        let problem = Problem::new(Code::UnknownValue, node.span, message);
        reader.report(problem.help(format!("such as {known}")));
    }
    value
}
