//! Causes by count, who has to act, what to do first.

use std::collections::BTreeMap;
use std::io::{self, Write};

use whyerr::{Category, Who};
use whyerr_logs::strip_envelope;

use super::shortfall::{self, Shortfall};
use super::sink::{Finding, Sink, State};
use super::{duration, summary_json, who_acts};
use crate::fold::{Fold, Group};
use crate::rate::{self, Rate};
use crate::term::{
    self, BOLD, DIM, GREEN, RED, YELLOW, clip, count, harmless, paint, plural, wrap,
};

/// The summary alone.
#[derive(Default)]
pub struct Report {
    fold: Fold,
    json: bool,
}

impl Report {
    pub fn new(json: bool) -> Report {
        Report { json, ..Report::default() }
    }
}

impl Sink for Report {
    fn finding(&mut self, finding: &Finding<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.fold.add(finding);
        Ok(())
    }

    fn finish(&mut self, state: &State<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self.json {
            true => summary_json::write(out, &self.fold, state),
            false => write(out, &self.fold, state),
        }
    }
}

/// Most entries of a table.
const SHOWN: usize = 10;
/// Most templates of lines without a verdict, and most characters of one.
const SHOWN_UNCLASSIFIED: usize = 5;
const MAX_TEMPLATE: usize = 160;

pub fn write(out: &mut dyn Write, fold: &Fold, state: &State<'_>) -> io::Result<()> {
    let State { catalog, totals, .. } = *state;
    let lines = plural(totals.lines, "line");
    if totals.findings == 0 {
        if totals.lines == 0 {
            writeln!(out, "no line was read")?;
            return shortfalls(out, state);
        }
        let nothing = match totals.left_out {
            0 => paint(GREEN, "nothing found"),
            number => {
                format!("nothing of what is asked for, {} besides", plural(number, "finding"))
            }
        };
        writeln!(out, "{nothing} in {lines}")?;
        unclassified(out, state)?;
        return shortfalls(out, state);
    }
    let findings = plural(totals.findings, "finding");
    let left_out = match totals.left_out {
        0 => String::new(),
        number => format!(", {} not asked for", count(number)),
    };
    writeln!(out, "{} in {lines}{left_out}", paint(BOLD, findings))?;
    histogram(out, &fold.rate)?;

    let mut causes: BTreeMap<Category, (u64, Vec<&Group>)> = BTreeMap::new();
    let mut people: BTreeMap<Who, u64> = BTreeMap::new();
    for group in &fold.groups {
        let Some(rule) = group.verdict.rule() else { continue };
        let entry = causes.entry(rule.category).or_default();
        entry.0 += group.count;
        entry.1.push(group);
        *people.entry(rule.who).or_default() += group.count;
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(&b.0)));
    writeln!(out, "\n{}", paint(BOLD, "Causes"))?;
    for (category, (number, groups)) in &causes {
        let mut services: Vec<String> = groups
            .iter()
            .filter_map(|group| group.verdict.service_name())
            .map(|name| harmless(&name).into_owned())
            .collect();
        services.sort();
        services.dedup();
        let services = match services.is_empty() {
            true => String::new(),
            false => paint(DIM, format_args!("  {}", services.join(", "))),
        };
        let name = &catalog.category(*category).name;
        let name = match services.is_empty() {
            true => name.to_string(),
            false => format!("{name:<22}"),
        };
        writeln!(out, "{:>9}  {name}{services}", count(*number))?;
    }

    let mut services: BTreeMap<String, u64> = BTreeMap::new();
    for group in &fold.groups {
        if let Some(name) = group.verdict.service_name() {
            *services.entry(harmless(&name).into_owned()).or_default() += group.count;
        }
    }
    if !services.is_empty() {
        writeln!(out, "\n{}", paint(BOLD, "Services"))?;
        let mut services: Vec<_> = services.into_iter().collect();
        services.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        for (name, number) in services.iter().take(SHOWN) {
            writeln!(out, "{:>9}  {name}", count(*number))?;
        }
        if services.len() > SHOWN {
            let more = format!("and {}", plural((services.len() - SHOWN) as u64, "more service"));
            writeln!(out, "           {}", paint(DIM, more))?;
        }
    }

    writeln!(out, "\n{}", paint(BOLD, "Who has to act"))?;
    let mut people: Vec<_> = people.into_iter().collect();
    people.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    for (who, number) in people {
        writeln!(out, "{:>9}  {}", count(number), who_acts(who))?;
    }

    writeln!(out, "\n{}", paint(BOLD, "What to do first"))?;
    let mut groups: Vec<&Group> = fold.groups.iter().collect();
    // The worst first; among equals the most frequent.
    groups.sort_by(|a, b| {
        let key = |group: &Group| (group.verdict.severity(), group.count);
        key(b).cmp(&key(a))
    });
    for group in groups.iter().take(5) {
        let Some(rule) = group.verdict.rule() else { continue };
        let step = group.verdict.remedies().into_iter().next().map(|(step, _)| step);
        let first = &catalog.category(rule.category).first;
        let step = step.unwrap_or_else(|| first.to_string());
        let title = group.verdict.title().unwrap_or_default();
        let text = format!("{}: {}", paint(BOLD, harmless(&title)), harmless(&step));
        writeln!(out, "{:>9}  {}", count(group.count), wrap(&text, term::width(), 11))?;
    }
    if fold.groups.len() > 5 {
        let more = format!("and {}", plural(fold.groups.len() as u64 - 5, "more entry"));
        writeln!(out, "           {}", paint(DIM, more))?;
    }
    unclassified(out, state)?;
    shortfalls(out, state)
}

