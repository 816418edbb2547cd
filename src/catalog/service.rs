//! Services: who raises errors, what betrays them in a text, their links and code tables.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fields::{Fields, Reader};
use super::merge::{Field, RawRule};
use super::rule::RULE_KEYS;
use super::signature::signatures;
use crate::engine::literals;
use crate::frozen::{Column, Lazy, Strings};
use crate::problem::{Code, Problem};
use crate::rule::model::{Signature, SignatureKind};
use crate::rule::words::Layer;
use crate::yaml::node::{Key, Kind, Node, Span};

const KEYS: &[&str] = &[
    "id",
    "name",
    "kind",
    "aliases",
    "hosts",
    "marks",
    "sdk",
    "hints",
    "links",
    "components",
    "products",
    "coarse_codes",
    "codes",
    "notes",
];
/// Links that texts may name as `{service.billing}`.
pub(crate) const LINKS: &[&str] =
    &["dashboard", "limits", "billing", "keys", "status", "docs", "errors", "models", "support"];
const GROUP_KEYS: &[&str] = &["product", "references", "rows", "extends"];

/// A service of the catalogue.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Service {
    /// Stable id.
    pub id: Box<str>,
    /// Name for people.
    pub name: Box<str>,
    /// What kind of service it is, such as `llm-api` or `database`.
    pub kind: Box<str>,
    /// Other names.
    pub aliases: Vec<Box<str>>,
    /// Hosts whose mention makes the service known.
    pub hosts: Vec<Box<str>>,
    /// Links by name, such as `billing` and `status`.
    pub links: Vec<(Box<str>, Box<str>)>,
    /// Parts that fail on their own.
    pub components: Vec<Box<str>>,
    /// Products with codes of their own.
    pub products: Vec<Product>,
    /// A remark for the reference page.
    pub notes: Option<Box<str>>,
    pub(crate) marks: Vec<Signature>,
    pub(crate) weak: Vec<Signature>,
    pub(crate) coarse_codes: Vec<Box<str>>,
    /// Codes of the code tables.
    pub(crate) codes: Vec<Box<str>>,
    pub(crate) span: Span,
}

/// A product of a service: the same code may mean something else in another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Product {
    /// Id within the service.
    pub id: Box<str>,
    /// Name for people.
    pub name: Box<str>,
    /// Hosts whose mention makes the product known.
    pub hosts: Vec<Box<str>>,
    /// Assumed where no product is known.
    pub default: bool,
}

impl Service {
    /// The link of this name, if the service has one.
    pub fn link(&self, name: &str) -> Option<&str> {
        self.links.iter().find(|(key, _)| &**key == name).map(|(_, url)| &**url)
    }

    pub(crate) fn default_product(&self) -> Option<&str> {
        self.products.iter().find(|product| product.default).map(|product| &*product.id)
    }
}

/// All services, with every name they go by.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct ServiceTable {
    /// By id, so that nothing depends on the order of files.
    pub(crate) list: Lazy<Service>,
    /// Normalised and sorted.
    names: Strings,
    /// Whose each name is.
    named: Column<u32>,
}

impl ServiceTable {
    /// By id, name or alias; case, spaces and underscores do not matter.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let exactly = |name: &str| self.names.find(|known| known.cmp(name.as_bytes()));
        let at = exactly(name).or_else(|| exactly(&normalize(name)))?;
        Some(self.named.at(at) as usize)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|service| &*service.id)
    }
}

/// Collects services and their names.
#[derive(Default)]
pub(crate) struct ServiceReader {
    list: Vec<Service>,
    by_name: BTreeMap<String, usize>,
}

impl ServiceReader {
    /// The table of all that was read.
    pub(crate) fn finish(self) -> ServiceTable {
        let mut list: Vec<(usize, Service)> = self.list.into_iter().enumerate().collect();
        list.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        let mut moved = vec![0; list.len()];
        for (new, &(old, _)) in list.iter().enumerate() {
            moved[old] = new as u32;
        }
        ServiceTable {
            list: list.into_iter().map(|(_, service)| service).collect::<Vec<_>>().into(),
            names: self.by_name.keys().collect(),
            named: self.by_name.values().map(|&at| moved[at]).collect(),
        }
    }

    fn insert(&mut self, service: Service, reader: &mut Reader) {
        let at = self.list.len();
        let names: Vec<String> = [&service.id, &service.name]
            .into_iter()
            .chain(&service.aliases)
            .map(|name| normalize(name))
            .collect();
        for name in names {
            match self.by_name.get(&name) {
                Some(&other) if other != at => {
                    let first = &self.list[other];
                    let message = format!(
                        "services `{}` and `{}` share a name: {name}",
                        first.id, service.id
                    );
                    reader.report(
                        Problem::new(Code::DuplicateId, service.span, message)
                            .also(first.span, "the first one"),
                    );
                }
                _ => {
                    self.by_name.insert(name, at);
                }
            }
        }
        self.list.push(service);
    }

