//! What is reported, and to whom: `--only`, `--context`, `--exec`, the summary.

mod common;

use common::dir;

const REFUSED: &str = "Error: connect ECONNREFUSED 10.0.0.5:6379";
const DISK: &str = "OSError: [Errno 28] No space left on device: '/var/lib/a'";

#[test]
fn only_what_is_asked_for_is_reported() {
    let dir = dir();
    let log = format!("{REFUSED}\n{DISK}\n{REFUSED}\n");
    let rules = |args: &[&str]| -> Vec<String> {
        let mut all = vec!["-f", "json"];
        all.extend(args);
        let found = dir.pipe(&all, &log).ends(0).quietly().json();
        found.iter().map(|f| f["category"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rules(&["--only", "category=disk_full"]), ["disk_full"]);
    assert_eq!(rules(&["--only", "category=disk_full,category=connection_failed"]).len(), 3);
    assert_eq!(rules(&["--only", "category=disk_full", "--only", "who=network"]).len(), 0);
    assert_eq!(rules(&["--only", "rule=net.*"]).len(), 2);
    assert_eq!(rules(&["--only", "retry=backoff"]), ["connection_failed", "connection_failed"]);
    assert_eq!(rules(&["--min-severity", "critical"]), ["disk_full"]);
    // What is left out is said, and does not fail the run.
    let args = ["--only", "category=timeout", "--fail-on", "info"];
    dir.pipe(&args, &log).ends(0).says("nothing of what is asked for, 3 findings besides");
}

#[test]
fn a_filter_with_a_slip_of_the_pen_is_refused() {
    let dir = dir();
    for (only, why) in [
        ("category=timeot", "`timeot` is none of"),
        ("colour=red", "the keys are category, service"),
        ("timeout", "not of the form KEY=VALUE"),
        ("service=nosuchservice", "no service `nosuchservice`"),
        ("rule=net.nosuch", "no rule has the id"),
    ] {
        dir.pipe(&["--only", only], REFUSED).ends(2).complains(why);
    }
}

#[test]
fn context_goes_over_the_ends_of_chunks() {
    let dir = dir();
    // The event stands where one read of the file ends and the next begins.
    let filler = format!("{}\n", "x".repeat(63));
    let lines = (2 << 20) / filler.len();
    let mut log = filler.repeat(lines - 3);
    for line in ["one\n", "two\n", "three\n"] {
        log.push_str(line);
    }
    log.push_str(&format!("{REFUSED}\nfour\nfive\nsix\n"));
    dir.file("a.log", &log);
    let found = dir.run(&["-f", "json", "-C", "2", "a.log"]).ends(0).json();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["context"]["before"], serde_json::json!(["two", "three"]));
    assert_eq!(found[0]["context"]["after"], serde_json::json!(["four", "five"]));
    // At the ends of the log there is less of it.
    let found = dir.pipe(&["-f", "json", "-C", "9"], format!("a\n{REFUSED}\nb")).ends(0).json();
    assert_eq!(found[0]["context"], serde_json::json!({"before": ["a"], "after": ["b"]}));
}

#[test]
fn a_new_incident_runs_the_command_once() {
    let dir = dir();
    let log = format!("{REFUSED}\n{REFUSED}\n{DISK}\n{REFUSED}\n");
    let args = ["-f", "json", "--exec", "cat >> incidents", "--exec-every", "0"];
    assert_eq!(dir.pipe(&args, &log).ends(0).json().len(), 4);
    let text = std::fs::read_to_string(dir.path().join("incidents")).unwrap();
    let told: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut rules: Vec<&str> = told.iter().map(|it| it["category"].as_str().unwrap()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["connection_failed", "disk_full"]);
    // Too soon after another: the last of them is handed over at the end, with their number.
    let args = ["-f", "json", "--exec", "cat >> late", "--exec-every", "3600"];
    dir.pipe(&args, format!("{log}x: {DISK}\ny: {DISK}\n")).ends(0).quietly();
    let text = std::fs::read_to_string(dir.path().join("late")).unwrap();
    let mut told: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    told.sort_by_key(|it| it["line"].as_u64());
    let told: Vec<_> = told.iter().map(|it| (&it["line"], &it["suppressed"])).collect();
    assert_eq!(told, [(&1.into(), &0.into()), (&6.into(), &2.into())]);
}

#[test]
fn a_command_that_fails_is_told_and_fails_the_run() {
    let dir = dir();
    let log = format!("{REFUSED}\n{DISK}\nx: {DISK}\n");
    let args = ["-f", "json", "--exec", "exit 3", "--exec-every", "0"];
    let run = dir.pipe(&args, REFUSED).ends(2).complains("error: --exec exit 3: exit status: 3");
    assert_eq!((run.out.lines().count(), run.err.lines().count()), (1, 1), "{}", run.err);
    // The report is whole; at the end it is said how many of them.
    let exec = "grep -q disk_full";
    let args = ["-f", "sarif", "-o", "out", "--exec", exec, "--exec-every", "0"];
    let run = dir.pipe(&args, &log).ends(2).complains("exit status: 1");
    assert!(run.err.ends_with("error: --exec: 1 of 3 commands failed\n"), "{}", run.err);
    let report = std::fs::read_to_string(dir.path().join("out")).unwrap();
    assert!(report.ends_with("}]}\n"), "{report}");
    // A finding that fails the run is the lesser evil.
    let args = ["--fail-on", "info", "--exec", "false"];
    dir.pipe(&args, REFUSED).ends(2);
    dir.pipe(&["--fail-on", "info", "--exec", "true"], REFUSED).ends(1).quietly();
}

#[test]
fn context_is_marked_as_grep_marks_it() {
    let dir = dir();
    let log = format!(
        "a\nb\n{REFUSED} for one\nc\n{REFUSED} for two\nd\n{REFUSED} for three\ne\nf\ng\n{DISK}\n"
    );
    dir.file("a.log", &log);
    let lines = |args: &[&str]| -> Vec<String> {
        let run = dir.run(args).ends(0);
        let shown = run.out.lines().map(str::trim_start);
        let is_log = |line: &&str| {
            let line = line.split_once(".log").map_or(*line, |(_, rest)| &rest[1..]);
            let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
            line == "--" || rest.len() < line.len() && rest.starts_with([':', '-'])
        };
        shown
            .take_while(|line| !line.contains("findings in"))
            .filter(is_log)
            .map(str::to_owned)
            .collect()
    };
    let expected = format!(
        "a.log-2-b|a.log:3:{REFUSED} for one|a.log-4-c|a.log:5:{REFUSED} for two|a.log-6-d|\
         a.log:7:{REFUSED} for three|a.log-8-e|--|a.log-10-g|a.log:11:{DISK}"
    );
    assert_eq!(lines(&["--no-fold", "-C1", "a.log"]).join("|"), expected);
    // Folded, each entry stands by itself.
    let expected = format!(
        "2- b|3: {REFUSED} for one|4- c|4- c|5: {REFUSED} for two|6- d|\
         6- d|7: {REFUSED} for three|8- e|10- g|11: {DISK}"
    );
    assert_eq!(lines(&["-C1", "a.log"]).join("|"), expected);
    // An event of several lines, in another file.
    dir.file("b.log", format!("{REFUSED}\n    at f (a.js:1:1)\nh\n"));
    let all = lines(&["--no-fold", "-C1", "a.log", "b.log"]);
    assert_eq!(
        all[10..],
        ["--", &format!("b.log:1:{REFUSED}"), "b.log:2:    at f (a.js:1:1)", "b.log-3-h"]
    );
    // Standard input has no name.
    let out = dir.pipe(&["--no-fold", "-C1"], &log).ends(0).out;
    assert!(out.starts_with(&format!("2-b\n3:{REFUSED} for one\n")), "{out}");
}

#[test]
fn an_empty_command_is_refused() {
    for command in ["", "  "] {
        dir().pipe(&["--exec", command], REFUSED).ends(2).complains("there is no command to run");
    }
}

/// Starts a scan whose command takes a minute, and waits until it does.
#[cfg(unix)]
fn with_slow_command(dir: &common::Dir) -> std::process::Child {
    dir.file("a.log", format!("{REFUSED}\n"));
    let exec = "sleep 60 & echo $! > inner; mv inner pid; wait";
    let args = ["-f", "sarif", "-o", "out.sarif", "--exec", exec, "a.log"];
    let child = dir.cmd(&args).stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_for(|| {
        dir.path().join("pid").exists()
            && std::fs::read_to_string(dir.path().join("out.sarif")).is_ok_and(|s| !s.is_empty())
    });
    child
}

#[cfg(unix)]
fn wait_for(what: impl Fn() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(8);
    while !what() {
        assert!(std::time::Instant::now() < until, "it does not come");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Whether the process that the slow command started still runs.
#[cfg(unix)]
fn inner_lives(dir: &common::Dir) -> bool {
    let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output();
    let state = String::from_utf8(state.unwrap().stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

#[cfg(unix)]
#[test]
fn a_slow_command_keeps_no_report_waiting_and_is_ended() {
    let dir = dir();
    let began = std::time::Instant::now();
    let child = with_slow_command(&dir);
    assert!(inner_lives(&dir));
    let done = child.wait_with_output().unwrap();
    assert!(began.elapsed().as_secs() < 30);
    assert_eq!(done.status.code(), Some(2));
    let message = String::from_utf8(done.stderr).unwrap();
    assert!(message.contains("still ran 10 s after the end of the run"), "{message}");
    wait_for(|| !inner_lives(&dir));
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_commands_too() {
    let dir = dir();
    let child = with_slow_command(&dir);
    let signal = || {
        let pid = child.id().to_string();
        assert!(
            std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success()
        );
        std::thread::sleep(std::time::Duration::from_millis(300));
    };
    signal();
    assert!(inner_lives(&dir), "the first one leaves it its time");
    signal();
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130));
    wait_for(|| !inner_lives(&dir));
}

#[test]
fn the_summary_is_an_object_too() {
    let dir = dir();
    let log = format!(
        "2026-11-24T10:00:00Z {REFUSED}\n2026-11-24T10:01:00Z the frobnicator failed with 7\n\
         2026-11-24T10:02:00Z the frobnicator failed with 8\n2026-11-24T10:31:00Z {DISK}\n"
    );
    let summary = dir.pipe(&["-f", "summary", "--json"], &log).ends(0).json().remove(0);
    assert_eq!(summary["type"], "summary");
    assert_eq!((&summary["lines"], &summary["findings"]), (&4.into(), &2.into()));
    assert_eq!(summary["categories"]["disk_full"], 1);
    assert_eq!(summary["first"], "2026-11-24T10:00:00Z");
    assert_eq!(summary["last"], "2026-11-24T10:31:00Z");
    let counts = summary["histogram"]["counts"].as_array().unwrap();
    assert_eq!(counts.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), 2);
    for name in ["cut_lines", "skipped_bytes", "lost_bytes", "read_errors", "left_out"] {
        assert_eq!(summary[name], 0, "{name}");
    }
    assert_eq!(summary["histogram"]["width_s"], 60);
    assert_eq!(summary["unclassified"]["uncounted"], 0);
    assert_eq!(summary["unclassified"]["lines"], 2);
    assert_eq!(summary["unclassified"]["templates"].as_array().unwrap().len(), 1);
    let text = dir.pipe(&["-f", "summary"], &log).ends(0);
    text.says("2026-11-24 10:00:00 … 10:31:00 UTC")
        .says("a bar is 60 s, most: 1 at 10:00:00")
        .says("2 lines look like errors");
}

#[test]
fn repeats_of_twenty_errors_are_twenty_entries() {
    let dir = dir();
    let mut log = String::new();
    for round in 0..500 {
        for error in 0..20 {
            let name: String = "abcdefghijklmnopqrst".chars().nth(error).into_iter().collect();
            log.push_str(&format!(
                "2026-11-24T10:{:02}:{:02}Z [{round}] task {name} of 10.0.{round}.{error}: \
                 open /data/{name}/{round}: No space left on device (req_{round:08x})\n",
                round / 60,
                round % 60
            ));
        }
    }
    let summary = dir.pipe(&["-f", "summary", "--json"], &log).ends(0).json().remove(0);
    let rules = summary["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 1);
    let texts = rules[0]["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 20);
    assert!(texts.iter().all(|text| text["count"] == 500));
    dir.pipe(&[], &log).ends(0).says("    500× -:1 … 9981").says("and 6,000 more with other texts");
}

#[test]
fn a_service_may_be_named_for_the_whole_log() {
    let dir = dir();
    let log = "write failed: code=1205\n";
    assert!(dir.pipe(&["-f", "json"], log).ends(0).json().is_empty());
    let found = dir.pipe(&["-f", "json", "--service", "mysql"], log).ends(0).json();
    assert_eq!(found[0]["category"], "deadlock");
    assert_eq!(
        (&found[0]["service"], &found[0]["service_from"]),
        (&"mysql".into(), &"caller".into())
    );
    dir.pipe(&["--service", "mysqll"], log)
        .ends(2)
        .complains("--service: the catalogue knows no service `mysqll`");
    dir.run(&["why", "code=1205", "--service", "mysqll"])
        .ends(0)
        .complains("note: --service: the catalogue knows no service `mysqll`");
    dir.run(&["why", "code=1205", "--service", "mysql"]).ends(0).quietly();
}
