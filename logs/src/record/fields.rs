//! What fields are called, and what they mean.

use std::sync::LazyLock;

use super::level::Scale;
use super::path::{MAX_PATH, folded};

/// What a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    Time,
    Level(Scale),
    Message,
    /// The service that a record names: who logged it, and perhaps who raised the error.
    Service,
    /// The name of a program, a container, a part of a program.
    LoggedBy,
    Trace,
    /// What is handed on with a request: the id of the trace among others.
    TraceContext,
    /// The status of a response, if it is one of an error.
    HttpStatus,
    GrpcStatus,
    ExitCode,
    /// The name of a signal, or its number.
    Signal,
    /// The name of a signal alone: the field may be anybody's.
    SignalName,
    Code,
    /// A code, if it looks like one: often a sentence.
    CodeOrText,
    /// The class of what was thrown; a code too.
    Exception,
    Stack,
    Product,
}

/// A meaning, and the names of the fields that have it. Where several fields of a record have one
/// meaning and only one can count, the name that stands further to the front does.
///
/// Names are compared without case, `_` and `-`. A dot is a dot in the name or an object inside of
/// an object. What stands under a name of `WRAPPERS` counts as if it stood outside.
const FIELDS: &[(Meaning, &str)] = &[
    (
        Meaning::Time,
        "@timestamp @t timestamp time ts t.$date eventTime timeUnixNano instant.epochSecond
         timeMillis asctime datetime log_time _source_realtime_timestamp __realtime_timestamp
         event.created record.time.timestamp timestamp_ms timestamp.seconds timestampSeconds created
         observedTimeUnixNano date system.timeCreated timeCreated receiveTimestamp",
    ),
    (
        Meaning::Level(Scale::Usual),
        "log.level level severity record.level.name level_name severity_text @l lvl log_level s
         log.severity logging.level log.syslog.severity.name log.syslog.severity.code
         syslog_severity levelDisplayName",
    ),
    (Meaning::Level(Scale::Quoted), "priority"),
    (Meaning::Level(Scale::OpenTelemetry), "severityNumber"),
    (Meaning::Level(Scale::Python), "levelno record.level.no"),
    (Meaning::Level(Scale::Windows), "system.level"),
    (
        Meaning::Message,
        "message msg @m record.message short_message textPayload body log event errorMessage renderedMessage @mt
         messageTemplate text description error.message exception.message err.message err_msg
         error err",
    ),
    (
        Meaning::Service,
        "service.name service service_name resource.service.name dd.service
         serviceContext.service eventSource",
    ),
    (
        Meaning::LoggedBy,
        "application application.name app app.name appname application_name program
         syslog_identifier programName container_name container.name kubernetes.container_name
         kubernetes.container.name resource.labels.container_name kubernetes.labels.app
         kubernetes.labels.app.kubernetes.io/name k8s.container.name component logger logger_name
         log.logger sourceContext category name channel systemd_unit c provider.name
         providerName source",
    ),
    (
        Meaning::Trace,
        "trace.id trace_id @tr logging.googleapis.com/trace trace dd.trace_id otelTraceID
         x_trace_id x_b3_traceid request_id req_id http.request.id req.id request.id x_request_id
         awsRequestId x_amzn_requestid correlation_id correlation.id
         x_correlation_id requestUid transaction.id transaction_id req.headers.x_request_id
         request.headers.x_request_id headers.x_request_id headers.x_correlation_id
         x_amz_request_id amz_request_id x_ms_request_id x_github_request_id x_kong_request_id
         opc_request_id apigw_requestid cf_ray operation_id activity_id trace_identifier
         span_id span.id otelSpanID dd.span_id x_b3_spanid logging.googleapis.com/spanId",
    ),
    (
        Meaning::TraceContext,
        "traceparent b3 uber_trace_id x_cloud_trace_context x_amzn_trace_id
         headers.traceparent req.headers.traceparent request.headers.traceparent",
    ),
    (
        Meaning::HttpStatus,
        "http.response.status_code http.status_code http.status http_status httpStatusCode
         status_code response.status response.status_code response.code res.statusCode res.status
         httpRequest.status resp.status resp.status_code response_code response_status http_code
         http.code http.response.status http.resp.status elb_status_code sc_status
         upstream_status error.status error.statusCode error.http_status err.status
         err.statusCode err.response.status error.response.status status",
    ),
    (
        Meaning::GrpcStatus,
        "rpc.grpc.status_code grpc.code grpc.status grpc_code grpc_status grpcStatusCode
         grpc.status_code rpc.response.status_code protoPayload.status.code",
    ),
    (
        Meaning::ExitCode,
        "exit_code exit.code process.exit_code process.exit.code exit_status container.exit_code
         state.exitCode state.terminated.exitCode terminated.exitCode",
    ),
    (Meaning::Signal, "exit_signal term_signal killed_by_signal process.signal"),
    (Meaning::SignalName, "signal signal_name"),
    (
        Meaning::Code,
        "error.code err.code exception.code error_code errCode code error.errno errno
         error.reason sqlstate db.response.status_code error.sqlstate eventId id.value
         errors.code fault.code cause.code status.code status_reason",
    ),
    (Meaning::CodeOrText, "error err"),
    (
        Meaning::Exception,
        "error.type exception.type err.type error.name err.name exception.name exception.class
         exception.class_name error.class error.kind exc_type exception_class exceptionType
         error_type thrown.name",
    ),
    (
        Meaning::Stack,
        "error.stack_trace exception.stacktrace error.stack err.stack stack_trace stack exc_info
         exc_text exception traceback @x full_message thrown.extendedStackTrace err.stacktrace
         errorVerbose",
    ),
];

