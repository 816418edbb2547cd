//! `whyerr explain`: the page a person needs.

use std::io::{self, BufWriter, Write};

use anyhow::bail;
use whyerr::explain::{self, Topic};
use whyerr::{
    Catalog, Category, CategoryInfo, ProblemCode, RetryRule, RetryVerdict, Rule, Service,
};

use crate::Outcome;
use crate::args::ExplainArgs;
use crate::load::Loaded;
use crate::output::text::severity;
use crate::output::{duration, who_acts};
use crate::term::{self, BOLD, CYAN, DIM, paint, wrap};

/// Most rules that one page shows in full.
const FULL_PAGES: usize = 3;

pub fn run(args: &ExplainArgs, loaded: &Loaded) -> anyhow::Result<Outcome> {
    let catalog = loaded.classifier.catalog();
    let service = match &args.service {
        Some(name) => match catalog.service(name) {
            Some(service) => Some(service),
            None => bail!("no service is called `{name}`; `whyerr rules list --json` names them"),
        },
        None => None,
    };
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    match explain::find(catalog, &args.subject, service) {
        Some(Topic::Rules(rules)) => {
            rules_page(&mut out, catalog, &args.subject, &rules, service)?;
        }
        Some(Topic::Category(category)) => category_page(&mut out, catalog, category, service)?,
        Some(Topic::Service(service)) => service_page(&mut out, catalog, service)?,
        _ => match ProblemCode::ALL.iter().find(|code| code.id() == args.subject) {
            Some(code) => {
                writeln!(out, "{}\n{}", paint(BOLD, code.id()), code.explanation())?;
            }
            None => bail!(
                "nothing is known of `{}`: not a rule, status, code, category, service or problem",
                args.subject
            ),
        },
    }
    out.flush()?;
    Ok(Outcome::Fine)
}

fn section(out: &mut impl Write, title: &str) -> io::Result<()> {
    writeln!(out, "\n{}", paint(BOLD, title))
}

fn paragraph(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "  {}", wrap(text, term::width(), 2))
}

fn item(out: &mut impl Write, mark: &str, text: &str) -> io::Result<()> {
    let indent = 3 + mark.chars().count();
    writeln!(out, "  {mark} {}", wrap(text, term::width(), indent))
}

fn rules_page(
    out: &mut impl Write,
    catalog: &Catalog,
    subject: &str,
    rules: &[&Rule],
    service: Option<&Service>,
) -> io::Result<()> {
    let Some((first, others)) = rules.split_first() else { return Ok(()) };
    rule_page(out, catalog, first, service)?;
    // A status or a code may stand for several causes: the nearest in full, the rest by name.
    let own = |rule: &&&Rule| service.is_some_and(|s| is_of(rule, s));
    let full: Vec<&&Rule> = others.iter().filter(own).take(FULL_PAGES - 1).collect();
    for rule in &full {
        writeln!(out, "\n{}", paint(DIM, "─".repeat(40)))?;
        rule_page(out, catalog, rule, service)?;
    }
    let rest: Vec<&&Rule> =
        others.iter().filter(|rule| !full.iter().any(|f| f.id == rule.id)).collect();
    if !rest.is_empty() {
        section(out, &format!("Other rules for {subject}"))?;
        for rule in rest {
            let title = explain::fill(&rule.title, service).unwrap_or_default();
            writeln!(out, "  {:<40} {title}", rule.id)?;
        }
    }
    if let Some(service) = service {
        codes(out, catalog, service)?;
        about(out, service)?;
    }
    Ok(())
}

/// Whether a rule is one of the service's own.
pub fn is_of(rule: &Rule, service: &Service) -> bool {
    rule.service.as_deref() == Some(&*service.id)
        || rule.id.starts_with(&format!("{}.", service.id))
}

fn rule_page(
    out: &mut impl Write,
    catalog: &Catalog,
    rule: &Rule,
    asked: Option<&Service>,
) -> io::Result<()> {
    let service = asked.or_else(|| catalog.service(rule.service.as_deref()?));
    let title = explain::fill(&rule.title, service).unwrap_or_else(|| rule.title.to_string());
    let heading = match service {
        Some(service) => format!("{}: {title}", service.name),
        None => title,
    };
    writeln!(out, "{} {}", severity(rule.severity), paint(BOLD, heading))?;
    let status = match rule.status {
        whyerr::Status::Stable => String::new(),
        other => format!(" · {other}"),
    };
    let line = format!("{} · {} · {} acts{status}", rule.id, rule.category, who_acts(rule.who));
    writeln!(out, "         {}", paint(DIM, line))?;

    section(out, "What it means")?;
    if let Some(summary) = explain::fill_first(&rule.summary, service) {
        paragraph(out, &summary)?;
    }
    paragraph(out, &catalog.category(rule.category).definition)?;

    section(out, "How it looks")?;
    for signature in explain::signatures(rule) {
        item(out, "-", &signature)?;
    }
    for example in rule.examples.iter().filter(|example| !example.text.is_empty()).take(2) {
        let text = whyerr::redact::redact(&example.text);
        let line = term::clip(text.trim(), 300);
        item(out, "e.g.", &term::harmless(&line))?;
    }

    section(out, "Likely causes")?;
    for cause in &rule.causes {
        if let Some(cause) = explain::fill(cause, service) {
            item(out, "-", &cause)?;
        }
    }

    section(out, "What to do, in this order")?;
    let steps = rule
        .remedies
        .iter()
        .filter_map(|remedy| Some((explain::fill_first(&remedy.text, service)?, remedy.who)));
    for (at, (step, who)) in steps.enumerate() {
        item(out, &format!("{}.", at + 1), &format!("{step} ({who})"))?;
    }

    section(out, "Is a retry worth it?")?;
    paragraph(out, &retry(&rule.retry))?;

    section(out, "Is it only me, or everyone?")?;
    paragraph(out, &rule.is_it_me)?;
    if let Some(status) = service.and_then(|service| service.link("status")) {
        paragraph(out, &format!("Status page: {status}"))?;
    }

    confused(out, catalog, rule.category)?;
    if !rule.related.is_empty() {
        section(out, "See also")?;
        for id in &rule.related {
            if let Some(rule) = catalog.rule(id) {
                writeln!(out, "  {:<40} {}", rule.id, rule.title)?;
            }
        }
    }
    if !rule.references.is_empty() {
        section(out, "References")?;
        for reference in &rule.references {
            let checked = match &reference.checked {
                Some(date) => format!(" (read {date})"),
                None => String::new(),
            };
            writeln!(out, "  {}{}", reference.url, paint(DIM, checked))?;
        }
    }
    Ok(())
}

