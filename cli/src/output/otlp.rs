//! OTLP log records in JSON, one export request a line, as the file exporter of OpenTelemetry's
//! collector writes them.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use whyerr::redact::redact;
use whyerr::{Severity, Value};
use whyerr_logs::record::Level;

use super::beginning;
use super::json::{MAX_TEXT, line_of};
use super::sink::Finding;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_logs: [ResourceLogs; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs {
    resource: Resource,
    scope_logs: [ScopeLogs; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs {
    scope: Scope,
    log_records: [LogRecord; 1],
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    time_unix_nano: Option<String>,
    observed_time_unix_nano: String,
    severity_number: u8,
    severity_text: String,
    body: Any,
    attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
}

#[derive(Serialize)]
struct Attribute {
    key: &'static str,
    value: Any,
}

/// A value. Integers are strings in OTLP/JSON.
#[derive(Serialize)]
enum Any {
    #[serde(rename = "stringValue")]
    String(String),
    #[serde(rename = "intValue")]
    Int(String),
    #[serde(rename = "doubleValue")]
    Double(f64),
}

/// Attributes of which some may not be known.
#[derive(Default)]
struct Attributes(Vec<Attribute>);

impl Attributes {
    fn text(&mut self, key: &'static str, value: Option<impl Into<String>>) {
        self.0.extend(value.map(|value| Attribute { key, value: Any::String(value.into()) }));
    }

    fn int(&mut self, key: &'static str, value: Option<impl ToString>) {
        self.0.extend(value.map(|value| Attribute { key, value: Any::Int(value.to_string()) }));
    }

    fn double(&mut self, key: &'static str, value: Option<f64>) {
        self.0.extend(value.map(|value| Attribute { key, value: Any::Double(value) }));
    }
}

pub fn finding(out: &mut Vec<u8>, finding: &Finding<'_>) -> io::Result<()> {
    let record = finding.record;
    let ids = record.trace.as_deref().map(trace_ids).unwrap_or_default();
    let (severity_number, severity_text) = severity(record.level, finding.verdict.severity());
    let mut resource = Attributes::default();
    // The one that logged it, not the one that failed; OpenTelemetry's word where it is not known.
    let logged_by = record.logged_by.as_deref().map(|name| redact(name).into_owned());
    resource.text("service.name", Some(logged_by.unwrap_or_else(|| "unknown_service".into())));
    let request = Request {
        resource_logs: [ResourceLogs {
            resource: Resource { attributes: resource.0 },
            scope_logs: [ScopeLogs {
                scope: Scope { name: "whyerr", version: env!("CARGO_PKG_VERSION") },
                log_records: [LogRecord {
                    time_unix_nano: record.time.and_then(nanoseconds),
                    observed_time_unix_nano: nanoseconds(SystemTime::now()).unwrap_or_default(),
                    severity_number,
                    severity_text: severity_text.to_owned(),
                    body: Any::String(beginning(finding.shown(), MAX_TEXT)),
                    attributes: attributes(finding, &ids),
                    trace_id: ids.trace,
                    span_id: ids.span,
                }],
            }],
        }],
    };
    line_of(out, &request)
}

fn attributes(finding: &Finding<'_>, ids: &Ids) -> Vec<Attribute> {
    let verdict = finding.verdict;
    let retry = verdict.retry();
    let mut list = Attributes::default();
    list.text("error.type", verdict.category().map(|category| category.as_str()));
    list.text("whyerr.rule", verdict.rule().map(|rule| &*rule.id));
    list.text("whyerr.severity", verdict.severity().map(|severity| severity.as_str()));
    list.text("whyerr.service", verdict.service().map(|service| &*service.id));
    list.text("whyerr.who", verdict.who().map(|who| who.as_str()));
    list.text("whyerr.retry.verdict", Some(retry.verdict.as_str()));
    list.double("whyerr.retry.delay_s", retry.delay(1).map(|delay| delay.as_secs_f64()));
    list.text("whyerr.confidence", verdict.confidence().map(|confidence| confidence.as_str()));
    list.text("whyerr.summary", verdict.summary());
    list.text("whyerr.remedy", verdict.remedies().into_iter().next().map(|(step, _)| step));
    if let Some(Value::Integer(status)) = verdict.value("http_status") {
        list.int("http.response.status_code", Some(status));
    }
    if finding.source != "-" {
        let name = finding.source.rsplit(std::path::is_separator).next();
        list.text("log.file.name", name);
        list.text("log.file.path", Some(finding.source));
    }
    list.int("whyerr.line", Some(finding.line));
    if ids.trace.is_none() {
        let trace = finding.record.trace.as_deref();
        list.text("whyerr.trace", trace.map(|trace| redact(trace).into_owned()));
    }
    list.0
}

/// What the log says; where it says nothing, what the rule says.
fn severity(level: Option<Level>, severity: Option<Severity>) -> (u8, &'static str) {
    match (level, severity) {
        (Some(Level::Trace), _) => (1, "TRACE"),
        (Some(Level::Debug), _) => (5, "DEBUG"),
        (Some(Level::Info), _) | (None, Some(Severity::Info)) => (9, "INFO"),
        (Some(Level::Notice), _) => (10, "NOTICE"),
        (Some(Level::Warning), _) | (None, Some(Severity::Warning)) => (13, "WARN"),
        (Some(Level::Critical), _) | (None, Some(Severity::Critical)) => (21, "FATAL"),
        (Some(Level::Error), _) | (None, _) => (17, "ERROR"),
    }
}

fn nanoseconds(time: SystemTime) -> Option<String> {
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_nanos().to_string())
}

/// Ids as OTLP has them: hex, of a fixed length, not all zeros.
#[derive(Default, Debug, PartialEq)]
struct Ids {
    trace: Option<String>,
    span: Option<String>,
}

/// From a trace id, or a `traceparent` (`00-TRACE-SPAN-01`).
fn trace_ids(text: &str) -> Ids {
    let id = |text: &str, length: usize| {
        let is_id = text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            && text.bytes().any(|byte| byte != b'0');
        is_id.then(|| text.to_ascii_lowercase())
    };
    let parts: Vec<&str> = text.split('-').collect();
    match parts[..] {
        [_, trace, span, _] if trace.len() == 32 => {
            let trace = id(trace, 32);
            Ids { span: id(span, 16).filter(|_| trace.is_some()), trace }
        }
        // As a UUID too.
        _ => Ids { trace: id(&parts.concat(), 32), span: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_the_right_form_are_ids() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let ids = |trace: Option<&str>, span: Option<&str>| Ids {
            trace: trace.map(str::to_owned),
            span: span.map(str::to_owned),
        };
        let cases = [
            (trace.to_owned(), ids(Some(trace), None)),
            (trace.to_uppercase(), ids(Some(trace), None)),
            ("0af76519-16cd-43dd-8448-eb211c80319c".to_owned(), ids(Some(trace), None)),
            (format!("00-{trace}-{span}-01"), ids(Some(trace), Some(span))),
            (format!("00-{trace}-{}-01", "0".repeat(16)), ids(Some(trace), None)),
            ("0".repeat(32), ids(None, None)),
            (format!("00-{}-{span}-01", "0".repeat(32)), ids(None, None)),
            ("req_01AbC".to_owned(), ids(None, None)),
            (trace.replace('0', "x"), ids(None, None)),
            (String::new(), ids(None, None)),
        ];
        for (text, expected) in cases {
            assert_eq!(trace_ids(&text), expected, "{text}");
        }
    }

    #[test]
    fn the_log_s_own_level_comes_first() {
        assert_eq!(severity(Some(Level::Warning), Some(Severity::Critical)), (13, "WARN"));
        assert_eq!(severity(None, Some(Severity::Critical)), (21, "FATAL"));
        assert_eq!(severity(None, None), (17, "ERROR"));
    }
}
