//! The whole comparison, as Markdown.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::Options;
use crate::commands::{Cost, Files, TOOLS};
use crate::compile::STEPS;
use crate::corpus::{Healthy, KINDS, Kind};
use crate::engines::{BUILTIN, CLASSIFY, DFA, Found, HYPERSCAN, NEWLINES, SCAN, rules};
use crate::sets;

const ENGINES: [&str; 5] = [NEWLINES, SCAN, CLASSIFY, HYPERSCAN, DFA];
const SETS: [usize; 3] = [50, 500, 5000];
const HS: &str = "target/hs";

struct Set {
    name: String,
    signatures: Vec<String>,
    file: PathBuf,
}

pub fn run(options: &Options) {
    let folder = env::temp_dir().join(format!("whyerr-peers-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let healthy = Healthy::new(options.logs.as_deref()).unwrap_or_else(|error| panic!("{error}"));
    let all = sets::signatures(&healthy.sample());
    let mut sets: Vec<Set> = SETS
        .iter()
        .map(|&count| Set {
            name: count.to_string(),
            signatures: all[..count.min(all.len())].to_vec(),
            file: folder.join(format!("set-{count}")),
        })
        .collect();
    sets.push(Set {
        name: BUILTIN.into(),
        signatures: sets::builtin(),
        file: folder.join(BUILTIN),
    });
    for set in &sets {
        fs::write(&set.file, set.signatures.join("\n")).unwrap();
    }
    searches(options, &folder, &healthy, &sets, &all);
    compiles(&folder, &sets[..SETS.len()]);
    commands(options, &folder, &healthy, &sets[..SETS.len()]);
    fs::remove_dir_all(&folder).unwrap();
}

fn searches(options: &Options, folder: &Path, healthy: &Healthy, sets: &[Set], all: &[String]) {
    println!("## Search in memory, one thread, GB/s of processor time\n");
    println!(
        "| signatures | log | lines found | newlines | whyerr scan | whyerr verdicts | Hyperscan | \
         aho-corasick DFA | scan / Hyperscan | scan / DFA | scan of newlines | verdicts / scan, time |"
    );
    println!("|{}", " --- |".repeat(12));
    let log = folder.join("log");
    for set in sets {
        for &kind in KINDS {
            // What is put in is in the built-in set too.
            let from = if set.name == BUILTIN { all } else { &set.signatures };
            let text = healthy.log(kind, from, options.megabytes << 20);
            fs::write(&log, &text).unwrap();
            search(options, set, kind, &log, &text);
        }
    }
    println!(
        "\n{} MiB, best of {} rounds in turn. *scan*: the search alone, as the others do it: all pairs of line and \
         signature, which are the same for all engines. *verdicts*: a rule for each signature (or the built-in \
         rules), gates, ranking and verdict of every line found.\n",
        options.megabytes, options.rounds
    );
}

fn search(options: &Options, set: &Set, kind: Kind, log: &Path, text: &str) {
    let mut best: [Option<Found>; ENGINES.len()] = Default::default();
    for _ in 0..options.rounds {
        for (best, engine) in best.iter_mut().zip(ENGINES) {
            let Some(found) = child(engine, set, log) else { continue };
            if best.as_ref().is_none_or(|best| found.search < best.search) {
                *best = Some(found);
            }
        }
    }
    let [newlines, scan, verdicts, hyperscan, dfa] = best;
    let (newlines, scan, verdicts) = (newlines.unwrap(), scan.unwrap(), verdicts.unwrap());
    for peer in [&hyperscan, &dfa].into_iter().flatten() {
        let same = (peer.lines, peer.pairs, peer.sum) == (scan.lines, scan.pairs, scan.sum);
        assert!(same, "{}, {}: {} pairs, {}", set.name, kind.name, scan.pairs, peer.pairs);
    }
    if set.name != BUILTIN {
        assert_eq!(verdicts.lines, scan.lines, "{}, {}", set.name, kind.name);
    }
    let size = text.len() as f64 / 1e9;
    let speed = |found: &Option<Found>| match found {
        Some(found) => format!("{:.2}", size / found.search),
        None => "-".into(),
    };
    let times = |found: &Option<Found>| match found {
        Some(found) => format!("**{:.1}x**", found.search / scan.search),
        None => "-".into(),
    };
    println!(
        "| {} | {} | {:.2} % | {:.1} | {:.2} | {:.2} | {} | {} | {} | {} | {:.0} % | {:.2}x |",
        set.name,
        kind.name,
        100.0 * scan.lines as f64 / newlines.lines as f64,
        size / newlines.search,
        size / scan.search,
        size / verdicts.search,
        speed(&hyperscan),
        speed(&dfa),
        times(&hyperscan),
        times(&dfa),
        100.0 * newlines.search / scan.search,
        verdicts.search / scan.search,
    );
}

/// Output of a child that ended well, as numbers; `None` if this engine is not there, or not for
/// this set.
fn child(engine: &str, set: &Set, log: &Path) -> Option<Found> {
    let mut command = match engine {
        HYPERSCAN if !Path::new(HS).exists() => return None,
        // Gigabytes and half a minute.
        DFA if set.name == BUILTIN => return None,
        HYPERSCAN => Command::new(HS),
        _ => Command::new(env::current_exe().unwrap()),
    };
    match engine {
        HYPERSCAN => command.arg("scan"),
        _ => command.args(["search", engine]),
    };
    let numbers = numbers(command.args([&set.file, log]));
    let count = |at: usize| numbers[at].parse().unwrap();
    let seconds = |at: usize| numbers[at].parse().unwrap();
    let (search, compile) = (seconds(0), seconds(1));
    Some(Found { search, compile, lines: count(2), pairs: count(3), sum: count(4) })
}

fn numbers(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(String::from).collect()
}

fn compiles(folder: &Path, sets: &[Set]) {
    println!("## Compiling: processor time / heap that stays\n");
    let names: Vec<&str> = sets.iter().map(|set| &*set.name).collect();
    println!("| step | {} |\n|{}", names.join(" | "), " --- |".repeat(sets.len() + 1));
    let log = folder.join("log");
    for step in STEPS {
        let mut row = format!("| {step} |");
        for set in sets {
            let mut command = Command::new(env::current_exe().unwrap());
            let numbers = numbers(command.args(["compile", step]).args([&set.file, &log]));
            row += &cell(numbers[0].parse().unwrap(), numbers[1].parse().unwrap());
        }
        println!("{row}");
    }
    if Path::new(HS).exists() {
        let mut row = String::from("| Hyperscan, with its scratch |");
        for set in sets {
            let numbers = numbers(Command::new(HS).arg("scan").args([&set.file, &log]));
            row += &cell(numbers[1].parse().unwrap(), numbers[5].parse().unwrap());
        }
        println!("{row}");
    }
    println!();
}

fn cell(seconds: f64, bytes: f64) -> String {
    format!(" {:.1} ms / {:.2} MiB |", seconds * 1e3, bytes / f64::from(1 << 20))
}

fn commands(options: &Options, folder: &Path, healthy: &Healthy, sets: &[Set]) {
    let Some(whyerr) = &options.whyerr else { return };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("## From a file to lines of output, wall time, start-up included, GB/s\n");
    println!(
        "| signatures | log | command | one core | {cores} cores | times slower than whyerr | processor time, one core |"
    );
    println!("|{}", " --- |".repeat(7));
    let (log, rules_file) = (folder.join("log"), folder.join("rules.yaml"));
    let output = folder.join("output");
    for set in sets {
        let texts: Vec<&str> = set.signatures.iter().map(|text| &**text).collect();
        fs::write(&rules_file, rules(&texts)).unwrap();
        for kind in &KINDS[..3] {
            let text = healthy.log(*kind, &set.signatures, options.file_megabytes << 20);
            let size = text.len() as f64 / 1e9;
            fs::write(&log, text).unwrap();
            let files =
                Files { whyerr, set: &set.file, rules: &rules_file, log: &log, output: &output };
            let mut best = vec![[None::<Cost>; 2]; TOOLS.len()];
            for _ in 0..options.rounds.min(3) {
                for (tool, best) in TOOLS.iter().zip(&mut best) {
                    for (best, one_core) in best.iter_mut().zip([true, false]) {
                        if !one_core && !tool.parallel {
                            continue;
                        }
                        let cost = tool.run(&files, one_core);
                        if let Some(cost) = cost.filter(|c| best.is_none_or(|b| c.wall < b.wall)) {
                            *best = Some(cost);
                        }
                    }
                }
            }
            let ours = best[0];
            for (tool, best) in TOOLS.iter().zip(&best) {
                let speed = |cost: Option<Cost>| {
                    cost.map_or("-".into(), |c| format!("{:.2}", size / c.wall))
                };
                // What cannot use more cores is compared as it is.
                let slower = |at: usize| {
                    let theirs = best[at].or(best[0]);
                    match (theirs, ours[at]) {
                        (Some(theirs), Some(ours)) => format!("{:.1}x", theirs.wall / ours.wall),
                        _ => "-".into(),
                    }
                };
                let cpu = best[0].map_or("-".into(), |c| format!("{:.2} s", c.cpu));
                println!(
                    "| {} | {} | {} | {} | {} | {} / {} | {cpu} |",
                    set.name,
                    kind.name,
                    tool.name,
                    speed(best[0]),
                    speed(best[1]),
                    slower(0),
                    slower(1)
                );
            }
        }
    }
    println!(
        "\n{} MiB in the page cache, output to a file, best of {}.",
        options.file_megabytes,
        options.rounds.min(3)
    );
}
