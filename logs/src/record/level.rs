//! How severe the log says an event is.

/// How severe the log says an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Finest.
    Trace,
    /// For developers.
    Debug,
    /// Ordinary.
    Info,
    /// Noteworthy, and ordinary.
    Notice,
    /// May become an error.
    Warning,
    /// An error.
    Error,
    /// Critical, alert, emergency, fatal, panic.
    Critical,
}

/// What the numbers of a level field count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scale {
    /// 0 to 7 as syslog has it, 10 to 60 as bunyan and pino have it.
    Usual,
    /// 0 to 7 between quotes, as journald has it: a bare number may be anybody's.
    Quoted,
    /// 10 to 50, and 50 is critical.
    Python,
    /// 1 to 24.
    OpenTelemetry,
    /// 1 (critical) to 5 (verbose).
    Windows,
}

impl Level {
    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
        }
    }

    /// The level of a word as loggers write it, in any case.
    pub(crate) fn from_word(word: &[u8]) -> Option<Level> {
        let mut buffer = [0; 16];
        let lower = buffer.get_mut(..word.len())?;
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"trace" | b"trc" | b"trce" | b"trac" | b"verbose" | b"vrb" | b"finest" | b"finer"
            | b"silly" => Level::Trace,
            b"debug" | b"dbg" | b"dbug" | b"debu" | b"fine" | b"config" | b"debug1" | b"debug2"
            | b"debug3" | b"debug4" | b"debug5" => Level::Debug,
            b"info" | b"inf" | b"information" | b"informational" | b"log" => Level::Info,
            b"notice" | b"note" | b"ntc" => Level::Notice,
            b"warning" | b"warn" | b"wrn" => Level::Warning,
            b"error" | b"err" | b"erro" | b"eror" | b"fail" | b"severe" | b"failure" => {
                Level::Error
            }
            b"critical" | b"crit" | b"crt" | b"fatal" | b"ftl" | b"fata" | b"panic" | b"pani"
            | b"dpanic" | b"alert" | b"emerg" | b"emergency" | b"emer" => Level::Critical,
            _ => return None,
        })
    }

    /// The level of a single letter, where a layout has one.
    pub(crate) fn from_letter(letter: u8) -> Option<Level> {
        Some(match letter {
            b'T' | b'V' => Level::Trace,
            b'D' => Level::Debug,
            b'I' => Level::Info,
            b'N' => Level::Notice,
            b'W' => Level::Warning,
            b'E' => Level::Error,
            b'C' | b'F' | b'A' => Level::Critical,
            _ => return None,
        })
    }

    /// The level of a number on a scale.
    pub(crate) fn from_number(number: i64, scale: Scale) -> Option<Level> {
        let scale = if scale == Scale::Quoted { Scale::Usual } else { scale };
        Some(match (scale, number) {
            (Scale::Usual, 0..=2) | (Scale::Windows, 1) | (Scale::OpenTelemetry, 21..=24) => {
                Level::Critical
            }
            (Scale::Usual, 60..=69) | (Scale::Python, 50..=59) => Level::Critical,
            (Scale::Usual, 3 | 50..=59) | (Scale::Python, 40..=49) => Level::Error,
            (Scale::Windows, 2) | (Scale::OpenTelemetry, 17..=20) => Level::Error,
            (Scale::Usual, 4 | 40..=49) | (Scale::Python, 30..=39) => Level::Warning,
            (Scale::Windows, 3) | (Scale::OpenTelemetry, 13..=16) => Level::Warning,
            (Scale::Usual, 5) => Level::Notice,
            (Scale::Usual, 6 | 30..=39) | (Scale::Python, 20..=29) => Level::Info,
            (Scale::Windows, 4) | (Scale::OpenTelemetry, 9..=12) => Level::Info,
            (Scale::Usual, 7 | 20..=29) | (Scale::Python, 10..=19) => Level::Debug,
            (Scale::OpenTelemetry, 5..=8) => Level::Debug,
            (Scale::Usual, 10..=19) | (Scale::Windows, 5) => Level::Trace,
            (Scale::OpenTelemetry, 1..=4) => Level::Trace,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_letters_and_numbers() {
        assert_eq!(Level::from_word(b"Warning"), Some(Level::Warning));
        assert_eq!(Level::from_word(b"ERRO"), Some(Level::Error));
        assert_eq!(Level::from_word(b"errors"), None);
        assert_eq!(Level::from_word(b""), None);
        assert_eq!(Level::from_word(&[b'e'; 99]), None);
        assert_eq!(Level::from_letter(b'F'), Some(Level::Critical));
        assert_eq!(Level::from_number(50, Scale::Usual), Some(Level::Error));
        assert_eq!(Level::from_number(50, Scale::Python), Some(Level::Critical));
        assert_eq!(Level::from_number(17, Scale::OpenTelemetry), Some(Level::Error));
        assert_eq!(Level::from_number(3, Scale::Usual), Some(Level::Error));
        assert_eq!(Level::from_number(200, Scale::Usual), None);
    }
}
