//! What a source is, told by its first bytes: packed, UTF-16, or text as it stands.

use std::io;
use std::time::Duration;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::codec::{Begins, FORMATS, Format, begins};
use super::foreign::Foreign;
use super::unpack::Unpacked;
use super::utf16::{Utf16, unmarked};
use super::{Got, Input, Start};

/// How much is read before it is known what the source is. Small files come whole.
const PIECE: usize = 64 << 10;

/// Byte order marks, and the encoding that has to be decoded.
const MARKS: &[(&[&[u8]], Option<&Encoding>)] = &[
    (&[b"\xef", b"\xbb", b"\xbf"], None),
    (&[b"\xff", b"\xfe"], Some(UTF_16LE)),
    (&[b"\xfe", b"\xff"], Some(UTF_16BE)),
];

/// Whether data that begins so is packed or UTF-16: its zeros do not say that it is no text.
pub fn is_encoded(head: &[u8]) -> bool {
    matches!(judge(head, true, true), Some(Kind::Packed(_) | Kind::Utf16(..)))
}

/// Whether data that begins so is text as it stands.
pub fn is_text(head: &[u8]) -> bool {
    !is_encoded(head) && Foreign::find(head).is_none()
}

/// Why a file that begins so is not followed, and what to do instead.
pub fn why_not_followed(head: &[u8]) -> Option<String> {
    match judge(head, true, true)? {
        Kind::Packed(_) => Some(
            "compressed files do not grow by lines and are not followed; leave out --follow"
                .to_owned(),
        ),
        Kind::Utf16(..) => Some(
            "UTF-16 is not followed as it stands; pipe it in: tail -c +1 -F FILE | whyerr"
                .to_owned(),
        ),
        Kind::Text(_) => {
            let foreign = Foreign::find(head).filter(|foreign| foreign.is_packed)?;
            Some(format!("{} does not grow by lines and is not followed", foreign.name))
        }
    }
}

/// A source that decodes itself where that is needed. Text that needs no decoding goes straight
/// into the buffer of who reads.
pub struct Sniffed {
    /// Missing for a moment only, while it is wrapped.
    input: Option<Box<dyn Input>>,
    /// What was read to look at it, and how much of it was handed on.
    head: Vec<u8>,
    used: usize,
    looking: bool,
    /// Bytes that unpacking may take.
    memory: u64,
    start: Start,
}

