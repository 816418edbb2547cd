//! Reading typed values out of trees, with a problem for everything that does not fit.

use std::time::Duration;

use crate::problem::{Code, Problem};
use crate::yaml::node::{Key, Kind, Node, Span};

/// Collects problems while values are read. Every `read` returns what could be read, so that one
/// pass reports all there is to report.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) problems: Vec<Problem>,
}

/// The entries of a mapping whose keys have been checked.
pub(crate) struct Fields<'n> {
    pub(crate) span: Span,
    entries: Vec<(&'n Key, &'n Node)>,
}

impl<'n> Fields<'n> {
    pub(crate) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|(_, node)| node)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<(&'n Key, &'n Node)> {
        self.entries.iter().find(|(key, _)| key.name == name).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'n Key, &'n Node)> {
        self.entries.iter().copied()
    }
}

/// What a node is, for people.
fn type_of(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Null => "nothing",
        Kind::Bool(_) => "true or false",
        Kind::Number(_) => "a number",
        Kind::String(_) => "a text",
        Kind::Sequence(_) => "a list",
        Kind::Mapping(_) => "a mapping",
    }
}

impl Reader {
    pub(crate) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn wrong_type(&mut self, node: &Node, wanted: &str) {
        let problem = match &node.kind {
            Kind::Null => {
                Problem::new(Code::EmptyValue, node.span, format!("{wanted} is missing here"))
            }
            _ => Problem::new(
                Code::WrongType,
                node.span,
                format!("{} stands where {wanted} is needed", type_of(node)),
            ),
        };
        self.report(match &node.kind {
            Kind::Null => problem.help(
                "fill it in, or leave the key out; what follows ` #` is a comment unless quoted",
            ),
            Kind::Number(text) if wanted.contains("text") => {
                problem.help(format!("quote it: \"{text}\""))
            }
            Kind::Bool(_) if wanted.contains("text") => problem.help("quote it"),
            _ if wanted.starts_with("a list") => problem
                .help("put it in brackets, `[ ... ]`, or write each item on a line with `- `"),
            _ => problem,
        });
    }

