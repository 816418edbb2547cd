//! A record while it is read: fields come in any order, and the best one counts.

use std::time::SystemTime;

use whyerr::Role;

use super::fields::{self, Meaning};
use super::format::Format;
use super::header::Header;
use super::level::{Level, Scale};
use super::path::Path;
use super::scalar::{MAX_SHORT, Scalar};
use super::stamp::{Stamp, since_1970};
use super::trace;
use super::{FieldFact, Reader, Record};

/// Most bytes of a message.
const MAX_MESSAGE: usize = 8 << 10;
/// Most bytes of a stack.
const MAX_STACK: usize = 32 << 10;
/// Most facts of a record.
const MAX_FACTS: usize = 16;

/// The best rank of a program's name: behind all names of services.
const PROGRAM: Rank = 64;

/// How good a value is: smaller is better.
type Rank = u32;

/// How good the values are that are there, of which a record has one each.
#[derive(Debug)]
struct Ranks {
    time: Rank,
    level: Rank,
    message: Rank,
    logged_by: Rank,
    trace: Rank,
    exception: Rank,
    stack: Rank,
}

/// Where values come from: a field, or the layout of the line.
#[derive(Clone, Copy)]
enum Origin<'p> {
    Field(&'p Path),
    Layout,
}

impl Origin<'_> {
    fn shown(self) -> Option<String> {
        match self {
            Origin::Field(path) => Some(path.shown()),
            Origin::Layout => None,
        }
    }
}

pub(crate) struct Draft<'r> {
    reader: &'r Reader,
    /// Envelopes around what is read now.
    pub(crate) depth: usize,
    /// Only what counts for the classification is wanted, and ids.
    pub(crate) facts_only: bool,
    pub(crate) record: Record,
    ranks: Ranks,
    /// Roles for which a field of one's own said something.
    own_roles: Vec<Role>,
}

