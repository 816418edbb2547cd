//! JUnit XML: what CI servers show as tests. A rule that fired for a service is a failed test.
//!
//! What has the name has no standard: this is valid by the schema of Ant's JUnit task, which asks
//! for more than others, and by that of Jenkins' xUnit plugin, which leaves more out.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Instant;

use jiff::Timestamp;

use super::sink::{Finding, Sink, State};
use super::{retry_words, shortfall};
use crate::fold::{Fold, Group};
use crate::term::{count, harmless, plural};

/// Most different texts that a failure shows.
const SHOWN_TEXTS: usize = 5;

pub struct Report {
    fold: Fold,
    began: Instant,
    started: Timestamp,
}

impl Report {
    pub fn begin() -> Report {
        Report { fold: Fold::default(), began: Instant::now(), started: Timestamp::now() }
    }
}

impl Sink for Report {
    fn finding(&mut self, finding: &Finding<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.fold.add(finding);
        Ok(())
    }

    fn finish(&mut self, state: &State<'_>, out: &mut dyn Write) -> io::Result<()> {
        let (failures, errors) = (self.fold.groups.len(), state.faults.len());
        let time = self.began.elapsed().as_secs_f64();
        let passes = failures + errors == 0;
        let tests = failures + errors + usize::from(passes);
        let timestamp = self.started.strftime("%Y-%m-%dT%H:%M:%S");
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>")?;
        writeln!(
            out,
            "  <testsuite name=\"whyerr\" package=\"whyerr\" id=\"0\" hostname=\"localhost\" \
             timestamp=\"{timestamp}\" tests=\"{tests}\" failures=\"{failures}\" \
             errors=\"{errors}\" skipped=\"0\" time=\"{time:.3}\">\n    <properties/>"
        )?;
        for group in &self.fold.groups {
            failure(out, group, state)?;
        }
        for fault in state.faults {
            let name = state.names.get(fault.source).map_or("", String::as_str);
            writeln!(
                out,
                "    <testcase classname=\"whyerr\" name=\"read {}\" time=\"0\">\n      <error \
                 message=\"{}\" type=\"read_error\"/>\n    </testcase>",
                attribute(name),
                attribute(&fault.message),
            )?;
        }
        if passes {
            writeln!(out, "    <testcase classname=\"whyerr\" name=\"no errors\" time=\"0\"/>")?;
        }
        let totals = state.totals;
        let (findings, lines) = (plural(totals.findings, "finding"), plural(totals.lines, "line"));
        writeln!(out, "    <system-out>{findings} in {lines}</system-out>")?;
        let missing = text(&what_is_missing(state));
        writeln!(out, "    <system-err>{missing}</system-err>\n  </testsuite>\n</testsuites>")
    }
}

fn failure(out: &mut dyn Write, group: &Group, state: &State<'_>) -> io::Result<()> {
    let verdict = &group.verdict;
    let (Some(rule), Some(title)) = (verdict.rule(), verdict.title()) else { return Ok(()) };
    // The same in every run: CI servers keep the history of a test by its names.
    let name = match verdict.service() {
        Some(service) => format!("{} ({})", rule.id, service.id),
        None => rule.id.to_string(),
    };
    let times = match group.count {
        1 => title,
        times => format!("{title} ({}×)", count(times)),
    };
    let mut body = String::new();
    if let Some(summary) = verdict.summary() {
        let _ = writeln!(body, "{summary}");
    }
    for (at, (step, who)) in verdict.remedies().iter().enumerate() {
        let _ = writeln!(body, "{}. {step} ({who})", at + 1);
    }
    let _ = writeln!(body, "Retry: {}", retry_words(verdict));
    for entry in group.texts.iter().take(SHOWN_TEXTS) {
        let source = state.names.get(entry.first.source).map_or("", String::as_str);
        let _ = write!(body, "\n{}× {source}:{}", count(entry.count), entry.first.line);
        let _ = writeln!(body, "\n{}", entry.example.trim());
    }
    let shown: u64 = group.texts.iter().take(SHOWN_TEXTS).map(|entry| entry.count).sum();
    if group.count > shown {
        let _ = writeln!(body, "\nand {} more with other texts", count(group.count - shown));
    }
    writeln!(
        out,
        "    <testcase classname=\"whyerr.{}\" name=\"{}\" time=\"0\">\n      <failure \
         message=\"{}\" type=\"{}\">{}</failure>\n    </testcase>",
        rule.category,
        attribute(&name),
        attribute(&times),
        rule.category,
        text(&body),
    )
}

/// What the report does not cover, a line each.
fn what_is_missing(state: &State<'_>) -> String {
    let missing =
        shortfall::all(state).into_iter().chain(shortfall::unread(state, state.faults.len()));
    missing.map(|missing| missing.text + "\n").collect()
}

/// Text between tags. What XML 1.0 has no place for (control characters, not even escaped) is shown
/// by a picture.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in harmless(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text between quotes, where a parser would make blanks of line ends.
fn attribute(value: &str) -> String {
    text(value).replace('\n', "&#10;").replace('\t', "&#9;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        assert_eq!(text("]]></failure>&\"'"), "]]&gt;&lt;/failure&gt;&amp;&quot;&apos;");
        let control = "a\0\u{1b}\u{7f}\u{85}\u{ffff}é\r";
        assert_eq!(text(control), "a␀␛␡&lt;U+0085&gt;\u{fffd}é\\r");
        assert_eq!(attribute("a\n\tb"), "a&#10;&#9;b");
    }
}
