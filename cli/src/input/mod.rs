//! Where logs come from, and how they are read: as chunks of whole events, with bounded memory.

mod chunks;
mod live;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use chunks::{CHUNK, Chunk, Chunks, Flow, HOLD, MAX_LINE, Next, whole_events};

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
}

impl Input for Box<dyn Input> {
    fn read(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<Got> {
        (**self).read(buffer, patience)
    }
}

/// A file never makes one wait.
impl Input for File {
    fn read(&mut self, buffer: &mut [u8], _: Option<Duration>) -> io::Result<Got> {
        Ok(match io::Read::read(self, buffer)? {
            0 => Got::End,
            count => Got::Bytes(count),
        })
    }
}

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

    pub fn open(&self) -> io::Result<Box<dyn Input>> {
        match self {
            Source::Stdin => match redirected() {
                Some(file) => Ok(Box::new(file)),
                None => Ok(Box::new(live::Live::new(io::stdin()))),
            },
            Source::File(path) => {
                let file = File::open(path)?;
                // Opening a folder works on Unix; reading it does not, with a poor message.
                if file.metadata()?.is_dir() {
                    return Err(io::Error::new(
                        io::ErrorKind::IsADirectory,
                        "is a folder; name the files in it",
                    ));
                }
                match file.metadata()?.is_file() {
                    true => Ok(Box::new(file)),
                    // A pipe with a name, a terminal.
                    false => Ok(Box::new(live::Live::new(file))),
                }
            }
        }
    }

    /// Whether it makes one wait: what it gives is shown at once.
    pub fn is_live(&self) -> bool {
        self.size().is_none()
    }

    /// Bytes that are there, if that is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Source::Stdin => redirected()?.metadata().ok().map(|metadata| metadata.len()),
            Source::File(path) => {
                let metadata = path.metadata().ok()?;
                metadata.is_file().then_some(metadata.len())
            }
        }
    }
}

/// Waits for as long as it takes.
pub struct Blocking(pub Box<dyn Input>);

impl io::Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer, None)? {
                Got::Bytes(count) => return Ok(count),
                Got::End => return Ok(0),
                Got::Nothing => {}
            }
        }
    }
}

/// The file that standard input is, if it is one (`whyerr < app.log`).
#[cfg(unix)]
fn redirected() -> Option<File> {
    use std::os::fd::AsFd;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    file.metadata().ok()?.is_file().then_some(file)
}

#[cfg(not(unix))]
fn redirected() -> Option<File> {
    None
}
