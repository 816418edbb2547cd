//! Rules as trees: collected from documents, patched, extended.
//!
//! A rule is what its file says, over what it `extends`, changed by the patches that target it.
//! Both steps work on trees, so that every field keeps the place that set it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::fields::Reader;
use super::rule::RULE_KEYS;
use crate::problem::{Code, Problem};
use crate::rule::words::Layer;
use crate::yaml::node::{Key, Kind, Node, Span};

/// Fields that a rule does not inherit: what it is, what it matches and how that match ranks.
const OWN_FIELDS: &[&str] = &[
    "id",
    "match",
    "priority",
    "examples",
    "counterexamples",
    "supersedes",
    "renames",
    "extends",
    "add",
];
/// Fields that a patch may not touch: they say what the rule is.
const UNPATCHABLE: &[&str] = &["id", "extends", "add", "renames"];
const PATCH_KEYS: &[&str] =
    &["target", "set", "add", "remove", "disable", "reason", "expires", "optional"];

/// A field of a raw rule.
#[derive(Clone)]
pub(crate) struct Field<'n> {
    pub(crate) key: Cow<'n, Key>,
    pub(crate) node: Cow<'n, Node>,
}

/// A rule before its fields are read.
#[derive(Clone)]
pub(crate) struct RawRule<'n> {
    pub(crate) id: Box<str>,
    /// Where its id stands.
    pub(crate) span: Span,
    pub(crate) layer: Layer,
    pub(crate) fields: Vec<Field<'n>>,
}

impl<'n> RawRule<'n> {
    pub(crate) fn field(&self, name: &str) -> Option<&Field<'n>> {
        self.fields.iter().find(|field| field.key.name == name)
    }

    fn set(&mut self, field: Field<'n>) {
        match self.fields.iter_mut().find(|old| old.key.name == field.key.name) {
            Some(old) => *old = field,
            None => self.fields.push(field),
        }
    }

    /// Appends the items of `node` to the list `key`.
    fn append(&mut self, key: &'n Key, node: &'n Node, reader: &mut Reader) {
        let items: &[Node] = match &node.kind {
            Kind::Sequence(items) => items,
            // `match` may be a single block.
            Kind::Mapping(_) if key.name == "match" => std::slice::from_ref(node),
            Kind::Mapping(entries) => {
                return self.append_entries(key, node, entries, reader);
            }
            _ => return reader.wrong_type(node, "a list to add"),
        };
        let Some(old) = self.fields.iter_mut().find(|old| old.key.name == key.name) else {
            return self.fields.push(Field { key: Cow::Borrowed(key), node: Cow::Borrowed(node) });
        };
        let old = old.node.to_mut();
        match &mut old.kind {
            Kind::Sequence(list) => list.extend_from_slice(items),
            _ => {
                let first = std::mem::replace(&mut old.kind, Kind::Null);
                let mut list = vec![Node { span: old.span, kind: first }];
                list.extend_from_slice(items);
                old.kind = Kind::Sequence(list);
            }
        }
    }

    /// `extract` and `corroborate` are mappings: their entries are added.
    fn append_entries(
        &mut self,
        key: &'n Key,
        node: &'n Node,
        entries: &'n [(Key, Node)],
        reader: &mut Reader,
    ) {
        let Some(old) = self.fields.iter_mut().find(|old| old.key.name == key.name) else {
            return self.fields.push(Field { key: Cow::Borrowed(key), node: Cow::Borrowed(node) });
        };
        let Kind::Mapping(list) = &mut old.node.to_mut().kind else {
            let message = format!("`{}` of this rule is a list; add a list to it", key.name);
            return reader.report(Problem::new(Code::PatchField, node.span, message));
        };
        for (key, node) in entries {
            match list.iter_mut().find(|(old, _)| old.name == key.name) {
                Some((_, Node { kind: Kind::Sequence(old), .. })) => match &node.kind {
                    Kind::Sequence(items) => old.extend_from_slice(items),
                    _ => old.push(node.clone()),
                },
                Some(_) => {
                    let message = format!("`{}` stands there already; use `set`", key.name);
                    reader.report(Problem::new(Code::PatchField, key.span, message));
                }
                None => list.push((key.clone(), node.clone())),
            }
        }
    }
}

