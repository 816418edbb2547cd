//! Where logs come from: folders, patterns, packed files, odd files.

mod common;

use std::fs;

use common::pack::{self, FORMATS, pack, utf16};
use common::{Dir, Run, dir};

const REFUSED: &str = "Error: connect ECONNREFUSED 10.0.0.5:6379";
const DISK: &str = "OSError: [Errno 28] No space left on device: '/var/lib/a'";

impl Run {
    /// The sources of the findings.
    fn sources(&self) -> Vec<String> {
        self.json().iter().map(|found| found["source"].as_str().unwrap().to_owned()).collect()
    }

    /// Source, line, offset of the findings.
    fn places(&self) -> Vec<(String, u64, u64)> {
        let number = |value: &serde_json::Value| value.as_u64().unwrap();
        let place = |found: &serde_json::Value| {
            (
                found["source"].as_str().unwrap().to_owned(),
                number(&found["line"]),
                number(&found["offset"]),
            )
        };
        self.json().iter().map(place).collect()
    }
}

/// One finding in each of these files.
fn with(names: &[&str]) -> Dir {
    let dir = dir();
    for name in names {
        dir.file(name, format!("{REFUSED}\n"));
    }
    dir
}

fn json(dir: &Dir, args: &[&str]) -> Run {
    dir.run(&[&["scan", "-f", "json"], args].concat())
}

#[test]
fn folders_are_walked_by_path_and_arguments_keep_their_order() {
    let dir = with(&["logs/b.log", "logs/a/z.log", "logs/a.log", "logs/c", "first.log"]);
    let found = json(&dir, &["first.log", "logs"]).ends(0).quietly();
    assert_eq!(
        found.sources(),
        ["first.log", "logs/a/z.log", "logs/a.log", "logs/b.log", "logs/c"]
    );
    let found = json(&dir, &["logs/c", "logs/a", "first.log"]).ends(0).quietly();
    assert_eq!(found.sources(), ["logs/c", "logs/a/z.log", "first.log"]);
}

#[test]
fn hidden_and_ignored_files_are_left_out_unless_wanted() {
    let dir = with(&["logs/a.log", "logs/.b.log", "logs/c.tmp", "logs/.d/e.log"]);
    dir.file("logs/.ignore", "*.tmp\n");
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &["a.log"]),
        (&["--hidden"], &[".b.log", ".d/e.log", "a.log"]),
        (&["--no-ignore"], &["a.log", "c.tmp"]),
        (&["--hidden", "--no-ignore"], &[".b.log", ".d/e.log", "a.log", "c.tmp"]),
        (&["--glob", "*.tmp"], &["c.tmp"]),
        (&["--glob", "*.{log,tmp}", "--glob", "!a*"], &["c.tmp"]),
        (&["--hidden", "--glob", "!.d"], &[".b.log", "a.log"]),
    ];
    for (args, expected) in cases {
        let found = json(&dir, &[args, &["logs"][..]].concat()).ends(0).quietly().sources();
        let expected: Vec<_> = expected.iter().map(|name| format!("logs/{name}")).collect();
        // A pattern that names hidden files takes them, as with ripgrep.
        let found: Vec<_> = match args.contains(&"*.{log,tmp}") {
            true => found.into_iter().filter(|name| !name.contains("/.")).collect(),
            false => found,
        };
        assert_eq!(found, expected, "{args:?}");
    }
    // What is named is read, whatever it is.
    for args in [&["logs/.b.log", "logs/c.tmp"][..], &["--glob", "!*.tmp", "logs/c.tmp"]] {
        assert!(!json(&dir, args).ends(0).sources().is_empty(), "{args:?}");
    }
    json(&dir, &["--glob", "a[", "logs"]).ends(2).complains("a[");
}

#[test]
fn patterns_in_quotes_are_expanded_as_by_a_shell() {
    let dir = with(&["logs/a.log", "logs/b.log", "logs/.c.log", "logs/d/e.log", "logs/[x].log"]);
    let cases: &[(&str, &[&str])] = &[
        ("logs/*.log", &["[x].log", "a.log", "b.log"]),
        ("logs/?.log", &["a.log", "b.log"]),
        ("logs/[ab].log", &["a.log", "b.log"]),
        ("logs/**/e.log", &["d/e.log"]),
        // A folder that matches is walked.
        ("logs/d*", &["d/e.log"]),
        // A file of that name is that file.
        ("logs/[x].log", &["[x].log"]),
    ];
    for (pattern, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|name| format!("logs/{name}")).collect();
        assert_eq!(json(&dir, &[pattern]).ends(0).quietly().sources(), expected, "{pattern}");
    }
    let run = json(&dir, &["logs/*.txt", "logs/a.log", "logs/[.log"]).ends(2);
    let run = run
        .complains("logs/*.txt: no file matches this pattern")
        .complains("logs/[.log: there is no such file, and as a pattern:");
    assert_eq!(run.sources(), ["logs/a.log"]);
}

