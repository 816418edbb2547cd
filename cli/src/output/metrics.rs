//! Counters for Prometheus, in a file that a textfile collector reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::sink::{Finding, Sink, State};
use crate::atomic;
use crate::term;

/// How often the file is written.
const EVERY: Duration = Duration::from_secs(15);
/// Most combinations of rule and service that are told apart, and most sources: names of services
/// may come from the log. What lies behind is counted under [`OTHER`].
const MAX_SERIES: usize = 2000;
const MAX_SOURCES: usize = 1000;
/// Most characters of a label's value.
const MAX_LABEL: usize = 200;
const OTHER: &str = "other";

/// Keeps the file up to date.
pub struct Metrics {
    path: PathBuf,
    /// Findings by rule, category and service.
    findings: BTreeMap<(String, &'static str, String), u64>,
    /// When the last finding was seen.
    last: Option<SystemTime>,
    written: Option<Instant>,
    /// It could not be written last time: that was told.
    failing: bool,
}

impl Metrics {
    pub fn new(path: &Path) -> Metrics {
        Metrics {
            path: path.to_owned(),
            findings: BTreeMap::new(),
            last: None,
            written: None,
            failing: false,
        }
    }

    fn write(&mut self, state: &State<'_>) -> io::Result<()> {
        self.written = Some(Instant::now());
        atomic::replace(&self.path, self.text(state).as_bytes()).map_err(|error| {
            let path = self.path.display();
            io::Error::other(format!("cannot write the metrics to {path}: {error}"))
        })
    }

    fn text(&self, state: &State<'_>) -> String {
        let totals = state.totals;
        let mut out = Exposition::default();
        out.family("whyerr_findings_total", "counter", "Events that have a verdict.");
        for ((rule, category, service), count) in &self.findings {
            let labels = [("rule", &**rule), ("category", category), ("service", service)];
            out.sample(&labels, *count as f64);
        }
        let counters = [
            ("whyerr_lines_total", "Lines that were read.", totals.lines),
            ("whyerr_bytes_total", "Bytes that were classified.", totals.bytes),
            ("whyerr_cut_lines_total", "Lines that were too long and cut.", totals.cut_lines),
            (
                "whyerr_cut_findings_total",
                "Findings of which not all was read.",
                totals.cut_findings,
            ),
            (
                "whyerr_skipped_bytes_total",
                "Bytes of such lines that were not looked at.",
                totals.skipped_bytes,
            ),
            (
                "whyerr_lost_bytes_total",
                "Bytes of followed files gone before they were read.",
                totals.lost_bytes,
            ),
            (
                "whyerr_read_errors_total",
                "Sources that could not be read, or not to their end.",
                totals.read_errors,
            ),
        ];
        for (name, help, value) in counters {
            out.family(name, "counter", help);
            out.sample(&[], value as f64);
        }
        let since = self.last.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        out.family(
            "whyerr_last_finding_timestamp_seconds",
            "gauge",
            "When the last event with a verdict was read; 0 before the first.",
        );
        out.sample(&[], since.unwrap_or_default().as_millis() as f64 / 1000.0);
        self.lag(&mut out, state);
        out.text
    }

    fn lag(&self, out: &mut Exposition, state: &State<'_>) {
        if state.lag.is_empty() {
            return;
        }
        out.family("whyerr_lag_bytes", "gauge", "Bytes of a followed source not read yet.");
        for (source, bytes) in state.lag.iter().take(MAX_SOURCES) {
            let name = state.names.get(*source).map_or("", String::as_str);
            out.sample(&[("source", name)], *bytes as f64);
        }
        if state.lag.len() > MAX_SOURCES {
            let rest: u64 = state.lag.values().skip(MAX_SOURCES).sum();
            out.sample(&[("source", OTHER)], rest as f64);
        }
    }
}

impl Sink for Metrics {
    fn reads_keys(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding<'_>, _: &mut dyn Write) -> io::Result<()> {
        let verdict = finding.verdict;
        let Some(rule) = verdict.rule() else { return Ok(()) };
        self.last = Some(SystemTime::now());
        let service = verdict.service().map_or("", |service| &service.id);
        let service = whyerr::redact::redact(service).into_owned();
        let mut key = (rule.id.to_string(), rule.category.as_str(), service);
        if self.findings.len() >= MAX_SERIES && !self.findings.contains_key(&key) {
            // Rules and categories are few: they stay.
            key.2 = OTHER.to_owned();
        }
        *self.findings.entry(key).or_default() += 1;
        Ok(())
    }

