//! What tells a content from another one that has the file's name or its number.

use std::fs::{File, Metadata};
use std::io;

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970 of the last change; 0 where that is unknown.
pub fn modified(metadata: &Metadata) -> u64 {
    let time = metadata.modified().ok();
    let since = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// Bytes of a file that are known again by their hash (FNV-1a: it is kept in state files, so it
/// must not change).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    pub len: usize,
    pub hash: u64,
}

impl Default for Print {
    fn default() -> Print {
        Print { len: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Print {
    pub fn of(bytes: &[u8]) -> Print {
        let mut print = Print::default();
        print.extend(bytes);
        print
    }

    /// The print of the bytes before and of these.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        for &byte in bytes {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Whether the file has the same bytes at `offset`.
    pub fn is_at(&self, file: &File, offset: u64) -> io::Result<bool> {
        let mut bytes = vec![0; self.len];
        let count = read_at(file, &mut bytes, offset)?;
        Ok(count == self.len && Print::of(&bytes) == *self)
    }
}

/// Fills the buffer from `offset` on, as far as the file goes.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_once(file, &mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_once(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_once(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_print_knows_its_bytes_again_and_no_others() {
        // The published test vector of FNV-1a.
        assert_eq!(Print::of(b"foobar").hash, 0x8594_4171_f739_67e8);
        let mut parts = Print::of(b"foo");
        parts.extend(b"bar");
        assert_eq!(parts, Print::of(b"foobar"));
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"a foobar").unwrap();
        assert!(parts.is_at(&file, 2).unwrap());
        assert!(!parts.is_at(&file, 1).unwrap());
        assert!(!parts.is_at(&file, 3).unwrap(), "too short");
        assert!(Print::default().is_at(&file, 100).unwrap(), "nothing is known of it");
    }
}
