//! The packed formats: how each is told, and the library that unpacks it.

use std::io;

use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

/// A packed format.
#[derive(Debug)]
pub struct Format {
    pub name: &'static str,
    /// How its data begins: for each byte what it may be. Any of the lists will do.
    magic: &'static [&'static [&'static [u8]]],
    unpacker: fn(u64) -> io::Result<Box<dyn Codec>>,
}

/// Told by their first bytes, never by the name of a file.
pub const FORMATS: &[Format] = &[
    Format {
        name: "gzip",
        // The third byte is deflate, the only method there is.
        magic: &[&[b"\x1f", b"\x8b", b"\x08"]],
        unpacker: |_| Ok(Box::new(Gzip(flate2::Decompress::new_gzip(15)))),
    },
    Format {
        name: "zstd",
        magic: &[
            &[b"\x28", b"\xb5", b"\x2f", b"\xfd"],
            // A frame to be skipped, with which some packers begin.
            &[b"PQRSTUVWXYZ[\\]^_", b"\x2a", b"\x4d", b"\x18"],
        ],
        unpacker: |memory| Ok(Box::new(Zstd::new(memory)?)),
    },
    Format {
        name: "bzip2",
        magic: &[
            // "BZh1" to "BZh9" may begin a line of text: the mark of the first block, or of the end.
            &[b"B", b"Z", b"h", DIGITS, b"\x31", b"\x41", b"\x59", b"\x26", b"\x53", b"\x59"],
            &[b"B", b"Z", b"h", DIGITS, b"\x17", b"\x72", b"\x45", b"\x38", b"\x50", b"\x90"],
        ],
        unpacker: |_| Ok(Box::new(Bzip2(bzip2::Decompress::new(false)))),
    },
    Format {
        name: "xz",
        magic: &[&[b"\xfd", b"7", b"z", b"X", b"Z", b"\0"]],
        unpacker: |memory| {
            let stream = liblzma::stream::Stream::new_stream_decoder(memory, 0);
            Ok(Box::new(Xz(stream.map_err(io::Error::other)?)))
        },
    },
];

const DIGITS: &[u8] = b"123456789";

/// Whether some bytes are the beginning of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Begins {
    No,
    /// As far as there are bytes.
    Perhaps,
    Yes,
}

impl Format {
    /// Whether data that begins with `bytes` is of this format.
    pub fn begins(&self, bytes: &[u8]) -> Begins {
        let list = self.magic.iter().map(|magic| begins(magic, bytes));
        list.max().unwrap_or(Begins::No)
    }

    /// What unpacks a member, with at most so many bytes of memory.
    pub fn unpacker(&self, memory: u64) -> io::Result<Box<dyn Codec>> {
        (self.unpacker)(memory)
    }
}

/// Whether `bytes` begin with `magic`, of which each byte may be one of several.
pub fn begins(magic: &[&[u8]], bytes: &[u8]) -> Begins {
    match magic.iter().zip(bytes).all(|(any, byte)| any.contains(byte)) {
        false => Begins::No,
        true if bytes.len() < magic.len() => Begins::Perhaps,
        true => Begins::Yes,
    }
}

/// What unpacking a piece came to.
pub struct Step {
    /// Bytes of the input that were used.
    pub read: usize,
    /// Bytes of the output that are there, whatever the outcome.
    pub written: usize,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    More,
    /// The member ended here.
    Ended,
    Corrupt,
    /// It takes more memory than it may have.
    Memory,
}

/// Unpacks one member.
pub trait Codec: Send {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step;
}

struct Gzip(flate2::Decompress);

impl Codec for Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        use flate2::{FlushDecompress, Status};
        let (read, written) = (self.0.total_in(), self.0.total_out());
        let outcome = match self.0.decompress(input, output, FlushDecompress::None) {
            Ok(Status::Ok | Status::BufError) => Outcome::More,
            Ok(Status::StreamEnd) => Outcome::Ended,
            Err(_) => Outcome::Corrupt,
        };
        // The totals count what came before an error too.
        Step {
            read: (self.0.total_in() - read) as usize,
            written: (self.0.total_out() - written) as usize,
            outcome,
        }
    }
}

