//! `whyerr why`: the whole reasoning for one event.

use std::io::{self, BufWriter, Read, Write};
use std::ops::Range;

use anyhow::{Context, bail};
use jiff::Timestamp;
use whyerr::redact::{self, redact};
use whyerr::scan::Framing;
use whyerr::{Event, Reason, Why};
use whyerr_logs::record::{Format, Record};

use crate::Outcome;
use crate::args::{FactArgs, WhyArgs};
use crate::input::Source;
use crate::load::Loaded;
use crate::output::text::{advice, heading};
use crate::scan::select::known_service;
use crate::term::{self, BOLD, CYAN, DIM, GREEN, MARK, harmless, paint};

/// Longest event that is read from standard input.
const MAX_EVENT: u64 = 1 << 20;

pub fn run(args: &WhyArgs, loaded: &Loaded) -> anyhow::Result<Outcome> {
    let bytes = match args.text.as_str() {
        "-" => {
            let mut bytes = Vec::new();
            Source::Stdin
                .reader()
                .and_then(|input| input.take(MAX_EVENT).read_to_end(&mut bytes))
                .context("cannot read standard input")?;
            while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                bytes.pop();
            }
            bytes
        }
        text => text.as_bytes().to_vec(),
    };
    let (event, record) = args.records.framing()?.read(&bytes);
    let event = with_facts(event, &args.facts)?;
    let classifier = &loaded.classifier;
    if let Some(id) = &args.rule
        && classifier.catalog().rule(id).is_none()
    {
        bail!("there is no rule `{id}`; `whyerr rules list` names them");
    }
    if let Some(service) = &args.facts.service
        && let Err(message) = known_service(service, classifier.catalog())
    {
        // Services of one's own are named so too.
        term::note(&format!("--service: {message}; it is taken for one of your own"));
    }
    let why = classifier.why(&event);
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    if args.json {
        serde_json::to_writer(&mut out, &why.verdict)?;
        writeln!(out)?;
    } else {
        // What was cut into pieces is shown as it was read.
        report(&mut out, &why, &record, event.text())?;
        if let Some(id) = &args.rule {
            rule_question(&mut out, &why, loaded, &event, id)?;
        }
    }
    out.flush()?;
    Ok(Outcome::Fine)
}

/// Adds what flags say of an event.
pub fn with_facts<'e>(mut event: Event<'e>, facts: &'e FactArgs) -> anyhow::Result<Event<'e>> {
    if let Some(status) = facts.http_status {
        event = event.http_status(status);
    }
    for code in &facts.code {
        event = event.code(code.as_str());
    }
    if let Some(status) = &facts.grpc_status {
        event = event.grpc_status(status);
    }
    if let Some(code) = facts.exit_code {
        event = event.exit_code(code);
    }
    if let Some(signal) = &facts.signal {
        event = event.signal(signal);
    }
    if let Some(service) = &facts.service {
        event = event.service(service.as_str());
    }
    if let Some(product) = &facts.product {
        event = event.product(product.as_str());
    }
    for header in &facts.header {
        let Some((name, value)) = header.split_once(':') else {
            bail!("--header `{header}` is not `Name: value`");
        };
        event = event.header(name.trim(), value.trim());
    }
    Ok(event)
}

fn report(out: &mut impl Write, why: &Why, record: &Record, text: &[u8]) -> anyhow::Result<()> {
    let winner = why.matches.iter().find(|reason| reason.lost_by.is_none() && !reason.shadow);
    let spans = winner.map_or(&[][..], |winner| &winner.spans);
    writeln!(out, "{}", underlined(text, spans))?;

    writeln!(out, "\n{}", paint(BOLD, "Facts"))?;
    let said = said(record);
    if why.verdict.facts().is_empty() && said.is_empty() {
        writeln!(out, "  none")?;
    }
    for fact in why.verdict.facts() {
        let place = match &fact.span {
            Some(span) => format!(", bytes {}..{}", span.start, span.end),
            None => fact.path.iter().map(|path| format!(" {}", harmless(path))).collect(),
        };
        let from = paint(DIM, format_args!("({}{place})", fact.from.as_str()));
        writeln!(out, "  {:<12} {} {from}", fact.name, harmless(&fact.value))?;
    }
    for (name, value, place) in said {
        let from = paint(DIM, format_args!("({})", harmless(&place)));
        writeln!(out, "  {name:<12} {} {from}", harmless(&redact(&value)))?;
    }

    writeln!(out, "\n{}", paint(BOLD, "Rules that matched"))?;
    if why.matches.is_empty() {
        writeln!(out, "  none: unclassified")?;
    }
    for reason in &why.matches {
        self::reason(out, reason, text)?;
    }

    writeln!(out, "\n{}", paint(BOLD, "Verdict"))?;
    if !why.verdict.is_classified() {
        writeln!(out, "  unclassified: no rule matches, and a guess would be worth nothing")?;
        return Ok(());
    }
    heading(out, &why.verdict)?;
    if why.verdict.is_ambiguous() {
        let note = "ambiguous: the runner-up has another cause and equally good evidence";
        writeln!(out, "         {}", paint(CYAN, note))?;
    }
    advice(out, &why.verdict)?;
    Ok(())
}

