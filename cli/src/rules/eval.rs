//! `whyerr rules eval`: how good the rules are on labelled records.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use whyerr::{Category, Event, Scratch};

use crate::Outcome;
use crate::args::EvalArgs;
use crate::input::Source;
use crate::load::Loaded;
use crate::term::{BOLD, DIM, clip, harmless, paint};

/// A labelled record. Benign records have an id and a text alone.
#[derive(Debug, Deserialize)]
struct Record {
    #[serde(default)]
    id: String,
    text: String,
    #[serde(default, alias = "http_status")]
    status: Option<u16>,
    #[serde(default, alias = "service")]
    provider: Option<String>,
    #[serde(default)]
    category: Option<String>,
    /// Further categories that a fair judge accepts.
    #[serde(default)]
    alt: Vec<String>,
    #[serde(default)]
    retryable: Option<bool>,
    /// A field of its own to count by: `database`, `llm-api`.
    #[serde(default)]
    domain: Option<String>,
}

/// How many of some records came out right.
#[derive(Debug, Default, Serialize)]
struct Tally {
    records: usize,
    with_verdict: usize,
    strict: usize,
    lenient: usize,
    retry_labelled: usize,
    retry_agrees: usize,
}

/// What came of the records.
#[derive(Debug, Default, Serialize)]
struct Scores {
    #[serde(flatten)]
    all: Tally,
    /// The same of each domain that the records name.
    by_domain: BTreeMap<String, Tally>,
    /// label -> verdict -> count, of verdicts that are not even leniently right.
    confusion: BTreeMap<String, BTreeMap<String, usize>>,
    wrong: Vec<Wrong>,
    benign: usize,
    benign_with_verdict: usize,
    benign_wrong: Vec<Wrong>,
}

#[derive(Debug, Serialize)]
struct Wrong {
    id: String,
    label: String,
    verdict: String,
    rule: Option<String>,
    text: String,
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub fn run(args: &EvalArgs, loaded: &Loaded) -> anyhow::Result<Outcome> {
    let mut scores = Scores::default();
    let mut scratch = Scratch::default();
    for file in &args.files {
        for (at, record) in read(file)?.into_iter().enumerate() {
            let label =
                label(&record).with_context(|| format!("{}: record {}", file.display(), at + 1))?;
            score(&mut scores, &record, label, args, loaded, &mut scratch);
        }
    }
    for file in &args.benign {
        for record in read(file)? {
            scores.benign += 1;
            let event = Event::new(record.text.as_str());
            let verdict = loaded.classifier.classify_with(&event, &mut scratch);
            if let Some(rule) = verdict.rule() {
                scores.benign_with_verdict += 1;
                scores.benign_wrong.push(Wrong {
                    id: record.id,
                    label: "benign".to_owned(),
                    verdict: rule.category.to_string(),
                    rule: Some(rule.id.to_string()),
                    text: whyerr::redact::redact(&record.text).into_owned(),
                });
            }
        }
    }
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    if args.json {
        serde_json::to_writer(&mut out, &scores)?;
        writeln!(out)?;
    } else {
        report(&mut out, &scores, args)?;
    }
    Ok(Outcome::Fine)
}

fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    let mut text = String::new();
    Source::File(path.to_owned())
        .reader()
        .and_then(|mut reader| reader.read_to_string(&mut text))
        .with_context(|| format!("cannot read {}", path.display()))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), at + 1))
        })
        .collect()
}

/// A slip in a label must not count as a wrong verdict.
fn label(record: &Record) -> anyhow::Result<&str> {
    let label = record
        .category
        .as_deref()
        .context("it has no category (lines that should get no verdict go by --benign)")?;
    for name in record.alt.iter().map(String::as_str).chain([label]) {
        anyhow::ensure!(
            Category::from_id(name).is_some(),
            "`{name}` is none of {}",
            Category::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")
        );
    }
    Ok(label)
}

