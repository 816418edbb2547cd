//! What makes a file the same under two names.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic;

/// Device and inode: the same as long as the file lives, whatever its name. Used again for other
/// files afterwards: who keeps one for longer has to look at what the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Id {
    pub device: u64,
    pub inode: u64,
}

impl Id {
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Id {
        use std::os::unix::fs::MetadataExt;
        Id { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The time of creation survives a change of name.
    #[cfg(not(unix))]
    pub fn of(metadata: &Metadata) -> Id {
        let created = metadata.created().ok();
        let since = created.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Id { device: 0, inode: since.map_or(0, |since| since.as_nanos() as u64) }
    }
}

/// A file now, under whatever name: of all that are there at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    #[cfg(unix)]
    Number(Id),
    /// Where links lead to: of files that are not there yet, and where there are no numbers.
    Path(PathBuf),
}

impl Identity {
    /// `None` for what is no file: written to and read at once, it does no harm (`/dev/null`).
    pub fn of(path: &Path) -> Option<Identity> {
        match path.metadata() {
            Ok(metadata) => Identity::of_metadata(&metadata, path),
            Err(_) => Some(Identity::Path(atomic::resolve(path))),
        }
    }

    /// Of an open file: standard input or output.
    #[cfg(unix)]
    pub fn of_open(file: impl std::os::fd::AsFd) -> Option<Identity> {
        let file = File::from(file.as_fd().try_clone_to_owned().ok()?);
        Identity::of_metadata(&file.metadata().ok()?, Path::new(""))
    }

    #[cfg(not(unix))]
    pub fn of_open<F>(_: F) -> Option<Identity> {
        None
    }

    #[cfg(unix)]
    fn of_metadata(metadata: &Metadata, _: &Path) -> Option<Identity> {
        metadata.is_file().then(|| Identity::Number(Id::of(metadata)))
    }

    #[cfg(not(unix))]
    fn of_metadata(metadata: &Metadata, path: &Path) -> Option<Identity> {
        metadata.is_file().then(|| Identity::Path(atomic::resolve(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[cfg(unix)]
    #[test]
    fn a_file_is_the_same_under_all_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link, hard, other, early] =
            ["file", "link", "hard", "other", "early"].map(|name| dir.path().join(name));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let before = Identity::of(&file);
        assert!(before.is_some() && before == Identity::of(&link), "not there yet");
        fs::write(&file, "a").unwrap();
        fs::write(&other, "a").unwrap();
        fs::hard_link(&file, &hard).unwrap();
        let own = Identity::of(&file);
        for same in [&link, &hard, &dir.path().join(".").join("file")] {
            assert_eq!(Identity::of(same), own);
        }
        assert_eq!(Identity::of_open(File::open(&hard).unwrap()), own);
        for different in [&other, &early] {
            assert_ne!(Identity::of(different), own);
        }
        // Devices and folders are no files.
        assert_eq!(Identity::of(Path::new("/dev/null")), None);
        assert_eq!(Identity::of(dir.path()), None);
    }
}