/// Objects that only hold together what a record says.
const WRAPPERS: &str =
    "attributes attrs attr fields @fields data context ctx extra extras meta metadata
    mdc contextMap properties labels jsonPayload protoPayload payload record log event details
    resource resourceLogs scopeLogs logRecords span params tags structured_data eventData detail";

/// How much worse a wrapped field is than one that is not: `msg` is better than `data.message`.
const WRAPPED: u8 = 32;

/// Most wrappers of one field.
const MAX_WRAPPERS: usize = 5;

/// A name that is known.
struct Name {
    folded: Vec<u8>,
    meaning: Meaning,
    /// Its place among the names of its meaning.
    rank: u8,
}

struct Table {
    /// Names by their length.
    names: Vec<Vec<Name>>,
    wrappers: Vec<Vec<u8>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut names: Vec<Vec<Name>> = Vec::new();
    names.resize_with(64, Vec::new);
    for (meaning, list) in FIELDS {
        for (rank, name) in list.split_ascii_whitespace().enumerate() {
            let folded = folded(name);
            if let Some(same_length) = names.get_mut(folded.len()) {
                let rank = rank.min(usize::from(u8::MAX)) as u8;
                same_length.push(Name { folded, meaning: *meaning, rank });
            }
        }
    }
    Table { names, wrappers: WRAPPERS.split_ascii_whitespace().map(folded).collect() }
});

/// What the field at a folded path means, with its rank: smaller is better. Calls `found` for each
/// meaning; a field may have two.
pub(crate) fn meanings(path: &[u8], mut found: impl FnMut(Meaning, u8)) {
    let table = &*TABLE;
    let mut penalty = 0;
    unwrapped(path, |path| {
        let names = table.names.get(path.len()).map(Vec::as_slice).unwrap_or_default();
        let mut known = false;
        let may_be = |name: &&Name| name.folded.last() == path.last() && name.folded == path;
        for name in names.iter().filter(may_be) {
            found(name.meaning, name.rank.saturating_add(penalty));
            known = true;
        }
        penalty = WRAPPED;
        known
    });
}

/// Asks `is_it` for the path as it is, then without one wrapper after another, until it says yes.
pub(crate) fn unwrapped(path: &[u8], mut is_it: impl FnMut(&[u8]) -> bool) {
    let mut path = path;
    for _ in 0..=MAX_WRAPPERS {
        if is_it(path) {
            return;
        }
        let Some(dot) = memchr::memchr(b'.', path) else { return };
        let (outer, inner) = (&path[..dot], &path[dot + 1..]);
        if !TABLE.wrappers.iter().any(|wrapper| wrapper == outer) {
            return;
        }
        path = inner;
    }
}

/// The rank of a name that a header gives.
pub(crate) fn rank(name: &str) -> u8 {
    let mut rank = u8::MAX;
    meanings(name.as_bytes(), |_, found| rank = found);
    rank
}

/// A field of one's own: `ROLE=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnField {
    folded: Vec<u8>,
    pub(crate) meaning: Meaning,
}

