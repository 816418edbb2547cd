//! From the merged fields of a rule to a [`Rule`].

use std::time::Duration;

use super::category::CategoryTable;
use super::fields::{Fields, Reader};
use super::merge::RawRule;
use crate::engine::literals;
use crate::engine::required::text_literals;
use crate::facts::values;
use crate::problem::{Code, Problem};
use crate::rule::model::{
    Block, Conditions, Example, ExampleFacts, Extract, Range, Reference, Remedy, RetryRule, Rule,
    Signature, SignatureKind, When,
};
use crate::rule::words::{
    Alternative, Category, RetryVerdict, Scope, Severity, Status, ValueType, Who,
};
use crate::yaml::node::{Kind, Node};

/// Keys of a rule.
pub(crate) const RULE_KEYS: &[&str] = &[
    "id",
    "title",
    "status",
    "category",
    "severity",
    "who",
    "service",
    "when",
    "match",
    "corroborate",
    "fallback",
    "priority",
    "extends",
    "add",
    "extract",
    "summary",
    "causes",
    "remedies",
    "retry",
    "is_it_me",
    "supersedes",
    "related",
    "renames",
    "references",
    "examples",
    "counterexamples",
];
const CONDITION_KEYS: &[&str] =
    &["any", "all", "code", "http_status", "grpc_status", "exit_code", "signal"];
const BLOCK_KEYS: &[&str] = &[
    "any",
    "all",
    "none",
    "code",
    "http_status",
    "grpc_status",
    "exit_code",
    "signal",
    "when",
    "weak",
    "coarse",
];
const SIGNATURE_KEYS: &[&str] = &["text", "word", "regex", "case"];
const RETRY_KEYS: &[&str] =
    &["verdict", "scope", "wait", "resets", "alternatives", "if_idempotent", "base", "cap"];
const EXAMPLE_KEYS: &[&str] = &[
    "text",
    "http_status",
    "grpc_status",
    "exit_code",
    "signal",
    "code",
    "service",
    "product",
    "headers",
    "values",
    "retry",
    "source",
];
const COUNTEREXAMPLE_KEYS: &[&str] = &[
    "text",
    "http_status",
    "grpc_status",
    "exit_code",
    "signal",
    "code",
    "service",
    "product",
    "headers",
    "instead",
    "source",
];

/// First and longest delay of a backoff schedule that says nothing else.
pub(crate) const DEFAULT_BASE: Duration = Duration::from_secs(1);
pub(crate) const DEFAULT_CAP: Duration = Duration::from_secs(60);