    /// Reads a `services:` list; returns the rules that their code tables expand to.
    pub(crate) fn read<'n>(
        &mut self,
        node: &'n Node,
        layer: Layer,
        reader: &mut Reader,
    ) -> Vec<RawRule<'n>> {
        let mut rows = Vec::new();
        for node in reader.list(node, "services") {
            let Some(fields) = reader.mapping(node, "a service", KEYS) else { continue };
            let Some(mut service) = read_service(&fields, reader) else { continue };
            if let Some(node) = fields.get("codes") {
                for group in reader.list(node, "code tables") {
                    rows.extend(read_group(group, &mut service, layer, reader));
                }
            }
            self.insert(service, reader);
        }
        rows
    }
}

fn normalize(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '_'], "-")
}

pub(crate) fn is_service_id(id: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = id.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|&b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn read_service(fields: &Fields<'_>, reader: &mut Reader) -> Option<Service> {
    let id_node = reader.require(fields, "id", "a service")?;
    let id = reader.boxed(id_node)?;
    if !is_service_id(&id) {
        let message = format!("`{id}` is not a service id");
        reader.report(
            Problem::new(Code::BadId, id_node.span, message)
                .help("lower-case letters, digits and `-`"),
        );
    }
    let name = reader.require(fields, "name", "a service").and_then(|node| reader.boxed(node));
    let texts = |reader: &mut Reader, name| {
        fields.get(name).map(|node| reader.texts(node)).unwrap_or_default()
    };
    let (aliases, hosts) = (texts(reader, "aliases"), texts(reader, "hosts"));
    let (components, coarse_codes) = (texts(reader, "components"), texts(reader, "coarse_codes"));
    if let Some(node) = fields.get("hosts") {
        check_hosts(&hosts, node, reader);
    }
    let marks = fields.get("marks").map(|node| signatures(reader, node)).unwrap_or_default();
    let mut weak = fields.get("sdk").map(|node| signatures(reader, node)).unwrap_or_default();
    weak.extend(fields.get("hints").map(|node| signatures(reader, node)).unwrap_or_default());
    let mut links = Vec::new();
    if let Some(node) = fields.get("links")
        && let Some(fields) = reader.mapping(node, "`links`", LINKS)
    {
        for (key, node) in fields.iter() {
            if let Some(url) = reader.boxed(node) {
                links.push(((&*key.name).into(), url));
            }
        }
    }
    let products = fields.get("products").map(|node| products(node, reader)).unwrap_or_default();
    let kind = fields.get("kind").and_then(|node| reader.boxed(node));
    Some(Service {
        name: name?,
        kind: kind.unwrap_or_else(|| "other".into()),
        aliases,
        hosts,
        links,
        components,
        products,
        notes: fields.get("notes").and_then(|node| reader.boxed(node)),
        marks,
        weak,
        coarse_codes,
        codes: Vec::new(),
        span: id_node.span,
        id,
    })
}

fn check_hosts(hosts: &[Box<str>], node: &Node, reader: &mut Reader) {
    for host in hosts {
        let signature =
            Signature { kind: SignatureKind::Host, pattern: host.clone(), case_sensitive: false };
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-:_/".contains(&byte);
        if !host.contains('.')
            || !host.bytes().all(known)
            || literals::required(&signature).is_err()
        {
            let message = format!("`{host}` is not a host name");
            reader.report(Problem::new(Code::BadSignature, node.span, message));
        }
    }
}

fn products(node: &Node, reader: &mut Reader) -> Vec<Product> {
    let mut list = Vec::new();
    for node in reader.list(node, "products") {
        let keys = &["id", "name", "hosts", "default"];
        let Some(fields) = reader.mapping(node, "a product", keys) else { continue };
        let id = reader.require(&fields, "id", "a product").and_then(|node| reader.boxed(node));
        let name = fields.get("name").and_then(|node| reader.boxed(node));
        let hosts = fields.get("hosts").map(|node| reader.texts(node)).unwrap_or_default();
        if let Some(node) = fields.get("hosts") {
            check_hosts(&hosts, node, reader);
        }
        let default = fields.get("default").and_then(|node| reader.boolean(node)).unwrap_or(false);
        if let Some(id) = id {
            list.push(Product { name: name.unwrap_or_else(|| id.clone()), id, hosts, default });
        }
    }
    list
}

/// Expands one code table.
fn read_group<'n>(
    node: &'n Node,
    service: &mut Service,
    layer: Layer,
    reader: &mut Reader,
) -> Vec<RawRule<'n>> {
    let Some(group) = reader.mapping(node, "a code table", GROUP_KEYS) else { return Vec::new() };
    let product = match group.get("product") {
        Some(node) => {
            let Some(id) = reader.boxed(node) else { return Vec::new() };
            if !service.products.iter().any(|product| product.id == id) {
                let message = format!("service `{}` has no product `{id}`", service.id);
                let known: Vec<_> = service.products.iter().map(|p| p.id.clone()).collect();
                reader.report(
                    Problem::new(Code::UnknownProduct, node.span, message)
                        .did_you_mean(&id, known.iter().map(|id| &**id)),
                );
            }
            Some(id)
        }
        None => None,
    };
    let Some(rows) = reader.require(&group, "rows", "a code table") else { return Vec::new() };
    let mut rules = Vec::new();
    for row in reader.list(rows, "rows") {
        rules.extend(read_row(row, &group, product.as_deref(), service, layer, reader));
    }
    rules
}

