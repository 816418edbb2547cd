//! Where logs come from, and how they are read: as chunks of whole events, with bounded memory.

mod chunks;
mod codec;
mod foreign;
mod live;
#[cfg(test)]
#[path = "../../tests/common/pack.rs"]
mod pack;
mod sniff;
mod sources;
mod unpack;
mod utf16;

use std::collections::BTreeMap;
use std::fs::{File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use chunks::{CHUNK, Chunk, Chunks, Flow, HOLD, Next, STEP, whole_events};
use foreign::{Foreign, SAMPLE};
use live::Live;
use sniff::{Sniffed, is_encoded};
pub use sniff::{is_text, why_not_followed};
use sources::UNPACK_MEMORY;
pub use sources::{Finder, InputArgs, Sources, pattern};

use crate::term;

/// What a read gave.
pub enum Got {
    Bytes(usize),
    /// Nothing came in the time that was to be waited.
    Nothing,
    End,
}

/// Bytes of a source.
pub trait Input: Send {
    /// Reads what is there. Waits for `patience` at most where the source can make one wait, for as
    /// long as it takes where that is `None`.
    fn read(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<Got>;

    /// Where the text starts. Known once something was read.
    fn start(&self) -> Start {
        Start::default()
    }
}

/// Where the text of a source starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Start {
    /// Bytes of a mark in front of it.
    pub offset: u64,
    /// The text is not what stands in the source: that is packed, or UTF-16.
    pub decoded: bool,
    /// It is no text, for all that its beginning shows.
    foreign: Option<&'static Foreign>,
}

impl Start {
    /// What is to be told of a source that is no text, and whether that is a fault: what it holds
    /// was not looked at.
    pub fn remark(&self) -> Option<(String, bool)> {
        self.foreign.map(|foreign| (foreign.tell(self.decoded), foreign.is_packed))
    }
}

impl Input for Box<dyn Input> {
    fn read(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<Got> {
        (**self).read(buffer, patience)
    }

    fn start(&self) -> Start {
        (**self).start()
    }
}

/// How the sources of a run are read, and what is to be told of that.
#[derive(Debug)]
pub struct Reading {
    /// Bytes that unpacking a source may take.
    memory: u64,
    /// Bytes that were read of files, packed as they may be.
    raw: AtomicU64,
    /// Files in folders that are no text, by their kind, and things that are no files.
    binary: Mutex<BTreeMap<&'static str, u64>>,
    odd: u64,
}

impl Default for Reading {
    fn default() -> Reading {
        let memory = u64::from(UNPACK_MEMORY) << 20;
        Reading { memory, raw: AtomicU64::new(0), binary: Mutex::default(), odd: 0 }
    }
}

impl Reading {
    /// Bytes that were read of files so far, as they stand on the disk.
    pub fn raw_bytes(&self) -> u64 {
        self.raw.load(Ordering::Relaxed)
    }

    /// Tells what was left out because nobody named it.
    pub fn tell_left_out(&self) {
        let binary = self.binary.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts = Vec::new();
        if !binary.is_empty() {
            let kinds: Vec<String> =
                binary.iter().map(|(name, number)| kind(name, *number)).collect();
            let files = term::plural(binary.values().sum(), "binary file");
            parts.push(format!("{files} ({})", kinds.join(", ")));
        }
        match self.odd {
            0 => {}
            1 => parts.push("1 pipe, socket or device".to_owned()),
            odd => parts.push(format!("{} pipes, sockets or devices", term::count(odd))),
        }
        if !parts.is_empty() {
            let list = parts.join(" and ");
            term::note(&format!("left out of folders: {list}; what is named is read in any case"));
        }
    }

    fn left_out(&self, foreign: &Foreign) {
        let mut binary = self.binary.lock().unwrap_or_else(PoisonError::into_inner);
        *binary.entry(foreign.name).or_default() += 1;
    }
}

/// A kind in a list, with its number if that is not 1.
fn kind(name: &str, number: u64) -> String {
    let name = name.strip_prefix("a ").or(name.strip_prefix("an ")).unwrap_or(name);
    match number {
        1 => name.to_owned(),
        number => format!("{name} ×{}", term::count(number)),
    }
}

/// A file never makes one wait.
struct OnDisk {
    file: File,
    reading: Arc<Reading>,
}

impl Input for OnDisk {
    fn read(&mut self, buffer: &mut [u8], _: Option<Duration>) -> io::Result<Got> {
        let count = self.file.read(buffer)?;
        self.reading.raw.fetch_add(count as u64, Ordering::Relaxed);
        Ok(if count == 0 { Got::End } else { Got::Bytes(count) })
    }
}

/// Where a log comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Stdin,
    /// A file that somebody named.
    File(PathBuf),
    /// A file that was found in a folder: it is read if it is text.
    Found(PathBuf),
}

impl Source {
    pub fn name(&self) -> String {
        self.path().display().to_string()
    }

    /// Its path as one types it.
    pub fn path(&self) -> &Path {
        match self {
            Source::Stdin => Path::new("-"),
            Source::File(path) | Source::Found(path) => path,
        }
    }

    /// Opens it; what is packed or UTF-16 gives its text. `None` is a binary file that nobody named,
    /// which is counted.
    pub fn open(&self, reading: &Arc<Reading>) -> io::Result<Option<Box<dyn Input>>> {
        let mut head = Vec::new();
        let on_disk = |file| OnDisk { file, reading: reading.clone() };
        let input: Box<dyn Input> = match self {
            Source::Stdin => match redirected() {
                Some(file) => Box::new(on_disk(file)),
                None => Box::new(Live::open(|| Ok(io::stdin()))),
            },
            Source::File(path) => {
                // Not opened before: that makes one wait where the path is a pipe.
                let metadata = path.metadata()?;
                refuse(metadata.file_type())?;
                if metadata.is_file() && metadata.len() > 0 {
                    Box::new(on_disk(File::open(path)?))
                } else {
                    // A pipe with a name, a terminal, or what the kernel makes up as it is read.
                    let path = path.clone();
                    Box::new(Live::open(move || File::open(path)))
                }
            }
            Source::Found(path) => {
                let mut file = File::open(path)?;
                (&mut file).take(SAMPLE as u64).read_to_end(&mut head)?;
                if let Some(foreign) = Foreign::find(&head).filter(|_| !is_encoded(&head)) {
                    reading.left_out(foreign);
                    return Ok(None);
                }
                reading.raw.fetch_add(head.len() as u64, Ordering::Relaxed);
                Box::new(on_disk(file))
            }
        };
        Ok(Some(Box::new(Sniffed::new(head, input, reading.memory))))
    }

    /// Reads it by itself, and waits for as long as that takes.
    pub fn reader(&self) -> io::Result<impl Read> {
        let input = self.open(&Arc::default())?;
        let input = input.ok_or_else(|| io::Error::other("is no text"))?;
        Ok(Blocking::new(input, self))
    }

    /// Whether it makes one wait: what it gives is shown at once.
    pub fn is_live(&self) -> bool {
        self.size().is_none()
    }

    /// Bytes that are there, if that is known.
    pub fn size(&self) -> Option<u64> {
        let metadata = match self {
            Source::Stdin => redirected()?.metadata(),
            Source::File(path) | Source::Found(path) => path.metadata(),
        };
        let metadata = metadata.ok()?;
        // Nothing is known of what the kernel makes up as it is read (`trace_pipe`).
        (metadata.is_file() && metadata.len() > 0).then_some(metadata.len())
    }
}

/// What cannot be read, with a better message than the system's.
fn refuse(kind: FileType) -> io::Result<()> {
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_socket(&kind) {
        let message = "is a socket: connect to it with another program and pipe its output in";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    Ok(())
}

/// Waits for as long as it takes.
pub struct Blocking {
    input: Box<dyn Input>,
    name: String,
    /// What it is was looked at.
    told: bool,
}

impl Blocking {
    pub fn new(input: Box<dyn Input>, source: &Source) -> Blocking {
        Blocking { input, name: source.name(), told: false }
    }
}

impl Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let got = self.input.read(buffer, None)?;
            if let Got::Nothing = got {
                continue;
            }
            if !std::mem::replace(&mut self.told, true)
                && let Some((remark, _)) = self.input.start().remark()
            {
                term::warning(&format!("{}: {remark}", self.name));
            }
            return Ok(if let Got::Bytes(count) = got { count } else { 0 });
        }
    }
}

/// The file that standard input is, if it is one (`whyerr < app.log`).
#[cfg(unix)]
fn redirected() -> Option<File> {
    use std::os::fd::AsFd;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.len() > 0).then_some(file)
}

#[cfg(not(unix))]
fn redirected() -> Option<File> {
    None
}
