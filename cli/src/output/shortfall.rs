//! What a report does not cover: nothing is dropped in silence.

use super::sink::State;
use crate::fold::Fold;
use crate::term::{count, harmless, plural};

/// Something that is missing.
pub struct Shortfall {
    /// It is an error, not only worth a warning.
    pub is_error: bool,
    pub text: String,
}

/// What was not read of the sources, but for those that could not be read at all.
pub fn all(state: &State<'_>) -> Vec<Shortfall> {
    let lost = state.totals.lost_bytes;
    let text = || {
        let lost = plural(lost, "byte");
        format!("lost: {lost} rotated or truncated away before they were read")
    };
    let lost = (lost > 0).then(|| Shortfall { is_error: true, text: text() });
    lost.into_iter().chain(untold(state)).collect()
}

/// The same, without what was told on standard error as it happened.
pub fn untold(state: &State<'_>) -> Vec<Shortfall> {
    let totals = state.totals;
    let mut list = Vec::new();
    let mut add = |is_error, text| list.push(Shortfall { is_error, text });
    if totals.cut_lines > 0 {
        add(
            false,
            format!(
                "cut: {} of 2 MiB and more classified by the first MiB; {} in them not looked at",
                plural(totals.cut_lines, "line"),
                plural(totals.skipped_bytes, "byte"),
            ),
        );
    }
    if let (cut @ 1.., Some((source, line))) = (totals.cut_findings, &totals.first_cut) {
        let (verb, place) = match cut {
            1 => ("was", "at"),
            _ => ("were", "the first at"),
        };
        let (cut, source) = (plural(cut, "finding"), harmless(source));
        add(
            false,
            format!(
                "cut: of {cut} not all {verb} read (more than 500 lines, 64 KiB, or a long value), {place} {source}:{line}"
            ),
        );
    }
    if totals.interrupted {
        let lines = plural(totals.lines, "line");
        add(true, format!("interrupted: what came after {lines} was not read"));
    }
    list
}

/// Sources that could not be read, beyond so many.
pub fn unread(state: &State<'_>, beyond: usize) -> Option<Shortfall> {
    let more = state.totals.read_errors.saturating_sub(beyond as u64);
    let noun = if beyond > 0 { "more source" } else { "source" };
    let text = format!("{} could not be read, or not to the end", plural(more, noun));
    (more > 0).then_some(Shortfall { is_error: true, text })
}

/// Findings whose texts were too many to be kept apart.
pub fn other_texts(fold: &Fold) -> Option<Shortfall> {
    let others: u64 = fold.groups.iter().map(|group| group.other_texts).sum();
    let findings = if others == 1 { "finding" } else { "findings" };
    let text =
        format!("not listed: {} {findings} of these rules with still other texts", count(others));
    (others > 0).then_some(Shortfall { is_error: false, text })
}
