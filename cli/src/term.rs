//! The terminal: colours, and text from strangers made harmless.

use std::borrow::Cow;
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::OnceLock;

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::args::Color;

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const RED: Style = AnsiColor::Red.on_default().bold();
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub const GREEN: Style = AnsiColor::Green.on_default();
pub const CYAN: Style = AnsiColor::Cyan.on_default();
pub const MARK: Style = AnsiColor::Yellow.on_default().underline();

static COLOR: OnceLock<Color> = OnceLock::new();

/// Once, from the flag.
pub fn init(color: Color) {
    COLOR.get_or_init(|| color);
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::AlwaysAnsi,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Whether standard output shows colours.
pub fn stdout_has_color() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// Whether standard error shows colours.
pub fn stderr_has_color() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
}

pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

pub fn error(message: &str) {
    anstream::eprintln!("{}: {}", paint(RED, "error"), harmless(message));
}

/// What is worth knowing and no error, on standard error.
pub fn note(message: &str) {
    anstream::eprintln!("{}: {}", paint(CYAN, "note"), harmless(message));
}

/// What somebody should look at, though the run goes on.
pub fn warning(message: &str) {
    anstream::eprintln!("{}: {}", paint(YELLOW, "warning"), harmless(message));
}

/// Text of a log for a terminal: control characters, terminal escapes and characters that change
/// the direction of writing are shown, not obeyed.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| {
        (c.is_control() && c != '\t' && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' if c != '\t' && c != '\n' => {
                // The picture of the control character.
                out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'));
            }
            '\u{7f}' => out.push('\u{2421}'),
            c if harmful(c) => {
                let _ = write!(out, "<U+{:04X}>", c as u32);
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// At most `max` characters, with a mark where something was cut.
pub fn clip(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
    }
}

/// Width of standard output: what COLUMNS says, else what the terminal does, else a sensible one.
pub fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    width_of(std::env::var("COLUMNS").ok().as_deref(), terminal.map(|(width, _)| width.0))
}

fn width_of(columns: Option<&str>, terminal: Option<u16>) -> usize {
    // Some terminals do not know, and say 0.
    let known = |width: &usize| *width > 0;
    let columns = columns.and_then(|text| text.trim().parse().ok()).filter(known);
    let terminal = || terminal.map(usize::from).filter(known);
    columns.or_else(terminal).unwrap_or(100).clamp(40, 200)
}

/// Wraps `text` at `width`, every line but the first indented by `indent` spaces.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut column = indent;
    for (at, word) in text.split_whitespace().enumerate() {
        let length = columns(word);
        if at > 0 {
            if column + 1 + length > width {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// A line of a log behind an indentation: on a terminal it goes on below itself, not at the left
/// edge. Elsewhere it stays one line.
pub fn hang(text: &str, indent: usize) -> Cow<'_, str> {
    match stdout_is_terminal() {
        true => hung(text, width().saturating_sub(indent).max(20), indent),
        false => Cow::Borrowed(text),
    }
}

pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// In rows of so many columns, which end at a blank where one is near.
fn hung(text: &str, row: usize, indent: usize) -> Cow<'_, str> {
    if text.width() <= row {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while !rest.is_empty() {
        if !out.is_empty() {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
        }
        let full = row_end(rest, row);
        // Of long words (addresses, JSON) rows stay full.
        let near = rest[..full].rfind(' ').filter(|&blank| rest[..blank].width() > row * 2 / 3);
        let end = if full == rest.len() { full } else { near.unwrap_or(full) };
        out.push_str(&rest[..end]);
        rest = &rest[end..];
        rest = rest.strip_prefix(' ').filter(|_| near == Some(end)).unwrap_or(rest);
    }
    Cow::Owned(out)
}

/// How many bytes fit into so many columns, one character at least.
fn row_end(text: &str, row: usize) -> usize {
    let mut used = 0;
    let fits = |(at, c): &(usize, char)| {
        used += c.width().unwrap_or(0);
        *at == 0 || used <= row
    };
    text.char_indices().take_while(fits).last().map_or(0, |(at, c)| at + c.len_utf8())
}

/// Columns that a text takes: our own colours take none, a Chinese character two.
pub fn columns(word: &str) -> usize {
    anstream::adapter::strip_str(word).map(UnicodeWidthStr::width).sum()
}

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 line`, `1,234 lines`, `2 entries`.
pub fn plural(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{} {stem}ies", count(number)),
        (_, None) => format!("{} {noun}s", count(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown_not_obeyed() {
        assert_eq!(harmless("a\u{1b}[31mb\u{7}\r\u{202e}"), "a␛[31mb␇\\r<U+202E>");
        assert_eq!(harmless("plain ünïcode 请求\n"), "plain ünïcode 请求\n");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(5), "5");
        assert_eq!(count(1234), "1,234");
        assert_eq!(count(1234567), "1,234,567");
    }

    #[test]
    fn columns_come_before_the_terminal() {
        let cases = [
            (Some("90"), Some(120), 90),
            (None, Some(120), 120),
            (Some("wide"), Some(120), 120),
            (Some("0"), Some(0), 100),
            (None, None, 100),
            (None, Some(3), 40),
            (Some("100000"), None, 200),
        ];
        for (columns, terminal, expected) in cases {
            assert_eq!(width_of(columns, terminal), expected, "{columns:?} {terminal:?}");
        }
    }

    #[test]
    fn one_is_no_plural() {
        let cases = [(0, "line", "0 lines"), (1, "line", "1 line"), (2, "entry", "2 entries")];
        for (number, noun, expected) in cases {
            assert_eq!(plural(number, noun), expected);
        }
    }

    #[test]
    fn long_lines_hang_below_themselves() {
        assert_eq!(hung("abcdefgh", 3, 2), "abc\n  def\n  gh");
        assert_eq!(hung("ééé", 3, 2), "ééé");
        assert_eq!(hung("", 3, 2), "");
        assert_eq!(hung("unable to start it", 10, 1), "unable to\n start it");
        assert_eq!(hung("a bcdefghijklmnop", 10, 1), "a bcdefghi\n jklmnop", "too far away");
        assert_eq!(hung("abcdefghij klm", 10, 1), "abcdefghij\n  klm");
        assert_eq!(hung("请求失败", 5, 2), "请求\n  失败");
        assert_eq!(hung("请求", 1, 0), "请\n求");
    }

    #[test]
    fn text_is_wrapped() {
        assert_eq!(wrap("aa bb cc dd", 8, 2), "aa bb\n  cc dd");
        let painted = format!("aa bb {}", paint(DIM, "c"));
        assert!(!wrap(&painted, 9, 2).contains('\n'), "colours take no room");
    }
}
