//! Events of several lines, and what their records say.

use std::ops::Range;

use whyerr::Event;
use whyerr::scan::Framing;

use crate::group::{Grouping, rejoined};
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

    /// Lines that CRI or Docker cut into pieces are read as they were before: places that a verdict
    /// tells are those in the text put together again.
    fn read<'t>(&self, text: &'t [u8]) -> (Event<'t>, Record) {
        let text = rejoined(text);
        let record = self.reader.read(&text);
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
        (event, record)
    }

    fn reads_all(&self) -> bool {
        // Rules of a known service match by codes and words that nominate nothing by themselves.
        self.reader.has_own_fields() || self.service.is_some()
    }
}

#[cfg(test)]
mod tests {
    use whyerr::scan::Scanner;
    use whyerr::{Classifier, Scratch};

    use super::*;

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
        // A literal of which no piece has the whole: found by whoever asks for the event.
        let log = docker.join("\n").replace("REFUSED\"", "REF\"").replace("\" 10", "\"USED 10");
        let (event, _) = framing.read(log.as_bytes());
        assert!(Classifier::builtin().classify(event).is_classified());
    }
}
