//! The formats of a report: one table says what each is.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::sink::{Renderer, Sink};
use super::target::Shape;
use super::{github, json, junit, live, otlp, sarif, summary, text};

/// How to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Summary,
    Sarif,
    Github,
    Junit,
    Otlp,
}

/// What other flags say of the report.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Every finding, not one entry for repeats.
    pub no_fold: bool,
    pub json: bool,
    /// Lines around each event.
    pub context: bool,
    /// Findings come for as long as it runs.
    pub follow: bool,
}

/// What a format is.
pub struct Entry {
    name: &'static str,
    help: &'static str,
    /// How each finding is written by itself, if it is.
    pub renderer: Option<Renderer>,
    /// What takes all findings in, if anything does.
    pub sink: Option<fn() -> Box<dyn Sink>>,
    /// How it is written.
    pub shape: Shape,
    /// Lines that look like errors and have no verdict are told of.
    pub shows_unclassified: bool,
    /// Lines around an event are shown.
    shows_context: bool,
}

static TABLE: [Entry; 7] = [
    Entry {
        name: "text",
        help: "For reading: repeats folded, then a summary",
        renderer: None,
        sink: Some(|| Box::new(text::Report::folded())),
        shape: Shape::Whole,
        shows_unclassified: true,
        shows_context: true,
    },
    Entry {
        name: "json",
        help: "One JSON object for each finding, a line each",
        renderer: Some(json::finding),
        sink: None,
        shape: Shape::Lines,
        shows_unclassified: false,
        shows_context: true,
    },
    Entry {
        name: "summary",
        help: "The summary alone",
        renderer: None,
        sink: Some(|| Box::new(summary::Report::new(false))),
        shape: Shape::Whole,
        shows_unclassified: true,
        shows_context: false,
    },
    Entry {
        name: "sarif",
        help: "SARIF 2.1.0, for code scanning and viewers: repeats folded",
        renderer: None,
        sink: Some(|| Box::<sarif::Report>::default()),
        shape: Shape::Whole,
        shows_unclassified: false,
        shows_context: false,
    },
    Entry {
        name: "github",
        help: "Annotations of GitHub Actions: repeats folded, the worst first",
        renderer: None,
        sink: Some(|| Box::<github::Report>::default()),
        shape: Shape::Whole,
        shows_unclassified: false,
        shows_context: false,
    },
    Entry {
        name: "junit",
        help: "JUnit XML: a failed test for each rule and service",
        renderer: None,
        sink: Some(|| Box::new(junit::Report::begin())),
        shape: Shape::Whole,
        shows_unclassified: false,
        shows_context: false,
    },
    Entry {
        name: "otlp",
        help: "OTLP/JSON log records, one export request a line",
        renderer: Some(otlp::finding),
        sink: None,
        shape: Shape::Lines,
        shows_unclassified: false,
        shows_context: false,
    },
];

/// `text` with `--no-fold`: every finding, and the summary behind them.
static UNFOLDED: Entry = Entry {
    name: "text",
    help: "",
    renderer: Some(text::single),
    sink: Some(|| Box::new(text::Report::after_lines())),
    shape: Shape::Live,
    shows_unclassified: true,
    shows_context: true,
};

/// The same, with the lines around each.
static UNFOLDED_AROUND: Entry = Entry {
    name: "text",
    help: "",
    renderer: None,
    sink: Some(|| Box::new(text::Report::with_context())),
    shape: Shape::Live,
    shows_unclassified: true,
    shows_context: true,
};

/// `text` with `--follow`: nobody waits for the end of what is followed.
static LIVE: Entry = Entry {
    name: "text",
    help: "",
    renderer: None,
    sink: Some(|| Box::<live::Report>::default()),
    shape: Shape::Live,
    shows_unclassified: true,
    shows_context: true,
};

/// `summary` with `--json`.
static SUMMARY_JSON: Entry = Entry {
    name: "summary",
    help: "",
    renderer: None,
    sink: Some(|| Box::new(summary::Report::new(true))),
    shape: Shape::Whole,
    shows_unclassified: true,
    shows_context: false,
};

impl Format {
    /// The format as the flags beside it have it. The error is a flag that would say nothing.
    pub fn entry(self, style: Style) -> Result<&'static Entry, String> {
        let format = match self {
            Format::Text if style.json => Format::Json,
            format => format,
        };
        let entry = format.styled(style);
        let useless = [
            (style.json && !matches!(format, Format::Json | Format::Summary), "--json"),
            (style.no_fold && format != Format::Text, "--no-fold"),
            (style.context && !entry.shows_context, "--context"),
        ];
        match useless.into_iter().find(|(is_so, _)| *is_so) {
            Some((_, flag)) => {
                Err(format!("{flag} says nothing to the format {}: leave one out", entry.name))
            }
            None => Ok(entry),
        }
    }

    fn styled(self, style: Style) -> &'static Entry {
        match self {
            Format::Text if style.no_fold && style.context => &UNFOLDED_AROUND,
            Format::Text if style.no_fold => &UNFOLDED,
            Format::Text if style.follow => &LIVE,
            Format::Summary if style.json => &SUMMARY_JSON,
            format => format.row(),
        }
    }

    fn row(self) -> &'static Entry {
        // In the order of the formats; a test holds them together.
        &TABLE[self as usize]
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        use Format::*;
        &[Text, Json, Summary, Sarif, Github, Junit, Otlp]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let entry = self.row();
        Some(PossibleValue::new(entry.name).help(entry.help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_row() {
        let names: Vec<&str> = TABLE.iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["text", "json", "summary", "sarif", "github", "junit", "otlp"]);
        for (format, name) in Format::value_variants().iter().zip(names) {
            assert_eq!(format.row().name, name);
            assert_eq!(format!("{format:?}").to_lowercase(), name);
        }
        assert!(TABLE.iter().all(|entry| entry.renderer.is_some() || entry.sink.is_some()));
    }
}
