//! Events of several lines, and what their records say.

use std::ops::Range;

use whyerr::Event;
use whyerr::scan::Framing;

use crate::group::Grouping;
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

    fn read<'t>(&self, text: &'t [u8]) -> (Event<'t>, Record) {
        let record = self.reader.read(text);
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
