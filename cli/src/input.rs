//! Logs as chunks of whole lines, with bounded memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How much is read at once. Lines may be as long as a chunk.
const CHUNK: usize = 4 << 20;
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

    pub fn open(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Source::Stdin => Ok(Box::new(io::stdin().lock())),
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
pub struct Chunk<'b> {
    pub bytes: &'b [u8],
    /// Offset of its first byte in the source.
    pub offset: u64,
    /// The only line of the chunk was longer than [`MAX_LINE`]: this is its beginning.
    pub cut: bool,
}

/// Reads a source chunk by chunk.
pub struct Chunks<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold data, and where the rest of the last chunk begins.
    filled: usize,
    rest: usize,
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
            buffer: vec![0; CHUNK],
            filled: 0,
            rest: 0,
            offset: 0,
            skipping: false,
            ended: false,
            error: None,
            skipped: 0,
        }
    }

    /// The next chunk; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Chunk<'_>>> {
        loop {
            self.buffer.copy_within(self.rest..self.filled, 0);
            self.offset += self.rest as u64;
            self.filled -= self.rest;
            self.rest = 0;
            while self.filled < self.buffer.len() && !self.ended {
                match self.reader.read(&mut self.buffer[self.filled..]) {
                    Ok(0) => self.ended = true,
                    Ok(count) => {
                        self.filled += count;
                        // What a pipe has is shown at once, not when 4 MiB are there.
                        if memchr::memrchr(b'\n', &self.buffer[self.filled - count..self.filled])
                            .is_some()
                        {
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
            if self.filled == 0 {
                return self.error.take().map_or(Ok(None), Err);
            }
            if self.skipping {
                match memchr::memchr(b'\n', &self.buffer[..self.filled]) {
                    Some(newline) => {
                        self.skipped += newline as u64;
                        // The newline itself ends the cut line: it stays, to be counted.
                        self.rest = newline;
                        self.skipping = false;
                    }
                    None => {
                        self.skipped += self.filled as u64;
                        self.rest = self.filled;
                    }
                }
                continue;
            }
            let last = memchr::memrchr(b'\n', &self.buffer[..self.filled]);
            let (end, cut) = match last {
                Some(newline) => (newline + 1, false),
                None if self.ended => (self.filled, false),
                None if self.filled > MAX_LINE => (MAX_LINE, true),
                None => continue,
            };
            self.rest = end;
            self.skipping = cut;
            return Ok(Some(Chunk { bytes: &self.buffer[..end], offset: self.offset, cut }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> (Vec<(Vec<u8>, u64, bool)>, u64) {
        let mut chunks = Chunks::new(text);
        let mut list = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            list.push((chunk.bytes.to_vec(), chunk.offset, chunk.cut));
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
        assert_eq!(chunks.next().unwrap().unwrap().bytes, b"a\n");
        assert_eq!(chunks.next().unwrap().unwrap().bytes, b"b");
        assert!(chunks.next().is_err());
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