    /// A mapping of which every key is in `keys`; `what` names it in messages.
    pub(crate) fn mapping<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        keys: &[&'static str],
    ) -> Option<Fields<'n>> {
        let Kind::Mapping(entries) = &node.kind else {
            let first = self.problems.len();
            self.wrong_type(node, &format!("{what} (a mapping)"));
            if let Some(problem) = self.problems.get_mut(first)
                && problem.help_text().is_none()
            {
                *problem = problem.clone().help(format!("it has the keys: {}", keys.join(", ")));
            }
            return None;
        };
        let entries: Vec<_> = entries.iter().map(|(key, value)| (key, value)).collect();
        Some(self.fields(node.span, entries, what, keys))
    }

    /// The same for entries that were gathered from several places.
    pub(crate) fn fields<'n>(
        &mut self,
        span: Span,
        entries: Vec<(&'n Key, &'n Node)>,
        what: &str,
        keys: &[&'static str],
    ) -> Fields<'n> {
        for (key, _) in &entries {
            if !keys.contains(&&*key.name) {
                let message = format!("{what} has no key `{}`", key.name);
                let problem = Problem::new(Code::UnknownKey, key.span, message)
                    .did_you_mean(&key.name, keys.iter().copied());
                let problem = if problem.help_text().is_none() {
                    problem.help(format!("known keys: {}", keys.join(", ")))
                } else {
                    problem
                };
                self.report(problem);
            }
        }
        Fields { span, entries }
    }

    /// A required key.
    pub(crate) fn require<'n>(
        &mut self,
        fields: &Fields<'n>,
        name: &str,
        what: &str,
    ) -> Option<&'n Node> {
        let node = fields.get(name);
        if node.is_none() {
            let message = format!("{what} needs `{name}`");
            self.report(Problem::new(Code::MissingKey, fields.span, message));
        }
        node
    }

    /// A text that is not empty.
    pub(crate) fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match &node.kind {
            Kind::String(text) if text.trim().is_empty() => {
                self.report(Problem::new(Code::EmptyValue, node.span, "the text is empty"));
                None
            }
            Kind::String(text) => Some(text),
            _ => {
                self.wrong_type(node, "a text");
                None
            }
        }
    }

    /// A text without surrounding white space, as owned.
    pub(crate) fn boxed(&mut self, node: &Node) -> Option<Box<str>> {
        self.text(node).map(|text| text.trim().into())
    }

    /// A text or a number, as text: codes, values.
    pub(crate) fn scalar<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match &node.kind {
            Kind::Number(text) => Some(text),
            Kind::Bool(value) => Some(if *value { "true" } else { "false" }),
            _ => self.text(node),
        }
    }

    pub(crate) fn boolean(&mut self, node: &Node) -> Option<bool> {
        match node.kind {
            Kind::Bool(value) => Some(value),
            _ => {
                self.wrong_type(node, "true or false");
                None
            }
        }
    }

    pub(crate) fn number(
        &mut self,
        node: &Node,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let Kind::Number(text) = &node.kind else {
            self.wrong_type(node, "a number");
            return None;
        };
        match text.parse::<i64>() {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let message = format!(
                    "{text} is not a whole number from {} to {}",
                    range.start(),
                    range.end()
                );
                self.report(Problem::new(Code::BadNumber, node.span, message));
                None
            }
        }
    }

    /// A list that is not empty.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, of: &str) -> &'n [Node] {
        match &node.kind {
            Kind::Sequence(items) if items.is_empty() => {
                self.report(Problem::new(Code::EmptyValue, node.span, "the list is empty"));
                &[]
            }
            Kind::Sequence(items) => items,
            _ => {
                self.wrong_type(node, &format!("a list of {of}"));
                &[]
            }
        }
    }

    /// A value, or a list of values.
    pub(crate) fn one_or_more<'n>(&mut self, node: &'n Node, of: &str) -> &'n [Node] {
        match &node.kind {
            Kind::Sequence(_) => self.list(node, of),
            _ => std::slice::from_ref(node),
        }
    }

    pub(crate) fn texts(&mut self, node: &Node) -> Vec<Box<str>> {
        self.list(node, "texts").iter().filter_map(|item| self.boxed(item)).collect()
    }

    /// One text or variants of it.
    pub(crate) fn variants(&mut self, node: &Node) -> Vec<Box<str>> {
        self.one_or_more(node, "texts").iter().filter_map(|item| self.boxed(item)).collect()
    }

    /// A word of a closed list.
    pub(crate) fn word<T>(
        &mut self,
        node: &Node,
        what: &str,
        code: Code,
        all: &[T],
        id: impl Fn(&T) -> &'static str,
    ) -> Option<T>
    where
        T: Copy,
    {
        let text = self.text(node)?;
        let found = all.iter().find(|word| id(word) == text).copied();
        if found.is_none() {
            let words: Vec<&'static str> = all.iter().map(&id).collect();
            let message = format!("`{text}` is not a {what}");
            let problem =
                Problem::new(code, node.span, message).did_you_mean(text, words.iter().copied());
            let problem = if problem.help_text().is_none() {
                problem.help(format!("one of: {}", words.join(", ")))
            } else {
                problem
            };
            self.report(problem);
        }
        found
    }

    /// A key that need not be there, whose value is a word of a closed list.
    pub(crate) fn word_of<T: Copy>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        all: &[T],
        id: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let node = fields.get(name)?;
        self.word(node, &format!("value of `{name}`"), Code::UnknownValue, all, |word| id(*word))
    }

    pub(crate) fn duration(&mut self, node: &Node) -> Option<Duration> {
        let text = self.scalar(node)?;
        let duration = crate::facts::values::duration(text, None);
        if duration.is_none() {
            let message = format!("`{text}` is not a duration");
            self.report(
                Problem::new(Code::BadDuration, node.span, message)
                    .help("a number and a unit: 500ms, 1s, 2m, 1h"),
            );
        }
        duration
    }

    /// `YYYY-MM-DD`. YAML reads such a date as text.
    pub(crate) fn date(&mut self, node: &Node) -> Option<Box<str>> {
        let text = self.scalar(node)?;
        if text.parse::<jiff::civil::Date>().is_err() || text.len() != 10 {
            let message = format!("`{text}` is not a date");
            self.report(Problem::new(Code::BadTime, node.span, message).help("write YYYY-MM-DD"));
            return None;
        }
        Some(text.into())
    }
}
