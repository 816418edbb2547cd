//! The texts that rules come from, in one space of offsets.
//!
//! Every source gets a base; a span anywhere in the library is an offset into all of them
//! together. So a list that was inherited from one file and extended by a patch in another needs
//! no bookkeeping to say where each item stands.

use std::sync::Arc;

use crate::yaml::node::Span;

/// A text with rules: a file, a built-in file, a string given by the caller.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Path or name, as problems print it.
    pub(crate) name: String,
    pub(crate) text: Text,
    base: u32,
}

/// The built-in sources live in the program's image: nothing is copied at start.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    Static(&'static str),
    Owned(Arc<str>),
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Text::Static(text) => text,
            Text::Owned(text) => text,
        }
    }
}

/// All sources of a catalogue.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceMap {
    sources: Vec<Source>,
}

/// Where a span stands, for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path of the file, or the name given to the source.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

impl SourceMap {
    /// Adds a source and returns its base: the offset that its spans have to be moved by.
    /// `None` when all sources together pass 4 GiB.
    pub(crate) fn add(&mut self, name: String, text: Text) -> Option<u32> {
        let base = match self.sources.last() {
            // One byte between sources, so that an empty span at an end belongs to one source.
            Some(last) => {
                last.base.checked_add(u32::try_from(last.text.as_str().len()).ok()? + 1)?
            }
            None => 0,
        };
        base.checked_add(u32::try_from(text.as_str().len()).ok()?)?;
        self.sources.push(Source { name, text, base });
        Some(base)
    }

    /// The source that holds `span`, and the span within it.
    pub(crate) fn resolve(&self, span: Span) -> Option<(&Source, Span)> {
        let index = self.sources.partition_point(|source| source.base <= span.start);
        let source = self.sources.get(index.checked_sub(1)?)?;
        Some((
            source,
            Span { start: span.start - source.base, end: span.end.saturating_sub(source.base) },
        ))
    }

    pub(crate) fn place(&self, span: Span) -> Option<Place> {
        let (source, span) = self.resolve(span)?;
        let before = source.text.as_str().get(..span.start as usize)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some(Place {
            path: source.name.clone(),
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        })
    }
}