enum Kind {
    /// Text behind a mark of so many bytes.
    Text(usize),
    Packed(&'static Format),
    Utf16(usize, &'static Encoding),
}

/// What begins with `head` is; `None` while that cannot be told. Unpacked data is not unpacked
/// again.
fn judge(head: &[u8], ended: bool, may_be_packed: bool) -> Option<Kind> {
    let formats = if may_be_packed { FORMATS } else { &[] };
    let packed = formats.iter().map(|format| (format.begins(head), Kind::Packed(format)));
    let marked = MARKS.iter().map(|(mark, encoding)| {
        let kind = match encoding {
            None => Kind::Text(mark.len()),
            Some(encoding) => Kind::Utf16(mark.len(), encoding),
        };
        (begins(mark, head), kind)
    });
    let mut open = false;
    for (begins, kind) in packed.chain(marked) {
        match begins {
            Begins::Yes => return Some(kind),
            Begins::Perhaps => open = true,
            Begins::No => {}
        }
    }
    match unmarked(head, ended) {
        (Begins::Yes, encoding) => return Some(Kind::Utf16(0, encoding)),
        (Begins::Perhaps, _) => open = true,
        (Begins::No, _) => {}
    }
    (ended || !open).then_some(Kind::Text(0))
}

impl Sniffed {
    /// `head` was read of the input already.
    pub fn new(head: Vec<u8>, input: Box<dyn Input>, memory: u64) -> Sniffed {
        let start = Start::default();
        Sniffed { input: Some(input), head, used: 0, looking: true, memory, start }
    }

    /// Looks at the head. Returns whether more of it is needed.
    fn look(&mut self, ended: bool) -> bool {
        match judge(&self.head, ended, !self.start.decoded) {
            None => return true,
            Some(Kind::Text(mark)) => {
                self.used = mark;
                self.start.offset = mark as u64;
                self.start.foreign = Foreign::find(&self.head);
                self.looking = false;
            }
            Some(Kind::Utf16(mark, encoding)) => {
                self.head.drain(..mark);
                self.wrap(|head, input| Box::new(Utf16::new(encoding, head, input)));
                self.looking = false;
            }
            Some(Kind::Packed(format)) => {
                let memory = self.memory;
                self.wrap(|head, input| Box::new(Unpacked::new(format, head, input, memory)));
            }
        }
        false
    }

    fn wrap(&mut self, decoder: impl FnOnce(Vec<u8>, Box<dyn Input>) -> Box<dyn Input>) {
        let head = std::mem::take(&mut self.head);
        self.input = self.input.take().map(|input| decoder(head, input));
        self.start.decoded = true;
    }
}

impl Input for Sniffed {
    fn read(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<Got> {
        let mut ended = false;
        while self.looking {
            if !self.head.is_empty() || ended {
                let more = self.look(ended);
                ended = false;
                if !more {
                    continue;
                }
            }
            let Some(input) = &mut self.input else { return Ok(Got::End) };
            let room = buffer.len().min(PIECE);
            match input.read(&mut buffer[..room], patience)? {
                Got::Bytes(count) => {
                    if self.head.is_empty()
                        && let Some(Kind::Text(0)) =
                            judge(&buffer[..count], false, !self.start.decoded)
                    {
                        self.start.foreign = Foreign::find(&buffer[..count]);
                        self.looking = false;
                        return Ok(Got::Bytes(count));
                    }
                    self.head.extend_from_slice(&buffer[..count]);
                }
                Got::End => ended = true,
                Got::Nothing => return Ok(Got::Nothing),
            }
        }
        let rest = &self.head[self.used..];
        if !rest.is_empty() {
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.used += count;
            return Ok(Got::Bytes(count));
        }
        self.head = Vec::new();
        self.used = 0;
        match &mut self.input {
            Some(input) => input.read(buffer, patience),
            None => Ok(Got::End),
        }
    }

    fn start(&self) -> Start {
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::input::pack::{self, FORMATS as PACKED, pack, utf16};

    /// Gives pieces of such lengths in turn; a length of 0 makes wait in vain.
    struct Pieces {
        bytes: Vec<u8>,
        at: usize,
        lengths: Vec<usize>,
        turn: usize,
    }

    impl Input for Pieces {
        fn read(&mut self, buffer: &mut [u8], _: Option<Duration>) -> io::Result<Got> {
            let length = self.lengths[self.turn % self.lengths.len()];
            self.turn += 1;
            let rest = &self.bytes[self.at..];
            let count = length.min(rest.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.at += count;
            Ok(match count {
                _ if rest.is_empty() => Got::End,
                0 => Got::Nothing,
                count => Got::Bytes(count),
            })
        }
    }

    #[derive(Debug, PartialEq)]
    struct Decoded {
        text: Vec<u8>,
        error: Option<String>,
        start: Start,
    }

    /// Decodes pieces of these lengths, into buffers of at most these lengths.
    fn decode_by(bytes: &[u8], lengths: &[usize], rooms: &[usize], memory: u64) -> Decoded {
        let pieces = Pieces { bytes: bytes.to_vec(), at: 0, lengths: lengths.to_vec(), turn: 0 };
        let mut input = Sniffed::new(Vec::new(), Box::new(pieces), memory);
        let mut text = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        let mut error = None;
        for room in rooms.iter().cycle() {
            match input.read(&mut buffer[..*room], None) {
                Ok(Got::Bytes(count)) => {
                    assert!(count > 0);
                    text.extend_from_slice(&buffer[..count]);
                }
                Ok(Got::Nothing) => {}
                Ok(Got::End) => break,
                Err(fault) => {
                    error = Some(fault.to_string());
                    break;
                }
            }
        }
        Decoded { text, error, start: input.start() }
    }

    fn decode(bytes: &[u8]) -> Decoded {
        decode_by(bytes, &[1 << 16], &[1 << 16], 32 << 20)
    }

    #[track_caller]
    fn gives(bytes: &[u8], text: &[u8], error: Option<&str>) {
        let decoded = decode(bytes);
        assert!(decoded.text == text, "{} bytes of text", decoded.text.len());
        match (error, &decoded.error) {
            (None, None) => {}
            (Some(part), Some(error)) if error.contains(part) => {}
            (expected, error) => panic!("{error:?}, not {expected:?}"),
        }
    }

    /// Text that does not pack to nothing.
    fn text(bytes: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        };
        (0..bytes).map(|_| b"abcdefghijklmno\n"[next() as usize % 16]).collect()
    }

    #[test]
    fn packed_text_comes_out_with_all_its_members() {
        for format in PACKED {
            let (one, two) = (text(300_000), text(1000));
            let mut packed = pack(format, &one);
            gives(&packed, &one, None);
            packed.extend(pack(format, b""));
            packed.extend(pack(format, &two));
            let both = [&one[..], &two].concat();
            gives(&packed, &both, None);
            // Padding.
            packed.extend([0; 512]);
            gives(&packed, &both, None);
            packed.extend(b"more\n");
            gives(&packed, &both, Some("comes something else"));
            gives(&pack(format, b""), b"", None);
            assert_eq!(decode(&packed).start, Start { decoded: true, ..Start::default() });
        }
    }

    #[test]
    fn what_is_packed_twice_is_unpacked_once() {
        for format in PACKED {
            let once = pack("gzip", b"line\n");
            gives(&pack(format, &once), &once, None);
        }
    }

    #[test]
    fn a_truncated_archive_gives_all_before_the_end() {
        for format in PACKED {
            let text = text(3 << 20);
            let packed = pack(format, &text);
            for share in [0.3, 0.6, 0.9] {
                let cut = (packed.len() as f64 * share) as usize;
                let decoded = decode(&packed[..cut]);
                let error = decoded.error.unwrap();
                let named = format!("the {format} data ends too early after {cut} bytes (decoded ");
                assert!(error.starts_with(&named), "{error}");
                assert!(text.starts_with(&decoded.text));
                // But for a block, of which bzip2 has the largest, 900 kB of text.
                let missing = text.len() as f64 * share - decoded.text.len() as f64;
                assert!(missing < 1_000_000.0, "{format}: {missing} bytes missing");
            }
            for cut in packed.len() - 3..packed.len() {
                gives(&packed[..cut], &text, Some("ends too early"));
            }
        }
    }

    #[test]
    fn a_corrupt_archive_gives_all_before_the_fault() {
        for format in PACKED {
            let text = text(3 << 20);
            let mut packed = pack(format, &text);
            let middle = packed.len() / 2;
            packed[middle..middle + 64].fill(0xa5);
            let decoded = decode(&packed);
            let error = decoded.error.unwrap();
            assert!(error.starts_with(&format!("the {format} data is corrupt after ")), "{error}");
            assert!(error.contains(&format!("(decoded {})", decoded.text.len())), "{error}");
            let same = decoded.text.iter().zip(&text).take_while(|(a, b)| a == b).count();
            assert!(same as f64 > text.len() as f64 / 2.0 - 1_000_000.0, "{format}: {same}");
        }
    }

    #[test]
    fn utf16_becomes_utf8() {
        for big in [false, true] {
            let text = "Fehler: Zugriff verweigert\r\n错误 🦀\n";
            gives(&utf16(text, big), text.as_bytes(), None);
            gives(&pack("gzip", &utf16(text, big)), text.as_bytes(), None);
            let mut odd = utf16("ab", big);
            odd.push(0);
            gives(&odd, "ab\u{fffd}".as_bytes(), Some("in the middle of a character"));
            let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let lone = [unit(0xfeff), unit(0xd83e), unit(0x61), unit(0xdd80)].concat();
            gives(&lone, "\u{fffd}a\u{fffd}".as_bytes(), None);
        }
    }

    #[test]
    fn utf16_is_known_without_a_mark() {
        for big in [false, true] {
            let bare = |text: &str| utf16(text, big)[2..].to_vec();
            let long = "2026-11-24 ERROR Zugriff für 'Jürgen' verweigert 错误\r\n".repeat(9);
            for text in ["fail", "\r\n\x1b[31mx", &long] {
                gives(&bare(text), text.as_bytes(), None);
                assert!(decode(&bare(text)).start.decoded);
                gives(&pack("zstd", &bare(text)), text.as_bytes(), None);
            }
            // Too short, too few of the first characters, characters that no log has.
            for text in ["abc", "a错误错误错误错误", "ab\u{1}cdefgh", "ab\0cdefgh"] {
                gives(&bare(text), &bare(text), None);
            }
        }
        for bytes in [&b"\0\0\0\0\0\0\0\0"[..], b"a\0\0\0b\0\0\0c\0\0\0", b"PATH=a\0HOME=b\0x\0"] {
            gives(bytes, bytes, None);
        }
    }

    #[test]
    fn what_is_no_text_is_known() {
        let foreign = |bytes: &[u8]| decode(bytes).start.remark();
        let (text, is_fault) = foreign(b"PK\x03\x04\x14\0").unwrap();
        assert!(text.starts_with("is a zip archive") && is_fault, "{text}");
        let mut tar = vec![b'a'; 257];
        tar.extend(b"ustar\0");
        let (text, is_fault) = foreign(&pack("gzip", &tar)).unwrap();
        assert!(text.starts_with("holds a tar archive") && !is_fault, "{text}");
        let (text, is_fault) = foreign(&pack("gzip", &pack("xz", b"line\n"))).unwrap();
        assert!(text.starts_with("holds xz data") && is_fault, "{text}");
        assert_eq!(foreign(b"\0"), Some(("is binary data, read as it is".to_owned(), false)));
        assert_eq!(foreign(b"line\n"), None);
        assert_eq!(foreign(&utf16("line\n", false)), None);
    }

    #[test]
    fn plain_text_is_left_as_it_is() {
        let start = |bytes: &[u8]| decode(bytes).start;
        gives(b"\xef\xbb\xbfline\n", b"line\n", None);
        assert_eq!(start(b"\xef\xbb\xbfline\n"), Start { offset: 3, ..Start::default() });
        for bytes in [&b""[..], b"line\n", b"BZh9", b"BZh91AY&S", b"\x1f\x8b", b"\xef\xbb", b"\xff"]
        {
            gives(bytes, bytes, None);
            assert_eq!(start(bytes), Start::default());
        }
    }

    #[test]
    fn unpacking_takes_no_more_memory_than_it_may() {
        let text = text(1000);
        for packed in [pack::xz(&text, 9), pack::zstd(&text, Some(27))] {
            let decoded = decode_by(&packed, &[100], &[100], 32 << 20);
            assert_eq!(decoded.text, b"");
            assert!(decoded.error.unwrap().contains("more than 32 MiB of memory"));
            let decoded = decode_by(&packed, &[100], &[100], 130 << 20);
            assert!(decoded.text == text && decoded.error.is_none(), "{:?}", decoded.error);
        }
    }

    fn sources() -> impl Strategy<Value = Vec<u8>> {
        let text = prop::collection::vec("[a-z\n]{0,40}|[\\PC\n]{0,9}", 0..20)
            .prop_map(|parts| parts.concat());
        let form = prop::sample::select(vec![
            "gzip", "zstd", "bzip2", "xz", "plain", "le", "be", "bare le", "bare be",
        ]);
        (text, form, any::<bool>(), 0..40usize).prop_map(|(text, form, twice, cut)| {
            let mut bytes = match form {
                "plain" => text.into_bytes(),
                "le" | "be" => utf16(&text, form == "be"),
                "bare le" | "bare be" => utf16(&text, form == "bare be")[2..].to_vec(),
                format => {
                    let mut packed = pack(format, text.as_bytes());
                    if twice {
                        packed.extend(pack(format, text.as_bytes()));
                    }
                    packed
                }
            };
            // Some are not whole.
            bytes.truncate(bytes.len().saturating_sub(cut.saturating_sub(30)));
            bytes
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn however_it_comes_it_is_the_same(
            bytes in sources(),
            mut lengths in prop::collection::vec(0..30usize, 1..8),
            rooms in prop::collection::vec(1..30usize, 1..8),
        ) {
            lengths.push(1);
            // But for what is told of it: its first piece shows that.
            let plain = |decoded: Decoded| {
                let start = Start { foreign: None, ..decoded.start };
                Decoded { start, ..decoded }
            };
            let whole = plain(decode(&bytes));
            prop_assert_eq!(plain(decode_by(&bytes, &lengths, &rooms, 32 << 20)), whole);
        }

        #[test]
        fn no_bytes_make_it_panic_or_hang(
            format in prop::sample::select(PACKED.to_vec()),
            spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = pack(format, &text(2000));
            for (at, byte) in spoilt {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            decode(&bytes);
        }
    }
}
