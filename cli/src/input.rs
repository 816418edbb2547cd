//! Logs as chunks of whole lines, with bounded memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How much is read at once. Lines may be as long as a chunk.
const CHUNK: usize = 2 << 20;
/// Longest line that is classified: what lies behind in the same line is skipped, and counted.
pub const MAX_LINE: usize = 1 << 20;

/// Where a log comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    fn from_arg(path: &Path) -> Source {
        if path == Path::new("-") { Source::Stdin } else { Source::File(path.to_owned()) }
    }

    /// The files of a command line; standard input where there are none.
    pub fn from_args(paths: &[PathBuf]) -> Vec<Source> {
        match paths {
            [] => vec![Source::Stdin],
            paths => paths.iter().map(|path| Source::from_arg(path)).collect(),
        }
    }

    pub fn name(&self) -> String {
        match self {
            Source::Stdin => "-".to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }

    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Source::Stdin => Ok(Box::new(io::stdin())),
            Source::File(path) => {
                let file = File::open(path)?;
                // Opening a folder works on Unix; reading it does not, with a poor message.
                if file.metadata()?.is_dir() {
                    return Err(io::Error::new(
                        io::ErrorKind::IsADirectory,
                        "is a folder; name the files in it",
                    ));
                }
                Ok(Box::new(file))
            }
        }
    }

    /// Bytes that are there, if that is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Source::Stdin => None,
            Source::File(path) => {
                let metadata = path.metadata().ok()?;
                metadata.is_file().then_some(metadata.len())
            }
        }
    }
}

/// A run of whole lines.
pub struct Chunk {
    /// Holds the lines, and space behind them.
    pub buffer: Vec<u8>,
    /// Bytes of the lines.
    pub len: usize,
    /// Offset of its first byte in the source.
    pub offset: u64,
    /// The only line of the chunk was longer than [`MAX_LINE`]: this is its beginning.
    pub cut: bool,
}

impl Chunk {
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

/// Reads a source chunk by chunk.
pub struct Chunks<R> {
    reader: R,
    /// What was read behind the last line of the last chunk.
    rest: Vec<u8>,
    offset: u64,
    /// In the part of a line that is not classified; at the end: such a line had no end.
    pub skipping: bool,
    ended: bool,
    /// What ended the reading too early.
    error: Option<io::Error>,
    /// Bytes of overlong lines that were skipped.
    pub skipped: u64,
}

impl<R: Read> Chunks<R> {
    pub fn new(reader: R) -> Chunks<R> {
        Chunks {
            reader,
            rest: Vec::new(),
            offset: 0,
            skipping: false,
            ended: false,
            error: None,
            skipped: 0,
        }
    }

    /// The next chunk, in `buffer`; `None` at the end.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> io::Result<Option<Chunk>> {
        // A buffer that comes round again is not cleared: that would cost more than the scan.
        buffer.resize(CHUNK, 0);
        loop {
            let mut filled = self.rest.len();
            buffer[..filled].copy_from_slice(&self.rest);
            self.rest.clear();
            while filled < buffer.len() && !self.ended {
                match self.reader.read(&mut buffer[filled..]) {
                    Ok(0) => self.ended = true,
                    Ok(count) => {
                        filled += count;
                        // What a pipe has is shown at once, not when a whole chunk is there.
                        if memchr::memrchr(b'\n', &buffer[filled - count..filled]).is_some() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        // What was read so far is still worth classifying.
                        self.ended = true;
                        self.error = Some(error);
                    }
                }
            }
            if filled == 0 {
                return self.error.take().map_or(Ok(None), Err);
            }
            if self.skipping {
                // The newline itself ends the cut line: it stays, to be counted.
                let skipped = memchr::memchr(b'\n', &buffer[..filled]);
                self.skipping = skipped.is_none();
                let skipped = skipped.unwrap_or(filled);
                self.skipped += skipped as u64;
                self.offset += skipped as u64;
                self.rest.extend_from_slice(&buffer[skipped..filled]);
                continue;
            }
            let last = memchr::memrchr(b'\n', &buffer[..filled]);
            let (len, cut) = match last {
                Some(newline) => (newline + 1, false),
                None if self.ended => (filled, false),
                None if filled > MAX_LINE => (MAX_LINE, true),
                None => {
                    self.rest.extend_from_slice(&buffer[..filled]);
                    continue;
                }
            };
            self.rest.extend_from_slice(&buffer[len..filled]);
            self.skipping = cut;
            let offset = self.offset;
            self.offset += len as u64;
            return Ok(Some(Chunk { buffer, len, offset, cut }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> (Vec<(Vec<u8>, u64, bool)>, u64) {
        let mut chunks = Chunks::new(text);
        let mut list = Vec::new();
        while let Some(chunk) = chunks.next(Vec::new()).unwrap() {
            list.push((chunk.bytes().to_vec(), chunk.offset, chunk.cut));
        }
        (list, chunks.skipped)
    }

    #[test]
    fn chunks_hold_whole_lines() {
        let (list, skipped) = read(b"a\nb\nc");
        assert_eq!(list, [(b"a\nb\n".to_vec(), 0, false), (b"c".to_vec(), 4, false)]);
        assert_eq!(skipped, 0);
        assert!(read(b"").0.is_empty());
    }

    #[test]
    fn a_failed_read_is_told_after_what_was_read() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let mut chunks = Chunks::new((&b"a\nb"[..]).chain(Fails));
        assert_eq!(chunks.next(Vec::new()).unwrap().unwrap().bytes(), b"a\n");
        assert_eq!(chunks.next(Vec::new()).unwrap().unwrap().bytes(), b"b");
        assert!(chunks.next(Vec::new()).is_err());
    }

    #[test]
    fn endless_lines_are_cut_and_counted() {
        let mut text = vec![b'x'; CHUNK * 2];
        text.extend_from_slice(b"\nnext\n");
        let (list, skipped) = read(&text);
        assert_eq!(list[0].0.len(), MAX_LINE);
        assert!(list[0].2);
        assert_eq!(list.last().unwrap().0, b"\nnext\n");
        assert_eq!(skipped as usize, CHUNK * 2 - MAX_LINE);
    }
}
