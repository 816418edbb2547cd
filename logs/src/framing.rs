//! Events of several lines, and what their records say.

use std::borrow::Cow;
use std::ops::Range;

use whyerr::Event;
use whyerr::scan::Framing;

use crate::bundle::{Bundles, Part};
use crate::group::{Grouping, rejoined, shortened};
use crate::hidden::hidden;
use crate::message::decoded;
use crate::record::{Reader, Record};

/// How a log falls into events, and how their records are read.
///
/// ```
/// use whyerr::scan::Scanner;
/// use whyerr::{Classifier, Scratch};
/// use whyerr_logs::LogFraming;
///
/// let log = b"12:00:01 start\n12:00:02 ERROR save failed\njava.io.IOException: No space left on device\n\tat a.B.c(B.java:1)\n";
/// let scanner = Scanner::new(Classifier::builtin());
/// let mut events = Vec::new();
/// scanner.scan_events(log, &LogFraming::default(), &mut Scratch::default(), |finding| {
///     events.push(String::from_utf8_lossy(&log[finding.range]).lines().count());
/// });
/// assert_eq!(events, [3]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct LogFraming {
    /// Which lines belong together.
    pub grouping: Grouping,
    /// How records are read.
    pub reader: Reader,
    /// The service that the whole log is of, if somebody knows it: counts more than what is read.
    pub service: Option<String>,
}

impl Framing for LogFraming {
    type Record = Record;

    fn bounds(&self, chunk: &[u8], from: usize, place: usize) -> Range<usize> {
        self.grouping.bounds(chunk, from, place)
    }

    /// Lines that CRI or Docker cut into pieces are read as they were before, messages that are lists
    /// of bytes as text, and of a stack over the limits its causes. Then the record has the text:
    /// places that a verdict tells are places in it.
    fn read<'t>(&self, text: &'t [u8]) -> (Event<'t>, Record) {
        let (text, left_out) = self.text(text);
        let mut record = self.reader.read(&text);
        record.cut += left_out;
        if let Cow::Owned(text) = &text {
            record.text = Some(text.clone());
        }
        (self.event(text, &record), record)
    }

    fn reads_all(&self) -> bool {
        // Rules of a known service match by codes and words that nominate nothing by themselves.
        self.reader.has_own_fields() || self.service.is_some()
    }

    fn hidden(&self, chunk: &[u8], from: usize) -> Option<usize> {
        hidden(chunk, from)
    }
}

impl LogFraming {
    /// The framing of one chunk, in which the records of OTLP's export requests are events; where
    /// every line is one, it stays one.
    pub fn on(&self, chunk: &[u8]) -> ChunkFraming<'_> {
        let bundles = match self.grouping.is_lines() {
            true => Bundles::default(),
            false => Bundles::new(chunk),
        };
        ChunkFraming { framing: self, bundles }
    }

    /// An event with this text, and what its record says of it.
    fn event<'t>(&self, text: Cow<'t, [u8]>, record: &Record) -> Event<'t> {
        let mut event = Event::from_bytes(text);
        for fact in &record.facts {
            event = event.field(fact.role, fact.value.clone(), fact.path.clone());
        }
        if let Some(service) = &self.service {
            event = event.service(service.clone());
        }
        if let Some(time) = record.time {
            event = event.time(time);
        }
        event
    }

    /// The text of an event that is read, and how many of its lines are not.
    fn text<'t>(&self, event: &'t [u8]) -> (Cow<'t, [u8]>, u32) {
        let (text, left_out) = shortened(event, &self.grouping);
        let text = then(text, rejoined);
        (then(text, decoded), u32::try_from(left_out).unwrap_or(u32::MAX))
    }
}

/// Most bytes of a resource that are read for each of its records.
const MAX_RESOURCE: usize = 8 << 10;

/// [`LogFraming`] for one chunk, of which it knows where export requests of OTLP/JSON hold several
/// log records in one line: each is an event, and what its resource says (`service.name`) is said of
/// it. The text of such an event is that of the record.
///
/// ```
/// use whyerr::scan::Scanner;
/// use whyerr::{Classifier, Scratch};
/// use whyerr_logs::LogFraming;
///
/// let log = br#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"started"}},{"body":{"stringValue":"save failed: No space left on device"}}]}]}]}"#;
/// let framing = LogFraming::default();
/// let mut found = Vec::new();
/// Scanner::new(Classifier::builtin()).scan_events(log, &framing.on(log), &mut Scratch::default(), |finding| {
///     found.push((String::from_utf8_lossy(&log[finding.range]).into_owned(), finding.record.logged_by));
/// });
/// let record = r#"{"body":{"stringValue":"save failed: No space left on device"}}"#;
/// assert_eq!(found, [(record.to_owned(), Some("cart".to_owned()))]);
/// ```
#[derive(Debug)]
pub struct ChunkFraming<'f> {
    framing: &'f LogFraming,
    bundles: Bundles,
}

