//! Events with the lines around them, as grep shows them: `:` behind the number of a line of an
//! event, `-` behind that of a line around it.

use std::io::{self, Write};

use super::sink::{Context, Finding};
use super::text;
use crate::term::{self, CYAN, DIM, harmless, paint};

/// A line that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub number: u64,
    /// Of the event, not around it.
    pub is_event: bool,
    pub text: String,
}

impl Line {
    fn mark(&self) -> char {
        if self.is_event { ':' } else { '-' }
    }

    /// What is of the event stands out.
    fn painted(&self, text: &str) -> String {
        if self.is_event { text.to_owned() } else { paint(DIM, text) }
    }

    /// The number and the mark in a column of this width, and the text, behind an indentation.
    pub fn in_margin(&self, indent: usize, width: usize) -> String {
        let margin = format!("{:>width$}{}", self.number, self.mark());
        let text = text::shown(&self.text);
        let text = self.painted(&term::hang(&text, indent + width + 2));
        format!("{} {text}", paint(if self.is_event { CYAN } else { DIM }, margin))
    }
}

/// The lines of an event that begins at line `first`, and those around it. Of a key that was masked
/// over several lines one is left: numbers behind it are those of the log without it.
pub fn lines(event: &str, first: u64, more: u64, context: &Context) -> Vec<Line> {
    let before = first.saturating_sub(context.before.len() as u64)..;
    let line = |is_event| {
        move |(number, text): (u64, &str)| Line { number, is_event, text: text.to_owned() }
    };
    let before = before.zip(context.before.iter().map(String::as_str)).map(line(false));
    let event = (first..).zip(event.trim_end().lines()).map(line(true));
    let after = (first + more + 1..).zip(context.after.iter().map(String::as_str)).map(line(false));
    before.chain(event).chain(after).collect()
}

/// Writes one event after the other. A line that belongs to two of them is shown once, `--` stands
/// where lines are left out.
#[derive(Default)]
pub struct Events {
    /// What was written last: source, and line.
    last: Option<(usize, u64)>,
    /// Lines behind the last event: the next one may be among them.
    behind: Vec<Line>,
    /// Of the source of those lines.
    name: String,
    source: usize,
}

impl Events {
    /// Writes the event of a finding; `verdict` writes what is said of it.
    pub fn write(
        &mut self,
        out: &mut dyn Write,
        finding: &Finding<'_>,
        event: &str,
        verdict: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let same = self.source == finding.source_number;
        self.finish(out, if same { finding.line } else { u64::MAX })?;
        if same && self.last.is_some_and(|(_, last)| finding.line <= last) {
            // The source began anew: its lines are others.
            self.last = Some((usize::MAX, 0));
        }
        (self.name, self.source) = (finding.source.to_owned(), finding.source_number);
        let more = memchr::memchr_iter(b'\n', finding.text).count() as u64;
        let mut lines = lines(event, finding.line, more, finding.context);
        let behind = lines.iter().rposition(|line| line.is_event).map_or(0, |last| last + 1);
        self.behind = lines.split_off(behind);
        lines.iter().try_for_each(|line| self.line(out, line))?;
        verdict(out)
    }

    /// Writes what is left of the lines behind the last event, up to this one.
    pub fn finish(&mut self, out: &mut dyn Write, until: u64) -> io::Result<()> {
        let behind = std::mem::take(&mut self.behind);
        behind.iter().filter(|line| line.number < until).try_for_each(|line| self.line(out, line))
    }

    fn line(&mut self, out: &mut dyn Write, line: &Line) -> io::Result<()> {
        let number = line.number;
        match self.last {
            // Of an event before it, or around it.
            Some((source, last)) if source == self.source && number <= last => return Ok(()),
            Some((source, last)) if source == self.source && number == last + 1 => {}
            None => {}
            Some(_) => writeln!(out, "{}", paint(DIM, "--"))?,
        }
        self.last = Some((self.source, number));
        let text = line.painted(&text::shown(&line.text));
        writeln!(out, "{}{text}", place(&self.name, line))
    }
}

/// `app.log:17:`, or `app.log-16-`; standard input has no name.
fn place(source: &str, line: &Line) -> String {
    let (number, mark) = (line.number, line.mark());
    let place = match source {
        "-" => format!("{number}{mark}"),
        name => format!("{}{mark}{number}{mark}", harmless(name)),
    };
    paint(if line.is_event { CYAN } else { DIM }, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_their_numbers_and_marks() {
        let context = Context { before: vec!["a".into(), "b".into()], after: vec!["e".into()] };
        let lines = lines("c\n  d\n", 3, 1, &context);
        let shown: Vec<String> =
            lines.iter().map(|l| format!("{}{}{}", l.number, l.mark(), l.text)).collect();
        assert_eq!(shown, ["1-a", "2-b", "3:c", "4:  d", "5-e"]);
    }
}
