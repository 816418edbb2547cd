//! Files that a run would both read and write, or write twice.

use std::io;
use std::path::Path;

use anyhow::bail;

use crate::identity::Identity;

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
        let Some(read) = of_input(input) else { continue };
        if let Some((flag, path, _)) = written.iter().find(|(.., identity)| *identity == read) {
            let path = path.display();
            bail!("{flag} {path} is also read, as {}: write to another file", input.display());
        }
    }
    Ok(())
}

fn of_input(path: &Path) -> Option<Identity> {
    match path == Path::new("-") {
        true => Identity::of_open(io::stdin()),
        false => Identity::of(path),
    }
}