/// Reads one merged rule. `None` where a required part is missing or wrong; every problem is in
/// the reader.
pub(crate) fn decode(
    raw: &RawRule<'_>,
    categories: &CategoryTable,
    reader: &mut Reader,
) -> Option<Rule> {
    let entries = raw.fields.iter().map(|field| (&*field.key, &*field.node)).collect();
    let fields = reader.fields(raw.span, entries, "a rule", RULE_KEYS);
    let before = reader.problems.len();

    let title = reader.require(&fields, "title", "a rule").and_then(|node| reader.boxed(node));
    let category = reader.require(&fields, "category", "a rule").and_then(|node| {
        reader.word(node, "category", Code::UnknownCategory, Category::ALL, |word| word.as_str())
    });
    let status = word(reader, &fields, "status", Status::ALL, Status::as_str);
    let severity = word(reader, &fields, "severity", Severity::ALL, Severity::as_str);
    let who = word(reader, &fields, "who", Who::ALL, Who::as_str);
    let blocks = match reader.require(&fields, "match", "a rule") {
        Some(node) => reader
            .one_or_more(node, "blocks")
            .iter()
            .filter_map(|node| block(reader, node))
            .collect(),
        None => Vec::new(),
    };
    let corroborate = match fields.get("corroborate") {
        Some(node) => match reader.mapping(node, "`corroborate`", CONDITION_KEYS) {
            Some(fields) => conditions(reader, &fields),
            None => Conditions::default(),
        },
        None => Conditions::default(),
    };
    let summary = match reader.require(&fields, "summary", "a rule") {
        Some(node) => reader.variants(node),
        None => Vec::new(),
    };
    let causes = match reader.require(&fields, "causes", "a rule") {
        Some(node) => reader.texts(node),
        None => Vec::new(),
    };
    let default_who = who.or_else(|| category.map(|id| categories.get(id).who));
    let remedies = match reader.require(&fields, "remedies", "a rule") {
        Some(node) => remedies(reader, node, default_who.unwrap_or(Who::Operator)),
        None => Vec::new(),
    };
    let extract = fields.get("extract").map(|node| extracts(reader, node)).unwrap_or_default();
    let retry = fields.get("retry").and_then(|node| retry(reader, node));
    let when = fields.get("when").and_then(|node| when(reader, node)).unwrap_or_default();
    let fallback = fields.get("fallback").and_then(|node| reader.boolean(node)).unwrap_or(false);
    let priority = fields.get("priority").and_then(|node| reader.number(node, -10..=10));
    let ids = |reader: &mut Reader, name| {
        fields.get(name).map(|node| reader.texts(node)).unwrap_or_default()
    };
    let (supersedes, related, renames) =
        (ids(reader, "supersedes"), ids(reader, "related"), ids(reader, "renames"));
    let service = fields.get("service").and_then(|node| reader.boxed(node));
    let is_it_me = fields.get("is_it_me").and_then(|node| reader.boxed(node));
    let references = match fields.get("references") {
        Some(node) => references(reader, node),
        None => Vec::new(),
    };
    let mut tests = |name, keys: &[&'static str]| match fields.get(name) {
        Some(node) => reader
            .list(node, "examples")
            .iter()
            .filter_map(|node| example(reader, node, keys))
            .collect(),
        None => Vec::new(),
    };
    let examples = tests("examples", EXAMPLE_KEYS);
    let counterexamples = tests("counterexamples", COUNTEREXAMPLE_KEYS);

    check_numeric_codes(reader, &fields, &blocks, &when);
    let (title, category) = (title?, category?);
    if reader.problems[before..].iter().any(|p| p.level() == crate::problem::Level::Error) {
        return None;
    }
    let defaults = categories.get(category);
    Some(Rule {
        id: raw.id.clone(),
        title,
        status: status.unwrap_or(Status::Stable),
        category,
        severity: severity.unwrap_or(defaults.severity),
        who: who.unwrap_or(defaults.who),
        service,
        fallback,
        priority: priority.unwrap_or(0) as i8,
        summary,
        causes,
        remedies,
        retry: retry.unwrap_or_else(|| defaults.retry.clone()),
        is_it_me: is_it_me.unwrap_or_else(|| defaults.is_it_me.clone()),
        supersedes,
        related,
        renames,
        references,
        examples,
        counterexamples,
        layer: raw.layer,
        when,
        blocks,
        corroborate,
        extract,
        span: raw.span,
        origins: raw.fields.iter().map(|f| ((&*f.key.name).into(), f.key.span)).collect(),
    })
}

fn word<T: Copy>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    name: &'static str,
    all: &[T],
    id: impl Fn(T) -> &'static str,
) -> Option<T> {
    let node = fields.get(name)?;
    reader.word(node, name, Code::UnknownValue, all, |word| id(*word))
}

fn block(reader: &mut Reader, node: &Node) -> Option<Block> {
    let fields = reader.mapping(node, "a block of `match`", BLOCK_KEYS)?;
    let conditions = conditions(reader, &fields);
    if conditions.is_empty() && CONDITION_KEYS.iter().all(|key| fields.get(key).is_none()) {
        let message = "the block has no condition that makes it match";
        reader.report(
            Problem::new(Code::NoPositiveCondition, node.span, message)
                .help("`none` and `when` only narrow: add `any`, `all`, `code` or a status"),
        );
    }
    Some(Block {
        when: fields.get("when").and_then(|node| when(reader, node)).unwrap_or_default(),
        none: fields.get("none").map(|node| excluding(reader, node)).unwrap_or_default(),
        weak: fields.get("weak").and_then(|node| reader.boolean(node)).unwrap_or(false),
        coarse: fields.get("coarse").and_then(|node| reader.boolean(node)).unwrap_or(false),
        conditions,
    })
}

