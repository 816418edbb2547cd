//! `whyerr rules`: check, test, list, show, eval, coverage.

mod coverage;
mod eval;

use std::io::{self, BufWriter, Write};

use anyhow::bail;
use serde::Serialize;
use whyerr::{Layer, Problems, Rule};

use crate::Outcome;
use crate::args::{GlobalArgs, RulesCommand, SelectArgs};
use crate::explain::is_of;
use crate::load::{self, LoadError, Loaded};
use crate::term::{self, BOLD, DIM, GREEN, RED, clip, harmless, paint};

pub fn run(command: &RulesCommand, global: &GlobalArgs) -> Result<Outcome, LoadError> {
    let loaded = load::load(global)?;
    let outcome = match command {
        RulesCommand::Check { deny_warnings } => check(&loaded, *deny_warnings)?,
        RulesCommand::Test(select) => test(&loaded, select)?,
        RulesCommand::List { select, json } => list(&loaded, select, *json)?,
        RulesCommand::Show { id, provenance } => show(&loaded, id, *provenance)?,
        RulesCommand::Eval(args) => eval::run(args, &loaded)?,
        RulesCommand::Coverage(args) => coverage::run(args, &loaded)?,
    };
    Ok(outcome)
}

/// Draws problems on standard error, and their number.
pub fn print_problems(problems: &Problems) {
    anstream::eprint!("{}", problems.render(term::stderr_has_color()));
    let errors = problems.iter().filter(|p| p.level() == whyerr::Level::Error).count();
    let warnings = problems.len() - errors;
    let note = match (errors, warnings) {
        (0, n) => format!("{n} warning(s)"),
        (n, 0) => format!("{n} error(s); no rules were loaded"),
        (e, w) => format!("{e} error(s), {w} warning(s); no rules were loaded"),
    };
    anstream::eprintln!("{note}");
}

fn check(loaded: &Loaded, deny_warnings: bool) -> anyhow::Result<Outcome> {
    let catalog = loaded.classifier.catalog();
    // With rules of one's own, the built-in ones are not one's concern.
    let layers: Vec<Layer> = match loaded.has_layers {
        true => vec![Layer::Vendor, Layer::Organisation, Layer::User],
        false => Layer::ALL.to_vec(),
    };
    let problems = catalog.lint(&layers);
    let facts = loaded.classifier.test_facts();
    for failure in &facts {
        term::error(failure);
    }
    if !problems.is_empty() {
        print_problems(&problems);
    }
    anstream::println!(
        "{} rules, {} services: {}",
        catalog.rules().len(),
        catalog.services().len(),
        match problems.is_empty() && facts.is_empty() {
            true => paint(GREEN, "no problems"),
            false => format!("{} problem(s)", problems.len() + facts.len()),
        }
    );
    let fails = (deny_warnings && !problems.is_empty()) || !facts.is_empty();
    Ok(if fails { Outcome::Problem } else { Outcome::Fine })
}

fn selected<'s>(
    loaded: &'s Loaded,
    select: &'s SelectArgs,
) -> anyhow::Result<impl Fn(&Rule) -> bool + 's> {
    let catalog = loaded.classifier.catalog();
    let service = match &select.service {
        Some(name) => match catalog.service(name) {
            Some(service) => Some(service),
            None => bail!("no service is called `{name}`"),
        },
        None => None,
    };
    if let Some(category) = &select.category
        && whyerr::Category::from_id(category).is_none()
    {
        bail!("`{category}` is not a category; `docs/rules.md` lists them");
    }
    Ok(move |rule: &Rule| {
        select.group.as_ref().is_none_or(|group| rule.id.starts_with(group.as_str()))
            && select.category.as_ref().is_none_or(|id| rule.category.as_str() == id)
            && service.is_none_or(|service| is_of(rule, service))
    })
}

