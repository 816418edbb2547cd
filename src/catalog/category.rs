//! The table of categories: what each means, who acts by default, what it is confused with.

use serde::{Deserialize, Serialize};

use super::fields::Reader;
use super::retry::retry;
use crate::problem::{Code, Problem};
use crate::rule::model::RetryRule;
use crate::rule::words::{Category, Layer, RetryVerdict, Severity, Who};
use crate::yaml::node::Node;

const KEYS: &[&str] =
    &["id", "name", "definition", "who", "severity", "retry", "is_it_me", "first", "confused_with"];

/// What the catalogue knows of a category.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CategoryInfo {
    /// Which one.
    pub id: Category,
    /// Its name for people.
    pub name: Box<str>,
    /// What belongs to it.
    pub definition: Box<str>,
    /// Who acts by default.
    pub who: Who,
    /// How bad by default.
    pub severity: Severity,
    /// Retry advice by default.
    pub retry: RetryRule,
    /// "Is it me or everyone?"
    pub is_it_me: Box<str>,
    /// What to do first.
    pub first: Box<str>,
    /// Categories it is confused with, and how to tell.
    pub confused_with: Vec<(Category, Box<str>)>,
}

/// One entry for each category.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CategoryTable {
    list: Vec<CategoryInfo>,
    /// The layer that defined each; a higher layer may define one anew.
    defined: Vec<Option<Layer>>,
}

impl CategoryTable {
    /// Before any table is read, and for catalogues without the built-in pack: the words alone.
    pub(crate) fn bare() -> CategoryTable {
        CategoryTable {
            list: Category::ALL.iter().map(|&id| bare(id)).collect(),
            defined: vec![None; Category::ALL.len()],
        }
    }

    pub(crate) fn get(&self, id: Category) -> &CategoryInfo {
        &self.list[id as usize]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &CategoryInfo> {
        self.list.iter()
    }

    /// Reads the entries of a `categories:` list.
    pub(crate) fn read(&mut self, node: &Node, layer: Layer, reader: &mut Reader) {
        for node in reader.list(node, "categories") {
            let Some(fields) = reader.mapping(node, "a category", KEYS) else { continue };
            let id = reader.require(&fields, "id", "a category").and_then(|node| {
                reader.word(node, "category", Code::UnknownCategory, Category::ALL, |c| c.as_str())
            });
            let mut text = |name| {
                reader.require(&fields, name, "a category").and_then(|node| reader.boxed(node))
            };
            let (name, definition) = (text("name"), text("definition"));
            let (is_it_me, first) = (text("is_it_me"), text("first"));
            let who = reader.require(&fields, "who", "a category").and_then(|node| {
                reader.word(node, "who", Code::UnknownValue, Who::ALL, |who| who.as_str())
            });
            let severity = reader.require(&fields, "severity", "a category").and_then(|node| {
                reader.word(node, "severity", Code::UnknownValue, Severity::ALL, |s| s.as_str())
            });
            let retry =
                reader.require(&fields, "retry", "a category").and_then(|node| retry(reader, node));
            let mut confused_with = Vec::new();
            if let Some(node) = fields.get("confused_with") {
                for node in reader.list(node, "categories") {
                    let Some(fields) = reader.mapping(node, "an entry", &["category", "how"])
                    else {
                        continue;
                    };
                    let other = reader.require(&fields, "category", "an entry").and_then(|node| {
                        reader.word(node, "category", Code::UnknownCategory, Category::ALL, |c| {
                            c.as_str()
                        })
                    });
                    let how = reader
                        .require(&fields, "how", "an entry")
                        .and_then(|node| reader.boxed(node));
                    confused_with.extend(other.zip(how));
                }
            }
            let info = (|| {
                Some(CategoryInfo {
                    id: id?,
                    name: name?,
                    definition: definition?,
                    who: who?,
                    severity: severity?,
                    retry: retry?,
                    is_it_me: is_it_me?,
                    first: first?,
                    confused_with,
                })
            })();
            let Some(info) = info else { continue };
            let at = info.id as usize;
            if self.defined[at] == Some(layer) {
                let message = format!("category `{}` is defined twice", info.id);
                reader.report(Problem::new(Code::DuplicateId, node.span, message));
            }
            self.defined[at] = Some(layer);
            self.list[at] = info;
        }
    }
}

fn bare(id: Category) -> CategoryInfo {
    CategoryInfo {
        id,
        name: id.as_str().replace('_', " ").into(),
        definition: "".into(),
        who: Who::Operator,
        severity: Severity::Error,
        retry: RetryRule {
            verdict: RetryVerdict::Never,
            scope: None,
            wait: ["header", "retry_after", "reset_at"].map(Into::into).to_vec(),
            resets: None,
            alternatives: Vec::new(),
            if_idempotent: false,
            base: super::retry::DEFAULT_BASE,
            cap: super::retry::DEFAULT_CAP,
        },
        is_it_me: "".into(),
        first: "".into(),
        confused_with: Vec::new(),
    }
}
