//! What is no text as it stands: archives, packed formats that are not unpacked, binaries.

/// A kind of data that is no log.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    pub name: &'static str,
    /// Where its mark stands, and what that is.
    at: usize,
    mark: &'static [u8],
    /// What is in it does not stand there as text.
    pub is_packed: bool,
    /// What gives its text; empty if it is read as well as can be.
    remedy: &'static str,
}

const fn packed(name: &'static str, mark: &'static [u8], remedy: &'static str) -> Foreign {
    Foreign { name, at: 0, mark, is_packed: true, remedy }
}

const AGAIN: &str = "unpack it once and pipe it in";

/// Told by their first bytes, never by the name of a file. No text begins so.
const FOREIGN: &[Foreign] = &[
    packed("a zip archive", b"PK\x03\x04", "unzip -p FILE | whyerr"),
    packed("an empty zip archive", b"PK\x05\x06", "nothing is in it"),
    packed("a 7z archive", b"7z\xbc\xaf\x27\x1c", "7z x -so FILE | whyerr"),
    packed("a rar archive", b"Rar!\x1a\x07", "unrar p -inul FILE | whyerr"),
    packed("an ar archive", b"!<arch>\n", "ar p FILE | whyerr"),
    packed("an rpm package", b"\xed\xab\xee\xdb", "rpm2cpio FILE | cpio -i --to-stdout | whyerr"),
    packed("lz4 data", b"\x04\x22\x4d\x18", "lz4 -dc FILE | whyerr"),
    packed("old lz4 data", b"\x02\x21\x4c\x18", "lz4 -dc FILE | whyerr"),
    packed("snappy data", b"\xff\x06\x00\x00sNaPpY", "snzip -dc FILE | whyerr"),
    packed("lzop data", b"\x89LZO\0\r\n\x1a\n", "lzop -dc FILE | whyerr"),
    packed("lzip data", b"LZIP\x01", "lzip -dc FILE | whyerr"),
    packed("lzma data", b"\x5d\0\0", "xz --format=lzma -dc FILE | whyerr"),
    packed("data of compress", b"\x1f\x9d", "zcat FILE | whyerr"),
    packed("a systemd journal", b"LPKSHHRH", "journalctl --file FILE -o json --all | whyerr"),
    packed("a Windows event log", b"ElfFile\0", "wevtutil qe FILE /lf:true /f:text | whyerr"),
    packed("an SQLite database", b"SQLite format 3\0", "query it and pipe the answer in"),
    packed("a Parquet file", b"PAR1", "query it and pipe the answer in"),
    packed("a PDF file", b"%PDF-", "pdftotext FILE - | whyerr"),
    // Packed in what was unpacked.
    packed("gzip data", b"\x1f\x8b\x08", AGAIN),
    packed("zstd data", b"\x28\xb5\x2f\xfd", AGAIN),
    packed("xz data", b"\xfd7zXZ\0", AGAIN),
    packed("bzip2 data", b"BZh91AY&SY", AGAIN),
    Foreign {
        name: "a tar archive",
        at: 257,
        mark: b"ustar",
        is_packed: false,
        remedy: "tar -xOf FILE | whyerr",
    },
    Foreign { is_packed: false, ..packed("an ELF binary", b"\x7fELF", "") },
];

/// What holds a zero near its beginning, and is nothing of the above.
const BINARY: Foreign = Foreign { is_packed: false, ..packed("binary data", b"", "") };

/// So many bytes tell whether something is text.
pub const SAMPLE: usize = 8 << 10;

impl Foreign {
    /// What begins with `head` and is neither unpacked nor decoded, if it is no text.
    pub fn find(head: &[u8]) -> Option<&'static Foreign> {
        let has_mark = |foreign: &&Foreign| {
            head.get(foreign.at..).is_some_and(|rest| rest.starts_with(foreign.mark))
        };
        FOREIGN.iter().find(has_mark).or_else(|| {
            let near = &head[..head.len().min(SAMPLE)];
            memchr::memchr(0, near).map(|_| &BINARY)
        })
    }

    /// What it is, what was done, and what to do. `is_inner`: it was packed in something that was
    /// unpacked.
    pub fn tell(&self, is_inner: bool) -> String {
        let verb = if is_inner { "holds" } else { "is" };
        let mut text = format!("{verb} {}, read as it is", self.name);
        if self.is_packed {
            text.push_str(": what is packed in it was not looked at");
        }
        // tar unpacks what it is in by itself.
        let remedy = if is_inner && self.is_packed { AGAIN } else { self.remedy };
        if !remedy.is_empty() {
            text.push_str("; ");
            text.push_str(remedy);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        let named = |head: &[u8]| Foreign::find(head).map(|foreign| foreign.name);
        assert_eq!(named(b"PK\x03\x04\x14\0"), Some("a zip archive"));
        let mut tar = vec![b'a'; 257];
        tar.extend(b"ustar\0");
        assert_eq!(named(&tar), Some("a tar archive"));
        assert_eq!(named(b"\x7fELF\x02\x01"), Some("an ELF binary"));
        assert_eq!(named(b"text\0"), Some("binary data"));
        for text in [&b""[..], b"PK", b"PKCS error", b"2026-11-24 it failed", b"%PDF", b"]"] {
            assert_eq!(named(text), None, "{text:?}");
        }
        let late = [&[b'a'; SAMPLE][..], b"\0"].concat();
        assert_eq!(named(&late), None);
    }

    #[test]
    fn what_to_do_is_told() {
        let tell = |head: &[u8], is_inner| Foreign::find(head).unwrap().tell(is_inner);
        assert_eq!(
            tell(b"\x04\x22\x4d\x18", false),
            "is lz4 data, read as it is: what is packed in it was not looked at; lz4 -dc FILE | whyerr"
        );
        assert!(tell(b"PK\x03\x04", true).ends_with("; unpack it once and pipe it in"));
        assert_eq!(tell(b"\0", false), "is binary data, read as it is");
    }
}