    fn tick(&mut self, state: &State<'_>, _: &mut dyn Write) -> io::Result<()> {
        let first = self.written.is_none();
        if self.written.is_some_and(|written| written.elapsed() < EVERY) {
            return Ok(());
        }
        match self.write(state) {
            Ok(()) => self.failing = false,
            // A path that cannot be right is told at once.
            Err(error) if first => return Err(error),
            // A disk that is full for a while is no reason to stop the pipeline.
            Err(error) if !self.failing => {
                self.failing = true;
                term::error(&error.to_string());
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, state: &State<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.write(state)
    }
}

/// The text format, version 0.0.4.
#[derive(Default)]
struct Exposition {
    text: String,
    name: &'static str,
}

impl Exposition {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(self.name);
        for (at, (name, value)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", label(value));
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

fn label(value: &str) -> String {
    let value = term::clip(value, MAX_LABEL);
    let value = term::harmless(&value);
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::output::sink::{Context, Totals};
    use crate::templates::Counter;
    use whyerr::{Classifier, Event};
    use whyerr_logs::record::Record;

    /// With this state.
    fn with_state<T>(lag: &[(usize, u64)], names: &[String], f: impl FnOnce(&State<'_>) -> T) -> T {
        let totals = Totals { lines: 3, ..Totals::default() };
        f(&State {
            catalog: Classifier::builtin().catalog(),
            names,
            totals: &totals,
            faults: &[],
            unclassified: &Counter::default(),
            lag: &lag.iter().copied().collect(),
        })
    }

    #[test]
    fn lag_is_told_by_source_with_a_bound() {
        let names: Vec<String> = (0..1200).map(|at| format!("a\"{at}\\\n.log")).collect();
        let lag: Vec<(usize, u64)> = (0..1200).map(|at| (at, 10)).collect();
        let metrics = Metrics::new(Path::new("unused"));
        let text = with_state(&lag, &names, |state| metrics.text(state));
        assert!(text.contains("whyerr_lag_bytes{source=\"a\\\"7\\\\\\n.log\"} 10\n"), "{text}");
        assert!(text.contains("whyerr_lag_bytes{source=\"other\"} 2000\n"));
        assert_eq!(text.matches("whyerr_lag_bytes{").count(), MAX_SOURCES + 1);
        assert!(text.contains("# TYPE whyerr_lines_total counter\nwhyerr_lines_total 3\n"));
    }

    /// What `promtool check metrics` asks for, and the format itself.
    #[test]
    fn every_family_is_told_once_and_holds_its_samples() {
        let mut metrics = Metrics::new(Path::new("unused"));
        let key = ("a.b".to_owned(), "timeout", "a\"b\\c\nd\u{1b}{}# TYPE x".to_owned());
        metrics.findings.insert(key, 7);
        let text = with_state(&[(0, 3)], &["é \"x\".log".to_owned()], |state| metrics.text(state));
        assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
        let (mut families, mut family) = (Vec::new(), "");
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                family = help.split_once(' ').unwrap().0;
                assert!(!families.contains(&family), "twice: {family}");
                families.push(family);
                let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!((name, kind == "counter"), (family, family.ends_with("_total")));
                continue;
            }
            let rest = line.strip_prefix(family).unwrap_or_else(|| panic!("{line} of {family}"));
            let (labels, value) = rest.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(
                labels.is_empty() || labels.starts_with('{') && labels.ends_with("\"}"),
                "{line}"
            );
        }
        assert!(text.contains("service=\"a\\\"b\\\\c\\nd␛{}# TYPE x\"} 7\n"), "{text}");
        assert_eq!(families.len(), 10);
    }

    #[test]
    fn services_that_only_the_log_knows_are_bounded() {
        let mut metrics = Metrics::new(Path::new("unused"));
        for at in 0..MAX_SERIES + 100 {
            let event =
                Event::new("connect ECONNREFUSED 10.0.0.5:6379").service(format!("own-{at}"));
            let verdict = Classifier::builtin().classify(event);
            let finding = Finding {
                verdict: &verdict,
                record: &Record::default(),
                source: "-",
                source_number: 0,
                line: 1,
                offset: 0,
                text: b"",
                key: "",
                decoded: false,
                cut: false,
                context: &Context::default(),
            };
            metrics.finding(&finding, &mut Vec::new()).unwrap();
        }
        let text = with_state(&[], &[], |state| metrics.text(state));
        let labels = "rule=\"net.refused\",category=\"connection_failed\"";
        assert!(text.contains(&format!("{{{labels},service=\"own-7\"}} 1\n")), "{text}");
        assert!(text.contains(&format!("{{{labels},service=\"other\"}} 100\n")), "{text}");
        assert_eq!(text.matches("whyerr_findings_total{").count(), MAX_SERIES + 1);
    }

    #[test]
    fn the_file_is_written_at_first_and_then_every_so_often() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("why.prom");
        let mut metrics = Metrics::new(&path);
        let tick = |metrics: &mut Metrics| {
            with_state(&[], &[], |state| metrics.tick(state, &mut Vec::new()))
        };
        tick(&mut metrics).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("whyerr_lines_total 3"));
        fs::remove_file(&path).unwrap();
        tick(&mut metrics).unwrap();
        assert!(!path.exists(), "not yet due");
        metrics.written = Instant::now().checked_sub(EVERY);
        tick(&mut metrics).unwrap();
        assert!(path.exists());
        // What goes wrong later is told and tried again: the run goes on.
        drop(dir);
        metrics.written = Instant::now().checked_sub(EVERY);
        tick(&mut metrics).unwrap();
        assert!(metrics.failing);
        assert!(tick(&mut Metrics::new(&path)).is_err(), "the first one counts");
    }
}