/// Retry advice of a rule, in sentences.
fn retry(retry: &RetryRule) -> String {
    let mut text = match retry.verdict {
        RetryVerdict::Never => "No. The same request cannot succeed.".to_owned(),
        RetryVerdict::OnceFixed => {
            "Not before somebody has acted; then the same request succeeds.".to_owned()
        }
        verdict => {
            let (base, cap) = (duration(retry.base), duration(retry.cap));
            let schedule = format!("double the delay from {base} up to {cap}, with random jitter");
            match (verdict, &retry.resets) {
                (RetryVerdict::After, Some(resets)) => format!(
                    "Yes, after the wait that the response states, else after the reset ({resets})."
                ),
                (RetryVerdict::After, None) => format!(
                    "Yes, after the wait that the response states (Retry-After and the like); \
                     where it states none, {schedule}."
                ),
                _ => format!("Yes: {schedule}."),
            }
        }
    };
    if let Some(scope) = retry.scope {
        text.push_str(&format!(" Everything that shares the {scope} has to wait."));
    }
    if retry.if_idempotent {
        text.push_str(" Only where the request may be carried out twice without harm.");
    }
    if !retry.alternatives.is_empty() {
        let list: Vec<&str> = retry.alternatives.iter().map(|a| a.as_str()).collect();
        text.push_str(&format!(" What may work at once: another {}.", list.join(", another ")));
    }
    text
}

fn confused(out: &mut impl Write, catalog: &Catalog, category: Category) -> io::Result<()> {
    let list = &catalog.category(category).confused_with;
    if list.is_empty() {
        return Ok(());
    }
    section(out, "Often confused with")?;
    for (other, how) in list {
        item(out, "-", &format!("{other}: {how}"))?;
    }
    Ok(())
}

fn category_page(
    out: &mut impl Write,
    catalog: &Catalog,
    category: &CategoryInfo,
    service: Option<&Service>,
) -> io::Result<()> {
    writeln!(out, "{} {}", severity(category.severity), paint(BOLD, &category.name))?;
    let line = format!("{} · {} acts", category.id, who_acts(category.who));
    writeln!(out, "         {}", paint(DIM, line))?;
    section(out, "What it means")?;
    paragraph(out, &category.definition)?;
    section(out, "What to do first")?;
    paragraph(out, &category.first)?;
    section(out, "Is a retry worth it?")?;
    paragraph(out, &retry(&category.retry))?;
    section(out, "Is it only me, or everyone?")?;
    paragraph(out, &category.is_it_me)?;
    confused(out, catalog, category.id)?;
    section(out, "Rules")?;
    for rule in catalog.rules().filter(|rule| rule.category == category.id) {
        if service.is_none_or(|service| is_of(rule, service)) {
            let title = explain::fill(&rule.title, service).unwrap_or_default();
            writeln!(out, "  {:<40} {title}", rule.id)?;
        }
    }
    Ok(())
}

fn service_page(out: &mut impl Write, catalog: &Catalog, service: &Service) -> io::Result<()> {
    writeln!(out, "{}", paint(BOLD, &service.name))?;
    writeln!(out, "{}", paint(DIM, format_args!("{} · {}", service.id, service.kind)))?;
    about(out, service)?;
    section(out, "Rules")?;
    for rule in explain::rules_of(catalog, service) {
        let title = explain::fill(&rule.title, Some(service)).unwrap_or_default();
        writeln!(out, "  {:<40} {:<22} {title}", rule.id, rule.category)?;
    }
    Ok(())
}

fn about(out: &mut impl Write, service: &Service) -> io::Result<()> {
    section(out, &format!("About {}", service.name))?;
    for (name, url) in &service.links {
        writeln!(out, "  {name:<10} {}", paint(CYAN, url))?;
    }
    if !service.components.is_empty() {
        item(out, "components", &service.components.join(", "))?;
    }
    if !service.products.is_empty() {
        let names: Vec<String> =
            service.products.iter().map(|p| format!("{} ({})", p.name, p.id)).collect();
        item(out, "products  ", &names.join(", "))?;
    }
    if let Some(notes) = &service.notes {
        paragraph(out, notes)?;
    }
    Ok(())
}

/// The service's code table, in short.
fn codes(out: &mut impl Write, catalog: &Catalog, service: &Service) -> io::Result<()> {
    let rules: Vec<_> = explain::rules_of(catalog, service)
        .into_iter()
        .filter_map(|rule| Some((explain::code_row(rule)?, rule)))
        .collect();
    if rules.is_empty() {
        return Ok(());
    }
    section(out, &format!("Codes of {}", service.name))?;
    for (code, rule) in rules {
        let title = explain::fill(&rule.title, Some(service)).unwrap_or_default();
        writeln!(out, "  {code:<24} {:<22} {title}", rule.category)?;
    }
    Ok(())
}
