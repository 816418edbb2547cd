//! What the loggers of most languages write: a time, a level, names and numbers in some order and
//! some brackets, then the message.
//!
//! One walk over these pieces reads them all: logback, log4j, Spring Boot, `java.util.logging`,
//! Python's `logging`, gunicorn, celery, loguru, zap, logrus, hclog, env_logger, tracing, Serilog,
//! NLog, .NET's console, Ruby's Logger, Monolog, PHP-FPM, Elasticsearch, Kafka, ClickHouse, Envoy.
//! A line that has a time but no level among its pieces is no logger's: see `time_alone`.

use super::super::cursor::Cursor;
use super::super::level::Level;
use super::{Header, Line, NAME, is_name_byte};
use crate::record::stamp::Stamp;

/// Most pieces before a message.
const PIECES: usize = 10;

pub(super) fn logger(line: Line<'_>) -> Option<Header<'_>> {
    let text = line.text;
    let mut walk = Walk::new(text);
    match (*text.first()?, line.stamp) {
        (_, Some((stamp, length))) => {
            walk.header.stamp = Some(stamp);
            walk.cursor.skip(length);
            if let Some(header) = level_on_next_line(line, stamp) {
                return Some(header);
            }
        }
        (b'[', _) => walk.bracketed_stamp()?,
        (b'I' | b'W' | b'E' | b'F' | b'D' | b'A' | b'U', _) if text.get(1..4) == Some(b", [") => {
            // E, [2024-01-02T03:04:05.678901 #123] ERROR -- name: message
            walk.cursor.skip(3);
            walk.bracketed_stamp()?;
        }
        (b'a'..=b'z', _) => return dotnet(line),
        (b'A'..=b'Z', _) => {
            let word = text.iter().position(|byte| !byte.is_ascii_alphabetic())?;
            Level::from_word(&text[..word])?;
            match text[word] {
                b':' => return python(text, word),
                b'[' => return logrus(text, word),
                _ => {}
            }
        }
        _ => return None,
    }
    walk.run();
    let header = walk.header;
    header.level?;
    let says_more = header.stamp.is_some() || header.logger.is_some() || header.program.is_some();
    says_more.then_some(header)
}

/// A line that begins with a time and has no other header that is known: its message may be a
/// record of its own, as under `kubectl logs --timestamps` and in GitHub's logs.
pub(super) fn time_alone(line: Line<'_>) -> Option<Header<'_>> {
    let (text, mut message) = (line.text, 0);
    let stamp = match line.stamp {
        Some((stamp, length)) => {
            message += length;
            stamp
        }
        None => {
            let inside = text.strip_prefix(b"[")?;
            let (stamp, length) = Stamp::at_start(inside)?;
            (inside.get(length) == Some(&b']')).then_some(())?;
            message += length + 2;
            stamp
        }
    };
    match text.get(message) {
        Some(b' ' | b'\t') => message += 1,
        Some(b':') if text.get(message + 1) == Some(&b' ') => message += 2,
        Some(_) => return None,
        None => {}
    }
    Some(Header { stamp: Some(stamp), message, is_envelope: true, ..Header::default() })
}

/// The level that a line begins with: `ERROR `, `error: `, `[ERROR] `, `##[error]`, `FATAL:  `.
pub(crate) fn level_at_start(text: &[u8]) -> Option<Level> {
    let text = text.strip_prefix(b"##").unwrap_or(text);
    if let Some(inside) = text.strip_prefix(b"[") {
        let mut cursor = Cursor::new(inside, 0);
        return Level::from_word(cursor.until(b']', 16)?.trim_ascii());
    }
    // GitHub's commands: "::error file=a.c,line=1::message"
    let command = text.strip_prefix(b"::");
    let text = command.unwrap_or(text);
    let end = text.iter().take(16).position(|byte| !byte.is_ascii_alphabetic())?;
    let word = &text[..end];
    let is_upper = word.iter().all(u8::is_ascii_uppercase);
    let level = match word {
        // Go's "fatal error: ", PHP's "Fatal error: "
        b"fatal" | b"Fatal" if text[end..].starts_with(b" error:") => Level::Critical,
        _ if is_upper && matches!(text[end], b':' | b' ' | b'\t') => Level::from_word(word)?,
        // Prose has colons too: "note: ", "config: ".
        _ if matches!(text[end], b':') => {
            Level::from_word(word).filter(|level| *level >= Level::Warning || word == b"info")?
        }
        // rustc's "error[E0382]: "
        b"error" if text[end..].starts_with(b"[E") => Level::Error,
        _ if command.is_some() => Level::from_word(word)?,
        _ => return None,
    };
    Some(level)
}

/// `java.util.logging` writes the level on the second line:
/// `Jan 02, 2024 3:04:05 AM a.b.C method` and `SEVERE: message`.
fn level_on_next_line<'a>(line: Line<'a>, stamp: Stamp) -> Option<Header<'a>> {
    let (_, length) = line.stamp?;
    if !line.text.first()?.is_ascii_alphabetic() || line.text.len() == line.event.len() {
        return None;
    }
    let mut cursor = Cursor::new(line.event, line.text.len() + 1);
    let word = cursor.take_while(|byte| byte.is_ascii_uppercase());
    let level = Level::from_word(word)?;
    cursor.eat_text(b": ").then_some(())?;
    let mut names = Cursor::new(line.text, length);
    names.spaces();
    let logger = Some(names.token()).filter(|name| name.len() <= NAME);
    let message = cursor.at();
    Some(Header { stamp: Some(stamp), level: Some(level), logger, message, ..Header::default() })
}