/// What `--field` can name.
const ROLES: &[(&str, Meaning)] = &[
    ("service", Meaning::Service),
    ("product", Meaning::Product),
    ("status", Meaning::HttpStatus),
    ("http_status", Meaning::HttpStatus),
    ("grpc_status", Meaning::GrpcStatus),
    ("exit_code", Meaning::ExitCode),
    ("signal", Meaning::Signal),
    ("code", Meaning::Code),
    ("message", Meaning::Message),
    ("level", Meaning::Level(Scale::Usual)),
    ("time", Meaning::Time),
    ("logged_by", Meaning::LoggedBy),
    ("trace", Meaning::TraceContext),
    ("stack", Meaning::Stack),
    ("exception", Meaning::Exception),
];

/// Why a field of one's own cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    text: String,
    kind: FieldErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldErrorKind {
    NoEquals,
    Role,
    NoPath,
    LongPath,
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = &self.text;
        match self.kind {
            FieldErrorKind::NoEquals => {
                write!(f, "field `{text}` is not ROLE=PATH, such as status=http.resp.code")
            }
            FieldErrorKind::Role => {
                write!(f, "field `{text}` has no known role; roles are ")?;
                for (index, (role, _)) in ROLES.iter().enumerate() {
                    write!(f, "{}{role}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            FieldErrorKind::NoPath => write!(f, "field `{text}` names no path behind the `=`"),
            FieldErrorKind::LongPath => {
                write!(f, "field `{text}`: a path has at most {MAX_PATH} bytes")
            }
        }
    }
}

impl std::error::Error for FieldError {}

impl OwnField {
    pub(crate) fn parse(text: &str) -> Result<OwnField, FieldError> {
        let error = |kind| FieldError { text: text.chars().take(MAX_PATH).collect(), kind };
        let (role, path) = text.split_once('=').ok_or_else(|| error(FieldErrorKind::NoEquals))?;
        let role = role.trim();
        let found = ROLES.iter().find(|(known, _)| *known == role);
        let &(_, meaning) = found.ok_or_else(|| error(FieldErrorKind::Role))?;
        let path = path.trim();
        let folded = folded(path);
        if folded.is_empty() {
            return Err(error(FieldErrorKind::NoPath));
        }
        if path.len() > MAX_PATH {
            return Err(error(FieldErrorKind::LongPath));
        }
        Ok(OwnField { folded, meaning })
    }

    /// Whether a field at a folded path is meant.
    pub(crate) fn is_at(&self, path: &[u8]) -> bool {
        let mut found = false;
        unwrapped(path, |path| {
            found = path == self.folded;
            found
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(path: &str) -> Vec<Meaning> {
        let mut found = Vec::new();
        meanings(&folded(path), |meaning, _| found.push(meaning));
        found
    }

    #[test]
    fn names_are_known_in_their_forms() {
        for path in ["http.response.status_code", "HTTP.Response.StatusCode", "status-code"] {
            assert_eq!(all(path), [Meaning::HttpStatus], "{path}");
        }
        assert_eq!(all("resourceLogs.resource.attributes.service.name"), [Meaning::Service]);
        assert_eq!(all("error"), [Meaning::Message, Meaning::CodeOrText]);
        assert_eq!(all("price"), []);
        assert_eq!(all("order.status"), [], "only wrappers are looked through");
        assert_eq!(all(""), []);
    }

    #[test]
    fn every_name_is_in_the_table_once_for_its_meaning() {
        let mut seen = std::collections::HashSet::new();
        for (meaning, list) in FIELDS {
            for name in list.split_ascii_whitespace() {
                assert!(folded(name).len() < 64, "{name}");
                assert!(seen.insert((*meaning, folded(name))), "{name} stands there twice");
            }
        }
    }

    #[test]
    fn own_fields() {
        let own = OwnField::parse("status = http.resp_code").unwrap();
        assert_eq!(own.meaning, Meaning::HttpStatus);
        assert!(own.is_at(b"http.respcode") && own.is_at(b"fields.http.respcode"));
        assert!(!own.is_at(b"x.http.respcode") && !own.is_at(b"respcode"));
        let message = |text: &str| OwnField::parse(text).unwrap_err().to_string();
        assert!(message("colour=x").contains("roles are service, product, status, http_status"));
        assert!(message("status").contains("ROLE=PATH"));
        assert!(message("status=").contains("no path"));
        assert!(message(&format!("code={}", "x".repeat(999))).contains("at most 160 bytes"));
    }
}
