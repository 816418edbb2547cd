//! The report for reading.

use std::io::{self, Write};

use whyerr::{Severity, Verdict};
use whyerr_logs::strip_envelope;

use super::around::{self, Events};
use super::sink::{Context, Finding, Sink, State};
use super::{beginning, retry_words, summary, who_acts};
use crate::fold::{Fold, Group, Place, TextEntry};
use crate::rate::{self, Rate};
use crate::term::{self, BOLD, CYAN, DIM, RED, YELLOW, clip, count, harmless, paint, plural, wrap};

/// Most different texts that are shown for one rule.
const SHOWN_TEXTS: usize = 8;
/// Most lines of an event that are shown.
const SHOWN_LINES: usize = 3;
/// Most characters of a line that are shown.
const MAX_EXAMPLE: usize = 400;

/// Repeats folded, then the summary.
#[derive(Default)]
pub struct Report {
    fold: Fold,
    listing: Listing,
}

/// Where the findings are.
#[derive(Default)]
enum Listing {
    /// At the end, folded.
    #[default]
    Folded,
    /// Others wrote them one by one.
    Written,
    /// Written one by one, with the lines around them.
    Around(Events),
}

impl Report {
    pub fn folded() -> Report {
        Report::default()
    }

    /// The summary below findings that were written one by one.
    pub fn after_lines() -> Report {
        Report { listing: Listing::Written, ..Report::default() }
    }

    /// Findings one by one with the lines around them, and the summary.
    pub fn with_context() -> Report {
        Report { listing: Listing::Around(Events::default()), ..Report::default() }
    }
}