/// `fail: Category.Name[0]` and the message on the next line, indented.
fn dotnet(line: Line<'_>) -> Option<Header<'_>> {
    let mut cursor = Cursor::new(line.event, 4);
    let level = match line.text.get(..4)? {
        word @ (b"trce" | b"dbug" | b"info" | b"warn" | b"fail" | b"crit") => {
            Level::from_word(word)
        }
        _ => return None,
    };
    cursor.eat_text(b": ").then_some(())?;
    let category = cursor.take_while(is_name_byte);
    (cursor.eat(b'[') && (1..=NAME).contains(&category.len())).then_some(())?;
    cursor.until(b']', 12)?;
    cursor.take_while(|byte| byte.is_ascii_whitespace());
    Some(Header { level, logger: Some(category), message: cursor.at(), ..Header::default() })
}

/// `ERROR:name:message`, Python's `logging.basicConfig`.
fn python(text: &[u8], word: usize) -> Option<Header<'_>> {
    let level = Level::from_word(&text[..word]);
    let mut cursor = Cursor::new(text, word + 1);
    let name = cursor.take_while(is_name_byte);
    (cursor.eat(b':') && (1..=NAME).contains(&name.len())).then_some(())?;
    Some(Header { level, logger: Some(name), message: cursor.at(), ..Header::default() })
}

/// `ERRO[0001] message   key=value`, logrus on a terminal: seconds since the start.
fn logrus(text: &[u8], word: usize) -> Option<Header<'_>> {
    let level = Level::from_word(&text[..word]);
    let mut cursor = Cursor::new(text, word + 1);
    cursor.number(4, 9)?;
    cursor.eat_text(b"] ").then_some(())?;
    Some(Header { level, message: cursor.at(), ..Header::default() })
}

struct Walk<'a> {
    cursor: Cursor<'a>,
    header: Header<'a>,
}

/// What to do after a piece.
enum Next {
    Piece,
    Message,
}

