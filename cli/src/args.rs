//! What can be typed. Help, man page and completions are generated from this.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::exec::ExecArgs;
use crate::follow::FollowArgs;
use crate::formats::RecordArgs;
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::scan::select::{AtLeast, OnlyArgs};

/// Say why errors happened, who has to act, and whether a retry is worth it.
///
/// Without a command, `scan` is meant: `whyerr app.log`, `journalctl -b | whyerr`.
#[derive(Debug, Parser)]
#[command(
    name = "whyerr",
    version,
    override_usage = "whyerr [OPTIONS] [FILE]...\n       whyerr <COMMAND> [OPTIONS] ...",
    after_help = TOP,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Global flags that take a value.
const WITH_VALUE: &[&str] = &["--rules", "--config", "--color"];

impl Cli {
    /// Reads the command line; where it names no command, `scan` is put in.
    pub fn from_args() -> Cli {
        let mut args: Vec<OsString> = std::env::args_os().collect();
        if Cli::needs_scan(&args[1.min(args.len())..]) {
            args.insert(1, "scan".into());
        }
        Cli::parse_from(args)
    }

    fn needs_scan(args: &[OsString]) -> bool {
        let is_command = |name: &str| {
            name == "help" || Cli::command().get_subcommands().any(|known| known.get_name() == name)
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("-h" | "--help" | "-V" | "--version") => return false,
                Some(flag) if WITH_VALUE.contains(&flag) => {
                    args.next();
                }
                Some("--") => return true,
                Some(flag) if flag.starts_with('-') && flag != "-" => {}
                Some(name) => return !is_command(name),
                None => return true,
            }
        }
        true
    }
}

/// What is behind the flags: the exit codes are those of all commands.
macro_rules! after_help {
    ($examples:literal) => {
        concat!(
            $examples,
            "\n\
Exit codes:
  0    ran, and found nothing that fails
  1    a finding at or above --fail-on, or a failed test of a rule
  2    wrong usage, rules or input, or a command of --exec that failed;
       what could be processed was
  130  interrupted: what was read is reported"
        )
    };
}

const TOP: &str = after_help!(
    "\
Examples:
  whyerr app.log                    what went wrong, why, and what to do
  journalctl -b -o json | whyerr    any log that can be piped
  whyerr why 'ECONNREFUSED'         why this text gets that verdict
  whyerr explain 429                what a status, a code or a rule means
`whyerr scan --help` shows the flags for logs.
"
);

const SCAN: &str = after_help!(
    "\
Examples:
  whyerr -f summary /var/log                 an overview of a folder
  whyerr -C 3 --only category=timeout a.log  timeouts, and lines around them
  whyerr -F --state /var/lib/why a.log       what is new, as it comes
  whyerr -f json a.log | jq .category        for programs
  whyerr -f junit -o why.xml --fail-on error test.log
"
);

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan logs for errors and say what caused them (the default)
    #[command(after_help = SCAN)]
    Scan(ScanArgs),
    /// Classify JSON events, one a line, and answer one JSON verdict a line
    Classify(ClassifyArgs),
    /// Show the whole reasoning for one event
    Why(WhyArgs),
    /// Show the reference page of a rule, status, code, category or service
    Explain(ExplainArgs),
    /// Check, test and inspect rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page (roff)
    Man,
}

const RULES: &str = "Rules and settings";

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub struct GlobalArgs {
    /// Add rules from a file or folder; repeatable. A layer may stand in front:
    /// vendor=DIR, organisation=DIR, user=DIR (the default)
    #[arg(long, value_name = "[LAYER=]PATH", global = true, help_heading = RULES)]
    pub rules: Vec<String>,

    /// Leave out the built-in rules and services
    #[arg(long, global = true, help_heading = RULES)]
    pub no_builtin: bool,

    /// Read settings from this file (or $WHYERR_CONFIG) instead of the user's configuration folder
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        env = "WHYERR_CONFIG",
        hide_env = true,
        help_heading = RULES
    )]
    pub config: Option<PathBuf>,

    /// Read no configuration file
    #[arg(long, global = true, conflicts_with = "config", help_heading = RULES)]
    pub no_config: bool,

    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// In the order of the help.
#[derive(Debug, Clone, Args)]
pub struct ScanArgs {
    /// Logs to scan: files, folders, patterns in quotes; `-` is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub output: OutputArgs,

    /// As JSON: `-f json`, or with `-f summary` the summary as one object
    #[arg(long)]
    pub json: bool,

