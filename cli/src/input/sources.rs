//! Which sources a command line means.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use ignore::WalkBuilder;
use ignore::overrides::{Override, OverrideBuilder};

use super::{Reading, Source};
use crate::Outcome;
use crate::atomic;
use crate::identity::Identity;
use crate::stop;
use crate::term;

/// MiB that unpacking takes at most, unless somebody allows more. A run stays below 64 MiB and its
/// chunks with it, and few packers ask for more: `zstd --ultra -21` and `--long`, `xz -8` and `-9`.
pub const UNPACK_MEMORY: u32 = 32;

const HEADING: &str = "Input";

/// Flags of all commands that read logs.
#[derive(Debug, Clone, Args)]
pub struct InputArgs {
    /// Of folders, take only files that match; `!PATTERN` leaves them out. Repeatable: the last
    /// one that matches counts, and ignore files do not
    #[arg(long, value_name = "PATTERN", help_heading = HEADING)]
    pub glob: Vec<String>,

    /// Take hidden files of folders too
    #[arg(long, help_heading = HEADING)]
    pub hidden: bool,

    /// Take files of folders that .gitignore, .ignore and their like leave out
    #[arg(long, help_heading = HEADING)]
    pub no_ignore: bool,

    /// Memory that unpacking a source may take, in MiB (`xz -8` asks for 34, `xz -9` for
    /// 66, `zstd --long` for 128)
    #[arg(
        long,
        help_heading = HEADING,
        value_name = "MIB",
        default_value_t = UNPACK_MEMORY,
        value_parser = clap::value_parser!(u32).range(1..=4096)
    )]
    pub unpack_memory: u32,
}

/// What is to be read.
#[derive(Default)]
pub struct Sources {
    /// Each once, in the order of the command line; within a folder by path.
    pub list: Vec<Source>,
    /// What could not be found or looked into, as messages.
    pub faults: Vec<String>,
    pub reading: Arc<Reading>,
}

impl Sources {
    /// Tells what could not be found, ahead of what is read.
    pub fn tell_faults(&self) -> Outcome {
        self.faults.iter().for_each(|fault| term::error(fault));
        if self.faults.is_empty() { Outcome::Fine } else { Outcome::Problem }
    }
}

impl InputArgs {
    /// What finds files as these flags say. The error is one of the flags.
    pub fn finder(&self) -> anyhow::Result<Finder> {
        // As ripgrep has it: patterns are relative to where one stands.
        let mut globs = OverrideBuilder::new(env::current_dir().unwrap_or_default());
        for glob in &self.glob {
            globs.add(glob)?;
        }
        Ok(Finder {
            hidden: self.hidden,
            no_ignore: self.no_ignore,
            globs: globs.build()?,
            outputs: [Identity::of_open(io::stdout()), Identity::of_open(io::stderr())]
                .into_iter()
                .flatten()
                .collect(),
        })
    }

    /// What the arguments of a command line mean: files, folders, patterns, `-`; standard input
    /// where there are none. The error is one of the flags.
    pub fn sources(&self, paths: &[PathBuf]) -> anyhow::Result<Sources> {
        let mut search = Search::new(self.finder()?);
        let stdin = [PathBuf::from("-")];
        for path in if paths.is_empty() { &stdin } else { paths } {
            search.argument(path);
        }
        let memory = u64::from(self.unpack_memory) << 20;
        let reading = Reading { memory, odd: search.odd, ..Reading::default() };
        let Search { sources: list, faults, .. } = search;
        Ok(Sources { list, faults, reading: Arc::new(reading) })
    }
}

/// Finds files in folders and by patterns.
pub struct Finder {
    hidden: bool,
    no_ignore: bool,
    globs: Override,
    /// Standard output and error, where they are files: what is found is not to be found again.
    outputs: Vec<Identity>,
}

impl Finder {
    /// As a shell has it.
    pub const GLOB: glob::MatchOptions = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };

    /// Calls `file` for each file of a folder, in the order of their paths, until that is false.
    /// Returns how many things there are that are no files.
    pub fn walk(
        &self,
        folder: &Path,
        file: &mut dyn FnMut(PathBuf) -> bool,
        fault: &mut dyn FnMut(String),
    ) -> u64 {
        let mut odd = 0;
        let walk = WalkBuilder::new(folder)
            .standard_filters(!self.no_ignore)
            .hidden(!self.hidden)
            .overrides(self.globs.clone())
            // Logs of containers are links.
            .follow_links(true)
            .sort_by_file_path(|a, b| a.cmp(b))
            .build();
        for entry in walk {
            if stop::requested() {
                break;
            }
            match entry {
                Err(error) => fault(self::fault(&error)),
                Ok(entry) => match entry.file_type() {
                    Some(kind) if kind.is_dir() => {}
                    Some(kind) if kind.is_file() => {
                        if !file(entry.into_path()) {
                            break;
                        }
                    }
                    _ => odd += 1,
                },
            }
        }
        odd
    }

    /// The same for the files that a pattern matches, and those of folders that it matches.
    pub fn expand(
        &self,
        pattern: &str,
        file: &mut dyn FnMut(PathBuf) -> bool,
        fault: &mut dyn FnMut(String),
    ) {
        let matches = match glob::glob_with(pattern, Finder::GLOB) {
            Ok(matches) => matches,
            Err(error) => return fault(format!("{pattern}: {error}")),
        };
        for path in matches {
            match path {
                _ if stop::requested() => break,
                Err(error) => fault(error.to_string()),
                Ok(folder) if folder.is_dir() => {
                    self.walk(&folder, file, fault);
                }
                Ok(path) => {
                    if !file(path) {
                        break;
                    }
                }
            }
        }
    }

    /// Whether a file is where this run writes to.
    pub fn is_own_output(&self, path: &Path) -> bool {
        !self.outputs.is_empty()
            && Identity::of(path).is_some_and(|identity| self.outputs.contains(&identity))
    }
}

