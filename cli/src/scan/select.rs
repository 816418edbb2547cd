//! Which findings are asked for.

use clap::{Args, ValueEnum};
use whyerr::{Catalog, Category, RetryVerdict, Severity, Verdict, Who};

/// Flags that choose among findings.
#[derive(Debug, Clone, Default, Args)]
pub struct OnlyArgs {
    /// Only findings like this: KEY=VALUE,... with the keys category, service, who, severity,
    /// retry, rule (its id, or the beginning of it and `*`). Values of one key are alternatives,
    /// keys must all hold
    #[arg(long, value_name = "KEY=VALUE,...", value_delimiter = ',')]
    pub only: Vec<String>,

    /// Only findings that are at least this severe
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub min_severity: Option<AtLeast>,
}

/// A severity, as flags name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AtLeast {
    Info,
    Warning,
    Error,
    Critical,
}

impl AtLeast {
    pub fn severity(self) -> Severity {
        match self {
            AtLeast::Info => Severity::Info,
            AtLeast::Warning => Severity::Warning,
            AtLeast::Error => Severity::Error,
            AtLeast::Critical => Severity::Critical,
        }
    }
}

/// The findings that are asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    wanted: Vec<(Key, Vec<String>)>,
    least: Option<Severity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Category,
    Service,
    Who,
    Severity,
    Retry,
    Rule,
}

const KEYS: &[(&str, Key)] = &[
    ("category", Key::Category),
    ("service", Key::Service),
    ("who", Key::Who),
    ("severity", Key::Severity),
    ("retry", Key::Retry),
    ("rule", Key::Rule),
];

impl Selection {
    /// Reads the flags. What the catalogue cannot know is an error: a filter with a slip of the
    /// pen would look like a healthy log.
    pub fn new(args: &OnlyArgs, catalog: &Catalog) -> Result<Selection, String> {
        let mut selection =
            Selection { least: args.min_severity.map(AtLeast::severity), ..Selection::default() };
        for condition in &args.only {
            let (name, value) = condition
                .split_once('=')
                .ok_or_else(|| format!("--only {condition}: not of the form KEY=VALUE"))?;
            let names = || KEYS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            let key = KEYS
                .iter()
                .find(|(known, _)| *known == name.trim())
                .ok_or_else(|| format!("--only {condition}: the keys are {}", names()))?
                .1;
            let value = key
                .check(value.trim(), catalog)
                .map_err(|why| format!("--only {condition}: {why}"))?;
            match selection.wanted.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => selection.wanted.push((key, vec![value])),
            }
        }
        Ok(selection)
    }

    pub fn admits(&self, verdict: &Verdict) -> bool {
        verdict.severity() >= self.least
            && self.wanted.iter().all(|(key, values)| {
                key.of(verdict, |found| values.iter().any(|value| key.holds(value, found)))
            })
    }
}

/// The id of the service of this id, name or alias.
pub fn known_service<'c>(name: &str, catalog: &'c Catalog) -> Result<&'c str, String> {
    match catalog.service(name) {
        Some(service) => Ok(&service.id),
        None => Err(format!("the catalogue knows no service `{name}`")),
    }
}

impl Key {
    /// The value as the verdict has it, or why there can be none like it.
    fn check(self, value: &str, catalog: &Catalog) -> Result<String, String> {
        let among = |known: Vec<&str>| match known.contains(&value) {
            true => Ok(value.to_owned()),
            false => Err(format!("`{value}` is none of {}", known.join(", "))),
        };
        match self {
            Key::Category => among(Category::ALL.iter().map(|it| it.as_str()).collect()),
            Key::Who => among(Who::ALL.iter().map(|it| it.as_str()).collect()),
            Key::Severity => among(Severity::ALL.iter().map(|it| it.as_str()).collect()),
            Key::Retry => among(RetryVerdict::ALL.iter().map(|it| it.as_str()).collect()),
            Key::Service => known_service(value, catalog).map(str::to_owned),
            Key::Rule => {
                let known = match value.strip_suffix('*') {
                    Some(start) => catalog.rules().any(|rule| rule.id.starts_with(start)),
                    None => catalog.rules().any(|rule| *rule.id == *value),
                };
                match known {
                    true => Ok(value.to_owned()),
                    false => Err(format!(
                        "no rule has the id `{value}` (`whyerr rules list` shows them)"
                    )),
                }
            }
        }
    }

    fn of(self, verdict: &Verdict, test: impl Fn(&str) -> bool) -> bool {
        match self {
            Key::Category => verdict.category().is_some_and(|it| test(it.as_str())),
            Key::Who => verdict.who().is_some_and(|it| test(it.as_str())),
            Key::Severity => verdict.severity().is_some_and(|it| test(it.as_str())),
            Key::Retry => test(verdict.retry().verdict.as_str()),
            Key::Service => verdict.service().is_some_and(|it| test(&it.id)),
            Key::Rule => verdict.rule().is_some_and(|it| test(&it.id)),
        }
    }

    fn holds(self, wanted: &str, found: &str) -> bool {
        match wanted.strip_suffix('*') {
            Some(start) if self == Key::Rule => found.starts_with(start),
            _ => wanted == found,
        }
    }
}