/// When it happened.
fn histogram(out: &mut dyn Write, rate: &Rate) -> io::Result<()> {
    let Some(span) = rate.span() else { return Ok(()) };
    writeln!(out, "{}", paint(DIM, format_args!("{} UTC", rate::shown_span(span))))?;
    let (Some(bars), Some((start, width, counts))) = (rate.sparkline(), rate.buckets()) else {
        return Ok(());
    };
    let most = counts.iter().copied().max().unwrap_or_default();
    let at = counts.iter().position(|&number| number == most).unwrap_or_default();
    let at = rate::shown_near(start + width * at as u32, span);
    let (width, most) = (duration(width), count(most));
    writeln!(out, "{bars}  {}", paint(DIM, format_args!("a bar is {width}, most: {most} at {at}")))
}

/// Lines that look like errors, and that no rule knows.
fn unclassified(out: &mut dyn Write, state: &State<'_>) -> io::Result<()> {
    let lines = state.unclassified;
    if lines.total == 0 {
        return Ok(());
    }
    let title = match lines.total {
        1 => "1 line looks like an error and has no verdict".to_owned(),
        number => format!("{} lines look like errors and have no verdict", count(number)),
    };
    writeln!(out, "\n{}", paint(BOLD, title))?;
    let shown = lines.top(SHOWN_UNCLASSIFIED);
    let room = match term::stdout_is_terminal() {
        true => term::width().saturating_sub(12),
        false => MAX_TEMPLATE,
    };
    for entry in &shown {
        // Without what a container or a logger wrote before it.
        let message = entry.note.get(strip_envelope(entry.note.as_bytes())).unwrap_or(entry.note);
        let example = clip(&harmless(message.trim()), room).into_owned();
        writeln!(out, "{:>9}  {example}", count(entry.lines))?;
    }
    let rest = lines.total - shown.iter().map(|entry| entry.lines).sum::<u64>();
    if rest > 0 {
        let more = format!("and {} with other texts", plural(rest, "more line"));
        writeln!(out, "           {}", paint(DIM, more))?;
    }
    Ok(())
}

fn shortfalls(out: &mut dyn Write, state: &State<'_>) -> io::Result<()> {
    for Shortfall { is_error, text } in shortfall::all(state) {
        let (kind, rest) = text.split_once(':').unwrap_or(("", &text));
        let style = if is_error { RED } else { YELLOW };
        writeln!(out, "\n{}:{rest}", paint(style, kind))?;
    }
    Ok(())
}
