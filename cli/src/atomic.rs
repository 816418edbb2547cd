//! Files that are either as they were or whole: written beside their place, then renamed.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// What will take the place of a file. Dropped before [`Replacement::commit`], it leaves that file
/// as it was.
pub struct Replacement {
    file: File,
    temp: TempPath,
    path: PathBuf,
}

impl Replacement {
    /// Begins one for `path`, with the rights of the file that is there.
    pub fn begin(path: &Path) -> io::Result<Replacement> {
        // A link stays a link: what it points to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
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
    }
}
