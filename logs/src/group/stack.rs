//! Stacks longer than an event may be: what is read of them.

use std::borrow::Cow;

use super::Grouping;
use super::shape::{Shape, mark::FRAME};

/// An event as far as it is read, and how many of its lines are left out: behind the limits frames
/// do not count.
pub(crate) fn shortened<'t>(event: &'t [u8], grouping: &Grouping) -> (Cow<'t, [u8]>, usize) {
    let lines = memchr::memchr_iter(b'\n', event).take(grouping.max_lines).count();
    if lines < grouping.max_lines && event.len() <= grouping.max_bytes {
        return (Cow::Borrowed(event), 0);
    }
    let (mut kept, mut lines, mut left_out) = (Vec::new(), 0, 0);
    let mut is_over = false;
    for line in event.split_inclusive(|&byte| byte == b'\n') {
        lines += 1;
        is_over |= lines > 1
            && (lines > grouping.max_lines || kept.len() + line.len() > grouping.max_bytes);
        if is_over && Shape::of(line).has(FRAME) {
            left_out += 1;
        } else {
            kept.extend_from_slice(line);
        }
    }
    match left_out {
        0 => (Cow::Borrowed(event), 0),
        _ => (Cow::Owned(kept), left_out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_kept() {
        let grouping = Grouping { max_lines: 3, ..Grouping::default() };
        let text = |event: &str| {
            let (text, left_out) = shortened(event.as_bytes(), &grouping);
            (String::from_utf8(text.into_owned()).unwrap(), left_out)
        };
        assert_eq!(text("a\n\tat b\n\tat c"), ("a\n\tat b\n\tat c".to_owned(), 0));
        assert_eq!(
            text("a\n\tat b\n\tat c\n\tat d\nCaused by: e\n\tat f\n\t... 7 more\nCaused by: g\n"),
            ("a\n\tat b\n\tat c\nCaused by: e\nCaused by: g\n".to_owned(), 3)
        );
        // A line alone has no limit.
        let grouping = Grouping { max_bytes: 10, ..Grouping::default() };
        let line = "\tat x".repeat(10);
        assert_eq!(shortened(line.as_bytes(), &grouping), (line.as_bytes().into(), 0));
    }
}