impl Sink for Report {
    fn finding(&mut self, finding: &Finding<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.fold.add(finding);
        match &mut self.listing {
            Listing::Around(events) => with_context(out, events, finding),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, state: &State<'_>, out: &mut dyn Write) -> io::Result<()> {
        if let Listing::Around(events) = &mut self.listing {
            events.finish(out, u64::MAX)?;
        }
        match self.listing {
            Listing::Folded => groups(out, &self.fold, state.names)?,
            _ if state.totals.findings > 0 => writeln!(out)?,
            _ => {}
        }
        summary::write(out, &self.fold, state)
    }
}

pub fn severity(severity: Severity) -> String {
    let style = match severity {
        Severity::Info => CYAN,
        Severity::Warning => YELLOW,
        _ => RED,
    };
    paint(style, format_args!("{severity:<8}"))
}

/// Title, cause, who acts, retry.
pub fn heading(out: &mut (impl Write + ?Sized), verdict: &Verdict) -> io::Result<()> {
    let (Some(rule), Some(title)) = (verdict.rule(), verdict.title()) else { return Ok(()) };
    let title = paint(BOLD, harmless(&title));
    let id = paint(DIM, format_args!("[{}]", rule.id));
    let mut line = format!("{title}  {id}");
    if term::columns(&line) + 9 > term::width() {
        line = wrap(&line, term::width(), 9);
    }
    writeln!(out, "{} {line}", severity(rule.severity))?;
    let mut facts = vec![rule.category.to_string()];
    facts.extend(verdict.service_name().map(|name| harmless(&name).into_owned()));
    facts.push(format!("{} acts", who_acts(rule.who)));
    facts.push(retry_words(verdict));
    if let Some(confidence) = verdict.confidence() {
        facts.push(format!("{confidence} evidence"));
    }
    writeln!(out, "         {}", wrap(&facts.join(" · "), term::width(), 9))?;
    if let (true, [symptom, .., root]) = (verdict.is_root_cause(), verdict.chain()) {
        for (name, link) in [("root cause", root), ("symptom", symptom)] {
            // Without what a container or a logger wrote before it.
            let message = link.text.get(strip_envelope(link.text.as_bytes())).unwrap_or(&link.text);
            let text = clip(&harmless(message), MAX_EXAMPLE).into_owned();
            let text = format!("{} {text}", paint(DIM, format_args!("{name}:")));
            writeln!(out, "         {}", wrap(&text, term::width(), 11))?;
        }
    }
    Ok(())
}

/// What happened and what to do.
pub fn advice(out: &mut (impl Write + ?Sized), verdict: &Verdict) -> io::Result<()> {
    if let Some(summary) = verdict.summary() {
        writeln!(out, "         {}", wrap(&harmless(&summary), term::width(), 9))?;
    }
    for (at, (step, who)) in verdict.remedies().iter().enumerate() {
        let step = format!("{} {}", harmless(step), paint(DIM, format_args!("({who})")));
        writeln!(out, "      {:>2}. {}", at + 1, wrap(&step, term::width(), 10))?;
    }
    Ok(())
}

/// All groups, in the order of their first line.
pub fn groups(out: &mut (impl Write + ?Sized), fold: &Fold, sources: &[String]) -> io::Result<()> {
    for group in &fold.groups {
        self::group(out, group, sources)?;
        writeln!(out)?;
    }
    Ok(())
}

fn place(place: &Place, sources: &[String]) -> String {
    format!("{}:{}", harmless(&sources[place.source]), place.line)
}

/// First and last time, and the rate between them.
fn when(out: &mut (impl Write + ?Sized), rate: &Rate) -> io::Result<()> {
    let Some(span) = rate.span() else { return Ok(()) };
    let line = rate.sparkline().map(|line| format!("  {line}")).unwrap_or_default();
    writeln!(out, "         {}", paint(DIM, format_args!("{}{line}", rate::shown_span(span))))
}

/// An event, with the lines around it where they are asked for.
fn example(out: &mut (impl Write + ?Sized), text: &TextEntry) -> io::Result<()> {
    let first = &text.first;
    if text.context == Context::default() {
        for line in beginning_and_telling(text.example.trim(), text.telling_line) {
            writeln!(out, "         {}", term::hang(&line, 9))?;
        }
        return Ok(());
    }
    let lines = around::lines(&text.example, first.line, first.more_lines, &text.context);
    let last = lines.last().map_or(0, |line| line.number);
    let width = last.to_string().len();
    lines.iter().try_for_each(|line| writeln!(out, "         {}", line.in_margin(9, width)))
}

/// A line of a log as it is shown.
pub fn shown(line: &str) -> String {
    clip(&harmless(line.trim_end()), MAX_EXAMPLE).into_owned()
}

/// The first lines of an event and the one that tells; how many are between and behind.
fn beginning_and_telling(text: &str, telling: usize) -> Vec<String> {
    let all: Vec<&str> = text.lines().collect();
    let hidden =
        |number: usize| paint(DIM, format_args!("… {}", plural(number as u64, "more line")));
    if all.len() <= SHOWN_LINES {
        return all.iter().map(|line| shown(line)).collect();
    }
    let mut lines: Vec<String> = all[..SHOWN_LINES - 1].iter().map(|line| shown(line)).collect();
    // What stands between is hidden, be it one line.
    let telling = telling.clamp(SHOWN_LINES - 1, all.len() - 1);
    let (before, after) = (telling - (SHOWN_LINES - 1), all.len() - 1 - telling);
    if before > 0 {
        lines.push(hidden(before));
    }
    lines.push(shown(all[telling]));
    if after > 0 {
        lines.push(hidden(after));
    }
    lines
}

fn group(out: &mut (impl Write + ?Sized), group: &Group, sources: &[String]) -> io::Result<()> {
    heading(out, &group.verdict)?;
    when(out, &group.rate)?;
    for text in group.texts.iter().take(SHOWN_TEXTS) {
        let first = place(&text.first, sources);
        let places = match text.first == text.last {
            true => first,
            false if text.first.source == text.last.source => {
                format!("{first} … {}", text.last.line)
            }
            false => format!("{first} … {}", place(&text.last, sources)),
        };
        let times = format!("{:>7}", format!("{}×", count(text.count)));
        let rate = match (group.texts.len() > 1).then(|| text.rate.sparkline()).flatten() {
            Some(rate) => format!("  {}", paint(DIM, rate)),
            None => String::new(),
        };
        writeln!(out, " {} {}{rate}", paint(BOLD, times), paint(CYAN, places))?;
        example(out, text)?;
    }
    let hidden = group.texts.len().saturating_sub(SHOWN_TEXTS);
    if hidden > 0 || group.other_texts > 0 {
        let rest: u64 = group.texts.iter().skip(SHOWN_TEXTS).map(|text| text.count).sum();
        let rest = rest + group.other_texts;
        let note = format!("and {} more with other texts", count(rest));
        writeln!(out, "         {}", paint(DIM, note))?;
    }
    advice(out, &group.verdict)
}

/// Most bytes of an event that are read to show its beginning.
const MAX_SINGLE: usize = 16 << 10;

/// One finding by itself, for `--no-fold`.
pub fn single(out: &mut Vec<u8>, finding: &Finding<'_>) -> io::Result<()> {
    if *finding.context != Context::default() {
        let mut events = Events::default();
        with_context(out, &mut events, finding)?;
        return events.finish(out, u64::MAX);
    }
    let text = beginning(finding.shown(), MAX_SINGLE);
    let place = match finding.source {
        "-" => format!("{}:", finding.line),
        name => format!("{}:{}:", harmless(name), finding.line),
    };
    let lines = beginning_and_telling(text.trim(), finding.telling_line());
    for (at, line) in lines.iter().enumerate() {
        match at {
            0 => writeln!(out, "{}{line}", paint(CYAN, &place))?,
            _ => writeln!(out, "    {line}")?,
        }
    }
    heading(out, finding.verdict)
}

/// One finding, with the lines around it that the one before did not show.
fn with_context(out: &mut dyn Write, events: &mut Events, finding: &Finding<'_>) -> io::Result<()> {
    let text = beginning(finding.shown(), MAX_SINGLE);
    events.write(out, finding, &text, |out| heading(out, finding.verdict))
}
