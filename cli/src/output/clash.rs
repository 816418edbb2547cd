//! Files that a run would both read and write, or write twice.

use std::fs::Metadata;
#[cfg(unix)]
use std::io;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::atomic;

/// What a flag asks to be written to.
pub type Written<'a> = (&'static str, &'a Path);

/// Refuses files that are written to by two flags, and those that are read as well: a log would be
/// replaced by its report, or grow for as long as it is read. Nothing is opened.
pub fn check<'a>(
    written: &[Written<'_>],
    read: impl IntoIterator<Item = &'a Path>,
) -> anyhow::Result<()> {
    let written: Vec<_> =
        written.iter().filter_map(|(flag, path)| Some((flag, path, Identity::of(path)?))).collect();
    for (at, (flag, path, identity)) in written.iter().enumerate() {
        if let Some((other, ..)) = written[..at].iter().find(|(.., other)| other == identity) {
            bail!("{other} and {flag} name the same file, {}: give each its own", path.display());
        }
    }
    if written.is_empty() {
        return Ok(());
    }
    for input in read {
        let Some(read) = Identity::of_input(input) else { continue };
        if let Some((flag, path, _)) = written.iter().find(|(.., identity)| *identity == read) {
            let path = path.display();
            bail!("{flag} {path} is also read, as {}: write to another file", input.display());
        }
    }
    Ok(())
}

/// What makes a file the same under two names.
#[derive(Debug, PartialEq)]
enum Identity {
    /// Device and inode.
    #[cfg(unix)]
    Number(u64, u64),
    /// Where links lead to: of files that are not there yet, and where there are no numbers.
    Path(PathBuf),
}

impl Identity {
    /// `None` for what is no file: written to and read at once, it does no harm (`/dev/null`).
    fn of(path: &Path) -> Option<Identity> {
        match path.metadata() {
            Ok(metadata) => Identity::of_metadata(&metadata, path),
            Err(_) => Some(Identity::Path(atomic::resolve(path))),
        }
    }

    fn of_input(path: &Path) -> Option<Identity> {
        if path != Path::new("-") {
            return Identity::of(path);
        }
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            let stdin = std::fs::File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
            Identity::of_metadata(&stdin.metadata().ok()?, path)
        }
        #[cfg(not(unix))]
        None
    }

    #[cfg(unix)]
    fn of_metadata(metadata: &Metadata, _: &Path) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        metadata.is_file().then(|| Identity::Number(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of_metadata(metadata: &Metadata, path: &Path) -> Option<Identity> {
        metadata.is_file().then(|| Identity::Path(atomic::resolve(path)))
    }
}
