//! The formats of records.

use std::fmt;

/// The layout of a record. Where one stands inside of another, the outermost counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// No layout that is known: nothing but a level at its beginning is read.
    #[default]
    Text,
    /// A JSON object, also behind other text.
    Json,
    /// `key=value key="two words"`.
    Logfmt,
    /// Time, level, name: what the loggers of most languages write.
    Logger,
    /// RFC 3164, RFC 5424, and how rsyslog and journald write them to files.
    Syslog,
    /// klog and glog: `E0102 15:04:05.678901       1 file.go:12] message`.
    Klog,
    /// Access logs: Common, Combined, and what begins like them.
    Access,
    /// The error log of nginx.
    Nginx,
    /// The error log of Apache httpd.
    Apache,
    /// The server log of PostgreSQL.
    Postgres,
    /// The error log of MySQL and MariaDB.
    Mysql,
    /// The log of Redis and Valkey.
    Redis,
    /// The text and the XML of Windows events.
    Windows,
    /// Kubernetes container files: `TIME stderr F message`.
    Cri,
    /// Docker's json-file: `{"log":"message\n","stream":"stderr","time":"..."}`.
    Docker,
    /// `journalctl -o json`.
    Journald,
    /// OTLP log records as JSON.
    Otlp,
    /// A container's name before each line: `kubectl logs --prefix`, `docker compose logs`.
    Prefixed,
}

/// Every format with its name, for people.
const NAMES: &[(Format, &str)] = &[
    (Format::Text, "text"),
    (Format::Json, "json"),
    (Format::Logfmt, "logfmt"),
    (Format::Logger, "logger"),
    (Format::Syslog, "syslog"),
    (Format::Klog, "klog"),
    (Format::Access, "access"),
    (Format::Nginx, "nginx"),
    (Format::Apache, "apache"),
    (Format::Postgres, "postgres"),
    (Format::Mysql, "mysql"),
    (Format::Redis, "redis"),
    (Format::Windows, "windows"),
    (Format::Cri, "cri"),
    (Format::Docker, "docker"),
    (Format::Journald, "journald"),
    (Format::Otlp, "otlp"),
    (Format::Prefixed, "prefixed"),
];

impl Format {
    /// All formats.
    pub fn all() -> impl Iterator<Item = Format> {
        NAMES.iter().map(|&(format, _)| format)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(format, _)| *format == self).map_or("text", |(_, name)| name)
    }

    /// The format of a name.
    ///
    /// ```
    /// use whyerr_logs::record::Format;
    ///
    /// assert_eq!(Format::from_name("syslog"), Some(Format::Syslog));
    /// assert_eq!(Format::from_name("xml"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Format> {
        NAMES.iter().find(|(_, known)| *known == name).map(|&(format, _)| format)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
