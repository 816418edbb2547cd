//! Events as JSON: what `whyerr classify` reads.

use std::collections::BTreeMap;

use serde::Deserialize;
use whyerr::Event;

/// Every field but one may be left out. Fields that are not known are ignored, so that a log
/// record can be passed as it is.
#[derive(Debug, Default, Deserialize)]
pub struct EventJson {
    #[serde(alias = "message", alias = "msg")]
    text: Option<String>,
    #[serde(alias = "status")]
    http_status: Option<Scalar>,
    grpc_status: Option<Scalar>,
    exit_code: Option<Scalar>,
    signal: Option<Scalar>,
    code: Option<OneOrMore>,
    service: Option<String>,
    product: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Scalar>,
    /// RFC 3339: when it happened.
    time: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(i64),
    Other(serde_json::Value),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    More(Vec<Scalar>),
    One(Scalar),
}

impl Scalar {
    fn text(&self) -> Option<String> {
        match self {
            Scalar::Text(text) => Some(text.clone()),
            Scalar::Number(number) => Some(number.to_string()),
            Scalar::Other(serde_json::Value::Null) => None,
            Scalar::Other(other) => Some(other.to_string()),
        }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Scalar::Number(number) => Some(*number),
            other => other.text()?.trim().parse().ok(),
        }
    }
}

impl EventJson {
    /// Reads one line.
    pub fn parse(line: &[u8]) -> Result<Event<'static>, String> {
        let json: EventJson =
            serde_json::from_slice(line).map_err(|error| format!("not a JSON event: {error}"))?;
        json.into_event()
    }

    fn into_event(self) -> Result<Event<'static>, String> {
        let mut event = Event::new(self.text.unwrap_or_default());
        // A gRPC status name under "status" is one.
        if let Some(status) = &self.http_status {
            match status.number() {
                Some(number @ 100..=999) => event = event.http_status(number as u16),
                Some(other) => return Err(format!("http_status {other} is not from 100 to 999")),
                None => {
                    if let Some(text) = status.text() {
                        event = event.grpc_status(&text);
                    }
                }
            }
        }
        if let Some(status) = self.grpc_status.and_then(|status| status.text()) {
            event = event.grpc_status(&status);
        }
        if let Some(code) = self.exit_code.as_ref().and_then(Scalar::number) {
            let code = i32::try_from(code)
                .or_else(|_| u32::try_from(code).map(|code| code as i32))
                .map_err(|_| format!("exit_code {code} is out of range"))?;
            event = event.exit_code(code);
        }
        if let Some(signal) = self.signal.and_then(|signal| signal.text()) {
            event = event.signal(&signal);
        }
        let codes = match self.code {
            Some(OneOrMore::One(code)) => vec![code],
            Some(OneOrMore::More(codes)) => codes,
            None => Vec::new(),
        };
        for code in codes.iter().filter_map(Scalar::text) {
            event = event.code(code);
        }
        if let Some(service) = self.service {
            event = event.service(service);
        }
        if let Some(product) = self.product {
            event = event.product(product);
        }
        for (name, value) in self.headers {
            if let Some(value) = value.text() {
                event = event.header(name, value);
            }
        }
        if let Some(text) = self.time {
            let time: jiff::Timestamp =
                text.parse().map_err(|_| format!("time `{text}` is not RFC 3339"))?;
            event = event.time(time.into());
        }
        Ok(event)
    }
}
