//! Annotations of GitHub Actions: workflow commands, which a runner reads from what a step prints.

use std::io::{self, Write};

use whyerr::Severity;

use super::shortfall;
use super::sink::{Finding, Sink, State};
use crate::fold::{Fold, TextEntry};
use crate::term::{clip, harmless, plural};

/// Annotations of one kind that GitHub shows for a step. One notice is kept for what is not shown.
const SHOWN: usize = 10;
/// Most characters of the log that an annotation repeats.
const MAX_EXAMPLE: usize = 1000;

/// One annotation for each rule and text, the worst first.
#[derive(Default)]
pub struct Report {
    fold: Fold,
}

/// The commands, worst first.
const KINDS: [&str; 3] = ["error", "warning", "notice"];

fn kind(severity: Severity) -> usize {
    match severity {
        Severity::Info => 2,
        Severity::Warning => 1,
        _ => 0,
    }
}

impl Sink for Report {
    fn finding(&mut self, finding: &Finding<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.fold.add(finding);
        Ok(())
    }

    fn finish(&mut self, state: &State<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut list: Vec<(Severity, &TextEntry)> = Vec::new();
        for group in &self.fold.groups {
            let Some(severity) = group.verdict.severity() else { continue };
            list.extend(group.texts.iter().map(|text| (severity, text)));
        }
        // Stable: among equals the first comes first.
        list.sort_by(|(a, x), (b, y)| (b, y.count).cmp(&(a, x.count)));
        let mut counts = [0; KINDS.len()];
        for (severity, text) in list {
            let kind = kind(severity);
            counts[kind] += 1;
            if counts[kind] <= limit(kind) {
                annotation(out, KINDS[kind], text, state.names)?;
            }
        }
        let rest = self.rest(&counts, state);
        if !rest.is_empty() {
            write!(out, "::notice title=whyerr::{}", data(&rest.join("; ")))?;
            writeln!(out)?;
        }
        Ok(())
    }
}

fn limit(kind: usize) -> usize {
    if KINDS[kind] == "notice" { SHOWN - 1 } else { SHOWN }
}

impl Report {
    /// What the annotations do not show.
    fn rest(&self, counts: &[usize; KINDS.len()], state: &State<'_>) -> Vec<String> {
        let mut list = Vec::new();
        let hidden: Vec<String> = (0..KINDS.len())
            .filter(|&kind| counts[kind] > limit(kind))
            .map(|kind| plural((counts[kind] - limit(kind)) as u64, KINDS[kind]))
            .collect();
        if !hidden.is_empty() {
            list.push(format!("more than GitHub shows for a step: {}", hidden.join(", ")));
        }
        let missing = shortfall::other_texts(&self.fold).into_iter();
        let missing = missing.chain(shortfall::all(state)).chain(shortfall::unread(state, 0));
        list.extend(missing.map(|missing| missing.text));
        list
    }
}

fn annotation(
    out: &mut dyn Write,
    kind: &str,
    text: &TextEntry,
    names: &[String],
) -> io::Result<()> {
    let verdict = &text.verdict;
    let Some(rule) = verdict.rule() else { return Ok(()) };
    write!(out, "::{kind} ")?;
    let source = names.get(text.first.source).map_or("-", String::as_str);
    if source != "-" {
        write!(out, "file={},", property(source))?;
    }
    let title = verdict.title().unwrap_or_default();
    let title = match text.count {
        1 => format!("{title} [{}]", rule.id),
        count => format!("{title} [{}] ×{count}", rule.id),
    };
    let message = [
        verdict.summary(),
        verdict.remedies().into_iter().next().map(|(step, who)| format!("{step} ({who})")),
        Some(clip(text.example.trim(), MAX_EXAMPLE).into_owned()),
    ];
    let message: Vec<String> = message.into_iter().flatten().collect();
    let place = &text.first;
    write!(out, "line={},endLine={}", place.line, place.line + place.more_lines)?;
    writeln!(out, ",title={}::{}", property(&title), data(&message.join("\n")))
}

/// Text for the part of a command behind its second `::`. A line feed would end the command, and
/// what stands behind it could be another one.
fn data(text: &str) -> String {
    harmless(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text for a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        let text = "100%\n::error::x\r\n\u{1b}[31ma,b:c\u{85}%0A";
        let expected = "100%25%0A::error::x\\r%0A␛[31ma,b:c<U+0085>%250A";
        assert_eq!(data(text), expected);
        assert_eq!(property("a,b::c\n"), "a%2Cb%3A%3Ac%0A");
    }
}
