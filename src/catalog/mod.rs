//! The catalogue: every rule, service and category that a classifier knows.
//!
//! Layers of files are read, merged (services' code tables expanded, patches applied, `extends`
//! resolved), checked as one, and then never change. Problems of all files are reported together;
//! a catalogue with errors does not exist.

mod block;
pub(crate) mod category;
mod check;
mod example;
pub(crate) mod extract;
pub(crate) mod fields;
pub(crate) mod fnv;
mod lint;
mod lists;
pub(crate) mod merge;
pub(crate) mod pack;
pub(crate) mod retry;
pub(crate) mod rule;
pub(crate) mod service;
mod shift;
mod signature;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use once_cell::sync::OnceCell;

pub use category::CategoryInfo;
pub use service::{Product, Service};

use crate::builtin;
use crate::engine::program::Program;
use crate::facts::table::{self, Case, FactTable};
use crate::frozen::{Lazy, Strings};
use crate::problem::{Code, Place, Problem, Problems, SourceMap, Text};
use crate::rule::Rule;
use crate::rule::words::{Category, Layer};
use crate::yaml::node::{Kind, Node, Span};
use crate::yaml::parse::{MAX_FILE_BYTES, parse};
use category::CategoryTable;
use check::Names;
use fields::Reader;
use fnv::Fnv;
use lists::RawLists;
use merge::{Field, Index, Patch, RawRule};
use pack::Pack;
use service::{ServiceReader, ServiceTable};

const DOCUMENT_KEYS: &[&str] =
    &["schema", "rules", "services", "lists", "patch", "categories", "facts"];
/// Files of the built-in pack that are no rules but tables of the engine: always loaded.
pub(crate) const TABLES: &[&str] = &["rules/categories.yaml", "rules/facts.yaml"];

/// Rules, services and categories, loaded, merged and checked. Cheap to clone.
///
/// ```
/// use whyerr::Catalog;
///
/// let catalog = Catalog::builtin();
/// assert_eq!(catalog.rule("http.429").unwrap().category, whyerr::Category::RateLimited);
/// ```
#[derive(Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
}

struct Inner {
    rules: Lazy<Rule>,
    /// Of the rules, sorted.
    ids: Strings,
    /// Former ids, sorted, to rules.
    renamed: Vec<(Box<str>, usize)>,
    /// Ids that a patch disabled.
    disabled: Vec<Box<str>>,
    services: ServiceTable,
    categories: CategoryTable,
    facts: FactTable,
    /// Made when somebody asks where something stands, if it is the built-in pack alone.
    sources: OnceCell<Arc<SourceMap>>,
    hash: u64,
    warnings: Vec<Problem>,
    /// What it was read from, if it was made at build time.
    pack: Option<Pack<'static>>,
}

/// Collects layers of rules and builds a [`Catalog`] of them.
///
/// ```
/// use whyerr::{Catalog, Layer};
///
/// let catalog = Catalog::builder()
///     .text(Layer::User, "mine.yaml", r#"
/// schema: 1
/// rules:
///   - id: acme.queue-full
///     title: The work queue is full
///     category: overloaded
///     status: experimental
///     match: { any: [ { text: "acme queue is full" } ] }
///     summary: "The work queue takes no more jobs."
///     causes: [ "More jobs come in than the workers finish." ]
///     remedies: [ { do: "Add workers, or wait" } ]
///     examples: [ { text: "500 acme queue is full, try later" } ]
/// "#)
///     .build()?;
/// assert!(catalog.rule("acme.queue-full").is_some());
/// # Ok::<(), whyerr::Problems>(())
/// ```
#[derive(Debug, Clone)]
pub struct CatalogBuilder {
    builtin: bool,
    inputs: Vec<Input>,
    problems: Vec<Problem>,
}

#[derive(Debug, Clone)]
struct Input {
    layer: Layer,
    name: String,
    text: Arc<str>,
}

impl Catalog {
    /// The built-in pack alone.
    pub fn builtin() -> Catalog {
        Catalog::builder().build().expect("the built-in pack is checked by the tests")
    }

    /// A builder that starts with the built-in pack.
    pub fn builder() -> CatalogBuilder {
        CatalogBuilder { builtin: true, inputs: Vec::new(), problems: Vec::new() }
    }

