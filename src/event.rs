//! What gets classified.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::facts::values;

impl Role {
    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Service => "service",
            Role::Product => "product",
            Role::HttpStatus => "http_status",
            Role::GrpcStatus => "grpc_status",
            Role::ExitCode => "exit_code",
            Role::Signal => "signal",
            Role::Code => "code",
        }
    }
}

/// An error to classify: a text of one or more lines, and what the caller knows besides.
///
/// A `&str` or `&[u8]` converts into an event that has only a text. Facts that are given count
/// more than facts that are read from the text.
///
/// ```
/// use whyerr::Event;
///
/// let event = Event::new("upstream said no").http_status(429).header("Retry-After", "20");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Event<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    pub(crate) http_status: Option<u16>,
    pub(crate) grpc_status: Option<u8>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) signal: Option<u8>,
    pub(crate) codes: Vec<Cow<'a, str>>,
    pub(crate) service: Option<Cow<'a, str>>,
    pub(crate) product: Option<Cow<'a, str>>,
    pub(crate) headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(crate) time: Option<SystemTime>,
    pub(crate) fields: Vec<FieldFact<'a>>,
}

/// What a field of a structured record says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldFact<'a> {
    pub(crate) role: Role,
    pub(crate) value: Cow<'a, str>,
    pub(crate) path: Cow<'a, str>,
}

/// What the value of a structured record's field stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Who raised the error.
    Service,
    /// Which product of the service.
    Product,
    /// An HTTP status, as a number.
    HttpStatus,
    /// A gRPC status, by name or number.
    GrpcStatus,
    /// The exit code of a process.
    ExitCode,
    /// The signal that ended a process, by name or number.
    Signal,
    /// An error code or type.
    Code,
}

impl<'a> Event<'a> {
    /// An event with a text. Bytes that are not UTF-8 are fine.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Event<'a> {
        let text = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Event { text, ..Event::default() }
    }

    /// The same from bytes, as logs hold them.
    pub fn from_bytes(text: impl Into<Cow<'a, [u8]>>) -> Event<'a> {
        Event { text: text.into(), ..Event::default() }
    }

    /// The HTTP status of the response.
    pub fn http_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// The gRPC status: a name (`UNAVAILABLE`, `Unavailable`) or a number from 1 to 16. Anything
    /// else is ignored, `OK` too.
    pub fn grpc_status(mut self, status: &str) -> Self {
        self.grpc_status = values::grpc_status(status);
        self
    }

    /// The exit code of a process.
    pub fn exit_code(mut self, code: i32) -> Self {
        self.exit_code = Some(code);
        self
    }

    /// The signal that ended a process: a name (`SIGKILL`, `KILL`) or a number. Anything else is
    /// ignored.
    pub fn signal(mut self, signal: &str) -> Self {
        self.signal = values::signal(signal);
        self
    }

    /// An error code or type of the service, such as `insufficient_quota`. May be called several
    /// times.
    pub fn code(mut self, code: impl Into<Cow<'a, str>>) -> Self {
        self.codes.push(code.into());
        self
    }

    /// Who raised the error: id, name or alias of a service. Names that the catalogue does not
    /// know are kept and shown.
    pub fn service(mut self, service: impl Into<Cow<'a, str>>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Which product of the service.
    pub fn product(mut self, product: impl Into<Cow<'a, str>>) -> Self {
        self.product = Some(product.into());
        self
    }

    /// A header of the response. `Retry-After` and its many relatives tell how long to wait.
    pub fn header(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// When it happened. Turns absolute times ("resets at 10:00") into waits.
    pub fn time(mut self, time: SystemTime) -> Self {
        self.time = Some(time);
        self
    }

    /// What a field of a structured record says: counts less than what the caller gives, more than
    /// what is recognised in prose. `path` names the field, for people. A value that does not fit
    /// its role is ignored.
    ///
    /// ```
    /// use whyerr::{Classifier, Event, Role};
    ///
    /// let event = Event::new("call failed").field(Role::HttpStatus, "503", "http.status_code");
    /// let verdict = Classifier::builtin().classify(event);
    /// assert_eq!(verdict.facts()[0].path.as_deref(), Some("http.status_code"));
    /// ```
    pub fn field(
        mut self,
        role: Role,
        value: impl Into<Cow<'a, str>>,
        path: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.fields.push(FieldFact { role, value: value.into(), path: path.into() });
        self
    }

    /// What a verdict tells of it later: the text, the time, and the fields for their paths.
    pub(crate) fn kept(&self) -> Event<'static> {
        let own = |text: &Cow<'_, str>| Cow::Owned(text.clone().into_owned());
        let field = |field: &FieldFact<'_>| FieldFact {
            role: field.role,
            value: own(&field.value),
            path: own(&field.path),
        };
        Event {
            text: Cow::Owned(self.text.to_vec()),
            time: self.time,
            fields: self.fields.iter().map(field).collect(),
            ..Event::default()
        }
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the caller gave anything that may match without a text.
    pub(crate) fn has_facts(&self) -> bool {
        self.http_status.is_some()
            || self.grpc_status.is_some()
            || self.exit_code.is_some()
            || self.signal.is_some()
            || !self.codes.is_empty()
            || self.fields.iter().any(|field| !matches!(field.role, Role::Service | Role::Product))
    }

    /// The service, as the caller or a field names it.
    pub(crate) fn named_services(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().filter(|field| field.role == Role::Service);
        self.service.as_deref().into_iter().chain(fields.map(|field| &*field.value))
    }
}

impl<'a> From<&'a str> for Event<'a> {
    fn from(text: &'a str) -> Self {
        Event::new(text)
    }
}

impl From<String> for Event<'_> {
    fn from(text: String) -> Self {
        Event::new(text)
    }
}

impl<'a> From<&'a String> for Event<'a> {
    fn from(text: &'a String) -> Self {
        Event::new(text.as_str())
    }
}

impl<'a> From<&'a [u8]> for Event<'a> {
    fn from(text: &'a [u8]) -> Self {
        Event::from_bytes(text)
    }
}
