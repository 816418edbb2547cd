//! Where the report goes: standard output, or a file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Seek, SeekFrom, Write};
use std::path::Path;

use anstream::adapter::StripBytes;
use anstream::{AutoStream, StripStream};

use crate::atomic::Replacement;

/// Where the report goes. Errors of writing name it.
pub struct Target {
    name: String,
    place: Place,
    /// Something could not be written: nothing more is, and a whole report is not put in place.
    failed: bool,
    /// Whoever reads has been promised an answer to every line: going away is an error.
    answers: bool,
}

enum Place {
    /// Standard output, with colours if it takes them.
    Stdout(BufWriter<AutoStream<io::StdoutLock<'static>>>),
    /// Lines, as they come.
    Lines(Lines),
    /// A report that takes the place of the file at the end.
    Whole(BufWriter<StripStream<File>>, Replacement),
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A report that is good as a whole only: a file gets it at the end, or stays as it was.
    Whole,
    /// Text for reading, for as long as it runs: added to a file as it comes.
    Live,
    /// Lines, each good by itself: added to a file as they come.
    Lines,
    /// The same, one for each line of the input.
    Answers,
}

impl Shape {
    /// Has colours, where they can be shown.
    fn is_text(self) -> bool {
        matches!(self, Shape::Whole | Shape::Live)
    }
}

impl Target {
    /// Opens it. Lines are added to what a file holds already.
    pub fn open(path: Option<&Path>, shape: Shape) -> io::Result<Target> {
        let name = match path {
            Some(path) => path.display().to_string(),
            None => "standard output".to_owned(),
        };
        let answers = shape == Shape::Answers;
        let target = |place| Target { name, place, failed: false, answers };
        Ok(target(match path {
            None if shape.is_text() => {
                Place::Stdout(BufWriter::new(AutoStream::auto(io::stdout().lock())))
            }
            None => Place::Lines(Lines::stdout()),
            // What is no file cannot be replaced: a device, a pipe with a name.
            Some(path)
                if shape == Shape::Whole && path.metadata().map_or(true, |m| m.is_file()) =>
            {
                let new = Replacement::begin(path)?;
                let file = new.file().try_clone()?;
                Place::Whole(BufWriter::new(StripStream::new(file)), new)
            }
            Some(path) => Place::Lines(Lines::append(path, shape.is_text())?),
        }))
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.place {
            Place::Stdout(out) => out,
            Place::Lines(out) => out,
            Place::Whole(out, _) => out,
        }
    }

    fn checked<T>(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        if self.failed {
            return Err(io::Error::other(format!("cannot write to {}", self.name)));
        }
        write(self.writer()).map_err(|error| self.explain(error))
    }

    fn explain(&mut self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        self.failed = true;
        let name = &self.name;
        if error.kind() == io::ErrorKind::BrokenPipe {
            return match self.answers {
                true => io::Error::other(format!(
                    "{name} was closed before every line was answered; the rest is lost to its \
                     reader"
                )),
                // Who has seen enough.
                false => error,
            };
        }
        let after = match &self.place {
            Place::Whole(..) => "; the file was left as it was",
            Place::Lines(lines) if lines.keeps_whole_lines() => "; it ends with a whole line",
            _ => "",
        };
        io::Error::new(error.kind(), format!("cannot write to {name}: {error}{after}"))
    }

    /// At the end: a whole report is put in place.
    pub fn commit(mut self) -> io::Result<()> {
        self.flush()?;
        let Target { name, place, .. } = self;
        let Place::Whole(_, new) = place else { return Ok(()) };
        // On the disk before it is visible: after a power cut it is the old one or the new one.
        new.file().sync_all().and_then(|()| new.commit()).map_err(|error| {
            let message = format!("cannot write to {name}: {error}; the file was left as it was");
            io::Error::new(error.kind(), message)
        })
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.checked(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.checked(|out| out.flush())
    }
}

/// Lines that are written as they come. Where a write fails, half a line is taken back if that can
/// be done.
struct Lines {
    out: Out,
    /// Bytes of the file, and of its whole lines; `None` where nothing can be taken back.
    length: Option<(u64, u64)>,
    /// Takes colours out, where there may be any: nobody looks at a file as it is written.
    strip: Option<StripBytes>,
}

enum Out {
    File(File),
    Stdout(io::StdoutLock<'static>),
}

impl Lines {
    fn stdout() -> Lines {
        match own_stdout() {
            // A shared descriptor, not the buffered handle: a chunk is one write.
            Some(file) => {
                let length = regular_length(&file);
                // Unless it stands at the end of its file, lengths say nothing.
                let position = (&file).stream_position().ok();
                let length = length.filter(|&length| position == Some(length));
                Lines {
                    out: Out::File(file),
                    length: length.map(|length| (length, length)),
                    strip: None,
                }
            }
            None => Lines { out: Out::Stdout(io::stdout().lock()), length: None, strip: None },
        }
    }

    fn append(path: &Path, strips: bool) -> io::Result<Lines> {
        let strip = strips.then(StripBytes::new);
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            let file = OpenOptions::new().write(true).open(path)?;
            return Ok(Lines { out: Out::File(file), length: None, strip });
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut length = file.metadata()?.len();
        if length > 0 {
            // A run that was killed may have left half a line: it is not to be joined to ours.
            let mut last = [b'\n'];
            file.seek(SeekFrom::End(-1))?;
            io::Read::read_exact(&mut file, &mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                length += 1;
            }
        }
        Ok(Lines { out: Out::File(file), length: Some((length, length)), strip })
    }

    fn keeps_whole_lines(&self) -> bool {
        self.length.is_some()
    }

    /// Takes half a line back. Not where somebody else wrote to the file too.
    fn take_back(&mut self) {
        if let (Out::File(file), Some((length, whole))) = (&self.out, self.length) {
            let same = regular_length(file) == Some(length);
            if !same || file.set_len(whole).is_err() {
                self.length = None;
            }
        }
    }
}

impl Lines {
    /// Writes, and counts.
    fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.out {
            Out::File(file) => file.write(bytes),
            Out::Stdout(out) => out.write(bytes),
        };
        match &written {
            Ok(count) => {
                if let Some((length, whole)) = &mut self.length {
                    if let Some(end) = memchr::memrchr(b'\n', &bytes[..*count]) {
                        *whole = *length + end as u64 + 1;
                    }
                    *length += *count as u64;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.take_back(),
        }
        written
    }

    fn put_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.put(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(strip) = &mut self.strip else { return self.put(bytes) };
        let text: Vec<u8> = strip.strip_next(bytes).flatten().copied().collect();
        self.put_all(&text)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::File(file) => file.flush(),
            Out::Stdout(out) => out.flush(),
        }
    }
}

fn regular_length(file: &File) -> Option<u64> {
    let metadata = file.metadata().ok()?;
    metadata.is_file().then_some(metadata.len())
}

#[cfg(unix)]
fn own_stdout() -> Option<File> {
    use std::os::fd::AsFd;
    // A terminal may be shared with messages: it keeps its lock.
    if io::stdout().is_terminal() {
        return None;
    }
    Some(File::from(io::stdout().as_fd().try_clone_to_owned().ok()?))
}

#[cfg(not(unix))]
fn own_stdout() -> Option<File> {
    None
}