fn conditions(reader: &mut Reader, fields: &Fields<'_>) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(node) = fields.get("any") {
        conditions.any = signatures(reader, node);
    }
    if let Some(node) = fields.get("all") {
        conditions.all = signatures(reader, node);
    }
    if let Some(node) = fields.get("code") {
        for node in reader.one_or_more(node, "codes") {
            if let Some(code) = reader.scalar(node) {
                conditions.code.push(code.trim().into());
            }
        }
    }
    if let Some(node) = fields.get("http_status") {
        for node in reader.one_or_more(node, "statuses") {
            conditions.http_status.extend(status_range(reader, node));
        }
    }
    if let Some(node) = fields.get("grpc_status") {
        for node in reader.one_or_more(node, "gRPC statuses") {
            let number = reader.scalar(node).map(values::grpc_status);
            match number {
                Some(Some(number)) => conditions.grpc_status.push(number),
                Some(None) => unknown_value(reader, node, "gRPC status", values::GRPC_NAMES),
                None => {}
            }
        }
    }
    if let Some(node) = fields.get("exit_code") {
        for node in reader.one_or_more(node, "exit codes") {
            let bounds = i64::from(i32::MIN)..=i64::from(u32::MAX);
            conditions.exit_code.extend(reader.number(node, bounds).map(|code| code as i32));
        }
    }
    if let Some(node) = fields.get("signal") {
        for node in reader.one_or_more(node, "signals") {
            match reader.scalar(node).map(values::signal) {
                Some(Some(number)) => conditions.signal.push(number),
                Some(None) => unknown_value(reader, node, "signal", values::SIGNAL_NAMES),
                None => {}
            }
        }
    }
    conditions
}

fn unknown_value(reader: &mut Reader, node: &Node, what: &str, names: &[(&'static str, u8)]) {
    let text = reader.scalar(node).unwrap_or_default().to_owned();
    let message = format!("`{text}` is not a {what}");
    reader.report(
        Problem::new(Code::UnknownValue, node.span, message)
            .did_you_mean(&text, names.iter().map(|&(name, _)| name)),
    );
}

/// `429`, `"5xx"`, `"520-527"`.
fn status_range(reader: &mut Reader, node: &Node) -> Option<Range> {
    let text = reader.scalar(node)?;
    let number = |text: &str| text.trim().parse().ok().filter(|n| (100..=999).contains(n));
    let range = match text.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)),
        None => match text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            Some(class) => number(&format!("{class}00")).map(|first| (first, first + 99)),
            None => number(text).map(|status| (status, status)),
        },
    };
    match range {
        Some((first, last)) if first <= last => Some(Range { first, last }),
        _ => {
            let message = format!("`{text}` is not an HTTP status");
            reader.report(
                Problem::new(Code::BadNumber, node.span, message)
                    .help("a status (429), a class (\"5xx\") or a range (\"520-527\")"),
            );
            None
        }
    }
}

/// Signatures that a text is searched for.
pub(crate) fn signatures(reader: &mut Reader, node: &Node) -> Vec<Signature> {
    list_of_signatures(reader, node, |signature| literals::required(signature).map(drop))
}

/// Signatures that are looked for when a rule asks: they need no literal.
fn excluding(reader: &mut Reader, node: &Node) -> Vec<Signature> {
    list_of_signatures(reader, node, |_| Ok(()))
}

fn list_of_signatures(
    reader: &mut Reader,
    node: &Node,
    check: impl Fn(&Signature) -> Result<(), (Code, String)>,
) -> Vec<Signature> {
    let mut list: Vec<Signature> = Vec::new();
    for node in reader.list(node, "signatures") {
        if let Some(signature) = signature(reader, node, &check) {
            if list.contains(&signature) {
                let message = format!("`{}` stands twice in this list", signature.pattern);
                reader.report(Problem::new(Code::DuplicateSignature, node.span, message));
            } else {
                list.push(signature);
            }
        }
    }
    list
}