    /// All rules, in the order of their ids.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.inner.rules.iter()
    }

    /// The rule at a place in the order of ids.
    pub(crate) fn rule_at(&self, index: usize) -> &Rule {
        self.inner.rules.get(index)
    }

    /// The rule of this id or former id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rule_index(id).map(|index| self.rule_at(index))
    }

    pub(crate) fn rule_index(&self, id: &str) -> Option<usize> {
        let Inner { ids, renamed, .. } = &*self.inner;
        let renamed = || {
            let at = renamed.binary_search_by(|(old, _)| (**old).cmp(id))?;
            Ok::<_, usize>(renamed[at].1)
        };
        ids.find(|known| known.cmp(id.as_bytes())).or_else(|| renamed().ok())
    }

    /// All services.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &Service> {
        self.inner.services.list.iter()
    }

    /// The service at a place in the order of ids.
    pub(crate) fn service_at(&self, index: usize) -> &Service {
        self.inner.services.list.get(index)
    }

    /// The service of this id, name or alias.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.inner.services.find(name).map(|index| self.service_at(index))
    }

    pub(crate) fn service_table(&self) -> &ServiceTable {
        &self.inner.services
    }

    /// What the catalogue knows of a category.
    pub fn category(&self, id: Category) -> &CategoryInfo {
        self.inner.categories.get(id)
    }

    /// All categories.
    pub fn categories(&self) -> impl Iterator<Item = &CategoryInfo> {
        self.inner.categories.iter()
    }

    pub(crate) fn fact_table(&self) -> &FactTable {
        &self.inner.facts
    }

    /// The texts with facts that the table of contexts is tested by.
    pub fn fact_cases(&self) -> impl ExactSizeIterator<Item = &Case> {
        self.inner.facts.cases.iter()
    }

    /// Version of the built-in pack: the library's.
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Hash of all texts that the catalogue was made from, 16 hex digits: with it a stored verdict
    /// can be traced to the rules that gave it.
    pub fn hash(&self) -> String {
        format!("{:016x}", self.inner.hash)
    }

    /// Where a rule stands.
    pub fn place(&self, rule: &Rule) -> Option<Place> {
        self.sources().place(rule.span)
    }

    /// Field by field, the place that set it: the rule's own file, what it extends, or a patch.
    pub fn provenance(&self, rule: &Rule) -> Vec<(String, Place)> {
        rule.origins
            .iter()
            .filter_map(|(field, span)| Some((field.to_string(), self.sources().place(*span)?)))
            .collect()
    }

    /// What is likely a mistake in the rules of `layers`, though they load.
    pub fn lint(&self, layers: &[Layer]) -> Problems {
        let mut problems = self.inner.warnings.clone();
        problems.extend(lint::lint(self, layers));
        Problems::new(problems, self.sources().clone())
    }

    /// The program that was made of this catalogue at build time.
    pub(crate) fn frozen_program(&self) -> Option<Program> {
        self.inner.pack.map(pack::thaw_program)
    }

    pub(crate) fn sources(&self) -> &Arc<SourceMap> {
        self.inner.sources.get_or_init(|| {
            let mut sources = SourceMap::default();
            for &(path, text) in builtin::FILES {
                sources.add(path.to_owned(), Text::Static(text));
            }
            Arc::new(sources)
        })
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog")
            .field("rules", &self.inner.rules.len())
            .field("services", &self.services().len())
            .field("hash", &self.hash())
            .finish()
    }
}

impl CatalogBuilder {
    /// Whether the built-in rules and services are part of it (default: yes). The tables of
    /// categories and fact contexts are always there.
    pub fn with_builtin(&mut self, yes: bool) -> &mut Self {
        self.builtin = yes;
        self
    }

    /// Adds a text; `name` stands for it in problems.
    pub fn text(&mut self, layer: Layer, name: &str, text: &str) -> &mut Self {
        self.inputs.push(Input { layer, name: name.to_owned(), text: text.into() });
        self
    }

    /// Adds a file, or every `.yaml` and `.yml` file below a folder. What cannot be read is
    /// reported by [`build`](Self::build).
    pub fn path(&mut self, layer: Layer, path: impl AsRef<Path>) -> &mut Self {
        let path = path.as_ref();
        let mut files = Vec::new();
        if let Err(error) = collect(path, &mut files, 0) {
            self.unreadable(path, &error.to_string());
            return self;
        }
        if files.is_empty() {
            self.unreadable(path, "no .yaml or .yml file in this folder");
        }
        files.sort();
        for file in files {
            match read_bounded(&file) {
                Ok(text) => {
                    self.text(layer, &file.display().to_string(), &text);
                }
                Err(message) => self.unreadable(&file, &message),
            }
        }
        self
    }