struct Bzip2(bzip2::Decompress);

impl Codec for Bzip2 {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        use bzip2::Status;
        let (read, written) = (self.0.total_in(), self.0.total_out());
        let outcome = match self.0.decompress(input, output) {
            Ok(Status::StreamEnd) => Outcome::Ended,
            Ok(Status::MemNeeded) => Outcome::Memory,
            Ok(_) => Outcome::More,
            Err(_) => Outcome::Corrupt,
        };
        Step {
            read: (self.0.total_in() - read) as usize,
            written: (self.0.total_out() - written) as usize,
            outcome,
        }
    }
}

struct Xz(liblzma::stream::Stream);

impl Codec for Xz {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        use liblzma::stream::{Action, Error, Status};
        let (read, written) = (self.0.total_in(), self.0.total_out());
        let outcome = match self.0.process(input, output, Action::Run) {
            Ok(Status::StreamEnd) => Outcome::Ended,
            Ok(_) => Outcome::More,
            Err(Error::MemLimit | Error::Mem) => Outcome::Memory,
            Err(_) => Outcome::Corrupt,
        };
        Step {
            read: (self.0.total_in() - read) as usize,
            written: (self.0.total_out() - written) as usize,
            outcome,
        }
    }
}

struct Zstd {
    decoder: zstd::stream::raw::Decoder<'static>,
    /// Bytes up to the end of the block, of which the library asks for no more. It gets no more,
    /// since the call that fails does not say what it wrote: that is at most one block then.
    wanted: usize,
}

/// The header of a frame and of its first block.
const ZSTD_FIRST: usize = 9;

impl Zstd {
    fn new(memory: u64) -> io::Result<Zstd> {
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        // Windows are powers of two; the library knows no smaller limit than 1 KiB.
        decoder.set_parameter(DParameter::WindowLogMax(memory.max(1 << 10).ilog2().min(31)))?;
        Ok(Zstd { decoder, wanted: ZSTD_FIRST })
    }
}

impl Codec for Zstd {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let mut given = InBuffer::around(&input[..input.len().min(self.wanted)]);
        let mut taken = OutBuffer::around(output);
        let outcome = match self.decoder.run(&mut given, &mut taken) {
            Ok(0) => Outcome::Ended,
            Ok(wanted) => {
                self.wanted = wanted;
                Outcome::More
            }
            Err(error) if error.to_string().contains("memory") => Outcome::Memory,
            Err(_) => Outcome::Corrupt,
        };
        Step { read: given.pos(), written: taken.pos(), outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let named = |bytes: &[u8]| {
            FORMATS.iter().find(|format| format.begins(bytes) == Begins::Yes).map(|f| f.name)
        };
        assert_eq!(named(b"\x1f\x8b\x08\0"), Some("gzip"));
        assert_eq!(named(b"\x28\xb5\x2f\xfd"), Some("zstd"));
        assert_eq!(named(b"\x5a\x2a\x4d\x18\0\0\0\0"), Some("zstd"));
        assert_eq!(named(b"BZh91AY&SY"), Some("bzip2"));
        assert_eq!(named(b"BZh9\x17\x72\x45\x38\x50\x90"), Some("bzip2"));
        assert_eq!(named(b"\xfd7zXZ\0"), Some("xz"));
        for text in [&b"BZh9 is no archive"[..], b"BZh0\x31AY&SY", b"", b"2026-11-23", b"\x1f\x8b"]
        {
            assert_eq!(named(text), None, "{text:?}");
        }
        let open = FORMATS.iter().filter(|format| format.begins(b"BZh9") == Begins::Perhaps);
        assert_eq!(open.map(|format| format.name).collect::<Vec<_>>(), ["bzip2"]);
    }
}