/// A patch, checked for shape.
pub(crate) struct Patch<'n> {
    pub(crate) layer: Layer,
    pub(crate) span: Span,
    pub(crate) target: &'n str,
    pub(crate) target_span: Span,
    optional: bool,
    disable: bool,
    set: &'n [(Key, Node)],
    add: &'n [(Key, Node)],
    remove: &'n [(Key, Node)],
    /// The last day on which it is meant to apply.
    pub(crate) expires: Option<(Box<str>, Span)>,
}

/// Reads a patch of a rule.
pub(crate) fn read_patch<'n>(
    node: &'n Node,
    layer: Layer,
    reader: &mut Reader,
) -> Option<Patch<'n>> {
    let fields = reader.mapping(node, "a patch", PATCH_KEYS)?;
    let target = reader.require(&fields, "target", "a patch")?;
    let target_span = target.span;
    let target = reader.text(target)?;
    let flag = |reader: &mut Reader, name| {
        fields.get(name).and_then(|node| reader.boolean(node)).unwrap_or(false)
    };
    let (optional, disable) = (flag(reader, "optional"), flag(reader, "disable"));
    if let Some(reason) = fields.get("reason") {
        reader.text(reason);
    }
    let mut entries = |name| match fields.get(name) {
        Some(Node { kind: Kind::Mapping(entries), .. }) => {
            for (key, _) in entries {
                check_patchable(key, reader);
            }
            entries.as_slice()
        }
        Some(node) => {
            reader.wrong_type(node, "fields of a rule (a mapping)");
            &[]
        }
        None => &[],
    };
    let (set, add, remove) = (entries("set"), entries("add"), entries("remove"));
    let expires = fields.get("expires").and_then(|node| Some((reader.date(node)?, node.span)));
    if !disable && set.is_empty() && add.is_empty() && remove.is_empty() {
        let message = "the patch changes nothing";
        reader.report(
            Problem::new(Code::MissingKey, node.span, message)
                .help("give it `set`, `add`, `remove` or `disable: true`"),
        );
    }
    Some(Patch {
        layer,
        span: node.span,
        target,
        target_span,
        optional,
        disable,
        set,
        add,
        remove,
        expires,
    })
}

fn check_patchable(key: &Key, reader: &mut Reader) {
    let name = &*key.name;
    if UNPATCHABLE.contains(&name) {
        let message = format!("`{name}` of a rule cannot be patched");
        reader.report(Problem::new(Code::PatchField, key.span, message));
    } else if !RULE_KEYS.contains(&name) {
        reader.report(
            Problem::new(Code::UnknownKey, key.span, format!("a rule has no key `{name}`"))
                .did_you_mean(name, RULE_KEYS.iter().copied()),
        );
    }
}

/// Ids (and former ids) of all raw rules.
pub(crate) struct Index {
    by_id: HashMap<Box<str>, usize>,
}