fn test(loaded: &Loaded, select: &SelectArgs) -> anyhow::Result<Outcome> {
    let report = loaded.classifier.test(selected(loaded, select)?);
    for failure in &report.failures {
        let place = failure.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
        anstream::println!(
            "{} {}{}",
            paint(RED, "FAILED"),
            paint(BOLD, &failure.rule),
            paint(DIM, place)
        );
        let text = failure.text.trim().replace('\n', "⏎");
        anstream::println!("    {}", clip(&harmless(&text), 300));
        for reason in &failure.reasons {
            anstream::println!("    {}", harmless(reason));
        }
    }
    let (passed, failed) = (report.examples - report.failures.len(), report.failures.len());
    anstream::println!(
        "{} rules, {} examples: {passed} passed, {failed} failed",
        report.rules,
        report.examples
    );
    Ok(if failed == 0 { Outcome::Fine } else { Outcome::Found })
}

#[derive(Serialize)]
struct Row<'r> {
    id: &'r str,
    title: &'r str,
    category: whyerr::Category,
    severity: whyerr::Severity,
    status: whyerr::Status,
    who: whyerr::Who,
    service: Option<&'r str>,
    retry: whyerr::RetryVerdict,
    layer: Layer,
    examples: usize,
    file: Option<String>,
}

fn list(loaded: &Loaded, select: &SelectArgs, json: bool) -> anyhow::Result<Outcome> {
    let catalog = loaded.classifier.catalog();
    let select = selected(loaded, select)?;
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    for rule in catalog.rules().filter(|rule| select(rule)) {
        if json {
            let row = Row {
                id: &rule.id,
                title: &rule.title,
                category: rule.category,
                severity: rule.severity,
                status: rule.status,
                who: rule.who,
                service: rule.service.as_deref(),
                retry: rule.retry.verdict,
                layer: rule.layer,
                examples: rule.examples.len() + rule.counterexamples.len(),
                file: catalog.place(rule).map(|place| place.to_string()),
            };
            serde_json::to_writer(&mut out, &row)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{:<44} {:<22} {}", rule.id, rule.category, rule.title)?;
        }
    }
    out.flush()?;
    Ok(Outcome::Fine)
}

fn show(loaded: &Loaded, id: &str, provenance: bool) -> anyhow::Result<Outcome> {
    let catalog = loaded.classifier.catalog();
    let Some(rule) = catalog.rule(id) else {
        bail!("there is no rule `{id}`; `whyerr rules list` names them");
    };
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let mut field = |name: &str, value: &str| {
        if value.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "{} {}",
            paint(BOLD, format_args!("{name:<14}")),
            term::wrap(value, term::width(), 15)
        )
    };
    field("id", &rule.id)?;
    field("title", &rule.title)?;
    field("status", rule.status.as_str())?;
    field("category", rule.category.as_str())?;
    field("severity", rule.severity.as_str())?;
    field("who", rule.who.as_str())?;
    field("service", rule.service.as_deref().unwrap_or_default())?;
    field("layer", rule.layer.as_str())?;
    for signature in whyerr::explain::signatures(rule) {
        field("match", &signature)?;
    }
    for text in &rule.summary {
        field("summary", text)?;
    }
    for text in &rule.causes {
        field("cause", text)?;
    }
    for remedy in &rule.remedies {
        field("remedy", &format!("{} ({})", remedy.text.join(" | "), remedy.who))?;
    }
    field("retry", rule.retry.verdict.as_str())?;
    field("supersedes", &rule.supersedes.join(", "))?;
    field("related", &rule.related.join(", "))?;
    field("renames", &rule.renames.join(", "))?;
    for reference in &rule.references {
        field("reference", &reference.url)?;
    }
    for example in &rule.examples {
        field("example", &harmless(example.text.trim()))?;
    }
    for example in &rule.counterexamples {
        field("counterexample", &harmless(example.text.trim()))?;
    }
    if let Some(place) = catalog.place(rule) {
        field("defined in", &place.to_string())?;
    }
    if provenance {
        writeln!(out, "\n{}", paint(BOLD, "Set by"))?;
        for (name, place) in catalog.provenance(rule) {
            writeln!(out, "  {name:<16} {place}")?;
        }
    }
    out.flush()?;
    Ok(Outcome::Fine)
}