    fn unreadable(&mut self, path: &Path, message: &str) {
        let message = format!("{}: {message}", path.display());
        self.problems.push(Problem::without_place(Code::Unreadable, message));
    }

    /// Loads, merges and checks everything.
    ///
    /// # Errors
    ///
    /// All problems of all files, when one of them keeps a rule from loading.
    pub fn build(&self) -> Result<Catalog, Problems> {
        let mut sources = SourceMap::default();
        let mut reader = Reader { problems: self.problems.clone() };
        // The built-in texts were hashed at build time: a start does not read them.
        let mut hash = Fnv::default();
        hash.add(builtin::HASH.as_bytes());
        hash.add(&[u8::from(self.builtin)]);
        let alone = self.builtin && self.inputs.is_empty() && self.problems.is_empty();
        if let Some(pack) = builtin::PACK.filter(|_| alone) {
            return Ok(pack::thaw(pack, hash.0));
        }
        let mut documents: Vec<(Layer, Node)> = Vec::new();
        for file in builtin::files(|path| self.builtin || TABLES.contains(&path)) {
            if let Some(base) = sources.add(file.path.to_owned(), Text::Static(file.text)) {
                documents.extend(file.documents.into_iter().map(|mut document| {
                    shift::shift(&mut document, base);
                    (Layer::Builtin, document)
                }));
            }
        }
        for input in &self.inputs {
            hash.add(input.layer.as_str().as_bytes());
            hash.add(input.text.as_bytes());
            let text = Text::Owned(input.text.clone());
            let Some(base) = sources.add(input.name.clone(), text) else {
                let message = format!("{}: all rule files together pass 4 GiB", input.name);
                reader.report(Problem::without_place(Code::Unreadable, message));
                continue;
            };
            match parse(&input.text) {
                Ok(list) => documents.extend(list.into_iter().map(|mut document| {
                    shift::shift(&mut document, base);
                    (input.layer, document)
                })),
                Err(error) => {
                    let span = Span { start: error.span.start + base, end: error.span.end + base };
                    let problem = Problem::new(Code::YamlSyntax, span, error.message);
                    reader.report(match error.help {
                        Some(help) => problem.help(help),
                        None => problem,
                    });
                }
            }
        }
        let mut inner = assemble(&documents, &mut reader);
        inner.hash = hash.0;
        let sources = Arc::new(sources);
        inner.sources = sources.clone().into();
        let problems = Problems::new(std::mem::take(&mut reader.problems), sources);
        if problems.has_errors() {
            return Err(problems);
        }
        inner.warnings = problems.iter().cloned().collect();
        Ok(Catalog { inner: Arc::new(inner) })
    }
}