impl Index {
    /// Reports ids that stand for two rules.
    pub(crate) fn new(rules: &[RawRule<'_>], reader: &mut Reader) -> Index {
        let mut by_id: HashMap<Box<str>, usize> = HashMap::with_capacity(rules.len());
        let mut insert = |id: &str, span: Span, at: usize, reader: &mut Reader| {
            match by_id.get(id) {
                Some(&first) if first != at || id == &*rules[at].id => reader.report(
                    Problem::new(Code::DuplicateId, span, format!("rule `{id}` is defined twice"))
                        .label("again here")
                        .also(rules[first].span, "first here")
                        .help("to change a rule of another file or layer, write a `patch`"),
                ),
                Some(_) => {}
                None => {
                    by_id.insert(id.into(), at);
                }
            };
        };
        for (at, rule) in rules.iter().enumerate() {
            insert(&rule.id, rule.span, at, reader);
        }
        for (at, rule) in rules.iter().enumerate() {
            if let Some(field) = rule.field("renames")
                && let Kind::Sequence(items) = &field.node.kind
            {
                for item in items {
                    if let Kind::String(id) = &item.kind {
                        insert(id, item.span, at, reader);
                    }
                }
            }
        }
        Index { by_id }
    }

    pub(crate) fn get(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(|id| &**id)
    }
}

/// Applies patches and `extends`. Returns the merged rules, `None` where a patch disabled one.
pub(crate) fn merge<'n>(
    rules: &[RawRule<'n>],
    patches: &[Patch<'n>],
    index: &Index,
    reader: &mut Reader,
) -> Vec<Option<RawRule<'n>>> {
    let mut by_target: HashMap<usize, Vec<&Patch<'n>>> = HashMap::new();
    for patch in patches {
        match index.get(patch.target) {
            Some(at) => by_target.entry(at).or_default().push(patch),
            None if patch.optional => {}
            None => reader.report(
                Problem::new(
                    Code::DanglingReference,
                    patch.target_span,
                    format!("the patch targets `{}`, and there is no such rule", patch.target),
                )
                .did_you_mean(patch.target, index.ids()),
            ),
        }
    }
    for patches in by_target.values_mut() {
        // Lower layers first, so that higher ones have the last word. Within a layer by what they
        // say: the order of files does not count.
        patches.sort_by_cached_key(|patch| (patch.layer, canonical(patch.add), patch.span.start));
        check_conflicts(patches, reader);
    }
    let mut merged: Vec<State<'n>> = rules.iter().map(|_| State::Open).collect();
    for at in 0..rules.len() {
        resolve(at, rules, &by_target, index, &mut merged, reader);
    }
    merged
        .into_iter()
        .enumerate()
        .map(|(at, state)| match state {
            State::Done(rule) => {
                let disabled =
                    by_target.get(&at).is_some_and(|list| list.iter().any(|p| p.disable));
                (!disabled).then_some(rule)
            }
            State::Open | State::Busy | State::Failed => None,
        })
        .collect()
}

enum State<'n> {
    Open,
    Busy,
    Failed,
    Done(RawRule<'n>),
}

fn check_conflicts(patches: &[&Patch<'_>], reader: &mut Reader) {
    for (i, later) in patches.iter().enumerate() {
        for earlier in &patches[..i] {
            if earlier.layer != later.layer {
                continue;
            }
            for (key, _) in later.set {
                if let Some((first, _)) = earlier.set.iter().find(|(k, _)| k.name == key.name) {
                    let message = format!(
                        "two patches of layer {} set `{}` of `{}`",
                        later.layer, key.name, later.target
                    );
                    reader.report(
                        Problem::new(Code::PatchConflict, key.span, message)
                            .label("set again here")
                            .also(first.span, "set here"),
                    );
                }
            }
        }
    }
}

fn resolve<'n>(
    at: usize,
    rules: &[RawRule<'n>],
    patches: &HashMap<usize, Vec<&Patch<'n>>>,
    index: &Index,
    merged: &mut [State<'n>],
    reader: &mut Reader,
) {
    // An explicit stack: a chain of `extends` may be as long as a file.
    let mut stack = vec![at];
    while let Some(&at) = stack.last() {
        if matches!(merged[at], State::Done(_) | State::Failed) {
            stack.pop();
            continue;
        }
        let own = &rules[at];
        let parent = match own.field("extends") {
            None => None,
            Some(field) => match parent_of(own, field, index, reader) {
                Some(parent) => Some((parent, field)),
                None => {
                    merged[at] = State::Failed;
                    continue;
                }
            },
        };
        let base = match parent {
            None => None,
            Some((parent, field)) => match &merged[parent] {
                State::Done(rule) => Some(rule.clone()),
                State::Failed => {
                    merged[at] = State::Failed;
                    continue;
                }
                State::Busy => {
                    let message = format!("`{}` extends itself in a circle", own.id);
                    reader.report(
                        Problem::new(Code::ReferenceCycle, field.node.span, message)
                            .also(rules[parent].span, "through this rule"),
                    );
                    merged[at] = State::Failed;
                    continue;
                }
                State::Open => {
                    merged[at] = State::Busy;
                    stack.push(parent);
                    continue;
                }
            },
        };
        let mut rule = inherit(own, base, reader);
        let patches = patches.get(&at).map_or(&[][..], Vec::as_slice);
        // Within a layer first what is set, then what goes, then what is added: the order of
        // files does not count.
        for layer in patches.chunk_by(|a, b| a.layer == b.layer) {
            layer.iter().for_each(|patch| set(patch, &mut rule));
            layer.iter().for_each(|patch| remove_all(patch, &mut rule, reader));
            layer.iter().for_each(|patch| add_to(patch, &mut rule, reader));
        }
        merged[at] = State::Done(rule);
    }
}

fn parent_of(
    own: &RawRule<'_>,
    field: &Field<'_>,
    index: &Index,
    reader: &mut Reader,
) -> Option<usize> {
    let id = reader.text(&field.node)?;
    let parent = index.get(id);
    if parent.is_none() {
        let message = format!("`{}` extends `{id}`, and there is no such rule", own.id);
        reader.report(
            Problem::new(Code::DanglingReference, field.node.span, message)
                .did_you_mean(id, index.ids()),
        );
    }
    parent
}

fn inherit<'n>(own: &RawRule<'n>, base: Option<RawRule<'n>>, reader: &mut Reader) -> RawRule<'n> {
    let mut rule = RawRule { fields: Vec::new(), ..own.clone() };
    if let Some(base) = base {
        rule.fields = base
            .fields
            .into_iter()
            .filter(|field| !OWN_FIELDS.contains(&&*field.key.name))
            .collect();
    }
    for field in &own.fields {
        if field.key.name != "add" {
            rule.set(field.clone());
        }
    }
    if let Some(field) = own.field("add") {
        // Rows of code tables own their trees; everything else is borrowed from a document.
        if let Cow::Borrowed(node) = &field.node {
            add_all(&mut rule, node, reader);
        }
    }
    rule
}

fn add_all<'n>(rule: &mut RawRule<'n>, node: &'n Node, reader: &mut Reader) {
    let Kind::Mapping(entries) = &node.kind else {
        return reader.wrong_type(node, "lists to add (a mapping)");
    };
    for (key, node) in entries {
        check_patchable(key, reader);
        rule.append(key, node, reader);
    }
}

fn set<'n>(patch: &Patch<'n>, rule: &mut RawRule<'n>) {
    for (key, node) in patch.set {
        rule.set(Field { key: Cow::Borrowed(key), node: Cow::Borrowed(node) });
    }
}

fn add_to<'n>(patch: &Patch<'n>, rule: &mut RawRule<'n>, reader: &mut Reader) {
    for (key, node) in patch.add {
        rule.append(key, node, reader);
    }
}

