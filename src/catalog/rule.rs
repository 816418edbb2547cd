//! From the merged fields of a rule to a [`Rule`].

use super::block;
use super::category::CategoryTable;
use super::example::{COUNTEREXAMPLE_KEYS, EXAMPLE_KEYS, example};
use super::extract::extracts;
use super::fields::Reader;
use super::lists::Lists;
use super::merge::RawRule;
use super::retry::retry;
use crate::problem::Code;
use crate::rule::model::{Conditions, Reference, Remedy, Rule};
use crate::rule::words::{Category, Severity, Status, Who};
use crate::yaml::node::Node;

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
/// Reads one merged rule. `None` where a required part is missing or wrong; every problem is in
/// the reader.
pub(crate) fn decode(
    raw: &RawRule<'_>,
    categories: &CategoryTable,
    lists: &Lists,
    reader: &mut Reader,
) -> Option<Rule> {
    let entries = raw.fields.iter().map(|field| (&*field.key, &*field.node)).collect();
    let fields = reader.fields(raw.span, entries, "a rule", RULE_KEYS);
    let before = reader.problems.len();

    let title = reader.require(&fields, "title", "a rule").and_then(|node| reader.boxed(node));
    let category = reader.require(&fields, "category", "a rule").and_then(|node| {
        reader.word(node, "category", Code::UnknownCategory, Category::ALL, |word| word.as_str())
    });
    let status = reader.word_of(&fields, "status", Status::ALL, Status::as_str);
    let severity = reader.word_of(&fields, "severity", Severity::ALL, Severity::as_str);
    let who = reader.word_of(&fields, "who", Who::ALL, Who::as_str);
    let blocks = match reader.require(&fields, "match", "a rule") {
        Some(node) => reader
            .one_or_more(node, "blocks")
            .iter()
            .filter_map(|node| block::block(reader, node, lists))
            .collect(),
        None => Vec::new(),
    };
    let corroborate = match fields.get("corroborate") {
        Some(node) => match reader.mapping(node, "`corroborate`", block::CONDITION_KEYS) {
            Some(fields) => block::conditions(reader, &fields, lists),
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
    let when = fields.get("when").and_then(|node| block::when(reader, node)).unwrap_or_default();
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

    block::check_numeric_codes(reader, &fields, &blocks, &when);
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

fn remedies(reader: &mut Reader, node: &Node, default_who: Who) -> Vec<Remedy> {
    let mut list = Vec::new();
    for node in reader.list(node, "remedies") {
        let Some(fields) = reader.mapping(node, "a remedy", &["do", "who"]) else { continue };
        let who = reader.word_of(&fields, "who", Who::ALL, Who::as_str).unwrap_or(default_who);
        if let Some(node) = reader.require(&fields, "do", "a remedy") {
            list.push(Remedy { text: reader.variants(node), who });
        }
    }
    list
}

fn references(reader: &mut Reader, node: &Node) -> Vec<Reference> {
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