fn read_row<'n>(
    node: &'n Node,
    group: &Fields<'n>,
    product: Option<&str>,
    service: &mut Service,
    layer: Layer,
    reader: &mut Reader,
) -> Option<RawRule<'n>> {
    let keys: Vec<&'static str> = ["code", "texts"]
        .into_iter()
        .chain(RULE_KEYS.iter().copied().filter(|key| !["id", "when", "service"].contains(key)))
        .collect();
    let fields = reader.mapping(node, "a row of a code table", &keys)?;
    let code_node = reader.require(&fields, "code", "a row")?;
    let codes: Vec<&'n str> = reader
        .one_or_more(code_node, "codes")
        .iter()
        .filter_map(|node| reader.scalar(node))
        .collect();
    let first = codes.first()?;
    service.codes.extend(codes.iter().map(|&code| code.into()));
    let texts: &'n [Node] = match fields.get("texts") {
        Some(node) => reader.list(node, "texts"),
        None => &[],
    };
    let default = product.is_none() || product == service.default_product();
    let slug: String = first
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let id = match product {
        Some(product) if !default => format!("{}.{product}.{slug}", service.id),
        _ => format!("{}.{slug}", service.id),
    };

    let at = code_node.span;
    let mut rule = RawRule { id: id.into(), span: at, layer, fields: Vec::new() };
    let inherited = ["references", "extends"].into_iter().filter_map(|name| group.entry(name));
    for (key, node) in inherited.chain(fields.iter()) {
        if !["code", "texts", "match", "examples"].contains(&&*key.name) {
            rule.fields.retain(|old| old.key.name != key.name);
            rule.fields.push(Field { key: Cow::Borrowed(key), node: Cow::Borrowed(node) });
        }
    }
    let mut own = |name: &str, node| {
        let key = Key { span: at, name: name.to_owned().into() };
        rule.fields.push(Field { key: Cow::Owned(key), node: Cow::Owned(node) });
    };
    let tree = Tree { at };
    let mut gate = vec![("service", tree.list([tree.text(&service.id)]))];
    if let Some(product) = product {
        gate.push(("product", tree.list([tree.text(product)])));
    }
    let gate = tree.map(gate);
    let code_list = match &code_node.kind {
        Kind::Sequence(_) => code_node.clone(),
        _ => tree.list([code_node.clone()]),
    };
    let any = tree.list(texts.iter().map(|text| tree.map([("text", text.clone())])));
    let mut blocks = vec![tree.map([("when", gate.clone()), ("code", code_list.clone())])];
    if !texts.is_empty() {
        blocks.push(tree.map([("when", gate.clone()), ("any", any.clone())]));
        blocks.push(tree.map([("when", gate), ("code", code_list), ("any", any)]));
    }
    match fields.get("match").map(|node| (node, &node.kind)) {
        Some((_, Kind::Sequence(more))) => blocks.extend_from_slice(more),
        Some((node, _)) => blocks.push(node.clone()),
        None => {}
    }
    own("match", tree.list(blocks));
    own("service", tree.text(&service.id));
    let mut example = vec![("service", tree.text(&service.id)), ("code", tree.text(first))];
    if let Some(product) = product {
        example.push(("product", tree.text(product)));
    }
    if let Some(text) = texts.first() {
        example.push(("text", text.clone()));
    }
    let mut examples = vec![tree.map(example)];
    if let Some(Node { kind: Kind::Sequence(more), .. }) = fields.get("examples") {
        examples.extend_from_slice(more);
    }
    own("examples", tree.list(examples));
    Some(rule)
}

/// Builds trees that stand at one place.
#[derive(Clone, Copy)]
struct Tree {
    at: Span,
}

impl Tree {
    fn text(self, text: &str) -> Node {
        Node { span: self.at, kind: Kind::String(text.to_owned().into()) }
    }

    fn list(self, items: impl IntoIterator<Item = Node>) -> Node {
        Node { span: self.at, kind: Kind::Sequence(items.into_iter().collect()) }
    }

    fn map<'k>(self, entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
        let entries = entries
            .into_iter()
            .map(|(name, node)| (Key { span: self.at, name: name.to_owned().into() }, node))
            .collect();
        Node { span: self.at, kind: Kind::Mapping(entries) }
    }
}
