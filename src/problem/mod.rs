//! Problems of rule files, as data.
//!
//! Everything that is wrong with a set of rule files is found in one go and reported together:
//! a stable code, a message, the places with a few words each, and what to do.

mod codes;
mod render;
mod source;

use std::fmt;
use std::sync::Arc;

pub use codes::{Code, Level};
pub use source::Place;
pub(crate) use source::{SourceMap, Text};

use crate::yaml::node::Span;

/// One thing that is wrong in a rule file.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    code: Code,
    message: String,
    labels: Vec<Label>,
    help: Option<String>,
}

/// A place that a problem points at. The first one of a problem is where it stands.
#[derive(Debug, Clone, PartialEq)]
struct Label {
    span: Span,
    text: String,
}

impl Problem {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Problem {
        let labels = vec![Label { span, text: String::new() }];
        Problem { code, message: message.into(), labels, help: None }
    }

    /// A problem of something that has no text, such as a file that cannot be read.
    pub(crate) fn without_place(code: Code, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), labels: Vec::new(), help: None }
    }

    /// Words beside the caret.
    pub(crate) fn label(mut self, text: impl Into<String>) -> Problem {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// A second place: "first defined here".
    pub(crate) fn also(mut self, span: Span, text: impl Into<String>) -> Problem {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Adds "did you mean" where a known word is close to the one that was written.
    pub(crate) fn did_you_mean<'a>(
        self,
        written: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Problem {
        match closest(written, known) {
            Some(word) => self.help(format!("did you mean `{word}`?")),
            None => self,
        }
    }

    /// What kind of problem it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Whether it keeps the rules from loading.
    pub fn level(&self) -> Level {
        self.code.level()
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, where there is something to say beyond the message.
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    pub(crate) fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// All problems of a set of rule files, with the texts to draw them.
///
/// `Display` draws every one as `code: message`, `file:line:col`, the source line and a caret.
#[derive(Clone)]
pub struct Problems {
    list: Vec<Problem>,
    sources: Arc<SourceMap>,
}

impl Problems {
    /// Sorted by place; the same problem at the same place (a field that many rules inherit)
    /// stands once.
    pub(crate) fn new(mut list: Vec<Problem>, sources: Arc<SourceMap>) -> Problems {
        list.sort_by(|a, b| {
            let key = |p: &Problem| (p.span().map(|span| (span.start, span.end)), p.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        list.dedup_by(|a, b| a.code == b.code && a.span() == b.span() && a.span().is_some());
        Problems { list, sources }
    }

    /// The problems, in the order of sources and lines.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one of them keeps the rules from loading.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.level() == Level::Error)
    }

    /// Where `problem` stands, if it stands in a text.
    pub fn place(&self, problem: &Problem) -> Option<Place> {
        self.sources.place(problem.span()?)
    }

    /// Draws all problems; `color` adds terminal colours.
    pub fn render(&self, color: bool) -> String {
        render::render(&self.list, &self.sources, color)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problems {}

/// The known word nearest to `written`, if it is near enough to be a misspelling.
pub(crate) fn closest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_ascii_lowercase().replace('_', "-");
    let limit = (written.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|word| (distance(&written, &word.to_ascii_lowercase().replace('_', "-"), limit), word))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, word)| word)
}

/// Optimal string alignment distance (edits and swaps of neighbours), at most `limit + 1`.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best =
                (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_their_word() {
        let known = ["category", "counterexamples", "http_status"];
        assert_eq!(closest("catgory", known), Some("category"));
        assert_eq!(closest("counterexample", known), Some("counterexamples"));
        assert_eq!(closest("http-status", known), Some("http_status"));
        assert_eq!(closest("severity", known), None);
    }

    #[test]
    fn every_code_has_a_unique_id_and_an_explanation() {
        let mut ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.explanation().len() > 30, "{}", code.id());
        }
    }
}
