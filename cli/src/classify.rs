//! `whyerr classify`: a JSON event a line in, a JSON verdict a line out, in order.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use serde::Serialize;
use whyerr::Scratch;

use crate::Outcome;
use crate::args::ClassifyArgs;
use crate::event_json::EventJson;
use crate::input::{Blocking, Source};
use crate::load::Loaded;
use crate::output::json;
use crate::term;

/// Longest event. A longer line is answered with an error, and the next one is read.
const MAX_EVENT: u64 = 16 << 20;

/// The answer to a line that is no event: a line for a line, whatever comes.
#[derive(Serialize)]
struct Error<'e> {
    version: u32,
    category: &'static str,
    error: &'e str,
}

pub fn run(args: &ClassifyArgs, loaded: &Loaded) -> anyhow::Result<Outcome> {
    let sources = args.input.sources(&args.files)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut outcome = sources.tell_faults();
    for source in &sources.list {
        let reader = match source.open(&sources.reading) {
            Ok(None) => continue,
            Ok(Some(input)) => Blocking::new(input, source),
            Err(error) => {
                term::error(&format!("{}: {error}", source.name()));
                outcome = Outcome::Problem;
                continue;
            }
        };
        outcome = outcome.max(answer(source, reader, loaded, &mut out)?);
    }
    out.flush()?;
    sources.reading.tell_left_out();
    Ok(outcome)
}

fn answer(
    source: &Source,
    reader: impl Read,
    loaded: &Loaded,
    out: &mut impl Write,
) -> anyhow::Result<Outcome> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let mut scratch = Scratch::default();
    let mut outcome = Outcome::Fine;
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if let Err(error) = reader.by_ref().take(MAX_EVENT).read_until(b'\n', &mut line) {
            term::error(&format!("{}: {error}", source.name()));
            return Ok(Outcome::Problem);
        }
        if line.is_empty() {
            break;
        }
        let whole = line.ends_with(b"\n") || (line.len() as u64) < MAX_EVENT;
        if !whole {
            skip_line(&mut reader)?;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let event = match whole {
            true => EventJson::parse(&line),
            false => Err(format!("the event is longer than {MAX_EVENT} bytes")),
        };
        match event {
            Ok(event) => {
                let verdict = loaded.classifier.classify_with(&event, &mut scratch);
                json::line_of(out, &verdict)?;
            }
            Err(message) => {
                term::error(&format!("{}:{number}: {message}", source.name()));
                outcome = Outcome::Problem;
                let version = whyerr::FORMAT_VERSION;
                let error = Error { version, category: "unclassified", error: &message };
                json::line_of(out, &error)?;
            }
        }
        // Who waits for an answer before the next event gets it.
        if reader.buffer().is_empty() {
            out.flush()?;
        }
    }
    Ok(outcome)
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        match memchr::memchr(b'\n', buffer) {
            Some(newline) => {
                reader.consume(newline + 1);
                return Ok(());
            }
            None if buffer.is_empty() => return Ok(()),
            None => {
                let length = buffer.len();
                reader.consume(length);
            }
        }
    }
}