#[test]
fn a_folder_without_a_file_is_an_error_and_the_rest_is_scanned() {
    let dir = with(&["logs/.hidden", "a.log", "some/b.txt"]);
    fs::create_dir(dir.path().join("empty")).unwrap();
    let run = json(&dir, &["empty", "logs", "a.log"])
        .ends(2)
        .complains("empty: there is no file in this folder")
        .complains("logs: all files in this folder are hidden or ignored; --hidden");
    assert_eq!(run.sources(), ["a.log"]);
    json(&dir, &["--glob", "*.log", "some"])
        .ends(2)
        .complains("some: no file in this folder matches --glob");
    // No source at all is not standard input.
    dir.pipe(&["empty"], REFUSED).ends(2).says("no line was read");
}

#[test]
fn the_same_file_is_read_once() {
    let dir = with(&["logs/a.log", "logs/b.log"]);
    let args = ["logs/b.log", "logs", "./logs/a.log", "logs/*.log", "logs/../logs"];
    assert_eq!(json(&dir, &args).ends(0).quietly().sources(), ["logs/b.log", "./logs/a.log"]);
    let found = dir.pipe(&["-f", "json", "-", "-"], format!("{REFUSED}\n")).ends(0);
    assert_eq!(found.sources(), ["-"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_told() {
    use std::os::unix::fs::symlink;
    let dir = with(&["pods/a.log", "logs/d/b.log"]);
    symlink("../pods/a.log", dir.path().join("logs/link.log")).unwrap();
    symlink("..", dir.path().join("logs/d/up")).unwrap();
    symlink("nowhere", dir.path().join("logs/dangling")).unwrap();
    let run = json(&dir, &["logs"]).ends(2).complains("logs/d/up").complains("logs/dangling");
    assert_eq!(run.sources(), ["logs/d/b.log", "logs/link.log"]);
    assert_eq!(run.err.lines().count(), 2, "{}", run.err);
    // The link and the file are one.
    assert_eq!(json(&dir, &["pods", "logs/link.log"]).sources(), ["logs/link.log"]);
}

#[test]
fn binary_files_in_folders_are_left_out_and_told() {
    let dir = with(&["logs/a.log"]);
    let binary = [b"\x7fELF\0\0\0\n", REFUSED.as_bytes(), b"\n"].concat();
    dir.file("logs/b.bin", &binary);
    dir.file("logs/c.bin", &binary);
    dir.file("logs/late.log", [format!("{REFUSED}\n").repeat(300).as_bytes(), b"\0"].concat());
    dir.file("logs/packed.bin", pack("zstd", REFUSED.as_bytes()));
    dir.file("logs/windows.bin", utf16(REFUSED, false));
    let run = json(&dir, &["logs"])
        .ends(0)
        .complains("left out of folders: 2 binary files (ELF binary ×2);");
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    let mut sources = run.sources();
    sources.dedup();
    let expected = ["logs/a.log", "logs/late.log", "logs/packed.bin", "logs/windows.bin"];
    assert_eq!(sources, expected);
    // Who names it wants it.
    for args in [&["logs/b.bin"][..], &["logs/b.b*"]] {
        let run = json(&dir, args).ends(0).complains("logs/b.bin: is an ELF binary, read as it is");
        assert_eq!(run.sources(), ["logs/b.bin"]);
    }
    let run = json(&dir, &["logs", "logs/b.bin"]).ends(0).complains("1 binary file (ELF binary);");
    assert!(run.sources().contains(&"logs/b.bin".to_owned()), "{:?}", run.sources());
}

#[test]
fn packed_logs_are_told_by_their_bytes_in_files_and_pipes() {
    let dir = dir();
    let (one, two) = (format!("fine\n{REFUSED}\n"), format!("fine\n{DISK}\n"));
    for format in FORMATS {
        let packed = [pack(format, one.as_bytes()), pack(format, two.as_bytes())].concat();
        dir.file("app.log", &packed);
        let offset = (one.len() + "fine\n".len()) as u64;
        let runs =
            [(json(&dir, &["app.log"]), "app.log"), (dir.pipe(&["-f", "json"], &packed), "-")];
        for (run, name) in runs {
            let run = run.ends(0).quietly();
            assert_eq!(
                run.places(),
                [(name.to_owned(), 2, 5), (name.to_owned(), 4, offset)],
                "{format}"
            );
            assert!(run.json().iter().all(|found| found["decoded"] == true));
        }
    }
    // A name proves nothing.
    dir.file("text.gz", &one);
    let run = json(&dir, &["text.gz"]).ends(0).quietly();
    assert!(run.json()[0].get("decoded").is_none());
    // Other commands read packed logs too.
    let packed = pack("gzip", br#"{"text": "connect ECONNREFUSED 10.0.0.5:6379"}"#);
    let answers = dir.pipe(&["classify"], &packed).ends(0).quietly().json();
    assert_eq!(answers[0]["category"], "connection_failed");
    dir.pipe(&["why", "-"], pack("xz", DISK.as_bytes())).ends(0).says("[os.disk-full]");
    dir.pipe(&["rules", "coverage", "-"], pack("bzip2", one.as_bytes())).ends(0).says("2 lines");
}

#[test]
fn a_broken_archive_gives_what_it_has_and_the_fault() {
    let dir = with(&["z.log"]);
    let mut log = format!("{REFUSED}\n");
    for number in 0u64..60_000 {
        // Does not pack to nothing.
        log += &format!("job {:x} done\n", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
    for format in FORMATS {
        let packed = pack(format, log.as_bytes());
        let cut = packed.len() * 9 / 10;
        dir.file("cut", &packed[..cut]);
        let run = json(&dir, &["cut", "z.log"]).ends(2).complains(&format!(
            "cut: the {format} data ends too early after {cut} bytes (decoded "
        ));
        assert_eq!(run.sources(), ["cut", "z.log"]);
        let mut corrupt = packed.clone();
        corrupt[cut..cut + 50].fill(0);
        let run = dir
            .pipe(&["-f", "json"], &corrupt)
            .ends(2)
            .complains(&format!("-: the {format} data is corrupt after "))
            .complains("what could be read was classified");
        assert_eq!(run.sources(), ["-"]);
        let trailing = [&packed[..], b"\ntrailing\n"].concat();
        let run = dir.pipe(&["-f", "json"], &trailing).ends(2).complains(&format!(
            "-: after {} bytes of {format} data comes something else, which was left out",
            packed.len()
        ));
        assert_eq!(run.sources(), ["-"]);
    }
}

#[test]
fn windows_that_take_too_much_memory_are_refused_unless_allowed() {
    let dir = dir();
    let log = format!("{REFUSED}\n");
    dir.file("8.xz", pack::xz(log.as_bytes(), 8));
    dir.file("9.xz", pack::xz(log.as_bytes(), 9));
    dir.file("long.zst", pack::zstd(log.as_bytes(), Some(27)));
    for (name, enough) in [("8.xz", "34"), ("9.xz", "66"), ("long.zst", "128")] {
        json(&dir, &[name]).ends(2).complains(
            "takes more than 32 MiB of memory to unpack; allow more with --unpack-memory",
        );
        assert_eq!(json(&dir, &["--unpack-memory", enough, name]).ends(0).sources(), [name]);
    }
}

#[test]
fn marks_are_skipped_and_windows_logs_are_decoded() {
    let dir = dir();
    let text = format!("Zürich, 错误\r\n{REFUSED}\r\n");
    dir.file("utf8.log", format!("\u{feff}{text}"));
    // As it stands in the file: behind the mark.
    let found = json(&dir, &["utf8.log"]).ends(0).quietly();
    assert_eq!(
        found.places(),
        [("utf8.log".to_owned(), 2, 3 + text.find("Error").unwrap() as u64)]
    );
    dir.file("one.jsonl", "\u{feff}{\"http_status\": 503}\n");
    assert_eq!(dir.run(&["classify", "one.jsonl"]).ends(0).json()[0]["rule"], "http.503");
    for big in [false, true] {
        dir.file("utf16.log", utf16(&text, big));
        let run = json(&dir, &["utf16.log"]).ends(0).quietly();
        assert_eq!(run.places(), [("utf16.log".to_owned(), 2, text.find("Error").unwrap() as u64)]);
        let found = run.json();
        assert_eq!((&found[0]["text"], &found[0]["decoded"]), (&REFUSED.into(), &true.into()));
        // Without the mark.
        dir.file("logs/bare.log", &utf16(&text, big)[2..]);
        let bare = json(&dir, &["logs"]).ends(0).quietly().json();
        assert_eq!((&bare[0]["text"], &bare[0]["decoded"]), (&REFUSED.into(), &true.into()));
        let mut odd = utf16(&text, big);
        odd.push(b'x');
        dir.pipe(&["-f", "json"], odd).ends(2).complains("in the middle of a character");
        // Half of a pair.
        let mut lone = utf16("", big);
        lone.extend(if big { [0xd8, 0x3e] } else { [0x3e, 0xd8] });
        lone.extend(&utf16(&text, big)[2..]);
        assert_eq!(dir.pipe(&["-f", "json"], lone).ends(0).quietly().places()[0].1, 2);
    }
}

#[test]
fn what_is_no_text_is_named() {
    let dir = with(&["z.log"]);
    let mut tar = format!("{REFUSED}\n").into_bytes();
    tar.resize(257, b'a');
    tar.extend(b"ustar\x0000\n");
    let zip = [&b"PK\x03\x04\x14\0\0\0"[..], &[0xa5; 900]].concat();
    let lz4 = b"\x04\x22\x4d\x18\x64\x40\xa7 packed";
    let cases: &[(&str, &[u8], i32, &str)] = &[
        ("app.zip", &zip, 2, "is a zip archive, read as it is: what is packed in it was not"),
        (
            "app.lz4",
            lz4,
            2,
            "is lz4 data, read as it is: what is packed in it was not looked at; lz4",
        ),
        ("app.tar", &tar, 0, "is a tar archive, read as it is; tar -xOf FILE | whyerr"),
        ("app.tgz", &pack("gzip", &tar), 0, "holds a tar archive, read as it is; tar -xOf FILE"),
        ("app.zip.gz", &pack("gzip", &zip), 2, "holds a zip archive, read as it is: what"),
        ("twice", &pack("zstd", &pack("xz", b"x\n")), 2, "holds xz data, read as it is: what"),
        ("core", b"text\0text", 0, "is binary data, read as it is"),
    ];
    for (name, bytes, code, message) in cases {
        dir.file(name, bytes);
        let run = json(&dir, &[name, "z.log"]).ends(*code).complains(&format!("{name}: {message}"));
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        // What stands there as text is read all the same.
        let found: &[&str] =
            if message.contains("tar archive") { &[name, "z.log"] } else { &["z.log"] };
        assert_eq!(run.sources(), found);
        dir.pipe(&["-f", "json"], bytes).ends(*code).complains(&format!("-: {message}"));
        dir.pipe(&["--filter"], bytes).ends(*code).complains(&format!("-: {message}"));
    }
    dir.pipe(&["why", "-"], lz4).complains("-: is lz4 data");
    dir.file("logs/app.zip", &zip);
    dir.file("logs/a.log", REFUSED);
    json(&dir, &["logs"]).ends(0).complains("left out of folders: 1 binary file (zip archive);");
}

#[cfg(target_os = "linux")]
#[test]
fn names_need_not_be_utf8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = with(&["logs/a.log"]);
    let odd = OsStr::from_bytes(b"b\xff.log");
    fs::write(dir.path().join("logs").join(odd), format!("{DISK}\n")).unwrap();
    let run = json(&dir, &["logs"]).ends(0).quietly();
    assert_eq!(run.sources(), ["logs/a.log", "logs/b\u{fffd}.log"]);
    let mut command = dir.cmd(&["scan", "-f", "json"]);
    command.arg(std::path::Path::new("logs").join(odd));
    assert_eq!(common::run(&mut command, b"").ends(0).sources(), ["logs/b\u{fffd}.log"]);
}

#[test]
fn ten_thousand_files_are_scanned_one_by_one() {
    let dir = dir();
    for number in 0..10_000 {
        let line = if number % 1000 == 7 { REFUSED } else { "fine" };
        dir.file(&format!("logs/{:02}/{number:05}.log", number / 100), format!("ok\n{line}\n"));
    }
    // No more descriptors than a few.
    let whyerr = env!("CARGO_BIN_EXE_whyerr");
    let script = format!("ulimit -n 32; exec '{whyerr}' --no-config -f json logs");
    let started = std::time::Instant::now();
    let mut command = std::process::Command::new("sh");
    let run = common::run(command.args(["-c", &script]).current_dir(dir.path()), b"");
    let run = run.ends(0).quietly();
    let expected: Vec<_> = (0..10)
        .map(|k| k * 1000 + 7)
        .map(|number: u32| format!("logs/{:02}/{number:05}.log", number / 100))
        .collect();
    assert_eq!(run.sources(), expected);
    // A second, where a buffer for each file would take minutes without optimisation.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[cfg(unix)]
#[test]
fn a_path_in_a_folder_is_told_once() {
    let dir = with(&["d/a.log"]);
    std::os::unix::fs::symlink("gone", dir.path().join("d/dang.log")).unwrap();
    let run = json(&dir, &["d"]).ends(2);
    assert_eq!(run.sources(), ["d/a.log"]);
    assert_eq!(run.err.matches("dang.log").count(), 1, "{}", run.err);
    run.complains("error: d/dang.log: No such file");
}
