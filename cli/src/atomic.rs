//! Files that are either as they were or whole: written beside their place, then renamed.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// Links to links that are followed, as Linux counts.
const MAX_LINKS: usize = 40;

/// What will take the place of a file. Dropped before [`Replacement::commit`], it leaves that file
/// as it was.
pub struct Replacement {
    file: File,
    temp: TempPath,
    path: PathBuf,
}

impl Replacement {
    /// Begins one for `path`, with the rights of the file that is there. What is no file (a device,
    /// a pipe with a name) would be lost by it: that is an error.
    pub fn begin(path: &Path) -> io::Result<Replacement> {
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            let message = "is no regular file, so it cannot be replaced; name another path";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        // A link stays a link: what it points to is replaced.
        let path = resolve(path);
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        // Others may read it (a collector that runs as another user), as far as the umask lets them.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let (file, temp) = builder.tempfile_in(folder)?.into_parts();
        if let Ok(old) = path.metadata() {
            file.set_permissions(old.permissions())?;
        }
        Ok(Replacement { file, temp, path })
    }

    /// The file to write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Puts it in place.
    pub fn commit(self) -> io::Result<()> {
        self.temp.persist(self.path).map_err(|error| error.error)
    }
}

/// Where a path leads: behind all links, one that points to nothing yet too.
pub fn resolve(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Ok(path) = path.canonicalize() {
            return path;
        }
        let Ok(to) = path.read_link() else { break };
        // One that is relative counts from its own folder.
        path = path.parent().unwrap_or(Path::new("")).join(to);
    }
    // The file is not there; its folder may be.
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => {
            let here = if folder == Path::new("") { Path::new(".") } else { folder };
            here.canonicalize().map_or(path.clone(), |folder| folder.join(name))
        }
        _ => path,
    }
}

/// Replaces the content of a file. Not made durable: after a power cut it may be the old content.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = Replacement::begin(path)?;
    new.file().write_all(content)?;
    new.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_not_committed_leaves_everything_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        fs::write(&path, "old").unwrap();
        let new = Replacement::begin(&path).unwrap();
        new.file().write_all(b"half").unwrap();
        drop(new);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn rights_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("a.txt"), dir.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        // A link to what is not there yet, relative to where it stands.
        let link = dir.path().join("early");
        symlink("later.txt", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(dir.path().join("later.txt")).unwrap(), "new");
        // Links in a circle end.
        symlink("round", dir.path().join("round")).unwrap();
        assert!(resolve(&dir.path().join("round")).ends_with("round"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_are_not_replaced() {
        assert!(Replacement::begin(Path::new("/dev/full")).is_err());
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/dev/full", &link).unwrap();
        assert!(replace(&link, b"new").is_err());
    }
}
