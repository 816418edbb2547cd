//! Logs as they are, and which of their lines are one event: `tests/grouping/*.txt`.
//!
//! `=== name` begins a log. Of its lines, `>` stands before one that begins an event and `|`
//! before one that continues it. `→` is a tab, `␛` an escape.

use std::fs;
use std::path::Path;

use whyerr_logs::group::Grouping;

struct Case {
    name: String,
    log: Vec<u8>,
    heads: Vec<usize>,
}

fn cases(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).unwrap();
    let stem = file.file_stem().unwrap().to_string_lossy();
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix("=== ") {
            let name = format!("{stem}: {name}");
            cases.push(Case { name, log: Vec::new(), heads: Vec::new() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{stem} begins without a name"));
        let line = if let Some(line) = line.strip_prefix('>') {
            case.heads.push(case.log.len());
            line
        } else if let Some(line) = line.strip_prefix('|') {
            line
        } else {
            assert!(line.is_empty(), "{stem}:{}: a line begins with > or |", number + 1);
            continue;
        };
        case.log.extend(line.replace('→', "\t").replace('␛', "\x1b").bytes());
        case.log.push(b'\n');
    }
    cases
}

/// The log, with marks where its events begin.
fn draw(log: &[u8], heads: &[usize]) -> String {
    let mut drawn = String::new();
    let mut at = 0;
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        drawn.push(if heads.contains(&at) { '>' } else { '|' });
        drawn.push_str(&String::from_utf8_lossy(line));
        at += line.len();
    }
    drawn
}

fn heads(log: &[u8]) -> Vec<usize> {
    let grouping = Grouping::default();
    let mut heads = Vec::new();
    let mut from = 0;
    while from < log.len() {
        let event = grouping.bounds(log, from, from);
        heads.push(event.start);
        // From any other place and without knowing where an event begins: the same.
        for place in [event.start, event.start + event.len() / 2, event.end - 1] {
            assert_eq!(grouping.bounds(log, 0, place), event);
        }
        from = event.end;
    }
    heads
}

fn check(folder: &str, least: usize, is_alone: bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grouping").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut wrong = String::new();
    let mut count = 0;
    for case in files.iter().flat_map(|file| cases(file)) {
        count += 1;
        let lines = case.log.iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(case.heads.len() == lines, is_alone, "{} is in the wrong folder", case.name);
        for log in [
            case.log.clone(),
            String::from_utf8(case.log.clone()).unwrap().replace('\n', "\r\n").into(),
        ] {
            let found = heads(&log);
            let want = if log == case.log {
                case.heads.clone()
            } else {
                case.heads
                    .iter()
                    .map(|&head| {
                        head + case.log[..head].iter().filter(|&&byte| byte == b'\n').count()
                    })
                    .collect()
            };
            if found != want {
                wrong += &format!("--- {}, found\n{}\n", case.name, draw(&log, &found));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count >= least, "{count} cases");
}

#[test]
fn what_belongs_together() {
    check("together", 60, false);
}

#[test]
fn what_stands_alone() {
    check("alone", 25, true);
}
