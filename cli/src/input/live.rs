//! Sources that make one wait: pipes, terminals.

use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::{Got, Input};

/// How much a read of a pipe gives at most.
const PIECE: usize = 256 << 10;

/// Reads in a thread of its own, so that one can wait for a limited time. One piece is read ahead.
pub struct Live {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    /// Bytes of the piece that were handed out.
    used: usize,
}

impl Live {
    /// Opens it in that thread too: a pipe with a name makes one wait for who writes.
    pub fn open<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static) -> Live {
        let (sender, pieces) = mpsc::sync_channel(0);
        // Ends with the process: a blocked read cannot be called back.
        thread::spawn(move || {
            let mut reader = match open() {
                Ok(reader) => reader,
                Err(error) => {
                    // Nobody waits any more, or the error is told.
                    let _ = sender.send(Err(error));
                    return;
                }
            };
            loop {
                let mut piece = vec![0; PIECE];
                let result = match reader.read(&mut piece) {
                    Ok(0) => break,
                    Ok(count) => {
                        piece.truncate(count);
                        Ok(piece)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = result.is_err();
                if sender.send(result).is_err() || failed {
                    break;
                }
            }
        });
        Live { pieces, piece: Vec::new(), used: 0 }
    }
}

impl Input for Live {
    fn read(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<Got> {
        if self.used == self.piece.len() {
            let next = match patience {
                None => self.pieces.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(patience) => self.pieces.recv_timeout(patience),
            };
            match next {
                Ok(piece) => (self.piece, self.used) = (piece?, 0),
                Err(RecvTimeoutError::Timeout) => return Ok(Got::Nothing),
                Err(RecvTimeoutError::Disconnected) => return Ok(Got::End),
            }
        }
        let rest = &self.piece[self.used..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.used += count;
        Ok(Got::Bytes(count))
    }
}