fn signature(
    reader: &mut Reader,
    node: &Node,
    check: impl Fn(&Signature) -> Result<(), (Code, String)>,
) -> Option<Signature> {
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
    match check_signature(&signature).and_then(|()| check(&signature)) {
        Ok(()) => Some(signature),
        Err((code, message)) => {
            reader.report(Problem::new(code, pattern.span, message));
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

fn when(reader: &mut Reader, node: &Node) -> Option<When> {
    let fields = reader.mapping(node, "`when`", &["service", "product"])?;
    let mut list = |name| match fields.get(name) {
        Some(node) => {
            reader.one_or_more(node, "ids").iter().filter_map(|node| reader.boxed(node)).collect()
        }
        None => Vec::new(),
    };
    Some(When { service: list("service"), product: list("product") })
}

fn remedies(reader: &mut Reader, node: &Node, default_who: Who) -> Vec<Remedy> {
    let mut list = Vec::new();
    for node in reader.list(node, "remedies") {
        let Some(fields) = reader.mapping(node, "a remedy", &["do", "who"]) else { continue };
        let who = word(reader, &fields, "who", Who::ALL, Who::as_str).unwrap_or(default_who);
        if let Some(node) = reader.require(&fields, "do", "a remedy") {
            list.push(Remedy { text: reader.variants(node), who });
        }
    }
    list
}

pub(crate) fn references(reader: &mut Reader, node: &Node) -> Vec<Reference> {
    let mut list = Vec::new();
    for node in reader.list(node, "references") {
        let Some(fields) = reader.mapping(node, "a reference", &["url", "checked", "title"]) else {
            continue;
        };
        let url = reader.require(&fields, "url", "a reference");
        if let Some(url) = url.and_then(|node| reader.boxed(node)) {
            let checked = fields.get("checked").and_then(|node| reader.date(node));
            let title = fields.get("title").and_then(|node| reader.boxed(node));
            list.push(Reference { url, checked, title });
        }
    }
    list
}

fn extracts(reader: &mut Reader, node: &Node) -> Vec<Extract> {
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
            let kind = word(reader, &fields, "type", ValueType::ALL, ValueType::as_str);
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

/// A text of an extractor that `read` understands; `known` are such texts.
fn part<T>(
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
        let message = format!("`{text}` is no {key} of an extractor");
        let problem = Problem::new(Code::UnknownValue, node.span, message);
        reader.report(problem.help(format!("such as {known}")));
    }
    value
}

pub(crate) fn retry(reader: &mut Reader, node: &Node) -> Option<RetryRule> {
    let fields = reader.mapping(node, "`retry`", RETRY_KEYS)?;
    let verdict = reader.require(&fields, "verdict", "`retry`")?;
    let verdict =
        reader.word(verdict, "retry verdict", Code::UnknownValue, RetryVerdict::ALL, |word| {
            word.as_str()
        })?;
    let wait = match fields.get("wait") {
        Some(node) => reader.texts(node),
        None => ["header", "retry_after", "reset_at"].map(Into::into).to_vec(),
    };
    let alternatives = match fields.get("alternatives") {
        Some(node) => reader
            .list(node, "alternatives")
            .iter()
            .filter_map(|node| {
                reader.word(node, "alternative", Code::UnknownValue, Alternative::ALL, |word| {
                    word.as_str()
                })
            })
            .collect(),
        None => Vec::new(),
    };
    let resets = fields.get("resets").and_then(|node| {
        let text = reader.text(node)?;
        let valid = text.split_once('@').is_some_and(|(every, zone)| {
            ["hourly", "daily", "weekly", "monthly"].contains(&every) && !zone.is_empty()
        });
        if !valid {
            let message = format!("`{text}` does not say when a quota starts anew");
            reader.report(
                Problem::new(Code::BadTime, node.span, message)
                    .help("such as daily@UTC or monthly@America/Los_Angeles"),
            );
        }
        valid.then(|| text.into())
    });
    let base = fields.get("base").and_then(|node| reader.duration(node));
    let cap = fields.get("cap").and_then(|node| reader.duration(node));
    Some(RetryRule {
        verdict,
        scope: word(reader, &fields, "scope", Scope::ALL, Scope::as_str),
        wait,
        resets,
        alternatives,
        if_idempotent: fields
            .get("if_idempotent")
            .and_then(|node| reader.boolean(node))
            .unwrap_or(false),
        base: base.unwrap_or(DEFAULT_BASE),
        cap: cap.unwrap_or(DEFAULT_CAP),
    })
}

fn example(reader: &mut Reader, node: &Node, keys: &[&'static str]) -> Option<Example> {
    let fields = reader.mapping(node, "an example", keys)?;
    let mut facts = ExampleFacts::default();
    if let Some(node) = fields.get("http_status") {
        facts.http_status = reader.number(node, 100..=999).map(|status| status as u16);
    }
    let scalar = |reader: &mut Reader, name| {
        fields.get(name).and_then(|node| reader.scalar(node)).map(Into::into)
    };
    facts.grpc_status = scalar(reader, "grpc_status");
    facts.signal = scalar(reader, "signal");
    facts.service = scalar(reader, "service");
    facts.product = scalar(reader, "product");
    if let Some(node) = fields.get("exit_code") {
        let bounds = i64::from(i32::MIN)..=i64::from(u32::MAX);
        facts.exit_code = reader.number(node, bounds).map(|code| code as i32);
    }
    if let Some(node) = fields.get("code") {
        let nodes = reader.one_or_more(node, "codes");
        facts.codes = nodes.iter().filter_map(|n| reader.scalar(n)).map(Into::into).collect();
    }
    let pairs = |reader: &mut Reader, name| match fields.get(name).map(|node| (node, &node.kind)) {
        Some((_, Kind::Mapping(entries))) => entries
            .iter()
            .filter_map(|(key, node)| Some(((&*key.name).into(), reader.scalar(node)?.into())))
            .collect::<Vec<(Box<str>, Box<str>)>>(),
        Some((node, _)) => {
            reader.wrong_type(node, "names with values (a mapping)");
            Vec::new()
        }
        None => Vec::new(),
    };
    facts.headers = pairs(reader, "headers");
    let values = pairs(reader, "values").into_iter().collect();
    let text: Box<str> =
        fields.get("text").and_then(|node| reader.text(node)).unwrap_or_default().into();
    let has_fact = ["http_status", "grpc_status", "exit_code", "signal", "code"]
        .iter()
        .any(|name| fields.get(name).is_some());
    if text.is_empty() && !has_fact {
        let message = "an example needs a `text` or a fact such as `http_status`";
        reader.report(Problem::new(Code::MissingKey, node.span, message));
    }
    Some(Example {
        text,
        facts,
        values,
        retry: word(reader, &fields, "retry", RetryVerdict::ALL, RetryVerdict::as_str),
        source: fields.get("source").and_then(|node| reader.boxed(node)),
        instead: fields.get("instead").and_then(|node| reader.boxed(node)),
        span: node.span,
    })
}

/// A number means nothing without its owner, and a code of two letters neither.
fn check_numeric_codes(reader: &mut Reader, fields: &Fields<'_>, blocks: &[Block], when: &When) {
    for block in blocks {
        if !when.service.is_empty() || !block.when.service.is_empty() {
            continue;
        }
        let unclear = |code: &&str| {
            code.bytes().all(|byte| byte.is_ascii_digit()) || text_literals(code).is_empty()
        };
        if let Some(code) = block.conditions.code.iter().map(|code| &**code).find(unclear) {
            let span = fields.get("match").map_or(fields.span, |node| node.span);
            let message = match code.bytes().all(|byte| byte.is_ascii_digit()) {
                true => format!("code {code} is a number without a service"),
                false => format!("code `{code}` is too short to mean anything without a service"),
            };
            reader.report(
                Problem::new(Code::NumericCodeWithoutService, span, message)
                    .help("add `when: { service: [...] }` to the rule or to the block"),
            );
        }
    }
}