    /// Show so many lines before and behind each event (text and json formats)
    #[arg(long, short = 'C', value_name = "LINES", default_value_t = 0, hide_default_value = true)]
    pub context: usize,

    /// Print every finding, not one entry for repeats of the same error (text format)
    #[arg(long)]
    pub no_fold: bool,

    #[command(flatten)]
    pub only: OnlyArgs,

    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<AtLeast>,

    #[command(flatten)]
    pub exec: ExecArgs,

    #[command(flatten)]
    pub input: InputArgs,

    /// The service that the logs are of: id, name or alias
    #[arg(long, value_name = "SERVICE", help_heading = "Input")]
    pub service: Option<String>,

    #[command(flatten)]
    pub records: RecordArgs,

    #[command(flatten)]
    pub follow: FollowArgs,
}

#[derive(Debug, Clone, Args)]
pub struct ClassifyArgs {
    /// Files with JSON events, one a line; standard input when there is none
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub input: InputArgs,
}

#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// The text of the event; `-` reads standard input
    #[arg(value_name = "TEXT")]
    pub text: String,

    /// Say why this rule did not win or match
    #[arg(long, value_name = "ID")]
    pub rule: Option<String>,

    /// Print the verdict as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub records: RecordArgs,

    #[command(flatten)]
    pub facts: FactArgs,
}

/// What is known of an event beside its text.
#[derive(Debug, Clone, Default, Args)]
pub struct FactArgs {
    /// HTTP status
    #[arg(long, value_name = "STATUS")]
    pub http_status: Option<u16>,
    /// Code or type of the provider; repeatable
    #[arg(long, value_name = "CODE")]
    pub code: Vec<String>,
    /// gRPC status, name or number
    #[arg(long, value_name = "STATUS")]
    pub grpc_status: Option<String>,
    /// Exit code of a process
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    pub exit_code: Option<i32>,
    /// Signal that ended a process, name or number
    #[arg(long, value_name = "SIGNAL")]
    pub signal: Option<String>,
    /// Who raised the error: id, name or alias of a service
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    /// Product of the service
    #[arg(long, value_name = "PRODUCT")]
    pub product: Option<String>,
    /// Header of the response, `Name: value`; repeatable
    #[arg(long, value_name = "HEADER")]
    pub header: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// Rule id, HTTP status, provider's code, category, service, or code of a rule problem
    #[arg(value_name = "RULE|STATUS|CODE|CATEGORY")]
    pub subject: String,

    /// For this service: its own rules first, its links filled in
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check rule files: syntax, names, and the trade's usual mistakes
    Check {
        /// Warnings count as errors
        #[arg(long)]
        deny_warnings: bool,
    },
    /// Run the examples of every rule against all rules
    Test(SelectArgs),
    /// List rules
    List {
        #[command(flatten)]
        select: SelectArgs,
        /// As JSON, one rule a line
        #[arg(long)]
        json: bool,
    },
    /// Show a rule as it is after all layers
    Show {
        /// Its id
        id: String,
        /// Name the file and line that set each field
        #[arg(long)]
        provenance: bool,
    },
    /// Measure the rules on labelled records (JSON lines)
    Eval(EvalArgs),
    /// Tell what the rules know of a log: which fired, which errors none knows, which lines are
    /// looked at for nothing
    Coverage(CoverageArgs),
}

/// Which rules.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectArgs {
    /// Only rules whose id begins with this
    #[arg(long, value_name = "PREFIX")]
    pub group: Option<String>,
    /// Only rules of this category
    #[arg(long, value_name = "CATEGORY")]
    pub category: Option<String>,
    /// Only rules of this service
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct CoverageArgs {
    /// Logs: files, folders, patterns in quotes; `-` is standard input
    #[arg(value_name = "LOG")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub input: InputArgs,
    /// How many entries to show of each list
    #[arg(long, default_value_t = 20)]
    pub top: usize,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Args)]
pub struct EvalArgs {
    /// Labelled records: {"id", "text", "status", "category", "alt": [...], "retryable"}
    #[arg(value_name = "FILE", required_unless_present = "benign")]
    pub files: Vec<PathBuf>,
    /// Lines that should get no verdict: {"id", "text"}; repeatable
    #[arg(long, value_name = "FILE")]
    pub benign: Vec<PathBuf>,
    /// Give the record's `provider` as the service
    #[arg(long)]
    pub with_service: bool,
    /// How many wrong records to show
    #[arg(long, default_value_t = 20)]
    pub worst: usize,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}