fn score(
    scores: &mut Scores,
    record: &Record,
    label: &str,
    args: &EvalArgs,
    loaded: &Loaded,
    scratch: &mut Scratch,
) {
    let mut event = Event::new(record.text.as_str());
    if let Some(status) = record.status {
        event = event.http_status(status);
    }
    if args.with_service
        && let Some(provider) = &record.provider
    {
        event = event.service(provider.as_str());
    }
    let verdict = loaded.classifier.classify_with(&event, scratch);
    let category = verdict.category().map_or("unclassified", |category| category.as_str());
    let (strict, lenient) = (category == label, record.alt.iter().any(|alt| alt == category));
    let retry = record
        .retryable
        .filter(|_| verdict.is_classified())
        .map(|retryable| verdict.retry().is_retryable() == retryable);
    let domain = record.domain.clone().map(|name| scores.by_domain.entry(name).or_default());
    for tally in [Some(&mut scores.all), domain].into_iter().flatten() {
        tally.records += 1;
        tally.strict += usize::from(strict);
        tally.lenient += usize::from(strict || lenient);
        tally.with_verdict += usize::from(verdict.is_classified());
        tally.retry_labelled += usize::from(retry.is_some());
        tally.retry_agrees += usize::from(retry == Some(true));
    }
    if !strict && !lenient {
        let row = scores.confusion.entry(label.to_owned()).or_default();
        *row.entry(category.to_owned()).or_default() += 1;
        scores.wrong.push(Wrong {
            id: record.id.clone(),
            label: label.to_owned(),
            verdict: category.to_owned(),
            rule: verdict.rule().map(|rule| rule.id.to_string()),
            text: whyerr::redact::redact(&record.text).into_owned(),
        });
    }
}

/// The domain with the least share of right verdicts first: there is work to do.
fn by_domain(out: &mut impl Write, domains: &BTreeMap<String, Tally>) -> io::Result<()> {
    if domains.is_empty() {
        return Ok(());
    }
    let heading = "By domain         records  strict  lenient  precision  retry";
    writeln!(out, "\n{}", paint(BOLD, heading))?;
    let mut domains: Vec<_> = domains.iter().collect();
    domains.sort_by(|(_, a), (_, b)| {
        share(a.lenient, a.records).total_cmp(&share(b.lenient, b.records))
    });
    for (name, tally) in domains {
        let percent = |part, whole: usize| match whole {
            0 => "-".to_owned(),
            _ => format!("{:.0} %", 100.0 * share(part, whole)),
        };
        writeln!(
            out,
            "  {name:<16} {:>6} {:>7} {:>8} {:>10} {:>6}",
            tally.records,
            percent(tally.strict, tally.records),
            percent(tally.lenient, tally.records),
            percent(tally.lenient, tally.with_verdict),
            percent(tally.retry_agrees, tally.retry_labelled),
        )?;
    }
    Ok(())
}

fn report(out: &mut impl Write, scores: &Scores, args: &EvalArgs) -> anyhow::Result<()> {
    let mut line = |name: &str, part: usize, whole: usize| {
        writeln!(out, "{name:<28} {:>6.1} %   {part} of {whole}", 100.0 * share(part, whole))
    };
    let all = &scores.all;
    if all.records > 0 {
        line("lenient accuracy", all.lenient, all.records)?;
        line("strict accuracy", all.strict, all.records)?;
        line("with a verdict", all.with_verdict, all.records)?;
        line("precision (lenient)", all.lenient, all.with_verdict)?;
        line("recall (lenient)", all.lenient, all.records)?;
        line("retry agreement", all.retry_agrees, all.retry_labelled)?;
    }
    if scores.benign > 0 {
        line("benign with a verdict", scores.benign_with_verdict, scores.benign)?;
    }
    by_domain(out, &scores.by_domain)?;
    // A wrong verdict is worse than none: those stand first.
    let (mut wrong, none): (Vec<_>, Vec<_>) =
        scores.wrong.iter().partition(|wrong| wrong.rule.is_some());
    wrong.extend(none);
    if !scores.confusion.is_empty() {
        writeln!(out, "\n{}", paint(BOLD, "Confusion (label: verdicts that are not right)"))?;
        for (label, verdicts) in &scores.confusion {
            let list: Vec<String> =
                verdicts.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
            writeln!(out, "  {label:<22} {}", list.join(", "))?;
        }
    }
    let shown = wrong.iter().take(args.worst).copied().chain(scores.benign_wrong.iter());
    for (at, wrong) in shown.enumerate() {
        if at == 0 {
            writeln!(out, "\n{}", paint(BOLD, "Worst records"))?;
        }
        let rule = wrong.rule.as_deref().unwrap_or("-");
        writeln!(out, "  {} {} → {} {}", wrong.id, wrong.label, wrong.verdict, paint(DIM, rule))?;
        let text = wrong.text.replace('\n', "⏎");
        writeln!(out, "      {}", clip(&harmless(&text), 220))?;
    }
    Ok(())
}
