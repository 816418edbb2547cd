//! Flags that say how records are read.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use whyerr_logs::LogFraming;
use whyerr_logs::record::{FieldError, Format, Reader};

/// How records are read.
#[derive(Debug, Clone, Default, Args)]
pub struct RecordArgs {
    /// Read every event as this format; without it each one is recognised by itself
    #[arg(long, value_name = "FORMAT", value_parser = format(), help_heading = "Input")]
    pub input_format: Option<Format>,

    /// Take a field of structured records for what it is: `status=http.resp.code`,
    /// `service=tenant.name`; repeatable
    #[arg(long = "field", value_name = "ROLE=PATH", value_parser = field, help_heading = "Input")]
    pub fields: Vec<String>,
}

impl RecordArgs {
    /// How a log is read with these flags.
    pub fn framing(&self) -> Result<LogFraming, FieldError> {
        let mut reader = Reader::default();
        if let Some(format) = self.input_format {
            reader.set_format(format);
        }
        for field in &self.fields {
            reader.add_field(field)?;
        }
        Ok(LogFraming { reader, ..LogFraming::default() })
    }
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::all().map(Format::as_str))
        .map(|name| Format::from_name(&name).unwrap_or_default())
}

/// A field as it was typed, if a reader takes it: what is wrong is told with the usage.
fn field(text: &str) -> Result<String, FieldError> {
    Reader::default().add_field(text)?;
    Ok(text.to_owned())
}
