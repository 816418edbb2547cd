//! Named lists of signatures: what many rules look for, or must not see, written once.
//!
//! A document defines them under `lists:`, patches add to them and take from them, and blocks name
//! them: `none: [ { list: harmless } ]`. They are expanded when rules are read, so that the engine
//! knows nothing of them.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::fields::Reader;
use super::merge::same;
use super::signature::signature;
use crate::problem::{Code, Level, Problem};
use crate::rule::model::Signature;
use crate::rule::words::Layer;
use crate::yaml::node::{Kind, Node, Span};

const PATCH_KEYS: &[&str] = &["list", "add", "remove", "reason", "expires", "optional"];

/// The lists of all documents, before patches.
#[derive(Default)]
pub(crate) struct RawLists<'n> {
    by_name: BTreeMap<&'n str, RawList<'n>>,
    patches: Vec<Patch<'n>>,
}

struct RawList<'n> {
    /// Where its name stands.
    span: Span,
    items: Vec<&'n Node>,
}

struct Patch<'n> {
    layer: Layer,
    name: &'n str,
    span: Span,
    optional: bool,
    add: &'n [Node],
    remove: &'n [Node],
    /// The last day on which it is meant to apply.
    expires: Option<(Box<str>, Span)>,
}

/// The lists that rules may name.
#[derive(Default)]
pub(crate) struct Lists {
    by_name: BTreeMap<Box<str>, List>,
}

struct List {
    span: Span,
    items: Vec<Item>,
    used: Cell<bool>,
}

/// A signature of a list, and where it stands.
pub(crate) struct Item {
    pub(crate) signature: Signature,
    pub(crate) span: Span,
}

/// Whether a patch changes a list rather than a rule.
pub(crate) fn is_patch(node: &Node) -> bool {
    matches!(&node.kind, Kind::Mapping(entries) if entries.iter().any(|(key, _)| key.name == "list"))
}

impl<'n> RawLists<'n> {
    /// Reads `lists:`, a mapping of names to signatures.
    pub(crate) fn read(&mut self, node: &'n Node, reader: &mut Reader) {
        let Kind::Mapping(entries) = &node.kind else {
            return reader.wrong_type(node, "names with lists of signatures (a mapping)");
        };
        for (key, node) in entries {
            if !is_name(&key.name) {
                let message = format!("`{}` is not a name of a list", key.name);
                reader.report(
                    Problem::new(Code::BadId, key.span, message)
                        .help("lower-case letters, digits and `-`"),
                );
                continue;
            }
            let items = reader.list(node, "signatures").iter().collect();
            match self.by_name.get(&*key.name) {
                Some(first) => reader.report(
                    Problem::new(
                        Code::DuplicateId,
                        key.span,
                        format!("list `{}` is defined twice", key.name),
                    )
                    .label("again here")
                    .also(first.span, "first here")
                    .help("to change a list of another file or layer, write a `patch`"),
                ),
                None => {
                    self.by_name.insert(&key.name, RawList { span: key.span, items });
                }
            }
        }
    }

    /// Reads a patch of a list.
    pub(crate) fn read_patch(&mut self, node: &'n Node, layer: Layer, reader: &mut Reader) {
        let Some(fields) = reader.mapping(node, "a patch of a list", PATCH_KEYS) else { return };
        let Some(list) = fields.get("list") else { return };
        let Some(name) = reader.text(list) else { return };
        let optional =
            fields.get("optional").and_then(|node| reader.boolean(node)).unwrap_or(false);
        if let Some(reason) = fields.get("reason") {
            reader.text(reason);
        }
        let mut items = |name| match fields.get(name) {
            Some(node) => reader.list(node, "signatures"),
            None => &[],
        };
        let (add, remove) = (items("add"), items("remove"));
        if fields.get("add").or_else(|| fields.get("remove")).is_none() {
            reader.report(
                Problem::new(Code::MissingKey, node.span, "the patch changes nothing")
                    .help("give it `add` or `remove`, each a list of signatures"),
            );
        }
        let expires = fields.get("expires").and_then(|node| Some((reader.date(node)?, node.span)));
        self.patches.push(Patch { layer, name, span: list.span, optional, add, remove, expires });
    }

