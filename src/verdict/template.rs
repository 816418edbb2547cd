//! Texts with `{placeholders}`.

/// The names of the placeholders of `text`. A brace that encloses anything but a name
/// (`{"a": 1}`) is text.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    parts(text).filter_map(|part| match part {
        Part::Name(name) => Some(name),
        Part::Text(_) => None,
    })
}

/// Fills in `text`. `None` if a value is missing.
pub(crate) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 32);
    for part in parts(text) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Name(name) => out.push_str(&value(name)?),
        }
    }
    // A text that begins with "{service}" of an unknown service begins with "the service".
    let mut chars = out.chars();
    match chars.next() {
        Some(first) if first.is_lowercase() && text.starts_with('{') => {
            Some(first.to_uppercase().chain(chars).collect())
        }
        _ => Some(out),
    }
}

/// The first variant of which every placeholder has a value.
pub(crate) fn fill_first<'t>(
    variants: impl IntoIterator<Item = &'t str>,
    value: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    variants.into_iter().find_map(|text| fill(text, &value))
}

enum Part<'t> {
    Text(&'t str),
    Name(&'t str),
}

fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(name) = leading_name(rest) {
            rest = &rest[name.len() + 2..];
            return Some(Part::Name(name));
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|&(at, c)| c == '{' && leading_name(&rest[at..]).is_some())
            .map_or(rest.len(), |(at, _)| at);
        let (head, tail) = rest.split_at(end);
        rest = tail;
        Some(Part::Text(head))
    })
}

/// `{name}` at the start of `text`.
fn leading_name(text: &str) -> Option<&str> {
    let name = &text.strip_prefix('{')?[..text.find('}')?.checked_sub(1)?];
    let valid =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte);
    (name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(valid)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_names_in_braces() {
        let names: Vec<_> =
            placeholders(r#"wait {retry_after}: {"a": 1} {service.billing} {}"#).collect();
        assert_eq!(names, ["retry_after", "service.billing"]);
    }

    #[test]
    fn texts_are_filled_or_dropped() {
        let value = |name: &str| (name == "a").then(|| "x".to_owned());
        assert_eq!(fill("1 {a} 2 {B} {", value).as_deref(), Some("1 x 2 {B} {"));
        assert_eq!(fill("{b}", value), None);
        assert_eq!(fill("{a} y", value).as_deref(), Some("X y"));
        assert_eq!(fill_first(["{b}", "{a}!"], value).as_deref(), Some("X!"));
    }
}