impl<'r> Draft<'r> {
    pub(crate) fn new(reader: &'r Reader) -> Draft<'r> {
        Draft {
            reader,
            depth: 0,
            facts_only: false,
            record: Record::default(),
            ranks: Ranks {
                time: Rank::MAX,
                level: Rank::MAX,
                message: Rank::MAX,
                logged_by: Rank::MAX,
                trace: Rank::MAX,
                exception: Rank::MAX,
                stack: Rank::MAX,
            },
            own_roles: Vec::new(),
        }
    }

    /// The outermost format counts. Text is none.
    pub(crate) fn set_format(&mut self, format: Format) {
        if self.record.format == Format::Text {
            self.record.format = format;
        }
    }

    pub(crate) fn has_level(&self) -> bool {
        self.record.level.is_some()
    }

    /// Whether it is what a logger writes, not just any object.
    pub(crate) fn is_record(&self) -> bool {
        self.record.message.is_some() && (self.record.level.is_some() || self.record.time.is_some())
    }

    /// Takes a field.
    pub(crate) fn field(&mut self, path: &Path, value: Scalar<'_>) {
        if value == Scalar::Nothing {
            return;
        }
        let folded = path.folded();
        let mut is_own = false;
        for own in &self.reader.own {
            if own.is_at(folded) {
                is_own = true;
                self.take(own.meaning, 0, true, path, value);
            }
        }
        if !is_own {
            fields::meanings(folded, |meaning, rank| {
                self.take(meaning, 1 + Rank::from(rank), false, path, value);
            });
        }
    }

    fn take(&mut self, meaning: Meaning, rank: Rank, own: bool, path: &Path, value: Scalar<'_>) {
        let from = Origin::Field(path);
        match meaning {
            Meaning::Time => {
                if let Some(text) = value.short() {
                    let text = text.as_bytes();
                    match (since_1970(text), Stamp::whole(text)) {
                        (Some(time), _) => self.set_time(time, 0, rank, from),
                        (None, Some(stamp)) => self.set_stamp(stamp, rank, from),
                        (None, None) => {}
                    }
                }
            }
            Meaning::Level(scale) => {
                let is_number = matches!(value, Scalar::Number(_));
                let says = !(is_number && scale == Scale::Quoted);
                let level = value.short().filter(|_| says).and_then(|text| level(&text, scale));
                if let Some(level) = level {
                    self.set_level(level, rank, from);
                }
            }
            Meaning::Message => self.set_message(value, rank, from),
            Meaning::Service => {
                if let Some(name) = value.short() {
                    self.fact(Role::Service, &name, own, path);
                    self.set_logged_by(&name, rank.max(1), from);
                }
            }
            Meaning::LoggedBy => {
                if let (Some(name), Scalar::Text { .. }) = (value.short(), value) {
                    self.set_logged_by(&name, if own { 0 } else { PROGRAM + rank }, from);
                }
            }
            Meaning::Trace => {
                if let Some(id) = value.short().filter(|id| is_id(id)) {
                    self.set_trace(&id, rank, from);
                }
            }
            Meaning::TraceContext => {
                if let Some(context) = value.short() {
                    let id = trace::id(&context);
                    if is_id(id) {
                        self.set_trace(id, rank, from);
                    }
                }
            }
            Meaning::HttpStatus => {
                if let Some(status) = value.short().filter(|text| is_error_status(text)) {
                    self.fact(Role::HttpStatus, &status, own, path);
                }
            }
            Meaning::GrpcStatus => {
                if let Some(status) = value.short().filter(|text| is_grpc_error(text)) {
                    self.fact(Role::GrpcStatus, &status, own, path);
                }
            }
            Meaning::ExitCode => {
                if let Some(code) = value.short().filter(|text| is_exit_code(text)) {
                    self.fact(Role::ExitCode, &code, own, path);
                }
            }
            Meaning::Signal | Meaning::SignalName => {
                let only_name = meaning == Meaning::SignalName;
                if let Some(signal) = value.short().filter(|text| is_signal(text, only_name)) {
                    self.fact(Role::Signal, &signal, own, path);
                }
            }
            Meaning::Code => {
                if let Some(code) = value.short().filter(|text| is_code(text)) {
                    self.fact(Role::Code, &code, own, path);
                }
            }
            Meaning::CodeOrText => {
                let fits = |text: &str| is_code(text) && is_identifier(text);
                if let Some(code) = value.short().filter(|text| fits(text)) {
                    self.fact(Role::Code, &code, own, path);
                }
            }
            Meaning::Exception => {
                let Some(name) = value.short().filter(|name| **name != *"_OTHER") else { return };
                if is_error_status(&name) {
                    // OpenTelemetry's error.type is the status where nothing was thrown.
                    self.fact(Role::HttpStatus, &name, own, path);
                } else if is_code(&name) {
                    self.fact(Role::Code, &name, own, path);
                    self.set_exception(&name, rank);
                }
            }
            Meaning::Stack => self.set_stack(value, rank),
            Meaning::Product => {
                if let Some(name) = value.short() {
                    self.fact(Role::Product, &name, own, path);
                }
            }
        }
    }

    /// Takes what the header of a line says.
    pub(crate) fn header(&mut self, header: &Header<'_>) {
        // What a layout says is worth as much as the first names of the table.
        let from = Origin::Layout;
        if let Some(stamp) = header.stamp {
            self.set_stamp(stamp, 1, from);
        }
        if let Some(level) = header.level {
            self.set_level(level, 1, from);
        }
        for (name, known) in [(header.program, "program"), (header.logger, "logger")] {
            if let Some(name) = name.and_then(|name| Scalar::plain(name).short()) {
                self.set_logged_by(&name, PROGRAM + 1 + Rank::from(fields::rank(known)), from);
            }
        }
        if let Some(trace) = header.trace.and_then(|trace| Scalar::plain(trace).short()) {
            self.set_trace(&trace, 1, from);
        }
        for (role, value, name) in
            [(Role::HttpStatus, header.http_status, "status"), (Role::Code, header.code, "code")]
        {
            let value = value.and_then(|value| Scalar::plain(value).short());
            if let Some(value) = value.filter(|v| role != Role::HttpStatus || is_error_status(v)) {
                let mut path = Path::new();
                path.push(name.as_bytes());
                self.fact(role, &value, false, &path);
            }
        }
    }

    /// Takes the message behind a header.
    pub(crate) fn message(&mut self, text: &[u8]) {
        if !text.is_empty() {
            self.set_message(Scalar::plain(text), 1, Origin::Layout);
        }
    }

    /// Takes a level that a text begins with, if none is known.
    pub(crate) fn level(&mut self, level: Level) {
        self.set_level(level, 200, Origin::Layout);
    }

    /// Of what is inside of an envelope the innermost says more.
    fn deep(&self, rank: Rank) -> Rank {
        let outer = super::super::envelope::DEPTH.saturating_sub(self.depth) as Rank;
        outer * 256 + rank.min(255)
    }

    fn set_stamp(&mut self, stamp: Stamp, rank: Rank, from: Origin<'_>) {
        let Some(time) = stamp.time(self.reader.now) else { return };
        // A zone is better than none, any year better than a guessed one.
        let guessed = match (stamp.has_zone(), stamp.has_year()) {
            (true, true) => 0,
            (false, true) => 1,
            (_, false) => 2,
        };
        self.set_time(time, guessed, rank, from);
    }

    fn set_time(&mut self, time: SystemTime, guessed: Rank, rank: Rank, from: Origin<'_>) {
        let rank = if rank == 0 { 0 } else { guessed * 4096 + self.deep(rank) };
        if rank < self.ranks.time && !self.facts_only {
            self.ranks.time = rank;
            self.record.time = Some(time);
            self.record.paths.time = from.shown();
        }
    }

    fn set_level(&mut self, level: Level, rank: Rank, from: Origin<'_>) {
        let rank = if rank == 0 { 0 } else { self.deep(rank) };
        if rank < self.ranks.level && !self.facts_only {
            self.ranks.level = rank;
            self.record.level = Some(level);
            self.record.paths.level = from.shown();
        }
    }

    fn set_message(&mut self, value: Scalar<'_>, rank: Rank, from: Origin<'_>) {
        let rank = if rank == 0 { 0 } else { self.deep(rank) };
        if rank >= self.ranks.message || self.facts_only {
            return;
        }
        let Some((text, cut)) = value.text(MAX_MESSAGE) else { return };
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        self.ranks.message = rank;
        self.record.cut += u32::from(cut);
        self.record.message = Some(text.to_owned());
        self.record.paths.message = from.shown();
    }

    /// Names of services are better than those of programs, and those than names of loggers.
    fn set_logged_by(&mut self, name: &str, rank: Rank, from: Origin<'_>) {
        // Inside of an envelope a name of the same kind says more.
        let rank = if rank == 0 { 0 } else { rank * 4 + self.deep(0) / 256 };
        if rank < self.ranks.logged_by && !self.facts_only {
            self.ranks.logged_by = rank;
            self.record.logged_by = Some(name.to_owned());
            self.record.paths.logged_by = from.shown();
        }
    }

    fn set_trace(&mut self, id: &str, rank: Rank, from: Origin<'_>) {
        let rank = if rank == 0 { 0 } else { self.deep(rank) };
        if rank < self.ranks.trace {
            self.ranks.trace = rank;
            self.record.trace = Some(id.to_owned());
            self.record.paths.trace = from.shown();
        }
    }

    fn set_exception(&mut self, name: &str, rank: Rank) {
        let rank = self.deep(rank);
        if rank < self.ranks.exception {
            self.ranks.exception = rank;
            self.record.exception = Some(name.to_owned());
        }
    }

    fn set_stack(&mut self, value: Scalar<'_>, rank: Rank) {
        let rank = self.deep(rank);
        if rank >= self.ranks.stack {
            return;
        }
        let Some((text, cut)) = value.text(MAX_STACK) else { return };
        if text.trim().is_empty() {
            return;
        }
        self.ranks.stack = rank;
        self.record.cut += u32::from(cut);
        self.record.stack = Some(text.into_owned());
    }

    fn fact(&mut self, role: Role, value: &str, own: bool, path: &Path) {
        let facts = &mut self.record.facts;
        if own && !self.own_roles.contains(&role) {
            self.own_roles.push(role);
            facts.retain(|fact| fact.role != role);
        }
        if !own && self.own_roles.contains(&role) {
            return;
        }
        if facts.iter().any(|fact| fact.role == role && fact.value == value) {
            return;
        }
        if facts.len() >= MAX_FACTS {
            self.record.cut += 1;
            return;
        }
        facts.push(FieldFact { role, value: value.to_owned(), path: path.shown() });
    }
}

/// A word, a letter (`E`; MongoDB's `D1`), a number on a scale.
fn level(text: &str, scale: Scale) -> Option<Level> {
    if let Ok(number) = text.parse() {
        return Level::from_number(number, scale);
    }
    match text.as_bytes() {
        [letter] | [letter @ b'D', b'1'..=b'5'] => Level::from_letter(*letter),
        word => Level::from_word(word),
    }
}

/// Not empty, not all zeros, in one piece.
fn is_id(text: &str) -> bool {
    let mut letters = text.bytes().filter(|byte| byte.is_ascii_alphanumeric());
    letters.any(|byte| byte != b'0')
        && !text.contains(char::is_whitespace)
        && !is_word_for_none(text)
}

fn is_error_status(text: &str) -> bool {
    matches!(text.as_bytes(), [b'4' | b'5', b'0'..=b'9', b'0'..=b'9'])
}

fn is_grpc_error(text: &str) -> bool {
    match text.parse::<u8>() {
        Ok(number) => (1..=16).contains(&number),
        Err(_) => {
            let is_name = text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
            is_name && !text.eq_ignore_ascii_case("ok")
        }
    }
}

fn is_exit_code(text: &str) -> bool {
    let digits = text.strip_prefix("0x").or(text.strip_prefix('-')).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number && digits.bytes().any(|byte| byte != b'0')
}

fn is_signal(text: &str, only_name: bool) -> bool {
    let has_prefix = text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("SIG"));
    has_prefix || (!only_name && text.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number)))
}

/// One word or number that may stand for an error: no success, nothing that says "none".
fn is_code(text: &str) -> bool {
    if let Ok(number) = text.parse::<i64>() {
        return number != 0 && !(100..400).contains(&number);
    }
    !text.contains(char::is_whitespace) && !is_word_for_none(text)
}

fn is_word_for_none(text: &str) -> bool {
    const NONE: &[&str] = &[
        "ok",
        "none",
        "null",
        "nil",
        "true",
        "false",
        "success",
        "succeeded",
        "error",
        "unknown",
        "-",
        "undefined",
        "n/a",
        "failed",
        "failure",
    ];
    NONE.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// `invalid_grant`, `ECONNREFUSED`, `NoSuchBucket`: what no sentence and no plain word is.
fn is_identifier(text: &str) -> bool {
    let bytes = text.as_bytes();
    let fits = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte));
    let is_upper = bytes.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    let has_inner = bytes.iter().skip(1).any(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    let has_letter = bytes.first().is_some_and(u8::is_ascii_alphabetic);
    fits && has_letter && (has_inner || is_upper) && text.len() >= 5 && text.len() <= MAX_SHORT
}
