//! `--exec`: a command of one's own for each new incident.

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::Outcome;
use crate::output::json;
use crate::output::sink::{Finding, Sink, State};
use crate::stop;
use crate::term;

/// Most incidents that are remembered.
const MAX_INCIDENTS: usize = 100_000;
/// Most commands that run at the same time.
const MAX_RUNNING: usize = 4;
/// How long a command may take, and how long the end of the run waits for those that still do.
const MAX_TIME: Duration = Duration::from_secs(60);
const LAST_WAIT: Duration = Duration::from_secs(10);

const HEADING: &str = "Alerts";

/// Flags for a command of one's own.
#[derive(Debug, Clone, Default, Args)]
pub struct ExecArgs {
    /// Run this shell command for each new incident (the same rule, service and text but for
    /// numbers and ids), with the finding as JSON on its standard input. One that fails or takes
    /// longer than a minute is told, and makes the exit code 2
    #[arg(long, value_name = "COMMAND", value_parser = command, help_heading = HEADING)]
    pub exec: Option<String>,

    /// Run it at most once in so many seconds; incidents in between are counted in `suppressed`
    /// of the next one. The last of them is handed over when the run ends
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "exec", help_heading = HEADING)]
    pub exec_every: u64,

    /// An incident that was not seen for so many minutes is new again
    #[arg(long, value_name = "MINUTES", default_value_t = 60, requires = "exec", help_heading = HEADING)]
    pub exec_again: u64,
}

fn command(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("there is no command to run");
    }
    Ok(text.to_owned())
}

/// A command that runs.
struct Running {
    child: Child,
    started: Instant,
}

/// What runs now. One list for the process: whoever ends it at once ends them too.
static RUNNING: Mutex<Vec<Running>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all commands that still run.
fn end_all() {
    running().drain(..).for_each(Running::end);
}

impl Running {
    /// Ends it, and what it has started.
    fn end(mut self) {
        #[cfg(unix)]
        if let Ok(group) = i32::try_from(self.child.id()) {
            use nix::sys::signal::{Signal, killpg};
            // It may be gone by now.
            let _ = killpg(nix::unistd::Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the command.
pub struct Exec {
    command: String,
    every: Duration,
    again: Duration,
    /// When each incident was seen last.
    seen: HashMap<String, Instant>,
    last: Option<Instant>,
    suppressed: u64,
    /// The last incident that was suppressed, as JSON.
    waiting: Option<Vec<u8>>,
    /// Commands that were run, and those of them that did not do what they should.
    runs: u64,
    failed: u64,
}

impl Exec {
    pub fn new(args: &ExecArgs) -> Option<Exec> {
        let command = args.exec.clone()?;
        stop::at_once(end_all);
        Some(Exec {
            command,
            every: Duration::from_secs(args.exec_every),
            again: Duration::from_secs(args.exec_again.saturating_mul(60)),
            seen: HashMap::new(),
            last: None,
            suppressed: 0,
            waiting: None,
            runs: 0,
            failed: 0,
        })
    }

    /// Whether the incident is new; from now on it is known.
    fn is_new(&mut self, finding: &Finding<'_>, now: Instant) -> bool {
        let rule = finding.verdict.rule().map_or("", |rule| &*rule.id);
        let service = finding.verdict.service().map_or("", |service| &*service.id);
        let incident = format!("{rule}\0{service}\0{}", finding.key);
        if self.seen.len() >= MAX_INCIDENTS && !self.seen.contains_key(&incident) {
            let again = self.again;
            self.seen.retain(|_, seen| now.duration_since(*seen) < again);
            if self.seen.len() >= MAX_INCIDENTS {
                self.seen.clear();
            }
        }
        match self.seen.insert(incident, now) {
            Some(seen) => now.duration_since(seen) >= self.again,
            None => true,
        }
    }

    /// The finding, with the number of incidents since the last one that was handed over.
    fn line(&self, finding: &Finding<'_>) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        json::finding_with(&mut line, finding, Some(self.suppressed))?;
        Ok(line)
    }

    /// Hands an incident over.
    fn run(&mut self, line: Vec<u8>) {
        self.suppressed = 0;
        self.waiting = None;
        self.runs += 1;
        let spawned = shell(&self.command).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return self.fails(format_args!("cannot be started: {error}")),
        };
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read must not stop the scan, nor one that is gone already.
            thread::spawn(move || drop(stdin.write_all(&line)));
        }
        running().push(Running { child, started: Instant::now() });
    }

    /// Takes leave of commands that are done, and ends those that take too long. Returns how many
    /// still run.
    fn reap(&mut self) -> usize {
        let mut running = running();
        let mut rest = Vec::new();
        for mut it in running.drain(..) {
            match it.child.try_wait() {
                Ok(None) if it.started.elapsed() < MAX_TIME => rest.push(it),
                Ok(None) => {
                    it.end();
                    self.fails(format_args!("ended after {} s", MAX_TIME.as_secs()));
                }
                Ok(Some(status)) if !status.success() => self.fails(format_args!("{status}")),
                _ => {}
            }
        }
        *running = rest;
        running.len()
    }

    /// A command failed: somebody was not told of an incident.
    fn fails(&mut self, why: std::fmt::Arguments<'_>) {
        self.failed += 1;
        term::error(&format!("--exec {}: {why}", self.command));
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]);
    // A group of its own: it can be ended with all that it has started, and a Ctrl-C that asks for
    // the end of the run leaves it its time.
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

impl Sink for Exec {
    fn finding(&mut self, finding: &Finding<'_>, _: &mut dyn Write) -> io::Result<()> {
        let now = Instant::now();
        if !self.is_new(finding, now) {
            return Ok(());
        }
        let running = self.reap();
        let early = self.last.is_some_and(|last| now.duration_since(last) < self.every);
        let line = self.line(finding)?;
        if early || running >= MAX_RUNNING {
            self.suppressed += 1;
            self.waiting = Some(line);
            return Ok(());
        }
        self.last = Some(now);
        self.run(line);
        Ok(())
    }

    fn tick(&mut self, _: &State<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.reap();
        Ok(())
    }

    fn finish(&mut self, _: &State<'_>, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn close(&mut self) -> Outcome {
        // No next one will tell of it.
        if let Some(line) = self.waiting.take() {
            self.run(line);
        }
        let until = Instant::now() + LAST_WAIT;
        let mut left = self.reap();
        while left > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
            left = self.reap();
        }
        if stop::insisted() {
            // They were ended, which is no failure of theirs.
            return Outcome::Interrupted;
        }
        if left > 0 {
            end_all();
            let seconds = LAST_WAIT.as_secs();
            self.fails(format_args!("ended, as it still ran {seconds} s after the end of the run"));
            self.failed += left as u64 - 1;
        }
        if self.failed == 0 {
            return Outcome::Fine;
        }
        // One that failed was told by itself.
        if self.runs > 1 {
            let (failed, runs) = (term::count(self.failed), term::count(self.runs));
            term::error(&format!("--exec: {failed} of {runs} commands failed"));
        }
        Outcome::Problem
    }
}
