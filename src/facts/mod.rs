//! Facts: typed values of an event, each with where it comes from.
//!
//! Given by the caller > read from a field > recognised in prose. Facts are multi-valued: a 429
//! inside of a 500 envelope gives both, and rules decide which they ask for.

pub(crate) mod codes;
mod headers;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod values;

use std::time::{Duration, SystemTime};

use crate::catalog::service::ServiceTable;
use crate::event::{Event, FieldFact, Role};
use table::{Context, FactTable, Subject};
use text::{Range, Views};
pub use values::Value;

/// Where a fact comes from; the highest present counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Provenance {
    /// A model name, a client library: names a service where nothing better is there.
    Hint,
    /// The rule that won belongs to this service.
    Rule,
    /// Recognised in prose.
    Prose,
    /// A host, or a string that only this service prints.
    Mark,
    /// A field of structured text.
    Field,
    /// Given by the caller.
    Caller,
}

impl Provenance {
    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Provenance::Caller => "caller",
            Provenance::Field => "field",
            Provenance::Mark => "mark",
            Provenance::Prose => "prose",
            Provenance::Rule => "rule",
            Provenance::Hint => "hint",
        }
    }
}

/// A value with its provenance and, if it stands in the text, its place there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact<T> {
    pub(crate) value: T,
    pub(crate) from: Provenance,
    pub(crate) at: Option<Range>,
}

/// Everything that is known of an event beside its text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    /// Indices into the catalogue's services.
    pub(crate) services: Vec<Fact<usize>>,
    /// The caller's name for a service that the catalogue does not know.
    pub(crate) unknown_service: Option<String>,
    /// Ids of products, only of known services.
    pub(crate) products: Vec<Fact<Box<str>>>,
    pub(crate) http_status: Vec<Fact<u16>>,
    /// Places of statuses under the key `code`: dropped if the service's own table has the number.
    claimable: Vec<Range>,
    pub(crate) grpc_status: Vec<Fact<u8>>,
    pub(crate) exit_code: Vec<Fact<i32>>,
    pub(crate) signal: Vec<Fact<u8>>,
    pub(crate) codes: Vec<Fact<Box<str>>>,
    /// Contexts of waits that may match: read once a rule has matched.
    waits: Vec<(usize, Range)>,
    pub(crate) header_wait: Option<headers::Wait>,
    pub(crate) retry_after: Option<Fact<Duration>>,
    pub(crate) reset_at: Option<Fact<SystemTime>>,
}

pub(crate) use headers::Wait;

impl Facts {
    /// What the caller says.
    pub(crate) fn given(event: &Event<'_>, services: &ServiceTable) -> Facts {
        fn caller<T>(value: T) -> Vec<Fact<T>> {
            vec![Fact { value, from: Provenance::Caller, at: None }]
        }
        let mut facts = Facts {
            http_status: event.http_status.map(caller).unwrap_or_default(),
            grpc_status: event.grpc_status.map(caller).unwrap_or_default(),
            exit_code: event.exit_code.map(caller).unwrap_or_default(),
            signal: event.signal.map(caller).unwrap_or_default(),
            codes: event.codes.iter().flat_map(|code| caller(code.trim().into())).collect(),
            header_wait: headers::wait(&event.headers, event.time),
            ..Facts::default()
        };
        if let Some(name) = event.service.as_deref().filter(|name| !name.trim().is_empty()) {
            match services.find(name) {
                Some(service) => facts.services = caller(service),
                None => facts.unknown_service = Some(name.trim().to_owned()),
            }
        }
        if let Some(product) = event.product.as_deref() {
            facts.products = caller(product.trim().to_ascii_lowercase().into());
        }
        for field in event.fields.iter() {
            facts.add_field(field, services);
        }
        facts
    }