fn remove_all(patch: &Patch<'_>, rule: &mut RawRule<'_>, reader: &mut Reader) {
    for (key, node) in patch.remove {
        let Kind::Sequence(items) = &node.kind else {
            reader.wrong_type(node, "a list of what to remove");
            continue;
        };
        for item in items {
            if !remove(rule, &key.name, item) {
                let message = format!("`{}` of `{}` does not hold this", key.name, rule.id);
                reader.report(Problem::new(Code::PatchField, item.span, message));
            }
        }
    }
}

fn remove(rule: &mut RawRule<'_>, name: &str, item: &Node) -> bool {
    let Some(position) = rule.fields.iter().position(|field| field.key.name == name) else {
        return false;
    };
    let Kind::Sequence(list) = &mut rule.fields[position].node.to_mut().kind else { return false };
    let before = list.len();
    list.retain(|old| !same(old, item));
    let (found, empty) = (list.len() < before, list.is_empty());
    if empty {
        rule.fields.remove(position);
    }
    found
}

/// A text that is the same for the same entries, wherever they stand.
fn canonical(entries: &[(Key, Node)]) -> String {
    fn write(node: &Node, out: &mut String) {
        match &node.kind {
            Kind::Null => out.push('~'),
            Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Kind::Number(text) | Kind::String(text) => out.push_str(text),
            Kind::Sequence(items) => items.iter().for_each(|item| write(item, out)),
            Kind::Mapping(entries) => out.push_str(&canonical(entries)),
        }
        out.push('\n');
    }
    let mut out = String::new();
    for (key, node) in entries {
        out.push_str(&key.name);
        out.push(' ');
        write(node, &mut out);
    }
    out
}

/// Equal but for the places.
pub(crate) fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Sequence(a), Kind::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Kind::Mapping(a), Kind::Mapping(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    b.iter().any(|(other, with)| other.name == key.name && same(value, with))
                })
        }
        (a, b) => a == b,
    }
}
