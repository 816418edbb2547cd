//! Commands that look for the signatures of a set in a file and write what they find.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command line; `{set}`, `{rules}` and `{log}` stand for files.
pub struct Tool {
    pub name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    /// Whether it uses all cores if it may.
    pub parallel: bool,
}

const fn tool(
    name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    parallel: bool,
) -> Tool {
    Tool { name, program, args, parallel }
}

pub const TOOLS: &[Tool] = &[
    tool(
        "whyerr (verdicts as JSON)",
        "{whyerr}",
        &["scan", "--no-config", "--no-builtin", "--rules", "{rules}", "--json", "{log}"],
        true,
    ),
    tool("Hyperscan, JSON (hs.c)", "target/hs", &["json", "{set}", "{log}"], false),
    tool(
        "rg --json -F -i -f",
        "rg",
        &["--no-config", "--json", "-F", "-i", "-f", "{set}", "{log}"],
        true,
    ),
    tool("ugrep -n -F -i -f", "ugrep", &["-n", "-F", "-i", "-f", "{set}", "{log}"], true),
    tool("grep -n -F -i -f", "grep", &["-n", "-F", "-i", "-f", "{set}", "{log}"], false),
];

/// What a run of a command took.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Seconds.
    pub wall: f64,
    pub cpu: f64,
}

/// Files that the placeholders stand for.
pub struct Files<'p> {
    pub whyerr: &'p Path,
    pub set: &'p Path,
    pub rules: &'p Path,
    pub log: &'p Path,
    pub output: &'p Path,
}

impl Tool {
    /// Runs the command on one core or on all; `None` if it is not there.
    pub fn run(&self, files: &Files<'_>, one_core: bool) -> Option<Cost> {
        let fill = |text: &str| match text {
            "{whyerr}" => files.whyerr.as_os_str().to_owned(),
            "{set}" => files.set.as_os_str().to_owned(),
            "{rules}" => files.rules.as_os_str().to_owned(),
            "{log}" => files.log.as_os_str().to_owned(),
            text => text.into(),
        };
        let mut command = match one_core {
            true => {
                let mut command = Command::new("taskset");
                command.args(["-c", "0"]).arg(fill(self.program));
                command
            }
            false => Command::new(fill(self.program)),
        };
        command.args(self.args.iter().map(|arg| fill(arg))).env("LC_ALL", "C");
        command.stdout(File::create(files.output).ok()?).stderr(Stdio::null());
        let begin = Instant::now();
        let child = command.spawn().ok()?;
        let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
        // SAFETY: both point to places of this frame, and the child is waited for by nobody else.
        let usage = unsafe {
            if libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr()) < 0 {
                return None;
            }
            usage.assume_init()
        };
        let wall = begin.elapsed().as_secs_f64();
        // 127: the shell's answer, and taskset's, for a program that is not there.
        if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 127 {
            return None;
        }
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
        Some(Cost { wall, cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime) })
    }
}
