//! Data-driven cases: `tests/cases/*.yaml`, a small catalogue and events with what must come out,
//! run through every engine path.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use whyerr::scan::{Finding, Scanner};
use whyerr::{Catalog, Classifier, Event, Layer, Scratch, Verdict};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    catalog: String,
    events: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What is wrong with the engine: the expectation is right and must fail as yet. Once it
    /// holds, the test asks for this key to be removed.
    #[serde(default)]
    known_bug: Option<String>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    http_status: Option<u16>,
    #[serde(default)]
    grpc_status: Option<String>,
    #[serde(default)]
    exit_code: Option<i32>,
    #[serde(default)]
    signal: Option<String>,
    #[serde(default)]
    code: Vec<String>,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    product: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    expect: Expect,
}

/// Only what is written is compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// Id, or `none`.
    rule: String,
    tier: Option<String>,
    decided_by: Option<String>,
    service: Option<String>,
    confidence: Option<String>,
    ambiguous: Option<bool>,
    retry: Option<String>,
    /// Before the first retry.
    delay_s: Option<f64>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    /// What the evidence says, in order.
    evidence: Option<Vec<String>>,
    /// Bytes of the text, one pair for each piece of evidence; null for facts of the caller.
    spans: Option<Vec<Option<[usize; 2]>>>,
}

impl Case {
    fn event(&self) -> Event<'_> {
        let mut event = Event::new(self.text.as_str());
        if let Some(status) = self.http_status {
            event = event.http_status(status);
        }
        if let Some(status) = &self.grpc_status {
            event = event.grpc_status(status);
        }
        if let Some(code) = self.exit_code {
            event = event.exit_code(code);
        }
        if let Some(signal) = &self.signal {
            event = event.signal(signal);
        }
        for code in &self.code {
            event = event.code(code.as_str());
        }
        if let Some(service) = &self.service {
            event = event.service(service.as_str());
        }
        if let Some(product) = &self.product {
            event = event.product(product.as_str());
        }
        for (name, value) in &self.headers {
            event = event.header(name.as_str(), value.as_str());
        }
        event
    }

    fn has_text_alone(&self) -> bool {
        self.http_status.is_none()
            && self.grpc_status.is_none()
            && self.exit_code.is_none()
            && self.signal.is_none()
            && self.code.is_empty()
            && self.service.is_none()
            && self.product.is_none()
            && self.headers.is_empty()
            && !self.text.trim_end().contains('\n')
            && !self.text.is_empty()
    }
}

impl Expect {
    fn check(&self, verdict: &Verdict) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut same = |name: &str, wanted: Option<&str>, found: Option<String>| {
            if let Some(wanted) = wanted {
                let found = found.unwrap_or_else(|| "none".to_owned());
                if wanted != found {
                    wrong.push(format!("{name}: wanted {wanted}, found {found}"));
                }
            }
        };
        same("rule", Some(&self.rule), verdict.rule().map(|rule| rule.id.to_string()));
        same("tier", self.tier.as_deref(), verdict.tier().map(|tier| tier.to_string()));
        let step = verdict.decided_by().map(|step| step.as_str().to_owned());
        same("decided_by", self.decided_by.as_deref(), step);
        same("service", self.service.as_deref(), verdict.service().map(|s| s.id.to_string()));
        let confidence = verdict.confidence().map(|confidence| confidence.to_string());
        same("confidence", self.confidence.as_deref(), confidence);
        let ambiguous = self.ambiguous.map(|yes| yes.to_string());
        same("ambiguous", ambiguous.as_deref(), Some(verdict.is_ambiguous().to_string()));
        same("retry", self.retry.as_deref(), Some(verdict.retry().verdict.to_string()));
        let delay = self.delay_s.map(|delay| delay.to_string());
        let found = verdict.retry().delay(1).map(|delay| delay.as_secs_f64().to_string());
        same("delay", delay.as_deref(), found);
        for (name, wanted) in &self.values {
            same(name, Some(wanted), verdict.value(name).map(|value| value.to_string()));
        }
        if let Some(wanted) = &self.evidence {
            let found: Vec<&str> = verdict.evidence().iter().map(|e| e.text.as_str()).collect();
            same("evidence", Some(&format!("{wanted:?}")), Some(format!("{found:?}")));
        }
        if let Some(wanted) = &self.spans {
            let span = |e: &whyerr::Evidence| e.span.as_ref().map(|span| [span.start, span.end]);
            let found: Vec<_> = verdict.evidence().iter().map(span).collect();
            same("spans", Some(&format!("{wanted:?}")), Some(format!("{found:?}")));
        }
        wrong
    }
}

#[test]
fn cases_hold_on_every_path() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let file: File = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        let mut builder = Catalog::builder();
        builder.with_builtin(false).text(Layer::User, "catalog", &file.catalog);
        let catalog = builder.build().unwrap_or_else(|problems| panic!("{path:?}\n{problems}"));
        let classifier = Classifier::new(&catalog);
        let mut scratch = Scratch::default();
        for case in &file.events {
            count += 1;
            let before = wrong.len();
            let event = case.event();
            let mut verdicts = vec![
                ("classify", classifier.classify(event.clone())),
                ("scratch", classifier.classify_with(&event, &mut scratch)),
                ("naive", classifier.classify_naive(&event)),
            ];
            if case.has_text_alone() {
                let line = case.text.trim_end();
                let log = format!("nothing here\n{line}\r\nnothing there\n");
                let mut findings = Vec::new();
                Scanner::new(&classifier)
                    .scan(log.as_bytes(), &mut scratch, |found| findings.push(found));
                let mut filtered = Vec::new();
                Scanner::with_sample(&classifier, log.as_bytes()).scan(
                    log.as_bytes(),
                    &mut scratch,
                    |found| filtered.push(found),
                );
                if filtered != findings {
                    wrong.push(format!("{path:?}: {} (filter): unlike scan", case.name));
                }
                let start = "nothing here\n".len();
                let own = |finding: &Finding| finding.range == (start..start + line.len());
                if !findings.iter().all(own) {
                    wrong.push(format!("{path:?}: {} (scan): another line matched", case.name));
                }
                let found = findings.into_iter().find(own).map(|finding| finding.verdict);
                verdicts.push(("scan", found.unwrap_or_else(|| classifier.classify(""))));
            }
            for (how, verdict) in &verdicts {
                for reason in case.expect.check(verdict) {
                    wrong.push(format!("{path:?}: {} ({how}): {reason}", case.name));
                }
                if *verdict != verdicts[0].1 {
                    wrong.push(format!("{path:?}: {} ({how}): unlike classify", case.name));
                }
            }
            if let Some(bug) = &case.known_bug {
                let fails = wrong.len() > before;
                wrong.truncate(before);
                if !fails {
                    wrong.push(format!("{path:?}: {}: holds, remove known_bug: {bug}", case.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 80, "{count} cases");
}
