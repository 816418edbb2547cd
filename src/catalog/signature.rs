//! Signatures: what is looked for in a text.

use super::fields::Reader;
use super::lists::Lists;
use crate::engine::literals;
use crate::problem::{Code, Problem};
use crate::rule::model::{Signature, SignatureKind};
use crate::yaml::node::{Kind, Node, Span};

const SIGNATURE_KEYS: &[&str] = &["text", "word", "regex", "case"];
/// Signatures that a text is searched for, every one of them by a literal. Names of lists are
/// refused: of a list one signature is enough, and `all` and a service's marks are not asked so.
pub(crate) fn signatures(reader: &mut Reader, node: &Node) -> Vec<Signature> {
    let mut list = Vec::new();
    for node in reader.list(node, "signatures") {
        if let Some(name) = named_list(node) {
            let message = "a list of signatures has no place here";
            reader.report(
                Problem::new(Code::WrongType, name.span, message)
                    .help("lists are named under `any` and `none`, where one of them is enough"),
            );
        } else if let Some(found) = signature(reader, node)
            && nominates(reader, &found, pattern_span(node), None)
        {
            push(reader, &mut list, found, node.span);
        }
    }
    list
}

/// The same for `any`, where `lists` may be named.
pub(super) fn searched(reader: &mut Reader, node: &Node, lists: &Lists) -> Vec<Signature> {
    expanded(reader, node, lists, nominates)
}

/// Signatures of `none`. They are looked for when a rule asks: they need no literal.
pub(super) fn excluding(reader: &mut Reader, node: &Node, lists: &Lists) -> Vec<Signature> {
    expanded(reader, node, lists, |_, _, _, _| true)
}

fn expanded(
    reader: &mut Reader,
    node: &Node,
    lists: &Lists,
    fits: impl Fn(&mut Reader, &Signature, Span, Option<Span>) -> bool,
) -> Vec<Signature> {
    let mut list = Vec::new();
    for node in reader.list(node, "signatures") {
        if let Some(name) = named_list(node) {
            for item in lists.named(name, reader) {
                if fits(reader, &item.signature, name.span, Some(item.span)) {
                    push(reader, &mut list, item.signature.clone(), name.span);
                }
            }
        } else if let Some(found) = signature(reader, node)
            && fits(reader, &found, pattern_span(node), None)
        {
            push(reader, &mut list, found, node.span);
        }
    }
    list
}

/// The name in `{ list: name }`.
fn named_list(node: &Node) -> Option<&Node> {
    match &node.kind {
        Kind::Mapping(entries) => match entries.as_slice() {
            [(key, name)] if key.name == "list" => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Where the text of a signature stands.
fn pattern_span(node: &Node) -> Span {
    match &node.kind {
        Kind::Mapping(entries) => {
            let pattern = entries.iter().find(|(key, _)| key.name != "case");
            pattern.map_or(node.span, |(_, pattern)| pattern.span)
        }
        _ => node.span,
    }
}

/// Whether a literal nominates the signature; `item` is its place in a list that is named at `at`.
fn nominates(reader: &mut Reader, signature: &Signature, at: Span, item: Option<Span>) -> bool {
    let Err((code, message)) = literals::required(signature) else { return true };
    let problem = Problem::new(code, at, message);
    reader.report(match item {
        Some(item) => problem.also(item, "this signature of the list"),
        None => problem,
    });
    false
}

fn push(reader: &mut Reader, list: &mut Vec<Signature>, signature: Signature, at: Span) {
    if list.contains(&signature) {
        let message = format!("`{}` stands twice in this list", signature.pattern);
        reader.report(Problem::new(Code::DuplicateSignature, at, message));
    } else {
        list.push(signature);
    }
}

/// Reads one signature.
pub(super) fn signature(reader: &mut Reader, node: &Node) -> Option<Signature> {
    if let Kind::String(_) = node.kind {
        reader.report(
            Problem::new(Code::WrongType, node.span, "a signature is a mapping")
                .help("write { text: \"...\" }, { word: \"...\" } or { regex: '...' }"),
        );
        return None;
    }
    let fields = reader.mapping(node, "a signature", SIGNATURE_KEYS)?;
    let kinds = [
        ("text", SignatureKind::Text),
        ("word", SignatureKind::Word),
        ("regex", SignatureKind::Regex),
    ];
    let mut found = kinds.iter().filter_map(|&(name, kind)| Some((fields.get(name)?, kind)));
    let (Some((pattern, kind)), None) = (found.next(), found.next()) else {
        let message = "a signature is exactly one of `text`, `word` and `regex`";
        reader.report(Problem::new(Code::MissingKey, node.span, message));
        return None;
    };
    let case_sensitive = match fields.get("case") {
        Some(case) => match reader.text(case)? {
            "sensitive" => true,
            "insensitive" => false,
            other => {
                let message = format!("`{other}` is neither `sensitive` nor `insensitive`");
                reader.report(Problem::new(Code::UnknownValue, case.span, message));
                return None;
            }
        },
        None => false,
    };
    if let Kind::Number(text) = &pattern.kind {
        let message = format!("a bare number ({text}) is not a signature");
        reader
            .report(Problem::new(Code::BareNumber, pattern.span, message).help(
                "use `http_status`, `code` or `exit_code`: they are read from safe contexts",
            ));
        return None;
    }
    let text = reader.text(pattern)?;
    let signature = Signature { kind, pattern: text.into(), case_sensitive };
    match check_signature(&signature) {
        Ok(()) => Some(signature),
        Err((code, message)) => {
            let around = message.contains("look-around");
            let problem = Problem::new(code, pattern.span, message);
            reader.report(match around {
                true => problem.help("what must not stand there goes under `none`"),
                false => problem,
            });
            None
        }
    }
}

/// What the engine needs of a signature.
fn check_signature(signature: &Signature) -> Result<(), (Code, String)> {
    let text = &*signature.pattern;
    if text.chars().any(char::is_control) {
        let message = "a signature has no line breaks or control characters";
        return Err((Code::BadSignature, message.into()));
    }
    if signature.kind == SignatureKind::Regex {
        literals::checked_regex(text).map_err(|message| (Code::BadRegex, message))?;
    } else if text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace()) {
        return Err((Code::BareNumber, format!("a bare number (`{text}`) is not a signature")));
    }
    Ok(())
}