impl ChunkFraming<'_> {
    /// Whether a limit of the grouping cut an event of the chunk: see [`Grouping::is_cut`].
    pub fn is_cut(&self, chunk: &[u8], event: &Range<usize>) -> bool {
        self.bundles.part(event.start).is_none() && self.framing.grouping.is_cut(chunk, event)
    }
}

impl Framing for ChunkFraming<'_> {
    type Record = Record;

    fn bounds(&self, chunk: &[u8], from: usize, place: usize) -> Range<usize> {
        match self.bundles.part(place) {
            Some(part) => part.range(),
            None => self.framing.bounds(chunk, self.bundles.outside(from), place),
        }
    }

    fn read<'t>(&self, text: &'t [u8]) -> (Event<'t>, Record) {
        self.framing.read(text)
    }

    fn read_in<'t>(&self, chunk: &'t [u8], event: Range<usize>) -> (Event<'t>, Record) {
        let (range, resource) = match self.bundles.part(event.start) {
            None => return self.framing.read(&chunk[event]),
            // Nobody says it.
            Some(Part::Frame(_)) => return (Event::from_bytes(&b""[..]), Record::default()),
            Some(Part::Record(range, resource)) => (range, resource),
        };
        let record = &chunk[range];
        let resource = resource.map(|range| &chunk[range]);
        let read = resource.filter(|resource| resource.len() <= MAX_RESOURCE);
        let mut said = match read {
            Some(resource) => {
                // As one object, in which fields have the paths that they have in a request.
                let inside = record.get(1..).unwrap_or_default();
                self.framing.reader.read(&[b"{\"resource\":", resource, b",", inside].concat())
            }
            None => self.framing.reader.read(record),
        };
        said.cut += u32::from(resource.is_some() && read.is_none());
        (self.framing.event(Cow::Borrowed(record), &said), said)
    }

    fn reads_all(&self) -> bool {
        self.framing.reads_all()
    }

    fn hidden(&self, chunk: &[u8], from: usize) -> Option<usize> {
        self.framing.hidden(chunk, from)
    }
}