impl<'a> Walk<'a> {
    fn new(text: &'a [u8]) -> Walk<'a> {
        Walk { cursor: Cursor::new(text, 0), header: Header::default() }
    }

    /// `[2024-01-02T03:04:05Z ERROR name]`, `[2024-01-02 03:04:05,678: ERROR/MainProcess]`,
    /// `[03:04:05 ERR]`, `[E 2024-01-02 03:04:05.678 App]`: the time and what stands beside it.
    fn bracketed_stamp(&mut self) -> Option<()> {
        self.cursor.eat(b'[').then_some(())?;
        let inside = self.cursor.until(b']', 2 * NAME)?;
        let mut inner = Walk::new(inside);
        if let [letter, b' ', ..] = inside {
            inner.header.level = Some(Level::from_letter(*letter)?);
            inner.cursor.skip(2);
        }
        let (stamp, length) = Stamp::at_start(inner.cursor.rest())?;
        inner.cursor.skip(length);
        inner.header.stamp = Some(stamp);
        inner.cursor.eat(b':');
        inner.run();
        if inner.header.level.is_some() && inner.header.logger.is_none() {
            let name = inner.cursor.rest().trim_ascii();
            let fits = !name.is_empty() && name.iter().all(|&b| is_name_byte(b) || b == b':');
            inner.header.logger = Some(name).filter(|_| fits);
        }
        self.header = Header { message: self.cursor.at(), ..inner.header };
        Some(())
    }

    /// Goes over pieces up to the message.
    fn run(&mut self) {
        for _ in 0..PIECES {
            let before = self.cursor;
            let is_hard = self.separators();
            let found = match self.cursor.peek() {
                Some(b'[' | b'<' | b'(' | b'{') => self.group(),
                Some(byte) if byte.is_ascii_alphanumeric() => self.token(is_hard),
                _ => None,
            };
            match found {
                Some(Next::Piece) => {
                    if self.header.level.is_some() {
                        self.header.message = self.cursor.at();
                    }
                }
                Some(Next::Message) => {
                    self.header.message = self.cursor.at();
                    break;
                }
                None => {
                    self.cursor = before;
                    break;
                }
            }
        }
        // Of what parts the header from the message nothing belongs to the message.
        let mut end = Cursor::new(self.cursor.rest(), 0);
        if self.header.level.is_some() && self.cursor.at() == self.header.message {
            let mut walk = Walk { cursor: end, header: Header::default() };
            walk.separators();
            end = walk.cursor;
            self.header.message += end.at();
        }
    }

    /// Goes over white space, bars, dashes and colons between spaces; whether one was more than a space.
    fn separators(&mut self) -> bool {
        let mut is_hard = false;
        loop {
            let before = self.cursor;
            let spaces = self.cursor.spaces();
            if self.cursor.eat_any(b"\t|") || (spaces > 0 && self.cursor.eat_text(b": ")) {
                is_hard = true;
            } else if self.cursor.peek() == Some(b'-') {
                // - -- ---, and an empty column of dashes
                self.cursor.take_while(|byte| byte == b'-');
                if !matches!(self.cursor.peek(), Some(b' ' | b'\t')) {
                    self.cursor = before;
                    self.cursor.spaces();
                    return is_hard;
                }
                is_hard = true;
            } else {
                return is_hard;
            }
        }
    }

    /// Something in brackets.
    fn group(&mut self) -> Option<Next> {
        let open = self.cursor.peek()?;
        self.cursor.skip(1);
        let close = match open {
            b'[' => b']',
            b'<' => b'>',
            b'(' => b')',
            _ => b'}',
        };
        let raw = self.cursor.until(close, NAME)?;
        let inside = raw.trim_ascii();
        let header = &mut self.header;
        let letter = match inside {
            [letter] => Level::from_letter(*letter),
            _ => None,
        };
        let level = Level::from_word(inside).or(letter);
        if level.is_some() && header.level.is_none() {
            header.level = level;
        } else if let (None, Some(stamp)) = (header.stamp, Stamp::whole(inside)) {
            header.stamp = Some(stamp);
        } else if inside.split(|&byte| byte == b' ').next().is_some_and(|word| word.contains(&b'='))
        {
            header.pairs = header.pairs.or(Some(inside));
        } else if !self.ids(inside) {
            // A name of words after the level belongs to the message: `[Broker id=1]`.
            let is_one = !inside.contains(&b' ') && !inside.is_empty();
            if self.header.level.is_some() && !is_one {
                return None;
            }
            if is_one && is_qualified(inside) && !is_place(inside) && open == b'[' {
                self.header.logger = Some(inside);
            }
        }
        if self.header.level.is_some() && self.cursor.eat(b':') {
            self.cursor.eat(b' ');
            return Some(Next::Message);
        }
        Some(Next::Piece)
    }

    /// `[service,trace,span]` as Sleuth writes it, `[req-1234...]`, a UUID.
    fn ids(&mut self, inside: &'a [u8]) -> bool {
        let mut parts = inside.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        if let (Some(service), Some(trace), Some(_)) = (parts.next(), parts.next(), parts.next()) {
            let is_trace =
                matches!(trace.len(), 16 | 32) && trace.iter().all(u8::is_ascii_hexdigit);
            if (is_trace || trace.is_empty()) && service.iter().copied().all(is_name_byte) {
                self.header.program = Some(service).filter(|name| !name.is_empty());
                self.header.trace = Some(trace).filter(|_| is_trace);
                return true;
            }
        }
        let first = inside.split(|&byte| byte == b' ').next().unwrap_or_default();
        let id = first.strip_prefix(b"req-").unwrap_or(first);
        if is_uuid(id) && self.header.trace.is_none() {
            self.header.trace = Some(first);
            return true;
        }
        false
    }

    /// A level, a number, a name. `is_hard` tells that more than spaces stand before it.
    fn token(&mut self, is_hard: bool) -> Option<Next> {
        if self.header.stamp.is_none()
            && let Some((stamp, length)) = Stamp::at_start(self.cursor.rest())
        {
            self.header.stamp = Some(stamp);
            self.cursor.skip(length);
            return Some(Next::Piece);
        }
        let rest = self.cursor;
        let token = self
            .cursor
            .take_while(|byte| is_name_byte(byte) || byte == b':' || byte == b'#' || byte == b'*');
        if token.len() > NAME {
            return None;
        }
        if self.header.level.is_none() {
            if let Some(next) = self.level(token, is_hard) {
                return Some(next);
            }
            if token == b"PHP" {
                return self.php();
            }
            let is_number = token.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
            let ends = self.at_separator();
            return (ends && (is_number || is_hard || self.at_hard())).then(|| {
                if !is_number {
                    self.header.logger = Some(token);
                }
                Next::Piece
            });
        }
        // Behind the level: a name, if something ends it.
        let hard = self.at_hard();
        if self.cursor.peek() == Some(b'{') {
            // A span of tracing: `request{id=5}: `
            self.cursor.skip(1);
            self.header.pairs = self.header.pairs.or(Some(self.cursor.until(b'}', 4 * NAME)?));
            return (self.cursor.eat(b':')).then_some(Next::Piece);
        }
        let is_number = token.iter().all(u8::is_ascii_digit);
        if is_number {
            // A process or thread: only where brackets or dashes follow.
            let mut ahead = self.cursor;
            ahead.spaces();
            return (hard || ahead.peek() == Some(b'[')).then_some(Next::Piece);
        }
        let name = match token.strip_suffix(b":") {
            Some(name)
                if matches!(self.cursor.peek(), Some(b' ') | None)
                    && self.header.logger.is_none() =>
            {
                name
            }
            Some(_) => return None,
            None if hard => token,
            None if is_qualified(token) => {
                // nova.compute.manager [req-...] message
                let mut ahead = self.cursor;
                (ahead.eat(b' ') && ahead.peek() == Some(b'[')).then_some(())?;
                token
            }
            None => return None,
        };
        if is_exception(name) || !rest.peek()?.is_ascii_alphabetic() {
            return None;
        }
        if !(is_place(name) && self.header.logger.is_some()) {
            self.header.logger = Some(name);
        }
        match token.len() == name.len() && hard {
            // Columns: further ones may follow, if they are names too.
            true => {
                let tab = self.cursor.peek() == Some(b'\t');
                self.separators();
                Some(if tab { Next::Piece } else { Next::Message })
            }
            false if token.len() == name.len() => Some(Next::Piece),
            false => {
                self.cursor.eat(b' ');
                Some(Next::Message)
            }
        }
    }

    /// Whether a space, tab, bar or bracket is next.
    fn at_separator(&self) -> bool {
        matches!(self.cursor.peek(), Some(b' ' | b'\t' | b'|' | b'[' | b']'))
    }

    /// Whether a tab, a bar, a dash or a colon between spaces is next.
    fn at_hard(&self) -> bool {
        let mut ahead = self.cursor;
        let spaces = ahead.spaces();
        match ahead.peek() {
            Some(b'\t' | b'|') => true,
            Some(b'-') if spaces > 0 => {
                ahead.take_while(|byte| byte == b'-');
                ahead.peek() == Some(b' ')
            }
            Some(b':') if spaces > 0 => {
                ahead.skip(1);
                ahead.peek() == Some(b' ')
            }
            _ => false,
        }
    }

    /// `ERROR`, `ERROR:`, `error:`, `ERROR/MainProcess`, `production.ERROR:`, `E |`.
    fn level(&mut self, token: &'a [u8], is_hard: bool) -> Option<Next> {
        let word = token.strip_suffix(b":").unwrap_or(token);
        let has_colon = word.len() < token.len();
        let (before, word) = match word.iter().position(|&byte| byte == b'/') {
            Some(slash) => (None, &word[..slash]),
            None => match word.iter().rposition(|&byte| byte == b'.') {
                Some(dot) if has_colon => (Some(&word[..dot]), &word[dot + 1..]),
                _ => (None, word),
            },
        };
        let is_upper = word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let level = match word {
            [letter] => {
                // `E | name: `, `E STORAGE  [conn]`
                let mut ahead = self.cursor;
                ahead.spaces();
                let next = ahead.token();
                let level = Level::from_letter(*letter)?;
                if next != b"|" {
                    ahead.spaces();
                    let is_component = next.len() > 2 && next.iter().all(u8::is_ascii_uppercase);
                    (is_component && ahead.peek() == Some(b'[')).then_some(())?;
                    self.header.logger = Some(next);
                    self.cursor = ahead;
                }
                level
            }
            _ if is_upper || has_colon || is_hard || self.at_hard() => Level::from_word(word)?,
            _ => return None,
        };
        if !is_upper && !has_colon && !self.at_separator() {
            return None;
        }
        self.header.level = Some(level);
        if before.is_some() {
            self.header.logger = before;
        }
        if has_colon {
            self.cursor.spaces();
            return Some(Next::Message);
        }
        Some(Next::Piece)
    }

    /// `PHP Fatal error:  message`
    fn php(&mut self) -> Option<Next> {
        let kinds: &[(&[u8], Level)] = &[
            (b" Fatal error: ", Level::Critical),
            (b" Parse error: ", Level::Critical),
            (b" Recoverable fatal error: ", Level::Error),
            (b" Warning: ", Level::Warning),
            (b" Notice: ", Level::Notice),
            (b" Deprecated: ", Level::Notice),
        ];
        let found = kinds.iter().find(|(kind, _)| self.cursor.rest().starts_with(kind));
        let &(kind, level) = found?;
        self.cursor.skip(kind.len());
        self.cursor.spaces();
        self.header.level = Some(level);
        Some(Next::Message)
    }
}

/// A name of parts: `org.apache.Kafka`, `my_crate::module`.
fn is_qualified(name: &[u8]) -> bool {
    let has_letter = name.iter().any(u8::is_ascii_alphabetic);
    let parts = name.contains(&b'.') || memchr::memmem::find(name, b"::").is_some();
    has_letter && parts && !name.contains(&b'/')
}

/// A line of a file: `db.py:12`.
fn is_place(name: &[u8]) -> bool {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && name[..name.len() - digits].ends_with(b":")
}

/// What is thrown is no name of who logs.
fn is_exception(name: &[u8]) -> bool {
    [&b"Exception"[..], b"Error", b"Failure", b"Fault"].iter().any(|end| name.ends_with(end))
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