    /// Adds what a field of a record says. A service that the catalogue does not know says
    /// nothing: fields hold the names that a team gives its own programs.
    fn add_field(&mut self, field: &FieldFact<'_>, services: &ServiceTable) {
        let value = field.value.trim();
        let from = Provenance::Field;
        match field.role {
            Role::Service => {
                if let Some(service) = services.find(value) {
                    push(&mut self.services, service, from, None);
                }
            }
            Role::Product => {
                push(&mut self.products, value.to_ascii_lowercase().into(), from, None);
            }
            Role::HttpStatus => {
                if let Some(status) = value.parse().ok().filter(|s| (400..=599).contains(s)) {
                    push(&mut self.http_status, status, from, None);
                }
            }
            Role::GrpcStatus => {
                if let Some(status) = values::grpc_status(value) {
                    push(&mut self.grpc_status, status, from, None);
                }
            }
            Role::ExitCode => {
                if let Some(code) = values::exit_code(value).filter(|&code| code != 0) {
                    push(&mut self.exit_code, code, from, None);
                }
            }
            Role::Signal => {
                if let Some(signal) = values::signal(value) {
                    push(&mut self.signal, signal, from, None);
                }
            }
            Role::Code if !value.is_empty() => push(&mut self.codes, value.into(), from, None),
            Role::Code => {}
        }
    }

    /// Adds what stands in the text. `contexts` are those that can match, ascending, each with
    /// where in the raw text all its matches lie; the reference engine says everywhere of all.
    pub(crate) fn read(
        &mut self,
        views: &Views<'_>,
        table: &FactTable,
        contexts: impl Iterator<Item = (usize, Range)>,
    ) {
        for view in views.iter() {
            codes::scan(&view.bytes, table, |found| {
                let value = String::from_utf8_lossy(&view.bytes[found.start..found.end]);
                let at = Some(view.original(found.start, found.end));
                push(&mut self.codes, value.into(), Provenance::Field, at);
            });
        }
        for (index, window) in contexts {
            let context = table.contexts.get(index);
            match context.subject.is_wait() {
                true => self.waits.push((index, window)),
                false => self.read_context(context, views, window),
            }
        }
    }

    /// Adds the waits that stand in the text, once a rule has matched.
    pub(crate) fn read_waits(&mut self, views: &Views<'_>, table: &FactTable) {
        for (index, window) in std::mem::take(&mut self.waits) {
            self.read_context(table.contexts.get(index), views, window);
        }
    }

    fn read_context(&mut self, context: &Context, views: &Views<'_>, raw: Range) {
        let Some(regex) = context.regex() else { return };
        for (at, view) in views.iter().enumerate() {
            let text = &*view.bytes;
            let window = if at == 0 { raw } else { Range { start: 0, end: text.len() } };
            let text = text.get(..window.end).unwrap_or(text);
            let mut from = window.start;
            while from < text.len()
                && let Some(found) = regex.captures(text, Range { start: from, end: usize::MAX })
            {
                // No context matches nothing: it has literals.
                from = found.all.end.max(from + 1);
                let Some(group) = found.group else { continue };
                let value = String::from_utf8_lossy(&text[group.start..group.end]);
                self.add(context, &value, view.original(group.start, group.end));
            }
        }
    }

    fn add(&mut self, context: &Context, text: &str, at: Range) {
        let from = if context.field { Provenance::Field } else { Provenance::Prose };
        let at = Some(at);
        match context.subject {
            Subject::HttpStatus => {
                let number = text.parse().ok().filter(|status| (400..=599).contains(status));
                if let Some(number) = number {
                    if context.claimable {
                        self.claimable.extend(at.filter(|_| self.claimable.len() < MAX_FACTS));
                    }
                    push(&mut self.http_status, number, from, at);
                }
            }
            Subject::GrpcStatus => {
                if let Some(number) = values::grpc_status(text) {
                    push(&mut self.grpc_status, number, from, at);
                }
            }
            Subject::ExitCode => {
                let number = values::exit_code(text);
                if let Some(number) = number.filter(|&code| code != 0) {
                    push(&mut self.exit_code, number, from, at);
                }
            }
            Subject::Signal => {
                if let Some(number) = values::signal(text) {
                    push(&mut self.signal, number, from, at);
                }
            }
            Subject::Code => {
                let value = format!("{}{text}", context.prefix);
                push(&mut self.codes, value.into(), from, at);
            }
            Subject::RetryAfter => {
                if let Some(value) = values::duration(text, context.unit)
                    && self.retry_after.is_none()
                {
                    self.retry_after = Some(Fact { value, from, at });
                }
            }
            Subject::ResetAt => {
                if let Some(value) = values::time_in(text, context.zone)
                    && self.reset_at.is_none()
                {
                    self.reset_at = Some(Fact { value, from, at });
                }
            }
        }
    }