/// Changes a text once more.
fn then(text: Cow<'_, [u8]>, change: fn(&[u8]) -> Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => change(text),
        Cow::Owned(text) => Cow::Owned(change(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use whyerr::scan::Scanner;
    use whyerr::{Classifier, Scratch};

    use super::*;
    use crate::record::Format;

    #[test]
    fn pieces_are_read_as_one_line() {
        // The literal is in one piece; the text and the record are not.
        let docker = [
            r#"{"log":"Error: connect ECONNREFUSED","stream":"stderr","time":"2024-01-02T03:04:05Z"}"#,
            r#"{"log":" 10.0.0.5:6379\n","stream":"stderr","time":"2024-01-02T03:04:05Z"}"#,
        ];
        let cri = [
            r#"2024-01-02T03:04:05.1Z stderr P {"level":"error","msg":"connect ECONNREFUSED 10.0"#,
            r#"2024-01-02T03:04:05.1Z stderr F .0.5:6379"}"#,
        ];
        let log = [docker, cri].concat().join("\n");
        let framing = LogFraming::default();
        let mut found = Vec::new();
        let scanner = Scanner::new(Classifier::builtin());
        scanner.scan_events(log.as_bytes(), &framing, &mut Scratch::default(), |finding| {
            found.push((finding.range, finding.record.message.unwrap_or_default()));
        });
        let half = docker.join("\n").len();
        let places: Vec<_> = found.iter().map(|(range, _)| range.clone()).collect();
        assert_eq!(places, [0..half, half + 1..log.len()]);
        for (_, message) in &found {
            assert!(
                message.trim_end().ends_with("connect ECONNREFUSED 10.0.0.5:6379"),
                "{message}"
            );
        }
    }

    /// What a scan finds: how far each event goes, its rule, its message.
    fn found(log: &str) -> Vec<(Range<usize>, String, String)> {
        let scanner = Scanner::new(Classifier::builtin());
        let mut found = Vec::new();
        scanner.scan_events(
            log.as_bytes(),
            &LogFraming::default(),
            &mut Scratch::default(),
            |finding| {
                let rule = finding.verdict.rule().map(|rule| rule.id.to_string());
                found.push((
                    finding.range,
                    rule.unwrap_or_default(),
                    finding.record.message.unwrap_or_default(),
                ));
            },
        );
        found
    }

    #[test]
    fn words_that_are_cut_in_two_are_found() {
        let logs = [
            "{\"log\":\"Error: connect ECONNREF\",\"stream\":\"stderr\",\"time\":\"2024-01-02T03:04:05Z\"}\n\
             {\"log\":\"USED 10.0.0.5:6379\\n\",\"stream\":\"stderr\",\"time\":\"2024-01-02T03:04:05Z\"}\n",
            "2024-01-02T03:04:05.1Z stderr P Error: connect ECONNREF\n\
             2024-01-02T03:04:05.1Z stderr F USED 10.0.0.5:6379\n",
        ];
        for log in logs {
            let found = found(&format!("fine\n{log}fine\n"));
            let [(range, rule, message)] = &found[..] else { panic!("{found:?}") };
            assert_eq!(*range, 5..4 + log.len());
            assert_eq!(rule, "net.refused");
            assert!(message.trim_end().ends_with("ECONNREFUSED 10.0.0.5:6379"), "{message}");
        }
    }

    #[test]
    fn records_of_a_request_are_events() {
        let record = |body: &str, more: &str| {
            format!(
                r#"{{"timeUnixNano":"1704164645000000000","body":{{"stringValue":"{body}"}}{more}}}"#
            )
        };
        let attribute = |key: &str, value: &str| {
            format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
        };
        let refused = record("connect ECONNREFUSED 10.0.0.5:6379", "");
        let full =
            record("write: No space left on device", r#","severityText":"ERROR","traceId":"5b8e""#);
        let fine = record("started", "");
        // The words in the resource are nobody's error.
        let cart = [attribute("service.name", "cart"), attribute("a", "ECONNREFUSED")].join(",");
        let large = [attribute("service.name", "x"), attribute("a", &"y".repeat(9000))].join(",");
        let resource = |attributes: &str, records: &str| {
            format!(
                r#"{{"resource":{{"attributes":[{attributes}]}},"scopeLogs":[{{"logRecords":[{records}]}}]}}"#
            )
        };
        let request = [
            resource(&cart, &[&*fine, &refused, &fine, &full].join(",")),
            resource(&large, &refused),
        ];
        // What is indented behind it is none of its records.
        let log =
            format!("fine\n{{\"resourceLogs\":[{}]}}\n  ECONNREFUSED\nfine\n", request.join(","));
        let framing = LogFraming::default();
        let scanner = Scanner::new(Classifier::builtin());
        for start in [0, 5] {
            let log = &log.as_bytes()[start..];
            let mut found = Vec::new();
            scanner.scan_events(log, &framing.on(log), &mut Scratch::default(), |finding| {
                let text = String::from_utf8_lossy(&log[finding.range]).into_owned();
                let rule = finding.verdict.rule().map(|rule| rule.id.to_string());
                let Record { logged_by, trace, format, cut, .. } = finding.record;
                found.push((text, rule.unwrap_or_default(), logged_by, trace, format, cut));
            });
            let otlp = |text: &str, rule: &str, by: Option<&str>, trace: Option<&str>, cut| {
                let (by, trace) = (by.map(str::to_owned), trace.map(str::to_owned));
                (text.to_owned(), rule.to_owned(), by, trace, Format::Otlp, cut)
            };
            let expected = [
                otlp(&refused, "net.refused", Some("cart"), None, 0),
                otlp(&full, "os.disk-full", Some("cart"), Some("5b8e"), 0),
                otlp(&refused, "net.refused", None, None, 1),
                (
                    "  ECONNREFUSED".to_owned(),
                    "net.refused".to_owned(),
                    None,
                    None,
                    Format::Text,
                    0,
                ),
            ];
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn messages_that_are_lists_of_bytes_are_read() {
        let text = "\u{1b}[31mError: connect ECONNREFUSED 10.0.0.5:6379\u{1b}[0m";
        let list: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
        let list = list.join(",");
        for list in [format!("[{list}]"), format!("[[{list}],\"and more\"]")] {
            let log = format!(
                "{{\"__REALTIME_TIMESTAMP\":\"1700000000000000\",\"MESSAGE\":{list},\"_PID\":\"7\",\
                 \"SYSLOG_IDENTIFIER\":\"app\"}}\n"
            );
            let found = found(&log);
            let [(range, rule, message)] = &found[..] else { panic!("{found:?}") };
            assert_eq!((range.clone(), rule.as_str()), (0..log.len() - 1, "net.refused"));
            assert!(message.starts_with("Error: connect ECONNREFUSED 10.0.0.5:6379"), "{message}");
        }
    }

    #[test]
    fn the_root_of_a_long_chain_is_found() {
        let frames = "\tat com.example.Service.call(Service.java:12)\n".repeat(400);
        let log = format!(
            "2024-01-02 03:04:05,678 ERROR [main] c.e.Service - call failed\n\
             java.lang.RuntimeException: it failed\n{frames}Caused by: java.lang.IllegalStateException: \
             no\n{frames}Caused by: java.net.ConnectException: Connection refused\n{frames}\t... 12 more\n"
        );
        let found = found(&log);
        let [(range, rule, _)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((range.clone(), rule.as_str()), (0..log.len() - 1, "net.refused"));
    }
}