/// From documents to a catalogue; what is wrong is in `reader`.
fn assemble(documents: &[(Layer, Node)], reader: &mut Reader) -> Inner {
    let mut categories = CategoryTable::bare();
    let mut services = ServiceReader::default();
    let mut facts = FactTable::default();
    let mut rules: Vec<RawRule<'_>> = Vec::new();
    let mut lists = RawLists::default();
    let mut patches: Vec<Patch<'_>> = Vec::new();
    let mut contexts: Vec<(Layer, &Node)> = Vec::new();
    for (layer, document) in documents {
        let Some(fields) = reader.mapping(document, "a document", DOCUMENT_KEYS) else { continue };
        check_schema(&fields, reader);
        if let Some(node) = fields.get("categories") {
            categories.read(node, *layer, reader);
        }
        contexts.extend(fields.get("facts").map(|node| (*layer, node)));
        if let Some(node) = fields.get("services") {
            rules.extend(services.read(node, *layer, reader));
        }
        if let Some(node) = fields.get("rules") {
            for node in reader.list(node, "rules") {
                rules.extend(raw_rule(node, *layer, reader));
            }
        }
        if let Some(node) = fields.get("lists") {
            lists.read(node, reader);
        }
        if let Some(node) = fields.get("patch") {
            for node in reader.one_or_more(node, "patches") {
                match lists::is_patch(node) {
                    true => lists.read_patch(node, *layer, reader),
                    false => patches.extend(merge::read_patch(node, *layer, reader)),
                }
            }
        }
    }
    let expiries = patches.iter().filter_map(|patch| Some((patch.target, patch.expires.as_ref()?)));
    lint::expired(expiries.chain(lists.expiries()), reader);
    let lists = lists.finish(reader);
    let services = services.finish();
    // What stands alone before what adds to it, of each layer: the order of files does not count.
    contexts.sort_by_key(|&(layer, node)| (layer, !table::is_alone(node)));
    contexts.iter().for_each(|(_, node)| facts.read(node, reader));
    let index = Index::new(&rules, reader);
    let merged = merge::merge(&rules, &patches, &index, reader);
    let mut disabled: Vec<Box<str>> = Vec::new();
    let mut list: Vec<Rule> = Vec::with_capacity(merged.len());
    let mut seen = std::collections::HashSet::new();
    for (raw, merged) in rules.iter().zip(&merged) {
        match merged {
            // A duplicate id has been reported; the first stands.
            Some(rule) if seen.insert(&*raw.id) => {
                list.extend(rule::decode(rule, &categories, &lists, reader));
            }
            Some(_) => {}
            None => disabled.push(raw.id.clone()),
        }
    }
    list.sort_by(|a, b| a.id.cmp(&b.id));
    let mut renamed: Vec<(Box<str>, usize)> = Vec::new();
    for (at, rule) in list.iter().enumerate() {
        renamed.extend(rule.renames.iter().map(|id| (id.clone(), at)));
    }
    renamed.sort();
    check::check(
        &mut list,
        &Names { renamed: &renamed, disabled: &disabled, services: &services, index: &index },
        reader,
    );
    lists.report_unused(reader);
    Inner {
        ids: list.iter().map(|rule| rule.id.as_bytes()).collect(),
        rules: list.into(),
        renamed,
        disabled,
        services,
        categories,
        facts,
        sources: OnceCell::new(),
        hash: 0,
        warnings: Vec::new(),
        pack: None,
    }
}

fn check_schema(fields: &fields::Fields<'_>, reader: &mut Reader) {
    match fields.get("schema") {
        Some(Node { kind: Kind::Number(text), .. }) if text == "1" => {}
        Some(node) => reader.report(
            Problem::new(Code::SchemaVersion, node.span, "this is not a schema that is known")
                .help("this version of whyerr reads `schema: 1`"),
        ),
        None => reader.report(
            Problem::new(Code::SchemaVersion, fields.span, "the document does not name its schema")
                .help("start every document with `schema: 1`"),
        ),
    }
}

fn raw_rule<'n>(node: &'n Node, layer: Layer, reader: &mut Reader) -> Option<RawRule<'n>> {
    let Kind::Mapping(entries) = &node.kind else {
        reader.wrong_type(node, "a rule (a mapping)");
        return None;
    };
    let Some((_, id)) = entries.iter().find(|(key, _)| key.name == "id") else {
        reader.report(Problem::new(Code::MissingKey, node.span, "a rule needs `id`"));
        return None;
    };
    let text = reader.text(id)?;
    if !is_rule_id(text) {
        reader.report(
            Problem::new(Code::BadId, id.span, format!("`{text}` is not a rule id"))
                .help("lower-case letters, digits, `-` and `.`, with a group: `group.name`"),
        );
        return None;
    }
    let fields = entries
        .iter()
        .map(|(key, node)| Field {
            key: std::borrow::Cow::Borrowed(key),
            node: std::borrow::Cow::Borrowed(node),
        })
        .collect();
    Some(RawRule { id: text.into(), span: id.span, layer, fields })
}

fn is_rule_id(id: &str) -> bool {
    id.contains('.') && id.split('.').all(service::is_service_id)
}

/// Deepest folder that is searched for rule files.
const MAX_FOLDER_DEPTH: usize = 16;

fn collect(path: &Path, files: &mut Vec<PathBuf>, depth: usize) -> std::io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == MAX_FOLDER_DEPTH {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let is_yaml = path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml");
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && (is_yaml || path.is_dir()) {
            collect(&path, files, depth + 1)?;
        }
    }
    Ok(())
}

/// Reads a file without ever holding more than a rule file may have.
fn read_bounded(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(format!("the file is larger than the {MAX_FILE_BYTES} bytes of a rule file"));
    }
    String::from_utf8(bytes).map_err(|error| {
        format!("not UTF-8 at byte {}: save the file as UTF-8", error.utf8_error().valid_up_to())
    })
}