    /// Adds a service that a text betrays.
    pub(crate) fn add_service(&mut self, service: usize, from: Provenance, at: Range) {
        push(&mut self.services, service, from, Some(at));
    }

    /// Adds a product that a text betrays.
    pub(crate) fn add_product(&mut self, product: &str, at: Range) {
        push(&mut self.products, product.into(), Provenance::Mark, Some(at));
    }

    /// Best first, each value once: the order does not depend on how the facts were found.
    pub(crate) fn settle(&mut self, services: &ServiceTable) {
        fn order<T: PartialEq>(list: &mut Vec<Fact<T>>) {
            list.sort_by_key(|fact| (std::cmp::Reverse(fact.from), fact.at));
            let mut at = 0;
            while at < list.len() {
                let duplicate = list[..at].iter().any(|better| better.value == list[at].value);
                if duplicate {
                    list.remove(at);
                } else {
                    at += 1;
                }
            }
        }
        order(&mut self.services);
        order(&mut self.products);
        order(&mut self.http_status);
        order(&mut self.grpc_status);
        order(&mut self.exit_code);
        order(&mut self.signal);
        order(&mut self.codes);
        let known = self.known_services();
        let claimed = |status: u16| {
            let text = status.to_string();
            known.iter().any(|&s| services.list.get(s).codes.iter().any(|code| **code == *text))
        };
        let claimable = std::mem::take(&mut self.claimable);
        self.http_status.retain(|fact| {
            !(fact.at.is_some_and(|at| claimable.contains(&at)) && claimed(fact.value))
        });
    }

    /// Without what is read from other parts of the text. Services and products stay.
    pub(crate) fn within(&self, part: &std::ops::Range<usize>) -> Facts {
        fn keep<T>(list: &mut Vec<Fact<T>>, part: &std::ops::Range<usize>) {
            list.retain(|fact| {
                fact.at.is_none_or(|at| part.start <= at.start && at.end <= part.end)
            });
        }
        let mut facts = self.clone();
        keep(&mut facts.http_status, part);
        keep(&mut facts.grpc_status, part);
        keep(&mut facts.exit_code, part);
        keep(&mut facts.signal, part);
        keep(&mut facts.codes, part);
        facts
    }

    /// The services of the highest provenance, hints left out: what a gate asks for.
    pub(crate) fn known_services(&self) -> Vec<usize> {
        if self.unknown_service.is_some() {
            return Vec::new();
        }
        let best = self.services.iter().map(|fact| fact.from).max();
        match best {
            Some(best) if best > Provenance::Hint => self
                .services
                .iter()
                .filter(|fact| fact.from == best)
                .map(|fact| fact.value)
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The service that is shown when nothing better than a hint is there: hints that agree.
    pub(crate) fn hinted_service(&self) -> Option<usize> {
        let mut hints = self.services.iter().filter(|fact| fact.from == Provenance::Hint);
        let first = hints.next()?.value;
        hints.all(|fact| fact.value == first).then_some(first)
    }

    /// HTTP statuses of the highest provenance present.
    pub(crate) fn best_http_status(&self) -> impl Iterator<Item = &Fact<u16>> {
        let best = self.http_status.iter().map(|fact| fact.from).max();
        self.http_status.iter().filter(move |fact| Some(fact.from) == best)
    }
}

/// Most facts of one kind: an event that states more is noise, and looking for duplicates among
/// thousands would take a stranger's text quadratic time.
const MAX_FACTS: usize = 64;

fn push<T: PartialEq>(list: &mut Vec<Fact<T>>, value: T, from: Provenance, at: Option<Range>) {
    if list.len() >= MAX_FACTS {
        return;
    }
    // The same value at the same place in several views is one fact.
    if !list.iter().any(|old| old.value == value && old.from == from && old.at == at) {
        list.push(Fact { value, from, at });
    }
}