    /// The patches that name their last day: what they change, the day and where it stands.
    pub(crate) fn expiries(&self) -> impl Iterator<Item = (&'n str, &(Box<str>, Span))> {
        self.patches.iter().filter_map(|patch| Some((patch.name, patch.expires.as_ref()?)))
    }

    /// Applies the patches and reads the signatures.
    pub(crate) fn finish(mut self, reader: &mut Reader) -> Lists {
        // Of a layer, what goes before what comes: the order of files does not count.
        self.patches.sort_by_key(|patch| patch.layer);
        for layer in self.patches.chunk_by(|a, b| a.layer == b.layer) {
            for patch in layer {
                match self.by_name.get_mut(patch.name) {
                    Some(list) => list.remove(patch, reader),
                    None if patch.optional => {}
                    None => reader.report(
                        Problem::new(
                            Code::UnknownList,
                            patch.span,
                            format!(
                                "the patch changes `{}`, and there is no such list",
                                patch.name
                            ),
                        )
                        .did_you_mean(patch.name, self.by_name.keys().copied()),
                    ),
                }
            }
            for patch in layer {
                if let Some(list) = self.by_name.get_mut(patch.name) {
                    list.items.extend(patch.add);
                }
            }
        }
        let read = |(name, raw): (&str, RawList<'_>)| {
            (name.into(), List { span: raw.span, items: raw.read(reader), used: Cell::new(false) })
        };
        Lists { by_name: self.by_name.into_iter().map(read).collect() }
    }
}

impl RawList<'_> {
    fn remove(&mut self, patch: &Patch<'_>, reader: &mut Reader) {
        for gone in patch.remove {
            let before = self.items.len();
            self.items.retain(|item| !same(item, gone));
            if self.items.len() == before {
                let message = format!("list `{}` does not hold this", patch.name);
                reader.report(Problem::new(Code::PatchField, gone.span, message));
            } else if self.items.is_empty() {
                // Under `any`, nothing to look for would be no condition at all.
                let message = format!("nothing is left of list `{}`", patch.name);
                reader.report(Problem::new(Code::PatchField, gone.span, message));
            }
        }
    }

    fn read(&self, reader: &mut Reader) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        for node in &self.items {
            let Some(signature) = signature(reader, node) else { continue };
            match items.iter().find(|item| item.signature == signature) {
                Some(first) => reader.report(
                    Problem::new(
                        Code::DuplicateSignature,
                        node.span,
                        format!("`{}` stands twice in this list", signature.pattern),
                    )
                    .also(first.span, "first here"),
                ),
                None => items.push(Item { signature, span: node.span }),
            }
        }
        items
    }
}

impl Lists {
    /// The signatures of the list that `node` names. An unknown name is reported.
    pub(crate) fn named(&self, node: &Node, reader: &mut Reader) -> &[Item] {
        let Some(name) = reader.text(node) else { return &[] };
        match self.by_name.get(name) {
            Some(list) => {
                list.used.set(true);
                &list.items
            }
            None => {
                let problem = Problem::new(
                    Code::UnknownList,
                    node.span,
                    format!("`{name}` is not a list of the catalogue"),
                )
                .did_you_mean(name, self.by_name.keys().map(|name| &**name));
                reader.report(problem);
                &[]
            }
        }
    }

    /// Reports lists that no rule has named. After an error nothing: the rule that names the list may
    /// be the one that was not read.
    pub(crate) fn report_unused(&self, reader: &mut Reader) {
        if reader.problems.iter().any(|problem| problem.level() == Level::Error) {
            return;
        }
        for (name, list) in self.by_name.iter().filter(|(_, list)| !list.used.get()) {
            let message = format!("no rule uses the list `{name}`");
            reader.report(Problem::new(Code::UnusedList, list.span, message));
        }
    }
}

fn is_name(name: &str) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase();
    name.as_bytes().first().is_some_and(letter)
        && name.bytes().all(|byte| letter(&byte) || byte.is_ascii_digit() || byte == b'-')
}
