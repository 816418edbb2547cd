//! The report of files that are followed: what is new at once, repeats as a line now and then.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::sink::{Finding, Sink, State};
use super::{summary, text};
use crate::fold::Fold;
use crate::term::{BOLD, DIM, count, harmless, paint};

/// How often repeats are told.
const EVERY: Duration = Duration::from_secs(60);
/// What did not come for so long is news when it comes again.
const NEWS_AFTER: Duration = Duration::from_secs(15 * 60);
/// Most errors that are told apart: those that did not come for the longest time are forgotten.
const MAX_KNOWN: usize = 10_000;

/// Shows each error when it comes first, and counts it then.
pub struct Report {
    /// For the summary.
    fold: Fold,
    known: HashMap<Key, Repeats>,
    /// Rules whose advice was shown.
    advised: HashSet<String>,
    told: Instant,
}

/// Rule, service, text without what differs between repeats.
type Key = (String, Option<String>, String);

struct Repeats {
    title: String,
    /// Since they were told last.
    count: u64,
    place: String,
    last: Instant,
}

impl Default for Report {
    fn default() -> Report {
        Report {
            fold: Fold::default(),
            known: HashMap::new(),
            advised: HashSet::new(),
            told: Instant::now(),
        }
    }
}

impl Sink for Report {
    fn finding(&mut self, finding: &Finding<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.fold.add(finding);
        let verdict = finding.verdict;
        let Some(rule) = verdict.rule() else { return Ok(()) };
        let service = verdict.service().map(|service| service.id.to_string());
        let key = (rule.id.to_string(), service, finding.key.to_owned());
        let place = || format!("{}:{}", harmless(finding.source), finding.line);
        if let Some(known) = self.known.get_mut(&key) {
            known.count += 1;
            known.last = Instant::now();
            known.place = place();
            return Ok(());
        }
        let mut shown = Vec::new();
        text::single(&mut shown, finding)?;
        if self.advised.insert(key.0.clone()) {
            text::advice(&mut shown, verdict)?;
        }
        shown.push(b'\n');
        out.write_all(&shown)?;
        self.make_room(out)?;
        let title = verdict.title().map(|title| harmless(&title).into_owned());
        let title = title.unwrap_or_default();
        let repeats = Repeats { title, count: 0, place: place(), last: Instant::now() };
        self.known.insert(key, repeats);
        Ok(())
    }

    fn tick(&mut self, _: &State<'_>, out: &mut dyn Write) -> io::Result<()> {
        if self.told.elapsed() < EVERY {
            return Ok(());
        }
        self.tell(out)?;
        self.known.retain(|_, known| known.last.elapsed() < NEWS_AFTER);
        Ok(())
    }

    fn finish(&mut self, state: &State<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.tell(out)?;
        summary::write(out, &self.fold, state)
    }
}

impl Report {
    /// The repeats since the last time, the most frequent first.
    fn tell(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let seconds = self.told.elapsed().as_secs().max(1);
        self.told = Instant::now();
        let mut repeats: Vec<(&Key, &mut Repeats)> =
            self.known.iter_mut().filter(|(_, known)| known.count > 0).collect();
        repeats.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(b.0)));
        for (key, repeats) in &mut repeats {
            let times = paint(BOLD, format_args!("×{} more", count(repeats.count)));
            let place = paint(DIM, format_args!("[{}] last at {}", key.0, repeats.place));
            writeln!(out, "{times} in the last {seconds} s: {}  {place}", repeats.title)?;
            repeats.count = 0;
        }
        if !repeats.is_empty() {
            writeln!(out)?;
        }
        Ok(())
    }

    /// Forgets the older half of what is known when it is too much.
    fn make_room(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.known.len() < MAX_KNOWN {
            return Ok(());
        }
        self.tell(out)?;
        let mut last: Vec<Instant> = self.known.values().map(|known| known.last).collect();
        let middle = last.len() / 2;
        let (_, &mut middle, _) = last.select_nth_unstable(middle);
        self.known.retain(|_, known| known.last > middle);
        Ok(())
    }
}
