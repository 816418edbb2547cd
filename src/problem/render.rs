//! Draws problems with the source line and a caret.

use annotate_snippets::{AnnotationKind, Group, Level as Draw, Renderer, Snippet};

use super::source::Source;
use super::{Label, Level, Problem, SourceMap};
use crate::yaml::node::Span;
use crate::yaml::parse::floor;

/// Labels of one problem that stand further apart are drawn as snippets of their own.
const LINES_IN_ONE_SNIPPET: usize = 12;

/// Longest part of a source line that is drawn.
const MAX_LINE: usize = 4096;

pub(super) fn render(problems: &[Problem], sources: &SourceMap, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for problem in problems {
        let level = match problem.level() {
            Level::Error => Draw::ERROR,
            Level::Warning => Draw::WARNING,
        };
        let mut group =
            Group::with_title(level.primary_title(problem.message.as_str()).id(problem.code.id()));
        for snippet in snippets(&problem.labels, sources) {
            group = group.element(snippet);
        }
        if let Some(help) = &problem.help {
            group = group.element(Draw::HELP.message(help.as_str()));
        }
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    out
}

/// A source, its first and last line to draw, and the labels on them with their numbers.
type Lines<'a> = (&'a Source, usize, usize, Vec<(usize, &'a Label, Span)>);

fn snippets<'a>(
    labels: &'a [Label],
    sources: &'a SourceMap,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut snippets: Vec<Lines<'_>> = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let Some((source, span)) = sources.resolve(label.span) else { continue };
        let text = source.text.as_str();
        let line = line_of(text, span.start as usize);
        match snippets.iter_mut().find(|(other, first, last, _)| {
            std::ptr::eq(*other, source)
                && line + LINES_IN_ONE_SNIPPET > *first
                && line < *last + LINES_IN_ONE_SNIPPET
        }) {
            Some((_, first, last, labels)) => {
                *first = line.min(*first);
                *last = line.max(*last);
                labels.push((index, label, span));
            }
            None => snippets.push((source, line, line, vec![(index, label, span)])),
        }
    }
    snippets
        .into_iter()
        .map(|(source, first, last, labels)| {
            let text = source.text.as_str();
            let (start, end) = (line_start(text, first), line_end(text, last));
            let end = floor(text, end.min(start + MAX_LINE * (last - first + 1)));
            let annotations = labels.into_iter().map(|(index, label, span)| {
                let from = (span.start as usize).clamp(start, end) - start;
                // A span over several lines is drawn on its first.
                let first_line_end = line_end(text, line_of(text, span.start as usize));
                let to = (span.end as usize).min(first_line_end).clamp(start, end) - start;
                let kind =
                    if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let annotation = kind.span(from..to.max(from));
                if label.text.is_empty() { annotation } else { annotation.label(&label.text) }
            });
            Snippet::source(&text[start..end])
                .line_start(first + 1)
                .path(source.name.as_str())
                .fold(true)
                .annotations(annotations)
        })
        .collect()
}

/// Number of the line, from 0, that holds byte `at`.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count()
}

fn line_start(text: &str, line: usize) -> usize {
    match line {
        0 => 0,
        _ => text.match_indices('\n').nth(line - 1).map_or(text.len(), |(at, _)| at + 1),
    }
}

fn line_end(text: &str, line: usize) -> usize {
    let start = line_start(text, line);
    text[start..].find('\n').map_or(text.len(), |length| start + length)
}
