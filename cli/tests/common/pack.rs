//! Packs logs, for the tests of processes and of units.

use std::io::Write;

pub const FORMATS: &[&str] = &["gzip", "zstd", "bzip2", "xz"];

pub fn pack(format: &str, text: &[u8]) -> Vec<u8> {
    match format {
        "gzip" => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            packer.write_all(text).unwrap();
            packer.finish().unwrap()
        }
        "zstd" => zstd(text, None),
        "bzip2" => {
            let mut packer = bzip2::write::BzEncoder::new(Vec::new(), Default::default());
            packer.write_all(text).unwrap();
            packer.finish().unwrap()
        }
        "xz" => xz(text, 6),
        _ => panic!("{format}?"),
    }
}

/// With a checksum, and a window of so many bits.
pub fn zstd(text: &[u8], window: Option<u32>) -> Vec<u8> {
    let mut packer = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    packer.include_checksum(true).unwrap();
    if let Some(bits) = window {
        packer.window_log(bits).unwrap();
    }
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

pub fn xz(text: &[u8], level: u32) -> Vec<u8> {
    let mut packer = liblzma::write::XzEncoder::new(Vec::new(), level);
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// UTF-16 with its mark.
pub fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}