struct Search {
    finder: Finder,
    sources: Vec<Source>,
    /// Where each file stands in the list.
    known: HashMap<Identity, usize>,
    faults: Vec<String>,
    /// Pipes, sockets and devices in folders.
    odd: u64,
}

impl Search {
    fn new(finder: Finder) -> Search {
        Search { finder, sources: Vec::new(), known: HashMap::new(), faults: Vec::new(), odd: 0 }
    }

    fn argument(&mut self, path: &Path) {
        if path == Path::new("-") {
            if !self.sources.contains(&Source::Stdin) {
                self.sources.push(Source::Stdin);
            }
        } else if path.is_dir() {
            let faults = self.faults.len();
            if self.walk(path) == 0 && self.faults.len() == faults {
                self.faults.push(format!("{}: {}", path.display(), self.why_empty(path)));
            }
        } else if let Some(pattern) = pattern(path) {
            self.expand(pattern);
        } else {
            self.add(Source::File(path.to_owned()), path);
        }
    }

    /// Adds a file, unless it is there. Who names a file wants it, even if a folder had it too.
    fn add(&mut self, source: Source, path: &Path) {
        // A device is known by its path.
        let identity = Identity::of(path).unwrap_or_else(|| Identity::Path(atomic::resolve(path)));
        match self.known.get(&identity).and_then(|&at| self.sources.get_mut(at)) {
            None => {
                self.known.insert(identity, self.sources.len());
                self.sources.push(source);
            }
            Some(known @ Source::Found(_)) if matches!(source, Source::File(_)) => *known = source,
            Some(_) => {}
        }
    }

    /// Adds the files of a folder. Returns how many there are.
    fn walk(&mut self, folder: &Path) -> usize {
        let (mut files, mut faults) = (Vec::new(), Vec::new());
        self.odd += self.finder.walk(
            folder,
            &mut |path| {
                files.push(path);
                true
            },
            &mut |fault| faults.push(fault),
        );
        self.faults.append(&mut faults);
        let number = files.len();
        for path in files {
            if !self.finder.is_own_output(&path) {
                self.add(Source::Found(path.clone()), &path);
            }
        }
        number
    }

    /// Why a folder gave nothing.
    fn why_empty(&self, folder: &Path) -> &'static str {
        let mut all = WalkBuilder::new(folder);
        all.standard_filters(false).follow_links(true);
        let is_file =
            |entry: ignore::DirEntry| entry.file_type().is_some_and(|kind| kind.is_file());
        match all.build().filter_map(Result::ok).any(is_file) {
            false => "there is no file in this folder",
            true if self.finder.globs.is_empty() => {
                "all files in this folder are hidden or ignored; --hidden or --no-ignore takes them"
            }
            true => "no file in this folder matches --glob",
        }
    }

    /// Adds what a pattern matches, as a shell would have put it in.
    fn expand(&mut self, pattern: &str) {
        let matches = match glob::glob_with(pattern, Finder::GLOB) {
            Ok(matches) => matches,
            Err(error) => {
                let message =
                    format!("{pattern}: there is no such file, and as a pattern: {error}");
                return self.faults.push(message);
            }
        };
        let mut files = 0;
        for path in matches {
            match path {
                Err(error) => self.faults.push(error.to_string()),
                Ok(folder) if folder.is_dir() => files += self.walk(&folder),
                Ok(path) => {
                    files += 1;
                    self.add(Source::File(path.clone()), &path);
                }
            }
        }
        if files == 0 {
            self.faults.push(format!("{pattern}: no file matches this pattern"));
        }
    }
}

/// What went wrong in a folder. The walk names the path, and what it walks with does so again.
fn fault(error: &ignore::Error) -> String {
    let text = error.to_string();
    match text.split_once(": IO error for operation on ") {
        Some((path, rest)) if rest.starts_with(path) => rest.to_owned(),
        _ => text,
    }
}

/// The pattern that a path is: nothing has its name, and it looks like one.
pub fn pattern(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let missing = fs::symlink_metadata(path).is_err_and(|error| {
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename)
    });
    (missing && text.contains(['*', '?', '['])).then_some(text)
}
