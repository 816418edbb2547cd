//! Where a field stands in a record.

/// Longest path that is looked at.
pub(crate) const MAX_PATH: usize = 160;

/// The names from the outermost object to a field, joined with dots: as they stand in the record,
/// and in the form in which names are compared. Lives on the stack.
pub(crate) struct Path {
    shown: Buffer,
    folded: Buffer,
}

/// What a path was before a name was added.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    shown: usize,
    folded: usize,
}

struct Buffer {
    bytes: [u8; MAX_PATH],
    /// More than `MAX_PATH` where the path did not fit.
    length: usize,
}

impl Path {
    pub(crate) fn new() -> Path {
        let empty = || Buffer { bytes: [0; MAX_PATH], length: 0 };
        Path { shown: empty(), folded: empty() }
    }

    /// Adds a name; give what it returns to `pop`.
    pub(crate) fn push(&mut self, name: &[u8]) -> Mark {
        let mark = Mark { shown: self.shown.length, folded: self.folded.length };
        if mark.shown > 0 {
            self.shown.push(b'.');
            self.folded.push(b'.');
        }
        self.shown.extend(name);
        for byte in name.iter().filter_map(|&byte| fold(byte)) {
            self.folded.push(byte);
        }
        mark
    }

    pub(crate) fn pop(&mut self, mark: Mark) {
        self.shown.length = mark.shown;
        self.folded.length = mark.folded;
    }

    /// As it stands in the record.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.shown.get()
    }

    /// A field as tests write it: `a.b=value`, `a.b=-` where there is no text.
    #[cfg(test)]
    pub(crate) fn with(&self, value: &super::scalar::Scalar<'_>) -> String {
        let value = value.text(100).map(|(text, _)| text.into_owned());
        format!("{}={}", self.shown(), value.as_deref().unwrap_or("-"))
    }

    /// The same for people.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(self.shown.get()).into_owned()
    }

    /// In the form in which names are compared. Nothing if the path is too long.
    pub(crate) fn folded(&self) -> &[u8] {
        self.folded.get()
    }
}

impl Buffer {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
        }
        self.length += 1;
    }

    fn extend(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        self.length += bytes.len();
    }

    fn get(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Names are compared without case, and `status_code`, `status-code` and `statusCode` are one.
fn fold(byte: u8) -> Option<u8> {
    match byte {
        b'_' | b'-' | b' ' => None,
        byte => Some(byte.to_ascii_lowercase()),
    }
}

/// A path in the form in which names are compared.
pub(crate) fn folded(path: &str) -> Vec<u8> {
    path.bytes().filter_map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_and_folded() {
        let mut path = Path::new();
        path.push(b"Http");
        let mark = path.push(b"status-Code");
        assert_eq!(path.shown(), "Http.status-Code");
        assert_eq!(path.folded(), b"http.statuscode");
        assert_eq!(path.folded(), folded("http.status_code"));
        path.pop(mark);
        assert_eq!(path.shown(), "Http");
        let mark = path.push(&[b'x'; MAX_PATH]);
        assert_eq!(path.folded(), b"", "too long, and not looked for");
        path.pop(mark);
        assert_eq!(path.folded(), b"http");
    }
}
