//! Causes by count, who has to act, what to do first.

use std::collections::BTreeMap;
use std::io::{self, Write};

use whyerr::{Category, Who};

use super::sink::{Finding, Sink, State, Totals};
use super::{seconds, summary_json, who_acts};
use crate::fold::{Fold, Group};
use crate::rate;
use crate::term::{self, BOLD, DIM, GREEN, clip, count, harmless, paint, plural, wrap};

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
        let nothing = match totals.left_out {
            0 => paint(GREEN, "nothing found"),
            number => {
                format!("nothing of what is asked for, {} besides", plural(number, "finding"))
            }
        };
        writeln!(out, "{nothing} in {lines}")?;
        unclassified(out, state)?;
        return cut(out, totals);
    }
    let findings = plural(totals.findings, "finding");
    let left_out = match totals.left_out {
        0 => String::new(),
        number => format!(", {} not asked for", count(number)),
    };
    writeln!(out, "{} in {lines}{left_out}", paint(BOLD, findings))?;
    if let Some(span) = fold.rate.span() {
        let line = fold.rate.sparkline().unwrap_or_default();
        let width = fold.rate.buckets().map_or(0.0, |(_, width, _)| width.as_secs_f64());
        let each = match line.is_empty() {
            true => String::new(),
            false => format!("  {line}  a bar is {}", seconds(width)),
        };
        writeln!(out, "{}", paint(DIM, format_args!("{} UTC{each}", rate::shown_span(span))))?;
    }

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
        writeln!(out, "{:>9}  {name:<22}{services}", count(*number))?;
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
    cut(out, totals)
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
    for entry in lines.top(SHOWN_UNCLASSIFIED) {
        let example = clip(&harmless(entry.note.trim()), MAX_TEMPLATE).into_owned();
        writeln!(out, "{:>9}  {example}", count(entry.lines))?;
    }
    Ok(())
}

/// Nothing is dropped in silence.
fn cut(out: &mut dyn Write, totals: &Totals) -> io::Result<()> {
    if totals.interrupted {
        writeln!(
            out,
            "\ninterrupted: what came after {} was not read",
            plural(totals.lines, "line")
        )?;
    }
    if totals.lost_bytes > 0 {
        let lost = count(totals.lost_bytes);
        writeln!(out, "\nlost: {lost} bytes were rotated or truncated away before they were read")?;
    }
    if totals.cut_lines > 0 {
        writeln!(
            out,
            "\n{} longer than {} bytes cut; {} bytes in them were not looked at",
            plural(totals.cut_lines, "line"),
            count(crate::input::MAX_LINE as u64),
            count(totals.skipped_bytes),
        )?;
    }
    if let (cut @ 1.., Some((source, line))) = (totals.cut_findings, &totals.first_cut) {
        let (verb, place) = match cut {
            1 => ("was", "at"),
            _ => ("were", "the first at"),
        };
        writeln!(
            out,
            "\nof {} not all {verb} read (more than 500 lines, 64 KiB, or a long value), {place} {}:{line}",
            plural(cut, "finding"),
            harmless(source),
        )?;
    }
    Ok(())
}
