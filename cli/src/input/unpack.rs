//! Packed data, unpacked on the way.

use std::io;
use std::time::Duration;

use super::codec::{Begins, Codec, Format, Outcome};
use super::{Got, Input};

/// How much packed data is read at once.
const PIECE: usize = 64 << 10;
/// So many steps without a byte of text, and the caller may look at the clock.
const ROUNDS: usize = 256;

/// Unpacks a source with all its members. What is wrong with it is told after all that could be
/// unpacked; nothing more of it than a window is ever in memory.
pub struct Unpacked<I> {
    input: I,
    format: &'static Format,
    memory: u64,
    /// The member that is being unpacked; `None` between two members.
    codec: Option<Box<dyn Codec>>,
    packed: Vec<u8>,
    /// Bytes of `packed` that were used.
    used: usize,
    input_ended: bool,
    /// Bytes that were unpacked, and what came of them.
    read: u64,
    written: u64,
    /// What was wrong, until it is told.
    fault: Option<String>,
    done: bool,
}

impl<I: Input> Unpacked<I> {
    /// Unpacks `head` and what follows in `input`. Each member may take `memory` bytes.
    pub fn new(format: &'static Format, head: Vec<u8>, input: I, memory: u64) -> Unpacked<I> {
        Unpacked {
            input,
            format,
            memory,
            codec: None,
            packed: head,
            used: 0,
            input_ended: false,
            read: 0,
            written: 0,
            fault: None,
            done: false,
        }
    }

    /// Unpacks what there is of the member. Returns how much came out.
    fn step(&mut self, buffer: &mut [u8]) -> usize {
        let Some(codec) = &mut self.codec else { return 0 };
        let step = codec.step(&self.packed[self.used..], buffer);
        self.used += step.read;
        self.read += step.read as u64;
        self.written += step.written as u64;
        let stuck = step.read == 0 && step.written == 0 && self.used < self.packed.len();
        match step.outcome {
            Outcome::Ended => self.codec = None,
            Outcome::More if !stuck => {}
            Outcome::More | Outcome::Corrupt => {
                self.end(|name| format!("the {name} data is corrupt"))
            }
            Outcome::Memory => {
                let memory = self.memory >> 20;
                self.fault = Some(format!(
                    "the {} data takes more than {memory} MiB of memory to unpack; allow more with \
                     --unpack-memory",
                    self.format.name
                ));
                self.done = true;
            }
        }
        step.written
    }

    /// Looks whether a further member begins. Zeros between members are padding, as tapes and some
    /// packers leave it. Returns whether more input is needed to tell.
    fn next_member(&mut self) -> io::Result<bool> {
        let rest = &self.packed[self.used..];
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        self.used += zeros;
        self.read += zeros as u64;
        let rest = &rest[zeros..];
        match self.format.begins(rest) {
            Begins::Perhaps if !self.input_ended => return Ok(true),
            Begins::Yes => self.codec = Some(self.format.unpacker(self.memory)?),
            _ if rest.is_empty() => self.done = true,
            _ => {
                let (name, read) = (self.format.name, self.read);
                self.fault = Some(format!(
                    "after {read} bytes of {name} data comes something else, which was left out"
                ));
                self.done = true;
            }
        }
        Ok(false)
    }

    fn end(&mut self, what: impl Fn(&str) -> String) {
        self.fault = Some(format!(
            "{} after {} bytes (decoded {}); what could be read was classified",
            what(self.format.name),
            self.read,
            self.written
        ));
        self.done = true;
    }

    fn refill(&mut self, patience: Option<Duration>) -> io::Result<Got> {
        self.packed.drain(..self.used);
        self.used = 0;
        let left = self.packed.len();
        self.packed.resize(left + PIECE, 0);
        let got = self.input.read(&mut self.packed[left..], patience);
        let count = if let Ok(Got::Bytes(count)) = got { count } else { 0 };
        self.packed.truncate(left + count);
        self.input_ended = matches!(got, Ok(Got::End));
        got
    }
}

impl<I: Input> Input for Unpacked<I> {
    fn read(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<Got> {
        for _ in 0..ROUNDS {
            let mut starved = self.used == self.packed.len();
            if self.done {
                return self
                    .fault
                    .take()
                    .map_or(Ok(Got::End), |fault| Err(io::Error::other(fault)));
            } else if self.codec.is_some() {
                match self.step(buffer) {
                    0 => {}
                    count => return Ok(Got::Bytes(count)),
                }
                if starved && self.input_ended && self.codec.is_some() {
                    self.end(|name| format!("the {name} data ends too early"));
                }
            } else {
                starved = self.next_member()?;
            }
            if starved
                && !self.input_ended
                && !self.done
                && let Got::Nothing = self.refill(patience)?
            {
                return Ok(Got::Nothing);
            }
        }
        Ok(Got::Nothing)
    }
}
