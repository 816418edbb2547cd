//! UTF-16, as Windows writes it, made UTF-8.

use std::io;
use std::time::Duration;

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE};

use super::codec::Begins;
use super::{Got, Input};

/// How much is read at once.
const PIECE: usize = 64 << 10;
/// The decoder wants room for a whole character and more.
const ROOM: usize = 16;

/// So many bytes tell UTF-16 that has no mark.
const SAMPLE: usize = 128;
/// Fewer characters tell nothing.
const FEWEST: usize = 4;

/// Whether data without a mark is UTF-16, and in which order: it begins with a character of ASCII,
/// at least half of its first characters are, and none is a control character. Every second byte of
/// them is a zero, which no other text has.
pub fn unmarked(head: &[u8], ended: bool) -> (Begins, &'static Encoding) {
    let is_text = |byte: u8| matches!(byte, b'\t' | b'\r' | b'\n' | 0x1b | 0x20..=0x7e);
    let (encoding, low) = match head {
        [0, ..] => (UTF_16BE, 1),
        _ => (UTF_16LE, 0),
    };
    let sample = &head[..head.len().min(SAMPLE)];
    let characters = sample.len() / 2;
    let mut ascii = 0;
    for (at, pair) in sample.chunks_exact(2).enumerate() {
        match (pair[1 - low], pair[low]) {
            (0, byte) if is_text(byte) => ascii += 1,
            (0, 0..0xa0) => return (Begins::No, encoding),
            _ if at == 0 => return (Begins::No, encoding),
            _ => {}
        }
    }
    let begins = match () {
        () if sample.len() < SAMPLE && !ended => Begins::Perhaps,
        () if characters >= FEWEST && ascii * 2 >= characters => Begins::Yes,
        () => Begins::No,
    };
    (begins, encoding)
}

/// A source in UTF-16. Half of a surrogate pair becomes U+FFFD; an odd byte at the end is told.
pub struct Utf16<I> {
    input: I,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Bytes of `raw` that were decoded.
    used: usize,
    /// Characters that had no room in a small buffer.
    spill: Vec<u8>,
    input_ended: bool,
    /// Bytes that were read.
    read: u64,
    /// The last character was decoded.
    done: bool,
}

impl<I: Input> Utf16<I> {
    /// Decodes `head`, which begins behind the byte order mark, and what follows in `input`.
    pub fn new(encoding: &'static Encoding, head: Vec<u8>, input: I) -> Utf16<I> {
        Utf16 {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            read: head.len() as u64,
            raw: head,
            used: 0,
            spill: Vec::new(),
            input_ended: false,
            done: false,
        }
    }

    fn decode(&mut self, buffer: &mut [u8]) -> usize {
        let raw = &self.raw[self.used..];
        let (result, read, written, _) = self.decoder.decode_to_utf8(raw, buffer, self.input_ended);
        self.used += read;
        self.done = self.input_ended && result == CoderResult::InputEmpty;
        written
    }

    fn refill(&mut self, patience: Option<Duration>) -> io::Result<Got> {
        self.raw.resize(PIECE, 0);
        self.used = 0;
        let got = self.input.read(&mut self.raw, patience);
        let count = if let Ok(Got::Bytes(count)) = got { count } else { 0 };
        self.raw.truncate(count);
        self.read += count as u64;
        self.input_ended = matches!(got, Ok(Got::End));
        got
    }
}

impl<I: Input> Input for Utf16<I> {
    fn read(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<Got> {
        loop {
            if !self.spill.is_empty() {
                let count = self.spill.len().min(buffer.len());
                buffer[..count].copy_from_slice(&self.spill[..count]);
                self.spill.drain(..count);
                return Ok(Got::Bytes(count));
            }
            if self.done {
                // Told once.
                let odd = std::mem::take(&mut self.read) % 2 == 1;
                return match odd {
                    false => Ok(Got::End),
                    true => Err(io::Error::other(
                        "the UTF-16 text ends in the middle of a character; all before it was \
                         classified",
                    )),
                };
            }
            if self.used == self.raw.len()
                && !self.input_ended
                && let Got::Nothing = self.refill(patience)?
            {
                return Ok(Got::Nothing);
            }
            if buffer.len() < ROOM {
                let mut room = [0; ROOM];
                let count = self.decode(&mut room);
                self.spill.extend_from_slice(&room[..count]);
            } else {
                match self.decode(buffer) {
                    0 => {}
                    count => return Ok(Got::Bytes(count)),
                }
            }
        }
    }
}
