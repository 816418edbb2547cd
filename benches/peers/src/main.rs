//! Engines that do the same job on the same logs: which signatures stand in which lines.
//!
//! `whyerr-peers table` makes logs and signature sets from a seed, runs every engine on each in
//! turn, one thread, several rounds, checks that all report the same pairs of line and signature,
//! and prints tables. `run.sh` installs the peers and calls it. What is measured is processor time
//! of the search alone, in memory; the second table is about files, start-up and output too.

mod commands;
mod compile;
mod corpus;
mod engines;
mod sets;
mod table;

use std::path::PathBuf;
use std::{env, fs};

use engines::{BUILTIN, Found};

/// What `run.sh` hands over.
pub struct Options {
    megabytes: usize,
    rounds: usize,
    /// A folder of real logs.
    logs: Option<PathBuf>,
    /// Megabytes of the files that commands read.
    file_megabytes: usize,
    /// The command of this project.
    whyerr: Option<PathBuf>,
}

const USAGE: &str = "usage: whyerr-peers table MEGABYTES ROUNDS FILE_MEGABYTES [LOGS [WHYERR]] | \
                     search ENGINE SIGNATURES LOG | compile ENGINE SIGNATURES LOG";

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["table", megabytes, rounds, file_megabytes, ref more @ ..] => {
            let number = |text: &str| text.parse().expect(USAGE);
            let path = |at: usize| more.get(at).filter(|p| !p.is_empty()).map(PathBuf::from);
            table::run(&Options {
                megabytes: number(megabytes),
                rounds: number(rounds),
                file_megabytes: number(file_megabytes),
                logs: path(0),
                whyerr: path(1),
            });
        }
        ["search", engine, set, log] => {
            let (text, log) = (fs::read_to_string(set).unwrap(), fs::read(log).unwrap());
            let signatures: Vec<&str> = text.lines().collect();
            let found = engines::search(engine, &signatures, set.ends_with(BUILTIN), &log);
            let Found { search, compile, lines, pairs, sum } = found;
            println!("{search:.6} {compile:.6} {lines} {pairs} {sum}");
        }
        ["compile", engine, set, log] => {
            let (text, log) = (fs::read_to_string(set).unwrap(), fs::read(log).unwrap());
            compile::compile(engine, &text.lines().collect::<Vec<_>>(), engines::sample(&log));
        }
        _ => panic!("{USAGE}"),
    }
}