/// What a record says that decides nothing: a name, a value, and where it stands.
fn said(record: &Record) -> Vec<(&'static str, String, String)> {
    let (format, paths) = (record.format, &record.paths);
    let time = record.time.and_then(|time| Timestamp::try_from(time).ok());
    let values = [
        ("time", time.map(|time| time.to_string()), &paths.time),
        ("level", record.level.map(|level| level.as_str().to_owned()), &paths.level),
        ("logged_by", record.logged_by.clone(), &paths.logged_by),
        ("trace", record.trace.clone(), &paths.trace),
    ];
    let values = values.into_iter().filter_map(|(name, value, path)| {
        let place = match path {
            Some(path) => format!("field {path}"),
            None => "at the beginning".to_owned(),
        };
        Some((name, value?, place))
    });
    let format = (format != Format::Text)
        .then(|| ("format", format.to_string(), "of the record".to_owned()));
    format.into_iter().chain(values).collect()
}

fn reason(out: &mut impl Write, reason: &Reason, text: &[u8]) -> anyhow::Result<()> {
    let mark = match (&reason.lost_by, reason.shadow) {
        (None, false) => paint(GREEN, "✓"),
        (None, true) => paint(DIM, "~"),
        (Some(_), _) => paint(DIM, "✗"),
    };
    let mut score = vec![format!("tier {}", reason.tier)];
    if reason.corroborated {
        score.push("corroborated".to_owned());
    }
    score.push(format!("{} kind{}", reason.kinds, if reason.kinds == 1 { "" } else { "s" }));
    if reason.bytes > 0 {
        score.push(format!("{} bytes", reason.bytes));
    }
    let end = match (&reason.lost_by, reason.shadow) {
        (None, false) => "wins".to_owned(),
        (None, true) => "shadow: counted, takes no part".to_owned(),
        (Some((_, Some(by))), _) => format!("superseded by {by}"),
        (Some((step, None)), _) => format!("loses by {}", step.as_str()),
    };
    let score = paint(DIM, format_args!("({})", score.join(", ")));
    writeln!(out, "  {mark} {:<36} {end} {score}", reason.rule)?;
    for (span, part) in reason.spans.iter().zip(redact::parts(text, &reason.spans)) {
        writeln!(
            out,
            "      {} {}",
            paint(DIM, format_args!("{}..{}", span.start, span.end)),
            paint(MARK, harmless(&part))
        )?;
    }
    Ok(())
}

/// The text with `spans` marked; without colours a line of carets would not survive wrapping, so
/// the parts stand in brackets then.
fn underlined(text: &[u8], spans: &[Range<usize>]) -> String {
    let color = crate::term::stdout_has_color();
    let mut ranges = Vec::new();
    let mut at = 0;
    for span in spans.iter().filter(|span| !span.is_empty()) {
        if span.start >= at {
            ranges.extend([at..span.start, span.clone()]);
            at = span.end;
        }
    }
    ranges.push(at..text.len());
    let mut out = String::new();
    // Every second one is a span.
    for (number, part) in redact::parts(text, &ranges).iter().enumerate() {
        let part = harmless(part);
        match number % 2 {
            0 => out.push_str(&part),
            _ if color => out.push_str(&paint(MARK, part)),
            _ => out.push_str(&format!("»{part}«")),
        }
    }
    out
}

fn rule_question(
    out: &mut impl Write,
    why: &Why,
    loaded: &Loaded,
    event: &Event<'_>,
    id: &str,
) -> anyhow::Result<()> {
    let rule = loaded.classifier.catalog().rule(id).context("checked before")?;
    writeln!(out, "\n{}", paint(BOLD, format_args!("Why not {}", rule.id)))?;
    let text = match why.matches.iter().find(|reason| reason.rule == rule.id) {
        Some(reason) => match &reason.lost_by {
            None if reason.shadow => "it matches, but is a shadow rule".to_owned(),
            None => "it won".to_owned(),
            Some((_, Some(by))) => format!("it matches, but {by} supersedes it"),
            Some((step, None)) => {
                format!("it matches, but loses to the winner by {}", step.as_str())
            }
        },
        None => {
            let classifier = &loaded.classifier;
            why.why_not(classifier, event, id).unwrap_or_else(|| "it does not match".to_owned())
        }
    };
    writeln!(out, "  {}", harmless(&text))?;
    Ok(())
}
