//! Causes by count, who has to act, what to do first.

use std::collections::BTreeMap;
use std::io::{self, Write};

use whyerr::{Category, Who};

use super::sink::{Finding, Sink, State, Totals};
use super::who_acts;
use crate::fold::{Fold, Group};
use crate::term::{self, BOLD, DIM, GREEN, count, harmless, paint, wrap};

/// The summary alone.
#[derive(Default)]
pub struct Report {
    fold: Fold,
}

impl Sink for Report {
    fn finding(&mut self, finding: &Finding<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.fold.add(finding);
        Ok(())
    }

    fn finish(&mut self, state: &State<'_>, out: &mut dyn Write) -> io::Result<()> {
        write(out, &self.fold, state)
    }
}

pub fn write(out: &mut dyn Write, fold: &Fold, state: &State<'_>) -> io::Result<()> {
    let State { catalog, totals, .. } = *state;
    let lines = plural(totals.lines, "line");
    if totals.findings == 0 {
        writeln!(out, "{} in {lines}", paint(GREEN, "nothing found"))?;
        return cut(out, totals);
    }
    let findings = plural(totals.findings, "finding");
    writeln!(out, "{} in {lines}", paint(BOLD, findings))?;

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
    cut(out, totals)
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
    if totals.cut_lines > 0 {
        writeln!(
            out,
            "\n{} longer than {} bytes cut; {} bytes in them were not looked at",
            plural(totals.cut_lines, "line"),
            count(crate::input::MAX_LINE as u64),
            count(totals.skipped_bytes),
        )?;
    }
    Ok(())
}

fn plural(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{} {stem}ies", count(number)),
        (_, None) => format!("{} {noun}s", count(number)),
    }
}
